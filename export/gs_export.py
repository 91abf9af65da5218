"""The command gs-export: one subcommand for each form, imported when it is asked for."""

from __future__ import annotations

from importlib import import_module

import click

_MODULES = {
    "c": "arrays_command",
    "header": "header_command",
    "firmware": "firmware_command",
    "tables": "tables_command",
    "onnx": "onnx_command",
}


class _Forms(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _MODULES:
            return None
        command: click.Command = import_module(f".{_MODULES[cmd_name]}", __package__).command
        return command


@click.group(cls=_Forms)
def main() -> None:
    """Turn clips, the decoder and its tables into what build systems and runtimes take."""
