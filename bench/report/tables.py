"""The results as tables for people and as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from ..clips import GROUPS
from ..footprint import Footprint
from ..metrics import METRICS
from ..ratios import RATES
from ..results import OURS, BdRate, Cell, ClipFacts, Ratio, Results, SpeedRow, TargetRow
from ..rivals import Deviation
from ..targets import MISSED, REACHED
from .summary import GroupFigures

NOTHING = "-"
SHOWN = ("zimtohrli", "pesq_wb", "pesq_nb", "visqol_speech", "visqol", "snr")
"""Metrics of the printed tables, where they were measured; the others are in the files."""
SHOWN_RATES = frozenset((1.3, 3, 5, 8, 12, 16, 24, 32, 48))
"""Rates of the printed tables; the others are in the files and on the page."""
CLEAR_GAIN, CLEAR_LOSS = 0.9, 1.1
"""Ratios beyond which two metrics contradict each other."""
_STYLES = {REACHED: "green", MISSED: "bold red"}
_LEFT = frozenset(
    ("preset", "rival", "metric", "codec", "note", "reached", "goal reached", "measured", "metrics", "what")
)
_WRAPPED = frozenset(("what", "measured", "note"))


def group_table(groups: Sequence[GroupFigures]) -> Table:
    """What our streams of each group are like."""
    table = _table(
        "Ours by group and rate",
        "group",
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
    for one in groups:
        if previous not in (None, one.group):
            table.add_section()
        previous = one.group
        table.add_row(
            one.group,
            f"{one.nominal_kbit_s:g}",
            f"{one.clips}",
            shown(one.snr_db, 2),
            f"{100 * one.deviation_mean:+.2f}",
            f"{100 * one.deviation_max:+.2f}",
            shown(one.bits_per_gaussian, 2),
            shown(one.gaussians_per_second, 1),
            shown(one.macs_mean, 1),
            shown(one.macs_peak, 0),
            shown(one.decoder_bytes_mean, 0),
            f"{one.decoder_bytes_max}",
            _presets(one.presets),
        )
    return table


def clip_table(results: Results) -> Table:
    """Every cell that this run measured."""
    metrics = [key for key in METRICS if any(key in cell.metrics for cell in results.cells)]
    table = _table("By clip", "clip", "codec", "asked", "kbit/s", "lag ms", *(METRICS[key].title for key in metrics))
    names = {clip.name for clip in results.clips}
    for cell in results.cells:
        if cell.clip not in names or not (cell.audio or cell.error):
            continue
        values = [
            cell.marks.get(key, NOTHING) if cell.metrics.get(key) is None else shown(cell.metrics[key], 2)
            for key in metrics
        ]
        rates = (f"{cell.nominal_kbit_s:g}", f"{cell.kbit_s:.2f}", f"{cell.lag_ms:.2f}")
        table.add_row(Text(cell.clip), f"{cell.codec} {cell.variant}", *rates, *map(Text, values))
    return table


def quality_table(results: Results) -> Table:
    """Group means of all codecs at the same true rates, a metric a column."""
    metrics = [key for key in SHOWN if any(point.metric == key for point in results.curves)]
    table = _table("Group means (clips)", "group", "kbit/s", "codec", *(METRICS[key].title for key in metrics))
    found = {(point.group, point.kbit_s, point.codec, point.metric): point for point in results.curves}
    codecs = [OURS, *sorted({point.codec for point in results.curves} - {OURS})]
    for group in results.groups:
        for rate in sorted(SHOWN_RATES):
            for codec in codecs:
                points = [found.get((group, rate, codec, key)) for key in metrics]
                if any(points):
                    cells = [f"{point.value:.2f} ({point.clips})" if point else NOTHING for point in points]
                    table.add_row(group, f"{rate:g}", codec, *cells, style="bold" if codec == OURS else None)
        table.add_section()
    return table


def ratio_table(results: Results) -> Table:
    """Our rate over the rival's at equal quality, a metric a column, with a mark where the metrics disagree."""
    metrics = [key for key in SHOWN if any(ratio.metric == key for ratio in results.ratios)]
    title = "Our rate / the rival's at equal quality (below 1 we need less; < and > where our curve ends)"
    table = _table(title, "group", "rival", "kbit/s", *(METRICS[key].title for key in metrics), "clips", "metrics")
    found = {(one.group, one.rival, one.rival_kbit_s, one.metric): one for one in results.ratios}
    rivals = sorted({one.rival for one in results.ratios})
    for group in results.groups:
        for rival in rivals:
            for rate in RATES:
                row = [found.get((group, rival, rate, key)) for key in metrics]
                known = [one for one in row if one]
                if known and rate in SHOWN_RATES:
                    clips = sorted({one.clips for one in known})
                    count = f"{clips[0]}" if len(clips) == 1 else f"{clips[0]}-{clips[-1]}"
                    table.add_row(
                        group, rival, f"{rate:g}", *map(ratio_text, row), count, "disagree" if disagree(known) else ""
                    )
        table.add_section()
    return table


