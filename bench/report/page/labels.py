"""What people call the codecs and the metrics, and what each metric can be fooled by."""

from __future__ import annotations

import dataclasses

from ...clips import NARROW_SPEECH, WIDE_SPEECH
from ...metrics import METRICS
from ...results import OURS

CODEC_NAMES = {
    OURS: "Audio-GS",
    "opus": "Opus",
    "opus-1.6": "Opus 1.6",
    "opus-wb": "Opus, forced to wide band",
    "opus-lace": "Opus with LACE",
    "mp3": "MP3",
    "lc3": "LC3",
    "aac": "AAC",
    "he-aac": "HE-AAC",
    "codec2": "Codec2",
    "speex": "Speex",
    "amr-nb": "AMR-NB",
    "amr-wb": "AMR-WB",
    "g723.1": "G.723.1",
    "g729": "G.729",
    "ima-adpcm": "IMA ADPCM",
    "sbc": "SBC",
}
GROUP_NAMES = {
    WIDE_SPEECH: "Speech, 16 kHz and more",
    NARROW_SPEECH: "Speech below 16 kHz",
    "music": "Music",
    "sfx": "Sound effects",
    "stereo": "Stereo",
    "other": "Other",
}


@dataclasses.dataclass(frozen=True)
class MetricLabel:
    """How a metric is written."""

    name: str
    unit: str
    digits: int
    """After the decimal point."""
    better: str
    """'higher', 'lower', or '' where nobody said."""
    caution: str
    """What it can be fooled by; '' where that is not known."""


_CAUTIONS = {
    "zimtohrli": "ruled by bandwidth, forgives wrong phase, and its floor depends on the clip",
    "visqol": "squeezed at the bottom (2.6 to 3.0 for anything 4 kHz wide) and too kind to narrow speech",
    "visqol_speech": "saturates on speech that is merely good",
    "pesq_wb": "3.4 and more for a perfect 4 kHz low-pass; blind to level",
    "pesq_nb": "blind to everything above 4 kHz, and to level",
    "stoi": "blind to everything above 5 kHz",
    "snr": "favours codecs that throw the top band away, and hears nothing of masking",
    "si_sdr": "as SNR, and blind to level",
    "lsd": "follows missing high frequencies",
    "ild": "blind to what both channels share, and to phases between them",
    "ipd": "blind above 1.5 kHz, and to what the channels do not share",
    "coherence": "blind to where sound comes from",
}
"""In the order in which the page shows the metrics: models of hearing first, then measures of the waveform."""


def codec_name(codec: str) -> str:
    return CODEC_NAMES.get(codec, codec)


def group_name(group: str) -> str:
    return GROUP_NAMES.get(group, group)


def metric_label(metric: str) -> MetricLabel:
    """The label of a metric; one that this version does not have goes by its key."""
    known = METRICS.get(metric)
    if known is None:
        return MetricLabel(metric, "", 2, "", "")
    better = "higher" if known.higher_is_better else "lower"
    return MetricLabel(known.title, known.unit, known.digits, better, _CAUTIONS.get(metric, ""))


def metric_order(metrics: set[str]) -> list[str]:
    """Models of hearing first, what is not known last."""
    return [metric for metric in _CAUTIONS if metric in metrics] + sorted(metrics.difference(_CAUTIONS))


def codec_order(codecs: set[str]) -> list[str]:
    """Ours first."""
    return [codec for codec in CODEC_NAMES if codec in codecs] + sorted(codecs.difference(CODEC_NAMES))
