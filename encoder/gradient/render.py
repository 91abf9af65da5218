"""Rendering in PyTorch: the decoder's waveform in floating point, with gradients for every parameter.

The envelope and the cosine are those of SPEC 4.4, piecewise linear and in 1024 steps a turn; the steps pass gradients
straight through. What differs from the integer decoder is only its rounding of levels and samples.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from audio_gs.codec import residual
from audio_gs.codec.container import parse_header
from audio_gs.codec.decoder import decode_gaussians
from audio_gs.codec.kinds import noise
from audio_gs.codec.kinds.base import Table
from audio_gs.codec.kinds.tone import amplitude, octave, phase_turns, side_amplitude, support
from audio_gs.codec.stereo import GAIN_OF_ONE, LARGEST_STEP, direction_gains
from audio_gs.codec.tables import (
    COSINE_STEPS,
    ENVELOPE_SEGMENTS,
    HALF_BAND_TAPS,
    OCTAVES,
    SHORTEST_SUPPORT,
    envelope,
    half_band,
)

_CHUNK_ELEMENTS = 1 << 21
"""Samples of atoms rendered at a time."""
_KEEP_ELEMENTS = 1 << 25
"""Samples of atoms up to which what the gradients need is kept, some 100 bytes each, and not rendered again."""


class Waves(NamedTuple):
    """Gaussians as the renderer takes them; all of shape (n,), float."""

    centre: Tensor
    """Samples."""
    support: Tensor
    """Samples."""
    frequency: Tensor
    """Turns a sample."""
    peak: Tensor
    """Height of the envelope, in output steps."""
    phase: Tensor
    """Turns, at the centre."""


def rounded(values: Tensor) -> Tensor:
    """The nearest integers, with the gradient of the values themselves (straight-through estimator)."""
    return values + (values.round() - values).detach()


def _sum_of(waves: Waves, length: int, samples: int) -> Tensor:
    """Gaussians that all fit `length` samples, summed, shape (samples,)."""
    knots = torch.as_tensor(envelope() / 32767.0, dtype=waves.peak.dtype, device=waves.peak.device)
    first = torch.floor(waves.centre.detach() - length / 2).long()
    index = first[:, None] + torch.arange(length + 1, device=first.device)
    from_centre = index - waves.centre[:, None]
    position = (from_centre / waves.support[:, None] + 0.5) * ENVELOPE_SEGMENTS
    inside = (position >= 0) & (position <= ENVELOPE_SEGMENTS) & (index >= 0) & (index < samples)
    segment = position.detach().floor().clamp(0, ENVELOPE_SEGMENTS - 1).long()
    left, right = knots[segment], knots[segment + 1]
    level = left + (position - segment) * (right - left)
    turns = waves.frequency[:, None] * from_centre + waves.phase[:, None]
    # Half a step rounds up, as the decoder's truncation after adding half a step does.
    steps = turns * COSINE_STEPS
    turns = (steps + (torch.floor(steps + 0.5) - steps).detach()) / COSINE_STEPS
    values = torch.where(inside, waves.peak[:, None] * level * torch.cos(2 * torch.pi * turns), 0.0)
    out = torch.zeros(samples, dtype=values.dtype, device=values.device)
    return out.index_add(0, index.clamp(0, samples - 1).reshape(-1), values.reshape(-1))


def render(waves: Waves, samples: int) -> Tensor:
    """The sum of all Gaussians in output steps (full scale 32768), shape (samples,)."""
    out = torch.zeros(samples, dtype=waves.peak.dtype, device=waves.peak.device)
    octave = torch.ceil(torch.log2(waves.support.detach() / SHORTEST_SUPPORT) - 1e-6).clamp(min=0).long()
    again = torch.is_grad_enabled() and int((SHORTEST_SUPPORT << octave).sum()) > _KEEP_ELEMENTS
    for k in torch.unique(octave).tolist():
        length = SHORTEST_SUPPORT << k
        members = torch.nonzero(octave == k)[:, 0]
        for chunk in torch.split(members, max(1, _CHUNK_ELEMENTS // length)):
            part = Waves(*(field[chunk] for field in waves))
            if again:
                out = out + checkpoint(_sum_of, part, length, samples, use_reentrant=False)
            else:
                out = out + _sum_of(part, length, samples)
    return out


def waves_of(table: Table, amplitude_step: int, output_shift: int, side_step: int | None = None) -> Waves:
    """Tone Gaussians of a stream, double precision; with a step of the side the sides of those."""
    length = support(table["scale"]).astype(np.float64)
    if side_step is None:
        peak = amplitude(table["amplitude"], table["scale"], amplitude_step) / 2.0**output_shift
        phase = phase_turns(table["amplitude"], table["phase"])
    else:
        peak = side_amplitude(table["side_amplitude"], table["scale"], amplitude_step, side_step) / 2.0**output_shift
        phase = phase_turns(table["side_amplitude"], table["side_phase"])
    fields = (
        table["onset"] + length / 2,
        length,
        table["bin"] / length,
        peak * (32767 / 32768),
        phase,
    )
    return Waves(*(torch.as_tensor(field, dtype=torch.float64) for field in fields))


def _upsampled(samples: Tensor) -> Tensor:
    """An octave's samples at the rate of the octave above, HALF_BAND_TAPS less at either end; shape (2 * n,)."""
    taps = torch.as_tensor(half_band() / 4096, dtype=samples.dtype)
    kernel = torch.cat([taps.flip(0), taps])
    between = torch.nn.functional.conv1d(samples[1:][None, None], kernel[None, None])[0, 0]
    return torch.stack([samples[HALF_BAND_TAPS:-HALF_BAND_TAPS], between], dim=1).reshape(-1)


