"""Step 3 of SPEC.md, the slots: which Gaussians begin where, entropy-coded. Numba.

Both directions walk the same grammar; `encode_slot` and `decode_slot` are twins, to be compared line by line.
A Gaussian is a row of int64 (ROW_FIELDS), in the order of `gaussians.GAUSSIAN`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from audio_gs.gaussians import GAUSSIAN, NOISE, TONE

from .container import StreamHeader, build_stream
from .range_coder import (
    ENCODER_FIELDS,
    decode_bit,
    decode_direct,
    encode_bit,
    encode_direct,
    finish_encoder,
    start_encoder,
)
from .tables import (
    AMPLITUDE,
    AMPLITUDE_EXPONENT,
    CONTEXTS_PER_NOISE_SCALE,
    CONTEXTS_PER_SCALE,
    FIRST_BIN,
    GAMMA_LENGTHS,
    GAMMA_TOPS,
    LARGEST_AMPLITUDE,
    LARGEST_NOISE_WEIGHT,
    MORE,
    MORE_PLACES,
    NEXT_BIN,
    NOISE_MORE,
    NOISE_PLACE,
    NOISE_PLACES_LOG2,
    NOISE_SCALES,
    NOISE_SHORTEST_SUPPORT,
    NOISE_SIGN,
    NOISE_WEIGHT,
    NOISE_WEIGHT_CONTEXTS,
    NOISE_WEIGHT_EXPONENT,
    NOISE_WIDTH,
    NOISE_WIDTHS,
    SHORTEST_SUPPORT,
    initial_contexts,
    phase_bits,
)

Array = npt.NDArray[Any]

SCALE, ONSET, BIN, AMPLITUDE_INDEX, PHASE_INDEX, KIND, WIDTH = range(7)
ROW_FIELDS = 7

TOO_MANY = -1
ILLEGAL_BIN = -2

_PHASE_BITS = phase_bits()


@njit(cache=True)
def _bit_length(value: int) -> int:
    length = 0
    while value > 0:
        value >>= 1
        length += 1
    return length


@njit(cache=True)
def _occurs(hop: int, lead_slots: int, slot: int, slot_log2: int) -> bool:
    """Whether Gaussians of a scale with this hop can begin in this slot."""
    return slot >= -lead_slots and (((slot << slot_log2) & (hop - 1)) == 0 or hop <= (1 << slot_log2))


@njit(cache=True)
def _lead(support: int, slot_log2: int) -> int:
    """Slots before sample 0 in which Gaussians of this support can begin."""
    return max(1, support >> slot_log2)


@njit(cache=True)
def _more_context(base: int, before: int, here: int, place: int) -> int:
    activity = min(4, _bit_length(2 * before + here))
    return base + MORE + activity * MORE_PLACES + min(place, MORE_PLACES - 1)


@njit(cache=True)
def _place_context(base: int, width: int) -> int:
    """First context of the tree of a width's places, which has one less than there are places."""
    largest = 2 << NOISE_PLACES_LOG2
    return base + NOISE_PLACE + largest - (largest >> width) - width


@njit(cache=True)
def _decode_gamma(state: Array, data: Array, contexts: Array, unary: int, tops: int, top: int) -> int:
    exponent = 0
    while exponent < top and decode_bit(state, data, contexts, unary + min(exponent, GAMMA_LENGTHS - 1)):
        exponent += 1
    if exponent == 0:
        return 1
    value = 2 + decode_bit(state, data, contexts, tops + min(exponent, GAMMA_TOPS) - 1)
    return (value << (exponent - 1)) | decode_direct(state, data, exponent - 1)


@njit(cache=True)
def _encode_gamma(state: Array, output: Array, contexts: Array, unary: int, tops: int, top: int, value: int) -> None:
    exponent = _bit_length(value) - 1
    for step in range(exponent):
        encode_bit(state, output, contexts, unary + min(step, GAMMA_LENGTHS - 1), 1)
    if exponent < top:
        encode_bit(state, output, contexts, unary + min(exponent, GAMMA_LENGTHS - 1), 0)
    if exponent == 0:
        return
    rest = exponent - 1
    encode_bit(state, output, contexts, tops + min(exponent, GAMMA_TOPS) - 1, (value >> rest) & 1)
    encode_direct(state, output, value & ((1 << rest) - 1), rest)


