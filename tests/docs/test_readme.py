"""README and guides: their examples are complete, run as they stand, and do what they say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from demo_clips import FOLDER as DEMO
from demo_clips import demo

import audio_gs
from audio_gs.encoder import EncoderOptions

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DECODER = ROOT / "decoder_c"
VECTOR = ROOT / "tests" / "vectors" / "speech-6.bin"
START = ROOT / "docs" / "start" / "README.md"
COMMANDS = ROOT / "docs" / "guide" / "command_line.md"
STUDY = ROOT / "docs" / "guide" / "study.md"
PYTHON = ROOT / "docs" / "guide" / "python.md"
EDIT = ROOT / "docs" / "guide" / "edit.md"

needs_cc = pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler, cc")


def blocks(document: Path, language: str) -> list[str]:
    """The fenced blocks of a language, as they stand."""
    return re.findall(rf"^```{language}\n(.*?)^```$", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def run(arguments: list[str], folder: Path, stdin: bytes | None = None) -> bytes:
    """Standard output of a command with the commands of this environment; AssertionError if it fails."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    result = subprocess.run(arguments, cwd=folder, env=environment, input=stdin, capture_output=True)
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a short clip.wav and the clips of demo/."""
    samples, rate = demo("speech")
    soundfile.write(tmp_path / "clip.wav", samples[rate : rate + rate // 2], rate)
    (tmp_path / "demo").mkdir()
    shutil.copy(DEMO / "speech.flac", tmp_path / "demo")
    return tmp_path


def test_the_readmes_python_example_runs(folder: Path) -> None:
    [example] = blocks(README, "python")
    said = run([sys.executable, "-c", example], folder).decode()
    samples, rate = demo("speech")
    stream = (folder / "speech.gs").read_bytes()
    pcm, _ = audio_gs.decode(stream)
    np.testing.assert_array_equal(soundfile.read(folder / "speech.wav", dtype="int16")[0], pcm)
    assert len(stream) <= 6000 / 8 * len(samples) / rate
    assert said == f"{2 * len(samples)} bytes of samples, {len(stream)} bytes of stream\n"


def test_the_readmes_c_example_is_the_librarys() -> None:
    [example] = blocks(README, "c")
    assert example == (DECODER / "examples" / "readme.c").read_text(encoding="utf-8")


@needs_cc
def test_the_readmes_c_example_plays(tmp_path: Path) -> None:
    [example] = blocks(README, "c")
    (tmp_path / "example.c").write_text(example)
    strict = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror"]
    sources = [str(path) for path in sorted((DECODER / "src").glob("*.c"))]
    run(["cc", *strict, "-I", str(DECODER / "include"), "example.c", *sources, "-o", "example"], tmp_path)
    stream = VECTOR.read_bytes()
    played = run([str(tmp_path / "example")], tmp_path, stream)
    np.testing.assert_array_equal(np.frombuffer(played, np.int16), audio_gs.decode(stream)[0])


@pytest.mark.parametrize("document", (README, START, COMMANDS), ids=lambda path: path.parent.name + "/" + path.name)
def test_the_commands_run(document: Path, folder: Path) -> None:
    commands = blocks(document, "sh run")
    assert commands, f"{document.name} has no command to run"
    run(["bash", "-euo", "pipefail", "-c", "".join(commands)], folder)
    np.testing.assert_array_equal(
        soundfile.read(folder / "decoded.wav", dtype="int16")[0],
        audio_gs.decode((folder / "clip.gs").read_bytes())[0],
    )


def test_the_python_guide_runs(folder: Path) -> None:
    examples = blocks(PYTHON, "python run")
    assert len(examples) >= 4
    run([sys.executable, "-W", "error::UserWarning", "-c", "\n".join(examples)], folder)


def test_the_guide_to_editing_runs(tmp_path: Path) -> None:
    for name in ("clip.gs", "chime.gs"):
        (tmp_path / name).write_bytes(VECTOR.read_bytes())
    [commands], [script], [example] = (blocks(EDIT, language) for language in ("sh run", "yaml", "python run"))
    run(["bash", "-euo", "pipefail", "-c", commands], tmp_path)
    (tmp_path / "edits.yaml").write_text(script)
    assert "gs-edit clip.gs -o new.gs --script edits.yaml" in EDIT.read_text(encoding="utf-8")
    run(["gs-edit", "clip.gs", "-o", "new.gs", "--script", "edits.yaml"], tmp_path)
    before, after = (audio_gs.info((tmp_path / name).read_bytes()).header for name in ("clip.gs", "new.gs"))
    assert after.duration > 2 * before.duration
    assert (tmp_path / "higher.gs").stat().st_size > 1000
    read = "data = open('clip.gs', 'rb').read()\n"
    run([sys.executable, "-W", "error::UserWarning", "-c", read + example], tmp_path)


@pytest.mark.parametrize("document", (README, STUDY), ids=lambda path: path.name)
def test_the_study_is_a_configuration(document: Path, tmp_path: Path) -> None:
    [example] = blocks(document, "yaml")
    options = EncoderOptions(**yaml.safe_load(example), log_dir=str(tmp_path))
    assert options.refine_steps


def test_how_much_sound_fits() -> None:
    """The table in README: bytes are kbit/s times seconds, and nothing else."""
    rows = re.findall(r"^\| ([\d.]+) \| ([\d.]+) KB \| (\d+) \| (\d+) KB \|$", README.read_text(), re.MULTILINE)
    assert len(rows) >= 4
    for rate, prompt, prompts, minute in rows:
        a_second = float(rate) * 1000 / 8
        assert abs(float(prompt) - 3 * a_second / 1000) <= 0.051
        assert int(prompts) == int(65536 / (3 * a_second))
        assert abs(int(minute) - 60 * a_second / 1000) <= 0.51
