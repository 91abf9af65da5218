"""The stream's sample rate: lower than the clip's where that takes nothing away that can be heard."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import soxr

from audio_gs.audio_io import MAX_RATE
from audio_gs.errors import OptionsError

from ..perception import Listener

Samples = npt.NDArray[np.float64]

_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000)
"""What players can play."""
_HIGHEST_OF_DISCS = 44100
_PASSED = 0.45
"""Highest frequency that resampling leaves alone, by the lower rate."""
_INAUDIBLE = 0.0005
"""Share of the loudest moment's loudness that no moment may have above that frequency."""
_WORTH_IT = 0.7
"""Share of the clip's rate from which on a lower one is not worth it: another rate is work for the player."""


def kept_rate(sample_rate: int, is_asked_for: bool) -> int:
    """The clip's own rate, or for a clip above all rates of streams the highest that goes with its own: 44100 Hz for a
    multiple of that, else 48000.

    Raises OptionsError for such a clip if its rate is asked for.
    """
    if sample_rate <= MAX_RATE:
        return sample_rate
    highest = MAX_RATE if sample_rate % _HIGHEST_OF_DISCS else _HIGHEST_OF_DISCS
    if is_asked_for:
        raise OptionsError(f"no stream keeps a sample rate of {sample_rate} Hz; ask for sample rate {highest}")
    return highest


def audible_rate(signal: Samples, sample_rate: int) -> int:
    """The lowest rate that keeps all that can be heard, if it is much lower than the clip's; else the clip's."""
    listener = Listener(signal, sample_rate)
    for rate in _RATES:
        if rate <= _WORTH_IT * sample_rate and listener.loudness_above(_PASSED * rate) < _INAUDIBLE:
            return rate
    return sample_rate


def resampled(signal: Samples, sample_rate: int, wanted: int) -> Samples:
    """The signal at another rate, shape (n,) to (position_at(n, ...),)."""
    if wanted == sample_rate:
        return signal
    length = position_at(len(signal), sample_rate, wanted)
    out = np.asarray(soxr.resample(signal, sample_rate, wanted, quality="VHQ"), np.float64)[:length]
    return np.pad(out, (0, length - len(out)))


def position_at(sample: int, sample_rate: int, wanted: int) -> int:
    """The number of a sample, or a length, at another rate; nothing becomes shorter than a sample."""
    return max(1, (2 * sample * wanted + sample_rate) // (2 * sample_rate)) if sample else 0
