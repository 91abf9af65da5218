"""Training the table sets: what it writes, where, and that it leaves the package's own alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result
from demo_clips import NAMES, demo_stream

from audio_gs.codec.slots import coded_bits
from audio_gs.codec.tables import PRIORS_FILE, TABLE_SETS, priors, read_priors
from audio_gs.encoder import train_priors

RATE = 8000


def run(*arguments: object) -> Result:
    return CliRunner().invoke(train_priors.main, [str(argument) for argument in arguments])


@pytest.fixture
def clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to train on, so small that it takes a second."""
    monkeypatch.setattr(train_priors, "RATES", dict.fromkeys(TABLE_SETS, (6.0,)))
    for number, name in enumerate(TABLE_SETS):
        folder = tmp_path / "clips" / name
        folder.mkdir(parents=True)
        time_s = np.arange(RATE // 4) / RATE
        soundfile.write(folder / "clip.wav", 0.3 * np.sin(2 * np.pi * 300 * (number + 1) * time_s), RATE)
    return tmp_path / "clips"


def test_it_writes_what_the_tables_can_be_made_from(clips: Path, tmp_path: Path) -> None:
    own, output = PRIORS_FILE.read_bytes(), tmp_path / "new.json"
    result = run(clips, "--output", output, "--jobs", 1)
    assert result.exit_code == 0, result.output
    assert read_priors(output).shape == priors().shape
    assert PRIORS_FILE.read_bytes() == own


def test_it_writes_nowhere_unless_told(clips: Path, tmp_path: Path) -> None:
    own = PRIORS_FILE.read_bytes()
    result = run(clips)
    assert result.exit_code == 2
    assert "--output" in result.output
    assert PRIORS_FILE.read_bytes() == own


def test_it_overwrites_only_when_forced(clips: Path, tmp_path: Path) -> None:
    output = tmp_path / "new.json"
    output.write_text("mine")
    result = run(clips, "--output", output)
    assert result.exit_code == 1
    assert "-f overwrites it" in result.output
    assert "streams" not in result.output, "the work was done in vain"
    assert output.read_text() == "mine"
    assert run(clips, "--output", output, "-f", "--jobs", 1).exit_code == 0
    assert set(json.loads(output.read_text())) == set(TABLE_SETS)


def test_a_folder_without_clips_is_said_before_the_work(clips: Path, tmp_path: Path) -> None:
    (clips / "sfx" / "clip.wav").unlink()
    result = run(clips, "--output", tmp_path / "new.json")
    assert result.exit_code == 1
    assert "sfx holds no clips" in result.output
    assert not (tmp_path / "new.json").exists()


@pytest.mark.parametrize("name", NAMES)
def test_the_bits_of_a_stream_are_noted(name: str) -> None:
    data = demo_stream(name)
    notes = coded_bits(data)
    contexts = priors().shape[1]
    assert notes and all(0 <= index < contexts for index in notes)
    assert {bit for bits in notes.values() for bit in bits} == {-1, 0, 1}
    assert sum(bit >= 0 for bits in notes.values() for bit in bits) > 2 * len(data)


def test_the_best_prior_is_near_the_bits() -> None:
    ones = np.array([1] * 60 + [-1] + [1] * 60, np.int8)
    assert train_priors.best_prior(ones) >> 2 == 63
    assert train_priors.best_prior(1 - np.maximum(ones, 0)) >> 2 == 0
