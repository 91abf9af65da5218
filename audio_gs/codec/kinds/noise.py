"""Noises: Gaussians without a phase that raise or lower the level of a noise floor (SPEC 5): levels on the Bark axis, a
spectrum of random signs, its inverse MDCT. Numba, integer."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from ..directions import Ears
from ..range_coder import decode_bit, decode_direct, encode_bit, encode_direct
from ..symbols import (
    TOO_MANY,
    bit_length,
    decode_gamma,
    decode_tree,
    encode_gamma,
    encode_tree,
    lead,
    log2_level,
    more_context,
    occurs,
)
from ..tables import (
    BARK_BANDS,
    CONTEXTS_PER_NOISE_SCALE,
    ENVELOPE_SIGMA,
    GAIN_STEPS,
    LARGEST_NOISE_WEIGHT,
    NOISE_CONTEXTS,
    NOISE_MORE,
    NOISE_NARROWEST_SUPPORT,
    NOISE_PLACE,
    NOISE_PLACES_LOG2,
    NOISE_SCALES,
    NOISE_SHORTEST_SUPPORT,
    NOISE_SIDE_CONTEXTS,
    NOISE_SIGN,
    NOISE_WEIGHT,
    NOISE_WEIGHT_CONTEXTS,
    NOISE_WEIGHT_EXPONENT,
    NOISE_WIDTH,
    NOISE_WIDTHS,
    SIDE_WEIGHT_CONTEXTS,
    SIDE_WEIGHT_PRESENT,
    SIDE_WEIGHT_SIGN,
    SIDE_WEIGHT_SIZE,
    bark_hz,
    cosine,
    envelope,
    gain,
    hz_of_bark,
    noise_side_prior,
)
from .base import (
    AS_ENCODED,
    EVERYTHING,
    PHYSICAL,
    Array,
    HeaderLimit,
    Kind,
    Macs,
    Pace,
    Renderer,
    Rule,
    Rules,
    Table,
    refuse,
)

if TYPE_CHECKING:
    from ..container import StreamHeader

# ---- fields ----

NOISE_DTYPE = np.dtype(
    [(name, "<i4") for name in ("scale", "onset", "width", "place", "weight", "side_weight", "pan_weight")]
)
"""scale: a, the support is 4 << a noise frames. onset: first sample of the support, a multiple of a quarter of it, may
be negative. width: c, it covers 3 << c Bark. place: on the Bark axis, in quarters of that. weight: in steps of 3 dB,
not 0. side_weight, pan_weight: in a stream with panned Gaussians (SPEC 10), what it adds to the level of the side's own
noise above that of the mid's, in steps of 3 dB, and to the part of the mid's noise that the side has too, in 1/16; 0
for none.

In `PHYSICAL`, weight is what it adds to the level at its centre, in dB, and phase is 0."""

MIN_FRAME_LOG2, MAX_FRAME_LOG2 = 5, 9
MAX_NOISE_SHIFT = 15
MAX_NOISES = 255

SIDE_WEIGHTS = ("side_weight", "pan_weight")

DECIBELS_PER_WEIGHT = 20 * np.log10(2) / 2
"""What a step of the weight adds to the level: half an octave of amplitude."""


@dataclasses.dataclass(frozen=True)
class NoiseHeader:
    """The header's fields on noise."""

    frame_log2: int
    """A noise frame is N = 2^frame_log2 samples."""
    shift: int
    """Noise is rendered in steps of 2^(4 - shift) output steps."""
    base: int
    """Level where no noise Gaussian is, in half octaves of amplitude (3 dB); 2 is one step, below that is silence."""
    max_noises: int
    """Decoder class: the most noise Gaussians held at a time."""

    @property
    def frame_samples(self) -> int:
        """N, the samples in a noise frame."""
        return 1 << self.frame_log2

    @property
    def octaves_of_power(self) -> int:
        """Coefficients of a level of l half octaves have a power of 2^(l - this) squared output steps (SPEC 5.4)."""
        return 2 * self.shift - 6 - ((self.frame_log2 - 1) & 1)

    @property
    def longest_support(self) -> int:
        """Samples that a noise Gaussian of the largest scale lasts."""
        return NOISE_SHORTEST_SUPPORT << (NOISE_SCALES - 1 + self.frame_log2)


def noise_of(header: StreamHeader) -> NoiseHeader:
    """The header's part on noise; ValueError if it has none."""
    if header.noise is None:
        raise ValueError("a noise Gaussian in a stream whose header has no noise")
    return header.noise


def support(scale: npt.ArrayLike, frame_log2: int) -> npt.NDArray[np.int64]:
    """Samples that noises of the given scales last, for frames of 2^frame_log2 samples."""
    return NOISE_SHORTEST_SUPPORT << (np.asarray(scale, np.int64) + frame_log2)


def _physical(table: Table, header: StreamHeader) -> npt.NDArray[Any]:
    out = np.zeros(len(table), PHYSICAL)
    if header.noise is None:
        return out
    length = support(table["scale"], header.noise.frame_log2).astype(np.float64)
    bark = (NOISE_NARROWEST_SUPPORT << table["width"].astype(np.int64)).astype(np.float64)
    centre = (table["place"] + 0.5) * bark / 4
    spread = bark * ENVELOPE_SIGMA
    out["time"] = (table["onset"] + length / 2) / header.sample_rate
    out["frequency"] = hz_of_bark(centre)
    out["spread_time"] = length * ENVELOPE_SIGMA / header.sample_rate
    out["spread_frequency"] = (hz_of_bark(np.minimum(centre + spread, 26)) - hz_of_bark(centre - spread)) / 2
    out["weight"] = table["weight"] * DECIBELS_PER_WEIGHT
    return out


