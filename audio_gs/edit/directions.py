"""Mid and side of a clip's Gaussians (SPEC 10), turned to other directions."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from audio_gs.codec.container import StreamHeader
from audio_gs.codec.kinds.base import Table
from audio_gs.codec.stereo import GAIN_OF_ONE, PanningHeader, direction_gains
from audio_gs.codec.tables import LARGEST_AMPLITUDE

from . import noise_levels, tones
from .clip import GaussianClip
from .noise_levels import SILENT, SILENT_BASE, Levels, NoiseMaps

Parts = npt.NDArray[np.complex128]
"""Amplitude and phase at the middle of mid and side, of tones, shape (2, n)."""

_FAINTEST_POWER = 2.0**SILENT


def direction_vector(header: StreamHeader) -> tuple[float, float]:
    """What left and right have of the mid; 1 and 1 of one channel."""
    left, right = direction_gains(header.direction)
    return left / GAIN_OF_ONE, right / GAIN_OF_ONE


def with_side(clip: GaussianClip) -> GaussianClip:
    """The same sound in a clip of two channels whose Gaussians may have a side."""
    panning = clip.header.panning or PanningHeader(0, SILENT_BASE)
    return dataclasses.replace(clip, header=dataclasses.replace(clip.header, channels=2, panning=panning))


def in_one_direction(first: GaussianClip, second: GaussianClip) -> tuple[GaussianClip, GaussianClip]:
    """Both with as many channels, and with the direction of the first one that has two, which keeps its Gaussians as
    they are."""
    both = first.header, second.header
    leading = next((header for header in both if header.channels == 2), None)
    if leading is None:
        return first, second
    first, second = (_turned(clip, leading.direction) for clip in (first, second))
    if first.header.panning or second.header.panning:
        first, second = with_side(first), with_side(second)
    return first, second


def _turned(clip: GaussianClip, direction: int) -> GaussianClip:
    """The same sound in two channels with another direction."""
    header = dataclasses.replace(clip.header, channels=2)
    if header.direction == direction:
        return dataclasses.replace(clip, header=header)
    old, new = direction_vector(header), direction_vector(dataclasses.replace(header, direction=direction))
    angle = math.atan2(old[1], old[0]) - math.atan2(new[1], new[0])
    gain = math.hypot(*old) / math.hypot(*new)
    out = with_side(dataclasses.replace(clip, header=dataclasses.replace(header, direction=direction)))
    out = _turned_tones(out, angle, gain)
    if header.noise:
        maps = turned_maps(noise_levels.maps_of(clip.header, clip.noises), angle, gain)
        header, noises = noise_levels.refitted(out.header, maps, max(1, len(clip.noises)))
        out = dataclasses.replace(out, header=header, noises=noises)
    everything = np.ones(len(clip.carried.coefficients), np.bool_)
    out = out.with_carried(clip.carried.scaled(gain * math.cos(angle), everything))
    return out.with_note("the residual layer has no side, and is turned without one") if len(everything) else out


def _turned_tones(clip: GaussianClip, angle: float, gain: float) -> GaussianClip:
    steps = tones.steps_of(clip.header)
    mid, side = gain * parts_of(clip.tones, steps)
    cosine, sine = math.cos(angle), math.sin(angle)
    turned = np.stack([cosine * mid - sine * side, sine * mid + cosine * side])
    steps = tones.with_side_step(steps, steps.size, float(np.abs(turned[1]).max(initial=0.0)))
    table = with_parts(clip.tones, turned, steps)
    return dataclasses.replace(clip, header=tones.with_steps(clip.header, steps)).with_tones(table)


def parts_of(table: Table, steps: tones.Steps) -> Parts:
    """Mid and side of tones, in the unit of `Steps.size` and each at its own scale."""
    sizes = np.array([[steps.size], [steps.side_size]])
    amplitudes = np.stack([tones.in_steps(table[name]) for name in ("amplitude", "side_amplitude")])
    return np.asarray(sizes * amplitudes * np.exp(2j * np.pi * tones.turns(table)))


def with_parts(table: Table, parts: Parts, steps: tones.Steps) -> Table:
    """The tones with mid and side as near to these as their indices allow. EditError for one that is too loud."""
    out = table.copy()
    mid = tones.nearest_index(np.abs(parts[0]) / steps.size)
    tones.refuse_louder(mid, LARGEST_AMPLITUDE, tones.INDEX)
    out["amplitude"] = np.maximum(mid, 1)
    out["side_amplitude"] = tones.index_of_side(np.abs(parts[1]) / steps.side_size)
    tones.put_phases(out, np.angle(parts) / (2 * np.pi))
    return out


def turned_maps(maps: NoiseMaps, angle: float, gain: float) -> NoiseMaps:
    """Noise of another direction: of its powers and of what mid and side have in common."""
    mid, common, side = _powers(maps)
    cosine, sine = math.cos(angle), math.sin(angle)
    squared = gain**2
    return _maps(
        squared * (cosine**2 * mid - 2 * cosine * sine * common + sine**2 * side),
        squared * (cosine * sine * (mid - side) + (cosine**2 - sine**2) * common),
        squared * (sine**2 * mid + 2 * cosine * sine * common + cosine**2 * side),
    )


def mixture(one: NoiseMaps, other: NoiseMaps) -> NoiseMaps:
    """Two noises that sound together; where one of them is silent the other one as it is."""
    mixed = _maps(*(a + b for a, b in zip(_powers(one), _powers(other), strict=True)))
    return mixed.where(one.loudest <= SILENT, other).where(other.loudest <= SILENT, one)


def _powers(maps: NoiseMaps) -> tuple[Levels, Levels, Levels]:
    """Of the mid, of what mid and side have in common, and of the side."""
    mid = np.where(maps.level > SILENT, 2.0**maps.level, 0)
    own = np.where(maps.of_side > SILENT, 2.0 ** np.maximum(maps.of_side, SILENT), 0)
    pan = np.clip(maps.pan, -1, 1)
    return mid, pan * mid, pan**2 * mid + own


def _maps(mid: Levels, common: Levels, side: Levels) -> NoiseMaps:
    pan = np.clip(np.where(mid > 0, common / np.where(mid > 0, mid, 1), 0), -1, 1)
    own = np.maximum(side - 2 * pan * common + pan**2 * mid, 0)
    level, of_side = (_level(power) for power in (mid, np.where(own > 1e-6 * side, own, 0)))
    return NoiseMaps(level, of_side - level, pan)


def _level(power: Levels) -> Levels:
    heard = power > _FAINTEST_POWER
    return np.where(heard, np.log2(np.where(heard, power, 1)), SILENT)
