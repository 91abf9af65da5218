"""The Gaussians of a stream as tables, to read and to write.

    gaussians = audio_gs.read_gaussians(data)
    tones = gaussians["tone"].copy()
    tones["bin"] += 2                                       # two bins of each one's scale up
    header, _ = parse_header(data)
    data = audio_gs.write_gaussians(gaussians.replaced(tone=tones), header)

A table holds the integers that the bitstream codes (docs/SPEC.md); `physical` gives the same Gaussians in seconds,
hertz, radians and parts of full scale.

`gaussians["residual"]` is the table of the residual layer. Which places its values have, and how large a step is,
follows from the Gaussians: who changes some without it leaves it out,

    gaussians.replaced(tone=tones, residual=gaussians["residual"][:0])

or else it sounds wrong, or `write_gaussians` refuses it.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from audio_gs.codec.container import MAX_DURATION, StreamHeader, check_duration, check_stream
from audio_gs.codec.cost import with_class
from audio_gs.codec.decoder import decode_gaussians
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.kinds.base import PHYSICAL
from audio_gs.codec.kinds.noise import NOISE_DTYPE
from audio_gs.codec.kinds.tone import TONE_DTYPE
from audio_gs.codec.residual import RESIDUAL_DTYPE
from audio_gs.codec.slots import check_gaussians, encode_stream

__all__ = [
    "NOISE_DTYPE",
    "PHYSICAL",
    "RESIDUAL_DTYPE",
    "TONE_DTYPE",
    "Gaussians",
    "physical",
    "read_gaussians",
    "write_gaussians",
]


def read_gaussians(data: bytes | bytearray | memoryview, max_duration: float | None = MAX_DURATION) -> Gaussians:
    """The Gaussians of a stream, a table for each kind, and its residual layer, all in the order of the stream. Raises
    BitstreamError for a damaged one, and TooLongError for one of more than `max_duration` seconds; None takes any."""
    data = bytes(data)
    check_duration(check_stream(data), max_duration)
    return decode_gaussians(data)


def write_gaussians(gaussians: Gaussians, header: StreamHeader) -> bytes:
    """The stream of these Gaussians. The header says all but the decoder's class, how many are held at a time and the
    peak of MACs, which follows from them. Tables may be in any order; the stream's is that of SPEC S2.

    Raises ValueError for Gaussians that a stream with this header has no words for, off the lattice or out of range, by
    their number in the table and their columns; for more at a time than any decoder holds; and for values of the
    residual layer where these Gaussians leave no place for one.
    """
    check_gaussians(gaussians, header)
    return encode_stream(with_class(header, gaussians), gaussians)


def physical(gaussians: Gaussians, header: StreamHeader) -> dict[str, npt.NDArray[Any]]:
    """The Gaussians of a stream with this header in physical units by kind, dtype `PHYSICAL`, in the order of the
    tables."""
    return {kind.name: kind.physical(gaussians[kind.name], header) for kind in header.kinds}
