"""The side of a stereo clip beside its mid: what the tones and noises of a solution have for it, and its place in a
rate."""

from __future__ import annotations

import math

import numpy as np

from audio_gs.codec.stereo import PanningHeader
from audio_gs.codec.tables import LARGEST_SIDE_AMPLITUDE, LARGEST_SIDE_STEP

from ..assemble import Solution, stream_bytes, within_ceilings
from ..noise.layer import importance_of, power_map, wanted_gain_db
from ..panning.layer import SideLayer
from ..panning.noises import fit_noise_sides
from ..panning.tones import ToneSides, fit_tone_sides
from ..problem import Problem, Samples
from ..tones.quantiser import Step, largest_indices
from .rate import meet_bytes
from .shares import level_of_noise_db

USUAL_SHARE = 0.2
"""Of a rate, for the side, to begin with."""
_DB_PER_STEP = 3.0
_FINEST_AT, _COARSEST = 2, 4
"""The side's amplitude step is larger than the mid's by a quarter of an octave for each 3 dB that the side is below the
mid, but for the first two, up to an octave: the fainter it is, the more of its errors the mid masks."""
_BITS_EACH = 8.0
"""What a coefficient of a tone costs, near enough to tell whether it pays."""
_PRICE_OF_LEVEL, _PRICE_OF_PAN = 600.0, 70.0
"""What a weight of a noise has to save, in squared steps of all cells that it reaches, to pay for its bits."""
_TRIES = 4
_NEAR = 0.01
"""How far under its size a stream may stay."""


def with_side(problem: Problem, solution: Solution) -> Solution:
    """The solution with what its tones and noises have for the clip's side, without the tones whose cost the ceilings
    do not allow then. The same object for a clip whose direction is all there is of its channels."""
    if problem.side is None or len(solution.tones.atoms) == 0:
        return solution
    for _ in range(_TRIES):
        sided = solution.with_side(_fitted(problem, solution, problem.side))
        solution = within_ceilings(problem, sided)
        if solution is sided:
            return solution
    return solution


def side_bytes(problem: Problem, solution: Solution) -> int:
    """What the side takes of the stream."""
    return stream_bytes(problem, solution) - stream_bytes(problem, solution.with_side(None))


def with_side_within(problem: Problem, solution: Solution, target: float) -> Solution:
    """The solution with its side, and with fewer tones or more, so that the stream has at most `target` bytes and is
    not much smaller."""
    for _ in range(_TRIES):
        sided = with_side(problem, solution)
        missing = target - stream_bytes(problem, sided)
        if sided.side is None or 0 <= missing <= max(2.0, _NEAR * target):
            break
        mid = stream_bytes(problem, solution)
        share = mid / max(1, mid + side_bytes(problem, sided))
        met = meet_bytes(problem, solution, mid + share * missing)
        if len(met.tones.atoms) == len(solution.tones.atoms):
            break
        solution = met
    while sided.side and sided.side.coefficients and stream_bytes(problem, sided) > target:
        sided = sided.with_side(sided.side.without_weakest(1 + sided.side.coefficients // 50))
    return sided


def _step_of(mid: Samples, side: Samples) -> int:
    """By how much the side's amplitude step is larger than the mid's, in quarters of an octave."""
    below = 10 * math.log10(max(float(mid @ mid), 1.0) / max(float(side @ side), 1.0))
    return min(_COARSEST, max(0, round(below / _DB_PER_STEP) - _FINEST_AT))


def _fitted(problem: Problem, solution: Solution, side: Samples) -> SideLayer:
    side_step = _step_of(problem.signal, side)
    tones, left = _fitted_tones(problem, solution, side, side_step)
    while np.max(tones.amplitude) >= LARGEST_SIDE_AMPLITUDE and side_step < LARGEST_SIDE_STEP:
        # The loudest of them would be cut off.
        side_step = min(LARGEST_SIDE_STEP, side_step + 2)
        tones, left = _fitted_tones(problem, solution, side, side_step)
    noises, base = None, 0
    if solution.noise:
        power, whole = (power_map(part, problem.sample_rate, problem.frame_log2) for part in (left, side))
        noises, base = fit_noise_sides(
            solution.tones.residual(),
            left,
            wanted_gain_db(power, whole, *level_of_noise_db(problem)),
            solution.noise,
            problem.sample_rate,
            importance_of(power.shape[1]),
            (_PRICE_OF_LEVEL, _PRICE_OF_PAN),
        )
    peak = float(np.max(np.abs(side - left), initial=0.0))
    return SideLayer(PanningHeader(side_step, base), tones, noises, peak)


def _fitted_tones(problem: Problem, solution: Solution, side: Samples, side_step: int) -> tuple[ToneSides, Samples]:
    """Coefficients of the tones at a step, and what they leave of the side."""
    factor = 2.0 ** (side_step / 4)
    step = Step(math.ceil(solution.step.mantissa * factor), solution.step.shift)
    largest = np.minimum(largest_indices(step, problem.smallest_scale, problem.scales), LARGEST_SIDE_AMPLITUDE)
    weight = solution.step.weight * factor
    return fit_tone_sides(side, solution.tones, weight, largest, problem.price * weight**2 * _BITS_EACH)
