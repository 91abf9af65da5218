"""Audio-GS itself."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from audio_gs import api, inspect
from audio_gs.audio_io import FloatArray, prepare
from audio_gs.code_hash import code_hash
from audio_gs.codec.pcm import PcmArray
from audio_gs.codec.tables import FULL_SCALE
from audio_gs.errors import AudioGsError

from ..results import OURS
from .base import Codec, CodecError, Detail

if TYPE_CHECKING:
    from audio_gs.encoder import EncoderOptions


@dataclasses.dataclass(frozen=True)
class OurOptions:
    """How our encoder is run."""

    preset: str = "auto"
    effort: str = "normal"
    max_macs: int | None = None

    def at(self, kbit_s: float) -> EncoderOptions:
        """Raises OptionsError for a rate that is not possible."""
        return api.encoder_options(bitrate=kbit_s, **dataclasses.asdict(self))


class AudioGs(Codec):
    """The whole file counts."""

    key = OURS
    stereo = True
    ladder = (3, 6, 12)

    def __init__(self, options: OurOptions) -> None:
        self._options = options

    def version(self) -> str:
        return f"{code_hash()}, {dataclasses.astuple(self._options)}"

    def encode(self, audio: FloatArray, sample_rate: int, kbit_s: float) -> bytes:
        try:
            return api.encode_clip(prepare(audio, sample_rate), self._options.at(kbit_s)).data
        except AudioGsError as error:
            raise CodecError(str(error)) from None

    def decode(self, data: bytes) -> tuple[FloatArray, int]:
        pcm, sample_rate = api.decode(data, max_duration=None)
        return pcm / FULL_SCALE, sample_rate

    def payload_bits(self, data: bytes) -> int:
        return 8 * len(data)

    def details(self, data: bytes) -> dict[str, Detail]:
        facts = inspect.info(data, None)
        difference = difference_of(data, api.decode(data, max_duration=None)[0])
        return {
            "preset": facts.header.table_set_name,
            **{f"gaussians_{kind}": count for kind, count in facts.gaussians.items()},
            "gaussians": sum(facts.gaussians.values()),
            "residual_values": sum(facts.residual_values.values()),
            "residual_bits": facts.residual_bits,
            "macs_mean": facts.macs_per_sample["mean"],
            "macs_peak": facts.macs_per_sample["peak"],
            "decoder_bytes": facts.decoder_bytes,
            "bit_exact": difference is None,
            "difference": difference,
        }


def difference_of(data: bytes, native: PcmArray) -> str | None:
    """What differs between the C decoder's output and the reference's, in one line; None if nothing does."""
    reference, _ = api.decode(data, backend="numba", max_duration=None)
    if np.array_equal(native, reference):
        return None
    found = inspect.verify(data, None).difference
    return str(found) if found else "C and Numba differ when they read the whole stream at once"
