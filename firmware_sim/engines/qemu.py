"""Plays a clip on a whole board in QEMU, with a plugin of ours that counts."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from audio_gs.codec.container import StreamHeader

from ..build.cores import Board
from ..build.elf import Elf
from ..build.image import FIRMWARE, Image, SimError, build_library, host_compiler
from ..profile.costs import BLOCK
from .playback import OnCall, Playback

QEMU = "qemu-system-arm"
# Of the plugin interface: each QEMU takes one of them.
_PLUGIN_VERSIONS = (1, 2)
_TIMEOUT_S = 600
_STACK_BYTES = 4096


def play_on_qemu(
    image: Image,
    elf: Elf,
    data: bytes,
    header: StreamHeader,
    block: int,
    memory_bytes: int,
    on_call: OnCall,
    cache: Path | None = None,
) -> Playback:
    """Run the image as it would run on the board. `memory_bytes` is what gs_open_memory is given."""
    if shutil.which(QEMU) is None:
        raise SimError(f"{QEMU} is not installed (Debian: qemu-system-arm); or take --engine unicorn")
    job = struct.pack("<4I", len(data), memory_bytes, header.samples, block) + data
    job_address = elf.symbols["image_job"]
    board = _choose_board(image, job_address - image.core.flash_start + len(job), memory_bytes + 2 * block)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "job.bin").write_bytes(job)
        (Path(folder) / "code.bin").write_bytes(elf.code)
        command = (
            *(QEMU, "-machine", board.machine, "-nographic", "-monitor", "none", "-serial", "none"),
            *("-semihosting-config", "enable=on,target=native", "-kernel", str(image.elf.resolve())),
            *("-device", f"loader,file=job.bin,addr={job_address:#x},force-raw=on"),
        )
        options = (
            f"low={elf.code_start:#x},high={elf.code_end:#x},mark={elf.symbols['board_mark'] & ~1:#x},"
            "code=code.bin,out=counts.bin"
        )
        for version in _PLUGIN_VERSIONS:
            plugin = _build_plugin(version, cache)
            problem = _run((*command, "-plugin", f"{plugin.resolve()},{options}"), folder)
            if problem is None or "API version" not in problem:
                break
        if problem is not None:
            raise SimError(f"{board.machine} in QEMU: {problem}")
        pcm = (Path(folder) / "pcm.raw").read_bytes()
        counts = (Path(folder) / "counts.bin").read_bytes()
    offset = 0
    while offset < len(counts):
        (number,) = struct.unpack_from("<I", counts, offset)
        on_call(np.frombuffer(counts, BLOCK, number, offset + 4))
        offset += 4 + number * BLOCK.itemsize
    return Playback(pcm[:-4], int.from_bytes(pcm[-4:], "little"))


def _build_plugin(version: int, cache: Path | None) -> Path:
    flags = [f"-DPLUGIN_VERSION={version}"]
    if sys.platform == "darwin":
        flags.append("-Wl,-undefined,dynamic_lookup")
    return build_library(FIRMWARE / "qemu_plugin.c", host_compiler(), "qemu_plugin.so", cache, flags)


def _run(command: Sequence[str], folder: str) -> str | None:
    """What went wrong, in one line; None if nothing did."""
    try:
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return f"did not end within {_TIMEOUT_S} s"
    if not ended.returncode:
        return None
    return (ended.stderr.strip().splitlines() or ["the program on the board stopped with an error"])[-1]


def _choose_board(image: Image, flash_bytes: int, arena_bytes: int) -> Board:
    if not image.core.boards:
        raise SimError(f"no board with {image.core.name} in {QEMU}; take --engine unicorn")
    for board in image.core.boards:
        if flash_bytes <= board.flash_bytes and arena_bytes + _STACK_BYTES <= board.ram_bytes:
            return board
    raise SimError(f"the clip does not fit into the flash of {image.core.boards[-1].machine}; take a shorter one")
