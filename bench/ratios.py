"""Equal quality: at what share of a rival's rate we reach what the rival reaches, and the Bjontegaard rate."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from scipy.interpolate import PchipInterpolator

from .curves import ClipCurve, Point, mean_at, mean_points, rate_for, rising
from .metrics import METRICS
from .results import OURS, BdRate, Cell, ClipFacts, CurvePoint, Ratio

RATES = (0.7, 1, 1.3, 1.6, 2, 2.4, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 64, 96)
"""kbit/s at which curves and ratios are given."""
LEAST_SHARE = 0.5
"""Of a group's clips that must have a value for the group to have one."""
BD_SAMPLES = 12

Curves = dict[tuple[str, str, str], dict[str, ClipCurve]]
"""Curves of clips by group, metric and codec."""


def clip_curves(clips: Iterable[ClipFacts], cells: Iterable[Cell]) -> Curves:
    """All curves that the cells make."""
    groups = {clip.name: clip.group for clip in clips}
    points: dict[tuple[str, str, str, str], dict[str, list[Point]]] = defaultdict(lambda: defaultdict(list))
    for cell in cells:
        if cell.error is not None or cell.clip not in groups:
            continue
        for metric, value in cell.metrics.items():
            if value is not None and math.isfinite(value):
                key = (groups[cell.clip], metric, cell.codec, cell.clip)
                points[key][cell.variant].append((cell.kbit_s, value))
    curves: Curves = defaultdict(dict)
    for (group, metric, codec, clip), variants in points.items():
        curves[group, metric, codec][clip] = ClipCurve(variants.values(), METRICS[metric].higher_is_better)
    return dict(curves)


def group_curves(curves: Curves) -> list[CurvePoint]:
    """Group means at RATES, over the clips that reach each rate if they are at least half of the group."""
    points = []
    for (group, metric, codec), by_clip in sorted(curves.items()):
        for rate in RATES:
            values = [value for curve in by_clip.values() if (value := curve.at(rate)) is not None]
            if values and len(values) >= LEAST_SHARE * len(by_clip):
                points.append(CurvePoint(group, metric, codec, rate, float(np.mean(values)), len(values)))
    return points


def _beside_ours(
    curves: Curves,
) -> Iterator[tuple[tuple[str, str, str], Mapping[str, ClipCurve], Mapping[str, ClipCurve], list[str]]]:
    """Group, metric and rival, the rival's curves, ours, and the clips that both have been measured on."""
    for (group, metric, codec), theirs in sorted(curves.items()):
        ours = curves.get((group, metric, OURS))
        if codec != OURS and ours:
            yield (group, metric, codec), theirs, ours, [clip for clip in theirs if clip in ours]


def all_ratios(curves: Curves) -> list[Ratio]:
    """For every group, metric, rival and rate at which enough clips have a value."""
    found = []
    for (group, metric, codec), theirs, ours, both in _beside_ours(curves):
        for rate in RATES:
            covered = [clip for clip in both if theirs[clip].at(rate) is not None]
            if covered and len(covered) >= LEAST_SHARE * len(both):
                pair = [{clip: side[clip] for clip in covered} for side in (theirs, ours)]
                found.append(_ratio(group, metric, codec, rate, pair[0], pair[1]))
    return found


def _ratio(
    group: str, metric: str, rival: str, rate: float, theirs: Mapping[str, ClipCurve], ours: Mapping[str, ClipCurve]
) -> Ratio:
    value = mean_at(theirs, rate)
    if value is None:
        raise ValueError("the rival's clips do not all reach the rate")
    points = mean_points(ours)
    better = METRICS[metric].higher_is_better
    reached = rate_for(points, value, better) if points else None
    note = ""
    if not points:
        note = "our clips have no rate in common"
    elif reached is None:
        note = f"not reached up to our {points[-1][0]:.1f} kbit/s"
    elif reached == points[0][0]:
        note, reached = f"reached at our lowest {reached:.1f} kbit/s already", None
    return Ratio(
        group=group,
        metric=metric,
        rival=rival,
        rival_kbit_s=rate,
        rival_value=value,
        ours_value=mean_at(ours, rate),
        ours_kbit_s=reached,
        ours_low_kbit_s=points[0][0] if points else None,
        ours_high_kbit_s=points[-1][0] if points else None,
        ratio=None if reached is None else reached / rate,
        clips=len(theirs),
        note=note,
    )


def all_bd_rates(curves: Curves) -> list[BdRate]:
    """For every group, metric and rival, over the clips that both have been measured on."""
    found = []
    for (group, metric, codec), theirs, ours, both in _beside_ours(curves):
        sides = [_samples({clip: side[clip] for clip in both}) for side in (ours, theirs)]
        percent = bd_rate(sides[0], sides[1], METRICS[metric].higher_is_better)
        common = common_quality(sides[0], sides[1], METRICS[metric].higher_is_better)
        note = f"over {common[0]:.2f} to {common[1]:.2f}" if common else "no quality in common"
        found.append(BdRate(group, metric, codec, percent, len(both), note))
    return found


def _samples(curves: Mapping[str, ClipCurve]) -> list[Point]:
    """A group's curve at few rates, evenly spaced in their logarithm, so that single clips make no steps."""
    points = mean_points(curves)
    if len(points) < 2:
        return points
    rates = np.geomspace(points[0][0], points[-1][0], BD_SAMPLES)
    knots, means = zip(*points, strict=True)
    values = np.interp(np.log(rates), np.log(knots), means)
    return [(float(rate), float(value)) for rate, value in zip(rates, values, strict=True)]


def bd_rate(ours: Sequence[Point], theirs: Sequence[Point], higher_is_better: bool = True) -> float | None:
    """Percent by which our rate differs from theirs at equal quality, mean of its logarithm over all qualities that
    both reach (Bjontegaard, VCEG-M33, with monotone piecewise cubics); None if they share none."""
    common = common_quality(ours, theirs, higher_is_better)
    if common is None:
        return None
    sign = 1 if higher_is_better else -1
    low, high = sorted(sign * value for value in common)
    areas = []
    for points in (ours, theirs):
        kept = rising(points, higher_is_better)
        log_rate = PchipInterpolator([sign * value for _, value in kept], [math.log(rate) for rate, _ in kept])
        areas.append(float(log_rate.integrate(low, high)))
    return 100 * (math.exp((areas[0] - areas[1]) / (high - low)) - 1)


def common_quality(
    ours: Sequence[Point], theirs: Sequence[Point], higher_is_better: bool = True
) -> tuple[float, float] | None:
    """The worst and the best value that both curves have; None if there is no span of them."""
    sides = [rising(points, higher_is_better) for points in (ours, theirs)]
    if any(len(side) < 2 for side in sides):
        return None
    worse, better = (min, max) if higher_is_better else (max, min)
    worst, best = better(side[0][1] for side in sides), worse(side[-1][1] for side in sides)
    return (worst, best) if worst != best and worse(worst, best) == worst else None
