"""Opus packets of one channel through a libopus that is given, forced to wide band:

    python libopus_program.py encode LIBRARY RATE FRAME_SAMPLES BIT_S IN OUT
    python libopus_program.py decode LIBRARY RATE IN OUT

PCM is of 16 bits before and of 32-bit floats after, RATE in Hz; each packet comes after its length in two bytes, the
low one first. A program of its own, so that a crash in the library is the end of one cell and no more.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# From opus_defines.h.
_APPLICATION_AUDIO = 2049
_SET_BITRATE, _SET_VBR, _SET_BANDWIDTH, _SET_COMPLEXITY, _GET_LOOKAHEAD = 4002, 4006, 4008, 4010, 4027
_WIDE_BAND = 1103
_LONGEST_PACKET = 4000
_LONGEST_FRAME_S = 0.12


def encode(library: Any, rate: int, frame_samples: int, bit_s: int, pcm: bytes) -> bytes:
    """All of the PCM, with as much silence after it as the decoder comes late."""
    encoder = _made(library.opus_encoder_create, rate, _APPLICATION_AUDIO)
    settings = {_SET_BITRATE: bit_s, _SET_VBR: 1, _SET_COMPLEXITY: 10, _SET_BANDWIDTH: _WIDE_BAND}
    for request, value in settings.items():
        _checked(library.opus_encoder_ctl(encoder, request, ctypes.c_int(value)))
    delay = ctypes.c_int()
    _checked(library.opus_encoder_ctl(encoder, _GET_LOOKAHEAD, ctypes.byref(delay)))
    frame, packet = (ctypes.c_int16 * frame_samples)(), (ctypes.c_ubyte * _LONGEST_PACKET)()
    pcm += bytes(2 * delay.value)
    stream = bytearray()
    for start in range(0, len(pcm), ctypes.sizeof(frame)):
        piece = pcm[start : start + ctypes.sizeof(frame)].ljust(ctypes.sizeof(frame), b"\0")
        ctypes.memmove(frame, piece, len(piece))
        size = _checked(library.opus_encode(encoder, frame, frame_samples, packet, _LONGEST_PACKET))
        stream += struct.pack("<H", size) + bytes(packet[:size])
    return bytes(stream)


def decode(library: Any, rate: int, stream: bytes) -> bytes:
    """The PCM of all packets, late by the encoder's delay."""
    decoder = _made(library.opus_decoder_create, rate)
    room = round(rate * _LONGEST_FRAME_S)
    samples = (ctypes.c_float * room)()
    pcm = bytearray()
    for packet in split(stream):
        count = _checked(library.opus_decode_float(decoder, packet, len(packet), samples, room, 0))
        pcm += bytes(samples)[: ctypes.sizeof(ctypes.c_float) * count]
    return bytes(pcm)


def split(stream: bytes) -> Iterator[bytes]:
    """The packets of a stream. Raises ValueError for one that is cut short."""
    position = 0
    while position < len(stream):
        start = position + 2
        position = start + int.from_bytes(stream[position:start], "little")
        if position > len(stream):
            raise ValueError("the stream ends within a packet")
        yield stream[start:position]


def _made(create: Any, rate: int, *more: int) -> ctypes.c_void_p:
    create.restype = ctypes.c_void_p
    error = ctypes.c_int()
    made = ctypes.c_void_p(create(rate, 1, *more, ctypes.byref(error)))
    _checked(error.value)
    return made


def _checked(result: int) -> int:
    if result < 0:
        sys.exit(f"libopus gave the error {result}")
    return result


def main() -> None:
    task, name, rate, *numbers, source, target = sys.argv[1:]
    library, given = ctypes.CDLL(name), Path(source).read_bytes()
    if task == "encode":
        frame_samples, bit_s = map(int, numbers)
        made = encode(library, int(rate), frame_samples, bit_s, given)
    else:
        made = decode(library, int(rate), given)
    Path(target).write_bytes(made)


if __name__ == "__main__":
    main()