def ratio_text(one: Ratio | None) -> str:
    """A ratio, or the side on which it lies if our curve ends before."""
    if one is None:
        return NOTHING
    if one.ratio is not None:
        return f"{one.ratio:.2f}"
    bound = ratio_bound(one)
    if math.isinf(bound):
        return ">"
    return "<" if bound < 1 else NOTHING


def ratio_bound(one: Ratio) -> float:
    """The ratio, or 0 where we are better at our lowest rate already, infinity where we never get there."""
    if one.ratio is not None:
        return one.ratio
    if one.note.startswith("reached"):
        return 0.0
    return math.inf if one.note.startswith("not reached") else math.nan


def disagree(row: Iterable[Ratio]) -> bool:
    """Whether we clearly win by one metric and clearly lose by another."""
    bounds = [ratio_bound(one) for one in row]
    return any(bound < CLEAR_GAIN for bound in bounds) and any(bound > CLEAR_LOSS for bound in bounds)


def bd_table(rates: Sequence[BdRate]) -> Table:
    """Bjontegaard rates, a metric a column."""
    metrics = [key for key in SHOWN if any(one.metric == key for one in rates)]
    table = _table("BD-rate in % (below 0 we need less)", "group", "rival", *(METRICS[key].title for key in metrics))
    found = {(one.group, one.rival, one.metric): one.percent for one in rates}
    rivals = sorted({one.rival for one in rates})
    for group in sorted({one.group for one in rates}, key=GROUPS.index):
        for rival in rivals:
            row = [found.get((group, rival, key)) for key in metrics]
            if any(value is not None for value in row):
                table.add_row(group, rival, *(NOTHING if value is None else f"{value:+.0f}" for value in row))
        table.add_section()
    return table


def target_table(rows: Sequence[TargetRow]) -> Table:
    table = _table("Targets", "what", "must", "goal", "measured", "reached", "goal reached")
    for row in rows:
        verdicts = (Text(verdict, _STYLES.get(verdict, "dim")) for verdict in (row.verdict, row.goal_verdict))
        table.add_row(row.name, row.must, row.goal, row.measured, *verdicts)
    return table


def speed_table(rows: Sequence[SpeedRow]) -> Table:
    table = _table(
        "Speed in times real time, and the largest resident memory of each process",
        "codec",
        "encode",
        "to ours",
        "decode",
        "to ours",
        "encode MB",
        "decode MB",
        "decoder state\nbytes",
    )
    for row in rows:
        table.add_row(
            row.codec,
            shown(row.encode_x_real_time, 1),
            shown(row.encode_to_ours, 2),
            shown(row.decode_x_real_time, 0),
            shown(row.decode_to_ours, 3),
            *(
                shown(None if size is None else size / 1e6, 1)
                for size in (row.encode_peak_bytes, row.decode_peak_bytes)
            ),
            f"{row.decoder_state_bytes or NOTHING}",
        )
    return table


def deviation_table(deviations: Sequence[Deviation]) -> Table:
    table = _table("Agreement with the table", "codec", "metric", "cells", "mean", "largest", "outside", "note")
    for one in deviations:
        values = (f"{one.cells}", f"{one.mean:.3f}", f"{one.largest:+.3f}", f"{len(one.outside)}")
        table.add_row(one.codec, METRICS[one.metric].title, *values, Text(f"largest: {one.worst}"))
    return table


def footprint_text(footprint: Footprint) -> str:
    rom = footprint.rom
    return (
        f"decoder on a {footprint.core}, -{footprint.optimisation}, {footprint.compiler}: {rom.total} bytes "
        f"(code {rom.code}, tables {rom.tables}, error texts {rom.texts}, memory functions {rom.runtime})"
    )


def exactness_text(ours: Sequence[Cell]) -> str:
    exact = sum(cell.details.get("bit_exact") is True for cell in ours)
    return f"C and Numba bit-exact: {exact} of {len(ours)} streams"


def to_csv(results: Results) -> str:
    """A line for each cell."""
    clips: Mapping[str, ClipFacts] = {clip.name: clip for clip in results.clips}
    details = sorted({name for cell in results.cells for name in cell.details})
    columns = ["clip", "class", "group", "sr", "seconds", "codec", "variant", "nominal", "kbps", "kbps_file", "lag_ms"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*columns, *METRICS, *details, "error"])
    for cell in results.cells:
        clip = clips.get(cell.clip)
        if clip is None:
            continue
        rates = (cell.nominal_kbit_s, _round(cell.kbit_s), _round(cell.file_bytes / clip.seconds / 125))
        values = (_round(cell.metrics.get(key)) for key in METRICS)
        extra = (cell.details.get(name, "") for name in details)
        facts = (cell.clip, clip.clip_class, clip.group, clip.sample_rate, clip.seconds, cell.codec, cell.variant)
        writer.writerow([*facts, *rates, _round(cell.lag_ms), *values, *extra, cell.error or ""])
    return text.getvalue()


def shown(value: float | None, digits: int) -> str:
    return NOTHING if value is None or math.isnan(value) else f"{value:.{digits}f}"


def _round(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _presets(counts: dict[str, int]) -> str:
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, no_wrap=first not in _WRAPPED)
    for name in others:
        table.add_column(name, justify="left" if name in _LEFT else "right", no_wrap=name not in _WRAPPED)
    return table
