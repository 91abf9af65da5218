"""The levels that noises add up to, and noises for levels that are wanted.

What a noise is to the ear is the level that all noises and the header's base make together (SPEC 5.3). So an edit that
says how the noise should be afterwards says it in levels: the noises that serve are kept as they are, and others are
added where the levels still differ.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from audio_gs.codec.container import StreamHeader
from audio_gs.codec.kinds import NOISE
from audio_gs.codec.kinds.base import Table
from audio_gs.codec.kinds.noise import LEVEL_STEP, NoiseHeader, band_bins, frame_levels, held
from audio_gs.codec.residual import frames_needed
from audio_gs.codec.tables import NOISE_SCALES, NOISE_SHORTEST_SUPPORT, bark_hz
from audio_gs.encoder.noise.fit import PLACE, ROW, SCALE, WEIGHT, bark_places, fit_plane

Levels = npt.NDArray[np.float64]
"""In half octaves of amplitude (3 dB), of noise frames and bands, shape (frames, bands)."""

SILENT = 0.0
"""A level that is none; what is below it sounds the same."""
_LONGEST = NOISE_SHORTEST_SUPPORT << (NOISE_SCALES - 1)
_FRAMES_AT_A_TIME = 512
_FRAMES_TO_FIT = 8192
_NOISES_A_SECOND = 100
_LEAST_NOISES = 32
_ROUNDS = 1
_WORTH_A_NOISE = 0.5
"""Difference up to which levels are left alone: weights are whole."""


def band_hz(header: StreamHeader) -> npt.NDArray[np.float64]:
    """The centres of the bands that a stream has."""
    return bark_hz()[: len(_bins(header))].astype(np.float64)


def _bins(header: StreamHeader) -> npt.NDArray[np.int64]:
    assert header.noise is not None
    return band_bins(header.sample_rate, header.noise.frame_log2)


def levels_of(header: StreamHeader, noises: Table) -> Levels:
    """The levels of all frames of a clip, not limited."""
    assert header.noise is not None
    frames, bands = frames_needed(header), len(_bins(header))
    ready = held(noises, header.noise.frame_log2)
    end = ready["frame"] + (NOISE_SHORTEST_SUPPORT << ready["scale"])
    out = np.zeros((frames, bands))
    for start in range(0, frames, _FRAMES_AT_A_TIME):
        stop = min(frames, start + _FRAMES_AT_A_TIME)
        near = ready[(ready["frame"] < stop) & (end > start)]
        for frame in range(start, stop):
            out[frame] = frame_levels(frame, header.noise.base, near, bands)
    return out / LEVEL_STEP


def corrected(header: StreamHeader, noises: Table, wanted: Levels) -> Table:
    """These noises as they are, and others that bring the levels to those wanted."""
    assert header.noise is not None
    table = noises
    missing = _missing(wanted, levels_of(header, table))
    active = np.flatnonzero((np.abs(missing) > _WORTH_A_NOISE).any(axis=1))
    while len(active):
        # A whole number of the longest hop, so that the lattices of all scales begin there.
        first = max(0, int(active[0]) - _LONGEST) // _LONGEST * _LONGEST
        here = active[active < active[0] + _FRAMES_TO_FIT]
        stop = min(len(wanted), int(here[-1]) + 1 + _LONGEST)
        added = _fitted(missing[first:stop], header, len(here))
        added["onset"] += first << header.noise.frame_log2
        table = np.concatenate([table, added])
        active = active[len(here) :]
        if len(active):
            missing = _missing(wanted, levels_of(header, table))
    return table


def refitted(header: StreamHeader, wanted: Levels, count: int) -> tuple[NoiseHeader, Table]:
    """The part of the header, its step as it is, and at most so many noises whose levels come near those wanted."""
    assert header.noise is not None
    wanted = np.maximum(wanted, SILENT)
    base = int(np.clip(round(float(wanted.mean())), -128, 127))
    part = dataclasses.replace(header.noise, base=base)
    table = _fitted(wanted - base, dataclasses.replace(header, noise=part), len(wanted), count)
    return part, table


def _missing(wanted: Levels, current: Levels) -> Levels:
    """What is missing where a level is heard; what is too much where none is wanted."""
    return np.where(wanted > SILENT, wanted - current, np.minimum(SILENT - current, 0))


def _fitted(missing: Levels, header: StreamHeader, frames: int, count: int | None = None) -> Table:
    """Noises for levels, which may be negative, of frames from 0 on; `frames`: how many of them matter."""
    assert header.noise is not None
    seconds = frames * header.noise.frame_samples / header.sample_rate
    if count is None:
        count = _LEAST_NOISES + math.ceil(_NOISES_A_SECOND * seconds)
    picks, plane = fit_plane(missing, np.ones(missing.shape[1]), count, _ROUNDS)
    table = NOISE.empty(len(picks))
    table["scale"] = picks[:, SCALE]
    onset = plane.first[picks[:, SCALE]] + ((picks[:, ROW] - plane.rows[picks[:, SCALE]]) << picks[:, SCALE])
    table["onset"] = onset << header.noise.frame_log2
    table["width"], table["place"] = bark_places()[picks[:, PLACE]].T
    table["weight"] = picks[:, WEIGHT]
    return table


def power_sum(one: Levels, other: Levels) -> Levels:
    """The levels of two noises that sound together."""
    return np.where(
        np.minimum(one, other) > SILENT,
        np.logaddexp2(np.maximum(one, SILENT), np.maximum(other, SILENT)),
        np.maximum(one, other),
    )
