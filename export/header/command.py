"""gs-export header: the whole decoder as one C header."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import click

from audio_gs.cli.common import HELP_NAMES, STDIO, CommandError, ExitCode, print_json, say, write_output
from audio_gs.codec.decoder_source import find_decoder_source
from audio_gs.files import check_files, write_files

from ..command import export_options
from .single_header import SourceError, single_header


@click.command("header", context_settings=HELP_NAMES)
@click.option("-o", "--output", required=True, metavar="FILE", help="Usually audio_gs.h; - is standard output.")
@export_options
def command(output: str, force: bool, quiet: bool, verbose: bool, as_json: bool) -> ExitCode:
    """Write the decoder as one header for C99 and C++.

    It declares what include/audio_gs.h declares; the file that defines AUDIO_GS_IMPLEMENTATION before it includes the
    header also gets the decoder itself.
    """
    path = Path(output)
    if output == STDIO:
        if as_json:
            raise click.UsageError("--json and -o - both write to standard output; give one of them")
    else:
        if output.endswith(("/", os.sep)) or path.name in ("", "..") or path.is_dir():
            raise click.UsageError(f"{output!r} is no name of a file; give one, like audio_gs.h")
        if not path.parent.is_dir():
            raise CommandError(f"cannot write {output}: the folder {path.parent} does not exist")
        check_files(path.parent, [path.name], force)
    source = find_decoder_source()
    try:
        content = single_header(source).encode("utf-8")
    except SourceError as error:
        raise CommandError(str(error)) from None
    if output == STDIO:
        write_output(STDIO, content, force)
    else:
        write_files(path.parent, {path.name: content}, force)
    if as_json:
        print_json({"output": output, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()})
    if verbose and not quiet:
        say(f"made from {source}")
    if not quiet:
        say(f"{'standard output' if output == STDIO else output}: {len(content)} bytes")
    return ExitCode.FINE
