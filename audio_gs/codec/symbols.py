"""What slots of every kind are coded with (SPEC 3): gamma codes, trees, and the bits that say that more follow. Numba.

Both directions stand side by side, to be compared line by line.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
from numba import njit

from .range_coder import decode_bit, decode_direct, encode_bit, encode_direct
from .tables import GAMMA_LENGTHS, GAMMA_TOPS, MORE_PLACES

Array = npt.NDArray[Any]

TOO_MANY = -1
ILLEGAL_BIN = -2


@njit(cache=True)
def bit_length(value: int) -> int:
    """Bits of a number from 0 on."""
    length = 0
    while value > 0:
        value >>= 1
        length += 1
    return length


@njit(cache=True)
def log2_level(number: int) -> int:
    """256 times the logarithm of a number above 0 to the base of 2, in straight lines between powers of 2."""
    exponent = 0
    while number >> (exponent + 1):
        exponent += 1
    return 256 * exponent + (((number << 8) >> exponent) & 255)


@njit(cache=True)
def occurs(hop: int, lead_slots: int, slot: int, slot_log2: int) -> bool:
    """Whether Gaussians of a scale with this hop can begin in this slot."""
    return slot >= -lead_slots and (((slot << slot_log2) & (hop - 1)) == 0 or hop <= (1 << slot_log2))


@njit(cache=True)
def lead(support: int, slot_log2: int) -> int:
    """Slots before sample 0 in which Gaussians of this support can begin."""
    return max(1, support >> slot_log2)


@njit(cache=True)
def more_context(base: int, before: int, here: int, place: int) -> int:
    """Context, from `base` on, of the bit that says whether another Gaussian of a scale follows: `before` of it were in
    the last slot where it occurred, `here` of smaller scales are in this one, `place` of it already."""
    activity = min(4, bit_length(2 * before + here))
    return base + activity * MORE_PLACES + min(place, MORE_PLACES - 1)


@njit(cache=True)
def decode_gamma(state: Array, data: Array, contexts: Array, unary: int, tops: int, top: int) -> int:
    """A number from 1 to 2^(top + 1) - 1 in an adaptive Elias gamma code (Elias 1975)."""
    exponent = 0
    while exponent < top and decode_bit(state, data, contexts, unary + min(exponent, GAMMA_LENGTHS - 1)):
        exponent += 1
    if exponent == 0:
        return 1
    value = 2 + decode_bit(state, data, contexts, tops + min(exponent, GAMMA_TOPS) - 1)
    return (value << (exponent - 1)) | decode_direct(state, data, exponent - 1)


@njit(cache=True)
def encode_gamma(state: Array, output: Array, contexts: Array, unary: int, tops: int, top: int, value: int) -> None:
    """Twin of `decode_gamma`."""
    exponent = bit_length(value) - 1
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
def decode_tree(state: Array, data: Array, contexts: Array, base: int, bits: int) -> int:
    """A number of so many bits, highest first, each with a context of its own for what came before."""
    node = 1
    for _ in range(bits):
        node = 2 * node + decode_bit(state, data, contexts, base + node - 1)
    return node - (1 << bits)


@njit(cache=True)
def encode_tree(state: Array, output: Array, contexts: Array, base: int, bits: int, value: int) -> None:
    """Twin of `decode_tree`."""
    node = 1
    for shift in range(bits - 1, -1, -1):
        bit = (value >> shift) & 1
        encode_bit(state, output, contexts, base + node - 1, bit)
        node = 2 * node + bit
