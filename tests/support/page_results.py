"""A small run of the bench made by hand: two clips with hostile names, and tones whose pitch tells codec and place."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import soundfile

from audio_gs.bench.results import (
    OURS,
    BdRate,
    Cell,
    ClipFacts,
    CurvePoint,
    LeftOut,
    Ratio,
    Results,
    SpeedRow,
    TargetRow,
)

RATE = 8000
SECONDS = 8.0
LEVEL = 0.25
PITCH = {"original": 400.0, OURS: 1250.0, "opus": 2100.0, "mp3": 2950.0}
"""Hz at the start."""
RISE = 100.0
"""Hz a second."""
STREAM = Path(__file__).parents[1] / "vectors" / "music-12.bin"
HOSTILE = 'speech/</script><!--<script><img src=x onerror="globalThis.harmed=1">\'&amp;\u2028\u202e{{ 7 * 7 }}.flac'
PLAIN = "music/plain.flac"
NOTE = "never reached <b>here</b>"


def tone(pitch: float) -> np.ndarray:
    """A tone that rises steadily from a pitch."""
    time = np.arange(round(SECONDS * RATE)) / RATE
    return LEVEL * np.sin(2 * np.pi * (pitch + RISE / 2 * time) * time)


def cell(clip: str, codec: str, nominal: float, **changes: object) -> Cell:
    """A cell whose audio is the codec's tone, at a true rate 2 % above the nominal one."""
    kbit_s = 1.02 * nominal
    values: dict[str, object] = {
        "clip": clip,
        "codec": codec,
        "variant": "20 ms" if codec == "opus" else "",
        "nominal_kbit_s": float(nominal),
        "kbit_s": kbit_s,
        "payload_bytes": round(kbit_s * 125 * SECONDS),
        "file_bytes": round(kbit_s * 125 * SECONDS),
        "lag_ms": 0.0,
        "metrics": {"snr": 2.0 * kbit_s, "pesq_wb": None},
        "marks": {"pesq_wb": "not for clips below 16000 Hz"},
        "error": None,
        "audio": f"{codec}.flac",
        "stream": "ours.bin" if codec == OURS else None,
        "details": {},
    }
    return Cell(**{**values, **changes})  # type: ignore[arg-type]


def make_results(cache: Path) -> Results:
    """The results, with their audio and streams in `cache`."""
    for name, pitch in PITCH.items():
        soundfile.write(cache / f"{name}.flac", tone(pitch), RATE, subtype="PCM_16")
    (cache / "ours.bin").write_bytes(STREAM.read_bytes())
    original = str(cache / "original.flac")
    cells = [
        cell(clip, codec, rate)
        for clip in (HOSTILE, PLAIN)
        for codec, rates in ((OURS, (3, 6, 12)), ("opus", (6, 8, 12)), ("mp3", (8, 64)))
        for rate in rates
    ]
    lost = cell(PLAIN, "lc3", 16, error="elc3 ended with status 1", audio=None, metrics={}, kbit_s=math.nan)
    curves = [
        CurvePoint(group, metric, codec, float(rate), math.nan if lacking and rate == 12 else gain * rate, 1)
        for group in ("speech-8k", "music")
        for metric, gain, lacking in (("snr", 1.5, False), ("pesq_wb", 0.31, True))
        for codec in (OURS, "opus")
        for rate in (6, 8, 12)
    ]
    ratios = [
        Ratio("speech-8k", "snr", "opus", 6.0, 9.0, 18.0, 2.5, 2.0, 30.0, 0.42, 1, ""),
        Ratio("speech-8k", "pesq_wb", "opus", 6.0, 2.9, 1.1, None, None, None, None, 1, NOTE),
        Ratio("speech-8k", "snr", "opus", 12.0, 13.0, 23.0, 20.0, 2.0, 30.0, 1.67, 1, ""),
        Ratio("speech-8k", "pesq_wb", "opus", 12.0, 3.9, None, None, None, None, None, 1, NOTE),
        Ratio("music", "snr", "mp3", 16.0, 17.0, 28.0, 4.0, 2.0, 30.0, 0.25, 1, ""),
    ]
    return Results(
        folder="/somewhere/clips & more",
        options={},
        clips=(
            ClipFacts(HOSTILE, "speech", RATE, 1, SECONDS, original),
            ClipFacts(PLAIN, "music", RATE, 1, SECONDS, original),
        ),
        cells=(*cells, lost),
        left_out=(LeftOut("broken <i>.wav", "cannot read it as audio"),),
        skipped_codecs={"speex": "speexenc is not installed"},
        skipped_metrics={"visqol": "visqol-python is not installed"},
        curves=tuple(curves),
        ratios=tuple(ratios),
        bd_rates=(
            BdRate("speech-8k", "snr", "opus", -58.4, 1, ""),
            BdRate("speech-8k", "pesq_wb", "opus", None, 0, NOTE),
        ),
        targets=(TargetRow("SNR of speech", "speech", "18 dB", "20 dB", "19.1 dB", "reached", "missed", ""),),
        speed=(
            SpeedRow(OURS, 7.0, 3200.0, 1.0, 1.0, 400_000_000, 38_000_000, 4300),
            SpeedRow("opus", 310.0, None, 44.3, None, 9_000_000, None, None),
        ),
        versions={"opus": "opus-tools 0.2"},
    )
