"""What rendering a table of Gaussians costs, as SPEC 5 counts it: MACs a sample, and Gaussians held at a
time."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .tables import ENVELOPE_SEGMENTS

WINDOW_SECONDS = 0.020
MACS_PER_ENVELOPE_SEGMENT = 2
_BLOCK_SAMPLES = 1 << 20

Table = npt.NDArray[Any]


def macs_each_sample(table: Table, samples: int) -> npt.NDArray[np.int64]:
    """MACs that each of the samples 0..samples-1 costs, shape (samples,): one for each Gaussian that sounds
    there, two more where one of its envelope segments begins."""
    onset = table["onset"].astype(np.int64)
    scale = table["scale"].astype(np.int64)
    steps = np.zeros(samples + 1, np.int64)
    np.add.at(steps, np.clip(onset, 0, samples), 1)
    np.add.at(steps, np.clip(onset + (ENVELOPE_SEGMENTS << scale), 0, samples), -1)
    macs = np.cumsum(steps[:-1])
    starts = (onset[:, None] + (np.arange(ENVELOPE_SEGMENTS) << scale[:, None])).ravel()
    starts = starts[(starts >= 0) & (starts < samples)]
    macs += MACS_PER_ENVELOPE_SEGMENT * np.bincount(starts, minlength=samples)
    return macs


def macs_per_sample(table: Table, samples: int, sample_rate: int) -> tuple[float, float]:
    """Mean over the clip and peak over any window of 20 ms, in MACs a sample."""
    window = min(samples, max(1, round(WINDOW_SECONDS * sample_rate)))
    onset = table["onset"].astype(np.int64)
    end = onset + (ENVELOPE_SEGMENTS << table["scale"].astype(np.int64))
    total = peak = 0
    # In blocks, so that the memory that a stream asks for does not grow with the length that its header states.
    for start in range(0, samples, _BLOCK_SAMPLES):
        stop = min(samples, start + _BLOCK_SAMPLES)
        last = min(samples, stop + window - 1)
        near = table[(onset < last) & (end > start)]
        if len(near) == 0:
            continue
        near["onset"] -= start
        sums = np.concatenate(([0], np.cumsum(macs_each_sample(near, last - start))))
        total += int(sums[stop - start])
        peak = max(peak, int((sums[window:] - sums[:-window]).max(initial=0)))
    return total / samples, peak / window
