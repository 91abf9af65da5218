"""The commands on streams with two channels."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result
from make_vectors import STEREO_FOLDER

import audio_gs
from audio_gs.cli import gs_decode, gs_edit, gs_info, gs_verify

NOISE = STEREO_FOLDER / "noise-22.bin"
DIRECTION = STEREO_FOLDER / "direction-20.bin"


def call(program: object, *arguments: object) -> Result:
    return CliRunner().invoke(program.command, [str(argument) for argument in arguments], standalone_mode=False)  # type: ignore[attr-defined]


@pytest.mark.parametrize("stream", [NOISE, DIRECTION])
def test_decoding_writes_both_or_the_mid(stream: Path, tmp_path: Path) -> None:
    data = stream.read_bytes()
    both, mid = tmp_path / "both.wav", tmp_path / "mid.wav"
    assert call(gs_decode, stream, "-o", both, "-q").return_value == 0
    assert call(gs_decode, stream, "-o", mid, "-q", "--mono", "--backend", "numba").return_value == 0
    np.testing.assert_array_equal(soundfile.read(both, dtype="int16")[0], audio_gs.decode(data)[0])
    np.testing.assert_array_equal(soundfile.read(mid, dtype="int16")[0], audio_gs.decode(data, mono=True)[0])
    assert audio_gs.decode(data)[0].shape == (audio_gs.info(data).header.samples, 2)


def test_what_precedes_damage_has_two_channels(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.gs"
    damaged.write_bytes(NOISE.read_bytes()[:-40])
    assert call(gs_decode, damaged, "-o", tmp_path / "kept.wav", "--partial", "-q").return_value == 3
    kept, _ = soundfile.read(tmp_path / "kept.wav", dtype="int16")
    np.testing.assert_array_equal(kept, audio_gs.decode(NOISE.read_bytes())[0][: len(kept)])
    assert len(kept) > 100


def test_info_and_verify() -> None:
    shown = call(gs_info, NOISE).stdout
    assert "2, direction " in shown
    assert "377 side amplitudes, 13 side weights, 4 pan weights" in shown
    facts = json.loads(call(gs_info, NOISE, "--json").stdout)
    assert facts["sides"] == {"side_amplitude": 377, "side_weight": 13, "pan_weight": 4}
    panning = audio_gs.info(NOISE.read_bytes()).header.panning
    assert panning is not None
    assert (facts["channels"], facts["panning"]) == (2, dataclasses.asdict(panning))
    _, *facts_of_one_direction = call(gs_info, DIRECTION).stdout.splitlines()
    assert "side" not in "".join(facts_of_one_direction)
    assert call(gs_verify, DIRECTION).return_value == 0


def test_what_takes_one_channel_says_so(tmp_path: Path) -> None:
    result = call(gs_edit, NOISE, "-o", tmp_path / "new.gs", "--step", "scale: {gain_db: -6}")
    assert result.return_value != 0
    assert "it has two channels, and edits are of one; encode the sound in mono" in result.output
    with pytest.raises(ValueError, match="one channel, and the stream has two; choose one of c, numba"):
        audio_gs.decode(NOISE.read_bytes(), backend="torch" if "torch" in audio_gs.backends.names() else "onnx")


def test_a_decoder_gives_both_unless_told_otherwise() -> None:
    data = NOISE.read_bytes()
    for backend in audio_gs.backends.streaming():
        both, mid = audio_gs.StreamDecoder(data, backend), audio_gs.StreamDecoder(data, backend, mono=True)
        assert (both.channels, mid.channels) == (2, 1)
        assert both.read(100).shape == (100, 2)
        assert mid.read(100).shape == (100,)
