"""Tones (SPEC 4) in ONNX: those of a window of the clip, and the half-band filters."""

from __future__ import annotations

import dataclasses

from audio_gs.codec.kinds import TONE
from audio_gs.codec.kinds.tone import LARGEST_PEAK, MAX_SCALE
from audio_gs.codec.tables import (
    COSINE_STEPS,
    ENVELOPE_SEGMENTS,
    FEWEST_PHASE_BITS,
    GAIN_STEPS,
    HALF_BAND_TAPS,
    HALF_SQRT2_Q16,
    OCTAVE_INCREMENT,
    OCTAVE_SCALE,
    OCTAVES,
    PHASE_LIMITS,
    SHORTEST_SUPPORT,
    cosine,
    envelope,
    gain,
    half_band,
)

from .builder import INT32, INT64, UINT32, Graph, Value

MARGIN = 2 * HALF_BAND_TAPS
"""Samples of an octave, beside those of the window, that the filters need on either side: just as many of the octave
below make them."""
ELEMENTS_AT_A_TIME = 1 << 17
"""Samples of tones that are made before they are added: what decides on the memory of the loop over tones."""

_OCTAVE, _SCALE, _ONSET, _PEAK, _PHASE, _INCREMENT, _PLACE = range(7)
"""Columns of a tone ready to render, as in `tone.HELD`, and where it begins in the sums of a window."""

_K, _ONSET_ROW, _BIN, _AMPLITUDE, _SIDE_AMPLITUDE = (
    TONE.columns(is_panned=True).index(name) for name in ("scale", "onset", "bin", "amplitude", "side_amplitude")
)
"""Columns of tones; a phase stands behind its amplitude."""

_TURN = 65536


def dequantised(graph: Graph, rows: Value, amplitude_step: Value) -> Value:
    """Tones ready to render, int64, shape (n, _PLACE), from rows of the columns of tones, int64."""
    k = rows.take(_K, axis=1)
    return _ready(graph, rows, _AMPLITUDE, _steps(graph, k, amplitude_step))


