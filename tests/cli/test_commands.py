"""The commands: exit codes, one-line errors, and files that are whole or not there."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import soundfile
from empty_streams import empty_stream

from audio_gs import api, audio_io, backends, inspect
from audio_gs.bank import gs_bank
from audio_gs.bench import gs_bench
from audio_gs.cli import common, gs_decode, gs_edit, gs_encode, gs_info, gs_play, gs_verify
from audio_gs.codec.backend import Backend, Decoder
from audio_gs.codec.container import FORMAT_VERSION, parse_header
from audio_gs.codec.native import NativeDecoder
from audio_gs.codec.slots import encode_stream
from audio_gs.encoder.options import option_facts
from audio_gs.errors import AudioGsError, BitstreamError, OutputError
from audio_gs.export import gs_export
from audio_gs.firmware_sim import gs_sim
from audio_gs.gaussians import read_gaussians
from audio_gs.spatial import gs_scene

RATE = 8000
SECONDS = 1.5
PROGRAMS = {
    "gs-encode": gs_encode,
    "gs-decode": gs_decode,
    "gs-play": gs_play,
    "gs-info": gs_info,
    "gs-verify": gs_verify,
    "gs-edit": gs_edit,
    "gs-bench": gs_bench,
    "gs-sim": gs_sim,
    "gs-export": gs_export,
    "gs-bank": gs_bank,
    "gs-scene": gs_scene,
}
LARGE_MODULES = ("click", "numba", "numpy", "scipy", "soundfile", "torch")
FAST = ("--effort", "fast", "--bitrate", "6")


class Result(NamedTuple):
    code: int
    out: bytes
    err: str


Call = Callable[..., Result]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Iterator[Call]:
    """Runs a command inside this process, which spares each test the imports."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def run(program: str, *arguments: object, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "argv", [program, *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capfdbinary.readouterr()
        with pytest.raises(SystemExit) as ended:
            PROGRAMS[program].main()
        captured = capfdbinary.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return Result(int(code), captured.out, captured.err.decode())

    yield run
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def clip() -> np.ndarray:
    time_s = np.arange(int(SECONDS * RATE)) / RATE
    return 0.3 * np.sin(2 * np.pi * 440 * time_s) * np.exp(-2 * time_s)


@pytest.fixture(scope="session")
def stream(clip: np.ndarray) -> bytes:
    return api.encode(clip, RATE, bitrate=6, effort="fast", seek_every=0.5)


