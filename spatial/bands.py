"""Frequency in Bark, and curves over frequency that few knots describe."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
BANDS = 22
"""Bark bands below 11 kHz."""


def bark(hertz: npt.ArrayLike) -> Array:
    """Traunmueller 1990."""
    frequency = np.asarray(hertz, float)
    return 26.81 * frequency / (1960 + frequency) - 0.53


def hertz(barks: npt.ArrayLike) -> Array:
    """The frequency of a place on the Bark scale."""
    place = np.asarray(barks, float) + 0.53
    return 1960 * place / (26.81 - place)


def centres(knots: int = BANDS) -> Array:
    """Knots spread evenly over the bands' centres, in Bark."""
    return np.linspace(0.5, BANDS - 0.5, knots)


def from_knots(frequencies: npt.ArrayLike, knots: int = BANDS) -> Array:
    """Linear interpolation in Bark, as a matrix of shape (frequencies, knots); constant beyond the last knots."""
    places = bark(frequencies)
    return np.stack([np.interp(places, centres(knots), row) for row in np.eye(knots)], axis=1)


def minimum_phase(size: int, levels_to_log: Array) -> Array:
    """The phase, in radians, that belongs to log magnitudes, column by column: both of shape (size / 2 + 1, knots).

    A minimum-phase spectrum's phase is the Hilbert transform of its log magnitude, which is linear: so each knot has a
    phase curve of its own, and no transform is needed where levels change.
    """
    cepstrum = np.fft.irfft(levels_to_log, size, axis=0)
    cepstrum[1 : size // 2] *= 2
    cepstrum[size // 2 + 1 :] = 0
    return np.fft.rfft(cepstrum, axis=0).imag
