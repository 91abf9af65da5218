"""Rivals' cells from a table of an earlier measurement, and how far new ones are from them."""

from __future__ import annotations

import csv
import dataclasses
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from audio_gs.errors import AudioGsError

from .results import OURS, Cell

CODECS = {
    "opus20": ("opus", "20 ms"),
    "opus60": ("opus", "60 ms"),
    "opus161_20": ("opus-1.6", "20 ms"),
    "opus161_60": ("opus-1.6", "60 ms"),
    "opus131wb_60": ("opus-wb", "60 ms"),
    "opus161wb_20": ("opus-wb", "20 ms, libopus 1.6"),
    "opus161wb_60": ("opus-wb", "60 ms, libopus 1.6"),
    "opus161wb_lace_20": ("opus-lace", "LACE 20 ms"),
    "opus161wb_lace_60": ("opus-lace", "LACE 60 ms"),
    "opus161wb_nolace_20": ("opus-lace", "NoLACE 20 ms"),
    "opus161wb_nolace_60": ("opus-lace", "NoLACE 60 ms"),
    "mp3abr": ("mp3", "abr"),
    "mp3cbr": ("mp3", "cbr"),
    "lc3": ("lc3", ""),
    "codec2": ("codec2", ""),
    "speexnb": ("speex", "narrow"),
    "speexwb": ("speex", "wide"),
    "amrnb": ("amr-nb", ""),
    "amrwb": ("amr-wb", ""),
    "g723_1": ("g723.1", ""),
    "g729": ("g729", ""),
    "aac": ("aac", ""),
    "heaac24": ("he-aac", "24 kHz"),
    "heaac44": ("he-aac", "44.1 kHz"),
    "adpcm": ("ima-adpcm", ""),
    "sbc": ("sbc", ""),
}
"""Codec and variant by the table's names; others in the table are passed over."""
METRICS = {
    "snr": "snr",
    "si_sdr": "si_sdr",
    "lsd": "lsd",
    "zmos": "zimtohrli",
    "pesq_nb": "pesq_nb",
    "pesq_wb": "pesq_wb",
    "stoi": "stoi",
    "visqol": "visqol",
    "visqol_s": "visqol_speech",
}
MOS_TOLERANCE = 0.1
SNR_TOLERANCE_DB = 0.3
TOLERANCES = {
    **dict.fromkeys(("zimtohrli", "pesq_nb", "pesq_wb", "visqol", "visqol_speech"), MOS_TOLERANCE),
    "snr": SNR_TOLERANCE_DB,
}
RATE_TOLERANCE = 0.03
"""Share by which true rates may differ for two cells to be the same setting."""


class RivalsError(AudioGsError):
    """A file that is no table of rivals' cells; the text says which and what it lacks."""


@dataclasses.dataclass(frozen=True)
class Deviation:
    """How far one codec's values of one metric are from the table's."""

    codec: str
    metric: str
    cells: int
    mean: float
    """Of the absolute differences."""
    largest: float
    """With its sign: ours less the table's."""
    worst: str
    """Clip and nominal rate of the largest."""
    outside: tuple[str, ...]
    """Cells beyond the tolerance, if the metric has one."""


def read_rivals(paths: Sequence[Path]) -> list[Cell]:
    """Cells of clips of one channel; tables that name the same cell complete each other.

    Raises RivalsError for a file that is no such table.
    """
    cells: dict[tuple[str, str, float], Cell] = {}
    for path in paths:
        try:
            with path.open(encoding="utf-8", newline="") as lines:
                for row in csv.DictReader(lines):
                    if row["codec"] in CODECS and row.get("channels", "1") == "1":
                        cell = _cell_of(row)
                        key = (cell.clip, row["codec"], cell.nominal_kbit_s)
                        earlier = cells.get(key, cell)
                        cells[key] = dataclasses.replace(earlier, metrics={**earlier.metrics, **cell.metrics})
        except (KeyError, TypeError, ValueError, csv.Error):
            raise RivalsError(
                f"{path} is not CSV with columns clip, codec, nominal, kbps, kbps_file, seconds, lag_ms and metrics"
            ) from None
    return list(cells.values())


def _cell_of(row: dict[str, str]) -> Cell:
    codec, variant = CODECS[row["codec"]]
    kbit_s, seconds = float(row["kbps"]), float(row["seconds"])
    return Cell(
        clip=row["clip"],
        codec=codec,
        variant=variant,
        nominal_kbit_s=float(row["nominal"]),
        kbit_s=kbit_s,
        payload_bytes=round(125 * kbit_s * seconds),
        file_bytes=round(125 * float(row["kbps_file"]) * seconds),
        lag_ms=float(row["lag_ms"]),
        metrics={key: float(row[name]) for name, key in METRICS.items() if row.get(name)},
        marks={},
        error=None,
        audio=None,
        stream=None,
        details={},
    )


def compare(measured: Iterable[Cell], table: Iterable[Cell]) -> tuple[list[Deviation], list[str]]:
    """Deviations by codec and metric, and the cells whose true rates differ too much to be compared."""
    expected = {_place(cell): cell for cell in table}
    pairs: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    other_rates = []
    for cell in measured:
        other = expected.get(_place(cell))
        if cell.codec == OURS or cell.error is not None or other is None:
            continue
        name = f"{cell.clip} {cell.codec} {cell.variant} {cell.nominal_kbit_s:g}".replace("  ", " ")
        if abs(cell.kbit_s / other.kbit_s - 1) > RATE_TOLERANCE:
            other_rates.append(f"{name}: {cell.kbit_s:.2f} instead of {other.kbit_s:.2f} kbit/s")
            continue
        for metric, value in cell.metrics.items():
            known = other.metrics.get(metric)
            if value is not None and known is not None and math.isfinite(known):
                pairs[cell.codec, metric].append((value - known, name))
    return [_deviation(*key, found) for key, found in sorted(pairs.items())], other_rates


def _place(cell: Cell) -> tuple[str, str, str, float]:
    return cell.clip, cell.codec, cell.variant, cell.nominal_kbit_s


def _deviation(codec: str, metric: str, found: list[tuple[float, str]]) -> Deviation:
    largest, worst = max(found, key=lambda one: abs(one[0]))
    tolerance = TOLERANCES.get(metric, math.inf)
    return Deviation(
        codec=codec,
        metric=metric,
        cells=len(found),
        mean=sum(abs(value) for value, _ in found) / len(found),
        largest=largest,
        worst=worst,
        outside=tuple(f"{name}: {value:+.3f}" for value, name in found if abs(value) > tolerance),
    )
