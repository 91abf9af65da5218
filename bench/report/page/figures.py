"""The figures of a run, arranged for the page's head and tables."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ...results import OURS, BdRate, Ratio, Results
from .labels import codec_name, codec_order, group_name, metric_label, metric_order

NOTHING = "\N{EN DASH}"
PLOTTED_FACTOR = 8.0
"""The head's plots reach from 1/8 to 8 times the rival's rate."""
HEAD_RIVAL = "opus"
TINTED_FACTOR = 4.0
"""A ratio this far from 1 has the strongest tint."""
UNBOUNDED_TINT = 45
"""Percent, for a comparison that has a winner but no ratio."""


@dataclasses.dataclass(frozen=True)
class Figure:
    """A number that may be missing."""

    text: str
    note: str
    better: bool | None
    """Whether it speaks for us; None where nothing says so."""
    strength: int
    """How clearly, 0..100."""
    clips: int
    position: float | None = None
    """Place in the head's plot in percent from the left, 50 is the rival's rate."""


@dataclasses.dataclass(frozen=True)
class HeadRow:
    metric: str
    rival_kbit_s: float
    figure: Figure


@dataclasses.dataclass(frozen=True)
class HeadCard:
    """The equal-quality ratios of a group against one rival, all metrics beside each other."""

    name: str
    rival: str
    span: str
    """Smallest and largest ratio."""
    tally: str
    """In how many comparisons we are ahead, those without a ratio too."""
    rows: list[HeadRow]


@dataclasses.dataclass(frozen=True)
class FigureTable:
    """A table of numbers that may be missing, with footnotes that say why."""

    caption: str
    corner: str
    columns: list[str]
    rows: list[tuple[str, list[Figure | None]]]
    footnotes: list[str]

    def mark(self, note: str) -> str:
        """The footnote's letter."""
        return _letter(self.footnotes.index(note)) if note in self.footnotes else ""

    def marked_footnotes(self) -> list[tuple[str, str]]:
        return [(_letter(number), note) for number, note in enumerate(self.footnotes)]


def head_cards(results: Results, rates: Sequence[float]) -> list[HeadCard]:
    """For each group the ratios to Opus, or to the first rival there is, at the rates nearest to `rates`."""
    cards = []
    for group in results.groups:
        ratios = [ratio for ratio in results.ratios if ratio.group == group]
        rivals = codec_order({ratio.rival for ratio in ratios})
        if not rivals:
            continue
        rival = HEAD_RIVAL if HEAD_RIVAL in rivals else rivals[0]
        cards.append(_head_card(group, rival, [ratio for ratio in ratios if ratio.rival == rival], rates))
    return cards


def ratio_tables(results: Results, group: str) -> list[FigureTable]:
    """One table for each rival: metrics down, the rival's rates across."""
    tables = []
    for rival in codec_order({ratio.rival for ratio in results.ratios if ratio.group == group}):
        chosen = [ratio for ratio in results.ratios if (ratio.group, ratio.rival) == (group, rival)]
        rates = sorted({ratio.rival_kbit_s for ratio in chosen})
        found = {(ratio.metric, ratio.rival_kbit_s): _ratio_figure(ratio) for ratio in chosen}
        metrics = metric_order({ratio.metric for ratio in chosen})
        tables.append(
            _table(
                f"against {codec_name(rival)}",
                "kbit/s",
                [f"{rate:g}" for rate in rates],
                [(metric_label(metric).name, [found.get((metric, rate)) for rate in rates]) for metric in metrics],
            )
        )
    return tables


def bd_table(results: Results, group: str) -> FigureTable | None:
    """Rivals down, metrics across; None if there is no BD-rate for the group."""
    chosen = [one for one in results.bd_rates if one.group == group]
    if not chosen:
        return None
    metrics = metric_order({one.metric for one in chosen})
    found = {(one.rival, one.metric): _bd_figure(one) for one in chosen}
    rivals = codec_order({one.rival for one in chosen})
    return _table(
        "BD-rate, mean difference in rate at equal quality",
        "against",
        [metric_label(metric).name for metric in metrics],
        [(codec_name(rival), [found.get((rival, metric)) for metric in metrics]) for rival in rivals],
    )


def speed_rows(results: Results) -> list[tuple[str, list[str]]]:
    """Codec and its cells: x real time and times ours, encoding and decoding, then memory."""
    return [
        (
            codec_name(row.codec),
            [
                _written(row.encode_x_real_time, _factor),
                NOTHING if row.codec == OURS else _written(row.encode_to_ours, _factor),
                _written(row.decode_x_real_time, _factor),
                NOTHING if row.codec == OURS else _written(row.decode_to_ours, _factor),
                _written(row.encode_peak_bytes, _size),
                _written(row.decode_peak_bytes, _size),
                _written(row.decoder_state_bytes, _size),
            ],
        )
        for row in results.speed
    ]


def curve_data(results: Results) -> dict[str, dict[str, dict[str, list[list[float | None]]]]]:
    """Group, metric and codec to points [kbit/s, value or None, clips], by rate."""
    curves: dict[str, dict[str, dict[str, list[list[float | None]]]]] = {}
    for point in sorted(results.curves, key=lambda point: point.kbit_s):
        if math.isfinite(point.kbit_s):
            value = point.value if math.isfinite(point.value) else None
            lines = curves.setdefault(point.group, {}).setdefault(point.metric, {})
            lines.setdefault(point.codec, []).append([point.kbit_s, value, point.clips])
    return curves


