"""At which pace a stream is played (SPEC 9.5): the factors that pitch, tempo and output rate come to, and where the
stream's slots lie among the samples that are given. Integer."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from .kinds.base import AS_ENCODED, PITCH_ONE, Pace
from .tables import GAIN_STEPS, RENDER_BLOCK, WARM_UP_BLOCKS, gain

if TYPE_CHECKING:
    from .container import StreamHeader

LOWEST_TEMPO, HIGHEST_TEMPO = PITCH_ONE // 2, 2 * PITCH_ONE
LOWEST_RATE, HIGHEST_RATE = 8000, 48000
"""Hz."""
MOST_SAMPLES = (1 << 31) - 1

_LEAST_SIZE, _LARGEST_SIZE = -128, 127


def _stretch(header: StreamHeader, tempo: int, rate: int) -> int:
    return (((rate << 27) // header.sample_rate) << 3) // tempo


def _size(stretch: int) -> int:
    """The stretch of supports, in steps of 1/32 octave, rounded down, so that no tone begins before its slot."""
    octave = stretch.bit_length() - 17
    below = [step << (octave + 16) <= stretch << 13 for step in gain().tolist()]
    return min(max(GAIN_STEPS * octave + sum(below) - 1, _LEAST_SIZE), _LARGEST_SIZE)


def pace_of(header: StreamHeader, pitch: int, tempo: int, rate: int) -> Pace:
    """The factors of a pitch, a tempo (both `PITCH_ONE` as encoded) and an output rate in Hz."""
    stretch = _stretch(header, tempo, rate)
    return Pace(
        pitch=pitch,
        rate=rate,
        frequency=4 * pitch * header.sample_rate // rate,
        step=4 * tempo * header.sample_rate // rate,
        stretch=stretch,
        turn=(pitch << 14) // tempo,
        size=_size(stretch),
    )


def played_samples(header: StreamHeader, tempo: int, rate: int, samples: int | None = None) -> int:
    """How many samples the clip, or the first so many of it, comes to from its start on; ValueError where that is more
    than a decoder counts."""
    stretch = _stretch(header, tempo, rate)
    if -(-header.samples * stretch >> 16) > MOST_SAMPLES:
        raise ValueError(f"at tempo {tempo / PITCH_ONE:g} and {rate} Hz the clip is longer than {MOST_SAMPLES} samples")
    return -(-(header.samples if samples is None else samples) * stretch >> 16)


def promised_macs(header: StreamHeader, pace: Pace) -> int:
    """The most MACs a sample in any 20 ms at a pace (SPEC 9.6)."""
    one = AS_ENCODED.frequency
    octaves = max(0, (pace.frequency - 1).bit_length() - (one - 1).bit_length())
    promised = header.peak_macs * max(one << octaves, pace.step)
    return -(-3 * promised // (2 * one)) if is_paced(pace, header) else promised // one


Place = TypeVar("Place", int, npt.NDArray[np.int64])


class Clock:
    """Where the stream's samples lie among those that are given."""

    def __init__(self, header: StreamHeader, pace: Pace, slot: int) -> None:
        """Slots from number `slot` on lie as if all had been played at this pace."""
        self._header = header
        self._pace = pace
        self._slot = slot - 1
        self._at = (self._slot << header.slot_log2) * pace.stretch
        self.changed = -1 << 31
        """The clip's sample from which on the stretch is what it is."""
        self.end = first_sample(pace, header.samples)
        self.loop_end = first_sample(pace, header.loop[1]) if header.loop else 0
        """The first samples after those of the clip and of its loop."""

    @property
    def _slot_start(self) -> int:
        return self._slot << self._header.slot_log2

    def _next(self) -> int:
        return self._at + (self._pace.stretch << self._header.slot_log2)

    def next_slot(self) -> int:
        """The sample in which the next slot begins."""
        return self._next() >> 16

    def go_on(self, pace: Pace) -> None:
        """To the next slot, which is played at this pace."""
        self._at = self._next()
        self._slot += 1
        if pace.stretch != self._pace.stretch:
            self.changed = self._slot_start
        self._pace = pace
        self.end = -(-self.place(self._header.samples) >> 16)
        if self._header.loop and self._slot_start < self._header.loop[1]:
            self.loop_end = -(-self.place(self._header.loop[1]) >> 16)

    def place(self, clip_sample: Place) -> Place:
        """Where a sample of the clip lies, in 1/65536 of those that are given."""
        return self._at + (clip_sample - self._slot_start) * self._pace.stretch

    def clip_sample(self, sample: int) -> int:
        """The sample of the clip that lies there."""
        return self._slot_start + (((sample - (self._at >> 16)) * self._pace.step) >> 16)


def first_sample(pace: Pace, clip_sample: int) -> int:
    """Where playing goes on from a sample of the clip."""
    return -(-clip_sample * pace.stretch >> 16)


def segment_for(header: StreamHeader, pace: Pace, clip_sample: int) -> int:
    """The segment where decoding begins for what follows a sample of the clip."""
    most = (WARM_UP_BLOCKS + 1) * RENDER_BLOCK
    return header.segment_for_sample(max(0, clip_sample - ((most * pace.step) >> 16)))


def is_paced(pace: Pace, header: StreamHeader) -> bool:
    """Whether it takes a clock."""
    return pace.stretch != AS_ENCODED.stretch or pace.rate != header.sample_rate
