"""The residual layer (SPEC 8): coefficients of the noise's frames that are coded instead of drawn, and fine levels of
the others. Numba, integer.

Both are steered by what the decoder knows already: the levels of the noises and, by frame and Bark, of the tones.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from .kinds.base import Array, HeaderLimit, Macs, Table, refuse
from .kinds.noise import (
    HIGHEST_LEVEL,
    NOISE_DTYPE,
    Coded,
    frame_levels,
    frames_first_needed,
    limited,
    macs_of_levels,
    summed_over_frames,
    where_frames_are_needed,
)
from .kinds.noise import band_bins as bins_of_bands
from .kinds.noise import held as held_noises
from .kinds.tone import amplitude
from .kinds.tone import support as tone_support
from .range_coder import decode_bit, decode_direct, encode_bit, encode_direct
from .symbols import log2_level
from .tables import (
    BARK_BANDS,
    NOISE_SHORTEST_SUPPORT,
    RENDER_BLOCK,
    RESIDUAL_CLASSES,
    RESIDUAL_FIRST_RATIO,
    RESIDUAL_FRAME,
    RESIDUAL_LEVEL_MAGNITUDE,
    RESIDUAL_LEVEL_MAGNITUDES,
    RESIDUAL_LEVEL_SIGN,
    RESIDUAL_LEVEL_ZERO,
    RESIDUAL_LONGEST_UNARY,
    RESIDUAL_MAGNITUDE,
    RESIDUAL_MAGNITUDES,
    RESIDUAL_NEIGHBOURHOODS,
    RESIDUAL_SHORTEST_SCALE,
    RESIDUAL_ZERO,
    WARM_UP_BLOCKS,
    residual_curvature,
    residual_cut,
    residual_prior,
    residual_share,
    residual_sum,
)

if TYPE_CHECKING:
    from .container import StreamHeader

# ---- fields ----

LEVEL, COEFFICIENT = range(2)
"""Layers of the table."""

RESIDUAL_DTYPE = np.dtype([("frame", "<i4"), ("layer", "<i4"), ("place", "<i4"), ("value", "<i4")])
"""frame: number of the noise frame. layer: 0, a fine level, or 1, a coefficient. place: cell of a fine level, bin of a
coefficient. value: whole steps, not 0; of a fine level those that it is above half of the one before."""

MIN_FRAME_LOG2 = 6
INTERVALS = BARK_BANDS + 1
"""Between the centres of bands, before the first and after the last."""
CELLS = 2 * INTERVALS
"""Halves of intervals."""
LARGEST_VALUE = RESIDUAL_LONGEST_UNARY
_VALUE = "residual value"
LEVEL_FRAMES = 4
"""Frames for which a fine level holds."""


@dataclasses.dataclass(frozen=True)
class ResidualHeader:
    """The header's fields on the residual layer, as SPEC 8.1 has them."""

    step: int
    """Base of the step, in 1/32 octaves."""
    tilt: int
    """By how much the step rises with frequency, in 1/16 octaves an octave."""
    intervals: int
    """How many intervals, from the lowest on, have coefficients."""
    fine_from: int
    """The interval from which on levels are refined; 31: none."""
    level_step: int
    """Step of fine levels: 0, 3 dB; 1, 4 dB."""
    fill: int
    """By how much noise between coefficients is lowered, in 0.75 dB."""
    lift_low: int
    lift_high: int
    """How far the noise lies under the residual, at low and at high frequencies, in 1.5 dB."""
    quiet: int
    """Level, in 1/16 octaves, under which a frame counts as quiet."""

    def limits(self) -> tuple[HeaderLimit, ...]:
        """What the fields may be."""
        return (
            HeaderLimit("residual step", self.step, 0, 255),
            HeaderLimit("residual tilt", self.tilt, 0, 15),
            HeaderLimit("residual intervals", self.intervals, 0, INTERVALS),
            HeaderLimit("first interval of fine levels", self.fine_from, 0, 31),
            HeaderLimit("step of fine levels", self.level_step, 0, 1),
            HeaderLimit("residual fill", self.fill, 0, 7),
            HeaderLimit("residual lift, low", self.lift_low, 0, 7),
            HeaderLimit("residual lift, high", self.lift_high, 0, 7),
            HeaderLimit("quiet level of the residual", self.quiet, 0, 255),
        )


HEADER_BYTES = 5


