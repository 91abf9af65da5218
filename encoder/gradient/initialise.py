"""Where Gaussians can start instead of at pursuit's choice: peaks, random, uniform.

All three read amplitude and phase from the signal's correlation with each place. Nothing is subtracted in between, so
Gaussians that overlap claim the same energy; one common gain, the best in the sense of least squares, mends the sum.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter

from audio_gs.codec.kinds import TONE
from audio_gs.codec.kinds.base import Table
from audio_gs.codec.kinds.tone import support
from audio_gs.codec.tables import LARGEST_AMPLITUDE, phase_bits

from ..options import EncoderOptions
from ..tones.lattice import Geometry, correlate, envelope_norm, envelope_samples, make_geometry
from ..tones.pursuit import RECONSTRUCTION, Pursuit

_LOWEST_HZ = 50.0
_STRETCH_SAMPLES = 1 << 20
"""Length of clip whose correlations are held at a time."""


def initialise(
    options: EncoderOptions,
    signal: npt.NDArray[np.float64],
    sample_rate: int,
    layout: tuple[int, int],
    step: float,
    count: int,
) -> Table:
    """Up to `count` Gaussians for a signal in output steps, shape (samples,), by `options.initialisation`.

    layout is (smallest scale, scales), step the amplitude step in the unit of alpha.
    """
    smallest_scale, scales = layout
    pursuit = Pursuit(signal, smallest_scale, scales, step)
    if options.initialisation == "pursuit":
        return pursuit.picked(count, 0.0).table()
    if options.initialisation == "peaks":
        table = _peaks(signal, smallest_scale, scales, count)
    elif options.initialisation == "random":
        random = np.random.default_rng(options.seed)
        time, height = random.random(count), random.random(count)
        table = _nearest_places(
            len(signal), sample_rate, random.integers(smallest_scale, smallest_scale + scales, count), time, height
        )
    else:
        # A lattice by the golden ratio covers the plane of time and height evenly for any count.
        time, height = (np.arange(count) + 0.5) / count, np.arange(count) * (math.sqrt(5) - 1) / 2 % 1
        table = _nearest_places(len(signal), sample_rate, smallest_scale + np.arange(count) % scales, time, height)
    weight = _correlations(signal, table)
    _set_weights(table, weight, step)
    rendered = pursuit.with_table(table).rendering()
    energy = float(rendered @ rendered)
    gain = max(0.0, float(rendered @ signal) / energy) if energy > 0 else 1.0
    _set_weights(table, gain * weight, step)
    return table


def bark(hertz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Critical-band rate (Traunmueller 1990)."""
    frequency = np.asarray(hertz, np.float64)
    return 26.81 * frequency / (1960 + frequency) - 0.53


def _hertz(bark_rate: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return 1960 * (bark_rate + 0.53) / (26.28 - bark_rate)


def _nearest_places(
    samples: int,
    sample_rate: int,
    scale: npt.NDArray[np.int64],
    time: npt.NDArray[np.float64],
    height: npt.NDArray[np.float64],
) -> Table:
    """Gaussians at the lattice places nearest to times (0..1 of the clip) and heights (0..1 of the Bark scale)."""
    low, high = bark(_LOWEST_HZ), bark(sample_rate / 2)
    frequency = _hertz(low + height * (high - low))
    length = support(scale)
    hop = length // 4
    place = np.rint((time * samples - length / 2) / hop).astype(np.int64)
    table = TONE.empty(len(scale))
    table["scale"] = scale
    table["onset"] = np.clip(place, -((length - 1) // hop), (samples - 1) // hop) * hop
    table["bin"] = np.clip(np.rint(frequency * length / sample_rate), 0, length // 2 - 1)
    return table


def _peaks(signal: npt.NDArray[np.float64], smallest_scale: int, scales: int, count: int) -> Table:
    """Gaussians at the largest correlations that none beside them exceeds."""
    cuts = range(_STRETCH_SAMPLES, len(signal) - _STRETCH_SAMPLES // 2, _STRETCH_SAMPLES)
    tables, sizes = [], []
    for begin, end in zip([None, *cuts], [*cuts, None], strict=True):
        geometry = make_geometry(len(signal), smallest_scale, scales, begin, end)
        table, size = _peaks_of_stretch(correlate(signal, geometry, smallest_scale), geometry, smallest_scale)
        tables.append(table)
        sizes.append(size)
    order = np.argsort(-np.concatenate(sizes), kind="stable")[:count]
    return np.concatenate(tables)[order]


def _peaks_of_stretch(
    cells: npt.NDArray[np.complex64], geometry: Geometry, smallest_scale: int
) -> tuple[Table, npt.NDArray[np.float32]]:
    """Peaks in their scale that no correlation beside that place in the next scales exceeds, and their power."""
    scales = len(geometry.support)
    powers = []
    for j in range(scales):
        own = cells[geometry.cells[j] : geometry.cells[j + 1]]
        powers.append((own.real**2 + own.imag**2).reshape(int(geometry.frames[j]), int(geometry.bins[j])))
    around = [maximum_filter(power, 3, mode="constant") for power in powers]
    tables, sizes = [], []
    for j, power in enumerate(powers):
        frame, bin_ = np.nonzero((power == around[j]) & (power > 0))
        size = power[frame, bin_]
        onset = geometry.first[j] + frame * geometry.hop[j]
        highest = np.ones(len(frame), np.bool_)
        for other in (j - 1, j + 1):
            if not 0 <= other < scales or not len(powers[other]):
                continue
            near = onset + (geometry.support[j] - geometry.support[other]) / 2 - geometry.first[other]
            near_frame = np.clip(np.rint(near / geometry.hop[other]).astype(np.int64), 0, len(powers[other]) - 1)
            near_bin = bin_ * geometry.support[other] // geometry.support[j]
            highest &= size >= around[other][near_frame, near_bin]
        table = TONE.empty(int(highest.sum()))
        table["scale"] = smallest_scale + j
        table["onset"] = onset[highest]
        table["bin"] = bin_[highest]
        tables.append(table)
        sizes.append(size[highest])
    return np.concatenate(tables), np.concatenate(sizes)


def _correlations(signal: npt.NDArray[np.float64], table: Table) -> npt.NDArray[np.complex128]:
    """The weight that would fit each place best if it were alone, shape (n,)."""
    windows = {k: envelope_samples(k) / envelope_norm(k) for k in np.unique(table["scale"]).tolist()}
    weight = np.zeros(len(table), np.complex128)
    for i, row in enumerate(table):
        window = windows[int(row["scale"])]
        onset, length = int(row["onset"]), len(window)
        first, end = max(0, onset), min(len(signal), onset + length)
        turns = row["bin"] / length * (np.arange(first, end) - onset - length // 2)
        wave = window[first - onset : end - onset] * np.exp(-2j * np.pi * turns)
        weight[i] = np.dot(signal[first:end], wave)
    return np.where(table["bin"] == 0, weight.real, 2 * weight)


def _set_weights(table: Table, weight: npt.NDArray[np.complex128], step: float) -> None:
    """Gives the Gaussians the nearest amplitudes, not below the smallest, and phases."""
    index = np.rint(np.abs(weight) / step - RECONSTRUCTION).astype(np.int64)
    table["amplitude"] = np.clip(index, 1, LARGEST_AMPLITUDE)
    phases = np.int64(1) << phase_bits()[table["amplitude"]]
    table["phase"] = np.rint(np.angle(weight) / (2 * np.pi) * phases).astype(np.int64) & (phases - 1)
