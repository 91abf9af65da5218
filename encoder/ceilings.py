"""The ceilings that a stream guarantees: MACs a sample in every window of 20 ms, and Gaussians held at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from audio_gs.codec.container import StreamHeader, warm_up_start
from audio_gs.codec.cost import macs_of_tones, macs_window, needed_from, slot_macs, tone_macs
from audio_gs.codec.tables import CONTEXTS_PER_SCALE, NOISE_CONTEXTS, RENDER_BLOCK
from audio_gs.gaussians import GaussianTable, ends, support

Array = npt.NDArray[Any]


_FIXED_BYTES = 764
_NOISE_BYTES = 84
_BYTES_A_TONE, _BYTES_A_NOISE, _BYTES_A_FRAME_SAMPLE, _BYTES_A_CONTEXT = 12, 4, 3, 2
"""What the decoder's memory consists of on a 32-bit core, as its header reckons it."""


def most_active(memory: int, scales: int, max_noise: int, frame_samples: int) -> int:
    """Tone Gaussians that a decoder with noise can hold in so many bytes on a 32-bit core."""
    contexts = CONTEXTS_PER_SCALE * scales + NOISE_CONTEXTS
    noise = _NOISE_BYTES + _BYTES_A_NOISE * max_noise + _BYTES_A_FRAME_SAMPLE * frame_samples
    return (memory - _FIXED_BYTES - _BYTES_A_CONTEXT * contexts - noise) // _BYTES_A_TONE


def held_at_most(onset: Array, end: Array, slot_log2: int, first_slot: int, slots: int) -> int:
    """The largest number of Gaussians that a decoder holds in any slot from `first_slot` on; given are the first sample
    of each and the one after its last."""
    return int(_held_each_slot(onset, end, slot_log2, first_slot, slots).max(initial=0))


def _held_each_slot(onset: Array, end: Array, slot_log2: int, first_slot: int, slots: int) -> npt.NDArray[np.int64]:
    begin, last = _slots_of(onset, end, slot_log2)
    change = np.zeros(slots - first_slot + 1, np.int64)
    np.add.at(change, begin - first_slot, 1)
    np.add.at(change, np.minimum(last + 1, slots) - first_slot, -1)
    return np.cumsum(change[:-1])


def _slots_of(onset: Array, end: Array, slot_log2: int) -> tuple[Array, Array]:
    """First and last slot in which a decoder holds each Gaussian (SPEC R5)."""
    begin = onset >> slot_log2
    # The first slot whose samples lie so far behind the end that it drops what ended there, less one.
    last = (-(-end // RENDER_BLOCK) * RENDER_BLOCK + RENDER_BLOCK - 1) >> slot_log2
    return begin, np.maximum(begin, np.where(end <= warm_up_start(0), begin, last))


def peak_macs(macs: Array, window: int) -> float:
    """MACs a sample in the costliest window, of MACs at each sample; a clip shorter than the window costs all at
    once."""
    total = np.concatenate([[0], np.cumsum(macs)])
    return float(np.max(total[window:] - total[:-window], initial=0 if len(macs) >= window else total[-1])) / window


def within_macs(table: GaussianTable, energies: Array, header: StreamHeader, ceiling: int, other_macs: Array) -> Array:
    """Marks the tones to keep, shape (n,), so that no window of 20 ms costs more than `ceiling` MACs a sample, with
    `other_macs` at each sample beside the tones: the worst window loses the Gaussian with the least energy for its cost
    until none is over that has tones."""
    keep = np.ones(len(table), np.bool_)
    samples = header.samples
    window = macs_window(header.sample_rate)
    worth = energies / macs_of_tones(table)
    first, last = needed_from(table, header), ends(table, header)
    macs = np.zeros(max(samples, window), np.int64)
    macs[:samples] = other_macs + tone_macs(table, 0, samples) + slot_macs(table, header, 0, samples)
    while True:
        total = np.concatenate([[0], np.cumsum(macs)])
        cost = total[window:] - total[:-window]
        over = np.flatnonzero(cost > ceiling * window)
        lost = False
        for start in _worst_of_runs(over, cost, window):
            here = np.flatnonzero(keep & (first < start + window) & (last > start))
            if len(here) == 0:
                # What an earlier run lost reached as far as here.
                continue
            victim = here[np.argmin(worth[here])]
            keep[victim] = False
            lost = True
            gone = table[victim : victim + 1]
            macs[:samples] -= tone_macs(gone, 0, samples) + slot_macs(gone, header, 0, samples)
        if not lost:
            return keep


def _worst_of_runs(over: Array, cost: Array, window: int) -> list[int]:
    """The costliest of each run of over-full windows."""
    if len(over) == 0:
        return []
    runs = np.split(over, np.flatnonzero(np.diff(over) > window) + 1)
    return [int(run[np.argmax(cost[run])]) for run in runs]


def within_active(
    table: GaussianTable, energies: Array, slot_log2: int, first_slot: int, slots: int, ceiling: int
) -> Array:
    """Marks the Gaussians to keep, shape (n,), so that no more than `ceiling` are held in any slot: the fullest
    slot loses its weakest ones."""
    keep = np.ones(len(table), np.bool_)
    onset = table["onset"].astype(np.int64)
    end = onset + support(table["scale"])
    begin, last = _slots_of(onset, end, slot_log2)
    while True:
        count = _held_each_slot(onset[keep], end[keep], slot_log2, first_slot, slots)
        worst = int(np.argmax(count))
        excess = int(count[worst]) - ceiling
        if excess <= 0:
            return keep
        slot = worst + first_slot
        here = np.flatnonzero(keep & (begin <= slot) & (last >= slot))
        keep[here[np.argsort(energies[here], kind="stable")[:excess]]] = False
