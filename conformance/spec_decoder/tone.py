"""SPEC 4, Tone: a short wave under a Gaussian envelope."""

from __future__ import annotations

from dataclasses import dataclass

from .container import Header
from .integers import CorruptError, wrap32
from .range_coder import RangeDecoder
from .slots import Contexts, read_onset
from .tables import COS, ENV, HALF_BAND, PHASE_LIMITS

BLOCK = 64
FILTERS_COST = 224
FILTER_REACH = 7  # samples of an octave that the next one's filter still needs from the part before


# 4.1 Fields


@dataclass
class Tone:
    """A tone as the stream says it, and what 4.3 makes of it."""

    scale: int  # k
    onset: int
    bin: int
    amplitude: int  # q
    phase: int  # f
    height: int = 0  # A
    turn: int = 0  # p
    inc: int = 0
    octave: int = 0
    segment: int = 0
    # 9.4, where the tone is played at another pitch
    step: int | None = None  # incd
    rotation: int = 0  # R
    deviation: int = 0  # D

    @property
    def support(self) -> int:
        return 32 << self.scale

    @property
    def end(self) -> int:
        return self.onset + self.support

    def phase_at(self, age: int) -> int:
        """The phase of a sample of the tone's octave, 65536 a turn."""
        if self.step is not None:
            start = self.turn + self.rotation + 32
            return (start + self.step * (age - (16 << (self.scale - self.octave)))) & 0xFFFF
        return (self.turn + 32 + ((self.bin & 1) << 15) + (self.inc << self.octave) * age) & 0xFFFF


def phase_bits(q: int) -> int:
    return 3 + sum(limit <= q for limit in PHASE_LIMITS)


# 4.2 Syntax


class Tones:
    """What reading the tones of a segment keeps from one to the next."""

    def __init__(self, header: Header, contexts: Contexts) -> None:
        self.scales = header.scales
        self._header = header
        self._bin = 0
        contexts.skip_to(0)
        self.more, self._first, self._next, self._amp = [], [], [], []
        for _ in range(self.scales):
            self.more.append(contexts.rows(5, 4))
            self._first.append((contexts.row(12), contexts.row(11)))
            self._next.append((contexts.row(12), contexts.row(11)))
            self._amp.append((contexts.row(12), contexts.row(11)))

    def support(self, j: int) -> int:
        return 32 << (self._header.smallest_scale + j)

    def longest(self, j: int) -> int:
        return self._header.longest_tone

    def begin(self) -> None:
        self._bin = 0

    def read(self, coder: RangeDecoder, j: int, i: int, slot_start: int) -> Tone:
        k = self._header.smallest_scale + j
        u, m = self._first[j] if i == 0 else self._next[j]
        self._bin += coder.gamma(u, m, top=4 + k) - 1
        if self._bin >= (32 << k) // 2:
            raise CorruptError("a tone's frequency is above half the sample rate")  # T1
        onset = read_onset(coder, slot_start, self._header.slot, 8 << k)
        q = coder.gamma(*self._amp[j], top=11)
        tone = Tone(k, onset, self._bin, q, coder.direct(phase_bits(q)))
        dequantise(tone, self._header)
        return tone


# 4.3 Dequantise


def dequantise(tone: Tone, header: Header) -> None:
    k, q = tone.scale, tone.amplitude
    step = (header.amplitude_step * 46341 + 2048) >> 12 if k % 2 else 16 * header.amplitude_step
    tone.height = min(32767, (step * (8 * q + 3)) >> (5 + (k >> 1)))
    tone.turn = tone.phase << (16 - phase_bits(q))
    tone.inc = tone.bin << (11 - k)
    octaves = [o for o in (1, 2, 3) if o + 2 <= k and tone.inc << o <= 19200]
    tone.octave = max(octaves, default=0)


# 4.4 Render


def part_start(block: int, octave: int) -> int:
    """The first sample of a block's part of an octave (4.5)."""
    return (BLOCK * block + (8 << octave) - 8) >> octave


def ages_in_part(tone: Tone, block: int) -> range:
    """How old a tone is at each of its samples in a block's part of its octave."""
    d = tone.octave
    first = part_start(block, d) - (tone.onset >> d)
    return range(max(first, 0), min(first + (BLOCK >> d), tone.support >> d))


class Filters:
    """The samples w of the clip, block by block from any block on: right from the third one on."""

    def __init__(self, header: Header) -> None:
        self._shift = header.output_shift
        self._behind = [[0] * FILTER_REACH for _ in range(4)]

    def block(self, block: int, tones: list[Tone]) -> list[int]:
        """w_0 of a block's 64 samples, which is the one after the last that was asked for."""
        parts = [[0] * (BLOCK >> d) for d in range(4)]
        for tone in tones:
            self._add(tone, block, parts[tone.octave])
        u = [[wrap32(x + (1 << (11 + self._shift))) >> (12 + self._shift) for x in part] for part in parts]
        w = u[3]
        for d in (2, 1, 0):
            above = self._behind[d + 1] + w  # of octave d + 1, from the sample part_start - FILTER_REACH on
            self._behind[d + 1] = above[-FILTER_REACH:]
            w = self._upsample(u[d], part_start(block, d), above, part_start(block, d + 1) - FILTER_REACH)
        return w

    def _add(self, tone: Tone, block: int, part: list[int]) -> None:
        d = tone.octave
        s = tone.scale - d
        ages = ages_in_part(tone, block)
        at = (tone.onset >> d) - part_start(block, d)
        for age in ages:
            i, r = age >> s, age & ((1 << s) - 1)
            e0, e1 = ENV[i] * tone.height, ENV[i + 1] * tone.height
            e = (e0 + r * ((e1 - e0) >> s)) >> 15
            part[at + age] = wrap32(part[at + age] + e * COS[tone.phase_at(age) >> 6])

    @staticmethod
    def _upsample(u: list[int], start: int, above: list[int], above_start: int) -> list[int]:
        w = []
        for n, x in enumerate(u, start):
            at = (n >> 1) - above_start
            if n % 2 == 0:
                w.append(wrap32(x + above[at]))
            else:
                total = 2048 + sum(c * (above[at - i] + above[at + 1 + i]) for i, c in enumerate(HALF_BAND))
                w.append(wrap32(x + (wrap32(total) >> 12)))
        return w


# 4.5 Cost


def cost(tone: Tone, block: int) -> int:
    """MACs that a tone costs in a block; 0 if it has no sample there."""
    ages = ages_in_part(tone, block)
    if not ages:
        return 0
    s = tone.scale - tone.octave
    return len(ages) + 4 * ((ages[-1] >> s) - (ages[0] >> s) + 1)


def strength(tone: Tone, block: int) -> int:
    """How much a tone is heard in a block, for a budget; it has samples there."""
    ages = ages_in_part(tone, block)
    i = (ages[0] + len(ages) // 2) >> (tone.scale - tone.octave)
    height = ((ENV[i] + ENV[i + 1]) * tone.height) >> 16
    o = next(o for o in range(32) if height >> o < 8)
    return 4 * o + (height >> o)


def within_budget(tones: list[Tone], block: int, macs: int) -> list[Tone]:
    """Those of a block's tones that a budget of so many MACs a sample leaves (P5)."""
    there = [(strength(tone, block), cost(tone, block), tone) for tone in tones if ages_in_part(tone, block)]
    levels = sorted({level for level, _, _ in there}, reverse=True)
    kept: list[Tone] = []
    for least in levels:
        if sum(c for level, c, _ in there if level >= least) > BLOCK * macs:
            break
        kept = [tone for level, _, tone in there if level >= least]
    return kept
