"""Tones put where the lattice has a place for them (SPEC 4.1).

A tone's envelope goes to the nearest hop of its scale and its frequency to the nearest bin. The wave itself stays where
it is wanted: what the envelope is moved by, the phase at its centre makes up for. A tone's side goes with it: its phase
turns by as much, its amplitude grows by as much.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from audio_gs.codec.container import StreamHeader
from audio_gs.codec.kinds.base import Table
from audio_gs.codec.kinds.tone import (
    LARGEST_PEAK,
    MAX_AMPLITUDE_STEP,
    MAX_OUTPUT_SHIFT,
    accumulate,
    held,
    phase_turns,
    sides_of,
    support,
    unclipped_amplitude,
    unclipped_side_amplitude,
)
from audio_gs.codec.tables import (
    LARGEST_AMPLITUDE,
    LARGEST_SIDE_AMPLITUDE,
    LARGEST_SIDE_STEP,
    OCTAVES,
    phase_bits,
)
from audio_gs.errors import EditError

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_PHASE_BITS = phase_bits()
_INDEX_OFFSET = 3 / 8
"""An amplitude index q stands for q + 3/8 steps."""
_LARGEST_SUM = (1 << 31) - (1 << 28)
"""Of envelopes times cosines, which the decoder adds in 32 bits, with room for rounding."""
INDEX, _SIDE_INDEX = "the amplitude index", "the amplitude index of the side"
_SPAN = 1 << 18
_ROUNDING = 1.02
"""More than what steps are apart."""
_PRECISE = 64
"""From this mantissa on, steps are less than 0.07 dB apart."""


class Steps(NamedTuple):
    """What the header says of the amplitudes of tones."""

    amplitude_step: int
    output_shift: int
    side_step: int = 0
    """Any in a stream without panned Gaussians."""

    @property
    def size(self) -> float:
        """Of a step of the mid, in a unit that all streams share."""
        return self.amplitude_step / 2.0**self.output_shift

    @property
    def side_size(self) -> float:
        """The same of a step of the side."""
        return self.size * 2 ** (self.side_step / 4)


def steps_of(header: StreamHeader) -> Steps:
    """The steps of a header."""
    return Steps(header.amplitude_step, header.output_shift, header.panning.side_step if header.panning else 0)


def with_steps(header: StreamHeader, steps: Steps) -> StreamHeader:
    """The header with other steps."""
    panning = header.panning and dataclasses.replace(header.panning, side_step=steps.side_step)
    step, shift = steps.amplitude_step, steps.output_shift
    return dataclasses.replace(header, amplitude_step=step, output_shift=shift, panning=panning)


def centres(tones: Table) -> Floats:
    """The middle of each tone, in samples."""
    return tones["onset"] + support(tones["scale"]) / 2


def frequencies(tones: Table) -> Floats:
    """In cycles a sample."""
    return tones["bin"] / support(tones["scale"])


def turns(tones: Table) -> Floats:
    """The phases at the middle of mid and side, 0..1, shape (2, n)."""
    pairs = (("amplitude", "phase"), ("side_amplitude", "side_phase"))
    return np.stack([phase_turns(tones[index], tones[phase]) for index, phase in pairs])


def put_phases(tones: Table, phases: Floats) -> None:
    """Sets the nearest index for each phase of mid and side, in turns, shape (2, n)."""
    steps, side_steps = (1 << _PHASE_BITS[tones[name]].astype(np.int64) for name in ("amplitude", "side_amplitude"))
    tones["phase"] = np.rint(phases[0] * steps).astype(np.int64) % steps
    of_side = np.rint(phases[1] * side_steps).astype(np.int64) % side_steps
    tones["side_phase"] = np.where(tones["side_amplitude"], of_side, 0)


def placed(tones: Table, middle: Floats, frequency: Floats, phases: Floats) -> Table:
    """Tones of these scales and amplitudes as near as the lattice allows to a middle, in samples, a frequency, in
    cycles a sample, and phases there as `turns` has them. They may lie outside of any clip and have bins that do not
    exist."""
    length = support(tones["scale"])
    hop = length >> 2
    onset = np.rint((middle - length / 2) / hop).astype(np.int64) * hop
    out = tones.copy()
    out["onset"], out["bin"] = onset, np.rint(frequency * length).astype(np.int64)
    put_phases(out, phases + frequency * (onset + length / 2 - middle))
    return out


def outside(tones: Table, header: StreamHeader) -> Mask:
    """Marks the tones that are heard at no sample of the clip, or lie at no frequency that it has."""
    length = support(tones["scale"])
    before = tones["onset"] + length <= 0
    return before | (tones["onset"] >= header.samples) | (tones["bin"] < 0) | (tones["bin"] >= length >> 1)


def with_amplitudes(
    tones: Table, factor: npt.ArrayLike, side_factor: npt.ArrayLike | None = None
) -> tuple[Table, Mask]:
    """Tones times a factor, and their sides times the same or another one, to the nearest index; and which of them are
    too soft to have one. EditError for one that is too loud."""
    index = _scaled(tones["amplitude"], factor)
    refuse_louder(index, LARGEST_AMPLITUDE, INDEX)
    of_side = _scaled(tones["side_amplitude"], factor if side_factor is None else side_factor)
    of_side = np.where(tones["side_amplitude"], np.maximum(of_side, 0), 0)
    refuse_louder(of_side, LARGEST_SIDE_AMPLITUDE, _SIDE_INDEX)
    out, phases = tones.copy(), turns(tones)
    out["amplitude"], out["side_amplitude"] = np.maximum(index, 1), of_side
    put_phases(out, phases)
    return out, index < 1


def nearest_index(steps: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """The index of amplitudes in steps; below 1 for what is too soft."""
    return np.rint(np.asarray(steps) - _INDEX_OFFSET).astype(np.int64)


def index_of_side(steps: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """The index of amplitudes of sides in steps, 0 where none is nearer than a side of the softest index. EditError for
    one that is too loud."""
    amplitude = np.asarray(steps, np.float64)
    index = np.where(amplitude < (1 + _INDEX_OFFSET) / 2, 0, np.maximum(nearest_index(amplitude), 1))
    refuse_louder(index, LARGEST_SIDE_AMPLITUDE, _SIDE_INDEX)
    return index


def in_steps(index: npt.NDArray[np.int32]) -> Floats:
    """Amplitudes of indices, in steps; 0 for the index 0 of what is not there."""
    return np.where(index > 0, index + _INDEX_OFFSET, 0.0)


def _scaled(index: npt.NDArray[np.int32], factor: npt.ArrayLike) -> npt.NDArray[np.int64]:
    return nearest_index((index + _INDEX_OFFSET) * np.asarray(factor))


def refuse_louder(index: npt.NDArray[np.int64], largest: int, what: str) -> None:
    """EditError for the loudest tone if its index is above the largest one."""
    if len(index) and index.max() > largest:
        at = int(np.argmax(index))
        raise EditError(f"tone {at} would have {what} {index[at]}, and the highest is {largest}")


def with_amplitudes_in_any_step(tones: Table, factor: npt.ArrayLike, header: StreamHeader) -> tuple[Table, Mask, Steps]:
    """Like `with_amplitudes`, and the steps, which are coarser than before where the loudest tone would have no
    index."""
    before = steps = steps_of(header)
    loudest = float(np.max((tones["amplitude"] + _INDEX_OFFSET) * np.asarray(factor), initial=0.0))
    if loudest > LARGEST_AMPLITUDE:
        steps = Steps(*louder_step(header, _ROUNDING * loudest / LARGEST_AMPLITUDE), before.side_step)
    loudest = float(np.max(in_steps(tones["side_amplitude"]) * np.asarray(factor), initial=0.0))
    steps = with_side_step(steps, before.side_size, loudest * before.side_size)
    return *_between_steps(tones, factor, before, steps), steps


def with_side_step(steps: Steps, finest: float, loudest: float) -> Steps:
    """These with the first step of the side that is not finer than this one and has an index for the loudest side,
    all in the unit of `Steps.size`. EditError where none has."""
    least = max(finest, loudest / LARGEST_SIDE_AMPLITUDE) / steps.size
    side_step = max(0, math.ceil(4 * math.log2(least) - 1e-9)) if least > 0 else 0
    if side_step > LARGEST_SIDE_STEP:
        if loudest / LARGEST_SIDE_AMPLITUDE > steps.size * 2 ** (LARGEST_SIDE_STEP / 4):
            raise EditError("no step of the format makes the sides of the tones so loud; scale them by -6 dB")
        side_step = LARGEST_SIDE_STEP
    return steps._replace(side_step=side_step)


def _between_steps(tones: Table, factor: npt.ArrayLike, before: Steps, after: Steps) -> tuple[Table, Mask]:
    factor = np.asarray(factor)
    return with_amplitudes(tones, factor * before.size / after.size, factor * before.side_size / after.side_size)


def in_other_steps(tones: Table, header: StreamHeader, steps: Steps) -> Table:
    """Tones as nearly as loud in other steps; those too soft for them as soft as they have them."""
    return tones if steps_of(header) == steps else _between_steps(tones, 1.0, steps_of(header), steps)[0]


def louder_step(header: StreamHeader, factor: float) -> tuple[int, int]:
    """Amplitude step and output shift of a step times a factor, precise to 0.07 dB where the format can be. EditError
    where it has none."""
    step, shift = header.amplitude_step * factor, header.output_shift
    while step < _PRECISE and shift < MAX_OUTPUT_SHIFT and not (step == round(step) and step >= 1):
        step, shift = 2 * step, shift + 1
    while round(step) > MAX_AMPLITUDE_STEP and shift > 0:
        step, shift = step / 2, shift - 1
    if not 1 <= round(step) <= MAX_AMPLITUDE_STEP:
        raise EditError("no amplitude step of the format makes the tones so loud or so soft; take a gain nearer to 0")
    return round(step), shift


def common_steps(clips: Sequence[tuple[Table, StreamHeader]]) -> Steps:
    """The finest steps of some clips, tones and header of each, or if their loudest tone has no index in them, the next
    ones in which it has."""
    finest = min((header for _, header in clips), key=lambda header: steps_of(header).size)
    needed = max(
        (steps_of(header).size * (int(table["amplitude"].max(initial=1)) + _INDEX_OFFSET) for table, header in clips)
    )
    steps = steps_of(finest)
    least = needed / LARGEST_AMPLITUDE / steps.size
    if least > 1:
        steps = Steps(*louder_step(finest, _ROUNDING * least))
    panned = [(table, steps_of(header).side_size) for table, header in clips if header.panning]
    if not panned:
        return steps._replace(side_step=0)
    loudest = max(size * float(in_steps(table["side_amplitude"]).max(initial=0.0)) for table, size in panned)
    return with_side_step(steps, min(size for _, size in panned), loudest)


def with_room(tones: Table, steps: Steps, samples: int) -> tuple[Table, Steps]:
    """The same sound with the largest output shift, not above the given one, at which no envelope and no sum is beyond
    what a decoder holds. Envelopes above full scale are left at that, as the decoder does. EditError where sums are too
    large at any shift."""
    while True:
        loud = unclipped_amplitude(tones["amplitude"], tones["scale"], steps.amplitude_step) > LARGEST_PEAK
        of_side = unclipped_side_amplitude(
            tones["side_amplitude"], tones["scale"], steps.amplitude_step, steps.side_step
        )
        loud |= (tones["side_amplitude"] > 0) & (of_side > LARGEST_PEAK)
        fits = _largest_sum(tones, steps, samples) <= _LARGEST_SUM
        if fits and (steps.output_shift == 0 or not loud.any()):
            return tones, steps
        if steps.output_shift == 0:
            raise EditError("the tones together would be louder than a decoder can add up; scale them by -6 dB")
        halved = (steps.amplitude_step + 1) // 2
        if 2 * halved != steps.amplitude_step:
            tones, _ = with_amplitudes(tones, steps.amplitude_step / (2 * halved))
        steps = steps._replace(amplitude_step=halved, output_shift=steps.output_shift - 1)


def _largest_sum(tones: Table, steps: Steps, samples: int) -> int:
    """The largest magnitude of any octave's sum of tones, or of their sides, as if nothing wrapped."""
    ready = held(tones, steps.amplitude_step, steps.side_step)
    return max(_largest_of(table, samples) for table in (ready, sides_of(ready)))


def _largest_of(ready: Table, samples: int) -> int:
    largest = 0
    for octave in range(OCTAVES):
        here = ready[ready["octave"] == octave]
        end = here["onset"] + support(here["scale"])
        for start in range(0, -(-samples >> octave), _SPAN):
            near = here[(here["onset"] < start + _SPAN) & (end > start)]
            if len(near):
                sums = np.zeros(_SPAN, np.int64)
                accumulate(sums, start, near)
                largest = max(largest, int(np.abs(sums).max()))
    return largest


def refuse_outside(marked: Mask, moved: Table, rows: npt.NDArray[np.int64], describe: Callable[[int], str]) -> None:
    """EditError for the first tone that is marked; `rows`: numbers of the moved ones in their table."""
    at = np.flatnonzero(marked)
    if len(at):
        tone, length = moved[at[0]], int(support(moved["scale"][at[0]]))
        if tone["bin"] < 0 or tone["bin"] >= length >> 1:
            where = "would lie outside 0 Hz to half the sample rate"
        else:
            where = "would lie outside the clip"
        raise EditError(f"{describe(int(rows[at[0]]))} {where}; outside: drop leaves such out")
