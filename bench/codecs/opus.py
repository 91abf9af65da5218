"""Opus through opusenc and opusdec: with their own libopus or a newer one, and forced to wide band."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from audio_gs.audio_io import FloatArray

from .base import SPEECH, Codec, CodecMissing
from .libopus import SERIES, pyav_libopus, with_library
from .ogg import packet_sizes
from .tool import find_tools, read_stream, read_wav, run_tool, scratch, write_wav

_HEADER_PACKETS = 2
# The codec's own; at other rates opusdec resamples, which costs quality that is not the codec's.
_DECODED_RATE = 48000
_LADDERS = {20: (6, 8, 12, 16, 24, 32, 48), 60: (4, 5, 6, 8, 9, 10, 11, 12, 16)}
"""Nominal kbit/s by the length of a frame; between 8 and 12 the encoder goes over from narrow to wide band."""
WIDE_BAND_LADDERS = {20: (8, 10, 12, 16), 60: (5, 6, 7, 8, 9, 10, 11, 12)}
WIDE_BAND_RATE = 16000
# OPUS_SET_BANDWIDTH and OPUS_BANDWIDTH_WIDEBAND of opus_defines.h.
_FORCE_WIDE_BAND = ("--set-ctl-int", "4008=1103")


class Opus(Codec):
    """Variable bitrate at full complexity, with packets of a fixed length and the band that the encoder chooses."""

    key = "opus"
    stereo = True
    settings: ClassVar[dict[str, tuple[str, ...]]] = {}
    """More arguments of opusenc, by what they do."""

    def __init__(self, frame_ms: int) -> None:
        self.variant = f"{frame_ms} ms"
        self.ladder = _LADDERS[frame_ms]
        self._frame_ms = frame_ms

    def library(self) -> Path | None:
        """The libopus that is used in place of the system's. Raises CodecMissing."""
        return None

    def version(self) -> str:
        find_tools("opus-tools", "opusenc", "opusdec")
        tool = _tool_version(self.library())
        return ", ".join((tool, "VBR", "complexity 10", *self.settings, f"{self._frame_ms} ms"))

    def encode(self, audio: FloatArray, sample_rate: int, kbit_s: float) -> bytes:
        with scratch() as folder:
            source, target = write_wav(folder / "in.wav", audio, sample_rate), folder / "out.opus"
            rate = ("--bitrate", kbit_s, "--vbr", "--comp", 10, "--framesize", self._frame_ms)
            more = [word for words in self.settings.values() for word in words]
            run_tool("opusenc", "--quiet", *rate, *more, source, target, environment=with_library(self.library()))
            return read_stream(target)

    def decode(self, data: bytes) -> tuple[FloatArray, int]:
        with scratch() as folder:
            (folder / "in.opus").write_bytes(data)
            names = (folder / "in.opus", folder / "out.wav")
            form = ("--rate", _DECODED_RATE, "--float")
            run_tool("opusdec", "--quiet", *form, *names, environment=with_library(self.library()))
            return read_wav(folder / "out.wav")

    def payload_bits(self, data: bytes) -> int:
        return 8 * sum(packet_sizes(data)[_HEADER_PACKETS:])


class Opus16(Opus):
    """The same with libopus 1.6."""

    key = "opus-1.6"

    def library(self) -> Path | None:
        return pyav_libopus()


class OpusWideBand(Opus):
    """Forced to wide band where the encoder would take a narrower one, for speech that has as much."""

    key = "opus-wb"
    classes = SPEECH
    stereo = False
    settings: ClassVar[dict[str, tuple[str, ...]]] = {"wide band": _FORCE_WIDE_BAND}

    def __init__(self) -> None:
        super().__init__(60)
        self.ladder = WIDE_BAND_LADDERS[60]

    def rates(self, sample_rate: int, asked: Sequence[float] | None = None) -> tuple[float, ...]:
        return super().rates(sample_rate, asked) if sample_rate >= WIDE_BAND_RATE else ()


@functools.cache
def _tool_version(library: Path | None) -> str:
    """What opusenc says that it and its libopus are. Raises CodecMissing if it does not take the one it is given."""
    said = run_tool("opusenc", "--version", environment=with_library(library))
    line = next(iter(said.splitlines()), "").strip()
    if library is not None and f"libopus {SERIES}" not in line:
        raise CodecMissing(f"opusenc does not run with {library.name}, but says {line!r}")
    return line
