"""Compiles the C decoder to WebAssembly."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from audio_gs.codec.decoder_source import find_decoder_source
from audio_gs.compilers import run_compiler, zig
from audio_gs.errors import AudioGsError

_COMPILE = (
    "-target",
    "wasm32-freestanding",
    "-std=c99",
    "-Oz",
    "-flto",
    "-ffreestanding",
    "-DGS_FULL_COSINE",  # which gs_made_cosine.c makes
    "-DGS_NO_CALLBACK",
    "-c",
)
_LINK = (
    "--no-entry",
    "--gc-sections",
    "--strip-all",
    "--compress-relocations",
    "-O2",
    # The stack first, so that it cannot grow into what is behind it.
    "--stack-first",
    "-z",
    "stack-size=4096",
    # What else makes the modules smaller.
    "--mllvm=-disable-lsr",
    "--mllvm=-enable-merge-functions",
    "--mllvm=-inline-threshold=-1000",
    "--mllvm=-two-entry-phi-node-folding-threshold=8",
)
_RUNTIME = Path("examples", "baremetal", "runtime.c")


class BuildError(AudioGsError):
    """The module cannot be made here; the text says what is missing."""


def build_module(source: Path | None = None) -> bytes:
    """The module that plays streams in one channel as they were encoded, of a decoder's sources, of the package's own
    where none are named; the same bytes each time.

    Raises BuildError without the package ziglang, and with the compiler's first complaint.
    """
    own = ("gs_wasm.c", "gs_made_cosine.c")
    return _build(source, own, ("gs_tone.c",), ("-DGS_NO_PLAYBACK", "-DGS_NO_STEREO"))


def build_whole(source: Path | None = None) -> bytes:
    """Like `build_module`, the module that also plays two channels, plays otherwise than encoded, and lists."""
    own = ("gs_wasm.c", "gs_made_cosine.c", "all/gs_wasm_all.c", "all/gs_watched.c")
    return _build(source, own, ("gs_decoder.c", "gs_playback.c", "gs_tone.c"), ("-DGS_WASM_ALL",))


def build_writer(source: Path | None = None) -> bytes:
    """Like `build_module`, the module that reads streams to Gaussians and writes them."""
    included = ("gs_decoder.c", "gs_range_coder.c", "gs_residual.c")
    return _build(source, ("writer/gs_writer.c",), included, ("-DGS_NO_PLAYBACK",))


def _build(source: Path | None, own: Sequence[str], included: Sequence[str], flags: Sequence[str]) -> bytes:
    """A module of its own files and those of the decoder that these do not include."""
    if importlib.util.find_spec("ziglang") is None:
        raise BuildError("ziglang is not installed; install the extra 'wasm': pip install 'audio-gs[wasm]'")
    source = source or find_decoder_source()
    files = [
        *(source / "wasm" / name for name in own),
        *(path for path in sorted((source / "src").glob("*.c")) if path.name not in included),
        source / _RUNTIME,
    ]
    with tempfile.TemporaryDirectory() as folder:
        include = ("-I", str(source / "include"))

        def compile_one(path: Path) -> str:
            compiled = str(Path(folder, f"{path.stem}.o"))
            run_compiler((*zig("cc"), *_COMPILE, *flags, *include, str(path), "-o", compiled), BuildError)
            return compiled

        with ThreadPoolExecutor(2) as pool:
            compiled = list(pool.map(compile_one, files))
        module = Path(folder, "module.wasm")
        run_compiler((*zig("wasm-ld"), *_LINK, *compiled, "-o", str(module)), BuildError)
        return module.read_bytes()