@pytest.fixture
def folder(tmp_path: Path, clip: np.ndarray, stream: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    soundfile.write(tmp_path / "clip.wav", clip, RATE)
    (tmp_path / "clip.gs").write_bytes(stream)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def check_refused(result: Result, code: common.ExitCode, says: str) -> None:
    assert result.code == code
    assert says in result.err
    assert len(result.err.splitlines()) == 1
    assert result.out == b""


def test_there_and_back(call: Call, folder: Path) -> None:
    assert call("gs-encode", "clip.wav", "-o", "new.gs", *FAST).code == 0
    result = call("gs-decode", "new.gs", "-o", "new.wav")
    assert result.code == 0
    audio, rate = soundfile.read("new.wav")
    assert (len(audio), rate) == (int(SECONDS * RATE), RATE)
    assert call("gs-verify", "new.gs").code == 0


def test_closing_line(call: Call, folder: Path) -> None:
    result = call("gs-encode", "clip.wav", "-o", "new.gs", *FAST)
    assert len(result.err.splitlines()) == 1
    for part in (
        f"{Path('new.gs').stat().st_size} bytes",
        "kbit/s",
        "ratio",
        "quality",
        "SNR",
        "MACs/sample",
        "mean",
        "peak",
    ):
        assert part in result.err


def test_quiet_says_nothing(call: Call, folder: Path) -> None:
    assert call("gs-encode", "clip.wav", "-o", "new.gs", "-q", *FAST) == (0, b"", "")
    assert call("gs-decode", "new.gs", "-o", "new.wav", "-q") == (0, b"", "")
    assert call("gs-verify", "new.gs", "-q") == (0, b"", "")


def test_configuration_and_options_are_judged_together(call: Call, folder: Path) -> None:
    Path("study.yaml").write_text("refine_steps: 4\ncheckpoint_every: 2\n")
    arguments = ("clip.wav", "-o", "new.gs", "--bitrate", 6, "--config", "study.yaml")
    without = call("gs-encode", *arguments)
    assert without.code == 2
    assert "checkpoint_every needs log_dir" in without.err
    assert call("gs-encode", *arguments, "--log-dir", "log").code == 0
    assert Path("log", "log.jsonl").exists()
    assert list(Path("log").glob("*.npz"))


def test_a_quality_that_is_not_reached_is_said(call: Call, folder: Path) -> None:
    noise = 0.1 * np.random.default_rng(1).standard_normal(RATE)
    soundfile.write("noise.wav", noise, RATE)
    limited = ("noise.wav", "-o", "new.gs", "-f", "--preset", "speech", "--effort", "fast", "--max-macs", 40)
    result = call("gs-encode", *limited, "--quality", 9)
    assert result.code == 0
    assert "max_macs" in result.err and "of 9" in result.err
    assert "max_macs" not in call("gs-encode", *limited, "--quality", 0).err


def test_sample_rate(call: Call, folder: Path) -> None:
    time_s = np.arange(20000) / 40000
    soundfile.write("dull.wav", 0.3 * np.sin(2 * np.pi * 440 * time_s) * np.sin(2 * np.pi * time_s) ** 2, 40000)
    for given, rate in (((), 8000), (("--sample-rate", "keep"), 40000), (("--sample-rate", 16000), 16000)):
        result = call("gs-encode", "dull.wav", "-o", "dull.gs", "-f", *FAST, *given)
        assert result.code == 0
        assert (f"encoded at {rate} instead of 40000 Hz" in result.err) == (rate != 40000)
        assert call("gs-decode", "dull.gs", "-o", "back.wav", "-f").code == 0
        audio, back = soundfile.read("back.wav")
        assert (len(audio), back) == (rate // 2, rate)


@pytest.mark.parametrize(
    ("rate", "given", "stream_rate"),
    [
        (96000, ("--preset", "sfx"), 48000),
        (96000, ("--sample-rate", 48000), 48000),
        (88200, ("--preset", "sfx"), 44100),
        (192000, ("--sample-rate", "auto"), 8000),
    ],
)
def test_rates_above_all_streams_are_resampled(
    call: Call, folder: Path, rate: int, given: tuple[object, ...], stream_rate: int
) -> None:
    time_s = np.arange(rate // 5) / rate
    tone = 0.3 * np.sin(2 * np.pi * 440 * time_s) * np.sin(5 * np.pi * time_s) ** 2
    soundfile.write("high.wav", tone, rate)
    result = call("gs-encode", "high.wav", "-o", "high.gs", *FAST, *given, "--loop", rate // 10, rate // 5)
    assert result.code == 0
    assert f"encoded at {stream_rate} instead of {rate} Hz" in result.err
    audio, back = api.decode(Path("high.gs").read_bytes())
    assert (len(audio), back) == (stream_rate // 5, stream_rate)
    assert inspect.info(Path("high.gs").read_bytes()).header.loop == (stream_rate // 10, stream_rate // 5)


def test_python_hears_of_resampling_too() -> None:
    with pytest.warns(UserWarning, match="96000 Hz resampled to 48000"):
        data = api.encode(np.zeros(9600), 96000)
    assert inspect.info(data).header.sample_rate == 48000


def test_a_rate_above_all_streams_is_not_kept(call: Call, folder: Path) -> None:
    soundfile.write("high.wav", np.zeros(9600), 96000)
    arguments = ("high.wav", "-o", "high.gs", "--sample-rate", "keep")
    check_refused(call("gs-encode", *arguments), common.ExitCode.USAGE, "ask for sample rate 48000")


def test_a_rate_that_is_not_reached_is_said(call: Call, folder: Path) -> None:
    soundfile.write("silence.wav", np.zeros(2 * RATE), RATE)
    result = call("gs-encode", "silence.wav", "-o", "new.gs", "--bitrate", 6)
    assert result.code == 0
    assert "leave no use for more" in result.err
    assert "leave no use for more" not in call("gs-encode", "clip.wav", "-o", "other.gs", "--bitrate", 6).err


def test_the_options_of_a_configuration_are_listed(call: Call, folder: Path) -> None:
    listed = call("gs-encode", "--help-config")
    assert listed.code == 0
    text = " ".join(listed.out.decode().split())
    for name, facts in option_facts().items():
        assert f"{name} {facts.summary}" in text
    assert "[l1, l2, mrstft; default l2]" in text
    assert "--help-config" in call("gs-encode", "--help").out.decode()


@pytest.mark.parametrize("program", PROGRAMS)
def test_version(call: Call, program: str) -> None:
    shown = call(program, "--version")
    assert shown == (0, f"{program} {version('audio-gs')}, format version {FORMAT_VERSION}\n".encode(), "")


def test_standard_input_and_output(call: Call, folder: Path) -> None:
    to_file = call("gs-encode", "clip.wav", "-o", "new.gs", *FAST)
    piped = call("gs-encode", "-", "-o", "-", *FAST, stdin=Path("clip.wav").read_bytes())
    assert to_file.code == piped.code == 0
    assert piped.out == Path("new.gs").read_bytes()
    decoded = call("gs-decode", "-", "-o", "-", stdin=piped.out)
    call("gs-decode", "new.gs", "-o", "new.wav")
    assert decoded.out == Path("new.wav").read_bytes()


def test_backends(call: Call, folder: Path) -> None:
    for backend in ("c", "numba"):
        assert call("gs-decode", "clip.gs", "-o", f"{backend}.wav", "--backend", backend).code == 0
    assert call("gs-decode", "clip.gs", "-o", "torch.wav", "--backend", "torch").code == 0
    assert Path("c.wav").read_bytes() == Path("numba.wav").read_bytes()
    exact, _ = soundfile.read("c.wav")
    rendered, _ = soundfile.read("torch.wav")
    assert 10 * np.log10(np.sum(exact**2) / np.sum((exact - rendered) ** 2)) > 55


def test_playing_otherwise_than_encoded(call: Call, folder: Path) -> None:
    def played(*options: str) -> np.ndarray:
        assert call("gs-decode", "clip.gs", "-o", "played.wav", "-f", *options).code == 0
        return soundfile.read("played.wav", dtype="int16")[0].astype(int)

    plain = played()
    assert np.abs(played("--gain-db", "-6.0206") - plain / 2).max() <= 1
    faded = played("--fade-in", "0.1", "--fade-out", "0.1")
    assert faded[0] == 0
    assert np.abs(faded[-10:]).max() < 0.01 * np.abs(plain).max() + 2
    assert not played("--mute", "tone", "--mute", "noise", "--mute", "residual").any()
    assert (played("--mute", "100-1000") != plain).any()
    higher = played("--pitch", "1.5")
    assert len(higher) == len(plain)
    np.testing.assert_array_equal(played("--pitch", "1.5", "--backend", "numba"), higher)
    assert len(played("--tempo", "0.5")) == 2 * len(plain)
    rate = soundfile.info("played.wav").samplerate
    other = played("--tempo", "1.25", "--pitch", "0.8", "--rate", "48000", "--fade-out", "0.1")
    assert soundfile.info("played.wav").samplerate == 48000
    assert len(other) == soundfile.info("played.wav").frames == pytest.approx(len(plain) * 48000 / rate / 1.25, abs=3)
    assert np.abs(other[-10:]).max() < 0.01 * np.abs(plain).max() + 2


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--gain-db", "13"), "12.04"),
        (("--fade-in", "-1"), "fade"),
        (("--pitch", "2.1"), "0.5..2"),
        (("--tempo", "0.4"), "0.5..2"),
        (("--tempo", "nan"), "0.5..2"),
        (("--rate", "7999"), "8000..48000"),
        (("--rate", "fast"), "integer"),
        (("--rate", "48000", "--backend", "torch"), "numba"),
        (("--mute", "bass"), "tone, noise, residual"),
        (("--mute", "9-x"), "2000-4000"),
        (("--mute", "1-2", "--mute", "3-4"), "one band"),
        (("--pitch", "1.1", "--backend", "torch"), "numba"),
    ],
)
def test_impossible_playback(call: Call, folder: Path, options: tuple[str, ...], word: str) -> None:
    result = call("gs-decode", "clip.gs", "-o", "new.wav", *options)
    assert result.code == common.ExitCode.USAGE
    assert word in result.err
    assert not Path("new.wav").exists()


def test_many_inputs_go_to_a_folder(call: Call, folder: Path) -> None:
    Path("other.wav").write_bytes(Path("clip.wav").read_bytes())
    assert call("gs-encode", "clip.wav", "other.wav", "-o", "out", *FAST).code == 0
    assert names(folder / "out") == {"clip.gs", "other.gs"}
    assert call("gs-decode", "out/clip.gs", "out/other.gs", "-o", "out").code == 0
    assert call("gs-decode", "out/clip.gs", "out/other.gs", "-o", "new.wav/").code == 0
    assert names(folder / "new.wav") == {"clip.wav", "other.wav"}
    assert names(folder / "out") == {"clip.gs", "other.gs", "clip.wav", "other.wav"}


def test_one_bad_input_does_not_stop_the_others(call: Call, folder: Path) -> None:
    Path("bad.gs").write_bytes(b"GSxxxx")
    result = call("gs-decode", "bad.gs", "clip.gs", "-o", "out")
    assert result.code == common.ExitCode.CORRUPT
    assert names(folder / "out") == {"clip.wav"}


def test_json(call: Call, folder: Path) -> None:
    made = json.loads(call("gs-encode", "clip.wav", "-o", "new.gs", "--json", "-q", *FAST).out)
    shown = json.loads(call("gs-info", "new.gs", "--json").out)
    assert shown.items() >= {"sample_rate": RATE, "samples": int(SECONDS * RATE), "channels": 1, "version": 1}.items()
    assert set(shown["macs_per_sample"]) == {"mean", "peak"}
    for key in ("gaussians", "kbit_s", "decoder_bytes", "max_tones", "seek_point_bits", "segments", "loop"):
        assert made[key] == shown[key]
    assert json.loads(call("gs-decode", "new.gs", "-o", "new.wav", "--json").out)["damage"] is None


def test_verify_names_what_it_compared(call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = json.loads(call("gs-verify", "clip.gs", "--json").out)
    assert report["agree"] is True
    assert {"c", "numba"} <= set(report["backends"])
    assert set(report["backends"]).isdisjoint(report["left_out"])
    assert {*report["backends"], *report["left_out"]} == set(backends.names())
    assert all(report["left_out"].values())

    left_out = {"onnx": "onnx is not installed"}
    report_of = inspect.VerifyReport(12, ("c", "numba", "torch"), left_out, {"torch": 70.0}, None)
    monkeypatch.setattr(inspect, "verify", lambda *_: report_of)
    result = call("gs-verify", "clip.gs")
    assert result.out == b"clip.gs: c and numba agree on all 12 samples, torch: 70.0 dB\n"
    assert "onnx left out: onnx is not installed" in result.err
    of_exact = inspect.VerifyReport(12, ("c", "numba", "onnx"), {}, {}, None)
    monkeypatch.setattr(inspect, "verify", lambda *_: of_exact)
    assert call("gs-verify", "clip.gs").out == b"clip.gs: c, numba and onnx agree on all 12 samples\n"


def test_info_shows_every_header_field(call: Call, folder: Path) -> None:
    lines = call("gs-info", "clip.gs").out.decode()
    for label in (
        "sample rate",
        "samples",
        "Gaussians",
        "MACs/sample",
        "decoder memory",
        "seek points",
        "loop",
    ):
        assert label in lines


def test_nothing_is_overwritten_without_force(call: Call, folder: Path) -> None:
    before = Path("clip.gs").read_bytes()
    check_refused(call("gs-encode", "clip.wav", "-o", "clip.gs"), common.ExitCode.ERROR, "-f overwrites")
    assert Path("clip.gs").read_bytes() == before
    assert call("gs-encode", "clip.wav", "-o", "clip.gs", "-f", *FAST).code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "IN"),
        (("clip.wav",), "-o"),
        (("clip.wav", "-o", "x.gs", "--bitrate", "0"), "--bitrate"),
        (("clip.wav", "-o", "x.gs", "--bitrate", "6", "--quality", "5"), "exclude each other"),
        (("clip.wav", "-o", "x.gs", "--quality", "11"), "--quality"),
        (("clip.wav", "-o", "x.gs", "--sample-rate", "high"), "--sample-rate"),
        (("clip.wav", "-o", "x.gs", "--sample-rate", "96000"), "sample_rate"),
        (("clip.wav", "-o", "x.gs", "--max-macs", "0"), "--max-macs"),
        (("clip.wav", "-o", "x.gs", "--preset", "noise"), "--preset"),
        (("clip.wav", "-o", "x.gs", "--nonsense"), "--nonsense"),
        (("clip.wav", "-o", "clip.wav", "-f"), "both input and output"),
        (("clip.wav", "other.wav", "-o", "clip.gs"), "FOLDER"),
        (("clip.wav", "other.wav", "-o", "x.gs"), "x.gs is the name of a file"),
        (("clip.wav", "-o", "x.gs", "--loop", "0", "9", "--no-loop"), "exclude each other"),
        (("clip.wav", "other.wav", "-o", "-"), "FOLDER"),
        (("clip.wav", "sub/clip.wav", "-o", "out"), "would both become"),
        (("clip.wav", "-o", "-", "--json"), "--json"),
        (("clip.wav", "-o", "x.gs", "--config", "none.yaml"), "none.yaml"),
        (("clip.wav", "-o", "x.gs", "--config", "unknown.yaml"), "unknown option 'colour'"),
        (("clip.wav", "-o", "x.gs", "--config", "list.yaml"), "option: value"),
        (("clip.wav", "-o", "x.gs", "--config", "broken.yaml"), "YAML"),
        (("clip.wav", "-o", "x.gs", "--loop", "500", "100"), "loop"),
        (("clip.wav", "-o", "x.gs", "--loop", "500", "563"), "the loop would have 63 samples"),
        (("clip.wav", "-o", "x.gs", "--loop", "0", "99999999"), "loop"),
    ],
)
def test_wrong_use(call: Call, folder: Path, arguments: tuple[str, ...], says: str) -> None:
    Path("unknown.yaml").write_text("colour: red\n")
    Path("list.yaml").write_text("- a\n")
    Path("broken.yaml").write_text("a: [\n")
    before = names(folder)
    check_refused(call("gs-encode", *arguments), common.ExitCode.USAGE, says)
    assert names(folder) == before


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("missing.wav", "no such file"),
        ("empty.wav", "empty"),
        ("text.wav", "cannot read"),
        ("nan.wav", "NaN"),
        ("fast.wav", "8000..192000"),
        ("huge.wav", "full scale"),
        ("folder.wav", "folder"),
    ],
)
def test_unfit_audio(call: Call, folder: Path, name: str, says: str) -> None:
    Path("text.wav").write_text("no audio at all")
    Path("folder.wav").mkdir()
    soundfile.write("empty.wav", np.zeros(0), RATE)
    soundfile.write("nan.wav", np.array([0, np.nan]), RATE, subtype="FLOAT")
    soundfile.write("fast.wav", np.zeros(100), 384000)
    soundfile.write("huge.wav", np.array([0, 1e300]), RATE, subtype="DOUBLE")
    before = names(folder)
    check_refused(call("gs-encode", name, "-o", "x.gs"), common.ExitCode.ERROR, says)
    assert names(folder) == before


