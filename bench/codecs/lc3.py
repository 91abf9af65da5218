"""LC3 through liblc3's elc3 and dlc3, frames of 10 ms."""

from __future__ import annotations

import struct

from audio_gs.audio_io import FloatArray

from .base import Codec, CodecError
from .tool import find_tools, fingerprint, nearest_above, read_stream, read_wav, resample, run_tool, scratch, write_wav

_RATES = (8000, 16000, 24000, 32000, 48000)
_LOW_KBIT_S, _LOW_RATE, _HIGH_RATE = 16.0, 24000, 32000


class Lc3(Codec):
    """At the clip's own rate or the next that LC3 has, lowered to what the bits suffice for."""

    key = "lc3"
    ladder = (16, 24, 32, 48)

    def version(self) -> str:
        find_tools("liblc3-tools", "elc3", "dlc3")
        return f"elc3 {fingerprint('elc3')}"

    def encode(self, audio: FloatArray, sample_rate: int, kbit_s: float) -> bytes:
        highest = _LOW_RATE if kbit_s <= _LOW_KBIT_S else _HIGH_RATE
        coded_rate = min(nearest_above(_RATES, sample_rate), highest)
        with scratch() as folder:
            source = write_wav(folder / "in.wav", resample(audio, sample_rate, coded_rate), coded_rate)
            run_tool("elc3", "-b", round(1000 * kbit_s), source, folder / "out.lc3")
            return read_stream(folder / "out.lc3")

    def decode(self, data: bytes) -> tuple[FloatArray, int]:
        with scratch() as folder:
            (folder / "in.lc3").write_bytes(data)
            run_tool("dlc3", folder / "in.lc3", folder / "out.wav")
            return read_wav(folder / "out.wav")

    def payload_bits(self, data: bytes) -> int:
        """Each frame is preceded by its length in two bytes, the first by a header that tells its own."""
        try:
            position = struct.unpack_from("<H", data, 2)[0]
            total = 0
            while position < len(data):
                size = struct.unpack_from("<H", data, position)[0]
                total += size
                position += 2 + size
        except struct.error:
            position = -1
        if position != len(data):
            raise CodecError("the LC3 file is cut short")
        return 8 * total
