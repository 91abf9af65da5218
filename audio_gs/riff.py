"""What a WAV file says beside its samples: how many there are to be, and where they loop.

Reads the chunks of RIFF and RF64 files (Multimedia Programming Interface and Data Specifications 1.0, IBM and Microsoft
1991; Multimedia Data Standards Update, Microsoft 1994, for `smpl`; EBU Tech 3306 for RF64). No number in them is
trusted.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterator

_FORMS = (b"RIFF", b"RF64")
_HEADER = struct.Struct("<4sI4s")
_CHUNK = struct.Struct("<4sI")
_LARGEST_SIZE = 0xFFFFFFFF
_UNKNOWN_SIZE = 0x7FFF0000
"""Sizes from here on are what programs write that cannot go back to fill in the true one: all ones, or near 2^31."""
_DATA_SIZE_64 = struct.Struct("<8xQ")
_SAMPLER = struct.Struct("<28xI4x")
_LOOP = struct.Struct("<4xIII8x")
_FORWARD = 0


@dataclasses.dataclass(frozen=True)
class Loop:
    """One loop of a sampler chunk."""

    start: int
    """First sample of the loop."""
    end: int
    """The one after its last."""
    forward: bool
    """Not backward, nor to and fro."""


@dataclasses.dataclass(frozen=True)
class WavFacts:
    """What a WAV file says of its samples."""

    bytes_missing: int
    """How many bytes of samples are promised and not there."""
    loops: tuple[Loop, ...]


def wav_facts(content: bytes) -> WavFacts | None:
    """The facts of a WAV file, None for a file of another kind."""
    if len(content) < _HEADER.size:
        return None
    form, _, kind = _HEADER.unpack_from(content)
    if form not in _FORMS or kind != b"WAVE":
        return None
    missing, loops = 0, list[Loop]()
    for name, start, size in _chunks(content, long_sizes=form == b"RF64"):
        there = min(size, len(content) - start)
        if name == b"smpl":
            loops += _loops(content[start : start + there])
        elif name == b"data" and not _UNKNOWN_SIZE <= size <= _LARGEST_SIZE:
            missing = size - there
    return WavFacts(missing, tuple(loops))


def _chunks(content: bytes, long_sizes: bool) -> Iterator[tuple[bytes, int, int]]:
    """Name, first byte and promised size of each chunk; where there are long sizes, that of the samples may be in a
    chunk before them. The file may end before a chunk does."""
    at = _HEADER.size
    long_size = _LARGEST_SIZE
    while at + _CHUNK.size <= len(content):
        name, size = _CHUNK.unpack_from(content, at)
        at += _CHUNK.size
        if name == b"ds64" and long_sizes and at + _DATA_SIZE_64.size <= len(content):
            (long_size,) = _DATA_SIZE_64.unpack_from(content, at)
        elif name == b"data" and size == _LARGEST_SIZE:
            size = long_size
        yield name, at, size
        # A chunk of odd size has a byte behind it that does not count.
        at += size + (size & 1)


def _loops(sampler: bytes) -> list[Loop]:
    """The loops of a sampler chunk, as many as it has room for, whatever it says."""
    if len(sampler) < _SAMPLER.size:
        return []
    (promised,) = _SAMPLER.unpack_from(sampler)
    count = min(promised, (len(sampler) - _SAMPLER.size) // _LOOP.size)
    found = []
    for index in range(count):
        kind, first, last = _LOOP.unpack_from(sampler, _SAMPLER.size + index * _LOOP.size)
        found.append(Loop(first, last + 1, kind == _FORWARD))
    return found
