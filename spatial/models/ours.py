"""Ours: mirror points behind six walls, each heard with one gain and one delay an ear in each band, and a late field.

Nothing is known of the room. Its walls are found by their echoes, since gradients alone do not find them from afar, and
then move along with all else.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .. import bands
from ..echoes import walls_by_echoes
from ..harmonics import count, harmonics
from ..head import DEGREE, head_table
from ..scene import LEAD, SPEED_OF_SOUND, Scene
from .base import Heads, SceneModel

_KNOTS = 6
"""Of walls, radiation and the late field over frequency."""
_EARLY_SECONDS = 0.09
"""What reflections may be late by; later ones would wrap around."""
_EARS_APART = 0.18
_LATE_AT = 0.04
"""Seconds after the direct sound whose level is the late field's: it is heard there, so a decay turns around it."""
_SLOWEST_RISE = 0.02
"""Seconds; slower, it would take the place of the decay."""
_DB = math.log(10) / 20
_DECAY = 3 * math.log(10)
"""60 dB as a logarithm of amplitude."""
_WALL_START, _LATE_START = -2.0, -40.0
"""dB."""
_T60_START, _RISE_START = 0.25, 0.01
"""Seconds."""
_RATES = {
    "colour": 0.5,
    "walls": 0.3,
    "law": 0.03,
    "radiation": 0.2,
    "late_level": 0.6,
    "late_t60": 0.05,
    "late_rise": 0.05,
    "low": 0.004,
    "high": 0.004,
}


