"""Clips encoded at rates, each once: what was made is kept under a hash of all that it depends on."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from audio_gs import api, inspect
from audio_gs.audio_io import Clip
from audio_gs.code_hash import code_hash
from audio_gs.codec.memory import decoder_memory
from audio_gs.parallel import Workers

FORMAT = 1
_USED = 0.97
"""Share of the bytes asked for from which on a stream has used them."""
_STREAM, _FACTS = ".stream", ".json"


@dataclasses.dataclass(frozen=True)
class Encoding:
    """A clip's stream at a rate."""

    key: str
    """Of its stream in the cache."""
    asked_kbit_s: float
    bytes: int
    quality: float
    preset: str
    macs_peak: float
    macs_mean: float
    decoder_bytes: int
    """On a 32-bit core."""
    max_tones: int
    sample_rate: int
    duration: float

    @property
    def is_full(self) -> bool:
        """Whether the ceilings, or the clip itself, have no use for more bytes."""
        return self.bytes < _USED * 125 * self.asked_kbit_s * self.duration - 2


@dataclasses.dataclass(frozen=True)
class Job:
    """A clip and what is asked of the encoder."""

    clip: Clip
    content: str
    """Hash of the clip."""
    options: dict[str, Any]
    """By name, with bitrate and all that is not the encoder's default."""

    def key(self) -> str:
        parts = {"format": FORMAT, "code": code_hash(), "clip": self.content, "options": self.options}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:40]


class Cache:
    """A folder of streams and facts. Several processes may share it: files appear whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, key: str) -> Encoding | None:
        """None for what must be made."""
        try:
            facts = json.loads(self._path(key, _FACTS).read_text(encoding="utf-8"))
            encoding = Encoding(**facts)
            return encoding if self._path(key, _STREAM).stat().st_size == encoding.bytes else None
        except (OSError, ValueError, TypeError):
            return None

    def stream(self, key: str) -> bytes:
        return self._path(key, _STREAM).read_bytes()

    def save(self, encoding: Encoding, data: bytes) -> None:
        self._write(self._path(encoding.key, _STREAM), data)
        self._write(self._path(encoding.key, _FACTS), json.dumps(dataclasses.asdict(encoding)).encode())

    def _path(self, key: str, suffix: str) -> Path:
        return self._folder / key[:2] / (key + suffix)

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            Path(temporary).replace(path)
        finally:
            Path(temporary).unlink(missing_ok=True)


def default_cache() -> Path:
    """Where encodings are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "audio-gs" / "bank"


def encode_all(
    jobs: Sequence[Job], cache: Cache, workers: Workers, progress: Callable[[float, str], None]
) -> tuple[list[Encoding], set[str]]:
    """The encodings of all jobs in their order, and the hashes of the clips that had to be encoded.

    Raises OptionsError for what cannot be asked.
    """
    keys = [job.key() for job in jobs]
    known = {key: cache.load(key) for key in keys}
    missing = {key: job for key, job in zip(keys, jobs, strict=True) if known[key] is None}
    made = workers.in_order(functools.partial(_encode, cache), list(missing.items()))
    for done, (key, new) in enumerate(zip(missing, made, strict=True), 1):
        known[key] = new
        progress(done / len(missing), f"{done} of {len(missing)} encodings")
    encodings = [encoding for key in keys if (encoding := known[key]) is not None]
    return encodings, {job.content for job in missing.values()}


def _encode(cache: Cache, numbered: tuple[str, Job]) -> Encoding:
    key, job = numbered
    options = api.encoder_options(job.options)
    result = api.encode_clip(job.clip, options)
    facts = inspect.info(result.data, None)
    encoding = Encoding(
        key=key,
        asked_kbit_s=float(job.options["bitrate"]),
        bytes=len(result.data),
        quality=result.quality,
        preset=result.preset,
        macs_peak=facts.macs_per_sample["peak"],
        macs_mean=facts.macs_per_sample["mean"],
        decoder_bytes=decoder_memory(result.header),
        max_tones=result.header.max_tones,
        sample_rate=result.header.sample_rate,
        duration=result.header.duration,
    )
    cache.save(encoding, result.data)
    return encoding
