"""gs-export firmware: a project for a board, with the decoder and clips in it."""

from __future__ import annotations

from pathlib import Path

import click

from audio_gs.cli.common import HELP_NAMES, PATH, ExitCode, print_json, say
from audio_gs.codec.memory import decoder_memory
from audio_gs.files import check_files, write_files

from ..command import checked_clips, export_options
from .project import TARGETS, project_files, project_names

PROGRAM = "gs-export firmware"


@click.command("firmware", context_settings=HELP_NAMES)
@click.argument("inputs", nargs=-1, required=True, type=PATH, metavar="CLIP...")
@click.option("--target", type=click.Choice(list(TARGETS)), required=True, help="What the project is built with.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Folder.")
@export_options
def command(
    inputs: tuple[str, ...], target: str, output: Path, force: bool, quiet: bool, verbose: bool, as_json: bool
) -> ExitCode:
    """Write a firmware project that plays clips: decoder, clips as C arrays, example, build files.

    Nothing is written unless every clip decodes to its end.
    """
    layout = TARGETS[target]
    names = project_names(layout)
    check_files(output, names, force)
    clips, code = checked_clips(PROGRAM, inputs, verbose)
    if code:
        return code
    write_files(output, project_files(layout, [(clip.name.identifier, clip.data) for clip in clips]), force)
    total = sum(len(clip.data) for clip in clips)
    memory = max(decoder_memory(clip.header) for clip in clips)
    if as_json:
        print_json(
            {
                "output": str(output),
                "target": target,
                "files": names,
                "clips": [{"input": clip.name.path, "name": clip.name.identifier} for clip in clips],
                "bytes": total,
                "decoder_bytes_32": memory,
                "build": layout.build,
            }
        )
    if not quiet:
        for clip in clips:
            if clip.name.changed:
                say(f"{PROGRAM}: {clip.name.notice}")
        if verbose:
            for name in names:
                say(f"{output / name}")
        say(f"{output}: {len(names)} files, clips of {total} bytes, decoder {memory} bytes; build: {layout.build}")
    return ExitCode.FINE
