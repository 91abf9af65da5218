"""The levels that noises add up to, and noises for levels that are wanted.

What a noise is to the ear is the level that all noises and the header's base make together (SPEC 5.3), and of two
channels what the side has of it (SPEC 10.3). So an edit that says how the noise should be afterwards says it in levels:
the noises that serve are kept as they are, and others are added where the levels still differ.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from audio_gs.codec.container import StreamHeader
from audio_gs.codec.kinds import NOISE
from audio_gs.codec.kinds.base import Table
from audio_gs.codec.kinds.noise import LEVEL_STEP, band_bins, frame_levels, held
from audio_gs.codec.residual import frames_needed
from audio_gs.codec.tables import NOISE_SCALES, NOISE_SHORTEST_SUPPORT, bark_hz
from audio_gs.encoder.noise.fit import PLACE, ROW, SCALE, WEIGHT, bark_places, fit_plane
from audio_gs.encoder.panning.noises import PANS, descended, profiles

Levels = npt.NDArray[np.float64]
"""In half octaves of amplitude (3 dB), of noise frames and bands, shape (frames, bands)."""
Mask = npt.NDArray[np.bool_]

SILENT = 0.0
"""A level that is none; what is below it sounds the same."""
SILENT_BASE = -128
"""The lowest base of noise, in half octaves: silence, whatever the step."""
_FAR_BELOW = -300.0
"""Of a side that has no noise of its own, above the mid's level."""
_LONGEST = NOISE_SHORTEST_SUPPORT << (NOISE_SCALES - 1)
_FRAMES_AT_A_TIME = 512
_FRAMES_TO_FIT = 8192
_NOISES_A_SECOND = 100
_LEAST_NOISES = 32
_ROUNDS = 1
_WORTH_A_NOISE = 0.5
"""Difference up to which levels are left alone: weights are whole."""
_WORTH_A_WEIGHT = 1.0, 3.0
"""The same of levels of the side's own noise above the mid's, for other weights and for more noises."""
_WORTH_A_PAN = 1.0, 4.0
"""The same of pans, in steps of their weights."""
_UNHEARD_BESIDE = -8.0
"""Of the side's own noise, above the mid's level."""
_PRICE = 0.5
"""Squared steps that a weight in the side has to save."""


Mend = Callable[[Table, slice, int, Levels], Table]
"""Gives noises in place of some, for frames of which so many matter, where levels are missing."""


@dataclasses.dataclass(frozen=True, eq=False)
class NoiseMaps:
    """What the noise of a clip is, by frame and band; each of shape (frames, bands)."""

    level: Levels
    """Of the mid, not limited."""
    above: Levels
    """By how much the level of the side's own noise is above that of the mid; far below where there is none."""
    pan: Levels
    """The part of the mid's noise that the side has too, not limited to 1."""

    @property
    def loudest(self) -> Levels:
        """The level of the louder one of mid and side: it is silent where both are."""
        return self.level + np.maximum(self.above, 0)

    @property
    def of_side(self) -> Levels:
        """The level of the side's own noise."""
        return self.level + self.above

    def mapped(self, change: Callable[[Levels], Levels]) -> NoiseMaps:
        """All of them changed in one way, such as taken at other times."""
        return NoiseMaps(change(self.level), change(self.above), change(self.pan))

    def where(self, region: Mask, other: NoiseMaps) -> NoiseMaps:
        """Those of another one in a region."""
        pairs = ((other.level, self.level), (other.above, self.above), (other.pan, self.pan))
        return NoiseMaps(*(np.where(region, yes, no) for yes, no in pairs))

    def louder(self, steps: float | Levels) -> NoiseMaps:
        """So many half octaves louder where anything is heard."""
        return dataclasses.replace(self, level=np.where(self.loudest > SILENT, self.level + steps, self.level))

    def silenced(self, region: Mask) -> NoiseMaps:
        """Without noise in a region."""
        return self.where(region, silence(self.level.shape))

    def at_one_place(self, region: Mask, pan: float) -> NoiseMaps:
        """With all noise of a region at one place, where the side has this part of the mid's."""
        there = NoiseMaps(self.level, np.full_like(self.above, _FAR_BELOW), np.full_like(self.pan, pan))
        return self.where(region, there)


def silence(shape: tuple[int, ...]) -> NoiseMaps:
    """The maps of no noise."""
    return NoiseMaps(np.full(shape, SILENT), np.full(shape, _FAR_BELOW), np.zeros(shape))


def band_hz(header: StreamHeader) -> npt.NDArray[np.float64]:
    """The centres of the bands that a stream has."""
    return bark_hz()[: len(_bins(header))].astype(np.float64)


def _bins(header: StreamHeader) -> npt.NDArray[np.int64]:
    assert header.noise is not None
    return band_bins(header.sample_rate, header.noise.frame_log2)


