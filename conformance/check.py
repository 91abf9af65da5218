"""Checks any decoder against the conformance kit.

    python conformance/check.py --decoder "COMMAND {in} {out}" [options]

COMMAND is run once for each vector, without a shell: {in} is a stream, {out} the file to write, WAV or bare 16-bit
little-endian samples (with --suffix .raw). Of a legal stream it must give exit code 0 and the samples; of a faulty one
another exit code, at once, and no file. Prints what differs, one line a vector. Exit code 0: all passed; 1: not all;
2: usage.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
import tempfile
import wave
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

KIT = Path(__file__).parent / "kit" / "kit.json"
ENDED_BY_A_SIGNAL = 128
"""Exit codes from here on are a shell's word for that."""

Vector = dict[str, Any]


def vectors(only: str = "") -> list[Vector]:
    """The entries of the kit whose names the pattern is found in."""
    return [entry for entry in json.loads(KIT.read_text(encoding="utf-8")) if re.search(only, entry["name"])]


def stream_of(vector: Vector) -> Path:
    return KIT.parent / vector["path"]


def read_samples(path: Path) -> tuple[bytes, int | None]:
    """The samples of a file as 16-bit little-endian PCM, and their rate if the file says it.

    Raises:
        ValueError: if the file is a WAV file of another format.
    """
    data = path.read_bytes()
    if data[:4] != b"RIFF":
        return data, None
    try:
        with wave.open(str(path)) as sound:
            if (sound.getnchannels(), sound.getsampwidth()) != (1, 2):
                raise ValueError(f"the WAV file has {sound.getnchannels()} channels of {sound.getsampwidth()} bytes")
            return sound.readframes(sound.getnframes()), sound.getframerate()
    except (wave.Error, EOFError) as error:
        raise ValueError(f"no WAV file of 16-bit samples: {error}") from error


def wrong_samples(vector: Vector, out: Path) -> str | None:
    if not out.is_file():
        return "no file was written"
    try:
        pcm, rate = read_samples(out)
    except ValueError as error:
        return str(error)
    if rate not in (None, vector["sample_rate"]):
        return f"the file says {rate} Hz, the stream {vector['sample_rate']}"
    if len(pcm) != 2 * vector["samples"]:
        return f"{len(pcm) / 2:g} samples instead of {vector['samples']}"
    if f"{zlib.crc32(pcm):08x}" != vector["pcm"]:
        return "other samples"
    return None


class Checker:
    """Runs the commands of one decoder."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments

    def fault(self, vector: Vector) -> str | None:
        """What is wrong about what the decoder makes of a vector; None if nothing is."""
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / f"out{self.arguments.suffix}"
            done = self._run(self.arguments.decoder, vector, out)
            if isinstance(done, str):
                return done
            if vector["error"] is None:
                if done.returncode:
                    return f"refused with exit code {done.returncode}: {_last_line(done.stderr)}"
                return wrong_samples(vector, out)
            if done.returncode == 0:
                return f"not refused, though {vector['error']}"
            if out.exists():
                return "refused, but a file was left"
            if self.arguments.unsupported:
                said = bool(re.search(self.arguments.unsupported, done.stderr.replace(str(stream_of(vector)), "")))
                if said != (vector["error"] == "unsupported"):
                    return f"is {vector['error']}, but the decoder says: {_last_line(done.stderr)}"
            if self.arguments.partial and vector["samples"]:
                done = self._run(self.arguments.partial, vector, out)
                return done if isinstance(done, str) else wrong_samples(vector, out)
        return None

    def _run(self, command: str, vector: Vector, out: Path) -> subprocess.CompletedProcess[str] | str:
        names = {"in": str(stream_of(vector)), "out": str(out)}
        words = [word.format_map(names) for word in shlex.split(command)]
        try:
            done = subprocess.run(
                words, capture_output=True, text=True, errors="replace", check=False, timeout=self.arguments.timeout
            )
        except subprocess.TimeoutExpired:
            return f"took more than {self.arguments.timeout:g} s"
        if done.returncode < 0 or done.returncode >= ENDED_BY_A_SIGNAL:
            return f"ended by a signal, exit code {done.returncode}"
        return done


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["nothing"])[-1]


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Checks any decoder against the conformance kit.", epilog="conformance/README.md says more."
    )
    parser.add_argument("--decoder", required=True, metavar="COMMAND", help="with {in} and {out}")
    parser.add_argument(
        "--partial",
        metavar="COMMAND",
        help="that writes the samples before the damage (SPEC P2), whatever its exit code",
    )
    parser.add_argument(
        "--unsupported",
        metavar="PATTERN",
        help="what standard error holds if, and only if, a stream is refused as unsupported",
    )
    parser.add_argument("--only", default="", metavar="PATTERN", help="vectors whose name it is found in")
    parser.add_argument("--suffix", default=".wav", help="of {out} [.wav]")
    parser.add_argument("--timeout", type=float, default=60, metavar="S", help="seconds a vector [60]")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="vectors at a time [1]")
    arguments = parser.parse_args()
    for command in filter(None, (arguments.decoder, arguments.partial)):
        try:
            whole = all(part in command for part in ("{in}", "{out}")) and shlex.split(
                command.format(**{"in": "a", "out": "b"})
            )
        except (ValueError, KeyError, IndexError):
            whole = []
        if not whole:
            parser.error(f"give a command with {{in}} and {{out}} and no other braces, not {command!r}")
    try:
        chosen = vectors(arguments.only)
    except re.error as error:
        parser.error(f"--only is no pattern: {error}")
    if not chosen:
        parser.error(f"no vector's name holds {arguments.only!r}")
    checker = Checker(arguments)
    failed = 0
    try:
        with ThreadPoolExecutor(max_workers=max(1, arguments.jobs)) as pool:
            for vector, fault in zip(chosen, pool.map(checker.fault, chosen), strict=True):
                if fault:
                    failed += 1
                    print(f"{vector['name']}: {fault}", flush=True)
    except OSError as error:
        parser.error(f"cannot run the decoder: {error}")
    print(f"{len(chosen) - failed} of {len(chosen)} vectors passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