def _check(table: Table, header: StreamHeader) -> None:
    if len(table) == 0:
        return
    frame_log2 = noise_of(header).frame_log2
    scale, width = table["scale"].astype(np.int64), table["width"].astype(np.int64)
    wrong = (scale < 0) | (scale >= NOISE_SCALES)
    refuse(wrong, table, "noise", f"has a scale outside 0..{NOISE_SCALES - 1}")
    refuse((width < 0) | (width >= NOISE_WIDTHS), table, "noise", f"has a width outside 0..{NOISE_WIDTHS - 1}")
    lead_slots = np.maximum(1, support(scale, frame_log2) >> header.slot_log2)
    wrong = table["onset"] >> header.slot_log2 < -lead_slots
    refuse(wrong, table, "noise", "begins outside the slots of its scale")
    wrong = table["onset"] & ((1 << (scale + frame_log2)) - 1) != 0
    refuse(wrong, table, "noise", f"begins between the hops of its scale, multiples of {1 << frame_log2} << scale")
    wrong = (table["place"] < 0) | (table["place"] >= (1 << NOISE_PLACES_LOG2) >> width)
    refuse(wrong, table, "noise", "has a place outside those of its width, 0..(32 >> width) - 1")
    weight = np.abs(table["weight"].astype(np.int64))
    wrong = (weight < 1) | (weight > LARGEST_NOISE_WEIGHT)
    refuse(wrong, table, "noise", f"has a weight outside 1..{LARGEST_NOISE_WEIGHT} either way")
    largest = LARGEST_NOISE_WEIGHT if header.panning else 0
    allowed = f"outside 0..{largest} either way" if header.panning else "in a stream without panned Gaussians"
    for name in SIDE_WEIGHTS:
        wrong = np.abs(table[name].astype(np.int64)) > largest
        refuse(wrong, table, "noise", f"has a {name.replace('_', ' ')} {allowed}")


# ---- syntax ----


@njit(cache=True)
def _place_context(width: int) -> int:
    """First context of the tree of a width's places, which has one less than there are places."""
    largest = 2 << NOISE_PLACES_LOG2
    return NOISE_PLACE + largest - (largest >> width) - width


@njit(cache=True)
def _decode_side_weight(state: Array, data: Array, contexts: Array, base: int, before: int) -> int:
    """A weight that may be 0, where the noise before in the slot has another one."""
    present = base + SIDE_WEIGHT_PRESENT + (1 if before else 0)
    if not decode_bit(state, data, contexts, present):
        return 0
    negative = decode_bit(state, data, contexts, base + SIDE_WEIGHT_SIGN)
    unary = base + SIDE_WEIGHT_SIZE
    size = decode_gamma(state, data, contexts, unary, unary + NOISE_WEIGHT_EXPONENT, NOISE_WEIGHT_EXPONENT)
    return -size if negative else size


@njit(cache=True)
def _encode_side_weight(state: Array, output: Array, contexts: Array, base: int, before: int, weight: int) -> None:
    """Twin of `_decode_side_weight`."""
    present = base + SIDE_WEIGHT_PRESENT + (1 if before else 0)
    encode_bit(state, output, contexts, present, 1 if weight else 0)
    if weight:
        encode_bit(state, output, contexts, base + SIDE_WEIGHT_SIGN, 1 if weight < 0 else 0)
        unary = base + SIDE_WEIGHT_SIZE
        tops = unary + NOISE_WEIGHT_EXPONENT
        encode_gamma(state, output, contexts, unary, tops, NOISE_WEIGHT_EXPONENT, abs(weight))


@njit(cache=True)
def _decode_slot(
    state: Array,
    data: Array,
    contexts: Array,
    before: Array,
    frame_log2: int,
    slot_log2: int,
    panned: int,
    slot: int,
    table: Table,
    capacity: int,
) -> int:
    here = 0
    side = pan = 0
    sides = len(contexts) - NOISE_SIDE_CONTEXTS
    for scale in range(NOISE_SCALES):
        hop_log2 = frame_log2 + scale
        if not occurs(1 << hop_log2, lead(NOISE_SHORTEST_SUPPORT << hop_log2, slot_log2), slot, slot_log2):
            continue
        own = scale * CONTEXTS_PER_NOISE_SCALE
        count = 0
        while decode_bit(state, data, contexts, more_context(own + NOISE_MORE, before[scale], here, count)):
            if here + count >= capacity:
                return TOO_MANY
            width = decode_tree(state, data, contexts, own + NOISE_WIDTH, 2)
            place = decode_tree(state, data, contexts, _place_context(width), NOISE_PLACES_LOG2 - width)
            time = decode_direct(state, data, max(0, slot_log2 - hop_log2))
            negative = decode_bit(state, data, contexts, NOISE_SIGN + width)
            unary = NOISE_WEIGHT + width * NOISE_WEIGHT_CONTEXTS
            size = decode_gamma(state, data, contexts, unary, unary + NOISE_WEIGHT_EXPONENT, NOISE_WEIGHT_EXPONENT)
            row = table[here + count]
            row["scale"] = scale
            row["onset"] = (slot << slot_log2) + (time << hop_log2)
            row["width"] = width
            row["place"] = place
            row["weight"] = -size if negative else size
            if panned:
                side = _decode_side_weight(state, data, contexts, sides, side)
                pan = _decode_side_weight(state, data, contexts, sides + SIDE_WEIGHT_CONTEXTS, pan)
            row["side_weight"] = side
            row["pan_weight"] = pan
            count += 1
        before[scale] = count
        here += count
    return here


