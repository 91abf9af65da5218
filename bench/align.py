"""Delay of decoded audio, found by cross-correlation and taken out. Levels stay as they are."""

from __future__ import annotations

import numpy as np
from scipy import fft, signal

from audio_gs.audio_io import FloatArray

MAX_LAG_S = 0.3
_FINE = 64
_NEGLIGIBLE_SAMPLES = 0.02
_ENVELOPE_HZ = 100.0


def find_lag(reference: FloatArray, decoded: FloatArray, sample_rate: int) -> float:
    """By how many samples the decoded audio comes late, where the cross-correlation, of two channels the sum of theirs,
    is largest within `MAX_LAG_S`, in steps of 1/64; 0 for silence. Both of shape (n,) or (n, 2)."""
    reach = min(round(MAX_LAG_S * sample_rate), len(reference) - 1)
    size = fft.next_fast_len(max(len(reference), len(decoded)) + reach + 1, real=True)
    pairs = zip(np.atleast_2d(reference.T), np.atleast_2d(decoded.T), strict=True)
    spectrum = sum(np.conj(fft.rfft(wanted, size)) * fft.rfft(found, size) for wanted, found in pairs)
    correlation = fft.irfft(spectrum, size)
    lags = np.arange(-reach, reach + 1)
    whole = int(lags[np.argmax(correlation[lags])])
    if correlation[whole] <= 0:
        return 0.0
    parts = np.arange(-_FINE, _FINE + 1) / _FINE
    frequencies = fft.rfftfreq(size)
    near = np.exp(2j * np.pi * np.outer(whole + parts, frequencies)) @ spectrum
    return float(whole + parts[np.argmax(near.real)])


def find_envelope_lag(reference: FloatArray, decoded: FloatArray, sample_rate: int) -> float:
    """As `find_lag` but from the envelopes below 100 Hz and in whole samples: for codecs that keep no phases."""
    return float(round(find_lag(_envelope(reference, sample_rate), _envelope(decoded, sample_rate), sample_rate)))


def _envelope(audio: FloatArray, sample_rate: int) -> FloatArray:
    low_pass = signal.butter(2, _ENVELOPE_HZ, fs=sample_rate, output="sos")
    filtered = signal.sosfiltfilt(low_pass, np.abs(audio), axis=0)
    return np.asarray(filtered - filtered.mean())


def take_out(decoded: FloatArray, lag: float, length: int) -> FloatArray:
    """Audio moved forward by `lag` samples and cut or filled with silence to `length`.

    Moves below 1/50 of a sample change nothing that is heard or measured and are not made.
    """
    whole = round(lag)
    rest = lag - whole
    if abs(rest) >= _NEGLIGIBLE_SAMPLES:
        decoded = _move(decoded, rest)
    moved = np.zeros((length, *decoded.shape[1:]))
    start = max(0, -whole)
    piece = decoded[max(0, whole) : max(0, whole) + max(0, length - start)]
    moved[start : start + len(piece)] = piece
    return moved


def _move(audio: FloatArray, samples: float) -> FloatArray:
    """By less than a sample, by phase; silence at the end keeps what leaves one end from entering the other."""
    size = fft.next_fast_len(len(audio) + 1024, real=True)
    frequencies = fft.rfftfreq(size)
    turn = np.exp(2j * np.pi * samples * frequencies)
    channels = [fft.irfft(fft.rfft(channel, size) * turn, size)[: len(audio)] for channel in np.atleast_2d(audio.T)]
    return np.asarray(channels).T.reshape(audio.shape)
