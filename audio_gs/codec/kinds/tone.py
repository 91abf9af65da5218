"""Tones: a wave of one frequency under a Gaussian envelope (SPEC 4). Numba, integer."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from numba import njit

from ..directions import Ears, delay_at, levels_at
from ..pcm import steps_of_quarters
from ..range_coder import decode_bit, decode_direct, encode_bit, encode_direct
from ..symbols import ILLEGAL_BIN, TOO_MANY, decode_gamma, encode_gamma, lead, more_context, occurs
from ..tables import (
    AMPLITUDE,
    AMPLITUDE_EXPONENT,
    CONTEXTS_PER_SCALE,
    ENVELOPE_SEGMENTS,
    ENVELOPE_SIGMA,
    FEWEST_PHASE_BITS,
    FIRST_BIN,
    FULL_SCALE,
    GAIN_STEPS,
    GAMMA_LENGTHS,
    HALF_BAND_TAPS,
    HALF_SQRT2_Q16,
    LARGEST_AMPLITUDE,
    LARGEST_SIDE_AMPLITUDE,
    MACS_PER_PIECE,
    MAX_SCALES,
    MORE,
    NEXT_BIN,
    OCTAVE_INCREMENT,
    OCTAVE_SCALE,
    OCTAVES,
    RENDER_BLOCK,
    SHORTEST_SUPPORT,
    SIDE_AMPLITUDE,
    SIDE_AMPLITUDE_CONTEXTS,
    SIDE_AMPLITUDE_EXPONENT,
    SIDE_CLASSES,
    SIDE_PRESENT,
    TONE_SIDE_CONTEXTS,
    WARM_UP_BLOCKS,
    cosine,
    envelope,
    gain,
    half_band,
    phase_bits,
    tone_side_prior,
)
from .base import (
    EVERYTHING,
    NOTHING_MUTED,
    PHYSICAL,
    Array,
    HeaderLimit,
    Kind,
    Macs,
    Renderer,
    Rules,
    Table,
    refuse,
)

if TYPE_CHECKING:
    from ..container import StreamHeader

Integers = npt.NDArray[np.int64]

# ---- fields ----

TONE_DTYPE = np.dtype(
    [(name, "<i4") for name in ("scale", "onset", "bin", "amplitude", "phase", "side_amplitude", "side_phase")]
)
"""scale: k, the support is 32 << k samples. onset: first sample of the support, a multiple of a quarter of it, may be
negative. bin: frequency in units of sample_rate / support. amplitude: index q >= 1 on the uniform scale of SPEC 4.3.
phase: index f, 0 <= f < 2^bits(q), of the phase at the centre. side_amplitude, side_phase: the same of its part of the
side in a stream with panned Gaussians (SPEC 10); both 0 for none.

In `PHYSICAL`, weight is the peak of the envelope, 1.0 is full scale, and phase is in radians at the centre."""

MAX_SCALE = 11
MAX_AMPLITUDE_STEP = (1 << 11) - 1
MAX_OUTPUT_SHIFT = 16
MAX_TONES = 4096

HELD_BYTES = 12
"""Of the C decoder: each tone held."""


def support(scale: npt.ArrayLike) -> Integers:
    """Samples that tones of the given scales sound for."""
    return SHORTEST_SUPPORT << np.asarray(scale, np.int64)


def _physical(table: Table, header: StreamHeader) -> npt.NDArray[Any]:
    length = support(table["scale"]).astype(np.float64)
    peak = amplitude(table["amplitude"], table["scale"], header.amplitude_step)
    out = np.zeros(len(table), PHYSICAL)
    out["time"] = (table["onset"] + length / 2) / header.sample_rate
    out["frequency"] = table["bin"] * header.sample_rate / length
    out["spread_time"] = length * ENVELOPE_SIGMA / header.sample_rate
    out["spread_frequency"] = 1 / (2 * np.pi * out["spread_time"])
    out["weight"] = peak / 2.0**header.output_shift / FULL_SCALE
    out["phase"] = 2 * np.pi * phase_turns(table["amplitude"], table["phase"])
    return out


def _check(table: Table, header: StreamHeader) -> None:
    scale, largest = table["scale"].astype(np.int64), header.smallest_scale + header.scales - 1
    wrong = (scale < header.smallest_scale) | (scale > largest)
    refuse(wrong, table, "tone", f"has a scale outside the header's {header.smallest_scale}..{largest}")
    wrong = table["onset"] >> header.slot_log2 < -lead(header.longest_tone, header.slot_log2)
    refuse(wrong, table, "tone", "begins outside the slots of tones")
    wrong = table["onset"] & ((8 << scale) - 1) != 0
    refuse(wrong, table, "tone", "begins between the hops of its scale, multiples of 8 << scale samples")
    wrong = (table["bin"] < 0) | (table["bin"] >= 16 << scale)
    refuse(wrong, table, "tone", "has a bin outside 0..support / 2 - 1")
    wrong = (table["amplitude"] < 1) | (table["amplitude"] > LARGEST_AMPLITUDE)
    refuse(wrong, table, "tone", f"has an amplitude index outside 1..{LARGEST_AMPLITUDE}")
    wrong = (table["phase"] < 0) | (table["phase"] >> _PHASE_BITS[table["amplitude"]] != 0)
    refuse(wrong, table, "tone", "has a phase index outside those of its amplitude")
    side = table["side_amplitude"]
    wrong = (side < 0) | (side > (LARGEST_SIDE_AMPLITUDE if header.panning else 0))
    allowed = f"outside 0..{LARGEST_SIDE_AMPLITUDE}" if header.panning else "in a stream without panned Gaussians"
    refuse(wrong, table, "tone", f"has a side's amplitude index {allowed}")
    wrong = (table["side_phase"] < 0) | (table["side_phase"] >> np.where(side, _PHASE_BITS[side], 0) != 0)
    refuse(wrong, table, "tone", "has a side's phase index outside those of its amplitude")


# ---- syntax ----

_PHASE_BITS = phase_bits()


@njit(cache=True)
def _side_context(base: int, amplitude: int, has_side: int) -> int:
    """Context of whether a tone of an amplitude index has a side; `has_side`: whether the one before it in the slot
    has."""
    return base + SIDE_PRESENT + SIDE_CLASSES * has_side + _PHASE_BITS[amplitude] - FEWEST_PHASE_BITS


@njit(cache=True)
def _side_amplitude_context(base: int, amplitude: int) -> int:
    """First context of the side's amplitude of a tone of an amplitude index."""
    of_class = (_PHASE_BITS[amplitude] - FEWEST_PHASE_BITS) >> 1
    return base + SIDE_AMPLITUDE + SIDE_AMPLITUDE_CONTEXTS * of_class


