"""Turns counts of blocks into instructions, multiplications and cycles, of everything and of each function."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from ..build.elf import Chain, Elf
from ..build.image import Image, SimError
from .instructions import Disassembler
from .timing import TIMINGS, Timing

BLOCK = np.dtype([("address", "<u4"), ("bytes", "<u4"), ("runs", "<u4"), ("fell", "<u4")])
"""As struct block_count in firmware/block_counter.h."""

BlockCounts = npt.NDArray[np.void]


@dataclasses.dataclass(frozen=True)
class Cost:
    """What some code took."""

    instructions: int = 0
    """Those of an IT block whose condition fails are counted too: they take their cycle."""
    multiplies: int = 0
    cycles: int = 0
    """Estimated, before the timing's factor."""

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.instructions + other.instructions, self.multiplies + other.multiplies, self.cycles + other.cycles
        )

    def of_runs(self, runs: int, saved: int) -> Cost:
        """Of code that ran so often, less some cycles in all."""
        return Cost(self.instructions * runs, self.multiplies * runs, self.cycles * runs - saved)


@dataclasses.dataclass(frozen=True)
class _Block:
    whole: Cost
    """With the branch at its end taken."""
    saved: int
    """Cycles less where it is not."""
    last: Chain
    parts: dict[Chain, Cost]


class CostBook:
    """Adds up the costs of calls, block by block."""

    def __init__(self, image: Image, elf: Elf) -> None:
        self._elf = elf
        self._timing: Timing = TIMINGS[image.core.name]
        self._disassembler = Disassembler(image.core)
        self._blocks: dict[tuple[int, int], _Block] = {}
        self._runs: dict[tuple[int, int], list[int]] = {}

    def add(self, counts: BlockCounts) -> Cost:
        """Count one call, and give what it took."""
        instructions = multiplies = cycles = 0
        for address, size, runs, fell in counts.tolist():
            block = self._blocks.get((address, size)) or self._decode(address, size)
            instructions += block.whole.instructions * runs
            multiplies += block.whole.multiplies * runs
            cycles += block.whole.cycles * runs - block.saved * fell
            sums = self._runs.setdefault((address, size), [0, 0])
            sums[0] += runs
            sums[1] += fell
        return Cost(instructions, multiplies, cycles)

    def by_chain(self) -> dict[Chain, Cost]:
        """What everything counted so far took, by function and by what that was inlined into."""
        costs: dict[Chain, Cost] = {}
        for key, (runs, fell) in self._runs.items():
            block = self._blocks[key]
            for chain, part in block.parts.items():
                saved = block.saved * fell if chain == block.last else 0
                costs[chain] = costs.get(chain, Cost()) + part.of_runs(runs, saved)
        return costs

    def _saved_behind_memory(self, address: int) -> int:
        """Cycles that the instruction at an address saves behind a load or store."""
        start = address - self._elf.code_start
        one = next(iter(self._disassembler.instructions(self._elf.code[start : start + 4], address)), None)
        if one is None:
            return 0
        alone, behind = (
            self._timing.cycles(one.kind, registers=one.registers, to_pc=one.to_pc, after_memory=after)
            for after in (False, True)
        )
        return alone - behind

    def _decode(self, address: int, size: int) -> _Block:
        start = address - self._elf.code_start
        if not 0 <= start <= start + size <= len(self._elf.code):
            raise SimError(f"the decoder left its code, to {address:#x}")
        found = list(self._disassembler.instructions(self._elf.code[start : start + size], address))
        if not found:
            raise SimError(f"cannot disassemble the code at {address:#x}")
        parts: dict[Chain, Cost] = {}
        after_memory = False
        for one in found:
            cycles = self._timing.cycles(one.kind, registers=one.registers, to_pc=one.to_pc, after_memory=after_memory)
            after_memory = one.kind.name == "MEMORY"
            chain = self._elf.chain_at(one.address)
            parts[chain] = parts.get(chain, Cost()) + Cost(1, one.multiplies, cycles)
        last = found[-1]
        if after_memory and not last.may_jump:
            # An engine may cut a block where a page ends: what comes next comes right behind.
            chain = self._elf.chain_at(last.address)
            parts[chain] = parts[chain] + Cost(0, 0, -self._saved_behind_memory(address + size))
        block = _Block(
            whole=sum(parts.values(), Cost()),
            saved=cycles - 1 if last.may_jump else 0,
            last=self._elf.chain_at(last.address),
            parts=parts,
        )
        self._blocks[address, size] = block
        return block
