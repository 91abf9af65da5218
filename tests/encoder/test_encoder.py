"""The encoder through its public interface: any signal, at any rate, within its ceilings, and the same every time."""

from __future__ import annotations

import dataclasses
import itertools
import math
import subprocess
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from demo_clips import demo, demo_stream
from random_streams import most_held

import audio_gs
from audio_gs.api import encode_clip
from audio_gs.audio_io import Clip
from audio_gs.codec import container
from audio_gs.codec.cost import macs_per_sample
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.kinds import NOISE, TONE
from audio_gs.codec.slots import encode_stream
from audio_gs.encoder import EncodeResult, EncoderOptions
from audio_gs.encoder.options import PRESETS
from audio_gs.errors import AudioInputError, OptionsError

Samples = npt.NDArray[np.float64]

RATE = 16000
WINDOW_SECONDS = 0.02
DEFAULT_MACS = 300
TIME = np.arange(RATE) / RATE


def snr_db(signal: Samples, data: bytes) -> float:
    error = np.sum((signal - audio_gs.decode(data)[0] / 32768) ** 2)
    return float(10 * np.log10(np.sum(signal**2) / error)) if error else math.inf


def check(
    data: bytes, signal: Samples, sample_rate: int, max_macs: float = DEFAULT_MACS, max_tones: int = 4096
) -> container.StreamHeader:
    """What holds for every stream of the encoder."""
    header = container.check_stream(data)
    assert (header.samples, header.sample_rate) == (len(signal), sample_rate)
    pcm, _ = audio_gs.decode(data)
    np.testing.assert_array_equal(pcm, audio_gs.decode(data, backend="numba")[0])
    assert len(pcm) == len(signal)
    gaussians = audio_gs.read_gaussians(data)

    assert header.peak_macs == math.ceil(macs_per_sample(gaussians, header)[1]) <= max_macs
    assert header.max_tones == most_held(gaussians["tone"], header, TONE) <= max_tones

    # SPEC S2: in order, and nothing that nobody hears.
    assert gaussians.total == sum(len(gaussians[kind.name]) for kind in header.kinds)
    heights = {TONE: "bin", NOISE: "place"}
    for kind in header.kinds:
        table, height = gaussians[kind.name], heights[kind]
        slot = table["onset"] >> header.slot_log2
        order = np.lexsort((table[height], table["scale"], slot))
        np.testing.assert_array_equal(table[height], table[height][order])
        np.testing.assert_array_equal(table["scale"], table["scale"][order])
        assert (kind.ends(table, header) > 0).all()
        assert (table["onset"] < len(signal)).all()
    return header


def square(hz: float) -> Samples:
    return np.where((TIME * hz) % 1 < 0.5, 1.0, -1.0)


