"""An encoder that takes random legal decisions, and steps 4 to 6 of SPEC.md by the letter.

    python tests/random_streams.py SEED FILE      writes the stream of a seed

Whatever the syntax allows can come out: all scales and sizes of slots, bins and amplitudes of every length,
Gaussians in any order that the format can code, before the first sample and after the last, and more zeros at the
end of a segment than an encoder would write.
"""

from __future__ import annotations

import dataclasses
import functools
import heapq
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from audio_gs import slots
from audio_gs.complexity import macs_per_sample
from audio_gs.container import (
    MAX_ACTIVE,
    MAX_MANTISSA,
    MAX_OUTPUT_SHIFT,
    MAX_SCALE,
    MAX_SCALES,
    SAMPLE_RATES,
    StreamHeader,
    build_stream,
)
from audio_gs.gaussians import GAUSSIAN
from audio_gs.rangecoder import ENCODER_FIELDS, SHIFTS, finish_encoder, start_encoder
from audio_gs.tables import LARGEST_AMPLITUDE, cosine, envelope, initial_contexts, phase_bits

Table = npt.NDArray[Any]
Pcm = npt.NDArray[np.int16]
Integers = npt.NDArray[np.int64]

SCALES = [(kmin, scales) for scales in range(1, MAX_SCALES + 1) for kmin in range(MAX_SCALE + 2 - scales)]
"""Smallest scale and number of scales, all that the format allows; consecutive seeds take turns."""
ODD_RATES = (4000, 8001, 12345, 95999, 96000)
SLOT_HEADS = 4
"""Bytes that the range decoder takes before the first bit."""


class Draws:
    """Random numbers that no other version of NumPy draws differently: those of `Generator` may change, the bits of
    PCG64 may not."""

    def __init__(self, seed: int) -> None:
        self._bits = np.random.PCG64(seed)

    def uniform(self, count: int) -> npt.NDArray[np.float64]:
        """Numbers from 0 to just below 1, shape (count,)."""
        return (self._bits.random_raw(count) >> np.uint64(11)) * 2.0**-53

    def one(self, low: float = 0, high: float = 1) -> float:
        return low + (high - low) * float(self.uniform(1)[0])

    def below(self, limit: int) -> int:
        return int(self.one(0, limit))

    def all_below(self, limits: Integers) -> Integers:
        return np.floor(self.uniform(len(limits)) * limits).astype(np.int64)

    def one_in(self, count: int) -> bool:
        return self.below(count) == 0


@dataclasses.dataclass(frozen=True)
class RandomStream:
    """A legal stream and what it was made from."""

    data: bytes
    header: StreamHeader
    table: Table
    """The Gaussians in the order of the stream."""


@functools.cache
def random_stream(seed: int) -> RandomStream:
    """The stream of a seed; the same one every time."""
    draws = Draws(seed)
    kmin, scales = SCALES[seed % len(SCALES)]
    header = _random_header(draws, kmin, scales)
    table = _within_class(_random_table(draws, header), header)
    if draws.one_in(2):
        header = dataclasses.replace(header, max_active=most_held(table, header))
    peak = math.ceil(macs_per_sample(table, header.samples, header.sample_rate)[1])
    header = dataclasses.replace(header, peak_macs=peak)
    return RandomStream(build_stream(header, payloads(header, table, draws)), header, table)


def _random_header(draws: Draws, kmin: int, scales: int) -> StreamHeader:
    slot_log2 = 5 + draws.below(8)
    most_samples = (1, 50)[draws.below(2)] if draws.one_in(8) else min(30000, 400 << slot_log2)
    samples = 1 + draws.below(most_samples)
    loop = None
    if draws.one_in(2):
        first, last = sorted((draws.below(samples), draws.below(samples)))
        loop = (first, last + 1)
    rates = SAMPLE_RATES + ODD_RATES
    return StreamHeader(
        sample_rate=rates[draws.below(len(rates))],
        samples=samples,
        slot_log2=slot_log2,
        kmin=kmin,
        scales=scales,
        mantissa=1 + draws.below(40 if draws.one_in(3) else MAX_MANTISSA),
        output_shift=draws.below(MAX_OUTPUT_SHIFT + 1 if draws.one_in(3) else 5),
        max_active=min(MAX_ACTIVE, int(2 ** draws.one(0, 15))),
        peak_macs=0,
        seek_slots=0 if draws.one_in(3) else int(2 ** draws.one(0, math.log2(2 + (samples >> slot_log2)))),
        loop=loop,
        table_set=draws.below(3),
    )


