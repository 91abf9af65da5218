"""Lines and branches of the library that its own tests reach, by gcov.

    python decoder_c/tests/coverage.py [--build FOLDER] [--missed] [--least-lines P] [--least-branches P]

Builds with gcc --coverage, runs ctest, and adds up over all programs. --missed lists the lines that nothing reached
and the branches that went one way only. Exit code 1 where less is reached than asked for.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).resolve().parents[1]


class Reached(NamedTuple):
    """What was reached of a file: counts by line, and by line and number of the branch."""

    lines: dict[int, int]
    branches: dict[tuple[int, int], int]

    @property
    def share_of_lines(self) -> tuple[int, int]:
        return sum(count > 0 for count in self.lines.values()), len(self.lines)

    @property
    def share_of_branches(self) -> tuple[int, int]:
        return sum(count > 0 for count in self.branches.values()), len(self.branches)


def build_and_test(build: Path) -> None:
    """The tests with gcc's counters; those of an earlier run are dropped."""
    for old in build.rglob("*.gcda"):
        old.unlink()
    flags = "-O1 -fno-inline -g --coverage"
    for command in (
        ["cmake", "-S", SOURCE, "-B", build, "-DCMAKE_C_COMPILER=gcc", f"-DCMAKE_C_FLAGS={flags}"],
        ["cmake", "--build", build],
        ["ctest", "--test-dir", build, "--output-on-failure", "--no-tests=error", "-E", "installed|freestanding"],
    ):
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stdout + done.stderr)


def reached(build: Path) -> dict[str, Reached]:
    """Of each file below src, by name."""
    lines: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    branches: dict[str, dict[tuple[int, int], int]] = defaultdict(lambda: defaultdict(int))
    for data in sorted(build.glob("CMakeFiles/audio_gs.dir/src/*.gcda")):
        command = ["gcov", "--branch-probabilities", "--json-format", "--stdout", data]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True, cwd=build)
        for file in json.loads(done.stdout)["files"]:
            path = Path(file["file"])
            if path.parent.name != "src":
                continue
            for line in file["lines"]:
                lines[path.name][line["line_number"]] += line["count"]
                for number, branch in enumerate(line["branches"]):
                    branches[path.name][line["line_number"], number] += branch["count"]
    return {name: Reached(dict(lines[name]), dict(branches[name])) for name in sorted(lines)}


def percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 100.0


def main() -> int:
    parser = argparse.ArgumentParser(description="Lines and branches of the library that its own tests reach.")
    parser.add_argument("--build", type=Path, default=SOURCE / "build" / "coverage", metavar="FOLDER")
    parser.add_argument("--missed", action="store_true", help="list what is not reached")
    parser.add_argument("--least-lines", type=float, default=0, metavar="P", help="percent")
    parser.add_argument("--least-branches", type=float, default=0, metavar="P", help="percent")
    options = parser.parse_args()
    for tool in ("gcc", "gcov", "cmake", "ctest"):
        if not shutil.which(tool):
            parser.error(f"{tool} is not installed")
    build = options.build.resolve()
    build_and_test(build)
    files = reached(build)
    totals = [[0, 0], [0, 0]]
    for name, found in files.items():
        shares = (found.share_of_lines, found.share_of_branches)
        for total, share in zip(totals, shares, strict=True):
            total[0] += share[0]
            total[1] += share[1]
        print(f"{name:20} lines {percent(*shares[0]):5.1f} %  branches {percent(*shares[1]):5.1f} %")
        if options.missed:
            print(
                "".join(f"    {name}:{line} is not reached\n" for line, n in sorted(found.lines.items()) if not n),
                end="",
            )
            one_way = sorted({line for (line, _), n in found.branches.items() if not n and found.lines[line]})
            print("".join(f"    {name}:{line} goes one way only\n" for line in one_way), end="")
    both = [percent(*total) for total in totals]
    print(f"all: {totals[0][1]} lines, {both[0]:.1f} %; {totals[1][1]} branches, {both[1]:.1f} %")
    return int(both[0] < options.least_lines or both[1] < options.least_branches)


if __name__ == "__main__":
    sys.exit(main())
