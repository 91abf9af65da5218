"""How clips share bytes so that the worst of them is as good as it can be.

A clip's score is its quality less what its weight is worth: equal scores are what clips are brought to.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from .curve import Curve, worthwhile
from .encodings import Encoding
from .rules import Wish

_HALVINGS = 50
_HIGHEST_SCORE, _LOWEST_SCORE = 25.0, -15.0


@dataclasses.dataclass(frozen=True)
class Share:
    """An encoding for each clip."""

    chosen: dict[str, Encoding]
    scores: dict[str, float]

    @property
    def bytes(self) -> int:
        return sum(one.bytes for one in self.chosen.values())

    @property
    def worst(self) -> float:
        return min(self.scores.values())


def share(budget: float, encodings: Mapping[str, Sequence[Encoding]], wishes: Mapping[str, Wish]) -> Share:
    """The best of what was encoded: no other choice within the budget has a better worst score, and what is left over
    goes to the worst of those that it still makes better. Clips have their floors, as near as there is anything, even
    where that is more than the budget."""
    ladders = {name: _from_floor(worthwhile(tried), wishes[name].floor) for name, tried in encodings.items()}
    places = dict.fromkeys(ladders, 0)
    size = sum(ladder[0].bytes for ladder in ladders.values())
    rising = set(ladders)

    def score(name: str) -> float:
        return ladders[name][places[name]].quality - wishes[name].more

    while rising:
        name = min(rising, key=lambda one: (score(one), one))
        ladder, place = ladders[name], places[name]
        if place + 1 == len(ladder) or size + ladder[place + 1].bytes - ladder[place].bytes > budget:
            rising.remove(name)
            continue
        places[name] += 1
        size += ladder[place + 1].bytes - ladder[place].bytes
    return Share({name: ladders[name][places[name]] for name in ladders}, {name: score(name) for name in ladders})


def _from_floor(ladder: list[Encoding], floor: float) -> list[Encoding]:
    above = [one for one in ladder if one.quality >= floor]
    return above or ladder[-1:]


def quality_of(score: float, curve: Curve, wish: Wish) -> float:
    """The quality of a clip at a score."""
    return min(curve.highest, max(score + wish.more, wish.floor))


def bytes_at(score: float, curves: Mapping[str, Curve], wishes: Mapping[str, Wish]) -> float:
    """What all clips take at a score, by their curves."""
    return sum(curve.bytes_for(quality_of(score, curve, wishes[name])) for name, curve in curves.items())


def score_within(budget: float, curves: Mapping[str, Curve], wishes: Mapping[str, Wish]) -> float:
    """The score that all clips can have within a budget, by their curves."""
    low, high = _LOWEST_SCORE, _HIGHEST_SCORE
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if bytes_at(middle, curves, wishes) <= budget else (low, middle)
    return low
