"""Playing a stream otherwise than it was encoded (SPEC 9): the settings, the gain, and spectra of frames of noise that
are drawn altogether. Integer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .kinds import KINDS
from .kinds.base import Muted
from .pcm import PcmArray, to_pcm

if TYPE_CHECKING:
    from .container import StreamHeader

GAIN_ONE = 1 << 13
LARGEST_GAIN = (1 << 15) - 1
HIGHEST_MUTE = 65535
"""Hz."""
LONGEST_FADE = (1 << 31) - 1

MUTABLE = (*(kind.name for kind in KINDS), "residual")
"""What can be muted, in the order of the bits of `gs_set_mute`."""

_LARGEST_STEP = 1 << 16
"""To which the sum of all is limited before the gain."""


def kind_bits(kinds: Iterable[str]) -> int:
    """The bits of `gs_set_mute`. ValueError for a name that is none of `MUTABLE`."""
    bits = 0
    for name in kinds:
        if name not in MUTABLE:
            raise ValueError(f"cannot mute {name!r}; there are {', '.join(MUTABLE)}")
        bits |= 1 << MUTABLE.index(name)
    return bits


def muted(header: StreamHeader, kinds: int, low: int, high: int) -> Muted:
    """What is left out, of the bits of kinds and of frequencies from `low` Hz on and below `high`."""
    names = frozenset(name for bit, name in enumerate(MUTABLE) if kinds >> bit & 1)
    steps = (min((hertz << 16) // header.sample_rate, 65535) for hertz in (low, high))
    return Muted(names, *steps)


class Gain:
    """The gain from sample to sample."""

    def __init__(self) -> None:
        self._gain = GAIN_ONE << 16
        self._change = 0
        self._fading = 0
        self._after = GAIN_ONE

    def fade(self, gain: int, samples: int) -> None:
        """Move to a gain of 0..LARGEST_GAIN in so many samples; in none at once."""
        self._after, self._fading = gain, samples
        if samples == 0:
            self._gain, self._change = gain << 16, 0
            return
        way = (gain << 16) - self._gain
        self._change = way // samples if way >= 0 else -(-way // samples)

    def applied(self, steps: npt.NDArray[np.int64]) -> PcmArray:
        """The samples of the next output steps, shape (n,); the gain moves on."""
        age = np.arange(len(steps))
        gains = np.where(age < self._fading, self._gain + age * self._change, self._after << 16) >> 16
        if self._fading == 0:
            gains = np.full(len(steps), self._gain >> 16)
        elif len(steps) < self._fading:
            self._gain += len(steps) * self._change
            self._fading -= len(steps)
        else:
            self._gain, self._change, self._fading = self._after << 16, 0, 0
        limited = np.clip(steps, -_LARGEST_STEP, _LARGEST_STEP - 1)
        return to_pcm((limited * gains + (GAIN_ONE >> 1)) >> 13)
