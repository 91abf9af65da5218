"""Codec 2 through c2enc and c2dec."""

from __future__ import annotations

import numpy as np

from audio_gs.audio_io import FloatArray, to_pcm
from audio_gs.codec.tables import FULL_SCALE

from .base import SPEECH, Codec, CodecError
from .tool import find_tools, fingerprint, read_stream, resample, run_tool, scratch

_RATE = 8000
_HEADER_BYTES = 7
_MODE_BYTE = 5
_MODES = {0.7: "700C", 1.3: "1300", 2.4: "2400", 3.2: "3200"}
_FRAMES = {0: ("3200", 64), 1: ("2400", 48), 4: ("1300", 52), 8: ("700C", 28)}
"""Mode and bits of a frame by the number in the file's header."""


class Codec2(Codec):
    """Its frames do not fill whole bytes; the bits that fill up are not counted."""

    key = "codec2"
    classes = SPEECH
    ladder = tuple(_MODES)
    only_ladder = True
    keeps_waveform = False

    def version(self) -> str:
        find_tools("codec2", "c2enc", "c2dec")
        return f"c2enc {fingerprint('c2enc')}"

    def encode(self, audio: FloatArray, sample_rate: int, kbit_s: float) -> bytes:
        with scratch() as folder:
            source, target = folder / "in.raw", folder / "out.c2"
            source.write_bytes(to_pcm(FULL_SCALE * resample(audio, sample_rate, _RATE)).astype("<i2").tobytes())
            run_tool("c2enc", _MODES[kbit_s], source, target)
            return read_stream(target)

    def decode(self, data: bytes) -> tuple[FloatArray, int]:
        mode, _ = _frame_of(data)
        with scratch() as folder:
            (folder / "in.c2").write_bytes(data)
            run_tool("c2dec", mode, folder / "in.c2", folder / "out.raw")
            pcm = np.frombuffer(read_stream(folder / "out.raw"), "<i2")
        return pcm / FULL_SCALE, _RATE

    def payload_bits(self, data: bytes) -> int:
        _, bits = _frame_of(data)
        return (len(data) - _HEADER_BYTES) // -(-bits // 8) * bits


def _frame_of(data: bytes) -> tuple[str, int]:
    if len(data) < _HEADER_BYTES or data[_MODE_BYTE] not in _FRAMES:
        raise CodecError("c2enc wrote a header that is not known")
    return _FRAMES[data[_MODE_BYTE]]
