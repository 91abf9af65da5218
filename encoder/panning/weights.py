"""Weights of given atoms, all at once: least squares by conjugate gradients on the normal equations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from ..tones.lattice import envelope_norm, envelope_samples

Array = npt.NDArray[Any]
Samples = npt.NDArray[np.float64]
Weights = npt.NDArray[np.complex128]

_ROUNDS = 12
_CLOSE = 1e-4
"""Of the gradient's norm at the start, where the rounds end."""
_RIDGE = 0.03
"""Share of an atom's energy that counts as error of its weight: atoms that are nearly alike do not cancel out."""


class Atoms:
    """Tones as unit-energy complex atoms (see `tones.lattice`), to be summed and correlated with.

    onset, scale, bin  of the tones, shape (n,)
    samples            of the clip
    """

    def __init__(self, onset: Array, scale: Array, bin_: Array, samples: int) -> None:
        self._onset, self._bin = np.asarray(onset, np.int64), np.asarray(bin_, np.int64)
        scale = np.asarray(scale, np.int64)
        scales = np.unique(scale)
        windows = [envelope_samples(int(k)) / envelope_norm(int(k)) for k in scales]
        ends = np.concatenate([[0], np.cumsum([len(window) for window in windows])]).astype(np.int64)
        index = np.searchsorted(scales, scale)
        self._window = np.concatenate([*windows, np.zeros(0)])
        self._start, self._length = ends[index], ends[index + 1] - ends[index]
        self._samples = samples

    def __len__(self) -> int:
        return len(self._onset)

    def sum(self, weights: Weights) -> Samples:
        """Re(weight * atom), added up, shape (samples,)."""
        out = np.zeros(self._samples)
        _add(out, self._onset, self._bin, self._start, self._length, self._window, weights)
        return out

    def correlated(self, signal: Samples) -> Weights:
        """Gradient of the inner product of a signal with the sum, by real and imaginary parts, shape (n,)."""
        out = np.zeros(len(self), np.complex128)
        _correlate(signal, self._onset, self._bin, self._start, self._length, self._window, out)
        return out


def fit_weights(signal: Samples, atoms: Atoms) -> Weights:
    """The weights whose sum comes nearest to a signal, shape (n,)."""
    weights = np.zeros(len(atoms), np.complex128)
    rest = atoms.correlated(signal)
    along, size = rest.copy(), _squared(rest)
    enough = _CLOSE**2 * size
    for _ in range(_ROUNDS):
        if size <= enough or size == 0:
            break
        raised = atoms.correlated(atoms.sum(along)) + 0.5 * _RIDGE * along
        step = size / float(np.vdot(along, raised).real)
        weights += step * along
        rest -= step * raised
        size, before = _squared(rest), size
        along = rest + size / before * along
    return weights


def _squared(values: Weights) -> float:
    return float(np.vdot(values, values).real)


@njit(cache=True, fastmath=True)
def _add(out: Array, onset: Array, bin_: Array, start: Array, length: Array, window: Array, weights: Array) -> None:
    for n in range(len(onset)):
        angle = 2 * math.pi * bin_[n] / length[n]
        first = max(0, -onset[n])
        turn = complex(math.cos(angle), math.sin(angle))
        begin = angle * (first - length[n] // 2)
        wave = weights[n] * complex(math.cos(begin), math.sin(begin))
        for i in range(first, min(length[n], len(out) - onset[n])):
            out[onset[n] + i] += window[start[n] + i] * wave.real
            wave *= turn


@njit(cache=True, fastmath=True)
def _correlate(
    signal: Array, onset: Array, bin_: Array, start: Array, length: Array, window: Array, out: Array
) -> None:
    for n in range(len(onset)):
        angle = 2 * math.pi * bin_[n] / length[n]
        first = max(0, -onset[n])
        turn = complex(math.cos(angle), -math.sin(angle))
        begin = -angle * (first - length[n] // 2)
        wave = complex(math.cos(begin), math.sin(begin))
        total = complex(0.0, 0.0)
        for i in range(first, min(length[n], len(signal) - onset[n])):
            total += signal[onset[n] + i] * window[start[n] + i] * wave
            wave *= turn
        out[n] = total
