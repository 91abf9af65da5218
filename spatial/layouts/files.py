"""Reading the files of a scene, with what may be wrong in one line; and their bytes."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from audio_gs.errors import SceneError, SceneFileError

from ..scene import LEAD, Floats, Responses, Room

TRUTH = "truth.npz"
"""What a simulation knows: impulse responses and the room; neither set has it."""
CLIP_SECONDS = 1.0


def read_json(path: Path) -> Any:
    """Raises SceneError where the file is missing, SceneFileError where it is not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SceneError(f"{path} is missing; get the whole scene") from None
    except OSError as error:
        raise SceneError(f"cannot read {path}: {error.strerror or error}") from None
    except ValueError:
        raise SceneFileError(f"{path} is damaged: not JSON; get it anew") from None


def read_audio(path: Path) -> tuple[Floats, int]:
    """Samples of shape (channels, n) and their rate."""
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.SoundFileError:
        if not path.is_file():
            raise SceneError(f"{path} is missing; get the whole scene") from None
        raise SceneFileError(f"{path} is damaged or no audio; get it anew") from None
    return np.ascontiguousarray(samples.T), int(rate)


def read_binaural(path: Path) -> tuple[Floats, int]:
    """As `read_audio`; SceneError unless there are two channels."""
    samples, rate = read_audio(path)
    if len(samples) != 2:
        raise SceneError(f"{path} has {len(samples)} channels; give a binaural recording, left and right")
    return samples, rate


def wav_bytes(samples: npt.NDArray[np.floating], rate: int) -> bytes:
    """16-bit WAV of samples of shape (channels, n) within full scale."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples.T, rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def truth_bytes(
    truth: Floats, oracle: Floats, keys: npt.NDArray[np.int64], of_key: npt.NDArray[np.int64], room: Room
) -> bytes:
    """Responses, and which of them each key has; keys are what a layout names its recordings by."""
    buffer = io.BytesIO()
    np.savez(buffer, truth=truth, oracle=oracle, keys=keys, of_key=of_key, size=room.size, t60=room.t60, lead=LEAD)
    return buffer.getvalue()


def read_truth(folder: Path, keys: npt.NDArray[np.int64]) -> tuple[Responses, Room] | None:
    """The truth about recordings with these keys, None where there is none."""
    path = folder / TRUTH
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        row = {int(key): int(of) for key, of in zip(arrays["keys"], arrays["of_key"], strict=True)}
        of_recording = np.array([row[int(key)] for key in keys], np.int64)
        truth, oracle = arrays["truth"], arrays["oracle"]
        size, t60 = arrays["size"].astype(float), arrays["t60"].astype(float)
        if truth.ndim != 4 or truth.shape != oracle.shape or size.shape != (3,) or int(arrays["lead"]) != LEAD:
            raise ValueError(path)
        if not (np.isfinite(truth).all() and np.isfinite(oracle).all()) or of_recording.max() >= len(truth):
            raise ValueError(path)
    except (ValueError, KeyError, TypeError, EOFError, OSError, zipfile.BadZipFile):
        raise SceneFileError(f"{path} is damaged; simulate the scene anew, or leave the file out") from None
    return Responses(truth, oracle, of_recording), Room(tuple(size.tolist()), tuple(t60.tolist()))
