"""SPEC 7, Playback: which slots, frames and blocks are needed when, jumps, loops and budgets."""

from __future__ import annotations

import zlib

from .container import Segment, read_header, read_segment
from .integers import CorruptError, StreamError
from .noise import Frame, Noise, Noises, noise_block, noise_frame
from .pcm import pcm
from .range_coder import RangeDecoder
from .residual import CodedFrame, Layout, ResidualReader, frames_of_slot
from .slots import Contexts, Kind, SlotReader
from .tone import BLOCK, Filters, Tone, Tones, within_budget


class Decoder:
    """A stream as it is played: `read` gives samples, `seek` jumps, `loop` and `budget` may be set at any time.

    Raises:
        StreamError: where the header is refused.
    """

    def __init__(self, data: bytes) -> None:
        self.header = read_header(data)
        self.budget: int | None = None
        self.loop = False
        self._data = data
        self._layout = Layout(self.header) if self.header.has_residual else None
        self._begin(0)

    # 7.2 Seeking

    def seek(self, sample: int) -> None:
        """Goes on at a sample of the clip, 0 .. samples.

        Raises:
            StreamError: where the way there is damaged.
        """
        self._begin(sample)
        self._render_ahead()

    def _begin(self, sample: int) -> None:
        h = self.header
        start = BLOCK * (sample // BLOCK) - 128
        slot = (start - h.longest - h.frame) // h.slot
        self._segment_number = max(0, slot // h.seek_slots) if h.seek_slots else 0
        self._segment_at = h.size
        for _ in range(self._segment_number):
            self._segment_at = read_segment(self._data, self._segment_at).end
        self._slots_left = range(0)
        self._frames_left: list[int] = []
        self._slot = h.slots_of(self._segment_number)[0]
        self._forget = -128 if self._layout else start
        self.tones: list[Tone] = []
        self.noises: list[Noise] = []
        self._filters = Filters(h)
        self._first_frame = sample // h.frame if h.has_noise else 0
        self._frames: dict[int, Frame] = {}
        self._noise_blocks: dict[int, list[int]] = {}
        self.position = sample
        self._next_block = start // BLOCK
        self._w: list[int] = []  # of the block that holds the position, or none
        self._error: StreamError | None = None

    def _render_ahead(self) -> None:
        """The two blocks before the one that holds the position, for the filters."""
        while self._next_block < self.position // BLOCK:
            self._make_block()

    # 7.1 Holding

    @property
    def _ahead(self) -> int:
        return max(64, self.header.frame) if self._layout else 64

    def _begin_segment(self) -> None:
        """The next segment of the file, with everything that starts anew in it (C6)."""
        h = self.header
        self._segment: Segment = read_segment(self._data, self._segment_at)
        self._segment_at = self._segment.end
        self._slots_left = h.slots_of(self._segment_number)
        contexts = Contexts(h.table_set)
        kinds: list[Kind] = [Tones(h, contexts)]
        if h.has_noise:
            kinds.append(Noises(h, contexts))
        self._coder = RangeDecoder(self._data, self._segment)
        self._slot_reader = SlotReader(h, kinds)
        if self._layout:
            self._residual = ResidualReader(h, self._layout, self._segment_number)

    def _end_segment(self) -> None:
        """C4, and on to the next segment."""
        self._coder.check_end(zlib.crc32(self._data[self._segment.start : self._segment.end]))
        self._segment_number += 1
        if self._segment_number == self.header.segments and self._segment_at < len(self._data):
            raise CorruptError("bytes follow the last segment")

    def _decode_slot(self) -> None:
        h = self.header
        if not self._slots_left:
            self._begin_segment()
        s, self._slots_left = self._slots_left[0], self._slots_left[1:]
        self._slot = s + 1
        behind = max(self._forget, BLOCK * (s * h.slot // BLOCK) - self._ahead)
        self.tones = [tone for tone in self.tones if tone.end > behind]
        self.noises = [noise for noise in self.noises if noise.end > behind]
        self.coded: list[Tone | Noise] = []  # in this slot
        for number, gaussian in self._slot_reader.gaussians(self._coder, s):
            gaussian.segment = self._segment_number
            self.coded.append(gaussian)
            held, most = ((self.tones, h.max_tones), (self.noises, h.max_noises))[number]
            self.on_gaussian(gaussian)
            held.append(gaussian)
            if len(held) > most:
                raise CorruptError("more Gaussians are held than the stream's class allows")  # P1
        self._coder.check_overrun()
        if self._layout:
            self._frames_left = frames_of_slot(h, s)
        if not self._slots_left and not self._frames_left:
            self._end_segment()

    def _decode_frame(self) -> CodedFrame:
        f = self._frames_left.pop(0)
        coded = self._residual.read(self._coder, f, self.tones, self.noises)
        self._coder.check_overrun()
        if not self._slots_left and not self._frames_left:
            self._end_segment()
        return coded

    def _decode_up_to(self, sample: int) -> None:
        """All slots, and frames of the residual, that come before a sample and are not decoded yet (P2)."""
        h = self.header
        while True:
            if self._frames_left:
                if self._frames_left[0] * h.frame >= sample:
                    return
                coded = self._decode_frame()
                self.on_frame(coded)
                if self._layout and coded.f >= self._first_frame:
                    self._frames[coded.f] = self.coded_frame(coded, self._layout)
            else:
                if self._slot > h.last_slot or self._slot * h.slot >= sample:
                    return
                self._decode_slot()
                self.on_slot(self._slot - 1)

    def on_gaussian(self, gaussian: Tone | Noise) -> None:
        """Is called with each Gaussian before it is held."""

    def on_slot(self, s: int) -> None:
        """Is called after each slot; for whoever watches."""

    def on_frame(self, coded: CodedFrame) -> None:
        """Is called after each frame of the residual."""

    def on_block(self, block: int) -> None:
        """Is called before each block is made, when what it needs is decoded."""

    def on_samples(self, w: list[int], noise: list[int]) -> None:
        """Is called with w_0 and noise of the samples that are given next."""

    def coded_frame(self, coded: CodedFrame, layout: Layout) -> Frame:
        """A frame that a slot codes (8.4)."""
        return coded.render(self.header, layout, self.noises)

    def noise_frame(self, f: int) -> Frame:
        """A frame of noise alone (5.4)."""
        return noise_frame(self.header, self.noises, f)

    def audible(self, tones: list[Tone]) -> list[Tone]:
        """Those of the tones held that a block has."""
        return tones

    def mixed(self, w: list[int], noise: list[int]) -> list[int]:
        """The samples of tones and noise (6)."""
        return [pcm(*both) for both in zip(w, noise, strict=True)]

    # 7.3 Looping, and reading on

    def read(self, count: int) -> list[int]:
        """The next samples, at most so many; none at the end of the clip.

        Raises:
            StreamError: at the first sample that needs what is damaged; the samples before it were given.
        """
        h = self.header
        out: list[int] = []
        while len(out) < count:
            if self.loop and self.position == h.loop_end:
                self.seek(h.loop_start)
            stop = h.loop_end if self.loop and self.position < h.loop_end else h.samples
            if self.position >= stop:
                break
            try:
                if self._error:
                    raise self._error
                if self._next_block * BLOCK <= self.position:
                    self._render_ahead()
                    self._w = self._make_block()
            except StreamError as error:
                self._error = error
                if out:
                    return out
                raise
            at = self.position % BLOCK
            w = self._w[at : at + min(count - len(out), stop - self.position)]
            noise = [self._noise(n) for n in range(self.position, self.position + len(w))]
            self.on_samples(w, noise)
            out += self.mixed(w, noise)
            self.position += len(w)
        return out

    def _make_block(self) -> list[int]:
        """w_0 of the 64 samples of the next block."""
        block = self._next_block
        self._decode_up_to(BLOCK * (block + 1) + self._ahead)
        self.on_block(block)
        self._next_block += 1
        tones = self.audible(self.tones)
        if self.budget is not None:
            tones = within_budget(tones, block, self.budget)
        return self._filters.block(block, tones)

    def _noise(self, n: int) -> int:
        """noise[n] of 5.4."""
        h = self.header
        if not h.has_noise:
            return 0
        f = n // h.frame
        if f not in self._noise_blocks:
            for number in (f, f + 1):
                if number not in self._frames:
                    self._frames[number] = self.noise_frame(number)
            self._noise_blocks = {f: noise_block(h, self._frames[f], self._frames[f + 1])}
            del self._frames[f]
        return self._noise_blocks[f][n % h.frame]


def decode(data: bytes) -> list[int]:
    """All samples of a stream.

    Raises:
        StreamError: if any part of it is damaged or cannot be decoded.
    """
    decoder = Decoder(data)
    return decoder.read(decoder.header.samples)
