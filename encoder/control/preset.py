"""What fits a clip: the preset whose rough encoding of an excerpt is the nearest to it for the ear."""

from __future__ import annotations

import dataclasses

import numpy as np

from audio_gs.codec.tables import TABLE_SETS

from ..assemble import Solution, assemble
from ..options import EncoderOptions, Preset, load_preset
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
_OF_VOICES = TABLE_SETS[0]
_CLEARLY, _SURELY = 0.98, 0.87
"""Of the cost of the preset of voices, which asks for the least memory, what another has to come down to so that it can
be the better one, and so that it is."""
_NOISE_APART = 0.93
"""In between, the same where both have noise of one level."""


def choose_preset(
    signal: Samples, sample_rate: int, options: EncoderOptions, kbit_s: float, report: Span | None = None
) -> str:
    """The preset that comes nearest to the clip, output steps, shape (n,), at about a bitrate."""
    excerpt = loudest(signal, round(_SECONDS * sample_rate))
    options = dataclasses.replace(options, loop=None, seek_every=0)
    trials = _Trials(excerpt, sample_rate, options, kbit_s)
    costs = {}
    for number, name in enumerate(TABLE_SETS):
        if report is not None:
            report(number / len(TABLE_SETS), f"trying preset {name}")
        costs[name] = trials.cost(load_preset(name))
    nearest = min(TABLE_SETS, key=lambda name: costs[name])
    if costs[nearest] > _CLEARLY * costs[_OF_VOICES]:
        return _OF_VOICES
    if costs[nearest] > _SURELY * costs[_OF_VOICES] and trials.had_residuals:
        # Voices come out nearer with more noise than is good for them, so that must not decide.
        of_voices, other = (trials.cost(_as_noisy(load_preset(name))) for name in (_OF_VOICES, nearest))
        return nearest if other < _NOISE_APART * of_voices else _OF_VOICES
    return nearest


def _as_noisy(preset: Preset) -> Preset:
    """The preset with noise about as loud as what the tones leave."""
    return dataclasses.replace(preset, noise_level_low=-3.0, noise_level_high=0.0, noise_level_alone=0.0)


class _Trials:
    """Rough encodings of an excerpt at about a bitrate."""

    def __init__(self, excerpt: Samples, sample_rate: int, options: EncoderOptions, kbit_s: float) -> None:
        self._excerpt, self._sample_rate = excerpt, sample_rate
        self._options, self._kbit_s = options, kbit_s
        self._listener = Listener(excerpt, sample_rate)
        self._steps: dict[float, Step] = {}
        self.had_residuals = False
        """Whether any had a residual layer."""

    def cost(self, preset: Preset) -> float:
        """How far the excerpt is from itself under a preset, counted as if all took the same bytes."""
        problem = Problem(self._excerpt, self._sample_rate, preset, self._options)
        of_both = tones_kbit_s(problem, self._kbit_s)
        uncoded = self._kbit_s if of_both is None else of_both
        count = noise_count_at(problem, uncoded)
        if uncoded not in self._steps:
            for_tones = problem.target_bytes(uncoded - noise_kbit_s(problem, count))
            self._steps[uncoded] = step_for(problem, max(1, int(8 * for_tones / BITS_EACH)))
        step = self._steps[uncoded]
        solution = Solution(step, choose_tones(problem, step, rough=True))
        solution, _ = with_noise(problem, solution, count, of_both is not None)
        if of_both is not None:
            solution = with_residual(problem, solution, self._kbit_s)
            self.had_residuals = True
        stream = assemble(problem, solution)
        return self._listener.distance(stream.decoded()) * len(stream.data) ** -_DISTANCE_BY_RATE


def loudest(signal: Samples, length: int) -> Samples:
    """The excerpt of a length with the most energy; the whole of a shorter clip."""
    length = min(len(signal), length)
    energy = np.concatenate([[0.0], np.cumsum(signal**2)])
    starts = np.arange(0, len(signal) - length + 1, max(1, length // 24))
    start = int(starts[np.argmax(energy[starts + length] - energy[starts])])
    return signal[start : start + length]
