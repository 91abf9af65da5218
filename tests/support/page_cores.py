"""web/player/cores.js from the figures of docs/SIM.md: what a MAC of the streams took there. Made by `make budgets`."""

from __future__ import annotations

import re
from pathlib import Path

from audio_gs import parse_header, read_gaussians
from audio_gs.codec.cost import macs_per_sample

TESTS = Path(__file__).parents[1]
SCRIPT = TESTS.parent / "web" / "player" / "cores.js"
NAMES = {
    "cortex-m0plus": "Cortex-M0+",
    "cortex-m3": "Cortex-M3",
    "cortex-m4": "Cortex-M4",
    "cortex-m7": "Cortex-M7",
    "cortex-m33": "Cortex-M33",
    "riscv32": "RISC-V, RV32IMC",
}
PLAYING = (1, 5)
"""Places of a program that plays clips, at -O2 and -Os, in the column of ROM."""
HEADING = """\
// Made by `make budgets` from docs/SIM.md; do not edit. Clang at -O2: bytes of a program that plays clips, at -O2 and
// -Os; bytes of stack, and cycles for a MAC of the mean and of the peak, each without and with a residual layer: the
// most of the streams that are measured.
"""


def script(document: str) -> str:
    """The script that the page has, of the text of docs/SIM.md."""
    rows = [_cells(line) for line in document.splitlines() if line.count("|") > 6 and not line.startswith("|---")]
    titles = next(row for row in rows if row[0] == "core")
    streams = [_stream(name) for name in titles[2:]]
    lines = [f"{HEADING}const CORES = {{"]
    for cells in (row for row in rows if row[0] in NAMES):
        rom = [int(cells[1].split(",")[place]) for place in PLAYING]
        figures: dict[str, list[float]] = {name: [0, 0] for name in ("stack", "mean", "peak")}
        for (layer, mean_macs, peak_macs), cell in zip(streams, cells[2:], strict=True):
            _, _, clock, memory = cell.split(";")
            mean, peak = (1e6 * float(megahertz) for megahertz in clock.split(","))
            of_stream = (int(memory.split(",")[1]), mean / mean_macs, peak / peak_macs)
            for name, figure in zip(figures, of_stream, strict=True):
                figures[name][layer] = max(figures[name][layer], round(figure, 1))
        parts = [f"name: '{NAMES[cells[0]]}'", f"rom: {rom}", *(f"{name}: {both}" for name, both in figures.items())]
        lines += [f"  '{cells[0]}': {{", *(f"    {part}," for part in parts), "  },"]
    return "\n".join([*lines, "};", ""])


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("| ").split("|")]


def _stream(name: str) -> tuple[int, float, float]:
    """1 with a residual layer, else 0, and MACs a second of a stream: its mean and its peak."""
    data = (TESTS / "vectors" / f"{re.sub(r'[^-a-z0-9]', '', name)}.bin").read_bytes()
    header, _ = parse_header(data)
    mean, _ = macs_per_sample(read_gaussians(data, None), header)
    return int(header.residual is not None), mean * header.sample_rate, float(header.peak_macs * header.sample_rate)
