"""Playing a stream otherwise than it was encoded (SPEC 9): the settings, the gain, and spectra of frames of noise that
are drawn altogether. Integer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from numba import njit

from .kinds import KINDS
from .kinds.base import PITCH_ONE, Array, Muted, Pace, Table
from .kinds.tone import PLAYED_TONE_DTYPE, amplitude, centres_at_pace, phase, support
from .pcm import PcmArray, to_pcm
from .symbols import log2_level

if TYPE_CHECKING:
    from .container import StreamHeader
    from .pace import Clock

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


def muted(rate: int, kinds: int, low: int, high: int) -> Muted:
    """What is left out of samples of a rate in Hz: of the bits of kinds, and of frequencies from `low` Hz on and below
    `high`."""
    names = frozenset(name for bit, name in enumerate(MUTABLE) if kinds >> bit & 1)
    steps = (min((hertz << 16) // rate, 65535) for hertz in (low, high))
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
        """The samples of the next output steps, shape (n,) or (n, channels); the gain moves on."""
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
        if steps.ndim > 1:
            gains = gains[:, None]
        return to_pcm((limited * gains + (GAIN_ONE >> 1)) >> 13)


_SHORT_MILLISECONDS = 12
"""Tones that last no longer are clicks, which keep their phase."""
_FARTHEST_LINK = 1295
"""256 log2(1 / 0.03), by which a tone may be weaker than one that is linked to it."""
_FARTHEST_PHASE = 24576
"""Of 65536 a turn, by which the phase of a tone may be off: more might as well be a turn less."""
_OWN_WEIGHT = 80
"""Of a tone's own frequency, that is 0.02 of what one a support away has."""

_NEVER, _FOREVER = -1 << 31, (1 << 31) - 1

HIGHEST_PITCH, LOWEST_PITCH = 2 * PITCH_ONE, PITCH_ONE // 2


@njit(cache=True)
def _int32(value: int) -> int:
    return ((value + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


@njit(cache=True)
def _int16(value: int) -> int:
    return ((value + (1 << 15)) & 0xFFFF) - (1 << 15)


@njit(cache=True)
def _link(row: Table, earlier: Table, factor: int, peaks: Array, phases: Array) -> int:
    """Sets rotation and deviation of a tone from earlier ones that sound near it. Returns the number of its link, or
    how many earlier ones there are."""
    k, step = row["scale"], (np.int64(row["bin"]) << 11) >> row["scale"]
    peak, phase = peaks[len(earlier)], phases[len(earlier)]
    own = log2_level(peak) + 128 * k
    centre = 2 * np.int64(row["onset"]) + (32 << k)
    best, best_score = -1, own - _FARTHEST_LINK
    best_key = (np.int64(0), np.int64(0), np.int64(0), np.int64(0))
    weighted, weights = np.int64(0), np.int64(_OWN_WEIGHT)
    for j in range(len(earlier)):
        if peaks[j] == 0:
            continue
        scale = np.int64(earlier[j]["scale"])
        other = (np.int64(earlier[j]["bin"]) << 11) >> scale
        reach = (5 * ((2048 >> k) + (2048 >> scale))) >> 1
        away = abs(step - other)
        if away >= reach:
            continue
        middle = 2 * np.int64(earlier[j]["onset"]) + (32 << scale)
        apart, both = centre - middle, (32 << k) + (32 << scale)
        if abs(apart) >= both:
            continue
        weight = log2_level(peaks[j]) + 128 * scale
        near = log2_level(reach - away) - log2_level(reach)
        score = weight + near + log2_level(both - abs(apart)) - log2_level(both)
        key = (middle, other, np.int64(earlier[j]["rotation"]), np.int64(earlier[j]["deviation"]))
        if score > best_score or (score == best_score and best >= 0 and key > best_key):
            best, best_score, best_key = j, score, key
        distance = (apart << 3) >> (k + 5)
        share = 2 * min(weight - own, 256) + near + 1024
        if share < 0 or distance == 0 or abs(distance) > 32 or away > 4096 >> k:
            continue
        partial = 16 * other + np.int64(earlier[j]["deviation"])
        error = _int16(phase - phases[j] - ((partial * apart) >> 5))
        if abs(error) > _FARTHEST_PHASE:
            continue
        of_one = distance * distance * (partial - 16 * step) + ((8 * distance * error) >> k)
        weighted = _int32(weighted + (of_one << (share >> 8)))
        weights = _int32(weights + ((distance * distance) << (share >> 8)))
    if weights > 0:
        size = min(abs(weighted) // weights, 32768 >> k)
        row["deviation"] = -size if weighted < 0 else size
    if best >= 0:
        other, rotation, deviation = best_key[1], best_key[2], best_key[3]
        change = factor - PITCH_ONE
        turn = ((change * (step + other)) << 1) + ((change * (row["deviation"] + deviation)) >> 3)
        turned = (rotation << 16) + turn * ((centre - best_key[0]) >> 1)
        row["rotation"] = ((turned + 0x8000) >> 16) & 0xFFFF
    return best if best >= 0 else len(earlier)


@njit(cache=True)
def _turn_on(row: Table, link: Table, pace: Pace, centre: int) -> None:
    """Turns a tone by what lies between it and the one that it is linked to, whose centre is given, more than its pace
    would have it."""
    scale, other = np.int64(row["scale"]), np.int64(link["scale"])
    apart = 2 * np.int64(row["onset"]) + (32 << scale) - 2 * np.int64(link["onset"]) - (32 << other)
    reckoned = (abs(apart) * pace.stretch) >> 11
    between = (np.int64(row["place"]) >> 10) - centre - (reckoned if apart >= 0 else -reckoned)
    steps = ((np.int64(row["bin"]) << 11) >> scale) + ((np.int64(link["bin"]) << 11) >> other)
    step = (((pace.frequency >> 4) * steps) & 0xFFFFFFFF) >> 13
    row["rotation"] = (row["rotation"] + (((step * between) & 0xFFFFFFFF) >> 6)) & 0xFFFF


@njit(cache=True)
def _link_all(
    first: int, tones: Table, pace: Pace, peaks: Array, phases: Array, shortest: int, changed: int, centres: Array
) -> None:
    for at in range(first, len(tones)):
        if peaks[at] > 0 and (32 << tones[at]["scale"]) > shortest:
            link = _link(tones[at], tones[:at], pace.turn, peaks, phases)
            if link < first and tones[link]["onset"] < changed:
                _turn_on(tones[at], tones[link], pace, centres[link])


def at_pace(begun: Table, held: Table, pace: Pace, clock: Clock | None, header: StreamHeader) -> Table:
    """Tones that begin in a slot, dtype `PLAYED_TONE_DTYPE`, where those in `held` are held."""
    out = np.zeros(len(begun), PLAYED_TONE_DTYPE)
    for name in begun.dtype.names or ():
        out[name] = begun[name]
    out["frequency"], out["step"], out["size"], out["last"] = pace.frequency, pace.step, pace.size, _FOREVER
    centre = begun["onset"].astype(np.int64) + (support(begun["scale"]) >> 1)
    out["place"] = clock.place(centre) if clock else centre << 16
    if pace.turn != PITCH_ONE and len(out):
        both = np.concatenate([held, out])
        peaks = amplitude(both["amplitude"], both["scale"], header.amplitude_step)
        shortest = _SHORT_MILLISECONDS * header.sample_rate // 1000
        phases, changed = phase(both["amplitude"], both["phase"]), clock.changed if clock else _NEVER
        _link_all(len(held), both, pace, peaks, phases, shortest, changed, centres_at_pace(held))
        out = both[len(held) :]
    return out