@njit(cache=True)
def _decode_tree(state: Array, data: Array, contexts: Array, base: int, bits: int) -> int:
    node = 1
    for _ in range(bits):
        node = 2 * node + decode_bit(state, data, contexts, base + node - 1)
    return node - (1 << bits)


@njit(cache=True)
def _encode_tree(state: Array, output: Array, contexts: Array, base: int, bits: int, value: int) -> None:
    node = 1
    for shift in range(bits - 1, -1, -1):
        bit = (value >> shift) & 1
        encode_bit(state, output, contexts, base + node - 1, bit)
        node = 2 * node + bit


@njit(cache=True)
def decode_slot(
    state: Array,
    data: Array,
    contexts: Array,
    before: Array,
    noise_before: Array,
    kmin: int,
    slot_log2: int,
    frame_log2: int,
    slot: int,
    rows: Array,
    capacity: int,
    noise_capacity: int,
) -> int:
    """Decodes slot number `slot` into rows[0..], shape (>= capacity + noise_capacity, ROW_FIELDS), tones first; returns
    how many.

    contexts, before and noise_before (counts by scale, shapes (scales,) and (NOISE_SCALES,), empty in a stream without
    noise) carry over from slot to slot of a segment. Returns TOO_MANY when there are more than `capacity` tones or
    `noise_capacity` noises, ILLEGAL_BIN for a bin beyond half the sample rate.
    """
    tones = _decode_tones(state, data, contexts, before, kmin, slot_log2, slot, rows, capacity)
    if tones < 0 or len(noise_before) == 0:
        return tones
    base = len(before) * CONTEXTS_PER_SCALE
    noises = _decode_noises(
        state, data, contexts, base, noise_before, slot_log2, frame_log2, slot, rows[tones:], noise_capacity
    )
    return noises if noises < 0 else tones + noises


@njit(cache=True)
def _decode_tones(
    state: Array,
    data: Array,
    contexts: Array,
    before: Array,
    kmin: int,
    slot_log2: int,
    slot: int,
    rows: Array,
    capacity: int,
) -> int:
    here = 0
    lead = _lead(SHORTEST_SUPPORT << (kmin + len(before) - 1), slot_log2)
    for j in range(len(before)):
        scale = kmin + j
        if not _occurs(8 << scale, lead, slot, slot_log2):
            continue
        base = j * CONTEXTS_PER_SCALE
        count = 0
        bin_ = 0
        while decode_bit(state, data, contexts, _more_context(base, before[j], here, count)):
            if here + count >= capacity:
                return TOO_MANY
            unary = base + (FIRST_BIN if count == 0 else NEXT_BIN)
            bin_ += _decode_gamma(state, data, contexts, unary, unary + GAMMA_LENGTHS, 4 + scale) - 1
            if bin_ >= 16 << scale:
                return ILLEGAL_BIN
            time = decode_direct(state, data, max(0, slot_log2 - 3 - scale))
            unary = base + AMPLITUDE
            amplitude = _decode_gamma(state, data, contexts, unary, unary + GAMMA_LENGTHS, AMPLITUDE_EXPONENT)
            row = rows[here + count]
            row[KIND] = TONE
            row[SCALE] = scale
            row[ONSET] = (slot << slot_log2) + (time << (3 + scale))
            row[BIN] = bin_
            row[AMPLITUDE_INDEX] = amplitude
            row[PHASE_INDEX] = decode_direct(state, data, _PHASE_BITS[amplitude])
            row[WIDTH] = 0
            count += 1
        before[j] = count
        here += count
    return here


