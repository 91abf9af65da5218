"""Residual layers of random legal values, for any stream with noise."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
from random_streams import Draws, random_stream

from audio_gs.codec import residual
from audio_gs.codec.container import StreamHeader
from audio_gs.codec.cost import with_class
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.residual import CELLS, COEFFICIENT, INTERVALS, LARGEST_VALUE, LEVEL, LEVEL_FRAMES, ResidualHeader
from audio_gs.codec.tables import RESIDUAL_FIRST_RATIO

Table = npt.NDArray[Any]
RESIDUAL_SEEDS = (22, 63, 66, 87, 100, 123, 155, 157, 160, 185, 211, 245)
"""Of short clips with frames of all sizes that a residual can have, of one segment and of more."""


def random_part(draws: Draws) -> ResidualHeader:
    """Fields of the header, most of them such that many cells have coefficients."""
    return ResidualHeader(
        step=draws.below(256) if draws.one_in(3) else draws.below(100),
        tilt=draws.below(16) if draws.one_in(3) else draws.below(4),
        intervals=draws.below(INTERVALS + 1) if draws.one_in(3) else INTERVALS,
        fine_from=draws.below(32) if draws.one_in(3) else draws.below(20),
        level_step=draws.below(2),
        fill=draws.below(8),
        lift_low=draws.below(8),
        lift_high=draws.below(8),
        quiet=draws.below(256),
    )


def with_residual(
    header: StreamHeader, gaussians: Gaussians, seed: int, part: ResidualHeader | None = None
) -> tuple[StreamHeader, Gaussians]:
    """The same with a residual in some of the places that there are for one, sparse or dense, and the class for it."""
    draws = Draws((1 << 33) + seed)
    header = dataclasses.replace(header, residual=part or random_part(draws))
    density = 0.5 ** draws.below(8)
    source = residual.FrameSource(header)
    slots = {name: gaussians[name]["onset"] >> header.slot_log2 for name in ("tone", "noise")}
    tables = [residual.empty()]
    for segment in range(header.segments):
        source.start()
        fine = np.zeros(CELLS, np.int64)
        for slot in header.segment_slots(segment):
            source.begin({name: gaussians[name][of_kind == slot] for name, of_kind in slots.items()})
            for frame in residual.frames_of_slot(header, slot):
                cells = source.cells(frame)
                if frame % LEVEL_FRAMES == 0:
                    refined = np.array([residual.refines(cell, cells, source.layout) for cell in range(CELLS)])
                    changes = np.where(refined, _values(draws, CELLS, density), 0)
                    fine = np.where(refined, (fine >> 1) + changes, 0)
                    tables.append(_rows(frame, LEVEL, changes))
                _, ratios = residual.steps_of(cells, fine, source.layout)
                values = np.zeros(1 << source.layout.frame_log2, np.int64)
                if not draws.one_in(5):
                    for cell in np.flatnonzero(ratios > RESIDUAL_FIRST_RATIO):
                        here = slice(cells.first[cell], cells.end[cell])
                        values[here] = _values(draws, len(values[here]), density)
                tables.append(_rows(frame, COEFFICIENT, values))
    gaussians = gaussians.replaced(residual=np.concatenate(tables))
    return with_class(header, gaussians), gaussians


def random_residual(seed: int) -> tuple[StreamHeader, Gaussians]:
    """A random stream's header and tables with a residual."""
    stream = random_stream(seed)
    return with_residual(stream.header, stream.gaussians, seed)


def _values(draws: Draws, count: int, density: float) -> npt.NDArray[np.int64]:
    """Zeros, and values of all sizes either way."""
    size = 1 + np.minimum(LARGEST_VALUE - 1, -1.5 * np.log(1 - draws.uniform(count)) ** 3).astype(np.int64)
    size = np.where(draws.uniform(count) < 0.5, size, -size)
    return np.where(draws.uniform(count) < density, size, 0)


def _rows(frame: int, layer: int, values: npt.NDArray[np.int64]) -> Table:
    (place,) = np.nonzero(values)
    rows = residual.empty(len(place))
    rows["frame"], rows["layer"], rows["place"], rows["value"] = frame, layer, place, values[place]
    return rows
