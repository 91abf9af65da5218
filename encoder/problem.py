"""What there is to encode: a clip under a preset and options, with all that follows from these alone."""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np
import numpy.typing as npt

from audio_gs.codec.container import StreamHeader
from audio_gs.codec.kinds.noise import NoiseHeader
from audio_gs.codec.memory import decoder_memory, tones_within
from audio_gs.codec.residual import MIN_FRAME_LOG2
from audio_gs.codec.stereo import CENTRE, PanningHeader
from audio_gs.errors import OptionsError

from .noise.layer import frame_log2_for
from .options import NARROW_RATE, EncoderOptions, Preset, ResidualPreset
from .residual.layer import NO_RESIDUAL
from .tones.quantiser import Step
from .weighting import Weighting

Samples = npt.NDArray[np.float64]
"""Of a clip, shape (n,), in output steps (full scale 32768)."""

BITS_EACH = 15.5
"""What a Gaussian costs, near enough to start the search for the rate."""
_MOST_A_SECOND = 20000
"""Gaussians that no clip may have more of, however noisy; any ceiling on MACs is far below."""


def snr_db(signal: Samples, decoded: Samples) -> float:
    """Signal-to-noise ratio in dB; inf for no error, -inf for an error on silence."""
    error = float(np.sum((signal - decoded) ** 2))
    energy = float(np.sum(signal**2))
    if error == 0:
        return math.inf
    return 10 * math.log10(energy / error) if energy > 0 else -math.inf


@dataclasses.dataclass(frozen=True, eq=False)
class Problem:
    """One clip, its preset and options; nothing changes it."""

    signal: Samples
    sample_rate: int
    """Hz."""
    preset: Preset
    options: EncoderOptions
    residual_weight: float = 1.0
    """How much of a rate the residual layer gets: 1, what the preset gives it; 0, none; in between, the geometric mean
    of what tones and noise have then, weighted so."""
    direction: int | None = None
    """Of a clip with two channels; the signal is its mid."""
    side: Samples | None = None
    """Of two channels, where direction alone is not enough, shape (n,)."""

    def __post_init__(self) -> None:
        signal = self.signal.view()
        signal.flags.writeable = False
        object.__setattr__(self, "signal", signal)

    @functools.cached_property
    def _layout(self) -> tuple[int, int, int]:
        return self.preset.layout(self.sample_rate)

    @property
    def smallest_scale(self) -> int:
        return self._layout[0]

    @property
    def scales(self) -> int:
        return self._layout[1]

    @property
    def slot_log2(self) -> int:
        return self._layout[2]

    @property
    def price(self) -> float:
        """What a bit costs, in squared amplitude steps."""
        return self.options.price if self.options.price is not None else self.preset.price

    @functools.cached_property
    def frame_log2(self) -> int:
        """Log2 of the samples in a noise frame."""
        return frame_log2_for(self.sample_rate, self.preset.noise_frame, self.slot_log2)

    @property
    def may_have_residual(self) -> bool:
        """Whether options, weight and frames allow a residual layer."""
        return self.options.residual and self.residual_weight > 0 and self.frame_log2 >= MIN_FRAME_LOG2

    @property
    def of_residual(self) -> ResidualPreset:
        """How the residual layer goes with the preset at the clip's sample rate."""
        return self.preset.residual_narrow if self.sample_rate <= NARROW_RATE else self.preset.residual

    @property
    def max_tones(self) -> int:
        """Ceiling on the tones that the decoder holds at a time. Raises OptionsError where the ceiling on memory leaves
        no room for any."""
        if self.options.max_tones is not None and self.options.max_memory is None:
            return self.options.max_tones
        noise = NoiseHeader(self.frame_log2, shift=1, base=0, max_noises=self.preset.max_noises)
        header = dataclasses.replace(self.blank_header(), noise=noise)
        if self.may_have_residual:
            header = dataclasses.replace(header, residual=NO_RESIDUAL)
        if self.side is not None:
            header = dataclasses.replace(header, panning=PanningHeader(side_step=0, side_base=0))
        most = self.options.max_tones or self.preset.max_tones
        if self.options.max_memory is None:
            return min(most, tones_within(self.preset.memory, header))
        affordable = tones_within(self.options.max_memory, header)
        if affordable < 1:
            needed = decoder_memory(header)
            raise OptionsError(f"max_memory {self.options.max_memory} has no room for a tone; give {needed} or more")
        return min(most, affordable)

    @property
    def most(self) -> int:
        """Ceiling on the number of tones."""
        return max(1, math.ceil(_MOST_A_SECOND * len(self.signal) / self.sample_rate))

    @functools.cached_property
    def peak(self) -> float:
        """Of the signal, in output steps."""
        return float(np.max(np.abs(self.signal), initial=0.0))

    @functools.cached_property
    def weighting(self) -> Weighting | None:
        """How the ear hears it, for the choice of tones; None for all alike."""
        options, preset = self.options, self.preset
        exponent = options.level_exponent if options.level_exponent is not None else preset.level_exponent
        shelf_db = options.shelf_db if options.shelf_db is not None else preset.shelf_db
        return Weighting(self.signal, self.sample_rate, exponent, shelf_db) if exponent or shelf_db else None

    @property
    def seconds(self) -> float:
        return len(self.signal) / self.sample_rate

    def threshold(self, step: Step) -> float:
        """Energy that a Gaussian of average cost has to remove to pay for its bits."""
        return self.price * step.weight**2 * BITS_EACH

    def target_bytes(self, kbit_s: float) -> float:
        """Size of the clip's stream at a bitrate."""
        return kbit_s * 1000 / 8 * len(self.signal) / self.sample_rate

    def blank_header(self, amplitude_step: int = 1, output_shift: int = 0) -> StreamHeader:
        """The header of any stream of this clip, but for its class and the parts of kinds beside tones."""
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
            smallest_scale=self.smallest_scale,
            scales=self.scales,
            amplitude_step=amplitude_step,
            output_shift=output_shift,
            max_tones=1,
            peak_macs=0,
            seek_slots=seek_slots,
            loop=self.options.loop,
            table_set=self.preset.table_set_index,
            channels=1 if self.direction is None else 2,
            direction=CENTRE if self.direction is None else self.direction,
        )
