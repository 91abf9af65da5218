"""Ear weighting: choosing Gaussians on a signal whose quiet parts are lifted and whose high frequencies are lowered.

Low down, quiet passages count for more than their energy; high up, noise stands in well for what no tone is spent on.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.signal import fftconvolve

from audio_gs.codec.kinds.base import Table
from audio_gs.codec.kinds.tone import support
from audio_gs.codec.tables import LARGEST_AMPLITUDE, phase_bits

from .tones.pursuit import RECONSTRUCTION

Samples = npt.NDArray[np.float64]

_LEVEL_SECONDS = 0.05
_LEVEL_RANGE_DB = 50.0
"""Window of the level that is compressed, and how far below its peak it counts as silence."""
_SHELF_HZ = 2000.0
"""Middle of the octave over which the shelf falls."""
_SHELF_TAPS = 255
_SHELF_POINTS = 513


class Weighting:
    """A weighting of one clip; amplitudes go back by where each Gaussian lies."""

    def __init__(self, signal: Samples, sample_rate: int, level_exponent: float, shelf_db: float) -> None:
        self._sample_rate = sample_rate
        self._shelf_db = shelf_db
        shelved = fftconvolve(signal, self._shelf_filter(), mode="same") if shelf_db else signal
        self._gain = _compression_gain(signal, sample_rate, level_exponent)
        self.signal = shelved * self._gain

    def undone(self, table: Table) -> Table:
        """Gaussians chosen on the weighted signal, with the amplitudes that they have without it."""
        table = table.copy()
        length = support(table["scale"])
        centre = np.clip(table["onset"] + length // 2, 0, len(self._gain) - 1)
        gain = self._gain[centre] * self._shelf(table["bin"] * self._sample_rate / length)
        weight = (table["amplitude"] + RECONSTRUCTION) / gain - RECONSTRUCTION
        bits = phase_bits()
        old_bits = bits[table["amplitude"]]
        table["amplitude"] = np.clip(np.rint(weight), 1, LARGEST_AMPLITUDE)
        new_bits = bits[table["amplitude"]]
        table["phase"] = np.rint(table["phase"] * 2.0 ** (new_bits - old_bits)).astype(np.int64) % (1 << new_bits)
        return table

    def _shelf(self, hertz: npt.ArrayLike) -> Samples:
        octaves = np.log2(np.maximum(np.asarray(hertz, np.float64), 1.0) / _SHELF_HZ)
        return 10 ** (self._shelf_db / 20 * np.clip(octaves + 0.5, 0, 1))

    def _shelf_filter(self) -> Samples:
        response = self._shelf(np.linspace(0, self._sample_rate / 2, _SHELF_POINTS))
        taps = np.roll(np.fft.irfft(response), _SHELF_TAPS // 2)[:_SHELF_TAPS]
        return taps * np.hanning(_SHELF_TAPS + 2)[1:-1]


def _compression_gain(signal: Samples, sample_rate: int, exponent: float) -> Samples:
    """The factor that compresses a signal's slowly varying level L to L^(1 - exponent), shape (samples,). Scaled so
    that the energy of the signal stays what it is."""
    if exponent == 0:
        return np.ones(len(signal))
    length = max(1, round(_LEVEL_SECONDS * sample_rate))
    window = np.hanning(length + 2)[1:-1]
    level = np.sqrt(np.maximum(fftconvolve(signal**2, window / window.sum(), mode="same"), 0.0))
    loudest = float(level.max(initial=0.0))
    gain = np.maximum(level, 10 ** (-_LEVEL_RANGE_DB / 20) * max(loudest, 1.0)) ** -exponent
    energy = float(np.sum(signal**2))
    return gain * np.sqrt(energy / max(float(np.sum((signal * gain) ** 2)), 1e-300))
