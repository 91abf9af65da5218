"""Two channels (SPEC 10): the header's fields on them, and output samples of left and right from those of mid and side.
Integer.

What mid and side are made of is in the rooms of the kinds: a tone has a part of the side, a noise two weights in it."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from .kinds.base import HeaderLimit
from .tables import COSINE_STEPS, LARGEST_SIDE_STEP, cosine

DIRECTIONS = 256
"""Of half a turn."""
LARGEST_DIRECTION = DIRECTIONS - 1
CENTRE = DIRECTIONS // 4
PANNED_BIT = 4
"""Of panned Gaussians, among those of the kinds."""
GAIN_OF_ONE = 1 << 14

LARGEST_STEP = (1 << 16) - 1
"""To which mid and side are limited, either way, before they are mixed, so that sums fit 32 bits."""


@dataclasses.dataclass(frozen=True)
class PanningHeader:
    """The header's fields on panned Gaussians."""

    side_step: int
    """By how much the amplitude step of the side is larger than that of the mid, in quarters of an octave."""
    side_base: int
    """By how much the level of the side's own noise is above that of the mid's where no noise Gaussian says otherwise,
    in half octaves of amplitude (3 dB)."""

    def limits(self) -> tuple[HeaderLimit, ...]:
        """What the fields may be."""
        return (
            HeaderLimit("step of the side", self.side_step, 0, LARGEST_SIDE_STEP),
            HeaderLimit("noise base of the side", self.side_base, -128, 127),
        )


PANNING_BYTES = 2


def parse_part(part: bytes) -> PanningHeader:
    """The header's part on panned Gaussians from its bytes."""
    step, base = part
    return PanningHeader(step, base - ((base & 128) << 1))


def pack_part(part: PanningHeader) -> bytes:
    """The part's bytes."""
    return bytes((part.side_step, part.side_base & 0xFF))


def direction_gains(direction: int) -> tuple[int, int]:
    """What left and right have of the mid, in 1/16384; the larger one, but for its sign, is 1."""
    left, right = (int(cosine()[at % COSINE_STEPS]) for at in (2 * direction, 2 * direction - COSINE_STEPS // 4))
    sign, left = (-1 if left < 0 else 1), abs(left)
    if left >= right:
        return sign * GAIN_OF_ONE, (right << 14) // left
    return sign * ((left << 14) // right), GAIN_OF_ONE


def direction_of(left: float, right: float) -> int:
    """The direction in which left and right have these parts of the mid, or both with the other sign; not both 0."""
    return round(math.atan2(right, left) / math.pi * DIRECTIONS) % DIRECTIONS


def position_of(left: npt.ArrayLike, right: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Where sounds lie between left, -1, and right, 1, that are as loud as these amplitudes in the channels: the far
    channel has 1 - |position| of what the near one has, as the mixer of the C library pans. 0 for silence."""
    left, right = np.abs(np.asarray(left, np.float64)), np.abs(np.asarray(right, np.float64))
    near, far = np.maximum(left, right), np.minimum(left, right)
    return np.where(right >= left, 1.0, -1.0) * (1 - np.where(near > 0, far / np.where(near > 0, near, 1), 1.0))


def angle_of_position(position: float) -> float:
    """The angle in radians, from left, 0, to right, pi / 2, of a sound at a position, -1..1."""
    return math.atan2(1 + min(position, 0.0), 1 - max(position, 0.0))


def left_and_right(direction: int, mid: npt.NDArray[np.int64], side: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Output steps of left and right, shape (2, n), not yet saturated, from those of mid and side, shape (n,)."""
    left, right = direction_gains(direction)
    mid, side = (np.clip(steps, -LARGEST_STEP, LARGEST_STEP) for steps in (mid, side))
    half = GAIN_OF_ONE >> 1
    return np.stack([(left * mid - right * side + half) >> 14, (right * mid + left * side + half) >> 14])


def mix_macs(channels: int, panning: PanningHeader | None) -> int:
    """MACs a sample that left and right take."""
    return 0 if channels == 1 else 4 if panning else 2
