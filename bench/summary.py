"""Figures of single streams gathered by class and rate."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Sequence

from .clips import CLASSES
from .measure import StreamFigures


@dataclasses.dataclass(frozen=True)
class ClassFigures:
    """All streams of a class at a rate."""

    clip_class: str
    target_kbit_s: float
    clips: int
    snr_db: float
    """Mean over the clips that do not come back exactly, nan if there are none."""
    exact_clips: int
    """Clips that come back exactly, silence for instance, whose SNR has no mean."""
    deviation_mean: float
    deviation_max: float
    """The one farthest from 0, with its sign; a share of the target, as the mean."""
    bits_per_gaussian: float
    """All bits of all files over all Gaussians; nan without any."""
    gaussians_per_second: float
    macs_mean: float
    macs_peak: float
    decoder_bytes_mean: float
    decoder_bytes_max: int
    presets: dict[str, int]
    """How many clips took each preset."""


def summarise(figures: Sequence[StreamFigures]) -> list[ClassFigures]:
    """By class in the order of CLASSES, and by rate."""
    keys = sorted({(CLASSES.index(one.clip_class), one.target_kbit_s) for one in figures})
    return [summarise_one(select(figures, CLASSES[index], rate)) for index, rate in keys]


def select(figures: Sequence[StreamFigures], clip_class: str, target_kbit_s: float) -> list[StreamFigures]:
    return [one for one in figures if one.clip_class == clip_class and one.target_kbit_s == target_kbit_s]


def summarise_one(group: Sequence[StreamFigures]) -> ClassFigures:
    """The streams of one class at one rate, at least one."""
    gaussians = sum(one.gaussians for one in group)
    finite = [one.snr_db for one in group if math.isfinite(one.snr_db)]
    return ClassFigures(
        clip_class=group[0].clip_class,
        target_kbit_s=group[0].target_kbit_s,
        clips=len(group),
        snr_db=mean(finite),
        exact_clips=len(group) - len(finite),
        deviation_mean=mean([one.deviation for one in group]),
        deviation_max=max((one.deviation for one in group), key=abs),
        bits_per_gaussian=8 * sum(one.bytes for one in group) / gaussians if gaussians else math.nan,
        gaussians_per_second=gaussians / sum(one.seconds for one in group),
        macs_mean=mean([one.macs_mean for one in group]),
        macs_peak=max(one.macs_peak for one in group),
        decoder_bytes_mean=mean([one.decoder_bytes for one in group]),
        decoder_bytes_max=max(one.decoder_bytes for one in group),
        presets=dict(Counter(one.preset for one in group).most_common()),
    )


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
