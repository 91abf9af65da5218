"""Quality over rate: of a clip, from its measured cells, and of a group, as the mean of its clips."""

from __future__ import annotations

import bisect
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np

Point = tuple[float, float]
"""True rate in kbit/s and value."""


class ClipCurve:
    """Values of one clip between the rates at which it was measured, straight over the rate's logarithm in
    between, nothing outside.

    A codec may have been measured in several variants; the best one counts at every rate.
    """

    def __init__(self, variants: Iterable[Sequence[Point]], higher_is_better: bool = True) -> None:
        self._best = max if higher_is_better else min
        self._variants = [self._clean(points) for points in variants if points]
        if not self._variants:
            raise ValueError("a curve needs a measured point")
        self.rates = sorted({rate for points in self._variants for rate, _ in points})

    @property
    def low(self) -> float:
        """kbit/s."""
        return self.rates[0]

    @property
    def high(self) -> float:
        """kbit/s."""
        return self.rates[-1]

    def at(self, kbit_s: float) -> float | None:
        """None at a rate that lies in the measured range of no variant."""
        found = [value for points in self._variants if (value := _interpolate(points, kbit_s)) is not None]
        return self._best(found) if found else None

    def _clean(self, points: Sequence[Point]) -> list[Point]:
        by_rate: dict[float, list[float]] = defaultdict(list)
        for rate, value in points:
            by_rate[rate].append(value)
        return [(rate, self._best(by_rate[rate])) for rate in sorted(by_rate)]


def _interpolate(points: Sequence[Point], kbit_s: float) -> float | None:
    rates = [rate for rate, _ in points]
    if not rates[0] <= kbit_s <= rates[-1]:
        return None
    index = bisect.bisect_left(rates, kbit_s)
    if rates[index] == kbit_s:
        return points[index][1]
    (left, below), (right, above) = points[index - 1 : index + 1]
    return below + (above - below) * math.log(kbit_s / left) / math.log(right / left)


def mean_at(curves: Mapping[str, ClipCurve], kbit_s: float) -> float | None:
    """Mean over all clips; None unless every one of them was measured on both sides of the rate."""
    values = [curve.at(kbit_s) for curve in curves.values()]
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None


def mean_points(curves: Mapping[str, ClipCurve]) -> list[Point]:
    """The group's curve: means at every rate at which one of the clips was measured and all have a value."""
    if not curves:
        return []
    low, high = max(curve.low for curve in curves.values()), min(curve.high for curve in curves.values())
    rates = {rate for curve in curves.values() for rate in curve.rates if low <= rate <= high}
    if low <= high:
        rates.update((low, high))
    points = ((rate, mean_at(curves, rate)) for rate in sorted(rates))
    return [(rate, value) for rate, value in points if value is not None]


def rate_for(points: Sequence[Point], value: float, higher_is_better: bool = True) -> float | None:
    """The rate from which on a group's curve is never worse than a value; None if there is none in its range.

    The lowest rate of the curve comes back if the curve is good enough there already.
    """
    sign = 1 if higher_is_better else -1
    good = [sign * found >= sign * value for _, found in points]
    if not good or not good[-1]:
        return None
    last_bad = max((index for index, reached in enumerate(good) if not reached), default=None)
    if last_bad is None:
        return points[0][0]
    (left, below), (right, above) = points[last_bad], points[last_bad + 1]
    return float(left * (right / left) ** ((value - below) / (above - below)))


def rising(points: Sequence[Point], higher_is_better: bool = True) -> list[Point]:
    """The points that are better than all at lower rates."""
    sign = 1 if higher_is_better else -1
    kept = list(points[:1])
    for _, point in pairwise(points):
        if sign * point[1] > sign * kept[-1][1]:
            kept.append(point)
    return kept
