"""The encoder as a PyTorch module whose parameters are the Gaussians, and the losses of its fit.

`GaussianModel` holds every Gaussian's time, frequency, spread, weight and phase as trainable parameters. Its forward
pass quantises them as the bitstream does (with straight-through gradients) and renders, so that the loss sees what the
decoder will play.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from audio_gs.codec.kinds import TONE
from audio_gs.codec.kinds.base import Table
from audio_gs.codec.kinds.tone import support
from audio_gs.codec.tables import LARGEST_AMPLITUDE, SHORTEST_SUPPORT, phase_bits
from audio_gs.errors import OptionsError

from ..options import EncoderOptions
from ..tones.lattice import envelope_norm
from ..tones.pursuit import RECONSTRUCTION
from .cpu_render import render_on_cpu
from .render import Waves, render, rounded
from .resolution import PLACES_BITS, amplitude_values

_UNIT_NORM = envelope_norm(0)
_STFT_SIZES = (128, 256, 512, 1024, 2048)
PARAMETERS = ("time", "frequency", "spread", "weight", "phase")


class GaussianModel(nn.Module):
    """Gaussians as parameters, each of shape (n,), in units in which a change of 1 is about as large for all of them.

    time       centre, in hops of the scale that the Gaussian had at the start
    frequency  in bins of that scale
    spread     log2(support / 32), the scale as a real number
    weight     energy-normalised amplitude in steps; below 7/8 it rounds to silence
    phase      in radians, at the centre that the Gaussian had at the start: so moving in time moves the envelope
               and leaves the wave under it, where the phase at the centre would turn many times a hop
    """

    time: nn.Parameter
    frequency: nn.Parameter
    spread: nn.Parameter
    weight: nn.Parameter
    phase: nn.Parameter
    start_length: Tensor
    start_centre: Tensor
    phase_bits: Tensor
    amplitude_values: Tensor | None

    def __init__(self, table: Table, samples: int, smallest_scale: int, scales: int, step: float) -> None:
        super().__init__()
        self.samples, self.smallest_scale, self.scales, self.step = samples, smallest_scale, scales, step
        self.time_bits: int | None = None
        self.frequency_bits: int | None = None
        self.phase_bits_kept: int | None = None
        self.register_buffer("amplitude_values", None)
        self.register_buffer("phase_bits", torch.as_tensor(phase_bits()))
        self.register_buffer("start_length", torch.empty(0))
        self.register_buffer("start_centre", torch.empty(0))
        for name in PARAMETERS:
            setattr(self, name, nn.Parameter(torch.empty(0)))
        self.extend(table)

    def extend(self, table: Table) -> None:
        """Adds the Gaussians of a table after those that are there; the parameters are new objects."""
        length = support(table["scale"]).astype(np.float64)
        turns = table["phase"] / 2.0 ** phase_bits()[table["amplitude"]]
        new = {
            "time": (table["onset"] + length / 2) / (length / 4),
            "frequency": table["bin"],
            "spread": table["scale"],
            "weight": table["amplitude"] + RECONSTRUCTION,
            "phase": 2 * np.pi * turns,
        }
        for name, values in new.items():
            setattr(self, name, nn.Parameter(_appended(getattr(self, name).detach(), values)))
        self.start_length = _appended(self.start_length, length)
        self.start_centre = _appended(self.start_centre, table["onset"] + length / 2)

    def keep(self, keep: Tensor) -> None:
        """Keeps only the Gaussians marked, shape (n,); the parameters are new objects."""
        for name in PARAMETERS:
            setattr(self, name, nn.Parameter(getattr(self, name).detach()[keep]))
        self.start_length = self.start_length[keep]
        self.start_centre = self.start_centre[keep]

    def keep_bits(self, options: EncoderOptions) -> None:
        """Fix by hand how many values each parameter can take; None leaves the format's own resolution."""
        self.time_bits, self.frequency_bits = options.time_bits, options.frequency_bits
        self.phase_bits_kept = options.phase_bits
        if options.amplitude_bits is not None:
            values = amplitude_values(options.amplitude_bits)
            self.amplitude_values = torch.as_tensor(values, dtype=torch.float32, device=self.weight.device)

    @torch.no_grad()
    def stay_legal(self) -> None:
        """Moves parameters that left the format's ranges, or the clip, back to their edge."""
        self.spread.clamp_(self.smallest_scale, self.smallest_scale + self.scales - 1)
        self.weight.clamp_(0, LARGEST_AMPLITUDE + RECONSTRUCTION)
        self.frequency.clamp_(torch.zeros_like(self.frequency), self.start_length / 2)
        hop = self.start_length / 4
        self.time.clamp_(torch.full_like(hop, -2.0), self.samples / hop + 2)

    def waves(self, hardness: float = 1.0) -> Waves:
        """The Gaussians as the renderer takes them: at hardness 1 quantised as in the bitstream, at 0 as they are,
        and that far along the way in between."""
        spread = self.spread.clamp(self.smallest_scale, self.smallest_scale + self.scales - 1)
        spread = spread + hardness * (spread.round() - spread).detach()
        length = SHORTEST_SUPPORT * 2.0**spread
        whole = SHORTEST_SUPPORT * 2.0 ** spread.detach().round()
        hop = whole / 4 * self._thinning(self.time_bits, torch.full_like(whole, PLACES_BITS))
        earliest, latest = -torch.floor((whole - 1) / hop), torch.floor((self.samples - 1) / hop)
        centre = self.time * (self.start_length / 4)
        centre = _towards((centre - whole / 2) / hop, earliest, latest, hardness) * hop + whole / 2
        bin_ = self._thinning(self.frequency_bits, torch.log2(whole / 2).round()) / whole
        highest = 0.5 / bin_ - 1
        frequency = self.frequency / self.start_length
        frequency = _towards(frequency / bin_, torch.zeros_like(highest), highest, hardness) * bin_
        index = self._index()
        heard = torch.where(index.detach() == 0, self.weight - self.weight.detach(), index + RECONSTRUCTION)
        weight = self.weight + hardness * (heard - self.weight).detach()
        phases = self._phases(index)
        turns = self.phase / (2 * torch.pi) + frequency * (centre - self.start_centre)
        turns = turns + hardness * ((turns * phases).round() / phases - turns).detach()
        peak = weight * self.step / (_UNIT_NORM * torch.sqrt(length / SHORTEST_SUPPORT))
        return Waves(centre, length, frequency, peak, turns)

    def forward(self, hardness: float = 1.0) -> Tensor:
        """The clip in output steps, shape (samples,)."""
        waves = self.waves(hardness)
        return (render_on_cpu if waves.centre.device.type == "cpu" else render)(waves, self.samples)

    @torch.no_grad()
    def sounding(self) -> Tensor:
        """Which Gaussians the quantiser does not silence, bool, shape (n,)."""
        return self._index() > 0

    @torch.no_grad()
    def table(self) -> Table:
        """The quantised Gaussians, without those that are silent."""
        sounding = self.sounding()
        waves = Waves(*(field[sounding] for field in self.waves()))
        index = self._index()[sounding].long()
        phases = 1 << self.phase_bits[index]
        fields = {
            "scale": torch.log2(waves.support / SHORTEST_SUPPORT),
            "onset": waves.centre - waves.support / 2,
            "bin": waves.frequency * waves.support,
            "amplitude": index,
            "phase": (waves.phase * phases).round() % phases,
        }
        out = TONE.empty(len(index))
        for name, values in fields.items():
            out[name] = values.round().long().numpy(force=True)
        return out

    def _index(self) -> Tensor:
        """The nearest amplitude indices, 0 for silence, with straight-through gradients."""
        index = rounded(self.weight - RECONSTRUCTION).clamp(0, LARGEST_AMPLITUDE)
        if self.amplitude_values is None:
            return index
        values = self.amplitude_values
        nearest = values[torch.bucketize(index.detach(), (values[1:] + values[:-1]) / 2)]
        nearest = torch.where(index.detach() == 0, 0.0, nearest)
        return self.weight + (nearest - self.weight).detach()

    def _phases(self, index: Tensor) -> Tensor:
        bits = self.phase_bits[index.detach().long()]
        if self.phase_bits_kept is not None:
            bits = bits.clamp(max=self.phase_bits_kept)
        return 2.0 ** bits.to(self.weight.dtype)

    @staticmethod
    def _thinning(bits: int | None, format_bits: Tensor) -> Tensor:
        """How many of the format's values become one when 2^bits are left."""
        return torch.ones_like(format_bits) if bits is None else 2.0 ** (format_bits - bits).clamp(min=0)