class MirrorPoints(SceneModel):
    """91 numbers for what walls and sources do, and 6 for where walls are."""

    sources: Tensor
    table_levels: Tensor
    table_delays: Tensor
    angular: Tensor
    to_log: Tensor
    to_phase: Tensor
    to_bands: Tensor
    mirror: Tensor
    noise: Tensor
    time: Tensor
    name = "ours"
    epochs, full_epochs, batch, gradient_norm = 12, 40, 8, math.inf

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self._config = config
        self.rate, self.order = int(config["rate"]), int(config["order"])
        self.size = 1 << math.ceil(math.log2(_EARLY_SECONDS * self.rate))
        self.late_size = int(config["late_samples"])
        self.register_buffer("sources", torch.tensor(config["sources"], dtype=torch.float32))
        self.register_buffer("table_levels", torch.zeros(count(DEGREE), bands.BANDS))
        self.register_buffer("table_delays", torch.zeros(count(DEGREE)))
        self.low, self.high = nn.Parameter(torch.zeros(3)), nn.Parameter(torch.ones(3))
        self.walls = nn.Parameter(torch.full((6, _KNOTS), _WALL_START))
        self.colour = nn.Parameter(torch.zeros(bands.BANDS))
        self.law = nn.Parameter(torch.tensor([1.0, 0.0]))
        self.radiation = nn.Parameter(torch.zeros(_KNOTS, 3))
        self.late_level = nn.Parameter(torch.full((_KNOTS,), _LATE_START))
        self.late_t60 = nn.Parameter(torch.full((_KNOTS,), math.log(_T60_START)))
        self.late_rise = nn.Parameter(torch.tensor(math.log(_RISE_START)))
        self._add_constants(int(config["seed"]))
        self._set_order(self.order)

    def _add_constants(self, seed: int) -> None:
        """What follows from the rate alone, and the noise of the late field."""

        def keep(name: str, values: Any) -> None:
            self.register_buffer(name, torch.as_tensor(np.asarray(values), dtype=torch.float32), persistent=False)

        frequencies = np.fft.rfftfreq(self.size, 1 / self.rate)
        to_log = bands.from_knots(frequencies) * _DB
        keep("angular", 2 * np.pi * frequencies)
        keep("to_log", to_log)
        keep("to_phase", bands.minimum_phase(self.size, to_log))
        keep("to_bands", bands.from_knots(bands.hertz(bands.centres()), _KNOTS))
        keep("mirror", [1.0, -1.0, 1.0])
        late = np.fft.rfftfreq(self.late_size, 1 / self.rate)
        noise = np.fft.rfft(np.random.default_rng(seed).standard_normal((2, self.late_size)))
        coherence = np.sinc(2 * late * _EARS_APART / SPEED_OF_SOUND)
        noise[1] = coherence * noise[0] + np.sqrt(1 - coherence**2) * noise[1]
        keep("noise", np.fft.irfft(noise[:, None] * bands.from_knots(late, _KNOTS).T, self.late_size))
        keep("time", np.arange(self.late_size) / self.rate)

    def _set_order(self, order: int) -> None:
        """How often sound is reflected at most. Per axis a mirror point is `sign` x source + its share of the walls."""
        span = range(-order, order + 1)
        images = [image for image in itertools.product(span, repeat=3) if sum(map(abs, image)) <= order]
        hits = [[tuple(_hits(number)) for number in image] for image in images]
        self.signs = torch.tensor([[(-1.0) ** abs(number) for number in image] for image in images])
        self.shares = torch.tensor([[_shares(number) for number in image] for image in images])
        self.hits = torch.tensor(hits, dtype=torch.float32).flatten(1)

    @classmethod
    def for_scene(cls, scene: Scene, seed: int, **settings: Any) -> MirrorPoints:
        config = {
            "rate": scene.sample_rate,
            "sources": scene.sources.tolist(),
            "seed": seed,
            "order": int(settings.get("order", 4)),
            "late_samples": 1 << math.ceil(math.log2(0.6 * scene.sample_rate)),
        }
        model = cls(config)
        table = head_table()
        model.table_levels.copy_(torch.from_numpy(table.levels))
        model.table_delays.copy_(torch.from_numpy(table.delays))
        seen = ~scene.unseen
        low, high = walls_by_echoes(scene)
        away = np.linalg.norm(scene.poses.positions[seen][:, None] - scene.sources, axis=-1).min(axis=1)
        levels = np.log(np.sqrt((scene.heard[seen].astype(float) ** 2).mean(axis=(-1, -2))) + 1e-9) + np.log(away)
        with torch.no_grad():
            model.low.copy_(torch.from_numpy(low))
            model.high.copy_(torch.from_numpy(high))
            model.colour.fill_(float(levels.mean()) / _DB)
        return model

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MirrorPoints:
        return cls(config)

    @property
    def config(self) -> dict[str, Any]:
        return self._config

    def groups(self) -> list[tuple[list[nn.Parameter], float]]:
        return [([parameter], _RATES[name]) for name, parameter in self.named_parameters() if parameter.requires_grad]

    def points(self, source: Tensor) -> Tensor:
        """The mirror points of a source, shape (points, 3)."""
        walls = torch.stack([self.low, self.high], dim=-1)
        return self.signs.to(source) * source + (self.shares.to(source) * walls).sum(-1)

    def early(self, source: Tensor, heads: Heads) -> Tensor:
        """Direct sound and reflections, shape (heads, 2, samples), `LEAD` samples before the direct sound included."""
        points = self.points(source)
        directions, distances = heads.direction_to(points)
        direct = (source - heads.positions).norm(dim=-1).clamp(min=1e-3)
        away = (heads.positions - source) / direct[:, None]
        both = torch.stack([directions, directions * self.mirror], dim=2)
        basis = torch.stack(harmonics(DEGREE, *both.unbind(-1)), dim=-1)
        levels = basis @ self.table_levels + self.colour
        levels = levels + ((away @ self.radiation.T) @ self.to_bands.T)[:, None, None]
        levels = levels + ((self.hits.to(source) @ self.walls.clamp(max=0)) @ self.to_bands.T)[:, None]
        fall = 20 * self.law[0] * torch.log10(distances + self.law[1].abs())
        levels = levels - fall[..., None, None]
        delays = ((distances - direct[:, None]) / SPEED_OF_SOUND)[..., None] + basis @ self.table_delays
        delays = delays + LEAD / self.rate
        phases = levels @ self.to_phase.T - delays[..., None] * self.angular
        spectra = torch.polar(torch.exp(levels @ self.to_log.T), phases)
        inside = (delays < self.size / self.rate)[..., None]
        return torch.fft.irfft((spectra * inside).sum(dim=1), self.size)

    def late(self) -> Tensor:
        """The field that is the same wherever one is, shape (2, samples)."""
        decay = self.late_level * _DB - _DECAY * (self.time[:, None] - _LATE_AT) / self.late_t60.exp()
        rise = 1 - torch.exp(-self.time / self.late_rise.exp().clamp(max=_SLOWEST_RISE))
        return (self.noise * decay.exp().T).sum(dim=1) * rise

    def room_responses(self, heads: Heads) -> Tensor:
        """Shape (heads, sources, 2, samples), `LEAD` samples before the direct sound included."""
        early = torch.stack([self.early(source, heads) for source in self.sources], dim=1)
        late = nn.functional.pad(self.late(), (LEAD, 0))
        early = nn.functional.pad(early, (0, late.shape[-1] - early.shape[-1]))
        return early + late

    def responses(self, heads: Heads, samples: int, sources: int) -> Tensor:
        found = torch.cat(
            [self.room_responses(Heads(*(part[[head]] for part in heads))) for head in range(len(heads[0]))]
        )
        return nn.functional.pad(found, (0, max(0, samples - found.shape[-1])))[..., :samples]

    def forward(self, near: Tensor, heads: Heads) -> Tensor:
        return self.convolved(near, self.room_responses(heads))

    @staticmethod
    def convolved(near: Tensor, responses: Tensor) -> Tensor:
        """What responses make of clips, shape (clips, 2, samples)."""
        samples = near.shape[-1]
        size = 1 << (samples + responses.shape[-1] - 1).bit_length()
        spectra = torch.fft.rfft(near, size)[:, :, None] * torch.fft.rfft(responses, size)
        return torch.fft.irfft(spectra.sum(dim=1), size)[..., LEAD : LEAD + samples]

    def watched(self) -> dict[str, float]:
        size = (self.high - self.low).detach().tolist()
        return {
            "room_x": size[0],
            "room_y": size[1],
            "room_z": size[2],
            "t60": float(self.late_t60.detach().exp().mean()),
        }


def _hits(number: int) -> tuple[int, int]:
    """How often the low and the high wall reflect a mirror point `number` cells away; the last one is on its side."""
    half, odd = divmod(abs(number), 2)
    return (half, half + odd) if number > 0 else (half + odd, half)


def _shares(number: int) -> tuple[float, float]:
    """How much of the low and the high wall's place adds to a mirror point `number` cells away: each reflection takes x
    to 2 wall - x, the walls in turn, the one on the point's side last."""
    low = high = 0.0
    for step in range(abs(number) - 1, -1, -1):
        low, high = -low, -high
        if (step % 2 == 0) == (number > 0):
            high += 2
        else:
            low += 2
    return low, high