def _random_table(draws: Draws, header: StreamHeader) -> Table:
    """Gaussians in every slot and scale that the syntax allows, in the order of the stream."""
    slot = np.arange(-header.lead_slots, header.slots)
    scale = np.arange(header.kmin, header.kmin + header.scales)
    hop = 8 << scale
    occurs = ((slot[:, None] << header.slot_log2) % hop == 0) | (hop <= header.slot_samples)
    density = occurs * draws.uniform(occurs.size).reshape(occurs.shape) ** (1 + 8 * draws.below(2))
    density[draws.uniform(len(slot)) < draws.one() ** 2] = 0
    mean = density * (10 ** draws.one(1, 3.4) / max(density.sum(), 1e-9))
    counts = _counts(draws, mean.ravel())
    which_slot, which_scale = (index.repeat(counts) for index in np.indices(occurs.shape).reshape(2, -1))
    rows = len(which_slot)
    k = scale[which_scale]
    table = np.zeros(rows, GAUSSIAN)
    table["scale"] = k
    places = np.maximum(1, header.slot_samples // (8 << k))
    table["onset"] = (slot[which_slot] << header.slot_log2) + (8 << k) * draws.all_below(places)
    table["bin"] = draws.all_below(_any_size(draws, 4 + k))
    table["bin"][draws.uniform(rows) < 0.02] = 0
    top = draws.uniform(rows) < 0.05
    table["bin"][top] = (16 << k[top]) - 1
    table["amplitude"] = np.minimum(LARGEST_AMPLITUDE, 1 + draws.all_below(_any_size(draws, np.full(rows, 12))))
    table["amplitude"][draws.uniform(rows) < 0.01] = LARGEST_AMPLITUDE
    table["phase"] = draws.all_below(1 << phase_bits()[table["amplitude"]])
    # Equal bins keep their random order: the syntax codes them with any onsets.
    return table[np.lexsort((table["bin"], table["scale"], table["onset"] >> header.slot_log2))]


def _counts(draws: Draws, mean: npt.NDArray[np.float64]) -> Integers:
    """Geometrically distributed numbers of these means, at most 200."""
    with np.errstate(divide="ignore"):
        counts = np.log(1 - draws.uniform(len(mean))) / np.log(mean / (1 + mean))
    return np.minimum(200, counts).astype(np.int64)


def _any_size(draws: Draws, bits: Integers) -> Integers:
    """Powers of two up to 2^bits, each as likely as the others."""
    return 1 << draws.all_below(bits + 1)


def _within_class(table: Table, header: StreamHeader) -> Table:
    """The table without the Gaussians that a decoder of the header's class could not hold (SPEC R5)."""
    keep = np.ones(len(table), np.bool_)
    ends: list[int] = []
    slot = table["onset"] >> header.slot_log2
    for row, (at, end) in enumerate(zip((slot << header.slot_log2).tolist(), _ends(table).tolist(), strict=True)):
        while ends and ends[0] <= at:
            heapq.heappop(ends)
        keep[row] = len(ends) < header.max_active
        if keep[row]:
            heapq.heappush(ends, end)
    return table[keep]


def _ends(table: Table) -> npt.NDArray[np.int64]:
    return table["onset"] + (32 << table["scale"].astype(np.int64))


def most_held(table: Table, header: StreamHeader) -> int:
    """The largest number of Gaussians held at a slot's start and coded in it together, at least 1 (SPEC R5)."""
    slot = table["onset"] >> header.slot_log2
    held = 1
    for number in np.unique(slot):
        held = max(held, np.sum((slot <= number) & (_ends(table) > number << header.slot_log2)))
    return int(held)


def payloads(header: StreamHeader, table: Table, draws: Draws | None = None) -> list[bytes]:
    """The range-coded bytes of each segment, for a table in the order of the stream; nothing is checked. With
    `draws` some get the zeros that an encoder leaves out."""
    rows = slots.as_rows(table)
    slot = table["onset"] >> header.slot_log2
    coded = []
    for segment in range(header.segments):
        numbers = header.segment_slots(segment)
        starts = np.searchsorted(slot, np.arange(numbers.start, numbers.stop + 1))
        output = np.zeros(100 + 16 * (starts[-1] - starts[0]) + 2 * len(numbers) * header.scales, np.uint8)
        contexts = initial_contexts(header.table_set, header.scales)
        state, before = np.zeros(ENCODER_FIELDS, np.int64), np.zeros(header.scales, np.int64)
        start_encoder(state)
        for index, number in enumerate(numbers):
            own = rows[starts[index] : starts[index + 1]]
            slots.encode_slot(state, output, contexts, before, header.kmin, header.slot_log2, number, own)
        payload = output[: finish_encoder(state, output)].tobytes()
        if draws is not None and draws.one_in(4):
            payload += bytes(SLOT_HEADS + int(state[SHIFTS]) - len(payload))
        coded.append(payload)
    return coded


def sums_by_the_letter(header: StreamHeader, table: Table) -> npt.NDArray[np.int32]:
    """Steps 4 and 5 of SPEC.md: the decoder's int32 sums, shape (samples,)."""
    env, cos = envelope(), cosine()
    acc = np.zeros(header.samples, np.int64)
    for k, onset, b, q, f in table.tolist():
        step = 16 * header.mantissa if k % 2 == 0 else (header.mantissa * 46341 + 2048) >> 12
        peak = min(32767, (step * (8 * q + 3)) >> (5 + (k >> 1)))
        bits = 3 + sum(q >= limit for limit in (3, 5, 10, 20, 40, 80, 160))
        n = np.arange(max(0, onset), min(header.samples, onset + (32 << k)))
        a = n - onset
        i, r = a >> k, a & ((1 << k) - 1)
        e0, e1 = env[i] * peak, env[i + 1] * peak
        e = (e0 + r * ((e1 - e0) >> k)) >> 15
        phase = ((f << (16 - bits)) + 32 + ((b & 1) << 15) + (b << (11 - k)) * a) & 0xFFFF
        acc[n] += e * cos[phase >> 6]
    return (acc & 0xFFFFFFFF).astype(np.uint32).view(np.int32)


def pcm_by_the_letter(header: StreamHeader, sums: npt.NDArray[np.int32]) -> Pcm:
    """Step 6 of SPEC.md."""
    rounded = (sums.view(np.uint32) + np.uint32(1 << (13 + header.output_shift))).view(np.int32)
    return np.clip(rounded >> (14 + header.output_shift), -32768, 32767).astype(np.int16)


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(random_stream(int(sys.argv[1])).data)
