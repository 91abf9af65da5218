"""Do all decoders make the same of any stream, and of any damage to it?

    agree.py cuts [STREAM...]          each stream cut at every byte
    agree.py flips [STREAM...]         each stream with every single bit turned
    agree.py random COUNT              COUNT random legal streams, every third with a residual

C takes every case, played and checked without playing; Numba every --numba-every'th, the decoder made from SPEC every
--page-every'th, for they are slow; ONNX, and WebAssembly under node, the whole streams of `random`. Streams are those
of tests/vectors and conformance/kit/edge if none are given, for `flips` ten of them. A damaged stream must be refused,
a cut one after samples of the whole one. Prints figures; exit code 1 where decoders differ. Needs
PYTHONPATH=conformance.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
from decoders import WHOLE_CLIP_BACKENDS, Verdict, check_without_playing, common_verdict, verdict
from make_vectors import FOLDER
from random_streams import random_stream, residual_stream
from spec_decoder.integers import StreamError
from spec_decoder.playback import Decoder
from wasm_tools import NODE, wasm_folder

import audio_gs

ROOT = Path(__file__).parents[2]
EDGES = ROOT / "conformance" / "kit" / "edge"
TEN = (
    *("speech-3.bin", "speech-8.bin", "sfx-12.bin", "random-877.bin", "random-54.bin", "random-113.bin"),
    *("random-152.bin", "residual-610.bin", "random-79.bin", "random-11.bin"),
)
"""Of `flips`: speech with a loop and segments, with and without a residual, effects, all of noise, most tones."""
MOST = 1 << 16
"""Samples of a case; damage is mostly found long before."""
STREAMS_OF_NODE = 50


def verdict_of_the_page(data: bytes, most: int = MOST) -> Verdict:
    """What the decoder that SPEC alone made gives, as `decoders.verdict`."""
    pcm: list[int] = []
    judgement = "sound"
    try:
        decoder = Decoder(data)
        while len(pcm) < most and (piece := decoder.read(1 << 12)):
            pcm += piece
    except StreamError as error:
        judgement = error.name
    return Verdict(judgement, np.array(pcm, np.int16))


Case = TypeVar("Case")


class Tally:
    """Counts cases, and differences between decoders."""

    def __init__(self, numba_every: int, page_every: int, seconds: float) -> None:
        self.numba_every, self.page_every, self.seconds = numba_every, page_every, seconds
        self.counts: Counter[str] = Counter()
        self.differences: list[str] = []
        self.start = time.monotonic()
        self.stopped = False

    def while_there_is_time(self, cases: Iterable[Case]) -> Iterator[Case]:
        for case in cases:
            if time.monotonic() - self.start > self.seconds:
                self.stopped = True
                return
            yield case

    def verdict(self, name: str, data: bytes) -> Verdict | None:
        """What all decoders that take this case make of it; None where they differ."""
        self.counts["cases"] += 1
        try:
            if self.counts["cases"] % self.numba_every == 0:
                self.counts["by Numba"] += 1
                found = common_verdict(data, MOST)
            else:
                found = verdict(data, "c", MOST)
                assert len(found.pcm) >= MOST or check_without_playing(data) == found.judgement, "gs_check differs"
            if self.counts["cases"] % self.page_every == 0:
                self.counts["by the decoder made from SPEC"] += 1
                page = verdict_of_the_page(data)
                assert page.judgement == found.judgement, f"{page.judgement}, not {found.judgement}"
                np.testing.assert_array_equal(page.pcm, found.pcm)
        except AssertionError as error:
            self.differs(f"{name}: {' '.join(str(error).split())}")
            return None
        self.counts[found.judgement] += 1
        return found

    def differs(self, text: str) -> None:
        self.differences.append(text)
        print(text, file=sys.stderr)

    def report(self) -> int:
        figures = ", ".join(f"{count} {name}" for name, count in self.counts.items())
        over = ", stopped before the end" if self.stopped else ""
        print(
            f"{figures}; {len(self.differences)} differences; {time.monotonic() - self.start:.0f} s{over}", flush=True
        )
        return 1 if self.differences else 0


def cuts(streams: Iterable[Path], every: int, tally: Tally) -> None:
    for path in tally.while_there_is_time(streams):
        data = path.read_bytes()
        whole = common_verdict(data, MOST).pcm
        for length in tally.while_there_is_time(range(0, len(data), every)):
            found = tally.verdict(f"{path.name} cut to {length}", data[:length])
            if found is None:
                continue
            if found.judgement == "sound" and len(found.pcm) < MOST:
                tally.differs(f"{path.name} cut to {length}: passes for whole")
            if not np.array_equal(found.pcm, whole[: len(found.pcm)]):
                tally.differs(f"{path.name} cut to {length}: samples that the whole stream does not have")


def flips(streams: Iterable[Path], every: int, tally: Tally) -> None:
    for path in tally.while_there_is_time(streams):
        data = path.read_bytes()
        for bit in tally.while_there_is_time(range(0, 8 * len(data), every)):
            damaged = bytearray(data)
            damaged[bit // 8] ^= 1 << bit % 8
            found = tally.verdict(f"{path.name} with bit {bit} turned", bytes(damaged))
            if found and found.judgement == "sound" and len(found.pcm) < MOST:
                tally.differs(f"{path.name} with bit {bit} turned: passes for whole")


def random_streams(count: int, first: int) -> Iterator[tuple[str, bytes]]:
    """Every third one has a residual."""
    for seed in range(first, first + count):
        if seed % 3 == 2:
            yield f"residual {seed}", residual_stream(seed).data
        else:
            yield f"random {seed}", random_stream(seed).data


def whole_streams(count: int, first: int, tally: Tally) -> None:
    for batch in tally.while_there_is_time(batches(count, first)):
        with tempfile.TemporaryDirectory() as folder:
            expected: list[tuple[str, Path, Verdict]] = []
            for number, (name, data) in enumerate(tally.while_there_is_time(batch)):
                found = tally.verdict(name, data)
                if found is None:
                    continue
                if found.judgement != "sound":
                    tally.differs(f"{name}: legal, but {found.judgement}")
                for backend in WHOLE_CLIP_BACKENDS:
                    tally.counts[f"by {backend}"] += 1
                    if not np.array_equal(audio_gs.decode(data, backend=backend)[0][:MOST], found.pcm[:MOST]):
                        tally.differs(f"{name}: other samples in {backend}")
                path = Path(folder) / f"{number}.gs"
                path.write_bytes(data)
                expected.append((name, path, found))
            if NODE:
                by_node(expected, tally)
            random_stream.cache_clear()
            residual_stream.cache_clear()


def by_node(expected: list[tuple[str, Path, Verdict]], tally: Tally) -> None:
    script = ROOT / "tests" / "web" / "judge_streams.mjs"
    command = [str(NODE), str(script), str(wasm_folder()), *(str(path) for _, path, _ in expected)]
    answers = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    for (name, _, found), line in zip(expected, answers, strict=True):
        tally.counts["by WebAssembly"] += 1
        answer = json.loads(line)
        wanted = {"error": None, "samples": len(found.pcm), "hash": hashlib.sha256(found.pcm.tobytes()).hexdigest()}
        if answer != wanted:
            tally.differs(f"{name}: {answer} in WebAssembly")


def batches(count: int, first: int) -> Iterator[list[tuple[str, bytes]]]:
    streams = random_streams(count, first)
    while batch := list(itertools.islice(streams, STREAMS_OF_NODE)):
        yield batch


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Compares what all decoders make of streams and of damage to them.")
    parser.add_argument("study", choices=("cuts", "flips", "random"))
    parser.add_argument("what", nargs="*", help="streams; for random their number")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="every N'th byte or bit alone [1]")
    parser.add_argument("--page-every", type=int, default=100, metavar="N", help="cases of the decoder of SPEC [100]")
    parser.add_argument("--first-seed", type=int, default=0, metavar="N", help="of random [0]")
    parser.add_argument("--numba-every", type=int, default=1, metavar="N", help="cases of Numba [1]")
    parser.add_argument("--seconds", type=float, default=1e9, metavar="S", help="stop after that [never]")
    options = parser.parse_intermixed_args(arguments)
    tally = Tally(options.numba_every, options.page_every, options.seconds)
    if options.study == "random":
        if len(options.what) != 1 or not options.what[0].isdigit():
            parser.error("random takes the number of streams")
        whole_streams(int(options.what[0]), options.first_seed, tally)
        return tally.report()
    everything = [*sorted(FOLDER.glob("*.bin")), *sorted(EDGES.glob("*.gs"))]
    given = [Path(name) for name in options.what]
    if options.study == "cuts":
        cuts(given or everything, options.every, tally)
    else:
        flips(given or [FOLDER / name for name in TEN], options.every, tally)
    return tally.report()


if __name__ == "__main__":
    sys.exit(main())
