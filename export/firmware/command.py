"""gs-export firmware: a project for a board, with the decoder and clips in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from audio_gs.cli.common import HELP_NAMES, PATH, ExitCode, print_json, say
from audio_gs.codec.memory import MOST_VOICES, decoder_memory, mixer_memory
from audio_gs.errors import OptionsError
from audio_gs.files import check_files, write_files

from ..clips import CheckedClip
from ..command import checked_clips, export_options
from .project import TARGETS, project_files, project_names

PROGRAM = "gs-export firmware"


@click.command("firmware", context_settings=HELP_NAMES)
@click.argument("inputs", nargs=-1, required=True, type=PATH, metavar="CLIP...")
@click.option("--target", type=click.Choice(list(TARGETS)), required=True, help="What the project is built with.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Folder.")
@click.option(
    "--voices",
    type=click.IntRange(1, MOST_VOICES),
    default=1,
    metavar="N",
    help="Clips at once. With 1 they are played one after the other, without a mixer; with more the project is a player"
    " whose clips a call starts.  [default: 1]",
)
@export_options
def command(
    inputs: tuple[str, ...],
    target: str,
    output: Path,
    voices: int,
    force: bool,
    quiet: bool,
    verbose: bool,
    as_json: bool,
) -> ExitCode:
    """Write a firmware project that plays clips: decoder, clips as C arrays, example, build files.

    Nothing is written unless every clip decodes to its end. Clips that may sound at once have one sample rate.
    """
    layout = TARGETS[target]
    names = project_names(layout, voices)
    check_files(output, names, force)
    clips, code = checked_clips(PROGRAM, inputs, verbose)
    if code:
        return code
    if voices > 1:
        _check_rates(clips)
    write_files(output, project_files(layout, [(clip.name.identifier, clip.data) for clip in clips], voices), force)
    total = sum(len(clip.data) for clip in clips)
    memory = max(decoder_memory(clip.header) for clip in clips)
    mixer = mixer_memory(voices, memory) if voices > 1 else 0
    if as_json:
        print_json(
            {
                "output": str(output),
                "target": target,
                "files": names,
                "clips": [{"input": clip.name.path, "name": clip.name.identifier} for clip in clips],
                "bytes": total,
                "decoder_bytes_32": memory,
                "voices": voices,
                "mixer_bytes_32": mixer,
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
        room = f"mixer of {voices} voices {mixer} bytes" if mixer else f"decoder {memory} bytes"
        say(f"{output}: {len(names)} files, clips of {total} bytes, {room}; build: {layout.build}")
    return ExitCode.FINE


def _check_rates(clips: Sequence[CheckedClip]) -> None:
    """Raises OptionsError where two clips cannot be mixed."""
    first = clips[0]
    for clip in clips[1:]:
        if clip.header.sample_rate != first.header.sample_rate:
            raise OptionsError(
                f"{first.name.path} has {first.header.sample_rate} Hz and {clip.name.path} {clip.header.sample_rate};"
                " only clips of one rate are mixed: encode them at one, or leave out --voices"
            )
