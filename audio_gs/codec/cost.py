"""What decoding costs, as SPEC 5 and 7 count it: multiplications, at the samples where the decoder does them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from audio_gs.gaussians import ends, noises, tones

from . import dequantise
from .container import StreamHeader, held_after, warm_up_start
from .tables import (
    BARK_BANDS,
    ENVELOPE_SEGMENTS,
    HALF_BAND_TAPS,
    LEVELS,
    MACS_PER_PIECE,
    NOISE_NARROWEST_SUPPORT,
    NOISE_SCALES,
    NOISE_SHORTEST_SUPPORT,
    RENDER_BLOCK,
    WARM_UP_BLOCKS,
)

WINDOW_SECONDS = 0.020
MACS_PER_GAUSSIAN = 32
FILTER_MACS = round(RENDER_BLOCK * HALF_BAND_TAPS * (1 - 0.5 ** (LEVELS - 1)))
"""What the half-band filters cost in a block: of each two samples of a level one is made of others."""
_SPAN_SAMPLES = 1 << 20

Table = npt.NDArray[Any]
Macs = npt.NDArray[np.int64]


@njit(cache=True)
def _add_tones(macs: Any, start: int, levels: Any, scales: Any, onsets: Any) -> None:
    """Adds what the tones cost in each block to macs[0..], which begins at sample `start`, at the block's first sample;
    blocks before sample 0 are made with the one that begins there."""
    for g in range(len(levels)):
        level, scale, onset = levels[g], scales[g] - levels[g], onsets[g] >> levels[g]
        ahead = (8 << level) - 8
        size = RENDER_BLOCK >> level
        support = ENVELOPE_SEGMENTS << scale
        block = max(-WARM_UP_BLOCKS, ((onset << level) - ahead) // RENDER_BLOCK)
        if start > 0:
            block = max(block, -(-start // RENDER_BLOCK))
        while max(0, block * RENDER_BLOCK) < start + len(macs):
            begin = (block * RENDER_BLOCK + ahead) >> level
            age = max(0, begin - onset)
            count = min(begin + size - onset, support) - age
            if begin - onset >= support:
                break
            if count > 0:
                pieces = ((age + count - 1) >> scale) - (age >> scale) + 1
                macs[max(0, block * RENDER_BLOCK) - start] += count + MACS_PER_PIECE * pieces
            block += 1


def macs_window(sample_rate: int) -> int:
    """Samples in 20 ms."""
    return max(1, round(WINDOW_SECONDS * sample_rate))


def tone_macs(table: Table, start: int, stop: int) -> Macs:
    """MACs of rendering tone Gaussians at each of the samples start..stop-1, shape (stop - start,): one for each sample
    that the decoder makes of them at their level, four more for each straight piece of the envelope in a block."""
    macs = np.zeros(stop - start, np.int64)
    scale = table["scale"].astype(np.int64)
    _add_tones(macs, start, dequantise.level(table["bin"], scale), scale, table["onset"].astype(np.int64))
    return macs


def macs_of_tones(table: Table) -> npt.NDArray[np.float64]:
    """About what each tone Gaussian costs in MACs, shape (n,)."""
    scale = table["scale"].astype(np.int64)
    sounding = ENVELOPE_SEGMENTS << scale
    pieces = np.maximum(ENVELOPE_SEGMENTS, sounding // RENDER_BLOCK)
    return sounding * 0.5 ** dequantise.level(table["bin"], scale) + MACS_PER_PIECE * pieces


def filter_macs(start: int, stop: int) -> Macs:
    """MACs of the half-band filters at each of the samples start..stop-1."""
    macs = np.zeros(stop - start, np.int64)
    macs[-start % RENDER_BLOCK :: RENDER_BLOCK] = FILTER_MACS
    if start == 0:
        macs[0] += WARM_UP_BLOCKS * FILTER_MACS
    return macs


def slot_macs(table: Table, header: StreamHeader, start: int, stop: int) -> Macs:
    """The most MACs that decoding Gaussians of any kind can take at each of the samples start..stop-1: 32 each, where
    its slot is needed first."""
    macs = np.zeros(stop - start, np.int64)
    needed = needed_from(table, header)
    np.add.at(macs, needed[(needed >= start) & (needed < stop)] - start, MACS_PER_GAUSSIAN)
    return macs


def needed_from(table: Table, header: StreamHeader) -> npt.NDArray[np.int64]:
    """The first sample for which a decoder must have decoded each Gaussian, shape (n,)."""
    slot_onset = table["onset"].astype(np.int64) >> header.slot_log2 << header.slot_log2
    return np.maximum(0, held_after(slot_onset))


def noise_macs_each_frame(table: Table, frame_log2: int, first_frame: int, frames: int) -> Macs:
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


def noise_macs(table: Table, frame_log2: int, start: int, stop: int) -> Macs:
    """MACs of noise at each of the samples start..stop-1: a frame's in the first sample that needs it."""
    macs = np.zeros(stop - start, np.int64)
    first = 0 if start == 0 else -(-start >> frame_log2) + 1
    frames = ((stop - 1) >> frame_log2) + 2 - first
    if frames > 0:
        needed = np.maximum(0, (np.arange(first, first + frames) - 1) << frame_log2)
        np.add.at(macs, needed - start, noise_macs_each_frame(table, frame_log2, first, frames))
    return macs


def macs_each_sample(table: Table, header: StreamHeader, start: int, stop: int) -> Macs:
    """MACs at each of the samples start..stop-1, shape (stop - start,), of all that decoding does but to find that
    slots are empty."""
    macs = filter_macs(start, stop) + tone_macs(tones(table), start, stop) + slot_macs(table, header, start, stop)
    if header.noise:
        macs += noise_macs(noises(table), header.noise.frame_log2, start, stop)
    return macs


def macs_per_sample(table: Table, header: StreamHeader) -> tuple[float, float]:
    """Mean over the clip and peak over any window of 20 ms, in MACs a sample."""
    samples = header.samples
    window = macs_window(header.sample_rate)
    # The end of each scale of a slot takes a bit.
    slot = header.scales + (NOISE_SCALES if header.noise else 0)
    slots = (window >> header.slot_log2) + 2
    total = slot * (header.slots + header.lead_slots)
    peak = FILTER_MACS * -(-window // RENDER_BLOCK)
    needed, end = needed_from(table, header), ends(table, header)
    # In spans, so that the memory that a stream asks for does not grow with the length that its header states.
    for start in range(0, samples, _SPAN_SAMPLES):
        stop = min(samples, start + _SPAN_SAMPLES)
        last = min(samples, stop + window - 1)
        near = (needed < last) & (end > (start if start > 0 else warm_up_start(0)))
        near |= needed == 0 if start == 0 else (needed >= start) & (needed < last)
        if not near.any() and header.noise is None and start > 0:
            total += FILTER_MACS * len(range(-start % RENDER_BLOCK, stop - start, RENDER_BLOCK))
            continue
        sums = np.concatenate(([0], np.cumsum(macs_each_sample(table[near], header, start, last))))
        total += int(sums[stop - start])
        # A clip that is shorter than the window costs all at once.
        peak = max(peak, int((sums[window:] - sums[:-window]).max(initial=0)), int(sums[-1]) if samples < window else 0)
    return total / samples, (peak + slot * slots) / window
