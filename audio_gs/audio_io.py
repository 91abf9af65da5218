"""Audio files to arrays and back, and the checks that every clip passes before it is encoded."""

from __future__ import annotations

import dataclasses
import io
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from audio_gs.codec.container import SHORTEST_LOOP
from audio_gs.codec.pcm import PcmArray

from .errors import AudioInputError
from .riff import Loop, wav_facts

MIN_RATE, MAX_RATE = 8000, 48000
"""Hz, of a stream."""
MAX_INPUT_RATE = 192000
"""Hz, of a clip; the encoder resamples what is above `MAX_RATE`."""
CHANNELS = 2
"""Of a stereo clip."""
MAX_CHANNELS = 64
_MANY_CHANNELS = 8
"""More than this is believed only of a clip with more samples than channels."""
_LOUDEST = 100.0
"""40 dB above full scale: whoever gives larger samples means another scale."""
MAX_SAMPLES = (1 << 31) - 1
SAMPLE_BYTES = 2
_LARGEST_WAV = (1 << 32) - 100
"""Bytes of samples, with room for the chunks around them."""
STDIO = "-"

FloatArray = npt.NDArray[np.float64]
Writer = Callable[[PcmArray, int], bytes]


@dataclasses.dataclass(frozen=True)
class Clip:
    """A clip that may be encoded."""

    samples: FloatArray
    """Shape (n,) or, of two channels, (n, 2); full scale is -1..1."""
    sample_rate: int
    """Hz."""
    notices: tuple[str, ...] = ()
    """What was changed on the way in, or will be, a line each."""
    loop: tuple[int, int] | None = None
    """The file's own loop points: first sample of the loop and the one after its last."""

    @property
    def channels(self) -> int:
        return 1 if self.samples.ndim == 1 else self.samples.shape[1]


def prepare(audio: npt.ArrayLike, sample_rate: float, mono: bool = False) -> Clip:
    """Bring samples into the encoder's form, or say why they cannot be encoded.

    Takes float samples with full scale -1..1, or integers with the full scale of their type, of shape (n,) or
    (n, channels). Two channels stay two unless all are to be `mono`; more are mixed down to one. Raises AudioInputError
    for anything empty, not finite, of another scale, too long, of too many channels, or outside 8-192 kHz.
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
    if not MIN_RATE <= sample_rate <= MAX_INPUT_RATE:
        raise AudioInputError(
            f"sample rate {int(sample_rate)} Hz is outside {MIN_RATE}..{MAX_INPUT_RATE} Hz; resample the clip first"
        )
    if array.ndim == 2:
        _check_channels(*array.shape)
    if array.shape[0] > MAX_SAMPLES:
        raise AudioInputError(f"{array.shape[0]} samples are more than the format's {MAX_SAMPLES}; split the clip")
    if np.issubdtype(array.dtype, np.signedinteger):
        samples = array.astype(np.float64) / -float(np.iinfo(array.dtype).min)
    else:
        samples = array.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(samples).reshape(len(samples), -1).all(axis=1))
    if bad.size:
        raise AudioInputError(f"{bad.size} samples are NaN or infinite, the first is sample {bad[0]}; repair the clip")
    largest = float(np.max(np.abs(samples)))
    if largest > _LOUDEST:
        raise AudioInputError(
            f"samples reach {largest:.6g}, and full scale is 1; divide them by their full scale (32768 for 16 bits)"
        )
    notices = []
    if samples.ndim == 2 and (mono or samples.shape[1] != CHANNELS):
        if samples.shape[1] > CHANNELS:
            notices.append(f"{samples.shape[1]} channels mixed down to one")
        samples = samples.mean(axis=1)
    notices += _beyond_full_scale(samples)
    return Clip(np.ascontiguousarray(samples), int(sample_rate), tuple(notices))


def _check_channels(samples: int, channels: int) -> None:
    if channels > MAX_CHANNELS or (channels > samples and channels > _MANY_CHANNELS):
        raise AudioInputError(
            f"samples of shape ({samples}, {channels}) would be {channels} channels; "
            "if the channels come first, transpose: audio.T"
        )


def _beyond_full_scale(samples: FloatArray) -> list[str]:
    """The notice that 16-bit samples will not hold all of them, if so."""
    largest = float(np.max(np.abs(samples)))
    beyond = int(np.count_nonzero(np.abs(samples) > 1))
    if not beyond:
        return []
    count = "1 sample lies" if beyond == 1 else f"{beyond} samples lie"
    return [
        f"{count} beyond full scale, by up to {20 * np.log10(largest):.2f} dB, and will be clipped; "
        f"multiply by {np.floor(1000 / largest) / 1000:.3f} to keep them"
    ]


def load(source: str | os.PathLike[str], mono: bool = False) -> Clip:
    """Read a clip from a file that soundfile knows (WAV, FLAC, Ogg, MP3, AIFF), or from standard input for
    '-'; two channels as they are, or mixed down to `mono`.

    Raises AudioInputError for what is no audio, cut short, or cannot be encoded, and OSError.
    """
    name = os.fspath(source)
    return load_bytes(sys.stdin.buffer.read() if name == STDIO else Path(name).read_bytes(), mono)


def load_bytes(content: bytes, mono: bool = False) -> Clip:
    """The same from a file's content. Raises AudioInputError."""
    if not content:
        raise AudioInputError("the file is empty")
    try:
        samples, sample_rate = soundfile.read(io.BytesIO(content), dtype="float64", always_2d=True)
    except soundfile.SoundFileError as error:
        reason = str(getattr(error, "error_string", error)).strip().rstrip(".")
        raise AudioInputError(f"cannot read it as audio: {reason}; give WAV, FLAC, Ogg, MP3 or AIFF") from None
    facts = wav_facts(content)
    if facts and facts.bytes_missing:
        raise AudioInputError(
            f"the file is cut short: {facts.bytes_missing} bytes of its samples are missing; get it anew"
        )
    clip = prepare(samples, sample_rate, mono)
    return _with_loop(clip, facts.loops) if facts else clip