@njit(cache=True)
def _decode_slot(
    state: Array,
    data: Array,
    contexts: Array,
    before: Array,
    smallest_scale: int,
    slot_log2: int,
    panned: int,
    slot: int,
    table: Table,
    capacity: int,
) -> int:
    here = 0
    sides = len(contexts) - TONE_SIDE_CONTEXTS
    has_side = 0
    lead_slots = lead(SHORTEST_SUPPORT << (smallest_scale + len(before) - 1), slot_log2)
    for j in range(len(before)):
        scale = smallest_scale + j
        if not occurs(8 << scale, lead_slots, slot, slot_log2):
            continue
        base = j * CONTEXTS_PER_SCALE
        count = 0
        bin_ = 0
        while decode_bit(state, data, contexts, more_context(base + MORE, before[j], here, count)):
            if here + count >= capacity:
                return TOO_MANY
            unary = base + (FIRST_BIN if count == 0 else NEXT_BIN)
            bin_ += decode_gamma(state, data, contexts, unary, unary + GAMMA_LENGTHS, 4 + scale) - 1
            if bin_ >= 16 << scale:
                return ILLEGAL_BIN
            time = decode_direct(state, data, max(0, slot_log2 - 3 - scale))
            unary = base + AMPLITUDE
            index = decode_gamma(state, data, contexts, unary, unary + GAMMA_LENGTHS, AMPLITUDE_EXPONENT)
            row = table[here + count]
            row["scale"] = scale
            row["onset"] = (slot << slot_log2) + (time << (3 + scale))
            row["bin"] = bin_
            row["amplitude"] = index
            row["phase"] = decode_direct(state, data, _PHASE_BITS[index])
            row["side_amplitude"] = row["side_phase"] = 0
            if panned:
                has_side = decode_bit(state, data, contexts, _side_context(sides, index, has_side))
                if has_side:
                    unary = _side_amplitude_context(sides, index)
                    tops = unary + SIDE_AMPLITUDE_EXPONENT
                    side = decode_gamma(state, data, contexts, unary, tops, SIDE_AMPLITUDE_EXPONENT)
                    row["side_amplitude"] = side
                    row["side_phase"] = decode_direct(state, data, _PHASE_BITS[side])
            count += 1
        before[j] = count
        here += count
    return here


