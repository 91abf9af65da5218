"""Quality from 0 to 10: a scale of the perceptual distance, and the amplitude step for a place on it."""

from __future__ import annotations

import math

import numpy as np

from ..assemble import Solution, assemble, stream_bytes
from ..perception import Listener
from ..problem import BITS_EACH, Problem
from ..progress import Span
from ..tones.choose import choose_tones, settled, step_for
from ..tones.quantiser import Step, nearest_step
from .coded import with_layers, with_residual

HIGHEST_QUALITY = 10.0
IN_WORDS = (
    "speech is just intelligible",
    "words come through, voices are not told apart",
    "understood with attention, rough",
    "understood at once, plainly coded",
    "like a wide-band phone call",
    "good for prompts and games: coding is heard, and does not disturb",
    "coding is heard when one listens for it",
    "good on small loudspeakers, coding heard with headphones",
    "close: differences are heard side by side",
    "very close: differences are small, even side by side",
    "as close as the scale goes",
)
"""What a listener makes of each quality, 0 to 10, roughly: a distance of loudness stands behind them, no panel."""
_WORST_DISTANCE = 0.25
"""Of quality 0, where speech is just intelligible."""
_DISTANCE_RATIO = 0.844
"""Of one quality to the one below."""
_TOLERANCE = 0.02
"""Of the logarithm of the distance, which is an eighth of a quality."""
_TRIES = 6
_SLOPE = 0.65
_SLOPES = (0.25, 2.0)
"""Exponent with which the distance grows with the step: at first, and what is believed of two tries."""
_LONGEST = 1.4
"""Of one try to the next, in the logarithm of the step."""
_LAYER_TRIES = 6
_THINNING = 30
"""Share of the tones, one in so many, that thinning stops at."""


def distance_at(quality: float) -> float:
    """The distance that a quality stands for."""
    return _WORST_DISTANCE * _DISTANCE_RATIO**quality


def quality_at(distance: float) -> float:
    """The quality that a distance stands for, 0 to 10."""
    if distance <= distance_at(HIGHEST_QUALITY):
        return HIGHEST_QUALITY
    return max(0.0, math.log(min(distance, _WORST_DISTANCE) / _WORST_DISTANCE) / math.log(_DISTANCE_RATIO))


def in_words(quality: float) -> str:
    """What a listener makes of a quality, roughly."""
    return IN_WORDS[round(min(max(quality, 0.0), HIGHEST_QUALITY))]


def typical_kbit_s(quality: float) -> float:
    """The rate at which speech has a quality, near enough to begin with."""
    return 1.4 * 1.3**quality


def step_for_quality(problem: Problem, quality: float, listener: Listener, report: Span) -> Step:
    """The amplitude step at which a rough fit has about a quality, or comes nearest to it under the ceilings."""
    wanted = distance_at(quality)
    bits = 1000 * (1 - problem.preset.noise_share) * typical_kbit_s(quality) * len(problem.signal) / problem.sample_rate
    step = step_for(problem, max(1, int(bits / BITS_EACH)))
    tried: list[tuple[float, float, Step]] = []
    slope = _SLOPE
    for number in range(_TRIES):
        solution = Solution(step, choose_tones(problem, step, report.try_number(number), rough=True))
        distance, limited = _distance_with_layers(problem, solution, listener)
        missing = math.log(min(max(distance, 1e-6), 1e6) / wanted)
        place = math.log(step.weight)
        if tried:
            run, rise = place - tried[-1][1], missing - tried[-1][0]
            if limited and run < 0 < missing and rise > -_TOLERANCE:
                # The ceilings take away what a finer step adds.
                break
            slope = min(_SLOPES[1], max(_SLOPES[0], rise / run))
        tried.append((missing, place, step))
        if abs(missing) < _TOLERANCE:
            break
        step = nearest_step(math.exp(place - min(_LONGEST, max(-_LONGEST, missing / slope))), problem.peak)
        if any(step == other for _, _, other in tried):
            break
    return min(tried, key=lambda entry: abs(entry[0]))[2]


def _distance_with_layers(problem: Problem, solution: Solution, listener: Listener) -> tuple[float, bool]:
    """How far the clip is from itself with these tones and the layers that fit beside them, and whether the ceilings
    took tones away for it."""
    layered, limited = with_layers(problem, solution)
    return listener.distance(assemble(problem, layered).decoded()), limited


def layers_for_quality(problem: Problem, solution: Solution, quality: float, listener: Listener) -> Solution:
    """The solution with noise and, where that leaves it too far from the clip, the residual layer that brings it to a
    quality, or nearest."""
    layered, _ = with_layers(problem, solution)
    plain = layered.with_residual(None)
    kbit_s = 8 * stream_bytes(problem, layered) / 1000 / problem.seconds
    too_low, enough = 0.0, math.inf
    tried: list[tuple[float, Solution]] = []
    for _ in range(_LAYER_TRIES):
        distance = listener.distance(assemble(problem, layered).decoded())
        missing = math.log(min(max(distance, 1e-6), 1e6) / distance_at(quality))
        tried.append((abs(missing), layered))
        needless = layered.residual is None and missing < _TOLERANCE
        if abs(missing) < _TOLERANCE or needless or not problem.may_have_residual:
            break
        too_low, enough = (kbit_s, enough) if missing > 0 else (too_low, kbit_s)
        if too_low > 0 and enough < math.inf:
            kbit_s = math.sqrt(too_low * enough)
        else:
            kbit_s *= math.exp(min(_LONGEST, max(-_LONGEST, missing / _SLOPE)))
        layered = with_residual(problem, plain, kbit_s)
    return min(tried, key=lambda entry: entry[0])[1]


def thin_to_quality(problem: Problem, solution: Solution, quality: float, listener: Listener) -> Solution:
    """With only the strongest tones that a quality takes, where even the coarsest step of a loud clip has more."""
    step = solution.step
    if nearest_step(2 * step.weight, problem.peak) != step:
        return solution
    wanted = distance_at(quality)
    atoms, ranking = solution.tones.atoms, np.argsort(-solution.tones.energies(), kind="stable")

    def strongest(count: int) -> Solution:
        tones = solution.tones.with_atoms(atoms[np.sort(ranking[:count])])
        return solution.with_tones(settled(problem, tones))

    too_few, enough = 0, len(atoms)
    while enough - too_few > 1 + enough // _THINNING:
        count = (too_few + enough) // 2
        near = _distance_with_layers(problem, strongest(count), listener)[0] <= wanted
        too_few, enough = (too_few, count) if near else (count, enough)
    return strongest(enough)
