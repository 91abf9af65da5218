"""Packets of an Ogg file (RFC 3533)."""

from __future__ import annotations

from .base import CodecError

_HEADER_BYTES = 27
_MAX_LACE = 255


def packet_sizes(data: bytes) -> list[int]:
    """Bytes of each packet of a file with one stream. Raises CodecError for anything else."""
    sizes: list[int] = []
    unfinished = 0
    position = 0
    while position < len(data):
        if data[position : position + 4] != b"OggS" or position + _HEADER_BYTES > len(data):
            raise CodecError(f"no Ogg page at byte {position}")
        segments = data[position + 26]
        laces = data[position + _HEADER_BYTES : position + _HEADER_BYTES + segments]
        for lace in laces:
            unfinished += lace
            if lace < _MAX_LACE:
                sizes.append(unfinished)
                unfinished = 0
        position += _HEADER_BYTES + segments + sum(laces)
    if position != len(data) or unfinished:
        raise CodecError("the Ogg file is cut short")
    return sizes
