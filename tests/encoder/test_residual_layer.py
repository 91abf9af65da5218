"""The residual layer as the encoder makes it: within its rate and ceilings, only where it is allowed, and of use."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from demo_clips import demo

import audio_gs
from audio_gs.codec.container import StreamHeader
from audio_gs.encoder.perception import Listener
from audio_gs.errors import OptionsError

Samples = npt.NDArray[np.float64]
SECONDS = 1.5


@pytest.fixture(scope="module")
def speech() -> tuple[Samples, int]:
    samples, sample_rate = demo("speech")
    samples = np.asarray(samples, np.float64)
    return samples[: round(SECONDS * sample_rate)], sample_rate


@pytest.fixture(scope="module")
def effect() -> tuple[Samples, int]:
    samples, sample_rate = demo("sfx")
    samples = np.asarray(samples, np.float64)
    return samples[: round(SECONDS * sample_rate)], sample_rate


@pytest.fixture(scope="module")
def rain() -> tuple[Samples, int]:
    """Noise of fluctuating level, with a few tones in it."""
    sample_rate = 16000
    rng = np.random.default_rng(5)
    time = np.arange(round(SECONDS * sample_rate)) / sample_rate
    level = 0.03 * np.exp(np.interp(time, np.linspace(0, SECONDS, 60), rng.normal(0, 0.6, 60)))
    tones = sum(0.02 * np.sin(2 * np.pi * hz * time) for hz in (310.0, 930.0))
    return level * rng.normal(size=len(time)) + tones, sample_rate


def header_of(data: bytes) -> StreamHeader:
    return audio_gs.parse_header(data)[0]


def kbit_s(data: bytes, clip: tuple[Samples, int]) -> float:
    return 8 * len(data) / 1000 / len(clip[0]) * clip[1]


def distance(data: bytes, clip: tuple[Samples, int]) -> float:
    return Listener(clip[0] * 32768, clip[1]).distance(audio_gs.decode(data)[0].astype(np.float64))


@pytest.mark.parametrize("rate", [8.0, 24.0])
def test_a_rate_is_met(speech: tuple[Samples, int], rate: float) -> None:
    data = audio_gs.encode(*speech, bitrate=rate, preset="speech")
    assert header_of(data).residual is not None
    assert len(audio_gs.read_gaussians(data)["residual"]) > 0
    assert 0.97 * rate <= kbit_s(data, speech) <= rate


def test_it_comes_nearer_at_the_same_rate(rain: tuple[Samples, int]) -> None:
    with_layer = audio_gs.encode(*rain, bitrate=10, preset="sfx")
    without = audio_gs.encode(*rain, bitrate=10, preset="sfx", config={"residual": False})
    assert header_of(without).residual is None
    assert distance(with_layer, rain) < 0.97 * distance(without, rain)


def test_there_is_none_at_low_rates(speech: tuple[Samples, int]) -> None:
    assert header_of(audio_gs.encode(*speech, bitrate=3, preset="speech")).residual is None


def test_there_is_none_for_a_number_of_gaussians(speech: tuple[Samples, int]) -> None:
    assert header_of(audio_gs.encode(*speech, gaussians=500, preset="speech")).residual is None


def test_a_quality_takes_fewer_bytes_with_it(rain: tuple[Samples, int]) -> None:
    with_layer = audio_gs.encode(*rain, quality=4, preset="sfx")
    without = audio_gs.encode(*rain, quality=4, preset="sfx", config={"residual": False})
    assert header_of(with_layer).residual is not None
    assert len(with_layer) < len(without)


def test_ceilings_hold(effect: tuple[Samples, int]) -> None:
    header = header_of(audio_gs.encode(*effect, bitrate=12, preset="sfx", max_macs=70))
    assert header.residual is not None
    assert header.peak_macs <= 70


def test_too_low_a_ceiling_leaves_tones_alone(speech: tuple[Samples, int]) -> None:
    header = header_of(audio_gs.encode(*speech, bitrate=12, preset="speech", max_macs=20))
    assert header.residual is None
    assert header.peak_macs <= 20


def test_the_class_of_speech_holds(speech: tuple[Samples, int]) -> None:
    data = audio_gs.encode(*speech, bitrate=24, preset="speech")
    assert audio_gs.info(data).decoder_bytes <= 6144


def test_same_bytes_every_time(speech: tuple[Samples, int]) -> None:
    assert audio_gs.encode(*speech, bitrate=9, preset="speech") == audio_gs.encode(*speech, bitrate=9, preset="speech")


def test_silence_has_none() -> None:
    assert header_of(audio_gs.encode(np.zeros(8000), 16000, bitrate=12, preset="speech")).residual is None


def test_whether_is_true_or_false(speech: tuple[Samples, int]) -> None:
    with pytest.raises(OptionsError, match="residual 3 is neither true nor false"):
        audio_gs.encode(*speech, bitrate=9, config={"residual": 3})
