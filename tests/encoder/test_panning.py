"""Clips with two channels through the public interface: where things are heard, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import audio_gs
from audio_gs.codec.container import StreamHeader, check_stream
from audio_gs.errors import AudioInputError

Samples = npt.NDArray[np.float64]

RATE = 16000
SECONDS = 0.6
TIME = np.arange(round(SECONDS * RATE)) / RATE
FAST: Mapping[str, Any] = {"effort": "fast", "preset": "speech"}


def played(data: bytes) -> Samples:
    """Both channels, full scale 1, shape (n, 2)."""
    pcm, _ = audio_gs.decode(data)
    np.testing.assert_array_equal(pcm, audio_gs.decode(data, backend="numba")[0])
    return pcm / 32768


def encoded(pair: Samples, kbit_s: float = 12.0, **options: Any) -> tuple[bytes, StreamHeader]:
    data = audio_gs.encode(pair, RATE, bitrate=kbit_s, **{**FAST, **options})
    header = check_stream(data)
    assert 8 * len(data) <= kbit_s * 1000 * len(pair) / RATE
    return data, header


def snr_db(wanted: Samples, found: Samples) -> float:
    return float(10 * np.log10(np.sum(wanted**2) / np.sum((wanted - found) ** 2)))


def voice(hertz: float, seed: int = 0) -> Samples:
    """Harmonics that come and go."""
    draws = np.random.default_rng(seed)
    rise = np.abs(np.sin(np.pi * draws.uniform(1.5, 3) * TIME + draws.uniform(0, 3)))
    waves = [np.sin(2 * np.pi * hertz * k * TIME + draws.uniform(0, 6)) / k for k in range(1, 7)]
    return 0.2 * rise * np.sum(waves, axis=0)


def noise(seed: int) -> Samples:
    return 0.05 * np.random.default_rng(seed).standard_normal(len(TIME))


def test_a_panned_clip_needs_a_direction_alone() -> None:
    left, right = 0.9, 0.35
    tone = voice(200)
    data, header = encoded(np.column_stack([left * tone, right * tone]))
    mono, _ = encoded(tone)
    assert header.panning is None
    assert header.channels == 2
    assert len(data) <= len(mono) + 3
    got = played(data)
    assert got[:, 0].std() / got[:, 1].std() == pytest.approx(left / right, rel=0.02)
    assert snr_db(np.column_stack([left * tone, right * tone]), got) > 15


def test_two_sources_come_from_two_places() -> None:
    one, other = voice(180, 1), voice(310, 2)
    pair = np.column_stack([one + 0.2 * other, 0.2 * one + other])
    data, header = encoded(pair, 16.0)
    assert header.panning is not None
    got = played(data)
    assert snr_db(pair[:, 0], got[:, 0]) > 12
    assert snr_db(pair[:, 1], got[:, 1]) > 12
    table = audio_gs.read_gaussians(data)["tone"]
    assert 0 < np.count_nonzero(table["side_amplitude"]) < len(table)


def test_noises_of_their_own_stay_apart() -> None:
    pair = np.column_stack([noise(1), noise(2)])
    data, header = encoded(pair, 8.0)
    assert header.panning is not None
    got = played(data)
    assert abs(np.corrcoef(got.T)[0, 1]) < 0.3
    np.testing.assert_allclose(got.std(axis=0), pair.std(axis=0), rtol=0.3)


def test_what_is_noise_in_a_wide_clip_is_coded_too() -> None:
    pair = np.column_stack([voice(180, 1) + noise(1), voice(310, 2) + noise(2)])
    data, header = encoded(pair, 16.0)
    assert header.panning is not None
    assert header.residual is not None
    assert len(audio_gs.read_gaussians(data)["residual"]) > 200


def test_a_delay_between_channels_is_kept() -> None:
    whole = voice(160, 3)
    late = np.concatenate([np.zeros(8), whole[:-8]])
    pair = np.column_stack([whole, late])
    got = played(encoded(pair, 16.0)[0])
    lags = range(-16, 17)
    found = max(lags, key=lambda lag: float(got[32:-32, 0] @ np.roll(got[:, 1], -lag)[32:-32]))
    assert found == pytest.approx(8, abs=1)


def test_equal_channels_have_a_direction_alone_and_stay_equal() -> None:
    data, header = encoded(np.column_stack([voice(200)] * 2))
    assert (header.channels, header.direction, header.panning) == (2, 64, None)
    got = played(data)
    np.testing.assert_array_equal(got[:, 0], got[:, 1])
    mono, _ = encoded(voice(200))
    # A mono decoder gives the same as for a clip with one channel.
    assert snr_db(audio_gs.decode(mono)[0].astype(np.float64), 32768 * got[:, 0]) > 40


def test_a_silent_channel_stays_silent() -> None:
    for silent in (0, 1):
        pair = np.column_stack([voice(200)] * 2)
        pair[:, silent] = 0
        data, header = encoded(pair)
        assert (header.panning, header.direction) == (None, 128 if silent == 0 else 0)
        got = played(data)
        assert not got[:, silent].any()
        assert snr_db(pair[:, 1 - silent], got[:, 1 - silent]) > 15


def test_opposite_phases_stay_opposite() -> None:
    data, header = encoded(np.column_stack([voice(200), -voice(200)]))
    assert (header.direction, header.panning) == (192, None)
    got = played(data)
    np.testing.assert_array_equal(got[:, 0], -got[:, 1])
    assert np.abs(audio_gs.decode(data, mono=True)[0]).max() > 1000, "a mono player hears it"


def test_silence_has_two_channels_too() -> None:
    data, header = encoded(np.zeros((RATE // 2, 2)))
    assert (header.channels, header.panning) == (2, None)
    assert not played(data).any()


def test_mono_mixes_down() -> None:
    pair = np.column_stack([voice(180, 1), voice(310, 2)])
    assert audio_gs.encode(pair, RATE, bitrate=6, mono=True, **FAST) == audio_gs.encode(
        pair.mean(axis=1), RATE, bitrate=6, **FAST
    )
    assert check_stream(audio_gs.encode(pair, RATE, bitrate=6, config={"mono": True}, **FAST)).channels == 1


def test_one_channel_in_two_dimensions_is_mono() -> None:
    clip = voice(200)
    assert encoded(clip[:, None])[0] == encoded(clip)[0]


@pytest.mark.parametrize("asked", [{"gaussians": 300}, {"quality": 3}])
def test_counts_and_qualities(asked: dict[str, Any]) -> None:
    pair = np.column_stack([voice(180, 1), voice(310, 2)])
    data = audio_gs.encode(pair, RATE, **asked, **FAST)
    assert check_stream(data).panning is not None
    assert played(data).shape == pair.shape


def test_ceilings_loops_and_seek_points_hold() -> None:
    pair = np.column_stack([voice(180, 1) + noise(1), voice(310, 2) + noise(2)])
    data, header = encoded(pair, 24.0, max_macs=90, loop=(1000, 9000), seek_every=0.2)
    assert header.peak_macs <= 90
    assert header.loop == (1000, 9000)
    assert header.segments > 1
    assert encoded(pair, 24.0, max_macs=90, loop=(1000, 9000), seek_every=0.2)[0] == data, "the same every time"


def test_a_low_rate_and_a_short_clip_keep_to_their_size() -> None:
    pair = np.column_stack([voice(180, 1), voice(310, 2)])
    encoded(pair, 2.0)
    encoded(pair[: RATE // 5], 6.0)
    for count in (1, 2, 50):
        assert played(audio_gs.encode(pair[:count], RATE, bitrate=6, **FAST)).shape == (count, 2)


def test_the_rate_is_lowered_for_both_channels_or_for_none() -> None:
    low, high = (np.hanning(len(TIME)) * np.sin(2 * np.pi * hertz * TIME) for hertz in (300, 7000))
    for pair, rate in ((np.column_stack([low, low]), 8000), (np.column_stack([low, high]), RATE)):
        data = audio_gs.encode(0.3 * pair, RATE, bitrate=6, preset="auto", effort="fast")
        assert check_stream(data).sample_rate == rate


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        (np.full((100, 2), np.nan), "100 samples are NaN"),
        (np.column_stack([np.zeros(100), np.full(100, np.inf)]), "100 samples are NaN or infinite"),
        (np.zeros((2, 5000)), "5000 channels; .*transpose"),
        (np.zeros((100, 2, 2)), "3 dimensions"),
        (np.zeros((0, 2)), "empty"),
    ],
)
def test_unfit_pairs_are_refused(pair: Samples, says: str) -> None:
    with pytest.raises(AudioInputError, match=says):
        audio_gs.encode(pair, RATE, bitrate=6)


def test_more_channels_than_two_are_mixed_down_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="3 channels mixed down to one"):
        data = audio_gs.encode(np.column_stack([voice(200)] * 3), RATE, bitrate=6, **FAST)
    assert check_stream(data).channels == 1
