"""The clips of demo/ and their streams, read and made once for all tests."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

import audio_gs

FOLDER = Path(__file__).parents[2] / "demo"
NAMES = ("speech", "music", "sfx")


@functools.cache
def demo(name: str) -> tuple[npt.NDArray[np.float64], int]:
    """Samples and sample rate."""
    return soundfile.read(FOLDER / f"{name}.flac")


@functools.cache
def demo_stream(name: str, **options: Any) -> bytes:
    """The clip with the preset of its name, by default without effort."""
    return audio_gs.encode(*demo(name), **{"effort": "fast", "preset": name, **options})
