"""The memory of the C decoder for the streams of a class, on any machine: what the library says on this one, but for
the size of a pointer. tests/sim holds it against a simulated 32-bit core."""

from __future__ import annotations

import dataclasses
from ctypes import c_void_p, sizeof

from .container import StreamHeader
from .kinds.tone import HELD_BYTES
from .native import decoder_bytes

POINTERS = 3
"""In a decoder."""
MOST_VOICES = 64
"""Of a mixer."""
MIXER_BYTES = 44
VOICE_BYTES = 60
"""Of a mixer and of each of its voices beside the decoders, where a pointer has 4 bytes."""


def decoder_memory(header: StreamHeader, pointer_bytes: int = 4) -> int:
    """Bytes of memory that a decoder takes for streams of a header's class, tables and stack not counted."""
    return decoder_bytes(header) + POINTERS * (pointer_bytes - sizeof(c_void_p))


def mixer_memory(voices: int, voice_bytes: int) -> int:
    """Bytes of memory that the C library's mixer takes on a 32-bit machine, each voice with so many for its decoder."""
    return MIXER_BYTES + voices * (VOICE_BYTES + (voice_bytes + 7) // 8 * 8)


def tones_within(memory: int, header: StreamHeader, pointer_bytes: int = 4) -> int:
    """The most tones that a decoder can hold in so many bytes, the rest of its class as the header has it; not positive
    where there is no room for any."""
    of_one = dataclasses.replace(header, max_tones=1)
    return 1 + (memory - decoder_memory(of_one, pointer_bytes)) // HELD_BYTES
