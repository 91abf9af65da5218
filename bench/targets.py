"""Targets, from a file, and whether a run reaches them."""

from __future__ import annotations

import dataclasses
import importlib.resources
import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from audio_gs.errors import AudioGsError

from .clips import GROUPS, NARROW_SPEECH, SPEECH, WIDE_SPEECH
from .curves import Point, mean_points, rate_for
from .footprint import Footprint
from .metrics import METRICS
from .ratios import Curves
from .report.summary import deviation, mean, number, our_cells
from .results import OURS, Cell, ClipFacts, SpeedRow, TargetRow

REACHED, MISSED, NOT_MEASURED = VERDICTS = ("reached", "missed", "not measured")
REFERENCE_KBIT_S = 6.0
RATE_SECONDS = 2.0
"""Shorter clips have too few bytes to meet a rate."""
RATE_KBIT_S = (3.0, 12.0)
"""Nominal rates between which the deviation counts."""


class TargetsError(AudioGsError):
    """A file that holds no targets; the text says what is wrong with it."""


@dataclasses.dataclass(frozen=True)
class Target:
    """Limits that are asked for; of a figure or of a rate in kbit/s."""

    must: float
    goal: float | None = None


@dataclasses.dataclass(frozen=True)
class QualityTarget:
    """What a rival reaches at its rate, and the rate at which ours is to reach it, by all metrics."""

    group: str
    rival: str
    values: dict[str, float]
    """By metric."""
    target: Target


@dataclasses.dataclass(frozen=True)
class Figure:
    """What is measured for a target."""

    title: str
    unit: str = ""
    at_least: bool = False
    """Whether more is better."""
    clip_class: str | None = None
    """The class that it speaks of; None for all."""


FIGURES = {
    "rate_deviation_percent": Figure(
        f"largest deviation of the rate, {RATE_KBIT_S[0]:g} to {RATE_KBIT_S[1]:g} kbit/s, "
        f"clips of {RATE_SECONDS:g} s and more",
        "%",
    ),
    "bit_exact_percent": Figure("streams bit-exact in C and Numba", "%", at_least=True),
    "speech_macs_mean": Figure(f"mean MACs/sample, speech at {REFERENCE_KBIT_S:g} kbit/s", clip_class=SPEECH),
    "macs_peak": Figure("peak MACs/sample, all streams"),
    "speech_decoder_bytes": Figure("decoder memory, largest of all speech", "bytes", clip_class=SPEECH),
    "decode_x_real_time": Figure(
        f"decode in C, speech at {REFERENCE_KBIT_S:g} kbit/s on this machine", "x real time", True, SPEECH
    ),
    "encode_x_real_time": Figure(
        f"encode, speech at {REFERENCE_KBIT_S:g} kbit/s on this machine", "x real time", True, SPEECH
    ),
    "rom_bytes": Figure("decoder code and tables, Cortex-M0+ -Os", "bytes"),
}


@dataclasses.dataclass(frozen=True)
class Targets:
    """All targets of a file."""

    quality: tuple[QualityTarget, ...]
    figures: dict[str, Target]
    """By a name of FIGURES."""