def curve_table(curves: dict[str, list[list[float | None]]], metric: str) -> FigureTable:
    """The values behind one chart: codecs down, rates across."""
    rates = sorted({float(point[0] or 0) for points in curves.values() for point in points})
    rows: list[tuple[str, list[Figure | None]]] = []
    for codec in codec_order(set(curves)):
        at = {point[0]: point for point in curves[codec]}
        rows.append((codec_name(codec), [_curve_figure(at[rate], metric) if rate in at else None for rate in rates]))
    label = metric_label(metric)
    caption = f"{label.name}, {label.unit}" if label.unit else label.name
    return _table(caption, "kbit/s", [f"{rate:.3g}" for rate in rates], rows)


def _head_card(group: str, rival: str, ratios: list[Ratio], rates: Sequence[float]) -> HeadCard:
    measured = {ratio.rival_kbit_s for ratio in ratios}
    shown = sorted({min(measured, key=lambda one: abs(math.log(one / rate))) for rate in rates}) or sorted(measured)[:1]
    order = metric_order({ratio.metric for ratio in ratios})
    compared = sorted(
        (ratio for ratio in ratios if ratio.rival_kbit_s in shown),
        key=lambda ratio: (order.index(ratio.metric), ratio.rival_kbit_s),
    )
    rows = [HeadRow(metric_label(one.metric).name, one.rival_kbit_s, _ratio_figure(one)) for one in compared]
    numbers = sorted(one.ratio for one in compared if one.ratio is not None and math.isfinite(one.ratio))
    low, high = (_times(numbers[0]), _times(numbers[-1])) if numbers else ("", "")
    span = low if low == high else f"{low}\N{EN DASH}{high}"
    return HeadCard(group_name(group), codec_name(rival), span, _tally(rows, len(numbers)), rows)


def _tally(rows: list[HeadRow], with_ratio: int) -> str:
    verdicts = [row.figure.better for row in rows]
    parts = [f"ahead in {verdicts.count(True)}", f"behind in {verdicts.count(False)}"]
    if None in verdicts:
        parts.append(f"undecided in {verdicts.count(None)}")
    text = f"{', '.join(parts)} of {len(rows)} comparisons"
    beyond = len(rows) - with_ratio
    return f"{text}; {beyond} of them without a ratio" if beyond else text


def _ratio_figure(ratio: Ratio) -> Figure:
    if ratio.ratio is None or not math.isfinite(ratio.ratio) or ratio.ratio <= 0:
        ahead = _ahead(ratio)
        return Figure(NOTHING, ratio.note or "no ratio", ahead, 0 if ahead is None else UNBOUNDED_TINT, ratio.clips)
    reach = math.log(ratio.ratio) / math.log(PLOTTED_FACTOR)
    strength = min(1.0, abs(math.log(ratio.ratio)) / math.log(TINTED_FACTOR))
    return Figure(
        f"{_times(ratio.ratio)}\N{MULTIPLICATION SIGN}",
        ratio.note,
        ratio.ratio < 1,
        round(100 * strength),
        ratio.clips,
        50 + 50 * max(-1.0, min(1.0, reach)),
    )


def _ahead(ratio: Ratio) -> bool | None:
    """Whether our value at the rival's rate is the better one, where that can be said."""
    better = metric_label(ratio.metric).better
    if ratio.ours_value is None or not better or ratio.ours_value == ratio.rival_value:
        return None
    return (ratio.ours_value > ratio.rival_value) == (better == "higher")


def _bd_figure(one: BdRate) -> Figure:
    if one.percent is None or not math.isfinite(one.percent):
        return Figure(NOTHING, one.note or "no BD-rate", None, 0, one.clips)
    text = f"{one.percent:+.0f} %".replace("-", "\N{MINUS SIGN}")
    factor = max(1 + one.percent / 100, 1 / PLOTTED_FACTOR)
    strength = min(1.0, abs(math.log(factor)) / math.log(TINTED_FACTOR))
    return Figure(text, one.note, one.percent < 0, round(100 * strength), one.clips)


def _curve_figure(point: list[float | None], metric: str) -> Figure:
    clips = int(point[2] or 0)
    if point[1] is None:
        return Figure("NaN", "not measured", None, 0, clips)
    return Figure(f"{point[1]:.{metric_label(metric).digits}f}", "", None, 0, clips)


def _table(caption: str, corner: str, columns: list[str], rows: list[tuple[str, list[Figure | None]]]) -> FigureTable:
    notes: Iterable[str] = (figure.note for _, figures in rows for figure in figures if figure and figure.note)
    return FigureTable(caption, corner, columns, rows, list(dict.fromkeys(notes)))


def _letter(number: int) -> str:
    first = chr(ord("a") + number % 26)
    return first * (1 + number // 26)


def _times(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio >= 10 else f"{ratio:.2f}"


def _written(value: float | None, form: Callable[[Any], str]) -> str:
    return form(value) if value is not None and math.isfinite(value) else NOTHING


def _factor(value: float) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}\N{MULTIPLICATION SIGN}"


def _size(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"
