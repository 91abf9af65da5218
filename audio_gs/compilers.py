"""Compilers as other programs: the one that the package ziglang brings, and what any of them says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from audio_gs.errors import AudioGsError


def zig(*arguments: str) -> tuple[str, ...]:
    """Zig's command line, of the interpreter's own environment."""
    return (sys.executable, "-m", "ziglang", *arguments)


def run_compiler(command: Sequence[str], error: type[AudioGsError]) -> str:
    """What it prints. Raises `error` with its first complaint, or where it is not installed."""
    try:
        ended = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        raise error(f"{command[0]} is not installed") from None
    if ended.returncode:
        lines = [line for line in ended.stderr.splitlines() if "error" in line or "undefined" in line]
        reason = (lines or ended.stderr.strip().splitlines() or ["no reason given"])[0]
        name = "zig" if "ziglang" in command else Path(command[0]).name
        raise error(f"{name} failed: {reason.strip()}")
    return ended.stdout
