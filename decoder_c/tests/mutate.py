"""Do the library's own tests see a fault? Makes one at a time in decoder_c/src and counts those that no test finds.

    python decoder_c/tests/mutate.py [--count N] [--seed S] [--file NAME] [--build FOLDER]

Operators, each applied to one place of code outside comments, strings and preprocessor lines:

    compare   < to <=, <= to <, > to >=, >= to >, == to !=, != to ==
    add       + to -, - to +                                        between operands
    shift     << to >>, >> to <<
    logic     && to ||, || to &&
    bits      & to |, | to &                                        between operands
    number    a decimal constant to one more
    drop      a statement that assigns or increments is left out

A mutant is dead if it does not compile, or a test fails, or runs more than ten times as long as before; the tests run
in the order of the table below, the quick ones first, and stop at the first failure. What is left may be a gap of the
tests, or be equivalent: the change may not matter, as `<` for `<=` between equal results. Each survivor is printed.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).resolve().parents[1]
VECTORS = SOURCE.parent / "tests" / "vectors"
TESTS = (
    *("vectors", "pcm", "container", "range_coder", "slots", "tone", "noise", "decoder", "playback", "residual"),
    *("misuse", "hostile", "mixer"),
)
SEEDS = 3
"""Of each test, so that a mutant takes seconds; test_vectors and those that have no seeds run whole."""
SWAPS = {
    "compare": {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="},
    "add": {"+": "-", "-": "+"},
    "shift": {"<<": ">>", ">>": "<<"},
    "logic": {"&&": "||", "||": "&&"},
    "bits": {"&": "|", "|": "&"},
}
OPERATOR = re.compile(r"(?<=[\w)\]] )(<<|>>|<=|>=|==|!=|&&|\|\||[-+<>&|])(?= [\w(~!*&-])")
NUMBER = re.compile(r"(?<![\w.])\d+(?=u?\b)(?![\w.]*x)")
STATEMENT = re.compile(r"^ +(?!return|for|if|while|do|else|case|break)[\w>.*\[\]()+-]+ (?:[-+|&^]|<<|>>)?= [^;]*;$")
SKIPPED = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|^#(?:[^\n]*\\\n)*[^\n]*", re.S | re.M)


class Mutant(NamedTuple):
    """A change of one place."""

    path: Path
    at: int
    end: int
    text: str
    kind: str


def compiled_lines() -> set[tuple[str, int]]:
    """File and number of all lines of src that this machine's compiler sees: others hold code for other machines."""
    lines = set()
    for path in (SOURCE / "src").glob("*.c"):
        command = ["cc", "-E", "-O1", "-DGS_CHECK_COST", "-I", SOURCE / "include", "-I", SOURCE / "src", path]
        seen = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout
        name, number = "", 0
        for line in seen.splitlines():
            if marker := re.match(r'# (\d+) "([^"]*)"', line):
                name, number = Path(marker[2]).name, int(marker[1])
                continue
            if line.strip():
                lines.add((name, number))
            number += 1
    return lines


def mutants_of(path: Path) -> Iterator[Mutant]:
    """All places where an operator applies."""
    text = path.read_text(encoding="ascii")
    code = SKIPPED.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    for match in OPERATOR.finditer(code):
        for kind, swaps in SWAPS.items():
            if match[0] in swaps:
                yield Mutant(path, match.start(), match.end(), swaps[match[0]], kind)
    for match in NUMBER.finditer(code):
        yield Mutant(path, match.start(), match.end(), str(int(match[0]) + 1), "number")
    start = 0
    for line in code.splitlines(keepends=True):
        if STATEMENT.match(line.rstrip("\n")):
            indent = len(line) - len(line.lstrip())
            yield Mutant(path, start + indent, start + len(line) - 1, ";", "drop")
        start += len(line)


def line_of(mutant: Mutant) -> int:
    return mutant.path.read_text(encoding="ascii").count("\n", 0, mutant.at) + 1


