"""AMR, AAC, G.723.1, IMA ADPCM and SBC through ffmpeg."""

from __future__ import annotations

import abc
import functools
import struct
from typing import ClassVar

from audio_gs.audio_io import FloatArray

from .base import SPEECH, Codec, CodecError, CodecMissing
from .tool import (
    DECODED_AS,
    channels_of,
    find_tools,
    first_line,
    read_stream,
    read_wav,
    resample,
    run_tool,
    scratch,
    write_wav,
)


@functools.cache
def _encoders() -> frozenset[str]:
    lines = run_tool("ffmpeg", "-hide_banner", "-encoders").splitlines()
    return frozenset(words[1] for line in lines if len(words := line.split()) > 1)


class Ffmpeg(Codec):
    """One encoder of ffmpeg with its own container."""

    encoder: str
    decoder: str
    suffix: str

    def version(self) -> str:
        find_tools("ffmpeg", "ffmpeg")
        if self.encoder not in _encoders():
            raise CodecMissing(f"this ffmpeg lacks the encoder {self.encoder}; install one that has it")
        return f"{first_line('ffmpeg', '-version').split(' Copyright')[0]}, {self.encoder}, {DECODED_AS}"

    @abc.abstractmethod
    def coded_rate(self, sample_rate: int, kbit_s: float) -> int:
        """Hz at which a clip is coded."""

    def encoder_options(self, kbit_s: float) -> tuple[str, ...]:
        return ("-b:a", str(round(1000 * kbit_s)))

    def encode(self, audio: FloatArray, sample_rate: int, kbit_s: float) -> bytes:
        rate = self.coded_rate(sample_rate, kbit_s / channels_of(audio))
        with scratch() as folder:
            source, target = folder / "in.wav", folder / f"out.{self.suffix}"
            write_wav(source, resample(audio, sample_rate, rate), rate)
            run_tool("ffmpeg", "-v", "error", "-i", source, "-c:a", self.encoder, *self.encoder_options(kbit_s), target)
            return read_stream(target)

    def decode(self, data: bytes) -> tuple[FloatArray, int]:
        with scratch() as folder:
            source = folder / f"in.{self.suffix}"
            source.write_bytes(data)
            run_tool(
                "ffmpeg", "-v", "error", "-c:a", self.decoder, "-i", source, "-c:a", DECODED_AS, folder / "out.wav"
            )
            return read_wav(folder / "out.wav")


class _Amr(Ffmpeg):
    """The byte before each frame, which tells its mode, is not counted."""

    suffix = "amr"
    classes = SPEECH
    only_ladder = True
    magic: bytes
    frame_bytes: tuple[int, ...]
    """By the frame's type."""

    def payload_bits(self, data: bytes) -> int:
        if not data.startswith(self.magic):
            raise CodecError("not the AMR file that was asked for")
        position, total = len(self.magic), 0
        while position < len(data):
            kind = data[position] >> 3 & 15
            size = self.frame_bytes[kind] if kind < len(self.frame_bytes) else 0
            position += 1 + size
            total += size
        if position != len(data):
            raise CodecError("the AMR file is cut short")
        return 8 * total


class AmrNb(_Amr):
    """With pauses coded as comfort noise, which only the library's own decoder renders right."""

    key = "amr-nb"
    encoder = decoder = "libopencore_amrnb"
    ladder = (4.75, 5.9, 7.95, 12.2)
    magic = b"#!AMR\n"
    frame_bytes = (12, 13, 15, 17, 19, 20, 26, 31, 5)

    def coded_rate(self, sample_rate: int, kbit_s: float) -> int:
        return 8000

    def encoder_options(self, kbit_s: float) -> tuple[str, ...]:
        return (*super().encoder_options(kbit_s), "-dtx", "1")


class AmrWb(_Amr):
    key = "amr-wb"
    encoder = "libvo_amrwbenc"
    decoder = "amrwb"
    ladder = (6.6, 8.85, 12.65, 15.85, 23.85)
    magic = b"#!AMR-WB\n"
    frame_bytes = (17, 23, 32, 36, 40, 46, 50, 58, 60, 5)

    def coded_rate(self, sample_rate: int, kbit_s: float) -> int:
        return 16000


class Aac(Ffmpeg):
    """AAC-LC at the highest rate that the clip and one bit a sample of each channel allow."""

    key = "aac"
    stereo = True
    encoder = decoder = "aac"
    suffix = "aac"
    ladder: tuple[float, ...] = (8, 12, 16, 24, 32, 48)
    _rates = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)

    def coded_rate(self, sample_rate: int, kbit_s: float) -> int:
        return max((rate for rate in self._rates if rate <= min(sample_rate, 1000 * kbit_s)), default=self._rates[0])

    def payload_bits(self, data: bytes) -> int:
        position, total = 0, 0
        while position + 7 <= len(data):
            if data[position] != 0xFF or data[position + 1] & 0xF0 != 0xF0:
                raise CodecError(f"no ADTS frame at byte {position}")
            size = (data[position + 3] & 3) << 11 | data[position + 4] << 3 | data[position + 5] >> 5
            header = 7 if data[position + 1] & 1 else 9
            if size < header:
                raise CodecError(f"an ADTS frame of {size} bytes at byte {position}")
            total += size - header
            position += size
        if position != len(data):
            raise CodecError("the AAC file is cut short")
        return 8 * total


class ImaAdpcm(Ffmpeg):
    """Four bits a sample, so that the sample rate sets the bitrate; blocks with their headers count."""

    key = "ima-adpcm"
    encoder = decoder = "adpcm_ima_wav"
    suffix = "wav"
    ladder = (16, 24, 32, 48, 64)
    _full_rates: ClassVar[dict[float, int]] = {88: 22050, 176: 44100}

    def rates(self, sample_rate: int, asked: object = None) -> tuple[float, ...]:
        return tuple(rate for rate in (*self.ladder, *self._full_rates) if self.coded_rate(0, rate) <= sample_rate)

    def coded_rate(self, sample_rate: int, kbit_s: float) -> int:
        return self._full_rates.get(kbit_s, round(250 * kbit_s))

    def encoder_options(self, kbit_s: float) -> tuple[str, ...]:
        return ()

    def payload_bits(self, data: bytes) -> int:
        return 8 * _wav_data_bytes(data)


class G7231(Ffmpeg):
    """At the higher of its two rates: ffmpeg's encoder lacks the one of 5.3 kbit/s."""

    key = "g723.1"
    encoder = decoder = "g723_1"
    suffix = "wav"
    classes = SPEECH
    ladder = (6.3,)
    only_ladder = True

    def coded_rate(self, sample_rate: int, kbit_s: float) -> int:
        return 8000

    def payload_bits(self, data: bytes) -> int:
        return 8 * _wav_data_bytes(data)


def _wav_data_bytes(data: bytes) -> int:
    position = 12
    while position + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, position)
        if name == b"data":
            return min(size, len(data) - position - 8)
        position += 8 + size + size % 2
    raise CodecError("the WAV file holds no samples")


class Sbc(Ffmpeg):
    """At 16 kHz, the lowest rate that SBC has."""

    key = "sbc"
    encoder = decoder = "sbc"
    suffix = "sbc"
    ladder = (16, 24, 32, 48, 64)

    def coded_rate(self, sample_rate: int, kbit_s: float) -> int:
        return 16000

    def payload_bits(self, data: bytes) -> int:
        return 8 * len(data)