def parse_part(part: bytes) -> ResidualHeader:
    """The header's part from its bytes."""
    step, low, middle, high, quiet = part
    return ResidualHeader(
        step=step,
        tilt=low & 15,
        level_step=low >> 4 & 1,
        fill=low >> 5,
        intervals=middle & 31,
        lift_low=middle >> 5,
        fine_from=high & 31,
        lift_high=high >> 5,
        quiet=quiet,
    )


def pack_part(part: ResidualHeader) -> bytes:
    """The part's bytes."""
    low = part.tilt | part.level_step << 4 | part.fill << 5
    return bytes(
        (part.step, low, part.intervals | part.lift_low << 5, part.fine_from | part.lift_high << 5, part.quiet)
    )


def frames_of_slot(header: StreamHeader, slot: int) -> range:
    """Numbers of the noise frames that a slot codes: those with their centre in it that the clip needs."""
    assert header.noise is not None
    log2 = header.noise.frame_log2
    first = max(0, slot << (header.slot_log2 - log2))
    return range(first, max(first, min((slot + 1) << (header.slot_log2 - log2), frames_needed(header))))


def frames_needed(header: StreamHeader) -> int:
    """How many frames, from frame 0 on, a clip with noise takes."""
    assert header.noise is not None
    return ((header.samples - 1) >> header.noise.frame_log2) + 2


def frames_coded(header: StreamHeader) -> int:
    """How many of them its slots code, from frame 0 on too."""
    return frames_of_slot(header, header.slots - 1).stop


def empty(rows: int = 0) -> Table:
    """A table of so many values, all 0."""
    return np.zeros(rows, RESIDUAL_DTYPE)


def check(table: Table, header: StreamHeader) -> None:
    """Raises ValueError for values that a stream with this header has no words for, whatever its Gaussians are."""
    if len(table) == 0:
        return
    if header.residual is None or header.noise is None:
        raise ValueError("a residual in a stream whose header has none")
    last = frames_coded(header) - 1
    wrong = (table["frame"] < 0) | (table["frame"] > last)
    refuse(wrong, table, _VALUE, f"lies outside the clip's frames, 0..{last}")
    is_level = table["layer"] == LEVEL
    refuse(~is_level & (table["layer"] != COEFFICIENT), table, _VALUE, "has a layer that does not exist")
    places = np.where(is_level, CELLS, 1 << header.noise.frame_log2)
    wrong = (table["place"] < 0) | (table["place"] >= places)
    refuse(wrong, table, _VALUE, "lies outside the cells or bins of a frame")
    size = np.abs(table["value"].astype(np.int64))
    wrong = (size < 1) | (size > LARGEST_VALUE)
    refuse(wrong, table, _VALUE, f"is outside 1..{LARGEST_VALUE} either way")
    others = np.ones(len(table), np.bool_)
    others[np.unique(table[["frame", "layer", "place"]], return_index=True)[1]] = False
    refuse(others, table, _VALUE, "lies in the place of another one")


def sorted_for_coding(table: Table) -> Table:
    """The table in the order of the stream."""
    return table[np.lexsort((table["place"], table["layer"], table["frame"]))]


# ---- dequantise ----

_SHARE = residual_share()
_CURVATURE = residual_curvature()
_SUM = residual_sum()
_CUT = residual_cut()
_NO_TONE = -(1 << 15)
_LOUDNESS_EXPONENT = 179
"""Of 256: the step follows the level to the power of 0.7."""
_QUIET_GAIN = 132
"""256 * log2(1 / 0.7)"""
_LEAST_STEP = 256
_LOW_INTERVAL, _HIGH_INTERVAL = 8, 16
"""Where the lift of low frequencies ends and that of high ones begins."""
_LEAST_FINE = 128
"""Level of the noise in a cell from which on it has fine levels."""


class Layout(NamedTuple):
    """What compiled functions have to know of a stream."""

    frame_log2: int
    base: int
    """Level of the noise where none is, in half octaves."""
    tone_level: int
    """What turns the level of a tone's amplitude into that of coefficients."""
    amplitude_step: int
    bins: Array
    """First bin of each interval, and the end of the last, shape (intervals + 1,)."""
    spread: Array
    """128 * log2 of the bins of each interval."""
    lift: Array
    step: Array
    """What the step of each interval has beside its part of the level."""
    coded: int
    """Intervals with coefficients."""
    fine_from: int
    level_step: int
    fill: int
    quiet: int


