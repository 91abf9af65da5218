"""gs-export wasm: the decoder for browsers and node, and a page that plays clips."""

from __future__ import annotations

from pathlib import Path

import click

from audio_gs.cli.common import HELP_NAMES, PATH, ExitCode, print_json, say
from audio_gs.files import check_files, write_files

from ..command import checked_clips, export_options
from .files import FILES, build_modules, folder_files

PROGRAM = "gs-export wasm"


@click.command("wasm", context_settings=HELP_NAMES)
@click.argument("inputs", nargs=-1, type=PATH, metavar="[CLIP]...")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Folder.")
@export_options
def command(inputs: tuple[str, ...], output: Path, force: bool, quiet: bool, verbose: bool, as_json: bool) -> ExitCode:
    """Write the C decoder as a WebAssembly module, scripts for browsers and node, and a page, which offers the clips.

    The page, index.html, holds everything and needs no server.
    """
    check_files(output, FILES, force)
    clips, code = checked_clips(PROGRAM, inputs, verbose)
    if code:
        return code
    modules = build_modules()
    files = folder_files(modules, [(Path(clip.name.path).name, clip.data) for clip in clips])
    write_files(output, files, force)
    page = len(files["index.html"])
    if as_json:
        print_json(
            {
                "output": str(output),
                "files": list(files),
                "clips": [clip.name.path for clip in clips],
                "module_bytes": len(modules.plain),
                "whole_module_bytes": len(modules.whole),
                "writer_bytes": len(modules.writer),
                "page_bytes": page,
            }
        )
    if not quiet:
        if verbose:
            for name in files:
                say(f"{output / name}")
        sizes = f"module {len(modules.plain)} bytes, page {page} bytes"
        say(f"{output}: {len(files)} files, {sizes}; open {output / 'index.html'}")
    return ExitCode.FINE
