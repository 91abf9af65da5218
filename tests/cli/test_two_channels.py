"""The commands on streams with two channels."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result
from make_vectors import STEREO_FOLDER

import audio_gs
from audio_gs.cli import gs_decode, gs_edit, gs_info, gs_verify
from audio_gs.gaussians import pans
from audio_gs.picture import colours_of_pans, draw_clip

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
    place = facts["direction"] / 64 - 1
    assert f"of 128 (pan {'+' if place > 0 else '-'}" in shown
    assert re.search(r"pans, 5 to 95 % *tones [-+]\d\.\d\d to [-+]\d\.\d\d, half below [-+]\d\.\d\d; noises", shown)
    of_tones = pans(audio_gs.read_gaussians(NOISE.read_bytes()), audio_gs.info(NOISE.read_bytes()).header)["tone"]
    np.testing.assert_allclose(facts["pans"]["tone"], np.percentile(of_tones, (5, 50, 95)), atol=1e-3)
    _, *facts_of_one_direction = call(gs_info, DIRECTION).stdout.splitlines()
    assert not re.search("side|pans", "".join(facts_of_one_direction))
    assert call(gs_verify, DIRECTION).return_value == 0


def test_edits_of_both(tmp_path: Path) -> None:
    right = tmp_path / "right.gs"
    assert call(gs_edit, NOISE, "-o", right, "-q", "--step", "pan: {position: 1}").return_value == 0
    both = audio_gs.decode(right.read_bytes())[0]
    np.testing.assert_array_equal(both[:, 1], audio_gs.decode(NOISE.read_bytes(), mono=True)[0])
    assert not both[:, 0].any()
    assert "pan" in call(gs_edit, NOISE, "--list").output.splitlines()[1]


def test_every_backend_gives_both() -> None:
    data = NOISE.read_bytes()
    expected = audio_gs.decode(data)[0].astype(np.float64)
    for backend in audio_gs.backends.names():
        if backend not in audio_gs.backends.left_out():
            got = audio_gs.decode(data, backend=backend)[0]
            assert got.shape == expected.shape
            if audio_gs.backends.load(backend).exact:
                np.testing.assert_array_equal(got, expected)


def test_a_decoder_gives_both_unless_told_otherwise() -> None:
    data = NOISE.read_bytes()
    for backend in audio_gs.backends.streaming():
        both, mid = audio_gs.StreamDecoder(data, backend), audio_gs.StreamDecoder(data, backend, mono=True)
        assert (both.channels, mid.channels) == (2, 1)
        assert both.read(100).shape == (100, 2)
        assert mid.read(100).shape == (100,)


def test_left_and_right_are_drawn(tmp_path: Path) -> None:
    """The picture is as much higher as it has more rows."""
    data = NOISE.read_bytes()
    header, gaussians = audio_gs.info(data).header, audio_gs.read_gaussians(data)
    both = audio_gs.decode(data)[0] / 32768
    draw_clip(tmp_path / "both.png", both, both, header, gaussians, "clip")
    draw_clip(tmp_path / "mid.png", both[:, 0], both[:, 0], header, gaussians, "clip")
    of_one = dataclasses.replace(header, channels=1, panning=None)
    draw_clip(tmp_path / "one.png", both[:, :1], both[:, :1], of_one, gaussians, "clip")
    heights = [int.from_bytes((tmp_path / f"{name}.png").read_bytes()[20:24], "big") for name in ("both", "mid", "one")]
    assert heights[0] > 1.5 * heights[1] == 1.5 * heights[2]
    assert (tmp_path / "mid.png").read_bytes() != (tmp_path / "one.png").read_bytes()
    left, middle, right = colours_of_pans(np.array([-1.0, 0.0, 1.0]))
    assert left[0] > 2 * left[2]
    assert right[2] > 2 * right[0]
    assert np.ptp(middle) == 0
