"""What rendering a table of Gaussians costs, as SPEC 5 counts it: MACs a sample, and Gaussians held at a
time."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from . import dequantise
from .container import StreamHeader
from .gaussians import noises, tones
from .tables import (
    BARK_BANDS,
    ENVELOPE_SEGMENTS,
    HALF_BAND_TAPS,
    LEVELS,
    NOISE_NARROWEST_SUPPORT,
    NOISE_SHORTEST_SUPPORT,
)

WINDOW_SECONDS = 0.020
MACS_PER_ENVELOPE_SEGMENT = 2
FILTER_MACS = HALF_BAND_TAPS * (1 - 0.5 ** (LEVELS - 1))
"""What the half-band filters cost, in MACs a sample: of each two samples of a level one is made of others."""
_BLOCK_SAMPLES = 1 << 20

Table = npt.NDArray[Any]


def noise_macs_each_frame(table: Table, frame_log2: int, first_frame: int, frames: int) -> npt.NDArray[np.int64]:
    """MACs that each of `frames` noise frames from `first_frame` on costs, shape (frames,), for the noise Gaussians of
    a table: those of the transform and the window, two for each band, and for each Gaussian that lasts there three and
    two for each Bark that it covers."""
    fixed = ((frame_log2 + 5) << frame_log2) + 2 * BARK_BANDS
    steps = np.zeros(frames + 1, np.int64)
    first = (table["onset"].astype(np.int64) >> frame_log2) + 1 - first_frame
    last = first + (NOISE_SHORTEST_SUPPORT << table["scale"].astype(np.int64)) - 1
    each = 3 + 2 * (NOISE_NARROWEST_SUPPORT << table["width"].astype(np.int64))
    np.add.at(steps, np.clip(first, 0, frames), each)
    np.add.at(steps, np.clip(last, 0, frames), -each)
    return fixed + np.cumsum(steps[:-1])


def noise_macs_each_sample(table: Table, frame_log2: int, start: int, stop: int) -> npt.NDArray[np.float64]:
    """MACs that the samples start..stop-1 cost for noise, shape (stop - start,): a frame's, evenly, in those before
    it."""
    frame = (np.arange(start, stop) >> frame_log2) + 1
    frames = noise_macs_each_frame(table, frame_log2, int(frame[0]), int(frame[-1] - frame[0]) + 1)
    return frames[frame - frame[0]] / (1 << frame_log2)


def macs_of_tones(table: Table) -> npt.NDArray[np.float64]:
    """MACs that each tone Gaussian costs, shape (n,)."""
    scale = table["scale"].astype(np.int64)
    sounding = (ENVELOPE_SEGMENTS << scale) * 0.5 ** dequantise.level(table["bin"], scale)
    return sounding + MACS_PER_ENVELOPE_SEGMENT * ENVELOPE_SEGMENTS


def macs_each_sample(table: Table, samples: int) -> npt.NDArray[np.float64]:
    """MACs that each of the samples 0..samples-1 costs for tone Gaussians, shape (samples,): for each that sounds there
    one in as many samples as its level has one, two more where one of its envelope segments begins."""
    onset = table["onset"].astype(np.int64)
    scale = table["scale"].astype(np.int64)
    each = 0.5 ** dequantise.level(table["bin"], scale)
    steps = np.zeros(samples + 1)
    np.add.at(steps, np.clip(onset, 0, samples), each)
    np.add.at(steps, np.clip(onset + (ENVELOPE_SEGMENTS << scale), 0, samples), -each)
    macs = np.cumsum(steps[:-1])
    starts = (onset[:, None] + (np.arange(ENVELOPE_SEGMENTS) << scale[:, None])).ravel()
    starts = starts[(starts >= 0) & (starts < samples)]
    macs += MACS_PER_ENVELOPE_SEGMENT * np.bincount(starts, minlength=samples)
    return macs


def macs_per_sample(table: Table, header: StreamHeader) -> tuple[float, float]:
    """Mean over the clip and peak over any window of 20 ms, in MACs a sample."""
    samples, tone_table, noise_table = header.samples, tones(table), noises(table)
    window = min(samples, max(1, round(WINDOW_SECONDS * header.sample_rate)))
    onset = tone_table["onset"].astype(np.int64)
    end = onset + (ENVELOPE_SEGMENTS << tone_table["scale"].astype(np.int64))
    total = 0.0
    peak = 0.0
    # In blocks, so that the memory that a stream asks for does not grow with the length that its header states.
    for start in range(0, samples, _BLOCK_SAMPLES):
        stop = min(samples, start + _BLOCK_SAMPLES)
        last = min(samples, stop + window - 1)
        near = tone_table[(onset < last) & (end > start)]
        if len(near) == 0 and header.noise is None:
            continue
        near["onset"] -= start
        macs = macs_each_sample(near, last - start)
        if header.noise:
            macs += noise_macs_each_sample(noise_table, header.noise.frame_log2, start, last)
        sums = np.concatenate(([0], np.cumsum(macs)))
        total += float(sums[stop - start])
        peak = max(peak, float((sums[window:] - sums[:-window]).max(initial=0)))
    return FILTER_MACS + total / samples, FILTER_MACS + peak / window
