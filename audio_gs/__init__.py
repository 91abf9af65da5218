"""Audio-GS: clips as sums of Gaussians in the time-frequency plane.

    data = audio_gs.encode(audio, sample_rate, bitrate=6)
    audio, sample_rate = audio_gs.decode(data)

`StreamDecoder` decodes piece by piece, `read_gaussians` gives a stream's Gaussians as a table, `info` what a
stream holds and costs, `verify` whether all decoders agree on it, and `audio_gs.edit` changes streams. The encoder is
`audio_gs.encoder`; only its fit by gradient descent needs torch (extra `torch`).
"""

from typing import TYPE_CHECKING, Any

from .errors import (
    AudioGsError,
    AudioInputError,
    BitstreamError,
    EditError,
    OptionsError,
    ScriptError,
    TooLongError,
    UnsupportedError,
)

if TYPE_CHECKING:
    from audio_gs.codec.container import StreamHeader, parse_header

    from .api import Listening, PartialAudio, Playback, StreamDecoder, decode, decode_partial, encode
    from .gaussians import Gaussians, read_gaussians, write_gaussians
    from .inspect import Difference, StreamInfo, VerifyReport, info, verify

__all__ = [
    "AudioGsError",
    "AudioInputError",
    "BitstreamError",
    "Difference",
    "EditError",
    "Gaussians",
    "Listening",
    "OptionsError",
    "PartialAudio",
    "Playback",
    "ScriptError",
    "StreamDecoder",
    "StreamHeader",
    "StreamInfo",
    "TooLongError",
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


_NAMES_OF = {
    ".api": ("Listening", "PartialAudio", "Playback", "StreamDecoder", "decode", "decode_partial", "encode"),
    ".codec.container": ("StreamHeader", "parse_header"),
    ".gaussians": ("Gaussians", "read_gaussians", "write_gaussians"),
    ".inspect": ("Difference", "StreamInfo", "VerifyReport", "info", "verify"),
}


def __getattr__(name: str) -> Any:
    """Public names come with the modules that hold them, on first use: what imports one small module of the package,
    as the commands do to be ready for Ctrl-C, does not wait for all others."""
    from importlib import import_module, metadata

    if name == "__version__":
        return metadata.version("audio-gs")
    if name == "edit":
        return import_module(".edit", __name__)
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = next(module for module, names in _NAMES_OF.items() if name in names)
    value = getattr(import_module(module, __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
