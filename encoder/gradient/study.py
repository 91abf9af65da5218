"""What the options of study ask for between the choice of the tones and the noise. Imports torch only where the options
ask for gradient steps or a start that needs them."""

from __future__ import annotations

from ..assemble import Solution, within_ceilings
from ..log import FitLog
from ..options import EncoderOptions
from ..problem import Problem
from ..progress import Span
from ..tones.pursuit import Pursuit
from .extra import need_torch
from .initialise import initialise
from .resolution import coarsen, is_by_hand
from .steps import starting_count, steps_for

_CHOICE = 0.8
"""Share of the time that choosing the tones takes, of that and a fit by gradient descent."""


def choice_and_fit(options: EncoderOptions, report: Span) -> tuple[Span, Span]:
    """The spans of the choice of the tones and of what `finished_tones` does after it."""
    share = _CHOICE if _needs_gradient(options) else 1.0
    return report.part(0, share), report.part(share, 1)


def finished_tones(problem: Problem, solution: Solution, log: FitLog, report: Span) -> Solution:
    """The solution with as many tones that start and are fitted as the options say; the same object if they ask for no
    more than pursuit and its coordinate descent. There is no noise yet, for it is to be what these leave.

    Raises AudioGsError where PyTorch is needed and not installed.
    """
    log.record("pursuit", snr_db=solution.snr_db(problem), gaussians=len(solution.tones.atoms))
    options = problem.options
    if not _is_studied(options):
        return solution
    layout, wanted, step = (problem.smallest_scale, problem.scales), len(solution.tones.atoms), solution.step.weight
    start = solution.tones.table()
    if options.initialisation != "pursuit":
        count = starting_count(options, wanted)
        start = initialise(options, problem.signal, problem.sample_rate, layout, step, count)
    if _needs_gradient(options):
        need_torch()
        from .joint_fit import joint_fit

        start = joint_fit(
            start,
            problem.signal,
            layout,
            step,
            options,
            wanted,
            log,
            lambda fraction: report(fraction, "refining"),
        )
    tones = with_resolutions(solution.tones.with_table(start), options)
    return within_ceilings(problem, solution.with_tones(tones))


def _needs_gradient(options: EncoderOptions) -> bool:
    return steps_for(options) > 0 or options.resume is not None


def _is_studied(options: EncoderOptions) -> bool:
    return _needs_gradient(options) or options.initialisation != "pursuit" or is_by_hand(options)


def with_resolutions(pursuit: Pursuit, options: EncoderOptions) -> Pursuit:
    """With the atoms at the resolutions fixed by hand, and their weights fitted anew at their new places."""
    if not is_by_hand(options):
        return pursuit
    samples = len(pursuit.signal)
    pursuit = pursuit.with_table(coarsen(pursuit.table(), options, samples)).requantised(0.0)
    return pursuit.with_table(coarsen(pursuit.table(), options, samples))
