"""The encoder from samples to stream: preset, rate control, options of study, log."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from audio_gs.codec.container import StreamHeader
from audio_gs.codec.decoder import ReferenceDecoder
from audio_gs.codec.tables import FULL_SCALE, TABLE_SETS
from audio_gs.gaussians import GaussianTable

from .control.preset import choose_preset
from .control.quality import quality_at, step_for_quality, thin_to_quality, typical_kbit_s
from .control.rate import fit_to_bitrate, fit_to_count, meet_bytes
from .control.sample_rate import audible_rate, position_at, resampled
from .control.shares import add_noise, noise_count, noise_count_at, noise_count_beside, noise_kbit_s
from .fit import BITS_EACH, Fit, Progress, Samples, snr_db
from .gradient.initialise import initialise
from .gradient.joint_fit import hold_resolutions, joint_fit, starting_count, steps_for
from .gradient.resolution import is_by_hand
from .log import FitLog
from .options import DEFAULT_QUALITY, EncoderOptions, load_preset
from .perception import Listener
from .tones.pursuit import Pursuit
from .tones.quantiser import Step, nearest_step


@dataclasses.dataclass(frozen=True)
class EncodeResult:
    """A stream and what the encoder knows about it."""

    data: bytes
    header: StreamHeader
    gaussians: GaussianTable
    preset: str
    snr_db: float
    """Of the decoder's 16-bit output against the input; infinite where they are equal."""
    quality: float
    """Of the decoder's output on the scale of `EncoderOptions.quality`, whatever was asked for."""


def _is_studied(options: EncoderOptions) -> bool:
    """Whether the options ask for more than pursuit and its coordinate descent."""
    gradient = steps_for(options) > 0 or options.resume is not None
    return gradient or options.initialisation != "pursuit" or is_by_hand(options)


def _study(fit: Fit, pursuit: Pursuit, step: Step, log: FitLog) -> None:
    """Puts in place of the pursuit's atoms as many that start and are fitted as the options say; before there is
    noise, which is for what these leave."""
    options, layout, wanted = fit.options, (fit.kmin, fit.scales), len(pursuit.atoms)
    start = pursuit.table()
    if options.initialisation != "pursuit":
        count = starting_count(options, wanted)
        start = initialise(options, fit.signal, fit.sample_rate, layout, step.weight, count)

    def progress(fraction: float) -> None:
        fit.report(0.8 + 0.15 * fraction, "refining")

    pursuit.take(joint_fit(start, fit.signal, layout, step.weight, options, wanted, log, progress))
    hold_resolutions(pursuit, options)
    fit.obey_ceilings(pursuit)


def _finish_tones(fit: Fit, pursuit: Pursuit, step: Step, log: FitLog) -> bool:
    """What the options of study ask for between the choice of the tones and the noise; whether that is anything."""
    log.record("pursuit", snr_db=fit.snr_db(pursuit), gaussians=len(pursuit.atoms))
    if not _is_studied(fit.options):
        return False
    _study(fit, pursuit, step, log)
    return True


def _meet_bitrate(fit: Fit, kbit_s: float, log: FitLog) -> tuple[Pursuit, Step]:
    """Tones and noise that fill a bitrate together."""
    count = noise_count_at(fit, kbit_s)
    for_tones = kbit_s - noise_kbit_s(fit, count)
    pursuit, step = fit_to_bitrate(fit, for_tones)
    if _finish_tones(fit, pursuit, step, log):
        meet_bytes(fit, pursuit, step, fit.target_bytes(for_tones))
    add_noise(fit, pursuit, count)
    target = fit.target_bytes(kbit_s)
    meet_bytes(fit, pursuit, step, target)
    if fit.noise and fit.size(pursuit, step) > target:
        # So short a clip has no room for the noise's part of the header.
        fit.noise = None
        meet_bytes(fit, pursuit, step, target)
    return pursuit, step


def _meet_count(fit: Fit, a_second: float, log: FitLog) -> tuple[Pursuit, Step]:
    """Tones and noises that are so many together."""
    wanted = max(1, round(a_second * len(fit.signal) / fit.sample_rate))
    count = min(noise_count(fit, fit.preset.noise_share * a_second), wanted - 1)
    pursuit, step = fit_to_count(fit, wanted - count)
    _finish_tones(fit, pursuit, step, log)
    add_noise(fit, pursuit, count)
    return pursuit, step


