"""The clips of a folder, as they go into a bank: read, trimmed and brought to a loudness on request."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from audio_gs import audio_io
from audio_gs.audio_io import Clip, FloatArray
from audio_gs.encoder.control.sample_rate import audible_rate, kept_rate, position_at, resampled
from audio_gs.errors import AudioGsError

SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".mp3", ".aif", ".aiff")
_FULL_SCALE = 32768
_SILENCE_DB = -60.0
"""Under the clip's peak."""
_KEPT_SECONDS = 0.01
"""Of silence at both ends."""
_BLOCK_SECONDS = 0.4
"""Of ITU-R BS.1770; a shorter clip is one block."""
_HIGHEST_PEAK_DB = -1.0


@dataclasses.dataclass(frozen=True)
class Preparing:
    """What is done to clips before they are encoded."""

    trim: bool = False
    """Take silence away at both ends, but for 10 ms."""
    loudness: float | None = None
    """LUFS that each clip is brought to, as far as its peak stays under -1 dB."""


@dataclasses.dataclass(frozen=True)
class Sound:
    """A clip of a bank."""

    name: str
    """Its path in the folder, with slashes."""
    clip: Clip
    notices: tuple[str, ...]

    @property
    def seconds(self) -> float:
        return len(self.clip.samples) / self.clip.sample_rate

    @property
    def pcm_bytes(self) -> int:
        """Of its 16-bit samples."""
        return audio_io.SAMPLE_BYTES * len(self.clip.samples)

    def content_hash(self) -> str:
        """Stands for samples, rate and loop points."""
        total = hashlib.sha256(f"{self.clip.sample_rate} {self.clip.loop}".encode())
        total.update(self.clip.samples.tobytes())
        return total.hexdigest()


def find_sounds(folder: Path) -> list[str]:
    """The names of all audio files below a folder, sorted; what begins with a dot is left out."""
    found = [
        path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()
    ]
    return sorted(path.as_posix() for path in found if not any(part.startswith(".") for part in path.parts))


def load_sound(folder: Path, name: str, preparing: Preparing) -> Sound:
    """A clip of the folder. Raises AudioInputError and OSError as `audio_io.load` does, and AudioGsError without the
    package that measures loudness."""
    clip = audio_io.load(folder / name, mono=True)
    notices = list(clip.notices)
    if preparing.trim:
        clip = trimmed(clip)
    if preparing.loudness is not None:
        clip, notice = at_loudness(clip, preparing.loudness)
        notices += [notice] if notice else []
    return Sound(name, clip, tuple(notices))


def trimmed(clip: Clip) -> Clip:
    """Without the silence at its ends, but never without a part of its loop."""
    peak = float(np.max(np.abs(clip.samples)))
    heard = np.flatnonzero(np.abs(clip.samples) > peak * 10 ** (_SILENCE_DB / 20))
    if not heard.size:
        return clip
    kept = round(_KEPT_SECONDS * clip.sample_rate)
    first, end = max(0, int(heard[0]) - kept), min(len(clip.samples), int(heard[-1]) + 1 + kept)
    loop = clip.loop
    if loop:
        first, end = min(first, loop[0]), max(end, loop[1])
        loop = (loop[0] - first, loop[1] - first)
    return dataclasses.replace(clip, samples=np.ascontiguousarray(clip.samples[first:end]), loop=loop)


def at_loudness(clip: Clip, lufs: float) -> tuple[Clip, str | None]:
    """The clip at a loudness (ITU-R BS.1770), and what to say where its peak allows less, or it has none."""
    meter = _meter()
    block = min(_BLOCK_SECONDS, len(clip.samples) / clip.sample_rate)
    measured = float(meter(clip.sample_rate, block_size=block).integrated_loudness(clip.samples))
    if not math.isfinite(measured):
        return clip, "it is too quiet to have a loudness, and stays as it is"
    gain_db = lufs - measured
    peak_db = 20 * math.log10(float(np.max(np.abs(clip.samples))))
    notice = None
    if peak_db + gain_db > _HIGHEST_PEAK_DB:
        gain_db = _HIGHEST_PEAK_DB - peak_db
        notice = f"its peak lets it come to {measured + gain_db:.1f} of {lufs:g} LUFS"
    samples = clip.samples * 10 ** (gain_db / 20)
    return dataclasses.replace(clip, samples=np.ascontiguousarray(samples)), notice


def _meter() -> Any:
    try:
        import pyloudnorm
    except ImportError:
        raise AudioGsError(
            "pyloudnorm is not installed; install the extra 'bank': pip install 'audio-gs[bank]'"
        ) from None
    return pyloudnorm.Meter


def own_rate(clip: Clip) -> int:
    """The sample rate at which a clip loses nothing that can be heard."""
    highest = kept_rate(clip.sample_rate, is_asked_for=False)
    signal = resampled(clip.samples * _FULL_SCALE, clip.sample_rate, highest)
    return audible_rate(signal, highest) if is_heard(signal) else highest


def is_heard(signal: FloatArray) -> bool:
    """Whether 16 bits have anything of it."""
    return float(np.max(np.abs(signal), initial=0.0)) >= 0.5


def common_rate(clips: Sequence[Clip]) -> int:
    """The lowest sample rate at which none of the clips loses what can be heard."""
    return max(own_rate(clip) for clip in clips)


def duration_at(clip: Clip, sample_rate: int) -> float:
    """Seconds of the clip's stream at a sample rate."""
    return position_at(len(clip.samples), clip.sample_rate, sample_rate) / sample_rate
