"""The cores that can be simulated: how compilers and simulators call them, and where their memory lies."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Board:
    """A board that QEMU simulates with this core on it."""

    machine: str
    flash_bytes: int
    ram_bytes: int


@dataclasses.dataclass(frozen=True)
class Core:
    name: str
    zig_cpu: str
    unicorn_cpu: str
    """Name of the CPU model, without its prefix; empty for RISC-V."""
    boards: tuple[Board, ...] = ()
    """The first one with room for a clip is taken."""
    flash_start: int = 0
    ram_start: int = 0x20000000

    @property
    def is_arm(self) -> bool:
        return self.name.startswith("cortex-m")

    @property
    def zig_flags(self) -> tuple[str, ...]:
        if self.is_arm:
            return ("-target", "thumb-freestanding-eabi", f"-mcpu={self.zig_cpu}", "-mfloat-abi=soft")
        return ("-target", "riscv32-freestanding-none", f"-mcpu={self.zig_cpu}")

    @property
    def gcc_flags(self) -> tuple[str, ...]:
        return (f"-mcpu={self.name}", "-mthumb", "-mfloat-abi=soft")


_MEGABYTE = 1 << 20


def _mps2(machine: str) -> Board:
    return Board(machine, 4 * _MEGABYTE, 4 * _MEGABYTE)


# The DSP instructions are an option of the M33 that microcontrollers come with and GCC takes for granted, but Zig does
# not.
# QEMU has no M0+ on any board: the M0 of the micro:bit has the same instructions, and larger clips go to an M3, which
# has them too.
CORES = {
    core.name: core
    for core in (
        Core("cortex-m0plus", "cortex_m0plus", "CORTEX_M0", (Board("microbit", 1 << 18, 1 << 14), _mps2("mps2-an385"))),
        Core("cortex-m3", "cortex_m3", "CORTEX_M3", (_mps2("mps2-an385"),)),
        Core("cortex-m4", "cortex_m4", "CORTEX_M4", (_mps2("mps2-an386"),)),
        Core("cortex-m7", "cortex_m7", "CORTEX_M7", (_mps2("mps2-an500"),)),
        Core("cortex-m33", "cortex_m33+dsp", "CORTEX_M33", (_mps2("mps2-an505"),), 0x10000000, 0x38000000),
        Core("riscv32", "generic_rv32+m+c", ""),
    )
}
