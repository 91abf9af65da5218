"""Audio-GS: clips as sums of Gaussians in the time-frequency plane.

    data = audio_gs.encode(audio, sample_rate, bitrate=6)
    audio, sample_rate = audio_gs.decode(data)

`StreamDecoder` decodes piece by piece, `read_gaussians` gives a stream's Gaussians as a table, `info` what a
stream holds and costs, `verify` whether all decoders agree on it. The encoder is `audio_gs.encoder`; only its
fit by gradient descent needs torch (extra `torch`).
"""

from audio_gs.codec.container import StreamHeader, parse_header

from .api import PartialAudio, StreamDecoder, decode, decode_partial, encode
from .errors import AudioGsError, AudioInputError, BitstreamError, OptionsError, UnsupportedError
from .gaussians import Gaussians, read_gaussians, write_gaussians
from .inspect import Difference, StreamInfo, VerifyReport, info, verify

__all__ = [
    "AudioGsError",
    "AudioInputError",
    "BitstreamError",
    "Difference",
    "Gaussians",
    "OptionsError",
    "PartialAudio",
    "StreamDecoder",
    "StreamHeader",
    "StreamInfo",
    "UnsupportedError",
    "VerifyReport",
    "decode",
    "decode_partial",
    "encode",
    "info",
    "parse_header",
    "read_gaussians",
    "verify",
    "write_gaussians",
]


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import version

        return version("audio-gs")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
