"""Step 2, the range coder: encoder and decoder undo each other, and the adaptation is that of SPEC 2."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_gs.codec import range_coder
from audio_gs.codec.container import StreamHeader
from audio_gs.codec.kinds import NOISE, TONE
from audio_gs.codec.kinds.noise import NoiseHeader
from audio_gs.codec.range_coder import (
    CODE,
    DECODER_FIELDS,
    ENCODER_FIELDS,
    FULL_RANGE,
    MAX_OVERRUN,
    OVERRUN,
    POSITION,
    RANGE,
    SHIFTS,
    adapted,
    decode_bit,
    decode_direct,
    encode_bit,
    encode_direct,
    finish_encoder,
    start_decoder,
    start_encoder,
)
from audio_gs.codec.slots import initial_contexts
from audio_gs.codec.tables import ADAPTATION_SHIFT, CONTEXTS_PER_SCALE, contexts_of_prior, priors

CONTEXTS = 4
FRESH = np.full(CONTEXTS, 2048 << 4, np.uint16)

bits_in_context = st.tuples(st.integers(0, CONTEXTS - 1), st.integers(0, 1))
direct_values = st.integers(0, 16).flatmap(lambda bits: st.tuples(st.integers(0, (1 << bits) - 1), st.just(-1 - bits)))
symbols = st.lists(bits_in_context | direct_values, max_size=300)
"""Pairs of context and bit, or of value and -1 - number of bits."""


def header_with(table_set: int, scales: int) -> StreamHeader:
    return StreamHeader(
        sample_rate=16000,
        samples=1000,
        slot_log2=9,
        smallest_scale=0,
        scales=scales,
        amplitude_step=1,
        output_shift=0,
        max_tones=1,
        peak_macs=0,
        table_set=table_set,
    )


def encode(pairs: list[tuple[int, int]], contexts: np.ndarray) -> tuple[bytes, int]:
    """The code of these symbols, and how many bytes a decoder takes for it."""
    state, output = np.zeros(ENCODER_FIELDS, np.int64), np.zeros(100 + 4 * len(pairs), np.uint8)
    start_encoder(state)
    for first, second in pairs:
        if second < 0:
            encode_direct(state, output, first, -1 - second)
        else:
            encode_bit(state, output, contexts, first, second)
    return output[: finish_encoder(state, output)].tobytes(), 4 + int(state[SHIFTS])


def decode(data: bytes, pairs: list[tuple[int, int]], contexts: np.ndarray) -> tuple[list[tuple[int, int]], np.ndarray]:
    state, payload = np.zeros(DECODER_FIELDS, np.int64), np.frombuffer(data, np.uint8)
    start_decoder(state, payload)
    found = []
    for first, second in pairs:
        if second < 0:
            found.append((decode_direct(state, payload, -1 - second), second))
        else:
            found.append((first, decode_bit(state, payload, contexts, first)))
    return found, state


@given(symbols)
def test_round_trip(pairs: list[tuple[int, int]]) -> None:
    encoder_contexts, decoder_contexts = FRESH.copy(), FRESH.copy()
    data, taken = encode(pairs, encoder_contexts)
    found, state = decode(data, pairs, decoder_contexts)
    assert found == pairs
    np.testing.assert_array_equal(encoder_contexts, decoder_contexts)
    assert state[POSITION] == taken >= len(data)
    assert state[OVERRUN] == taken - len(data) <= MAX_OVERRUN
    assert not data.endswith(b"\0") or len(data) == taken - MAX_OVERRUN


@pytest.mark.parametrize("chance", [0.001, 0.03, 0.5, 0.97, 0.999])
def test_long_runs_cost_what_they_tell(chance: float) -> None:
    """Carries, long pending runs and the extremes of the probabilities; the length stays near the entropy."""
    random = np.random.default_rng(int(1000 * chance))
    count = 20000
    bits = (random.random(count) < chance).astype(int)
    pairs = [(0, int(bit)) for bit in bits]
    data, _ = encode(pairs, FRESH.copy())
    assert decode(data, pairs, FRESH.copy())[0] == pairs
    entropy = -count * (chance * math.log2(chance) + (1 - chance) * math.log2(1 - chance))
    # The adaptation never ends and stops at 31/4096, which the rarest events pay for.
    assert 8 * len(data) < 1.06 * entropy + 0.012 * count + 64


def test_carries_run_through() -> None:
    """Direct ones keep the lower bound near the top until a carry crosses all of them."""
    pairs = [(0xFFFF, -17)] * 50 + [(0, 0), (0xFFFF, -17)] * 30 + [(0, 1)]
    data, _ = encode(pairs, FRESH.copy())
    assert decode(data, pairs, FRESH.copy())[0] == pairs


def test_arithmetic_of_the_letter() -> None:
    """The decoder against the pseudo-code of SPEC 2 in plain Python, on any bytes."""
    random = np.random.default_rng(2)
    for _ in range(20):
        data = random.integers(0, 256, 60).astype(np.uint8)
        contexts = initial_contexts(header_with(int(random.integers(3)), 1), TONE)
        plain = [int(context) for context in contexts]
        state = np.zeros(DECODER_FIELDS, np.int64)
        start_decoder(state, data)
        range_, code, at = FULL_RANGE, int.from_bytes(data[:4].tobytes(), "big"), 4
        for _ in range(300):
            if random.integers(3):
                index = int(random.integers(CONTEXTS_PER_SCALE))
                p, n = plain[index] >> 4, plain[index] & 15
                bound = (range_ >> 12) * (p | 1)
                expected = int(code < bound)
                if expected:
                    range_, p = bound, p + ((4095 - p) >> ADAPTATION_SHIFT[n])
                else:
                    code, range_, p = code - bound, range_ - bound, p - (p >> ADAPTATION_SHIFT[n])
                plain[index] = p << 4 | min(n + 1, 15)
                assert decode_bit(state, data, contexts, index) == expected
                assert contexts[index] == plain[index]
            else:
                range_ >>= 1
                expected = int(code >= range_)
                code -= expected * range_
                assert decode_direct(state, data, 1) == expected
            while range_ < 1 << 24:
                range_ = range_ << 8
                code = (code << 8 | (int(data[at]) if at < len(data) else 0)) & 0xFFFFFFFF
                at += 1
            assert (state[RANGE], state[CODE], state[POSITION]) == (range_, code, at)


def test_probabilities_stay_inside() -> None:
    """From any context any run of bits leaves both bits possible."""
    for context in range(0, 1 << 16, 37):
        for bit in (0, 1):
            now = context
            for _ in range(200):
                now = adapted(now, bit)
            assert now & 15 == range_coder.LARGEST_COUNT
            assert 0 <= now >> 4 <= 4095
            # The bound of a bit is range / 4096 * (p | 1), which must leave room on both sides.
            assert 1 <= (now >> 4 | 1) <= 4095


def test_priors_start_contexts() -> None:
    """SPEC R2."""
    for table_set in range(3):
        contexts = contexts_of_prior(priors()[table_set])
        assert contexts.dtype == np.uint16
        assert set(contexts & 15) <= {0, 3, 6, 10}
        assert set((contexts >> 4) % 64) == {32}
        for scales in range(1, 9):
            header = header_with(table_set, scales)
            tones, noises = (
                contexts[: scales * CONTEXTS_PER_SCALE],
                contexts[8 * CONTEXTS_PER_SCALE :][: NOISE.prior_contexts],
            )
            np.testing.assert_array_equal(initial_contexts(header, TONE), tones)
            with_noise = dataclasses.replace(header, noise=NoiseHeader(5, 4, 8, 1))
            np.testing.assert_array_equal(initial_contexts(with_noise, TONE), tones)
            np.testing.assert_array_equal(initial_contexts(with_noise, NOISE), noises)
