"""Audio files to arrays and back, and the checks that every clip passes before it is encoded."""

from __future__ import annotations

import dataclasses
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from audio_gs.codec.pcm import PcmArray

from .errors import AudioInputError

MIN_RATE, MAX_RATE = 8000, 48000
MAX_SAMPLES = (1 << 31) - 1
STDIO = "-"

FloatArray = npt.NDArray[np.float64]
Writer = Callable[[PcmArray, int], bytes]


@dataclasses.dataclass(frozen=True)
class Clip:
    """A clip that may be encoded."""

    samples: FloatArray
    """Shape (n,), full scale is -1..1."""
    sample_rate: int
    """Hz."""
    notice: str | None = None
    """What was changed on the way in, in one line."""


def prepare(audio: npt.ArrayLike, sample_rate: float) -> Clip:
    """Bring samples into the encoder's form, or say why they cannot be encoded.

    Takes float samples with full scale -1..1, or integers with the full scale of their type, of shape (n,) or
    (n, channels). Raises AudioInputError for anything empty, not finite, too long, or outside 8-48 kHz.
    """
    array = np.asarray(audio)
    if array.dtype == np.bool_ or not (
        np.issubdtype(array.dtype, np.floating) or np.issubdtype(array.dtype, np.signedinteger)
    ):
        raise AudioInputError(f"samples are {array.dtype}; give floats or signed integers")
    if array.ndim not in (1, 2):
        raise AudioInputError(f"samples have {array.ndim} dimensions; give (n,) or (n, channels)")
    if array.size == 0:
        raise AudioInputError("the audio is empty: it holds no samples")
    if int(sample_rate) != sample_rate:
        raise AudioInputError(f"sample rate {sample_rate} Hz is not a whole number")
    if not MIN_RATE <= sample_rate <= MAX_RATE:
        raise AudioInputError(
            f"sample rate {int(sample_rate)} Hz is outside {MIN_RATE}..{MAX_RATE} Hz; resample the clip first"
        )
    if array.shape[0] > MAX_SAMPLES:
        raise AudioInputError(f"{array.shape[0]} samples are more than the format's {MAX_SAMPLES}; split the clip")
    if np.issubdtype(array.dtype, np.signedinteger):
        samples = array.astype(np.float64) / -float(np.iinfo(array.dtype).min)
    else:
        samples = array.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(samples).reshape(len(samples), -1).all(axis=1))
    if bad.size:
        raise AudioInputError(f"{bad.size} samples are NaN or infinite, the first is sample {bad[0]}; repair the clip")
    notice = None
    if samples.ndim == 2:
        if samples.shape[1] > 1:
            notice = f"{samples.shape[1]} channels mixed down to one"
        samples = samples.mean(axis=1)
    return Clip(np.ascontiguousarray(samples), int(sample_rate), notice)


def load(source: str | os.PathLike[str]) -> Clip:
    """Read a clip from a file that soundfile knows (WAV, FLAC, Ogg, MP3, AIFF), or from standard input for
    '-'."""
    name = os.fspath(source)
    content = sys.stdin.buffer.read() if name == STDIO else Path(name).read_bytes()
    if not content:
        raise AudioInputError("the file is empty")
    try:
        samples, sample_rate = soundfile.read(io.BytesIO(content), dtype="float64", always_2d=True)
    except soundfile.SoundFileError as error:
        reason = str(getattr(error, "error_string", error)).strip().rstrip(".")
        raise AudioInputError(f"cannot read it as audio: {reason}; give WAV, FLAC, Ogg, MP3 or AIFF") from None
    return prepare(samples, sample_rate)


def to_wav(pcm: PcmArray, sample_rate: int) -> bytes:
    """16-bit samples as the bytes of a WAV file."""
    return _container(pcm, sample_rate, "WAV")


def to_flac(pcm: PcmArray, sample_rate: int) -> bytes:
    """16-bit samples as the bytes of a FLAC file."""
    return _container(pcm, sample_rate, "FLAC")


def _container(pcm: PcmArray, sample_rate: int, file_format: str) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, pcm, sample_rate, format=file_format, subtype="PCM_16")
    return buffer.getvalue()


def to_pcm(samples: npt.NDArray[np.floating]) -> PcmArray:
    """Samples in steps of 16-bit PCM, rounded and limited to its range."""
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)