def test_stereo_stays_stereo_unless_it_is_to_be_mono(call: Call, folder: Path, clip: np.ndarray) -> None:
    soundfile.write("stereo.wav", np.column_stack([clip, 0.5 * clip]), RATE)
    for name, options, channels in (("two", (), 2), ("one", ("--mono",), 1)):
        result = call("gs-encode", "stereo.wav", "-o", f"{name}.gs", *options, *FAST)
        assert result.code == 0
        assert "mixed down" not in result.err
        assert parse_header(Path(f"{name}.gs").read_bytes())[0].channels == channels
    Path("mono.yaml").write_text("mono: true")
    assert call("gs-encode", "stereo.wav", "-o", "by_file.gs", "--config", "mono.yaml", *FAST).code == 0
    assert Path("by_file.gs").read_bytes() == Path("one.gs").read_bytes()
    write_wav_that_loops("loops.wav", np.column_stack([clip, -clip]), (0, 800, 3999))
    assert call("gs-encode", "loops.wav", "-o", "loops.gs", *FAST).code == 0
    header = parse_header(Path("loops.gs").read_bytes())[0]
    assert (header.channels, header.loop) == (2, (800, 4000))


def test_many_channels_are_mixed_down_with_a_notice(call: Call, folder: Path, clip: np.ndarray) -> None:
    soundfile.write("many.wav", np.column_stack([clip, clip, clip]), RATE)
    result = call("gs-encode", "many.wav", "-o", "many.gs", *FAST)
    assert result.code == 0
    assert "3 channels mixed down to one" in result.err


