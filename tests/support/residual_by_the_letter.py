"""SPEC 8 by the letter: frames of a residual as an encoder codes them, and the spectra that come of them.

Written from SPEC.md and not from audio_gs.codec.residual, of which it takes the names of the header's fields alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from audio_gs.codec.container import StreamHeader
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.range_coder import encode_bit, encode_direct
from audio_gs.codec.residual import ResidualHeader
from audio_gs.codec.tables import bark_hz, gain

Table = npt.NDArray[Any]
Integers = npt.NDArray[np.int64]

LevelsOf = Callable[[StreamHeader, Table, Integers, int], Integers]
"""SPEC 5.3: limited levels, shape (frames, bands), of a header, noises, numbers of frames and the number of bands."""

FINE, COEFFICIENT = 0, 1
"""Layers of the table (8.1)."""
LARGEST = 15
SHARE = (-710, -583, -455, -329, -207, -101, -35, -10, -3, -1, -1, 0, 0, 0, 0)
CURVATURE = (11, 11, 11, 11, 10, 29, 55, 72, 78, 80, 80, 81, 81, 81, 81)
SUM = (113, 86, 65, 48, 35, 26, 18, 13, 9, 7)
CUT = (1, 6, 15, 28, 42, 58, 73, 89, 105, 121, 137, 153, 169, 185, 201, 217)


class Cell(NamedTuple):
    """A cell that has bins, in one frame."""

    number: int
    first: int
    end: int
    level: int
    tone: int

    @property
    def interval(self) -> int:
        return self.number >> 1


class Quantiser(NamedTuple):
    """Step and class of a cell; no class where it has no coefficients."""

    step: int
    of_class: int | None


class CodedFrame(NamedTuple):
    """A frame of a residual, its values included."""

    number: int
    first_of_segment: bool
    cells: list[Cell]
    fine: dict[int, int]
    """Fine level of each cell, once the frame's own changes are made."""
    changes: dict[int, int]
    quantisers: dict[int, Quantiser]
    values: dict[int, int]
    """Coefficients by bin."""


def header_part(header: StreamHeader) -> ResidualHeader:
    """The header's fields on the residual, which must be there."""
    assert header.residual is not None
    return header.residual


def ahead(header: StreamHeader) -> int:
    """SPEC 7.1: by how many samples a slot is needed before it begins."""
    return max(64, header.noise.frame_samples) if header.residual and header.noise else 64


def frame_size(header: StreamHeader) -> tuple[int, int]:
    """N and its logarithm."""
    assert header.noise is not None
    return header.noise.frame_samples, header.noise.frame_log2