def maps_of(header: StreamHeader, noises: Table) -> NoiseMaps:
    """What the noise of a clip is."""
    assert header.noise is not None
    level = _summed(header, noises, "weight", header.noise.base)
    if header.panning is None:
        return NoiseMaps(level, np.full_like(level, _FAR_BELOW), np.zeros_like(level))
    above = _summed(header, noises, "side_weight", header.panning.side_base)
    return NoiseMaps(level, above, _summed(header, noises, "pan_weight", 0) / PANS)


def within(noises: Table, header: StreamHeader, frames: Mask) -> Mask:
    """Marks the noises that last in none but the frames that are marked."""
    assert header.noise is not None
    first = (noises["onset"].astype(np.int64) >> header.noise.frame_log2) + 1
    stop = NOISE.ends(noises, header) >> header.noise.frame_log2
    others = np.concatenate([[0], np.cumsum(~frames)])
    return others[np.clip(stop, 0, len(frames))] == others[np.clip(first, 0, len(frames))]


def _summed(header: StreamHeader, noises: Table, column: str, base: int) -> Levels:
    """What the noises of a clip add up to with the weights of a column."""
    assert header.noise is not None
    frames, bands = frames_needed(header), len(_bins(header))
    ready = held(noises, header.noise.frame_log2, column)
    end = ready["frame"] + (NOISE_SHORTEST_SUPPORT << ready["scale"])
    out = np.zeros((frames, bands))
    for start in range(0, frames, _FRAMES_AT_A_TIME):
        stop = min(frames, start + _FRAMES_AT_A_TIME)
        near = ready[(ready["frame"] < stop) & (end > start) & (ready["weight"] != 0)]
        for frame in range(start, stop):
            out[frame] = frame_levels(frame, base, near, bands)
    return out / LEVEL_STEP


def corrected(header: StreamHeader, noises: Table, wanted: NoiseMaps, free: Mask | None = None) -> Table:
    """These noises as they are, and others that bring the levels to those wanted. Only those that are `free`, and those
    added, get other weights in the side."""
    table = _mended(
        noises,
        lambda table: _missing(wanted, maps_of(header, table)),
        _WORTH_A_NOISE,
        lambda table, place, count, levels: np.concatenate(
            [table, _fitted(levels, header, _enough(header, count), place.start)]
        ),
    )
    if header.panning is None:
        return table
    may_change = np.ones(len(table), np.bool_)
    may_change[: len(noises)] = False if free is None else free
    return _with_sides(header, table, wanted, may_change)


def refitted(header: StreamHeader, wanted: NoiseMaps, count: int) -> tuple[StreamHeader, Table]:
    """The header with other bases, its step as it is, and noises whose levels come near those wanted: at most so many,
    and a few for the side beside them."""
    assert header.noise is not None
    level = np.maximum(wanted.level, SILENT)
    wanted = NoiseMaps(level, wanted.of_side - level, wanted.pan)
    base = int(np.clip(round(float(level.mean())), SILENT_BASE, 127))
    header = dataclasses.replace(header, noise=dataclasses.replace(header.noise, base=base))
    table = _fitted(level - base, header, count)
    if header.panning is None:
        return header, table
    is_heard = wanted.of_side > SILENT
    above = float(wanted.above[is_heard].mean()) if is_heard.any() else SILENT_BASE
    panning = dataclasses.replace(header.panning, side_base=int(np.clip(round(above), SILENT_BASE, 127)))
    header = dataclasses.replace(header, panning=panning)
    return header, _with_sides(header, table, wanted, np.ones(len(table), np.bool_))


def _missing(wanted: NoiseMaps, current: NoiseMaps) -> Levels:
    """What is missing of the mid's level where anything is heard; what is too much where nothing is to be."""
    return np.where(wanted.loudest > SILENT, wanted.level - current.level, np.minimum(SILENT - current.loudest, 0))


def _mended(table: Table, missing: Callable[[Table], Levels], worth: float, mend: Mend) -> Table:
    """The noises mended where more than that is missing: stretches of frames at a time, with room around them so that
    the lattices of all scales begin there."""
    levels = missing(table)
    active = np.flatnonzero((np.abs(levels) > worth).any(axis=1))
    while len(active):
        # A whole number of the longest hop.
        first = max(0, int(active[0]) - _LONGEST) // _LONGEST * _LONGEST
        here = active[active < active[0] + _FRAMES_TO_FIT]
        stop = min(len(levels), int(here[-1]) + 1 + _LONGEST)
        table = mend(table, slice(first, stop), len(here), levels[first:stop])
        active = active[len(here) :]
        if len(active):
            levels = missing(table)
    return table


def _enough(header: StreamHeader, frames: int) -> int:
    """How many noises do for the levels of so many frames."""
    assert header.noise is not None
    return _LEAST_NOISES + math.ceil(_NOISES_A_SECOND * frames * header.noise.frame_samples / header.sample_rate)


