"""The memory of the C decoder: what it consists of, for the streams of a class.

The public header's GS_DECODER_BYTES says the same in C. The library's static asserts hold it against its structures,
and tests/codec/test_memory.py holds it against this module.
"""

from __future__ import annotations

import dataclasses

from .container import StreamHeader
from .kinds.tone import HELD_BYTES
from .slots import initial_contexts

FIXED_BYTES = 184
"""Of a decoder, its pointers not counted."""
POINTERS = 3
CONTEXT_BYTES = 2


def decoder_memory(header: StreamHeader, pointer_bytes: int = 4) -> int:
    """Bytes of memory that a decoder takes for streams of a header's class, tables and stack not counted."""
    kinds = sum(kind.state_bytes(header) + CONTEXT_BYTES * len(initial_contexts(header, kind)) for kind in header.kinds)
    return FIXED_BYTES + POINTERS * pointer_bytes + kinds


def tones_within(memory: int, header: StreamHeader, pointer_bytes: int = 4) -> int:
    """The most tones that a decoder can hold in so many bytes, the rest of its class as the header has it; not positive
    where there is no room for any."""
    return (memory - decoder_memory(dataclasses.replace(header, max_tones=0), pointer_bytes)) // HELD_BYTES
