"""The encoder from samples to stream: preset, rate control, options of study, log."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from audio_gs.codec.container import SHORTEST_LOOP, StreamHeader
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.tables import FULL_SCALE, TABLE_SETS
from audio_gs.errors import AudioInputError, OptionsError

from .assemble import Solution, assemble, stream_bytes, within_ceilings
from .control.coded import tones_kbit_s, with_residual
from .control.preset import Choice, choose
from .control.quality import (
    HIGHEST_QUALITY,
    layers_for_quality,
    quality_at,
    step_for_quality,
    thin_to_quality,
    typical_kbit_s,
)
from .control.rate import fit_to_bitrate, fit_to_count, meet_bytes
from .control.sample_rate import audible_rate, kept_rate, position_at, resampled
from .control.shares import noise_count, noise_count_at, noise_kbit_s, with_noise
from .control.side import USUAL_SHARE, side_bytes, with_side, with_side_within
from .gradient.study import choice_and_fit, finished_tones
from .log import FitLog
from .options import DEFAULT_QUALITY, EncoderOptions, load_preset
from .panning.direction import in_a_row, is_enough, principal_direction, turned, turned_back
from .perception import Listener
from .problem import BITS_EACH, Problem, Samples, snr_db
from .progress import Progress, Span, rising
from .tones.choose import choose_tones, no_tones
from .tones.quantiser import nearest_step

_LEFT_OVER = 0.05
"""Share of a bitrate that a residual layer may leave unused."""
_RESIDUAL_BESIDE_SIDE = 0.3
"""Weight of the residual layer of a panned clip: it brings the side nothing, which tones do."""
_QUALITY_TRIES = 3
_NEAR_QUALITY = 0.25
_SHARE_TRIES = 2
_NEAR_SHARE = 0.08
"""By how much the side's share of a bitrate may be another than the one that was set aside."""


@dataclasses.dataclass(frozen=True)
class EncodeResult:
    """A stream and what the encoder knows about it."""

    data: bytes
    header: StreamHeader
    gaussians: Gaussians
    preset: str
    snr_db: float
    """Of the decoder's 16-bit output against the input, all channels together; infinite where they are equal."""
    quality: float
    """Of the decoder's output on the scale of `EncoderOptions.quality`, whatever was asked for; of
    both channels."""


def _meet_bitrate(problem: Problem, kbit_s: float, log: FitLog, report: Span) -> Solution:
    """Tones, noise and what they have for the side that fill a bitrate together, or a part of it and a residual layer
    the rest."""
    if problem.side is None:
        return _meet_bitrate_beside(problem, kbit_s, 0.0, log, report)
    share = USUAL_SHARE
    for number in range(_SHARE_TRIES):
        part = report.part(number / _SHARE_TRIES, (number + 1) / _SHARE_TRIES)
        solution = _meet_bitrate_beside(problem, kbit_s, share * kbit_s, log, part)
        taken = side_bytes(problem, solution) / problem.target_bytes(kbit_s)
        if abs(taken - share) < _NEAR_SHARE:
            break
        share = taken
    return solution


def _meet_bitrate_beside(problem: Problem, kbit_s: float, of_side: float, log: FitLog, report: Span) -> Solution:
    """The same with about so many kbit/s for the side."""
    of_both = tones_kbit_s(problem, kbit_s - of_side)
    if of_both is not None:
        solution = _meet_bitrate_uncoded(problem, of_both, of_side, log, report, coded=True)
        coded = with_residual(problem, solution, kbit_s)
        missing = problem.target_bytes(kbit_s) - stream_bytes(problem, coded)
        # The ceilings may have taken tones away beside the layer, and with them the side.
        lost_side = solution.side is not None and coded.side is None
        if coded.residual and not lost_side and missing <= _LEFT_OVER * problem.target_bytes(kbit_s):
            return coded
    # There is nothing to code but tones, or the finest steps leave room for more of them.
    return _meet_bitrate_uncoded(problem, kbit_s - of_side, of_side, log, report)


