"""What the subcommands of gs-export share: options, and clips as inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from audio_gs.cli.common import STDIO, ExitCode, for_each, read_stream

from .clips import CheckedClip, checked_clip
from .names import identifiers

Function = TypeVar("Function", bound=Callable[..., Any])

PROGRAM = "gs-export"


def export_options(function: Function) -> Function:
    """-f, -q, -v and --json: parameters force, quiet, verbose and as_json."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print a JSON object on standard output."),
        click.option("-v", "--verbose", is_flag=True, help="Say more on standard error."),
        click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors."),
        click.option("-f", "--force", is_flag=True, help="Overwrite."),
    ):
        function = option(function)
    return function


def checked_clips(program: str, paths: Sequence[str], verbose: bool) -> tuple[list[CheckedClip], ExitCode]:
    """The clips in these files, named, and the highest exit code; each one that is bad is complained of on standard
    error, in one line.

    Raises click.UsageError for standard input, which has no name, and OptionsError where two names would be one.
    """
    if STDIO in paths:
        raise click.UsageError("standard input has no name to make one from; give files")
    names = identifiers(paths)
    clips: list[CheckedClip] = []

    def check(index: int, path: str) -> None:
        clips.append(checked_clip(names[index], read_stream(path)))

    return clips, for_each(program, paths, check, verbose)
