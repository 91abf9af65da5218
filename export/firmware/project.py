"""Firmware projects: the decoder's examples, its sources and clips, laid out so that a build system takes them as they
are."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from audio_gs.codec.decoder_source import SourceMissing, find_decoder_source

from ..c.arrays import HEADER_NAME, SOURCE_NAME, clip_sources

PLAYER = ("player.c", "player.h")
"""The player of several clips at once, in examples/player/; it goes to the folder of the clips."""
VOICES_NAME = "player_voices.h"
"""What says of how many."""


@dataclasses.dataclass(frozen=True)
class Target:
    """How a project for a kind of board is laid out. Folders and files are relative to the project, with slashes."""

    examples: Mapping[str, str]
    """Where each file of the decoder's examples/ goes."""
    clips: str
    """Folder of the clips' C sources."""
    decoder: str
    """Folder of the decoder."""
    manifests: tuple[str, ...]
    """Files of the decoder that make it a library for the build system."""
    build: str
    """The command that builds the project, given inside it."""
    player: Mapping[str, str]
    """Files of examples/player/ that make it play several clips at once, and those that they take the place of."""
    texts: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Files of no example."""


def _moved(source: str, target: str, *names: str) -> dict[str, str]:
    """The same names in another folder; both folders end in a slash or are empty."""
    return {source + name: target + name for name in names}


TARGETS = {
    "baremetal": Target(
        examples=_moved(
            "baremetal/",
            "",
            *("Makefile", "main.c", "startup.c", "runtime.c", "image.ld", "audio_out.h", "audio_board.h"),
            *("audio_semihosting.c", "audio_systick.c"),
        ),
        clips="",
        decoder="audio_gs/",
        manifests=(),
        build="make",
        player={"baremetal.c": "main.c"},
    ),
    "arduino": Target(
        examples=_moved("", "", "PlayClip/PlayClip.ino", "PlayClip/audio_out.h"),
        clips="PlayClip/",
        # Arduino compiles what lies below src/ of a sketch, but looks for headers in the sketch's own folder.
        decoder="PlayClip/src/audio_gs/",
        manifests=(),
        build="arduino-cli compile --fqbn VENDOR:ARCHITECTURE:BOARD PlayClip",
        player={"arduino.cpp": "PlayClip/PlayClip.ino"},
        texts={"PlayClip/audio_gs.h": '#include "src/audio_gs/include/audio_gs.h"\n'},
    ),
    "platformio": Target(
        examples={
            "platformio/platformio.ini": "platformio.ini",
            "PlayClip/PlayClip.ino": "src/main.cpp",
            "PlayClip/audio_out.h": "src/audio_out.h",
        },
        clips="src/",
        decoder="lib/audio_gs/",
        manifests=("library.json",),
        build="pio run",
        player={"arduino.cpp": "src/main.cpp"},
    ),
    "esp-idf": Target(
        examples=_moved("esp-idf/", "", "CMakeLists.txt", "main/CMakeLists.txt", "main/main.c", "main/audio_out.h"),
        clips="main/",
        decoder="components/audio_gs/",
        manifests=("CMakeLists.txt", "cmake/sources.cmake", "cmake/sources.txt", "idf_component.yml"),
        build="idf.py set-target esp32 build",
        player={"esp_idf.c": "main/main.c"},
    ),
    "zephyr": Target(
        examples=_moved(
            "zephyr/",
            "",
            *("CMakeLists.txt", "prj.conf", "src/main.c", "src/audio_out.h", "boards/nrf52840dk_nrf52840.overlay"),
        ),
        clips="src/",
        decoder="audio_gs/",
        manifests=(
            *("cmake/sources.cmake", "cmake/sources.txt"),
            *("zephyr/CMakeLists.txt", "zephyr/Kconfig", "zephyr/module.yml"),
        ),
        build="west build -b nrf52840dk/nrf52840",
        player={"zephyr.c": "src/main.c", "zephyr.conf": "prj.conf"},
    ),
}


def project_names(target: Target, voices: int) -> list[str]:
    """The names of a project's files, relative to its folder, sorted. `voices` are the clips at once.

    Raises SourceMissing if the decoder's sources or examples were not installed.
    """
    clips = (target.clips + HEADER_NAME, target.clips + SOURCE_NAME)
    return sorted([*clips, *_texts(target, voices), *_copies(target, voices)])


def project_files(target: Target, clips: Sequence[tuple[str, bytes]], voices: int) -> dict[str, bytes]:
    """The contents of a project's files by their names.

    `clips` are as `clip_sources` takes them, of one sample rate if there are several `voices`. Raises SourceMissing as
    `project_names` does.
    """
    files = {name: path.read_bytes() for name, path in _copies(target, voices).items()}
    files |= {name: text.encode("ascii") for name, text in _texts(target, voices).items()}
    files |= {target.clips + name: content for name, content in clip_sources(clips).items()}
    return dict(sorted(files.items()))


def _texts(target: Target, voices: int) -> dict[str, str]:
    """The files that are no copies and no clips, by their names in the project."""
    if voices == 1:
        return dict(target.texts)
    text = f"/* Clips at once, 1 to 64; each takes the memory of a decoder. */\n#define PLAYER_VOICES {voices}\n"
    return {**target.texts, target.clips + VOICES_NAME: text}


def _copies(target: Target, voices: int) -> dict[str, Path]:
    """The files that are copied, by their names in the project."""
    source = find_decoder_source()
    library = [source / "LICENSE", *(source / name for name in target.manifests)]
    library += sorted((source / "include").glob("*.h")) + sorted((source / "src").glob("*.[ch]"))
    copies = {target.decoder + path.relative_to(source).as_posix(): path for path in library}
    copies |= {name: source / "examples" / example for example, name in target.examples.items()}
    if voices > 1:
        player = {target.clips + name: name for name in PLAYER} | {name: part for part, name in target.player.items()}
        copies |= {name: source / "examples" / "player" / part for name, part in player.items()}
    for path in copies.values():
        if not path.is_file():
            raise SourceMissing(f"{path.name} was not installed with the package")
    return copies
