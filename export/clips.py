"""Clips on their way out: read, named, and decoded from end to end before anything is written."""

from __future__ import annotations

import dataclasses

from audio_gs.codec.container import StreamHeader, check_stream
from audio_gs.codec.native import NativeDecoder
from audio_gs.errors import AudioGsError

from .names import ClipName


@dataclasses.dataclass(frozen=True)
class CheckedClip:
    """A whole, undamaged stream."""

    name: ClipName
    data: bytes
    header: StreamHeader


def check_stream_to_its_end(data: bytes) -> StreamHeader:
    """The header of a stream that decodes to its last sample with every check fitting.

    Takes little memory and no time for the length that the stream states. Raises BitstreamError for a damaged one,
    and AudioGsError for one whose tones cost twice what its header promises.
    """
    header = check_stream(data)
    NativeDecoder(data).check()
    return header


def checked_clip(name: ClipName, data: bytes) -> CheckedClip:
    """A stream under its name. Raises BitstreamError for a damaged one, AudioGsError for one of two channels."""
    header = check_stream_to_its_end(data)
    if header.channels == 2:
        raise AudioGsError("it has two channels, and what is exported plays one; encode the sound in mono")
    return CheckedClip(name, data, header)