@njit(cache=True)
def _encode_slot(
    state: Array,
    output: Array,
    contexts: Array,
    before: Array,
    frame_log2: int,
    slot_log2: int,
    panned: int,
    slot: int,
    table: Table,
) -> None:
    here = 0
    at = 0
    side = pan = 0
    sides = len(contexts) - NOISE_SIDE_CONTEXTS
    for scale in range(NOISE_SCALES):
        hop_log2 = frame_log2 + scale
        if not occurs(1 << hop_log2, lead(NOISE_SHORTEST_SUPPORT << hop_log2, slot_log2), slot, slot_log2):
            continue
        own = scale * CONTEXTS_PER_NOISE_SCALE
        count = 0
        while at < len(table) and table[at]["scale"] == scale:
            row = table[at]
            encode_bit(state, output, contexts, more_context(own + NOISE_MORE, before[scale], here, count), 1)
            width = row["width"]
            encode_tree(state, output, contexts, own + NOISE_WIDTH, 2, width)
            encode_tree(state, output, contexts, _place_context(width), NOISE_PLACES_LOG2 - width, row["place"])
            time = (row["onset"] - (slot << slot_log2)) >> hop_log2
            encode_direct(state, output, time, max(0, slot_log2 - hop_log2))
            weight = row["weight"]
            encode_bit(state, output, contexts, NOISE_SIGN + width, 1 if weight < 0 else 0)
            unary = NOISE_WEIGHT + width * NOISE_WEIGHT_CONTEXTS
            tops = unary + NOISE_WEIGHT_EXPONENT
            encode_gamma(state, output, contexts, unary, tops, NOISE_WEIGHT_EXPONENT, abs(weight))
            if panned:
                _encode_side_weight(state, output, contexts, sides, side, row["side_weight"])
                _encode_side_weight(state, output, contexts, sides + SIDE_WEIGHT_CONTEXTS, pan, row["pan_weight"])
                side, pan = row["side_weight"], row["pan_weight"]
            count += 1
            at += 1
        encode_bit(state, output, contexts, more_context(own + NOISE_MORE, before[scale], here, count), 0)
        before[scale] = count
        here += count


# ---- dequantise ----

LEVEL_STEP = 128
"""Half an octave of amplitude. A level of 256 (i + 1) is an amplitude of 2^i noise steps; below 256 there is none."""
HIGHEST_LEVEL = 14 * 256 - 1

HELD = np.dtype([(name, "<i8") for name in ("scale", "frame", "width", "place", "weight")])
"""A noise as rendering takes it: its onset in frames, the rest as in the stream; its weight is one of the three."""

_ENVELOPE = envelope()


def held(table: Table, frame_log2: int, weight: str = "weight") -> npt.NDArray[Any]:
    """Noises ready to render, dtype `HELD`, shape (n,), from a table of dtype `NOISE_DTYPE`, with the weights of one of
    its columns."""
    out = np.zeros(len(table), HELD)
    for name in ("scale", "width", "place"):
        out[name] = table[name]
    out["weight"] = table[weight]
    out["frame"] = table["onset"] >> frame_log2
    return out


def band_bins(sample_rate: int, frame_log2: int) -> npt.NDArray[np.int64]:
    """The bin where each band's centre lies, for the bands whose centre is below half the sample rate."""
    bins = (bark_hz() << (frame_log2 + 1)) // sample_rate
    return bins[bins < 1 << frame_log2]


@njit(cache=True)
def frame_levels(frame: int, base: int, noises: Array, bands: int) -> Array:
    """Level of every band in a frame, int64, shape (bands,), before it is limited."""
    return levels_at(8 * frame, base, noises, bands)


@njit(cache=True)
def levels_at(time: int, base: int, noises: Array, bands: int) -> Array:
    """`frame_levels` at a time in eighths of frames."""
    levels = np.full(bands, base * LEVEL_STEP, np.int64)
    for g in range(len(noises)):
        scale = noises[g]["scale"]
        age = time - 8 * noises[g]["frame"]
        if age <= 0 or age >= 8 * NOISE_SHORTEST_SUPPORT << scale:
            continue
        piece = age >> scale
        rest = age & ((1 << scale) - 1)
        over_time = _ENVELOPE[piece] + (((_ENVELOPE[piece + 1] - _ENVELOPE[piece]) * rest) >> scale)
        peak = (noises[g]["weight"] * over_time) >> 7
        width = noises[g]["width"]
        # In eighths of a Bark from the lower end of the Gaussian.
        start = (2 * noises[g]["place"] + 1) * (3 << width) - (12 << width)
        for band in range(bands):
            at = 8 * band + 4 - start
            if at <= 0 or at >= 24 << width:
                continue
            place = (at * 341) >> width
            piece = place >> 8
            over_bark = _ENVELOPE[piece] + (((_ENVELOPE[piece + 1] - _ENVELOPE[piece]) * (place & 255)) >> 8)
            levels[band] += (peak * over_bark) >> 16
    return levels


# ---- render ----

_COSINE = cosine()
_GAIN = gain()
_FRAMES_AT_A_TIME = 256
_NO_CELLS = np.zeros(0, np.int64)


@njit(cache=True)
def limited(levels: Array) -> Array:
    """Levels that a frame can have, int64."""
    return np.minimum(np.maximum(levels, 0), HIGHEST_LEVEL)


