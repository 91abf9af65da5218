"""gs-decode for a listener."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result
from make_vectors import STEREO_FOLDER

import audio_gs
from audio_gs.cli import gs_decode

STREAM = Path(__file__).parents[1] / "vectors" / "random-54.bin"


def call(*arguments: object, is_whole: bool = False) -> Result:
    return CliRunner().invoke(gs_decode.command, [str(argument) for argument in arguments], standalone_mode=is_whole)


def test_angles_are_those_of_the_listener(tmp_path: Path) -> None:
    output = tmp_path / "heard.wav"
    angles = ("--azimuth", 60, "--elevation", 10, "--yaw", -20, "--head-pitch", 5, "--roll", 170)
    assert call(STREAM, "--binaural", *angles, "-o", output, "-q").return_value == 0
    listening = audio_gs.Listening(azimuth=60, elevation=10, yaw=-20, pitch=5, roll=170)
    expected, rate = audio_gs.decode(STREAM.read_bytes(), listening=listening)
    given, written = soundfile.read(output, dtype="int16")
    np.testing.assert_array_equal(given, expected)
    assert (written, expected.shape[1]) == (rate, 2)


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (["--yaw", "60"], "give that, too"),
        (["--binaural", "--head-pitch", "91"], "pitch of 91.0 degrees"),
        (["--binaural", "--gain-db", "-3"], "leave out"),
        (["--binaural", "--backend", "torch"], "numba"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[str], mend: str, tmp_path: Path) -> None:
    result = call(STREAM, *arguments, "-o", tmp_path / "out.wav", is_whole=True)
    assert result.exit_code == 2
    assert mend in result.output
    assert not list(tmp_path.iterdir())


def test_two_channels_have_no_listener(tmp_path: Path) -> None:
    result = call(STEREO_FOLDER / "direction-20.bin", "--binaural", "-o", tmp_path / "out.wav")
    assert result.return_value == 1
    assert not list(tmp_path.iterdir())
