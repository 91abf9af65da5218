"""HE-AAC (AAC-LC with spectral band replication) of Fraunhofer's encoder, which an npm package of ffmpeg has."""

from __future__ import annotations

from collections.abc import Sequence

from audio_gs.audio_io import FloatArray

from .ffmpeg import Aac
from .node import find_package, package_version, run_script
from .tool import DECODED_AS, find_tools, first_line, read_stream, resample, scratch, write_wav

_PACKAGE = "@ffmpeg/core-st"
_KNOWN_VERSION = "0.11.1"
_LADDERS = {24000: (8, 12, 16, 24), 44100: (12, 16, 24, 32)}
"""Nominal kbit/s by the sample rate in Hz that is not exceeded."""
_LOWEST_RATES = {24000: 16000, 44100: 44100}
"""Sample rate in Hz that a clip must have for it."""
# What the encoder says of itself: two frames of its core and the delay of its filter banks.
_DELAY_SAMPLES = 5058


class HeAac(Aac):
    """Decoded by the ffmpeg of the system. At 24 kHz, or what the clip has if that is less, or at 44.1 kHz."""

    key = "he-aac"

    def __init__(self, highest_rate: int) -> None:
        self.variant = f"{highest_rate / 1000:g} kHz"
        self.ladder = _LADDERS[highest_rate]
        self._highest_rate = highest_rate

    def version(self) -> str:
        find_tools("ffmpeg", "ffmpeg")
        decoder = first_line("ffmpeg", "-version").split(" Copyright")[0]
        encoder = package_version(_PACKAGE, _KNOWN_VERSION)
        return f"{encoder}, libfdk_aac, HE-AAC, {self.variant}, {decoder}, {DECODED_AS}"

    def rates(self, sample_rate: int, asked: Sequence[float] | None = None) -> tuple[float, ...]:
        return super().rates(sample_rate, asked) if sample_rate >= _LOWEST_RATES[self._highest_rate] else ()

    def coded_rate(self, sample_rate: int, kbit_s: float) -> int:
        return max(rate for rate in self._rates if rate <= min(sample_rate, self._highest_rate))

    def encode(self, audio: FloatArray, sample_rate: int, kbit_s: float) -> bytes:
        rate = self.coded_rate(sample_rate, kbit_s)
        with scratch() as folder:
            source, target = folder / "in.wav", folder / f"out.{self.suffix}"
            write_wav(source, resample(audio, sample_rate, rate), rate)
            options = ("-c:a", "libfdk_aac", "-profile:a", "aac_he", *self.encoder_options(kbit_s))
            run_script("ffmpeg_core.mjs", find_package(_PACKAGE, _KNOWN_VERSION), source, target, *options)
            return read_stream(target)

    def decode(self, data: bytes) -> tuple[FloatArray, int]:
        """Without the encoder's delay, which is longer than a codec's is looked for."""
        audio, rate = super().decode(data)
        return audio[_DELAY_SAMPLES:], rate
