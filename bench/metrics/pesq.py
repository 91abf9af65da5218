"""PESQ (ITU-T P.862.1 and P.862.2)."""

from __future__ import annotations

import numpy as np

from audio_gs.audio_io import FloatArray

from .base import Metric, NotMeasurable, at_rate

_NARROW, _WIDE = 8000, 16000


class _Pesq(Metric):
    unit = "MOS"
    packages = ("pesq",)
    classes = frozenset(("speech",))
    min_seconds = 0.3
    rate: int
    mode: str

    def measure(self, reference: FloatArray, decoded: FloatArray, sample_rate: int) -> float:
        import pesq

        pair = [at_rate(audio, sample_rate, self.rate).astype(np.float32) for audio in (reference, decoded)]
        if not pair[1].any():
            raise NotMeasurable("silence")
        try:
            return float(pesq.pesq(self.rate, *pair, self.mode))
        except pesq.NoUtterancesError:
            raise NotMeasurable("no speech found") from None
        except pesq.PesqError as error:
            raise NotMeasurable(str(error) or type(error).__name__) from None


class PesqNarrow(_Pesq):
    """Narrow-band PESQ as MOS-LQO, at 8 kHz."""

    key, title = "pesq_nb", "PESQ-NB"
    rate, mode = _NARROW, "nb"


class PesqWide(_Pesq):
    """Wide-band PESQ as MOS-LQO, at 16 kHz."""

    key, title = "pesq_wb", "PESQ-WB"
    rate, mode = _WIDE, "wb"
    min_rate = _WIDE
