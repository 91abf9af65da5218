"""What the codec is asked to reach, and whether it does."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence

from .curves import Point, mean_points, rate_for
from .footprint import Footprint
from .metrics import METRICS
from .ratios import Curves
from .report.summary import ClassFigures, deviation, number, our_cells
from .results import OURS, Cell, ClipFacts, SpeedRow, TargetRow

REACHED, MISSED, NOT_MEASURED = VERDICTS = ("reached", "missed", "not measured")
KIBIBYTE = 1024
REFERENCE_CLASS, REFERENCE_KBIT_S = "speech", 6.0
SNR_DB = {
    ("speech", 3.0): (13.0, 15.0),
    ("speech", 6.0): (17.0, 19.0),
    ("speech", 12.0): (21.5, 24.0),
    ("music", 6.0): (21.0, 24.0),
    ("music", 12.0): (25.0, 28.0),
}
"""Must and goal of the mean over the class, by class and kbit/s."""
RATE_DEVIATION = 3.0
"""Percent, in clips of at least `RATE_SECONDS`."""
RATE_SECONDS = 2.0
RATE_KBIT_S = (3.0, 12.0)
"""Nominal rates between which the deviation counts."""
DECODE_SPEED = (300.0, 1000.0)
ENCODE_SPEED = (1.0, 4.0)
MACS_MEAN = (150.0, 50.0)
MACS_PEAK = 300.0
DECODER_BYTES = (6.0 * KIBIBYTE, 3.0 * KIBIBYTE)
IMAGE_BYTES = (14.0 * KIBIBYTE, 8.0 * KIBIBYTE)


@dataclasses.dataclass(frozen=True)
class QualityTarget:
    """What a rival reaches at its rate, and the rate at which we must and want to reach it, by all metrics."""

    group: str
    rival: str
    values: dict[str, float]
    """By metric."""
    must_kbit_s: float
    goal_kbit_s: float


def _rows(
    group: str, rival: str, metrics: Sequence[str], rates: Mapping[float, tuple[tuple[float, ...], float, float]]
) -> tuple[QualityTarget, ...]:
    return tuple(
        QualityTarget(group, f"{rival} {rate:g} kbit/s", dict(zip(metrics, values, strict=True)), must, goal)
        for rate, (values, must, goal) in rates.items()
    )


_WIDE_SPEECH = ("pesq_wb", "zimtohrli", "visqol_speech")
_SOUND = ("zimtohrli", "visqol")
QUALITY = (
    *_rows("speech-wb", "AMR-WB", _WIDE_SPEECH, {8: ((2.64, 3.46, 3.10), 5, 3.5)}),
    *_rows("speech-wb", "Opus", _WIDE_SPEECH, {8: ((3.08, 2.63, 2.95), 6.5, 4), 12: ((3.79, 4.19, 3.59), 12, 6)}),
    *_rows("speech-8k", "AMR-NB", ("pesq_nb",), {5: ((3.17,), 4.5, 2.8), 8: ((3.72,), 7.5, 5)}),
    *_rows("speech-wb", "Codec2", ("pesq_wb", "zimtohrli"), {3.2: ((1.38, 1.70), 1.2, 0.8)}),
    *_rows(
        "music",
        "Opus",
        _SOUND,
        {8: ((2.68, 3.00), 3, 2), 12: ((3.83, 3.70), 8, 5), 16: ((4.32, 4.17), 14, 8), 24: ((4.59, 4.46), 24, 12)},
    ),
    *_rows(
        "sfx",
        "Opus",
        _SOUND,
        {8: ((2.80, 2.90), 4, 3), 12: ((3.79, 3.71), 10, 6), 16: ((4.18, 4.31), 15, 8), 24: ((4.50, 4.38), 24, 12)},
    ),
)


@dataclasses.dataclass(frozen=True)
class _Reach:
    """Where our curve of one metric reaches a value."""

    kbit_s: float | None
    """None if it does not up to `high`."""
    at_lowest: bool
    """It is reached at the lowest measured rate already."""
    high: float
    clips: int


def judge_quality(curves: Curves, targets: Sequence[QualityTarget] = QUALITY) -> list[TargetRow]:
    """For each target the rate at which all its metrics are reached."""
    return [_judge_one(curves, target) for target in targets]


def _judge_one(curves: Curves, target: QualityTarget) -> TargetRow:
    reaches: dict[str, _Reach | None] = {}
    for metric, value in target.values.items():
        by_clip = curves.get((target.group, metric, OURS), {})
        reaches[metric] = _reach(mean_points(by_clip), metric, value, len(by_clip))
    wanted = ", ".join(f"{METRICS[metric].title} {value:.2f}" for metric, value in target.values.items())
    return TargetRow(
        name=f"{target.group}: {target.rival} ({wanted})",
        must=f"{target.must_kbit_s:g} kbit/s",
        goal=f"{target.goal_kbit_s:g} kbit/s",
        measured=_describe(reaches),
        verdict=_verdict(reaches, target.must_kbit_s),
        goal_verdict=_verdict(reaches, target.goal_kbit_s),
        note=", ".join(f"{METRICS[metric].title} on {reach.clips} clips" for metric, reach in reaches.items() if reach),
    )


def _reach(points: Sequence[Point], metric: str, value: float, clips: int) -> _Reach | None:
    if not points:
        return None
    rate = rate_for(points, value, METRICS[metric].higher_is_better)
    return _Reach(rate, rate == points[0][0], points[-1][0], clips)


def _describe(reaches: Mapping[str, _Reach | None]) -> str:
    known = [reach for reach in reaches.values() if reach]
    if not known:
        return "-"
    rates = [reach.kbit_s for reach in known if reach.kbit_s is not None]
    whole = len(rates) == len(reaches)
    slowest = max(known, key=lambda reach: reach.kbit_s or math.inf)
    total = f"{_at(slowest)} kbit/s" if whole else "-"
    if len(reaches) == 1 and whole:
        return total
    parts = (f"{METRICS[metric].title} {_at(reach) if reach else '-'}" for metric, reach in reaches.items())
    return f"{total} ({', '.join(parts)})"


def _at(reach: _Reach) -> str:
    if reach.kbit_s is None:
        return f"> {reach.high:.1f}"
    return f"{'<= ' if reach.at_lowest else ''}{reach.kbit_s:.2f}"


def _verdict(reaches: Mapping[str, _Reach | None], limit_kbit_s: float) -> str:
    """A curve says nothing about rates outside its range, unless it is good enough on the kind side of them."""
    outcomes = []
    for reach in reaches.values():
        if reach is None:
            outcomes.append(NOT_MEASURED)
        elif reach.kbit_s is not None and reach.kbit_s <= limit_kbit_s:
            outcomes.append(REACHED)
        elif (reach.at_lowest and reach.kbit_s is not None) or (reach.kbit_s is None and reach.high < limit_kbit_s):
            outcomes.append(NOT_MEASURED)
        else:
            outcomes.append(MISSED)
    for outcome in (MISSED, NOT_MEASURED):
        if outcome in outcomes:
            return outcome
    return REACHED


@dataclasses.dataclass(frozen=True)
class Limit:
    """A figure beside what is asked for."""

    what: str
    measured: float | None
    """None if this run did not measure it."""
    must: float
    goal: float | None
    unit: str
    at_least: bool
    """Whether more is better."""

    def row(self) -> TargetRow:
        sign = ">=" if self.at_least else "<="
        return TargetRow(
            name=self.what,
            must=f"{sign} {self.must:g} {self.unit}".strip(),
            goal="-" if self.goal is None else f"{sign} {self.goal:g} {self.unit}".strip(),
            measured="-" if self.measured is None else f"{self.measured:.2f} {self.unit}".strip(),
            verdict=self._verdict(self.must),
            goal_verdict=self._verdict(self.must if self.goal is None else self.goal),
            note="",
        )

    def _verdict(self, limit: float) -> str:
        if self.measured is None or math.isnan(self.measured):
            return NOT_MEASURED
        return REACHED if (self.measured >= limit if self.at_least else self.measured <= limit) else MISSED


def judge_figures(
    cells: Sequence[Cell], clips: Mapping[str, ClipFacts], classes: Sequence[ClassFigures]
) -> list[TargetRow]:
    """Targets of waveform, rate, exactness, cost and memory."""
    ours = our_cells(cells)
    by_key = {(one.clip_class, one.nominal_kbit_s): one for one in classes}
    limits = []
    for (clip_class, kbit_s), (must, goal) in SNR_DB.items():
        found = by_key.get((clip_class, kbit_s))
        what = f"mean SNR, {clip_class} at {kbit_s:g} kbit/s"
        limits.append(Limit(what, found.snr_db if found else None, must, goal, "dB", True))
    low, high = RATE_KBIT_S
    counted = [cell for cell in ours if low <= cell.nominal_kbit_s <= high]
    misses = [100 * abs(deviation(cell)) for cell in counted if clips[cell.clip].seconds >= RATE_SECONDS]
    what = f"largest deviation of the rate, {low:g} to {high:g} kbit/s, clips of {RATE_SECONDS:g} s and more"
    limits.append(Limit(what, max(misses, default=None), RATE_DEVIATION, None, "%", False))
    exact = 100 * sum(cell.details.get("bit_exact") is True for cell in ours) / len(ours) if ours else None
    limits.append(Limit("streams bit-exact in C and Numba", exact, 100.0, None, "%", True))
    reference = by_key.get((REFERENCE_CLASS, REFERENCE_KBIT_S))
    what = f"mean MACs/sample, speech at {REFERENCE_KBIT_S:g} kbit/s"
    limits.append(Limit(what, reference.macs_mean if reference else None, *MACS_MEAN, "", False))
    peak = max((number(cell, "macs_peak") for cell in ours), default=None)
    limits.append(Limit("peak MACs/sample, all streams", peak, MACS_PEAK, None, "", False))
    speech = [cell for cell in ours if clips[cell.clip].clip_class == REFERENCE_CLASS]
    memory = max((number(cell, "decoder_bytes") for cell in speech), default=None)
    limits.append(Limit("decoder memory, largest of all speech", memory, *DECODER_BYTES, "bytes", False))
    return [limit.row() for limit in limits]


def judge_speed(row: SpeedRow) -> list[TargetRow]:
    """Targets of speed, which are set for 16 kHz speech at 6 kbit/s on 2 cores."""
    what = f"speech at {REFERENCE_KBIT_S:g} kbit/s on this machine"
    return [
        Limit(f"decode in C, {what}", row.decode_x_real_time, *DECODE_SPEED, "x real time", True).row(),
        Limit(f"encode, {what}", row.encode_x_real_time, *ENCODE_SPEED, "x real time", True).row(),
    ]


def judge_footprint(footprint: Footprint) -> list[TargetRow]:
    """Targets of size."""
    what = "decoder code and tables, Cortex-M0+ -Os"
    return [Limit(what, float(footprint.total), *IMAGE_BYTES, "bytes", False).row()]


def missed(rows: Sequence[TargetRow], classes: Collection[str]) -> list[TargetRow]:
    """Rows whose must is not shown to be reached, of those that speak of a class that was asked for."""
    return [row for row in rows if row.verdict != REACHED and _speaks_of(row, classes)]


def _speaks_of(row: TargetRow, classes: Collection[str]) -> bool:
    named = {name for name in ("speech", "music", "sfx") if name in row.name}
    return not named or bool(named & set(classes))
