"""Steps 5 and 6 of SPEC.md, render and PCM: Numba, integer, one Gaussian after another."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from . import dequantise
from .tables import HALF_BAND_TAPS, LEVELS, SHORTEST_SUPPORT, cosine, envelope, half_band

Array = npt.NDArray[Any]

HELD_LEVEL, HELD_SCALE, HELD_ONSET, HELD_AMPLITUDE, HELD_PHASE, HELD_INCREMENT = range(6)
HELD_FIELDS = 6
"""Of a tone at its level: scale, onset and phase step are those at the level's sample rate."""

_ENVELOPE = envelope()
_COSINE = cosine()
_HALF_BAND = half_band()
_HALF_COSINE_STEP = 32


def held(rows: Array, mantissa: int) -> npt.NDArray[np.int64]:
    """Dequantised Gaussians ready to render, shape (n, HELD_FIELDS), from decoded rows (slots.ROW_FIELDS)."""
    scale, onset, bin_, amplitude, phase = rows.T[:5]
    level = dequantise.level(bin_, scale)
    # The phase is the one at the centre; half the support before it is a half turn for an odd bin.
    start = dequantise.phase(amplitude, phase) + _HALF_COSINE_STEP + ((bin_ & 1) << 15)
    return np.stack(
        [
            level,
            scale - level,
            onset >> level,
            dequantise.amplitude(amplitude, scale, mantissa),
            start,
            dequantise.increment(bin_, scale) << level,
        ],
        axis=1,
    ).astype(np.int64)


@njit(cache=True)
def accumulate(accumulator: Array, start: int, gaussians: Array) -> None:
    """Adds every Gaussian (HELD_FIELDS) of one level to accumulator[0..], int32, which begins at the level's sample
    number `start`."""
    end = start + len(accumulator)
    for g in range(len(gaussians)):
        scale = gaussians[g, HELD_SCALE]
        onset = gaussians[g, HELD_ONSET]
        peak = gaussians[g, HELD_AMPLITUDE]
        increment = gaussians[g, HELD_INCREMENT]
        phase = gaussians[g, HELD_PHASE]
        for n in range(max(start, onset), min(end, onset + (SHORTEST_SUPPORT << scale))):
            age = n - onset
            segment = age >> scale
            rest = age & ((1 << scale) - 1)
            left = _ENVELOPE[segment] * peak
            right = _ENVELOPE[segment + 1] * peak
            level = (left + rest * ((right - left) >> scale)) >> 15
            turn = (phase + increment * age) & 0xFFFF
            accumulator[n - start] += np.int32(level * _COSINE[turn >> 6])


@njit(cache=True)
def interpolated(samples: Array) -> Array:
    """Samples of a level at the rate of the level before it, int32, shape (2 * (n - 2 * HALF_BAND_TAPS),):
    HALF_BAND_TAPS at either end serve only those between them."""
    count = len(samples) - 2 * HALF_BAND_TAPS
    out = np.zeros(2 * count, np.int32)
    for m in range(count):
        here = m + HALF_BAND_TAPS
        between = np.int64(2048)
        for tap in range(HALF_BAND_TAPS):
            between += _HALF_BAND[tap] * (np.int64(samples[here - tap]) + np.int64(samples[here + 1 + tap]))
        out[2 * m] = samples[here]
        out[2 * m + 1] = np.int32(between) >> np.int32(12)
    return out


def rendered(gaussians: Array, start: int, count: int, output_shift: int) -> npt.NDArray[np.int32]:
    """Samples start.. of all tones (HELD_FIELDS), int32, shape (count,), in quarters of an output step (SPEC 5: w_0)."""
    pieces = [(start, start + count)]
    for _ in range(1, LEVELS):
        first, end = pieces[-1]
        pieces.append(((first >> 1) - HALF_BAND_TAPS, ((end + 1) >> 1) + HALF_BAND_TAPS))
    half, shift = np.int32(1 << (11 + output_shift)), np.int32(12 + output_shift)
    below = np.zeros(0, np.int32)
    for level, (first, end) in reversed(list(enumerate(pieces))):
        sums = np.zeros(end - first, np.int32)
        accumulate(sums, first, gaussians[gaussians[:, HELD_LEVEL] == level])
        here = (sums + half) >> shift
        if len(below):
            here += interpolated(below)[first & 1 :][: end - first]
        below = here
    return below


def to_pcm(quarters: Array, noise: npt.NDArray[np.int64] | None = None) -> npt.NDArray[np.int16]:
    """Rounded and saturated samples, with the noise, int64 in output steps, added."""
    rounded = ((quarters + np.int32(2)) >> np.int32(2)).astype(np.int64)
    if noise is not None:
        rounded += noise
    return np.clip(rounded, -32768, 32767).astype(np.int16)