class Cells(NamedTuple):
    """What is known of a frame's cells, each of shape (CELLS,)."""

    first: Array
    end: Array
    """Bins; a cell may have none."""
    level: Array
    """Of the noise as it steers the coder, without what a fine level adds."""
    tone: Array
    """Level of the tones."""


def layout_of(header: StreamHeader) -> Layout:
    """The layout of a stream with noise and a residual."""
    noise, part = header.noise, header.residual
    assert noise is not None and part is not None
    n = noise.frame_log2
    centres = bins_of_bands(header.sample_rate, n)
    edges = np.concatenate([[0], centres, [1 << n]]).astype(np.int64)
    count = len(centres) + 1
    widths = np.maximum(edges[1:] - edges[:-1], 1)
    spread = np.array([log2_level(int(width)) >> 1 for width in widths], np.int64)
    place = np.clip(np.arange(count), _LOW_INTERVAL, _HIGH_INTERVAL) - _LOW_INTERVAL
    lift = 64 * part.lift_low + ((64 * (part.lift_high - part.lift_low) * place) >> 3)
    pitch = np.array([log2_level(max(1, int(total))) for total in edges[1:] + edges[:-1]], np.int64)
    return Layout(
        frame_log2=n,
        base=noise.base,
        tone_level=128 * (noise.octaves_of_power + n - 1) - 256 * header.output_shift,
        amplitude_step=header.amplitude_step,
        bins=edges,
        spread=spread,
        lift=lift,
        step=8 * part.step - 512 + ((part.tilt * pitch) >> 4),
        coded=part.intervals,
        fine_from=part.fine_from,
        level_step=171 if part.level_step else 128,
        fill=32 * part.fill,
        quiet=16 * part.quiet,
    )


HELD_TONE = np.dtype([(name, "<i8") for name in ("scale", "onset", "bin", "amplitude")])
"""A tone as it steers the residual; amplitude: peak of its envelope."""


def held_tones(table: Table, amplitude_step: int) -> npt.NDArray[Any]:
    """Tones ready for `tone_levels`, dtype `HELD_TONE`, without those that no decoder ever holds (SPEC P1)."""
    table = table[table["onset"] + tone_support(table["scale"]) > -WARM_UP_BLOCKS * RENDER_BLOCK]
    out = np.zeros(len(table), HELD_TONE)
    for name in ("scale", "onset", "bin"):
        out[name] = table[name]
    out["amplitude"] = amplitude(table["amplitude"], table["scale"], amplitude_step)
    return out


@njit(cache=True)
def tone_levels(first: int, count: int, tones: Array, layout: Layout) -> Array:
    """Level of the loudest tone in each interval of the frames first.., int64, shape (count, intervals)."""
    n = layout.frame_log2
    intervals = len(layout.spread)
    levels = np.full((count, intervals), _NO_TONE, np.int64)
    for g in range(len(tones)):
        if tones[g]["amplitude"] == 0:
            continue
        scale, onset = tones[g]["scale"], tones[g]["onset"]
        support_log2 = scale + 5
        support = 1 << support_log2
        begin = max(first, onset >> n)
        end = min(first + count, ((onset + support - 1) >> n) + 2)
        if begin >= end:
            continue
        ratio = support_log2 - n - RESIDUAL_SHORTEST_SCALE
        longer = max(n, support_log2) - 4
        half = 1 + ((3 << n) >> support_log2)
        place = tones[g]["bin"] << (n + 1) >> support_log2
        narrow = log2_level(2 * half) >> 1
        peak = log2_level(tones[g]["amplitude"]) + layout.tone_level + _SHARE[ratio]
        for frame in range(begin, end):
            away = abs(2 * (onset - (frame << n)) + support) >> longer
            level = peak - ((_CURVATURE[ratio] * away * away) >> 4)
            for j in range(intervals):
                if layout.bins[j] > place + half:
                    break
                if layout.bins[j + 1] > place - half:
                    here = level - max(narrow, layout.spread[j])
                    levels[frame - first, j] = max(levels[frame - first, j], here)
    return levels


