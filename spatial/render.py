"""What a model lets a listener hear, as a sound file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soxr
import torch

from audio_gs.errors import SceneError

from .layouts.files import read_audio, wav_bytes
from .models.base import heads_of
from .saved import SOURCE, read_model
from .scene import Floats, Poses, axes_of

_LEVEL = 0.1
"""Full scale of what has RMS 1 in training."""
_HIGHEST = 0.99


def render_wav(path: Path, poses: Sequence[Sequence[float]], source: Path | None) -> tuple[bytes, float]:
    """A WAV file of what is heard at poses (x, y, z in metres, yaw and perhaps pitch in degrees), one after the other
    over the source's length, faded into each other; and by how many dB all was lowered to fit.

    Raises SceneError where the model or the source are missing or do not fit, SceneFileError where they are damaged.
    """
    model, facts = read_model(path)
    folder = path if path.is_dir() else path.parent
    near = _near(source or folder / SOURCE, int(facts["rate"]), int(facts["sources"]))
    stated = np.array([[*pose, 0.0][:5] for pose in poses], float)
    where = Poses(stated[:, :3], axes_of(np.radians(stated[:, 3]), np.radians(stated[:, 4])))
    clips = torch.from_numpy(near)[None]
    weights = _fades(len(poses), near.shape[-1])
    heard = np.zeros((2, near.shape[-1]), np.float32)
    with torch.no_grad():
        for number, weight in enumerate(weights):
            heard += weight * model(clips, heads_of(where.at([number]), torch.device("cpu")))[0].numpy()
    peak = float(np.abs(heard).max()) * _LEVEL
    lowered = max(1.0, peak / _HIGHEST)
    return wav_bytes(heard * (_LEVEL / lowered), int(facts["rate"])), 20 * float(np.log10(lowered))


def _near(path: Path, rate: int, sources: int) -> Floats:
    """What the sources play, RMS 1, shape (sources, samples)."""
    samples, there = read_audio(path)
    if len(samples) not in (1, sources):
        raise SceneError(f"{path} has {len(samples)} channels and the scene {sources} sources; give one for each")
    if not np.isfinite(samples).all() or not samples.any():
        raise SceneError(f"{path} is silent, or holds NaN or infinite samples; repair it")
    near = soxr.resample(samples.T, there, rate).T if there != rate else samples
    near = np.repeat(near, sources // len(near), axis=0)
    return (near / np.sqrt((near.astype(float) ** 2).mean())).astype(np.float32)


def _fades(poses: int, samples: int) -> Floats:
    """How much of each pose is heard, shape (poses, samples): triangles that add up to 1."""
    if poses == 1:
        return np.ones((1, samples), np.float32)
    place = np.linspace(0, poses - 1, samples)
    return np.clip(1 - np.abs(place - np.arange(poses)[:, None]), 0, 1).astype(np.float32)