def _with_loop(clip: Clip, loops: tuple[Loop, ...]) -> Clip:
    """The clip with the file's loop points, if they are such as a stream can have."""
    if not loops:
        return clip
    if len(loops) > 1:
        reason = f"it has {len(loops)} loops, and a stream has one"
    elif not loops[0].forward:
        reason = "it does not loop forward"
    elif not loops[0].start < loops[0].end <= len(clip.samples):
        reason = f"{loops[0].start}..{loops[0].end} does not lie in its {len(clip.samples)} samples"
    elif loops[0].end - loops[0].start < SHORTEST_LOOP:
        reason = f"no decoder loops over fewer than {SHORTEST_LOOP} samples"
    else:
        return dataclasses.replace(clip, loop=(loops[0].start, loops[0].end))
    return dataclasses.replace(clip, notices=(*clip.notices, f"the file's loop points are left out: {reason}"))


def write_blocks(
    path: Path, blocks: Iterable[PcmArray], sample_rate: int, file_format: str, most: int, channels: int = 1
) -> int:
    """Write 16-bit samples to a file as they come, shape (n,) or (n, 2), at most `most` of them; returns how many
    came.

    `file_format` is 'WAV' or 'FLAC'; what is too long for the one becomes an RF64 file. Raises OSError where the file
    does not take them.
    """
    if file_format == "WAV" and most * SAMPLE_BYTES * channels > _LARGEST_WAV:
        file_format = "RF64"
    count = 0
    try:
        with soundfile.SoundFile(path, "w", sample_rate, channels, "PCM_16", format=file_format) as sound:
            for block in blocks:
                _write_block(sound, block)
                count += len(block)
    except soundfile.SoundFileError as error:
        raise OSError(f"its samples cannot be written ({error}); is the disk full?") from None
    return count


def _write_block(sound: soundfile.SoundFile, block: PcmArray) -> None:
    try:
        sound.write(block)
    except AssertionError:
        # Fewer samples were written than there are.
        raise OSError("its samples cannot be written; is the disk full?") from None


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
