"""Inner products of atoms with each other, tabulated: what the pursuit subtracts from its correlations.

For unit-energy atoms 1 and 2 with centres c, angular frequencies w and d = c2 - c1,
    <g1, g2> = exp(i w1 d) S(d, w1 - w2)      if atom 2 is the shorter one,
    <g1, g2> = exp(i w2 d) S(-d, w1 - w2)     if atom 1 is,
    S(d, D) = sum_u short(u) long(u + d) exp(i D u).
On the lattice d is a multiple of the shorter hop and D of the longer one's bin; scales are octaves apart, so S depends
on the ratio of the supports alone and one table for each ratio holds all of them. (With ideal Gaussian envelopes S has
a closed form, but the cut envelope departs from it by -30 dB around every loud atom, and greedy pursuit then chases
what is not there.)
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .lattice import envelope_samples

Array = npt.NDArray[Any]

OVERLAP_FLOOR = 5e-4
"""Inner products smaller than this everywhere beyond a row's reach are left out."""
BAND = 8
"""Bins of the shorter atom that a row reaches at most, to either side."""
_SHORT_SCALE = 2


class Overlaps(NamedTuple):
    """S for the ratios 2^0 .. 2^(n-1) of supports."""

    values: Array
    """complex64, flat: row after row of 2 * half_width + 1 values, from the most positive D down."""
    starts: Array
    """Index of each ratio's first value, shape (n,)."""
    half_widths: Array
    """Long bins to either side in a row, shape (n,)."""
    distances: Array
    """Number of the row with d = 0 of each ratio, in short hops, shape (n,); the rows are as many again beyond it."""
    reaches: Array
    """How many long bins each row reaches to either side above the floor, -1 for none; flat."""
    reach_starts: Array
    """Index of each ratio's first reach, shape (n,)."""


@functools.lru_cache(maxsize=8)
def make_overlaps(ratios: int) -> Overlaps:
    """Tables for `ratios` octaves of supports, 1 for atoms of equal support alone."""
    short = envelope_samples(_SHORT_SCALE)
    short = short / np.linalg.norm(short)
    length = len(short)
    hop = length // 4
    values, distances, reaches = [], [], []
    for octave in range(ratios):
        long = envelope_samples(_SHORT_SCALE + octave)
        long = long / np.linalg.norm(long)
        furthest = (length + len(long)) // 2 // hop
        padded = np.concatenate([np.zeros(length + len(long) // 2)] * 2 + [long] + [np.zeros(2 * length + len(long))])
        centre = 2 * (length + len(long) // 2) + len(long) // 2
        # Row d multiplies short(u) by long(u + d), u from the short atom's first sample on.
        starts = centre + hop * np.arange(-furthest, furthest + 1) - length // 2
        products = padded[starts[:, None] + np.arange(length)] * short
        spectrum = np.fft.fft(products, n=len(long), axis=1)
        # exp(+i D u) with u counted from the centre; the DFT has exp(-i D u) from the first sample.
        half = min(BAND << octave, len(long) // 2 - 1)
        index = np.arange(-half, half + 1)
        table = spectrum[:, -index] * np.exp(-2j * np.pi * index / len(long) * (length // 2))
        wide = np.zeros((len(table), 2 * (BAND << octave) + 1), np.complex64)
        offset = (BAND << octave) - half
        wide[:, offset : offset + table.shape[1]] = table
        loud = np.abs(wide) > OVERLAP_FLOOR
        from_centre = np.abs(np.arange(wide.shape[1]) - (BAND << octave))
        reaches.append(np.where(loud.any(axis=1), (loud * from_centre).max(axis=1), -1))
        values.append(wide[:, ::-1])
        distances.append(furthest)
    sizes = np.array([v.size for v in values])
    rows = np.array([len(v) for v in values])
    return Overlaps(
        values=np.concatenate([v.ravel() for v in values]),
        starts=np.cumsum(sizes) - sizes,
        half_widths=np.array([BAND << octave for octave in range(ratios)], np.int64),
        distances=np.array(distances, np.int64),
        reaches=np.concatenate(reaches).astype(np.int64),
        reach_starts=np.cumsum(rows) - rows,
    )
