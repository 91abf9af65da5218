"""What the tests of the simulator share: the extra that they need, and the folder of builds."""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path

import pytest

needs_sim = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("capstone", "elftools", "unicorn", "ziglang")),
    reason="needs the extra 'sim'",
)


def build_cache() -> Path:
    """One folder of builds for the whole run of the suite."""
    return Path(_FOLDER.name)


_FOLDER = tempfile.TemporaryDirectory(prefix="audio-gs-sim-")