def frames_of_slot(header: StreamHeader, slot: int) -> list[int]:
    """Rule D1."""
    size, _ = frame_size(header)
    begin, end = slot * header.slot_samples, (slot + 1) * header.slot_samples
    last = (header.samples - 1) // size + 1
    return [f for f in range(begin // size, end // size + 1) if begin <= f * size < end and 0 <= f <= last]


def edges_of(header: StreamHeader) -> list[int]:
    """e_0 .. e_(B+1)."""
    size, _ = frame_size(header)
    centres = [hz * 2 * size // header.sample_rate for hz in bark_hz().tolist()]
    return [0, *(k for k in centres if k < size), size]


def log(x: int) -> int:
    h = x.bit_length() - 1
    return 256 * h + (((x << 8) >> h) & 255)


def offset_of(header: StreamHeader) -> int:
    """O."""
    assert header.noise is not None
    return 2 * header.noise.shift - 6 - (1 if header.noise.frame_log2 % 2 == 0 else 0)


def level_step(header: StreamHeader) -> int:
    """F."""
    return 171 if header_part(header).level_step else 128


def cells_of_segment(
    header: StreamHeader, gaussians: Gaussians, segment: int, levels_of: LevelsOf
) -> dict[int, list[Cell]]:
    """The cells of each frame that a segment codes (8.3)."""
    slots = header.segment_slots(segment)
    frames = np.array([f for slot in slots for f in frames_of_slot(header, slot)], np.int64)
    edges = edges_of(header)
    bands = len(edges) - 2

    def own(table: Table) -> Table:
        slot = table["onset"].astype(np.int64) // header.slot_samples
        return table[(slot >= slots.start) & (slot < slots.stop)]

    levels = levels_of(header, own(gaussians["noise"]), frames, bands)
    tones = tone_levels(header, own(gaussians["tone"]), frames, edges)
    return {
        f: cells_of_frame(header, edges, of_bands, of_tones)
        for f, of_bands, of_tones in zip(frames.tolist(), levels.tolist(), tones.tolist(), strict=True)
    }


def cells_of_frame(header: StreamHeader, edges: list[int], levels: list[int], tones: list[int]) -> list[Cell]:
    bands = len(levels)
    level = list(levels)
    for i in range(bands - 1):
        if edges[i + 1] == edges[i + 2]:
            level[i + 1] = max(level[i], level[i + 1])
    cells = []
    for j in range(bands + 1):
        halved = j >= header_part(header).fine_from
        left, right = level[max(j - 1, 0)], level[min(j, bands - 1)]
        middle = (edges[j] + edges[j + 1]) >> 1 if halved else edges[j + 1]
        lower, upper = (3 * left + right) >> 2, (left + 3 * right) >> 2
        if not halved:
            lower = upper = (left + right) >> 1
        cells.append(Cell(2 * j, edges[j], middle, lower, tones[j]))
        cells.append(Cell(2 * j + 1, middle, edges[j + 1], upper, tones[j]))
    return [cell for cell in cells if cell.end > cell.first]


def tone_levels(header: StreamHeader, tones: Table, frames: Integers, edges: list[int]) -> Integers:
    """tone_level of each frame and interval, shape (frames, B + 1)."""
    size, n = frame_size(header)
    highest = np.full((len(frames), len(edges) - 1), -32768)
    for k, onset, bin_, q, *_ in tones.tolist():
        step = 16 * header.amplitude_step if k % 2 == 0 else (header.amplitude_step * 46341 + 2048) >> 12
        peak = min(32767, (step * (8 * q + 3)) >> (5 + (k >> 1)))
        if peak == 0:
            continue
        support = 32 << k
        touched = (onset < (frames + 1) * size) & (onset + support > np.maximum(-128, (frames - 1) * size))
        r = k + 9 - n
        away = np.abs(2 * (onset - frames * size) + support) >> (max(n, k + 5) - 4)
        half, place = 1 + ((3 * size) >> (k + 5)), (2 * size * bin_) >> (k + 5)
        level = log(peak) + 128 * (offset_of(header) + n - 1) - 256 * header.output_shift + SHARE[r]
        for j in range(len(edges) - 1):
            if edges[j] <= place + half and edges[j + 1] > place - half:
                given = level - ((CURVATURE[r] * away * away) >> 4)
                given = given - max(log(2 * half) >> 1, log(max(1, edges[j + 1] - edges[j])) >> 1)
                highest[touched, j] = np.maximum(highest[touched, j], given[touched])
    return highest


def has_fine(header: StreamHeader, cell: Cell) -> bool:
    """Whether a cell has a fine level in a frame whose number is a multiple of 4."""
    return cell.interval >= header_part(header).fine_from and cell.level >= 128


def changed(header: StreamHeader, cells: list[Cell], fine: dict[int, int], changes: dict[int, int]) -> dict[int, int]:
    """The fine levels after the changes of a frame whose number is a multiple of 4."""
    return {
        cell.number: (fine.get(cell.number, 0) >> 1) + changes.get(cell.number, 0) if has_fine(header, cell) else 0
        for cell in cells
    }


def quantisers_of(header: StreamHeader, cells: list[Cell], fine: dict[int, int]) -> dict[int, Quantiser]:
    part, edges = header_part(header), edges_of(header)
    own, total = {}, {}
    for cell in cells:
        lift = 64 * part.lift_low
        lift += (64 * (part.lift_high - part.lift_low) * (min(max(cell.interval, 8), 16) - 8)) >> 3
        own[cell.number] = cell.level + fine.get(cell.number, 0) * level_step(header) + lift
        apart = abs(own[cell.number] - cell.tone) >> 6
        total[cell.number] = max(own[cell.number], cell.tone) + (SUM[apart] if apart < 10 else 0)
    is_quiet = max(0, *total.values()) < 16 * part.quiet
    out = {}
    for cell in cells:
        j = cell.interval
        step = ((179 * total[cell.number]) >> 8) + 8 * part.step - 512
        step += (part.tilt * log(edges[j] + edges[j + 1])) >> 4
        step = min(max(step - 132 * is_quiet, 256), 14 * 256 - 1)
        ratio = own[cell.number] - step
        has_coefficients = j < part.intervals and ratio > -512
        out[cell.number] = Quantiser(step, min(15, (ratio + 512) >> 7) if has_coefficients else None)
    return out


def coded_frames(header: StreamHeader, gaussians: Gaussians, levels_of: LevelsOf) -> list[CodedFrame]:
    """All frames of a stream with a residual, in the order of the stream."""
    values_of: dict[tuple[int, int], dict[int, int]] = {}
    for f, layer, place, value in gaussians["residual"].tolist():
        values_of.setdefault((f, layer), {})[place] = value
    frames: list[CodedFrame] = []
    for segment in range(header.segments):
        fine: dict[int, int] = {}
        begins = True
        for f, cells in cells_of_segment(header, gaussians, segment, levels_of).items():
            changes = values_of.get((f, FINE), {})
            if f % 4 == 0:
                fine = changed(header, cells, fine, changes)
            quantisers = quantisers_of(header, cells, fine)
            values = values_of.get((f, COEFFICIENT), {})
            frames.append(CodedFrame(f, begins, cells, fine, changes, quantisers, values))
            begins = False
    return frames


# ---- 8.2 ----

_FRAME = 0
_ZERO = _FRAME + 2
_MAGNITUDE = _ZERO + 16 * 6
_FINE = _MAGNITUDE + 2 * 8
_FINE_SIGN = _FINE + 6
_FINE_MAGNITUDE = _FINE_SIGN + 3
_CONTEXTS = _FINE_MAGNITUDE + 2


class FrameWriter:
    """Codes the frames of a segment."""

    def __init__(self, header: StreamHeader) -> None:
        self._header = header
        p = np.full(_CONTEXTS, 1024)
        p[_FRAME:_ZERO] = 2048
        for of_class in range(16):
            for a in range(6):
                p[_ZERO + 6 * of_class + a] = 128 * (a + 1)
        p[_FINE_SIGN:_FINE_MAGNITUDE] = 2048
        self.contexts = (p << 4).astype(np.uint16)
        self._fine: dict[int, int] = {}
        self._old: dict[int, int] = {}
        self._coded = 0
        self.reached: set[int] = set()
        """Contexts that coded a bit."""

    def write(self, state: Integers, output: npt.NDArray[np.uint8], frame: CodedFrame) -> None:
        def encode(context: int, bit: int) -> None:
            self.reached.add(context)
            encode_bit(state, output, self.contexts, context, bit)

        def unary(first: int, count: int, value: int) -> None:
            for x in range(1, value):
                encode(first + min(x, count) - 1, 1)
            if value < LARGEST:
                encode(first + min(value, count) - 1, 0)

        if frame.number % 4 == 0:
            below = 0
            for cell in frame.cells:
                if not has_fine(self._header, cell):
                    continue
                near = 2 * min(1, abs(below)) + min(3, abs(self._fine.get(cell.number, 0)))
                change = frame.changes.get(cell.number, 0)
                encode(_FINE + near, int(change != 0))
                if change:
                    encode(_FINE_SIGN + (0 if below < 0 else 2 if below > 0 else 1), int(change < 0))
                    unary(_FINE_MAGNITUDE, 2, abs(change))
                below = change
        coded = int(bool(frame.values))
        encode(_FRAME + self._coded, coded)
        if coded:
            self._write_values(state, output, frame, encode, unary)
        self._fine, self._old, self._coded = frame.fine, frame.values, coded

    def _write_values(
        self,
        state: Integers,
        output: npt.NDArray[np.uint8],
        frame: CodedFrame,
        encode: Callable[[int, int], None],
        unary: Callable[[int, int, int], None],
    ) -> None:
        def old(b: int) -> int:
            return min(2, abs(self._old.get(b, 0)))

        def new(b: int) -> int:
            return min(2, abs(frame.values.get(b, 0)))

        for cell in frame.cells:
            of_class = frame.quantisers[cell.number].of_class
            if of_class is None:
                continue
            for b in range(cell.first, cell.end):
                t = 2 * old(b) + old(b - 1) + old(b + 1) + 2 * new(b - 1) + new(b - 2)
                a = t if t < 3 else min(5, (t + 3) >> 1)
                value = frame.values.get(b, 0)
                encode(_ZERO + 6 * of_class + a, int(value != 0))
                if value:
                    unary(_MAGNITUDE + 8 * (a > 2), 8, abs(value))
                    encode_direct(state, output, int(value < 0), 1)


# ---- 8.4 ----


def spectrum_of(
    header: StreamHeader, frame: CodedFrame, line: Sequence[int], positive: Sequence[bool]
) -> tuple[int, list[int]]:
    """Exponent and X of a frame, from the levels of its bins and the signs of 5.4."""
    size, n = frame_size(header)
    gains = gain().tolist()
    level = list(line)
    exponent = 0
    for cell in frame.cells:
        quantiser = frame.quantisers[cell.number]
        added = frame.fine.get(cell.number, 0) * level_step(header)
        if quantiser.of_class is not None:
            added -= 8 * CUT[quantiser.of_class] + 32 * header_part(header).fill
        for b in range(cell.first, cell.end):
            level[b] = min(max(level[b] + added, 0), 14 * 256 - 1)
            exponent = max(exponent, level[b] >> 8)
            if value := abs(frame.values.get(b, 0)):
                exponent = max(exponent, min(14, (quantiser.step >> 8) + value.bit_length()))
    if exponent == 0:
        return 0, [0] * size
    raised = 256 * (15 - exponent + (1 if n % 2 == 0 else 0))
    spectrum = []
    for b in range(size):
        h = level[b] + raised
        amplitude = (gains[(h >> 3) & 31] << (h >> 8)) >> 15
        spectrum.append(amplitude if positive[b] else -1 - amplitude)
    for cell in frame.cells:
        for b in range(cell.first, cell.end):
            if value := frame.values.get(b, 0):
                h = frame.quantisers[cell.number].step + raised
                unit = (gains[(h >> 3) & 31] << (h >> 8)) >> 13
                x = min(32767 >> (n % 2), (abs(value) * unit) >> 2)
                spectrum[b] = -x if value < 0 else x
    return exponent, spectrum


# ---- 8.5 ----


def macs_by_the_letter(header: StreamHeader, gaussians: Gaussians) -> dict[int, int]:
    """What each frame that a slot codes costs beside 5.5, by its number."""
    size, _ = frame_size(header)
    edges = edges_of(header)
    with_coefficients = 3 * edges[min(header_part(header).intervals, len(edges) - 1)]
    table = gaussians["residual"]
    out = {}
    for f in (f for slot in range(header.slots) for f in frames_of_slot(header, slot)):
        macs = 2 * 52
        for a, onset, width, *_ in gaussians["noise"].tolist():
            macs += (3 + 2 * (3 << width)) * (0 < f - onset // size < 4 << a)
        for k, onset, *_ in gaussians["tone"].tolist():
            macs += 6 * (onset < (f + 1) * size and onset + (32 << k) > (f - 1) * size)
        here = table[table["frame"] == f]
        out[f] = macs + 4 * len(here) + with_coefficients * bool((here["layer"] == COEFFICIENT).any())
    return out
