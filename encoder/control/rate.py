"""Rate control: the amplitude step and the Gaussians that meet a bitrate or a number."""

from __future__ import annotations

import math

from ..fit import BITS_EACH, Fit
from ..tones.pursuit import Pursuit
from ..tones.quantiser import Step, nearest_step

_TOLERANCE = 0.01
"""How far under its bitrate a stream may stay."""
_STEP_TRIES = 6
_SIZE_TRIES = 8


def meet_bytes(fit: Fit, pursuit: Pursuit, step: Step, target: float) -> None:
    """Drops the weakest Gaussians or picks more until the stream has at most `target` bytes and, as far as the
    ceilings let it, is not much smaller."""
    size = fit.size(pursuit, step)
    for _ in range(_SIZE_TRIES):
        missing = target - size
        if 0 <= missing <= max(2.0, _TOLERANCE * target):
            return
        before = pursuit.atoms
        each = max(1.0, size / max(1, len(before)))
        if missing < 0:
            fit.drop_weakest(pursuit, math.ceil(-missing / each))
        elif pursuit.pick(max(1, int(0.9 * missing / each)), 0.0) == 0:
            return
        fit.settle(pursuit)
        if missing > 0 and fit.obey_ceilings(pursuit):
            pursuit.replace(before)
            return
        size = fit.size(pursuit, step)
    while size > target and len(pursuit.atoms):
        fit.drop_weakest(pursuit, max(1, len(pursuit.atoms) // 1000))
        size = fit.size(pursuit, step)


def fit_to_bitrate(fit: Fit, kbit_s: float) -> tuple[Pursuit, Step]:
    """The fit with the best signal-to-noise ratio of those tried that stay within the size and the ceilings."""
    target = fit.target_bytes(kbit_s)
    step = fit.step_for(max(1, int(target * 8 / BITS_EACH)))
    best: tuple[float, Pursuit, Step] | None = None
    closer = step
    for _ in range(_STEP_TRIES):
        step = closer
        pursuit = fit.run(step)
        limited = fit.obey_ceilings(pursuit)
        ratio = fit.size(pursuit, step) / target
        if 0.9 < ratio < 1.1 or (limited and ratio > 1):
            meet_bytes(fit, pursuit, step, target)
            ratio = fit.size(pursuit, step) / target
        if ratio <= 1:
            snr = fit.snr_db(pursuit)
            if best is None or snr > best[0]:
                best = snr, pursuit, step
            elif limited:
                break
            if not limited and ratio >= 1 - 2 * _TOLERANCE:
                break
        factor = 1.5 if limited else ratio**0.8 if ratio > 1 else min(0.8, ratio**0.8)
        closer = nearest_step(step.weight * factor, fit.peak)
        if closer == step:
            break
    if best is None:
        meet_bytes(fit, pursuit, step, target)
        return pursuit, step
    return best[1], best[2]


def fit_to_count(fit: Fit, gaussians: int) -> tuple[Pursuit, Step]:
    """A fit with this many Gaussians, or as many as the ceilings and the 16-bit amplitudes let it have."""
    step = fit.step_for(gaussians)
    pursuit = fit.run(step)
    if len(pursuit.atoms) < gaussians:
        pursuit.pick(gaussians - len(pursuit.atoms), 0.0)
    if len(pursuit.atoms) > gaussians:
        fit.drop_weakest(pursuit, len(pursuit.atoms) - gaussians)
    fit.settle(pursuit)
    fit.obey_ceilings(pursuit)
    return pursuit, step
