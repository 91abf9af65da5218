"""What has been encoded, decoded and measured, kept in files under a hash of everything that it depends on."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import tempfile
from pathlib import Path

import soundfile

from audio_gs import audio_io
from audio_gs.audio_io import Clip, FloatArray

from .codecs.base import Detail
from .results import read_record

FORMAT = 2


@dataclasses.dataclass
class Entry:
    """A stream, what became of it, and the values of its metrics so far."""

    kbit_s: float
    payload_bytes: int
    file_bytes: int
    lag_ms: float
    details: dict[str, Detail]
    values: dict[str, float]
    """By the metric's identity."""
    marks: dict[str, str]
    """In the place of a value, by the metric's identity."""


class Cache:
    """A folder of entries. Several processes may share it: files appear whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, key: str) -> Entry | None:
        """An entry whose audio is still there; None if it must be made."""
        try:
            record = json.loads(self._record(key).read_text(encoding="utf-8"))
            if not (self._folder / self.audio_name(key)).is_file():
                return None
            return read_record(Entry, record)
        except (OSError, UnicodeDecodeError, ValueError, TypeError, KeyError):
            return None

    def save(self, key: str, entry: Entry) -> None:
        self._write(self._record(key), json.dumps(dataclasses.asdict(entry)).encode())

    def audio_name(self, key: str) -> str:
        """Path of the decoded audio inside the folder."""
        return f"audio/{key[:2]}/{key}.flac"

    def stream_name(self, key: str) -> str:
        """Path of a stream inside the folder."""
        return f"streams/{key[:2]}/{key}.bin"

    def save_audio(self, key: str, audio: FloatArray, sample_rate: int) -> None:
        """Keeps 24 bits: the steps of 16 are audible to a metric where a rival's resampled output is empty."""
        content = io.BytesIO()
        soundfile.write(content, audio, sample_rate, format="FLAC", subtype="PCM_24")
        self._write(self._folder / self.audio_name(key), content.getvalue())

    def save_stream(self, key: str, data: bytes) -> None:
        self._write(self._folder / self.stream_name(key), data)

    def load_audio(self, key: str) -> Clip:
        return audio_io.load(self._folder / self.audio_name(key))

    def _record(self, key: str) -> Path:
        return self._folder / "cells" / key[:2] / f"{key}.json"

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        Path(temporary).replace(path)


def key_of(clip_hash: str, codec: str, variant: str, version: str, kbit_s: float) -> str:
    """The name of an entry."""
    parts = (str(FORMAT), clip_hash, codec, variant, version, repr(float(kbit_s)))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:40]


def hash_of(clip: Clip) -> str:
    """Stands for the samples of a clip and their rate."""
    total = hashlib.sha256(str(clip.sample_rate).encode())
    total.update(clip.samples.tobytes())
    return total.hexdigest()
