"""RWAVS: one long recording near the source and one binaural one, and a pose for each second.

A folder `position.json` lies in holds a folder for each scene. The camera of a frame looks along its own -z, x is to
its right; frame `frames/00042.png` is the second around 42 s.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from audio_gs.errors import SceneError, SceneFileError

from ..scene import Array, Floats, Poses, Room, Scene
from .files import CLIP_SECONDS, TRUTH, read_audio, read_binaural, read_json, read_truth, truth_bytes, wav_bytes
from .options import Options

HEARD, NEAR = "binaural_syn_re.wav", "source_syn_re.wav"
TRAINING, VALIDATION = "transforms_scale_train.json", "transforms_scale_val.json"
POSITION = "position.json"
RATE = 22050


def scenes_in(folder: Path) -> list[Path]:
    """The scenes of this layout that a folder is or holds."""
    if (folder / TRAINING).is_file():
        return [folder]
    return sorted(path.parent for path in folder.glob(f"*/{TRAINING}"))


def load(folder: Path, options: Options) -> Scene:
    """The scene in a folder; its val split is unseen."""
    near, rate = read_audio(folder / NEAR)
    heard, heard_rate = read_binaural(folder / HEARD)
    if rate != heard_rate:
        raise SceneError(f"{NEAR} has {rate} Hz and {HEARD} {heard_rate}; resample one of them")
    matrices, times, unseen = [], [], []
    for file, is_unseen in ((TRAINING, False), (VALIDATION, True)):
        for matrix, time in _frames(folder / file):
            matrices.append(matrix)
            times.append(time)
            unseen.append(is_unseen)
    samples = round(CLIP_SECONDS * rate)
    kept, clips = [], []
    for number, time in enumerate(times):
        start = round((time - CLIP_SECONDS / 2) * rate)
        end = min(start + samples, near.shape[-1], heard.shape[-1])
        if end <= start:
            raise SceneError(
                f"{folder.name} has a pose at {time} s and recordings of {heard.shape[-1] / rate:.1f} s; "
                "leave the pose out, or record longer"
            )
        if end - max(start, 0) >= samples // 2:
            kept.append(number)
            clips.append((max(start, 0), end))
    if not kept:
        raise SceneError(f"{folder.name} has no pose; list some in {TRAINING}")
    poses = np.array(matrices)[kept]
    rotations = poses[:, :3, :3]
    axes = np.stack([-rotations[..., 2], -rotations[..., 0], rotations[..., 1]], axis=1)
    truth = read_truth(folder, np.array(times)[kept])
    sources = np.array([options.source]) if options.source else _sources(folder) * options.metres_a_unit
    if len(sources) == 1:
        near = near.mean(axis=0, keepdims=True)
    elif len(sources) != len(near):
        raise SceneError(f"{NEAR} has {len(near)} channels and {POSITION} {len(sources)} sources; make them as many")
    return Scene(
        name=folder.name,
        sample_rate=rate,
        sources=sources,
        poses=Poses(poses[:, :3, 3] * options.metres_a_unit, axes),
        near=_cut(near, clips, samples),
        heard=_cut(heard, clips, samples),
        unseen=np.array(unseen)[kept],
        responses=truth[0] if truth else None,
        room=truth[1] if truth else None,
    )


def files(scene: Scene, room: Room) -> Mapping[str, bytes]:
    """The files of a simulated scene by their names, under the folder that holds scenes."""
    assert scene.responses is not None
    gains = [0.99 / float(np.abs(signal).max()) for signal in (scene.near, scene.heard)]
    half = scene.samples // 2
    times = np.arange(1, len(scene.heard) + 1)
    frames: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
    for number, time in enumerate(times):
        matrix = np.eye(4)
        front, left, up = scene.poses.axes[number]
        matrix[:3, 0], matrix[:3, 1], matrix[:3, 2] = -left, up, -front
        matrix[:3, 3] = scene.poses.positions[number]
        entry = {"file_path": f"frames/{time:05d}.png", "camera_to_world": matrix.ravel().tolist()}
        frames[bool(scene.unseen[number])].append(entry)
    recordings = []
    for signal, gain in zip((scene.near, scene.heard), gains, strict=True):
        joined = np.concatenate(list(signal * gain), axis=-1)
        recordings.append(wav_bytes(np.pad(joined, ((0, 0), (half, scene.samples))), scene.sample_rate))
    responses, scale = scene.responses, np.float32(gains[1] / gains[0])
    sources = scene.sources.tolist()
    position: dict[str, Any] = {"source_position": sources[0]}
    if len(sources) > 1:
        position["source_positions"] = sources
    return {
        POSITION: json.dumps({scene.name: position}).encode(),
        f"{scene.name}/{NEAR}": recordings[0],
        f"{scene.name}/{HEARD}": recordings[1],
        f"{scene.name}/{TRAINING}": json.dumps({"camera_path": frames[False]}).encode(),
        f"{scene.name}/{VALIDATION}": json.dumps({"camera_path": frames[True]}).encode(),
        f"{scene.name}/{TRUTH}": truth_bytes(
            responses.truth * scale, responses.oracle * scale, times, responses.of_recording, room
        ),
    }


def _frames(path: Path) -> list[tuple[Array, int]]:
    """Each frame's camera as a 4x4 matrix, and the second it stands for."""
    found = []
    try:
        for entry in read_json(path)["camera_path"]:
            matrix = np.array(entry["camera_to_world"], float).reshape(4, 4)
            found.append((matrix, int(Path(str(entry["file_path"])).stem)))
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, SceneError):
            raise
        raise SceneFileError(
            f"{path} is damaged: camera_path needs entries with file_path and camera_to_world"
        ) from None
    return found


def _sources(folder: Path) -> Array:
    """Where the sources are, shape (sources, 3)."""
    path = folder / POSITION if (folder / POSITION).is_file() else folder.resolve().parent / POSITION
    try:
        stated = read_json(path)[folder.resolve().name]
        return np.array(stated.get("source_positions", [stated["source_position"]]), float).reshape(-1, 3)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, SceneError):
            raise
        raise SceneFileError(f"{path} is damaged: it needs source_position of scene {folder.name}") from None


def _cut(signal: Floats, clips: list[tuple[int, int]], samples: int) -> Floats:
    """Clips of a signal, shape (clips, channels, samples); what lies beyond its ends is silent."""
    cut: npt.NDArray[np.float32] = np.zeros((len(clips), len(signal), samples), np.float32)
    for row, (start, end) in zip(cut, clips, strict=True):
        row[:, : end - start] = signal[:, start:end]
    return cut
