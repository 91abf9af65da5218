"""The C library's mixer on golden streams: what voices share, and one budget for all of them."""

from __future__ import annotations

import numpy as np
import pytest
from make_vectors import FOLDER

from audio_gs import api
from audio_gs.codec.container import parse_header
from audio_gs.codec.native import NativeMixer, decoder_bytes
from audio_gs.codec.playback import GAIN_ONE

STREAMS = tuple((FOLDER / f"speech-{rate}.bin").read_bytes() for rate in (3, 6))
"""Without a residual, of one sample rate."""
VOICES = 4
SAMPLES = 24000


def mixed(streams: tuple[bytes, ...], budget: int | None = None, gain: int = GAIN_ONE) -> np.ndarray:
    """Voices that begin 2000 samples apart."""
    headers = [parse_header(data)[0] for data in streams]
    mixer = NativeMixer(headers[0].sample_rate, VOICES, max(map(decoder_bytes, headers)))
    mixer.set_budget(budget)
    pieces = []
    for data in streams:
        mixer.play(data, gain)
        pieces.append(mixer.mix(2000))
    return np.concatenate([*pieces, mixer.mix(SAMPLES - 2000 * len(streams))]).astype(float)


def apart(streams: tuple[bytes, ...], budget: int | None = None) -> np.ndarray:
    """The sum of as many decoders, which begin where blocks and frames of the mixer do."""
    total = np.zeros(SAMPLES)
    for index, data in enumerate(streams):
        decoder = api.StreamDecoder(data)
        decoder.set_budget(budget)
        start = -(-2000 * index // 64) * 64
        total[start:] += decoder.read(SAMPLES - start)
    return total


def snr(signal: np.ndarray, other: np.ndarray) -> float:
    """In dB."""
    return float(10 * np.log10(np.sum(signal**2) / np.sum((signal - other) ** 2)))


def test_one_budget_for_all_is_worth_6_db() -> None:
    streams = STREAMS * 2
    shared = snr(mixed(streams), mixed(streams, 40))
    split = snr(apart(streams), apart(streams, 40 // VOICES))
    assert shared > split + 6


def test_voices_sound_as_decoders_do() -> None:
    """Noise is other noise of the same power; what tones there are come before it."""
    streams = STREAMS * 2
    mix, total = mixed(streams), apart(streams)
    assert snr(total, mix) > 10
    assert np.sum(mix**2) == pytest.approx(np.sum(total**2), rel=0.05)


def test_a_gain_scales() -> None:
    loud, quiet = mixed(STREAMS), mixed(STREAMS, gain=GAIN_ONE // 4)
    assert snr(loud / 4, quiet) > 35
