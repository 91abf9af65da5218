"""The direction of a stereo clip: the angle between its channels along which most of it lies."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from audio_gs.codec.stereo import DIRECTIONS, GAIN_OF_ONE, direction_gains

from ..perception import Listener

Samples = npt.NDArray[np.float64]

_VAGUE = 0.3
"""Difference of the energies along and across the principal axis, by their sum, below which the direction is drawn to
the centre: where the channels have little in common, a mono player, which gives the mid alone, is to hear both."""

_UNHEARD = 0.02
"""Distance from the channels below which what differs is not heard beside what coding does."""


def principal_direction(pair: Samples) -> int:
    """The direction, 0..255, along which most of a clip lies, shape (n, 2); the centre for silence."""
    left, right = pair.T
    difference, product = float(left @ left) - float(right @ right), 2 * float(left @ right)
    energy = float(np.sum(pair**2))
    towards_centre = max(0.0, _VAGUE * energy - math.hypot(difference, product))
    if energy == 0:
        towards_centre = 1.0
    # Twice the angle of the principal axis of the channels' covariance.
    double = math.atan2(product + towards_centre, difference)
    return round(DIRECTIONS * double / (2 * math.pi)) % DIRECTIONS


def _gains(direction: int) -> tuple[float, float]:
    """Of the mid in the left and the right channel."""
    left, right = direction_gains(direction)
    return left / GAIN_OF_ONE, right / GAIN_OF_ONE


def turned(pair: Samples, direction: int) -> tuple[Samples, Samples]:
    """Mid and side of a clip, each of shape (n,)."""
    left, right = _gains(direction)
    norm = left**2 + right**2
    return (left * pair[:, 0] + right * pair[:, 1]) / norm, (left * pair[:, 1] - right * pair[:, 0]) / norm


def is_enough(direction: int, pair: Samples, sample_rate: int) -> bool:
    """Whether the direction alone, each channel a copy of the mid, comes so near to a clip, shape (n, 2), that nothing
    coded beside it is heard."""
    copies = turned_back(turned(pair, direction)[0], None, direction)
    return Listener(in_a_row(pair), sample_rate).distance(in_a_row(copies)) < _UNHEARD


def in_a_row(pair: Samples) -> Samples:
    """One channel behind the other, so that a listener hears both by the loudness of the louder one: shape (2 n,)."""
    return pair.T.ravel()


def turned_back(mid: Samples, side: Samples | None, direction: int) -> Samples:
    """The channels of mid and side, shape (n, 2)."""
    left, right = _gains(direction)
    pair = np.stack([left * mid, right * mid], axis=1)
    if side is not None:
        pair += np.stack([-right * side, left * side], axis=1)
    return pair
