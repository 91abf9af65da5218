"""Tones put where the lattice has a place for them (SPEC 4.1).

A tone's envelope goes to the nearest hop of its scale and its frequency to the nearest bin. The wave itself stays where
it is wanted: what the envelope is moved by, the phase at its centre makes up for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
    support,
    unclipped_amplitude,
)
from audio_gs.codec.tables import LARGEST_AMPLITUDE, OCTAVES, phase_bits
from audio_gs.errors import EditError

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_PHASE_BITS = phase_bits()
_INDEX_OFFSET = 3 / 8
"""An amplitude index q stands for q + 3/8 steps."""
_LARGEST_SUM = (1 << 31) - (1 << 28)
"""Of envelopes times cosines, which the decoder adds in 32 bits, with room for rounding."""
_SPAN = 1 << 18
_ROUNDING = 1.02
"""More than what steps are apart."""
_PRECISE = 64
"""From this mantissa on, steps are less than 0.07 dB apart."""


def centres(tones: Table) -> Floats:
    """The middle of each tone, in samples."""
    return tones["onset"] + support(tones["scale"]) / 2


def frequencies(tones: Table) -> Floats:
    """In cycles a sample."""
    return tones["bin"] / support(tones["scale"])


def turns(tones: Table) -> Floats:
    """The phase at the middle, 0..1."""
    return phase_turns(tones["amplitude"], tones["phase"])


def put_phases(tones: Table, phases: Floats) -> None:
    """Sets the nearest index for each phase, in turns."""
    steps = 1 << _PHASE_BITS[tones["amplitude"]].astype(np.int64)
    tones["phase"] = np.rint(phases * steps).astype(np.int64) % steps


def placed(tones: Table, middle: Floats, frequency: Floats, phases: Floats) -> Table:
    """Tones of these scales and amplitudes as near as the lattice allows to a middle, in samples, a frequency, in
    cycles a sample, and a phase there, in turns. They may lie outside of any clip and have bins that do not exist."""
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


def with_amplitudes(tones: Table, factor: npt.ArrayLike) -> tuple[Table, Mask]:
    """Tones times a factor, to the nearest index; and which of them are too soft to have one. EditError for one that is
    too loud."""
    exact = (tones["amplitude"] + _INDEX_OFFSET) * np.asarray(factor) - _INDEX_OFFSET
    index = np.rint(exact).astype(np.int64)
    if len(index) and index.max() > LARGEST_AMPLITUDE:
        at = int(np.argmax(index))
        raise EditError(f"tone {at} would have the amplitude index {index[at]}, and the highest is {LARGEST_AMPLITUDE}")
    out, phases = tones.copy(), turns(tones)
    out["amplitude"] = np.maximum(index, 1)
    put_phases(out, phases)
    return out, index < 1


def with_amplitudes_in_any_step(
    tones: Table, factor: npt.ArrayLike, header: StreamHeader
) -> tuple[Table, Mask, int, int]:
    """Like `with_amplitudes`, and the amplitude step and output shift, which are coarser than before where the loudest
    tone would have no index."""
    loudest = float(np.max((tones["amplitude"] + _INDEX_OFFSET) * np.asarray(factor), initial=0.0))
    step, shift = header.amplitude_step, header.output_shift
    if loudest > LARGEST_AMPLITUDE:
        step, shift = louder_step(header, _ROUNDING * loudest / LARGEST_AMPLITUDE)
    return *with_amplitudes(tones, np.asarray(factor) * _step(header) / (step / 2.0**shift)), step, shift


def in_step(tones: Table, header: StreamHeader, amplitude_step: int, output_shift: int) -> Table:
    """Tones as nearly as loud under another amplitude step; those too soft for it as soft as it has them."""
    if (amplitude_step, output_shift) == (header.amplitude_step, header.output_shift):
        return tones
    factor = _step(header) / (amplitude_step / 2.0**output_shift)
    return with_amplitudes(tones, factor)[0]


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


def common_step(clips: Sequence[tuple[Table, StreamHeader]]) -> tuple[int, int]:
    """The finest amplitude step of some clips, tones and header of each, or if their loudest tone has no index in it,
    the next one in which it has."""
    finest = min((header for _, header in clips), key=_step)
    needed = max((_step(header) * (int(table["amplitude"].max(initial=1)) + _INDEX_OFFSET) for table, header in clips))
    least = needed / LARGEST_AMPLITUDE / _step(finest)
    return (finest.amplitude_step, finest.output_shift) if least <= 1 else louder_step(finest, _ROUNDING * least)


def _step(header: StreamHeader) -> float:
    return header.amplitude_step / 2.0**header.output_shift


def with_room(tones: Table, amplitude_step: int, output_shift: int, samples: int) -> tuple[Table, int, int]:
    """The same sound with the largest output shift, not above the given one, at which no envelope and no sum is beyond
    what a decoder holds: tones, amplitude step and output shift. Envelopes above full scale are left at that, as the
    decoder does. EditError where sums are too large at any shift."""
    while True:
        loud = unclipped_amplitude(tones["amplitude"], tones["scale"], amplitude_step) > LARGEST_PEAK
        fits = _largest_sum(tones, amplitude_step, samples) <= _LARGEST_SUM
        if fits and (output_shift == 0 or not loud.any()):
            return tones, amplitude_step, output_shift
        if output_shift == 0:
            raise EditError("the tones together would be louder than a decoder can add up; scale them by -6 dB")
        halved, output_shift = (amplitude_step + 1) // 2, output_shift - 1
        if 2 * halved != amplitude_step:
            tones, _ = with_amplitudes(tones, amplitude_step / (2 * halved))
        amplitude_step = halved


def _largest_sum(tones: Table, amplitude_step: int, samples: int) -> int:
    """The largest magnitude of any octave's sum of tones, as if nothing wrapped."""
    ready, largest = held(tones, amplitude_step), 0
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
