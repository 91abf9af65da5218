"""The encoder from samples to stream: rate control around pursuit, refinement, ceilings and the bitstream."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from .. import complexity
from ..container import TABLE_SETS, StreamHeader
from ..gaussians import GaussianTable
from ..reference import ReferenceDecoder
from ..slots import encode_stream
from . import budget
from .options import DEFAULT_QUALITY, EncoderOptions, Preset, load_preset
from .pursuit import Pursuit
from .quantiser import Step, finest_shift, nearest_step

Samples = npt.NDArray[np.float64]
Progress = Callable[[float, str], None]

FULL_SCALE = 32768.0
_BITS_EACH = 15.5
"""What a Gaussian costs, near enough to start the search for the rate."""
_BATCH = 1000
"""Picks between two analyses of the true residual."""
_TOLERANCE = 0.01
"""How far under its bitrate a stream may stay."""
_MOVES = {"fast": 0, "normal": 2, "best": 6}
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


class _Fit:
    """One clip under one preset: the pursuit and what turns it into a stream."""

    def __init__(self, signal: Samples, sample_rate: int, preset: Preset, options: EncoderOptions) -> None:
        self.signal = signal
        self.sample_rate = sample_rate
        self.preset = preset
        self.options = options
        self.kmin, self.scales, self.slot_log2 = preset.layout(sample_rate)
        self.price = options.price if options.price is not None else preset.price
        self.peak = float(np.max(np.abs(signal), initial=0.0))

    def pursuit(self, step: Step) -> Pursuit:
        return Pursuit(self.signal, self.kmin, self.scales, step.weight)

    def threshold(self, step: Step) -> float:
        """Energy that a Gaussian of average cost has to remove to pay for its bits."""
        return self.price * step.weight**2 * _BITS_EACH

    def step_for(self, gaussians: int) -> Step:
        """The step at which pursuit stops near this number of Gaussians: that of a rough pursuit whose last pick just
        pays."""
        rms = math.sqrt(float(np.mean(self.signal**2)))
        rough = nearest_step(0.2 * rms * math.sqrt(self.sample_rate / 16000), self.peak)
        pursuit = self.pursuit(rough)
        picked = 0
        while picked < gaussians:
            batch = pursuit.pick(min(_BATCH, gaussians - picked), 0.0)
            if batch == 0:
                break
            picked += batch
            pursuit.reanalyse()
        return nearest_step(math.sqrt(max(pursuit.best_score, 0.0) / (self.price * _BITS_EACH)), self.peak)

    def run(self, step: Step, moves: int) -> Pursuit:
        """Pursuit down to the threshold, then rounds of coordinate descent."""
        pursuit = self.pursuit(step)
        threshold = self.threshold(step)
        while True:
            picked = pursuit.pick(_BATCH, threshold)
            pursuit.reanalyse()
            if picked < _BATCH // 20:
                break
        for _ in range(moves):
            pursuit.move(threshold)
            pursuit.reanalyse()
            pursuit.pick(_BATCH, threshold)
            pursuit.reanalyse()
        pursuit.requantise(threshold)
        pursuit.reanalyse()
        return pursuit

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

    def stream(self, pursuit: Pursuit, step: Step) -> tuple[bytes, StreamHeader]:
        table = pursuit.table()
        header = self.header(table, *finest_shift(step, table, pursuit.render()))
        return encode_stream(header, table), header

    def obey_ceilings(self, pursuit: Pursuit) -> bool:
        """Drops what exceeds the ceilings on MACs and held Gaussians; True if anything was dropped."""
        table = pursuit.table()
        keep = budget.within_macs(table, pursuit.energies(), len(self.signal), self.sample_rate, self.options.max_macs)
        header = self.header(table, 1, 0)
        slots = -header.lead_slots, header.slots
        keep[keep] = budget.within_active(
            table[keep], pursuit.energies()[keep], self.slot_log2, *slots, self.options.max_active
        )
        if keep.all():
            return False
        pursuit.remove(keep)
        pursuit.reanalyse()
        pursuit.requantise(0.0)
        pursuit.reanalyse()
        return True

    def meet_bytes(self, pursuit: Pursuit, step: Step, target: float) -> None:
        """Drops the weakest Gaussians or picks more until the stream has at most `target` bytes and is not much
        smaller."""
        size = len(self.stream(pursuit, step)[0])
        for _ in range(8):
            missing = target - size
            if 0 <= missing <= max(2.0, _TOLERANCE * target):
                return
            each = max(1.0, size / max(1, len(pursuit.atoms)))
            if missing > 0:
                if pursuit.pick(max(1, int(0.9 * missing / each)), 0.0) == 0:
                    return
            else:
                drop = min(len(pursuit.atoms), max(1, math.ceil(-missing / each)))
                keep = np.ones(len(pursuit.atoms), np.bool_)
                keep[np.argsort(pursuit.energies(), kind="stable")[:drop]] = False
                pursuit.remove(keep)
            pursuit.reanalyse()
            self.obey_ceilings(pursuit)
            pursuit.requantise(0.0)
            pursuit.reanalyse()
            size = len(self.stream(pursuit, step)[0])
        while size > target and len(pursuit.atoms):
            pursuit.remove(np.arange(len(pursuit.atoms)) != np.argmin(pursuit.energies()))
            size = len(self.stream(pursuit, step)[0])

    def fit_to_bitrate(self, kbit_s: float, moves: int) -> tuple[Pursuit, Step]:
        target = kbit_s * 1000 / 8 * len(self.signal) / self.sample_rate
        guess = max(1, int(target * 8 / _BITS_EACH))
        step = self.step_for(guess)
        pursuit = self.run(step, moves)
        for _ in range(2):
            size = len(self.stream(pursuit, step)[0])
            if 0.8 < size / target < 1.25:
                break
            closer = nearest_step(step.weight * (size / target) ** 0.8, self.peak)
            if closer == step:
                break
            step = closer
            pursuit = self.run(step, moves)
        self.obey_ceilings(pursuit)
        self.meet_bytes(pursuit, step, target)
        return pursuit, step

    def fit_to_count(self, gaussians: int, moves: int) -> tuple[Pursuit, Step]:
        step = self.step_for(gaussians)
        pursuit = self.run(step, moves)
        for _ in range(4):
            missing = gaussians - len(pursuit.atoms)
            if missing <= 0:
                break
            if pursuit.pick(missing, 0.0) == 0:
                break
            pursuit.reanalyse()
        if len(pursuit.atoms) > gaussians:
            keep = np.zeros(len(pursuit.atoms), np.bool_)
            keep[np.argsort(-pursuit.energies(), kind="stable")[:gaussians]] = True
            pursuit.remove(keep)
            pursuit.reanalyse()
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
    report(0.95, "writing")
    data, header = fit.stream(pursuit, step)
    decoded = ReferenceDecoder(data).read(header.samples).astype(np.float64)
    report(1.0, "done")
    return EncodeResult(data, header, pursuit.table(), name, snr_db(signal, decoded))
