"""Step 7 of SPEC.md in ONNX: the noise of a window of the clip, all its frames at once, the frames along the last axis."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..container import MAX_FRAME_LOG2
from ..noise import HIGHEST_LEVEL, LEVEL_STEP
from ..slots import AMPLITUDE_INDEX, BIN, ONSET, ROW_FIELDS, SCALE, WIDTH
from ..tables import (
    BARK_BANDS,
    COSINE_STEPS,
    GAIN_STEPS,
    NOISE_NARROWEST_SUPPORT,
    NOISE_SCALES,
    NOISE_SHORTEST_SUPPORT,
    bark_hz,
    cosine,
    envelope,
    gain,
)
from .onnx_builder import INT64, UINT32, Graph, Value

ELEMENTS_AT_A_TIME = 1 << 17
"""Levels that are made before they are added: what decides on the memory of the loop over noises."""

_LONGEST = NOISE_SHORTEST_SUPPORT << (NOISE_SCALES - 1)
_TURN = 65536
_PLACE = ROW_FIELDS
"""Column after those of a row: where in the levels of a window a noise begins."""
_HIGHEST_HALF_BITS = MAX_FRAME_LOG2 - 1
_SIGN_BITS = 32


@dataclasses.dataclass(frozen=True)
class NoiseRenderer:
    """Step 7 for windows of one length, a multiple of the longest frame."""

    graph: Graph
    noises: Value
    """Rows of a table, int64."""
    sample_rate: Value
    frame_log2: Value
    shift: Value
    base: Value
    window: Value
    """Samples in a window, int64, shape ()."""

    def samples(self, start: Value) -> Value:
        """The noise of the samples of the window that starts here, at a multiple of the longest frame."""
        first = start.shift_right(self.frame_log2)
        frames = self.window.shift_right(self.frame_log2) + 1
        spectrum = self._spectrum(self._levels(first, frames), first, frames)
        return self._blocks(self._transform(spectrum), frames).transpose(1, 0).flat()

    @property
    def _size(self) -> Value:
        """N."""
        return self.graph.constant(1, INT64).shift_left(self.frame_log2)

    # ---- levels ----

    def _levels(self, first: Value, frames: Value) -> Value:
        """Limited levels, shape (BARK_BANDS, frames), of the frames from `first` on."""
        graph = self.graph
        scale, onset = (self.noises.take(column, axis=1) for column in (SCALE, ONSET))
        frame = onset.shift_right(self.frame_log2) - first
        support = graph.constant(NOISE_SHORTEST_SUPPORT, INT64).shift_left(scale)
        lasts = (frame + support > 0) & (frame < frames)
        # Before and after the window is room for what the longest noise has there.
        noises = graph.concat(self.noises, (frame + _LONGEST).unsqueeze(1), axis=1).select(lasts)

        def add_scale(scale: Value, states: list[Value]) -> tuple[list[Value], list[Value]]:
            return [self._with_scale(states[0], noises, scale)], []

        zeros = graph.zeros((frames + 2 * _LONGEST) * BARK_BANDS)
        (sums,), _ = graph.loop(graph.constant(NOISE_SCALES, INT64), [zeros], add_scale)
        levels = sums.reshape(-1, BARK_BANDS).slice(_LONGEST, frames + _LONGEST)
        return (levels + self.base * LEVEL_STEP).clip(0, HIGHEST_LEVEL).transpose(1, 0)

    def _with_scale(self, levels: Value, noises: Value, scale: Value) -> Value:
        """The levels, a vector, with all noises of a scale added, so many at a time."""
        graph = self.graph
        support = graph.constant(NOISE_SHORTEST_SUPPORT, INT64).shift_left(scale)
        at_a_time = graph.constant(ELEMENTS_AT_A_TIME // BARK_BANDS, INT64) // support
        chosen = graph.indices(noises.take(SCALE, axis=1).equals(scale))
        age = graph.range(1, support)
        eighths = age * 8
        over_time = self._envelope(eighths.shift_right(scale), eighths & (support // NOISE_SHORTEST_SUPPORT - 1), scale)
        band = graph.range(0, BARK_BANDS)

        def add_some(trip: Value, states: list[Value]) -> tuple[list[Value], list[Value]]:
            some = noises.take(chosen.slice(trip * at_a_time, (trip + 1) * at_a_time))
            weight, frame = (some.slice(column, column + 1, axis=1) for column in (AMPLITUDE_INDEX, _PLACE))
            peak = (weight * over_time).shift_right(7).unsqueeze(2)
            over_bark = self._over_bark(some, band).unsqueeze(1)
            places = ((frame + age) * BARK_BANDS).unsqueeze(2) + band
            return [states[0].scatter_add(places, (peak * over_bark).shift_right(16))], []

        trips = (chosen.length().scalar() + at_a_time - 1) // at_a_time
        (levels,), _ = graph.loop(trips, [levels], add_some)
        return levels

    def _over_bark(self, noises: Value, band: Value) -> Value:
        """eb, shape (noises, BARK_BANDS), 0 where a noise does not reach."""
        graph = self.graph
        width, place = (noises.slice(column, column + 1, axis=1) for column in (WIDTH, BIN))
        narrowest = graph.constant(NOISE_NARROWEST_SUPPORT, INT64)
        at = band * 8 + 4 - (place * 2 - 3) * narrowest.shift_left(width)
        reached = (at > 0) & (at < (narrowest * 8).shift_left(width))
        x = (graph.where(reached, at, 0) * 341).shift_right(width)
        return graph.where(reached, self._envelope(x.shift_right(8), x & 255, 8), 0)

    def _envelope(self, segment: Value, rest: Value, bits: Value | int) -> Value:
        """ENV in straight lines."""
        table = self.graph.constant(envelope(), INT64)
        left, right = table.pick(segment), table.pick(segment + 1)
        return left + ((right - left) * rest).shift_right(bits)

    # ---- spectrum ----

    def _spectrum(self, levels: Value, first: Value, frames: Value) -> Value:
        """X, shape (N, frames)."""
        return self._amplitudes(levels) * self._signs(first, frames)

    def _amplitudes(self, levels: Value) -> Value:
        """Amplitude of every bin, shape (N, frames)."""
        graph = self.graph
        k = graph.range(0, self._size)
        centres = graph.constant(bark_hz(), INT64, "BARK_HZ").shift_left(self.frame_log2 + 1) // self.sample_rate
        bands = (centres < self._size).to(INT64).sum(axis=0)
        # The band whose centre is at the bin or the last below it, and the next one.
        passed = (k.unsqueeze(1) >= centres.unsqueeze(0)).to(INT64).sum(axis=1)
        left, right = (passed - 1).maximum(0), passed.minimum(bands - 1)
        begin, end = centres.pick(left), centres.pick(right)
        per_bin = graph.constant(65536, INT64) // (end - begin).maximum(1)
        low, high = levels.take(left), levels.take(right)
        slope = ((high - low) * per_bin.unsqueeze(1)).shift_right(8)
        line = low * 256 + slope * (k - begin).maximum(0).unsqueeze(1)
        return graph.constant(_amplitude_of_level(), INT64, "AMPLITUDE").pick(line.shift_right(8, rounding=256))

    def _signs(self, first: Value, frames: Value) -> Value:
        """1 or -1 for every bin, shape (N, frames)."""
        graph = self.graph
        s = ((graph.range(first, first + frames) + 1) * 0x9E3779B9).to(UINT32)
        s = s ^ s.unsigned_shift(16, "RIGHT")
        # 0x85EBCA6B less 2^32: the same factor modulo 2^32, with which no product leaves int64.
        s = (s.to(INT64) * (0x85EBCA6B - (1 << 32))).to(UINT32)
        s = (s ^ s.unsigned_shift(13, "RIGHT")) | 1

        def next_word(_trip: Value, states: list[Value]) -> tuple[list[Value], list[Value]]:
            word = states[0]
            for bits, direction in ((13, "LEFT"), (17, "RIGHT"), (5, "LEFT")):
                word = word ^ word.unsigned_shift(bits, direction)
            return [word], [word]

        _, (words,) = graph.loop(self._size // _SIGN_BITS, [s], next_word)
        bit = graph.constant(np.arange(_SIGN_BITS)[:, None], UINT32)
        bits = words.unsqueeze(1).unsigned_shift(bit, "RIGHT") & 1
        return bits.reshape(self._size, frames).to(INT64) * 2 - 1

    # ---- transform ----

    def _transform(self, spectrum: Value) -> Value:
        """v, shape (N, frames), from X."""
        graph = self.graph
        half_size = self._size // 2
        k = graph.range(0, half_size)
        re, im = spectrum.slice(0, None, step=2), spectrum.slice(None, None, step=-2)
        re, im = self._turned(re, im, k.shift_left(-self.frame_log2 + 15))
        order = graph.constant(_bit_reversal(), INT64, "BIT_REVERSAL").slice(0, half_size)
        order = order.shift_right(-self.frame_log2 + MAX_FRAME_LOG2)
        re, im = re.take(order), im.take(order)

        def stage(number: Value, states: list[Value]) -> tuple[list[Value], list[Value]]:
            half = graph.constant(1, INT64).shift_left(number)
            groups = [part.reshape(-1, 2, half, states[0].length(1)) for part in states]
            re_a, im_a = (part.take(0, axis=1) for part in groups)
            re_b, im_b = (part.take(1, axis=1) for part in groups)
            re_b, im_b = self._turned(re_b, im_b, graph.range(0, half).shift_left(15).shift_right(number))
            return [self._butterfly(re_a, re_b, number & 1), self._butterfly(im_a, im_b, number & 1)], []

        (re, im), _ = graph.loop(self.frame_log2 - 1, [re, im], stage)
        re, im = self._turned(re, im, (k * 4 + 1).shift_left(13).shift_right(self.frame_log2))
        both = graph.concat(re.unsqueeze(1), -im.reversed().unsqueeze(1), axis=1)
        return both.reshape(self._size, both.length(2))

    def _butterfly(self, a: Value, b: Value, shift: Value) -> Value:
        """a + b and a - b, shifted, in the order of the transform: shape (N / 2, frames)."""
        pair = self.graph.concat((a + b).unsqueeze(1), (a - b).unsqueeze(1), axis=1)
        return pair.shift_right(shift).reshape(self._size // 2, a.length(2))

    def _turned(self, re: Value, im: Value, phase: Value) -> tuple[Value, Value]:
        """Complex numbers turned back; the phases are those along the axis before the last."""
        c, s = (self._cosine(phase + turned).unsqueeze(1) for turned in (32, 32 - _TURN // 4))
        return (re * c + im * s).shift_right(14, rounding=8192), (im * c - re * s).shift_right(14, rounding=8192)

    def _cosine(self, phase: Value) -> Value:
        table = self.graph.constant(cosine(), INT64)
        return table.pick((phase & (_TURN - 1)).shift_right((_TURN // COSINE_STEPS).bit_length() - 1))

    # ---- blocks ----

    def _blocks(self, values: Value, frames: Value) -> Value:
        """The samples of the blocks between the frames, shape (N, frames - 1)."""
        graph = self.graph
        half = self._size // 2
        before, after = values.slice(0, frames - 1, axis=1), values.slice(1, None, axis=1)
        first, second = before.slice(0, half), after.slice(half, None)
        old = -graph.concat(first.reversed(), first)
        new = graph.concat(second, -second.reversed())
        phase = (graph.range(0, self._size) * 2 + 1).shift_left(-self.frame_log2 + 13)
        fall, rise = (self._cosine(turned).unsqueeze(1) for turned in (phase, -phase + _TURN // 4))
        x = (old * fall + new * rise).shift_right(14, rounding=8192)
        return (x * 16).shift_right(self.shift, rounding=graph.constant(1, INT64).shift_left(self.shift - 1))


def _amplitude_of_level() -> np.ndarray:
    """Amplitude at the levels -1, which rounding takes a falling line to, to the highest."""
    level = np.arange(-1, HIGHEST_LEVEL + 1)
    return gain()[(level >> 3) & (GAIN_STEPS - 1)] >> (14 - (level >> 8))


def _bit_reversal() -> np.ndarray:
    """The bits of numbers in reverse order, for the longest frame."""
    numbers = np.arange(1 << _HIGHEST_HALF_BITS)
    bits = (numbers[:, None] >> np.arange(_HIGHEST_HALF_BITS)) & 1
    return bits @ (1 << np.arange(_HIGHEST_HALF_BITS)[::-1])
