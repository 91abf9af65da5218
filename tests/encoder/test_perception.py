"""The perceptual distance that the encoder measures its choices by."""

from __future__ import annotations

import math

import numpy as np
import pytest
from demo_clips import demo

from audio_gs.encoder.control.quality import HIGHEST_QUALITY, distance_at, quality_at
from audio_gs.encoder.perception import Listener

RATE = 16000
TIME = np.arange(RATE) / RATE
FADES = np.minimum(1.0, 10 * np.minimum(TIME, TIME[::-1]))
TONE = 8000 * FADES * np.sin(2 * np.pi * 500 * TIME)
WHISTLE = 8000 * FADES * np.sin(2 * np.pi * 6000 * TIME)


def noise(seed: int = 1) -> np.ndarray:
    return 1000 * np.random.default_rng(seed).standard_normal(RATE)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100, 48000])
@pytest.mark.parametrize("samples", [1, 2, 100, 20000])
def test_nothing_is_nearer_than_the_clip_itself(rate: int, samples: int) -> None:
    signal = 3000 * np.random.default_rng(2).standard_normal(samples)
    listener = Listener(signal, rate)
    assert listener.distance(signal) == 0
    assert listener.distance(np.zeros(samples)) == pytest.approx(1)
    assert 0 < listener.distance(0.5 * signal) < 1


def test_more_noise_is_further_away() -> None:
    clip = demo("speech")[0][:16000] * 32768
    listener = Listener(clip, 8000)
    hiss = np.random.default_rng(1).standard_normal(len(clip))
    distances = [listener.distance(clip + level * hiss) for level in (0.1, 1, 10, 100, 1000)]
    assert distances == sorted(distances)


def test_phase_is_not_heard_but_level_and_frequency_are() -> None:
    listener = Listener(noise(1), RATE)
    assert listener.distance(noise(2)) < 0.25
    assert listener.distance(2 * noise(2)) > 1.2 * listener.distance(noise(2))
    tone = Listener(TONE, RATE)
    moved, pitched = (8000 * FADES * np.sin(2 * np.pi * hz * TIME + phase) for hz, phase in ((500, 1), (600, 0)))
    assert tone.distance(moved) < 0.05 < tone.distance(pitched)


def test_what_is_too_faint_to_hear_is_not_heard() -> None:
    listener = Listener(TONE, RATE)
    assert listener.distance(TONE + 1e-4 * WHISTLE) < 0.05 < listener.distance(TONE + 1e-2 * WHISTLE)


def test_the_unit_does_not_matter() -> None:
    clip = TONE + noise()
    assert Listener(clip, RATE).distance(TONE) == pytest.approx(Listener(clip / 32768, RATE).distance(TONE / 32768))


def test_silence() -> None:
    listener = Listener(np.zeros(RATE), RATE)
    assert listener.distance(np.zeros(RATE)) == 0
    assert listener.distance(TONE) == math.inf
    assert listener.loudness_above(100) == 0


def test_loudness_above_a_frequency() -> None:
    listener = Listener(TONE + 0.5 * WHISTLE, RATE)
    shares = [listener.loudness_above(hertz) for hertz in (0, 2000, 4000, 7500)]
    assert shares[0] == pytest.approx(1)
    assert shares == sorted(shares, reverse=True)
    assert shares[2] > 0.1 > shares[3]


def test_a_moment_is_enough_to_be_heard() -> None:
    clip = np.tile(TONE, 10)
    assert Listener(clip, RATE).loudness_above(5000) < 1e-3
    clip[40000:40400] += 0.1 * WHISTLE[5000:5400]
    assert Listener(clip, RATE).loudness_above(5000) > 0.05


def test_qualities_are_distances() -> None:
    for quality in (0, 0.5, 5, HIGHEST_QUALITY):
        assert quality_at(distance_at(quality)) == pytest.approx(quality)
    assert distance_at(6) < distance_at(5)
    assert [quality_at(distance) for distance in (0, 1, math.inf)] == [10, 0, 0]
