"""Opus 1.6 forced to wide band, plain and with a neural network behind its decoder, without opus-tools: opusenc brings
every clip to 48 kHz first, and what libopus takes down from there to wide band has lost the band's upper end."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from audio_gs.audio_io import FloatArray, to_pcm
from audio_gs.codec.tables import FULL_SCALE

from . import libopus_program
from .base import SPEECH, Codec, CodecError
from .libopus import library_version, pyav_libopus
from .node import find_package, package_version, run_script
from .opus import WIDE_BAND_LADDERS, WIDE_BAND_RATE
from .tool import read_stream, resample, run_tool, scratch

_PACKAGE = "@wasm-audio-decoders/opus-ml"
_KNOWN_VERSION = "0.0.3"


class OpusWideBandDirect(Codec):
    """The library at 16 kHz. A stream is the packets, each after its length."""

    key = "opus-wb"
    classes = SPEECH

    def __init__(self, frame_ms: int) -> None:
        self.variant = f"{frame_ms} ms, libopus 1.6"
        self.ladder = WIDE_BAND_LADDERS[frame_ms]
        self._frame_ms = frame_ms

    def version(self) -> str:
        library = library_version(pyav_libopus())
        return f"{library} at {WIDE_BAND_RATE} Hz, VBR, complexity 10, wide band, {self._frame_ms} ms"

    def rates(self, sample_rate: int, asked: Sequence[float] | None = None) -> tuple[float, ...]:
        return super().rates(sample_rate, asked) if sample_rate >= WIDE_BAND_RATE else ()

    def encode(self, audio: FloatArray, sample_rate: int, kbit_s: float) -> bytes:
        with scratch() as folder:
            source, target = folder / "in.raw", folder / "out.packets"
            pcm = to_pcm(FULL_SCALE * resample(audio, sample_rate, WIDE_BAND_RATE))
            source.write_bytes(pcm.astype("<i2").tobytes())
            _run("encode", WIDE_BAND_RATE * self._frame_ms // 1000, round(1000 * kbit_s), source, target)
            return read_stream(target)

    def decode(self, data: bytes) -> tuple[FloatArray, int]:
        with scratch() as folder:
            source, target = folder / "in.packets", folder / "out.raw"
            source.write_bytes(data)
            self._decode_file(source, target)
            return np.frombuffer(read_stream(target), "<f4").astype(np.float64), WIDE_BAND_RATE

    def payload_bits(self, data: bytes) -> int:
        try:
            return 8 * sum(map(len, libopus_program.split(data)))
        except ValueError:
            raise CodecError("the file of Opus packets is cut short") from None

    def _decode_file(self, source: Path, target: Path) -> None:
        _run("decode", source, target)


class OpusLace(OpusWideBandDirect):
    """LACE or NoLACE behind the decoder, which take the noise of coding out of speech, in the wide band alone."""

    key = "opus-lace"

    def __init__(self, enhancement: str, frame_ms: int) -> None:
        super().__init__(frame_ms)
        self.variant = f"{enhancement} {frame_ms} ms"
        self._enhancement = enhancement

    def version(self) -> str:
        return f"{super().version()}, {package_version(_PACKAGE, _KNOWN_VERSION)}, {self._enhancement}"

    def _decode_file(self, source: Path, target: Path) -> None:
        package = find_package(_PACKAGE, _KNOWN_VERSION)
        run_script("opus_lace.mjs", package, self._enhancement.lower(), str(WIDE_BAND_RATE), source, target)


def _run(task: str, *words: Path | int) -> None:
    program = Path(libopus_program.__file__)
    run_tool(sys.executable, "-I", program, task, pyav_libopus(), WIDE_BAND_RATE, *words)
