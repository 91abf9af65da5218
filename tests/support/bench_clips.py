"""Small clips and a rival that needs no tool, for the tests of the bench."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from audio_gs.bench.codecs.base import Codec, CodecError, CodecMissing

RATE = 8000
FloatArray = npt.NDArray[np.float64]


def tone(seconds: float = 1.0, rate: int = RATE) -> FloatArray:
    """A tone that fades."""
    time_s = np.arange(int(seconds * rate)) / rate
    return 0.3 * np.sin(2 * np.pi * 440 * time_s) * np.exp(-2 * time_s)


def noise(seconds: float, rate: int, seed: int = 1) -> FloatArray:
    return 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * rate))


def add(folder: Path, name: str, samples: FloatArray, rate: int = RATE) -> Path:
    """Write a clip below a folder."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate)
    return path


class FakeRival(Codec):
    """Keeps a coarser copy of the samples the lower its rate is, 40 samples late."""

    key = "fake"
    ladder = (4.0, 8.0)
    runs = 0

    def __init__(
        self, variant: str = "", fails_at: Sequence[float] = (), missing: bool = False, stereo: bool = True
    ) -> None:
        self.variant = variant
        self.stereo = stereo
        self.fails_at = fails_at
        self.missing = missing

    def version(self) -> str:
        if self.missing:
            raise CodecMissing("fakeenc not found; install fake-tools")
        return f"fake 1 {self.variant}"

    def encode(self, audio: FloatArray, sample_rate: int, kbit_s: float) -> bytes:
        type(self).runs += 1
        if kbit_s in self.fails_at:
            raise CodecError("fakeenc ended with signal 11")
        steps = np.rint(audio * 2**kbit_s).astype("<i2")
        payload = bytes(round(125 * kbit_s * len(audio) / sample_rate))
        head = struct.pack("<IIdI", sample_rate, len(payload), kbit_s, audio.ndim)
        return head + payload + steps.tobytes()

    def decode(self, data: bytes) -> tuple[FloatArray, int]:
        sample_rate, size, kbit_s, channels = struct.unpack_from("<IIdI", data)
        steps = np.frombuffer(data[20 + size :], "<i2").reshape(-1, channels)
        late = np.concatenate((np.zeros((40, channels)), steps / 2**kbit_s))
        return late if channels == 2 else late[:, 0], sample_rate

    def payload_bits(self, data: bytes) -> int:
        return 8 * int(struct.unpack_from("<II", data)[1])
