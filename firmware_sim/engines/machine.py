"""Calls functions of the decoder in Unicorn, and counts what they take."""

from __future__ import annotations

import ctypes
import importlib
import struct
from pathlib import Path
from typing import Any

import numpy as np

from audio_gs.compilers import zig

from ..build.elf import Elf
from ..build.image import FIRMWARE, Image, SimError, build_library, need
from ..profile.costs import BLOCK, BlockCounts

_PAGE = 4096
_CODE_BYTES = 1 << 20
_RAM_BYTES = 1 << 22
_PAINT = 0xA5


class Machine:
    """A core with the decoder in its flash, and nothing else that runs.

        machine = Machine(build_image("cortex-m4"))
        result = machine.call("gs_decoder_size", 256, 6, 64, 128)
        book = CostBook(machine.image, machine.elf)
        cost = book.add(machine.counts)     # of that call; book.by_chain() has the profile of all that was added

    Addresses are the core's. Static functions can be called where the compiler kept them. A changed copy of the
    decoder, or any C files beside it in its src/, are simulated with build_image's `source`."""

    def __init__(self, image: Image, cache: Path | None = None) -> None:
        need("unicorn")
        self.image = image
        self.elf = Elf(image)
        self._unicorn: Any = importlib.import_module("unicorn")
        self._registers = _Registers(image.core.is_arm)
        self._engine = self._make_engine()
        self._counter = _Counter(self._unicorn, self._engine, cache)
        core = image.core
        # Behind the code: nothing but the address that calls return to.
        self._exit = core.flash_start + _CODE_BYTES - _PAGE
        self._stack_bottom = core.ram_start
        self._stack_top = self.elf.symbols["image_stack_top"]
        self._free = self.elf.symbols["image_memory"]
        self.counts: BlockCounts = np.zeros(0, BLOCK)
        """Of the last call, by block."""
        self.stack_bytes = 0
        """How far below its start the stack was written to, by any call so far."""
        self.write(self._stack_bottom, bytes([_PAINT]) * (self._stack_top - self._stack_bottom))

    def reserve(self, count: int) -> int:
        """The address of so many bytes of RAM of their own, all zero, aligned to 8."""
        address = self._free
        self._free += -(-count // 8) * 8
        if self._free > self.image.core.ram_start + _RAM_BYTES:
            raise SimError("the simulated core has no memory left; take a shorter clip")
        return address

    def write(self, address: int, content: bytes) -> None:
        self._engine.mem_write(address, content)

    def read(self, address: int, count: int) -> bytes:
        return bytes(self._engine.mem_read(address, count))

    def call(self, function: str, *arguments: int) -> int:
        """Call a function with integers or addresses, and return its result as a signed number.

        Raises SimError if the core faults.
        """
        names = self._registers
        stack = self._stack_top
        beyond = arguments[len(names.arguments) :]
        stack -= -(-4 * len(beyond) // 8) * 8
        for index, value in enumerate(beyond):
            self.write(stack + 4 * index, struct.pack("<I", value & 0xFFFFFFFF))
        for register, value in zip(names.arguments, arguments, strict=False):
            self._engine.reg_write(register, value & 0xFFFFFFFF)
        self._engine.reg_write(names.stack, stack)
        self._engine.reg_write(names.link, self._exit | names.thumb)
        try:
            self._engine.emu_start(self.elf.address_of(function) | names.thumb, self._exit)
        except self._unicorn.UcError as error:
            at = self._engine.reg_read(names.counter)
            raise SimError(f"{function} stopped at {at:#x}: {error}") from None
        self._measure_stack(stack)
        self.counts = self._counter.read()
        return int(ctypes.c_int32(self._engine.reg_read(names.arguments[0])).value)

    def _measure_stack(self, start: int) -> None:
        stack = np.frombuffer(self.read(self._stack_bottom, start - self._stack_bottom), "<u4")
        written = np.flatnonzero(stack != _PAINT * 0x01010101)
        if written.size and written[0] == 0:
            raise SimError(f"the stack of {self._stack_top - self._stack_bottom} bytes overflowed")
        if written.size:
            lowest = self._stack_bottom + 4 * int(written[0])
            self.stack_bytes = max(self.stack_bytes, start - lowest)
            # Calls begin at different places, for some have arguments there.
            self.write(lowest, bytes([_PAINT]) * (start - lowest))

    def _make_engine(self) -> Any:
        unicorn, core = self._unicorn, self.image.core
        if core.is_arm:
            engine = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
            constants = importlib.import_module("unicorn.arm_const")
            engine.ctl_set_cpu_model(getattr(constants, f"UC_CPU_ARM_{core.unicorn_cpu}"))
        else:
            engine = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)
        engine.mem_map(core.flash_start, _CODE_BYTES, unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC)
        engine.mem_map(core.ram_start, _RAM_BYTES, unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE)
        for address, content in self.elf.segments:
            engine.mem_write(address, content)
        return engine


class _Registers:
    def __init__(self, arm: bool) -> None:
        constants: Any = importlib.import_module("unicorn.arm_const" if arm else "unicorn.riscv_const")
        prefix = "UC_ARM_REG_" if arm else "UC_RISCV_REG_"
        first = "R" if arm else "A"
        self.arguments = [getattr(constants, f"{prefix}{first}{index}") for index in range(4 if arm else 8)]
        self.stack = getattr(constants, f"{prefix}SP")
        self.link = getattr(constants, f"{prefix}{'LR' if arm else 'RA'}")
        self.counter = getattr(constants, f"{prefix}PC")
        self.thumb = 1 if arm else 0


class _Counter:
    """The block hook, in C."""

    def __init__(self, unicorn: Any, engine: Any, cache: Path | None) -> None:
        hook = FIRMWARE / "unicorn_hook.c"
        need("ziglang")
        path = build_library(hook, zig("cc"), "unicorn_hook.so", cache, ("-ffreestanding", "-nostdlib", "-fno-builtin"))
        self._library = ctypes.CDLL(str(path))
        self._memory = ctypes.create_string_buffer(self._library.counter_bytes())
        self._blocks = np.zeros(len(self._memory) // BLOCK.itemsize, BLOCK)
        core: Any = importlib.import_module("unicorn.unicorn_py3.unicorn")
        handle = ctypes.c_size_t()
        # The binding wraps Python functions only; the library under it takes the address of any.
        status = core.uclib.uc_hook_add(
            engine._uch,
            ctypes.byref(handle),
            unicorn.UC_HOOK_BLOCK,
            ctypes.cast(self._library.counter_hook, ctypes.c_void_p),
            ctypes.cast(self._memory, ctypes.c_void_p),
            ctypes.c_uint64(1),
            ctypes.c_uint64(0),
        )
        if status != unicorn.UC_ERR_OK:
            raise SimError(f"Unicorn refuses the hook: {unicorn.UcError(status)}")

    def read(self) -> BlockCounts:
        count = self._library.counter_read(self._memory, self._blocks.ctypes.data_as(ctypes.c_void_p))
        if count < 0:
            raise SimError("more blocks ran than can be counted")
        return self._blocks[:count].copy()