def write_wav_that_loops(name: str, clip: np.ndarray, *loops: tuple[int, int, int]) -> None:
    """A 16-bit WAV file with a sampler chunk of loops: kind, first and last sample."""
    soundfile.write(name, clip, RATE, format="WAV")
    sampler = struct.pack("<9I", 0, 0, 0, 60, 0, 0, 0, len(loops), 0)
    for number, loop in enumerate(loops):
        sampler += struct.pack("<6I", number, *loop, 0, 0)
    content = Path(name).read_bytes() + b"smpl" + struct.pack("<I", len(sampler)) + sampler
    Path(name).write_bytes(content[:4] + struct.pack("<I", len(content) - 8) + content[8:])


def test_loop_points_of_a_file(call: Call, folder: Path, clip: np.ndarray) -> None:
    write_wav_that_loops("loops.wav", clip, (0, 800, 3999))
    Path("loop.yaml").write_text("loop: [5, 500]")
    for given, loop in (
        ((), [800, 4000]),
        (("--loop", 5, 500), [5, 500]),
        (("--config", "loop.yaml"), [5, 500]),
        (("--no-loop",), None),
        (("--no-loop", "--config", "loop.yaml"), None),
    ):
        result = call("gs-encode", "loops.wav", "-o", "new.gs", "-f", *FAST, *given)
        assert result.code == 0
        assert ("loops from 800 to 4000" in result.err) == (not given)
        assert json.loads(call("gs-info", "new.gs", "--json").out)["loop"] == loop


