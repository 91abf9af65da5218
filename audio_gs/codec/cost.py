"""What decoding costs, as SPEC counts it: multiplications, at the samples where the decoder does them; and the class
that a header states for it."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from .container import StreamHeader, held_after, warm_up_start
from .gaussians import RESIDUAL, Gaussians
from .kinds import Kind
from .kinds.base import Macs, Table
from .residual import macs_of_residual
from .tables import RENDER_BLOCK

WINDOW_SECONDS = 0.020
MACS_PER_GAUSSIAN = 32
MACS_PER_PANNED_GAUSSIAN = 48
_SPAN_SAMPLES = 1 << 20

Array = npt.NDArray[Any]


def macs_window(sample_rate: int) -> int:
    """Samples in 20 ms."""
    return max(1, round(WINDOW_SECONDS * sample_rate))


def slot_macs(table: Table, header: StreamHeader, start: int, stop: int) -> Macs:
    """The most MACs that decoding Gaussians of any kind can take at each of the samples start..stop-1: 32 each, where
    its slot is needed first, 48 of a stream with panned Gaussians."""
    macs = np.zeros(stop - start, np.int64)
    needed = needed_from(table, header)
    each = MACS_PER_PANNED_GAUSSIAN if header.panning else MACS_PER_GAUSSIAN
    np.add.at(macs, needed[(needed >= start) & (needed < stop)] - start, each)
    return macs


def needed_from(table: Table, header: StreamHeader) -> npt.NDArray[np.int64]:
    """The first sample for which a decoder must have decoded each Gaussian, shape (n,)."""
    slot_onset = table["onset"].astype(np.int64) >> header.slot_log2 << header.slot_log2
    return np.maximum(0, held_after(slot_onset, header.slots_ahead))


def macs_each_sample(gaussians: Gaussians, header: StreamHeader, start: int, stop: int) -> Macs:
    """MACs at each of the samples start..stop-1, shape (stop - start,), of all that decoding does but to find that
    slots are empty."""
    macs = np.full(stop - start, header.mix_macs, np.int64)
    for kind in header.kinds:
        table = gaussians[kind.name]
        macs += kind.macs(table, header, start, stop) + slot_macs(table, header, start, stop)
    if header.residual:
        macs += macs_of_residual(gaussians, header, start, stop)
    return macs


def macs_per_sample(gaussians: Gaussians, header: StreamHeader) -> tuple[float, float]:
    """Mean over the clip and peak over any window of 20 ms, in MACs a sample."""
    samples = header.samples
    window = macs_window(header.sample_rate)
    # The end of each scale of a slot takes a bit.
    slot = sum(kind.scales(header) for kind in header.kinds)
    slots = (window >> header.slot_log2) + 2
    total = slot * (header.slots + header.lead_slots)
    peak = header.mix_macs * window + sum(kind.most_silent_macs(header, window) for kind in header.kinds)
    spans = {kind.name: _spans(gaussians[kind.name], kind, header) for kind in header.kinds}
    # In spans, so that the memory that a stream asks for does not grow with the length that its header states.
    for start in range(0, samples, _SPAN_SAMPLES):
        stop = min(samples, start + _SPAN_SAMPLES)
        last = min(samples, stop + window - 1)
        near = {name: gaussians[name][_near(*of_kind, start, last)] for name, of_kind in spans.items()}
        here = Gaussians({**near, RESIDUAL: gaussians[RESIDUAL]})
        silent = [kind.silent_macs(header, start, stop) for kind in header.kinds]
        if here.total == 0 and start > 0 and None not in silent:
            total += header.mix_macs * (stop - start) + sum(macs for macs in silent if macs is not None)
            continue
        sums = np.concatenate(([0], np.cumsum(macs_each_sample(here, header, start, last))))
        total += int(sums[stop - start])
        # A clip that is shorter than the window costs all at once.
        peak = max(peak, int((sums[window:] - sums[:-window]).max(initial=0)), int(sums[-1]) if samples < window else 0)
    return total / samples, (peak + slot * slots) / window


def _spans(table: Table, kind: Kind, header: StreamHeader) -> tuple[Array, Array]:
    """From where on, and up to where, each Gaussian costs something."""
    return needed_from(table, header), kind.ends(table, header)


def _near(needed: Array, end: Array, start: int, last: int) -> npt.NDArray[np.bool_]:
    """Marks what costs something at the samples start..last-1."""
    near = (needed < last) & (end > (start if start > 0 else warm_up_start(0)))
    return near | (needed == 0 if start == 0 else (needed >= start) & (needed < last))


def slots_held(onset: Array, end: Array, header: StreamHeader) -> tuple[Array, Array]:
    """First and last slot in which a decoder holds each Gaussian (SPEC P1); given are the first sample of each and the
    one after its last."""
    begin = onset >> header.slot_log2
    # The first slot whose samples lie so far behind the end that it drops what ended there, less one.
    last = (-(-end // RENDER_BLOCK) * RENDER_BLOCK + header.slots_ahead - 1) >> header.slot_log2
    return begin, np.maximum(begin, np.where(end <= warm_up_start(0), begin, last))


def held_each_slot(table: Table, kind: Kind, header: StreamHeader) -> npt.NDArray[np.int64]:
    """Gaussians of a kind that a decoder holds in each slot from the first one, -header.lead_slots, on."""
    begin, last = slots_held(table["onset"].astype(np.int64), kind.ends(table, header), header)
    change = np.zeros(header.slots + header.lead_slots + 1, np.int64)
    np.add.at(change, begin + header.lead_slots, 1)
    np.add.at(change, np.minimum(last + 1, header.slots) + header.lead_slots, -1)
    return np.cumsum(change[:-1])


def with_class(header: StreamHeader, gaussians: Gaussians) -> StreamHeader:
    """The header with the class that decoding these Gaussians takes: how many of each kind are held at a time, and the
    peak of MACs a sample."""
    for kind in header.kinds:
        held = held_each_slot(gaussians[kind.name], kind, header)
        header = kind.with_capacity(header, max(1, int(held.max(initial=0))))
    return dataclasses.replace(header, peak_macs=math.ceil(macs_per_sample(gaussians, header)[1]))
