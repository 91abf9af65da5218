"""The clips of a folder and their classes, from its MANIFEST.csv or from the names of its sub-folders."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

from audio_gs.errors import AudioInputError

SPEECH = "speech"
CLASSES = (SPEECH, "music", "sfx", "stereo", "other")
OTHER = CLASSES[-1]
WIDE_SPEECH, NARROW_SPEECH = "speech-wb", "speech-8k"
GROUPS = (WIDE_SPEECH, NARROW_SPEECH, *CLASSES[1:])
"""What is judged together: the classes, but speech in two parts, by its sample rate."""
MANIFEST = "MANIFEST.csv"
SUFFIXES = frozenset((".aif", ".aiff", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".wav"))
_PRESETS = {SPEECH: "speech", "music": "music", "sfx": "sfx"}


@dataclasses.dataclass(frozen=True)
class ClipFile:
    """A clip that has not been read yet."""

    name: str
    """Path inside the folder, with slashes."""
    clip_class: str
    path: Path


def preset_of(clip_class: str) -> str:
    """The preset that is made for clips of a class."""
    return _PRESETS.get(clip_class, "auto")


def find_clips(folder: Path) -> list[ClipFile]:
    """All clips below a folder by class and name, with those that its manifest lists and nobody can find.

    The manifest's columns 'file' and 'class' go before the names of sub-folders and files; a class that is not one of
    CLASSES is 'other'. Raises AudioInputError for a manifest without these columns.
    """
    listed = _read_manifest(folder / MANIFEST)
    names = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file()
    }
    clips = [
        ClipFile(name, listed.get(name) or _class_by_name(folder / name, folder), folder / name)
        for name in names.union(listed)
    ]
    return sorted(clips, key=lambda clip: (CLASSES.index(clip.clip_class), clip.name))


def at_most_each(clips: list[ClipFile], limit: int) -> list[ClipFile]:
    """The first clips of each class."""
    taken = dict.fromkeys(CLASSES, 0)
    kept = []
    for clip in clips:
        taken[clip.clip_class] += 1
        if taken[clip.clip_class] <= limit:
            kept.append(clip)
    return kept


def _class_by_name(path: Path, folder: Path) -> str:
    parts = (folder.resolve().name, *path.relative_to(folder).with_suffix("").parts)
    return next((part.lower() for part in reversed(parts) if part.lower() in CLASSES), OTHER)


def _read_manifest(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        classes = {row["file"]: row["class"].strip().lower() for row in rows}
    except (KeyError, AttributeError, UnicodeDecodeError, csv.Error):
        raise AudioInputError(f"{path} is not CSV with columns 'file' and 'class'; mend or remove it") from None
    return {name: known if known in CLASSES else OTHER for name, known in classes.items()}
