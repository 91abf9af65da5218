"""What each step gives for a whole stream, as a CRC-32, so that another decoder that differs knows where it begins to.

    header    the fields of the header as lines "name value", by the names and in the order of `container.Header`
    slots     the Gaussians in the order of the stream, as lines "tone scale onset bin amplitude phase" or
              "noise scale onset width place weight"
    residual  the values of each frame in the order of the stream, as lines "frame f", then "fine cell value" for each
              cell whose fine level is not 0, then "value bin v" for each bin that has one
    tone      w_0, as int32
    noise     noise, as int16
    pcm       the samples, as int16

Lines are ASCII and end in a line feed; numbers are little-endian.
"""

from __future__ import annotations

import dataclasses
import struct
import zlib
from collections.abc import Iterable

from .playback import Decoder
from .residual import CodedFrame
from .tone import Tone


def packed(samples: list[int]) -> bytes:
    """Samples as 16-bit little-endian PCM."""
    return struct.pack(f"<{len(samples)}h", *samples)


class TracingDecoder(Decoder):
    """A decoder that keeps what its steps give, from the first sample on."""

    def __init__(self, data: bytes) -> None:
        self.lines: list[str] = []
        self.frame_lines: list[str] = []
        self.w: list[int] = []
        self.noise: list[int] = []
        super().__init__(data)

    def on_slot(self, s: int) -> None:
        for each in self.coded:
            if isinstance(each, Tone):
                fields = ("tone", each.scale, each.onset, each.bin, each.amplitude, each.phase)
            else:
                fields = ("noise", each.scale, each.onset, each.width, each.place, each.weight)
            self.lines.append(" ".join(map(str, fields)))

    def on_frame(self, coded: CodedFrame) -> None:
        self.frame_lines.append(f"frame {coded.f}")
        self.frame_lines += [f"fine {cell} {value}" for cell, value in sorted(coded.fine.items()) if value]
        self.frame_lines += [f"value {b} {v}" for b, v in enumerate(coded.v) if v]

    def on_samples(self, w: list[int], noise: list[int]) -> None:
        self.w += w
        self.noise += noise


def _crc(data: bytes) -> str:
    return f"{zlib.crc32(data):08x}"


def _crc_of_lines(lines: Iterable[str]) -> str:
    return _crc("".join(f"{line}\n" for line in lines).encode("ascii"))


def digests(data: bytes) -> dict[str, str]:
    """The CRC-32 of what each step gives for a whole stream, in hexadecimal.

    Raises:
        StreamError: if any part of the stream is damaged.
    """
    decoder = TracingDecoder(data)
    pcm = decoder.read(decoder.header.samples)
    fields = [f for f in dataclasses.fields(decoder.header) if f.name != "size"]
    found = {
        "header": _crc_of_lines(f"{f.name} {getattr(decoder.header, f.name)}" for f in fields),
        "slots": _crc_of_lines(decoder.lines),
        "tone": _crc(struct.pack(f"<{len(decoder.w)}i", *decoder.w)),
        "noise": _crc(packed(decoder.noise)),
        "pcm": _crc(packed(pcm)),
    }
    if decoder.header.has_residual:
        found["residual"] = _crc_of_lines(decoder.frame_lines)
    return found
