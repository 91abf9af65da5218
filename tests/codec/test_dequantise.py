"""Tones dequantised: by the letter of SPEC 4.3, and in the units of the table of Gaussians."""

from __future__ import annotations

import math

import numpy as np
import pytest

from audio_gs.codec.container import StreamHeader
from audio_gs.codec.kinds import TONE, tone
from audio_gs.codec.kinds.tone import MAX_AMPLITUDE_STEP, support
from audio_gs.codec.tables import ENVELOPE_SIGMA, LARGEST_AMPLITUDE, phase_bits
from audio_gs.gaussians import Gaussians, physical

INDICES = np.arange(1, LARGEST_AMPLITUDE + 1)


@pytest.mark.parametrize("scale", range(12))
@pytest.mark.parametrize("amplitude_step", [1, 2, 63, 700, MAX_AMPLITUDE_STEP])
def test_amplitude(scale: int, amplitude_step: int) -> None:
    step = (amplitude_step * 46341 + 2048) >> 12 if scale % 2 else 16 * amplitude_step
    expected = [min(32767, (step * (8 * q + 3)) >> (5 + (scale >> 1))) for q in INDICES.tolist()]
    np.testing.assert_array_equal(tone.amplitude(INDICES, scale, amplitude_step), expected)


def test_amplitude_steps_are_steps_of_energy() -> None:
    """The same index has about the same energy at every scale."""
    peak = tone.amplitude(100, np.arange(12), 64).astype(float)
    energy = peak**2 * support(np.arange(12))
    np.testing.assert_allclose(energy, energy[0], rtol=0.01)


def test_phase() -> None:
    for q in (1, 3, 5, 10, 20, 40, 80, 160, LARGEST_AMPLITUDE):
        count = 1 << phase_bits()[q]
        got = tone.phase(np.full(count, q), np.arange(count))
        np.testing.assert_array_equal(got, np.arange(count) * (65536 // count))
        np.testing.assert_array_equal(tone.phase_turns(np.full(count, q), np.arange(count)), got / 65536)


def test_increment() -> None:
    for scale in range(12):
        bins = np.array([0, 1, (16 << scale) - 1])
        np.testing.assert_array_equal(tone.increment(bins, scale), bins << (11 - scale))
        assert tone.increment(16 << scale, scale) == 32768, "half the sample rate is half a turn a sample"


def test_physical_units() -> None:
    header = StreamHeader(
        sample_rate=16000,
        samples=16000,
        slot_log2=9,
        smallest_scale=4,
        scales=1,
        amplitude_step=64,
        output_shift=1,
        max_tones=1,
        peak_macs=1,
    )
    table = TONE.empty(1)
    table[0] = 4, 1024, 32, 79, 64
    (got,) = physical(Gaussians(tone=table), header)["tone"]
    assert got["time"] == (1024 + 256) / 16000
    assert got["frequency"] == 32 * 16000 / 512
    assert got["weight"] == pytest.approx(4 * 64 * (79 + 3 / 8) / 2 ** (4 / 2) / 2 / 32768, rel=1e-3)
    assert got["phase"] == pytest.approx(2 * math.pi * 64 / 256)
    assert got["spread_time"] * got["spread_frequency"] == pytest.approx(1 / (2 * math.pi))
    assert got["spread_time"] == pytest.approx(512 * ENVELOPE_SIGMA / 16000)
