"""Metrics of clips at another pitch or tempo, on sounds whose warped versions are known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from audio_gs.bench import warped

RATE = 16000
Samples = npt.NDArray[np.float64]


def chirps(pitch: float = 1.0, tempo: float = 1.0, rough: float = 0.0, rate: int = RATE) -> Samples:
    """Partials that glide, at a pitch and a tempo; `rough` is how much a modulation at 40 Hz changes them by."""
    time = np.arange(round(rate / tempo)) / rate
    clip = time * tempo
    turns = (300 * clip + 60 * clip**2) * pitch / tempo
    waves = sum(np.cos(2 * np.pi * partial * turns) / partial for partial in range(1, 6))
    return np.asarray(0.1 * waves * (1 + rough * np.cos(2 * np.pi * 40 * time)))


@pytest.mark.parametrize(("pitch", "tempo"), [(1.0, 1.0), (1.5, 1.0), (0.7, 1.0), (1.0, 0.625), (1.0, 1.5)])
def test_the_ideal_is_near_and_anything_else_is_not(pitch: float, tempo: float) -> None:
    played = chirps(pitch, tempo)
    assert warped.log_mel_distance(played, RATE, chirps(), RATE, pitch, tempo) < 0.6
    assert warped.log_mel_distance(played, RATE, chirps(), RATE, pitch * 1.1, tempo) > 3
    assert warped.log_mel_distance(np.roll(played, 4000), RATE, chirps(), RATE, pitch, tempo) > 1


def test_the_reference_may_have_another_rate() -> None:
    assert warped.log_mel_distance(chirps(), RATE, chirps(rate=2 * RATE), 2 * RATE, 1.0, 1.0) < 0.6


def test_distance_is_that_of_levels() -> None:
    assert warped.log_mel_distance(0.5 * chirps(), RATE, chirps(), RATE, 1.0, 1.0) == pytest.approx(6.02, abs=0.3)


def test_roughness_grows_by_what_is_modulated() -> None:
    steady, rough, rougher = (warped.roughness(chirps(rough=by), RATE) for by in (0.0, 0.1, 0.2))
    assert rough > steady + 3
    assert rougher - rough == pytest.approx(6, abs=1)
    assert abs(warped.roughness(chirps(1.5, rough=0.2), RATE, pitch=1.5) - rougher) < 1


def test_the_table(tmp_path, capsys) -> None:  # type: ignore[no-untyped-def]
    soundfile.write(tmp_path / "clip.wav", chirps(), RATE)
    warped.main([f"{tmp_path}/clip.wav:6:speech"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:4]] == ["clip", "mean"]
    assert lines[2].count("/") == 2 * (len(warped.PITCHES) + len(warped.LENGTHS))
    assert [line.split(":")[0] for line in lines[4:]] == ["mean of pitch", "mean of tempo"]
