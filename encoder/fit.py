"""One clip under one preset: choosing its Gaussians at an amplitude step, keeping the ceilings, making the stream."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from audio_gs.codec import cost
from audio_gs.codec.container import StreamHeader
from audio_gs.codec.decoder import ReferenceDecoder
from audio_gs.codec.slots import encode_stream
from audio_gs.codec.tables import LARGEST_AMPLITUDE
from audio_gs.gaussians import GaussianTable, empty_table, ends, tones

from . import ceilings
from .gradient.resolution import coarsen, is_by_hand
from .noise.layer import NoiseLayer, frame_log2_for
from .options import EncoderOptions, Preset
from .tones.pursuit import Pursuit
from .tones.quantiser import Step, finest_shift, largest_indices, nearest_step
from .tones.weighting import Weighting

Samples = npt.NDArray[np.float64]
Progress = Callable[[float, str], None]

BITS_EACH = 15.5
"""What a Gaussian costs, near enough to start the search for the rate."""
_MOST_A_SECOND = 20000
"""Gaussians that no clip may have more of, however noisy; any ceiling on MACs is far below."""
_MOVES = {"fast": 0, "normal": 2, "best": 6}


def snr_db(signal: Samples, decoded: Samples) -> float:
    """Signal-to-noise ratio in dB; inf for no error, -inf for an error on silence."""
    error = float(np.sum((signal - decoded) ** 2))
    energy = float(np.sum(signal**2))
    if error == 0:
        return math.inf
    return 10 * math.log10(energy / error) if energy > 0 else -math.inf


class Fit:
    """One clip, its preset and options. Signals are in output steps (full scale 32768)."""

    def __init__(
        self,
        signal: Samples,
        sample_rate: int,
        preset: Preset,
        options: EncoderOptions,
        report: Progress | None = None,
    ) -> None:
        self.signal = signal
        self.sample_rate = sample_rate
        self.preset = preset
        self.options = options
        self.report = report or (lambda fraction, text: None)
        self.kmin, self.scales, self.slot_log2 = preset.layout(sample_rate)
        self.price = options.price if options.price is not None else preset.price
        self.frame_log2 = frame_log2_for(sample_rate, preset.noise_frame, self.slot_log2)
        affordable = ceilings.most_active(preset.memory, self.scales, preset.max_noise, 1 << self.frame_log2)
        self.max_active = options.max_active if options.max_active is not None else min(preset.max_active, affordable)
        self.most = max(1, math.ceil(_MOST_A_SECOND * len(signal) / sample_rate))
        self.peak = float(np.max(np.abs(signal), initial=0.0))
        exponent = options.level_exponent if options.level_exponent is not None else preset.level_exponent
        shelf_db = options.shelf_db if options.shelf_db is not None else preset.shelf_db
        self.weighting = Weighting(signal, sample_rate, exponent, shelf_db) if exponent or shelf_db else None
        self.noise: NoiseLayer | None = None

    def pursuit(self, step: Step) -> Pursuit:
        largest = largest_indices(step, self.kmin, self.scales)
        return Pursuit(self.signal, self.kmin, self.scales, step.weight, largest)

    def threshold(self, step: Step) -> float:
        """Energy that a Gaussian of average cost has to remove to pay for its bits."""
        return self.price * step.weight**2 * BITS_EACH

    def step_for(self, gaussians: int) -> Step:
        """The step at which pursuit stops near this number of Gaussians: that of a rough pursuit whose last pick just
        pays."""
        loudest = self.pursuit(nearest_step(1.0, self.peak))
        loudest.pick(1, 0.0)
        finest = math.sqrt(2 * loudest.last_score) / LARGEST_AMPLITUDE
        pursuit = self.pursuit(nearest_step(1.5 * finest, self.peak))
        pursuit.pick(gaussians, 0.0)
        return nearest_step(math.sqrt(max(pursuit.last_score, 0.0) / (self.price * BITS_EACH)), self.peak)

    def run(self, step: Step, rough: bool = False) -> Pursuit:
        """Pursuit down to the threshold, then rounds of coordinate descent by the effort, none if `rough`; on the
        weighted signal if there is a weighting, with the amplitudes fitted to the signal itself at the end."""
        pursuit = self.pursuit(step)
        if self.weighting is None:
            self._choose(pursuit, step, rough)
            pursuit.requantise(self.threshold(step))
        else:
            chosen = Pursuit(self.weighting.signal, self.kmin, self.scales, step.weight)
            self._choose(chosen, step, rough)
            pursuit.take(self.weighting.undone(chosen.table()))
            self.settle(pursuit)
        self._tell(0.8, pursuit)
        return pursuit

    def _choose(self, pursuit: Pursuit, step: Step, rough: bool) -> None:
        threshold = self.threshold(step)
        pursuit.pick(self.most, threshold)
        moves = 0 if rough else _MOVES[self.options.effort]
        for done in range(moves):
            self._tell(0.4 + 0.4 * done / moves, pursuit)
            pursuit.move(threshold)
            pursuit.pick(self.most, threshold)

    def _tell(self, fraction: float, pursuit: Pursuit) -> None:
        self.report(fraction, f"{len(pursuit.atoms)} Gaussians, SNR {self.snr_db(pursuit):.1f} dB")

    def _layout(self, mantissa: int, output_shift: int) -> StreamHeader:
        """The header of any stream of this fit, but for its class."""
        samples = len(self.signal)
        slots = -(-samples >> self.slot_log2)
        seek_slots = 0
        if self.options.seek_every > 0:
            seek_slots = max(1, round(self.options.seek_every * self.sample_rate / (1 << self.slot_log2)))
        if 2 * slots < 3 * seek_slots:
            # A clip hardly longer than the spacing is not worth a second segment's checksum and adaptation.
            seek_slots = 0
        return StreamHeader(
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
            noise=self.noise.header if self.noise else None,
        )

    def header(self, table: GaussianTable, mantissa: int, output_shift: int) -> StreamHeader:
        """The header of the stream of these Gaussians."""
        header = self._layout(mantissa, output_shift)
        held = self._held(tones(table), header)
        if header.noise:
            header = dataclasses.replace(header, noise=dataclasses.replace(header.noise, max_held=self.noise_held()))
        peak = cost.macs_per_sample(table, header)[1]
        return dataclasses.replace(header, max_active=held, peak_macs=math.ceil(peak))

    def noise_held(self) -> int:
        """The most noise Gaussians that a decoder holds, at least 1."""
        return self._held(self.noise.table, self._layout(1, 0)) if self.noise else 1

    @staticmethod
    def _held(table: GaussianTable, header: StreamHeader) -> int:
        onset = table["onset"].astype(np.int64)
        slots = header.slot_log2, -header.lead_slots, header.slots
        return max(1, ceilings.held_at_most(onset, ends(table, header), *slots))

    def table(self, pursuit: Pursuit) -> GaussianTable:
        """The atoms at the resolutions fixed by hand, and the noise."""
        table = coarsen(pursuit.table(), self.options, len(self.signal))
        return np.concatenate([table, self.noise.table]) if self.noise else table

    def stream(self, pursuit: Pursuit, step: Step) -> tuple[bytes, StreamHeader]:
        table = self.table(pursuit)
        header = self.header(table, *finest_shift(step, table, pursuit.rendering()))
        return encode_stream(header, table), header

    def decoded(self, pursuit: Pursuit, step: Step) -> tuple[Samples, int]:
        """What a decoder makes of the stream, in output steps, shape (samples,), and the stream's bytes."""
        data, header = self.stream(pursuit, step)
        return ReferenceDecoder(data).read(header.samples).astype(np.float64), len(data)

    def size(self, pursuit: Pursuit, step: Step) -> int:
        """Bytes of the stream."""
        return len(self.stream(pursuit, step)[0])

    def _macs_without_tones(self) -> npt.NDArray[np.int64]:
        table = self.noise.table if self.noise else empty_table()
        return cost.macs_each_sample(table, self._layout(1, 0), 0, len(self.signal))

    def peak_macs_without_tones(self) -> float:
        """MACs a sample that the costliest 20 ms take for filters and noise."""
        return ceilings.peak_macs(self._macs_without_tones(), cost.macs_window(self.sample_rate))

    def obey_ceilings(self, pursuit: Pursuit) -> bool:
        """Drops what exceeds the ceilings on MACs and held Gaussians; True if anything was dropped."""
        table, energies = tones(self.table(pursuit)), pursuit.energies()
        # The ends of slots, which the header's figure counts too, take less than one.
        ceiling = self.options.max_macs - 1
        keep = ceilings.within_macs(table, energies, self._layout(1, 0), ceiling, self._macs_without_tones())
        layout = self._layout(1, 0)
        slots = -layout.lead_slots, layout.slots
        keep[keep] = ceilings.within_active(table[keep], energies[keep], self.slot_log2, *slots, self.max_active)
        if keep.all():
            return False
        pursuit.keep(keep)
        self.settle(pursuit)
        return True

    def settle(self, pursuit: Pursuit) -> None:
        """Fits the weights anew to the signal, and rounds them to the resolutions fixed by hand, if any are."""
        pursuit.requantise(0.0)
        if is_by_hand(self.options):
            pursuit.take(coarsen(pursuit.table(), self.options, len(self.signal)))

    def target_bytes(self, kbit_s: float) -> float:
        """Size of the clip's stream at a bitrate."""
        return kbit_s * 1000 / 8 * len(self.signal) / self.sample_rate

    def drop_weakest(self, pursuit: Pursuit, count: int) -> None:
        """Takes away the `count` Gaussians with the least energy."""
        keep = np.ones(len(pursuit.atoms), np.bool_)
        keep[np.argsort(pursuit.energies(), kind="stable")[:count]] = False
        pursuit.keep(keep)

    def snr_db(self, pursuit: Pursuit) -> float:
        """Of the float rendering."""
        return snr_db(self.signal, pursuit.rendering())
