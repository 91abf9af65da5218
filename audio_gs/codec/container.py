"""Step 1 of SPEC.md, the container: header and segments with their checks, read and written.

Readers raise `BitstreamError` or `UnsupportedError` with one line that says what is wrong. Writers raise a
plain `ValueError` for a header that no stream may have.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from audio_gs.errors import BitstreamError, TooLongError, UnsupportedError

from .kinds import KINDS, RESERVED, TONE, HeaderParts
from .kinds.base import HeaderLimit, Kind
from .kinds.tone import MAX_AMPLITUDE_STEP
from .residual import HEADER_BYTES as RESIDUAL_BYTES
from .residual import MIN_FRAME_LOG2 as MIN_RESIDUAL_FRAME_LOG2
from .residual import ResidualHeader
from .residual import pack_part as pack_residual
from .residual import parse_part as parse_residual
from .stereo import CENTRE, LARGEST_DIRECTION, PANNED_BIT, PANNING_BYTES, PanningHeader, mix_macs
from .stereo import pack_part as pack_panning
from .stereo import parse_part as parse_panning
from .tables import RENDER_BLOCK, SHORTEST_SUPPORT, TABLE_SETS, WARM_UP_BLOCKS

MAGIC = b"GS"
FORMAT_VERSION = 1

SAMPLE_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 4000, 96000

MIN_SLOT_LOG2, MAX_SLOT_LOG2 = 5, 12
RESIDUAL_BIT = 5
"""Of the residual layer, among those of the kinds."""
SHORTEST_LOOP = 64
"""Samples: each jump is a seek, which may cost more than a block of samples."""
MAX_DURATION = 3600.0
"""Seconds that whoever works on whole clips takes unless told otherwise: a few bytes can state days."""
MAX_VARINT = (1 << 31) - 1
MAX_VARINT_BYTES = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class StreamHeader(HeaderParts):
    """The header's fields, decoded. Lengths are in samples unless the name says slots."""

    sample_rate: int
    samples: int
    slot_log2: int
    smallest_scale: int
    scales: int
    amplitude_step: int
    """Mantissa of the step of the amplitude quantiser."""
    output_shift: int
    """Its binary exponent, negated."""
    max_tones: int
    """Decoder class: the most tones held at a time."""
    peak_macs: int
    """Decoder class: the most MACs a sample over any 20 ms, rounded up."""
    seek_slots: int = 0
    """Slots in a segment; 0: the stream is one segment."""
    loop: tuple[int, int] | None = None
    """First sample of the loop and the sample after its last."""
    table_set: int = 0
    residual: ResidualHeader | None = None
    """The part on the residual layer, None in a stream without it."""
    channels: int = 1
    """1, or 2 for left and right."""
    direction: int = CENTRE
    """Of two channels: from left, 0, to right, 128, where the mid is."""
    panning: PanningHeader | None = None
    """The part on panned Gaussians, None in a stream without them."""
    version: int = FORMAT_VERSION

    @property
    def slot_samples(self) -> int:
        """H, the samples in a slot."""
        return 1 << self.slot_log2

    @property
    def longest_tone(self) -> int:
        """Samples that a tone Gaussian of the largest scale sounds for."""
        return SHORTEST_SUPPORT << (self.smallest_scale + self.scales - 1)

    @property
    def longest_support(self) -> int:
        """Samples that a Gaussian of any kind can last at most."""
        return max(kind.longest_support(self) for kind in self.kinds)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds that may occur."""
        return tuple(kind for kind in KINDS if kind.occurs(self))

    @property
    def kind_bits(self) -> int:
        """The header's bits of the kinds that may occur, of panned ones, and of the residual layer."""
        layers = (self.residual is not None) << RESIDUAL_BIT | (self.panning is not None) << PANNED_BIT
        return sum(1 << kind.bit for kind in self.kinds) | layers

    @property
    def lead_slots(self) -> int:
        """P, the slots before sample 0."""
        return max(1, self.longest_support >> self.slot_log2)

    @property
    def slots_ahead(self) -> int:
        """How many samples before a slot begins a decoder needs it."""
        return max(RENDER_BLOCK, self.noise.frame_samples) if self.residual and self.noise else RENDER_BLOCK

    @property
    def slots(self) -> int:
        """S, one more than the number of the last slot."""
        return -(-self.samples >> self.slot_log2)

    @property
    def segments(self) -> int:
        return max(1, -(-self.slots // self.seek_slots)) if self.seek_slots else 1

    @property
    def can_loop(self) -> bool:
        """Whether there are loop points that a decoder jumps between (SPEC P4)."""
        return self.loop is not None and self.loop[1] - self.loop[0] >= SHORTEST_LOOP

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.samples / self.sample_rate

    @property
    def mix_macs(self) -> int:
        """MACs a sample that left and right take, 0 of one channel."""
        return mix_macs(self.channels, self.panning)

    @property
    def table_set_name(self) -> str:
        return TABLE_SETS[self.table_set]

    @property
    def kind_names(self) -> tuple[str, ...]:
        return tuple(kind.name for kind in self.kinds)

    def segment_slots(self, segment: int) -> range:
        """The numbers of the slots that a segment holds (SPEC C3)."""
        if not 0 <= segment < self.segments:
            raise IndexError(f"segment {segment} of {self.segments}")
        first = segment * self.seek_slots if segment else -self.lead_slots
        last = self.slots if segment == self.segments - 1 else (segment + 1) * self.seek_slots
        return range(first, last)

    def segment_for_sample(self, sample: int) -> int:
        """The segment where decoding has to start so that this sample and all after it come out right."""
        reach = self.longest_support + max(kind.reach_back(self) for kind in self.kinds)
        slot = (warm_up_start(sample) - reach) >> self.slot_log2
        return slot // self.seek_slots if self.seek_slots and slot > 0 else 0


Place = TypeVar("Place", int, npt.NDArray[np.int64])


def held_after(slot_onset: Place, ahead: int = RENDER_BLOCK) -> Place:
    """The sample behind which a Gaussian must end to be held when a slot begins (SPEC P1), and the first one that needs
    what the slot codes (SPEC P2); `ahead` is the header's `slots_ahead`."""
    return slot_onset // RENDER_BLOCK * RENDER_BLOCK - ahead


def warm_up_start(sample: int) -> int:
    """The sample from which a decoder renders tones that begins at `sample`."""
    return (sample // RENDER_BLOCK - WARM_UP_BLOCKS) * RENDER_BLOCK


@dataclasses.dataclass(frozen=True)
class Segment:
    """One segment as it lies in the stream."""

    index: int
    start: int
    """Offset of the segment's first byte (its length) in the stream."""
    crc: int
    """The CRC-32 that the stream states."""
    data: memoryview
    """The range-coded bytes; shorter than `length` where the stream is cut."""
    length: int
    """The number of range-coded bytes that the stream states."""

    @property
    def end(self) -> int:
        """Offset of the byte after the segment's last."""
        return self.start + len(write_varint(self.length)) + 4 + len(self.data)

    @property
    def truncated(self) -> bool:
        return len(self.data) < self.length

    def check(self) -> None:
        """Raise BitstreamError unless the segment is whole and its CRC fits."""
        if self.truncated:
            raise BitstreamError(
                f"truncated: segment {self.index} says {self.length} bytes, {len(self.data)} are there"
            )
        if zlib.crc32(self.data) != self.crc:
            raise BitstreamError(f"segment {self.index} is damaged: its CRC does not fit its data")


def write_varint(value: int) -> bytes:
    """A number from 0 to 2^31-1 as LEB128."""
    if not 0 <= value <= MAX_VARINT:
        raise ValueError(f"{value} does not fit a varint, which holds 0..{MAX_VARINT}")
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data: bytes | memoryview, offset: int) -> tuple[int, int]:
    """The number at an offset of the stream, and the offset after it."""
    value = 0
    for count in range(MAX_VARINT_BYTES):
        if offset + count >= len(data):
            raise BitstreamError(f"truncated: the stream ends inside a number, at byte {len(data)}")
        byte = data[offset + count]
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            if byte == 0 and count:
                raise BitstreamError(f"the number at byte {offset} is longer than it needs to be")
            if value > MAX_VARINT:
                raise BitstreamError(f"the number at byte {offset} is above the limit of {MAX_VARINT}")
            return value, offset + count + 1
    raise BitstreamError(f"the number at byte {offset} is above the limit of {MAX_VARINT}")


def field_error(header: StreamHeader) -> str | None:
    """What is illegal about a header's fields, in one line; None if nothing is (SPEC 1, table of fields)."""
    limits = (
        HeaderLimit("sample rate", header.sample_rate, MIN_SAMPLE_RATE, MAX_SAMPLE_RATE),
        HeaderLimit("slot size (log2)", header.slot_log2, MIN_SLOT_LOG2, MAX_SLOT_LOG2),
        HeaderLimit("peak of MACs a sample", header.peak_macs, 0, MAX_VARINT),
        HeaderLimit("slots in a segment", header.seek_slots, 0, MAX_VARINT),
        HeaderLimit("number of samples", header.samples, 1, MAX_VARINT),
    )
    of_parts = [limit for kind in header.kinds for limit in kind.header_limits(header)]
    if header.residual is not None:
        frame_log2 = header.noise.frame_log2 if header.noise else 0
        of_parts.append(HeaderLimit("noise frame (log2) under a residual", frame_log2, MIN_RESIDUAL_FRAME_LOG2, 31))
        of_parts.extend(header.residual.limits())
    if header.channels == 2:
        of_parts.append(HeaderLimit("direction", header.direction, 0, LARGEST_DIRECTION))
    if header.panning is not None:
        of_parts.append(HeaderLimit("number of channels of panned Gaussians", header.channels, 2, 2))
        of_parts.extend(header.panning.limits())
    for limit in (*limits, *of_parts):
        if limit.error:
            return limit.error
    if header.loop is not None and not 0 <= header.loop[0] < header.loop[1] <= header.samples:
        return f"illegal header: loop {header.loop[0]}..{header.loop[1]} in {header.samples} samples"
    return None


def feature_error(kind_bits: int, table_set: int, channels: int) -> str | None:
    """What a header asks for that this version does not know, in one line (SPEC C2)."""
    unknown = kind_bits & ~(sum(1 << kind.bit for kind in KINDS) | 1 << RESIDUAL_BIT | 1 << PANNED_BIT)
    if unknown:
        names = [RESERVED.get(bit, f"reserved (bit {bit})") for bit in range(8) if unknown >> bit & 1]
        return f"unsupported kind of Gaussian: {', '.join(names)}; a newer decoder is needed"
    if table_set >= len(TABLE_SETS):
        return f"unsupported table set {table_set}; a newer decoder is needed"
    if channels not in (1, 2):
        return f"unsupported number of channels, {channels}; a newer decoder is needed"
    return None


def pack_header(header: StreamHeader) -> bytes:
    """The header's bytes, its check included."""
    error = field_error(header) or feature_error(header.kind_bits, header.table_set, header.channels)
    if error:
        raise ValueError(error)
    rate_code = SAMPLE_RATES.index(header.sample_rate) + 1 if header.sample_rate in SAMPLE_RATES else 0
    out = bytearray(MAGIC)
    out.append(header.version)
    out.append(rate_code | header.slot_log2 << 4)
    out.append(header.kind_bits)
    out.append((header.channels - 1) | (header.loop is not None) << 1 | header.table_set << 2)
    out.append(header.smallest_scale | (header.scales - 1) << 4)
    out += (header.amplitude_step | header.output_shift << 11).to_bytes(2, "little")
    for value in (header.max_tones, header.peak_macs, header.seek_slots, header.samples):
        out += write_varint(value)
    if rate_code == 0:
        out += header.sample_rate.to_bytes(4, "little")
    for value in header.loop or ():
        out += write_varint(value)
    for kind in header.kinds:
        out += kind.pack_part(header)
    if header.residual is not None:
        out += pack_residual(header.residual)
    if header.channels == 2:
        out.append(header.direction)
    if header.panning is not None:
        out += pack_panning(header.panning)
    out += (zlib.crc32(out) & 0xFFFF).to_bytes(2, "little")
    return bytes(out)


def parse_header(data: bytes | memoryview) -> tuple[StreamHeader, int]:
    """The header of a stream, and the offset of its first segment."""
    offset = len(MAGIC)

    def take_bytes(count: int) -> bytes:
        nonlocal offset
        if offset + count > len(data):
            raise BitstreamError(f"truncated: the stream ends inside its header, after {len(data)} bytes")
        offset += count
        return bytes(data[offset - count : offset])

    def take(count: int) -> int:
        return int.from_bytes(take_bytes(count), "little")

    def varint() -> int:
        nonlocal offset
        value, offset = read_varint(data, offset)
        return value

    if len(data) == 0:
        raise BitstreamError("truncated: the stream is empty")
    if bytes(data[: len(MAGIC)]) != MAGIC[: len(data)]:
        raise BitstreamError("not an Audio-GS stream: it does not start with 'GS'")
    version = take(1)
    if version != FORMAT_VERSION:
        raise UnsupportedError(f"unsupported format version {version}; this decoder knows version {FORMAT_VERSION}")
    rate_slot, kind_bits, layout, scale_range, step = take(1), take(1), take(1), take(1), take(2)
    max_tones, peak_macs, seek_slots, samples = varint(), varint(), varint(), varint()
    rate_code = rate_slot & 15
    sample_rate = take(4) if rate_code == 0 else SAMPLE_RATES[(rate_code - 1) % len(SAMPLE_RATES)]
    loop = (varint(), varint()) if layout >> 1 & 1 else None
    with_parts = [kind for kind in KINDS if kind.optional and kind_bits >> kind.bit & 1]
    parts = {kind.name: kind.parse_part(take_bytes(kind.header_bytes)) for kind in with_parts}
    residual = parse_residual(take_bytes(RESIDUAL_BYTES)) if kind_bits >> RESIDUAL_BIT & 1 else None
    direction = take(1) if layout & 1 else CENTRE
    panning = parse_panning(take_bytes(PANNING_BYTES)) if kind_bits >> PANNED_BIT & 1 else None
    check = zlib.crc32(data[:offset]) & 0xFFFF
    if take(2) != check:
        raise BitstreamError("the header is damaged: its check does not fit")
    if rate_code > len(SAMPLE_RATES):
        raise BitstreamError(f"illegal header: sample rate code is {rate_code}, allowed are 0..{len(SAMPLE_RATES)}")
    if not kind_bits & 1 << TONE.bit:
        raise BitstreamError("illegal header: the bit of tone Gaussians is not set")
    header = StreamHeader(
        sample_rate=sample_rate,
        samples=samples,
        slot_log2=rate_slot >> 4,
        smallest_scale=scale_range & 15,
        scales=(scale_range >> 4) + 1,
        amplitude_step=step & MAX_AMPLITUDE_STEP,
        output_shift=step >> 11,
        max_tones=max_tones,
        peak_macs=peak_macs,
        seek_slots=seek_slots,
        loop=loop,
        table_set=layout >> 2,
        residual=residual,
        channels=(layout & 1) + 1,
        direction=direction,
        panning=panning,
        version=version,
        **parts,
    )
    illegal = field_error(header)
    if illegal:
        raise BitstreamError(illegal)
    unsupported = feature_error(kind_bits, header.table_set, header.channels)
    if unsupported:
        raise UnsupportedError(unsupported)
    return header, offset


def read_segment(data: bytes | memoryview, offset: int, index: int) -> Segment:
    """The segment that starts at an offset, unchecked: its data may be cut short or damaged (see
    `Segment.check`)."""
    length, body = read_varint(data, offset)
    if body + 4 > len(data):
        raise BitstreamError(f"truncated: the stream ends in the head of segment {index}")
    crc = int.from_bytes(data[body : body + 4], "little")
    return Segment(index, offset, crc, memoryview(data)[body + 4 : body + 4 + length], length)


def iterate_segments(data: bytes | memoryview, header: StreamHeader, offset: int) -> Iterator[Segment]:
    """All segments of a stream, each checked before it is given; then that nothing follows the last.

    `offset` is that of the first segment, from `parse_header`. Raises BitstreamError at the first damage.
    """
    for index in range(header.segments):
        segment = read_segment(data, offset, index)
        segment.check()
        yield segment
        offset = segment.end
    if offset != len(data):
        raise BitstreamError(f"{len(data) - offset} bytes follow the last segment")


def check_stream(data: bytes | memoryview) -> StreamHeader:
    """The header of a stream whose container is whole: every length and CRC fits, nothing is missing or left
    over."""
    header, offset = parse_header(data)
    for _ in iterate_segments(data, header, offset):
        pass
    return header


def check_duration(header: StreamHeader, max_duration: float | None) -> None:
    """Raise TooLongError for a stream that states more than so many seconds; None allows any length."""
    if max_duration is not None and header.duration > max_duration:
        raise TooLongError(
            f"the stream says it lasts {header.duration:.1f} s, and the limit is {max_duration:g} s; "
            "if it is meant to, raise --max-duration (max_duration in Python)"
        )


def build_stream(header: StreamHeader, payloads: Sequence[bytes]) -> bytes:
    """A stream from its header and the range-coded bytes of each segment."""
    if len(payloads) != header.segments:
        raise ValueError(f"{len(payloads)} segments given, the header calls for {header.segments}")
    out = bytearray(pack_header(header))
    for payload in payloads:
        out += write_varint(len(payload))
        out += zlib.crc32(payload).to_bytes(4, "little")
        out += payload
    return bytes(out)