@njit(cache=True)
def _decode_noises(
    state: Array,
    data: Array,
    contexts: Array,
    base: int,
    before: Array,
    slot_log2: int,
    frame_log2: int,
    slot: int,
    rows: Array,
    capacity: int,
) -> int:
    here = 0
    for scale in range(NOISE_SCALES):
        hop_log2 = frame_log2 + scale
        lead = _lead(NOISE_SHORTEST_SUPPORT << hop_log2, slot_log2)
        if not _occurs(1 << hop_log2, lead, slot, slot_log2):
            continue
        own = base + scale * CONTEXTS_PER_NOISE_SCALE
        count = 0
        while decode_bit(state, data, contexts, _more_context(own + NOISE_MORE, before[scale], here, count)):
            if here + count >= capacity:
                return TOO_MANY
            width = _decode_tree(state, data, contexts, own + NOISE_WIDTH, 2)
            place = _decode_tree(state, data, contexts, _place_context(base, width), NOISE_PLACES_LOG2 - width)
            time = decode_direct(state, data, max(0, slot_log2 - hop_log2))
            negative = decode_bit(state, data, contexts, base + NOISE_SIGN + width)
            unary = base + NOISE_WEIGHT + width * NOISE_WEIGHT_CONTEXTS
            size = _decode_gamma(state, data, contexts, unary, unary + NOISE_WEIGHT_EXPONENT, NOISE_WEIGHT_EXPONENT)
            row = rows[here + count]
            row[KIND] = NOISE
            row[SCALE] = scale
            row[ONSET] = (slot << slot_log2) + (time << hop_log2)
            row[BIN] = place
            row[AMPLITUDE_INDEX] = -size if negative else size
            row[PHASE_INDEX] = 0
            row[WIDTH] = width
            count += 1
        before[scale] = count
        here += count
    return here


@njit(cache=True)
def encode_slot(
    state: Array,
    output: Array,
    contexts: Array,
    before: Array,
    noise_before: Array,
    kmin: int,
    slot_log2: int,
    frame_log2: int,
    slot: int,
    rows: Array,
) -> None:
    """Twin of `decode_slot`: rows, shape (n, ROW_FIELDS), are all that begin in the slot, in the order of
    `sorted_for_coding`."""
    tones = 0
    while tones < len(rows) and rows[tones, KIND] == TONE:
        tones += 1
    _encode_tones(state, output, contexts, before, kmin, slot_log2, slot, rows[:tones])
    if len(noise_before):
        base = len(before) * CONTEXTS_PER_SCALE
        _encode_noises(state, output, contexts, base, noise_before, slot_log2, frame_log2, slot, rows[tones:])


@njit(cache=True)
def _encode_tones(
    state: Array, output: Array, contexts: Array, before: Array, kmin: int, slot_log2: int, slot: int, rows: Array
) -> None:
    here = 0
    at = 0
    lead = _lead(SHORTEST_SUPPORT << (kmin + len(before) - 1), slot_log2)
    for j in range(len(before)):
        scale = kmin + j
        if not _occurs(8 << scale, lead, slot, slot_log2):
            continue
        base = j * CONTEXTS_PER_SCALE
        count = 0
        bin_ = 0
        while at < len(rows) and rows[at, SCALE] == scale:
            row = rows[at]
            encode_bit(state, output, contexts, _more_context(base, before[j], here, count), 1)
            unary = base + (FIRST_BIN if count == 0 else NEXT_BIN)
            _encode_gamma(state, output, contexts, unary, unary + GAMMA_LENGTHS, 4 + scale, row[BIN] - bin_ + 1)
            bin_ = row[BIN]
            time = (row[ONSET] - (slot << slot_log2)) >> (3 + scale)
            encode_direct(state, output, time, max(0, slot_log2 - 3 - scale))
            amplitude = row[AMPLITUDE_INDEX]
            unary = base + AMPLITUDE
            _encode_gamma(state, output, contexts, unary, unary + GAMMA_LENGTHS, AMPLITUDE_EXPONENT, amplitude)
            encode_direct(state, output, row[PHASE_INDEX], _PHASE_BITS[amplitude])
            count += 1
            at += 1
        encode_bit(state, output, contexts, _more_context(base, before[j], here, count), 0)
        before[j] = count
        here += count


