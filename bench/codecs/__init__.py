"""The codecs under test behind one interface, each through its own tool."""

from __future__ import annotations

from .base import Codec, CodecError, CodecMissing
from .codec2 import Codec2
from .ffmpeg import G7231, Aac, AmrNb, AmrWb, ImaAdpcm, Sbc
from .g729 import G729
from .he_aac import HeAac
from .lame import Mp3
from .lc3 import Lc3
from .opus import Opus, Opus16, OpusWideBand
from .opus_direct import OpusLace, OpusWideBandDirect
from .ours import AudioGs, OurOptions
from .speex import Speex

__all__ = ["RIVALS", "Codec", "CodecError", "CodecMissing", "OurOptions", "make_codec", "rivals_of"]

RIVALS: dict[str, tuple[Codec, ...]] = {
    "opus": (Opus(20), Opus(60)),
    "opus-1.6": (Opus16(20), Opus16(60)),
    "opus-wb": (OpusWideBand(), OpusWideBandDirect(20), OpusWideBandDirect(60)),
    "opus-lace": tuple(OpusLace(enhancement, frame_ms) for enhancement in ("LACE", "NoLACE") for frame_ms in (20, 60)),
    "mp3": (Mp3("abr"), Mp3("cbr")),
    "lc3": (Lc3(),),
    "codec2": (Codec2(),),
    "speex": (Speex("narrow"), Speex("wide")),
    "amr-nb": (AmrNb(),),
    "amr-wb": (AmrWb(),),
    "g723.1": (G7231(),),
    "g729": (G729(),),
    "aac": (Aac(),),
    "he-aac": (HeAac(24000), HeAac(44100)),
    "ima-adpcm": (ImaAdpcm(),),
    "sbc": (Sbc(),),
}
"""All variants of each rival by the codec's key."""


def rivals_of(key: str) -> tuple[Codec, ...]:
    """The variants of a rival."""
    return RIVALS[key]


def make_codec(key: str, variant: str, ours: OurOptions) -> Codec:
    """The codec of a cell. Raises KeyError for one that there is not."""
    if key == AudioGs.key:
        return AudioGs(ours)
    return next(codec for codec in RIVALS[key] if codec.variant == variant)
