"""Spherical harmonics alone: two fields around each source in Bark bands, mono and difference, a distance law, and the
delays of a rigid sphere."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .. import bands
from ..harmonics import count, harmonics
from ..scene import SPEED_OF_SOUND, Scene
from .base import SPECTRUM, Heads, SceneModel, clips_of, spectrum

DEGREE = 3
_HEAD_RADIUS = 0.09
"""Metres."""
_FIELD_START = 0.5
_NEAR_START, _POWER_START = 0.3, 0.5


class HarmonicFields(SceneModel):
    """Gains by direction and band; the phase is the source's, turned by the ears' delays."""

    sources: Tensor
    to_bins: Tensor
    angular: Tensor
    name = "gs-only"
    epochs, full_epochs, batch, gradient_norm = 20, 60, 8, 1.0

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self._config = config
        sources = len(config["sources"])
        self.register_buffer("sources", torch.tensor(config["sources"], dtype=torch.float32))
        start = torch.zeros(sources, bands.BANDS, count(DEGREE))
        self.difference = nn.Parameter(start.clone())
        start[..., 0] = _FIELD_START
        self.mono = nn.Parameter(start)
        self.law = nn.Parameter(torch.tensor([math.log(_NEAR_START), _POWER_START]))
        """Of the gain (distance + e^first) ^ -second."""
        frequencies = np.fft.rfftfreq(SPECTRUM, 1 / int(config["rate"]))
        self.register_buffer("to_bins", torch.tensor(bands.from_knots(frequencies)).float(), persistent=False)
        self.register_buffer("angular", torch.tensor(2 * np.pi * frequencies).float(), persistent=False)

    @classmethod
    def for_scene(cls, scene: Scene, seed: int, **settings: Any) -> HarmonicFields:
        return cls({"rate": scene.sample_rate, "sources": scene.sources.tolist()})

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> HarmonicFields:
        return cls(config)

    @property
    def config(self) -> dict[str, Any]:
        return self._config

    def groups(self) -> list[tuple[list[nn.Parameter], float]]:
        return [(list(self.parameters()), 0.02)]

    def forward(self, near: Tensor, heads: Heads) -> Tensor:
        directions, distances = heads.direction_to(self.sources)
        basis = torch.stack(harmonics(DEGREE, *directions.unbind(-1)), dim=-1)
        gain = (distances + self.law[0].exp()) ** -self.law[1]
        mono, difference = (
            torch.einsum("hsn,sbn->hsb", basis, field) @ self.to_bins.T * gain[..., None]
            for field in (self.mono, self.difference)
        )
        # Without the limit an ear may get the other polarity, which a loss of magnitudes does not see.
        ears = torch.stack([mono + difference, mono - difference], dim=2).clamp(min=0) / 2
        lateral = torch.asin(directions[..., 1].clamp(-1, 1))
        half = _HEAD_RADIUS / SPEED_OF_SOUND * (lateral + lateral.sin()) / 2
        phases = half[..., None, None] * torch.stack([self.angular, -self.angular])
        masks = torch.polar(ears, phases)
        heard = (spectrum(near)[:, :, None] * masks[..., None]).sum(dim=1)
        return clips_of(heard, near.shape[-1])

    def watched(self) -> dict[str, float]:
        return {"power": float(self.law[1].detach())}
