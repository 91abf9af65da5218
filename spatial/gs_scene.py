"""gs-scene: scenes simulated, learned, evaluated and listened to; each subcommand is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module

import click

from audio_gs.cli.common import HELP_NAMES, run, version_option

from .commands import PROGRAM

_COMMANDS = {
    "simulate": "A room, sources and a listener on walks through it, as recordings.",
    "train": "A model of a scene's recordings.",
    "evaluate": "Models and baselines at poses that nothing was learnt from.",
    "render": "What is heard at a new pose.",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f".commands.{cmd_name}", __package__).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Commands, no_args_is_help=False, context_settings=HELP_NAMES)
@version_option(PROGRAM)
def command() -> None:
    """Learn what a scene sounds like from recordings at known poses, and hear it at new ones."""


def main() -> None:
    run(command, PROGRAM)