def _fitted(missing: Levels, header: StreamHeader, count: int, first: int = 0) -> Table:
    """At most so many noises for levels, which may be negative, of the frames from `first` on."""
    assert header.noise is not None
    picks, plane = fit_plane(missing, np.ones(missing.shape[1]), count, _ROUNDS)
    table = NOISE.empty(len(picks))
    table["scale"] = picks[:, SCALE]
    onset = plane.first[picks[:, SCALE]] + ((picks[:, ROW] - plane.rows[picks[:, SCALE]]) << picks[:, SCALE])
    table["onset"] = (first + onset) << header.noise.frame_log2
    table["width"], table["place"] = bark_places()[picks[:, PLACE]].T
    table["weight"] = picks[:, WEIGHT]
    return table


# ---- the side ----


def _with_sides(header: StreamHeader, noises: Table, wanted: NoiseMaps, free: Mask) -> Table:
    """These noises with weights in the side, of those that are free, that come near what is wanted; and where those do
    not reach, others beside them."""
    table = _with_weights(header, noises, "side_weight", free, lambda at: _missing_above(wanted, at), _WORTH_A_WEIGHT)
    free = np.concatenate([free, np.ones(len(table) - len(free), np.bool_)])
    table = _with_weights(header, table, "pan_weight", free, lambda at: _missing_pan(wanted, at), _WORTH_A_PAN)
    return _without_idle(table, np.concatenate([free, np.ones(len(table) - len(free), np.bool_)]))


def _with_weights(
    header: StreamHeader,
    noises: Table,
    column: str,
    free: Mask,
    missing: Callable[[NoiseMaps], Levels],
    worth: tuple[float, float],
) -> Table:
    def missing_of(table: Table) -> Levels:
        return missing(maps_of(header, table))

    def reweighted(table: Table, place: slice, _count: int, levels: Levels) -> Table:
        return _reweighted(header, table, column, free, place, levels)

    def joined_by_pairs(table: Table, place: slice, count: int, levels: Levels) -> Table:
        picks = _fitted(levels, header, _enough(header, count) // 2, place.start)
        return np.concatenate([table, _pairs(picks, column)])

    table = _mended(noises, missing_of, worth[0], reweighted)
    return _mended(table, missing_of, worth[1], joined_by_pairs)


def _without_idle(noises: Table, free: Mask) -> Table:
    """Without pairs that have no weight in the side any more."""
    idle = free & (np.abs(noises["weight"]) == 1) & (noises["side_weight"] == 0) & (noises["pan_weight"] == 0)
    kept, waiting = np.ones(len(noises), np.bool_), dict[tuple[int, ...], list[int]]()
    for row in np.flatnonzero(idle):
        place = tuple(int(noises[name][row]) for name in ("scale", "onset", "width", "place"))
        others = waiting.setdefault((*place, -int(noises["weight"][row])), [])
        if others:
            kept[row] = kept[others.pop()] = False
        else:
            waiting.setdefault((*place, int(noises["weight"][row])), []).append(int(row))
    return noises[kept]


def _missing_above(wanted: NoiseMaps, current: NoiseMaps) -> Levels:
    """As `_missing`, of the side's own noise; where there is to be none it is enough that it is far below the mid's."""
    enough = np.maximum(SILENT - current.level, _UNHEARD_BESIDE)
    return np.where(wanted.of_side > SILENT, wanted.above - current.above, np.minimum(enough - current.above, 0))


def _missing_pan(wanted: NoiseMaps, current: NoiseMaps) -> Levels:
    """In steps of the pan's weight, where there is anything to pan. Beyond 1 there is nothing."""
    is_there = (np.abs(wanted.pan) >= 1) & (wanted.pan * current.pan >= 1)
    return np.where((wanted.level > SILENT) & ~is_there, PANS * (wanted.pan - current.pan), 0)


def _reweighted(header: StreamHeader, noises: Table, column: str, free: Mask, frames: slice, missing: Levels) -> Table:
    """With other weights of those that are free and last in some frames, where something is missing of what they add up
    to."""
    assert header.noise is not None
    log2 = header.noise.frame_log2
    there = np.flatnonzero((np.abs(missing) > 0).any(axis=1)) + frames.start
    chosen = free & (NOISE.ends(noises, header) > int(there[0]) << log2) & (noises["onset"] < int(there[-1]) << log2)
    some = noises[chosen]
    some["onset"] -= frames.start << log2
    shape = profiles(some, log2, *missing.shape)
    target = missing.ravel() + shape @ some[column]
    out = noises.copy()
    out[column][chosen] = descended(shape, target, np.ones(missing.size), _PRICE)
    return out


def _pairs(picks: Table, column: str) -> Table:
    """Noises that have a weight in the side alone: a weight in the mid, which none goes without, is taken back by
    another noise at the same place."""
    one, other = picks.copy(), picks.copy()
    one[column] = picks["weight"]
    one["weight"], other["weight"] = 1, -1
    return np.concatenate([one, other])
