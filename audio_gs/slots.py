"""Step 3 of SPEC.md, the slots: which Gaussians begin where, entropy-coded. Numba.

Both directions walk the same grammar; `encode_slot` and `decode_slot` are twins, to be compared line by line.
A Gaussian is a row of int64 (ROW_FIELDS), in the order of `gaussians.GAUSSIAN`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from .container import StreamHeader, build_stream
from .gaussians import GAUSSIAN
from .rangecoder import (
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
    CONTEXTS_PER_SCALE,
    FIRST_BIN,
    GAMMA_LENGTHS,
    GAMMA_TOPS,
    LARGEST_AMPLITUDE,
    MORE,
    MORE_PLACES,
    NEXT_BIN,
    initial_contexts,
    phase_bits,
)

Array = npt.NDArray[Any]

SCALE, ONSET, BIN, AMPLITUDE_INDEX, PHASE_INDEX = range(5)
ROW_FIELDS = 5

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
def _occurs(scale: int, slot: int, slot_log2: int) -> bool:
    """Whether Gaussians of this scale can begin in this slot."""
    return ((slot << slot_log2) & ((8 << scale) - 1)) == 0 or (8 << scale) <= (1 << slot_log2)


@njit(cache=True)
def _more_context(base: int, before: int, here: int, place: int) -> int:
    activity = min(4, _bit_length(2 * before + here))
    return base + MORE + activity * MORE_PLACES + min(place, MORE_PLACES - 1)


@njit(cache=True)
def _decode_gamma(state: Array, data: Array, contexts: Array, unary: int, top: int) -> int:
    tops = unary + GAMMA_LENGTHS
    exponent = 0
    while exponent < top and decode_bit(state, data, contexts, unary + min(exponent, GAMMA_LENGTHS - 1)):
        exponent += 1
    if exponent == 0:
        return 1
    value = 2 + decode_bit(state, data, contexts, tops + min(exponent, GAMMA_TOPS) - 1)
    return (value << (exponent - 1)) | decode_direct(state, data, exponent - 1)


@njit(cache=True)
def _encode_gamma(state: Array, output: Array, contexts: Array, unary: int, top: int, value: int) -> None:
    tops = unary + GAMMA_LENGTHS
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
def decode_slot(
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
    """Decodes slot number `slot` into rows[0..], shape (>= capacity, ROW_FIELDS); returns how many.

    contexts and before (counts by scale, shape (scales,)) carry over from slot to slot of a segment. Returns
    TOO_MANY when there are more than `capacity`, ILLEGAL_BIN for a bin beyond half the sample rate.
    """
    here = 0
    for j in range(len(before)):
        scale = kmin + j
        if not _occurs(scale, slot, slot_log2):
            continue
        base = j * CONTEXTS_PER_SCALE
        count = 0
        bin_ = 0
        while decode_bit(state, data, contexts, _more_context(base, before[j], here, count)):
            if here + count >= capacity:
                return TOO_MANY
            unary = base + (FIRST_BIN if count == 0 else NEXT_BIN)
            bin_ += _decode_gamma(state, data, contexts, unary, 4 + scale) - 1
            if bin_ >= 16 << scale:
                return ILLEGAL_BIN
            time = decode_direct(state, data, max(0, slot_log2 - 3 - scale))
            amplitude = _decode_gamma(state, data, contexts, base + AMPLITUDE, AMPLITUDE_EXPONENT)
            row = rows[here + count]
            row[SCALE] = scale
            row[ONSET] = (slot << slot_log2) + (time << (3 + scale))
            row[BIN] = bin_
            row[AMPLITUDE_INDEX] = amplitude
            row[PHASE_INDEX] = decode_direct(state, data, _PHASE_BITS[amplitude])
            count += 1
        before[j] = count
        here += count
    return here


@njit(cache=True)
def encode_slot(
    state: Array,
    output: Array,
    contexts: Array,
    before: Array,
    kmin: int,
    slot_log2: int,
    slot: int,
    rows: Array,
) -> None:
    """Twin of `decode_slot`: rows, shape (n, ROW_FIELDS), are all that begin in the slot, sorted by scale, bin and
    onset."""
    here = 0
    at = 0
    for j in range(len(before)):
        scale = kmin + j
        if not _occurs(scale, slot, slot_log2):
            continue
        base = j * CONTEXTS_PER_SCALE
        count = 0
        bin_ = 0
        while at < len(rows) and rows[at, SCALE] == scale:
            row = rows[at]
            encode_bit(state, output, contexts, _more_context(base, before[j], here, count), 1)
            unary = base + (FIRST_BIN if count == 0 else NEXT_BIN)
            _encode_gamma(state, output, contexts, unary, 4 + scale, row[BIN] - bin_ + 1)
            bin_ = row[BIN]
            time = (row[ONSET] - (slot << slot_log2)) >> (3 + scale)
            encode_direct(state, output, time, max(0, slot_log2 - 3 - scale))
            amplitude = row[AMPLITUDE_INDEX]
            _encode_gamma(state, output, contexts, base + AMPLITUDE, AMPLITUDE_EXPONENT, amplitude)
            encode_direct(state, output, row[PHASE_INDEX], _PHASE_BITS[amplitude])
            count += 1
            at += 1
        encode_bit(state, output, contexts, _more_context(base, before[j], here, count), 0)
        before[j] = count
        here += count


def as_rows(table: Array) -> npt.NDArray[np.int64]:
    """A table of Gaussians as int64 rows, shape (n, ROW_FIELDS)."""
    return np.stack([table[name].astype(np.int64) for name in GAUSSIAN.names or ()], axis=1)


def sorted_for_coding(table: Array, slot_log2: int) -> Array:
    """The table in the order of the stream: by slot, scale, bin and onset (SPEC S2)."""
    slot = table["onset"] >> slot_log2
    return table[np.lexsort((table["onset"], table["bin"], table["scale"], slot))]


def _check_table(table: Array, header: StreamHeader) -> None:
    """Raises ValueError for Gaussians that the syntax of a stream with this header has no words for."""
    scale = table["scale"].astype(np.int64)
    if np.any((scale < header.kmin) | (scale >= header.kmin + header.scales)):
        raise ValueError("a Gaussian has a scale outside the header's")
    slot = table["onset"] >> header.slot_log2
    if np.any((slot < -header.lead_slots) | (slot >= header.slots)):
        raise ValueError("a Gaussian begins outside the clip's slots")
    if np.any(table["onset"] & ((8 << scale) - 1)):
        raise ValueError("a Gaussian begins between the hops of its scale")
    if np.any((table["bin"] < 0) | (table["bin"] >= 16 << scale)):
        raise ValueError("a Gaussian's bin is outside 0..support / 2 - 1")
    if np.any((table["amplitude"] < 1) | (table["amplitude"] > LARGEST_AMPLITUDE)):
        raise ValueError(f"a Gaussian's amplitude index is outside 1..{LARGEST_AMPLITUDE}")
    if np.any((table["phase"] < 0) | (table["phase"] >> _PHASE_BITS[table["amplitude"]] != 0)):
        raise ValueError("a Gaussian's phase index is outside those of its amplitude")


def encode_slots(table: Array, header: StreamHeader) -> list[bytes]:
    """The range-coded bytes of each segment of a stream with this header and these Gaussians.

    Raises ValueError for Gaussians that such a stream cannot code.
    """
    _check_table(table, header)
    table = sorted_for_coding(table, header.slot_log2)
    slot = table["onset"] >> header.slot_log2
    rows = as_rows(table)
    initial = initial_contexts(header.table_set, header.scales)
    payloads = []
    for segment in range(header.segments):
        slots = header.segment_slots(segment)
        starts = np.searchsorted(slot, np.arange(slots.start, slots.stop + 1))
        output = np.zeros(64 + 16 * (starts[-1] - starts[0]) + 2 * len(slots) * header.scales, np.uint8)
        length = _encode_segment(
            output, initial.copy(), rows, starts, header.kmin, header.scales, header.slot_log2, slots.start
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
    slot_log2: int,
    first_slot: int,
) -> int:
    state = np.zeros(ENCODER_FIELDS, np.int64)
    before = np.zeros(scales, np.int64)
    start_encoder(state)
    for index in range(len(starts) - 1):
        slot_rows = rows[starts[index] : starts[index + 1]]
        encode_slot(state, output, contexts, before, kmin, slot_log2, first_slot + index, slot_rows)
    return finish_encoder(state, output)


def encode_stream(header: StreamHeader, table: Array) -> bytes:
    """A whole stream: steps 1 to 3 backwards."""
    return build_stream(header, encode_slots(table, header))
