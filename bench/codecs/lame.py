"""MP3 through lame, decoded by ffmpeg."""

from __future__ import annotations

from audio_gs.audio_io import FloatArray

from .base import Codec
from .tool import DECODED_AS, find_tools, first_line, read_stream, read_wav, run_tool, scratch, write_wav

_QUALITY = 2


class Mp3(Codec):
    """Without the information frame, so that the file is nothing but audio frames."""

    key = "mp3"
    stereo = True

    def __init__(self, variant: str) -> None:
        self.variant = variant
        self.ladder = (8, 12, 16, 24, 32, 48) if variant == "abr" else (8, 16, 24, 32, 48)
        # Other rates are taken by averaging alone: constant ones are few.
        self.only_ladder = variant == "cbr"

    def version(self) -> str:
        find_tools("lame", "lame")
        find_tools("ffmpeg", "ffmpeg")
        return f"{first_line('lame', '--version')}, -q {_QUALITY}, {self.variant}, {DECODED_AS}"

    def encode(self, audio: FloatArray, sample_rate: int, kbit_s: float) -> bytes:
        with scratch() as folder:
            source, target = write_wav(folder / "in.wav", audio, sample_rate), folder / "out.mp3"
            rate = ("--abr", round(kbit_s)) if self.variant == "abr" else ("--cbr", "-b", round(kbit_s))
            run_tool("lame", "--quiet", "-t", "-q", _QUALITY, *rate, source, target)
            return read_stream(target)

    def decode(self, data: bytes) -> tuple[FloatArray, int]:
        with scratch() as folder:
            (folder / "in.mp3").write_bytes(data)
            run_tool("ffmpeg", "-v", "error", "-i", folder / "in.mp3", "-c:a", DECODED_AS, folder / "out.wav")
            return read_wav(folder / "out.wav")

    def payload_bits(self, data: bytes) -> int:
        return 8 * len(data)
