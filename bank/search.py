"""The search for the rate of each clip: encode at a few, draw the curve between, encode where the shares fall, go on
until nothing more is to be gained."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from audio_gs.audio_io import Clip
from audio_gs.encoder.control.quality import typical_kbit_s
from audio_gs.errors import AudioGsError
from audio_gs.parallel import Workers

from .curve import Curve
from .encodings import Cache, Encoding, Job, encode_all
from .rules import Wish
from .share import Share, quality_of, score_within, share

LOWEST_KBIT_S, HIGHEST_KBIT_S = 1.0, 64.0
"""Rates that clips are encoded at."""
_PROBES = (1.0, 0.5, 2.0)
"""Of the rate that all would have if it were one."""
_HIGHEST_EVEN = 16.0
"""That rate is taken for no higher, where there is flash for more: most clips are as good as the scale goes there."""
_NEAR = (0.2, 0.06, 0.02, 0.02)
"""How near an encoding must lie to the bytes that a clip is to have, as a share of them, round by round: who has been
encoded near enough before waits for the others. In the last rounds hardly above, or not all would fit."""
_AIM = 0.998
"""Share of the flash that is aimed at, for rates are rounded."""
_STEP = 0.004
_CLOSING = 4
_PART_A_ROUND = 0.7
"""Of what is left to do, which nobody knows."""
_GAIN = 0.1
"""Of the worst score, for which it is not worth going on."""
_LEAST_STEP = 0.03
"""Of the bytes of the worst clip, that it is tried with more."""
_BYTES_A_KBIT = 125

Progress = Callable[[float, str], None]


class BudgetError(AudioGsError):
    """The clips do not fit; the text says by how much, and what would help."""


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A clip of the bank and what is asked of it."""

    name: str
    clip: Clip
    content: str
    """Hash of the clip."""
    duration: float
    """Of its streams, seconds."""
    wish: Wish
    options: Mapping[str, Any]
    """Of the encoder, by name, all but rate and preset."""


