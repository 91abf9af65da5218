"""Steps 5 and 6 of SPEC.md, render and PCM: Numba, integer, one Gaussian after another."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from . import dequantise
from .tables import SHORTEST_SUPPORT, cosine, envelope

Array = npt.NDArray[Any]

HELD_SCALE, HELD_ONSET, HELD_AMPLITUDE, HELD_PHASE, HELD_INCREMENT = range(5)
HELD_FIELDS = 5

_ENVELOPE = envelope()
_COSINE = cosine()
_HALF_COSINE_STEP = 32


def held(rows: Array, mantissa: int) -> npt.NDArray[np.int64]:
    """Dequantised Gaussians ready to render, shape (n, HELD_FIELDS), from decoded rows (slots.ROW_FIELDS)."""
    scale, onset, bin_, amplitude, phase = rows.T[:5]
    return np.stack(
        [
            scale,
            onset,
            dequantise.amplitude(amplitude, scale, mantissa),
            dequantise.phase(amplitude, phase),
            dequantise.increment(bin_, scale),
        ],
        axis=1,
    ).astype(np.int64)


@njit(cache=True)
def accumulate(accumulator: Array, start: int, gaussians: Array) -> None:
    """Adds every Gaussian (HELD_FIELDS) to accumulator[0..], int32, which begins at sample `start`."""
    end = start + len(accumulator)
    for g in range(len(gaussians)):
        scale = gaussians[g, HELD_SCALE]
        onset = gaussians[g, HELD_ONSET]
        peak = gaussians[g, HELD_AMPLITUDE]
        increment = gaussians[g, HELD_INCREMENT]
        support = SHORTEST_SUPPORT << scale
        # The phase is the one at the centre; bin * support/2 samples before it is a half turn for an odd bin.
        phase = gaussians[g, HELD_PHASE] + _HALF_COSINE_STEP + ((increment * support // 2) & 0x8000)
        for n in range(max(start, onset), min(end, onset + support)):
            age = n - onset
            segment = age >> scale
            rest = age & ((1 << scale) - 1)
            left = _ENVELOPE[segment] * peak
            right = _ENVELOPE[segment + 1] * peak
            level = (left + rest * ((right - left) >> scale)) >> 15
            turn = (phase + increment * age) & 0xFFFF
            accumulator[n - start] += np.int32(level * _COSINE[turn >> 6])


def to_pcm(accumulator: Array, output_shift: int, noise: npt.NDArray[np.int64] | None = None) -> npt.NDArray[np.int16]:
    """Rounded, shifted and saturated samples, with the noise, int64 in output steps, added."""
    rounded = ((accumulator + np.int32(1 << (13 + output_shift))) >> np.int32(14 + output_shift)).astype(np.int64)
    if noise is not None:
        rounded += noise
    return np.clip(rounded, -32768, 32767).astype(np.int16)
