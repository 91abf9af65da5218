"""SPEC 1, Container: bytes to a header, and where segments lie."""

import zlib
from dataclasses import dataclass, field

from .integers import CorruptError, UnsupportedError

RATES = {1: 8000, 2: 11025, 3: 12000, 4: 16000, 5: 22050, 6: 24000, 7: 32000, 8: 44100, 9: 48000}


class Bytes:
    """A file that is read from one byte to the next."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def byte(self) -> int:
        if self.at >= len(self.data):
            raise CorruptError("the file ends too early")
        self.at += 1
        return self.data[self.at - 1]

    def number(self, count: int) -> int:
        """An unsigned number of so many bytes, the lowest first."""
        return sum(self.byte() << (8 * i) for i in range(count))

    def varint(self) -> int:
        value = 0
        for i in range(5):
            byte = self.byte()
            value |= (byte & 127) << (7 * i)
            if byte < 128:
                if (byte == 0 and i > 0) or value >= 1 << 31:
                    break
                return value
        raise CorruptError("a varint is longer or larger than it may be")


@dataclass
class Header:
    """What the fields say, in the order in which they come; those of parts that are absent stay 0."""

    sample_rate: int = 0
    slot_log2: int = 0
    kinds: int = 0
    table_set: int = 0
    loop: int = 0
    channels: int = 0
    scales: int = 0
    smallest_scale: int = 0
    amplitude_step: int = 0
    output_shift: int = 0
    max_tones: int = 0
    peak_macs: int = 0
    seek_slots: int = 0
    samples: int = 0
    loop_start: int = 0
    loop_end: int = 0
    noise_shift: int = 0
    noise_frame_log2: int = 0
    noise_base: int = 0
    max_noises: int = 0
    residual_step: int = 0
    fill: int = 0
    level_step: int = 0
    tilt: int = 0
    lift_low: int = 0
    intervals: int = 0
    lift_high: int = 0
    fine_from: int = 0
    quiet: int = 0
    size: int = field(default=0, repr=False)  # bytes of the header, with its check

    @property
    def has_noise(self) -> bool:
        return bool(self.kinds & 2)

    @property
    def has_residual(self) -> bool:
        return bool(self.kinds & 32)

    @property
    def slot(self) -> int:
        """H, samples of a slot."""
        return 1 << self.slot_log2

    @property
    def frame(self) -> int:
        """N, samples of a noise frame; 0 without noise."""
        return 1 << self.noise_frame_log2 if self.has_noise else 0

    @property
    def longest_tone(self) -> int:
        """Lt, samples."""
        return 32 << (self.smallest_scale + self.scales - 1)

    @property
    def longest(self) -> int:
        """Lmax, samples (C3)."""
        return max(self.longest_tone, 128 * self.frame)

    @property
    def first_slot(self) -> int:
        """-P of C3."""
        return -max(1, self.longest >> self.slot_log2)

    @property
    def last_slot(self) -> int:
        return (self.samples + self.slot - 1) // self.slot - 1

    @property
    def segments(self) -> int:
        return -(-(self.last_slot + 1) // self.seek_slots) if self.seek_slots else 1

    def slots_of(self, segment: int) -> range:
        """The slots that a segment holds (C3)."""
        if not self.seek_slots:
            return range(self.first_slot, self.last_slot + 1)
        first = segment * self.seek_slots if segment else self.first_slot
        return range(first, min((segment + 1) * self.seek_slots, self.last_slot + 1))


def read_header(data: bytes) -> Header:
    """The header at the start of a file.

    Raises:
        StreamError: in the order of C5.
    """
    file = Bytes(data)
    if (file.byte(), file.byte()) != (0x47, 0x53):
        raise CorruptError("the file does not begin with GS")
    if file.byte() != 1:
        raise UnsupportedError("the stream is of another version of the format")
    h = Header()
    byte = file.byte()
    h.slot_log2, rate = byte >> 4, byte & 15
    h.kinds = file.byte()
    byte = file.byte()
    h.table_set, h.loop, h.channels = byte >> 2, byte >> 1 & 1, (byte & 1) + 1
    byte = file.byte()
    h.scales, h.smallest_scale = (byte >> 4) + 1, byte & 15
    low, byte = file.byte(), file.byte()
    h.output_shift, h.amplitude_step = byte >> 3, (byte & 7) << 8 | low
    h.max_tones, h.peak_macs, h.seek_slots, h.samples = (file.varint() for _ in range(4))
    h.sample_rate = RATES.get(rate, 0) if rate else file.number(4)
    if h.loop:
        h.loop_start, h.loop_end = file.varint(), file.varint()
    if h.has_noise:
        byte = file.byte()
        h.noise_shift, h.noise_frame_log2 = byte >> 4, byte & 15
        h.noise_base = (file.byte() ^ 0x80) - 0x80
        h.max_noises = file.byte()
    if h.has_residual:
        h.residual_step = file.byte()
        byte = file.byte()
        h.fill, h.level_step, h.tilt = byte >> 5, byte >> 4 & 1, byte & 15
        byte = file.byte()
        h.lift_low, h.intervals = byte >> 5, byte & 31
        byte = file.byte()
        h.lift_high, h.fine_from = byte >> 5, byte & 31
        h.quiet = file.byte()
    check = zlib.crc32(data[: file.at]) & 0xFFFF
    if file.number(2) != check:
        raise CorruptError("the header's check is wrong")
    h.size = file.at
    _refuse_illegal(h)
    if h.kinds & ~(1 | 2 | 32) or h.table_set > 2 or h.channels > 1:
        raise UnsupportedError("the stream has kinds, a table set or channels that this decoder does not know")
    return h


def _refuse_illegal(h: Header) -> None:
    legal = {
        "rate": 4000 <= h.sample_rate <= 96000,
        "slot_log2": 5 <= h.slot_log2 <= 12,
        "kinds": h.kinds & 1 == 1 and (h.has_noise or not h.has_residual),
        "scales": h.scales <= 8 and h.smallest_scale + h.scales - 1 <= 11,
        "amplitude_step": h.amplitude_step >= 1,
        "output_shift": h.output_shift <= 16,
        "max_tones": 1 <= h.max_tones <= 4096,
        "samples": h.samples >= 1,
        "loop": not h.loop or h.loop_start < h.loop_end <= h.samples,
        "noise_frame_log2": not h.has_noise
        or (6 if h.has_residual else 5) <= h.noise_frame_log2 <= min(9, h.slot_log2),
        "noise_shift": not h.has_noise or h.noise_shift >= 1,
        "max_noises": not h.has_noise or h.max_noises >= 1,
        "intervals": h.intervals <= 26,
    }
    for name, is_legal in legal.items():
        if not is_legal:
            raise CorruptError(f"the header's {name} is illegal")


@dataclass
class Segment:
    """Where a segment's data lie in the file."""

    start: int
    end: int  # may lie behind the end of a file that was cut
    crc: int


def read_segment(data: bytes, at: int) -> Segment:
    """The segment that begins at a byte of the file."""
    file = Bytes(data, at)
    size, crc = file.varint(), file.number(4)
    return Segment(file.at, file.at + size, crc)
