"""A scene: recordings near the sources and binaural recordings at known poses, as every model and metric takes them."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from audio_gs.errors import SceneError

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
LEAD = 32
"""Samples of an impulse response before time 0, for what comes before the direct sound does in front."""
SPEED_OF_SOUND = 343.0
"""Metres a second."""
FEWEST_POSES = 4
"""To learn from, beside those held back for validation."""
_VALIDATION_SHARE = 8
"""One of so many stretches of poses to learn from is held back, to choose by."""
_STRETCH = 4
_SILENT = 1e-9


class Poses(NamedTuple):
    """Where heads are, and how they are turned."""

    positions: Array
    """Metres, shape (poses, 3), z up."""
    axes: Array
    """The head's front, left and up in the world, shape (poses, 3, 3)."""

    def at(self, index: npt.ArrayLike) -> Poses:
        chosen = np.asarray(index)
        return Poses(self.positions[chosen], self.axes[chosen])


class Responses(NamedTuple):
    """Binaural impulse responses, `LEAD` samples before time 0 included."""

    truth: Floats
    """Shape (responses, sources, 2, taps)."""
    oracle: Floats
    """The same early part with another late field: as near as one comes without knowing the field itself."""
    of_recording: npt.NDArray[np.int64]
    """Which response each recording has."""


class Room(NamedTuple):
    """A shoebox from the origin on."""

    size: tuple[float, float, float]
    """Metres."""
    t60: tuple[float, ...]
    """Seconds, by octave from 125 Hz on."""


@dataclasses.dataclass(frozen=True)
class Scene:
    """Recordings of one place, a short clip each; levels are such that the loudest ear to learn from has RMS 1."""

    name: str
    sample_rate: int
    sources: Array
    """Metres, shape (sources, 3)."""
    poses: Poses
    near: Floats
    """What was recorded near each source, shape (recordings, sources, samples)."""
    heard: Floats
    """Shape (recordings, 2, samples)."""
    unseen: npt.NDArray[np.bool_]
    """Recordings that nothing may be learnt or chosen from."""
    responses: Responses | None = None
    """Where they are known."""
    room: Room | None = None

    @property
    def samples(self) -> int:
        return self.heard.shape[-1]

    def distinct(self) -> npt.NDArray[np.int64]:
        """For each recording the number of its pose, counted from 0 in the order of their coming."""
        rows = np.round(np.concatenate([self.poses.positions, self.poses.axes.reshape(-1, 9)], axis=1), 5)
        _, first, inverse = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        order = np.empty(len(first), np.int64)
        order[np.argsort(first)] = np.arange(len(first))
        return order[inverse.ravel()]

    def training(self) -> npt.NDArray[np.int64]:
        """Recordings to fit to."""
        return np.flatnonzero(~self.unseen & ~self._held_back())

    def validation(self) -> npt.NDArray[np.int64]:
        """Recordings to choose by: neighbouring poses together, for those beside each other are too alike."""
        return np.flatnonzero(~self.unseen & self._held_back())

    def _held_back(self) -> npt.NDArray[np.bool_]:
        poses = self.distinct()
        seen = list(dict.fromkeys(poses[~self.unseen].tolist()))
        stretch = min(_STRETCH, max(1, len(seen) // _VALIDATION_SHARE))
        held = [
            pose for place, pose in enumerate(seen) if place // stretch % _VALIDATION_SHARE == _VALIDATION_SHARE - 1
        ]
        return np.isin(poses, held or seen[-1:])


def checked(scene: Scene) -> Scene:
    """The scene with its levels as `Scene` has them; SceneError where it is not fit to learn from."""
    for name, values in (("near", scene.near), ("heard", scene.heard)):
        bad = np.flatnonzero(~np.isfinite(values).reshape(len(values), -1).all(axis=1))
        if len(bad):
            raise SceneError(f"recording {bad[0]} of {scene.name} holds NaN or infinite samples ({name}); repair it")
    if not all(np.isfinite(part).all() for part in (*scene.poses, scene.sources)):
        raise SceneError(f"{scene.name} has a pose or a source that is NaN or infinite; repair its transforms")
    learnt = len(set(scene.distinct()[scene.training()].tolist()))
    if learnt < FEWEST_POSES:
        raise SceneError(f"{scene.name} has {learnt} poses to learn from and needs {FEWEST_POSES}; record at more")
    if not scene.unseen.any():
        raise SceneError(f"{scene.name} has no unseen pose to test on; hold some back")
    seen = scene.heard[~scene.unseen]
    loudest = float(np.sqrt((seen.astype(float) ** 2).mean(axis=-1)).max())
    if loudest < _SILENT or float(np.abs(scene.near[~scene.unseen]).max()) < _SILENT:
        raise SceneError(f"{scene.name} is silent; record it anew")
    source_rms = float(np.sqrt((scene.near[~scene.unseen].astype(float) ** 2).mean()))
    gain = source_rms / loudest
    responses = scene.responses
    if responses:
        responses = responses._replace(truth=responses.truth * gain, oracle=responses.oracle * gain)
    return dataclasses.replace(scene, near=scene.near / source_rms, heard=scene.heard / loudest, responses=responses)


def axes_of(yaw: npt.ArrayLike, pitch: npt.ArrayLike = 0.0) -> Array:
    """A head's front, left and up, shape (..., 3, 3): radians, yaw from x towards y, pitch upwards."""
    yaw, pitch = np.broadcast_arrays(np.asarray(yaw, float), np.asarray(pitch, float))
    zero = np.zeros_like(yaw)
    front = np.stack([np.cos(yaw) * np.cos(pitch), np.sin(yaw) * np.cos(pitch), np.sin(pitch)], axis=-1)
    left = np.stack([-np.sin(yaw), np.cos(yaw), zero], axis=-1)
    return np.stack([front, left, np.cross(front, left)], axis=-2)


def seen_from(poses: Poses, points: Array) -> tuple[Array, Array]:
    """Points, shape (points, 3), from each pose: unit vectors in the head's frame, (poses, points, 3), and metres."""
    away = points[None] - poses.positions[:, None]
    distance = np.linalg.norm(away, axis=-1)
    return np.einsum("pij,pnj->pni", poses.axes, away / np.maximum(distance, 1e-9)[..., None]), distance


def convolved(near: Floats, responses: Floats) -> Floats:
    """What responses of shape (..., sources, 2, taps) make of (..., sources, samples): shape (..., 2, samples)."""
    samples = near.shape[-1]
    size = 1 << (samples + responses.shape[-1] - 1).bit_length()
    spectra = np.fft.rfft(near, size)[..., None, :] * np.fft.rfft(responses, size)
    whole = np.fft.irfft(spectra.sum(axis=-3), size)
    return whole[..., LEAD : LEAD + samples].astype(np.float32)