def _appended(values: Tensor, more: npt.ArrayLike) -> Tensor:
    return torch.cat([values, torch.as_tensor(np.asarray(more), dtype=torch.float32, device=values.device)])


def _towards(values: Tensor, low: Tensor, high: Tensor, hardness: float) -> Tensor:
    """Values moved towards the nearest integers within bounds, with the gradient of the values themselves."""
    return values + hardness * (torch.clamp(values.round(), low, high) - values).detach()


def loss_function(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss of two clips of one length: l1, l2 or mrstft, each relative to the second clip's size."""
    return {"l1": _l1, "l2": _l2, "mrstft": _multi_resolution_stft}[name]


def _l1(estimate: Tensor, target: Tensor) -> Tensor:
    return (estimate - target).abs().sum() / target.abs().sum().clamp(min=1)


def _l2(estimate: Tensor, target: Tensor) -> Tensor:
    return ((estimate - target) ** 2).sum() / (target**2).sum().clamp(min=1)


def _multi_resolution_stft(estimate: Tensor, target: Tensor) -> Tensor:
    """Spectral convergence plus L1 of log magnitudes, over several window sizes (Yamamoto et al., 2020)."""
    total = estimate.new_zeros(())
    for size in _STFT_SIZES:
        if size > len(target):
            break
        window = torch.hann_window(size, device=target.device)
        a, b = (
            torch.stft(clip, size, size // 4, window=window, return_complex=True, pad_mode="constant").abs()
            for clip in (estimate, target)
        )
        total = total + (a - b).norm() / b.norm().clamp(min=1) + (torch.log1p(a) - torch.log1p(b)).abs().mean()
    return total / len(_STFT_SIZES)


def choose_device(name: str) -> torch.device:
    """The device of an option: auto is CUDA where there is one. OptionsError for CUDA where there is none."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise OptionsError("device cuda: PyTorch finds no CUDA device here; use cpu or auto")
    return torch.device(name)
