"""Our cells gathered by group and nominal rate."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ..clips import GROUPS
from ..results import OURS, Cell, ClipFacts


@dataclasses.dataclass(frozen=True)
class GroupFigures:
    """All our streams of a group at a rate."""

    group: str
    nominal_kbit_s: float
    clips: int
    snr_db: float | None
    """Mean over the clips that have one; None if SNR was not measured on any."""
    deviation_mean: float
    """Of the rate from the nominal one, as a share of it."""
    deviation_max: float
    """The one farthest from 0, with its sign."""
    bits_per_gaussian: float
    """All bits of all files over all Gaussians; nan without any."""
    gaussians_per_second: float
    macs_mean: float
    """MACs a sample, mean over the clips."""
    macs_peak: float
    """MACs a sample in the costliest 20 ms of all clips."""
    decoder_bytes_mean: float
    decoder_bytes_max: int
    presets: dict[str, int]
    """How many clips took each preset."""


def our_cells(cells: Iterable[Cell]) -> list[Cell]:
    """Those of our codec that did not fail."""
    return [cell for cell in cells if cell.codec == OURS and cell.error is None]


def summarise(cells: Iterable[Cell], clips: Mapping[str, ClipFacts]) -> list[GroupFigures]:
    """By group in the order of GROUPS, and by rate."""
    groups: dict[tuple[int, float], list[Cell]] = {}
    for cell in our_cells(cells):
        groups.setdefault((GROUPS.index(clips[cell.clip].group), cell.nominal_kbit_s), []).append(cell)
    return [_summarise_one(GROUPS[index], groups[index, rate], clips) for index, rate in sorted(groups)]


def deviation(cell: Cell) -> float:
    """Of a cell's true rate from its nominal one, as a share of that."""
    return cell.kbit_s / cell.nominal_kbit_s - 1


def number(cell: Cell, name: str) -> float:
    """A detail that is a number; nan if there is none of that name."""
    value = cell.details.get(name)
    return float(value) if isinstance(value, int | float) else math.nan


def _summarise_one(group: str, cells: Sequence[Cell], clips: Mapping[str, ClipFacts]) -> GroupFigures:
    gaussians = sum(number(cell, "gaussians") for cell in cells)
    snrs = [value for cell in cells if (value := cell.metrics.get("snr")) is not None]
    deviations = [deviation(cell) for cell in cells]
    return GroupFigures(
        group=group,
        nominal_kbit_s=cells[0].nominal_kbit_s,
        clips=len(cells),
        snr_db=mean(snrs) if snrs else None,
        deviation_mean=mean(deviations),
        deviation_max=max(deviations, key=abs),
        bits_per_gaussian=8 * sum(cell.file_bytes for cell in cells) / gaussians if gaussians else math.nan,
        gaussians_per_second=gaussians / sum(clips[cell.clip].seconds for cell in cells),
        macs_mean=mean([number(cell, "macs_mean") for cell in cells]),
        macs_peak=max(number(cell, "macs_peak") for cell in cells),
        decoder_bytes_mean=mean([number(cell, "decoder_bytes") for cell in cells]),
        decoder_bytes_max=int(max(number(cell, "decoder_bytes") for cell in cells)),
        presets=dict(Counter(str(cell.details.get("preset")) for cell in cells).most_common()),
    )


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
