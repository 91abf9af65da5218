"""What the page's players hold: clips, their original, ours at a rate, and the rivals at the rate nearest to it."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from audio_gs.audio_io import load, to_flac, to_pcm
from audio_gs.codec.tables import FULL_SCALE
from audio_gs.errors import AudioGsError, AudioInputError

from ...results import OURS, Cell, ClipFacts, Results
from .labels import codec_order, metric_label, metric_order
from .overlay import stream_overlay

USUAL_RATES = (6.0, 12.0)
USUAL_CLIPS_PER_CLASS = 3
MATCHED_WITHIN = 2.0
"""A rival whose nearest rate is further off than this factor is no match."""
OURS_WITHIN = 1.5
"""The same for ours and the rate that the page offers."""


class Sounds:
    """FLAC files as base64, each kept once."""

    def __init__(self) -> None:
        self.encoded: list[str] = []
        self._known: dict[bytes, int] = {}

    def add(self, flac: bytes) -> int:
        """The file's number."""
        if flac not in self._known:
            self._known[flac] = len(self.encoded)
            self.encoded.append(base64.b64encode(flac).decode("ascii"))
        return self._known[flac]


def choose_rates(results: Results, wanted: Sequence[float] | None) -> list[float]:
    """The nominal rates of ours that lie nearest to the wanted ones, ascending."""
    measured = {cell.nominal_kbit_s for cell in results.cells if cell.codec == OURS and cell.audio}
    if not measured:
        return []
    return sorted({min(measured, key=lambda rate: abs(math.log(rate / one))) for one in wanted or USUAL_RATES})


def choose_clips(results: Results, rates: Sequence[float], per_class: int | None) -> list[ClipFacts]:
    """Clips spread evenly, within each class, from the one that comes out worst to the one that comes out best.

    The order is that of our first metric at the lowest of the rates, so a page never shows the good ones alone.
    """
    limit = USUAL_CLIPS_PER_CLASS if per_class is None else per_class
    chosen = []
    for clip_class in dict.fromkeys(clip.clip_class for clip in results.clips):
        clips = [clip for clip in results.clips if clip.clip_class == clip_class]
        chosen += _evenly(_worst_first(results, clips, rates), limit)
    return chosen


def describe_clip(
    results: Results, clip: ClipFacts, rates: Sequence[float], cache: Path, sounds: Sounds
) -> dict[str, Any]:
    """A clip as the page's script wants it; what cannot be heard is listed with the reason."""
    cells = [cell for cell in results.cells if cell.clip == clip.name]
    original, problem = _original(clip, sounds)
    groups = []
    for rate in rates:
        ours = _near(cells, rate)
        if ours is None:
            groups.append({"nominal": rate, "sources": [], "absent": [[OURS, _why_not_ours(cells, rate)]]})
            continue
        sources, absent = [], []
        for cell, reason in [(ours, ""), *_rivals(cells, ours.kbit_s)]:
            sound = None if reason else _sound(cell, cache, sounds)
            if sound is None:
                absent.append([cell.codec, reason or "its audio is not in the cache; run gs-bench again"])
            else:
                sources.append(_source(cell, sound, cache))
        groups.append({"nominal": rate, "sources": sources, "absent": absent})
    return {
        "name": clip.name,
        "class": clip.clip_class,
        "sampleRate": clip.sample_rate,
        "channels": clip.channels,
        "seconds": clip.seconds,
        "original": original,
        "problem": problem,
        "rates": groups,
    }


def _worst_first(results: Results, clips: list[ClipFacts], rates: Sequence[float]) -> list[ClipFacts]:
    """By the first metric that has a value for most of them; those without one come first."""
    lowest = [_near([cell for cell in results.cells if cell.clip == clip.name], rates[0]) for clip in clips if rates]
    figures: dict[str, dict[str, float]] = {}
    for cell in filter(None, lowest):
        for metric, value in cell.metrics.items():
            if value is not None and math.isfinite(value):
                sign = -1 if metric_label(metric).better == "lower" else 1
                figures.setdefault(metric, {})[cell.clip] = sign * value
    most = max((len(values) for values in figures.values()), default=0)
    widest = metric_order({metric for metric, values in figures.items() if len(values) == most})
    known = figures[widest[0]] if widest else {}
    return sorted(clips, key=lambda clip: known.get(clip.name, -math.inf))


