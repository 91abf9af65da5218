"""A perceptual distance of decoded audio from its original: the difference of their loudness over time and Bark.

It is what the encoder's own choices are measured by: fast, the same every time, and blind to phase as the noise layer
needs it. Loudness is band power to the power of 0.23 above the threshold in quiet (Zwicker), for half-Bark bands in
overlapping frames of two lengths, a short one that hears echoes and a long one that hears pitch.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_WINDOWS = (0.016, 0.04)
"""Lengths of the Hann windows in seconds; frames are half of that apart."""
_BARK_STEP = 0.5
_LOWEST_HZ, _HIGHEST_HZ = 50.0, 16000.0
_EXPONENT = 0.23
_PLAYED_AT_DB = 65.0
"""Sound pressure level at which the loud parts of a clip are taken to be played."""
_ACTIVE_DB = -40.0
"""Level of a frame under the loudest one from which it counts as a loud part."""
_FRAMES_AT_A_TIME = 4096


class _Heard(NamedTuple):
    """One resolution: how it hears, and the original as it is heard."""

    window: Floats
    bands: Floats
    """Weight of each bin's power in each band, shape (bins, bands)."""
    centre: Floats
    """Hz, of each band."""
    threshold: Floats
    """Power of each band that is just audible."""
    original: Floats
    """Loudness, shape (frames, bands)."""


class Listener:
    """Knows an original and tells how far decoded versions of it are away.

    signal       shape (n,), n at least 1; any unit, which decoded versions share
    sample_rate  Hz
    """

    def __init__(self, signal: Floats, sample_rate: int) -> None:
        self._heard = [_listen(signal, sample_rate, seconds) for seconds in _WINDOWS]

    def distance(self, decoded: Floats) -> float:
        """Relative distance of a version, shape (n,): 0 for the original itself, 1 for silence; the geometric mean of
        the two resolutions'. Of a silent original it is 0 for silence and infinite for anything else."""
        product = 1.0
        for window, bands, _, threshold, original in self._heard:
            loudness = _loudness(_band_power(decoded, window, bands), threshold)
            wanted = float(np.sum(original**2))
            missed = float(np.sum((loudness - original) ** 2))
            if wanted == 0:
                return 0.0 if missed == 0 else math.inf
            product *= math.sqrt(missed / wanted)
        return math.sqrt(product)

    def loudness_above(self, hertz: float) -> float:
        """The loudest that any frame of the original is above a frequency, by the loudest of all frames: 0 to 1."""
        highest = 0.0
        for _, _, centre, _, original in self._heard:
            whole = float(np.max(original.sum(axis=1), initial=0.0))
            above = float(np.max(original[:, centre > hertz].sum(axis=1), initial=0.0))
            highest = max(highest, above / whole if whole > 0 else 0.0)
        return highest


def _listen(signal: Floats, sample_rate: int, seconds: float) -> _Heard:
    length = 2 * max(8, round(seconds * sample_rate / 2))
    window = np.hanning(length + 1)[:-1]
    window /= math.sqrt(float(np.sum(window**2)))
    bands, centre = _bark_bands(length, sample_rate)
    power = _band_power(signal, window, bands)
    frames = power.sum(axis=1)
    active = frames >= frames.max() * 10 ** (_ACTIVE_DB / 10)
    threshold = float(frames[active].mean()) * 10 ** ((_quiet_db(centre) - _PLAYED_AT_DB) / 10)
    return _Heard(window, bands, centre, threshold, _loudness(power, threshold))


def _loudness(power: Floats, threshold: Floats) -> Floats:
    heard = (power + threshold) ** _EXPONENT - threshold**_EXPONENT
    return np.asarray(heard, np.float64)


def _band_power(signal: Floats, window: Floats, bands: Floats) -> Floats:
    """Power in each frame and band, shape (frames, bands)."""
    length = len(window)
    hop = length // 2
    frames = -(-len(signal) // hop) + 1
    padded = np.zeros((frames + 1) * hop)
    padded[hop : hop + len(signal)] = signal
    pieces = np.lib.stride_tricks.sliding_window_view(padded, length)[::hop]
    out = np.zeros((frames, bands.shape[1]))
    for start in range(0, frames, _FRAMES_AT_A_TIME):
        spectrum = np.fft.rfft(pieces[start : start + _FRAMES_AT_A_TIME] * window, axis=1)
        out[start : start + len(spectrum)] = (spectrum.real**2 + spectrum.imag**2) @ bands
    return out


def _bark_bands(length: int, sample_rate: int) -> tuple[Floats, Floats]:
    """Triangles on the Bark axis, shape (bins, bands), and their centres in Hz; each reaches to its neighbours'
    centres, and holds the nearest bin at least."""
    hertz = np.arange(length // 2 + 1) * sample_rate / length
    highest = min(_HIGHEST_HZ, sample_rate / 2)
    place = np.arange(float(_bark(_LOWEST_HZ)), float(_bark(highest)), _BARK_STEP)
    centre = 1960 * (place + 0.53) / (26.28 - place)
    bands = np.maximum(0.0, 1 - np.abs(_bark(np.maximum(hertz, 1.0))[:, None] - place) / _BARK_STEP)
    nearest = np.clip(np.rint(centre * length / sample_rate).astype(np.int64), 0, len(hertz) - 1)
    empty = bands.sum(axis=0) == 0
    bands[nearest[empty], np.flatnonzero(empty)] = 1.0
    return bands, centre


def _bark(hertz: npt.ArrayLike) -> Floats:
    """Traunmueller's formula."""
    hertz = np.asarray(hertz, np.float64)
    return 26.81 * hertz / (1960 + hertz) - 0.53


def _quiet_db(hertz: Floats) -> Floats:
    """Threshold in quiet, dB SPL (Terhardt)."""
    khz = hertz / 1000
    return 3.64 * khz**-0.8 - 6.5 * np.exp(-0.6 * (khz - 3.3) ** 2) + 1e-3 * khz**4
