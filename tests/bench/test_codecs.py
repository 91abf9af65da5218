"""The codecs' streams: payloads counted right, tools run, watched and given up, rivals that are installed."""

from __future__ import annotations

import importlib.metadata
import shutil
import struct
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from bench_clips import noise, tone

import audio_gs
from audio_gs import api
from audio_gs.bench import align, rivals
from audio_gs.bench.codecs import RIVALS, Codec, CodecError, CodecMissing, OurOptions, make_codec
from audio_gs.bench.codecs.codec2 import Codec2
from audio_gs.bench.codecs.ffmpeg import G7231, Aac, AmrNb, AmrWb, Ffmpeg, ImaAdpcm
from audio_gs.bench.codecs.lc3 import Lc3
from audio_gs.bench.codecs.libopus import library_version, pyav_libopus, with_library
from audio_gs.bench.codecs.ogg import packet_sizes
from audio_gs.bench.codecs.opus import Opus, Opus16, OpusWideBand
from audio_gs.bench.codecs.opus_direct import OpusWideBandDirect
from audio_gs.bench.codecs.ours import AudioGs
from audio_gs.bench.codecs.tool import (
    find_tools,
    nearest_above,
    observed,
    read_stream,
    read_wav,
    run_tool,
    scratch,
    write_wav,
)
from audio_gs.bench.report.page.labels import CODEC_NAMES
from audio_gs.bench.results import OURS
from audio_gs.code_hash import code_hash

VARIANTS = [pytest.param(codec, id=f"{codec.key} {codec.variant}") for group in RIVALS.values() for codec in group]


def page(*laces: int) -> bytes:
    return b"OggS" + bytes(22) + bytes((len(laces), *laces)) + bytes(sum(laces))


def test_ogg_packets_are_counted_across_segments_and_pages() -> None:
    assert packet_sizes(page(19) + page(255, 255, 3, 7) + page(255) + page(0, 5)) == [19, 513, 7, 255, 5]


@pytest.mark.parametrize("data", [b"OggS", b"none", page(9)[:-1], page(255), page(9) + b"x"])
def test_damaged_ogg_is_refused(data: bytes) -> None:
    with pytest.raises(CodecError):
        packet_sizes(data)


def test_amr_frames_count_without_their_headers() -> None:
    frame = bytes((7 << 3,)) + bytes(31)
    comfort, nothing = bytes((8 << 3,)) + bytes(5), bytes((15 << 3,))
    assert AmrNb().payload_bits(b"#!AMR\n" + frame + comfort + nothing + frame) == 8 * (31 + 5 + 0 + 31)
    assert AmrWb().payload_bits(b"#!AMR-WB\n" + bytes((2 << 3,)) + bytes(32)) == 8 * 32
    for codec, data in ((AmrNb(), b"#!AMR-WB\n"), (AmrNb(), b"#!AMR\n" + frame[:-1])):
        with pytest.raises(CodecError):
            codec.payload_bits(data)


def test_adts_headers_do_not_count() -> None:
    def frame(size: int, crc: bool = False) -> bytes:
        header = 9 if crc else 7
        whole = size + header
        start = bytes((0xFF, 0xF0 if crc else 0xF1, 0x50, whole >> 11, whole >> 3 & 255, (whole & 7) << 5 | 31, 0xFC))
        return start + bytes(whole - 7)

    assert Aac().payload_bits(frame(100) + frame(300, crc=True)) == 8 * 400
    for data in (frame(100)[:-1], b"RIFF" + frame(10), bytes((0xFF, 0xF1, 0, 0, 0, 0, 0))):
        with pytest.raises(CodecError):
            Aac().payload_bits(data)


@pytest.mark.parametrize("codec", [ImaAdpcm(), G7231()], ids=lambda codec: codec.key)
def test_wav_headers_do_not_count(codec: Ffmpeg) -> None:
    chunks = struct.pack("<4sI3sx", b"LIST", 3, b"abc") + struct.pack("<4sI", b"data", 6) + bytes(6)
    assert codec.payload_bits(b"RIFF" + bytes(4) + b"WAVE" + chunks) == 48
    with pytest.raises(CodecError, match="no samples"):
        codec.payload_bits(b"RIFF" + bytes(4) + b"WAVE")


def test_lc3_headers_and_lengths_do_not_count() -> None:
    data = (
        struct.pack("<HH", 0xCC1C, 18) + bytes(14) + struct.pack("<H", 20) + bytes(20) + struct.pack("<H", 4) + bytes(4)
    )
    assert Lc3().payload_bits(data) == 8 * 24
    for damaged in (data[:-1], data[:2], b""):
        with pytest.raises(CodecError, match="cut short"):
            Lc3().payload_bits(damaged)


