"""Audio 3DGS: every cell of the source's spectrogram is a point in space, and a U-Net makes masks of what the points
show of themselves towards the listener.

After "Extending Gaussian Splatting to Audio: Optimizing Audio Points for Novel-view Acoustic Synthesis". Two things are
otherwise: a point's rotation turns the direction it is seen from, so that it is learned; and the difference of the ears
is a share of their sum, so that no ear gets the other polarity, which a loss of magnitudes does not see.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..harmonics import count, harmonics
from ..scene import Scene
from .base import HOP, SPECTRUM, Heads, SceneModel, clips_of, spectrum

DEGREE = 2
_SPREAD = 0.1
"""Metres around the source in which points start."""
_WIDTHS = {"small": (8, 16, 32, 64), "full": (64, 128, 256, 512, 1024)}
"""Channels of the U-Net from level to level; the full one has 31 million weights, as published."""
_GROUPS = 8
_POINTS_RATE, _NETWORK_RATE = 5e-3, 2e-3
_FEATURES, _MASKS = 2, 2
_LOW, _HIGH = 0.01, 1.0
"""Magnitudes of points below and above which their share is logged."""


class AudioPoints(SceneModel):
    """The U-Net sees the points, never the source."""

    sources: Tensor
    name = "audio-3dgs"
    epochs, full_epochs, batch, gradient_norm = 6, 100, 4, 1.0

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self._config = config
        self.grid = (int(config["freq_num"]), int(config["time_num"]))
        points = self.grid[0] * self.grid[1]
        self.register_buffer("sources", torch.tensor(config["sources"], dtype=torch.float32))
        self.places = nn.Parameter(torch.zeros(points, 3))
        """Metres, from the source."""
        self.harmonics = nn.Parameter(torch.zeros(points, count(DEGREE)))
        self.rotations = nn.Parameter(torch.eye(3).repeat(points, 1, 1))
        self.network = _UNet(_WIDTHS[str(config["size"])])

    @classmethod
    def for_scene(cls, scene: Scene, seed: int, **settings: Any) -> AudioPoints:
        bins, frames = SPECTRUM // 2 + 1, scene.samples // HOP + 1
        config = {
            "rate": scene.sample_rate,
            "sources": scene.sources.tolist(),
            "size": "full" if settings.get("full") else "small",
            "freq_num": int(settings.get("freq_num") or bins),
            "time_num": int(settings.get("time_num") or frames),
        }
        model = cls(config)
        near = torch.from_numpy(scene.near[scene.training()].sum(axis=1))
        magnitude = torch.log1p(spectrum(near).abs().mean(dim=0))
        if magnitude.shape != model.grid:
            magnitude = nn.functional.interpolate(magnitude[None, None], model.grid, mode="bilinear")[0, 0]
        with torch.no_grad():
            model.places.normal_(std=_SPREAD)
            model.harmonics[:, 0] = magnitude.flatten()
        return model

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> AudioPoints:
        return cls(config)

    @property
    def config(self) -> dict[str, Any]:
        return self._config

    def groups(self) -> list[tuple[list[nn.Parameter], float]]:
        return [
            ([self.places, self.harmonics, self.rotations], _POINTS_RATE),
            (list(self.network.parameters()), _NETWORK_RATE),
        ]

    def forward(self, near: Tensor, heads: Heads) -> Tensor:
        spectra = spectrum(near)
        heard = torch.zeros_like(spectra[:, :1]).repeat(1, 2, 1, 1)
        for number, source in enumerate(self.sources):
            mono, difference = self._masks(source, heads, spectra.shape[-2:])
            ears = torch.stack([mono + difference, mono - difference], dim=1) / 2
            heard = heard + ears * spectra[:, number, None]
        return clips_of(heard, near.shape[-1])

    def _masks(self, source: Tensor, heads: Heads, cells: torch.Size) -> tuple[Tensor, Tensor]:
        """Sum and difference of the ears' gains around a source, each of shape (heads, bins, frames)."""
        directions, distances = heads.direction_to(source + self.places)
        turned = torch.einsum("nij,hnj->hni", self.rotations, directions)
        turned = nn.functional.normalize(turned, dim=-1)
        basis = torch.stack(harmonics(DEGREE, *turned.unbind(-1)), dim=-1)
        shown = (basis * self.harmonics).sum(-1)
        features = torch.stack([shown, distances.log()], dim=1).reshape(len(shown), _FEATURES, *self.grid)
        if self.grid != tuple(cells):
            features = nn.functional.interpolate(features, tuple(cells), mode="bilinear")
        mono, difference = self.network(features).unbind(1)
        mono = nn.functional.softplus(mono)
        return mono, mono * torch.tanh(difference)

    def watched(self) -> dict[str, float]:
        magnitude = self.harmonics.detach()[:, 0].abs()
        return {
            "low_points": float((magnitude < _LOW).float().mean()),
            "high_points": float((magnitude > _HIGH).float().mean()),
        }


class _UNet(nn.Module):
    """Down by halves and up again, each level joined with the one it came from."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            _convolutions(before, after) for before, after in zip((_FEATURES, *widths), widths, strict=False)
        )
        pairs = list(zip(widths[-2::-1], widths[:0:-1], strict=True))
        self.up = nn.ModuleList(nn.ConvTranspose2d(wide, narrow, 2, 2) for narrow, wide in pairs)
        self.joined = nn.ModuleList(_convolutions(2 * narrow, narrow) for narrow, _ in pairs)
        self.last = nn.Conv2d(widths[0], _MASKS, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Images of shape (images, features, height, width) to masks of shape (images, masks, height, width)."""
        levels = []
        for number, level in enumerate(self.down):
            image = level(nn.functional.max_pool2d(image, 2) if number else image)
            levels.append(image)
        levels.pop()
        for up, joined in zip(self.up, self.joined, strict=True):
            beside = levels.pop()
            image = up(image)
            missing = (beside.shape[-1] - image.shape[-1], beside.shape[-2] - image.shape[-2])
            image = nn.functional.pad(image, (0, missing[0], 0, missing[1]))
            image = joined(torch.cat([image, beside], dim=1))
        found: Tensor = self.last(image)
        return found


def _convolutions(before: int, after: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (before, after):
        layers += [nn.Conv2d(channels, after, 3, padding=1), nn.GroupNorm(_GROUPS, after), nn.ReLU()]
    return nn.Sequential(*layers)
