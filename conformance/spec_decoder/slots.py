"""SPEC 3, Slots: the Gaussians that begin in a slot, and what both kinds of them share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from .container import Header
from .range_coder import Context, RangeDecoder, trained_context
from .tables import prior

if TYPE_CHECKING:
    from collections.abc import Iterator


class Kind(Protocol):
    """A kind of Gaussian while a segment is read: its scales and its syntax (4.2, 5.2)."""

    scales: int
    more: list[list[list[Context]]]  # of each scale: MORE[5][4]

    def support(self, j: int) -> int:
        """Samples that a Gaussian of scale number j lasts; its hop is a quarter of that."""

    def longest(self, j: int) -> int:
        """What S1 reckons with."""

    def begin(self) -> None:
        """Is told that the Gaussians of another scale or slot follow."""

    def read(self, coder: RangeDecoder, j: int, i: int, slot_start: int) -> Any:
        """Gaussian number i of scale number j in the slot."""


class Contexts:
    """The contexts of a table set, dealt out in the order of R2."""

    def __init__(self, table_set: int) -> None:
        self._priors = prior(table_set)
        self._at = 0

    def skip_to(self, at: int) -> None:
        self._at = at

    def row(self, count: int) -> list[Context]:
        self._at += count
        return [trained_context(byte) for byte in self._priors[self._at - count : self._at]]

    def rows(self, rows: int, count: int) -> list[list[Context]]:
        return [self.row(count) for _ in range(rows)]


def read_onset(coder: RangeDecoder, slot_start: int, slot: int, hop: int) -> int:
    """The first sample of a Gaussian's support."""
    if hop >= slot:
        return slot_start
    return slot_start + hop * coder.direct((slot // hop).bit_length() - 1)


class SlotReader:
    """The slots of one segment, as far as Gaussians go."""

    def __init__(self, header: Header, kinds: list[Kind]) -> None:
        self._header, self._kinds = header, kinds
        self._before = [[0] * kind.scales for kind in kinds]

    def gaussians(self, coder: RangeDecoder, s: int) -> Iterator[tuple[int, Any]]:
        """Each Gaussian of slot s with its kind's number, as it is met."""
        start = s * self._header.slot
        for number, kind in enumerate(self._kinds):
            before, here = self._before[number], 0
            for j in scales_in_slot(self._header, kind, s):
                activity = min(4, (2 * before[j] + here).bit_length())
                kind.begin()
                i = 0
                while coder.decode(kind.more[j][activity][min(i, 3)]):
                    yield number, kind.read(coder, j, i, start)
                    i += 1
                before[j] = i
                here += i


def scales_in_slot(header: Header, kind: Kind, s: int) -> list[int]:
    """The scales that occur in slot s, the smallest first (S1)."""
    slot = header.slot
    return [
        j
        for j in range(kind.scales)
        if s >= -max(1, kind.longest(j) >> header.slot_log2) and (s * slot) % max(slot, kind.support(j) // 4) == 0
    ]
