"""The bench's figures as tables for people, and as JSON and CSV."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from ..cli.gs_encode import finite
from .footprint import Footprint
from .measure import LeftOut, StreamFigures
from .rivals import RIVALS, RivalFigure, Rivals
from .speed import THREADS, SpeedFigures
from .summary import ClassFigures, select
from .targets import Verdict

NOTHING = "-"
_STYLES = {"goal": "green", "must": "yellow", "missed": "bold red", "not measured": "dim"}


@dataclasses.dataclass(frozen=True)
class Report:
    """All that a run found out."""

    effort: str
    figures: list[StreamFigures]
    classes: list[ClassFigures]
    left_out: list[LeftOut]
    speed: SpeedFigures | None
    footprint: Footprint | None
    footprint_notice: str | None
    """Why there is no footprint."""
    verdicts: list[Verdict]

    @property
    def mismatches(self) -> list[StreamFigures]:
        return [one for one in self.figures if one.difference is not None]


def class_table(report: Report) -> Table:
    table = _table(
        f"By class and rate, effort {report.effort}",
        "class",
        "kbit/s",
        "clips",
        "SNR dB",
        "rate off\nmean %",
        "rate off\nmax %",
        "bits/\nGaussian",
        "Gaussians\n/s",
        "MACs/\nsample",
        "MACs\npeak",
        "memory\nmean",
        "memory\nmax",
        "preset",
    )
    previous = None
    for one in report.classes:
        if previous not in (None, one.clip_class):
            table.add_section()
        previous = one.clip_class
        table.add_row(
            one.clip_class,
            f"{one.target_kbit_s:g}",
            f"{one.clips}",
            number(one.snr_db, 2) + (f" ({one.exact_clips} exact)" if one.exact_clips else ""),
            f"{100 * one.deviation_mean:+.2f}",
            f"{100 * one.deviation_max:+.2f}",
            number(one.bits_per_gaussian, 2),
            number(one.gaussians_per_second, 1),
            number(one.macs_mean, 1),
            number(one.macs_peak, 0),
            number(one.decoder_bytes_mean, 0),
            f"{one.decoder_bytes_max}",
            presets(one.presets),
        )
    return table


def clip_table(report: Report) -> Table:
    table = _table(
        "By clip",
        "clip",
        "Hz",
        "s",
        "kbit/s",
        "rate off\n%",
        "SNR dB",
        "Gaussians",
        "bits/\nGaussian",
        "MACs/\nsample",
        "MACs\npeak",
        "memory",
        "preset",
        "C = Numba",
    )
    for one in report.figures:
        table.add_row(
            Text(one.clip),
            f"{one.sample_rate}",
            f"{one.seconds:.2f}",
            f"{one.target_kbit_s:g}",
            f"{100 * one.deviation:+.2f}",
            number(one.snr_db, 2),
            f"{one.gaussians}",
            number(8 * one.bytes / one.gaussians if one.gaussians else math.nan, 2),
            number(one.macs_mean, 1),
            number(one.macs_peak, 0),
            f"{one.decoder_bytes}",
            one.preset,
            "yes" if one.difference is None else "no",
        )
    return table


def target_table(report: Report) -> Table:
    table = _table("Targets", "what", "measured", "must", "goal", "unit", "reached")
    table.columns[-2].justify = "left"
    for one in report.verdicts:
        table.add_row(
            one.what,
            number(one.measured, 2),
            f"{'>=' if one.at_least else '<='} {one.must:g}",
            NOTHING if one.goal is None else f"{one.goal:g}",
            one.unit,
            Text(one.outcome, _STYLES[one.outcome]),
        )
    return table


def rival_table(report: Report, rivals: Rivals, extra_rates: Sequence[float]) -> Table:
    """Mean SNR beside the rivals' at the run's rates and at some more: rivals' rates count packets, ours files."""
    table = _table("Mean SNR in dB (clips) beside rivals", "class", "kbit/s", "ours", *RIVALS)
    for clip_class in dict.fromkeys(one.clip_class for one in report.classes):
        ours = {one.target_kbit_s: one for one in report.classes if one.clip_class == clip_class}
        clips = [one.clip for one in select(report.figures, clip_class, min(ours))]
        for rate in sorted({*ours, *extra_rates}):
            theirs = [rivals.mean_at(clips, rival, rate) for rival in RIVALS]
            level = f"{number(ours[rate].snr_db, 2)} ({ours[rate].clips})" if rate in ours else NOTHING
            table.add_row(clip_class, f"{rate:g}", level, *map(_rival, theirs))
        table.add_section()
    return table


def remarks(report: Report) -> list[str]:
    """What the tables do not hold, a line each."""
    exact = len(report.figures) - len(report.mismatches)
    lines = [f"C and Numba bit-exact: {exact} of {len(report.figures)} streams"]
    speed, footprint = report.speed, report.footprint
    if speed:
        rates = "/".join(f"{rate}" for rate in sorted(set(speed.sample_rates)))
        lines.append(
            f"speed on {len(speed.clips)} clips ({rates} Hz) at {speed.kbit_s:g} kbit/s: encode {speed.encode:.2f} x "
            f"real time (warm process, {THREADS} threads, compiling left out), decode in C {speed.decode:.0f} x; "
            f"gs-encode as a command {speed.command_seconds:.2f} s ({speed.command:.2f} x)"
        )
    if footprint:
        lines.append(
            f"decoder on a Cortex-M0+, -Os, {footprint.compiler}: {footprint.total} bytes (code {footprint.code}, "
            f"tables {footprint.tables}, error texts {footprint.texts}), static memory {footprint.data}"
        )
    if report.footprint_notice:
        lines.append(f"decoder code not measured: {report.footprint_notice}")
    lines.append("memory: bytes of the C decoder on this machine, tables and stack not counted")
    return lines


def to_json(report: Report) -> str:
    """Everything; what is not finite becomes null."""
    content = dataclasses.asdict(report)
    content["verdicts"] = [{**dataclasses.asdict(one), "outcome": one.outcome} for one in report.verdicts]
    if report.footprint:
        content["footprint"]["total"] = report.footprint.total
    return json.dumps(_jsonable(content), allow_nan=False, indent=1) + "\n"


def to_csv(figures: Sequence[StreamFigures]) -> str:
    """A line for each stream."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in dataclasses.fields(StreamFigures)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(dataclasses.asdict, figures))
    return text.getvalue()


def number(value: float | None, digits: int) -> str:
    return NOTHING if value is None or math.isnan(value) else f"{value:.{digits}f}"


def presets(counts: dict[str, int]) -> str:
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _rival(figure: RivalFigure | None) -> str:
    return f"{figure.snr_db:.2f} ({figure.clips})" if figure else NOTHING


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, justify="left" if name in ("preset", "C = Numba", "reached") else "right", no_wrap=True)
    return table


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_jsonable(item) for item in value]
    return finite(value) if isinstance(value, float) else value
