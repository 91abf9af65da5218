"""Small simulated scenes, and gs-scene run on them within the process."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from audio_gs.files import write_files
from audio_gs.spatial.gs_scene import main
from audio_gs.spatial.simulate import Simulation, simulated_files


@functools.cache
def small_files(room: str = "dry", layout: str = "rwavs", poses: int = 20, sources: int = 1) -> Mapping[str, bytes]:
    """The files of a scene with a second at each pose."""
    wanted = Simulation(room, poses, seed=1, layout=layout, sources=sources, seconds=1)
    return simulated_files(wanted, lambda fraction, text: None)


def small_scene(folder: Path, **simulation: str | int) -> Path:
    """Write the scene into a folder, and give the folder."""
    folder.mkdir(exist_ok=True)
    write_files(folder, small_files(**simulation), force=True)
    return folder


def gs_scene(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of the command."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["gs-scene", *map(str, arguments)])
        with pytest.raises(SystemExit) as done:
            main()
    said = capsys.readouterr()
    return int(done.value.code or 0), said.out, said.err