@njit(cache=True)
def _encode_noises(
    state: Array,
    output: Array,
    contexts: Array,
    base: int,
    before: Array,
    slot_log2: int,
    frame_log2: int,
    slot: int,
    rows: Array,
) -> None:
    here = 0
    at = 0
    for scale in range(NOISE_SCALES):
        hop_log2 = frame_log2 + scale
        lead = _lead(NOISE_SHORTEST_SUPPORT << hop_log2, slot_log2)
        if not _occurs(1 << hop_log2, lead, slot, slot_log2):
            continue
        own = base + scale * CONTEXTS_PER_NOISE_SCALE
        count = 0
        while at < len(rows) and rows[at, SCALE] == scale:
            row = rows[at]
            encode_bit(state, output, contexts, _more_context(own + NOISE_MORE, before[scale], here, count), 1)
            width = row[WIDTH]
            _encode_tree(state, output, contexts, own + NOISE_WIDTH, 2, width)
            bits = NOISE_PLACES_LOG2 - width
            _encode_tree(state, output, contexts, _place_context(base, width), bits, row[BIN])
            time = (row[ONSET] - (slot << slot_log2)) >> hop_log2
            encode_direct(state, output, time, max(0, slot_log2 - hop_log2))
            weight = row[AMPLITUDE_INDEX]
            encode_bit(state, output, contexts, base + NOISE_SIGN + width, 1 if weight < 0 else 0)
            unary = base + NOISE_WEIGHT + width * NOISE_WEIGHT_CONTEXTS
            tops = unary + NOISE_WEIGHT_EXPONENT
            _encode_gamma(state, output, contexts, unary, tops, NOISE_WEIGHT_EXPONENT, abs(weight))
            count += 1
            at += 1
        encode_bit(state, output, contexts, _more_context(own + NOISE_MORE, before[scale], here, count), 0)
        before[scale] = count
        here += count


def as_rows(table: Array) -> npt.NDArray[np.int64]:
    """A table of Gaussians as int64 rows, shape (n, ROW_FIELDS)."""
    return np.stack([table[name].astype(np.int64) for name in GAUSSIAN.names or ()], axis=1)


def sorted_for_coding(table: Array, slot_log2: int) -> Array:
    """The table in the order of the stream: by slot, kind, scale, bin and onset (SPEC S2)."""
    slot = table["onset"] >> slot_log2
    return table[np.lexsort((table["onset"], table["bin"], table["scale"], table["kind"], slot))]


def _check_table(table: Array, header: StreamHeader) -> None:
    """Raises ValueError for Gaussians that the syntax of a stream with this header has no words for."""
    if np.any((table["kind"] != TONE) & (table["kind"] != NOISE)):
        raise ValueError("a Gaussian is neither tone nor noise")
    slot = table["onset"] >> header.slot_log2
    if np.any((slot < -header.lead_slots) | (slot >= header.slots)):
        raise ValueError("a Gaussian begins outside the clip's slots")
    _check_tones(table[table["kind"] == TONE], header)
    _check_noises(table[table["kind"] == NOISE], header)


def _check_tones(table: Array, header: StreamHeader) -> None:
    scale = table["scale"].astype(np.int64)
    if np.any((scale < header.kmin) | (scale >= header.kmin + header.scales)):
        raise ValueError("a Gaussian has a scale outside the header's")
    if np.any(table["onset"] >> header.slot_log2 < -_lead(header.longest_tone, header.slot_log2)):
        raise ValueError("a tone Gaussian begins outside the slots of tones")
    if np.any(table["onset"] & ((8 << scale) - 1)):
        raise ValueError("a Gaussian begins between the hops of its scale")
    if np.any((table["bin"] < 0) | (table["bin"] >= 16 << scale)):
        raise ValueError("a Gaussian's bin is outside 0..support / 2 - 1")
    if np.any((table["amplitude"] < 1) | (table["amplitude"] > LARGEST_AMPLITUDE)):
        raise ValueError(f"a Gaussian's amplitude index is outside 1..{LARGEST_AMPLITUDE}")
    if np.any((table["phase"] < 0) | (table["phase"] >> _PHASE_BITS[table["amplitude"]] != 0)):
        raise ValueError("a Gaussian's phase index is outside those of its amplitude")


