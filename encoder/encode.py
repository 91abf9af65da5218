"""The encoder from samples to stream: preset, rate control, options of study, log."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..container import StreamHeader
from ..gaussians import GaussianTable
from ..noise import band_bins
from ..reference import ReferenceDecoder
from ..tables import FULL_SCALE, TABLE_SETS
from .fit import BITS_EACH, Fit, Progress, Samples, snr_db
from .initialise import initialise
from .log import FitLog
from .noise import fit_noise, levels_db, wanted_power
from .options import DEFAULT_QUALITY, EncoderOptions, load_preset
from .pursuit import Pursuit
from .quantiser import Step, nearest_step
from .rate import fit_to_bitrate, fit_to_count, fit_to_snr, meet_bytes
from .resolution import is_by_hand
from .study import hold_resolutions, joint_fit, starting_count, steps_for

_AUTO_SECONDS = 6.0
"""Length of the excerpt on which presets are compared."""
_NOISE_BITS_EACH = 12.5
"""What a noise Gaussian costs, near enough to set bits aside for it."""
_NOISE_SHARE = 0.2
"""Share of a rate, or of a number of Gaussians, that noise gets."""
_MOST_NOISE_A_SECOND_AND_BAND = 5
_NOISE_ROUNDS = 1
_MOST_NOISE_SHARE_OF_MACS = 0.5
"""Share of the ceiling on MACs beyond which a clip goes without noise."""


@dataclasses.dataclass(frozen=True)
class EncodeResult:
    """A stream and what the encoder knows about it."""

    data: bytes
    header: StreamHeader
    gaussians: GaussianTable
    preset: str
    snr_db: float
    """Of the decoder's 16-bit output against the input; infinite where they are equal."""


