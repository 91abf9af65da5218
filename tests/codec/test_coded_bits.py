"""The bits that a stream codes, context by context: by the letter of SPEC 3, 4.2 and 5.2, and by what they cost."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from make_vectors import FOLDER
from random_streams import random_stream

from audio_gs.codec.container import StreamHeader, iterate_segments, parse_header
from audio_gs.codec.decoder import decode_gaussians
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.kinds import NOISE
from audio_gs.codec.range_coder import adapted
from audio_gs.codec.slots import PRIOR_STARTS, coded_bits
from audio_gs.codec.tables import contexts_of_prior, phase_bits, priors
from audio_gs.errors import BitstreamError

Table = npt.NDArray[Any]

END = -1
"""Stands between segments."""
TONES_OF_A_SCALE = 89
NOISES = 8 * TONES_OF_A_SCALE
NOISES_OF_A_SCALE = 20 + 3
PLACES = NOISES + 6 * NOISES_OF_A_SCALE
SIGNS = PLACES + 31 + 15 + 7 + 3
WEIGHTS = SIGNS + 4
SEEDS = range(0, 200, 7)
FITTED = ("speech-3.bin", "speech-6.bin", "music-12.bin", "sfx-12.bin")


class Coded:
    """What a stream codes: bits by context, -1 between segments, and how many bits without a context in each
    segment."""

    def __init__(self) -> None:
        self.bits: dict[int, list[int]] = defaultdict(list)
        self.direct = [0]

    def tree(self, base: int, bits: int, value: int) -> None:
        node = 1
        for bit in map(int, f"{value:0{bits}b}"):
            self.bits[base + node - 1].append(bit)
            node = 2 * node + bit

    def gamma(self, unary: int, tops: int, top: int, value: int) -> None:
        e = value.bit_length() - 1
        for step in range(min(e + 1, top)):
            self.bits[unary + min(step, 11)].append(int(step < e))
        if e > 0:
            self.bits[tops + min(e, 11) - 1].append(value >> (e - 1) & 1)
            self.direct[-1] += e - 1


def coded_by_the_letter(header: StreamHeader, gaussians: Gaussians) -> Coded:
    coded = Coded()
    for segment in range(header.segments):
        before: dict[tuple[str, int], int] = {}
        for slot in header.segment_slots(segment):
            code_tones(coded, header, slot, gaussians["tone"], before)
            if header.noise:
                code_noises(coded, header, slot, gaussians["noise"], before)
        for bits in coded.bits.values():
            bits.append(END)
        coded.direct.append(0)
    coded.direct.pop()
    return coded


def scales_of_slot(
    header: StreamHeader, slot: int, hops: list[int], longest: list[int], table: Table, first_scale: int
) -> list[tuple[int, list[tuple[int, ...]]]]:
    """Number and Gaussians of each scale that occurs in a slot (SPEC S1)."""
    here = table[table["onset"] >> header.slot_log2 == slot]
    found = []
    for j, (hop, support) in enumerate(zip(hops, longest, strict=True)):
        if slot < -max(1, support >> header.slot_log2) or (slot << header.slot_log2) % min(hop, header.slot_samples):
            continue
        if hop > header.slot_samples and (slot << header.slot_log2) % hop:
            continue
        found.append((j, here[here["scale"] == first_scale + j].tolist()))
    assert sum(len(rows) for _, rows in found) == len(here)
    return found


def code_tones(coded: Coded, header: StreamHeader, slot: int, table: Table, before: dict[tuple[str, int], int]) -> None:
    first = header.smallest_scale
    hops = [8 << (first + j) for j in range(header.scales)]
    here = 0
    for j, rows in scales_of_slot(header, slot, hops, [4 * hops[-1]] * header.scales, table, first):
        more = TONES_OF_A_SCALE * j + 4 * min(4, (2 * before.get(("tone", j), 0) + here).bit_length())
        contexts = [TONES_OF_A_SCALE * j + 20 + start for start in (0, 12, 23, 35, 46, 58)]
        last_bin = 0
        for i, (_, _, bin_, q, *_) in enumerate(rows):
            coded.bits[more + min(i, 3)].append(1)
            unary, tops = contexts[2:4] if i else contexts[:2]
            coded.gamma(unary, tops, 4 + first + j, bin_ - last_bin + 1)
            last_bin = bin_
            coded.gamma(contexts[4], contexts[5], 11, q)
            coded.direct[-1] += max(0, (header.slot_samples // hops[j]).bit_length() - 1) + int(phase_bits()[q])
        coded.bits[more + min(len(rows), 3)].append(0)
        before["tone", j] = len(rows)
        here += len(rows)


def code_noises(
    coded: Coded, header: StreamHeader, slot: int, table: Table, before: dict[tuple[str, int], int]
) -> None:
    assert header.noise
    hops = [header.noise.frame_samples << a for a in range(6)]
    here = 0
    for a, rows in scales_of_slot(header, slot, hops, [4 * hop for hop in hops], table, 0):
        more = NOISES + NOISES_OF_A_SCALE * a + 4 * min(4, (2 * before.get(("noise", a), 0) + here).bit_length())
        for i, (_, _, width, place, weight, *_) in enumerate(rows):
            coded.bits[more + min(i, 3)].append(1)
            coded.tree(NOISES + NOISES_OF_A_SCALE * a + 20, 2, width)
            coded.tree(PLACES + sum((31, 15, 7)[:width]), 5 - width, place)
            coded.direct[-1] += max(0, (header.slot_samples // hops[a]).bit_length() - 1)
            coded.bits[SIGNS + width].append(int(weight < 0))
            coded.gamma(WEIGHTS + 10 * width, WEIGHTS + 10 * width + 5, 5, abs(weight))
        coded.bits[more + min(len(rows), 3)].append(0)
        before["noise", a] = len(rows)
        here += len(rows)


def streams() -> list[Any]:
    fitted = [pytest.param((FOLDER / name).read_bytes(), id=name) for name in FITTED]
    return fitted + [pytest.param(random_stream(seed).data, id=str(seed)) for seed in SEEDS]


@pytest.mark.parametrize("data", streams())
def test_bits_of_the_letter(data: bytes) -> None:
    expected = coded_by_the_letter(parse_header(data)[0], decode_gaussians(data))
    assert coded_bits(data) == dict(expected.bits)


def test_these_streams_code_contexts_of_every_sort() -> None:
    """Otherwise the comparison above would leave something out."""
    reached = set().union(*(coded_bits(random_stream(seed).data) for seed in SEEDS))
    of_scale = {context % TONES_OF_A_SCALE for context in reached if context < NOISES}
    # An amplitude's length has no twelfth bit.
    assert of_scale == set(range(TONES_OF_A_SCALE)) - {20 + 46 + 11}
    of_noise_scale = {(context - NOISES) % NOISES_OF_A_SCALE for context in reached if NOISES <= context < PLACES}
    assert of_noise_scale == set(range(NOISES_OF_A_SCALE))
    assert {context for context in reached if context >= PLACES} == set(range(PLACES, WEIGHTS + 40))
    assert PRIOR_STARTS["noise"] + NOISE.prior_contexts == WEIGHTS + 40


@pytest.mark.parametrize("name", FITTED)
def test_coding_them_from_the_priors_costs_the_segments_bytes(name: str) -> None:
    data = (FOLDER / name).read_bytes()
    header, offset = parse_header(data)
    contexts = contexts_of_prior(priors()[header.table_set])
    cost = 0.0
    for context, bits in coded_bits(data).items():
        now = start = int(contexts[context])
        for bit in bits:
            if bit == END:
                now = start
                continue
            chance = (now >> 4 | 1) / 4096
            cost -= np.log2(chance if bit else 1 - chance)
            now = adapted(now, bit)
    cost += sum(coded_by_the_letter(header, decode_gaussians(data)).direct)
    segments = list(iterate_segments(data, header, offset))
    # A segment ends on a whole byte.
    assert 8 * sum(segment.length for segment in segments) == pytest.approx(cost, abs=12 * len(segments))


def test_damage_is_told() -> None:
    data = bytearray((FOLDER / FITTED[0]).read_bytes())
    data[-1] ^= 1
    with pytest.raises(BitstreamError):
        coded_bits(bytes(data))
