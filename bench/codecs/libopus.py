"""A newer libopus than that of opus-tools: PyAV's wheels for Linux carry one as a shared library."""

from __future__ import annotations

import ctypes
import functools
import importlib.metadata
from pathlib import Path

from .base import CodecMissing

SERIES = "1.6"
"""Of libopus; PyAV has had it from 16.1 on."""
_INSTALL = "pip install 'av>=16.1' on Linux"


@functools.cache
def pyav_libopus() -> Path:
    """The library's file. Raises CodecMissing."""
    try:
        files = importlib.metadata.files("av") or []
    except importlib.metadata.PackageNotFoundError:
        raise CodecMissing(f"libopus {SERIES} not found; {_INSTALL}") from None
    paths = [Path(str(file.locate())) for file in files if file.name.startswith("libopus") and ".so" in file.name]
    if not paths:
        raise CodecMissing(f"this PyAV has no libopus of its own that opusenc could run with; {_INSTALL}")
    version = library_version(paths[0])
    if not version.startswith(f"libopus {SERIES}"):
        raise CodecMissing(f"this PyAV has {version} and not {SERIES}; {_INSTALL}")
    return paths[0]


def library_version(path: Path) -> str:
    """What a libopus says that it is. Raises CodecMissing if it cannot be loaded."""
    try:
        tell = ctypes.CDLL(str(path)).opus_get_version_string
    except (OSError, AttributeError) as error:
        raise CodecMissing(f"{path.name} is no libopus for this machine ({error}); {_INSTALL}") from None
    tell.restype = ctypes.c_char_p
    return tell().decode()


def with_library(path: Path | None) -> dict[str, str]:
    """The environment in which a program that is linked with libopus runs with this one instead of the system's."""
    return {} if path is None else {"LD_PRELOAD": str(path)}
