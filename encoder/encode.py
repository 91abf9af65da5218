"""The encoder from samples to stream: rate control around pursuit, refinement, ceilings and the bitstream."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.signal import fftconvolve

from .. import complexity
from ..container import TABLE_SETS, StreamHeader
from ..gaussians import GaussianTable, support
from ..reference import ReferenceDecoder
from ..slots import encode_stream
from ..tables import LARGEST_AMPLITUDE, phase_bits
from . import budget
from .initialise import initialise
from .log import FitLog
from .options import DEFAULT_QUALITY, EncoderOptions, Preset, load_preset
from .pursuit import RECONSTRUCTION, Pursuit
from .quantiser import Step, finest_shift, nearest_step
from .resolution import coarsen, is_by_hand
from .study import hold_resolutions, joint_fit, starting_count, steps_for

Samples = npt.NDArray[np.float64]
Progress = Callable[[float, str], None]

FULL_SCALE = 32768.0
_BITS_EACH = 15.5
"""What a Gaussian costs, near enough to start the search for the rate."""
_MOST_A_SECOND = 20000
"""Gaussians that no clip may have more of, however noisy; any ceiling on MACs is far below."""
_TOLERANCE = 0.01
"""How far under its bitrate a stream may stay."""
_STEP_TRIES = 6
_SIZE_TRIES = 8
_MOVES = {"fast": 0, "normal": 2, "best": 6}
_LEVEL_SECONDS = 0.05
_LEVEL_RANGE_DB = 50.0
"""Window of the level that level_exponent compresses, and how far below its peak it counts as silence."""
_AUTO_SECONDS = 6.0
"""Length of the excerpt on which presets are compared."""


@dataclasses.dataclass(frozen=True)
class EncodeResult:
    """A stream and what the encoder knows about it."""

    data: bytes
    header: StreamHeader
    gaussians: GaussianTable
    preset: str
    snr_db: float
    """Of the decoder's 16-bit output against the input; infinite where they are equal."""


def snr_db(signal: Samples, decoded: Samples) -> float:
    """Signal-to-noise ratio in dB; inf for no error, -inf for an error on silence."""
    error = float(np.sum((signal - decoded) ** 2))
    energy = float(np.sum(signal**2))
    if error == 0:
        return math.inf
    return 10 * math.log10(energy / error) if energy > 0 else -math.inf


def compression_gain(signal: Samples, sample_rate: int, exponent: float) -> Samples:
    """The factor that compresses a signal's slowly varying level L to L^(1 - exponent), shape (samples,): under it
    the quiet counts for more. Scaled so that the energy of the signal stays what it is."""
    length = max(1, round(_LEVEL_SECONDS * sample_rate))
    window = np.hanning(length + 2)[1:-1]
    level = np.sqrt(np.maximum(fftconvolve(signal**2, window / window.sum(), mode="same"), 0.0))
    loudest = float(level.max(initial=0.0))
    gain = np.maximum(level, 10 ** (-_LEVEL_RANGE_DB / 20) * max(loudest, 1.0)) ** -exponent
    energy = float(np.sum(signal**2))
    return gain * np.sqrt(energy / max(float(np.sum((signal * gain) ** 2)), 1e-300))


