"""What fits a clip: the preset whose rough encoding of an excerpt is the nearest to it for the ear."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from audio_gs.codec.tables import TABLE_SETS

from ..assemble import Solution, assemble
from ..options import EncoderOptions, load_preset
from ..perception import Listener
from ..problem import BITS_EACH, Problem, Samples
from ..progress import Span
from ..tones.choose import choose_tones, step_for
from ..tones.quantiser import Step
from .coded import tones_kbit_s, with_residual
from .shares import noise_count_at, noise_kbit_s, with_noise

_SECONDS = 4.0
"""Length of the excerpt."""
_DISTANCE_BY_RATE = -0.4
"""Exponent with which the distance falls as the rate grows, near enough to compare rates that differ little."""
_CLEARLY = 0.98
"""Of the cost of the preset that asks for the least memory, what another has to come down to."""


def choose_preset(
    signal: Samples, sample_rate: int, options: EncoderOptions, kbit_s: float, report: Span | None = None
) -> str:
    """The preset that comes nearest to the clip, output steps, shape (n,), at about a bitrate."""
    excerpt = loudest(signal, round(_SECONDS * sample_rate))
    listener = Listener(excerpt, sample_rate)
    options = dataclasses.replace(options, loop=None, seek_every=0)
    best_name, best_cost = TABLE_SETS[0], math.inf
    step: tuple[float, Step] | None = None
    for number, name in enumerate(TABLE_SETS):
        problem = Problem(excerpt, sample_rate, load_preset(name), options)
        of_both = tones_kbit_s(problem, kbit_s)
        uncoded = kbit_s if of_both is None else of_both
        count = noise_count_at(problem, uncoded)
        if step is None or step[0] != uncoded:
            for_tones = problem.target_bytes(uncoded - noise_kbit_s(problem, count))
            step = uncoded, step_for(problem, max(1, int(8 * for_tones / BITS_EACH)))
        if report is not None:
            report(number / len(TABLE_SETS), f"trying preset {name}")
        solution = Solution(step[1], choose_tones(problem, step[1], rough=True))
        solution, _ = with_noise(problem, solution, count, of_both is not None)
        if of_both is not None:
            solution = with_residual(problem, solution, kbit_s)
        stream = assemble(problem, solution)
        cost = listener.distance(stream.decoded()) * len(stream.data) ** -_DISTANCE_BY_RATE
        if cost < best_cost:
            # The first is the one that asks for the least.
            best_name, best_cost = name, cost * (_CLEARLY if name == TABLE_SETS[0] else 1)
    return best_name


def loudest(signal: Samples, length: int) -> Samples:
    """The excerpt of a length with the most energy; the whole of a shorter clip."""
    length = min(len(signal), length)
    energy = np.concatenate([[0.0], np.cumsum(signal**2)])
    starts = np.arange(0, len(signal) - length + 1, max(1, length // 24))
    start = int(starts[np.argmax(energy[starts + length] - energy[starts])])
    return signal[start : start + length]
