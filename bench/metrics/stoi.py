"""STOI: short-time objective intelligibility."""

from __future__ import annotations

import warnings

from audio_gs.audio_io import FloatArray

from .base import Metric, NotMeasurable


class Stoi(Metric):
    """0 to 1."""

    key, title, digits = "stoi", "STOI", 3
    packages = ("pystoi",)
    classes = frozenset(("speech",))
    min_seconds = 0.5

    def measure(self, reference: FloatArray, decoded: FloatArray, sample_rate: int) -> float:
        import pystoi

        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            try:
                return float(pystoi.stoi(reference, decoded, sample_rate))
            except RuntimeWarning:
                raise NotMeasurable("too short: needs 0.4 s that are not silent") from None
