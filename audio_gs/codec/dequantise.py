"""Step 4 of SPEC.md, dequantise: indices to amplitudes, phases and phase steps, all integers. NumPy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .tables import HALF_SQRT2_Q16, LEVEL_INCREMENT, LEVEL_SCALE, LEVELS, SHORTEST_SUPPORT, phase_bits

Integers = npt.NDArray[np.int64]

LARGEST_PEAK = 32767
_PHASE_BITS = phase_bits()


def amplitude(index: npt.ArrayLike, scale: npt.ArrayLike, mantissa: int) -> Integers:
    """A, the peak of the envelope in 2^-E output steps, of amplitude indices q and scales k."""
    return np.minimum(LARGEST_PEAK, unclipped_amplitude(index, scale, mantissa))


def unclipped_amplitude(index: npt.ArrayLike, scale: npt.ArrayLike, mantissa: int) -> Integers:
    """What A would be if 15 bits could hold any."""
    q = np.asarray(index, np.int64)
    k = np.asarray(scale, np.int64)
    step = np.where(k & 1, (mantissa * HALF_SQRT2_Q16 + 2048) >> 12, 16 * mantissa)
    return (step * (8 * q + 3)) >> (5 + (k >> 1))


def phase(amplitude_index: npt.ArrayLike, index: npt.ArrayLike) -> Integers:
    """p, the phase at the centre, 65536 a turn."""
    bits = _PHASE_BITS[np.asarray(amplitude_index, np.int64)]
    return np.asarray(index, np.int64) << (16 - bits)


def phase_turns(amplitude_index: npt.ArrayLike, index: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The phase at the centre in turns, 0..1."""
    return phase(amplitude_index, index) / 65536.0


def increment(bin_: npt.ArrayLike, scale: npt.ArrayLike) -> Integers:
    """inc, the phase step a sample, 65536 a turn."""
    return np.asarray(bin_, np.int64) * (65536 // (SHORTEST_SUPPORT << np.asarray(scale, np.int64)))


def level(bin_: npt.ArrayLike, scale: npt.ArrayLike) -> Integers:
    """d, how often the sample rate is halved where the tone is rendered."""
    step, k = increment(bin_, scale), np.asarray(scale, np.int64)
    halvings = np.arange(1, LEVELS)[:, None]
    fits = (k >= halvings + LEVEL_SCALE) & (step << halvings <= LEVEL_INCREMENT)
    return np.sum(fits, axis=0).reshape(k.shape)
