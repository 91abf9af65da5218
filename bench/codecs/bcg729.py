"""Encodes 16-bit PCM at 8 kHz to frames of G.729: python bcg729.py LIBRARY IN OUT

A program of its own, so that a crash in the library is the end of one cell and no more.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

FRAME_SAMPLES = 80
FRAME_BYTES = 10


def encode(library: str, pcm: bytes) -> bytes:
    """Every frame of the PCM without detection of pauses, the last filled up with silence. Raises OSError."""
    bcg729 = ctypes.CDLL(library)
    bcg729.initBcg729EncoderChannel.restype = ctypes.c_void_p
    encoder = ctypes.c_void_p(bcg729.initBcg729EncoderChannel(ctypes.c_uint8(0)))
    frame = (ctypes.c_int16 * FRAME_SAMPLES)()
    coded, size = (ctypes.c_uint8 * FRAME_BYTES)(), ctypes.c_uint8()
    stream = bytearray()
    for start in range(0, len(pcm), ctypes.sizeof(frame)):
        piece = pcm[start : start + ctypes.sizeof(frame)].ljust(ctypes.sizeof(frame), b"\0")
        ctypes.memmove(frame, piece, len(piece))
        bcg729.bcg729Encoder(encoder, frame, coded, ctypes.byref(size))
        stream += bytes(coded[: size.value])
    bcg729.closeBcg729EncoderChannel(encoder)
    return bytes(stream)


if __name__ == "__main__":
    Path(sys.argv[3]).write_bytes(encode(sys.argv[1], Path(sys.argv[2]).read_bytes()))
