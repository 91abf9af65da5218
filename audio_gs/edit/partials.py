"""What tones have to do with each other: the partials that several of them make up together.

Transposed or stretched, each tone of a partial must go on where the one before it ends, or they cancel where they
overlap. So the frequency of the partial is read from their phases, and the phase that it gains by the change, (B - 1)
times what it has run through, is carried from tone to tone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from audio_gs.codec.kinds.base import Table
from audio_gs.codec.kinds.tone import support

from .tones import centres, frequencies, turns

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

_SHORT_SECONDS = 0.012
"""Tones up to this support have no partial's frequency but their own."""
_FREQUENCY_ROUNDS = 4
_NEAR = 1.25
"""How far apart two tones of a partial are in frequency at most, in units of the sum of 1 / support of both, to read
their frequency; twice as far for the rotation."""
_LARGEST_ERROR = 0.25
"""Turns between what two phases say and what is known of the frequency, up to which they count as one partial's."""
_OWN_SHARE = 0.02
"""What a tone's own bin counts beside what the phases say."""
_LEAST_LINK = 0.03
"""Of a tone's own weight, what those before it must weigh for it to go on from them."""


@njit(cache=True)
def _frequencies(middle: Array, length: Array, frequency: Array, amplitude: Array, phase: Array, short: float) -> Array:
    """Frequency of the partial at each tone, by least squares on the phases of those near it; in order of onset."""
    count = len(middle)
    longest = length.max() if count else 0.0
    found = frequency.copy()
    for _ in range(_FREQUENCY_ROUNDS):
        before = found.copy()
        for i in range(count):
            if length[i] <= short:
                continue
            own = _OWN_SHARE * amplitude[i] ** 2 * length[i] ** 3
            total, weights = own * frequency[i], own
            onset, end = middle[i] - length[i] / 2, middle[i] + length[i] / 2
            for way in (-1, 1):
                j = i + way
                while 0 <= j < count:
                    other = middle[j] - length[j] / 2
                    if other >= end or other + longest <= onset:
                        break
                    apart = middle[i] - middle[j]
                    near = _NEAR * (1 / length[i] + 1 / length[j])
                    away = abs(frequency[j] - frequency[i])
                    if abs(apart) >= 1 and 2 * abs(apart) < length[i] + length[j] and away < near:
                        mean = 0.5 * (before[i] + before[j])
                        error = phase[i] - phase[j] - mean * apart
                        error -= np.floor(error + 0.5)
                        if abs(error) < _LARGEST_ERROR:
                            weight = min(amplitude[j] ** 2 * length[j], 4 * amplitude[i] ** 2 * length[i])
                            weight *= (1 - away / near) * apart**2
                            total += weight * (mean + error / apart)
                            weights += weight
                    j += way
            limit = 1 / length[i]
            found[i] = min(max(total / weights, frequency[i] - limit), frequency[i] + limit)
    return found


@njit(cache=True)
def _rotations(middle: Array, length: Array, amplitude: Array, partial: Array, gained: float) -> Array:
    """Turns that each tone's phase gains, by the weighted mean direction over those that begin before it."""
    count = len(middle)
    longest = length.max() if count else 0.0
    rotation = np.zeros(count)
    for i in range(count):
        re = im = 0.0
        onset = middle[i] - length[i] / 2
        for j in range(i - 1, -1, -1):
            if middle[j] - length[j] / 2 + longest <= onset:
                break
            apart, reach = middle[i] - middle[j], 0.5 * (length[i] + length[j])
            near, away = 2 * _NEAR * (1 / length[i] + 1 / length[j]), abs(partial[i] - partial[j])
            if abs(apart) >= reach or away >= near:
                continue
            weight = amplitude[j] * np.sqrt(length[j]) * (1 - abs(apart) / reach) * (1 - away / near)
            turn = 2 * np.pi * (rotation[j] + gained * 0.5 * (partial[i] + partial[j]) * apart)
            re += weight * np.cos(turn)
            im += weight * np.sin(turn)
        if np.hypot(re, im) > _LEAST_LINK * amplitude[i] * np.sqrt(length[i]):
            rotation[i] = np.arctan2(im, re) / (2 * np.pi)
    return rotation


def carried_on(tones: Table, peaks: Floats, sample_rate: int, factor: float) -> tuple[Floats, Floats]:
    """Frequency of each tone's partial, in cycles a sample, and turns that its phase gains where the phases of partials
    run through `factor` times as much as before. `peaks`: of their envelopes, in any unit."""
    order = np.argsort(tones["onset"], kind="stable")
    middle, length = centres(tones)[order], support(tones["scale"]).astype(np.float64)[order]
    frequency, phase, amplitude = frequencies(tones)[order], turns(tones)[0, order], peaks[order]
    partial, rotation = np.zeros(len(tones)), np.zeros(len(tones))
    partial[order] = _frequencies(middle, length, frequency, amplitude, phase, _SHORT_SECONDS * sample_rate)
    rotation[order] = _rotations(middle, length, amplitude, partial[order], factor - 1)
    return partial, rotation
