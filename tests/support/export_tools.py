"""What the tests of gs-export share: the command inside this process, and compilers with every warning an error."""

from __future__ import annotations

import contextlib
import io
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import pytest

from audio_gs.export import gs_export

STRICT = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wvla", "-pedantic", "-Werror")
LANGUAGES = {"c99": ("cc", ".c"), "c++17": ("c++", ".cpp")}
"""Compiler and suffix by standard."""

needs_compilers = pytest.mark.skipif(
    any(shutil.which(compiler) is None for compiler, _ in LANGUAGES.values()), reason="needs cc and c++"
)


class Result(NamedTuple):
    code: int
    out: bytes
    err: str


def export(*arguments: object) -> Result:
    """What gs-export does with these arguments."""
    before = signal.getsignal(signal.SIGTERM)
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    try:
        with (
            mock.patch.object(sys, "argv", ["gs-export", *map(str, arguments)]),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as ended,
        ):
            gs_export.main()
    finally:
        signal.signal(signal.SIGTERM, before)
    for stream in (out, err):
        stream.flush()
    assert isinstance(ended.value.code, int)
    return Result(int(ended.value.code), _written(out), _written(err).decode())


def _written(stream: io.TextIOWrapper) -> bytes:
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue()


def contents(folder: Path) -> dict[str, bytes | None]:
    """Every file below a folder with its bytes, and every folder, hidden ones too."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def compile_program(folder: Path, standard: str, sources: Mapping[str, str | Path], *flags: str) -> Path:
    """A program of these files, by names without suffix: texts, or files that are copied. The folder is on the include
    path."""
    compiler, suffix = LANGUAGES[standard]
    files = []
    for name, source in sources.items():
        path = folder / f"{name}{suffix}"
        path.write_text(source if isinstance(source, str) else source.read_text(encoding="utf-8"), encoding="utf-8")
        files.append(str(path))
    program = folder / f"program-{standard}"
    command = [compiler, f"-std={standard}", *STRICT, *flags, "-I", str(folder), *files, "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return program


def compile_for_small_core(folder: Path, standard: str, source: str) -> None:
    """Compile for a Cortex-M0+; needs ziglang."""
    suffix = LANGUAGES[standard][1]
    path = folder / f"small{suffix}"
    path.write_text(source, encoding="utf-8")
    target = ("-target", "thumb-freestanding-eabi", "-mcpu=cortex_m0plus", "-ffreestanding", "-O2")
    command = [sys.executable, "-m", "ziglang", "cc", *target, f"-std={standard}", *STRICT, "-I", str(folder)]
    done = subprocess.run(
        [*command, "-c", str(path), "-o", str(path.with_suffix(".o"))], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
