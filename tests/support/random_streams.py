"""An encoder that takes random legal decisions, and tones, noises and PCM of SPEC.md by the letter.

    python tests/support/random_streams.py SEED FILE                 writes the stream of a seed
    python tests/support/random_streams.py --residual SEED FILE      that of a seed of streams with a residual
    python tests/support/random_streams.py --stereo SEED FILE        that of a seed of streams with two channels

Whatever the syntax allows can come out: all scales and sizes of slots, bins and amplitudes of every length, noise in
frames of all sizes, Gaussians in any order that the format can code, before the first sample and after the last, and
more zeros at the end of a segment than an encoder would write.
"""

from __future__ import annotations

import dataclasses
import functools
import heapq
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from residual_by_the_letter import (
    COEFFICIENT,
    FINE,
    LARGEST,
    CodedFrame,
    FrameWriter,
    ahead,
    cells_of_segment,
    changed,
    coded_frames,
    frame_size,
    frames_of_slot,
    has_fine,
    quantisers_of,
    spectrum_of,
)

from audio_gs.codec.container import SAMPLE_RATES, StreamHeader, build_stream
from audio_gs.codec.cost import macs_per_sample
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.kinds import NOISE, TONE, Kind
from audio_gs.codec.kinds.noise import (
    MAX_FRAME_LOG2,
    MAX_NOISE_SHIFT,
    MAX_NOISES,
    MIN_FRAME_LOG2,
    NoiseHeader,
)
from audio_gs.codec.kinds.tone import MAX_AMPLITUDE_STEP, MAX_OUTPUT_SHIFT, MAX_SCALE, MAX_TONES
from audio_gs.codec.range_coder import ENCODER_FIELDS, SHIFTS, finish_encoder, start_encoder
from audio_gs.codec.residual import RESIDUAL_DTYPE, ResidualHeader
from audio_gs.codec.slots import initial_contexts
from audio_gs.codec.stereo import PanningHeader
from audio_gs.codec.tables import (
    LARGEST_AMPLITUDE,
    LARGEST_NOISE_WEIGHT,
    LARGEST_SIDE_AMPLITUDE,
    MAX_SCALES,
    NOISE_SCALES,
    NOISE_WIDTHS,
    bark_hz,
    cosine,
    envelope,
    gain,
    phase_bits,
)

Table = npt.NDArray[Any]
Pcm = npt.NDArray[np.int16]
Integers = npt.NDArray[np.int64]

SCALES = [(smallest, scales) for scales in range(1, MAX_SCALES + 1) for smallest in range(MAX_SCALE + 2 - scales)]
"""Smallest scale and number of scales, all that the format allows; consecutive seeds take turns."""
ODD_RATES = (4000, 8001, 12345, 95999, 96000)
SLOT_HEADS = 4
"""Bytes that the range decoder takes before the first bit."""
NOISE_SEEDS = 1 << 32
"""What is drawn for noise, and whether there is any, leaves the stream's tones as they are without it."""
RESIDUAL_SEEDS = 1 << 33
STEREO_SEEDS = 1 << 34
SHORTEST_RESIDUAL_FRAME = 6


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
    gaussians: Gaussians
    """Each kind in the order of the stream."""


@functools.cache
def random_stream(seed: int) -> RandomStream:
    """The stream of a seed; the same one every time."""
    draws = Draws(seed)
    header = _random_header(draws, *SCALES[seed % len(SCALES)])
    gaussians = Gaussians(tone=_within_class(_random_tones(draws, header), header, TONE))
    noise_draws = Draws(NOISE_SEEDS + seed)
    if noise_draws.one_in(2):
        header, noises = _with_noise(noise_draws, header)
        gaussians = gaussians.replaced(noise=noises)
    if draws.one_in(2):
        header = dataclasses.replace(header, max_tones=most_held(gaussians["tone"], header, TONE))
    header = dataclasses.replace(header, peak_macs=math.ceil(macs_per_sample(gaussians, header)[1]))
    return RandomStream(build_stream(header, payloads(header, gaussians, draws)), header, gaussians)


