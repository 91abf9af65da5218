"""The decoder that SPEC alone made gives what the others give, and shares nothing with them."""

from __future__ import annotations

import ast
import random
import struct
import subprocess
import sys
import wave
import zlib
from pathlib import Path

import pytest
from decoders import common_verdict
from make_vectors import FOLDER
from spec_decoder.changed import ChangedDecoder
from spec_decoder.container import read_header
from spec_decoder.cost import peak_macs
from spec_decoder.integers import StreamError
from spec_decoder.playback import Decoder, decode

import audio_gs
from audio_gs.backends import open_decoder

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "conformance" / "spec_decoder"
LINES = [line.split() for line in (FOLDER / "manifest.txt").read_text().splitlines() if not line.startswith("#")]
VECTORS = [
    pytest.param(*line[:3], id=line[0], marks=[pytest.mark.long] if line[0].startswith(("music", "sfx")) else [])
    for line in LINES
]
"""Fitted clips of music and effects take it longer than all others together."""
SEEKABLE = ("random-877.bin", "random-54.bin", "residual-713.bin", "random-113.bin")
SMALL = ("random-877.bin", "random-126.bin", "random-52.bin", "residual-610.bin", "residual-713.bin", "random-54.bin")


def stream(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def packed(samples: list[int]) -> bytes:
    return struct.pack(f"<{len(samples)}h", *samples)


@pytest.mark.parametrize(("name", "samples", "crc"), VECTORS)
def test_vector(name: str, samples: str, crc: str) -> None:
    pcm = decode(stream(name))
    assert len(pcm) == int(samples)
    assert f"{zlib.crc32(packed(pcm)):08x}" == crc


@pytest.mark.parametrize("name", [line[0] for line in LINES if int(line[1]) < 10_000])
def test_cost_is_what_the_header_promises(name: str) -> None:
    assert peak_macs(stream(name)) == read_header(stream(name)).peak_macs


def test_it_imports_nothing_but_the_standard_library() -> None:
    modules = list(PACKAGE.glob("*.py"))
    assert len(modules) > 8
    for module in modules:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            assert all(name.split(".")[0] in sys.stdlib_module_names for name in names), (module.name, names)


@pytest.mark.parametrize("name", SEEKABLE)
def test_samples_after_a_jump(name: str) -> None:
    data = stream(name)
    whole = decode(data)
    decoder = Decoder(data)
    draw = random.Random(name)
    for sample in (0, len(whole), *(draw.randrange(len(whole)) for _ in range(5))):
        decoder.seek(sample)
        assert decoder.read(150) == whole[sample : sample + 150]


@pytest.mark.parametrize(("name", "macs"), [("random-54.bin", 20), ("random-90.bin", 3), ("random-877.bin", 0)])
def test_budget_and_loop(name: str, macs: int) -> None:
    data = stream(name)
    ours, theirs = Decoder(data), audio_gs.StreamDecoder(data)
    ours.budget = macs
    theirs.set_budget(macs)
    if theirs.header.loop:
        ours.loop = True
        theirs.set_loop(True)
    for count in (100, 1000, 900):
        assert ours.read(count) == theirs.read(count).tolist()
    assert ours.position == theirs.position


@pytest.mark.parametrize("name", SMALL)
def test_damage_is_judged_alike(name: str) -> None:
    """Cut and flipped in a sample of places: same error, after the same samples."""
    draw = random.Random(name)
    data = stream(name)
    size = read_header(data).size
    damaged = [data[: draw.randrange(len(data))] for _ in range(4)]
    damaged += [data + b"\0", data[: size - 1]]
    for place in (*(draw.randrange(8 * size) for _ in range(2)), *(draw.randrange(8 * len(data)) for _ in range(4))):
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        damaged.append(bytes(flipped))
    for each in damaged:
        expected = common_verdict(each)
        judgement = "sound"
        pcm: list[int] = []
        try:
            decoder = Decoder(each)
            while len(pcm) < 1 << 16 and (piece := decoder.read(1 << 12)):
                pcm += piece
        except StreamError as error:
            judgement = error.name
        assert (judgement, packed(pcm)) == (expected.judgement, expected.pcm.tobytes())


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-S", str(ROOT / "conformance" / "decode.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_command(tmp_path: Path) -> None:
    name, samples, crc, _ = next(line for line in LINES if line[0] == "random-877.bin")
    out = tmp_path / "out.wav"
    assert run(FOLDER / name, out).returncode == 0
    with wave.open(str(out)) as sound:
        assert sound.getnframes() == int(samples)
        assert f"{zlib.crc32(sound.readframes(int(samples))):08x}" == crc
    assert "promised" in run(FOLDER / name, "--cost").stdout
    assert run(FOLDER / name).returncode == 2


def test_command_on_damage(tmp_path: Path) -> None:
    cut, out = tmp_path / "cut.gs", tmp_path / "out.raw"
    cut.write_bytes(stream("random-877.bin")[:560])
    failed = run(cut, out)
    assert failed.returncode == 3
    assert "corrupt" in failed.stderr
    assert list(tmp_path.iterdir()) == [cut]
    assert run(cut, out, "--partial").returncode == 3
    kept = out.read_bytes()
    assert 0 < len(kept) < 2 * 934
    assert kept == packed(decode(stream("random-877.bin")))[: len(kept)]
    (tmp_path / "no.gs").write_text("no stream")
    assert run(tmp_path / "no.gs", tmp_path / "no.raw", "--partial").returncode == 3
    assert not (tmp_path / "no.raw").exists()


@pytest.mark.parametrize("name", ["random-877.bin", "residual-713.bin", "random-54.bin", "residual-610.bin"])
@pytest.mark.parametrize("seed", [1, 2])
def test_changed_playback(name: str, seed: int) -> None:
    """Gain, fades, muting and pitch, set between any two samples."""
    draw = random.Random(f"{name} {seed}")
    ours, theirs = ChangedDecoder(stream(name)), open_decoder(stream(name), "c")
    bits = {"tone": 1, "noise": 2, "residual": 4}
    for _ in range(6):
        count = draw.randrange(1, 600)
        assert ours.read(count) == theirs.read(count).tolist()
        pitch, gain, fade = draw.randrange(8192, 32769), draw.randrange(32768), draw.choice([0, draw.randrange(2000)])
        kinds, low = {kind for kind in bits if draw.random() < 0.25}, draw.randrange(3000)
        ours.set_pitch(pitch)
        theirs.set_pitch(pitch)
        ours.set_gain(gain, fade)
        theirs.set_fade(gain, fade)
        ours.set_mute(kinds, low, 2 * low)
        theirs.set_mute(sum(bits[kind] for kind in kinds), low, 2 * low)


def test_settings_out_of_range() -> None:
    decoder = ChangedDecoder(stream("random-877.bin"))
    for pitch in (8191, 32769):
        with pytest.raises(ValueError):
            decoder.set_pitch(pitch)
    for gain, fade in ((32768, 0), (-1, 0), (0, 1 << 31)):
        with pytest.raises(ValueError):
            decoder.set_gain(gain, fade)
    for kinds, low, high in (({"tones"}, 0, 0), ({"tone"}, 2, 1), ({"tone"}, 0, 65536)):
        with pytest.raises(ValueError):
            decoder.set_mute(kinds, low, high)
    assert decoder.read(2000) == decode(stream("random-877.bin"))
