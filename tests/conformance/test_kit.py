"""The conformance kit: every decoder here passes it, and its checker lets no wrong one pass."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import check
import make_kit
import pytest
from decoders import WHOLE_CLIP_BACKENDS, common_verdict
from make_vectors import FOLDER as VECTORS

import audio_gs

ROOT = Path(__file__).parents[2]
ALL = check.vectors()
SMALL = [vector for vector in ALL if not vector["name"].startswith("valid/")]
"""Those of tests/vectors are decoded elsewhere."""
SPEC_DECODER = f"{shlex.quote(sys.executable)} -S {shlex.quote(str(ROOT / 'conformance' / 'decode.py'))}"


def ids(vectors: list[dict[str, Any]]) -> list[str]:
    return [vector["name"] for vector in vectors]


@pytest.mark.parametrize("vector", SMALL, ids=ids(SMALL))
def test_every_decoder_gives_what_is_expected(vector: dict[str, Any]) -> None:
    data = check.stream_of(vector).read_bytes()
    judgement, pcm = common_verdict(data)
    assert judgement == (vector["error"] or "sound")
    assert len(pcm) == vector["samples"]
    assert f"{zlib.crc32(pcm.tobytes()):08x}" == vector["pcm"]
    for backend in WHOLE_CLIP_BACKENDS if vector["error"] is None else ():
        assert (audio_gs.decode(data, backend=backend)[0] == pcm).all()
    described = make_kit.described(vector["name"], vector["path"], data)
    assert described == vector


def test_the_list_is_of_what_is_there() -> None:
    listed = sorted(check.stream_of(vector).resolve() for vector in ALL)
    there = [*make_kit.FOLDER.glob("*/*.gs"), *VECTORS.glob("*.bin")]
    assert listed == sorted(path.resolve() for path in there)
    for kind in ("edge", "faulty", "valid"):
        assert sum(vector["name"].startswith(f"{kind}/") for vector in ALL) > 40
    valid = {vector["name"]: vector["pcm"] for vector in ALL if vector["name"].startswith("valid/")}
    manifest = (VECTORS / "manifest.txt").read_text().splitlines()[1:]
    assert valid == {f"valid/{Path(line.split()[0]).stem}": line.split()[2] for line in manifest}


def test_the_script_makes_the_streams() -> None:
    for kind, streams in (("edge", make_kit.edges()), ("faulty", make_kit.faults())):
        made = dict(streams)
        assert sorted(made) == sorted(path.stem for path in (make_kit.FOLDER / kind).glob("*.gs"))
        for name, data in made.items():
            assert (make_kit.FOLDER / kind / f"{name}.gs").read_bytes() == data, name


def checked(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "conformance" / "check.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_checker_passes_the_decoder_of_the_page() -> None:
    done = checked(
        *("--decoder", f"{SPEC_DECODER} {{in}} {{out}}", "--partial", f"{SPEC_DECODER} --partial {{in}} {{out}}"),
        *("--unsupported", "unsupported", "--only", "edge/slot-|faulty/segment-c|valid/random-25"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "vectors passed" in done.stdout


def python(code: str) -> str:
    """A decoder of one line of Python that has IN and OUT."""
    program = f"import os, sys; IN, OUT = sys.argv[1:]; {code}"
    return f"{shlex.quote(sys.executable)} -S -c {shlex.quote(program)} {{in}} {{out}}"


@pytest.mark.parametrize(
    ("code", "only", "says"),
    [
        ("open(OUT, 'wb').write(bytes(2 * 1500))", "edge/slot-32$", "other samples"),
        ("open(OUT, 'wb').write(bytes(3))", "edge/slot-32$", "1.5 samples instead of 1500"),
        ("open(OUT, 'wb').write(b'RIFF')", "edge/slot-32$", "no WAV file"),
        ("pass", "edge/slot-32$", "no file was written"),
        ("sys.exit('bad')", "edge/slot-32$", "refused with exit code 1: bad"),
        ("pass", "faulty/segment-crc$", "not refused"),
        ("open(OUT, 'wb'); sys.exit(3)", "faulty/segment-crc$", "a file was left"),
        ("os.kill(os.getpid(), 9)", "faulty/segment-crc$", "ended by a signal"),
        ("sys.exit('corrupt')", "faulty/header-version-2", "the decoder says: corrupt"),
        ("import time; time.sleep(60)", "faulty/empty", "took more than 1 s"),
    ],
)
def test_checker_finds(code: str, only: str, says: str) -> None:
    done = checked("--decoder", python(code), "--only", only, "--timeout", "1", "--unsupported", "unsupported")
    assert done.returncode == 1
    assert says in done.stdout
    assert "0 of 1 vectors passed" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("--decoder", "decode {in}"),
        ("--decoder", "decode '{in} {out}"),
        ("--decoder", "decode {in} {out} {rate}"),
        ("--decoder", "there-is-no-such-decoder {in} {out}"),
        ("--decoder", "decode {in} {out}", "--only", "no such vector"),
        ("--decoder", "decode {in} {out}", "--only", "("),
    ],
)
def test_checker_is_used_wrongly(arguments: tuple[str, ...]) -> None:
    done = checked(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.long
@pytest.mark.parametrize("backend", ["c", "numba"])
def test_checker_passes_the_command(backend: str) -> None:
    command = Path(sys.executable).parent / "gs-decode"
    done = checked(
        *("--decoder", f"{command} -q --backend {backend} {{in}} -o {{out}}", "--unsupported", "unsupported")
    )
    assert done.returncode == 0, done.stdout


def test_kit_is_small() -> None:
    assert sum(path.stat().st_size for path in make_kit.FOLDER.rglob("*") if path.is_file()) < 120_000
    assert json.loads(check.KIT.read_text(encoding="utf-8")) == ALL
