"""Walks through a room: poses that follow each other as those of a listener do."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .scene import Array, Poses, axes_of

POSES_A_WALK = 4
_STEP = 0.5
"""Metres from pose to pose."""
_TURN = 0.5
"""Radians, standard deviation, by which a walk bends and a head turns from pose to pose."""
_FROM_WALLS, _FROM_SOURCES = 0.5, 0.7
"""Metres."""
_EARS = (1.3, 1.7)
"""Metres above the floor."""
_TRIES = 1000


def walks(
    size: tuple[float, float, float], sources: Array, poses: int, random: np.random.Generator
) -> tuple[Poses, npt.NDArray[np.int64]]:
    """So many poses on walks of a few each, and which walk each pose is on.

    A walk begins anywhere; it bends, turns back before walls and sources, and the head looks anywhere at first and then
    about.
    """
    length = min(POSES_A_WALK, max(2, poses // 5))
    positions: list[Array] = []
    yaws: list[float] = []
    numbers: list[int] = []
    while len(positions) < poses:
        place, height = _somewhere(size, sources, random), random.uniform(*_EARS)
        heading, yaw = random.uniform(-np.pi, np.pi, 2)
        for _ in range(min(length, poses - len(positions))):
            positions.append(np.array([*place, height]))
            yaws.append(yaw)
            numbers.append(len(numbers) // length)
            heading, place = _onwards(size, sources, place, heading + random.normal(0, _TURN), random)
            yaw += random.normal(0, _TURN)
    return Poses(np.array(positions), axes_of(np.array(yaws))), np.array(numbers)


def around(size: tuple[float, float, float], sources: Array, viewpoints: int, random: np.random.Generator) -> Poses:
    """Fixed viewpoints in a ring near the walls, all looking at the sources."""
    middle = sources.mean(axis=0)
    angles = (np.arange(viewpoints) + random.uniform(-0.2, 0.2, viewpoints)) * 2 * np.pi / viewpoints
    half = np.array(size[:2]) / 2 - _FROM_WALLS
    flat = np.array(size[:2]) / 2 + half * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    flat = np.where(
        (np.linalg.norm(flat - middle[:2], axis=1) < _FROM_SOURCES)[:, None], np.array(size[:2]) - flat, flat
    )
    positions = np.column_stack([flat, random.uniform(*_EARS, viewpoints)])
    away = middle - positions
    return Poses(positions, axes_of(np.arctan2(away[:, 1], away[:, 0]) + random.normal(0, 0.1, viewpoints)))


def _free(size: tuple[float, float, float], sources: Array, place: Array) -> bool:
    inside = bool((place >= _FROM_WALLS).all() and (place <= np.array(size[:2]) - _FROM_WALLS).all())
    return inside and bool((np.linalg.norm(sources[:, :2] - place, axis=1) > _FROM_SOURCES).all())


def _somewhere(size: tuple[float, float, float], sources: Array, random: np.random.Generator) -> Array:
    while True:
        place = random.uniform(0, size[:2])
        if _free(size, sources, place):
            return place


def _onwards(
    size: tuple[float, float, float], sources: Array, place: Array, heading: float, random: np.random.Generator
) -> tuple[float, Array]:
    """A step on, in the next free direction."""
    for number in range(_TRIES):
        there: Array = place + _STEP * np.array([np.cos(heading), np.sin(heading)])
        if _free(size, sources, there):
            return heading, there
        heading += random.normal(0, _TURN * (1 + number))
    return heading, place
