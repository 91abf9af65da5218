"""What sources play in simulated scenes: sounds made from nothing but a seed, or stretches of audio files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soxr

from audio_gs import audio_io
from audio_gs.errors import SceneError

from .scene import Array

_LEAST_SHARE = 0.3
"""Of the file's RMS that a stretch must have, so that no clip is a pause."""
_TRIES = 100
_FORMANT_HZ = 120.0
_FORMANT_LEVELS = np.array([1.0, 0.5, 0.25])
_LEAST_LEVEL = 0.01
_DECAYED = 9.0
"""Time constants after which a partial is over."""


def made_sounds(clips: int, samples: int, rate: int, random: np.random.Generator) -> Array:
    """Clips of RMS 1, shape (clips, samples): every other one like speech, the others like plucked strings."""
    kinds = (_voice, _plucks)
    return np.stack([_levelled(kinds[number % 2](samples, rate, random)) for number in range(clips)])


def cut_sounds(files: Sequence[Path], clips: int, samples: int, rate: int, random: np.random.Generator) -> Array:
    """Clips of RMS 1, shape (clips, samples), from the files in turn.

    Raises SceneError for a file that is shorter than a clip, AudioInputError for what is no audio.
    """
    whole = []
    for file in files:
        clip = audio_io.load(file)
        sound = soxr.resample(clip.samples, clip.sample_rate, rate)
        if len(sound) < samples:
            raise SceneError(
                f"{file} lasts {len(sound) / rate:.2f} s, and clips {samples / rate:.2f}; give a longer one"
            )
        whole.append(sound)
    return np.stack([_levelled(_stretch(whole[number % len(whole)], samples, random)) for number in range(clips)])


def _stretch(sound: Array, samples: int, random: np.random.Generator) -> Array:
    wanted = _LEAST_SHARE * float(np.sqrt((sound**2).mean()))
    for _ in range(_TRIES):
        start = int(random.integers(len(sound) - samples + 1))
        cut = sound[start : start + samples]
        if np.sqrt((cut**2).mean()) > wanted:
            break
    return cut


def _levelled(sound: Array) -> Array:
    return sound / max(float(np.sqrt((sound**2).mean())), 1e-9)


def _voice(samples: int, rate: int, random: np.random.Generator) -> Array:
    """Syllables of a gliding voice with three formants each, and a hiss after some of them."""
    sound = np.zeros(samples)
    start = -0.1 * random.random()
    while start < samples / rate:
        length = random.uniform(0.12, 0.3)
        after = np.arange(round(length * rate)) / rate
        pitch = random.uniform(90, 230) * 2 ** (random.uniform(-0.4, 0.4) * after)
        phase = 2 * np.pi * np.cumsum(pitch) / rate
        formants = [random.uniform(300, 900), random.uniform(900, 2400), random.uniform(2400, 3500)]
        syllable = np.zeros(len(after))
        for harmonic in range(1, int(0.45 * rate / pitch.max())):
            distances = (harmonic * pitch.mean() - np.array(formants)) / _FORMANT_HZ
            level = float((_FORMANT_LEVELS / (1 + distances**2)).sum()) + _LEAST_LEVEL
            syllable += level * np.sin(harmonic * phase + random.uniform(0, 2 * np.pi))
        _add(sound, syllable * _envelope(after, length, 0.02, 0.05), start, rate)
        start += length
        length = random.uniform(0.03, 0.12)
        after = np.arange(round(length * rate)) / rate
        hiss = np.diff(random.standard_normal(len(after) + 1)) * _envelope(after, length, 0.01, 0.02)
        _add(sound, random.uniform(0.05, 0.3) * hiss, start, rate)
        start += length + random.uniform(0, 0.08)
    return sound


def _plucks(samples: int, rate: int, random: np.random.Generator) -> Array:
    """Notes of decaying partials, the higher the sooner gone, each with a tap."""
    sound = np.zeros(samples)
    start = -0.2 * random.random()
    while start < samples / rate:
        after = np.arange(samples) / rate
        pitch = 110 * 2 ** (random.integers(0, 36) / 12)
        note = np.exp(-after * 150) * random.standard_normal(samples)
        for partial in range(1, int(0.45 * rate / pitch)):
            decay = 3 + 1.2 * partial
            heard = after[: round(min(_DECAYED / decay * rate, samples))]
            wave = np.sin(2 * np.pi * pitch * partial * heard + random.uniform(0, 2 * np.pi))
            note[: len(heard)] += np.exp(-heard * decay) / partial * wave
        _add(sound, note, start, rate)
        start += random.uniform(0.1, 0.4)
    return sound


def _envelope(after: Array, length: float, attack: float, release: float) -> Array:
    return np.clip(np.minimum(after / attack, (length - after) / release), 0, 1)


def _add(sound: Array, part: Array, start: float, rate: int) -> None:
    """Add a part that begins at `start` seconds, as far as it lies in the sound."""
    first = round(start * rate)
    low, high = max(first, 0), min(first + len(part), len(sound))
    if low < high:
        sound[low:high] += part[low - first : high - first]