def read_targets(path: Path | None = None) -> Targets:
    """The targets of a file like targets.yaml, or those of targets.yaml. Raises TargetsError."""
    name = str(path or "targets.yaml")
    try:
        text = path.read_text(encoding="utf-8") if path else _own_text()
        content = yaml.safe_load(text)
        quality = tuple(_quality_target(dict(row)) for row in content.get("quality", ()))
        figures = {figure: Target(**limits) for figure, limits in content.get("figures", {}).items()}
    except (UnicodeDecodeError, yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise TargetsError(f"{name} is no file of targets ({reason}); bench/targets.yaml shows the form") from None
    known = {"figure": FIGURES, "group": GROUPS, "metric": METRICS}
    named = {
        "figure": figures,
        "group": [one.group for one in quality],
        "metric": [metric for one in quality for metric in one.values],
    }
    for what, names in named.items():
        for unknown in (one for one in names if one not in known[what]):
            raise TargetsError(f"{name}: {unknown!r} is no {what}; known are {', '.join(known[what])}")
    return Targets(quality, figures)


def _own_text() -> str:
    return importlib.resources.files(__package__).joinpath("targets.yaml").read_text(encoding="utf-8")


def _quality_target(row: dict[str, Any]) -> QualityTarget:
    group, rival, values = row.pop("group"), row.pop("rival"), dict(row.pop("values"))
    return QualityTarget(group, rival, values, Target(**row))


@dataclasses.dataclass(frozen=True)
class _Reach:
    """Where our curve of one metric reaches a value."""

    kbit_s: float | None
    """None if it does not up to `high`."""
    at_lowest: bool
    """It is reached at the lowest measured rate already."""
    high: float
    clips: int


def judge_quality(curves: Curves, targets: Sequence[QualityTarget]) -> list[TargetRow]:
    """For each target the rate at which all its metrics are reached."""
    return [_judge_one(curves, target) for target in targets]


def _judge_one(curves: Curves, target: QualityTarget) -> TargetRow:
    reaches: dict[str, _Reach | None] = {}
    for metric, value in target.values.items():
        by_clip = curves.get((target.group, metric, OURS), {})
        reaches[metric] = _reach(mean_points(by_clip), metric, value, len(by_clip))
    wanted = ", ".join(f"{METRICS[metric].title} {value:.2f}" for metric, value in target.values.items())
    must, goal = target.target.must, target.target.goal
    return TargetRow(
        name=f"{target.group}: {target.rival} ({wanted})",
        clip_class=SPEECH if target.group in (WIDE_SPEECH, NARROW_SPEECH) else target.group,
        must=f"{must:g} kbit/s",
        goal="-" if goal is None else f"{goal:g} kbit/s",
        measured=_describe(reaches),
        verdict=_verdict(reaches, must),
        goal_verdict=_verdict(reaches, must if goal is None else goal),
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


def judge_figures(measured: Mapping[str, float | None], targets: Mapping[str, Target]) -> list[TargetRow]:
    """For each target the figure of its name, None where this run did not measure it."""
    return [_judge_figure(FIGURES[name], target, measured.get(name)) for name, target in targets.items()]


def _judge_figure(figure: Figure, target: Target, measured: float | None) -> TargetRow:
    sign = ">=" if figure.at_least else "<="

    def verdict(limit: float) -> str:
        if measured is None or math.isnan(measured):
            return NOT_MEASURED
        return REACHED if (measured >= limit if figure.at_least else measured <= limit) else MISSED

    return TargetRow(
        name=figure.title,
        clip_class=figure.clip_class,
        must=f"{sign} {target.must:g} {figure.unit}".strip(),
        goal="-" if target.goal is None else f"{sign} {target.goal:g} {figure.unit}".strip(),
        measured="-" if measured is None else f"{measured:.2f} {figure.unit}".strip(),
        verdict=verdict(target.must),
        goal_verdict=verdict(target.must if target.goal is None else target.goal),
        note="",
    )


def measured_figures(
    cells: Sequence[Cell],
    clips: Mapping[str, ClipFacts],
    speed: Sequence[SpeedRow],
    footprint: Footprint | None,
) -> dict[str, float | None]:
    """What a run measured of FIGURES; None, or no entry, for what it did not."""
    ours = our_cells(cells)
    low, high = RATE_KBIT_S
    counted = [cell for cell in ours if low <= cell.nominal_kbit_s <= high]
    misses = [100 * abs(deviation(cell)) for cell in counted if clips[cell.clip].seconds >= RATE_SECONDS]
    exact = 100 * sum(cell.details.get("bit_exact") is True for cell in ours) / len(ours) if ours else None
    speech = [cell for cell in ours if clips[cell.clip].clip_class == SPEECH]
    macs = [number(cell, "macs_mean") for cell in speech if cell.nominal_kbit_s == REFERENCE_KBIT_S]
    our_speed = next((row for row in speed if row.codec == OURS), None)
    return {
        "rate_deviation_percent": max(misses, default=None),
        "bit_exact_percent": exact,
        "speech_macs_mean": mean(macs) if macs else None,
        "macs_peak": max((number(cell, "macs_peak") for cell in ours), default=None),
        "speech_decoder_bytes": max((number(cell, "decoder_bytes") for cell in speech), default=None),
        "decode_x_real_time": our_speed.decode_x_real_time if our_speed else None,
        "encode_x_real_time": our_speed.encode_x_real_time if our_speed else None,
        "rom_bytes": footprint.rom.total if footprint else None,
    }


def judge(
    targets: Targets, curves: Curves, measured: Mapping[str, float | None], classes: Collection[str]
) -> list[TargetRow]:
    """All targets that speak of one of the classes, or of all."""
    rows = [*judge_quality(curves, targets.quality), *judge_figures(measured, targets.figures)]
    return [row for row in rows if row.clip_class is None or row.clip_class in classes]


def missed(rows: Sequence[TargetRow]) -> list[TargetRow]:
    """Rows whose must is not shown to be reached."""
    return [row for row in rows if row.verdict != REACHED]
