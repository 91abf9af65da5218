"""Zimtohrli: a psychoacoustic distance as a mean opinion score."""

from __future__ import annotations

import numpy as np

from audio_gs.audio_io import FloatArray

from .base import Metric, at_rate

_RATE = 48000


class Zimtohrli(Metric):
    """Mean opinion score from 1 to 5."""

    key, title, unit = "zimtohrli", "Zimtohrli", "MOS"
    packages = ("zimtohrli",)
    min_seconds = 0.1

    def measure(self, reference: FloatArray, decoded: FloatArray, sample_rate: int) -> float:
        import zimtohrli

        pair = (at_rate(audio, sample_rate, _RATE).astype(np.float32) for audio in (reference, decoded))
        return float(zimtohrli.mos_from_signals(*pair))
