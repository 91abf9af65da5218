"""The amplitude step: between the encoder's energy-normalised weights and the header's mantissa and output shift."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.kinds.tone import LARGEST_PEAK, MAX_AMPLITUDE_STEP, MAX_OUTPUT_SHIFT, unclipped_amplitude
from audio_gs.codec.tables import LARGEST_AMPLITUDE

from .lattice import envelope_norm

_MANTISSAS = 64
"""The encoder keeps to steps with a mantissa below this, so that the shift can be chosen last, exactly."""
_ACCUMULATOR_LIMIT = 0.95 * (1 << 17)
"""Sums of envelopes that the decoder's int32 holds behind a Q14 cosine, with room for rounding."""
_HEADROOM = 1.2
_UNIT = 4 * envelope_norm(0)
"""Step of mantissa 1 and shift 0, in the unit of alpha."""


@dataclasses.dataclass(frozen=True)
class Step:
    """A step that a header can state: 4 mantissa / 2^shift output steps of amplitude at scale 0."""

    mantissa: int
    shift: int

    @property
    def weight(self) -> float:
        """The step in the unit of the energy-normalised weight alpha."""
        return self.mantissa * 2.0**-self.shift * _UNIT


def nearest_step(weight: float, peak: float) -> Step:
    """The representable step nearest to one in the unit of alpha, for a clip of this peak in output steps: the
    mantissa is as small as is precise to 2 %, and at its shift an envelope may be somewhat higher than the clip."""
    amplitude = max(weight / _UNIT, 2.0**-MAX_OUTPUT_SHIFT)
    room = math.floor(math.log2(LARGEST_PEAK / (_HEADROOM * max(peak, 1.0))))
    shift = min(MAX_OUTPUT_SHIFT, room, math.floor(math.log2(_MANTISSAS / amplitude)))
    shift = max(shift, 0)
    return Step(min(MAX_AMPLITUDE_STEP, max(1, round(amplitude * 2**shift))), shift)


def finest_shift(step: Step, gaussians: Gaussians, peak: float, side_step: int = 0) -> tuple[int, int]:
    """Mantissa and output shift for the header: the same step with the finest amplitudes that neither clip nor
    overflow the decoder's accumulator. `peak` is that of the tones' float rendering in output steps, `side_step` by how
    much the step of sides is larger, in quarters of an octave."""
    mantissa, shift = step.mantissa, step.shift
    while (
        shift < MAX_OUTPUT_SHIFT
        and mantissa * 2 <= MAX_AMPLITUDE_STEP
        and _fits(mantissa * 2, gaussians, side_step)
        and peak * 2.0 ** (shift + 1) <= _ACCUMULATOR_LIMIT
    ):
        mantissa, shift = mantissa * 2, shift + 1
    return mantissa, shift


def largest_indices(step: Step, smallest_scale: int, scales: int) -> npt.NDArray[np.int64]:
    """The largest amplitude index whose envelope 15 bits hold at this step, for each scale, at least 1."""
    indices = np.arange(1, LARGEST_AMPLITUDE + 1)
    held = [
        np.searchsorted(unclipped_amplitude(indices, smallest_scale + j, step.mantissa), LARGEST_PEAK, side="right")
        for j in range(scales)
    ]
    return np.maximum(1, np.array(held, np.int64))


def _fits(mantissa: int, gaussians: Gaussians, side_step: int) -> bool:
    tones, noises = gaussians["tone"], gaussians["noise"]
    # Weights of noises count as if they were amplitudes: streams have been made so from the first version on, and
    # another choice would change them.
    index = np.concatenate([tones["amplitude"], noises["weight"]])
    peaks = unclipped_amplitude(index, np.concatenate([tones["scale"], noises["scale"]]), mantissa)
    of_sides = unclipped_amplitude(tones["side_amplitude"], tones["scale"], mantissa) * 2.0 ** (side_step / 4)
    # A tone without a side has its amplitude index 0, which stands for none.
    of_sides[tones["side_amplitude"] == 0] = 0
    return bool(max(np.max(peaks, initial=0), np.max(of_sides, initial=0)) <= LARGEST_PEAK)
