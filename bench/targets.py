"""What the codec is asked to reach on a corpus of speech, music and effects, and whether it does."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from .footprint import Footprint
from .measure import StreamFigures
from .speed import SpeedFigures
from .summary import ClassFigures

KIBIBYTE = 1024
REFERENCE_CLASS, REFERENCE_RATE, REFERENCE_KBIT_S = "speech", 16000, 6.0
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
DECODE_SPEED = (300.0, 1000.0)
ENCODE_SPEED = (1.0, 4.0)
MACS_MEAN = (150.0, 50.0)
DECODER_BYTES = (6.0 * KIBIBYTE, 3.0 * KIBIBYTE)
IMAGE_BYTES = (14.0 * KIBIBYTE, 8.0 * KIBIBYTE)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A figure beside what is asked for."""

    what: str
    measured: float | None
    """None if this run did not measure it."""
    must: float
    goal: float | None
    unit: str
    at_least: bool
    """Whether more is better."""

    @property
    def outcome(self) -> str:
        if self.measured is None:
            return "not measured"
        if not self._reaches(self.must):
            return "missed"
        return "goal" if self.goal is not None and self._reaches(self.goal) else "must"

    def _reaches(self, limit: float) -> bool:
        if self.measured is None or math.isnan(self.measured):
            return False
        return self.measured >= limit if self.at_least else self.measured <= limit


def judge(
    figures: Sequence[StreamFigures],
    classes: Sequence[ClassFigures],
    speed: SpeedFigures | None,
    footprint: Footprint | None,
    max_macs: int,
) -> list[Verdict]:
    """Every target with its figure."""
    by_key = {(one.clip_class, one.target_kbit_s): one for one in classes}
    verdicts = []
    for (clip_class, kbit_s), (must, goal) in SNR_DB.items():
        found = by_key.get((clip_class, kbit_s))
        what = f"mean SNR, {clip_class} at {kbit_s:g} kbit/s"
        verdicts.append(Verdict(what, found.snr_db if found else None, must, goal, "dB", True))
    misses = [100 * abs(one.deviation) for one in figures if one.seconds >= RATE_SECONDS]
    what = f"largest deviation of the rate, clips of {RATE_SECONDS:g} s and more"
    verdicts.append(Verdict(what, max(misses, default=None), RATE_DEVIATION, None, "%", False))
    exact = 100 * sum(one.difference is None for one in figures) / len(figures) if figures else None
    verdicts.append(Verdict("streams bit-exact in C and Numba", exact, 100.0, None, "%", True))
    timed = speed
    if speed and (speed.kbit_s != REFERENCE_KBIT_S or set(speed.sample_rates) != {REFERENCE_RATE}):
        timed = None
    what = f"decode, C on this machine, 16 kHz at {REFERENCE_KBIT_S:g} kbit/s"
    verdicts.append(Verdict(what, timed.decode if timed else None, *DECODE_SPEED, "x real time", True))
    if timed and (timed.effort != "normal" or set(timed.classes) != {REFERENCE_CLASS}):
        timed = None
    what = f"encode, effort normal, 16 kHz speech at {REFERENCE_KBIT_S:g} kbit/s"
    verdicts.append(Verdict(what, timed.encode if timed else None, *ENCODE_SPEED, "x real time", True))
    reference = by_key.get((REFERENCE_CLASS, REFERENCE_KBIT_S))
    what = f"mean MACs/sample, speech at {REFERENCE_KBIT_S:g} kbit/s"
    verdicts.append(Verdict(what, reference.macs_mean if reference else None, *MACS_MEAN, "", False))
    peak = max((one.macs_peak for one in figures), default=None)
    verdicts.append(Verdict("peak MACs/sample, all streams", peak, max_macs, None, "", False))
    memory = max((one.decoder_bytes for one in figures if one.clip_class == REFERENCE_CLASS), default=None)
    verdicts.append(Verdict("decoder memory, largest of all speech", memory, *DECODER_BYTES, "bytes", False))
    what = "decoder code and tables, Cortex-M0+ -Os"
    verdicts.append(Verdict(what, footprint.total if footprint else None, *IMAGE_BYTES, "bytes", False))
    return verdicts
