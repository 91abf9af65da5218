"""The commands: exit codes, one-line errors, and files that are whole or not there."""

from __future__ import annotations

import dataclasses
import io
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import soundfile

from audio_gs import api, backends, inspect
from audio_gs.cli import common, gs_decode, gs_encode, gs_info, gs_verify
from audio_gs.codec.backend import Backend, Decoder
from audio_gs.codec.native import NativeDecoder
from audio_gs.errors import AudioGsError, BitstreamError

RATE = 8000
SECONDS = 1.5
PROGRAMS = {"gs-encode": gs_encode, "gs-decode": gs_decode, "gs-info": gs_info, "gs-verify": gs_verify}
FAST = ("--effort", "fast", "--bitrate", "6")


class Result(NamedTuple):
    code: int
    out: bytes
    err: str


Call = Callable[..., Result]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Iterator[Call]:
    """Runs a command inside this process, which spares each test the imports."""
    before = signal.getsignal(signal.SIGTERM)

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
    signal.signal(signal.SIGTERM, before)


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


def test_a_rate_that_is_not_reached_is_said(call: Call, folder: Path) -> None:
    soundfile.write("silence.wav", np.zeros(2 * RATE), RATE)
    result = call("gs-encode", "silence.wav", "-o", "new.gs", "--bitrate", 6)
    assert result.code == 0
    assert "leave no use for more" in result.err
    assert "leave no use for more" not in call("gs-encode", "clip.wav", "-o", "other.gs", "--bitrate", 6).err


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


def test_many_inputs_go_to_a_folder(call: Call, folder: Path) -> None:
    Path("other.wav").write_bytes(Path("clip.wav").read_bytes())
    assert call("gs-encode", "clip.wav", "other.wav", "-o", "out", *FAST).code == 0
    assert names(folder / "out") == {"clip.gs", "other.gs"}
    assert call("gs-decode", "out/clip.gs", "out/other.gs", "-o", "out").code == 0
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
    assert json.loads(call("gs-verify", "new.gs", "--json").out)["agree"] is True
    assert json.loads(call("gs-decode", "new.gs", "-o", "new.wav", "--json").out)["damage"] is None


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
        (("clip.wav", "other.wav", "-o", "-"), "FOLDER"),
        (("clip.wav", "sub/clip.wav", "-o", "out"), "would both become"),
        (("clip.wav", "-o", "-", "--json"), "--json"),
        (("clip.wav", "-o", "x.gs", "--config", "none.yaml"), "none.yaml"),
        (("clip.wav", "-o", "x.gs", "--config", "unknown.yaml"), "unknown option 'colour'"),
        (("clip.wav", "-o", "x.gs", "--config", "list.yaml"), "option: value"),
        (("clip.wav", "-o", "x.gs", "--config", "broken.yaml"), "YAML"),
        (("clip.wav", "-o", "x.gs", "--loop", "500", "100"), "loop"),
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
        ("fast.wav", "8000..48000"),
        ("folder.wav", "folder"),
    ],
)
def test_unfit_audio(call: Call, folder: Path, name: str, says: str) -> None:
    Path("text.wav").write_text("no audio at all")
    Path("folder.wav").mkdir()
    soundfile.write("empty.wav", np.zeros(0), RATE)
    soundfile.write("nan.wav", np.array([0, np.nan]), RATE, subtype="FLOAT")
    soundfile.write("fast.wav", np.zeros(100), 96000)
    before = names(folder)
    check_refused(call("gs-encode", name, "-o", "x.gs"), common.ExitCode.ERROR, says)
    assert names(folder) == before


def test_stereo_is_mixed_down_with_a_notice(call: Call, folder: Path, clip: np.ndarray) -> None:
    soundfile.write("stereo.wav", np.column_stack([clip, clip]), RATE)
    result = call("gs-encode", "stereo.wav", "-o", "stereo.gs", *FAST)
    assert result.code == 0
    assert "2 channels mixed down" in result.err


@pytest.mark.parametrize("program", ["gs-decode", "gs-info", "gs-verify"])
def test_corrupt_streams(call: Call, folder: Path, stream: bytes, program: str) -> None:
    output = ("-o", "x.wav") if program == "gs-decode" else ()
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
    with pytest.raises(OSError, match="No space"):
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
    assert b"Traceback" not in err
    assert names(folder) == before


def test_errors_share_a_base() -> None:
    assert issubclass(BitstreamError, ValueError)
    assert issubclass(BitstreamError, AudioGsError)


def test_importing_the_package_does_not_import_torch() -> None:
    code = "import sys, audio_gs; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(sys.executable).parent).returncode == 0
