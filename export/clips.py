"""Clips on their way out: read, named, and decoded from end to end before anything is written."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import click

from audio_gs import api
from audio_gs.cli.common import STDIO, ExitCode, for_each, read_stream
from audio_gs.codec.container import StreamHeader, check_stream

from .names import ClipName, identifiers


@dataclasses.dataclass(frozen=True)
class CheckedClip:
    """A whole, undamaged stream."""

    name: ClipName
    data: bytes
    header: StreamHeader


def check_stream_to_its_end(data: bytes) -> StreamHeader:
    """The header of a stream that decodes to its last sample with every check fitting.

    Takes little memory, however long the stream says it is. Raises BitstreamError for a damaged one.
    """
    check_stream(data)
    decoder = api.StreamDecoder(data)
    for _ in decoder.blocks(api.BLOCK_SAMPLES):
        pass
    return decoder.header


def checked_clips(program: str, paths: Sequence[str], verbose: bool) -> tuple[list[CheckedClip], ExitCode]:
    """The clips in these files, named, and the highest exit code; each one that is bad is complained of on standard
    error, in one line.

    Raises click.UsageError for standard input, which has no name, and OptionsError where two names would be one.
    """
    if STDIO in paths:
        raise click.UsageError("standard input has no name to make one from; give files")
    names = identifiers(paths)
    clips: list[CheckedClip] = []

    def check(index: int, path: str) -> None:
        data = read_stream(path)
        clips.append(CheckedClip(names[index], data, check_stream_to_its_end(data)))

    return clips, for_each(program, paths, check, verbose)