def test_codec2_counts_bits_and_not_filled_bytes() -> None:
    header = bytes((0xC0, 0xDE, 0xC2, 1, 0, 8, 0))
    assert Codec2().payload_bits(header + bytes(4 * 10)) == 28 * 10
    with pytest.raises(CodecError, match="not known"):
        Codec2().payload_bits(bytes(3))


def test_rates_of_a_codec() -> None:
    assert Codec2().rates(8000, (6.0,)) == (0.7, 1.3, 2.4, 3.2)
    assert Aac().rates(16000, (3.0, 12.0)) == (12.0,)
    assert Aac().rates(16000) == Aac.ladder
    assert max(ImaAdpcm().rates(8000)) == 32
    assert max(ImaAdpcm().rates(44100)) == 176
    assert [nearest_above((8000, 16000), rate) for rate in (7000, 8001, 48000)] == [8000, 16000, 16000]
    assert Aac().coded_rate(22050, 24) == 22050
    assert Aac().coded_rate(48000, 12) == 12000


def test_wide_band_is_for_clips_that_have_as_much() -> None:
    for codec in (OpusWideBand(), OpusWideBandDirect(60)):
        assert codec.rates(8000) == codec.rates(8000, (8.0,)) == ()
        assert codec.rates(16000) == codec.ladder
        assert codec.rates(16000, (4.0, 8.0)) == (8.0,)


def test_lengths_of_opus_packets_do_not_count() -> None:
    codec = OpusWideBandDirect(60)
    data = struct.pack("<H300xH2x", 300, 2)
    assert codec.payload_bits(data) == 8 * 302
    for damaged in (data[:-1], data[:-3]):
        with pytest.raises(CodecError, match="cut short"):
            codec.payload_bits(damaged)


def test_a_libopus_that_fails_says_so() -> None:
    with pytest.raises(CodecError, match="libopus gave the error -4"):
        try:
            OpusWideBandDirect(60).decode(struct.pack("<H", 9) + b"\xff" * 9)
        except CodecMissing as error:
            pytest.skip(str(error))


@pytest.mark.parametrize(
    "codec", [Opus(60), Opus16(60), OpusWideBand(), OpusWideBandDirect(60)], ids=lambda codec: codec.key
)
def test_opus_is_measured_closely_where_it_goes_over_to_wide_band(codec: Codec) -> None:
    between = [rate for rate in codec.ladder if 8 <= rate <= 12]
    assert (between[0], between[-1]) == (8, 12)
    assert max(high / low for low, high in pairwise(between)) <= 9 / 8


def test_every_rival_has_a_name_and_tables_speak_of_rivals_that_there_are() -> None:
    variants = {(codec.key, codec.variant) for group in RIVALS.values() for codec in group}
    assert all(codec.key == key for key, group in RIVALS.items() for codec in group)
    assert set(RIVALS) <= set(CODEC_NAMES)
    assert set(rivals.CODECS.values()) <= variants