def test_each_of_many_inputs_has_its_own_loop(call: Call, folder: Path, clip: np.ndarray) -> None:
    write_wav_that_loops("loops.wav", clip, (0, 800, 3999))
    assert call("gs-encode", "clip.wav", "loops.wav", "-o", "out", *FAST).code == 0
    loops = [json.loads(call("gs-info", f"out/{name}.gs", "--json").out)["loop"] for name in ("clip", "loops")]
    assert loops == [None, [800, 4000]]


def test_a_wav_file_that_is_cut_short_is_refused(call: Call, folder: Path) -> None:
    Path("cut.wav").write_bytes(Path("clip.wav").read_bytes()[:-1000])
    before = names(folder)
    result = call("gs-encode", "cut.wav", "-o", "x.gs")
    check_refused(result, common.ExitCode.ERROR, "cut short: 1000 bytes of its samples are missing")
    assert names(folder) == before


@pytest.mark.parametrize("program", ["gs-decode", "gs-info", "gs-verify", "gs-edit"])
def test_corrupt_streams(call: Call, folder: Path, stream: bytes, program: str) -> None:
    output = {"gs-decode": ("-o", "x.wav"), "gs-edit": ("-o", "x.gs")}.get(program, ())
    flipped = bytearray(stream)
    flipped[-3] ^= 4
    newer = stream[:2] + b"\x02" + stream[3:]
    before = {*names(folder), "bad.gs"}
    for data in (
        b"",
        b"GS",
        stream[:12],
        stream[: len(stream) // 2],
        stream[:-1],
        stream + b"x",
        flipped,
        newer,
    ):
        Path("bad.gs").write_bytes(data)
        check_refused(call(program, "bad.gs", *output), common.ExitCode.CORRUPT, "bad.gs")
        assert names(folder) == before


def test_partial_keeps_what_precedes_the_damage(call: Call, folder: Path, stream: bytes) -> None:
    whole, _ = api.decode(stream)
    damaged = bytearray(stream)
    damaged[-3] ^= 4
    Path("bad.gs").write_bytes(damaged)
    result = call("gs-decode", "bad.gs", "-o", "kept.wav", "--partial")
    assert result.code == common.ExitCode.CORRUPT
    assert "kept" in result.err
    kept, _ = soundfile.read("kept.wav", dtype="int16")
    assert 0.9 * RATE <= len(kept) < len(whole)
    np.testing.assert_array_equal(kept, whole[: len(kept)])


def test_partial_without_a_good_sample_leaves_no_file(call: Call, folder: Path, stream: bytes) -> None:
    Path("bad.gs").write_bytes(stream[:10])
    check_refused(call("gs-decode", "bad.gs", "-o", "x.wav", "--partial"), common.ExitCode.CORRUPT, "bad.gs")
    assert "x.wav" not in names(folder)


def test_unknown_output_formats_are_refused(call: Call, folder: Path) -> None:
    check_refused(call("gs-decode", "clip.gs", "-o", "x.mp3"), common.ExitCode.USAGE, ".wav or .flac")


def test_output_folder_must_exist(call: Call, folder: Path) -> None:
    check_refused(call("gs-decode", "clip.gs", "-o", "no/x.wav"), common.ExitCode.ERROR, "does not exist")


def test_a_failing_write_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = names(folder)
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OutputError, match=r"cannot write new\.gs: No space"):
        common.write_output("new.gs", b"content", force=False)
    assert names(folder) == before


