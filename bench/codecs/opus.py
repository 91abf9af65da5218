"""Opus through opusenc and opusdec."""

from __future__ import annotations

from audio_gs.audio_io import FloatArray

from .base import Codec
from .ogg import packet_sizes
from .tool import find_tools, first_line, read_stream, read_wav, run_tool, scratch, write_wav

_HEADER_PACKETS = 2
# The codec's own; at other rates opusdec resamples, which costs quality that is not the codec's.
_DECODED_RATE = 48000


class Opus(Codec):
    """Variable bitrate at full complexity, with packets of a fixed length."""

    key = "opus"

    def __init__(self, frame_ms: int) -> None:
        self.variant = f"{frame_ms} ms"
        self.ladder = (6, 8, 12, 16, 24, 32, 48) if frame_ms <= 20 else (4, 5, 6, 8, 12, 16)
        self._frame_ms = frame_ms

    def version(self) -> str:
        find_tools("opus-tools", "opusenc", "opusdec")
        return f"{first_line('opusenc', '--version')}, VBR, complexity 10, {self.variant}"

    def encode(self, audio: FloatArray, sample_rate: int, kbit_s: float) -> bytes:
        with scratch() as folder:
            source, target = write_wav(folder / "in.wav", audio, sample_rate), folder / "out.opus"
            rate = ("--bitrate", kbit_s, "--vbr", "--comp", 10, "--framesize", self._frame_ms)
            run_tool("opusenc", "--quiet", *rate, source, target)
            return read_stream(target)

    def decode(self, data: bytes) -> tuple[FloatArray, int]:
        with scratch() as folder:
            (folder / "in.opus").write_bytes(data)
            run_tool("opusdec", "--quiet", "--rate", _DECODED_RATE, "--float", folder / "in.opus", folder / "out.wav")
            return read_wav(folder / "out.wav")

    def payload_bits(self, data: bytes) -> int:
        return 8 * sum(packet_sizes(data)[_HEADER_PACKETS:])