@njit(cache=True)
def draw_line(of_bins: Array, left: int, right: int) -> None:
    """Fills the bins of an interval, one at least, with a straight line that is `right` at the bin behind the last."""
    slope = ((right - left) * (65536 // len(of_bins))) >> 8
    line = left << 8
    for k in range(len(of_bins)):
        of_bins[k] = line >> 8
        line += slope


@njit(cache=True)
def spectrum_levels(levels: Array, bins: Array, frame_log2: int) -> Array:
    """Level of every bin, int64, shape (N,), from limited levels of bands: they run in straight lines from band to
    band."""
    size = 1 << frame_log2
    of_bins = np.zeros(size, np.int64)
    bands = len(bins)
    right = levels[0]
    for band in range(-1, bands):
        left, right = right, levels[min(band + 1, bands - 1)]
        first = bins[band] if band >= 0 else 0
        end = bins[band + 1] if band + 1 < bands else size
        if end <= first:
            right = max(left, right)
            continue
        draw_line(of_bins[first:end], left, right)
    return of_bins


@njit(cache=True)
def raised_by(exponent: int, frame_log2: int) -> int:
    """By how much levels are raised, so that the highest octave fills 16 bits."""
    return (16 - exponent - (frame_log2 & 1)) << 8


@njit(cache=True)
def amplitude_of_level(level: int, fraction_bits: int) -> int:
    """The amplitude of a raised level, with so many bits behind the binary point."""
    return (_GAIN[(level >> 3) & (GAIN_STEPS - 1)] << (level >> 8)) >> (15 - fraction_bits)


@njit(cache=True)
def spectrum_amplitudes(levels: Array, bins: Array, frame_log2: int) -> Array:
    """Amplitude of every bin, int64, shape (N,), from limited levels, raised and exponentiated."""
    raised = raised_by(np.max(levels) >> 8, frame_log2)
    amplitudes = spectrum_levels(levels, bins, frame_log2)
    for k in range(len(amplitudes)):
        amplitudes[k] = amplitude_of_level(amplitudes[k] + raised, 0)
    return amplitudes


@njit(cache=True)
def _scramble(frame: int) -> int:
    """Seed of a frame's signs: its number by Knuth's multiplicative hash (2^32 / golden ratio), then the first half of
    the finaliser of MurmurHash3 (Appleby)."""
    state = ((frame + 1) * 0x9E3779B9) & 0xFFFFFFFF
    state ^= state >> 16
    state = (state * 0x85EBCA6B) & 0xFFFFFFFF
    return state ^ (state >> 13)


@njit(cache=True)
def spectrum(frame: int, amplitudes: Array) -> Array:
    """Values of all bins, int64, shape (N,): amplitudes with signs from the linear congruential generator of Numerical
    Recipes (Press et al.)."""
    values = amplitudes.copy()
    state = _scramble(frame)
    for k in range(0, len(values), 2):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        if state >> 31:
            values[k] = ~values[k]
        if (state >> 30) & 1:
            values[k + 1] = ~values[k + 1]
    return values


@njit(cache=True)
def _twiddled(re: int, im: int, phase: int) -> tuple[int, int]:
    """A complex number times the twiddle factor that turns it back by a phase, 65536 a turn, in Q14."""
    phase += 32
    c = np.int64(_COSINE[(phase & 0xFFFF) >> 6])
    s = np.int64(_COSINE[((phase - 16384) & 0xFFFF) >> 6])
    return re * c + im * s, im * c - re * s


@njit(cache=True)
def _butterflies4(z: Array, span: int) -> None:
    """Radix-4 butterflies: two stages of the transform, on transforms of `span` numbers. The first ones have nothing to
    turn or to scale."""
    for k in range(span):
        for at in range(k, len(z), 4 * span):
            t = np.zeros((4, 2), np.int64)
            for leg, place in enumerate((0, 2, 1, 3)):
                t[leg] = z[at + place * span]
                if span > 1:
                    re, im = _twiddled(t[leg, 0], t[leg, 1], leg * (k << 14) // span)
                    t[leg] = re >> 16, im >> 16
            for part in range(2):
                even, odd = t[0, part] + t[2, part], t[1, part] + t[3, part]
                z[at, part], z[at + 2 * span, part] = even + odd, even - odd
                even, odd = t[0, part] - t[2, part], t[1, 1 - part] - t[3, 1 - part]
                if part:
                    odd = -odd
                z[at + span, part], z[at + 3 * span, part] = even + odd, even - odd


@njit(cache=True)
def transform(values: Array) -> Array:
    """The numbers before the last twiddle of SPEC 5.4 from the values of all bins, int64, shape (N / 2, 2)."""
    pairs = len(values) // 2
    z = np.zeros((pairs, 2), np.int64)
    at = 0
    for k in range(pairs):
        re, im = _twiddled(values[2 * k], values[2 * pairs - 1 - 2 * k], (k << 14) // pairs)
        z[at] = re >> 16, im >> 16
        bit = pairs >> 1
        while at & bit:
            at ^= bit
            bit >>= 1
        at |= bit
    span = 1
    while 4 * span <= pairs:
        span *= 4
    if span == pairs:
        span = 1
    else:
        for at in range(0, pairs, 2):
            for part in range(2):
                a, b = z[at, part], z[at + 1, part]
                z[at, part], z[at + 1, part] = a + b, a - b
        span = 2
    while span < pairs:
        _butterflies4(z, span)
        span *= 4
    return z


@njit(cache=True)
def spectrum_of_frame(frame: int, frame_log2: int, levels: Array, bins: Array) -> tuple[int, Array]:
    """The exponent of a frame, 0 for silence, and the values of its bins, int64, shape (N,), from limited levels."""
    exponent = np.max(levels) >> 8
    if exponent == 0:
        return 0, np.zeros(1 << frame_log2, np.int64)
    return exponent, spectrum(frame, spectrum_amplitudes(levels, bins, frame_log2))


class Coded(NamedTuple):
    """What the residual layer makes of a frame (SPEC 8): coefficients that are not drawn, and other levels."""

    first: Array
    end: Array
    """Bins of its cells, of which some have none; both of shape (cells,)."""
    steps: Array
    """Level of a coefficient of 1 in each cell."""
    offsets: Array
    """What is added to the levels of the noise in each cell."""
    values: Array
    """Coefficients, shape (N,), 0 where the noise's are drawn."""
    fine: Array
    """What fine levels alone add to the levels of the noise in each cell."""
    fine_from: int
    """The first interval with two cells."""


HIGHEST_EXPONENT = 14
"""Of a frame with coefficients."""


@njit(cache=True)
def spectrum_of_coded_frame(frame: int, frame_log2: int, levels: Array, bins: Array, coded: Coded) -> tuple[int, Array]:
    """`spectrum_of_frame` of a frame of a residual layer."""
    of_bins = spectrum_levels(levels, bins, frame_log2)
    exponent = np.int64(0)
    for cell in range(len(coded.first)):
        octave = coded.steps[cell] >> 8
        for k in range(coded.first[cell], coded.end[cell]):
            of_bins[k] = min(max(of_bins[k] + coded.offsets[cell], 0), HIGHEST_LEVEL)
            of_coefficient = octave + bit_length(abs(coded.values[k])) if coded.values[k] else 0
            exponent = max(exponent, of_bins[k] >> 8, min(HIGHEST_EXPONENT, of_coefficient))
    if exponent == 0:
        return 0, np.zeros(1 << frame_log2, np.int64)
    raised = raised_by(exponent, frame_log2)
    for k in range(len(of_bins)):
        of_bins[k] = amplitude_of_level(of_bins[k] + raised, 0)
    values = spectrum(frame, of_bins)
    largest = 32767 >> (frame_log2 & 1)
    for cell in range(len(coded.first)):
        step = amplitude_of_level(coded.steps[cell] + raised, 2)
        for k in range(coded.first[cell], coded.end[cell]):
            if coded.values[k]:
                size = min(largest, (abs(coded.values[k]) * step) >> 2)
                values[k] = -size if coded.values[k] < 0 else size
    return exponent, values


class Drawn(NamedTuple):
    """How a frame is made that is drawn altogether, at a pace."""

    bins: Array
    """Of the centres of bands as played."""
    size: int
    """Bins that there are."""
    lowered: int
    """What levels are lowered by, so that the power stays."""


def drawn_at(pace: Pace, header: StreamHeader) -> Drawn:
    """As encoded bands are where they were encoded."""
    log2 = noise_of(header).frame_log2
    encoded = band_bins(header.sample_rate, log2)
    bins = (((bark_hz() * pace.pitch) >> 14) << (log2 + 1)) // (pace.rate or header.sample_rate)
    bins = bins[bins < 1 << log2][: len(encoded)]
    size = min(1 << log2, (pace.frequency << log2) >> 16)
    return Drawn(bins, size, (log2_level(pace.frequency) - 16 * 256) >> 1)


@njit(cache=True)
def spectrum_of_drawn_frame(
    frame: int, frame_log2: int, levels: Array, drawn: Drawn, first: Array, end: Array, fine: Array, fine_from: int
) -> tuple[int, Array]:
    """`spectrum_of_frame`, drawn altogether. Of a residual layer there are its fine levels: what they add to the levels
    of cells, which as encoded have these first bins and ends; from interval `fine_from` on each has two."""
    size = 1 << frame_log2
    highest = min(max(np.max(levels) - drawn.lowered, 0), HIGHEST_LEVEL)
    if len(fine):
        highest += max(0, np.max(fine))
    exponent = min(highest, HIGHEST_LEVEL) >> 8
    if exponent == 0:
        return 0, np.zeros(size, np.int64)
    of_bins = spectrum_levels(limited(levels - drawn.lowered), drawn.bins, frame_log2)
    if len(fine):
        begin = np.int64(0)
        for j in range(len(drawn.bins) + 1):
            stop = drawn.bins[j] if j < len(drawn.bins) else size
            middle = (begin + stop) >> 1 if j >= fine_from else stop
            for cell in (2 * j, 2 * j + 1):
                source = cell if end[cell] > first[cell] else cell ^ 1
                added = fine[source] if end[source] > first[source] else 0
                for k in range(begin if cell == 2 * j else middle, middle if cell == 2 * j else stop):
                    of_bins[k] += added
            begin = stop
    of_bins = limited(of_bins)
    raised = raised_by(exponent, frame_log2)
    for k in range(size):
        of_bins[k] = amplitude_of_level(of_bins[k] + raised, 0)
    values = spectrum(frame, of_bins)
    values[drawn.size :] = 0
    return exponent, values


PAN_ONE = 2048
"""A pan of 1: the side has all of the channel's own noise."""
SIDE_FRAMES = 1 << 20
"""Signs of the side's frames are those of frames so much later."""


@njit(cache=True)
def pans_of_bins(pans: Array, bins: Array, frame_log2: int) -> Array:
    """The pan of every bin, int64, shape (N,), in straight lines between bands; of several in one bin the last
    counts."""
    size = 1 << frame_log2
    of_bins = np.zeros(size, np.int64)
    bands = len(bins)
    for band in range(-1, bands):
        left, right = pans[max(band, 0)], pans[min(band + 1, bands - 1)]
        first = bins[band] if band >= 0 else 0
        end = bins[band + 1] if band + 1 < bands else size
        if end <= first:
            continue
        draw_line(of_bins[first:end], left, right)
    return of_bins


@njit(cache=True)
def spectrum_of_side(
    frame: int, frame_log2: int, levels: Array, pans: Array, bins: Array, mid: tuple[int, Array]
) -> tuple[int, Array]:
    """`spectrum_of_frame` of the side (SPEC 10.4), from its own limited levels, the limited pans of the bands, and what
    the frame has in the mid."""
    size = 1 << frame_log2
    own = np.max(levels) >> 8
    pans = pans[: len(bins)]
    is_panned = mid[0] > 0 and np.any(pans != 0)
    exponent = min(HIGHEST_EXPONENT, max(own, mid[0]) + 1) if is_panned else own
    values = np.zeros(size, np.int64)
    if own > 0:
        raised = raised_by(exponent, frame_log2)
        of_bins = spectrum_levels(levels, bins, frame_log2)
        for k in range(size):
            of_bins[k] = amplitude_of_level(of_bins[k] + raised, 0)
        values = spectrum(frame + SIDE_FRAMES, of_bins)
    if is_panned:
        largest = 32767 >> (frame_log2 & 1)
        of_bins = pans_of_bins(pans, bins, frame_log2)
        for k in range(size):
            value = values[k] + ((of_bins[k] * mid[1][k]) >> (11 + exponent - mid[0]))
            values[k] = min(max(value, -largest), largest)
    return exponent, values


@njit(cache=True)
def spectrum_of_ear(frame_log2: int, levels: Array, bins: Array, mid: tuple[int, Array]) -> tuple[int, Array]:
    """Exponent and spectrum of a frame at an ear, which has these levels by band (SPEC 11.4), from those of a frame."""
    size, exponent = 1 << frame_log2, mid[0]
    if exponent == 0:
        return exponent, mid[1]
    levels = levels[: len(bins)]
    raised = (np.max(levels) >> 8) + 1
    gains = np.zeros(len(bins), np.int64)
    for band in range(len(bins)):
        gains[band] = (np.int64(_GAIN[(levels[band] >> 3) & 31]) << 2) >> (raised - (levels[band] >> 8))
    of_bins = pans_of_bins(gains, bins, frame_log2)
    own = max(exponent + raised, 1)
    values = np.zeros(size, np.int64)
    for k in range(size):
        values[k] = (of_bins[k] * mid[1][k]) >> (15 + own - exponent - raised)
    return own, values


LONGEST_DELAY = 32
"""Samples, of noise at an ear."""


def delays_of_noise(ears: Ears, sample_rate: int) -> tuple[int, int]:
    """By how many samples left and right hear noise late."""
    late = min((abs(ears.delay_high) * sample_rate + (1 << 19)) >> 20, LONGEST_DELAY)
    return (late, 0) if ears.delay_high < 0 else (0, late)


@njit(cache=True)
def overlapped(before: tuple[int, Array], after: tuple[int, Array], frame_log2: int, shift: int) -> Array:
    """Samples of the block between two frames, int64, shape (N,), in output steps."""
    size = 1 << frame_log2
    exponent = max(before[0], after[0])
    down = 24 + shift - (frame_log2 >> 1) - exponent
    by = min(max(down, 14), 31)
    out = np.zeros(size, np.int64)
    for j in range(size >> 1):
        k = (size >> 1) - ((j + 1) >> 1) if j & 1 else j >> 1
        now = ((2 * j + 1) << 7) >> frame_log2
        phase = (128 - now if j & 1 else 640 + now) << 6
        old = _twiddled(before[1][k, 0], before[1][k, 1], phase)
        new = _twiddled(after[1][k, 0], after[1][k, 1], phase)
        fall, rise = np.int64(_COSINE[now]), -np.int64(_COSINE[now + 256])
        faded, fresh = (old[1 - (j & 1)] >> 14) >> (exponent - before[0]), new[j & 1] >> (14 + exponent - after[0])
        first, last = -fresh * rise - faded * fall, fresh * fall - faded * rise
        out[j], out[size - 1 - j] = first, last
    out = (out + (1 << (by - 1))) >> by
    return np.minimum(np.maximum(out << max(14 - down, 0), -32768), 32767)


class NoiseRenderer(Renderer):
    """The noise of one stream, frame after frame from anywhere."""

    def __init__(self, header: StreamHeader) -> None:
        self._header = header
        self._noise = noise_of(header)
        self._bins = band_bins(header.sample_rate, self._noise.frame_log2)
        self.forget()

    def forget(self) -> None:
        self._frames: dict[int, list[tuple[int, Array]]] = {}
        self._delays: dict[int, tuple[int, int]] = {}
        self._ends: dict[int, Array] = {}
        """The last samples of blocks, for delays."""
        self.coded: dict[int, Coded] = {}
        """Frames of a residual layer by number, which must be here before their samples are asked for."""
        self.latest: Coded | None = None
        """The one that was read last, for frames at a pace of their own; of its fine levels."""
        self.held: Coded | None = None
        """The same where its coefficients may be held."""

    def samples(self, start: int, count: int, table: Table, rules: Rules = EVERYTHING) -> npt.NDArray[np.int64]:
        return self._channels(1, start, count, table, rules)[0]

    def mid_and_side(self, start: int, count: int, table: Table, rules: Rules) -> npt.NDArray[np.int64]:
        return self._channels(2, start, count, table, rules)

    def left_and_right(self, start: int, count: int, table: Table, rules: Rules) -> npt.NDArray[np.int64]:
        return self._channels(2, start, count, table, rules)

    def _channels(self, channels: int, start: int, count: int, table: Table, rules: Rules) -> npt.NDArray[np.int64]:
        log2 = self._noise.frame_log2
        pieces = [np.zeros((channels, 0), np.int64)]
        at, end = start, start + count
        while at < end:
            frame = at >> log2
            stop = min(end, (frame + 1) << log2)
            self._frames = {f: self._frame(f, table, rules[-1], channels) for f in (frame, frame + 1)}
            frames = zip(self._frames[frame], self._frames[frame + 1], strict=True)
            block = np.array([overlapped(before, after, log2, self._noise.shift) for before, after in frames])
            if rules[-1].ears:
                block = self._delayed(frame, block)
            pieces.append(block[:, at - (frame << log2) : stop - (frame << log2)])
            at = stop
        return np.concatenate(pieces, axis=1)

    def _frame(self, frame: int, table: Table, rule: Rule, channels: int) -> list[tuple[int, Array]]:
        """Exponent and transform of a frame in each channel."""
        if frame in self._frames:
            return self._frames[frame]
        log2 = self._noise.frame_log2
        time = rule.clock.clip_sample(frame << log2) >> (log2 - 3) if rule.clock else 8 * frame
        spectra = [self._spectrum(frame, time, table, rule)]
        if rule.ears:
            self._delays[frame] = delays_of_noise(rule.ears, self._header.sample_rate)
            spectra = [spectrum_of_ear(log2, levels, self._bins, spectra[0]) for levels in rule.ears.levels]
        elif channels > 1:
            spectra.append(self._spectrum_of_side(frame, time, table, rule, spectra[0]))
        silent = np.zeros((1 << (log2 - 1), 2), np.int64)
        return [(exponent, transform(values) if exponent else silent) for exponent, values in spectra]

    def _delayed(self, number: int, block: Array) -> Array:
        """A block of both ears, each as late as its frames say."""
        before = self._ends.get(number - 1, np.zeros((2, LONGEST_DELAY), np.int64))
        self._ends = {number - 1: before, number: block[:, -LONGEST_DELAY:]}
        out, size = np.zeros_like(block), block.shape[1]
        for ear, samples in enumerate(np.concatenate([before, block], axis=1)):
            old, new = (samples[LONGEST_DELAY - self._delays[frame][ear] :][:size] for frame in (number, number + 1))
            out[ear] = old + (((new - old) * np.arange(size)) >> self._noise.frame_log2)
        self._delays = {frame: self._delays[frame] for frame in (number, number + 1)}
        return out

    def _levels(self, time: int, base: int, table: Table, weight: str = "weight") -> Array:
        noises = held(table, self._noise.frame_log2, weight)
        return levels_at(time, base, noises, len(self._bins))

    def _is_changed(self, rule: Rule) -> bool:
        return rule.pace.frequency != AS_ENCODED.frequency or rule.clock is not None

    def _spectrum(self, frame: int, time: int, table: Table, rule: Rule) -> tuple[int, Array]:
        log2, muted = self._noise.frame_log2, rule.muted
        levels = limited(self._levels(time, self._noise.base, table))
        coded = self.coded.pop(frame, None)
        is_changed = self._is_changed(rule)
        if rule.clock:
            are_bins_the_same = (rule.pace.pitch, rule.pace.rate) == (AS_ENCODED.pitch, self._header.sample_rate)
            coded, is_changed = (self.held, False) if are_bins_the_same and self.held else (self.latest, True)
        is_drawn = coded is None or "residual" in muted.kinds or is_changed
        if is_changed or (coded and is_drawn):
            drawn = drawn_at(rule.pace, self._header)
            cells = (coded.first, coded.end, coded.fine, coded.fine_from) if coded else (*(_NO_CELLS,) * 3, 0)
            exponent, values = spectrum_of_drawn_frame(frame, log2, levels, drawn, *cells)
        elif coded:
            exponent, values = spectrum_of_coded_frame(frame, log2, levels, self._bins, coded)
        else:
            exponent, values = spectrum_of_frame(frame, log2, levels, self._bins)
        left_out = self._left_out(rule)
        if "noise" in muted.kinds:
            left_out |= is_drawn or coded is None or coded.values == 0
        values[left_out] = 0
        return exponent, values

    def _left_out(self, rule: Rule) -> npt.NDArray[np.bool_]:
        """Marks the bins whose frequencies are muted."""
        log2 = self._noise.frame_log2
        return rule.muted.frequencies((2 * np.arange(1 << log2) + 1) << (14 - log2))

    def _spectrum_of_side(
        self, frame: int, time: int, table: Table, rule: Rule, mid: tuple[int, Array]
    ) -> tuple[int, Array]:
        assert self._header.panning is not None
        log2 = self._noise.frame_log2
        levels = self._levels(time, self._noise.base, table)
        levels += self._levels(time, self._header.panning.side_base, table, "side_weight")
        pans = np.clip(self._levels(time, 0, table, "pan_weight"), -PAN_ONE, PAN_ONE)
        bins, size = self._bins, 1 << log2
        if self._is_changed(rule):
            drawn = drawn_at(rule.pace, self._header)
            levels = limited(levels) - drawn.lowered
            bins, size = drawn.bins, drawn.size
        if "noise" in rule.muted.kinds:
            levels = np.zeros_like(levels)
        exponent, values = spectrum_of_side(frame, log2, limited(levels), pans, bins, mid)
        values[size:] = 0
        values[self._left_out(rule)] = 0
        return exponent, values


def render_clip(
    header: StreamHeader, table: Table, coded: Mapping[int, Coded], is_panned: bool = False
) -> npt.NDArray[np.int64]:
    """The noise of a whole clip, int64, shape (samples,), in output steps, of mid and side of panned Gaussians shape
    (2, samples); zeros without noise. `coded`: the frames of its residual layer by number."""
    if header.noise is None:
        return np.zeros((2, header.samples) if is_panned else header.samples, np.int64)
    log2 = header.noise.frame_log2
    first, end = table["onset"].astype(np.int64), table["onset"] + support(table["scale"], log2)
    renderer = NoiseRenderer(header)
    renderer.coded = dict(coded)
    make = renderer.mid_and_side if is_panned else renderer.samples
    pieces = []
    for start in range(0, header.samples, _FRAMES_AT_A_TIME << log2):
        count = min(_FRAMES_AT_A_TIME << log2, header.samples - start)
        near = (end >> log2 > start >> log2) & (first >> log2 <= (start + count) >> log2)
        pieces.append(make(start, count, table[near], EVERYTHING))
    return np.concatenate(pieces, axis=-1)


# ---- cost ----


def macs_each_frame(table: Table, frame_log2: int, first_frame: int, frames: int) -> Macs:
    """MACs that each of `frames` noise frames from `first_frame` on costs, shape (frames,), for the noises of a table:
    those of the transform and the window, two for each band, and for each noise that lasts there three and two for each
    Bark that it covers."""
    return ((frame_log2 + 5) << frame_log2) + 2 * BARK_BANDS + macs_of_levels(table, frame_log2, first_frame, frames)


def macs_each_side_frame(table: Table, frame_log2: int, first_frame: int, frames: int) -> Macs:
    """`macs_each_frame` of the side: the same, two for each band and one for each bin of the pan, and levels and pan
    once more of those noises alone that have a part in them."""
    macs = macs_each_frame(table, frame_log2, first_frame, frames) + (1 << frame_log2) + 2 * BARK_BANDS
    for name in SIDE_WEIGHTS:
        macs += macs_of_levels(table[table[name] != 0], frame_log2, first_frame, frames)
    return macs


def macs_of_levels(table: Table, frame_log2: int, first_frame: int, frames: int) -> Macs:
    """The part of `macs_each_frame` that the noises have."""
    first = (table["onset"].astype(np.int64) >> frame_log2) + 1
    end = first + (NOISE_SHORTEST_SUPPORT << table["scale"].astype(np.int64)) - 1
    each = 3 + 2 * (NOISE_NARROWEST_SUPPORT << table["width"].astype(np.int64))
    return summed_over_frames(first - first_frame, end - first_frame, each, frames)


def summed_over_frames(first: npt.ArrayLike, end: npt.ArrayLike, each: npt.ArrayLike, frames: int) -> Macs:
    """What costs `each` from frame `first` up to frame `end` costs in each of the frames 0 .. frames - 1 together."""
    steps = np.zeros(frames + 1, np.int64)
    np.add.at(steps, np.clip(first, 0, frames), each)
    np.add.at(steps, np.clip(end, 0, frames), np.negative(each))
    return np.cumsum(steps[:-1])


def macs_of_noises(table: Table, header: StreamHeader, start: int, stop: int) -> Macs:
    """MACs of noise at each of the samples start..stop-1: a frame's in the first sample that needs it."""
    frame_log2 = noise_of(header).frame_log2
    frames = frames_first_needed(frame_log2, start, stop)
    macs = macs_each_frame(table, frame_log2, frames.start, len(frames))
    if header.panning:
        macs = macs + macs_each_side_frame(table, frame_log2, frames.start, len(frames))
    return where_frames_are_needed(macs, frames, frame_log2, start, stop)


def frames_first_needed(frame_log2: int, start: int, stop: int) -> range:
    """Numbers of the frames that one of the samples start..stop-1 is the first to need."""
    first = 0 if start == 0 else -(-start >> frame_log2) + 1
    return range(first, max(first, ((stop - 1) >> frame_log2) + 2))


def where_frames_are_needed(of_frames: Macs, frames: range, frame_log2: int, start: int, stop: int) -> Macs:
    """MACs of frames at each of the samples start..stop-1: a frame's in the first sample that needs it."""
    macs = np.zeros(stop - start, np.int64)
    needed = np.maximum(0, (np.arange(frames.start, frames.stop) - 1) << frame_log2)
    np.add.at(macs, needed - start, of_frames)
    return macs


class NoiseKind(Kind):
    """Noises, in streams whose header has a part on them."""

    name = "noise"
    bit = 1
    dtype = NOISE_DTYPE
    side_columns = SIDE_WEIGHTS
    header_bytes = 3
    prior_contexts = NOISE_CONTEXTS
    order_in_scale = "place"
    decode = staticmethod(_decode_slot)
    encode = staticmethod(_encode_slot)

    def parse_part(self, part: bytes) -> NoiseHeader:
        frame_shift, base, max_noises = part
        return NoiseHeader(frame_shift & 15, frame_shift >> 4, base - ((base & 128) << 1), max_noises)

    def part_of_info(self, info: Any) -> NoiseHeader:
        of_class = info.decoder_class
        return NoiseHeader(of_class.noise_frame_log2, info.noise_shift, info.noise_base, of_class.max_noises)

    def pack_part(self, header: StreamHeader) -> bytes:
        noise = noise_of(header)
        return bytes((noise.frame_log2 | noise.shift << 4, noise.base & 0xFF, noise.max_noises))

    def header_limits(self, header: StreamHeader) -> Sequence[HeaderLimit]:
        noise = noise_of(header)
        longest = min(MAX_FRAME_LOG2, header.slot_log2)
        return (
            HeaderLimit("noise frame (log2)", noise.frame_log2, MIN_FRAME_LOG2, longest),
            HeaderLimit("noise shift", noise.shift, 1, MAX_NOISE_SHIFT),
            HeaderLimit("noise base", noise.base, -128, 127),
            HeaderLimit("largest number of noises held", noise.max_noises, 1, MAX_NOISES),
        )

    def capacity(self, header: StreamHeader) -> int:
        return noise_of(header).max_noises

    def with_capacity(self, header: StreamHeader, most: int) -> StreamHeader:
        return dataclasses.replace(header, noise=dataclasses.replace(noise_of(header), max_noises=most))

    def fill_class(self, decoder_class: Any, header: StreamHeader) -> None:
        noise = noise_of(header)
        decoder_class.max_noises, decoder_class.noise_frame_log2 = noise.max_noises, noise.frame_log2

    def longest_support(self, header: StreamHeader) -> int:
        return noise_of(header).longest_support

    def shortest_hop(self, header: StreamHeader) -> int:
        return noise_of(header).frame_samples

    def reach_back(self, header: StreamHeader) -> int:
        # A sample also depends on the frame that begins before it.
        return noise_of(header).frame_samples

    def supports(self, table: Table, header: StreamHeader) -> npt.NDArray[np.int64]:
        return support(table["scale"], noise_of(header).frame_log2)

    def physical(self, table: Table, header: StreamHeader) -> npt.NDArray[Any]:
        return _physical(table, header)

    def check(self, table: Table, header: StreamHeader) -> None:
        _check(table, header)

    def scales(self, header: StreamHeader) -> int:
        return NOISE_SCALES

    def prior(self, of_set: Array, header: StreamHeader) -> Array:
        return of_set

    def side_prior(self) -> Array:
        return noise_side_prior()

    def layout(self, header: StreamHeader) -> tuple[int, ...]:
        return noise_of(header).frame_log2, header.slot_log2, int(header.panning is not None)

    def renderer(self, header: StreamHeader) -> Renderer:
        return NoiseRenderer(header)

    def macs(self, table: Table, header: StreamHeader, start: int, stop: int) -> Macs:
        return macs_of_noises(table, header, start, stop)

    def silent_macs(self, header: StreamHeader, start: int, stop: int) -> int | None:
        return None

    def most_silent_macs(self, header: StreamHeader, samples: int) -> int:
        return 0


NOISE = NoiseKind()
