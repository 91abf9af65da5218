"""The metrics by their keys."""

from __future__ import annotations

from .base import Metric, MetricMissing, MetricUnusable, NotMeasurable
from .image import Coherence, LevelDifference, PhaseDifference
from .pesq import PesqNarrow, PesqWide
from .stoi import Stoi
from .visqol import VisqolAudio, VisqolSpeech
from .waveform import Lsd, SiSdr, Snr
from .zimtohrli import Zimtohrli

__all__ = ["METRICS", "Metric", "MetricMissing", "MetricUnusable", "NotMeasurable"]

METRICS: dict[str, Metric] = {
    metric.key: metric
    for metric in (
        Snr(),
        SiSdr(),
        Lsd(),
        PesqNarrow(),
        PesqWide(),
        Stoi(),
        VisqolAudio(),
        VisqolSpeech(),
        Zimtohrli(),
        LevelDifference(),
        PhaseDifference(),
        Coherence(),
    )
}
