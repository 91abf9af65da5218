"""Codecs that exist as npm packages, run by Node.js in a process of its own."""

from __future__ import annotations

import functools
import json
import os
import shutil
from pathlib import Path

from .base import CodecError, CodecMissing
from .tool import find_tools, run_tool

_SCRIPTS = Path(__file__).parent


def find_package(name: str, version: str) -> Path:
    """The folder of a package: in node_modules of the working folder or one above it, in NODE_PATH, or where
    `npm install --global` puts it. Raises CodecMissing, with the version that is known to work.
    """
    find_tools("nodejs", "node")
    for folders in (_nearby_folders, _global_folders):
        for folder in folders():
            if (folder / name / "package.json").is_file():
                return folder / name
    raise CodecMissing(f"the npm package {name} not found; npm install --global {name}@{version}")


def package_version(name: str, version: str) -> str:
    """Name and version of an installed package. Raises CodecMissing."""
    path = find_package(name, version) / "package.json"
    try:
        return f"{name} {json.loads(path.read_text(encoding='utf-8'))['version']}"
    except (OSError, ValueError, KeyError, TypeError):
        raise CodecMissing(f"{path} cannot be read; npm install --global {name}@{version}") from None


def run_script(name: str, *words: str | Path) -> str:
    """Run one of the scripts beside this module. Raises CodecError."""
    return run_tool("node", _SCRIPTS / name, *words)


def _nearby_folders() -> list[Path]:
    here = Path.cwd()
    named = os.environ.get("NODE_PATH", "").split(os.pathsep)
    return [*(one / "node_modules" for one in (here, *here.parents)), *(Path(one) for one in named if one)]


@functools.cache
def _global_folders() -> tuple[Path, ...]:
    if shutil.which("npm") is None:
        return ()
    try:
        return (Path(run_tool("npm", "root", "--global").strip()),)
    except CodecError:
        return ()
