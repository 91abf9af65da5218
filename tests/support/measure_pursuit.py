"""Measures the inner loop of the encoder's pursuit in Numba and in WebAssembly: python tests/support/measure_pursuit.py

Prints nanoseconds of processor time for a complex multiplication with a subtraction, in runs of 24 as a pursuit has
them: without and with a phase that turns from bin to bin.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

RUN, RUNS, TURNS = 24, 400_000, 7
C = """
typedef struct { float re, im; } pair;
static pair cells[1 << 16], values[4096];
__attribute__((export_name("run"))) float run(int runs, int length, int turning)
{
    unsigned random = 7;
    for (int r = 0; r < runs; r++) {
        random = random * 1664525u + 1013904223u;
        pair *cell = cells + (random >> 8 & 0x7FFF), weight = {1.0f, 0.3f};
        const pair *value = values + (random >> 20 & 1023) + 1024;
        for (int b = 0; b < length; b++, cell++, value--) {
            cell->re -= weight.re * value->re - weight.im * value->im;
            cell->im -= weight.re * value->im + weight.im * value->re;
            if (turning) {
                float re = weight.re * 0.99f - weight.im * 0.1f;
                weight.im = weight.re * 0.1f + weight.im * 0.99f;
                weight.re = re;
            }
        }
    }
    return cells[100].re;
}
"""
NODE = """
import { readFileSync } from 'node:fs';
const { run } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(process.argv[2]))).exports;
for (const turning of [0, 1]) {
  let least = Infinity;
  for (let turn = 0; turn < TURNS; turn += 1) {
    const before = process.cpuUsage().user;
    run(RUNS, RUN, turning);
    least = Math.min(least, process.cpuUsage().user - before);
  }
  console.log(((1000 * least) / RUNS / RUN).toFixed(2));
}
"""


@njit(fastmath=True)
def in_numba(cells: Any, values: Any, runs: int, length: int, turning: bool) -> None:
    random = np.uint32(7)
    for _ in range(runs):
        random = np.uint32(random * np.uint32(1664525) + np.uint32(1013904223))
        cell, value = (random >> 8) & 0x7FFF, ((random >> 20) & 1023) + 1024
        weight = np.complex64(1 + 0.3j)
        for b in range(length):
            cells[cell + b] -= weight * values[value - b]
            if turning:
                weight *= np.complex64(0.99 + 0.1j)


def main() -> None:
    """Prints what is measured."""
    cells, values = np.zeros(1 << 16, np.complex64), np.zeros(4096, np.complex64)
    for turning in (False, True):
        least = float("inf")
        for _ in range(TURNS + 1):
            before = time.process_time()
            in_numba(cells, values, RUNS, RUN, turning)
            least = min(least, time.process_time() - before)
        print(f"Numba, turning {turning}: {1e9 * least / RUNS / RUN:.2f} ns")
    folder = Path(tempfile.mkdtemp())
    (folder / "run.c").write_text(C)
    constants = f"const RUNS = {RUNS}, RUN = {RUN}, TURNS = {TURNS};"
    (folder / "run.mjs").write_text(constants + NODE)
    for name, flags in (("WebAssembly", ()), ("WebAssembly with SIMD", ("-msimd128",))):
        target = ("-target", "wasm32-freestanding", "-O3", "-ffast-math", "-nostdlib", "-Wl,--no-entry", *flags)
        compiler = (sys.executable, "-m", "ziglang", "cc", *target)
        subprocess.run((*compiler, str(folder / "run.c"), "-o", str(folder / "run.wasm")), check=True)
        command = ("node", str(folder / "run.mjs"), str(folder / "run.wasm"))
        still, turned = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        print(f"{name}: {still} ns, turning {turned} ns")


if __name__ == "__main__":
    main()
