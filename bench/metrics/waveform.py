"""SNR, SI-SDR and log-spectral distance, at the clip's own rate."""

from __future__ import annotations

import numpy as np
from scipy import signal

from audio_gs.audio_io import FloatArray

from .base import Metric, NotMeasurable

SI_SDR_FLOOR_DB = -40.0


class _OfEnergies(Metric):
    """Takes the energies of two channels together."""

    def measure_pair(self, reference: FloatArray, decoded: FloatArray, sample_rate: int) -> float:
        return self.measure(reference.ravel(), decoded.ravel(), sample_rate)


class Snr(_OfEnergies):
    """Energy of the original over that of the difference."""

    key, title, unit = "snr", "SNR", "dB"

    def measure(self, reference: FloatArray, decoded: FloatArray, sample_rate: int) -> float:
        return _decibels(reference, decoded - reference)


class SiSdr(_OfEnergies):
    """SNR after the original has been scaled to fit best (Le Roux et al., 2019)."""

    key, title, unit = "si_sdr", "SI-SDR", "dB"

    def measure(self, reference: FloatArray, decoded: FloatArray, sample_rate: int) -> float:
        fitted = float(reference @ decoded) / float(reference @ reference) * reference
        if not fitted.any():
            return SI_SDR_FLOOR_DB
        return max(_decibels(fitted, decoded - fitted), SI_SDR_FLOOR_DB)


class Lsd(Metric):
    """Root mean square over frequency, mean over time, of the difference of log spectra."""

    key, title, unit, higher_is_better = "lsd", "LSD", "dB", False
    min_seconds = 0.1

    def measure(self, reference: FloatArray, decoded: FloatArray, sample_rate: int) -> float:
        ours, theirs = _log_spectrum(reference, sample_rate), _log_spectrum(decoded, sample_rate)
        return float(np.mean(np.sqrt(np.mean((ours - theirs) ** 2, axis=0))))


def _decibels(wanted: FloatArray, error: FloatArray) -> float:
    energy, lost = float(wanted @ wanted), float(error @ error)
    if lost == 0:
        raise NotMeasurable("identical")
    return 10 * float(np.log10(energy / lost))


def _log_spectrum(audio: FloatArray, sample_rate: int) -> FloatArray:
    frame = 2 * round(0.016 * sample_rate)
    _, _, bins = signal.stft(audio, sample_rate, nperseg=frame, noverlap=frame // 2, boundary=None)
    return np.asarray(10 * np.log10(np.abs(bins) ** 2 + 1e-10))
