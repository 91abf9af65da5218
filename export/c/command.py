"""gs-export c: clips as constant arrays in C."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audio_gs.cli.common import HELP_NAMES, PATH, ExitCode, print_json, say
from audio_gs.codec.memory import decoder_memory
from audio_gs.files import check_files, write_files

from ..clips import CheckedClip
from ..command import PROGRAM, checked_clips, export_options
from .arrays import HEADER_NAME, SOURCE_NAME, clip_sources


@click.command("c", context_settings=HELP_NAMES)
@click.argument("inputs", nargs=-1, required=True, type=PATH, metavar="CLIP...")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Folder.")
@export_options
def command(inputs: tuple[str, ...], output: Path, force: bool, quiet: bool, verbose: bool, as_json: bool) -> ExitCode:
    """Write clips as C arrays with an index: audio_gs_clips.h and audio_gs_clips.c.

    They are named after their files. Nothing is written unless every clip decodes to its end.
    """
    check_files(output, (HEADER_NAME, SOURCE_NAME), force)
    clips, code = checked_clips(PROGRAM, inputs, verbose)
    if code:
        return code
    write_files(output, clip_sources([(clip.name.identifier, clip.data) for clip in clips]), force)
    total = sum(len(clip.data) for clip in clips)
    memory = max(decoder_memory(clip.header) for clip in clips)
    if as_json:
        print_json(
            {
                "output": str(output),
                "files": [HEADER_NAME, SOURCE_NAME],
                "clips": [_facts(clip) for clip in clips],
                "bytes": total,
                "decoder_bytes_32": memory,
            }
        )
    if not quiet:
        for clip in clips:
            if clip.name.changed:
                say(f"{PROGRAM}: {clip.name.notice}")
            if verbose:
                say(f"{clip.name.path}: {len(clip.data)} bytes, decoder {decoder_memory(clip.header)} bytes")
        count = "1 clip" if len(clips) == 1 else f"{len(clips)} clips"
        say(f"{output}: {count}, {total} bytes, decoder for any of them {memory} bytes on a 32-bit machine")
    return ExitCode.FINE


def _facts(clip: CheckedClip) -> dict[str, Any]:
    header = clip.header
    return {
        "input": clip.name.path,
        "name": clip.name.identifier,
        "bytes": len(clip.data),
        "sample_rate": header.sample_rate,
        "samples": header.samples,
        "loop": list(header.loop) if header.loop else None,
        "max_tones": header.max_tones,
        "scales": header.scales,
        "max_noises": header.max_noises,
        "noise_frame_samples": header.noise.frame_samples if header.noise else 0,
        "residual": header.residual is not None,
        "peak_macs": header.peak_macs,
        "decoder_bytes_32": decoder_memory(header),
    }
