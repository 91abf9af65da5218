"""What the tests of firmware share: compilers, whole programs on simulated cores, and vendors' boards in outline."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_tools import STRICT

from audio_gs import api, parse_header
from audio_gs.codec.native import NativeMixer, decoder_bytes
from audio_gs.codec.playback import GAIN_ONE
from audio_gs.firmware_sim.build.cores import CORES
from audio_gs.firmware_sim.build.image import GCC, host_compiler
from audio_gs.firmware_sim.engines.qemu import QEMU

STUBS = Path(__file__).parents[1] / "vendor_stubs"
ZIG = f"{sys.executable} -m ziglang cc"
CORTEX_M = ("cortex-m0plus", "cortex-m4")
TIMEOUT_S = 300
QEMU_PATIENCE = 100
"""Tenths of a second in which nothing happens."""

needs_make = pytest.mark.skipif(not shutil.which("make"), reason="needs make")

ESP_IDF = """
macro(idf_component_register)
  execute_process(COMMAND ${CMAKE_COMMAND} -E echo "${ARGN}")
  return()
endmacro()
set(ESP_PLATFORM 1)
function(expand folder)
  include(${folder}/CMakeLists.txt)
endfunction()
"""
"""How ESP-IDF first reads a component: as a script, in which the registration ends the file."""
ZEPHYR = """
foreach(name include_directories library_named library_sources library_compile_definitions)
  cmake_language(EVAL CODE "function(zephyr_${name})
    execute_process(COMMAND ${CMAKE_COMMAND} -E echo \\"${name} \\${ARGN}\\")
  endfunction()")
endforeach()
"""
ARDUINOS = {
    "standard": (),
    "esp32": ("-DARDUINO_ARCH_ESP32", "-DESP_ARDUINO_VERSION_MAJOR=3"),
    "rp2040": ("-DARDUINO_ARCH_RP2040",),
}
"""What a core defines, by the branch of audio_out.h that it takes."""

_SYS_OPEN, _SYS_WRITE, _SYS_EXIT = 0x01, 0x05, 0x18
_STOPPED_AT_EXIT = 0x20026
_BREAKPOINT_EXCEPTION = 7
_FLASH_BYTES = 1 << 20
_RAM_START = 0x20000000
_FILL = b"\xa5"
"""What RAM holds before: nothing that start-up code must set to zero is zero, and it shows how deep the stack went."""
_STACK_RESERVE = 128
"""At the bottom of the stack, which is that of RAM."""
_DAC_WRITE = re.compile(r"DAC: unimplemented device write \(size 4, offset 0x00c, value (0x[0-9a-f]+)\)")


class ProgramFailed(Exception):
    """A program on a simulated core did not end well."""


def pcm_of(*clips: bytes) -> bytes:
    """What the host's decoder makes of clips, one behind the other, as 16 bits little-endian."""
    return b"".join(api.decode(clip)[0].astype("<i2").tobytes() for clip in clips)


def mix_of(clips: Sequence[bytes], voices: int, samples: int, block: int) -> bytes:
    """What the host's mixer makes of clips that start half a second after each other, as the programs of players have
    it: with the first of their blocks that begins then. 16 bits little-endian."""
    headers = [parse_header(clip)[0] for clip in clips]
    rate = headers[0].sample_rate
    mixer = NativeMixer(rate, voices, max(decoder_bytes(header) for header in headers))
    blocks, started = [], 0
    for place in range(0, samples, block):
        if started < len(clips) and place >= started * (rate // 2):
            mixer.play(clips[started], GAIN_ONE)
            started += 1
        blocks.append(mixer.mix(block))
    return np.concatenate(blocks)[:samples].astype("<i2").tobytes()


def run(command: Sequence[object], folder: Path, **environment: str) -> bytes:
    """The standard output of a command that has to succeed."""
    ended = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        timeout=TIMEOUT_S,
    )
    assert ended.returncode == 0, ended.stderr.decode() + ended.stdout.decode()
    return ended.stdout


def make(project: Path, build: Path, *settings: str, cc: str = ZIG) -> Path:
    """The firmware of a project for bare metal."""
    run(("make", f"CC={cc}", "CFLAGS=-Os -Werror", f"BUILD={build}", *settings), project)
    return build / "firmware.elf"


def gcc_or_zig() -> str:
    """The compiler that users have, or the one that the tests have."""
    return GCC if shutil.which(GCC) else ZIG


def compile_for(core: str, sources: Sequence[Path], include: Sequence[Path], build: Path, *options: str) -> None:
    """Compile C or C++ for a core, with every warning an error."""
    build.mkdir(parents=True, exist_ok=True)
    for source in sources:
        is_c = source.suffix == ".c"
        language = ("cc", "-std=gnu99", *STRICT) if is_c else ("c++", "-x", "c++", "-std=gnu++11", *STRICT)
        command = (sys.executable, "-m", "ziglang", *language, *CORES[core].zig_flags, "-ffreestanding", "-Os")
        paths = [part for path in include for part in ("-I", path)]
        without_cpp = () if is_c else ("-fno-exceptions", "-fno-rtti")
        run((*command, *without_cpp, *options, *paths, "-c", source, "-o", build / f"{source.stem}.o"), build)


def play_on_this_machine(sources: Sequence[Path], include: Sequence[Path], build: Path, *options: str) -> bytes:
    """Build a program with the host's compiler, run it, and give its standard output."""
    build.mkdir(parents=True, exist_ok=True)
    paths = [part for path in include for part in ("-I", path)]
    objects = []
    for source in sources:
        objects.append(build / f"{source.stem}.o")
        cpp = () if source.suffix == ".c" else ("-x", "c++", "-std=gnu++11", "-fno-exceptions", "-fno-rtti")
        compiler = host_compiler() if source.suffix == ".c" else (*ZIG.split()[:-1], "c++")
        run((*compiler, *cpp, "-O1", *options, *paths, "-c", source, "-o", objects[-1]), build)
    run((*host_compiler(), *objects, "-o", build / "program"), build)
    return run((build / "program",), build)


def left_channel(output: bytes) -> bytes:
    """The left channel of 16-bit frames, whose channels have to be the same."""
    frames = np.frombuffer(output, "<i2").reshape(-1, 2)
    assert np.array_equal(frames[:, 0], frames[:, 1])
    return frames[:, 0].tobytes()


def check_sound(pcm: bytes, clip: bytes) -> None:
    """Nothing but the clip, and the silence behind it that pushes it out of a driver's buffers."""
    expected = pcm_of(clip)
    assert pcm[: len(expected)] == expected
    assert not any(pcm[len(expected) :])


def cmake_script(text: str, folder: Path, **environment: str) -> list[str]:
    """The lines that a CMake script says."""
    script = folder / "script.cmake"
    script.write_text("cmake_minimum_required(VERSION 3.20)\n" + text)
    output = run((_cmake(), "-P", script), folder, **environment)
    return output.decode().splitlines()


def _cmake() -> str:
    """Beside the interpreter, where it comes with the tests, or on the path."""
    found = shutil.which("cmake", path=str(Path(sys.executable).parent)) or shutil.which("cmake")
    assert found, "needs cmake"
    return found


def play_on_unicorn(elf: Path, core: str, ram_bytes: int = 1 << 14) -> bytes:
    """Run a whole program on a core with so much RAM, from its reset on, and give what it wrote to its host's file.

    Raises ProgramFailed if it does not end by itself, without error.
    """
    unicorn: Any = importlib.import_module("unicorn")
    arm: Any = importlib.import_module("unicorn.arm_const")
    engine = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
    engine.ctl_set_cpu_model(getattr(arm, f"UC_CPU_ARM_{CORES[core].unicorn_cpu}"))
    engine.mem_map(0, _FLASH_BYTES, unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC)
    engine.mem_map(_RAM_START, ram_bytes)
    engine.mem_write(_RAM_START, _FILL * ram_bytes)
    for address, content in _segments(elf):
        engine.mem_write(address, content)
    written = bytearray()
    reasons: list[int] = []

    def on_exception(_engine: Any, number: int, _data: Any) -> None:
        assert number == _BREAKPOINT_EXCEPTION, f"exception {number}"
        operation, argument = engine.reg_read(arm.UC_ARM_REG_R0), engine.reg_read(arm.UC_ARM_REG_R1)
        result = 0
        if operation == _SYS_EXIT:
            reasons.append(argument)
            engine.emu_stop()
            return
        first, second, third = struct.unpack("<3I", engine.mem_read(argument, 12))
        if operation == _SYS_OPEN:
            assert bytes(engine.mem_read(first, third)) == b"pcm.raw"
            result = 1
        else:
            assert operation == _SYS_WRITE and first == 1
            written.extend(engine.mem_read(second, third))
        engine.reg_write(arm.UC_ARM_REG_R0, result)
        engine.reg_write(arm.UC_ARM_REG_PC, engine.reg_read(arm.UC_ARM_REG_PC) + 2 | 1)

    engine.hook_add(unicorn.UC_HOOK_INTR, on_exception)
    stack, start = struct.unpack("<2I", engine.mem_read(0, 8))
    engine.reg_write(arm.UC_ARM_REG_SP, stack)
    engine.emu_start(start, _FLASH_BYTES, timeout=TIMEOUT_S * 1_000_000)
    if reasons != [_STOPPED_AT_EXIT]:
        raise ProgramFailed(f"stopped for {[hex(reason) for reason in reasons]}")
    if engine.mem_read(_RAM_START, _STACK_RESERVE) != _FILL * _STACK_RESERVE:
        raise ProgramFailed("the stack leaves no room for an interrupt")
    return bytes(written)


def symbol_bytes(elf: Path, name: str) -> int:
    """The size of a variable."""
    files: Any = importlib.import_module("elftools.elf.elffile")
    with elf.open("rb") as stream:
        (symbol,) = files.ELFFile(stream).get_section_by_name(".symtab").get_symbol_by_name(name)
        return int(symbol["st_size"])


def _segments(elf: Path) -> list[tuple[int, bytes]]:
    files: Any = importlib.import_module("elftools.elf.elffile")
    with elf.open("rb") as stream:
        parts = [part for part in files.ELFFile(stream).iter_segments() if part["p_type"] == "PT_LOAD"]
        return [(int(part["p_paddr"]), bytes(part.data())) for part in parts if part["p_filesz"]]


def writes_to_dac(elf: Path, machine: str, samples: int) -> list[int]:
    """Run a program on a board in QEMU until it has written so many samples to the data register of its DAC, and give
    them with what it wrote until it was stopped. QEMU has no such DAC, but notes down every access."""
    log = elf.with_suffix(".log")
    log.touch()
    command = (QEMU, "-machine", machine, "-nographic", "-monitor", "none", "-serial", "none", "-kernel", str(elf))
    seen, unchanged = 0, 0
    with subprocess.Popen((*command, "-d", "unimp", "-D", str(log)), stderr=subprocess.DEVNULL) as board:
        while seen < samples and unchanged < QEMU_PATIENCE and board.poll() is None:
            time.sleep(0.1)
            before, seen = seen, log.read_text().count("\n")
            unchanged = unchanged + 1 if seen == before else 0
        # What it writes beyond the last one would show by then.
        time.sleep(0.5)
        board.kill()
    return [int(value, 16) for value in _DAC_WRITE.findall(log.read_text())]
