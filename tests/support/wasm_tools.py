"""The WebAssembly folder for tests, made once a session, and node to run it with."""

from __future__ import annotations

import functools
import importlib.util
import shutil
import tempfile
from pathlib import Path

import pytest

NODE = shutil.which("node")
DEMOS = ("speech-8.bin", "music-12.bin")
VECTORS = Path(__file__).resolve().parents[1] / "vectors"


@functools.cache
def wasm_folder() -> Path:
    """What gs-export wasm writes, with two demo clips. Skips the test where ziglang is not installed."""
    if not importlib.util.find_spec("ziglang"):
        pytest.skip("needs the package ziglang")
    from audio_gs.export.wasm.files import build_modules, folder_files

    folder = Path(tempfile.mkdtemp(prefix="audio-gs-wasm-"))
    files = folder_files(build_modules(), [(name, (VECTORS / name).read_bytes()) for name in DEMOS])
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder
