"""The stereo image: level difference, phase difference and coherence between left and right, band by band.

Bands of one Bark, frames of 32 ms; what two channels have in common is averaged over three frames. Cells count by the
fourth root of their energy, about as loud as they are, down to 50 dB under the loudest one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from audio_gs.audio_io import FloatArray

from .base import Metric, NotMeasurable

_FRAME_S, _HOP_S = 0.032, 0.01
_FRAMES_AVERAGED = 3
_LOWEST_HZ, _HIGHEST_HZ = 50.0, 15500.0
_RANGE_DB = 50.0
_LARGEST_DIFFERENCE_DB = 20.0
"""Beyond which one channel is heard alone."""
_PHASE_BELOW_HZ = 1500.0
"""Up to where the ear takes notice of phases between channels."""
_COMMON = 0.6
"""Coherence from which on a phase difference is heard as a place."""
_NOTHING = 1e-20


class _Image(NamedTuple):
    """Of a clip, each of shape (frames, bands)."""

    left: FloatArray
    right: FloatArray
    """Energies."""
    common: npt.NDArray[np.complex128]
    """Cross-spectrum."""

    @property
    def coherence(self) -> FloatArray:
        return np.abs(self.common) / np.sqrt(self.left * self.right + _NOTHING)

    @property
    def level_difference(self) -> FloatArray:
        """In dB."""
        ratio = 10 * np.log10((self.left + _NOTHING) / (self.right + _NOTHING))
        return np.clip(ratio, -_LARGEST_DIFFERENCE_DB, _LARGEST_DIFFERENCE_DB)


class _OfImage(Metric):
    """Compares the images of two clips of shape (n, 2)."""

    stereo = True
    higher_is_better = False
    min_seconds = 0.1

    def measure(self, reference: FloatArray, decoded: FloatArray, sample_rate: int) -> float:
        frequencies, bands = _bands(sample_rate)
        wanted, found = (_image(pair, sample_rate, bands) for pair in (reference, decoded))
        energy = wanted.left + wanted.right
        counts = (energy > energy.max() * 10 ** (-_RANGE_DB / 10)) & self.heard(wanted, frequencies)
        if not counts.any():
            raise NotMeasurable("nothing in common to be placed")
        return float(np.average(self.difference(wanted, found)[counts], weights=energy[counts] ** 0.25))

    def heard(self, wanted: _Image, frequencies: FloatArray) -> npt.NDArray[np.bool_]:
        """Marks the cells that count beside loud ones, from an image and the bands' centres in Hz."""
        return np.ones(wanted.left.shape, np.bool_)

    def difference(self, wanted: _Image, found: _Image) -> FloatArray:
        """Of two images in each cell."""
        raise NotImplementedError


class LevelDifference(_OfImage):
    """Mean error of the level difference between left and right."""

    key, title, unit = "ild", "Level difference", "dB"

    def difference(self, wanted: _Image, found: _Image) -> FloatArray:
        return np.abs(wanted.level_difference - found.level_difference)


class PhaseDifference(_OfImage):
    """Mean error of the phase difference below 1.5 kHz, where the original's channels have something in common."""

    key, title, unit, digits = "ipd", "Phase difference", "degrees", 1

    def heard(self, wanted: _Image, frequencies: FloatArray) -> npt.NDArray[np.bool_]:
        return (wanted.coherence > _COMMON) & (frequencies < _PHASE_BELOW_HZ)

    def difference(self, wanted: _Image, found: _Image) -> FloatArray:
        return np.degrees(np.abs(np.angle(wanted.common * np.conj(found.common))))


class Coherence(_OfImage):
    """Mean error of the coherence of left and right, 0 to 1."""

    key, title, digits = "coherence", "Coherence", 3

    def difference(self, wanted: _Image, found: _Image) -> FloatArray:
        return np.abs(wanted.coherence - found.coherence)


def _image(pair: FloatArray, sample_rate: int, bands: FloatArray) -> _Image:
    frame, hop = _frame(sample_rate), round(_HOP_S * sample_rate)
    window = np.hanning(frame + 1)[:-1]
    left, right = (
        np.fft.rfft(np.lib.stride_tricks.sliding_window_view(channel, frame)[::hop] * window, axis=1)
        for channel in pair.T
    )
    common = (left * np.conj(right)) @ bands
    parts = (np.abs(left) ** 2 @ bands, np.abs(right) ** 2 @ bands, common.real, common.imag)
    powers = [ndimage.uniform_filter1d(part, _FRAMES_AVERAGED, axis=0, mode="nearest") for part in parts]
    return _Image(powers[0], powers[1], powers[2] + 1j * powers[3])


def _frame(sample_rate: int) -> int:
    return 2 * round(_FRAME_S * sample_rate / 2)


def _bands(sample_rate: int) -> tuple[FloatArray, FloatArray]:
    """Centres in Hz, shape (bands,), and which bins are in which band, shape (bins, bands); without bands between two
    bins."""
    hertz = np.fft.rfftfreq(_frame(sample_rate), 1 / sample_rate)
    # Traunmueller's formula.
    number = np.floor(26.81 * hertz / (1960 + hertz) - 0.53).astype(np.int64)
    inside = (hertz >= _LOWEST_HZ) & (hertz <= _HIGHEST_HZ)
    numbers = np.unique(number[inside])
    bands = ((number[:, None] == numbers) & inside[:, None]).astype(np.float64)
    return (hertz @ bands) / bands.sum(axis=0), bands
