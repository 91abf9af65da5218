"""One cell: a clip through a codec at a rate, and what the metrics say about it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from audio_gs import audio_io
from audio_gs.audio_io import Clip

from . import align
from .cache import Cache, Entry, key_of
from .clips import ClipFile
from .codecs import Codec, OurOptions, make_codec
from .codecs.tool import channels_of, resample
from .metrics import METRICS, NotMeasurable
from .results import OURS, Cell


@dataclasses.dataclass(frozen=True)
class Task:
    """A cell that is wanted."""

    clip: ClipFile
    clip_hash: str
    codec: str
    variant: str
    kbit_s: float
    """Nominal."""
    version: str
    """Of the codec."""
    metrics: tuple[tuple[str, str], ...]
    """Keys and versions."""
    ours: OurOptions

    @property
    def key(self) -> str:
        return key_of(self.clip_hash, self.codec, self.variant, self.version, self.kbit_s)


def is_complete(task: Task, cache: Cache) -> bool:
    """Whether all of a cell is in the cache."""
    entry = cache.load(task.key)
    return entry is not None and not _missing(task, entry)


def measure(task: Task, folder: Path) -> Cell:
    """A cell, from the cache in `folder` as far as it is there. Whatever goes wrong is the cell's error."""
    cache = Cache(folder)
    try:
        entry = cache.load(task.key)
        if entry is None or _missing(task, entry):
            clip = audio_io.load(task.clip.path)
            entry = entry or _code(task, clip, cache)
            _judge(task, clip, entry, cache)
    except Exception as error:
        # A rival may fail in any way that there is; the other cells are not to suffer from it.
        return _lost(task, " ".join(str(error).split()) or type(error).__name__)
    return _cell(task, entry, cache)


def _code(task: Task, clip: Clip, cache: Cache) -> Entry:
    codec = make_codec(task.codec, task.variant, task.ours)
    data = codec.encode(clip.samples, clip.sample_rate, task.kbit_s)
    bits = codec.payload_bits(data)
    decoded, decoded_rate = codec.decode(data)
    decoded = _as_channels(resample(decoded, decoded_rate, clip.sample_rate), channels_of(clip.samples))
    lag = _align(codec, clip, decoded, task.key, cache)
    if task.codec == OURS:
        cache.save_stream(task.key, data)
    entry = Entry(
        kbit_s=bits * clip.sample_rate / len(clip.samples) / 1000,
        payload_bytes=-(-bits // 8),
        file_bytes=len(data),
        lag_ms=1000 * lag / clip.sample_rate,
        details=codec.details(data),
        values={},
        marks={},
    )
    cache.save(task.key, entry)
    return entry


def _as_channels(decoded: audio_io.FloatArray, channels: int) -> audio_io.FloatArray:
    """In as many channels as the original has: one is played on both sides, and of two the first counts."""
    if channels_of(decoded) == channels:
        return decoded
    return np.stack([decoded, decoded], axis=1) if channels == 2 else decoded[:, 0]


def _align(codec: Codec, clip: Clip, decoded: audio_io.FloatArray, key: str, cache: Cache) -> float:
    find = align.find_lag if codec.keeps_waveform else align.find_envelope_lag
    lag = find(clip.samples, decoded, clip.sample_rate)
    aligned = align.take_out(decoded, lag, len(clip.samples))
    cache.save_audio(key, aligned, clip.sample_rate)
    return lag


def _judge(task: Task, clip: Clip, entry: Entry, cache: Cache) -> None:
    decoded = cache.load_audio(task.key)
    for key, version in _missing(task, entry):
        try:
            entry.values[_identity(key, version)] = METRICS[key].value(clip.samples, decoded.samples, clip.sample_rate)
        except NotMeasurable as error:
            entry.marks[_identity(key, version)] = str(error)
    cache.save(task.key, entry)


def _missing(task: Task, entry: Entry) -> list[tuple[str, str]]:
    known = entry.values.keys() | entry.marks.keys()
    return [pair for pair in task.metrics if _identity(*pair) not in known]


def _identity(key: str, version: str) -> str:
    return f"{key} {version}"


def _cell(task: Task, entry: Entry, cache: Cache) -> Cell:
    identities = {key: _identity(key, version) for key, version in task.metrics}
    return Cell(
        clip=task.clip.name,
        codec=task.codec,
        variant=task.variant,
        nominal_kbit_s=task.kbit_s,
        kbit_s=entry.kbit_s,
        payload_bytes=entry.payload_bytes,
        file_bytes=entry.file_bytes,
        lag_ms=entry.lag_ms,
        metrics={key: entry.values.get(identity) for key, identity in identities.items()},
        marks={key: entry.marks[identity] for key, identity in identities.items() if identity in entry.marks},
        error=None,
        audio=cache.audio_name(task.key),
        stream=cache.stream_name(task.key) if task.codec == OURS else None,
        details=entry.details,
    )


def _lost(task: Task, reason: str) -> Cell:
    return Cell(
        clip=task.clip.name,
        codec=task.codec,
        variant=task.variant,
        nominal_kbit_s=task.kbit_s,
        kbit_s=0.0,
        payload_bytes=0,
        file_bytes=0,
        lag_ms=0.0,
        metrics={},
        marks={},
        error=reason,
        audio=None,
        stream=None,
        details={},
    )
