"""Noises (SPEC 5) in ONNX, with what a residual layer (SPEC 8) makes of them: those of a window of the clip, all its
frames at once, along the last axis."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from audio_gs.codec.kinds import NOISE
from audio_gs.codec.kinds.noise import (
    HIGHEST_EXPONENT,
    HIGHEST_LEVEL,
    LEVEL_STEP,
    MAX_FRAME_LOG2,
    PAN_ONE,
    SIDE_FRAMES,
)
from audio_gs.codec.residual import LARGEST_VALUE
from audio_gs.codec.tables import (
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

from .builder import INT64, UINT32, Graph, Value

ELEMENTS_AT_A_TIME = 1 << 17
"""Levels that are made before they are added: what decides on the memory of the loop over noises."""

Spectrum = tuple[Value, Value, Value]
"""X of the even and of the odd bins, both of shape (N / 2, frames), and the exponents, shape (frames,)."""
_LONGEST = NOISE_SHORTEST_SUPPORT << (NOISE_SCALES - 1)
_TURN = 65536
_SCALE, _ONSET, _WIDTH, _PLACE, _WEIGHT, _SIDE_WEIGHT, _PAN_WEIGHT = range(len(NOISE.columns(is_panned=True)))
"""Columns of noises, of which those of the side may lack."""
_FRAME, _FIRST_WEIGHT = 4, 5
"""Columns of those of a window: where in its levels a noise begins, and the first weight."""
_MOST_STAGES = MAX_FRAME_LOG2 - 1
COEFFICIENT_COLUMNS = ("frame", "bin", "value", "step")
"""step: level of a coefficient of 1."""
_CODED_FRAME = COEFFICIENT_COLUMNS.index("frame")
_MORE_BITS = 2
"""Of the amplitude of a step, behind the binary point."""
_SIGN_STEP = 1664525, 1013904223
"""Factor and term of the generator of signs."""


@dataclasses.dataclass(frozen=True)
class Residual:
    """What a residual layer makes of the frames of a clip."""

    coefficients: Value
    """Rows of `COEFFICIENT_COLUMNS`, int64."""
    cells: Value
    """First bin of each cell, int64, in order."""
    offsets: Value
    """What is added to the level of the noise in each cell of the frames 0, 1, ..., integers, shape (frames, cells);
    nothing in later ones."""


@dataclasses.dataclass(frozen=True)
class NoiseRenderer:
    """The renderer for windows of one length, a multiple of the longest frame."""

    graph: Graph
    noises: Value
    """Rows of the columns of noises, int64."""
    sample_rate: Value
    frame_log2: Value
    shift: Value
    base: Value
    window: Value
    """Samples in a window, int64, shape ()."""
    residual: Residual
    with_residual: Value | bool

    def samples(self, start: Value) -> Value:
        """The noise of the samples of the window that starts here, at a multiple of the longest frame."""
        first, frames = self._frames(start)
        centres = self._centres()
        (sums,) = self._sums(first, frames, (_WEIGHT,))
        levels = self._limited(sums + self.base * LEVEL_STEP).slice(0, centres.length())
        return self._samples(*self._spectrum_of_mid(levels, centres, first, frames))

    def mid_and_side(self, start: Value, side_base: Value) -> tuple[Value, Value]:
        """The same of mid and side where Gaussians are panned."""
        first, frames = self._frames(start)
        centres = self._centres()
        sums = self._sums(first, frames, (_WEIGHT, _SIDE_WEIGHT, _PAN_WEIGHT))
        of_mid, of_side, of_pan = (of.slice(0, centres.length()) for of in sums)
        of_mid = of_mid + self.base * LEVEL_STEP
        mid = self._spectrum_of_mid(self._limited(of_mid), centres, first, frames)
        levels = self._limited(of_mid + of_side + side_base * LEVEL_STEP)
        pans = of_pan.clip(-PAN_ONE, PAN_ONE)
        return self._samples(*mid), self._samples(*self._spectrum_of_side(levels, pans, centres, first, frames, mid))

    def _frames(self, start: Value) -> tuple[Value, Value]:
        """The first frame of a window, and how many it needs."""
        return start.shift_right(self.frame_log2), self.window.shift_right(self.frame_log2) + 1

    def _spectrum_of_mid(self, levels: Value, centres: Value, first: Value, frames: Value) -> Spectrum:
        of_bins = self._line_of_bins(self._highest_in_bin(levels, centres), levels, centres)

        def drawn() -> list[Value]:
            exponents = self._highest(levels).shift_right(8)
            return [*self._spectrum(self._amplitudes(of_bins, exponents), first, frames), exponents]

        def coded() -> list[Value]:
            return list(self._coded_spectrum(of_bins, first, frames))

        if isinstance(self.with_residual, Value):
            even, odd, exponents = self.graph.branches(self.with_residual, coded, drawn)
        else:
            even, odd, exponents = coded() if self.with_residual else drawn()
        return even, odd, exponents

    def _spectrum_of_side(
        self, levels: Value, pans: Value, centres: Value, first: Value, frames: Value, mid: Spectrum
    ) -> Spectrum:
        """X' of the even and of the odd bins, and the exponents."""
        graph = self.graph
        even, odd, of_mid = mid
        own = self._highest(levels).shift_right(8)
        has_pan = graph.node("ReduceMax", [pans.maximum(-pans), graph.vector(0)], INT64, keepdims=0) > 0
        is_panned = (of_mid > 0) & has_pan
        panned = (own.maximum(of_mid) + 1).minimum(HIGHEST_EXPONENT)
        exponents = graph.where(is_panned, panned, own)
        of_bins = self._line_of_bins(self._highest_in_bin(levels, centres), levels, centres)
        is_heard = (own > 0).to(INT64)
        drawn = [
            part * is_heard
            for part in self._spectrum(self._amplitudes(of_bins, exponents), first + SIDE_FRAMES, frames)
        ]
        # Where nothing is panned the shift is any that exists.
        shift = graph.where(is_panned, exponents - of_mid + 11, 11)
        largest = graph.constant(32767, INT64).shift_right(self.frame_log2 & 1)
        of_pan = self._line_of_bins(pans, pans, centres)

        def with_part(own_part: Value, of_channel: Value, parity: int) -> Value:
            shared = (of_pan.slice(parity, None, step=2) * of_channel).shift_right(shift)
            return graph.where(is_panned, (own_part + shared).clip(-largest, largest), own_part)

        return with_part(drawn[0], even, 0), with_part(drawn[1], odd, 1), exponents

    def _samples(self, even: Value, odd: Value, exponents: Value) -> Value:
        """Those of the blocks between the frames, from X and the exponents."""
        audible = (exponents > 0).to(INT64)
        re, im = (part * audible for part in self._transform(even, odd))
        return self._blocks(re, im, exponents).transpose(1, 0).flat()

    @property
    def _pairs(self) -> Value:
        """N / 2."""
        return self.graph.constant(1, INT64).shift_left(self.frame_log2 - 1)

    # ---- levels ----

    def _limited(self, levels: Value) -> Value:
        return levels.clip(0, HIGHEST_LEVEL)

    def _sums(self, first: Value, frames: Value, weights: Sequence[int]) -> list[Value]:
        """What noises add up to with the weights of some columns, each of shape (BARK_BANDS, frames), in the frames
        from `first` on."""
        graph = self.graph
        scale, onset = (self.noises.take(column, axis=1) for column in (_SCALE, _ONSET))
        frame = onset.shift_right(self.frame_log2) - first
        support = graph.constant(NOISE_SHORTEST_SUPPORT, INT64).shift_left(scale)
        lasts = (frame + support > 0) & (frame < frames)
        # Before and after the window is room for what the longest noise has there.
        columns = [self.noises.slice(0, _WEIGHT, axis=1), (frame + _LONGEST).unsqueeze(1)]
        columns += [self.noises.slice(column, column + 1, axis=1) for column in weights]
        noises = graph.concat(*columns, axis=1).select(lasts)

        def add_scale(scale: Value, states: list[Value]) -> tuple[list[Value], list[Value]]:
            return self._with_scale(states, noises, scale), []

        zeros = graph.zeros((frames + 2 * _LONGEST) * BARK_BANDS)
        all_sums, _ = graph.loop(graph.constant(NOISE_SCALES, INT64), [zeros for _ in weights], add_scale)
        return [sums.reshape(-1, BARK_BANDS).slice(_LONGEST, frames + _LONGEST).transpose(1, 0) for sums in all_sums]

    def _with_scale(self, sums: Sequence[Value], noises: Value, scale: Value) -> list[Value]:
        """The sums, vectors, with all noises of a scale added, so many at a time."""
        graph = self.graph
        support = graph.constant(NOISE_SHORTEST_SUPPORT, INT64).shift_left(scale)
        at_a_time = (graph.constant(ELEMENTS_AT_A_TIME // BARK_BANDS, INT64) // support).maximum(1)
        chosen = graph.indices(noises.take(_SCALE, axis=1).equals(scale))
        age = graph.range(1, support)
        eighths = age * 8
        over_time = self._envelope(eighths.shift_right(scale), eighths & (support // NOISE_SHORTEST_SUPPORT - 1), scale)
        band = graph.range(0, BARK_BANDS)

        def add_some(trip: Value, states: list[Value]) -> tuple[list[Value], list[Value]]:
            some = noises.take(chosen.slice(trip * at_a_time, (trip + 1) * at_a_time))
            over_bark = self._over_bark(some, band).unsqueeze(1)
            frame = some.slice(_FRAME, _FRAME + 1, axis=1)
            places = ((frame + age) * BARK_BANDS).unsqueeze(2) + band

            def with_weight(number: int, state: Value) -> Value:
                weight = some.slice(_FIRST_WEIGHT + number, _FIRST_WEIGHT + number + 1, axis=1)
                peak = (weight * over_time).shift_right(7).unsqueeze(2)
                return state.scatter_add(places, (peak * over_bark).shift_right(16))

            return [with_weight(number, state) for number, state in enumerate(states)], []

        trips = (chosen.length().scalar() + at_a_time - 1) // at_a_time
        return graph.loop(trips, list(sums), add_some)[0]

    def _over_bark(self, noises: Value, band: Value) -> Value:
        """eb, shape (noises, BARK_BANDS), 0 where a noise does not reach."""
        graph = self.graph
        width, place = (noises.slice(column, column + 1, axis=1) for column in (_WIDTH, _PLACE))
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

    def _centres(self) -> Value:
        """The bin where each band has its centre, for the bands that count."""
        bins = self.graph.constant(bark_hz(), INT64, "BARK_HZ").shift_left(self.frame_log2 + 1) // self.sample_rate
        return bins.select(bins < self._pairs * 2)

    def _line_of_bins(self, left_ends: Value, right_ends: Value, centres: Value) -> Value:
        """What runs in straight lines from band to band, such as levels, in every bin, shape (N, frames): from what it
        is at the left end of a line to what it is at the right one, both of shape (bands, frames)."""
        graph = self.graph
        k = graph.range(0, self._pairs * 2)
        last = centres.length() - 1
        # The last band whose centre is in the bin or below it, and the next one.
        passed = (k.unsqueeze(1) >= centres.unsqueeze(0)).to(INT64).sum(axis=1)
        left, right = (passed - 1).maximum(0), passed.minimum(last)
        begin, end = centres.pick(left), centres.pick(right)
        per_bin = graph.where(end > begin, graph.constant(65536, INT64) // (end - begin).maximum(1), 0)
        low, high = left_ends.take(left), right_ends.take(right)
        slope = ((high - low) * per_bin.unsqueeze(1)).shift_right(8)
        return (low * 256 + slope * (k - begin).maximum(0).unsqueeze(1)).shift_right(8)

    def _highest(self, levels: Value) -> Value:
        """The highest of each frame, shape (frames,)."""
        return self.graph.node("ReduceMax", [levels, self.graph.vector(0)], INT64, keepdims=0)

    def _raised(self, exponents: Value) -> Value:
        """By how much the levels of each frame are raised."""
        return (-exponents + 16 - (self.frame_log2 & 1)) * 256

    def _amplitudes(self, of_bins: Value, exponents: Value) -> Value:
        """Amplitude of every bin, shape (N, frames)."""
        table = self.graph.constant(_amplitude_of_raised_level(), INT64, "AMPLITUDE")
        return table.pick(of_bins + self._raised(exponents))

    def _highest_in_bin(self, levels: Value, centres: Value) -> Value:
        """The highest level so far of the bands that have their centre in one bin, of the levels' shape."""
        graph = self.graph
        before = graph.concat(graph.constant([-1], INT64), centres.slice(0, -1))
        joined = centres.equals(before).to(INT64)

        def next_band(number: Value, states: list[Value]) -> tuple[list[Value], list[Value]]:
            highest = (states[0] * joined.take(number)).maximum(levels.take(number))
            return [highest], [highest]

        _, (highest,) = graph.loop(centres.length().scalar(), [levels.take(0)], next_band)
        return highest

    def _spectrum(self, amplitudes: Value, first: Value, frames: Value) -> tuple[Value, Value]:
        """X of the even and of the odd bins, both of shape (N / 2, frames)."""
        graph = self.graph
        s = ((graph.range(first, first + frames) + 1) * 0x9E3779B9).to(UINT32)
        s = s ^ s.unsigned_shift(16, "RIGHT")
        s = (s.to(INT64) * _as_signed(0x85EBCA6B)).to(UINT32)
        s = s ^ s.unsigned_shift(13, "RIGHT")
        factors, terms = (
            graph.constant(np.array(column)[:, None], INT64).slice(0, self._pairs)
            for column in zip(*_sign_steps(), strict=True)
        )
        words = (s.to(INT64) * factors + terms).to(UINT32)
        even, odd = (
            amplitudes.slice(parity, None, step=2) ^ -(words.unsigned_shift(bit, "RIGHT").to(INT64) & 1)
            for parity, bit in enumerate((31, 30))
        )
        return even, odd

    # ---- residual ----

    def _coded_spectrum(self, of_bins: Value, first: Value, frames: Value) -> tuple[Value, Value, Value]:
        """X of the even and of the odd bins, and the exponents, of the frames of a residual layer."""
        graph, size = self.graph, self._pairs * 2
        offsets = self.residual.offsets.slice(first, first + frames)
        beyond = graph.zeros(frames - offsets.length(), offsets.length(1))
        cell = (graph.range(0, size).unsqueeze(1) >= self.residual.cells.unsqueeze(0)).to(INT64).sum(axis=1) - 1
        moved = graph.concat(offsets.to(INT64), beyond).transpose(1, 0).take(cell)
        of_bins = (of_bins + moved).clip(0, HIGHEST_LEVEL)

        frame = self.residual.coefficients.take(_CODED_FRAME, axis=1) - first
        rows = self.residual.coefficients.select((frame >= 0) & (frame < frames))
        frame, bins, value, step = (rows.take(column, axis=1) for column in range(len(COEFFICIENT_COLUMNS)))
        frame = frame - first
        magnitude = value.maximum(-value)
        place = bins * frames + frame

        def spread(values: Value) -> Value:
            """Values of coefficients, 0 elsewhere, shape (N, frames)."""
            return graph.zeros(size * frames).scatter_add(place, values).reshape(size, frames)

        powers = graph.constant([1 << bits for bits in range(LARGEST_VALUE.bit_length())], INT64)
        octaves = step.shift_right(8) + (magnitude.unsqueeze(1) >= powers).to(INT64).sum(axis=1)
        octaves = spread(octaves.minimum(HIGHEST_EXPONENT))
        exponents = self._highest(of_bins).shift_right(8).maximum(self._highest(octaves))

        raised = step + self._raised(exponents).pick(frame)
        gains = graph.constant(gain(), INT64, "GAIN").pick(raised.shift_right(3) & (GAIN_STEPS - 1))
        amplitude = gains.shift_left(raised.shift_right(8)).shift_right(15 - _MORE_BITS)
        largest = graph.constant(32767, INT64).shift_right(self.frame_log2 & 1)
        coded = (magnitude * amplitude).shift_right(_MORE_BITS).minimum(largest)
        coded = spread(graph.where(value < 0, -coded, coded))
        # A coefficient has an octave, be its amplitude 0.
        is_coded = octaves > 0
        even, odd = (
            graph.where(is_coded.slice(parity, None, step=2), coded.slice(parity, None, step=2), drawn)
            for parity, drawn in enumerate(self._spectrum(self._amplitudes(of_bins, exponents), first, frames))
        )
        return even, odd, exponents

    # ---- transform ----

    def _transform(self, even: Value, odd: Value) -> tuple[Value, Value]:
        """z, real and imaginary parts of shape (N / 2, frames), from X."""
        graph = self.graph
        k = graph.range(0, self._pairs)
        re, im = self._quarter(even, odd.reversed(), k.shift_left(-self.frame_log2 + 15))
        order = graph.constant(_bit_reversal(), INT64, "BIT_REVERSAL").slice(0, self._pairs)
        order = order.shift_right(-self.frame_log2 + MAX_FRAME_LOG2)
        re, im = re.take(order), im.take(order)
        stages = self.frame_log2 - 1
        one_alone = stages & 1
        parts = graph.branches(one_alone.equals(1), lambda: self._twos(re, im), lambda: self._fours(re, im))
        done = -one_alone + 2

        def two_stages(number: Value, states: list[Value]) -> tuple[list[Value], list[Value]]:
            re, im = states
            return list(self._fours(re, im, done + number * 2)), []

        (re, im), _ = graph.loop((stages - 1).shift_right(1), parts, two_stages)
        return re, im

    def _twos(self, re: Value, im: Value) -> tuple[Value, Value]:
        """One stage, the first."""
        pairs = [part.reshape(-1, 2, part.length(1)) for part in (re, im)]
        both = [(pair.take(0, axis=1), pair.take(1, axis=1)) for pair in pairs]
        re, im = (self._joined(a + b, a - b) for a, b in both)
        return re, im

    def _fours(self, re: Value, im: Value, span_log2: Value | None = None) -> tuple[Value, Value]:
        """Two stages; the first two have a span of 1 and nothing to turn or to scale."""
        graph = self.graph
        span = 1 if span_log2 is None else graph.constant(1, INT64).shift_left(span_log2)
        order = graph.constant([0, 2, 1, 3], INT64)
        re, im = (part.reshape(-1, 4, span, part.length(1)).take(order, axis=1) for part in (re, im))
        if span_log2 is not None:
            leg, k = graph.range(0, 4).unsqueeze(1), graph.range(0, span)
            re, im = self._quarter(re, im, (leg * k).shift_left(14).shift_right(span_log2))
        (re_a, re_b, re_c, re_d), (im_a, im_b, im_c, im_d) = (
            [part.take(leg, axis=1) for leg in range(4)] for part in (re, im)
        )
        re_ac, im_ac, re_bd, im_bd = re_a + re_c, im_a + im_c, re_b + re_d, im_b + im_d
        re_a_c, im_a_c, re_b_d, im_b_d = re_a - re_c, im_a - im_c, re_b - re_d, im_b - im_d
        return (
            self._joined(re_ac + re_bd, re_a_c + im_b_d, re_ac - re_bd, re_a_c - im_b_d),
            self._joined(im_ac + im_bd, im_a_c - re_b_d, im_ac - im_bd, im_a_c + re_b_d),
        )

    def _joined(self, *legs: Value) -> Value:
        """The legs of a stage in the order of the transform, shape (N / 2, frames)."""
        stacked = self.graph.concat(*(leg.unsqueeze(1) for leg in legs), axis=1)
        return stacked.reshape(self._pairs, legs[0].length(-1))

    def _turned(self, re: Value, im: Value, phase: Value) -> tuple[Value, Value]:
        """Complex numbers turned back, in Q14; the phases are those along the axes before the last."""
        table = self.graph.constant(cosine(), INT64)
        bits = (_TURN // COSINE_STEPS).bit_length() - 1
        c, s = (
            table.pick((at & (_TURN - 1)).shift_right(bits)).unsqueeze(-1)
            for at in (phase, phase + (_TURN - _TURN // 4))
        )
        return re * c + im * s, im * c - re * s

    def _quarter(self, re: Value, im: Value, phase: Value) -> tuple[Value, Value]:
        re, im = self._turned(re, im, phase)
        return re.shift_right(16), im.shift_right(16)

    # ---- blocks ----

    def _blocks(self, re: Value, im: Value, exponents: Value) -> Value:
        """The samples of the blocks between the frames, shape (N, frames - 1)."""
        graph = self.graph
        j = graph.range(0, self._pairs)
        is_odd = (j & 1).equals(1)
        k = graph.where(is_odd, self._pairs - (j + 1).shift_right(1), j.shift_right(1))
        i = (j * 2 + 1).shift_left(7).shift_right(self.frame_log2)
        phase = graph.where(is_odd, -i + 128, i + 640) * (_TURN // COSINE_STEPS)
        re, im = self._turned(re.take(k), im.take(k), phase)
        odd_row = is_odd.unsqueeze(1)
        before, after = exponents.slice(0, -1), exponents.slice(1, None)
        highest = before.maximum(after)
        old = graph.where(odd_row, re, im).slice(0, -1, axis=1).shift_right(highest - before + 14)
        new = graph.where(odd_row, im, re).slice(1, None, axis=1).shift_right(highest - after + 14)
        table = graph.constant(cosine(), INT64)
        fall, rise = (table.pick(at).unsqueeze(1) for at in (i, i + COSINE_STEPS // 4))
        down = -highest + (self.shift + 24 - self.frame_log2.shift_right(1))
        limited = down.clip(14, 31)
        half, up = graph.constant(1, INT64).shift_left(limited - 1), (-down + 14).maximum(0)
        # rise is -COS.
        first, last = (
            x.shift_right(limited, rounding=half).shift_left(up).clip(-32768, 32767)
            for x in (new * rise - old * fall, new * fall + old * rise)
        )
        return graph.concat(first, last.reversed())


def _amplitude_of_raised_level() -> npt.NDArray[np.int64]:
    """Of levels whose octave is 0..16."""
    level = np.arange(17 * 256)
    return (gain()[(level >> 3) & (GAIN_STEPS - 1)] << (level >> 8)) >> 15


def _as_signed(word: int) -> int:
    """The same number modulo 2^32, with which no product of 32-bit numbers leaves int64."""
    return word - (1 << 32) if word >> 31 else word


def _sign_steps() -> list[tuple[int, int]]:
    """Factor and term that take the generator of signs 1, 2, ... steps at once, up to the longest frame's."""
    factor, term = 1, 0
    steps = []
    for _ in range(1 << _MOST_STAGES):
        factor, term = factor * _SIGN_STEP[0] % (1 << 32), (term * _SIGN_STEP[0] + _SIGN_STEP[1]) % (1 << 32)
        steps.append((_as_signed(factor), term))
    return steps


def _bit_reversal() -> npt.NDArray[np.int64]:
    """The bits of numbers in reverse order, for the longest frame."""
    numbers = np.arange(1 << _MOST_STAGES)
    bits = (numbers[:, None] >> np.arange(_MOST_STAGES)) & 1
    return bits @ (1 << np.arange(_MOST_STAGES)[::-1])
