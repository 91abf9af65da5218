"""The options that the subcommands of gs-export share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])

PROGRAM = "gs-export"
HELP_NAMES = {"help_option_names": ["-h", "--help"]}


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