@dataclasses.dataclass(frozen=True)
class Wanted:
    """Of a stream with a residual what is not drawn; None where it is."""

    sample_rate: int | None = None
    frame_log2: int | None = None
    samples: int | None = None
    seek_slots: int | None = None


@functools.cache
def residual_stream(seed: int, wanted: Wanted = Wanted()) -> RandomStream:
    """The stream with a residual of a seed; the same one every time."""
    draws = Draws(RESIDUAL_SEEDS + seed)
    header = _random_header(draws, *SCALES[seed % len(SCALES)], longest=8000)
    shortest_slot = wanted.frame_log2 or SHORTEST_RESIDUAL_FRAME
    header = dataclasses.replace(
        header,
        slot_log2=max(shortest_slot, header.slot_log2),
        output_shift=min(header.output_shift, 6),
        residual=random_residual_header(draws),
        **{name: value for name in ("sample_rate", "seek_slots") if (value := getattr(wanted, name)) is not None},
    )
    if wanted.samples is not None:
        header = dataclasses.replace(header, samples=wanted.samples, loop=None)
    # Where noise is soft and tones are loud, no cell has a coefficient.
    header, noises = _with_noise(draws, header, SHORTEST_RESIDUAL_FRAME, 1 + draws.below(8), wanted.frame_log2)
    tones = _within_class(_random_tones(draws, header)[:: 1 + 20 * draws.below(2)], header, TONE)
    gaussians = Gaussians(tone=tones, noise=noises)
    gaussians = gaussians.replaced(residual=random_values(draws, header, gaussians))
    if draws.one_in(2):
        header = dataclasses.replace(header, max_tones=most_held(tones, header, TONE))
    header = dataclasses.replace(header, peak_macs=math.ceil(macs_per_sample(gaussians, header)[1]))
    return RandomStream(build_stream(header, payloads(header, gaussians, draws)), header, gaussians)


@functools.cache
def stereo_stream(seed: int) -> RandomStream:
    """The stream with two channels of a seed; the same one every time. Of four one has a direction alone."""
    draws = Draws(STEREO_SEEDS + seed)
    mid = residual_stream(seed) if draws.one_in(4) else random_stream(seed)
    header = dataclasses.replace(mid.header, channels=2, direction=draws.below(256))
    gaussians = mid.gaussians
    if seed % 4:
        # Within what sounds, so that the side is heard.
        base = header.noise.base - draws.below(8) if header.noise and not draws.one_in(3) else draws.below(256) - 128
        header = dataclasses.replace(header, panning=PanningHeader(draws.below(16), max(-128, base)))
        gaussians = with_sides(draws, gaussians)
    header = dataclasses.replace(header, peak_macs=math.ceil(macs_per_sample(gaussians, header)[1]))
    return RandomStream(build_stream(header, payloads(header, gaussians, draws)), header, gaussians)


def with_sides(draws: Draws, gaussians: Gaussians) -> Gaussians:
    """The same Gaussians, of which some have a part of the side."""
    tones, noises = gaussians["tone"].copy(), gaussians["noise"].copy()

    def some(count: int) -> npt.NDArray[np.bool_]:
        return draws.uniform(count) < (0, 1, draws.one(), draws.one() ** 3)[draws.below(4)]

    rows = len(tones)
    largest = np.minimum(LARGEST_SIDE_AMPLITUDE, 1 + draws.all_below(_any_size(draws, np.full(rows, 10))))
    tones["side_amplitude"] = np.where(some(rows), largest, 0)
    tones["side_phase"] = draws.all_below(
        1 << np.where(tones["side_amplitude"], phase_bits()[tones["side_amplitude"]], 0)
    )
    rows = len(noises)
    for name in ("side_weight", "pan_weight"):
        size = np.minimum(LARGEST_NOISE_WEIGHT, 1 + draws.all_below(_any_size(draws, np.full(rows, 6))))
        signed = np.where(draws.uniform(rows) < draws.one(), size, -size)
        noises[name] = np.where(some(rows), signed, 0)
    return gaussians.replaced(tone=tones, noise=noises)