@njit(cache=True)
def cells_of(levels: Array, tones: Array, layout: Layout) -> Cells:
    """The cells of a frame, from limited levels of its bands and the levels of its tones by interval."""
    bands = len(levels)
    cells = Cells(
        np.zeros(CELLS, np.int64), np.zeros(CELLS, np.int64), np.zeros(CELLS, np.int64), np.zeros(CELLS, np.int64)
    )
    right = levels[0]
    for j in range(bands + 1):
        left, right = right, levels[min(j, bands - 1)]
        begin, end = layout.bins[j], layout.bins[j + 1]
        if begin == end:
            right = max(left, right)
        middle = (begin + end) >> 1 if j >= layout.fine_from else end
        cells.first[2 * j], cells.end[2 * j] = begin, middle
        cells.first[2 * j + 1], cells.end[2 * j + 1] = middle, end
        if j >= layout.fine_from:
            cells.level[2 * j], cells.level[2 * j + 1] = (3 * left + right) >> 2, (left + 3 * right) >> 2
        else:
            cells.level[2 * j] = cells.level[2 * j + 1] = (left + right) >> 1
        cells.tone[2 * j] = cells.tone[2 * j + 1] = tones[j]
    return cells


@njit(cache=True)
def refines(cell: int, cells: Cells, layout: Layout) -> bool:
    """Whether a cell has fine levels in a frame that codes them."""
    return cell >> 1 >= layout.fine_from and cells.end[cell] > cells.first[cell] and cells.level[cell] >= _LEAST_FINE


@njit(cache=True)
def steps_of(cells: Cells, fine: Array, layout: Layout) -> tuple[Array, Array]:
    """The level of the step of each cell, and by how much the residual's level is above it, both int64, shape (CELLS,);
    of cells without coefficients the latter is `RESIDUAL_FIRST_RATIO`."""
    steps, ratios = np.zeros(CELLS, np.int64), np.full(CELLS, RESIDUAL_FIRST_RATIO, np.int64)
    loudest = 0
    for cell in range(2 * len(layout.spread)):
        if cells.end[cell] <= cells.first[cell]:
            continue
        own = cells.level[cell] + fine[cell] * layout.level_step + layout.lift[cell >> 1]
        other = cells.tone[cell]
        apart = abs(own - other) >> 6
        total = max(own, other) + (_SUM[apart] if apart < len(_SUM) else 0)
        loudest = max(loudest, total)
        steps[cell] = ((total * _LOUDNESS_EXPONENT) >> 8) + layout.step[cell >> 1]
        ratios[cell] = own
    for cell in range(2 * len(layout.spread)):
        if cells.end[cell] <= cells.first[cell]:
            continue
        if loudest < layout.quiet:
            steps[cell] -= _QUIET_GAIN
        steps[cell] = min(max(steps[cell], _LEAST_STEP), HIGHEST_LEVEL)
        ratios[cell] = ratios[cell] - steps[cell] if cell >> 1 < layout.coded else RESIDUAL_FIRST_RATIO
    return steps, ratios


@njit(cache=True)
def class_of(ratio: int) -> int:
    """The class of a cell with coefficients."""
    return min(RESIDUAL_CLASSES - 1, (ratio - RESIDUAL_FIRST_RATIO) >> 7)


@njit(cache=True)
def frame_of(cells: Cells, fine: Array, steps: Array, ratios: Array, values: Array, layout: Layout) -> Coded:
    """The frame of what was coded."""
    of_fine = fine * layout.level_step
    offsets = of_fine.copy()
    for cell in range(CELLS):
        if ratios[cell] > RESIDUAL_FIRST_RATIO:
            offsets[cell] -= 8 * _CUT[class_of(ratios[cell])] + layout.fill
    return Coded(cells.first, cells.end, steps, offsets, values.copy(), of_fine, layout.fine_from)


# ---- syntax ----


@njit(cache=True)
def neighbourhood(k: int, values: Array, before: Array) -> int:
    """The class of what is around a coefficient: two below it, and three of the frame before."""
    total = 2 * min(2, abs(before[k]))
    if k > 0:
        total += 2 * min(2, abs(values[k - 1])) + min(2, abs(before[k - 1]))
    if k > 1:
        total += min(2, abs(values[k - 2]))
    if k + 1 < len(before):
        total += min(2, abs(before[k + 1]))
    return min(RESIDUAL_NEIGHBOURHOODS - 1, total if total < 3 else (total + 3) >> 1)


@njit(cache=True)
def magnitude_context(around: int) -> int:
    """First context of a coefficient's magnitude."""
    return RESIDUAL_MAGNITUDE + (RESIDUAL_MAGNITUDES if around > 2 else 0)


