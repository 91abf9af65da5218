"""Results of other codecs on the same clips, from a CSV with columns clip, codec, kbps, snr and perhaps channels."""

from __future__ import annotations

import csv
import dataclasses
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..cli.common import CommandError

RIVALS = {"Opus": ("opus20", "opus60"), "MP3": ("mp3abr", "mp3cbr")}
Curve = list[tuple[float, float]]


@dataclasses.dataclass(frozen=True)
class RivalFigure:
    """Mean SNR of a rival at a rate."""

    snr_db: float
    clips: int
    """How many of the clips have been measured on both sides of the rate."""


class Rivals:
    """Curves of SNR over rate, by clip and codec."""

    def __init__(self, curves: dict[tuple[str, str], Curve]) -> None:
        self._curves = {key: sorted(curve) for key, curve in curves.items()}

    def snr_at(self, clip: str, rival: str, kbit_s: float) -> float | None:
        """SNR in dB of the better of a rival's variants, interpolated in the rate; None outside what was measured."""
        found = []
        for codec in RIVALS[rival]:
            curve = self._curves.get((clip, codec), [])
            if curve and curve[0][0] <= kbit_s <= curve[-1][0]:
                rates, levels = zip(*curve, strict=True)
                found.append(float(np.interp(kbit_s, rates, levels)))
        return max(found, default=None)

    def mean_at(self, clips: Iterable[str], rival: str, kbit_s: float) -> RivalFigure | None:
        """Mean over those clips for which the rival was measured around the rate; None if there are none."""
        levels = [level for clip in clips if (level := self.snr_at(clip, rival, kbit_s)) is not None]
        return RivalFigure(float(np.mean(levels)), len(levels)) if levels else None


def read_rivals(path: Path) -> Rivals:
    """Curves of all clips that were coded as one channel, as ours are. Raises CommandError for a file that is no such
    table."""
    curves: dict[tuple[str, str], Curve] = defaultdict(list)
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                if row["snr"] and row["kbps"] and row.get("channels", "1") == "1":
                    curves[row["clip"], row["codec"]].append((float(row["kbps"]), float(row["snr"])))
    except (KeyError, TypeError, ValueError, csv.Error):
        raise CommandError(f"{path} is not CSV with columns clip, codec, kbps and snr") from None
    return Rivals(curves)