@njit(cache=True)
def _encode_slot(
    state: Array,
    output: Array,
    contexts: Array,
    before: Array,
    smallest_scale: int,
    slot_log2: int,
    panned: int,
    slot: int,
    table: Table,
) -> None:
    here = 0
    at = 0
    sides = len(contexts) - TONE_SIDE_CONTEXTS
    has_side = 0
    lead_slots = lead(SHORTEST_SUPPORT << (smallest_scale + len(before) - 1), slot_log2)
    for j in range(len(before)):
        scale = smallest_scale + j
        if not occurs(8 << scale, lead_slots, slot, slot_log2):
            continue
        base = j * CONTEXTS_PER_SCALE
        count = 0
        bin_ = 0
        while at < len(table) and table[at]["scale"] == scale:
            row = table[at]
            encode_bit(state, output, contexts, more_context(base + MORE, before[j], here, count), 1)
            unary = base + (FIRST_BIN if count == 0 else NEXT_BIN)
            encode_gamma(state, output, contexts, unary, unary + GAMMA_LENGTHS, 4 + scale, row["bin"] - bin_ + 1)
            bin_ = row["bin"]
            time = (row["onset"] - (slot << slot_log2)) >> (3 + scale)
            encode_direct(state, output, time, max(0, slot_log2 - 3 - scale))
            index = row["amplitude"]
            unary = base + AMPLITUDE
            encode_gamma(state, output, contexts, unary, unary + GAMMA_LENGTHS, AMPLITUDE_EXPONENT, index)
            encode_direct(state, output, row["phase"], _PHASE_BITS[index])
            if panned:
                side = row["side_amplitude"]
                encode_bit(state, output, contexts, _side_context(sides, index, has_side), 1 if side else 0)
                has_side = 1 if side else 0
                if side:
                    unary = _side_amplitude_context(sides, index)
                    tops = unary + SIDE_AMPLITUDE_EXPONENT
                    encode_gamma(state, output, contexts, unary, tops, SIDE_AMPLITUDE_EXPONENT, side)
                    encode_direct(state, output, row["side_phase"], _PHASE_BITS[side])
            count += 1
            at += 1
        encode_bit(state, output, contexts, more_context(base + MORE, before[j], here, count), 0)
        before[j] = count
        here += count


# ---- dequantise ----

_GAIN = gain().astype(np.int64)
LARGEST_PEAK = 32767
_HALF_COSINE_STEP = 32

HELD = np.dtype(
    [
        (name, "<i8")
        for name in (
            *("octave", "scale", "onset", "amplitude", "phase", "increment", "side_amplitude", "side_phase"),
            "channels",
        )
    ],
)
"""A tone as rendering takes it. octave: how often the sample rate is halved where it is rendered; scale, onset and
increment, the phase step, are those at that rate. amplitude: peak of the envelope. phase: at the onset, with half a
step of the cosine's index; 65536 a turn. side_amplitude: that of its side, 0 for none. side_phase: by which the side's
phase is ahead of its own. channels: in how many it is rendered."""


def amplitude(index: npt.ArrayLike, scale: npt.ArrayLike, amplitude_step: int) -> Integers:
    """Peak of the envelope in 2^-output_shift output steps, of amplitude indices and scales."""
    return np.minimum(LARGEST_PEAK, unclipped_amplitude(index, scale, amplitude_step))


def unclipped_amplitude(index: npt.ArrayLike, scale: npt.ArrayLike, amplitude_step: int) -> Integers:
    """What `amplitude` would be if 15 bits could hold any."""
    q = np.asarray(index, np.int64)
    k = np.asarray(scale, np.int64)
    return (_step(k, amplitude_step) * (8 * q + 3)) >> (5 + (k >> 1))


def _step(scale: Integers, amplitude_step: int) -> Integers:
    return np.where(scale & 1, (amplitude_step * HALF_SQRT2_Q16 + 2048) >> 12, 16 * amplitude_step)


def side_amplitude(index: npt.ArrayLike, scale: npt.ArrayLike, amplitude_step: int, side_step: int) -> Integers:
    """`amplitude` of sides, whose step is 2^(side_step / 4) times as large (SPEC 10.3); 0 for those that are none."""
    peak = unclipped_side_amplitude(index, scale, amplitude_step, side_step)
    return np.where(np.asarray(index) > 0, np.minimum(LARGEST_PEAK, peak), 0)


