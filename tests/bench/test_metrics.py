"""The metrics: known values, marks in the place of values, packages that are missing."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from typing import Any

import numpy as np
import pytest
from bench_clips import FloatArray, noise
from demo_clips import demo

from audio_gs.bench.metrics import METRICS, Metric, MetricMissing, MetricUnusable, NotMeasurable, base

RATE = 16000


def usable(key: str) -> Metric:
    metric = METRICS[key]
    try:
        metric.version()
    except (MetricMissing, MetricUnusable) as error:
        pytest.skip(str(error))
    return metric


def speech() -> FloatArray:
    return base.at_rate(*demo("speech"), RATE)[: 3 * RATE]


def test_snr_and_si_sdr_have_their_textbook_values() -> None:
    clip, error = noise(0.5, RATE, 1), noise(0.5, RATE, 2)
    error -= clip * (clip @ error) / (clip @ clip)
    error *= np.sqrt((clip @ clip) / (error @ error)) / 10
    assert METRICS["snr"].value(clip, clip + error, RATE) == pytest.approx(20.0)
    assert METRICS["si_sdr"].value(clip, 0.5 * (clip + error), RATE) == pytest.approx(20.0)
    assert METRICS["snr"].value(clip, 0.5 * clip, RATE) == pytest.approx(20 * np.log10(2)), "levels are not fitted"
    assert METRICS["si_sdr"].value(clip, 0 * clip, RATE) == -40.0
    assert METRICS["snr"].value(clip, 0 * clip, RATE) == 0.0


def test_log_spectral_distance_of_a_level_is_that_level() -> None:
    clip = noise(0.5, RATE)
    assert METRICS["lsd"].value(clip, clip, RATE) == 0.0
    assert METRICS["lsd"].value(clip, clip / 10, RATE) == pytest.approx(20.0, abs=0.1)
    assert not METRICS["lsd"].higher_is_better


def test_every_metric_says_why_it_has_no_value() -> None:
    clip = noise(0.05, RATE)
    for key, metric in METRICS.items():
        with pytest.raises(NotMeasurable, match=r"silence|short"):
            metric.value(0 * clip, clip, RATE)
        if metric.min_seconds:
            with pytest.raises(NotMeasurable, match=r"too short: needs [\d.]+ s"):
                metric.value(clip, clip, RATE)
        assert metric.key == key
    with pytest.raises(NotMeasurable, match="identical"):
        METRICS["snr"].value(clip, clip, RATE)
    with pytest.raises(NotMeasurable, match="below 16000 Hz"):
        METRICS["pesq_wb"].value(noise(1, 8000), noise(1, 8000), 8000)


def test_two_channels_are_judged_together() -> None:
    clip, error = noise(0.5, RATE, 1), noise(0.5, RATE, 2)
    pair, decoded = np.stack([clip, 0 * clip], axis=1), np.stack([clip, error], axis=1)
    expected = 10 * np.log10((clip @ clip) / (error @ error))
    assert METRICS["snr"].value(pair, decoded, RATE) == pytest.approx(expected), "energies of both channels"
    louder = np.stack([clip / 10, clip], axis=1)
    both = np.stack([clip, clip], axis=1)
    assert METRICS["lsd"].value(both, louder, RATE) == pytest.approx(10.0, abs=0.1), "the mean of both channels"
    assert METRICS["lsd"].value(pair, pair / 10, RATE) == pytest.approx(20.0, abs=0.1), "a silent one does not count"


def test_image_metrics_have_their_textbook_values() -> None:
    left, right = noise(1.0, RATE, 1), noise(1.0, RATE, 2)
    pair = np.stack([left, 0.5 * left], axis=1)
    for key in ("ild", "ipd", "coherence"):
        assert METRICS[key].value(pair, pair, RATE) == pytest.approx(0.0, abs=1e-9)
        assert not METRICS[key].higher_is_better
    apart = np.stack([left, 0.25 * left], axis=1)
    assert METRICS["ild"].value(pair, apart, RATE) == pytest.approx(20 * np.log10(2), abs=1e-3)
    assert METRICS["ild"].value(pair, 3 * pair[::-1], RATE) == pytest.approx(0.0, abs=1e-9), "blind to common levels"
    assert METRICS["ipd"].value(pair, pair * [1, -1], RATE) == pytest.approx(180.0)
    assert METRICS["coherence"].value(pair, np.stack([left, right], axis=1), RATE) > 0.5
    sine = np.sin(2 * np.pi * 500 * np.arange(RATE) / RATE)
    delayed = np.stack([sine, np.roll(sine, 4)], axis=1)
    assert METRICS["ipd"].value(np.stack([sine, sine], axis=1), delayed, RATE) == pytest.approx(45.0, abs=1.0)


def test_image_metrics_need_two_channels_and_something_in_common() -> None:
    clip = noise(0.5, RATE)
    with pytest.raises(NotMeasurable, match="one channel"):
        METRICS["ild"].value(clip, clip, RATE)
    pair = np.stack([clip, 0 * clip], axis=1)
    with pytest.raises(NotMeasurable, match="nothing in common"):
        METRICS["ipd"].value(pair, pair, RATE)


def test_what_is_not_a_number_is_marked() -> None:
    class Undefined(Metric):
        key = title = "undefined"

        def measure(self, reference: FloatArray, decoded: FloatArray, sample_rate: int) -> float:
            return float("nan")

    with pytest.raises(NotMeasurable, match="NaN"):
        Undefined().value(noise(1, RATE), noise(1, RATE), RATE)


def test_speech_metrics_are_for_speech() -> None:
    assert {key for key, metric in METRICS.items() if not metric.suits("music")} == {
        "pesq_nb",
        "pesq_wb",
        "stoi",
        "visqol_speech",
    }
    assert all(metric.suits("speech") for metric in METRICS.values())


@pytest.mark.parametrize("key", ["pesq_nb", "pesq_wb", "stoi", "visqol", "visqol_speech", "zimtohrli"])
def test_perceptual_metrics_prefer_the_better_copy(key: str) -> None:
    metric = usable(key)
    clip = speech()
    error = noise(len(clip) / RATE, RATE, 7)
    good, bad = (metric.value(clip, clip + gain * error, RATE) for gain in (0.01, 0.3))
    assert good > bad
    assert 0 <= bad < good <= (1.0 if key == "stoi" else 5.0)


@pytest.mark.parametrize("key", ["pesq_nb", "pesq_wb", "visqol", "visqol_speech"])
def test_silence_in_the_place_of_speech_is_marked(key: str) -> None:
    metric = usable(key)
    with pytest.raises(NotMeasurable, match=r"silence|NaN"):
        metric.value(speech(), np.zeros(3 * RATE), RATE)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    base._version.cache_clear()
    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(MetricMissing, match="zimtohrli is not installed; install the extra 'bench'"):
        METRICS["zimtohrli"].version()
    base._version.cache_clear()


def test_visqol_without_its_runtime_fails_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec

    def find_spec(name: str, package: str | None = None) -> Any:
        if name == "visqol":
            return object()
        return None if name == "ai_edge_litert" else real(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    with pytest.raises(MetricUnusable, match="overrates by 1 to 2 MOS without ai-edge-litert"):
        METRICS["visqol_speech"].version()
