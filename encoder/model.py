"""The encoder as a PyTorch module whose parameters are the Gaussians, and its gradient refinement.

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

from ..gaussians import GaussianTable, empty_table
from ..tables import LARGEST_AMPLITUDE, SHORTEST_SUPPORT, phase_bits
from .lattice import envelope_norm
from .options import EncoderOptions
from .pursuit import RECONSTRUCTION
from .torch_render import Waves, render, rounded

_UNIT_NORM = envelope_norm(0)
_STFT_SIZES = (128, 256, 512, 1024, 2048)


class GaussianModel(nn.Module):
    """Gaussians as parameters, each of shape (n,), in units in which a change of 1 is about as large for all of them.

    time       centre, in hops of the scale that the Gaussian had at the start
    frequency  in bins of that scale
    spread     log2(support / 32), the scale as a real number
    weight     energy-normalised amplitude in steps
    phase      at the centre, in radians
    """

    def __init__(self, table: GaussianTable, samples: int, kmin: int, scales: int, step: float) -> None:
        super().__init__()
        self.samples, self.kmin, self.scales, self.step = samples, kmin, scales, step
        self.bits: dict[str, int | None] = dict.fromkeys(("time", "frequency", "amplitude", "phase"))
        length = (SHORTEST_SUPPORT << table["scale"].astype(np.int64)).astype(np.float64)
        phases = 2.0 ** phase_bits()[table["amplitude"]]

        def real(values: npt.ArrayLike) -> Tensor:
            return torch.as_tensor(np.asarray(values), dtype=torch.float32)

        self.register_buffer("hop", real(length / 4))
        self.register_buffer("length", real(length))
        self.register_buffer("phase_bits", torch.as_tensor(phase_bits()))
        self.time = nn.Parameter(real((table["onset"] + length / 2) / (length / 4)))
        self.frequency = nn.Parameter(real(table["bin"]))
        self.spread = nn.Parameter(real(table["scale"]))
        self.weight = nn.Parameter(real(table["amplitude"] + RECONSTRUCTION))
        self.phase = nn.Parameter(real(2 * np.pi * table["phase"] / phases))

    def keep_bits(self, options: EncoderOptions) -> None:
        """Fix by hand how many values each parameter can take; None leaves the format's own resolution."""
        self.bits = {name: getattr(options, f"{name}_bits") for name in self.bits}

    def waves(self, quantise: bool = True) -> Waves:
        """The Gaussians as the renderer takes them; quantised as in the bitstream, or as they are."""
        spread = self.spread.clamp(self.kmin, self.kmin + self.scales - 1)
        centre = self.time * self.hop
        frequency = self.frequency / self.length
        weight, turns = self.weight, self.phase / (2 * torch.pi)
        if quantise:
            spread = rounded(spread)
        support = SHORTEST_SUPPORT * 2.0**spread
        if quantise:
            hop = (support / 4).detach() * self._coarser("time", 2)
            bin_ = self._coarser("frequency", (spread.detach() + 4))
            centre = rounded((centre - support / 2) / hop) * hop + support / 2
            frequency = rounded(frequency * support / bin_) * bin_ / support
            index = rounded(weight - RECONSTRUCTION).clamp(1, self._largest_amplitude)
            weight = index + RECONSTRUCTION
            phases = self._phases(index)
            turns = rounded(turns * phases) / phases
        peak = weight * self.step / (_UNIT_NORM * torch.sqrt(support / SHORTEST_SUPPORT))
        return Waves(centre, support, frequency, peak, turns)

    def forward(self, quantise: bool = True) -> Tensor:
        """The clip in output steps, shape (samples,)."""
        return render(self.waves(quantise), self.samples)

    @torch.no_grad()
    def table(self) -> GaussianTable:
        """The quantised Gaussians, with those left out that do not sound inside the clip."""
        waves = self.waves()
        index = rounded(self.weight - RECONSTRUCTION).clamp(1, self._largest_amplitude)
        length = waves.support.round().long()
        out = empty_table(len(index))
        out["scale"] = torch.log2(waves.support / SHORTEST_SUPPORT).round().long().numpy(force=True)
        out["onset"] = (waves.centre - waves.support / 2).round().long().numpy(force=True)
        out["bin"] = (waves.frequency * waves.support).round().clamp(min=0).long().numpy(force=True)
        out["bin"] = np.minimum(out["bin"], length.numpy(force=True) // 2 - 1)
        out["amplitude"] = index.long().numpy(force=True)
        phases = 1 << self.phase_bits[index.long()]
        out["phase"] = ((waves.phase * phases).round().long() % phases).numpy(force=True)
        sounds = (out["onset"] < self.samples) & (out["onset"] + length.numpy(force=True) > 0)
        return out[sounds]

    @property
    def _largest_amplitude(self) -> int:
        bits = self.bits["amplitude"]
        return LARGEST_AMPLITUDE if bits is None else max(1, min(LARGEST_AMPLITUDE, 1 << bits))

    def _phases(self, index: Tensor) -> Tensor:
        bits = self.phase_bits[index.detach().long()]
        if self.bits["phase"] is not None:
            bits = bits.clamp(max=self.bits["phase"])
        return (2.0**bits).to(self.weight.dtype)

    def _coarser(self, name: str, natural_bits: Tensor | int) -> Tensor:
        """By how much the lattice of a parameter is thinned to keep its values to 2^bits."""
        kept = self.bits[name]
        natural = torch.as_tensor(natural_bits, dtype=self.weight.dtype, device=self.weight.device)
        return 2.0 ** (natural - kept).clamp(min=0) if kept is not None else torch.ones_like(natural)


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
    """The device of an option: auto is CUDA where there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def refine(
    model: GaussianModel,
    target: npt.NDArray[np.float64],
    options: EncoderOptions,
    steps: int,
    after_step: Callable[[int, float], None] | None = None,
) -> None:
    """Moves all Gaussians jointly by Adam to lower the loss of the quantised rendering; keeps the best state seen.

    target is in output steps, shape (samples,). `after_step` is called with the step's number, from 1, and its loss.
    """
    device = choose_device(options.device)
    model.to(device)
    goal = torch.as_tensor(target, dtype=torch.float32, device=device)
    loss_of = loss_function(options.loss)
    optimiser = torch.optim.Adam(model.parameters(), lr=options.learning_rate)
    best_loss, best_state = float("inf"), {}
    for number in range(steps + 1):
        optimiser.zero_grad()
        loss = loss_of(model(), goal)
        value = float(loss.detach())
        if value < best_loss:
            best_loss = value
            best_state = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
        if number == steps:
            break
        loss.backward()
        optimiser.step()
        if after_step is not None:
            after_step(number + 1, value)
    model.load_state_dict(best_state)
    model.to("cpu")
