"""Tones and noise side by side: how much of a rate is for noise, and noise that fits what the tones leave."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from audio_gs.codec.kinds.noise import band_bins

from ..assemble import Solution, peak_macs_beside_tones, within_ceilings
from ..noise.layer import NoiseLayer, fit_noise, levels_db, wanted_power
from ..problem import BITS_EACH, Problem
from ..residual.layer import loudest_power

_BITS_EACH_NOISE = 12.5
"""What a noise Gaussian costs, near enough to set bits aside for it."""
_MOST_A_SECOND_AND_BAND = 5
_ROUNDS = 1
_MOST_SHARE_OF_MACS = 0.5
"""Share of the ceiling on MACs beyond which a clip goes without noise."""


def noise_count(problem: Problem, share_a_second: float) -> int:
    """Noise Gaussians for a clip that can have so many of them a second."""
    bands = len(band_bins(problem.sample_rate, problem.frame_log2))
    a_second = min(_MOST_A_SECOND_AND_BAND * bands, share_a_second)
    if problem.options.noise_gaussians is not None:
        a_second = problem.options.noise_gaussians
    return round(a_second * len(problem.signal) / problem.sample_rate)


def noise_count_at(problem: Problem, kbit_s: float) -> int:
    """Noise Gaussians for a clip at a rate."""
    return noise_count(problem, problem.preset.noise_share * 1000 * kbit_s / _BITS_EACH_NOISE)


def noise_count_beside(problem: Problem, tones: int) -> int:
    """Noise Gaussians for a clip with so many tones."""
    tones_a_second = tones * problem.sample_rate / len(problem.signal)
    return noise_count_at(problem, BITS_EACH * tones_a_second / 1000 / (1 - problem.preset.noise_share))


def noise_kbit_s(problem: Problem, count: int) -> float:
    """Rate to set aside for so many noise Gaussians."""
    return _BITS_EACH_NOISE * count / 1000 * problem.sample_rate / len(problem.signal)


def with_noise(problem: Problem, solution: Solution, count: int, coded: bool = False) -> tuple[Solution, bool]:
    """The solution with a noise layer of up to `count` Gaussians, without the tones whose cost the ceilings do not
    allow beside it; and whether there were any. `coded`: there is to be a residual layer beside it."""
    noisy = solution.with_noise(_fitted_noise(problem, solution, count, coded))
    obeying = within_ceilings(problem, noisy)
    if obeying is noisy:
        return noisy, False
    # What went leaves its sound to the noise.
    noisy = obeying.with_noise(_fitted_noise(problem, obeying, count, coded))
    return within_ceilings(problem, noisy), True


def level_of_noise_db(problem: Problem) -> tuple[npt.NDArray[np.float64], float]:
    """How much louder noise is to be than what the tones leave, in dB: for each band, where tones have done their work,
    and where there are none."""
    options, preset = problem.options, problem.preset
    level_db = levels_db(problem.sample_rate, problem.frame_log2, preset.noise_level_low, preset.noise_level_high)
    return level_db + options.noise_level, preset.noise_level_alone + options.noise_level


def _fitted_noise(problem: Problem, solution: Solution, count: int, coded: bool) -> NoiseLayer | None:
    """A noise layer for what the tones leave; `coded`: with room for a residual layer."""
    options, preset = problem.options, problem.preset
    sample_rate, frame_log2 = problem.sample_rate, problem.frame_log2
    residual = solution.tones.residual()
    power = wanted_power(problem.signal, residual, sample_rate, frame_log2, *level_of_noise_db(problem))
    peak = loudest_power(residual, frame_log2) if coded else 0.0
    noise = fit_noise(power, frame_log2, count, _ROUNDS, peak)
    while noise and noise.held(problem.blank_header()) > preset.max_noises:
        count = int(0.9 * count)
        noise = fit_noise(power, frame_log2, count, _ROUNDS, peak)
    if peak_macs_beside_tones(problem, solution.with_noise(noise)) > _MOST_SHARE_OF_MACS * options.max_macs:
        return None
    return noise
