"""A bank made again: clips that are as they were keep their streams, and what has changed gets the bytes that they
leave, as long as that is fair."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audio_gs.code_hash import code_hash

from .encodings import Cache, Encoding
from .search import BudgetError, Candidate, Search
from .share import Share

_WORSE, _BETTER = 0.3, 0.75
"""By how much what has changed may be worse than the worst of the others, or better, before all share anew."""


@dataclasses.dataclass(frozen=True)
class Former:
    """What a bank's record says of how it was made."""

    flash: int
    code: str
    clips: Mapping[str, Mapping[str, Any]]
    """By name: hash of the clip, what was asked for, the key of its encoding, and of all that were tried."""


def how_it_was_made(flash: int, candidates: Sequence[Candidate], found: Share, search: Search) -> dict[str, Any]:
    """What `former` reads."""
    clips = {
        one.name: {
            "content": one.content,
            "asked": _asked(one),
            "chosen": found.chosen[one.name].key,
            "tried": [encoding.key for encoding in search.encodings[one.name]],
        }
        for one in candidates
    }
    return {"flash": flash, "code": code_hash(), "clips": clips}


def former(record: Path) -> Former | None:
    """How the bank of a record was made; None where there is none."""
    try:
        made = json.loads(record.read_text(encoding="utf-8"))["made"]
        return Former(int(made["flash"]), str(made["code"]), dict(made["clips"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def for_budget_again(search: Search, budget: int, before: Former | None) -> Share:
    """As `Search.for_budget`, with the streams of a former bank for the clips that have not changed."""
    kept = _kept(search, budget, before)
    changed = [one for one in search.candidates if one.name not in kept]
    if kept and changed:
        share = _beside(search, budget, kept, changed)
        if share is not None:
            return share
    return search.for_budget(budget)


def _beside(
    search: Search, budget: int, kept: Mapping[str, tuple[Encoding, list[Encoding]]], changed: list[Candidate]
) -> Share | None:
    """The kept clips as they are and the changed ones in what is left; None where that would not be fair."""
    left = budget - sum(chosen.bytes for chosen, _ in kept.values())
    apart = Search(changed, search.cache, search.workers, search.progress)
    try:
        found = apart.for_budget(max(1, left))
    except BudgetError:
        return None
    scores = {name: chosen.quality - search.wishes[name].more for name, (chosen, _) in kept.items()}
    if not min(scores.values()) - _WORSE <= found.worst <= min(scores.values()) + _BETTER:
        return None
    search.encodings |= apart.encodings | {name: tried for name, (_, tried) in kept.items()}
    search.anew |= apart.anew
    chosen = {name: one for name, (one, _) in kept.items()} | found.chosen
    return Share(chosen, scores | found.scores)


def _kept(search: Search, budget: int, before: Former | None) -> dict[str, tuple[Encoding, list[Encoding]]]:
    """What the cache has of the clips that are as they were: the former choice, and all that was tried."""
    names = {one.name for one in search.candidates}
    if before is None or before.flash != budget or before.code != code_hash() or set(before.clips) - names:
        return {}
    kept = {}
    for one in search.candidates:
        made = before.clips.get(one.name)
        if made and made.get("content") == one.content and made.get("asked") == _asked(one):
            chosen, tried = _load(search.cache, made)
            if chosen is not None:
                kept[one.name] = (chosen, tried)
    return kept


def _load(cache: Cache, made: Mapping[str, Any]) -> tuple[Encoding | None, list[Encoding]]:
    tried = [encoding for key in made.get("tried", ()) if (encoding := cache.load(str(key))) is not None]
    return next((one for one in tried if one.key == made.get("chosen")), None), tried


def _asked(one: Candidate) -> dict[str, Any]:
    return {**one.options, **dataclasses.asdict(one.wish)}
