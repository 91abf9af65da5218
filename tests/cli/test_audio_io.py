"""What may be encoded, what is refused, and what files give."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audio_gs import audio_io
from audio_gs.errors import AudioInputError

RATE = 16000
NOISE = np.random.default_rng(1).uniform(-0.5, 0.5, 400)


def test_floats_pass_unchanged() -> None:
    clip = audio_io.prepare(NOISE, RATE)
    np.testing.assert_array_equal(clip.samples, NOISE)
    assert (clip.sample_rate, clip.notices, clip.loop) == (RATE, (), None)


@pytest.mark.parametrize("dtype", [np.int16, np.int32])
def test_integers_have_the_full_scale_of_their_type(dtype: type[np.signedinteger]) -> None:
    clip = audio_io.prepare(np.array([np.iinfo(dtype).min, 0], dtype), RATE)
    np.testing.assert_array_equal(clip.samples, [-1.0, 0.0])


def test_two_channels_stay_two_unless_they_are_to_be_one() -> None:
    pair = np.column_stack([NOISE, -NOISE])
    clip = audio_io.prepare(pair, RATE)
    np.testing.assert_array_equal(clip.samples, pair)
    assert clip.notices == ()
    clip = audio_io.prepare(pair, RATE, mono=True)
    np.testing.assert_array_equal(clip.samples, np.zeros(len(NOISE)))
    assert clip.notices == ()


def test_more_channels_are_mixed_down_with_a_notice() -> None:
    clip = audio_io.prepare(np.column_stack([NOISE, -NOISE, 3 * NOISE]), RATE)
    np.testing.assert_allclose(clip.samples, NOISE)
    assert clip.notices == ("3 channels mixed down to one",)


@pytest.mark.parametrize(
    ("samples", "rate", "says"),
    [
        (np.zeros(0), RATE, "empty"),
        (np.zeros((0, 2)), RATE, "empty"),
        (np.array([0.0, np.nan, np.inf]), RATE, "2 samples are NaN or infinite, the first is sample 1"),
        (np.zeros((2, 2, 2)), RATE, "3 dimensions"),
        (np.zeros(4, np.uint8), RATE, "uint8"),
        (np.zeros(4, complex), RATE, "complex128"),
        (NOISE, 7999, "outside 8000..192000 Hz"),
        (NOISE, 192001, "outside 8000..192000 Hz"),
        (np.zeros((2, RATE)), RATE, f"{RATE} channels; .*transpose"),
        (np.zeros((4, 9)), RATE, "9 channels; .*transpose"),
        (np.zeros((1000, 65)), RATE, "65 channels; .*transpose"),
        (np.array([0.0, 1e300]), RATE, "reach 1e[+]300, and full scale is 1; divide"),
        (np.array([-32768.0, 3.0]), RATE, "reach 32768, and full scale is 1; divide"),
        (NOISE, 22050.5, "whole number"),
    ],
)
def test_unfit_audio_is_refused(samples: np.ndarray, rate: float, says: str) -> None:
    with pytest.raises(AudioInputError, match=says):
        audio_io.prepare(samples, rate)


@pytest.mark.parametrize("shape", [(8, 8), (2, 8), (65, 64), (1, 1)])
def test_channels_that_may_be_meant(shape: tuple[int, int]) -> None:
    assert len(audio_io.prepare(np.zeros(shape), RATE).samples) == shape[0]


def test_what_lies_beyond_full_scale_is_said() -> None:
    clip = audio_io.prepare(np.array([0.5, -2.0, 1.5, 1.0, -1.0]), RATE)
    assert clip.samples.min() == -2
    assert clip.notices == (
        "2 samples lie beyond full scale, by up to 6.02 dB, and will be clipped; multiply by 0.500 to keep them",
    )
    assert "1 sample lies" in audio_io.prepare(np.array([1.001]), RATE).notices[0]
    pair = np.column_stack([[2.0], [-2.0]])
    assert "2 samples lie" in audio_io.prepare(pair, RATE).notices[0]
    assert audio_io.prepare(pair, RATE, mono=True).notices == ()


@pytest.mark.parametrize("rate", [48001, 88200, 96000, 192000])
def test_high_rates_are_read(rate: int) -> None:
    assert audio_io.prepare(NOISE, rate).sample_rate == rate


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff"])
def test_formats(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"clip.{suffix}"
    tone = 0.5 * np.sin(np.arange(RATE) * 0.1)
    soundfile.write(path, tone, RATE)
    clip = audio_io.load(path)
    assert clip.sample_rate == RATE
    assert np.std(clip.samples) == pytest.approx(np.std(tone), rel=0.05)


@pytest.mark.parametrize(("content", "says"), [(b"", "empty"), (b"no audio", "cannot read it as audio")])
def test_unreadable_files(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "clip.wav"
    path.write_bytes(content)
    with pytest.raises(AudioInputError, match=says):
        audio_io.load(path)


@pytest.mark.parametrize("write", [audio_io.to_wav, audio_io.to_flac])
def test_written_samples_come_back(write: audio_io.Writer) -> None:
    pcm = np.array([-32768, -1, 0, 1, 32767], np.int16)
    back, rate = soundfile.read(io.BytesIO(write(pcm, RATE)), dtype="int16")
    np.testing.assert_array_equal(back, pcm)
    assert rate == RATE


def test_float_output_is_rounded_and_limited() -> None:
    np.testing.assert_array_equal(
        audio_io.to_pcm(np.array([0.4, -0.6, 4e4, -4e4])), np.array([0, -1, 32767, -32768], np.int16)
    )