class Runner:
    """Builds the library and its tests once, then again and again with a mutant."""

    def __init__(self, build: Path) -> None:
        self.copy, self.build = build / "source", build / "objects"
        shutil.rmtree(build, ignore_errors=True)
        shutil.copytree(SOURCE, self.copy, ignore=shutil.ignore_patterns("build"))
        # Warnings are no test: a mutant that draws one would count as found.
        options = ["-DAUDIO_GS_WERROR=OFF", "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_C_FLAGS_RELEASE=-O1"]
        self._must("cmake", "-S", self.copy, "-B", self.build, *options, f"-DAUDIO_GS_VECTORS={VECTORS}")
        self._must("cmake", "--build", self.build, "--target", *(f"test_{test}" for test in TESTS))
        self.limits: dict[str, float] = {}
        for test in TESTS:
            start = time.monotonic()
            if self.fails(test):
                sys.exit(f"test_{test} fails without a mutant")
            self.limits[test] = 10 * (time.monotonic() - start) + 5

    @staticmethod
    def _must(*command: object) -> None:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stdout + done.stderr)

    def fails(self, test: str) -> bool:
        program = self.build / "tests" / f"test_{test}"
        runs = [[str(VECTORS)]] if test == "vectors" else [[str(seed)] for seed in range(SEEDS)]
        for arguments in runs:
            try:
                done = subprocess.run(
                    [program, *arguments], capture_output=True, check=False, timeout=self.limits.get(test)
                )
            except subprocess.TimeoutExpired:
                return True
            if done.returncode:
                return True
        return False

    def killer(self, mutant: Mutant) -> str | None:
        """What finds a mutant; None if nothing does."""
        path = self.copy / "src" / mutant.path.name
        text = mutant.path.read_text(encoding="ascii")
        path.write_text(text[: mutant.at] + mutant.text + text[mutant.end :], encoding="ascii")
        try:
            for test in TESTS:
                command = ["cmake", "--build", str(self.build), "--target", f"test_{test}"]
                if subprocess.run(command, capture_output=True, check=False).returncode:
                    return "compiler"
                if self.fails(test):
                    return test
            return None
        finally:
            path.write_text(text, encoding="ascii")


def main() -> int:
    parser = argparse.ArgumentParser(description="Counts the faults in the library that its own tests do not see.")
    parser.add_argument("--count", type=int, default=300, metavar="N", help="mutants, drawn from all [300]")
    parser.add_argument("--seed", type=int, default=1, help="of the draw [1]")
    parser.add_argument("--file", default="", metavar="NAME", help="files of src whose name holds that")
    parser.add_argument("--seconds", type=float, default=1e9, metavar="S", help="stop after that [never]")
    parser.add_argument("--build", type=Path, default=SOURCE / "build" / "mutate", metavar="FOLDER")
    options = parser.parse_args()
    # Tables are data, and what messages say is no behaviour.
    files = [path for path in sorted((SOURCE / "src").glob("*.[ch]")) if options.file in path.name]
    files = [path for path in files if path.name not in ("gs_tables.h", "gs_error.c")]
    compiled = compiled_lines()
    everything = [mutant for path in files for mutant in mutants_of(path) if (path.name, line_of(mutant)) in compiled]
    if not everything:
        parser.error(f"no file of src is named like {options.file!r}")
    chosen = random.Random(options.seed).sample(everything, min(options.count, len(everything)))
    runner = Runner(options.build)
    start = time.monotonic()
    killers: Counter[str] = Counter()
    kinds: Counter[tuple[str, bool]] = Counter()
    tried = 0
    for mutant in chosen:
        if time.monotonic() - start > options.seconds:
            break
        tried += 1
        killer = runner.killer(mutant)
        kinds[mutant.kind, killer is not None] += 1
        if killer:
            killers[killer] += 1
            continue
        text = mutant.path.read_text(encoding="ascii")
        print(
            f"{mutant.path.name}:{line_of(mutant)}: {mutant.kind}: {text[mutant.at : mutant.end]} to {mutant.text}",
            flush=True,
        )
    found = sum(killers.values())
    print(
        f"{found} of {tried} found, {len(everything)} places in all; by "
        + ", ".join(f"{n} {k}" for k, n in killers.most_common())
    )
    print(
        "; ".join(
            f"{kind} {kinds[kind, True]} of {kinds[kind, True] + kinds[kind, False]}"
            for kind in (*SWAPS, "number", "drop")
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
