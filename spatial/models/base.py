"""What a model of a scene is."""

from __future__ import annotations

import abc
import dataclasses
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..scene import LEAD, Poses, Scene

SPECTRUM, HOP = 512, 127
"""Samples; a second at 22.05 kHz is 257 x 174 cells."""


class Heads(NamedTuple):
    """Poses as tensors."""

    positions: Tensor
    """Shape (heads, 3)."""
    axes: Tensor
    """Shape (heads, 3, 3)."""

    def direction_to(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Points, shape (points, 3), from each head: unit vectors in its frame, (heads, points, 3), and metres."""
        away = points - self.positions[:, None]
        distance = away.norm(dim=-1).clamp(min=1e-3)
        return torch.einsum("hij,hnj->hni", self.axes, away / distance[..., None]), distance


@dataclasses.dataclass(frozen=True)
class Clips:
    """Recordings of a scene as tensors on a device."""

    near: Tensor
    """Shape (recordings, sources, samples)."""
    heard: Tensor
    """Log magnitudes of what was heard, shape (recordings, 2, bins, frames)."""
    heads: Heads

    @classmethod
    def of(cls, scene: Scene, recordings: npt.NDArray[np.int64], device: torch.device) -> Clips:
        """Some recordings of a scene."""
        heads = heads_of(scene.poses.at(recordings), device)
        heard = log_magnitude(torch.from_numpy(scene.heard[recordings]).to(device))
        return cls(torch.from_numpy(scene.near[recordings]).to(device), heard, heads)

    def part(self, index: npt.NDArray[np.int64]) -> Clips:
        chosen = torch.from_numpy(index).to(self.near.device)
        heads = Heads(self.heads.positions[chosen], self.heads.axes[chosen])
        return Clips(self.near[chosen], self.heard[chosen], heads)

    def __len__(self) -> int:
        return len(self.near)


class SceneModel(nn.Module, abc.ABC):
    """Renders what is heard at a pose of what is recorded near the sources."""

    name: str
    epochs: int
    """How many to train for."""
    full_epochs: int
    """How many to train for where time does not count."""
    batch: int
    gradient_norm: float
    """Gradients longer than this are cut."""

    @classmethod
    @abc.abstractmethod
    def for_scene(cls, scene: Scene, seed: int, **settings: Any) -> SceneModel:
        """A model of a scene as training finds it. Its settings, and what it takes from the scene, are its `config`."""

    @classmethod
    @abc.abstractmethod
    def from_config(cls, config: dict[str, Any]) -> SceneModel:
        """A model in the shape of its saved weights."""

    @property
    @abc.abstractmethod
    def config(self) -> dict[str, Any]:
        """What `from_config` needs, as JSON has it."""

    @abc.abstractmethod
    def forward(self, near: Tensor, heads: Heads) -> Tensor:
        """Near recordings, shape (clips, sources, samples), at the poses of their clips: shape (clips, 2, samples)."""

    @abc.abstractmethod
    def groups(self) -> list[tuple[list[nn.Parameter], float]]:
        """All parameters to train, with their learning rates."""

    def watched(self) -> dict[str, float]:
        """Figures of the model's own for the log."""
        return {}

    def responses(self, heads: Heads, samples: int, sources: int) -> Tensor:
        """Impulse responses, shape (heads, sources, 2, samples), `LEAD` samples before time 0 included: what the model
        makes of a click, unless it knows better."""
        quiet = HOP * 40
        click = torch.zeros(sources, sources, quiet + samples, device=heads.positions.device)
        for source in range(sources):
            click[source, source, quiet + LEAD] = 1.0
        found = []
        for head in range(len(heads.positions)):
            one = Heads(heads.positions[head].expand(sources, 3), heads.axes[head].expand(sources, 3, 3))
            found.append(self(click, one)[..., quiet:])
        return torch.stack(found)


def heads_of(poses: Poses, device: torch.device) -> Heads:
    positions, axes = (torch.from_numpy(np.ascontiguousarray(part)).float().to(device) for part in poses)
    return Heads(positions, axes)


def spectrum(clips: Tensor) -> Tensor:
    """The STFT of clips of shape (..., samples): shape (..., bins, frames)."""
    window = torch.hann_window(SPECTRUM, device=clips.device)
    flat = clips.reshape(-1, clips.shape[-1])
    transformed = torch.stft(flat, SPECTRUM, HOP, window=window, return_complex=True)
    return transformed.reshape(*clips.shape[:-1], *transformed.shape[-2:])


def clips_of(spectra: Tensor, samples: int) -> Tensor:
    """The inverse of `spectrum`."""
    window = torch.hann_window(SPECTRUM, device=spectra.device)
    flat = spectra.reshape(-1, *spectra.shape[-2:])
    clips = torch.istft(flat, SPECTRUM, HOP, window=window, length=samples)
    return clips.reshape(*spectra.shape[:-2], samples)


def log_magnitude(clips: Tensor) -> Tensor:
    return torch.log1p(spectrum(clips).abs())


def loss_of(rendered: Tensor, heard: Tensor) -> Tensor:
    """Mean square difference of log1p of magnitudes, of clips and what `log_magnitude` makes of the truth."""
    return ((log_magnitude(rendered) - heard) ** 2).mean()
