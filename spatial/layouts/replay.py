"""Replay-NVAS: clips of a scene from eight fixed viewpoints, and one recorded near the speaker.

A scene's folder holds a folder for each clip, with `near.wav` and `1.wav` to `8.wav`; `camera_positions*.json`, beside
or above it, has the centres of cameras `DSLR-1` to `DSLR-8` in centimetres and the directions they look in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from audio_gs.errors import SceneError, SceneFileError

from ..scene import Array, Floats, Poses, Room, Scene
from .files import CLIP_SECONDS, TRUTH, read_audio, read_binaural, read_json, read_truth, truth_bytes, wav_bytes
from .options import Options

NEAR = "near.wav"
VIEWPOINTS = 8
RATE = 16000
CAMERAS = "camera_positions_fixed_rotation.json"
METADATA = "metadata.json"
_METRES_A_UNIT = 0.01
_LEAST_SECONDS = 0.5


def scenes_in(folder: Path) -> list[Path]:
    """The scenes of this layout that a folder is or holds."""
    if any(folder.glob(f"*/{NEAR}")):
        return [folder]
    return sorted({path.parent.parent for path in folder.glob(f"*/*/{NEAR}")})


def load(folder: Path, options: Options) -> Scene:
    """The scene in a folder, all its clips in pieces of a second."""
    cameras, path = _camera_file(folder, options)
    near: list[Floats] = []
    heard: list[Floats] = []
    viewpoints: list[int] = []
    rates: dict[int, Path] = {}
    for clip in sorted((file.parent for file in folder.glob(f"*/{NEAR}")), key=_clip_order):
        source, rate = read_audio(clip / NEAR)
        rates.setdefault(rate, clip / NEAR)
        for viewpoint in range(1, VIEWPOINTS + 1):
            file = clip / f"{viewpoint}.wav"
            if not file.is_file():
                continue
            ears, rate = read_binaural(file)
            rates.setdefault(rate, file)
            if len(rates) > 1:
                (first, one), (second, other) = list(rates.items())[:2]
                raise SceneError(f"{one} has {first} Hz and {other} {second}; resample one of them")
            for near_piece, heard_piece in _pieces(source[:1], ears, rate):
                near.append(near_piece)
                heard.append(heard_piece)
                viewpoints.append(viewpoint)
    if not heard:
        raise SceneError(f"{folder.name} has poses without recordings: no 1.wav to {VIEWPOINTS}.wav beside {NEAR}")
    every = _poses(cameras, folder.resolve().name, path)
    index = np.array(viewpoints) - 1
    truth = read_truth(folder, np.array(viewpoints))
    source_place = np.array([options.source], float) if options.source else _looked_at(every)[None]
    return Scene(
        name=folder.resolve().name,
        sample_rate=next(iter(rates)),
        sources=source_place,
        poses=every.at(index),
        near=np.stack(near),
        heard=np.stack(heard),
        unseen=np.isin(viewpoints, options.unseen),
        responses=truth[0] if truth else None,
        room=truth[1] if truth else None,
    )


def files(scene: Scene, room: Room) -> Mapping[str, bytes]:
    """The files of a simulated scene by their names, under the folder that holds scenes: recording after recording of
    each viewpoint in turn."""
    assert scene.responses is not None
    gains = [0.99 / float(np.abs(signal).max()) for signal in (scene.near, scene.heard)]
    cameras: dict[str, dict[str, Any]] = {"centers": {}, "rotations": {}}
    first = scene.poses.at(np.arange(VIEWPOINTS))
    names = [f"DSLR-{viewpoint}" for viewpoint in range(1, VIEWPOINTS + 1)]
    centres = (first.positions / _METRES_A_UNIT).tolist()
    cameras["centers"][scene.name] = dict(zip(names, centres, strict=True))
    cameras["rotations"][scene.name] = dict(zip(names, first.axes[:, 0].tolist(), strict=True))
    made = {}
    clips: dict[str, list[str]] = {}
    for number in range(len(scene.heard)):
        clip, viewpoint = f"{scene.name}/{number // VIEWPOINTS}", number % VIEWPOINTS + 1
        if viewpoint == 1:
            made[f"{clip}/{NEAR}"] = wav_bytes(scene.near[number] * gains[0], scene.sample_rate)
        made[f"{clip}/{viewpoint}.wav"] = wav_bytes(scene.heard[number] * gains[1], scene.sample_rate)
        clips.setdefault(clip, []).append(f"{viewpoint}.png")
    responses, scale = scene.responses, np.float32(gains[1] / gains[0])
    keys = np.arange(1, VIEWPOINTS + 1)
    truth = truth_bytes(responses.truth * scale, responses.oracle * scale, keys, responses.of_recording[:8], room)
    return {
        CAMERAS: json.dumps(cameras).encode(),
        METADATA: json.dumps(clips).encode(),
        f"{scene.name}/{TRUTH}": truth,
        **made,
    }


def _clip_order(folder: Path) -> tuple[int, str]:
    return (int(folder.name) if folder.name.isdigit() else 0, folder.name)


def _pieces(near: Floats, heard: Floats, rate: int) -> list[tuple[Floats, Floats]]:
    """Whole seconds of a clip, and what is left if it is half of one at least, silence after it."""
    samples = round(CLIP_SECONDS * rate)
    length = min(near.shape[-1], heard.shape[-1])
    found = []
    for start in range(0, length, samples):
        end = min(start + samples, length)
        if end - start >= _LEAST_SECONDS * rate:
            pad = ((0, 0), (0, samples - (end - start)))
            found.append((np.pad(near[:, start:end], pad), np.pad(heard[:, start:end], pad)))
    return found


def _camera_file(folder: Path, options: Options) -> tuple[Any, Path]:
    if options.cameras:
        return read_json(options.cameras), options.cameras
    for place in (folder, folder.resolve().parent, folder.resolve().parent.parent):
        for path in sorted(place.glob("camera_positions*.json")):
            return read_json(path), path
    raise SceneError(f"{folder} has recordings without poses: no camera_positions*.json; name one with --cameras")


def _poses(cameras: Any, scene: str, path: Path) -> Poses:
    """Where the eight cameras are, and the heads in their place: front where they look, upright."""
    try:
        names = [f"DSLR-{viewpoint}" for viewpoint in range(1, VIEWPOINTS + 1)]
        centres = np.array([cameras["centers"][scene][name] for name in names], float).reshape(VIEWPOINTS, 3)
        fronts = np.array([cameras["rotations"][scene][name] for name in names], float).reshape(VIEWPOINTS, 3)
    except (KeyError, TypeError, ValueError):
        raise SceneFileError(f"{path} is damaged, or lacks cameras of scene {scene}") from None
    fronts /= np.maximum(np.linalg.norm(fronts, axis=1, keepdims=True), 1e-9)
    lefts = np.cross([0.0, 0.0, 1.0], fronts)
    lefts /= np.maximum(np.linalg.norm(lefts, axis=1, keepdims=True), 1e-9)
    return Poses(centres * _METRES_A_UNIT, np.stack([fronts, lefts, np.cross(fronts, lefts)], axis=1))


def _looked_at(poses: Poses) -> Array:
    """The point nearest to all lines of sight, by least squares."""
    fronts = poses.axes[:, 0]
    across = np.eye(3) - fronts[:, :, None] * fronts[:, None]
    right = np.einsum("pij,pj->i", across, poses.positions)
    point: Array = np.linalg.lstsq(across.sum(axis=0), right, rcond=None)[0]
    return point