def _meet_bitrate_uncoded(
    problem: Problem, kbit_s: float, of_side: float, log: FitLog, report: Span, coded: bool = False
) -> Solution:
    """Tones and noise that fill a bitrate together, with their side that and another one of about `of_side`; `coded`:
    with room for a residual layer beside them."""
    count = noise_count_at(problem, kbit_s)
    for_tones = kbit_s - noise_kbit_s(problem, count)
    choosing, fitting = choice_and_fit(problem.options, report)
    fitted = fit_to_bitrate(problem, for_tones, choosing)
    solution = finished_tones(problem, fitted, log, fitting)
    if solution is not fitted:
        solution = meet_bytes(problem, solution, problem.target_bytes(for_tones))
    solution, _ = with_noise(problem, solution, count, coded)
    target = problem.target_bytes(kbit_s)
    solution = meet_bytes(problem, solution, target)
    if solution.noise and stream_bytes(problem, solution) > target:
        # So short a clip has no room for the noise's part of the header.
        solution = meet_bytes(problem, solution.with_noise(None), target)
    return with_side_within(problem, solution, problem.target_bytes(kbit_s + of_side))


def _meet_count(problem: Problem, a_second: float, log: FitLog, report: Span) -> Solution:
    """Tones and noises that are so many together."""
    wanted = max(1, round(a_second * len(problem.signal) / problem.sample_rate))
    count = min(noise_count(problem, problem.preset.noise_share * a_second), wanted - 1)
    choosing, fitting = choice_and_fit(problem.options, report)
    solution = finished_tones(problem, fit_to_count(problem, wanted - count, choosing), log, fitting)
    return with_side(problem, with_noise(problem, solution, count)[0])


def _meet_quality(problem: Problem, quality: float, listener: Listener, log: FitLog, report: Span) -> Solution:
    """Tones, noise and their side that are as near to the clip for the ear as a quality asks for."""
    if problem.side is None or problem.direction is None:
        return _meet_quality_of_mid(problem, quality, listener, log, report)
    pair = turned_back(problem.signal, problem.side, problem.direction)
    of_both = Listener(in_a_row(pair), problem.sample_rate)
    tried: list[tuple[float, Solution]] = []
    # What tones of the mid do not bring of the side, the mid has to make up for.
    of_mid = quality
    for number in range(_QUALITY_TRIES):
        part = report.part(number / _QUALITY_TRIES, (number + 1) / _QUALITY_TRIES)
        solution = with_side(problem, _meet_quality_of_mid(problem, of_mid, listener, log, part))
        decoded = assemble(problem, solution).decoded_channels()
        missing = quality - quality_at(of_both.distance(in_a_row(decoded)))
        tried.append((abs(missing), solution))
        higher = min(HIGHEST_QUALITY, max(0.0, of_mid + missing))
        if abs(missing) < _NEAR_QUALITY or higher == of_mid:
            break
        of_mid = higher
    return min(tried, key=lambda entry: entry[0])[1]


def _meet_quality_of_mid(problem: Problem, quality: float, listener: Listener, log: FitLog, report: Span) -> Solution:
    """Tones and noise of the mid alone, or of a clip with one channel."""
    choosing, fitting = choice_and_fit(problem.options, report)
    step = step_for_quality(problem, quality, listener, choosing.part(0, 0.6))
    solution = within_ceilings(problem, Solution(step, choose_tones(problem, step, choosing.part(0.6, 1))))
    solution = thin_to_quality(problem, solution, quality, listener)
    solution = finished_tones(problem, solution, log, fitting)
    return layers_for_quality(problem, solution, quality, listener)


def _is_silent(signal: Samples) -> bool:
    return float(np.max(np.abs(signal), initial=0.0)) < 0.5


def _wanted_rate(signals: Sequence[Samples], sample_rate: int, options: EncoderOptions) -> int:
    """The sample rate of the stream of a clip with these channels."""
    wanted = options.sample_rate
    if wanted is None:
        wanted = "auto" if options.preset == "auto" else "keep"
    if not isinstance(wanted, str):
        return int(wanted)
    highest = kept_rate(sample_rate, is_asked_for=options.sample_rate == "keep")
    if wanted != "auto":
        return highest
    heard = [resampled(signal, sample_rate, highest) for signal in signals if not _is_silent(signal)]
    return max((audible_rate(signal, highest) for signal in heard), default=highest)


def _nominal_kbit_s(options: EncoderOptions) -> float:
    """About the rate that the options ask for."""
    if options.bitrate is not None:
        return options.bitrate
    if options.gaussians is not None:
        return BITS_EACH * options.gaussians / 1000
    return typical_kbit_s(_quality(options))