class _Fit:
    """One clip under one preset: the pursuit and what turns it into a stream."""

    def __init__(self, signal: Samples, sample_rate: int, preset: Preset, options: EncoderOptions) -> None:
        self.signal = signal
        self.sample_rate = sample_rate
        self.preset = preset
        self.options = options
        self.kmin, self.scales, self.slot_log2 = preset.layout(sample_rate)
        self.price = options.price if options.price is not None else preset.price
        self.most = max(1, math.ceil(_MOST_A_SECOND * len(signal) / sample_rate))
        self.peak = float(np.max(np.abs(signal), initial=0.0))
        exponent = options.level_exponent if options.level_exponent is not None else preset.level_exponent
        self.gain = compression_gain(signal, sample_rate, exponent) if exponent > 0 else None

    def pursuit(self, step: Step) -> Pursuit:
        return Pursuit(self.signal, self.kmin, self.scales, step.weight)

    def threshold(self, step: Step) -> float:
        """Energy that a Gaussian of average cost has to remove to pay for its bits."""
        return self.price * step.weight**2 * _BITS_EACH

    def step_for(self, gaussians: int) -> Step:
        """The step at which pursuit stops near this number of Gaussians: that of a rough pursuit whose last pick just
        pays."""
        loudest = self.pursuit(nearest_step(1.0, self.peak))
        loudest.pick(1, 0.0)
        finest = math.sqrt(2 * loudest.last_score) / LARGEST_AMPLITUDE
        pursuit = self.pursuit(nearest_step(1.5 * finest, self.peak))
        pursuit.pick(gaussians, 0.0)
        return nearest_step(math.sqrt(max(pursuit.last_score, 0.0) / (self.price * _BITS_EACH)), self.peak)

    def run(self, step: Step, moves: int) -> Pursuit:
        """Pursuit down to the threshold, then rounds of coordinate descent."""
        pursuit = self.pursuit(step)
        if self.gain is not None:
            self._choose_in_compressed(pursuit, step)
            pursuit.requantise(0.0)
            return pursuit
        threshold = self.threshold(step)
        pursuit.pick(self.most, threshold)
        for _ in range(moves):
            pursuit.move(threshold)
            pursuit.pick(self.most, threshold)
        pursuit.requantise(threshold)
        return pursuit

    def _choose_in_compressed(self, pursuit: Pursuit, step: Step) -> None:
        """Lets the pursuit start from the Gaussians that suit the level-compressed signal, scaled back."""
        assert self.gain is not None
        compressed = Pursuit(self.signal * self.gain, self.kmin, self.scales, step.weight)
        compressed.pick(self.most, self.threshold(step))
        table = compressed.table()
        centre = np.clip(table["onset"] + support(table["scale"]) // 2, 0, len(self.signal) - 1)
        weight = (table["amplitude"] + RECONSTRUCTION) / self.gain[centre] - RECONSTRUCTION
        finer = phase_bits()
        old_bits = finer[table["amplitude"]]
        table["amplitude"] = np.clip(np.rint(weight), 1, LARGEST_AMPLITUDE)
        new_bits = finer[table["amplitude"]]
        table["phase"] = np.rint(table["phase"] * 2.0 ** (new_bits - old_bits)).astype(np.int64) % (1 << new_bits)
        pursuit.take(table)

    def header(self, table: GaussianTable, mantissa: int, output_shift: int) -> StreamHeader:
        samples = len(self.signal)
        seek_slots = 0
        if self.options.seek_every > 0:
            seek_slots = max(1, round(self.options.seek_every * self.sample_rate / (1 << self.slot_log2)))
        if seek_slots >= -(-samples >> self.slot_log2):
            seek_slots = 0
        header = StreamHeader(
            sample_rate=self.sample_rate,
            samples=samples,
            slot_log2=self.slot_log2,
            kmin=self.kmin,
            scales=self.scales,
            mantissa=mantissa,
            output_shift=output_shift,
            max_active=1,
            peak_macs=0,
            seek_slots=seek_slots,
            loop=self.options.loop,
            table_set=self.preset.table_set_index,
        )
        held = budget.held_at_most(table, self.slot_log2, -header.lead_slots, header.slots)
        peak = complexity.macs_per_sample(table, samples, self.sample_rate)[1]
        return dataclasses.replace(header, max_active=max(1, held), peak_macs=math.ceil(peak))

    def table(self, pursuit: Pursuit) -> GaussianTable:
        """The atoms at the resolutions fixed by hand."""
        return coarsen(pursuit.table(), self.options, len(self.signal))

    def stream(self, pursuit: Pursuit, step: Step) -> tuple[bytes, StreamHeader]:
        table = self.table(pursuit)
        header = self.header(table, *finest_shift(step, table, pursuit.render()))
        return encode_stream(header, table), header

    def size(self, pursuit: Pursuit, step: Step) -> int:
        """Bytes of the stream."""
        return len(self.stream(pursuit, step)[0])

    def obey_ceilings(self, pursuit: Pursuit) -> bool:
        """Drops what exceeds the ceilings on MACs and held Gaussians; True if anything was dropped."""
        table = self.table(pursuit)
        keep = budget.within_macs(table, pursuit.energies(), len(self.signal), self.sample_rate, self.options.max_macs)
        header = self.header(table, 1, 0)
        slots = -header.lead_slots, header.slots
        keep[keep] = budget.within_active(
            table[keep], pursuit.energies()[keep], self.slot_log2, *slots, self.options.max_active
        )
        if keep.all():
            return False
        pursuit.keep(keep)
        pursuit.requantise(0.0)
        return True

    def meet_bytes(self, pursuit: Pursuit, step: Step, target: float) -> None:
        """Drops the weakest Gaussians or picks more until the stream has at most `target` bytes and, as far as the
        ceilings let it, is not much smaller."""
        size = self.size(pursuit, step)
        for _ in range(_SIZE_TRIES):
            missing = target - size
            if 0 <= missing <= max(2.0, _TOLERANCE * target):
                return
            before = pursuit.atoms
            each = max(1.0, size / max(1, len(before)))
            if missing < 0:
                self._drop_weakest(pursuit, math.ceil(-missing / each))
            elif pursuit.pick(max(1, int(0.9 * missing / each)), 0.0) == 0:
                return
            pursuit.requantise(0.0)
            if missing > 0 and self.obey_ceilings(pursuit):
                pursuit.replace(before)
                return
            size = self.size(pursuit, step)
        while size > target and len(pursuit.atoms):
            self._drop_weakest(pursuit, max(1, len(pursuit.atoms) // 1000))
            size = self.size(pursuit, step)

    def _drop_weakest(self, pursuit: Pursuit, count: int) -> None:
        keep = np.ones(len(pursuit.atoms), np.bool_)
        keep[np.argsort(pursuit.energies(), kind="stable")[:count]] = False
        pursuit.keep(keep)

    def fit_to_bitrate(self, kbit_s: float, moves: int) -> tuple[Pursuit, Step]:
        """The fit with the best signal-to-noise ratio of those tried that stay within the size and the ceilings."""
        target = self.target_bytes(kbit_s)
        step = self.step_for(max(1, int(target * 8 / _BITS_EACH)))
        best: tuple[float, Pursuit, Step] | None = None
        for _ in range(_STEP_TRIES):
            pursuit = self.run(step, moves)
            limited = self.obey_ceilings(pursuit)
            ratio = self.size(pursuit, step) / target
            if 0.9 < ratio < 1.1 or (limited and ratio > 1):
                self.meet_bytes(pursuit, step, target)
                ratio = self.size(pursuit, step) / target
            if ratio <= 1:
                snr = self._snr(pursuit)
                if best is None or snr > best[0]:
                    best = snr, pursuit, step
                elif limited:
                    break
                if not limited and ratio >= 1 - 2 * _TOLERANCE:
                    break
            factor = 1.5 if limited else ratio**0.8 if ratio > 1 else min(0.8, ratio**0.8)
            closer = nearest_step(step.weight * factor, self.peak)
            if closer == step:
                break
            step = closer
        if best is None:
            self.meet_bytes(pursuit, step, target)
            return pursuit, step
        return best[1], best[2]

    def target_bytes(self, kbit_s: float) -> float:
        """Size of the clip's stream at a bitrate."""
        return kbit_s * 1000 / 8 * len(self.signal) / self.sample_rate

    def fit_to_count(self, gaussians: int, moves: int) -> tuple[Pursuit, Step]:
        step = self.step_for(gaussians)
        pursuit = self.run(step, moves)
        if len(pursuit.atoms) < gaussians:
            pursuit.pick(gaussians - len(pursuit.atoms), 0.0)
        if len(pursuit.atoms) > gaussians:
            self._drop_weakest(pursuit, len(pursuit.atoms) - gaussians)
        pursuit.requantise(0.0)
        self.obey_ceilings(pursuit)
        return pursuit, step

    def fit_to_snr(self, wanted_db: float, moves: int) -> tuple[Pursuit, Step]:
        rms = math.sqrt(float(np.mean(self.signal**2)))
        step = nearest_step(2.0 * rms * 10 ** (-wanted_db / 25), self.peak)
        for _ in range(3):
            got = self._snr(self.run(step, 0))
            if abs(got - wanted_db) < 0.3:
                break
            step = nearest_step(step.weight * 10 ** ((got - wanted_db) / 16), self.peak)
        pursuit = self.run(step, moves)
        self.obey_ceilings(pursuit)
        return pursuit, step

    def is_studied(self) -> bool:
        """Whether the options ask for more than pursuit and its coordinate descent."""
        options = self.options
        gradient = steps_for(options) > 0 or options.resume is not None
        return gradient or options.initialisation != "pursuit" or is_by_hand(options)

    def study(self, pursuit: Pursuit, step: Step, log: FitLog, progress: Callable[[float], None]) -> None:
        """Puts in place of the pursuit's atoms as many that start and are fitted as the options say."""
        options, layout, wanted = self.options, (self.kmin, self.scales), len(pursuit.atoms)
        start = pursuit.table()
        if options.initialisation != "pursuit":
            count = starting_count(options, wanted)
            start = initialise(options, self.signal, self.sample_rate, layout, step.weight, count)
        pursuit.take(joint_fit(start, self.signal, layout, step.weight, options, wanted, log, progress))
        hold_resolutions(pursuit, options)
        self.obey_ceilings(pursuit)
        if options.bitrate is not None:
            self.meet_bytes(pursuit, step, self.target_bytes(options.bitrate))

    def _snr(self, pursuit: Pursuit) -> float:
        return snr_db(self.signal, pursuit.render())


def _choose_preset(signal: Samples, sample_rate: int, options: EncoderOptions) -> str:
    """The preset whose rough fit of the loudest excerpt has the least distortion plus priced bits."""
    length = min(len(signal), round(_AUTO_SECONDS * sample_rate))
    hop = max(1, sample_rate // 4)
    energy = np.concatenate([[0.0], np.cumsum(signal**2)])
    starts = np.arange(0, len(signal) - length + 1, hop)
    start = int(starts[np.argmax(energy[starts + length] - energy[starts])])
    excerpt = signal[start : start + length]
    plain = dataclasses.replace(options, loop=None)
    best_name, best_cost = TABLE_SETS[0], math.inf
    step: Step | None = None
    for name in TABLE_SETS:
        fit = _Fit(excerpt, sample_rate, load_preset(name), plain)
        if step is None:
            kbit_s = options.bitrate if options.bitrate is not None else 8.0
            step = fit.step_for(max(1, int(kbit_s * 1000 * length / sample_rate / _BITS_EACH)))
        pursuit = fit.run(step, 0)
        bits = 8 * len(fit.stream(pursuit, step)[0])
        cost = float(np.sum(pursuit.residual() ** 2)) + fit.price * step.weight**2 * bits
        if cost < best_cost:
            best_name, best_cost = name, cost
    return best_name


def encode_audio(
    audio: npt.ArrayLike, sample_rate: int, options: EncoderOptions, progress: Progress | None = None
) -> EncodeResult:
    """Encodes a clip: audio float, shape (n,), full scale -1..1, at `sample_rate` Hz.

    `progress` is called with a fraction 0..1 and a text.
    """
    report = progress or (lambda fraction, text: None)
    signal = np.asarray(audio, np.float64) * FULL_SCALE
    silent = not np.any(signal)
    log = FitLog(options.log_dir)
    name = options.preset
    if name == "auto":
        report(0.0, "choosing a preset")
        name = TABLE_SETS[0] if silent else _choose_preset(signal, sample_rate, options)
    fit = _Fit(signal, sample_rate, load_preset(name), options)
    moves = _MOVES[options.effort]
    report(0.2, f"fitting, preset {name}")
    if silent:
        step = nearest_step(1.0, 0.0)
        pursuit = fit.pursuit(step)
    elif options.bitrate is not None:
        pursuit, step = fit.fit_to_bitrate(options.bitrate, moves)
    elif options.gaussians is not None:
        wanted = max(1, round(options.gaussians * len(signal) / sample_rate))
        pursuit, step = fit.fit_to_count(wanted, moves)
    else:
        quality = DEFAULT_QUALITY if options.quality is None else options.quality
        pursuit, step = fit.fit_to_snr(8 + 2 * quality, moves)
    log.record("pursuit", snr_db=snr_db(signal, pursuit.render()), gaussians=len(pursuit.atoms))
    if not silent and fit.is_studied():
        fit.study(pursuit, step, log, lambda fraction: report(0.6 + 0.35 * fraction, "refining"))
    report(0.95, "writing")
    data, header = fit.stream(pursuit, step)
    decoded = ReferenceDecoder(data).read(header.samples).astype(np.float64)
    table, snr = fit.table(pursuit), snr_db(signal, decoded)
    log.record("stream", snr_db=snr, gaussians=len(table))
    kbit_s = 8 * len(data) / 1000 * sample_rate / len(signal)
    log.pictures(signal, decoded, header, table, f"{kbit_s:.2f} kbit/s, {len(table)} Gaussians, SNR {snr:.2f} dB")
    report(1.0, "done")
    return EncodeResult(data, header, table, name, snr)