@pytest.fixture
def another_pyav(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Makes PyAV one that has the given files, or lets it be missing."""

    def install(*names: str) -> None:
        def files(package: str) -> list[importlib.metadata.PackagePath]:
            if not names:
                raise importlib.metadata.PackageNotFoundError(package)
            paths = [importlib.metadata.PackagePath(name) for name in names]
            for path in paths:
                path.dist = importlib.metadata.Distribution.at(tmp_path)
            return paths

        monkeypatch.setattr(importlib.metadata, "files", files)

    pyav_libopus.cache_clear()
    yield install
    pyav_libopus.cache_clear()


def test_opus_16_is_missing_without_a_pyav_that_has_it(
    another_pyav: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "libopus-1.so.0").write_bytes(b"no library")
    for names, reason in (
        ((), r"libopus 1\.6 not found; pip install 'av>=16\.1' on Linux"),
        (("av/__init__.py",), "this PyAV has no libopus of its own"),
        (("libopus-1.so.0",), r"libopus-1\.so\.0 is no libopus for this machine"),
    ):
        another_pyav(*names)
        with pytest.raises(CodecMissing, match=reason):
            pyav_libopus()
    monkeypatch.setattr("audio_gs.bench.codecs.libopus.library_version", lambda path: "libopus 1.5.2")
    with pytest.raises(CodecMissing, match=r"this PyAV has libopus 1\.5\.2 and not 1\.6"):
        pyav_libopus()


@pytest.mark.skipif(not shutil.which("opusenc"), reason="opus-tools are not installed")
def test_opus_16_is_coded_by_the_library_of_pyav() -> None:
    try:
        path = pyav_libopus()
    except CodecMissing as error:
        pytest.skip(str(error))
    codec = Opus16(60)
    version = library_version(path).encode()
    assert version.decode() in codec.version()
    assert version in codec.encode(tone(1.0, 16000), 16000, 12)
    assert version not in Opus(60).encode(tone(1.0, 16000), 16000, 12) or version.decode() in Opus(60).version()


@pytest.mark.skipif(not shutil.which("opusenc"), reason="opus-tools are not installed")
def test_a_library_that_opusenc_does_not_take_is_no_codec(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Unloadable(Opus):
        def library(self) -> Path:
            return tmp_path / "libopus-none.so.0"

    assert with_library(None) == {}
    with pytest.raises(CodecMissing, match=r"opusenc does not run with libopus-none\.so\.0"):
        Unloadable(20).version()


@pytest.mark.skipif(not shutil.which("opusenc"), reason="opus-tools are not installed")
def test_opus_forced_to_wide_band_keeps_what_it_would_throw_away() -> None:
    rate, seconds = 16000, 2.0
    clip = np.repeat(np.hanning(8), round(seconds * rate / 8)) * tone(seconds, rate) + noise(seconds, rate) / 20

    def energy_above_5_khz(codec: Opus) -> float:
        decoded, decoded_rate = codec.decode(codec.encode(clip, rate, 6))
        spectrum = np.abs(np.fft.rfft(decoded)) ** 2
        return float(spectrum[np.fft.rfftfreq(len(decoded), 1 / decoded_rate) > 5000].sum())

    assert "wide band" in OpusWideBand().version()
    assert energy_above_5_khz(OpusWideBand()) > 100 * energy_above_5_khz(Opus(60))


def test_failing_tools_are_errors_of_one_line() -> None:
    program = (sys.executable, "-c")
    assert run_tool(*program, "print('fine')") == "fine\n"
    with pytest.raises(CodecError, match="ended with code 3: the reason"):
        run_tool(*program, "print('more\\nthe reason\\n'); raise SystemExit(3)")
    with pytest.raises(CodecError, match="ended with signal 9: it said nothing"):
        run_tool(*program, "import os; os.kill(os.getpid(), 9)")
    with pytest.raises(CodecError, match=r"did not end within 0\.2 s"):
        run_tool(*program, "import time; time.sleep(60)", timeout_s=0.2)
    told = run_tool(
        *program, "import os; print(os.environ['GS_WORD'], 'PATH' in os.environ)", environment={"GS_WORD": "x"}
    )
    assert told == "x True\n"
    with pytest.raises(CodecError, match="cannot be run"):
        run_tool("no-such-tool-at-all")
    with pytest.raises(CodecMissing, match="no-such-tool-at-all not found; install a-package"):
        find_tools("a-package", "no-such-tool-at-all")


def test_what_a_tool_did_not_write_is_an_error_and_nothing_stays_behind() -> None:
    with scratch() as folder:
        with pytest.raises(CodecError, match="no stream"):
            read_stream(folder / "nothing")
        with pytest.raises(CodecError, match="nothing that can be read"):
            read_wav(folder / "nothing")
        path = write_wav(folder / "a.wav", tone(0.1), 8000)
        samples, rate = read_wav(path)
        assert rate == 8000
        assert np.max(np.abs(samples - tone(0.1))) <= 2**-16
    assert not folder.exists()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system has no /proc")
def test_a_tool_is_watched_without_the_memory_of_its_starter() -> None:
    with observed() as small:
        run_tool("sleep", "0.1")
    with observed() as large:
        run_tool(sys.executable, "-c", "import time; block = bytearray(80_000_000); time.sleep(0.1)")
    run_tool("sleep", "0.01")
    assert small.peak_bytes is not None
    assert large.peak_bytes is not None
    assert small.peak_bytes < 20_000_000
    assert large.peak_bytes > 80_000_000
    assert small.seconds >= 0.1


@pytest.mark.parametrize("codec", VARIANTS)
def test_installed_rivals_code_a_clip_at_about_their_rate(codec: Codec) -> None:
    try:
        codec.version()
    except CodecMissing as error:
        pytest.skip(str(error))
    seconds = 2.0
    rate = next(rate for rate in (16000, 44100) if codec.rates(rate))
    clip = np.repeat(np.hanning(8), round(seconds * rate / 8)) * tone(seconds, rate) + noise(seconds, rate) / 50
    nominal = codec.rates(rate)[-1]
    data = codec.encode(clip, rate, nominal)
    bits = codec.payload_bits(data)
    assert 0 < bits <= 8 * len(data)
    assert 0.3 * nominal < bits / seconds / 1000 < 1.7 * nominal
    decoded, decoded_rate = codec.decode(data)
    assert len(decoded) / decoded_rate == pytest.approx(seconds, abs=0.3)
    assert np.isfinite(decoded).all()
    assert 0.01 < np.sqrt(np.mean(decoded**2)) / np.sqrt(np.mean(clip**2)) < 2


@pytest.mark.skipif(not shutil.which("opusenc"), reason="opus-tools are not installed")
def test_opus_payload_is_smaller_than_the_file_by_its_headers() -> None:
    codec = make_codec("opus", "20 ms", OurOptions())
    data = codec.encode(tone(1.0, 16000), 16000, 16)
    assert 500 < len(data) - codec.payload_bits(data) // 8 < 2000


def test_ours_is_what_the_package_encodes_and_counts_whole_files() -> None:
    options = OurOptions("speech", "fast")
    codec = make_codec(OURS, "", options)
    assert isinstance(codec, AudioGs)
    data = codec.encode(tone(), 8000, 6)
    assert data == api.encode(tone(), 8000, bitrate=6, preset="speech", effort="fast")
    assert codec.payload_bits(data) == 8 * len(data)
    decoded, rate = codec.decode(data)
    assert rate == 8000
    assert np.array_equal(decoded * 32768, api.decode(data)[0])
    details = codec.details(data)
    assert details["bit_exact"] is True
    assert details["preset"] == "speech"
    gaussians = audio_gs.read_gaussians(data)
    assert (details["gaussians"], details["residual_values"]) == (gaussians.total, len(gaussians["residual"]))
    assert code_hash() in codec.version()
    assert codec.version() != make_codec(OURS, "", OurOptions("music", "fast")).version()
    with pytest.raises(CodecError):
        codec.encode(np.zeros(0), 8000, 6)


@pytest.mark.parametrize("delay", [0.0, 37.0, -12.0, 3.25, 0.01])
def test_delays_are_found_and_taken_out(delay: float) -> None:
    clip = np.convolve(noise(0.5, 8000), np.hanning(8) / 4, "same")
    turns = np.fft.rfftfreq(8192)
    late = np.fft.irfft(np.fft.rfft(clip, 8192) * np.exp(-2j * np.pi * turns * (delay + 40)), 8192)[40:]
    lag = align.find_lag(clip, late, 8000)
    assert lag == pytest.approx(delay, abs=1 / 64)
    restored = align.take_out(late, lag, len(clip))
    assert len(restored) == len(clip)
    inner = slice(50, -50)
    assert np.sum((restored - clip)[inner] ** 2) < 1e-3 * np.sum(clip[inner] ** 2)


def test_levels_are_not_fitted_and_lengths_are() -> None:
    clip = noise(0.2, 8000)
    assert np.array_equal(align.take_out(0.5 * clip, 0.0, 3000)[:1600], 0.5 * clip)
    assert not align.take_out(clip, 0.0, 3000)[1600:].any()
    assert len(align.take_out(clip, 5000.0, 1600)) == 1600
    assert align.find_lag(clip, np.zeros(1600), 8000) == 0.0
    assert align.find_lag(np.zeros(1600), clip, 8000) == 0.0


def test_envelopes_find_the_delay_where_the_waveform_is_lost() -> None:
    shape = np.convolve(noise(1.0, 8000, seed=3), np.hanning(800), "same") ** 2
    clip, other = shape * noise(1.0, 8000, seed=4), shape * noise(1.0, 8000, seed=5)
    late = np.concatenate((np.zeros(160), other))
    assert align.find_envelope_lag(clip, late, 8000) == pytest.approx(160, abs=24)


@pytest.mark.parametrize(
    ("file", "decides"),
    [
        ("codec/container.py", True),
        ("codec/kinds/noise.py", True),
        ("codec/priors.json", True),
        ("codec/_decoder.abi3.so", True),
        ("encoder/tones/pursuit.py", True),
        ("encoder/presets/speech.yaml", True),
        ("api.py", True),
        ("new_room/module.py", True),
        ("bank/search.py", False),
        ("bench/targets.yaml", False),
        ("bench/codecs/ours.py", False),
        ("cli/common.py", False),
        ("export/c/arrays.py", False),
        ("firmware_sim/simulate.py", False),
        ("codec/__pycache__/container.cpython-311.pyc", False),
    ],
)
def test_our_version_follows_what_decides_a_stream(tmp_path: Path, file: str, decides: bool) -> None:
    def install(name: str, content: str) -> Path:
        path = tmp_path / name / file
        path.parent.mkdir(parents=True)
        path.write_text(content)
        return tmp_path / name

    assert (code_hash(install("one", "before")) != code_hash(install("two", "after"))) == decides
