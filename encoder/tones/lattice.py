"""The lattice of Gabor atoms that the encoder chooses from, and its correlation with a signal.

An atom of scale k has the envelope of SPEC 4.4, 32 << k samples long; atoms of a scale stand a quarter of that apart
in time and one DFT bin of that length apart in frequency, 1.32 by 1.19 standard deviations. Inside the encoder an atom
has unit energy as a complex exponential, and its complex weight alpha makes the real waveform Re(alpha * atom).
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.fft

from audio_gs.codec.tables import SHORTEST_SUPPORT, envelope

Array = npt.NDArray[Any]

BLOCK_BINS = 32
"""Bins whose best score the pursuit keeps together."""
_FFT_BATCH = 1 << 17
"""Samples that are transformed at a time: what a core's cache holds."""


class Geometry(NamedTuple):
    """Where atoms lie, by scale; every field has shape (scales,) unless stated. All in samples or counts."""

    support: Array
    hop: Array
    first: Array
    """Onset of the first frame."""
    frames: Array
    bins: Array
    cells: Array
    """Index of each scale's first cell in the flat array of correlations, shape (scales + 1,)."""
    block_bins: Array
    blocks_per_frame: Array
    blocks: Array
    """Index of each scale's first block, shape (scales + 1,)."""
    self_overlap: Array
    """Inner product of the atom in bin 1 with its own conjugate, float."""
    circle: Array
    """exp(2 pi i n / longest support) for n below it, complex64, shape (longest support,)."""


@functools.cache
def envelope_samples(scale: int) -> npt.NDArray[np.float64]:
    """The envelope of SPEC 4.4 at every sample of the support, peak 1, shape (32 << scale,)."""
    knots = envelope() / 32767.0
    samples = np.interp(np.arange(SHORTEST_SUPPORT << scale) / (1 << scale), np.arange(len(knots)), knots)
    samples.flags.writeable = False
    return samples


@functools.cache
def envelope_norm(scale: int) -> float:
    """Euclidean norm of the envelope's samples: how a weight alpha relates to the peak of its waveform."""
    return float(np.linalg.norm(envelope_samples(scale)))


@functools.cache
def _self_overlap(scale: int) -> float:
    """Inner product of the unit-energy atom in bin 1 with its own conjugate."""
    squared = envelope_samples(scale) ** 2
    turns = 2 * (np.arange(len(squared)) - len(squared) // 2) / len(squared)
    return float(np.sum(squared * np.cos(2 * np.pi * turns)) / np.sum(squared))


def _ends(counts: Array) -> npt.NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def make_geometry(
    samples: int, smallest_scale: int, scales: int, begin: int | None = None, end: int | None = None
) -> Geometry:
    """The lattice for a clip of `samples` samples and `scales` scales from the smallest one on: all atoms that sound in
    it, or only those whose centre lies from sample `begin` on and before sample `end`."""
    support = SHORTEST_SUPPORT << np.arange(smallest_scale, smallest_scale + scales, dtype=np.int64)
    hop = support // 4
    first = hop - support
    last = (samples - 1) // hop * hop
    if begin is not None:
        first = np.maximum(first, -((support // 2 - begin) // hop) * hop)
    if end is not None:
        last = np.minimum(last, (end - 1 - support // 2) // hop * hop)
    frames = np.maximum(0, (last - first) // hop + 1)
    bins = support // 2
    block_bins = np.minimum(bins, BLOCK_BINS)
    blocks_per_frame = bins // block_bins
    return Geometry(
        support=support,
        hop=hop,
        first=first,
        frames=frames,
        bins=bins,
        cells=_ends(frames * bins),
        block_bins=block_bins,
        blocks_per_frame=blocks_per_frame,
        blocks=_ends(frames * blocks_per_frame),
        self_overlap=np.array([_self_overlap(smallest_scale + j) for j in range(scales)]),
        circle=_circle(int(support[-1])),
    )


@functools.cache
def _circle(steps: int) -> npt.NDArray[np.complex64]:
    return np.exp(2j * np.pi * np.arange(steps) / steps).astype(np.complex64)


def correlate(signal: npt.NDArray[np.float64], geometry: Geometry, smallest_scale: int) -> npt.NDArray[np.complex64]:
    """Inner products of a signal with every atom of the lattice, flat, shape (geometry.cells[-1],); the phase of
    an atom is the one at its centre."""
    out = np.empty(int(geometry.cells[-1]), np.complex64)
    for j in range(len(geometry.support)):
        length, hop, first, frames = (int(field[j]) for field in geometry[:4])
        if frames == 0:
            continue
        window = envelope_samples(smallest_scale + j)
        window = (window / np.linalg.norm(window)).astype(np.float32)
        end = first + (frames - 1) * hop + length
        inside = signal[max(0, first) : max(0, end)].astype(np.float32)
        before = np.zeros(max(0, -first), np.float32)
        after = np.zeros(end - first - len(before) - len(inside), np.float32)
        view = np.lib.stride_tricks.sliding_window_view(np.concatenate([before, inside, after]), length)[::hop]
        target = out[geometry.cells[j] : geometry.cells[j + 1]].reshape(frames, length // 2)
        batch = min(frames, max(1, _FFT_BATCH // length))
        half = length // 2
        turned = np.empty((batch, length), np.float32)
        for start in range(0, frames, batch):
            rows = view[start : start + batch]
            # A DFT refers phase to the first sample; so the centre comes first.
            here = turned[: len(rows)]
            np.multiply(rows[:, half:], window[half:], out=here[:, :half])
            np.multiply(rows[:, :half], window[:half], out=here[:, half:])
            target[start : start + batch] = scipy.fft.rfft(here, axis=1)[:, :-1]
    return out
