"""What every codec offers to the bench."""

from __future__ import annotations

import abc
from collections.abc import Sequence

from audio_gs.audio_io import FloatArray
from audio_gs.errors import AudioGsError

SPEECH = frozenset(("speech",))

Detail = float | int | str | bool | None


class CodecError(AudioGsError):
    """A codec failed on one clip at one rate; the text says how."""


class CodecMissing(AudioGsError):
    """A codec's tool is not on this machine; the text says what to install."""


class Codec(abc.ABC):
    """One codec in one variant. Streams are the bytes of the file that its tool writes, and describe themselves."""

    key: str
    """Of the codec, the same for all of its variants."""
    variant: str = ""
    classes: frozenset[str] | None = None
    """Classes of clips that it is made for; None for all."""
    ladder: tuple[float, ...]
    """Nominal rates in kbit/s at which it is measured unless told otherwise."""
    stereo = False
    """Whether it codes two channels as such; a codec that does not is not measured on clips with two."""
    only_ladder = False
    """Whether it has no other rates than those of the ladder."""

    keeps_waveform = True
    """Whether the decoded waveform resembles the original's, so that its delay can be found from it."""

    @abc.abstractmethod
    def version(self) -> str:
        """What identifies the tool and its options: the cache holds for as long as this stays the same.

        Raises CodecMissing.
        """

    @abc.abstractmethod
    def encode(self, audio: FloatArray, sample_rate: int, kbit_s: float) -> bytes:
        """Encode samples of shape (n,), or (n, 2) if it takes two channels, with full scale -1..1. Raises
        CodecError."""

    @abc.abstractmethod
    def decode(self, data: bytes) -> tuple[FloatArray, int]:
        """Samples of shape (n,), or (n, 2) where two channels differ, and their rate in Hz; delay and length are those
        of the tool. Raises CodecError."""

    @abc.abstractmethod
    def payload_bits(self, data: bytes) -> int:
        """Bits of the packets of a stream, without its container. Raises CodecError."""

    def rates(self, sample_rate: int, asked: Sequence[float] | None = None) -> tuple[float, ...]:
        """Nominal rates in kbit/s for clips of a sample rate: those asked for, from its lowest on, if it takes any;
        none where it is not made for clips of this rate."""
        if self.only_ladder or asked is None:
            return self.ladder
        return tuple(rate for rate in asked if rate >= self.ladder[0])

    def details(self, data: bytes) -> dict[str, Detail]:
        """More facts about a stream."""
        return {}
