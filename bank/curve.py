"""A clip's quality over bytes, between and beyond what was encoded: straight in the logarithm of the bytes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from audio_gs.encoder.control.quality import HIGHEST_QUALITY

from .encodings import Encoding

_GENTLEST, _USUAL, _STEEPEST = 0.5, 2.0, 6.0
"""Qualities that twice the bytes bring: what is believed beyond the ends, and what is taken for a single point."""
_EXACT = 1e-6


def worthwhile(encodings: Sequence[Encoding]) -> list[Encoding]:
    """Those that no other of fewer bytes equals, from the smallest to the largest: quality rises with bytes."""
    kept: list[Encoding] = []
    for one in sorted(encodings, key=lambda one: (one.bytes, -one.quality, one.key)):
        if not kept or one.quality > kept[-1].quality:
            kept.append(one)
    return kept


@dataclasses.dataclass(frozen=True)
class Curve:
    """A clip's quality over bytes."""

    points: tuple[Encoding, ...]
    """As `worthwhile` gives them, at least one."""
    knots: tuple[tuple[float, float], ...]
    """Logarithms of bytes, and qualities, both rising: the best so far at each encoding, so that the curve keeps to the
    right of those that bytes were wasted on."""
    highest: float
    """Quality that no more bytes get the clip above."""

    @classmethod
    def through(cls, encodings: Sequence[Encoding]) -> Curve:
        """The curve of one clip's encodings."""
        knots: list[tuple[float, float]] = []
        for one in sorted(encodings, key=lambda one: (one.bytes, -one.quality)):
            if not knots or math.log(one.bytes) > knots[-1][0]:
                best = knots[-1][1] + _EXACT if knots else 0.0
                knots.append((math.log(one.bytes), max(best, one.quality)))
        points = tuple(worthwhile(encodings))
        full = any(one.is_full for one in encodings)
        return cls(points, tuple(knots), points[-1].quality if full else HIGHEST_QUALITY)

    def bytes_for(self, quality: float) -> float:
        """Bytes for a quality, or for the highest that there is."""
        return math.exp(self._line(min(quality, self.highest)))

    def _line(self, quality: float) -> float:
        """The logarithm of the bytes for a quality."""
        sizes, qualities = map(np.array, zip(*self.knots, strict=True))
        if qualities[0] <= quality <= qualities[-1]:
            return float(np.interp(quality, qualities, sizes))
        at = 0 if quality < qualities[0] else -1
        slope = _USUAL / math.log(2)
        if len(sizes) > 1:
            # Over the outermost half of the points: two that lie close together point anywhere.
            inner = len(sizes) // 2 - 1 if at else (len(sizes) + 1) // 2
            rise = (qualities[at] - qualities[inner]) / (sizes[at] - sizes[inner])
            slope = min(_STEEPEST / math.log(2), max(_GENTLEST / math.log(2), rise))
        return float(sizes[at] + (quality - qualities[at]) / slope)
