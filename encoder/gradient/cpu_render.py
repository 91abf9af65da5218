"""The rendering of `render` and its gradients as Numba loops: on a CPU several times as fast as tensors of all
samples of all Gaussians, and without their memory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from numba import njit
from torch import Tensor

from audio_gs.codec.tables import COSINE_STEPS, ENVELOPE_SEGMENTS, envelope

from .render import Waves

Array = npt.NDArray[Any]

_KNOTS = envelope() / 32767.0
_COSINE = np.cos(2 * np.pi * np.arange(COSINE_STEPS) / COSINE_STEPS)
_QUARTER = COSINE_STEPS // 4


@njit(cache=True)
def _sounding(centre: float, support: float, samples: int) -> tuple[int, int]:
    """First sample of a Gaussian and the one after its last, inside the clip."""
    return max(0, math.ceil(centre - support / 2)), min(samples, math.floor(centre + support / 2) + 1)


@njit(cache=True)
def _forward(waves: Array, samples: int) -> Array:
    """The clip, float64, shape (samples,), of the fields of Waves as rows, shape (5, n)."""
    out = np.zeros(samples)
    for g in range(waves.shape[1]):
        centre, support, frequency, peak, phase = waves[:, g]
        first, end = _sounding(centre, support, samples)
        for n in range(first, end):
            away = n - centre
            position = (away / support + 0.5) * ENVELOPE_SEGMENTS
            segment = min(max(int(position), 0), ENVELOPE_SEGMENTS - 1)
            level = _KNOTS[segment] + (position - segment) * (_KNOTS[segment + 1] - _KNOTS[segment])
            step = math.floor((frequency * away + phase) * COSINE_STEPS + 0.5)
            out[n] += peak * level * _COSINE[step & (COSINE_STEPS - 1)]
    return out


@njit(cache=True)
def _backward(waves: Array, slope: Array) -> Array:
    """Gradients of the fields, shape (5, n), of those of the samples, shape (samples,)."""
    out = np.zeros_like(waves)
    for g in range(waves.shape[1]):
        centre, support, frequency, peak, phase = waves[:, g]
        first, end = _sounding(centre, support, len(slope))
        level_slope = 0.0
        level_slope_away = 0.0
        turn_slope = 0.0
        turn_slope_away = 0.0
        peak_slope = 0.0
        for n in range(first, end):
            away = n - centre
            position = (away / support + 0.5) * ENVELOPE_SEGMENTS
            segment = min(max(int(position), 0), ENVELOPE_SEGMENTS - 1)
            rise = _KNOTS[segment + 1] - _KNOTS[segment]
            level = _KNOTS[segment] + (position - segment) * rise
            step = math.floor((frequency * away + phase) * COSINE_STEPS + 0.5)
            by_level = slope[n] * _COSINE[step & (COSINE_STEPS - 1)]
            # The table's cosine a quarter turn on is minus the sine.
            by_turn = slope[n] * level * _COSINE[(step + _QUARTER) & (COSINE_STEPS - 1)]
            peak_slope += by_level * level
            level_slope += by_level * rise
            level_slope_away += by_level * rise * away
            turn_slope += by_turn
            turn_slope_away += by_turn * away
        segments = peak * ENVELOPE_SEGMENTS / support
        turn = 2 * math.pi * peak
        out[0, g] = -segments * level_slope - turn * frequency * turn_slope
        out[1, g] = -segments / support * level_slope_away
        out[2, g] = turn * turn_slope_away
        out[3, g] = peak_slope
        out[4, g] = turn * turn_slope
    return out


class _CpuRender(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, waves: Tensor, samples: int) -> Tensor:
        ctx.save_for_backward(waves)
        return torch.from_numpy(_forward(waves.detach().double().numpy(), samples)).to(waves.dtype)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None]:
        (waves,) = ctx.saved_tensors
        slope = slopes[0].double().contiguous().numpy()
        return torch.from_numpy(_backward(waves.detach().double().numpy(), slope)).to(waves.dtype), None


def render_on_cpu(waves: Waves, samples: int) -> Tensor:
    """The sum of all Gaussians in output steps, shape (samples,), as `torch_render.render` makes it."""
    if len(waves.centre) == 0:
        return torch.zeros(samples, dtype=waves.peak.dtype)
    out: Tensor = _CpuRender.apply(torch.stack(list(waves)), samples)  # type: ignore[no-untyped-call]
    return out
