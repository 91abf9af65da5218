"""The side of a stereo clip beside its mid: what the tones and noises of a solution have for it, and its place in a
rate."""

from __future__ import annotations

import math

import numpy as np

from audio_gs.codec.stereo import PanningHeader

from ..assemble import Solution, stream_bytes, within_ceilings
from ..noise.layer import importance_of, power_map, wanted_gain_db
from ..panning.layer import SideLayer
from ..panning.noises import fit_noise_sides
from ..panning.tones import fit_tone_sides
from ..problem import Problem
from ..tones.quantiser import Step, largest_indices
from .rate import meet_bytes
from .shares import level_of_noise_db

USUAL_SHARE = 0.2
"""Of a rate, for the side, to begin with."""
_STEP = 4
"""By how much the side's amplitude step is larger than the mid's, in quarters of an octave."""
_BITS_EACH = 8.0
"""What a coefficient of a tone costs, near enough to tell whether it pays."""
_PRICE_OF_LEVEL, _PRICE_OF_PAN = 200.0, 200.0
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


def _fitted(problem: Problem, solution: Solution, side: np.ndarray) -> SideLayer:
    factor = 2.0 ** (_STEP / 4)
    step = solution.step
    largest = largest_indices(
        Step(math.ceil(step.mantissa * factor), step.shift), problem.smallest_scale, problem.scales
    )
    weight = step.weight * factor
    threshold = problem.price * weight**2 * _BITS_EACH
    tones, left = fit_tone_sides(side, solution.tones, weight, largest, threshold)
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
    return SideLayer(PanningHeader(_STEP, base), tones, noises, peak)