def random_residual_header(draws: Draws) -> ResidualHeader:
    return ResidualHeader(
        step=draws.below(256 if draws.one_in(4) else 80),
        tilt=0 if draws.one_in(4) else draws.below(16),
        intervals=draws.below(27) if draws.one_in(3) else 20 + draws.below(7),
        fine_from=20 + draws.below(12) if draws.one_in(4) else draws.below(20),
        level_step=draws.below(2),
        fill=draws.below(8),
        lift_low=draws.below(8),
        lift_high=draws.below(8),
        quiet=0 if draws.one_in(3) else draws.below(256),
    )


def random_values(draws: Draws, header: StreamHeader, gaussians: Gaussians) -> Table:
    """Values in every place that the layout has, in the order of the stream."""
    rows: list[tuple[int, int, int, int]] = []
    # How many places in a hundred get one, of both layers, and how many frames have coefficients.
    densities = [10 ** draws.one(0, 2.2) / 100 for _ in (FINE, COEFFICIENT)]
    frames_coded = draws.one() ** 0.3
    largest = LARGEST if draws.one_in(2) else 1 + draws.below(LARGEST)

    def some(places: list[int], layer: int) -> dict[int, int]:
        chosen = [place for place, at in zip(places, draws.uniform(len(places)), strict=True) if at < densities[layer]]
        sizes = 1 + np.floor(draws.uniform(len(chosen)) ** 2 * largest).astype(np.int64)
        signs = np.where(draws.uniform(len(chosen)) < 0.5, -1, 1)
        return dict(zip(chosen, (sizes * signs).tolist(), strict=True))

    for segment in range(header.segments):
        fine: dict[int, int] = {}
        for f, cells in cells_of_segment(header, gaussians, segment, limited_by_the_letter).items():
            if f % 4 == 0:
                changes = some([cell.number for cell in cells if has_fine(header, cell)], FINE)
                fine = changed(header, cells, fine, changes)
                rows += [(f, FINE, place, value) for place, value in changes.items()]
            if draws.one() >= frames_coded:
                continue
            quantisers = quantisers_of(header, cells, fine)
            with_coefficients = [cell for cell in cells if quantisers[cell.number].of_class is not None]
            values = some([b for cell in with_coefficients for b in range(cell.first, cell.end)], COEFFICIENT)
            rows += [(f, COEFFICIENT, place, value) for place, value in values.items()]
    return np.array(rows, RESIDUAL_DTYPE)


def _random_header(draws: Draws, smallest_scale: int, scales: int, longest: int = 30000) -> StreamHeader:
    slot_log2 = 5 + draws.below(8)
    most_samples = (1, 50)[draws.below(2)] if draws.one_in(8) else min(longest, 400 << slot_log2)
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
        smallest_scale=smallest_scale,
        scales=scales,
        amplitude_step=1 + draws.below(40 if draws.one_in(3) else MAX_AMPLITUDE_STEP),
        output_shift=draws.below(MAX_OUTPUT_SHIFT + 1 if draws.one_in(3) else 5),
        max_tones=min(MAX_TONES, int(2 ** draws.one(0, 15))),
        peak_macs=0,
        seek_slots=0 if draws.one_in(3) else int(2 ** draws.one(0, math.log2(2 + (samples >> slot_log2)))),
        loop=loop,
        table_set=draws.below(3),
    )


def _random_tones(draws: Draws, header: StreamHeader) -> Table:
    """Tones in every slot and scale that the syntax allows, in the order of the stream."""
    slot = np.arange(-max(1, header.longest_tone >> header.slot_log2), header.slots)
    scale = np.arange(header.smallest_scale, header.smallest_scale + header.scales)
    hop = 8 << scale
    occurs = ((slot[:, None] << header.slot_log2) % hop == 0) | (hop <= header.slot_samples)
    which_slot, which_scale = _random_places(draws, occurs, (1, 3.4))
    rows = len(which_slot)
    k = scale[which_scale]
    table = TONE.empty(rows)
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


