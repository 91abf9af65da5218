"""Tones and noise side by side: how much of a rate is for noise, and noise that fits what the tones leave."""

from __future__ import annotations

from audio_gs.codec.noise import band_bins

from ..fit import BITS_EACH, Fit
from ..noise.layer import fit_noise, levels_db, wanted_power
from ..tones.pursuit import Pursuit

_BITS_EACH = 12.5
"""What a noise Gaussian costs, near enough to set bits aside for it."""
_MOST_A_SECOND_AND_BAND = 5
_ROUNDS = 1
_MOST_SHARE_OF_MACS = 0.5
"""Share of the ceiling on MACs beyond which a clip goes without noise."""


def noise_count(fit: Fit, share_a_second: float) -> int:
    """Noise Gaussians for a clip that can have so many of them a second."""
    bands = len(band_bins(fit.sample_rate, fit.frame_log2))
    a_second = min(_MOST_A_SECOND_AND_BAND * bands, share_a_second)
    if fit.options.noise_gaussians is not None:
        a_second = fit.options.noise_gaussians
    return round(a_second * len(fit.signal) / fit.sample_rate)


def noise_count_at(fit: Fit, kbit_s: float) -> int:
    """Noise Gaussians for a clip at a rate."""
    return noise_count(fit, fit.preset.noise_share * 1000 * kbit_s / _BITS_EACH)


def noise_count_beside(fit: Fit, pursuit: Pursuit) -> int:
    """Noise Gaussians for a clip whose tones are chosen."""
    tones_a_second = len(pursuit.atoms) * fit.sample_rate / len(fit.signal)
    return noise_count_at(fit, BITS_EACH * tones_a_second / 1000 / (1 - fit.preset.noise_share))


def noise_kbit_s(fit: Fit, count: int) -> float:
    """Rate to set aside for so many noise Gaussians."""
    return _BITS_EACH * count / 1000 * fit.sample_rate / len(fit.signal)


def add_noise(fit: Fit, pursuit: Pursuit, count: int) -> bool:
    """Gives the fit its noise layer, and the tones up whose cost the ceilings do not allow beside it; True if there
    were any."""
    _fit_noise(fit, pursuit, count)
    if not fit.obey_ceilings(pursuit):
        return False
    # What went leaves its sound to the noise.
    _fit_noise(fit, pursuit, count)
    fit.obey_ceilings(pursuit)
    return True


def _fit_noise(fit: Fit, pursuit: Pursuit, count: int) -> None:
    """Fits the noise layer to what the tones leave."""
    options, preset = fit.options, fit.preset
    frame = fit.frame_log2
    level_db = levels_db(fit.sample_rate, frame, preset.noise_level_low, preset.noise_level_high) + options.noise_level
    alone_db = preset.noise_level_alone + options.noise_level
    power = wanted_power(fit.signal, pursuit.residual(), fit.sample_rate, frame, level_db, alone_db)
    fit.noise = fit_noise(power, frame, count, _ROUNDS)
    while fit.noise and fit.noise_held() > preset.max_noise:
        count = int(0.9 * count)
        fit.noise = fit_noise(power, frame, count, _ROUNDS)
    if fit.peak_macs_without_tones() > _MOST_SHARE_OF_MACS * options.max_macs:
        fit.noise = None
