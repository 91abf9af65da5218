"""Compiles the C decoder to WebAssembly."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

from audio_gs.codec.decoder_source import find_decoder_source
from audio_gs.errors import AudioGsError

_FLAGS = (
    "-target",
    "wasm32-freestanding",
    "-std=c99",
    "-Os",
    "-flto",
    "-ffreestanding",
    "-nostdlib",
    "-DGS_FULL_COSINE",  # which gs_made_cosine.c makes
    "-Wl,--no-entry",
    "-Wl,--gc-sections",
    "-Wl,--strip-all",
    "-Wl,-z,stack-size=16384",
)
_COMPILED_IN_WASM = ("gs_decoder.c", "gs_playback.c", "gs_tone.c")
_COMPILED_IN_WRITER = ("gs_decoder.c", "gs_range_coder.c", "gs_residual.c")


class BuildError(AudioGsError):
    """The module cannot be made here; the text says what is missing."""


def build_module(source: Path | None = None) -> bytes:
    """The module of a decoder's sources, of the package's own where none are named; the same bytes each time.

    Raises BuildError without the package ziglang, and with the compiler's first complaint.
    """
    source = source or find_decoder_source()
    return _build(source, sorted((source / "wasm").glob("*.c")), _COMPILED_IN_WASM)


def build_writer(source: Path | None = None) -> bytes:
    """Like `build_module`, the module that reads streams to Gaussians and writes them."""
    source = source or find_decoder_source()
    return _build(source, [source / "wasm" / "writer" / "gs_writer.c"], _COMPILED_IN_WRITER, "-DGS_NO_PLAYBACK")


def _build(source: Path, own: list[Path], included: tuple[str, ...], *flags: str) -> bytes:
    """A module of its own files and those of the decoder that these do not include."""
    if importlib.util.find_spec("ziglang") is None:
        raise BuildError("ziglang is not installed; install the extra 'wasm': pip install 'audio-gs[wasm]'")
    files = [
        *own,
        *(path for path in sorted((source / "src").glob("*.c")) if path.name not in included),
        source / "examples" / "baremetal" / "runtime.c",
    ]
    with tempfile.TemporaryDirectory() as folder:
        module = Path(folder, "module.wasm")
        command = (sys.executable, "-m", "ziglang", "cc", *_FLAGS, *flags, "-I", str(source / "include"))
        ended = subprocess.run((*command, *map(str, files), "-o", str(module)), capture_output=True, text=True)
        if ended.returncode:
            lines = [line for line in ended.stderr.splitlines() if "error" in line]
            reason = (lines or ended.stderr.strip().splitlines() or ["no reason given"])[0]
            raise BuildError(f"zig cc failed: {reason.strip()}")
        return module.read_bytes()