def _random_places(
    draws: Draws, occurs: npt.NDArray[np.bool_], log10_of_all: tuple[float, float]
) -> tuple[Integers, Integers]:
    """Slot and scale, as indices into `occurs`, of Gaussians in about all densities, and how many there may be in all,
    as a power of ten."""
    density = occurs * draws.uniform(occurs.size).reshape(occurs.shape) ** (1 + 8 * draws.below(2))
    density[draws.uniform(len(occurs)) < draws.one() ** 2] = 0
    mean = density * (10 ** draws.one(*log10_of_all) / max(density.sum(), 1e-9))
    counts = _counts(draws, mean.ravel())
    slot, scale = np.indices(occurs.shape).reshape(2, -1).repeat(counts, axis=1)
    return slot, scale


def _with_noise(
    draws: Draws,
    header: StreamHeader,
    shortest: int = MIN_FRAME_LOG2,
    shift: int | None = None,
    frame_log2: int | None = None,
) -> tuple[StreamHeader, Table]:
    """A header with noise, and noises; the shift and the frame's logarithm are drawn if they are not given."""
    if shift is None:
        shift = 1 + draws.below(MAX_NOISE_SHIFT)
    # Of all levels most are silent or beyond the highest.
    audible = min(max(2 * shift - 8, -6), 8) + draws.below(20)
    if frame_log2 is None:
        frame_log2 = shortest + draws.below(min(MAX_FRAME_LOG2, header.slot_log2) - shortest + 1)
    noise = NoiseHeader(
        frame_log2=frame_log2,
        shift=shift,
        base=draws.below(256) - 128 if draws.one_in(4) else audible,
        max_noises=min(MAX_NOISES, int(2 ** draws.one(0, 9))),
    )
    header = dataclasses.replace(header, noise=noise)
    table = _within_class(_random_noises(draws, header, noise), header, NOISE)
    if draws.one_in(2):
        noise = dataclasses.replace(noise, max_noises=min(MAX_NOISES, most_held(table, header, NOISE)))
        header = dataclasses.replace(header, noise=noise)
    # Any order of the noises of a scale in a slot is legal.
    return header, table[np.lexsort((table["scale"], table["onset"] >> header.slot_log2))]


def _random_noises(draws: Draws, header: StreamHeader, noise: NoiseHeader) -> Table:
    """Noises in every slot and scale that the syntax allows, in the order of the slots."""
    slot = np.arange(-header.lead_slots, header.slots)
    scale = np.arange(NOISE_SCALES)
    hop = noise.frame_samples << scale
    occurs = ((slot[:, None] << header.slot_log2) % hop == 0) | (hop <= header.slot_samples)
    occurs &= slot[:, None] >= -np.maximum(1, 4 * hop >> header.slot_log2)
    which_slot, a = _random_places(draws, occurs, (0.3, 2.7))
    rows = len(which_slot)
    table = NOISE.empty(rows)
    table["scale"] = a
    places = np.maximum(1, header.slot_samples // hop[a])
    table["onset"] = (slot[which_slot] << header.slot_log2) + hop[a] * draws.all_below(places)
    table["width"] = draws.all_below(np.full(rows, NOISE_WIDTHS))
    table["place"] = draws.all_below(32 >> table["width"].astype(np.int64))
    weight = np.minimum(LARGEST_NOISE_WEIGHT, 1 + draws.all_below(_any_size(draws, np.full(rows, 6))))
    table["weight"] = np.where(draws.uniform(rows) < draws.one(), weight, -weight)
    return table


def _counts(draws: Draws, mean: npt.NDArray[np.float64]) -> Integers:
    """Geometrically distributed numbers of these means, at most 200."""
    with np.errstate(divide="ignore"):
        counts = np.log(1 - draws.uniform(len(mean))) / np.log(mean / (1 + mean))
    return np.minimum(200, counts).astype(np.int64)


def _any_size(draws: Draws, bits: Integers) -> Integers:
    """Powers of two up to 2^bits, each as likely as the others."""
    return 1 << draws.all_below(bits + 1)


def _within_class(table: Table, header: StreamHeader, kind: Kind) -> Table:
    """A table of one kind, in the order of the slots, without the Gaussians that a decoder of the header's class could
    not hold (SPEC 7)."""
    most = header.max_tones if kind is TONE else header.max_noises
    keep = np.ones(len(table), np.bool_)
    held: list[int] = []
    slot = None
    starts = table["onset"] >> header.slot_log2 << header.slot_log2
    for row, (at, end) in enumerate(zip(starts.tolist(), _ends(table, header, kind).tolist(), strict=True)):
        while at != slot and held and held[0] <= max(-128, at // 64 * 64 - ahead(header)):
            heapq.heappop(held)
        slot = at
        keep[row] = len(held) < most
        if keep[row]:
            heapq.heappush(held, end)
    return table[keep]


def _ends(table: Table, header: StreamHeader, kind: Kind) -> npt.NDArray[np.int64]:
    scale = table["scale"].astype(np.int64)
    frame_samples = header.noise.frame_samples if header.noise else 0
    return table["onset"] + ((32 if kind is TONE else 4 * frame_samples) << scale)


def most_held(table: Table, header: StreamHeader, kind: Kind) -> int:
    """The largest number of Gaussians of a kind held at a slot's start and coded in it together, at least 1 (SPEC
    7)."""
    slot, ends = table["onset"] >> header.slot_log2, _ends(table, header, kind)
    held = 1
    for number in np.unique(slot):
        after = max(-128, (int(number) << header.slot_log2) // 64 * 64 - ahead(header))
        held = max(held, np.sum((slot == number) | (slot < number) & (ends > after)))
    return int(held)


def payloads(header: StreamHeader, gaussians: Gaussians, draws: Draws | None = None) -> list[bytes]:
    """The range-coded bytes of each segment, for tables in the order of the stream; nothing is checked. With `draws`
    some get the zeros that an encoder leaves out."""
    coded = []
    frames = {frame.number: frame for frame in frames_by_the_letter(header, gaussians)}
    of_slots = (
        {slot: [frames[f] for f in frames_of_slot(header, slot)] for slot in range(header.slots)} if frames else {}
    )
    for segment in range(header.segments):
        numbers = header.segment_slots(segment)
        edges = np.arange(numbers.start, numbers.stop + 1)
        tables = {kind: gaussians[kind.name] for kind in header.kinds}
        starts = {kind: np.searchsorted(table["onset"] >> header.slot_log2, edges) for kind, table in tables.items()}
        contexts = {kind: initial_contexts(header, kind) for kind in header.kinds}
        counts = {kind: np.zeros(kind.scales(header), np.int64) for kind in header.kinds}
        rows = sum(int(of_kind[-1] - of_kind[0]) for of_kind in starts.values())
        room = 100 + 16 * rows + 2 * len(numbers) * sum(map(len, counts.values()))
        for frame in (frame for number in numbers for frame in of_slots.get(number, [])):
            room += 100 + 2 * frame_size(header)[0] + 16 * len(frame.values) + 16 * len(frame.changes)
        output = np.zeros(room, np.uint8)
        state = np.zeros(ENCODER_FIELDS, np.int64)
        start_encoder(state)
        writer = FrameWriter(header) if frames else None
        for index, number in enumerate(numbers):
            for kind, table in tables.items():
                own = table[starts[kind][index] : starts[kind][index + 1]]
                layout = kind.layout(header)
                kind.encode_slot(state, output, contexts[kind], counts[kind], layout, number, own)
            for frame in of_slots.get(number, []):
                assert writer
                writer.write(state, output, frame)
        payload = output[: finish_encoder(state, output)].tobytes()
        if draws is not None and draws.one_in(4):
            payload += bytes(SLOT_HEADS + int(state[SHIFTS]) - len(payload))
        coded.append(payload)
    return coded


def quarters_by_the_letter(header: StreamHeader, tones: Table) -> Integers:
    """SPEC 4.3 and 4.4: the tones of the clip in quarters of output steps, shape (samples,)."""
    rows = []
    for k, onset, b, q, f, *_ in tones.tolist():
        step = 16 * header.amplitude_step if k % 2 == 0 else (header.amplitude_step * 46341 + 2048) >> 12
        peak = min(32767, (step * (8 * q + 3)) >> (5 + (k >> 1)))
        bits = 3 + sum(q >= limit for limit in (3, 5, 10, 20, 40, 80, 160))
        rows.append((k, onset, b, peak, f << (16 - bits)))
    return sums_by_the_letter(header, rows)


def sums_by_the_letter(header: StreamHeader, rows: Sequence[tuple[int, ...]]) -> Integers:
    """SPEC 4.4 of tones of these scales, onsets, bins, peaks and phases."""
    env, cos = envelope(), cosine()
    # Every octave from 64 of its samples before sample 0 to as many after the last.
    acc = [np.zeros((header.samples >> d) + 129, np.int64) for d in range(4)]
    for k, onset, b, peak, p in rows:
        inc = b << (11 - k)
        d = max(d for d in range(4) if d == 0 or (d + 2 <= k and inc << d <= 19200))
        first = onset >> d
        m = np.arange(max(-64, first), min(len(acc[d]) - 64, first + ((32 << k) >> d)))
        a = m - first
        i, r = a >> (k - d), a & ((1 << (k - d)) - 1)
        e0, e1 = env[i] * peak, env[i + 1] * peak
        e = (e0 + r * ((e1 - e0) >> (k - d))) >> 15
        phase = (p + 32 + ((b & 1) << 15) + (inc << d) * a) & 0xFFFF
        acc[d][m + 64] += e * cos[phase >> 6]
    u = [_int32(_int32(sums) + (1 << (11 + header.output_shift))) >> (12 + header.output_shift) for sums in acc]
    w = u[3]
    for d in (2, 1, 0):
        # What the ends would need from beyond them is missing; 64 samples are more than that reaches.
        m = np.arange(3, len(w) - 4)
        pairs = [tap * (w[m - i] + w[m + 1 + i]) for i, tap in enumerate((2514, -617, 188, -37))]
        upsampled = np.zeros(2 * len(w), np.int64)
        upsampled[2 * m] = w[m]
        upsampled[2 * m + 1] = _int32(sum(pairs) + 2048) >> 12
        w = u[d] + upsampled[64 : 64 + len(u[d])]
    return w[64 : 64 + header.samples]


def _int32(values: npt.ArrayLike) -> Integers:
    """The values as int32 holds them."""
    return (np.asarray(values, np.int64) + (1 << 31) & 0xFFFFFFFF) - (1 << 31)


def frames_by_the_letter(header: StreamHeader, gaussians: Gaussians) -> list[CodedFrame]:
    """SPEC 8.3: the frames of the residual, in the order of the stream; none without one."""
    return coded_frames(header, gaussians, limited_by_the_letter) if header.residual else []


def noise_by_the_letter(header: StreamHeader, noises: Table, coded: Sequence[CodedFrame] = ()) -> Integers:
    """SPEC 5.3, 5.4 and 8.4: the noise that is added to each sample, shape (samples,); all frames at once, bin by
    bin."""
    if header.noise is None:
        return np.zeros(header.samples, np.int64)
    _, _, exponents, spectra = spectra_by_the_letter(header, noises, coded)
    z = transform_by_the_letter(spectra) * (exponents > 0)[:, None, None]
    return blocks_by_the_letter(z, exponents, header.noise.shift).ravel()[: header.samples]


def spectra_by_the_letter(
    header: StreamHeader, noises: Table, coded: Sequence[CodedFrame] = ()
) -> tuple[Integers, list[int], Integers, Integers]:
    """The numbers of all frames, the bins of the bands' centres, and each frame's exponent and X."""
    assert header.noise
    size = header.noise.frame_samples
    frames = np.arange((header.samples - 1) // size + 2)
    centres = [k for k in (hz * 2 * size // header.sample_rate for hz in bark_hz().tolist()) if k < size]
    levels = limited_by_the_letter(header, noises, frames, len(centres))
    exponents = levels.max(axis=1) >> 8
    lines = lines_by_the_letter(levels, centres, size)
    amplitudes = amplitudes_by_the_letter(lines, exponents)
    positive = signs_by_the_letter(frames, size)
    spectra = np.where(positive, amplitudes, -1 - amplitudes)
    for frame in coded:
        f = frame.number
        exponents[f], spectra[f] = spectrum_of(header, frame, lines[f].tolist(), positive[f].tolist())
    return frames, centres, exponents, spectra


def levels_by_the_letter(
    header: StreamHeader, noises: Table, frames: Integers, bands: int, base: int | None = None
) -> Integers:
    """Levels before they are limited, shape (frames, bands), above the header's base or another one."""
    assert header.noise
    env, band = envelope(), np.arange(bands)
    level = np.full((len(frames), bands), 128 * (header.noise.base if base is None else base))
    for a, t0, c, place, w, *_ in noises.tolist():
        u = frames - t0 // header.noise.frame_samples
        lasts = (u > 0) & (u < 4 << a)
        u = u[lasts]
        r, j = (u << 3) & ((1 << a) - 1), (u << 3) >> a
        et = env[j] + (((env[j + 1] - env[j]) * r) >> a)
        d = 8 * band + 4 - (2 * place - 3) * (3 << c)
        covered = (d > 0) & (d < 24 << c)
        x = (d[covered] * 341) >> c
        j = x >> 8
        eb = env[j] + (((env[j + 1] - env[j]) * (x & 255)) >> 8)
        level[np.ix_(lasts, covered)] += (((w * et) >> 7)[:, None] * eb) >> 16
    return _int32(level)


def limited_by_the_letter(header: StreamHeader, noises: Table, frames: Integers, bands: int) -> Integers:
    """Levels, shape (frames, bands)."""
    return np.clip(levels_by_the_letter(header, noises, frames, bands), 0, 14 * 256 - 1)


def lines_by_the_letter(level: Integers, centres: list[int], size: int) -> Integers:
    """The level of every bin before it is raised, shape (frames, N)."""
    lines = np.zeros((len(level), size), np.int64)
    lines[:, : centres[0]] = level[:, :1]
    here = level[:, 0]
    for i in range(len(centres) - 1):
        if centres[i] == centres[i + 1]:
            here = np.maximum(here, level[:, i + 1])
            continue
        line = here << 8
        for k in range(centres[i], centres[i + 1]):
            lines[:, k] = line >> 8
            line = line + (((level[:, i + 1] - here) * (65536 // (centres[i + 1] - centres[i]))) >> 8)
        here = level[:, i + 1]
    lines[:, centres[-1] :] = here[:, None]
    return lines


def amplitudes_by_the_letter(lines: Integers, exponents: Integers) -> Integers:
    """The magnitude of every bin before its sign, shape (frames, N)."""
    raised = 15 - exponents + (lines.shape[1].bit_length() % 2)
    reached = lines + 256 * raised[:, None]
    return gain()[(reached >> 3) & 31] << (reached >> 8) >> 15


def signs_by_the_letter(frames: Integers, size: int) -> npt.NDArray[np.bool_]:
    """Whether a bin's value is positive, shape (frames, N)."""
    s = (frames + 1).astype(np.uint32) * np.uint32(0x9E3779B9)
    s ^= s >> np.uint32(16)
    s *= np.uint32(0x85EBCA6B)
    s ^= s >> np.uint32(13)
    positive = np.zeros((len(frames), size), np.bool_)
    for k in range(size // 2):
        s = s * np.uint32(1664525) + np.uint32(1013904223)
        positive[:, 2 * k] = s >> np.uint32(31) == 0
        positive[:, 2 * k + 1] = (s >> np.uint32(30)) & np.uint32(1) == 0
    return positive


def _twiddled_by_the_letter(re: Integers, im: Integers, p: Integers) -> tuple[Integers, Integers]:
    cos = cosine()
    c, s = cos[((p + 32) % 65536) >> 6], cos[((p + 32 - 16384) % 65536) >> 6]
    return re * c + im * s, im * c - re * s


def transform_by_the_letter(spectra: Integers) -> Integers:
    """The z of every frame before the last twiddle, shape (frames, N / 2, 2), from its X, shape (frames, N)."""
    size = spectra.shape[1] // 2
    n = size.bit_length()
    k = np.arange(size)
    re, im = _twiddled_by_the_letter(spectra[:, 2 * k], spectra[:, 2 * size - 1 - 2 * k], k << (15 - n))
    reversed_ = [int(f"{number:0{n - 1}b}"[::-1], 2) for number in range(size)]
    z = (re + 1j * im)[:, reversed_]
    z = np.floor(z.real / 65536) + 1j * np.floor(z.imag / 65536)
    span = 1
    if n % 2 == 0:
        span = 2
        z = np.stack([z[:, 0::2] + z[:, 1::2], z[:, 0::2] - z[:, 1::2]], axis=2).reshape(z.shape)
    while span < size:
        fours = z.reshape(len(z), -1, 4, span)[:, :, [0, 2, 1, 3]].copy()
        if span > 1:
            i, k = np.arange(4)[:, None], np.arange(span)
            re, im = _twiddled_by_the_letter(
                fours.real.astype(np.int64), fours.imag.astype(np.int64), (i * k << 14) // span
            )
            fours = (re >> 16) + 1j * (im >> 16)
        z = np.einsum("fgis,oi->fgos", fours, np.power(-1j, np.outer(range(4), range(4)) % 4)).reshape(z.shape)
        span *= 4
    return np.rint(np.stack([z.real, z.imag], axis=2)).astype(np.int64)


def blocks_by_the_letter(z: Integers, exponents: Integers, e: int) -> Integers:
    """The noise of every block, shape (blocks, N), from the z and exponents of the frames before and after it."""
    cos = cosine()
    size = 2 * z.shape[1]
    n = size.bit_length() - 1
    before, after = exponents[:-1], exponents[1:]
    highest = np.maximum(before, after)
    down = 24 + e - (n >> 1) - highest
    limited = np.clip(down, 14, 31)
    noise = np.zeros((len(z) - 1, size), np.int64)
    for j in range(size // 2):
        i = ((2 * j + 1) << 7) >> n
        k = size // 2 - (j + 1) // 2 if j % 2 else j // 2
        re, im = _twiddled_by_the_letter(z[:, k, 0], z[:, k, 1], np.array((128 - i if j % 2 else 640 + i) << 6))
        fresh, old = (im, re) if j % 2 else (re, im)
        fresh, old = fresh[1:] >> (14 + highest - after), (old[:-1] >> 14) >> (highest - before)
        fall, rise = cos[i], -cos[i + 256]
        noise[:, j], noise[:, size - 1 - j] = -old * fall - fresh * rise, fresh * fall - old * rise
    noise = (noise + (1 << (limited - 1))[:, None]) >> limited[:, None]
    return np.clip(noise << np.maximum(14 - down, 0)[:, None], -32768, 32767)


def pcm_by_the_letter(quarters: Integers, noise: Integers | int = 0) -> Pcm:
    """SPEC 6."""
    return np.clip(((quarters + 2) >> 2) + noise, -32768, 32767).astype(np.int16)


def decoded_by_the_letter(header: StreamHeader, gaussians: Gaussians) -> Pcm:
    """SPEC 4 to 6, and 8."""
    quarters = quarters_by_the_letter(header, gaussians["tone"])
    noise = noise_by_the_letter(header, gaussians["noise"], frames_by_the_letter(header, gaussians))
    return pcm_by_the_letter(quarters, noise)


if __name__ == "__main__":
    of_seed = {"--residual": residual_stream, "--stereo": stereo_stream}.get(sys.argv[1], random_stream)
    Path(sys.argv[-1]).write_bytes(of_seed(int(sys.argv[-2])).data)
