"""Running a codec's own program on files in a folder of its own."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
import soxr

from audio_gs.audio_io import FloatArray, to_pcm
from audio_gs.codec.tables import FULL_SCALE

from .base import CodecError, CodecMissing

TIMEOUT_S = 300.0
DECODED_AS = "pcm_f32le"
"""What ffmpeg is to write: the steps of 16 bits are heard by metrics where the band above a codec's is empty."""


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="gs-bench-") as name:
        yield Path(name)


def run_tool(
    *words: str | Path | float,
    timeout_s: float = TIMEOUT_S,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a program in a folder, with more variables in its environment, to its end and give what it printed. Raises
    CodecError if it fails, hangs or is missing."""
    arguments = [str(word) for word in words]
    began = time.perf_counter()
    try:
        process = subprocess.Popen(
            arguments,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise CodecError(f"{arguments[0]} cannot be run: {error.strerror}") from None
    with process:
        watcher = threading.Thread(target=_watch, args=(process,)) if _observations else None
        if watcher:
            watcher.start()
        try:
            said, _ = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            raise CodecError(f"{Path(arguments[0]).name} did not end within {timeout_s:g} s") from None
        finally:
            process.kill()
            if watcher:
                watcher.join()
    for observation in _observations:
        observation.seconds += time.perf_counter() - began
    if process.returncode:
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        how = f"signal {-process.returncode}" if process.returncode < 0 else f"code {process.returncode}"
        raise CodecError(f"{Path(arguments[0]).name} ended with {how}: {lines[-1] if lines else 'it said nothing'}")
    return said


@dataclasses.dataclass
class Observation:
    """What the programs that ran meanwhile took."""

    seconds: float = 0.0
    """Sum over the programs, from start to end of each."""
    peak_bytes: int | None = None
    """Resident memory of the largest; None where the system does not tell."""


@contextmanager
def observed() -> Iterator[Observation]:
    """Watches the programs that `run_tool` runs."""
    observation = Observation()
    _observations.append(observation)
    try:
        yield observation
    finally:
        _observations.remove(observation)


_observations: list[Observation] = []
_WATCH_EVERY_S = 0.002


def _watch(process: subprocess.Popen[str]) -> None:
    """Reads the high-water mark of the memory again and again.

    The figure that the system gives for an ended process will not do: on Linux it is never below the memory of the
    process that started it.
    """
    status = Path(f"/proc/{process.pid}/status")
    while process.returncode is None:
        try:
            found = _PEAK.search(status.read_text(encoding="ascii", errors="replace"))
        except OSError:
            return
        peak = 1024 * int(found[1]) if found else 0
        for observation in _observations if peak else ():
            observation.peak_bytes = max(observation.peak_bytes or 0, peak)
        time.sleep(_WATCH_EVERY_S)


_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


def find_tools(package: str, *names: str) -> None:
    """Raises CodecMissing if one of the programs is not there; `package` is what brings them."""
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        raise CodecMissing(f"{' and '.join(missing)} not found; install {package}")


@functools.cache
def first_line(*words: str) -> str:
    """What a program says first, such as its version."""
    return next(iter(run_tool(*words).splitlines()), "").strip()


@functools.cache
def fingerprint(name: str) -> str:
    """Stands for the version of a program that does not tell one."""
    path = shutil.which(name)
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12] if path else "missing"


def channels_of(audio: FloatArray) -> int:
    """1 of samples of shape (n,), 2 of (n, 2)."""
    return 1 if audio.ndim == 1 else audio.shape[1]


def write_wav(path: Path, audio: FloatArray, sample_rate: int) -> Path:
    """16-bit PCM in the plainest WAV form, which is all that some tools read."""
    soundfile.write(path, to_pcm(audio * FULL_SCALE), sample_rate, format="WAV", subtype="PCM_16")
    return path


def read_wav(path: Path) -> tuple[FloatArray, int]:
    """Samples of a file that a tool wrote, shape (n,), or (n, 2) where its first two channels differ: some make two of
    one. Raises CodecError."""
    try:
        audio, sample_rate = soundfile.read(path, dtype="float64", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        raise CodecError(f"the tool wrote nothing that can be read: {error}") from None
    pair = audio[:, :2]
    if np.array_equal(pair[:, 0], pair[:, -1]):
        return np.ascontiguousarray(audio[:, 0]), int(sample_rate)
    return np.ascontiguousarray(pair), int(sample_rate)


def read_stream(path: Path) -> bytes:
    """What an encoder wrote. Raises CodecError if it is nothing."""
    data = path.read_bytes() if path.exists() else b""
    if not data:
        raise CodecError("the tool wrote no stream")
    return data


def resample(audio: FloatArray, sample_rate: int, target_rate: int) -> FloatArray:
    """Audio at another rate."""
    if sample_rate == target_rate:
        return audio
    return np.asarray(soxr.resample(audio, sample_rate, target_rate, quality="VHQ"), np.float64)


def nearest_above(rates: Sequence[int], wanted: int) -> int:
    """The smallest rate that is not below the wanted one, or the largest."""
    return min((rate for rate in rates if rate >= wanted), default=max(rates))