def _choose_preset(signal: Samples, sample_rate: int, options: EncoderOptions) -> str:
    """The preset whose rough fit of the loudest excerpt has the least distortion plus priced bits."""
    length = min(len(signal), round(_AUTO_SECONDS * sample_rate))
    hop = max(1, sample_rate // 4)
    energy = np.concatenate([[0.0], np.cumsum(signal**2)])
    starts = np.arange(0, len(signal) - length + 1, hop)
    start = int(starts[np.argmax(energy[starts + length] - energy[starts])])
    excerpt = signal[start : start + length]
    # Squared error says nothing fair about presets that give some of it up for the ear.
    plain = dataclasses.replace(options, loop=None, level_exponent=0.0, shelf_db=0.0)
    best_name, best_cost = TABLE_SETS[0], math.inf
    step: Step | None = None
    for name in TABLE_SETS:
        fit = Fit(excerpt, sample_rate, load_preset(name), plain)
        if step is None:
            kbit_s = options.bitrate if options.bitrate is not None else 8.0
            step = fit.step_for(max(1, int(kbit_s * 1000 * length / sample_rate / BITS_EACH)))
        pursuit = fit.run(step, rough=True)
        bits = 8 * len(fit.stream(pursuit, step)[0])
        cost = float(np.sum(pursuit.residual() ** 2)) + fit.price * step.weight**2 * bits
        if cost < best_cost:
            best_name, best_cost = name, cost
    return best_name


def _is_studied(options: EncoderOptions) -> bool:
    """Whether the options ask for more than pursuit and its coordinate descent."""
    gradient = steps_for(options) > 0 or options.resume is not None
    return gradient or options.initialisation != "pursuit" or is_by_hand(options)


def _study(fit: Fit, pursuit: Pursuit, step: Step, log: FitLog, progress: Callable[[float], None]) -> None:
    """Puts in place of the pursuit's atoms as many that start and are fitted as the options say."""
    options, layout, wanted = fit.options, (fit.kmin, fit.scales), len(pursuit.atoms)
    start = pursuit.table()
    if options.initialisation != "pursuit":
        count = starting_count(options, wanted)
        start = initialise(options, fit.signal, fit.sample_rate, layout, step.weight, count)
    pursuit.take(joint_fit(start, fit.signal, layout, step.weight, options, wanted, log, progress))
    hold_resolutions(pursuit, options)
    fit.obey_ceilings(pursuit)
    if options.bitrate is not None:
        meet_bytes(fit, pursuit, step, fit.target_bytes(options.bitrate))


def _noise_count(fit: Fit, share_a_second: float) -> int:
    """Noise Gaussians for a clip that can have so many of them a second."""
    bands = len(band_bins(fit.sample_rate, fit.frame_log2))
    a_second = min(_MOST_NOISE_A_SECOND_AND_BAND * bands, share_a_second)
    if fit.options.noise_gaussians is not None:
        a_second = fit.options.noise_gaussians
    return round(a_second * len(fit.signal) / fit.sample_rate)


def _noise_count_at(fit: Fit, kbit_s: float) -> int:
    """Noise Gaussians for a clip at a rate."""
    return _noise_count(fit, _NOISE_SHARE * 1000 * kbit_s / _NOISE_BITS_EACH)


def _meet_bitrate(fit: Fit, kbit_s: float) -> tuple[Pursuit, Step]:
    """Tones and noise that fill a bitrate together."""
    count = _noise_count_at(fit, kbit_s)
    reserved = _NOISE_BITS_EACH * count / 1000 * fit.sample_rate / len(fit.signal)
    pursuit, step = fit_to_bitrate(fit, kbit_s - reserved)
    _add_noise(fit, pursuit, count)
    target = fit.target_bytes(kbit_s)
    meet_bytes(fit, pursuit, step, target)
    if fit.noise and fit.size(pursuit, step) > target:
        # So short a clip has no room for the noise's part of the header.
        fit.noise = None
        meet_bytes(fit, pursuit, step, target)
    return pursuit, step


def _meet_count(fit: Fit, a_second: float) -> tuple[Pursuit, Step]:
    """Tones and noises that are so many together."""
    wanted = max(1, round(a_second * len(fit.signal) / fit.sample_rate))
    count = min(_noise_count(fit, _NOISE_SHARE * a_second), wanted - 1)
    pursuit, step = fit_to_count(fit, wanted - count)
    _add_noise(fit, pursuit, count)
    return pursuit, step


def _meet_snr(fit: Fit, wanted_db: float) -> tuple[Pursuit, Step]:
    """Tones of a signal-to-noise ratio, and the noise that goes with their rate."""
    pursuit, step = fit_to_snr(fit, wanted_db)
    kbit_s = 8 * fit.size(pursuit, step) / 1000 * fit.sample_rate / len(fit.signal)
    _add_noise(fit, pursuit, _noise_count_at(fit, kbit_s / (1 - _NOISE_SHARE)))
    return pursuit, step


def _add_noise(fit: Fit, pursuit: Pursuit, count: int) -> None:
    """Gives the fit its noise layer, and the tones up whose cost the ceilings do not allow beside it."""
    options, preset = fit.options, fit.preset
    frame = fit.frame_log2
    level_db = levels_db(fit.sample_rate, frame, preset.noise_level_low, preset.noise_level_high) + options.noise_level
    alone_db = preset.noise_level_alone + options.noise_level
    power = wanted_power(fit.signal, pursuit.residual(), fit.sample_rate, frame, level_db, alone_db)
    fit.noise = fit_noise(power, frame, count, _NOISE_ROUNDS)
    while fit.noise and fit.noise_held() > preset.max_noise:
        count = int(0.9 * count)
        fit.noise = fit_noise(power, frame, count, _NOISE_ROUNDS)
    if np.max(fit.noise_macs(), initial=0.0) > _MOST_NOISE_SHARE_OF_MACS * options.max_macs:
        fit.noise = None
    fit.obey_ceilings(pursuit)


def encode_audio(
    audio: npt.ArrayLike, sample_rate: int, options: EncoderOptions, progress: Progress | None = None
) -> EncodeResult:
    """Encodes a clip: audio float, shape (n,), full scale -1..1, at `sample_rate` Hz.

    `progress` is called with a fraction 0..1 and a text.
    """
    report = progress or (lambda fraction, text: None)
    signal = np.asarray(audio, np.float64) * FULL_SCALE
    # What 16 bits would round away cannot come back either.
    silent = float(np.max(np.abs(signal), initial=0.0)) < 0.5
    log = FitLog(options.log_dir)
    name = options.preset
    if name == "auto":
        report(0.0, "choosing a preset")
        name = TABLE_SETS[0] if silent else _choose_preset(signal, sample_rate, options)
    report(0.2, f"fitting, preset {name}")
    fit = Fit(signal, sample_rate, load_preset(name), options, report)
    if silent:
        step = nearest_step(1.0, 0.0)
        pursuit = fit.pursuit(step)
    elif options.bitrate is not None:
        pursuit, step = _meet_bitrate(fit, options.bitrate)
    elif options.gaussians is not None:
        pursuit, step = _meet_count(fit, options.gaussians)
    else:
        quality = DEFAULT_QUALITY if options.quality is None else options.quality
        pursuit, step = _meet_snr(fit, 8 + 2 * quality)
    log.record("pursuit", snr_db=fit.snr_db(pursuit), gaussians=len(pursuit.atoms))
    if not silent and _is_studied(options):
        _study(fit, pursuit, step, log, lambda fraction: report(0.8 + 0.15 * fraction, "refining"))
    report(0.95, "writing")
    data, header = fit.stream(pursuit, step)
    decoded = ReferenceDecoder(data).read(header.samples).astype(np.float64)
    table, snr = fit.table(pursuit), snr_db(signal, decoded)
    log.record("stream", snr_db=snr, gaussians=len(table))
    kbit_s = 8 * len(data) / 1000 * sample_rate / len(signal)
    log.pictures(signal, decoded, header, table, f"{kbit_s:.2f} kbit/s, {len(table)} Gaussians, SNR {snr:.2f} dB")
    report(1.0, "done")
    return EncodeResult(data, header, table, name, snr)