def test_a_symbolic_link_stays_one(folder: Path) -> None:
    Path("link.gs").symlink_to("clip.gs")
    common.write_output("link.gs", b"content", force=True)
    assert Path("link.gs").is_symlink()
    assert Path("clip.gs").read_bytes() == b"content"


def test_unexpected_errors_are_one_line_too(call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(inspect, "info", fail)
    check_refused(call("gs-info", "clip.gs"), common.ExitCode.ERROR, "internal error")
    assert "Traceback" in call("gs-info", "clip.gs", "-v").err


def test_disagreement_is_named(call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = backends.load

    def altered(name: str) -> Backend:
        return dataclasses.replace(real(name), open=off_by_one) if name == "c" else real(name)

    def off_by_one(data: bytes) -> Decoder:
        decoder = NativeDecoder(data)
        read = decoder.read
        monkeypatch.setattr(decoder, "read", lambda count: read(count) + np.int16(1))
        return decoder

    monkeypatch.setattr(backends, "load", altered)
    check_refused(call("gs-verify", "clip.gs"), common.ExitCode.ERROR, "'render' in slot 0: sample 0")


def test_a_stream_that_costs_more_than_it_promises(call: Call, folder: Path, stream: bytes) -> None:
    header = dataclasses.replace(parse_header(stream)[0], peak_macs=1)
    Path("lie.gs").write_bytes(encode_stream(header, read_gaussians(stream)))
    result = call("gs-info", "lie.gs")
    assert result.code == 0
    assert "MACs a sample in some 20 ms, and its header promises 1 at most" in result.err
    assert "promises 1 at most" in json.loads(call("gs-info", "lie.gs", "--json").out)["excess"]
    result = call("gs-verify", "lie.gs")
    assert result.code == common.ExitCode.ERROR
    assert "gs-verify: lie.gs: it takes" in result.err
    assert "promises 1 at most" in json.loads(call("gs-verify", "lie.gs", "--json").out)["excess"]
    assert json.loads(call("gs-verify", "clip.gs", "--json").out)["excess"] is None


WHOLE_CLIP_COMMANDS = {
    "gs-decode": ("-o", "x.wav"),
    "gs-info": (),
    "gs-verify": (),
    "gs-sim": (),
    "gs-export": ("-o", "x.onnx"),
}


@pytest.mark.parametrize("program", WHOLE_CLIP_COMMANDS)
def test_lengths_above_the_limit_are_refused(call: Call, folder: Path, program: str) -> None:
    """The stream's 74 hours are 206 bytes."""
    Path("long.gs").write_bytes(empty_stream(12))
    before = names(folder)
    first = ("onnx",) if program == "gs-export" else ()
    for name, options in (("long.gs", ()), ("clip.gs", ("--max-duration", "1.25"))):
        result = call(program, *first, name, *WHOLE_CLIP_COMMANDS[program], *options)
        check_refused(result, common.ExitCode.ERROR, "--max-duration")
        assert names(folder) == before
    check_refused(call(program, *first, "clip.gs", "--max-duration", "0"), common.ExitCode.USAGE, "--max-duration")


def test_lengths_within_the_limit_are_taken(call: Call, folder: Path) -> None:
    assert call("gs-decode", "clip.gs", "-o", "x.wav", "--max-duration", "1.5").code == 0
    assert call("gs-info", "clip.gs", "--max-duration", "1.5").code == 0


def test_long_clips_are_written_as_they_come(call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never more than a few blocks at a time are in memory; none of it is there before all of it is."""
    Path("long.gs").write_bytes(empty_stream(12, 1 << 22))
    sizes = []

    def note(path: Path, blocks: Iterable[np.ndarray], *rest: Any) -> int:
        def noted() -> Iterator[np.ndarray]:
            for block in blocks:
                sizes.append(len(block))
                assert not Path("x.wav").exists()
                yield block

        return write(path, noted(), *rest)

    write = audio_io.write_blocks
    monkeypatch.setattr(audio_io, "write_blocks", note)
    assert call("gs-decode", "long.gs", "-o", "x.wav").code == 0
    assert sum(sizes) == 1 << 22
    assert max(sizes) <= api.BLOCK_SAMPLES
    assert soundfile.info("x.wav").frames == 1 << 22


SLOW_ENCODER = """
import signal, sys, time
# Whoever starts the tests in the background may have had it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
from audio_gs import api
from audio_gs.cli import gs_encode
api.encode_clip = lambda *_: (print("encoding", flush=True), time.sleep(60))
sys.argv[1:] = ["clip.wav", "-o", "x.gs"]
gs_encode.main()
"""


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, common.ExitCode.INTERRUPTED), (signal.SIGTERM, common.ExitCode.TERMINATED)],
)
def test_interrupted_encoding_leaves_nothing(folder: Path, number: signal.Signals, code: int) -> None:
    before = names(folder)
    process = subprocess.Popen([sys.executable, "-c", SLOW_ENCODER], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"encoding\n"
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert len(err.splitlines()) == (number == signal.SIGINT)
    assert names(folder) == before


SLOW_RENDERER = """
import hashlib, signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)
from audio_gs import backends
from audio_gs.cli import {module} as program
from audio_gs.codec.backend import Backend

def render(data):
    # Said from within: hours in native code, which lets other threads run.
    threading.Timer(0.3, lambda: print("rendering", flush=True)).start()
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)

slow = Backend("onnx", exact=True, render=render)
backends._backend.cache_clear()
load = backends.load
backends.load = lambda name: slow if name == "onnx" else load(name)
sys.argv[1:] = {arguments}
program.main()
"""


@pytest.mark.parametrize(
    ("module", "arguments"),
    [("gs_decode", ["clip.gs", "-o", "x.wav", "--backend", "onnx"]), ("gs_verify", ["clip.gs"])],
)
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, common.ExitCode.INTERRUPTED), (signal.SIGTERM, common.ExitCode.TERMINATED)],
)
def test_rendering_in_native_code_can_be_interrupted(
    folder: Path, module: str, arguments: list[str], number: signal.Signals, code: int
) -> None:
    before = names(folder)
    script = SLOW_RENDERER.format(module=module, arguments=arguments)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"rendering\n"
        process.send_signal(number)
        try:
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == code
    assert len(err.splitlines()) == (number == signal.SIGINT)
    assert names(folder) == before


PROGRESS_THAT_GOES_BACK = """
from audio_gs.cli.common import progress_bar
with progress_bar("clip.wav", shown=True) as report:
    report(0.5, "far")
    report(0.2, "back again")
"""


def test_progress_never_goes_back() -> None:
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    command = [sys.executable, "-c", PROGRESS_THAT_GOES_BACK]
    ended = subprocess.run(command, stderr=follower, env=environment, cwd=Path(sys.executable).parent)
    os.close(follower)
    drawn = os.read(leader, 1 << 16).decode()
    os.close(leader)
    assert ended.returncode == 0
    assert "50%" in drawn and "back again" in drawn
    assert "20%" not in drawn


def test_errors_share_a_base() -> None:
    assert issubclass(BitstreamError, ValueError)
    assert issubclass(BitstreamError, AudioGsError)


def test_importing_the_package_does_not_import_torch() -> None:
    code = "import sys, audio_gs; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(sys.executable).parent).returncode == 0


# ---- gs-edit ----

SCRIPT = "- transpose: {semitones: 12}\n- drop: {from: 0.5, to: 1.0}\n"


def test_a_script_is_carried_out(call: Call, folder: Path, stream: bytes) -> None:
    Path("edits.yaml").write_text(SCRIPT)
    result = call("gs-edit", "clip.gs", "-o", "new.gs", "--script", "edits.yaml")
    assert result.code == 0
    assert result.out == b""
    assert "new.gs" not in result.err
    audio, _ = api.decode(Path("new.gs").read_bytes())
    assert len(audio) == int(SECONDS * RATE)
    early = audio[400:2400].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(early * np.hanning(len(early)), 1 << 16))
    assert abs(np.argmax(spectrum) * RATE / (1 << 16) - 880) < 4
    assert np.abs(audio[int(0.7 * RATE) : int(0.8 * RATE)]).max() <= 1
    assert call("gs-verify", "new.gs", "-q").code == 0
    assert Path("clip.gs").read_bytes() == stream


def test_without_a_step_nothing_changes(call: Call, folder: Path, stream: bytes) -> None:
    assert call("gs-edit", "clip.gs", "-o", "new.gs").code == 0
    assert Path("new.gs").read_bytes() == stream
    assert call("gs-edit", "-", "-o", "-", "-q", stdin=stream).out == stream
    check_refused(call("gs-edit", "clip.gs", "-o", "new.gs"), common.ExitCode.ERROR, "-f overwrites it")
    assert call("gs-edit", "clip.gs", "-o", "new.gs", "-f", "-q") == (0, b"", "")


def test_steps_on_the_command_line(call: Call, folder: Path) -> None:
    Path("edits.json").write_text('[{"scale": {"gain_db": -6}}]')
    steps = ("--script", "edits.json", "--step", "cut: {to: 1}", "--step", f"concatenate: {{file: {folder}/clip.gs}}")
    made = json.loads(call("gs-edit", "clip.gs", "-o", "new.gs", *steps, "-q", "--json").out)
    assert made["samples"] >= int((1 + SECONDS) * RATE)
    [note] = made["notes"]
    assert note.startswith(f"the second clip begins at {made['duration'] - SECONDS:.4f} s, where tones")
    shown = json.loads(call("gs-info", "new.gs", "--json").out)
    assert all(made[key] == value for key, value in shown.items() if key != "input")


def test_list(call: Call, folder: Path, stream: bytes) -> None:
    [listed] = [json.loads(line) for line in call("gs-edit", "clip.gs", "--list", "--json").out.splitlines()]
    gaussians = read_gaussians(stream)
    rows = listed["gaussians"]
    tones = [row for row in rows if row["kind"] == "tone"]
    assert [tuple(row["coded"].values()) for row in tones] == [row[:5] for row in gaussians["tone"].tolist()]
    assert sum(row["kind"] == "noise" for row in rows) == len(gaussians["noise"])
    some = json.loads(call("gs-edit", "clip.gs", "--list", "--json", "--kind", "tone", "--to", "0.5").out)["gaussians"]
    assert some == [row for row in tones if row["time"] < 0.5]
    table = call("gs-edit", "clip.gs", "--list").out.decode().splitlines()
    assert len(table) == len(rows) + 2
    assert table[0] == "clip.gs"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((), common.ExitCode.USAGE, "give -o OUT, or --list"),
        (("--list", "-o", "new.gs"), common.ExitCode.USAGE, "--list writes nothing"),
        (("-o", "new.gs", "--from", "1"), common.ExitCode.USAGE, "go with --list"),
        (("--list", "--from", "2", "--to", "1"), common.ExitCode.USAGE, "nothing lies from 2 to 1"),
        (("-o", "-", "--json"), common.ExitCode.USAGE, "both write to standard output"),
        (("-o", "new.gs", "--script", "none.yaml"), common.ExitCode.USAGE, "cannot read none.yaml"),
        (("-o", "new.gs", "--step", "balance: {to: 1}"), common.ExitCode.USAGE, "'balance' is no step; known are sele"),
        (("-o", "new.gs", "--step", "pan: {position: 2}"), common.ExitCode.USAGE, "position is 2, allowed are -1..1"),
        (("-o", "new.gs", "--step", "move: {seconds: 9}"), common.ExitCode.ERROR, "clip.gs: step 1, move: tone 0 ("),
        (("-o", "new.gs", "--step", "merge: {file: none.gs}"), common.ExitCode.ERROR, "merge: none.gs is no file"),
        (
            ("-o", "new.gs", "--step", "merge: {file: bad.gs}"),
            common.ExitCode.CORRUPT,
            "step 1, merge: not an Audio-GS",
        ),
        (
            ("-o", "new.gs", "--script", "away.yaml"),
            common.ExitCode.ERROR,
            "lies elsewhere; a script names files beside",
        ),
        (
            ("-o", "new.gs", "--script", "wrong.yaml"),
            common.ExitCode.USAGE,
            "wrong.yaml: step 2, stretch: needs factor",
        ),
    ],
)
def test_edits_that_are_refused(call: Call, folder: Path, arguments: tuple[str, ...], code: int, says: str) -> None:
    Path("bad.gs").write_bytes(b"no stream")
    Path("away.yaml").write_text(f"merge: {{file: {folder}/clip.gs}}")
    Path("wrong.yaml").write_text("- drop\n- stretch")
    before = names(folder)
    check_refused(call("gs-edit", "clip.gs", *arguments), common.ExitCode(code), says)
    assert names(folder) == before


ENTRY_POINTS = {entry.name: entry.value for entry in entry_points(group="console_scripts") if entry.name in PROGRAMS}

INTERRUPTED_IMPORT = """
import os, signal, sys, threading, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from {module} import {function} as main


class SlowModule:
    # Stands for an import that takes long, and for what a library makes of an exception in it.
    def find_spec(self, name, path=None, target=None):
        if name != {slow!r}:
            return None
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(60)
        except BaseException as error:
            raise TypeError("some library's own") from error


sys.meta_path.insert(0, SlowModule())
sys.argv = [{program!r}, *{arguments!r}]
main()
"""


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_can_be_interrupted_while_it_is_imported(program: str, tmp_path: Path) -> None:
    check_interrupted(program, "numpy", (), tmp_path)


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_begins_where_nothing_large_is_imported(program: str, tmp_path: Path) -> None:
    module, _, function = ENTRY_POINTS[program].partition(":")
    code = f"import sys; from {module} import {function}; sys.exit(any(map(sys.modules.get, {LARGE_MODULES!r})))"
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path).returncode == 0


def test_imports_within_the_work_can_be_interrupted(folder: Path) -> None:
    check_interrupted("gs-encode", "audio_gs.encoder", ("clip.wav", "-o", "x.gs"), folder)
    assert "x.gs" not in names(folder)


def check_interrupted(program: str, slow: str, arguments: tuple[str, ...], folder: Path) -> None:
    """Checks what becomes of a command that gets SIGINT while it imports a module."""
    module, _, function = ENTRY_POINTS[program].partition(":")
    code = INTERRUPTED_IMPORT.format(module=module, function=function, slow=slow, program=program, arguments=arguments)
    ended = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, b"", f"{program}: interrupted\n".encode())


COMPLETE_IN_BASH = """
eval "$(env {variable}=bash_source {program})"
COMP_WORDS=({words}) COMP_CWORD={at}
compopt() {{ echo "$2"; }}
_{function}_completion {program}
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("program", "words", "offered"),
    [
        ("gs-encode", ("--pre",), ["--preset"]),
        ("gs-encode", ("clip.wav", "--preset", "s"), ["speech", "sfx"]),
        ("gs-encode", ("cl",), ["default"]),
        ("gs-export", ("fi",), ["firmware"]),
    ],
)
def test_completion_in_bash(program: str, words: tuple[str, ...], offered: list[str], tmp_path: Path) -> None:
    function = program.replace("-", "_")
    script = COMPLETE_IN_BASH.format(
        variable=f"_{function.upper()}_COMPLETE",
        program=program,
        function=function,
        words=" ".join((program, *words)),
        at=len(words),
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    shown = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert shown.stderr == ""
    assert shown.stdout.split("\n")[: len(offered)] == offered
