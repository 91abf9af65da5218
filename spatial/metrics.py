"""How near a rendering comes to what was heard: the metrics of novel-view acoustic synthesis, and of ITD and ILD.

All take clips of shape (clips, 2, samples), and give one figure for each clip.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.signal

from .bands import BANDS, bark
from .scene import LEAD, Array, Floats

FFT, HOP, WINDOW = 512, 160, 400
_ENERGY_FLOOR = 1e-5
_ITD_BELOW = 1500.0
"""Hz; above that ears hear envelopes."""
_MOST_ITD = 0.001
"""Seconds."""
_FINER = 4
_AUDIBLE_DB = 40.0
"""Bands so far below a clip's loudest count for nothing in its ILD."""
_DECAY_DB = (-5.0, -25.0)
"""Between which the slope of the decay is taken."""


@dataclasses.dataclass(frozen=True)
class Figures:
    """Means over clips; None where it cannot be said."""

    mag: float
    """Mean difference of STFT magnitudes, both ears added."""
    env: float
    """RMS difference of Hilbert envelopes, both ears added."""
    lre: float
    """dB by which the ratio of the ears' energies is off."""
    rte: float | None
    """Seconds by which the reverberation time is off."""
    itd: float
    """Microseconds, the median over clips."""
    ild: float
    """dB, a mean over bands."""

    def as_dict(self) -> dict[str, Any]:
        return {name: None if value is None else round(value, 6) for name, value in dataclasses.asdict(self).items()}


def figures(
    rendered: Floats,
    heard: Floats,
    rate: int,
    times: tuple[Array, Array] | None,
) -> Figures:
    """All metrics of renderings. `times` are RT60 as rendered and true, in seconds, where they are known."""
    return Figures(
        mag=float(magnitude_distance(rendered, heard).mean()),
        env=float(envelope_distance(rendered, heard).mean()),
        lre=float(np.abs(energy_ratio(rendered) - energy_ratio(heard)).mean()),
        rte=None if times is None else float(np.abs(times[0] - times[1]).mean()),
        itd=float(np.median(np.abs(time_difference(rendered, rate) - time_difference(heard, rate)))) * 1e6,
        ild=float(level_difference_error(rendered, heard, rate).mean()),
    )


def magnitudes(clips: npt.NDArray[np.floating]) -> Array:
    """STFT magnitudes, not normalised, shape (..., bins, frames)."""
    window = scipy.signal.get_window("hamming", WINDOW)
    transform = scipy.signal.ShortTimeFFT(window, HOP, fs=1.0, mfft=FFT)
    found: Array = np.abs(transform.stft(np.asarray(clips, float)))
    return found


def magnitude_distance(rendered: Floats, heard: Floats) -> Array:
    """MAG."""
    distances = [
        np.abs(magnitudes(a) - magnitudes(b)).mean(axis=(-1, -2)).sum() for a, b in zip(rendered, heard, strict=True)
    ]
    return np.array(distances)


def envelope_distance(rendered: Floats, heard: Floats) -> Array:
    """ENV."""
    difference = envelope(rendered) - envelope(heard)
    found: Array = np.sqrt((difference**2).mean(axis=-1)).sum(axis=-1)
    return found


def envelope(clips: Floats) -> Array:
    """The magnitude of the analytic signal."""
    found: Array = np.abs(scipy.signal.hilbert(np.asarray(clips, float), axis=-1))
    return found


def energy_ratio(clips: Floats) -> Array:
    """Left to right in dB, whose absolute difference is LRE."""
    energy = (np.asarray(clips, float) ** 2).sum(axis=-1) + _ENERGY_FLOOR
    found: Array = 10 * np.log10(energy[:, 0] / energy[:, 1])
    return found


def time_difference(clips: Floats, rate: int) -> Array:
    """By how much the right ear hears later than the left, in seconds, below 1.5 kHz."""
    low = scipy.signal.butter(4, min(_ITD_BELOW, 0.45 * rate), fs=rate, output="sos")
    filtered = scipy.signal.sosfiltfilt(low, np.asarray(clips, float), axis=-1)
    size = 1 << (2 * clips.shape[-1] - 1).bit_length()
    spectra = np.fft.rfft(filtered, size)
    correlation = np.fft.irfft(spectra[:, 1] * np.conj(spectra[:, 0]), size * _FINER)
    most = int(_MOST_ITD * rate * _FINER)
    around = np.concatenate([correlation[:, -most:], correlation[:, : most + 1]], axis=1)
    found: Array = (around.argmax(axis=1) - most) / (rate * _FINER)
    return found


def level_difference_error(rendered: Floats, heard: Floats, rate: int) -> Array:
    """Mean over audible Bark bands of how far the ILD is off, in dB."""
    truth, other = _band_levels(heard, rate), _band_levels(rendered, rate)
    loudness = truth.max(axis=1)
    audible = loudness > loudness.max(axis=-1, keepdims=True) - _AUDIBLE_DB
    errors = np.abs((other[:, 0] - other[:, 1]) - (truth[:, 0] - truth[:, 1]))
    found: Array = (errors * audible).sum(axis=-1) / audible.sum(axis=-1)
    return found


def _band_levels(clips: Floats, rate: int) -> Array:
    """dB, shape (clips, 2, bands)."""
    power = np.abs(np.fft.rfft(np.asarray(clips, float))) ** 2
    band = np.clip(np.floor(bark(np.fft.rfftfreq(clips.shape[-1], 1 / rate))), 0, BANDS - 1).astype(int)
    starts = np.searchsorted(band, np.arange(band[-1] + 1))
    found: Array = 10 * np.log10(np.add.reduceat(power, starts, axis=-1) + _ENERGY_FLOOR)
    return found


def reverberation_time(responses: npt.NDArray[np.floating], rate: int) -> Array:
    """RT60 of impulse responses of shape (responses, 2, taps), in seconds, a mean of both ears: Schroeder's integral,
    the slope between -5 and -25 dB."""
    energy = np.asarray(responses, float)[..., LEAD:] ** 2
    decay = np.cumsum(energy[..., ::-1], axis=-1)[..., ::-1]
    level = 10 * np.log10(decay / np.maximum(decay[..., :1], 1e-30) + 1e-12)
    start, end = (np.argmax(level < limit, axis=-1) for limit in _DECAY_DB)
    taken = np.maximum(end - start, 1) / rate
    found: Array = (60 / (_DECAY_DB[0] - _DECAY_DB[1]) * taken).mean(axis=-1)
    return found
