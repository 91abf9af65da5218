"""The files of a bank: streams, C sources, a project, sounds to listen to, facts and the report."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from audio_gs import api
from audio_gs.audio_io import to_flac
from audio_gs.codec.tables import FULL_SCALE
from audio_gs.errors import OptionsError
from audio_gs.export.c.arrays import clip_sources
from audio_gs.export.clips import check_stream_to_its_end
from audio_gs.export.firmware.project import TARGETS, project_files
from audio_gs.export.names import identifiers
from audio_gs.files import check_files, write_files

from .facts import BankFacts
from .report.report import report
from .sounds import Sound

RECORD = "bank.json"
REPORT = "report.html"
FORMAT = 1


def names_in_c(sounds: Sequence[str]) -> dict[str, str]:
    """The clips' names in C, by their own; folders become a part of them. OptionsError where two are one."""
    flat = [name.replace("/", "_") for name in sounds]
    return {name: one.identifier for name, one in zip(sounds, identifiers(flat), strict=True)}


def check_output(folder: Path, force: bool) -> None:
    """Find reasons not to write a bank before it is made. Raises OutputError."""
    check_files(folder, (RECORD, REPORT), force)


def bank_files(
    facts: BankFacts,
    sounds: Sequence[Sound],
    streams: Mapping[str, bytes],
    made: Mapping[str, Any],
    target: str | None,
    voices: int,
    version: str,
) -> dict[str, bytes]:
    """The contents of all files by their names; `made` is for the record alone.

    Raises SourceMissing for a project without the decoder's sources, and OptionsError where clips that may sound at
    once have several rates.
    """
    called = names_in_c([sound.name for sound in sounds])
    clips = [(called[sound.name], streams[sound.name]) for sound in sounds]
    for _, data in clips:
        check_stream_to_its_end(data)
    files = {f"streams/{name}.gs": data for name, data in clips}
    files |= {f"c/{name}": content for name, content in clip_sources(clips).items()}
    if target is not None:
        if voices > 1 and len({clip.sample_rate for clip in facts.clips}) > 1:
            raise OptionsError(
                "clips that sound at once have one sample rate; leave out --voices, or mix: false in the rules"
            )
        files |= {f"project/{name}": content for name, content in project_files(TARGETS[target], clips, voices).items()}
    for sound in sounds:
        name = called[sound.name]
        original = np.clip(np.rint(sound.clip.samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
        files[f"audio/{name}.original.flac"] = to_flac(original, sound.clip.sample_rate)
        pcm, sample_rate = api.decode(streams[sound.name], max_duration=None)
        files[f"audio/{name}.flac"] = to_flac(pcm, sample_rate)
    files[REPORT] = report(facts, called, version)
    record = {"format": FORMAT, "version": version, "names": called, **facts.as_dict(), "made": made}
    record["files"] = sorted([*files, RECORD])
    files[RECORD] = (json.dumps(record, indent=1, allow_nan=False) + "\n").encode()
    return files


def write_bank(folder: Path, files: Mapping[str, bytes], force: bool) -> None:
    """Write a bank, all of it or nothing; what a former one had in the folder and this one has not is taken away."""
    former = _former_files(folder) if force else set()
    write_files(folder, files, force)
    for name in former - set(files):
        path = folder / name
        with contextlib.suppress(OSError):
            path.unlink()
        for parent in path.relative_to(folder).parents:
            if parent != Path():
                with contextlib.suppress(OSError):
                    (folder / parent).rmdir()


def _former_files(folder: Path) -> set[str]:
    """The names that the record of a former bank gives, as far as they lie in the folder."""
    try:
        names = json.loads((folder / RECORD).read_text(encoding="utf-8"))["files"]
        paths = {str(name): Path(str(name)) for name in names}
    except (OSError, ValueError, TypeError, KeyError):
        return set()
    return {name for name, path in paths.items() if not path.is_absolute() and ".." not in path.parts}