@njit(cache=True)
def level_contexts(below: int, before: int) -> tuple[int, int]:
    """Contexts of a fine level's change, of whether there is one and of its sign, from that of the cell below and from
    the level that held before."""
    near = 2 * min(1, abs(below)) + min(3, abs(before))
    return RESIDUAL_LEVEL_ZERO + near, RESIDUAL_LEVEL_SIGN + (0 if below < 0 else 2 if below > 0 else 1)


class Memory(NamedTuple):
    """What the syntax remembers from frame to frame of a segment."""

    values: Array
    """Coefficients of the last frame, int64, shape (N,)."""
    fine: Array
    """Fine levels that hold, int64, shape (CELLS,)."""
    changes: Array
    """What the last frame with fine levels coded, of the same shape."""
    any: Array
    """Whether the last frame had coefficients, shape (1,)."""


def new_memory(frame_log2: int) -> Memory:
    """That of a segment's start."""
    values, fine, changes = (np.zeros(count, np.int64) for count in (1 << frame_log2, CELLS, CELLS))
    return Memory(values, fine, changes, np.zeros(1, np.int64))


def initial_contexts() -> npt.NDArray[np.uint16]:
    """The contexts at the start of a segment."""
    return (residual_prior() << 4).astype(np.uint16)


@njit(cache=True)
def _decode_unary(state: Array, data: Array, contexts: Array, first: int, contexts_of: int) -> int:
    value = 1
    while value < RESIDUAL_LONGEST_UNARY and decode_bit(state, data, contexts, first + min(value - 1, contexts_of - 1)):
        value += 1
    return value


@njit(cache=True)
def _encode_unary(state: Array, output: Array, contexts: Array, first: int, contexts_of: int, value: int) -> None:
    for at in range(1, value):
        encode_bit(state, output, contexts, first + min(at - 1, contexts_of - 1), 1)
    if value < RESIDUAL_LONGEST_UNARY:
        encode_bit(state, output, contexts, first + min(value - 1, contexts_of - 1), 0)


@njit(cache=True)
def decode_frame(
    state: Array, data: Array, contexts: Array, memory: Memory, number: int, cells: Cells, layout: Layout
) -> Coded:
    """Decodes frame number `number`; changes the memory."""
    if number % LEVEL_FRAMES == 0:
        memory.changes[:] = 0
        below = 0
        for cell in range(2 * len(layout.spread)):
            if not refines(cell, cells, layout):
                memory.fine[cell] = 0
                continue
            zero, sign = level_contexts(below, memory.fine[cell])
            below = 0
            if decode_bit(state, data, contexts, zero):
                minus = decode_bit(state, data, contexts, sign)
                below = _decode_unary(state, data, contexts, RESIDUAL_LEVEL_MAGNITUDE, RESIDUAL_LEVEL_MAGNITUDES)
                below = -below if minus else below
            memory.fine[cell] = (memory.fine[cell] >> 1) + below
            memory.changes[cell] = below
    steps, ratios = steps_of(cells, memory.fine, layout)
    last = memory.values.copy()
    memory.values[:] = 0
    is_coded = decode_bit(state, data, contexts, RESIDUAL_FRAME + memory.any[0])
    memory.any[0] = is_coded
    if is_coded:
        for cell in range(2 * len(layout.spread)):
            if ratios[cell] <= RESIDUAL_FIRST_RATIO:
                continue
            of_class = RESIDUAL_ZERO + RESIDUAL_NEIGHBOURHOODS * class_of(ratios[cell])
            for k in range(cells.first[cell], cells.end[cell]):
                around = neighbourhood(k, memory.values, last)
                if decode_bit(state, data, contexts, of_class + around):
                    value = _decode_unary(state, data, contexts, magnitude_context(around), RESIDUAL_MAGNITUDES)
                    memory.values[k] = -value if decode_direct(state, data, 1) else value
    return frame_of(cells, memory.fine, steps, ratios, memory.values, layout)


