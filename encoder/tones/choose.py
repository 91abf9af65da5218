"""The tones of a clip at an amplitude step: pursuit down to what pays, then rounds of coordinate descent."""

from __future__ import annotations

import math

import numpy as np

from audio_gs.codec.tables import LARGEST_AMPLITUDE

from ..gradient.resolution import coarsen, is_by_hand
from ..problem import BITS_EACH, Problem, snr_db
from ..progress import Span
from .pursuit import Pursuit, Told
from .quantiser import Step, largest_indices, nearest_step

_MOVES = {"fast": 0, "normal": 2, "best": 6}


def no_tones(problem: Problem, step: Step) -> Pursuit:
    """A pursuit that has not begun."""
    largest = largest_indices(step, problem.smallest_scale, problem.scales)
    return Pursuit(problem.signal, problem.smallest_scale, problem.scales, step.weight, largest)


def step_for(problem: Problem, tones: int) -> Step:
    """The step at which pursuit stops near this number of tones: that of a rough pursuit whose last pick just pays."""
    loudest = no_tones(problem, nearest_step(1.0, problem.peak)).picked(1, 0.0)
    finest = math.sqrt(2 * loudest.last_score) / LARGEST_AMPLITUDE
    pursuit = no_tones(problem, nearest_step(1.5 * finest, problem.peak)).picked(tones, 0.0)
    return nearest_step(math.sqrt(max(pursuit.last_score, 0.0) / (problem.price * BITS_EACH)), problem.peak)


def choose_tones(problem: Problem, step: Step, report: Span | None = None, rough: bool = False) -> Pursuit:
    """Pursuit down to the threshold, then rounds of coordinate descent by the effort, none if `rough`; on the weighted
    signal if there is a weighting, with the amplitudes fitted to the signal itself at the end."""
    report = report or Span()
    weighting = problem.weighting
    pursuit = no_tones(problem, step)
    if weighting is None:
        pursuit = _choose(problem, pursuit, step, report, rough).requantised(problem.threshold(step))
    else:
        chosen = Pursuit(weighting.signal, problem.smallest_scale, problem.scales, step.weight)
        chosen = _choose(problem, chosen, step, report, rough)
        pursuit = settled(problem, pursuit.with_table(weighting.undone(chosen.table())))
    report(1.0, f"{len(pursuit.atoms)} Gaussians, SNR {snr_db(problem.signal, pursuit.rendering()):.1f} dB")
    return pursuit


def _choose(problem: Problem, pursuit: Pursuit, step: Step, report: Span, rough: bool) -> Pursuit:
    threshold = problem.threshold(step)
    moves = 0 if rough else _MOVES[problem.options.effort]
    # The first picks take about as long as a round of moves and the picks after it.
    rounds = 1 + moves
    picking = report.part(0, 1 / rounds)
    pursuit = pursuit.picked(problem.most, threshold, lambda done: picking(done, "picking Gaussians"))
    for done in range(1, rounds):
        moving, again = report.part((done + 0.0) / rounds, (done + 0.7) / rounds), (done + 0.7) / rounds
        pursuit = pursuit.moved(threshold, _told(moving, f"{len(pursuit.atoms)} Gaussians, round {done} of {moves}"))
        report(again, f"{len(pursuit.atoms)} Gaussians, round {done} of {moves}")
        pursuit = pursuit.picked(problem.most, threshold)
    return pursuit


def _told(span: Span, text: str) -> Told:
    return lambda done: span(done, text)


def settled(problem: Problem, pursuit: Pursuit) -> Pursuit:
    """With the weights fitted anew to the signal, and rounded to the resolutions fixed by hand, if any are."""
    pursuit = pursuit.requantised(0.0)
    if is_by_hand(problem.options):
        pursuit = pursuit.with_table(coarsen(pursuit.table(), problem.options, len(problem.signal)))
    return pursuit


def without_weakest(pursuit: Pursuit, count: int) -> Pursuit:
    """Without the `count` tones with the least energy."""
    keep = np.ones(len(pursuit.atoms), np.bool_)
    keep[np.argsort(pursuit.energies(), kind="stable")[:count]] = False
    return pursuit.kept(keep)
