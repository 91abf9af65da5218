"""The memory that a decoder takes on the machines that clips are exported to."""

from __future__ import annotations

import functools
import re
from ctypes import c_void_p, sizeof

from audio_gs.codec.container import StreamHeader
from audio_gs.codec.decoder_source import find_decoder_source
from audio_gs.codec.native import decoder_bytes
from audio_gs.errors import AudioGsError

POINTER_BYTES = 4
"""On a 32-bit machine."""


def decoder_bytes_32(header: StreamHeader) -> int:
    """Memory that the C decoder needs on a 32-bit machine for a stream with this header, in bytes, as GS_DECODER_BYTES
    gives it there; tables and stack not counted."""
    return decoder_bytes(header) - _pointers() * (sizeof(c_void_p) - POINTER_BYTES)


@functools.cache
def _pointers() -> int:
    """How many pointers a decoder holds: all that makes its size depend on the machine."""
    text = (find_decoder_source() / "include" / "audio_gs.h").read_text(encoding="utf-8")
    found = re.search(r"#define GS_DECODER_FIXED_BYTES \(\d+u \+ (\d+)u \* sizeof\(void \*\)\)", text)
    if found is None:
        raise AudioGsError("audio_gs.h does not state the size of a decoder as it used to")
    return int(found.group(1))
