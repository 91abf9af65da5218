"""ViSQOL 3 in its audio and its speech mode."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from audio_gs.audio_io import FloatArray

from .base import Metric, MetricUnusable, at_rate

_PACKAGE = "visqol-python"
_RUNTIME = "ai-edge-litert"


@functools.cache
def _judge(mode: str) -> Any:
    import visqol

    judge = visqol.VisqolApi()
    with _silent():
        judge.create(mode=mode, use_lattice_model=True if mode == "speech" else None)
    return judge


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """The model's runtime greets on standard error, past Python's own."""
    sys.stderr.flush()
    kept = os.dup(2)
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


class _Visqol(Metric):
    unit = "MOS"
    packages: tuple[str, ...] = (_PACKAGE,)
    min_seconds = 1.0
    mode: str
    rate: int

    def measure(self, reference: FloatArray, decoded: FloatArray, sample_rate: int) -> float:
        pair = [at_rate(audio, sample_rate, self.rate) for audio in (reference, decoded)]
        judge = _judge(self.mode)
        with np.errstate(all="ignore"):
            return float(judge.measure_from_arrays(*pair, self.rate).moslqo)


class VisqolAudio(_Visqol):
    """MOS-LQO at 48 kHz; made for music, and too kind to narrow speech."""

    key, title, mode, rate = "visqol", "ViSQOL", "audio", 48000


class VisqolSpeech(_Visqol):
    """MOS-LQO at 16 kHz through the lattice model; without that model's runtime the package would overrate."""

    key, title, mode, rate = "visqol_speech", "ViSQOL speech", "speech", 16000
    packages = (_PACKAGE, _RUNTIME)
    classes = frozenset(("speech",))

    def version(self) -> str:
        if importlib.util.find_spec("visqol") and not importlib.util.find_spec("ai_edge_litert"):
            raise MetricUnusable(
                f"ViSQOL's speech mode overrates by 1 to 2 MOS without {_RUNTIME}; install the extra 'bench', or leave "
                f"{self.key} out of --metrics"
            )
        return super().version()
