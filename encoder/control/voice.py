"""Whether a sound may be a voice, by three of the features that tell speech from music (Scheirer and Slaney, 1997)."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import soxr

from ..problem import Samples

Floats = npt.NDArray[np.float64]

_HOP_S = 0.008
_BAND_EDGES_HZ = (0.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0)
_LOUDNESS = 0.25
"""Exponent of power."""
_FAST_HZ, _SLOWEST_HZ, _FASTEST_HZ = 12.0, 0.5, 50.0
"""Modulation of loudness above the rate of syllables, and all that counts."""
_MOST_FAST = 0.12
"""Share of modulation that is fast: 0.09 at most in 15 voices, 0.16 to 0.73 in drums and noises."""
_LEAST_SOFT = 0.15
"""Share of frames with less than half of the mean amplitude, that is pauses: 0.19 at least in voices."""
_LEAST_VOICED = 0.5
"""Share of what is not silent that has a pitch: 0.57 at least in voices."""

_PITCH_RATE, _PITCH_FRAME, _PITCH_HOP = 8000, 400, 80
_PITCHES_HZ = (70, 400)
_PERIODIC = 0.6
"""Autocorrelation at the period, over that of the window (Boersma, 1993)."""
_SILENT = 0.02
"""Of the mean energy of frames."""


def may_be_voice(signal: Samples, sample_rate: int) -> bool:
    """Whether an excerpt, output steps, shape (n,), has the pauses, the rhythm and the pitch of a voice."""
    hop = round(_HOP_S * sample_rate)
    if len(signal) < 2 * hop or not np.any(signal):
        return False
    power = _power_by_band(signal, sample_rate, hop)
    amplitude = np.sqrt(power.sum(axis=1))
    soft = float(np.mean(amplitude < 0.5 * amplitude.mean()))
    return (
        soft > _LEAST_SOFT
        and _fast_share(power**_LOUDNESS) < _MOST_FAST
        and _voiced(signal, sample_rate) > _LEAST_VOICED
    )


def _power_by_band(signal: Samples, sample_rate: int, hop: int) -> Floats:
    """Shape (frames, bands)."""
    frames = np.lib.stride_tricks.sliding_window_view(signal, 2 * hop)[::hop] * np.hanning(2 * hop)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    edges = np.searchsorted(np.fft.rfftfreq(2 * hop, 1 / sample_rate), _BAND_EDGES_HZ)
    return np.stack([power[:, low:high].sum(axis=1) for low, high in itertools.pairwise(edges)], axis=1)


def _fast_share(loudness: Floats) -> float:
    """Of the modulation of the bands, that above the rate of syllables."""
    varying = (loudness - loudness.mean(axis=0)) * np.hanning(len(loudness))[:, None]
    modulation = (np.abs(np.fft.rfft(varying, axis=0)) ** 2).sum(axis=1)
    rates = np.fft.rfftfreq(len(loudness), _HOP_S)
    every = modulation[(rates >= _SLOWEST_HZ) & (rates < _FASTEST_HZ)].sum()
    return float(modulation[(rates >= _FAST_HZ) & (rates < _FASTEST_HZ)].sum() / every) if every > 0 else 1.0


def _voiced(signal: Samples, sample_rate: int) -> float:
    """Share of the frames that are not silent in which a period of a voice's pitch stands out."""
    narrow = soxr.resample(signal, sample_rate, _PITCH_RATE)
    padded = np.pad(narrow, (0, _PITCH_FRAME))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _PITCH_FRAME)[: len(narrow) : _PITCH_HOP]
    window = np.hanning(_PITCH_FRAME)
    size = 1 << (2 * _PITCH_FRAME - 1).bit_length()
    lags = np.arange(_PITCH_RATE // _PITCHES_HZ[1], _PITCH_RATE // _PITCHES_HZ[0] + 1)
    of_window = np.fft.irfft(np.abs(np.fft.rfft(window, size)) ** 2)
    correlation = np.fft.irfft(np.abs(np.fft.rfft(frames * window, size, axis=1)) ** 2, axis=1)
    energy = correlation[:, :1]
    periodic = correlation[:, lags] / np.maximum(energy, 1e-6) / (of_window[lags] / of_window[0])
    best = periodic.argmax(axis=1)
    heard = (frames**2).sum(axis=1)
    heard_at_all = heard > _SILENT * heard.mean()
    # A period at an end of the range is one that lies beyond it.
    has_pitch = (periodic.max(axis=1) > _PERIODIC) & (best > 0) & (best < len(lags) - 1)
    return float((has_pitch & heard_at_all).sum() / max(1, heard_at_all.sum()))