def render_by_octaves(
    table: Table, amplitude_step: int, output_shift: int, samples: int, side_step: int | None = None
) -> Tensor:
    """Tones of a stream, or as in `waves_of` their sides, at the rates at which the decoder renders them, double
    precision, shape (samples,)."""
    octaves = octave(table["bin"], table["scale"])
    # What an octave needs around the clip: more than the filters reach, in its own samples.
    margin = 2 * HALF_BAND_TAPS
    below = torch.zeros(0)
    for halvings in reversed(range(OCTAVES)):
        waves = waves_of(table[octaves == halvings], amplitude_step, output_shift, side_step)
        own = Waves(
            waves.centre / 2**halvings + margin,
            waves.support / 2**halvings,
            waves.frequency * 2**halvings,
            waves.peak,
            waves.phase,
        )
        count = (samples >> halvings) + 2 * margin + 1
        here = render(own, count)
        if len(below):
            here += _upsampled(below)[:count]
        below = here
    return below[margin : margin + samples]


def render_stream(data: bytes) -> npt.NDArray[np.float64]:
    """A stream with its tones rendered in floating point, in output steps, shape (samples,); BitstreamError if it is
    damaged. Noise, and what a residual layer makes of it, has no other rendering than the integer one."""
    header, _ = parse_header(data)
    gaussians = decode_gaussians(data)
    with torch.no_grad():
        rendered = render_by_octaves(gaussians["tone"], header.amplitude_step, header.output_shift, header.samples)
    coded = residual.coded_frames(header, gaussians)
    return np.asarray(rendered.numpy() + noise.render_clip(header, gaussians["noise"], coded))


def render_both(data: bytes) -> npt.NDArray[np.float64]:
    """`render_stream` of left and right, shape (samples, 2)."""
    header, _ = parse_header(data)
    mid, side = render_stream(data), np.zeros(header.samples)
    if header.panning:
        gaussians = decode_gaussians(data)
        sides = gaussians["tone"][gaussians["tone"]["side_amplitude"] > 0]
        steps = header.amplitude_step, header.output_shift
        with torch.no_grad():
            side = render_by_octaves(sides, *steps, header.samples, header.panning.side_step).numpy()
        coded = residual.coded_frames(header, gaussians)
        side = side + noise.render_clip(header, gaussians["noise"], coded, is_panned=True)[1]
    mid, side = (np.clip(steps, -LARGEST_STEP, LARGEST_STEP) for steps in (mid, side))
    left, right = (gain / GAIN_OF_ONE for gain in direction_gains(header.direction))
    return np.stack([left * mid - right * side, right * mid + left * side], axis=1)
