"""What is published: which rates are measured, which rivals they are compared with, what is played on small cores."""

from __future__ import annotations

import dataclasses

from ..clips import NARROW_SPEECH, WIDE_SPEECH


@dataclasses.dataclass(frozen=True)
class Point:
    """A rival at a rate, and the metrics that count there."""

    group: str
    rival: str
    kbit_s: float
    metrics: tuple[str, ...]


_WIDE, _NARROW, _SOUND = ("pesq_wb", "zimtohrli", "visqol_speech"), ("pesq_nb",), ("zimtohrli", "visqol")
POINTS = (
    Point(WIDE_SPEECH, "amr-wb", 8, _WIDE),
    Point(WIDE_SPEECH, "opus", 8, _WIDE),
    Point(WIDE_SPEECH, "opus-lace", 8, _WIDE),
    Point(WIDE_SPEECH, "opus", 12, _WIDE),
    Point(WIDE_SPEECH, "opus-lace", 12, _WIDE),
    Point(WIDE_SPEECH, "opus", 16, _WIDE),
    Point(NARROW_SPEECH, "amr-nb", 5, _NARROW),
    Point(NARROW_SPEECH, "amr-nb", 8, _NARROW),
    Point(NARROW_SPEECH, "opus", 8, _NARROW),
    *(
        Point("sfx", rival, kbit_s, _SOUND)
        for rival, kbit_s in (("opus", 8), ("opus", 12), ("opus-1.6", 16), ("opus", 24))
    ),
    Point("music", "opus", 8, _SOUND),
    Point("music", "he-aac", 8, _SOUND),
    *(Point("music", rival, kbit_s, _SOUND) for rival, kbit_s in (("opus-1.6", 12), ("opus-1.6", 16), ("opus", 24))),
)
"""In the order of the published table; all rates are of ratios.RATES."""

RATES = {
    WIDE_SPEECH: (2.5, 3.0, 3.5, 4.5, 5.5, 6.5, 8.0, 10.0, 12.0, 16.0),
    NARROW_SPEECH: (3.5, 4.0, 4.5, 6.5, 7.0, 8.0),
    "music": (1.5, 2.5, 3.5, 5.0, 7.0, 12.0, 15.0, 21.0),
    "sfx": (2.0, 6.0, 12.0, 20.0),
}
"""Kbit/s of ours: on both sides of where a point of its group is reached."""

CORES = ("cortex-m4", "cortex-m0plus")
OPTIMISATIONS = ("O2", "Os")


@dataclasses.dataclass(frozen=True)
class Played:
    """Clips that are played on the cores: those of a group that have a sample rate."""

    key: str
    name: str
    group: str
    sample_rate: int
    kbit_s: float


PLAYED = (
    Played("speech", "speech at 16 kHz", WIDE_SPEECH, 16000, 6.5),
    Played("music", "music at 44.1 kHz", "music", 44100, 12.0),
)
PLAYED_RATES = {played.group: (played.kbit_s,) for played in PLAYED}
COSTS = {WIDE_SPEECH: (6.5,), NARROW_SPEECH: (6.5,), "music": (5.0, 12.0, 21.0), "sfx": (6.0, 12.0, 20.0)}
"""Kbit/s at which the costs of the streams are given."""

SPEED_KBIT_S = 6.0
SPEED_PRESETS = ("speech", "auto")
