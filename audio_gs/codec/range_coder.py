"""Step 2 of SPEC.md, the adaptive binary range coder: Numba, one function per operation.

A context is a uint16: probability of a 1 in its top 12 bits, count of bits seen in its low 4 (SPEC 2). A decoder
is an int64 array (DECODER_FIELDS), an encoder is an int64 array (ENCODER_FIELDS) with a uint8 array of output.

The coder is Martin's range coder (1979) with the carry handling and the binary contexts of LZMA (Pavlov).

A decoder that is longer than its fields takes notes in what is left: how many, and 2 * context + bit for each bit that
it decodes with an adaptive context.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from .tables import ADAPTATION_SHIFT

Array = npt.NDArray[Any]

RANGE, CODE, POSITION, OVERRUN = range(4)
DECODER_FIELDS = NOTES = 4
LOW, ENCODER_RANGE, CACHE, PENDING, WRITTEN, SHIFTS = range(6)
ENCODER_FIELDS = 6

TOP = 1 << 24
FULL_RANGE = (1 << 32) - 1
MAX_OVERRUN = 4
LARGEST_COUNT = 15

_SHIFT = np.array(ADAPTATION_SHIFT, np.int64)


@njit(cache=True)
def adapted(context: int, bit: int) -> int:
    """The context after it has coded `bit` (SPEC 2)."""
    probability = context >> 4
    count = context & 15
    shift = _SHIFT[count]
    if bit:
        probability += (4095 - probability) >> shift
    else:
        probability -= probability >> shift
    return (probability << 4) | min(count + 1, LARGEST_COUNT)


@njit(cache=True)
def _next_byte(state: Array, data: Array) -> int:
    position = state[POSITION]
    state[POSITION] = position + 1
    if position < len(data):
        return np.int64(data[position])
    state[OVERRUN] += 1
    return 0


@njit(cache=True)
def start_decoder(state: Array, data: Array) -> None:
    """Sets `state` (int64, DECODER_FIELDS) to the start of the segment `data` (uint8)."""
    state[:] = 0
    state[RANGE] = FULL_RANGE
    for _ in range(4):
        state[CODE] = (state[CODE] << 8) | _next_byte(state, data)


@njit(cache=True)
def _refill(state: Array, data: Array) -> None:
    while state[RANGE] < TOP:
        state[RANGE] <<= 8
        # Where no encoder wrote the segment, `code` may be above `range` and leave 32 bits (SPEC 2).
        state[CODE] = (state[CODE] << 8 & FULL_RANGE) | _next_byte(state, data)


@njit(cache=True)
def decode_bit(state: Array, data: Array, contexts: Array, index: int) -> int:
    """One bit with the adaptive context `contexts[index]`."""
    context = np.int64(contexts[index])
    bound = (state[RANGE] >> 12) * ((context >> 4) | 1)
    if state[CODE] < bound:
        bit = 1
        state[RANGE] = bound
    else:
        bit = 0
        state[CODE] -= bound
        state[RANGE] -= bound
    contexts[index] = adapted(context, bit)
    if len(state) > DECODER_FIELDS:
        state[NOTES] += 1
        state[NOTES + state[NOTES]] = 2 * index + bit
    _refill(state, data)
    return bit


@njit(cache=True)
def decode_direct(state: Array, data: Array, bits: int) -> int:
    """`bits` equiprobable bits, highest first."""
    value = 0
    for _ in range(bits):
        state[RANGE] >>= 1
        bit = 1 if state[CODE] >= state[RANGE] else 0
        if bit:
            state[CODE] -= state[RANGE]
        value = (value << 1) | bit
        _refill(state, data)
    return value


@njit(cache=True)
def start_encoder(state: Array) -> None:
    """Sets `state` (int64, ENCODER_FIELDS) to the start of a segment."""
    state[:] = 0
    state[ENCODER_RANGE] = FULL_RANGE
    state[CACHE] = -1


@njit(cache=True)
def _shift_low(state: Array, output: Array) -> None:
    low = state[LOW]
    if low < 0xFF000000 or low > FULL_RANGE:
        carry = low >> 32
        if state[CACHE] >= 0:
            output[state[WRITTEN]] = (state[CACHE] + carry) & 0xFF
            state[WRITTEN] += 1
        while state[PENDING] > 0:
            output[state[WRITTEN]] = (0xFF + carry) & 0xFF
            state[WRITTEN] += 1
            state[PENDING] -= 1
        state[CACHE] = (low >> 24) & 0xFF
    else:
        state[PENDING] += 1
    state[LOW] = (low & 0x00FFFFFF) << 8


@njit(cache=True)
def _drain(state: Array, output: Array) -> None:
    while state[ENCODER_RANGE] < TOP:
        state[ENCODER_RANGE] <<= 8
        state[SHIFTS] += 1
        _shift_low(state, output)


@njit(cache=True)
def encode_bit(state: Array, output: Array, contexts: Array, index: int, bit: int) -> None:
    """Twin of `decode_bit`. `output` must have room for every byte of the segment."""
    context = np.int64(contexts[index])
    bound = (state[ENCODER_RANGE] >> 12) * ((context >> 4) | 1)
    if bit:
        state[ENCODER_RANGE] = bound
    else:
        state[LOW] += bound
        state[ENCODER_RANGE] -= bound
    contexts[index] = adapted(context, bit)
    _drain(state, output)


@njit(cache=True)
def encode_direct(state: Array, output: Array, value: int, bits: int) -> None:
    """Twin of `decode_direct`."""
    for shift in range(bits - 1, -1, -1):
        state[ENCODER_RANGE] >>= 1
        if (value >> shift) & 1:
            state[LOW] += state[ENCODER_RANGE]
        _drain(state, output)


@njit(cache=True)
def finish_encoder(state: Array, output: Array) -> int:
    """Ends the segment with the fewest bytes that decode to it; returns their number."""
    top = state[LOW] + state[ENCODER_RANGE] - 1
    value = top
    for bits in range(32, 0, -1):
        value = (top >> bits) << bits
        if value >= state[LOW]:
            break
    state[LOW] = value
    for _ in range(5):
        _shift_low(state, output)
    length = state[WRITTEN]
    # A decoder allows itself MAX_OVERRUN bytes beyond the end: it holds four more than it has shifted in.
    while length > state[SHIFTS] and output[length - 1] == 0:
        length -= 1
    return int(length)