SIGNALS: Mapping[str, Samples] = {
    "silence": np.zeros(RATE),
    "one sample": np.array([0.5]),
    "one silent sample": np.array([0.0]),
    "two samples": np.array([0.5, -0.5]),
    "a few samples": np.linspace(-1, 1, 100),
    "constant": np.full(RATE, 0.5),
    "lowest constant": np.full(RATE, -1.0),
    "full-scale square": square(441),
    "white noise": np.random.default_rng(1).uniform(-1, 1, RATE),
    "impulse": np.eye(1, RATE, 5000)[0],
    "impulse at the end": np.eye(1, RATE, RATE - 1)[0],
    "quiet": 1e-4 * np.sin(2 * np.pi * 500 * TIME),
    "below a step": 1e-6 * np.sin(2 * np.pi * 500 * TIME),
    "above full scale": 1.5 * np.sin(2 * np.pi * 300 * TIME),
    "highest frequency": 0.5 * np.cos(np.pi * np.arange(RATE)),
    "tone after silence": np.concatenate([np.zeros(RATE // 2), 0.5 * np.sin(2 * np.pi * 800 * TIME[: RATE // 2])]),
}


@pytest.mark.parametrize(
    "options",
    [{"bitrate": 6}, {"quality": 4, "preset": "sfx"}, {"bitrate": 6, "preset": "speech", "max_macs": 20}],
    ids=str,
)
@pytest.mark.parametrize("name", SIGNALS)
def test_any_signal(name: str, options: dict[str, Any]) -> None:
    signal = SIGNALS[name]
    data = audio_gs.encode(signal, RATE, effort="fast", **options)
    check(data, signal, RATE, options.get("max_macs", DEFAULT_MACS))
    if np.any(signal):
        # Noise in place of what the tones leave out may add its own energy to the error, and not more.
        assert snr_db(signal, data) > -3.2
    kbit_s = audio_gs.info(data).kbit_s
    assert "bitrate" not in options or kbit_s <= options["bitrate"] * 1.03 or len(data) <= 24


@pytest.mark.parametrize(
    ("name", "kbit_s", "floor_db"),
    [
        ("constant", 6, 30),
        ("constant", 48, 30),
        ("full-scale square", 6, 7),
        ("full-scale square", 48, 9),
        ("impulse", 6, 20),
        ("impulse", 48, 20),
        ("quiet", 6, 12),
        ("tone after silence", 6, 20),
        ("tone after silence", 48, 30),
        ("white noise", 48, 7),
    ],
)
def test_signals_are_coded_well(name: str, kbit_s: float, floor_db: float) -> None:
    """More bits than a signal needs do no harm either."""
    signal = SIGNALS[name]
    data = audio_gs.encode(signal, RATE, effort="fast", bitrate=kbit_s)
    check(data, signal, RATE)
    assert snr_db(signal, data) > floor_db


def test_silence_costs_its_header() -> None:
    for seconds, most in ((0.001, 24), (2, 28), (100, 60)):
        signal = np.zeros(round(seconds * RATE))
        data = audio_gs.encode(signal, RATE, seek_every=0)
        assert len(data) <= most
        assert not audio_gs.decode(data)[0].any()


def test_ten_minutes() -> None:
    rate, minutes = 8000, 10
    random = np.random.default_rng(3)
    signal = np.zeros(minutes * 60 * rate)
    burst = np.hanning(4000)
    for start in random.integers(0, len(signal) - len(burst), 300):
        hz = random.uniform(100, 3000)
        signal[start : start + len(burst)] += 0.2 * burst * np.sin(2 * np.pi * hz / rate * np.arange(len(burst)))
    data = audio_gs.encode(signal, rate, gaussians=3, effort="fast", preset="speech")
    header = container.check_stream(data)
    assert header.samples == len(signal)
    assert header.segments in (120, 121)
    assert snr_db(signal, data) > 6
    decoder = audio_gs.StreamDecoder(data)
    whole, _ = audio_gs.decode(data)
    for second in (599, 300, 7):
        decoder.seek(second * rate)
        np.testing.assert_array_equal(decoder.read(rate), whole[second * rate :][:rate])


@pytest.mark.parametrize("rate", [8000, 8001, 11025, 12000, 12345, 16000, 22050, 24000, 32000, 44100, 47999, 48000])
def test_sample_rates(rate: int) -> None:
    time = np.arange(rate // 2) / rate
    signal = 0.4 * np.sin(2 * np.pi * 440 * time) * np.exp(-3 * time)
    data = audio_gs.encode(signal, rate, bitrate=8, effort="fast", config={"sample_rate": "keep"})
    check(data, signal, rate)
    assert snr_db(signal, data) > 25


@pytest.mark.parametrize(
    ("name", "kbit_s", "floor_db"),
    [("speech", 3, 12.5), ("speech", 6, 16.5), ("speech", 12, 22.5), ("music", 6, 30.5), ("sfx", 12, 16.0)],
)
def test_demo_clips(name: str, kbit_s: float, floor_db: float) -> None:
    signal, rate = demo(name)
    data = demo_stream(name, bitrate=kbit_s)
    header = check(data, signal, rate)
    assert header.table_set_name == name
    assert audio_gs.info(data).kbit_s == pytest.approx(kbit_s, rel=0.03)
    assert snr_db(signal, data) > floor_db


@pytest.mark.parametrize(("name", "floor_db"), [("speech", 23.5), ("sfx", 24.5)])
def test_demo_clips_of_tones_and_noise_alone(name: str, floor_db: float) -> None:
    signal, rate = demo(name)
    data = audio_gs.encode(signal, rate, bitrate=12, preset=name, config={"residual": False})
    check(data, signal, rate)
    assert snr_db(signal, data) > floor_db


@pytest.mark.parametrize(("name", "kbit_s"), [("speech", 2), ("speech", 4.5), ("speech", 24), ("music", 3), ("sfx", 6)])
def test_bitrate_is_met_on_clips_of_two_seconds(name: str, kbit_s: float) -> None:
    signal, rate = demo(name)
    signal = signal[: 2 * rate]
    data = audio_gs.encode(signal, rate, bitrate=kbit_s, preset=name, effort="fast", max_macs=1000)
    assert 8e-3 * len(data) / 2 == pytest.approx(kbit_s, rel=0.03)


@pytest.mark.parametrize("effort", ["normal", "best"])
def test_more_effort_is_no_worse(effort: str) -> None:
    signal, _ = demo("speech")
    assert snr_db(signal, demo_stream("speech", bitrate=6, effort=effort)) > snr_db(
        signal, demo_stream("speech", bitrate=6)
    )


ENCODE_AGAIN = """
import sys
import numpy
import audio_gs
signal = numpy.load(sys.argv[1])
sys.stdout.buffer.write(audio_gs.encode(signal, 8000, bitrate=6))
"""


def test_the_same_stream_every_time(tmp_path: Path) -> None:
    signal = demo("speech")[0][8000:24000]
    first, second = (audio_gs.encode(signal, 8000, bitrate=6) for _ in range(2))
    np.save(tmp_path / "clip.npy", signal)
    command = [sys.executable, "-c", ENCODE_AGAIN, str(tmp_path / "clip.npy")]
    in_another_process = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, check=True).stdout
    assert first == second == in_another_process


@pytest.mark.parametrize(
    ("name", "kbit_s", "max_macs"),
    [("speech", 12, 20), ("speech", 6, 60), ("speech", 1.5, 20), ("sfx", 6, 40)],
)
def test_ceiling_on_macs(name: str, kbit_s: float, max_macs: int) -> None:
    data = demo_stream(name, bitrate=kbit_s, max_macs=max_macs)
    check(data, *demo(name), max_macs=max_macs)
    if kbit_s > 2:
        assert snr_db(demo(name)[0], data) > 7, "the ceiling leaves room for more"


@pytest.mark.parametrize("max_tones", [1, 10, 40])
def test_ceiling_on_held_gaussians(max_tones: int) -> None:
    signal, rate = demo("speech")
    data = audio_gs.encode(signal, rate, bitrate=6, effort="fast", config={"max_tones": max_tones})
    check(data, signal, rate, max_tones=max_tones)


def encoded(name: str, seconds: float = 1.5, **options: Any) -> EncodeResult:
    signal, rate = demo(name)
    clip = Clip(signal[: round(seconds * rate)], rate)
    return encode_clip(clip, EncoderOptions(**{"effort": "fast", **options}))


@pytest.mark.parametrize("name", ["speech", "music", "sfx"])
def test_auto_takes_the_preset_that_sounds_nearest(name: str) -> None:
    quality = {preset: encoded(name, bitrate=6, preset=preset, sample_rate="keep").quality for preset in PRESETS}
    assert quality.pop("auto") > max(quality.values()) - 0.5


@pytest.mark.parametrize(("name", "kbit_s"), [("speech", (1.5, 3, 6, 12)), ("music", (1.5, 4)), ("sfx", (2, 6))])
def test_more_bits_sound_nearer(name: str, kbit_s: tuple[float, ...]) -> None:
    qualities = [encoded(name, bitrate=rate, preset=name).quality for rate in kbit_s]
    assert all(more > less + 0.5 for less, more in itertools.pairwise(qualities))


def dull(rate: int, highest_hz: float, seconds: float = 0.4) -> Samples:
    """Notes up to a frequency that come and go softly."""
    time = np.arange(round(seconds * rate)) / rate
    return sum(
        0.1 * np.sin(2 * np.pi * hz * time) * np.sin(np.pi * time / seconds) ** 2
        for hz in np.linspace(200, highest_hz, 5)
    )


@pytest.mark.parametrize(
    ("rate", "highest_hz", "wanted"),
    [(48000, 6000, 16000), (44100, 9000, 22050), (32000, 3000, 8000), (48000, 20000, 48000), (16000, 7000, 16000)],
)
def test_sample_rate_follows_what_can_be_heard(rate: int, highest_hz: float, wanted: int) -> None:
    signal = dull(rate, highest_hz)
    for sample_rate, preset, expected in (
        (None, "auto", wanted),
        ("auto", "speech", wanted),
        ("keep", "speech", rate),
        (None, "speech", rate),
        (12000, "speech", 12000),
    ):
        options = EncoderOptions(bitrate=8, effort="fast", preset=preset, sample_rate=sample_rate)
        data = encode_clip(Clip(signal, rate), options).data
        header = container.check_stream(data)
        assert header.sample_rate == expected
        assert header.samples == round(len(signal) * expected / rate)
        assert audio_gs.info(data).kbit_s <= 8


def test_sample_rate_keeps_the_sound_and_the_loop() -> None:
    rate, lower = 48000, 12000
    signal = dull(rate, 5000)
    options = EncoderOptions(bitrate=24, effort="fast", loop=(4800, len(signal)))
    data = encode_clip(Clip(signal, rate), options).data
    header = container.check_stream(data)
    assert header.sample_rate == lower
    assert header.loop == (1200, header.samples)
    assert snr_db(signal[::4], data) > 20


def test_the_shortest_loop_at_another_rate() -> None:
    options = EncoderOptions(bitrate=8, effort="fast", sample_rate=8000, loop=(6, 390))
    assert encode_clip(Clip(np.full(400, 0.5), 48000), options).header.loop == (1, 65)
    shorter = dataclasses.replace(options, loop=(12, 390))
    with pytest.raises(OptionsError, match=r"63 samples, .* fewer than 64"):
        encode_clip(Clip(np.full(400, 0.5), 48000), shorter)


@pytest.mark.parametrize(
    "study",
    [
        {"phase_bits": 2},
        {"initialisation": "peaks", "refine_steps": 2},
        {"initialisation": "random", "refine_steps": 20},
    ],
    ids=str,
)
def test_noise_is_for_what_the_studied_tones_leave(study: dict[str, Any]) -> None:
    def noise_level_db(**options: Any) -> float:
        """Energy of the noise by that of what the tones leave."""
        result = encoded("speech", bitrate=6, preset="speech", seek_every=0, **options)
        noises = Gaussians(noise=audio_gs.read_gaussians(result.data)["noise"])
        noise = audio_gs.decode(encode_stream(result.header, noises))[0].astype(np.float64)
        whole = audio_gs.decode(result.data)[0].astype(np.float64)
        left = 32768 * demo("speech")[0][: len(whole)] - (whole - noise)
        return float(10 * np.log10(np.sum(noise**2) / np.sum(left**2)))

    assert noise_level_db(**study) == pytest.approx(noise_level_db(), abs=3.5)


@pytest.mark.parametrize("rate", [8000, 16000, 24000, 48000])
def test_speech_fits_its_memory(rate: int) -> None:
    """However dense: 6 KB on a 32-bit core, and pointers take 12 bytes more here."""
    noise = np.random.default_rng(3).standard_normal(2 * rate) * 0.1
    data = audio_gs.encode(noise, rate, bitrate=24, preset="speech", effort="fast")
    assert audio_gs.info(data).decoder_bytes <= 6144 + 12


@pytest.mark.parametrize("name", ["speech", "music", "sfx"])
def test_quality_is_the_same_on_every_clip(name: str) -> None:
    """And takes more bytes each time."""
    results = {quality: encoded(name, quality=quality, preset=name) for quality in (1.5, 4, 6.5)}
    for quality, result in results.items():
        assert result.quality == pytest.approx(quality, abs=0.4)
    sizes = [len(result.data) for result in results.values()]
    assert sizes == sorted(set(sizes))


def test_quality_stops_at_the_ceilings() -> None:
    free, limited = (encoded("speech", quality=8, preset="speech", max_macs=macs) for macs in (1000, 30))
    assert free.quality == pytest.approx(8, abs=0.6)
    assert limited.quality < 6.5
    assert limited.header.peak_macs <= 30


@pytest.mark.parametrize("per_second", [5, 50, 500])
def test_number_of_gaussians(per_second: float) -> None:
    signal, rate = demo("speech")
    data = audio_gs.encode(signal, rate, gaussians=per_second, preset="speech", effort="fast")
    wanted = per_second * len(signal) / rate
    assert 0.9 * wanted - 1 <= audio_gs.read_gaussians(data).total <= wanted + 1


def test_seek_points() -> None:
    _, rate = demo("speech")
    plain = demo_stream("speech", gaussians=100, seek_every=0)
    assert container.check_stream(plain).seek_slots == 0
    assert audio_gs.info(plain).seek_point_bits == 0
    data = demo_stream("speech", gaussians=100, seek_every=1)
    header = container.check_stream(data)
    assert header.seek_slots * header.slot_samples / rate == pytest.approx(1, abs=0.05)
    assert header.segments in (5, 6)
    assert 8 * (len(data) - len(plain)) == pytest.approx(audio_gs.info(data).seek_point_bits, abs=80)
    assert audio_gs.info(data).seek_point_bits > 0


def test_seek_points_are_every_five_seconds_by_default() -> None:
    signal = np.tile(0.2 * np.sin(2 * np.pi * 300 * TIME), 13)
    header = container.check_stream(audio_gs.encode(signal, RATE, gaussians=4, effort="fast", preset="music"))
    assert header.seek_slots * header.slot_samples / RATE == pytest.approx(5, abs=0.05)
    assert header.segments == 3


def test_loop_points() -> None:
    data = demo_stream("speech", bitrate=6, loop=(8000, 20000))
    assert container.check_stream(data).loop == (8000, 20000)
    whole, _ = audio_gs.decode(data)
    decoder = audio_gs.StreamDecoder(data)
    decoder.set_loop(True)
    pcm = np.concatenate([decoder.read(19000), decoder.read(30000)])
    np.testing.assert_array_equal(pcm[:20000], whole[:20000])
    np.testing.assert_array_equal(pcm[20000:32000], whole[8000:20000])
    np.testing.assert_array_equal(pcm[32000:44000], whole[8000:20000])


def test_integers_and_channels() -> None:
    pcm = (8000 * np.sin(2 * np.pi * 300 * TIME)).astype(np.int16)
    expected = audio_gs.encode(pcm / 32768, RATE, bitrate=4, effort="fast")
    assert audio_gs.encode(pcm, RATE, bitrate=4, effort="fast") == expected
    with pytest.warns(UserWarning, match="3 channels"):
        assert audio_gs.encode(np.stack([pcm, pcm, pcm], axis=1), RATE, bitrate=4, effort="fast") == expected
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert audio_gs.encode(pcm[:, None], RATE, bitrate=4, effort="fast") == expected


def test_result_knows_its_stream() -> None:
    signal, rate = demo("speech")
    options = EncoderOptions(bitrate=5, effort="fast", seek_every=1)
    result = encode_clip(Clip(signal, rate), options)
    assert result.header == container.check_stream(result.data)
    assert result.snr_db == pytest.approx(snr_db(signal, result.data))
    assert result.preset == result.header.table_set_name
    written = audio_gs.read_gaussians(result.data)
    for name, table in written.items():
        order = table.dtype.names
        np.testing.assert_array_equal(np.sort(result.gaussians[name], order=order), np.sort(table, order=order))


@pytest.mark.parametrize(
    "options",
    [
        {"bitrate": 4},
        {"gaussians": 60},
        {"quality": 3},
        {"bitrate": 4, "config": {"refine_steps": 3}},
        {"gaussians": 60, "config": {"refine_steps": 3}},
        {"quality": 3, "config": {"refine_steps": 3}},
    ],
    ids=str,
)
def test_progress_goes_forward(options: dict[str, Any]) -> None:
    signal, rate = demo("speech")
    calls: list[tuple[float, str]] = []
    audio_gs.encode(signal[: 2 * rate], rate, effort="fast", progress=lambda *call: calls.append(call), **options)
    fractions = [fraction for fraction, _ in calls]
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] <= fractions[-1] == 1
    assert all(text for _, text in calls)
    refining = [fraction for fraction, text in calls if text == "refining"]
    assert len(set(refining)) == options.get("config", {}).get("refine_steps", 0)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"bitrate": 0}, "bitrate"),
        ({"bitrate": math.nan}, "bitrate"),
        ({"bitrate": 6, "quality": 5}, "exclude each other"),
        ({"quality": 11}, "quality"),
        ({"config": {"sample_rate": "high"}}, "sample_rate"),
        ({"config": {"sample_rate": 96000}}, "sample_rate"),
        ({"config": {"sample_rate": 16000.5}}, "sample_rate"),
        ({"gaussians": -1}, "gaussians"),
        ({"preset": "noise"}, "preset"),
        ({"effort": "none"}, "effort"),
        ({"device": "tpu"}, "device"),
        ({"max_macs": 0}, "max_macs"),
        ({"seek_every": -1}, "seek_every"),
        ({"loop": (5, 5)}, "loop"),
        ({"loop": (0, RATE + 1)}, "loop"),
        ({"config": {"colour": "red"}}, "colour"),
        ({"config": {"max_tones": 0}}, "max_tones"),
        ({"config": {"bitrate": "fast"}}, "bitrate"),
    ],
    ids=str,
)
def test_impossible_options(options: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionsError, match=says):
        audio_gs.encode(SIGNALS["quiet"], RATE, **options)


@pytest.mark.parametrize("signal", [np.zeros(0), np.array([0.1, np.nan]), np.array([np.inf])], ids=str)
def test_impossible_audio(signal: Samples) -> None:
    with pytest.raises(AudioInputError):
        audio_gs.encode(signal, RATE)


def test_arguments_go_before_the_configuration() -> None:
    signal = demo("speech")[0]
    by_config = audio_gs.encode(signal, 8000, config={"bitrate": 3, "effort": "fast", "preset": "speech"})
    assert by_config == demo_stream("speech", bitrate=3)
    overridden = audio_gs.encode(signal, 8000, bitrate=3, config={"quality": 9, "effort": "fast", "preset": "speech"})
    assert overridden == by_config