@njit(cache=True)
def encode_frame(
    state: Array,
    output: Array,
    contexts: Array,
    memory: Memory,
    number: int,
    cells: Cells,
    layout: Layout,
    rows: Table,
) -> int:
    """Twin of `decode_frame`: the rows are all of the frame's, sorted for coding. Returns how many it could code."""
    done = 0
    if number % LEVEL_FRAMES == 0:
        below = 0
        for cell in range(2 * len(layout.spread)):
            if not refines(cell, cells, layout):
                memory.fine[cell] = 0
                continue
            value = 0
            if done < len(rows) and rows[done]["layer"] == LEVEL and rows[done]["place"] == cell:
                value = np.int64(rows[done]["value"])
                done += 1
            zero, sign = level_contexts(below, memory.fine[cell])
            encode_bit(state, output, contexts, zero, 1 if value else 0)
            if value:
                encode_bit(state, output, contexts, sign, 1 if value < 0 else 0)
                _encode_unary(state, output, contexts, RESIDUAL_LEVEL_MAGNITUDE, RESIDUAL_LEVEL_MAGNITUDES, abs(value))
            memory.fine[cell] = (memory.fine[cell] >> 1) + value
            below = value
    _, ratios = steps_of(cells, memory.fine, layout)
    last = memory.values.copy()
    memory.values[:] = 0
    is_coded = 1 if done < len(rows) else 0
    encode_bit(state, output, contexts, RESIDUAL_FRAME + memory.any[0], is_coded)
    memory.any[0] = is_coded
    if is_coded:
        for cell in range(2 * len(layout.spread)):
            if ratios[cell] <= RESIDUAL_FIRST_RATIO:
                continue
            of_class = RESIDUAL_ZERO + RESIDUAL_NEIGHBOURHOODS * class_of(ratios[cell])
            for k in range(cells.first[cell], cells.end[cell]):
                value = 0
                if done < len(rows) and rows[done]["layer"] == COEFFICIENT and rows[done]["place"] == k:
                    value = np.int64(rows[done]["value"])
                    done += 1
                around = neighbourhood(k, memory.values, last)
                encode_bit(state, output, contexts, of_class + around, 1 if value else 0)
                if value:
                    _encode_unary(state, output, contexts, magnitude_context(around), RESIDUAL_MAGNITUDES, abs(value))
                    encode_direct(state, output, 1 if value < 0 else 0, 1)
                memory.values[k] = value
    return done


def rows_of(number: int, coded: Coded, changes: Array) -> Table:
    """The rows of the table that a frame is coded by; `changes`: those of fine levels in the last frame with some."""
    levels = np.flatnonzero(changes) if number % LEVEL_FRAMES == 0 else np.zeros(0, np.int64)
    bins = np.flatnonzero(coded.values)
    rows = empty(len(levels) + len(bins))
    rows["frame"] = number
    rows["layer"] = np.repeat((LEVEL, COEFFICIENT), (len(levels), len(bins)))
    rows["place"] = np.concatenate([levels, bins])
    rows["value"] = np.concatenate([changes[levels], coded.values[bins]])
    return rows


@njit(cache=True)
def _frame_of_rows(memory: Memory, number: int, cells: Cells, layout: Layout, rows: Table) -> Coded:
    """`decode_frame`, from the rows that the frame is coded by, in any order."""
    values, changes = np.zeros(1 << layout.frame_log2, np.int64), np.zeros(CELLS, np.int64)
    for row in rows:
        if row["layer"] == LEVEL:
            changes[row["place"]] = row["value"]
        else:
            values[row["place"]] = row["value"]
    if number % LEVEL_FRAMES == 0:
        for cell in range(CELLS):
            memory.fine[cell] = (memory.fine[cell] >> 1) + changes[cell] if refines(cell, cells, layout) else 0
    steps, ratios = steps_of(cells, memory.fine, layout)
    return frame_of(cells, memory.fine, steps, ratios, values, layout)


class FrameSource:
    """What steers the coder of a segment's frames: its own Gaussians alone, so that a decoder can begin there."""

    def __init__(self, header: StreamHeader) -> None:
        assert header.noise is not None
        self.layout = layout_of(header)
        self._header = header
        self._bands = len(self.layout.bins) - 2
        self.start()

    def start(self) -> None:
        """Forget all, at the start of a segment."""
        self.memory = new_memory(self.layout.frame_log2)
        self.contexts = initial_contexts()
        self._tones = np.zeros(0, HELD_TONE)
        self._noises = held_noises(np.zeros(0, NOISE_DTYPE), self.layout.frame_log2)

    def begin(self, begun: dict[str, Table]) -> None:
        """Takes up the Gaussians that begin in a slot."""
        tones = held_tones(begun["tone"], self.layout.amplitude_step)
        noises = held_noises(begun["noise"], self.layout.frame_log2)
        self._tones = np.concatenate([self._tones, tones])
        self._noises = np.concatenate([self._noises, noises])

    def cells(self, frame: int) -> Cells:
        """The cells of a frame; drops what has ended before it."""
        n = self.layout.frame_log2
        self._tones = self._tones[self._tones["onset"] + tone_support(self._tones["scale"]) > (frame - 1) << n]
        self._noises = self._noises[self._noises["frame"] + (NOISE_SHORTEST_SUPPORT << self._noises["scale"]) > frame]
        levels = limited(frame_levels(frame, self.layout.base, self._noises, self._bands))
        return cells_of(levels, tone_levels(frame, 1, self._tones, self.layout)[0], self.layout)