def _check_noises(table: Array, header: StreamHeader) -> None:
    if len(table) == 0:
        return
    if header.noise is None:
        raise ValueError("a noise Gaussian in a stream whose header has no noise")
    scale, width = table["scale"].astype(np.int64), table["width"].astype(np.int64)
    if np.any((scale < 0) | (scale >= NOISE_SCALES) | (width < 0) | (width >= NOISE_WIDTHS)):
        raise ValueError("a noise Gaussian has a scale or a width that does not exist")
    lead = np.maximum(1, (NOISE_SHORTEST_SUPPORT << (scale + header.noise.frame_log2)) >> header.slot_log2)
    if np.any(table["onset"] >> header.slot_log2 < -lead):
        raise ValueError("a noise Gaussian begins outside the slots of its scale")
    if np.any(table["onset"] & ((1 << (scale + header.noise.frame_log2)) - 1)):
        raise ValueError("a noise Gaussian begins between the hops of its scale")
    if np.any((table["bin"] < 0) | (table["bin"] >= (1 << NOISE_PLACES_LOG2) >> width)):
        raise ValueError("a noise Gaussian's place is outside those of its width")
    weight = np.abs(table["amplitude"])
    if np.any((weight < 1) | (weight > LARGEST_NOISE_WEIGHT)):
        raise ValueError(f"a noise Gaussian's weight is outside 1..{LARGEST_NOISE_WEIGHT} either way")


def encode_slots(table: Array, header: StreamHeader) -> list[bytes]:
    """The range-coded bytes of each segment of a stream with this header and these Gaussians.

    Raises ValueError for Gaussians that such a stream cannot code.
    """
    _check_table(table, header)
    table = sorted_for_coding(table, header.slot_log2)
    slot = table["onset"] >> header.slot_log2
    rows = as_rows(table)
    noise = header.noise
    initial = initial_contexts(header.table_set, header.scales, noise is not None)
    noise_scales, frame_log2 = (NOISE_SCALES, noise.frame_log2) if noise else (0, 0)
    payloads = []
    for segment in range(header.segments):
        slots = header.segment_slots(segment)
        starts = np.searchsorted(slot, np.arange(slots.start, slots.stop + 1))
        output = np.zeros(
            64 + 16 * (starts[-1] - starts[0]) + 2 * len(slots) * (header.scales + noise_scales), np.uint8
        )
        length = _encode_segment(
            output,
            initial.copy(),
            rows,
            starts,
            header.kmin,
            header.scales,
            noise_scales,
            header.slot_log2,
            frame_log2,
            slots.start,
        )
        payloads.append(output[:length].tobytes())
    return payloads


@njit(cache=True)
def _encode_segment(
    output: Array,
    contexts: Array,
    rows: Array,
    starts: Array,
    kmin: int,
    scales: int,
    noise_scales: int,
    slot_log2: int,
    frame_log2: int,
    first_slot: int,
) -> int:
    state = np.zeros(ENCODER_FIELDS, np.int64)
    before = np.zeros(scales, np.int64)
    noise_before = np.zeros(noise_scales, np.int64)
    start_encoder(state)
    for index in range(len(starts) - 1):
        slot_rows = rows[starts[index] : starts[index + 1]]
        slot = first_slot + index
        encode_slot(state, output, contexts, before, noise_before, kmin, slot_log2, frame_log2, slot, slot_rows)
    return finish_encoder(state, output)


def encode_stream(header: StreamHeader, table: Array) -> bytes:
    """A whole stream: steps 1 to 3 backwards."""
    return build_stream(header, encode_slots(table, header))
