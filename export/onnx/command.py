"""gs-export onnx: the decoder, or one clip, as an ONNX model."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import click

from audio_gs.cli.common import (
    HELP_NAMES,
    PATH,
    STDIO,
    ExitCode,
    duration_option,
    for_each,
    name_of,
    print_json,
    read_stream,
    say,
    write_output,
)
from audio_gs.codec.container import parse_header
from audio_gs.errors import AudioGsError
from audio_gs.files import check_files, write_files
from audio_gs.gaussians import read_gaussians

from ..command import export_options
from .extra import need

PROGRAM = "gs-export onnx"


@click.command("onnx", context_settings=HELP_NAMES)
@click.argument("clip", required=False, type=PATH, metavar="[CLIP]")
@click.option("-o", "--output", required=True, metavar="FILE", help="Usually .onnx; - is standard output.")
@click.option(
    "--channels",
    type=click.IntRange(1, 2),
    help="1: the mid alone, as without CLIP; 2: left and right. With CLIP its own.",
)
@duration_option
@export_options
def command(
    clip: str | None,
    output: str,
    channels: int | None,
    max_duration: float,
    force: bool,
    quiet: bool,
    verbose: bool,
    as_json: bool,
) -> ExitCode:
    """Write the decoder, or one clip, as an ONNX model with standard operators only.

    Without CLIP, the model turns a table of Gaussians into samples; with it, it has no inputs and gives the samples of
    that clip. Both give them bit for bit as the decoder in C does.
    """
    need("onnx")
    if as_json and output == STDIO:
        raise click.UsageError("--json and -o - both write to standard output; give one of them")
    path = Path(output)
    if output == STDIO:
        if sys.stdout.isatty():
            raise click.UsageError("will not write binary data to a terminal; give a file or redirect")
    else:
        if clip is not None and path.exists() and Path(clip).exists() and path.samefile(clip):
            raise click.UsageError(f"{output} is both input and output")
        check_files(path.parent, [path.name], force)

    def write(content: bytes, facts: dict[str, Any]) -> None:
        from .builder import OPSET

        if output == STDIO:
            write_output(STDIO, content, force)
        else:
            write_files(path.parent, {path.name: content}, force)
        if as_json:
            digest = hashlib.sha256(content).hexdigest()
            print_json({"output": output, "bytes": len(content), "sha256": digest, "opset": OPSET, **facts})
        if not quiet:
            say(f"{name_of(output, 'standard output')}: {len(content)} bytes, opset {OPSET}")

    if clip is None:
        write(_decoder(channels or 1), {"input": None, "channels": channels or 1})
        return ExitCode.FINE

    def write_clip(_index: int, name: str) -> None:
        write(*_clip(read_stream(name), name, max_duration, channels))

    return for_each(PROGRAM, [clip], write_clip, verbose)


def _decoder(channels: int) -> bytes:
    from .graph import decoder_model, serialised

    return serialised(decoder_model(channels))


def _clip(data: bytes, name: str, max_duration: float, channels: int | None) -> tuple[bytes, dict[str, Any]]:
    """The model's bytes, and what --json says of the clip. Raises BitstreamError for a damaged stream, AudioGsError for
    one that has fewer channels."""
    from .graph import clip_facts, clip_model, serialised

    gaussians = read_gaussians(data, max_duration)
    header, _ = parse_header(data)
    channels = channels or header.channels
    if channels > header.channels:
        raise AudioGsError("it has one channel; leave out --channels 2")
    model = serialised(clip_model(header, gaussians, channels))
    return model, {"input": name, **clip_facts(header, gaussians, channels)}
