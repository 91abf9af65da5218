"""Which sounds may be voices, and so get the voices' preset unless another is clearly nearer."""

from __future__ import annotations

import numpy as np
import pytest
from demo_clips import demo

from audio_gs.encoder.control.voice import may_be_voice

RATE = 16000


def drum(beats_hz: float) -> np.ndarray:
    """Four seconds of bursts of noise that die away."""
    time = np.arange(4 * RATE) / RATE
    since_beat = time % (1 / beats_hz)
    return 8000 * np.random.default_rng(1).standard_normal(len(time)) * np.exp(-since_beat / 0.03)


def chord() -> np.ndarray:
    time = np.arange(4 * RATE) / RATE
    return 3000 * np.sin(2 * np.pi * np.outer((220.0, 277.2, 329.6), time)).sum(axis=0)


def test_speech_may_be_a_voice() -> None:
    samples, rate = demo("speech")
    assert may_be_voice(samples * 32768, rate)


@pytest.mark.parametrize(
    "sound",
    [drum(3.0), drum(8.0), chord(), np.zeros(RATE), np.full(RATE, 100.0), np.ones(3), np.zeros(0)],
    ids=["drum", "fast drum", "chord", "silence", "constant", "three samples", "nothing"],
)
def test_what_has_no_pauses_or_no_pitch_is_none(sound: np.ndarray) -> None:
    assert not may_be_voice(sound, RATE)
