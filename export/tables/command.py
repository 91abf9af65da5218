"""gs-export tables: the codec's fixed tables in C, NumPy and JSON."""

from __future__ import annotations

from pathlib import Path

import click

from audio_gs.cli.common import HELP_NAMES, ExitCode, print_json, say
from audio_gs.codec import tables
from audio_gs.files import write_files

from ..command import export_options
from .files import sha256, table_files


@click.command("tables", context_settings=HELP_NAMES)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Folder.")
@export_options
def command(output: Path, force: bool, quiet: bool, verbose: bool, as_json: bool) -> ExitCode:
    """Write the fixed tables: gs_tables.h, gs_tables.npz, and gs_tables.json with formulas and hashes."""
    files = table_files()
    write_files(output, files, force)
    listed = tables.all_tables()
    if as_json:
        hashes = {table.name: sha256(table) for table in listed}
        print_json({"output": str(output), "files": list(files), "tables": hashes})
    if not quiet:
        for table in listed if verbose else ():
            shape = " x ".join(map(str, table.values.shape))
            say(f"{table.name}: {shape} {table.q_format or 'integers'}, {table.c_type}, SHA-256 {sha256(table)}")
        say(f"{output}: {len(listed)} tables")
    return ExitCode.FINE
