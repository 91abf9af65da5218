"""The residual layer while the Gaussians that steer it change (SPEC 8): coefficients in output steps instead of in
steps that follow from those Gaussians, and fine levels by themselves instead of by their changes.

Where the steering comes out as it was, so do the values, to the bit. Where it does not, each coefficient is rounded to
the new step, and is left out where its cell has none any more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from audio_gs.codec import residual
from audio_gs.codec.container import StreamHeader
from audio_gs.codec.gaussians import RESIDUAL, Gaussians
from audio_gs.codec.kinds.base import Table
from audio_gs.codec.residual import CELLS, COEFFICIENT, LARGEST_VALUE, LEVEL, LEVEL_FRAMES, Cells, ResidualHeader
from audio_gs.codec.tables import RESIDUAL_FIRST_RATIO

Mask = npt.NDArray[np.bool_]

COEFFICIENTS = np.dtype([("frame", "<i8"), ("bin", "<i8"), ("amplitude", "<f8")])
"""amplitude: in output steps, with its sign."""
FINE_LEVELS = np.dtype([("frame", "<i8"), ("cell", "<i8"), ("level", "<f8")])
"""frame: the first of those for which it holds. level: what it adds to the noise's, 256 an octave of amplitude."""


@dataclasses.dataclass(frozen=True, eq=False)
class Carried:
    """A residual layer that no longer depends on the Gaussians."""

    coefficients: Table
    """Of dtype `COEFFICIENTS`."""
    fine: Table
    """Of dtype `FINE_LEVELS`, without those that add nothing."""

    def shifted(self, frames: int) -> Carried:
        """The same so many frames later; fine levels from the next frame that can code them on."""
        coefficients, fine = self.coefficients.copy(), self.fine.copy()
        coefficients["frame"] += frames
        fine["frame"] = -(-(fine["frame"] + frames) // LEVEL_FRAMES) * LEVEL_FRAMES
        return Carried(coefficients, fine)

    def kept(self, mask: Mask) -> Carried:
        """The same with some of the coefficients."""
        return dataclasses.replace(self, coefficients=self.coefficients[mask])

    def within(self, frames: int) -> Carried:
        """The same without what lies before the first of so many frames or after the last."""
        parts = (part[(part["frame"] >= 0) & (part["frame"] < frames)] for part in (self.coefficients, self.fine))
        return Carried(*parts)

    def scaled(self, factor: float, mask: Mask) -> Carried:
        """The same with some coefficients times a factor."""
        coefficients = self.coefficients.copy()
        coefficients["amplitude"][mask] *= factor
        return dataclasses.replace(self, coefficients=coefficients)

    def with_those_of(self, other: Carried) -> Carried:
        """Both together."""
        coefficients = np.concatenate([self.coefficients, other.coefficients])
        return Carried(coefficients, np.concatenate([self.fine, other.fine]))


NOTHING = Carried(np.zeros(0, COEFFICIENTS), np.zeros(0, FINE_LEVELS))


@dataclasses.dataclass(frozen=True)
class Layer:
    """A residual layer that streams may have."""

    name: str
    """Of its table."""
    part: Callable[[StreamHeader], ResidualHeader | None]
    """Its part of the header."""
    steered: Callable[[StreamHeader, Gaussians], Iterable[tuple[int, Cells, residual.FrameSource]]]
    """Its frames as Gaussians steer them, as `residual.steered_frames` has them."""


MID = Layer(RESIDUAL, lambda header: header.residual, residual.steered_frames)


def _unit(header: StreamHeader, steps: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Output steps of a coefficient's step of each level (SPEC 8.4)."""
    assert header.noise is not None
    return 2.0 ** ((steps - 128 * header.noise.octaves_of_power) / 256)


def _fine_step(part: ResidualHeader) -> int:
    return 171 if part.level_step else 128


def _cell_of_bin(cells: Cells, bins: int) -> npt.NDArray[np.int64]:
    """The cell of each bin of a frame."""
    of_bin = np.zeros(bins, np.int64)
    for cell in range(CELLS):
        of_bin[cells.first[cell] : cells.end[cell]] = cell
    return of_bin


def carried_from(header: StreamHeader, gaussians: Gaussians, layer: Layer = MID) -> Carried:
    """A residual layer of a stream; that of one without is empty."""
    part = layer.part(header)
    if part is None or header.noise is None:
        return NOTHING
    table, size = residual.sorted_for_coding(gaussians[layer.name]), header.noise.frame_samples
    edges = np.searchsorted(table["frame"], np.arange(residual.frames_coded(header) + 1))
    coefficients, fines = [NOTHING.coefficients], [NOTHING.fine]
    of_bin = None
    for number, cells, source in layer.steered(header, gaussians):
        of_bin = _cell_of_bin(cells, size) if of_bin is None else of_bin
        rows = table[edges[number] : edges[number + 1]]
        fine = source.memory.fine
        if number % LEVEL_FRAMES == 0:
            changes, at = np.zeros(CELLS, np.int64), rows["layer"] == LEVEL
            changes[rows["place"][at]] = rows["value"][at]
            fine[:] = np.where(_refining(cells, source), (fine >> 1) + changes, 0)
            there = np.flatnonzero(fine)
            held = np.zeros(len(there), FINE_LEVELS)
            held["frame"], held["cell"], held["level"] = number, there, fine[there] * _fine_step(part)
            fines.append(held)
        rows = rows[rows["layer"] == COEFFICIENT]
        if len(rows):
            steps, _ = residual.steps_of(cells, fine, source.layout)
            here = np.zeros(len(rows), COEFFICIENTS)
            here["frame"], here["bin"] = number, rows["place"]
            here["amplitude"] = rows["value"] * _unit(header, steps[of_bin[rows["place"]]])
            coefficients.append(here)
    return Carried(np.concatenate(coefficients), np.concatenate(fines))


def _refining(cells: Cells, source: residual.FrameSource) -> Mask:
    return np.array(
        [residual.refines(cell, cells, source.layout) for cell in range(2 * len(source.layout.spread))]
        + [False] * (CELLS - 2 * len(source.layout.spread))
    )


def table_of(carried: Carried, header: StreamHeader, gaussians: Gaussians, layer: Layer = MID) -> Table:
    """The table of a residual layer under Gaussians that may be others than it was made for."""
    part = layer.part(header)
    if part is None or header.noise is None:
        return residual.empty()
    size, frames = header.noise.frame_samples, residual.frames_coded(header)
    carried = _summed(carried.within(frames), size)
    numbers = np.arange(frames + 1)
    at, fine_at = (np.searchsorted(part["frame"], numbers) for part in (carried.coefficients, carried.fine))
    tables = [residual.empty()]
    of_bin = None
    for number, cells, source in layer.steered(header, gaussians):
        of_bin = _cell_of_bin(cells, size) if of_bin is None else of_bin
        fine = source.memory.fine
        if number % LEVEL_FRAMES == 0:
            wanted, rows = np.zeros(CELLS), carried.fine[fine_at[number] : fine_at[number + 1]]
            wanted[rows["cell"]] = rows["level"] / _fine_step(part)
            changes = np.clip(np.rint(wanted).astype(np.int64) - (fine >> 1), -LARGEST_VALUE, LARGEST_VALUE)
            changes[~_refining(cells, source)] = 0
            fine[:] = np.where(_refining(cells, source), (fine >> 1) + changes, 0)
            tables.append(_rows(number, LEVEL, np.flatnonzero(changes), changes))
        rows = carried.coefficients[at[number] : at[number + 1]]
        if len(rows):
            steps, ratios = residual.steps_of(cells, fine, source.layout)
            cell, values = of_bin[rows["bin"]], np.zeros(size, np.int64)
            exact = np.rint(rows["amplitude"] / _unit(header, steps[cell]))
            exact[ratios[cell] <= RESIDUAL_FIRST_RATIO] = 0
            values[rows["bin"]] = np.clip(exact, -LARGEST_VALUE, LARGEST_VALUE)
            tables.append(_rows(number, COEFFICIENT, np.flatnonzero(values), values))
    return np.concatenate(tables)


def _rows(frame: int, layer: int, places: npt.NDArray[np.int64], values: npt.NDArray[np.int64]) -> Table:
    rows = residual.empty(len(places))
    rows["frame"], rows["layer"], rows["place"], rows["value"] = frame, layer, places, values[places]
    return rows


def _summed(carried: Carried, size: int) -> Carried:
    """In order, and what lies in one place added up, the fine levels of one place by the last one alone."""
    coefficients = carried.coefficients
    coefficients = coefficients[(coefficients["bin"] >= 0) & (coefficients["bin"] < size)]
    places, owner = np.unique(coefficients["frame"] * size + coefficients["bin"], return_inverse=True)
    out = np.zeros(len(places), COEFFICIENTS)
    out["frame"], out["bin"] = places // size, places % size
    np.add.at(out["amplitude"], owner.ravel(), coefficients["amplitude"])
    fine = carried.fine[::-1]
    _, last = np.unique(fine["frame"] * CELLS + fine["cell"], return_index=True)
    return Carried(out, fine[last])