def _quality(options: EncoderOptions) -> float:
    return DEFAULT_QUALITY if options.quality is None else options.quality


def _solve(problem: Problem, listener: Listener, log: FitLog, report: Span) -> Solution:
    options = problem.options
    if _is_silent(problem.signal):
        step = nearest_step(1.0, 0.0)
        return Solution(step, no_tones(problem, step))
    if options.bitrate is not None:
        return _meet_bitrate(problem, options.bitrate, log, report)
    if options.gaussians is not None:
        return _meet_count(problem, options.gaussians, log, report)
    return _meet_quality(problem, _quality(options), listener, log, report)


def _channels(audio: Samples, options: EncoderOptions) -> list[Samples]:
    """The channels that are encoded, in output steps, each of shape (n,)."""
    if audio.ndim == 1:
        return [audio]
    if options.mono or audio.shape[1] == 1:
        return [audio.mean(axis=1)]
    if audio.shape[1] != 2:
        raise AudioInputError(f"{audio.shape[1]} channels are more than a stream has; mix them down to two or one")
    return [np.ascontiguousarray(channel) for channel in audio.T]


def encode_audio(
    audio: npt.ArrayLike, sample_rate: int, options: EncoderOptions, progress: Progress | None = None
) -> EncodeResult:
    """Encodes a clip: audio float, shape (n,) or (n, 2), full scale -1..1, at `sample_rate` Hz. The stream may have a
    lower sample rate, by the options; loop points are the clip's own samples.

    `progress` is called with a fraction 0..1 and a text; the fraction never falls.
    """
    report = Span(rising(progress))
    channels = _channels(np.asarray(audio, np.float64) * FULL_SCALE, options)
    wanted = _wanted_rate(channels, sample_rate, options)
    if options.loop is not None:
        start, end = (position_at(sample, sample_rate, wanted) for sample in options.loop)
        if end - start < SHORTEST_LOOP:
            raise OptionsError(
                f"the loop would have {end - start} samples, and no decoder loops over fewer than {SHORTEST_LOOP}; "
                "give a longer one, or none"
            )
        options = dataclasses.replace(options, loop=(start, end))
    channels, sample_rate = [resampled(signal, sample_rate, wanted) for signal in channels], wanted
    signal, side, direction = channels[0], None, None
    if len(channels) == 2:
        pair = np.stack(channels, axis=1)
        direction = principal_direction(pair)
        signal, rest = turned(pair, direction)
        if not is_enough(direction, pair, sample_rate):
            side = rest
    # What 16 bits would round away cannot come back either.
    silent = _is_silent(signal)
    log = FitLog(options.log_dir)
    choice = Choice(TABLE_SETS[0] if options.preset == "auto" else options.preset, 1.0)
    if not silent:
        report(0.0, "choosing a preset")
        kbit_s = _nominal_kbit_s(options) * (1 if side is None else 1 - USUAL_SHARE)
        choice = choose(signal, sample_rate, options, kbit_s, report.part(0, 0.2))
    name = choice.preset
    report(0.2, f"fitting, preset {name}")
    weight = choice.residual_weight if side is None else min(_RESIDUAL_BESIDE_SIDE, choice.residual_weight)
    problem = Problem(signal, sample_rate, load_preset(name), options, weight, direction, side)
    listener = Listener(signal, sample_rate)
    solution = _solve(problem, listener, log, report.part(0.2, 0.95))
    report(0.95, "writing")
    stream = assemble(problem, solution)
    decoded = stream.decoded_channels()
    whole = np.stack(channels, axis=1)
    snr = snr_db(whole, decoded)
    log.record("stream", snr_db=snr, gaussians=stream.gaussians.total)
    kbit_s = 8 * len(stream.data) / 1000 * sample_rate / len(signal)
    title = f"{kbit_s:.2f} kbit/s, {stream.gaussians.total} Gaussians, SNR {snr:.2f} dB"
    log.pictures(whole, decoded, stream.header, stream.gaussians, title)
    report(1.0, "done")
    if direction is not None:
        listener = Listener(in_a_row(whole), sample_rate)
    quality = quality_at(listener.distance(in_a_row(decoded)))
    return EncodeResult(stream.data, stream.header, stream.gaussians, name, snr, quality)
