"""How many gradient steps the options ask for, and with how many Gaussians they begin."""

from __future__ import annotations

from ..options import EncoderOptions

STEPS = {"fast": 50, "normal": 150, "best": 400}
"""Gradient steps by effort, when the Gaussians do not start from a pursuit."""


def steps_for(options: EncoderOptions) -> int:
    """Gradient steps that the options ask for: pursuit's own coordinate descent needs none."""
    if options.refine_steps is not None:
        return options.refine_steps
    return 0 if options.initialisation == "pursuit" else STEPS[options.effort]


def starting_count(options: EncoderOptions, wanted: int) -> int:
    """How many of the wanted Gaussians are there before the first step; adaptive adding brings the others."""
    if not rounds_left(options, 0, steps_for(options)):
        return wanted
    return max(1, wanted - round(options.adaptive_share * wanted))


def rounds_left(options: EncoderOptions, done: int, steps: int) -> int:
    """Times that Gaussians are still to be added after `done` steps, each with as many steps left to settle."""
    if not options.adaptive_every:
        return 0
    return max(0, (steps - options.adaptive_every) // options.adaptive_every - done // options.adaptive_every)
