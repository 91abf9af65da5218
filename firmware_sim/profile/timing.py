"""From instructions to cycles: a model of each core, from its maker's published timings."""

from __future__ import annotations

import dataclasses
import enum


class Kind(enum.Enum):
    """Instructions that take the same time."""

    PLAIN = enum.auto()
    MULTIPLY = enum.auto()
    """32 x 32 -> 32 bits."""
    ACCUMULATE = enum.auto()
    """The same, with an addition."""
    LONG_MULTIPLY = enum.auto()
    """32 x 32 -> 64 bits, or its upper half."""
    LONG_ACCUMULATE = enum.auto()
    DIVIDE = enum.auto()
    MEMORY = enum.auto()
    """One load or store."""
    MEMORY_LIST = enum.auto()
    """Many registers at once."""
    BRANCH = enum.auto()
    CALL = enum.auto()
    INDIRECT = enum.auto()
    """A jump to an address in a register, or read from a table."""


@dataclasses.dataclass(frozen=True)
class Timing:
    """Cycles without wait states. What is not named takes 1."""

    multiply: int
    accumulate: int
    long_multiply: int
    long_accumulate: int
    divide: int
    memory: int
    memory_after_memory: int
    """A load or store right behind another one."""
    branch_taken: int
    call: int
    indirect: int
    list_to_pc: int
    """What a list with the program counter in it takes beyond 1 + its registers."""
    factor: float
    """What all of that is multiplied with, for cores that issue more than one instruction at a time."""
    source: str

    def cycles(self, kind: Kind, *, registers: int = 0, to_pc: bool = False, after_memory: bool = False) -> int:
        """Of one instruction; branches are taken. `factor` is not in it."""
        if kind is Kind.MEMORY:
            return self.memory_after_memory if after_memory else self.memory
        if kind is Kind.MEMORY_LIST:
            return 1 + registers + (self.list_to_pc if to_pc else 0)
        return {
            Kind.PLAIN: 1,
            Kind.MULTIPLY: self.multiply,
            Kind.ACCUMULATE: self.accumulate,
            Kind.LONG_MULTIPLY: self.long_multiply,
            Kind.LONG_ACCUMULATE: self.long_accumulate,
            Kind.DIVIDE: self.divide,
            Kind.BRANCH: self.branch_taken,
            Kind.CALL: self.call,
            Kind.INDIRECT: self.indirect,
        }[kind]

    def describe(self) -> str:
        """The model as one line."""
        factor = "" if self.factor == 1 else f"; all times {self.factor}"
        pipelined = "" if self.memory_after_memory == self.memory else f" ({self.memory_after_memory} behind another)"
        return (
            f"cycles: 1, but multiply {self.multiply}, multiply-add {self.accumulate}, to 64 bits {self.long_multiply} "
            f"and {self.long_accumulate}, divide {self.divide}, load or store {self.memory}{pipelined}, lists 1 + "
            f"registers (+ {self.list_to_pc} with pc), branch taken {self.branch_taken}, call {self.call}, jump by "
            f"register {self.indirect}{factor}; no wait states ({self.source})"
        )


def _cortex_m4(factor: float, source: str) -> Timing:
    return Timing(1, 1, 1, 1, 12, 2, 1, 3, 3, 3, 2, factor, source)


# Where the maker gives a range, the model takes its upper end, but 2 of the 1 to 3 cycles of refilling a pipeline.
TIMINGS = {
    "cortex-m0plus": Timing(
        1, 1, 1, 1, 1, 2, 2, 2, 3, 2, 2, 1.0, "Cortex-M0+ TRM, with the single-cycle multiplier; the small one takes 32"
    ),
    "cortex-m3": Timing(1, 2, 5, 7, 12, 2, 1, 3, 3, 3, 2, 1.0, "Cortex-M3 TRM"),
    "cortex-m4": _cortex_m4(1.0, "Cortex-M4 TRM"),
    "cortex-m7": _cortex_m4(
        0.68, "no table published: the Cortex-M4's, by the ratio of the published CoreMark/MHz, 3.42 to 5.01"
    ),
    "cortex-m33": _cortex_m4(1.0, "no table published: the Cortex-M4's"),
    "riscv32": Timing(1, 1, 2, 2, 37, 2, 2, 3, 2, 2, 0, 1.0, "Ibex, with its single-cycle multiplier"),
}