def _meet_quality(fit: Fit, quality: float, listener: Listener, log: FitLog) -> tuple[Pursuit, Step]:
    """Tones and noise that are as near to the clip for the ear as a quality asks for."""
    step = step_for_quality(fit, quality, listener)
    pursuit = fit.run(step)
    fit.obey_ceilings(pursuit)
    thin_to_quality(fit, pursuit, step, quality, listener)
    count = noise_count_beside(fit, pursuit)
    _finish_tones(fit, pursuit, step, log)
    add_noise(fit, pursuit, count)
    return pursuit, step


def _is_silent(signal: Samples) -> bool:
    return float(np.max(np.abs(signal), initial=0.0)) < 0.5


def _wanted_rate(signal: Samples, sample_rate: int, options: EncoderOptions) -> int:
    """The sample rate of the stream."""
    wanted = options.sample_rate
    if wanted is None:
        wanted = "auto" if options.preset == "auto" else "keep"
    if wanted == "auto" and not _is_silent(signal):
        return audible_rate(signal, sample_rate)
    return sample_rate if isinstance(wanted, str) else int(wanted)


def _nominal_kbit_s(options: EncoderOptions) -> float:
    """About the rate that the options ask for."""
    if options.bitrate is not None:
        return options.bitrate
    if options.gaussians is not None:
        return BITS_EACH * options.gaussians / 1000
    return typical_kbit_s(_quality(options))


def _quality(options: EncoderOptions) -> float:
    return DEFAULT_QUALITY if options.quality is None else options.quality


def encode_audio(
    audio: npt.ArrayLike, sample_rate: int, options: EncoderOptions, progress: Progress | None = None
) -> EncodeResult:
    """Encodes a clip: audio float, shape (n,), full scale -1..1, at `sample_rate` Hz. The stream may have a lower
    sample rate, by the options; loop points are the clip's own samples.

    `progress` is called with a fraction 0..1 and a text.
    """
    report = progress or (lambda fraction, text: None)
    signal = np.asarray(audio, np.float64) * FULL_SCALE
    wanted = _wanted_rate(signal, sample_rate, options)
    if options.loop is not None:
        start, end = (position_at(sample, sample_rate, wanted) for sample in options.loop)
        options = dataclasses.replace(options, loop=(min(start, end - 1), end))
    signal, sample_rate = resampled(signal, sample_rate, wanted), wanted
    # What 16 bits would round away cannot come back either.
    silent = _is_silent(signal)
    log = FitLog(options.log_dir)
    name = options.preset
    if name == "auto":
        report(0.0, "choosing a preset")
        name = TABLE_SETS[0] if silent else choose_preset(signal, sample_rate, options, _nominal_kbit_s(options))
    report(0.2, f"fitting, preset {name}")
    fit = Fit(signal, sample_rate, load_preset(name), options, report)
    listener = Listener(signal, sample_rate)
    if silent:
        step = nearest_step(1.0, 0.0)
        pursuit = fit.pursuit(step)
    elif options.bitrate is not None:
        pursuit, step = _meet_bitrate(fit, options.bitrate, log)
    elif options.gaussians is not None:
        pursuit, step = _meet_count(fit, options.gaussians, log)
    else:
        pursuit, step = _meet_quality(fit, _quality(options), listener, log)
    report(0.95, "writing")
    data, header = fit.stream(pursuit, step)
    decoded = ReferenceDecoder(data).read(header.samples).astype(np.float64)
    table, snr = fit.table(pursuit), snr_db(signal, decoded)
    log.record("stream", snr_db=snr, gaussians=len(table))
    kbit_s = 8 * len(data) / 1000 * sample_rate / len(signal)
    log.pictures(signal, decoded, header, table, f"{kbit_s:.2f} kbit/s, {len(table)} Gaussians, SNR {snr:.2f} dB")
    report(1.0, "done")
    quality = quality_at(listener.distance(decoded))
    return EncodeResult(data, header, table, name, snr, quality)
