"""How far the encoder is, told in a fraction that never falls."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float, str], None]
"""Takes a fraction 0..1 and a text."""


def _nobody(_fraction: float, _text: str) -> None:
    return None


def rising(report: Progress | None) -> Progress:
    """The same, told the highest fraction so far: how near its end a search is, is a guess that a later one may take
    back."""
    if report is None:
        return _nobody
    highest = 0.0

    def told(fraction: float, text: str) -> None:
        nonlocal highest
        highest = max(highest, fraction)
        report(highest, text)

    return told


class Span:
    """A part of the whole work; what it is told, 0..1, is a place in it."""

    def __init__(self, report: Progress | None = None, low: float = 0.0, high: float = 1.0) -> None:
        self._report = report or _nobody
        self._low, self._high = low, high

    def __call__(self, fraction: float, text: str) -> None:
        self._report(self._low + (self._high - self._low) * min(1.0, max(0.0, fraction)), text)

    def part(self, low: float, high: float) -> Span:
        """The span between two places of this one, 0..1."""
        width = self._high - self._low
        return Span(self._report, self._low + low * width, self._low + high * width)

    def try_number(self, number: int) -> Span:
        """The span of a try, from 0 on, where nobody knows how many there will be: each takes half of what is left."""
        return self.part(1 - 0.5**number, 1 - 0.5 ** (number + 1))
