"""What an instruction is to the timing model, and how many multiplications it makes."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterator
from typing import Any

from ..build.cores import Core
from ..build.image import need
from .timing import Kind


@dataclasses.dataclass(frozen=True)
class Instruction:
    address: int
    kind: Kind
    multiplies: int
    registers: int = 0
    """Of a list."""
    to_pc: bool = False
    """A list with the program counter in it."""
    text: str = ""

    @property
    def may_jump(self) -> bool:
        return self.to_pc or self.kind in (Kind.BRANCH, Kind.CALL, Kind.INDIRECT)


class Disassembler:
    """Raises SimError if capstone is not installed."""

    def __init__(self, core: Core) -> None:
        need("capstone")
        capstone = importlib.import_module("capstone")
        if core.is_arm:
            mode = capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS
            self._engine: Any = capstone.Cs(capstone.CS_ARCH_ARM, mode)
        else:
            self._engine = capstone.Cs(capstone.CS_ARCH_RISCV, capstone.CS_MODE_RISCV32 | capstone.CS_MODE_RISCVC)
        self._read = _read_thumb if core.is_arm else _read_riscv

    def instructions(self, code: bytes, address: int) -> Iterator[Instruction]:
        """Those of a piece of code without data in it."""
        for found in self._engine.disasm(code, address):
            yield self._read(found.address, found.insn_name() or found.mnemonic, found.op_str, found.mnemonic)


_THUMB_TWO_MULTIPLIES = ("smuad", "smusd", "smlad", "smlsd", "smlald", "smlsld")
_THUMB_LONG = ("umull", "smull")
_THUMB_LONG_ADD = ("umlal", "smlal", "umaal")
_THUMB_LISTS = ("push", "pop", "ldm", "stm", "ldmdb", "stmdb", "ldrd", "strd")


def _read_thumb(address: int, name: str, operands: str, mnemonic: str) -> Instruction:
    kind, multiplies, registers, to_pc = Kind.PLAIN, 0, 0, False
    if name.startswith(_THUMB_TWO_MULTIPLIES):
        kind, multiplies = Kind.ACCUMULATE, 2
    elif name in _THUMB_LONG:
        kind, multiplies = Kind.LONG_MULTIPLY, 1
    elif name in _THUMB_LONG_ADD:
        kind, multiplies = Kind.LONG_ACCUMULATE, 1
    elif name == "mul" or name.startswith(("smul", "smmul")):
        kind, multiplies = Kind.MULTIPLY, 1
    elif name in ("mla", "mls") or name.startswith(("smla", "smmla", "smmls")):
        kind, multiplies = Kind.ACCUMULATE, 1
    elif name in ("sdiv", "udiv"):
        kind = Kind.DIVIDE
    elif name in _THUMB_LISTS:
        kind = Kind.MEMORY_LIST
        listed = operands[operands.find("{") :]
        registers = listed.count(",") + 1 if "{" in operands else 2
        to_pc = "pc" in listed and name not in ("push", "stm", "stmdb", "strd")
    elif name.startswith(("ldr", "str")):
        kind = Kind.INDIRECT if operands.startswith("pc,") else Kind.MEMORY
    elif name in ("b", "cbz", "cbnz"):
        kind = Kind.BRANCH
    elif name == "bl":
        kind = Kind.CALL
    elif name in ("bx", "blx", "tbb", "tbh") or (name == "mov" and operands.startswith("pc,")):
        kind = Kind.INDIRECT
    return Instruction(address, kind, multiplies, registers, to_pc, f"{mnemonic} {operands}".strip())


def _read_riscv(address: int, name: str, operands: str, mnemonic: str) -> Instruction:
    base = mnemonic.removeprefix("c.")
    kind, multiplies = Kind.PLAIN, 0
    if base == "mul":
        kind, multiplies = Kind.MULTIPLY, 1
    elif base.startswith("mulh"):
        kind, multiplies = Kind.LONG_MULTIPLY, 1
    elif base.startswith(("div", "rem")):
        kind = Kind.DIVIDE
    elif base in ("lw", "lh", "lhu", "lb", "lbu", "sw", "sh", "sb", "lwsp", "swsp"):
        kind = Kind.MEMORY
    elif base.startswith("b"):
        kind = Kind.BRANCH
    elif base in ("jr", "ret", "jalr"):
        kind = Kind.INDIRECT
    elif base in ("j", "jal"):
        kind = Kind.CALL
    return Instruction(address, kind, multiplies, text=f"{mnemonic} {operands}".strip())
