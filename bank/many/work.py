"""One clip of many: read, encoded unless that has been done, written, and its row of the table of results."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import posixpath
import time
from typing import Any

from audio_gs import api, audio_io, inspect
from audio_gs.code_hash import code_hash
from audio_gs.codec.memory import decoder_memory
from audio_gs.errors import AudioGsError

from .places import Place

FORMAT = 1
RECEIPTS = ".gs-bank"
"""Folder beside the streams: what was made of what, a small file for each, so that no clip is encoded twice."""
SUFFIX = ".gs"


@dataclasses.dataclass(frozen=True)
class Task:
    """A clip to encode."""

    source: Place
    name: str
    """Of the clip in its folder."""
    target: Place
    options: dict[str, Any]
    """Of the encoder, by name."""
    force: bool
    """Whether a stream that nobody knows is replaced."""

    @property
    def output(self) -> str:
        """Name of the stream in the target."""
        return posixpath.splitext(self.name)[0] + SUFFIX


@dataclasses.dataclass(frozen=True)
class Row:
    """What became of a clip; a line of the table of results."""

    source: str
    output: str | None = None
    """None where there is no stream."""
    error: str | None = None
    kept: bool = False
    """Whether an earlier run has made it."""
    key: str | None = None
    """Hash of the clip's file, of the options and of the encoder's code."""
    source_bytes: int | None = None
    bytes: int | None = None
    seconds: float | None = None
    sample_rate: int | None = None
    channels: int | None = None
    kbit_s: float | None = None
    quality: float | None = None
    snr_db: float | None = None
    preset: str | None = None
    gaussians: int | None = None
    macs_mean: float | None = None
    macs_peak: float | None = None
    decoder_bytes: int | None = None
    cpu_seconds: float | None = None
    """Of the encoding."""


def encode_one(task: Task) -> Row:
    """Encode a clip, or find that it has been. What is wrong with the clip becomes the row's error; raises OSError for
    what may go well another time."""
    try:
        content = task.source.read(task.name)
        key = _key(task, content)
        before = _receipt(task)
        if before is not None and before.key == key and task.target.size(task.output) == before.bytes:
            return dataclasses.replace(before, kept=True)
        if before is None and not task.force and task.target.size(task.output) is not None:
            raise AudioGsError(f"{task.output} exists, and not from here; -f overwrites it")
        data, row = _encoded(task, content, key)
    except AudioGsError as error:
        return Row(task.name, error=str(error))
    task.target.write(task.output, data)
    task.target.write(_receipt_name(task), json.dumps(dataclasses.asdict(row)).encode())
    return row


def _encoded(task: Task, content: bytes, key: str) -> tuple[bytes, Row]:
    began = time.process_time()
    options = api.encoder_options(task.options)
    clip = audio_io.load_bytes(content, mono=options.mono)
    if options.loop is None:
        options = dataclasses.replace(options, loop=clip.loop)
    result = api.encode_clip(clip, options)
    spent = time.process_time() - began
    facts = inspect.info(result.data, None)
    header = result.header
    return result.data, Row(
        source=task.name,
        output=task.output,
        key=key,
        source_bytes=len(content),
        bytes=len(result.data),
        seconds=header.duration,
        sample_rate=header.sample_rate,
        channels=header.channels,
        kbit_s=8 * len(result.data) / 1000 / header.duration,
        quality=result.quality,
        snr_db=result.snr_db,
        preset=result.preset,
        gaussians=result.gaussians.total,
        macs_mean=facts.macs_per_sample["mean"],
        macs_peak=facts.macs_per_sample["peak"],
        decoder_bytes=decoder_memory(header),
        cpu_seconds=spent,
    )


def _key(task: Task, content: bytes) -> str:
    parts = {
        "format": FORMAT,
        "code": code_hash(),
        "clip": hashlib.sha256(content).hexdigest(),
        "options": task.options,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:40]


def _receipt_name(task: Task) -> str:
    of_name = hashlib.sha256(task.output.encode()).hexdigest()[:40]
    return posixpath.join(RECEIPTS, of_name[:2], of_name + ".json")


def _receipt(task: Task) -> Row | None:
    """What an earlier run has made of the clip's name; None where that is not known."""
    try:
        return Row(**json.loads(task.target.read(_receipt_name(task))))
    except (FileNotFoundError, ValueError, TypeError):
        return None
