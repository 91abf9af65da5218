"""The ceilings that a stream guarantees: MACs a sample in every window of 20 ms, and tones held at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from audio_gs.codec.container import StreamHeader
from audio_gs.codec.cost import held_each_slot, macs_window, needed_from, slot_macs, slots_held
from audio_gs.codec.kinds import TONE
from audio_gs.codec.kinds.base import Table
from audio_gs.codec.kinds.tone import macs_each, macs_of_tones

Array = npt.NDArray[Any]


def peak_macs(macs: Array, window: int) -> float:
    """MACs a sample in the costliest window, of MACs at each sample; a clip shorter than the window costs all at
    once."""
    total = np.concatenate([[0], np.cumsum(macs)])
    return float(np.max(total[window:] - total[:-window], initial=0 if len(macs) >= window else total[-1])) / window


def within_macs(table: Table, energies: Array, header: StreamHeader, ceiling: int, other_macs: Array) -> Array:
    """Marks the tones to keep, shape (n,), so that no window of 20 ms costs more than `ceiling` MACs a sample, with
    `other_macs` at each sample beside the tones: the worst window loses the Gaussian with the least energy for its cost
    until none is over that has tones."""
    keep = np.ones(len(table), np.bool_)
    samples = header.samples
    window = macs_window(header.sample_rate)
    worth = energies / macs_each(table)
    first, last = needed_from(table, header), TONE.ends(table, header)
    macs = np.zeros(max(samples, window), np.int64)
    macs[:samples] = other_macs + macs_of_tones(table, 0, samples) + slot_macs(table, header, 0, samples)
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
            macs[:samples] -= macs_of_tones(gone, 0, samples) + slot_macs(gone, header, 0, samples)
        if not lost:
            return keep


def _worst_of_runs(over: Array, cost: Array, window: int) -> list[int]:
    """The costliest of each run of over-full windows."""
    if len(over) == 0:
        return []
    runs = np.split(over, np.flatnonzero(np.diff(over) > window) + 1)
    return [int(run[np.argmax(cost[run])]) for run in runs]


def within_held(table: Table, energies: Array, header: StreamHeader, ceiling: int) -> Array:
    """Marks the tones to keep, shape (n,), so that no more than `ceiling` are held in any slot: the fullest slot loses
    its weakest ones."""
    keep = np.ones(len(table), np.bool_)
    begin, last = slots_held(table["onset"].astype(np.int64), TONE.ends(table, header), header)
    while True:
        count = held_each_slot(table[keep], TONE, header)
        worst = int(np.argmax(count))
        excess = int(count[worst]) - ceiling
        if excess <= 0:
            return keep
        slot = worst - header.lead_slots
        here = np.flatnonzero(keep & (begin <= slot) & (last >= slot))
        keep[here[np.argsort(energies[here], kind="stable")[:excess]]] = False
