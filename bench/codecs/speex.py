"""Speex through speexenc and speexdec."""

from __future__ import annotations

from audio_gs.audio_io import FloatArray

from .base import SPEECH, Codec
from .ogg import packet_sizes
from .tool import find_tools, first_line, read_stream, read_wav, resample, run_tool, scratch, write_wav

_HEADER_PACKETS = 2
_COMPLEXITY = 10


class Speex(Codec):
    """Narrow-band at 8 kHz or wide-band at 16 kHz; takes the largest mode within the bitrate."""

    key = "speex"
    classes = SPEECH

    def __init__(self, variant: str) -> None:
        self.variant = variant
        narrow = variant == "narrow"
        self.ladder = (2.4, 4, 6, 8, 12, 16) if narrow else (4, 6, 8, 12, 16, 24)
        self.only_ladder = True
        self._rate, self._mode = (8000, "--narrowband") if narrow else (16000, "--wideband")

    def version(self) -> str:
        find_tools("speex", "speexenc", "speexdec")
        return f"{first_line('speexenc', '--version')}, complexity {_COMPLEXITY}, {self.variant}"

    def encode(self, audio: FloatArray, sample_rate: int, kbit_s: float) -> bytes:
        with scratch() as folder:
            source = write_wav(folder / "in.wav", resample(audio, sample_rate, self._rate), self._rate)
            run_tool(
                "speexenc",
                self._mode,
                "--comp",
                _COMPLEXITY,
                "--bitrate",
                round(1000 * kbit_s),
                source,
                folder / "out.spx",
            )
            return read_stream(folder / "out.spx")

    def decode(self, data: bytes) -> tuple[FloatArray, int]:
        with scratch() as folder:
            (folder / "in.spx").write_bytes(data)
            run_tool("speexdec", folder / "in.spx", folder / "out.wav")
            return read_wav(folder / "out.wav")

    def payload_bits(self, data: bytes) -> int:
        return 8 * sum(packet_sizes(data)[_HEADER_PACKETS:])