def coded_frames(header: StreamHeader, gaussians: Mapping[str, Table]) -> dict[int, Coded]:
    """What the layer makes of each frame that a stream codes, by the frame's number, from the stream's tables in any
    order; empty without a residual. ValueError for values that `check` refuses; places are not checked."""
    check(gaussians["residual"], header)
    if header.residual is None:
        return {}
    values = sorted_for_coding(gaussians["residual"])
    edges = np.searchsorted(values["frame"], np.arange(frames_coded(header) + 1))
    coded = {}
    for number, cells, source in steered_frames(header, gaussians):
        rows = values[edges[number] : edges[number + 1]]
        coded[number] = _frame_of_rows(source.memory, number, cells, source.layout, rows)
    return coded


def steered_frames(header: StreamHeader, gaussians: Mapping[str, Table]) -> Iterator[tuple[int, Cells, FrameSource]]:
    """Each frame that a stream with a residual codes, in order: its number, its cells as the stream's Gaussians steer
    them, in tables of any order, and what is remembered of the frames before it in its segment."""
    source = FrameSource(header)
    slots = np.arange(-header.lead_slots, header.slots + 1)
    tables, starts = {}, {}
    for name in ("tone", "noise"):
        begins = gaussians[name]["onset"] >> header.slot_log2
        order = np.argsort(begins, kind="stable")
        tables[name], starts[name] = gaussians[name][order], np.searchsorted(begins[order], slots)
    for segment in range(header.segments):
        source.start()
        for slot in header.segment_slots(segment):
            at = slot + header.lead_slots
            source.begin({name: table[starts[name][at] : starts[name][at + 1]] for name, table in tables.items()})
            for number in frames_of_slot(header, slot):
                yield number, source.cells(number), source


# ---- cost ----

MACS_PER_CELL, MACS_PER_BIN, MACS_PER_VALUE, MACS_PER_TONE = 2, 3, 4, 6


def macs_each_frame(gaussians: Mapping[str, Table], header: StreamHeader, first: int, count: int) -> Macs:
    """MACs that coding each of the frames first.. costs, shape (count,), beside those of its noise: two for each cell,
    six for each tone that lasts in it, the levels of its noises once more; four for each value, and with coefficients
    three for each bin that may have one."""
    assert header.noise is not None and header.residual is not None
    n = header.noise.frame_log2
    table, tones = gaussians["residual"], gaussians["tone"]
    macs = np.full(count, MACS_PER_CELL * CELLS, np.int64)
    macs += macs_of_levels(gaussians["noise"], n, first, count)
    onset = tones["onset"].astype(np.int64)
    end = ((onset + tone_support(tones["scale"]) - 1) >> n) + 2
    macs += summed_over_frames((onset >> n) - first, end - first, MACS_PER_TONE, count)
    here = (table["frame"] >= first) & (table["frame"] < first + count)
    frame = table["frame"][here].astype(np.int64) - first
    np.add.at(macs, frame, MACS_PER_VALUE)
    with_coefficients = np.unique(frame[table["layer"][here] == COEFFICIENT])
    layout = layout_of(header)
    macs[with_coefficients] += MACS_PER_BIN * int(layout.bins[min(layout.coded, len(layout.bins) - 1)])
    return macs


def macs_of_residual(gaussians: Mapping[str, Table], header: StreamHeader, start: int, stop: int) -> Macs:
    """MACs of coding the frames at each of the samples start..stop-1: a frame's in the first sample that needs it."""
    assert header.noise is not None
    n = header.noise.frame_log2
    needed = frames_first_needed(n, start, stop)
    frames = range(needed.start, max(needed.start, min(needed.stop, frames_coded(header))))
    macs = macs_each_frame(gaussians, header, frames.start, len(frames))
    return where_frames_are_needed(macs, frames, n, start, stop)
