"""gs-export: clips, the decoder and its tables in other forms; each subcommand is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

import click

from audio_gs.cli.common import HELP_NAMES, run, version_option

from .command import PROGRAM


class _Form(NamedTuple):
    module: str
    """Has the subcommand as `command`."""
    summary: str


_FORMS = {
    "c": _Form("c.command", "Clips as constant arrays in C, with an index."),
    "header": _Form("header.command", "The whole decoder as one C header."),
    "firmware": _Form("firmware.command", "A firmware project that plays clips."),
    "tables": _Form("tables.command", "The codec's fixed tables in C, NumPy and JSON."),
    "wasm": _Form("wasm.command", "The decoder for browsers and node, and a page that plays clips."),
    "onnx": _Form("onnx.command", "A clip's renderer as an ONNX graph."),
}


class _Forms(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_FORMS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _FORMS:
            return None
        command: click.Command = import_module(f".{_FORMS[cmd_name].module}", __package__).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, form.summary) for name, form in _FORMS.items()])


@click.group(cls=_Forms, no_args_is_help=False, context_settings=HELP_NAMES)
@version_option(PROGRAM)
def command() -> None:
    """Turn clips, the decoder and its tables into what build systems and runtimes take."""


def main() -> None:
    run(command, PROGRAM)
