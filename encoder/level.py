"""Level compression: choosing Gaussians on a signal whose quiet parts are lifted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.signal import fftconvolve

from ..gaussians import GaussianTable, support
from ..tables import LARGEST_AMPLITUDE, phase_bits
from .pursuit import RECONSTRUCTION

Samples = npt.NDArray[np.float64]

_LEVEL_SECONDS = 0.05
_LEVEL_RANGE_DB = 50.0
"""Window of the level that is compressed, and how far below its peak it counts as silence."""


def compression_gain(signal: Samples, sample_rate: int, exponent: float) -> Samples:
    """The factor that compresses a signal's slowly varying level L to L^(1 - exponent), shape (samples,): under it
    the quiet counts for more. Scaled so that the energy of the signal stays what it is."""
    length = max(1, round(_LEVEL_SECONDS * sample_rate))
    window = np.hanning(length + 2)[1:-1]
    level = np.sqrt(np.maximum(fftconvolve(signal**2, window / window.sum(), mode="same"), 0.0))
    loudest = float(level.max(initial=0.0))
    gain = np.maximum(level, 10 ** (-_LEVEL_RANGE_DB / 20) * max(loudest, 1.0)) ** -exponent
    energy = float(np.sum(signal**2))
    return gain * np.sqrt(energy / max(float(np.sum((signal * gain) ** 2)), 1e-300))


def scaled_back(table: GaussianTable, gain: Samples) -> GaussianTable:
    """Gaussians chosen on a signal times `gain`, with the weights that they have without it."""
    table = table.copy()
    centre = np.clip(table["onset"] + support(table["scale"]) // 2, 0, len(gain) - 1)
    weight = (table["amplitude"] + RECONSTRUCTION) / gain[centre] - RECONSTRUCTION
    bits = phase_bits()
    old_bits = bits[table["amplitude"]]
    table["amplitude"] = np.clip(np.rint(weight), 1, LARGEST_AMPLITUDE)
    new_bits = bits[table["amplitude"]]
    table["phase"] = np.rint(table["phase"] * 2.0 ** (new_bits - old_bits)).astype(np.int64) % (1 << new_bits)
    return table
