"""SPEC 7.4 and the sections Cost: what decoding a stream takes, to compare with what its header promises."""

from __future__ import annotations

from . import noise, tone
from .noise import Noises
from .playback import Decoder
from .residual import TONE_COST, CodedFrame, frames_of_tone
from .tone import Tone

GAUSSIAN_COST = 32


class CountingDecoder(Decoder):
    """A decoder that notes what is due at which sample."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.due: dict[int, int] = {}
        self._counted_frames = 0
        self._all_tones: list[Tone] = []
        self._coded_frames: set[int] = set()

    def _count(self, sample: int, macs: int) -> None:
        self.due[max(0, sample)] = self.due.get(max(0, sample), 0) + macs

    def on_slot(self, s: int) -> None:
        start = s * self.header.slot
        coded = self.coded
        self._count(tone.BLOCK * (start // tone.BLOCK) - self._ahead, GAUSSIAN_COST * len(coded))
        self._all_tones += [each for each in coded if isinstance(each, Tone)]

    def on_frame(self, coded: CodedFrame) -> None:
        if self._layout:
            self._count((coded.f - 1) * self.header.frame, coded.cost(self.header, self._layout, self.noises))
            self._coded_frames.add(coded.f)

    def on_block(self, block: int) -> None:
        h = self.header
        macs = tone.FILTERS_COST + sum(tone.cost(each, block) for each in self.tones)
        self._count(tone.BLOCK * block, macs)
        if h.has_noise:
            last = (h.samples - 1) // h.frame + 1
            while self._counted_frames <= last and (self._counted_frames - 1) * h.frame < tone.BLOCK * (block + 1):
                f = self._counted_frames
                self._count((f - 1) * h.frame, noise.cost(h, self.noises, f))
                self._counted_frames += 1

    def all_due(self) -> list[tuple[int, int]]:
        """Samples and what is due there, after the last one was played."""
        size = self.header.frame
        if self._layout:
            for each in self._all_tones:
                for f in self._coded_frames.intersection(frames_of_tone(each, size)):
                    self._count((f - 1) * size, TONE_COST)
            self._all_tones.clear()
        return sorted(self.due.items())


def peak_macs(data: bytes) -> int:
    """The largest sum of MACs over 20 ms, a sample, rounded up; of a whole stream.

    Raises:
        StreamError: if any part of the stream is damaged.
    """
    decoder = CountingDecoder(data)
    h = decoder.header
    decoder.seek(0)
    decoder.read(h.samples)
    window = round(h.sample_rate / 50)  # which rounds a half to the even number, as SPEC does
    ends = (window // h.slot + 2) * (h.scales + (Noises.scales if h.has_noise else 0))
    due = decoder.all_due()
    most = tone.FILTERS_COST * -(-window // tone.BLOCK)
    total = first = 0
    for sample, macs in due:
        total += macs
        while due[first][0] <= sample - window:
            total -= due[first][1]
            first += 1
        most = max(most, total)
    return -(-(most + ends) // window)
