"""Rate control: the amplitude step and the Gaussians that meet a bitrate or a number."""

from __future__ import annotations

import math

from ..assemble import Solution, stream_bytes, within_ceilings
from ..problem import BITS_EACH, Problem
from ..progress import Span
from ..tones.choose import choose_tones, settled, step_for, without_weakest
from ..tones.quantiser import nearest_step

_TOLERANCE = 0.01
"""How far under its bitrate a stream may stay."""
_STEP_TRIES = 6
_SIZE_TRIES = 8


def meet_bytes(problem: Problem, solution: Solution, target: float) -> Solution:
    """Without the weakest tones, or with more, so that the stream has at most `target` bytes and, as far as the
    ceilings let it, is not much smaller."""
    size = stream_bytes(problem, solution)
    for _ in range(_SIZE_TRIES):
        missing = target - size
        if 0 <= missing <= max(2.0, _TOLERANCE * target):
            return solution
        before = solution.tones.atoms
        each = max(1.0, size / max(1, len(before)))
        if missing < 0:
            tones = without_weakest(solution.tones, math.ceil(-missing / each))
        else:
            tones = solution.tones.picked(max(1, int(0.9 * missing / each)), 0.0)
            if len(tones.atoms) == len(before):
                return solution.with_tones(tones)
        more = solution.with_tones(settled(problem, tones))
        solution = more
        if missing > 0:
            solution = within_ceilings(problem, more)
            if solution is not more:
                return solution.with_tones(solution.tones.with_atoms(before))
        size = stream_bytes(problem, solution)
    while size > target and len(solution.tones.atoms):
        fewer = without_weakest(solution.tones, max(1, len(solution.tones.atoms) // 1000))
        solution = solution.with_tones(fewer)
        size = stream_bytes(problem, solution)
    return solution


def fit_to_bitrate(problem: Problem, kbit_s: float, report: Span) -> Solution:
    """The tones with the best signal-to-noise ratio of those tried that stay within the size and the ceilings."""
    target = problem.target_bytes(kbit_s)
    step = step_for(problem, max(1, int(target * 8 / BITS_EACH)))
    best: tuple[float, Solution] | None = None
    closer = step
    for number in range(_STEP_TRIES):
        step = closer
        chosen = Solution(step, choose_tones(problem, step, report.try_number(number)))
        solution = within_ceilings(problem, chosen)
        limited = solution is not chosen
        ratio = stream_bytes(problem, solution) / target
        if 0.9 < ratio < 1.1 or (limited and ratio > 1):
            solution = meet_bytes(problem, solution, target)
            ratio = stream_bytes(problem, solution) / target
        if ratio <= 1:
            snr = solution.snr_db(problem)
            if best is None or snr > best[0]:
                best = snr, solution
            elif limited:
                break
            if not limited and ratio >= 1 - 2 * _TOLERANCE:
                break
        factor = 1.5 if limited else ratio**0.8 if ratio > 1 else min(0.8, ratio**0.8)
        closer = nearest_step(step.weight * factor, problem.peak)
        if closer == step:
            break
    if best is None:
        return meet_bytes(problem, solution, target)
    return best[1]


def fit_to_count(problem: Problem, tones: int, report: Span) -> Solution:
    """So many tones, or as many as the ceilings and the 16-bit amplitudes let there be."""
    step = step_for(problem, tones)
    pursuit = choose_tones(problem, step, report)
    if len(pursuit.atoms) < tones:
        pursuit = pursuit.picked(tones - len(pursuit.atoms), 0.0)
    if len(pursuit.atoms) > tones:
        pursuit = without_weakest(pursuit, len(pursuit.atoms) - tones)
    return within_ceilings(problem, Solution(step, settled(problem, pursuit)))
