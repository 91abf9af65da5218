"""Which coefficients and fine levels are worth their bits: a greedy choice along the order of the stream, with the
coder's own adaptive contexts (SPEC 8.2) as the measure of what a bit costs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from audio_gs.codec.range_coder import adapted
from audio_gs.codec.residual import (
    CELLS,
    LARGEST_VALUE,
    LEVEL_FRAMES,
    Cells,
    Layout,
    cells_of,
    class_of,
    level_contexts,
    magnitude_context,
    neighbourhood,
    refines,
    steps_of,
)
from audio_gs.codec.tables import (
    RESIDUAL_FIRST_RATIO,
    RESIDUAL_FRAME,
    RESIDUAL_LEVEL_MAGNITUDE,
    RESIDUAL_LEVEL_MAGNITUDES,
    RESIDUAL_LONGEST_UNARY,
    RESIDUAL_MAGNITUDES,
    RESIDUAL_NEIGHBOURHOODS,
    RESIDUAL_ZERO,
)

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

_TRIED_BELOW = 2
"""Values tried below the nearest one."""


class Prices(NamedTuple):
    """What a bit may cost."""

    coefficient: float
    """In squared steps."""
    fine: float
    """In squared steps of fine levels."""


class Edges(NamedTuple):
    """Bins of the cells, the same in all frames, each of shape (CELLS,)."""

    first: Array
    end: Array


@njit(cache=True)
def levels_of_cells(levels: Array, tones: Array, layout: Layout) -> tuple[Edges, Array, Array]:
    """The cells' bins, and the levels of noise and of tones in them, shape (frames, CELLS), from levels of bands, shape
    (frames, bands), and of tones in intervals, shape (frames, intervals)."""
    level = np.zeros((len(levels), CELLS), np.int64)
    tone = np.zeros((len(levels), CELLS), np.int64)
    cells = cells_of(levels[0], tones[0], layout)
    for f in range(len(levels)):
        cells = cells_of(levels[f], tones[f], layout)
        level[f], tone[f] = cells.level, cells.tone
    return Edges(cells.first, cells.end), level, tone


@njit(cache=True)
def mean_power(power: Array, edges: Edges, layout: Layout, gain: Array) -> Floats:
    """Mean power in each cell, shape (frames, CELLS), from that of bins, shape (frames, N), times a gain for each band,
    shape (frames, bands)."""
    out = np.zeros((len(power), CELLS))
    bands = gain.shape[1]
    for f in range(len(power)):
        for cell in range(2 * layout.fine_from, 2 * len(layout.spread)):
            for k in range(edges.first[cell], edges.end[cell]):
                out[f, cell] += power[f, k]
            if edges.end[cell] > edges.first[cell]:
                nearest = min(max((cell - 1) >> 1, 0), bands - 1)
                out[f, cell] *= gain[f, nearest] / (edges.end[cell] - edges.first[cell])
    return out


@njit(cache=True, inline="always")
def _bits(context: int, bit: int) -> float:
    chance = ((context >> 4) | 1) / 4096.0
    return -np.log2(chance) if bit else -np.log2(1.0 - chance)


@njit(cache=True)
def _unary_bits(contexts: Array, first: int, count: int, value: int) -> float:
    total = 0.0
    for at in range(1, value):
        total += _bits(contexts[first + min(at - 1, count - 1)], 1)
    if value < RESIDUAL_LONGEST_UNARY:
        total += _bits(contexts[first + min(value - 1, count - 1)], 0)
    return total


@njit(cache=True)
def _learn(contexts: Array, index: int, bit: int) -> None:
    contexts[index] = adapted(contexts[index], bit)


@njit(cache=True)
def _learn_unary(contexts: Array, first: int, count: int, value: int) -> None:
    for at in range(1, value):
        _learn(contexts, first + min(at - 1, count - 1), 1)
    if value < RESIDUAL_LONGEST_UNARY:
        _learn(contexts, first + min(value - 1, count - 1), 0)


@njit(cache=True)
def _choose_fine(
    wanted: Array, fine: Array, changes: Array, cells: Cells, layout: Layout, price: float, contexts: Array
) -> float:
    """Sets fine levels and their changes, both int64, shape (CELLS,), from those wanted, in steps, and from the fine
    levels before; returns the bits that they take."""
    total = 0.0
    best = 0
    for cell in range(2 * len(layout.spread)):
        if not refines(cell, cells, layout):
            fine[cell] = 0
            continue
        zero, sign = level_contexts(best, fine[cell])
        exact = wanted[cell] - (fine[cell] >> 1)
        nearest = min(max(int(np.floor(exact + 0.5)), -LARGEST_VALUE), LARGEST_VALUE)
        best, best_bits = 0, _bits(contexts[zero], 0)
        best_cost = exact**2 + price * best_bits
        toward = 1 if nearest > 0 else -1
        for less in range(_TRIED_BELOW + 1):
            value = nearest - toward * less
            if value * toward <= 0:
                break
            bits = _bits(contexts[zero], 1) + _bits(contexts[sign], 1 if value < 0 else 0)
            bits += _unary_bits(contexts, RESIDUAL_LEVEL_MAGNITUDE, RESIDUAL_LEVEL_MAGNITUDES, abs(value))
            cost = (exact - value) ** 2 + price * bits
            if cost < best_cost:
                best, best_cost, best_bits = value, cost, bits
        total += best_bits
        _learn(contexts, zero, 1 if best else 0)
        if best:
            _learn(contexts, sign, 1 if best < 0 else 0)
            _learn_unary(contexts, RESIDUAL_LEVEL_MAGNITUDE, RESIDUAL_LEVEL_MAGNITUDES, abs(best))
        fine[cell] = (fine[cell] >> 1) + best
        changes[cell] = best
    return total


@njit(cache=True)
def _choose_value(size: float, of_class: int, around: int, price: float, contexts: Array) -> tuple[int, float, float]:
    """The magnitude that a coefficient, in steps, is coded by, its bits, and what it saves, in squared steps, over one
    that is drawn for nothing."""
    zero = of_class + around
    unary = magnitude_context(around)
    best, best_bits = 0, _bits(contexts[zero], 0)
    best_cost = size * size + price * best_bits
    nearest = min(int(size + 0.5), LARGEST_VALUE)
    for value in range(max(1, nearest - 1), nearest + 1):
        bits = _bits(contexts[zero], 1) + 1.0 + _unary_bits(contexts, unary, RESIDUAL_MAGNITUDES, value)
        cost = (size - value) ** 2 + price * bits
        if cost < best_cost:
            best, best_cost, best_bits = value, cost, bits
    return best, best_bits, size * size - best_cost


@njit(cache=True)
def choose(
    coefficients: npt.NDArray[np.float32],
    wanted: Floats,
    first: int,
    level: Array,
    tone: Array,
    edges: Edges,
    units: Floats,
    layout: Layout,
    prices: Prices,
    contexts: Array,
) -> tuple[Array, Array, float]:
    """Coefficients, shape (frames, N), and changes of fine levels, shape (frames, CELLS), of the frames of a segment
    from `first` on, with the bits that they take.

    coefficients  the residual's, in output steps, shape (frames, N)
    wanted        fine levels, in steps, shape (frames, CELLS)
    level, tone   of the cells of each frame, shape (frames, CELLS)
    units         output steps of a level, from 0 to the highest one
    """
    frames, size = coefficients.shape
    values = np.zeros((frames, size), np.int64)
    fines = np.zeros((frames, CELLS), np.int64)
    fine = np.zeros(CELLS, np.int64)
    last = np.zeros(size, np.int64)
    any_before = 0
    total = 0.0
    for f in range(frames):
        cells = Cells(edges.first, edges.end, level[f], tone[f])
        if (first + f) % LEVEL_FRAMES == 0:
            total += _choose_fine(wanted[f], fine, fines[f], cells, layout, prices.fine, contexts)
        steps, ratios = steps_of(cells, fine, layout)
        here = values[f]
        flag = RESIDUAL_FRAME + any_before
        spent, saved = 0.0, 0.0
        tried = contexts.copy()
        for cell in range(2 * len(layout.spread)):
            if ratios[cell] <= RESIDUAL_FIRST_RATIO:
                continue
            of_class = RESIDUAL_ZERO + RESIDUAL_NEIGHBOURHOODS * class_of(ratios[cell])
            step = units[steps[cell]]
            for k in range(edges.first[cell], edges.end[cell]):
                around = neighbourhood(k, here, last)
                exact = coefficients[f, k] / step
                value, bits, gain = _choose_value(abs(exact), of_class, around, prices.coefficient, tried)
                spent += bits
                saved += gain
                _learn(tried, of_class + around, 1 if value else 0)
                if value:
                    _learn_unary(tried, magnitude_context(around), RESIDUAL_MAGNITUDES, value)
                here[k] = -value if exact < 0 else value
        empty_cost = prices.coefficient * (_bits(contexts[flag], 0) - _bits(contexts[flag], 1))
        is_coded = 1 if np.any(here != 0) and saved + empty_cost > 0 else 0
        if is_coded:
            contexts[:] = tried
            total += spent
        else:
            here[:] = 0
        total += _bits(contexts[flag], is_coded)
        _learn(contexts, flag, is_coded)
        any_before = is_coded
        last = here.copy()
    return values, fines, total