def _evenly(clips: list[ClipFacts], limit: int) -> list[ClipFacts]:
    if limit >= len(clips):
        return clips
    if limit <= 1:
        return clips[len(clips) // 2 :][:limit]
    return [clips[round(step * (len(clips) - 1) / (limit - 1))] for step in range(limit)]


def _near(cells: list[Cell], rate: float) -> Cell | None:
    """Ours whose nominal rate is nearest: classes of clips need not be measured at the same rates."""
    heard = [cell for cell in cells if cell.codec == OURS and cell.audio]
    nearest = min(heard, key=lambda cell: abs(math.log(cell.nominal_kbit_s / rate)), default=None)
    if nearest is None or not 1 / OURS_WITHIN <= nearest.nominal_kbit_s / rate <= OURS_WITHIN:
        return None
    return nearest


def _why_not_ours(cells: list[Cell], rate: float) -> str:
    failed = [cell.error for cell in cells if cell.codec == OURS and cell.nominal_kbit_s == rate and cell.error]
    return failed[0] if failed else f"not measured near {rate:g} kbit/s"


def _rivals(cells: list[Cell], kbit_s: float) -> list[tuple[Cell, str]]:
    """The nearest cell of each rival, and why it is not played ('' if it is)."""
    nearest = []
    for codec in codec_order({cell.codec for cell in cells if cell.codec != OURS}):
        tried = [cell for cell in cells if cell.codec == codec]
        heard = [cell for cell in tried if cell.audio and not cell.error and cell.kbit_s > 0]
        if not heard:
            nearest.append((tried[0], next((cell.error for cell in tried if cell.error), None) or "no audio was kept"))
            continue
        best = min(heard, key=lambda cell: abs(math.log(cell.kbit_s / kbit_s)))
        factor = max(best.kbit_s / kbit_s, kbit_s / best.kbit_s)
        far = f"its nearest rate is {best.kbit_s:.1f} kbit/s" if factor > MATCHED_WITHIN else ""
        nearest.append((best, far))
    return nearest


def _source(cell: Cell, sound: int, cache: Path) -> dict[str, Any]:
    described = {
        "codec": cell.codec,
        "variant": cell.variant,
        "kbitS": cell.kbit_s,
        "bytes": cell.payload_bytes,
        "metrics": {key: _finite(value) for key, value in cell.metrics.items()},
        "marks": cell.marks,
        "sound": sound,
    }
    if cell.stream:
        try:
            described["gaussians"] = stream_overlay((cache / cell.stream).read_bytes())
        except (OSError, AudioGsError) as error:
            described["overlayProblem"] = f"its Gaussians cannot be drawn: {error}"
    return described


def _original(clip: ClipFacts, sounds: Sounds) -> tuple[int | None, str]:
    try:
        audio = load(clip.path)
    except (OSError, AudioInputError) as error:
        return None, f"the original cannot be read: {error}"
    return sounds.add(to_flac(to_pcm(audio.samples * FULL_SCALE), audio.sample_rate)), ""


def _sound(cell: Cell, cache: Path, sounds: Sounds) -> int | None:
    try:
        audio = load(cache / str(cell.audio))
    except (OSError, AudioInputError):
        return None
    # The cache keeps 24 bits for the metrics; 16 are enough to listen to.
    return sounds.add(to_flac(to_pcm(audio.samples * FULL_SCALE), audio.sample_rate))


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def matched_note(per_class: int | None) -> str:
    """How clips and rates were chosen, in a sentence for the page."""
    limit = USUAL_CLIPS_PER_CLASS if per_class is None else per_class
    return (
        f"At most {limit} clips of each class, spread evenly from the one that comes out worst for us to the one that "
        f"comes out best. A rival plays at its true rate nearest to ours, and not at all where that is more than "
        f"{MATCHED_WITHIN:g} times off."
    )
