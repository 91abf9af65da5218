"""Gaussians turned to a place between left and right.

What a mono player hears, the mid, stays as it is as long as the place is within 45 degrees of the clip's direction, as
all places are in a clip whose direction is the middle; the side follows from it. So what was panned can be panned back,
and the residual layer, which is of the mid, stays.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from audio_gs.codec.container import StreamHeader
from audio_gs.codec.gaussians import RESIDUAL
from audio_gs.codec.kinds import NOISE, TONE
from audio_gs.codec.stereo import angle_of_position, direction_of
from audio_gs.errors import EditError

from . import noise_levels, tones
from .clip import GaussianClip
from .directions import direction_vector, parts_of, with_parts, with_side
from .selection import ALL, Selection
from .steps import frames_and_bands

LARGEST_PAN_DB = 60.0
_HALF = math.pi / 2
_SAME = 1e-9
_A_STEP = 0.7
"""By how much of a step a side is too large by rounding, at most."""


def pan(
    clip: GaussianClip, position: float | None = None, selection: Selection = ALL, *, db: float | None = None
) -> GaussianClip:
    """What is selected at a place between left, -1, and right, 1, or where right is so many decibels louder than left;
    one of the two is given. A stream of one channel comes to have two.

    Where nothing limits the selection the place becomes the direction of the clip, and there are no sides any more.
    Else sides are given to the Gaussians selected, whose mids stay. EditError where the clip's direction is too far
    away for the noise, and where a side would be louder than the stream can state.
    """
    angle = _angle(position, db)
    if not selection.by_place and selection.kinds is None:
        return _whole(clip, angle)
    if selection.kinds == (RESIDUAL,):
        raise EditError(
            "the residual layer lies in the direction of the clip; pan tones and noises, or all of the clip"
        )
    clip = with_side(clip)
    left, right = direction_vector(clip.header)
    # A mid in the opposite direction is the same one with the other sign.
    turn = (angle - math.atan2(right, left) + _HALF) % math.pi - _HALF
    chosen = selection.of_tones(clip.tones, clip.header)
    if chosen.any():
        clip = _panned_tones(clip, chosen, turn)
    if clip.header.noise and selection.has(NOISE.name):
        clip = _panned_noise(clip, selection, turn)
    if abs(turn) > _SAME and selection.of_coefficients(clip.carried.coefficients, clip.header).any():
        clip = clip.with_note("the residual layer stays in the direction of the clip")
    return clip


def _angle(position: float | None, db: float | None) -> float:
    """From left, 0, to right, half of pi. ValueError unless one of the two is given and in range."""
    if (position is None) == (db is None):
        raise ValueError("give a position or db, one of the two")
    if position is not None:
        if not -1 <= position <= 1:
            raise ValueError(f"position is {position:g}, allowed are -1..1")
        return angle_of_position(position)
    assert db is not None
    if not -LARGEST_PAN_DB <= db <= LARGEST_PAN_DB:
        raise ValueError(f"db is {db:g}, allowed are {-LARGEST_PAN_DB:g}..{LARGEST_PAN_DB:g}")
    return math.atan(10 ** (db / 20))


def _whole(clip: GaussianClip, angle: float) -> GaussianClip:
    direction = direction_of(math.cos(angle), math.sin(angle))
    header = dataclasses.replace(clip.header, channels=2, direction=direction, panning=None)
    tables = clip.tones.copy(), clip.noises.copy()
    for kind, table in zip((TONE, NOISE), tables, strict=True):
        for name in kind.side_columns:
            table[name] = 0
    return dataclasses.replace(clip, header=header, tones=tables[0], noises=tables[1])


def _panned_tones(clip: GaussianClip, chosen: npt.NDArray[np.bool_], turn: float) -> GaussianClip:
    steps = tones.steps_of(clip.header)
    before = clip.tones[chosen]
    mid, side = parts_of(before, steps)
    # The larger one of mid and side is as large as the larger one was, which is the mid where it is by rounding alone.
    is_of_mid = np.abs(mid) >= np.abs(side) - _A_STEP * steps.side_size
    agrees = np.where((side * np.conj(mid)).real < 0, -1, 1)
    wave = np.where(is_of_mid, mid, agrees * side)
    larger = max(math.cos(turn), abs(math.sin(turn)))
    parts = wave * np.array([[math.cos(turn)], [math.sin(turn)]]) / larger
    table = clip.tones.copy()
    others = clip.tones["side_amplitude"][~chosen]
    if not others.any():
        steps = tones.with_side_step(steps._replace(side_step=0), steps.size, float(np.abs(parts[1]).max()))
    try:
        panned = with_parts(before, parts, steps)
    except EditError as error:
        raise EditError(f"{error}; scale what is louder, or pan it less far") from None
    if abs(math.cos(turn)) >= larger - _SAME:
        for name in ("amplitude", "phase"):
            panned[name] = np.where(is_of_mid, before[name], panned[name])
    table[chosen] = panned
    return dataclasses.replace(clip, header=tones.with_steps(clip.header, steps)).with_tones(table)


def _panned_noise(clip: GaussianClip, selection: Selection, turn: float) -> GaussianClip:
    header = clip.header
    if abs(turn) > math.pi / 4 + _SAME:
        raise EditError(
            f"noise is at most 45 degrees from the direction of its clip, here {_degrees(header)}; pan tones alone, "
            "kind: tone, or all of the clip"
        )
    region = frames_and_bands(clip, selection)
    maps = noise_levels.maps_of(header, clip.noises)
    wanted = maps.at_one_place(region, math.tan(turn))
    free = selection.of_noises(clip.noises, header)
    noises = clip.noises.copy()
    for name in NOISE.side_columns:
        noises[name][free] = 0
    return clip.with_noises(noise_levels.corrected(header, noises, wanted, free))


def _degrees(header: StreamHeader) -> str:
    """The direction of a clip, from left, 0, to right, 90."""
    left, right = direction_vector(header)
    return f"{math.degrees(math.atan2(right, left)):.0f} of left to right, 0 to 90"
