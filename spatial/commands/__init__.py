"""The subcommands of gs-scene, and what they share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

PROGRAM = "gs-scene"
FOLDER = click.Path(path_type=Path)
Function = TypeVar("Function", bound=Callable[..., Any])


class Numbers(click.ParamType):  # type: ignore[type-arg]
    """Numbers with commas between them, so many of them."""

    name = "numbers"

    def __init__(self, fewest: int, most: int) -> None:
        self.fewest, self.most = fewest, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """The numbers; fails where they are none, too many or too few, or not finite."""
        try:
            numbers = tuple(float(part) for part in str(value).split(","))
        except ValueError:
            numbers = ()
        if not self.fewest <= len(numbers) <= self.most or not all(abs(number) < 1e6 for number in numbers):
            count = str(self.fewest) if self.fewest == self.most else f"{self.fewest} to {self.most}"
            self.fail(f"{value} is not {count} numbers with commas between them", param, ctx)
        return numbers


def scene_options(function: Function) -> Function:
    """What a set's files leave open; parameters of `audio_gs.spatial.layouts.Options`."""
    for option in (
        click.option(
            "--unseen",
            type=Numbers(1, 7),
            default="4,8",
            show_default=True,
            metavar="N,...",
            help="Viewpoints to test on (Replay-NVAS).",
        ),
        click.option("--cameras", type=FOLDER, metavar="FILE", help="Places of the cameras (Replay-NVAS)."),
        click.option(
            "--source-at", "source", type=Numbers(3, 3), metavar="X,Y,Z", help="Where the source is, in metres."
        ),
        click.option(
            "--metres-a-unit",
            type=click.FloatRange(min=0, min_open=True),
            default=1.0,
            show_default=True,
            help="What a unit of coordinates is (RWAVS).",
        ),
    ):
        function = option(function)
    return function
