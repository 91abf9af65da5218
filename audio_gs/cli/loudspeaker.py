"""Samples to the loudspeaker, through PortAudio."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import soxr

from audio_gs.codec.pcm import PcmArray

from .common import CommandError

Write = Callable[[PcmArray], None]


@contextlib.contextmanager
def loudspeaker(sample_rate: int, channels: int = 1) -> Iterator[Write]:
    """A function that plays samples, 16-bit of shape (n,) or (n, 2), and returns once there is room for more; all have
    sounded when the context is left, unless by an exception. Where the device has not the rate, samples are resampled
    to one that it has.

    Raises CommandError without the package sounddevice, the library PortAudio, or a device.
    """
    sounddevice = _sounddevice()
    try:
        device_rate = _rate_of_device(sounddevice, sample_rate, channels)
        stream = sounddevice.RawOutputStream(samplerate=device_rate, channels=channels, dtype="int16")
        stream.start()
    except sounddevice.PortAudioError as error:
        raise CommandError(f"no device plays: {error}; gs-decode writes a file") from None
    resampler = None
    if device_rate != sample_rate:
        resampler = soxr.ResampleStream(sample_rate, device_rate, channels, dtype="int16")

    def write(samples: PcmArray, is_last: bool = False) -> None:
        if resampler is not None:
            samples = resampler.resample_chunk(samples, last=is_last)
        try:
            stream.write(samples.tobytes())
        except sounddevice.PortAudioError as error:
            raise CommandError(f"the device plays no more: {error}") from None

    try:
        yield write
        if resampler is not None:
            write(np.zeros(0 if channels == 1 else (0, channels), np.int16), is_last=True)
        stream.stop()
    finally:
        # Of a stream that still plays it drops what has not sounded.
        stream.close()


def _sounddevice() -> Any:
    try:
        import sounddevice
    except ImportError:
        raise CommandError(
            "sounddevice is not installed; install the extra 'play': pip install 'audio-gs[play]'"
        ) from None
    except OSError:
        raise CommandError("the library PortAudio is missing; install it (Debian: libportaudio2)") from None
    return sounddevice


def _rate_of_device(sounddevice: Any, sample_rate: int, channels: int) -> int:
    """The rate itself where the device has it, else that which it likes best."""
    try:
        sounddevice.check_output_settings(channels=channels, dtype="int16", samplerate=sample_rate)
    except sounddevice.PortAudioError:
        return round(sounddevice.query_devices(kind="output")["default_samplerate"])
    return sample_rate