@dataclasses.dataclass
class Search:
    """What has been encoded so far."""

    candidates: Sequence[Candidate]
    cache: Cache
    workers: Workers
    progress: Progress

    def __post_init__(self) -> None:
        self.encodings: dict[str, list[Encoding]] = {one.name: [] for one in self.candidates}
        self.anew: set[str] = set()
        """Names of clips that were not all in the cache."""
        self._presets: dict[str, str] = {}
        self._rounds = 0

    @property
    def wishes(self) -> dict[str, Wish]:
        return {one.name: one.wish for one in self.candidates}

    @property
    def curves(self) -> dict[str, Curve]:
        return {name: Curve.through(tried) for name, tried in self.encodings.items()}

    def for_budget(self, budget: int) -> Share:
        """The best share of so many bytes. Raises BudgetError where the clips do not fit."""
        even = budget / _BYTES_A_KBIT / sum(one.duration for one in self.candidates)
        self._probe(even)
        for near in _NEAR:
            score = score_within(budget, self.curves, self.wishes)
            found = share(budget, self.encodings, self.wishes)
            if found.bytes <= budget and found.worst > score - _GAIN:
                break
            self._encode(self._wanted(score_within(_AIM * budget, self.curves, self.wishes), near))
        for _ in range(_CLOSING):
            found = share(budget, self.encodings, self.wishes)
            score = score_within(budget, self.curves, self.wishes)
            if found.bytes <= budget and found.worst > score - _GAIN:
                break
            if not self._encode(self._closer(found, budget)):
                break
        found = share(budget, self.encodings, self.wishes)
        if found.bytes > budget:
            self._encode_at({one.name: LOWEST_KBIT_S for one in self.candidates})
            found = share(budget, self.encodings, self.wishes)
        if found.bytes > budget:
            raise BudgetError(self._why_not(budget))
        return found

    def for_score(self, score: float) -> Share:
        """The fewest bytes with which each clip has a score, as far as it can have it."""
        self._probe(typical_kbit_s(score))
        for near in _NEAR:
            self._encode(self._wanted(score, near))
        for tried in range(_CLOSING):
            # What falls short of a quality moves the curve, and the next try, to the right.
            dear = {}
            for name, curve in self.curves.items():
                wanted = quality_of(score, curve, self.wishes[name])
                size = curve.bytes_for(wanted)
                if not any(one.quality >= wanted and one.bytes <= (1 + _NEAR[-1]) * size for one in curve.points):
                    dear[name] = (1 + _STEP * tried) * size
            if not self._encode(dear):
                break
        least = {}
        for name, curve in self.curves.items():
            wanted = quality_of(score, curve, self.wishes[name])
            least[name] = next((one for one in curve.points if one.quality >= wanted), curve.points[-1])
        return Share(least, {name: one.quality - self.wishes[name].more for name, one in least.items()})

    def _probe(self, even: float) -> None:
        """Encode at the rate that all would have if it were one, half and twice that; the first finds the preset."""
        even = min(_HIGHEST_EVEN, max(LOWEST_KBIT_S, even))
        for factor in _PROBES:
            self._encode_at({one.name: even * factor for one in self.candidates})

    def _wanted(self, score: float, near: float) -> dict[str, float]:
        """The bytes at a score of the clips that have no encoding so near to them."""
        wanted = {}
        for name, curve in self.curves.items():
            size = curve.bytes_for(quality_of(score, curve, self.wishes[name]))
            above = near if near > _NEAR[-1] else _STEP
            if not any(-near < math.log(one.bytes / size) < above for one in self.encodings[name]):
                wanted[name] = size
        return wanted

    def _closer(self, found: Share, budget: int) -> dict[str, float]:
        """What the worst clip could have beside the others as they are; or, where they exceed the budget, smaller
        ones."""
        left = budget - found.bytes
        if left < 0:
            return {
                name: 0.97 * one.bytes
                for name, one in found.chosen.items()
                if one.quality > self.wishes[name].floor + _GAIN
            }
        name = min(found.scores, key=lambda one: (found.scores[one], one))
        # A stream has at most the bytes that are asked for. Few bytes go to and fro by what the encoder happens on.
        return {name: found.chosen[name].bytes + max(left, _LEAST_STEP * found.chosen[name].bytes)}

    def _encode(self, sizes: Mapping[str, float]) -> bool:
        """Encode clips to bytes; whether that gave anything that was not there."""
        durations = {one.name: one.duration for one in self.candidates}
        before = sum(map(len, self.encodings.values()))
        self._encode_at({name: size / _BYTES_A_KBIT / durations[name] for name, size in sizes.items()})
        return sum(map(len, self.encodings.values())) > before

    def _encode_at(self, rates: Mapping[str, float]) -> dict[str, Encoding]:
        """Encode clips at kbit/s."""
        clips = [one for one in self.candidates if one.name in rates]
        done = self._rounds

        def progress(fraction: float, text: str) -> None:
            self.progress(1 - _PART_A_ROUND ** (done + fraction), text)

        found, anew = encode_all([self._job(one, rates[one.name]) for one in clips], self.cache, self.workers, progress)
        self._rounds += 1
        self.anew |= {one.name for one in clips if one.content in anew}
        for one, encoding in zip(clips, found, strict=True):
            known = self.encodings[one.name]
            if encoding not in known:
                known.append(encoding)
            self._presets.setdefault(one.name, encoding.preset)
        return {one.name: encoding for one, encoding in zip(clips, found, strict=True)}

    def _job(self, one: Candidate, kbit_s: float) -> Job:
        preset = one.wish.preset if one.wish.preset != "auto" else self._presets.get(one.name, "auto")
        rate = min(HIGHEST_KBIT_S, max(LOWEST_KBIT_S, kbit_s))
        # Four digits: what differs by less is one encoding.
        options = {**one.options, "bitrate": float(f"{rate:.4g}"), "preset": preset}
        if one.clip.loop is not None:
            options["loop"] = list(one.clip.loop)
        return Job(one.clip, one.content, options)

    def _why_not(self, budget: int) -> str:
        """Why the clips do not fit, once their smallest encodings are known."""
        least = {name: min(one.bytes for one in tried) for name, tried in self.encodings.items()}
        over = sum(least.values()) - budget
        if over <= 0:
            asked = [one.name for one in self.candidates if one.wish.floor > 0]
            curves = self.curves
            more = sum(curves[name].bytes_for(self.wishes[name].floor) - least[name] for name in asked) + over
            return (
                f"the floors take about {max(1, round(more))} bytes more than the {budget} that there are; lower those "
                f"of {', '.join(asked)}, drop clips, or give more flash"
            )
        dropped, saved = [], 0
        for name in sorted(least, key=lambda one: (-least[one], one)):
            if saved >= over:
                break
            dropped.append(name)
            saved += least[name]
        return (
            f"the clips take {sum(least.values())} bytes at the lowest rate, {LOWEST_KBIT_S:g} kbit/s, {over} more "
            f"than the {budget} that there are; drop {', '.join(dropped)}, or give more flash"
        )