def unclipped_side_amplitude(
    index: npt.ArrayLike, scale: npt.ArrayLike, amplitude_step: int, side_step: int
) -> Integers:
    """What `side_amplitude` would be of sides that are there if 15 bits could hold any."""
    q = np.asarray(index, np.int64)
    k = np.asarray(scale, np.int64)
    quarters = int(_GAIN[GAIN_STEPS // 4 * (side_step & 3)])
    step = ((_step(k, amplitude_step) * quarters) >> 13) << (side_step >> 2)
    return (step * (8 * q + 3)) >> (5 + (k >> 1))


def phase(amplitude_index: npt.ArrayLike, index: npt.ArrayLike) -> Integers:
    """The phase at the centre, 65536 a turn."""
    bits = _PHASE_BITS[np.asarray(amplitude_index, np.int64)]
    return np.asarray(index, np.int64) << (16 - bits)


def phase_turns(amplitude_index: npt.ArrayLike, index: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The phase at the centre in turns, 0..1."""
    return phase(amplitude_index, index) / 65536.0


def increment(bin_: npt.ArrayLike, scale: npt.ArrayLike) -> Integers:
    """The phase step a sample, 65536 a turn."""
    return np.asarray(bin_, np.int64) * (65536 // (SHORTEST_SUPPORT << np.asarray(scale, np.int64)))


def octave(bin_: npt.ArrayLike, scale: npt.ArrayLike) -> Integers:
    """How often the sample rate is halved where the tone is rendered."""
    step, k = increment(bin_, scale), np.asarray(scale, np.int64)
    halvings = np.arange(1, OCTAVES)[:, None]
    fits = (k >= halvings + OCTAVE_SCALE) & (step << halvings <= OCTAVE_INCREMENT)
    return np.sum(fits, axis=0).reshape(k.shape)


PLAYED_TONE_DTYPE = np.dtype(
    [
        *TONE_DTYPE.descr,
        *((name, "<i4") for name in ("frequency", "step", "size", "rotation", "deviation", "last")),
        ("place", "<i8"),
        *((name, "<i4") for name in ("left", "right", "left_turn", "right_turn")),
    ]
)
"""A tone that is played at a pace of its own (SPEC 9.4, 9.5): that pace's frequency, step and size. rotation: of the
phase at its centre, 65536 a turn. deviation: of its partial's frequency from its own, in 1/16 phase steps. last: the
last block that it sounds in. place: its centre, in 1/65536 of the samples that are given. left, right: its
levels at a listener's ears (SPEC 11), 256 an octave of amplitude; left_turn, right_turn: by which its phase is turned
there."""


def frequency_at_pace(table: Table) -> Integers:
    """The phase step a sample of tones of dtype `PLAYED_TONE_DTYPE` at their paces, in 1/16."""
    step, factor = increment(table["bin"], table["scale"]), table["frequency"].astype(np.int64)
    deviation = table["deviation"].astype(np.int64)
    return np.maximum(0, ((factor * step) >> 12) + (((factor - table["step"]) * deviation) >> 16))


_LARGEST_FREQUENCY = 1 << 19
"""Half the sample rate, in 1/16 phase steps."""
_SHORTEST_PIECE = GAIN_STEPS * OCTAVE_SCALE
"""log2 of the shortest straight piece of an envelope at a lower sample rate, in 1/32."""

STRETCHED = np.dtype([*HELD.descr, ("size", "<i8"), ("late", "<i8"), ("samples", "<i8"), ("last", "<i8")])
"""A tone as rendering takes it at a pace. size: 32 times log2 of the samples of a straight piece. late: how far its
onset lies before its first sample, in 1/64. samples: how many it has. last: the last block that it sounds in."""


def piece_length(size: npt.ArrayLike) -> Integers:
    """The length of a straight piece of an envelope, in 1/256 samples."""
    size = np.asarray(size, np.int64)
    shift = (size >> 5) - 5
    steps = _GAIN[size & 31]
    return np.where(shift >= 0, steps << np.maximum(shift, 0), steps >> np.maximum(-shift, 0))


def laid_out(table: Table) -> tuple[npt.NDArray[Any], Integers]:
    """Octave, scale, onset, late, size and samples of tones of dtype `PLAYED_TONE_DTYPE`, in a table of dtype
    `STRETCHED`, and their phase steps as `frequency_at_pace` has them, of those beyond half the sample rate that."""
    step = np.minimum(frequency_at_pace(table), _LARGEST_FREQUENCY)
    beyond = (table["frequency"].astype(np.int64) >> 4) * increment(table["bin"], table["scale"]) >> 27
    step[beyond != 0] = _LARGEST_FREQUENCY
    scale, size = table["scale"].astype(np.int64), table["size"].astype(np.int64)
    halvings = np.arange(1, OCTAVES)[:, None]
    fits = (GAIN_STEPS * (scale - halvings) + size >= _SHORTEST_PIECE) & (
        ((step << halvings) + 8) >> 4 <= OCTAVE_INCREMENT
    )
    out = np.zeros(len(table), STRETCHED)
    octave = out["octave"] = np.sum(fits, axis=0)
    out["scale"] = scale - octave
    out["size"] = GAIN_STEPS * (scale - octave) + size
    length = piece_length(out["size"])
    place = table["place"] - (length << (12 + octave))
    out["onset"] = -(-place >> (16 + octave))
    out["late"] = ((out["onset"] << (16 + octave)) - place) >> (10 + octave)
    out["samples"] = (ENVELOPE_SEGMENTS * length - 4 * out["late"] + 255) >> 8
    return out, step


def _give_sides(out: Table, table: Table, amplitude_step: int, side_step: int) -> None:
    """Sets the sides of tones of dtype `HELD` from a table of dtype `TONE_DTYPE`."""
    side = table["side_amplitude"]
    out["side_amplitude"] = side_amplitude(side, table["scale"], amplitude_step, side_step)
    turned = phase(side, table["side_phase"]) - phase(table["amplitude"], table["phase"])
    out["side_phase"] = np.where(side > 0, turned & 0xFFFF, 0)
    out["channels"] = 1 + (side > 0)


def held_at_pace(table: Table, amplitude_step: int, side_step: int | None = None) -> npt.NDArray[Any]:
    """`held`, dtype `STRETCHED`, of a table of dtype `PLAYED_TONE_DTYPE`; without what is beyond half the sample
    rate."""
    out, step = laid_out(table)
    out["channels"] = 1
    if side_step is not None:
        _give_sides(out, table, amplitude_step, side_step)
    out["amplitude"] = amplitude(table["amplitude"], table["scale"], amplitude_step)
    out["increment"] = ((step << out["octave"]) + 8) >> 4
    at_centre = phase(table["amplitude"], table["phase"]) + table["rotation"]
    middle = (ENVELOPE_SEGMENTS // 2) * piece_length(out["size"]) - 4 * out["late"]
    out["phase"] = (at_centre + _HALF_COSINE_STEP - ((out["increment"] * middle) >> 8)) & 0xFFFF
    out["last"] = table["last"]
    return out[step < _LARGEST_FREQUENCY]


def centres_at_pace(table: Table) -> Integers:
    """Where the centres of tones of dtype `PLAYED_TONE_DTYPE` are rendered, in 1/64 of the samples that are given."""
    out = laid_out(table)[0]
    return np.asarray((64 * out["onset"] - out["late"] + 4 * piece_length(out["size"])) << out["octave"])


def ends_at_pace(table: Table) -> Integers:
    """The sample after each one's last, of those that are given, in a table of dtype `PLAYED_TONE_DTYPE`."""
    out = laid_out(table)[0]
    return np.asarray((out["onset"] + out["samples"]) << out["octave"])


def held(table: Table, amplitude_step: int, side_step: int | None = None) -> npt.NDArray[Any]:
    """Dequantised tones ready to render, dtype `HELD`, shape (n,), from a table of dtype `TONE_DTYPE`; without sides if
    there is no `side_step`."""
    scale, bin_ = table["scale"].astype(np.int64), table["bin"].astype(np.int64)
    out = np.zeros(len(table), HELD)
    out["channels"] = 1
    if side_step is not None:
        _give_sides(out, table, amplitude_step, side_step)
    out["octave"] = octave(bin_, scale)
    out["scale"] = scale - out["octave"]
    out["onset"] = table["onset"] >> out["octave"]
    out["amplitude"] = amplitude(table["amplitude"], scale, amplitude_step)
    # The phase is the one at the centre; half the support before it is a half turn for an odd bin.
    out["phase"] = phase(table["amplitude"], table["phase"]) + _HALF_COSINE_STEP + ((bin_ & 1) << 15)
    out["increment"] = increment(bin_, scale) << out["octave"]
    return out


def hear(tones: Table, ears: Ears, sample_rate: int) -> None:
    """Fill in what ears hear of tones of dtype `PLAYED_TONE_DTYPE` (SPEC 11.3)."""
    hertz = (increment(tones["bin"], tones["scale"]) * sample_rate) >> 16
    tones["left"], tones["right"] = levels_at(ears, hertz)
    delay = delay_at(ears, hertz)
    for name, late in (("left_turn", -delay), ("right_turn", delay)):
        tones[name] = -((hertz * np.maximum(late, 0) + 8) >> 4) & 0xFFFF


def at_level(peak: Integers, level: Integers) -> Integers:
    """Peaks of envelopes at levels of 256 an octave of amplitude."""
    return np.minimum(LARGEST_PEAK, (peak * _GAIN[(level >> 3) & 31]) >> (13 - (level >> 8)))


# ---- render ----

_ENVELOPE = envelope()
_COSINE = cosine()
_HALF_BAND = half_band()


@njit(cache=True)
def accumulate(accumulator: Array, start: int, tones: Array) -> None:
    """Adds every tone (dtype `HELD`) of one octave to accumulator[0..], int32, which begins at the octave's sample
    number `start`."""
    end = start + len(accumulator)
    for g in range(len(tones)):
        scale = tones[g]["scale"]
        onset = tones[g]["onset"]
        peak = tones[g]["amplitude"]
        step = tones[g]["increment"]
        first = tones[g]["phase"]
        for n in range(max(start, onset), min(end, onset + (SHORTEST_SUPPORT << scale))):
            age = n - onset
            segment = age >> scale
            rest = age & ((1 << scale) - 1)
            left = _ENVELOPE[segment] * peak
            right = _ENVELOPE[segment + 1] * peak
            height = (left + rest * ((right - left) >> scale)) >> 15
            turn = (first + step * age) & 0xFFFF
            accumulator[n - start] += np.int32(height * _COSINE[turn >> 6])


_LARGEST_STRETCHED_PEAK = 31744
"""So that no line of an envelope leaves 31 bits a sample behind its end."""


@njit(cache=True)
def accumulate_stretched(accumulator: Array, start: int, tones: Array, lengths: Array) -> None:
    """`accumulate` of tones of dtype `STRETCHED`, whose straight pieces have these lengths."""
    end = start + len(accumulator)
    for g in range(len(tones)):
        size, length, late = tones[g]["size"], lengths[g], 4 * tones[g]["late"]
        onset = tones[g]["onset"]
        peak = min(tones[g]["amplitude"], _LARGEST_STRETCHED_PEAK)
        step = tones[g]["increment"]
        shift = max(0, 2 - (-size >> 5))
        for n in range(max(start, onset), min(end, onset + tones[g]["samples"])):
            age = n - onset
            segment = ((age << 8) + late) // length
            behind = (age << 8) + late - segment * length
            slope = (((_ENVELOPE[segment + 1] - _ENVELOPE[segment]) * peak >> 11) * _GAIN[-size & 31]) >> shift
            height = (_ENVELOPE[segment] * peak + (behind & 255) * (slope >> 8) + (behind >> 8) * slope) >> 15
            turn = (tones[g]["phase"] + step * age) & 0xFFFF
            accumulator[n - start] += np.int32(height * _COSINE[turn >> 6])


@njit(cache=True)
def upsampled(samples: Array) -> Array:
    """Samples of an octave at the rate of the octave above, int32, shape (2 * (n - 2 * HALF_BAND_TAPS),):
    HALF_BAND_TAPS at either end serve only those between them."""
    count = len(samples) - 2 * HALF_BAND_TAPS
    out = np.zeros(2 * count, np.int32)
    for m in range(count):
        here = m + HALF_BAND_TAPS
        between = np.int64(2048)
        for tap in range(HALF_BAND_TAPS):
            between += _HALF_BAND[tap] * (np.int64(samples[here - tap]) + np.int64(samples[here + 1 + tap]))
        out[2 * m] = samples[here]
        out[2 * m + 1] = np.int32(between) >> np.int32(12)
    return out


def sides_of(tones: Array) -> Array:
    """The sides of tones of dtype `HELD`, as tones."""
    out = tones[tones["side_amplitude"] > 0]
    out["amplitude"] = out["side_amplitude"]
    out["phase"] += out["side_phase"]
    return out


def _sums(tones: Array, first: int, end: int, of_octave: int, rules: Rules, of_side: bool) -> Array:
    """Samples first..end-1 of an octave, int32, as the sums of its tones, or of their sides."""
    sums = np.zeros(end - first, np.int32)
    here = tones["octave"] == of_octave
    if all(rule.macs is None and rule.muted == NOTHING_MUTED and rule.clock is None for rule in rules):
        accumulate(sums, first, sides_of(tones[here]) if of_side else tones[here])
        return sums
    ahead = (8 << of_octave) - 8
    size = RENDER_BLOCK >> of_octave
    first_block, last_block = (((at << of_octave) - ahead) // RENDER_BLOCK for at in (first, end - 1))
    for block in range(first_block, last_block + 1):
        rule = next(rule for rule in reversed(rules) if rule.first <= block)
        chosen = ~rule.muted.frequencies(tones["increment"] >> tones["octave"])
        if "tone" in rule.muted.kinds:
            chosen[:] = False
        if rule.clock:
            chosen &= tones["last"] >= block
        if rule.macs is not None:
            parts = _stretched_parts if rule.clock else _parts
            chosen[chosen] = within_budget(tones[chosen], block, rule.macs, parts)
        begin = (block * RENDER_BLOCK + ahead) >> of_octave
        part = slice(max(0, begin - first), max(0, begin + size - first))
        those = sides_of(tones[here & chosen]) if of_side else tones[here & chosen]
        if rule.clock:
            accumulate_stretched(sums[part], first + part.start, those, piece_length(those["size"]))
        else:
            accumulate(sums[part], first + part.start, those)
    return sums


def rendered(
    tones: Array, start: int, count: int, output_shift: int, rules: Rules = EVERYTHING, of_side: bool = False
) -> npt.NDArray[np.int32]:
    """Samples start.. of all tones (dtype `HELD`), or of their sides, int32, shape (count,), in quarters of an output
    step. Without what the rules leave out."""
    pieces = [(start, start + count)]
    for _ in range(1, OCTAVES):
        first, end = pieces[-1]
        pieces.append(((first >> 1) - HALF_BAND_TAPS, ((end + 1) >> 1) + HALF_BAND_TAPS))
    half, shift = np.int32(1 << (11 + output_shift)), np.int32(12 + output_shift)
    below = np.zeros(0, np.int32)
    for of_octave, (first, end) in reversed(list(enumerate(pieces))):
        here = (_sums(tones, first, end, of_octave, rules, of_side) + half) >> shift
        if len(below):
            here += upsampled(below)[first & 1 :][: end - first]
        below = here
    return below


class _ToneRenderer(Renderer):
    def __init__(self, header: StreamHeader) -> None:
        self._header = header

    def samples(self, start: int, count: int, table: Table, rules: Rules) -> npt.NDArray[np.int64]:
        at_pace = table.dtype == PLAYED_TONE_DTYPE
        tones = (held_at_pace if at_pace else held)(table, self._header.amplitude_step)
        return steps_of_quarters(rendered(tones, start, count, self._header.output_shift, rules))

    def mid_and_side(self, start: int, count: int, table: Table, rules: Rules) -> npt.NDArray[np.int64]:
        header = self._header
        assert header.panning is not None
        at_pace = table.dtype == PLAYED_TONE_DTYPE
        tones = (held_at_pace if at_pace else held)(table, header.amplitude_step, header.panning.side_step)
        quarters = [rendered(tones, start, count, header.output_shift, rules, of_side) for of_side in (False, True)]
        return steps_of_quarters(np.array(quarters))

    def left_and_right(self, start: int, count: int, table: Table, rules: Rules) -> npt.NDArray[np.int64]:
        tones = held_at_pace(table, self._header.amplitude_step)
        tones["channels"] = 2
        quarters = []
        for ear in ("left", "right"):
            tones["side_amplitude"] = at_level(tones["amplitude"], table[ear])
            tones["side_phase"] = table[ear + "_turn"]
            quarters.append(rendered(tones, start, count, self._header.output_shift, rules, of_side=True))
        return steps_of_quarters(np.array(quarters))


# ---- cost ----

FILTER_MACS = round(RENDER_BLOCK * HALF_BAND_TAPS * (1 - 0.5 ** (OCTAVES - 1)))
"""What the half-band filters cost in a block: of each two samples of an octave one is made of others."""


@njit(cache=True)
def _add_macs(macs: Any, start: int, octaves: Any, scales: Any, onsets: Any, channels: Any) -> None:
    """Adds what the tones cost in each block to macs[0..], which begins at sample `start`, at the block's first sample;
    blocks before sample 0 are made with the one that begins there. A tone of two channels costs twice as much."""
    for g in range(len(octaves)):
        halvings, scale, onset = octaves[g], scales[g] - octaves[g], onsets[g] >> octaves[g]
        ahead = (8 << halvings) - 8
        size = RENDER_BLOCK >> halvings
        length = ENVELOPE_SEGMENTS << scale
        block = max(-WARM_UP_BLOCKS, ((onset << halvings) - ahead) // RENDER_BLOCK)
        if start > 0:
            block = max(block, -(-start // RENDER_BLOCK))
        while max(0, block * RENDER_BLOCK) < start + len(macs):
            begin = (block * RENDER_BLOCK + ahead) >> halvings
            age = max(0, begin - onset)
            count = min(begin + size - onset, length) - age
            if begin - onset >= length:
                break
            if count > 0:
                pieces = ((age + count - 1) >> scale) - (age >> scale) + 1
                macs[max(0, block * RENDER_BLOCK) - start] += channels[g] * (count + MACS_PER_PIECE * pieces)
            block += 1


def macs_of_tones(table: Table, start: int, stop: int) -> Macs:
    """MACs of rendering tones at each of the samples start..stop-1, shape (stop - start,): one for each sample that the
    decoder makes of them in their octave, four more for each straight piece of the envelope in a block; the same once
    more for the side of those that have one."""
    macs = np.zeros(stop - start, np.int64)
    scale = table["scale"].astype(np.int64)
    channels = 1 + (table["side_amplitude"] > 0)
    _add_macs(macs, start, octave(table["bin"], scale), scale, table["onset"].astype(np.int64), channels)
    return macs


def macs_each(table: Table) -> npt.NDArray[np.float64]:
    """About what each tone costs in MACs, shape (n,)."""
    scale = table["scale"].astype(np.int64)
    sounding = ENVELOPE_SEGMENTS << scale
    pieces = np.maximum(ENVELOPE_SEGMENTS, sounding // RENDER_BLOCK)
    channels = 1 + (table["side_amplitude"] > 0)
    return channels * (sounding * 0.5 ** octave(table["bin"], scale) + MACS_PER_PIECE * pieces)


def _filter_macs(header: StreamHeader) -> int:
    """Of a block of all channels that are filtered."""
    return 2 * FILTER_MACS if header.panning else FILTER_MACS


def filter_macs(header: StreamHeader, start: int, stop: int) -> Macs:
    """MACs of the half-band filters at each of the samples start..stop-1."""
    macs = np.zeros(stop - start, np.int64)
    macs[-start % RENDER_BLOCK :: RENDER_BLOCK] = _filter_macs(header)
    if start == 0:
        macs[0] += WARM_UP_BLOCKS * _filter_macs(header)
    return macs


Parts = tuple[Integers, Integers, Integers, Integers]
"""Of tones in a block: their samples there, the first and the last straight piece of the envelope, that in the
middle."""


def _ages(tones: Array, block: int, lasting: Array) -> tuple[Integers, Integers]:
    """Age of the first sample, and number of samples, of each tone in a block of its octave."""
    begin = (block * RENDER_BLOCK + (8 << tones["octave"]) - 8) >> tones["octave"]
    age = np.maximum(begin - tones["onset"], 0)
    end = np.minimum(begin + (RENDER_BLOCK >> tones["octave"]) - tones["onset"], lasting)
    return age, np.maximum(end - age, 0)


def _parts(tones: Array, block: int) -> Parts:
    age, samples = _ages(tones, block, support(tones["scale"]))
    scale = tones["scale"]
    return samples, age >> scale, (age + samples - 1) >> scale, (age + samples // 2) >> scale


def _stretched_parts(tones: Array, block: int) -> Parts:
    age, samples = _ages(tones, block, tones["samples"])
    length = piece_length(tones["size"])
    first, last, middle = (
        ((at << 8) + 4 * tones["late"]) // length for at in (age, age + samples - 1, age + samples // 2)
    )
    return samples, first, last, middle


def strength(height: Array) -> Array:
    """How strong tones of an envelope's height are, in steps of a quarter of an octave of amplitude, 0 for silence
    (SPEC 4.5)."""
    doublings = np.maximum(np.frexp(height)[1] - 3, 0)
    return 4 * doublings + (height >> doublings)


def within_budget(
    tones: Array, block: int, budget: int, parts: Callable[[Array, int], Parts] = _parts
) -> npt.NDArray[np.bool_]:
    """Marks the tones (dtype `HELD`) that a decoder renders in a block for `budget` MACs a sample (SPEC P5)."""
    samples, first, last, middle = parts(tones, block)
    costs = np.where(samples > 0, samples + MACS_PER_PIECE * (last - first + 1), 0) * tones["channels"]
    middle = np.where(samples > 0, middle, 0)
    strengths = strength(((_ENVELOPE[middle] + _ENVELOPE[middle + 1]) * tones["amplitude"]) >> 16)
    of_each = np.bincount(strengths, costs, minlength=1)
    of_all_from = np.cumsum(of_each[::-1])[::-1]
    affordable = np.flatnonzero(of_all_from <= budget * RENDER_BLOCK)
    return strengths >= (affordable[0] if len(affordable) else len(of_each))


class ToneKind(Kind):
    """Tones, which every stream may have."""

    name = "tone"
    bit = 0
    optional = False
    dtype = TONE_DTYPE
    side_columns = ("side_amplitude", "side_phase")
    prior_contexts = MAX_SCALES * CONTEXTS_PER_SCALE
    order_in_scale = "bin"
    decode = staticmethod(_decode_slot)
    encode = staticmethod(_encode_slot)

    def header_limits(self, header: StreamHeader) -> Sequence[HeaderLimit]:
        return (
            HeaderLimit("smallest scale", header.smallest_scale, 0, MAX_SCALE),
            HeaderLimit("number of scales", header.scales, 1, MAX_SCALES),
            HeaderLimit("largest scale", header.smallest_scale + header.scales - 1, 0, MAX_SCALE),
            HeaderLimit("amplitude step", header.amplitude_step, 1, MAX_AMPLITUDE_STEP),
            HeaderLimit("output shift", header.output_shift, 0, MAX_OUTPUT_SHIFT),
            HeaderLimit("largest number of tones held", header.max_tones, 1, MAX_TONES),
        )

    def capacity(self, header: StreamHeader) -> int:
        return header.max_tones

    def with_capacity(self, header: StreamHeader, most: int) -> StreamHeader:
        return dataclasses.replace(header, max_tones=most)

    def fill_class(self, decoder_class: Any, header: StreamHeader) -> None:
        decoder_class.max_tones, decoder_class.scales = header.max_tones, header.scales

    def longest_support(self, header: StreamHeader) -> int:
        return header.longest_tone

    def shortest_hop(self, header: StreamHeader) -> int:
        return SHORTEST_SUPPORT // 4 << header.smallest_scale

    def supports(self, table: Table, header: StreamHeader) -> Integers:
        return support(table["scale"])

    def physical(self, table: Table, header: StreamHeader) -> npt.NDArray[Any]:
        return _physical(table, header)

    def check(self, table: Table, header: StreamHeader) -> None:
        _check(table, header)

    def scales(self, header: StreamHeader) -> int:
        return header.scales

    def prior(self, of_set: Array, header: StreamHeader) -> Array:
        return of_set[: header.scales * CONTEXTS_PER_SCALE]

    def side_prior(self) -> Array:
        return tone_side_prior()

    def layout(self, header: StreamHeader) -> tuple[int, ...]:
        return header.smallest_scale, header.slot_log2, int(header.panning is not None)

    def renderer(self, header: StreamHeader) -> Renderer:
        return _ToneRenderer(header)

    def macs(self, table: Table, header: StreamHeader, start: int, stop: int) -> Macs:
        return filter_macs(header, start, stop) + macs_of_tones(table, start, stop)

    def silent_macs(self, header: StreamHeader, start: int, stop: int) -> int | None:
        return _filter_macs(header) * len(range(-start % RENDER_BLOCK, stop - start, RENDER_BLOCK))

    def most_silent_macs(self, header: StreamHeader, samples: int) -> int:
        return _filter_macs(header) * -(-samples // RENDER_BLOCK)


TONE = ToneKind()