def dequantised_sides(graph: Graph, rows: Value, amplitude_step: Value, side_step: Value) -> Value:
    """The same of the sides of those tones that have one."""
    rows = rows.select(rows.take(_SIDE_AMPLITUDE, axis=1) > 0)
    quarters = graph.constant(gain()[:: GAIN_STEPS // 4], INT64).pick((side_step & 3).reshape(1))
    step = (_steps(graph, rows.take(_K, axis=1), amplitude_step) * quarters).shift_right(13)
    return _ready(graph, rows, _SIDE_AMPLITUDE, step.shift_left(side_step.shift_right(2)))


def _steps(graph: Graph, k: Value, amplitude_step: Value) -> Value:
    """The amplitude step of each scale."""
    odd_step = (amplitude_step * HALF_SQRT2_Q16).shift_right(12, rounding=2048)
    return graph.where((k & 1).equals(1), odd_step, amplitude_step * 16)


def _ready(graph: Graph, rows: Value, amplitude: int, step: Value) -> Value:
    """Of amplitudes that stand in a column, with their phases in the next one."""
    k, onset, bin_, q, f = (rows.take(column, axis=1) for column in (_K, _ONSET_ROW, _BIN, amplitude, amplitude + 1))
    # A side's product needs all of 32 bits; it is never negative.
    scaled = step * (q * 8 + 3) // graph.constant(1, INT64).shift_left(k.shift_right(1) + 5)
    peak = scaled.minimum(LARGEST_PEAK)
    limits = graph.constant([PHASE_LIMITS], INT64)
    phase_bits = (q.unsqueeze(1) >= limits).to(INT64).sum(axis=1) + FEWEST_PHASE_BITS
    phase = f.shift_left(-phase_bits + 16) + (bin_ & 1) * (_TURN // 2) + _TURN // COSINE_STEPS // 2
    increment = bin_.shift_left(-k + MAX_SCALE)
    octave = k * 0
    for halvings in range(1, OCTAVES):
        fits = (k >= OCTAVE_SCALE + halvings) & (increment * (1 << halvings) <= OCTAVE_INCREMENT)
        octave = graph.where(fits, halvings, octave)
    columns = (octave, k - octave, onset.shift_right(octave), peak, phase & (_TURN - 1), increment.shift_left(octave))
    return graph.concat(*(column.unsqueeze(1) for column in columns), axis=1)


@dataclasses.dataclass(frozen=True)
class ToneRenderer:
    """The renderer for windows of one length, a multiple of 2^(OCTAVES - 1) samples."""

    graph: Graph
    tones: Value
    output_shift: Value
    window: Value
    """Samples in a window, int64, shape ()."""

    def quarters(self, start: Value) -> Value:
        """w_0 of the samples of the window that starts here, at a multiple of 2^(OCTAVES - 1)."""
        sums, lengths, offsets = self._sums(start)
        below: Value | None = None
        for octave in reversed(range(OCTAVES)):
            first = offsets.take(octave)
            own = sums.slice(first, first + lengths.take(octave))
            half = self.graph.constant(1, INT64).shift_left(self.output_shift + 11)
            here = own.shift_right(self.output_shift + 12, rounding=half)
            below = here if below is None else here + upsampled(self.graph, below)
        assert below is not None
        return below.slice(MARGIN, self.window + MARGIN)

    def _sums(self, start: Value) -> tuple[Value, Value, Value]:
        """acc of all octaves in one vector, and the length and first place there of each octave, MARGIN included.

        Before, between and after the octaves is room for what the longest tone has outside of the window.
        """
        graph = self.graph
        octaves = graph.range(0, OCTAVES)
        lengths = self.window.shift_right(octaves) + 2 * MARGIN
        room = graph.constant(SHORTEST_SUPPORT, INT64).shift_left(self._largest_scale())
        ends = graph.node("CumSum", [lengths + room, graph.constant(0, INT64)], INT64)
        offsets = ends - lengths
        octave, onset = (self.tones.take(column, axis=1) for column in (_OCTAVE, _ONSET))
        support = graph.constant(SHORTEST_SUPPORT, INT64).shift_left(self.tones.take(_SCALE, axis=1))
        place = onset - start.shift_right(octave) + MARGIN
        heard = (place + support > 0) & (place < lengths.pick(octave))
        tones = graph.concat(self.tones, (place + offsets.pick(octave)).unsqueeze(1), axis=1).select(heard)

        def add_scale(scale: Value, states: list[Value]) -> tuple[list[Value], list[Value]]:
            return [self._with_scale(states[0], tones, scale)], []

        zeros = graph.zeros(ends.take(OCTAVES - 1) + room)
        (sums,), _ = graph.loop(graph.constant(MAX_SCALE + 1, INT64), [zeros], add_scale)
        return sums, lengths, offsets

    def _largest_scale(self) -> Value:
        scales = self.graph.concat(self.graph.constant([0], INT64), self.tones.take(_SCALE, axis=1))
        return self.graph.node("ReduceMax", [scales], INT64, keepdims=0)

    def _with_scale(self, sums: Value, tones: Value, scale: Value) -> Value:
        """The sums with all tones of a scale (at its octave's rate) added, so many at a time."""
        graph = self.graph
        support = graph.constant(SHORTEST_SUPPORT, INT64).shift_left(scale)
        at_a_time = (graph.constant(ELEMENTS_AT_A_TIME, INT64) // support).maximum(1)
        chosen = graph.indices(tones.take(_SCALE, axis=1).equals(scale))
        age = graph.range(0, support, INT32)
        rest = graph.range(0, support // ENVELOPE_SEGMENTS, INT32)

        def add_some(trip: Value, states: list[Value]) -> tuple[list[Value], list[Value]]:
            some = tones.take(chosen.slice(trip * at_a_time, (trip + 1) * at_a_time))
            samples, places = self._samples(some, scale, age, rest)
            return [states[0].scatter_add(places, samples.to(INT64))], []

        trips = (chosen.length().scalar() + at_a_time - 1) // at_a_time
        (sums,), _ = graph.loop(trips, [sums], add_some)
        return sums

    def _samples(self, tones: Value, scale: Value, age: Value, rest: Value) -> tuple[Value, Value]:
        """What tones of one scale add, int32, shape (n, support), and the places where."""
        graph = self.graph
        peak, phase, increment, place = (
            tones.slice(column, column + 1, axis=1) for column in (_PEAK, _PHASE, _INCREMENT, _PLACE)
        )
        ends = peak * graph.constant([envelope()], INT64, "ENV")
        left, right = ends.slice(0, ENVELOPE_SEGMENTS, axis=1), ends.slice(1, None, axis=1)
        delta = (right - left).shift_right(scale)
        # Rounding takes the straight line to a little under 0 at most; where the numbers are many, one more makes do.
        lifted = (left + (1 << 15)).to(INT32).unsqueeze(2) + delta.to(INT32).unsqueeze(2) * rest
        over_time = lifted.to(UINT32).unsigned_shift(15, "RIGHT").to(INT32) - 1
        turn = (increment.to(INT32) * age + phase.to(INT32)) & (_TURN - 1)
        wave = self._cosine_of_turns().pick(turn)
        samples = over_time.reshape(-1) * wave.flat()
        return samples, place.to(INT32) + age

    def _cosine_of_turns(self) -> Value:
        """COS for every phase: no shift is needed where it is looked up."""
        steps = self.graph.constant(cosine(), INT32, "COS").unsqueeze(1)
        repeated = self.graph.node("Expand", [steps, self.graph.vector(COSINE_STEPS, _TURN // COSINE_STEPS)], INT32)
        return repeated.flat()


def upsampled(graph: Graph, samples: Value) -> Value:
    """Samples of an octave at the rate of the octave above, MARGIN / 2 fewer at either end."""

    def moved(by: int) -> Value:
        return samples.slice(HALF_BAND_TAPS + by, samples.length() + (by - HALF_BAND_TAPS))

    between: Value | None = None
    for tap, weight in enumerate(half_band().tolist()):
        pair = (moved(-tap) + moved(1 + tap)) * weight
        between = pair if between is None else between + pair
    assert between is not None
    pairs = [moved(0), between.shift_right(12, rounding=2048)]
    return graph.concat(*(one.unsqueeze(1) for one in pairs), axis=1).flat()
