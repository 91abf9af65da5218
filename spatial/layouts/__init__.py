"""The folders that scenes come in: RWAVS's and Replay-NVAS's."""

from __future__ import annotations

from pathlib import Path

from audio_gs.errors import SceneError

from ..scene import Scene, checked
from . import replay, rwavs
from .options import Options

__all__ = ["LAYOUTS", "Options", "load_scene"]

LAYOUTS = {"rwavs": rwavs, "replay": replay}


def load_scene(folder: Path, options: Options | None = None) -> Scene:
    """The scene in a folder of either layout, checked.

    Raises SceneError where it is no scene or not one to learn from, SceneFileError where a file of it is damaged.
    """
    if not folder.is_dir():
        raise SceneError(f"{folder} is not a folder; give one that holds a scene")
    for layout in LAYOUTS.values():
        found = layout.scenes_in(folder)
        if len(found) > 1:
            names = ", ".join(path.name for path in found)
            raise SceneError(f"{folder} holds scenes {names}; name one, as {found[0]}")
        if found:
            return checked(layout.load(found[0], options or Options()))
    raise SceneError(
        f"{folder} holds no scene: neither {rwavs.TRAINING} (RWAVS) nor clips with {replay.NEAR} (Replay-NVAS)"
    )
