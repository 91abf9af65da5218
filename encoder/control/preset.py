"""What fits a clip: the preset and the weight of the residual layer whose rough encoding of an excerpt is the nearest
to it for the ear."""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple

import numpy as np

from audio_gs.codec.tables import TABLE_SETS

from ..assemble import Solution, assemble
from ..options import EncoderOptions, Preset, load_preset
from ..perception import Listener
from ..problem import BITS_EACH, Problem, Samples
from ..progress import Span
from ..tones.choose import choose_tones, step_for
from ..tones.quantiser import Step
from .coded import has_residual_at, tones_kbit_s, with_residual
from .rate import meet_bytes
from .shares import noise_count_at, noise_kbit_s, with_noise
from .voice import may_be_voice

_SECONDS = 4.0
"""Length of the excerpt."""
_DISTANCE_BY_RATE = -0.4
"""Exponent with which the distance falls as the rate grows, near enough to compare rates that differ little."""
_CLEARLY = 0.95
"""Of the cost of the preset of voices, what another has to come down to where the clip may be a voice."""
_OF_VOICES = TABLE_SETS[0]
_USUAL = 1.0
_LIGHTER = ((0.0, 0.75), (0.5, 0.9))
"""Weights of the residual layer, and what the cost has to come down to with each, of that with the usual one: the
distance likes tones better than the ear does."""


class Choice(NamedTuple):
    """What fits a clip."""

    preset: str
    residual_weight: float


def choose(
    signal: Samples, sample_rate: int, options: EncoderOptions, kbit_s: float, report: Span | None = None
) -> Choice:
    """What comes nearest to the clip, output steps, shape (n,), at about a bitrate: the preset, if that is open, by
    tones and noise alone; and the weight of the residual layer."""
    excerpt = loudest(signal, round(_SECONDS * sample_rate))
    options = dataclasses.replace(options, loop=None, seek_every=0)
    trials = _Trials(excerpt, sample_rate, options, kbit_s)
    name, best_cost = options.preset, math.inf
    first_say = _CLEARLY if name == "auto" and may_be_voice(excerpt, sample_rate) else 1.0
    for number, tried in enumerate(TABLE_SETS if name == "auto" else ()):
        if report is not None:
            report(number / len(TABLE_SETS), f"trying preset {tried}")
        cost = trials.cost(load_preset(tried), 0.0)
        if cost < best_cost:
            name, best_cost = tried, cost * (first_say if tried == _OF_VOICES else 1)
    preset = load_preset(name)
    if not trials.have_residual(preset):
        return Choice(name, _USUAL)
    usual = trials.cost(preset, _USUAL)
    for weight, far_nearer in _LIGHTER:
        if trials.cost(preset, weight) < far_nearer * usual:
            return Choice(name, weight)
    return Choice(name, _USUAL)


class _Trials:
    """Rough encodings of an excerpt at about a bitrate."""

    def __init__(self, excerpt: Samples, sample_rate: int, options: EncoderOptions, kbit_s: float) -> None:
        self._excerpt, self._sample_rate = excerpt, sample_rate
        self._options, self._kbit_s = options, kbit_s
        self._listener = Listener(excerpt, sample_rate)
        self._steps: dict[float, Step] = {}

    def have_residual(self, preset: Preset) -> bool:
        """Whether they have a residual layer under a preset."""
        problem = Problem(self._excerpt, self._sample_rate, preset, self._options)
        return self._options.gaussians is None and has_residual_at(problem, self._kbit_s)

    def cost(self, preset: Preset, weight: float) -> float:
        """How far the excerpt is from itself under a preset and a weight of the residual layer, counted as if all took
        the same bytes."""
        problem = Problem(self._excerpt, self._sample_rate, preset, self._options, weight)
        of_both = tones_kbit_s(problem, self._kbit_s)
        uncoded = self._kbit_s if of_both is None else of_both
        count = noise_count_at(problem, uncoded)
        for_tones = problem.target_bytes(uncoded - noise_kbit_s(problem, count))
        if uncoded not in self._steps:
            self._steps[uncoded] = step_for(problem, max(1, int(8 * for_tones / BITS_EACH)))
        step = self._steps[uncoded]
        # One step for all, but the same bytes: what fewer of them cost differs too much between sounds to be reckoned.
        solution = meet_bytes(problem, Solution(step, choose_tones(problem, step, rough=True)), for_tones)
        solution, _ = with_noise(problem, solution, count, of_both is not None)
        if of_both is not None:
            solution = with_residual(problem, solution, self._kbit_s)
        stream = assemble(problem, solution)
        return self._listener.distance(stream.decoded()) * len(stream.data) ** -_DISTANCE_BY_RATE


def loudest(signal: Samples, length: int) -> Samples:
    """The excerpt of a length with the most energy; the whole of a shorter clip."""
    length = min(len(signal), length)
    energy = np.concatenate([[0.0], np.cumsum(signal**2)])
    starts = np.arange(0, len(signal) - length + 1, max(1, length // 24))
    start = int(starts[np.argmax(energy[starts + length] - energy[starts])])
    return signal[start : start + length]
