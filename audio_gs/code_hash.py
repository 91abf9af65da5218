"""A hash that stands for the code that makes streams, so that what was made by other code is not taken for its own."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path

_PACKAGE = Path(__file__).parent
_NOT_THE_CODEC = frozenset(("bank", "bench", "cli", "export", "firmware_sim", "web"))
"""Rooms without a say in a stream; what is not named here has one, so that a new room can only make a cache stale."""
_CODE = frozenset((".json", ".py", ".pyd", ".so", ".yaml"))
"""Modules, compiled ones, tables, and presets."""


@functools.cache
def code_hash(package: Path = _PACKAGE) -> str:
    """Stands for everything in the package that has a say in a stream or in what becomes of it."""
    total = hashlib.sha256()
    for path in sorted(_code_files(package)):
        total.update(path.relative_to(package).as_posix().encode())
        total.update(path.read_bytes())
    return total.hexdigest()[:16]


def _code_files(folder: Path) -> Sequence[Path]:
    found: list[Path] = []
    for path in folder.iterdir():
        if path.is_dir():
            if path.name not in _NOT_THE_CODEC:
                found += _code_files(path)
        elif path.suffix in _CODE:
            found.append(path)
    return found
