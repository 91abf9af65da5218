"""Steps 5 and 6 of SPEC.md, render and PCM, and the budget of its section 8: Numba, integer, one Gaussian after
another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from . import dequantise
from .tables import HALF_BAND_TAPS, LEVELS, MACS_PER_PIECE, RENDER_BLOCK, SHORTEST_SUPPORT, cosine, envelope, half_band

Array = npt.NDArray[Any]

HELD_LEVEL, HELD_SCALE, HELD_ONSET, HELD_AMPLITUDE, HELD_PHASE, HELD_INCREMENT = range(6)
HELD_FIELDS = 6
"""Of a tone at its level: scale, onset and phase step are those at the level's sample rate."""

Budgets = Sequence[tuple[int, int | None]]
"""Numbers of the blocks from which budgets hold, in MACs a sample, None for none; ascending, the first one before all
blocks."""

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


def _parts(gaussians: Array, block: int) -> tuple[Array, Array]:
    """Age of the first sample, and number of samples, of each tone (HELD_FIELDS) in a block of its level."""
    level = gaussians[:, HELD_LEVEL]
    begin = (block * RENDER_BLOCK + (8 << level) - 8) >> level
    age = np.maximum(begin - gaussians[:, HELD_ONSET], 0)
    end = np.minimum(begin + (RENDER_BLOCK >> level) - gaussians[:, HELD_ONSET], _support(gaussians))
    return age, np.maximum(end - age, 0)


def _support(gaussians: Array) -> Array:
    return SHORTEST_SUPPORT << gaussians[:, HELD_SCALE]


def strength(level: Array) -> Array:
    """The level of tones in steps of a quarter of an octave, 0 for silence (SPEC 8)."""
    octave = np.maximum(np.frexp(level)[1] - 3, 0)
    return 4 * octave + (level >> octave)


def within_budget(gaussians: Array, block: int, budget: int) -> npt.NDArray[np.bool_]:
    """Marks the tones (HELD_FIELDS) that a decoder renders in a block for `budget` MACs a sample (SPEC 8)."""
    age, samples = _parts(gaussians, block)
    scale = gaussians[:, HELD_SCALE]
    pieces = ((age + samples - 1) >> scale) - (age >> scale) + 1
    costs = np.where(samples > 0, samples + MACS_PER_PIECE * pieces, 0)
    middle = np.where(samples > 0, (age + samples // 2) >> scale, 0)
    strengths = strength(((_ENVELOPE[middle] + _ENVELOPE[middle + 1]) * gaussians[:, HELD_AMPLITUDE]) >> 16)
    of_each = np.bincount(strengths, costs, minlength=1)
    of_all_from = np.cumsum(of_each[::-1])[::-1]
    affordable = np.flatnonzero(of_all_from <= budget * RENDER_BLOCK)
    return strengths >= (affordable[0] if len(affordable) else len(of_each))


def _sums(gaussians: Array, first: int, end: int, level: int, budgets: Budgets) -> Array:
    """Samples first..end-1 of a level, int32, as the sums of its tones."""
    sums = np.zeros(end - first, np.int32)
    if all(budget is None for _, budget in budgets):
        accumulate(sums, first, gaussians[gaussians[:, HELD_LEVEL] == level])
        return sums
    ahead = (8 << level) - 8
    size = RENDER_BLOCK >> level
    for block in range(((first << level) - ahead) // RENDER_BLOCK, (((end - 1) << level) - ahead) // RENDER_BLOCK + 1):
        chosen = gaussians[:, HELD_LEVEL] == level
        budget = next(budget for first_block, budget in reversed(budgets) if first_block <= block)
        if budget is not None:
            chosen &= within_budget(gaussians, block, budget)
        begin = (block * RENDER_BLOCK + ahead) >> level
        part = slice(max(0, begin - first), max(0, begin + size - first))
        accumulate(sums[part], first + part.start, gaussians[chosen])
    return sums


def rendered(
    gaussians: Array, start: int, count: int, output_shift: int, budgets: Budgets = ()
) -> npt.NDArray[np.int32]:
    """Samples start.. of all tones (HELD_FIELDS), int32, shape (count,), in quarters of an output step (SPEC 5: w_0).
    Where there is a budget, those tones of each block are left out that exceed it."""
    pieces = [(start, start + count)]
    for _ in range(1, LEVELS):
        first, end = pieces[-1]
        pieces.append(((first >> 1) - HALF_BAND_TAPS, ((end + 1) >> 1) + HALF_BAND_TAPS))
    half, shift = np.int32(1 << (11 + output_shift)), np.int32(12 + output_shift)
    below = np.zeros(0, np.int32)
    for level, (first, end) in reversed(list(enumerate(pieces))):
        here = (_sums(gaussians, first, end, level, budgets) + half) >> shift
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
