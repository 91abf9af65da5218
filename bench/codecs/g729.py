"""G.729 (Annex A), encoded by libbcg729 and decoded by ffmpeg."""

from __future__ import annotations

import ctypes.util
import sys
from pathlib import Path

from audio_gs.audio_io import FloatArray, to_pcm
from audio_gs.codec.tables import FULL_SCALE

from . import bcg729
from .base import SPEECH, CodecMissing
from .ffmpeg import Ffmpeg
from .tool import DECODED_AS, find_tools, first_line, read_stream, resample, run_tool, scratch

_RATE = 8000


class G729(Ffmpeg):
    """Frames of 10 ms at 8 kbit/s, without a container; pauses are coded as all else is."""

    key = "g729"
    decoder = "g729"
    suffix = "g729"
    classes = SPEECH
    ladder = (8,)
    only_ladder = True

    def version(self) -> str:
        library = ctypes.util.find_library("bcg729")
        if library is None:
            raise CodecMissing("libbcg729 not found; install libbcg729-0")
        find_tools("ffmpeg", "ffmpeg")
        return f"{library}, {first_line('ffmpeg', '-version').split(' Copyright')[0]}, {DECODED_AS}"

    def coded_rate(self, sample_rate: int, kbit_s: float) -> int:
        return _RATE

    def encode(self, audio: FloatArray, sample_rate: int, kbit_s: float) -> bytes:
        with scratch() as folder:
            source, target = folder / "in.raw", folder / f"out.{self.suffix}"
            source.write_bytes(to_pcm(FULL_SCALE * resample(audio, sample_rate, _RATE)).astype("<i2").tobytes())
            library = ctypes.util.find_library("bcg729") or ""
            run_tool(sys.executable, "-I", Path(bcg729.__file__), library, source, target)
            return read_stream(target)

    def payload_bits(self, data: bytes) -> int:
        return 8 * len(data)
