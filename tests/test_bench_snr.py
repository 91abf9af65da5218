"""The bench: finding clips, measuring them, gathering figures, and the command."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import soundfile

from audio_gs import api, audio_io
from audio_gs.bench import clips, footprint, measure, report, rivals, snr, speed, summary, targets
from audio_gs.cli.common import CommandError
from audio_gs.errors import AudioInputError

RATE = 8000
QUICK = ("--effort", "fast", "--jobs", "1", "--speed-clips", "0", "--rates", "6")


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Result]]:
    before = signal.getsignal(signal.SIGTERM)
    # Code size has its own test; a cross-compiler takes seconds.
    monkeypatch.setattr(snr, "measure_footprint", _no_footprint)

    def run(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["bench", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            snr.main()
        captured = capfd.readouterr()
        assert isinstance(ended.value.code, int)
        return Result(int(ended.value.code), captured.out, captured.err)

    yield run
    signal.signal(signal.SIGTERM, before)


def _no_footprint(_source: Path | None) -> footprint.Footprint:
    raise footprint.FootprintError("no compiler")


def tone(seconds: float = 1.0, rate: int = RATE) -> np.ndarray:
    time_s = np.arange(int(seconds * rate)) / rate
    return 0.3 * np.sin(2 * np.pi * 440 * time_s) * np.exp(-2 * time_s)


def add(folder: Path, name: str, samples: np.ndarray, rate: int = RATE) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate)
    return path


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    add(folder, "speech/word.wav", tone())
    add(folder, "stereo/pair.flac", np.stack((tone(0.5), 0.5 * tone(0.5)), axis=1))
    add(folder, "silence.wav", np.zeros(RATE // 4))
    return folder


def figure(**changes: Any) -> measure.StreamFigures:
    values: dict[str, Any] = {
        "clip": "speech/a.wav",
        "clip_class": "speech",
        "sample_rate": 16000,
        "seconds": 2.0,
        "target_kbit_s": 6.0,
        "kbit_s": 6.0,
        "bytes": 1500,
        "snr_db": 18.0,
        "gaussians": 800,
        "macs_mean": 20.0,
        "macs_peak": 100.0,
        "decoder_bytes": 3000,
        "preset": "speech",
        "difference": None,
    }
    return measure.StreamFigures(**{**values, **changes})


def test_classes_come_from_folders_and_the_manifest_goes_first(corpus: Path) -> None:
    add(corpus, "music/deep/tune.wav", tone(0.1))
    (corpus / "music" / "notes.txt").write_text("no clip")
    (corpus / clips.MANIFEST).write_text("file,class\nspeech/word.wav,sfx\ngone.wav,Music\nsilence.wav,weather\n")
    found = {clip.name: clip.clip_class for clip in clips.find_clips(corpus)}
    assert found == {
        "speech/word.wav": "sfx",
        "stereo/pair.flac": "stereo",
        "silence.wav": "other",
        "music/deep/tune.wav": "music",
        "gone.wav": "music",
    }
    assert [clip.name for clip in clips.at_most_each(clips.find_clips(corpus), 1) if clip.clip_class == "music"] == [
        "gone.wav"
    ]


def test_a_folder_of_one_class_needs_no_sub_folders(corpus: Path) -> None:
    assert [clip.clip_class for clip in clips.find_clips(corpus / "speech")] == ["speech"]


def test_a_manifest_without_its_columns_is_refused(corpus: Path) -> None:
    (corpus / clips.MANIFEST).write_text("name,kind\na,b\n")
    with pytest.raises(AudioInputError, match="columns 'file' and 'class'"):
        clips.find_clips(corpus)


def test_command_measures_and_writes_all_figures(call: Callable[..., Result], corpus: Path, tmp_path: Path) -> None:
    results, lines = tmp_path / "out.json", tmp_path / "out.csv"
    result = call(corpus, *QUICK, "-v", "--json", results, "--csv", lines)
    assert result.code == 0, result.err
    assert result.err == ""
    assert "bit-exact: 3 of 3 streams" in result.out
    assert "decoder code not measured: no compiler" in result.out
    content = json.loads(results.read_text())
    streams = {one["clip"]: one for one in content["figures"]}
    assert set(streams) == {"speech/word.wav", "stereo/pair.flac", "silence.wav"}
    assert streams["speech/word.wav"]["snr_db"] > 10
    assert streams["speech/word.wav"]["preset"] == "speech"
    assert streams["silence.wav"]["snr_db"] is None
    assert [one["clip_class"] for one in content["classes"]] == ["speech", "stereo", "other"]
    rows = list(csv.DictReader(io.StringIO(lines.read_text())))
    assert [row["clip"] for row in rows] == [one["clip"] for one in content["figures"]]


def test_figures_are_those_of_the_stream(corpus: Path) -> None:
    clip = audio_io.load(corpus / "speech" / "word.wav")
    options = api.encoder_options(bitrate=6, preset="speech", effort="fast")
    found = measure.measure_stream("word", "speech", clip, options)
    data = api.encode_clip(clip, options).data
    decoded, _ = api.decode(data)
    noise = np.sum((clip.samples * 32768 - decoded) ** 2)
    assert found.bytes == len(data)
    assert found.snr_db == pytest.approx(10 * math.log10(np.sum((clip.samples * 32768) ** 2) / noise))
    assert found.kbit_s == pytest.approx(8e-3 * len(data) / found.seconds)
    assert found.deviation == pytest.approx(found.kbit_s / 6 - 1)
    assert found.difference is None


def test_unreadable_clips_are_left_out(call: Callable[..., Result], corpus: Path) -> None:
    (corpus / "speech" / "broken.wav").write_bytes(b"RIFF and nothing more")
    (corpus / clips.MANIFEST).write_text("file,class\nspeech/gone.wav,speech\n")
    result = call(corpus, *QUICK, "--class", "speech")
    assert result.code == 1
    assert "speech/broken.wav: left out: cannot read it as audio" in result.err
    assert "speech/gone.wav: left out: no such file" in result.err
    assert len(result.err.splitlines()) == 2
    assert "bit-exact: 1 of 1 streams" in result.out


def test_a_decoder_that_differs_is_found(
    call: Callable[..., Result], corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_decode = api.decode

    def wrong(data: bytes, *, backend: str = "c") -> tuple[np.ndarray, int]:
        audio, rate = true_decode(data, backend=backend)
        audio[len(audio) // 2] += backend == "numba"
        return audio, rate

    monkeypatch.setattr(api, "decode", wrong)
    result = call(corpus, *QUICK, "--class", "speech")
    assert result.code == 1
    assert "speech/word.wav at 6 kbit/s: C and Numba differ" in result.err
    assert "bit-exact: 0 of 1 streams" in result.out


def test_check_fails_on_what_is_missed(call: Callable[..., Result], corpus: Path) -> None:
    add(corpus, "speech/word.wav", 0.1 * np.random.default_rng(1).standard_normal(RATE))
    arguments = (corpus, *QUICK, "--class", "speech", "-q")
    assert call(*arguments) == (0, "", "")
    result = call(*arguments, "--check")
    assert result.code == 1
    assert "missed: mean SNR, speech at 6 kbit/s" in result.err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("nowhere",), 2, "does not exist"),
        (("corpus", "--rates", "voices=6"), 2, "'voices' is not one of"),
        (("corpus", "--rates", "speech=six"), 2, "no list of rates"),
        (("corpus", "--rates", "0.001"), 2, "outside"),
        (("corpus", "--rates", "nan"), 2, "not a number"),
        (("corpus", "--class", "sfx"), 1, "holds no clips of class sfx"),
        (("empty",), 1, "holds no clips"),
        (("corpus", "--json", "taken.json"), 1, "-f overwrites it"),
        (("corpus", "--json", "no/out.json"), 1, "does not exist"),
        (("corpus", "--json", "-", "--csv", "-"), 2, "different files"),
        (("corpus", "--rivals", "taken.json"), 1, "columns clip, codec, kbps and snr"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(
    call: Callable[..., Result],
    corpus: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    says: str,
) -> None:
    monkeypatch.chdir(corpus.parent)
    Path("empty").mkdir()
    Path("taken.json").write_text("{\n}\n")
    result = call(*arguments)
    assert result.code == code
    assert says in result.err
    assert len(result.err.splitlines()) == 1


def test_processes_give_the_same_figures_in_the_same_order(corpus: Path) -> None:
    options = (api.encoder_options(bitrate=6, preset="speech", effort="fast"),)
    tasks = [measure.Task(clip, options) for clip in clips.find_clips(corpus)]
    seen: list[float] = []
    alone = measure.measure_all(tasks, 1, lambda fraction, text: None)
    assert measure.measure_all(tasks, 2, lambda fraction, text: seen.append(fraction)) == alone
    assert seen[-1] == 1.0


def test_speed_is_positive_and_names_its_clips(corpus: Path) -> None:
    chosen = [clip for clip in clips.find_clips(corpus) if clip.clip_class == "speech"]
    options = api.encoder_options(bitrate=6, preset="speech", effort="fast")
    found = speed.time_clips([(clip, options) for clip in chosen])
    assert found.clips == ("speech/word.wav",)
    assert found.sample_rates == (RATE,)
    assert min(found.encode, found.decode, found.command, found.command_seconds) > 0


def test_speed_is_measured_where_the_targets_are_set(tmp_path: Path) -> None:
    names = {"speech/a": ("speech", 8000), "speech/b": ("speech", 16000), "music/c": ("music", 16000)}
    files = [clips.ClipFile(name, one, tmp_path / name) for name, (one, _) in names.items()]
    figures = [figure(clip=name, clip_class=one, sample_rate=rate) for name, (one, rate) in names.items()]
    assert [clip.name for clip in snr.choose_for_speed(files, figures, 3)] == ["speech/b"]
    assert [clip.name for clip in snr.choose_for_speed(files, figures[::2], 3)] == ["speech/a"]
    assert [clip.name for clip in snr.choose_for_speed(files, figures[2:], 3)] == ["music/c"]


def test_rates_by_class_and_for_all() -> None:
    assert snr.parse_rates(()) == {**dict.fromkeys(clips.CLASSES, (6.0, 12.0)), "speech": (3.0, 6.0, 12.0)}
    given = snr.parse_rates(("8", "speech=12,4,4"))
    assert given == {**dict.fromkeys(clips.CLASSES, (8.0,)), "speech": (4.0, 12.0)}


def test_summary_gathers_a_class() -> None:
    group = [
        figure(kbit_s=6.06, preset="music"),
        figure(clip="b", kbit_s=5.7, snr_db=20.0, gaussians=400, macs_mean=40.0, macs_peak=300.0, decoder_bytes=4000),
        figure(clip="c", snr_db=math.inf, gaussians=0),
    ]
    (found,) = summary.summarise(group)
    assert (found.clips, found.exact_clips, found.snr_db) == (3, 1, 19.0)
    assert found.deviation_mean == pytest.approx((0.01 - 0.05) / 3)
    assert found.deviation_max == pytest.approx(-0.05)
    assert found.bits_per_gaussian == 8 * 4500 / 1200
    assert found.gaussians_per_second == 1200 / 6
    assert found.macs_mean == pytest.approx(80 / 3)
    assert (found.macs_peak, found.decoder_bytes_max) == (300.0, 4000)
    assert found.presets == {"speech": 2, "music": 1}


def test_verdicts() -> None:
    more = targets.Verdict("more", 10.0, 10.0, 20.0, "dB", True)
    assert more.outcome == "must"
    assert dataclasses.replace(more, measured=9.9).outcome == "missed"
    assert dataclasses.replace(more, measured=20.0).outcome == "goal"
    assert dataclasses.replace(more, measured=None).outcome == "not measured"
    assert dataclasses.replace(more, measured=math.nan).outcome == "missed"
    less = targets.Verdict("less", 10.0, 10.0, None, "", False)
    assert less.outcome == "must"
    assert dataclasses.replace(less, measured=10.1).outcome == "missed"


def test_targets_take_their_figures() -> None:
    figures = [figure(), figure(clip="b", seconds=1.9, kbit_s=9.0), figure(clip="c", kbit_s=6.6, difference="pcm")]
    timed = speed.SpeedFigures(("a",), ("speech",), (16000,), 6.0, "normal", 2.0, 400.0, 1.0, 2.0)
    size = footprint.Footprint("cc", 3000, 4000, 200, 0, {})
    judged = targets.judge(figures, summary.summarise(figures), timed, size, 300)
    found = {one.what: one for one in judged}
    assert found["mean SNR, speech at 6 kbit/s"].outcome == "must"
    assert found["mean SNR, speech at 3 kbit/s"].outcome == "not measured"
    deviation = found["largest deviation of the rate, clips of 2 s and more"]
    assert deviation.measured == pytest.approx(10.0)
    assert deviation.outcome == "missed"
    assert found["streams bit-exact in C and Numba"].outcome == "missed"
    assert found["decode, C on this machine, 16 kHz at 6 kbit/s"].outcome == "must"
    assert found["encode, effort normal, 16 kHz speech at 6 kbit/s"].outcome == "must"
    assert found["decoder code and tables, Cortex-M0+ -Os"].outcome == "goal"
    for change in ({"sample_rates": (8000,)}, {"classes": ("music",)}, {"effort": "fast"}):
        other = targets.judge(figures, [], dataclasses.replace(timed, **change), None, 300)
        encode = next(one for one in other if one.what.startswith("encode"))
        assert encode.outcome == "not measured"


def test_rivals_are_interpolated_and_never_extrapolated(tmp_path: Path) -> None:
    table = tmp_path / "rivals.csv"
    table.write_text(
        "clip,channels,codec,kbps,snr\n"
        "a,1,opus20,12,12\na,1,opus20,6,6\na,1,opus60,5,9\na,1,opus60,7,9.5\nb,1,opus20,6,8\nb,1,opus20,7,\n"
        "pair,2,opus20,6,20\n"
    )
    known = rivals.read_rivals(table)
    assert known.snr_at("a", "Opus", 6.0) == pytest.approx(9.25)
    assert known.snr_at("a", "Opus", 9.0) == pytest.approx(9.0)
    assert known.snr_at("a", "Opus", 4.9) is None
    assert known.snr_at("a", "MP3", 6.0) is None
    mean = known.mean_at(["a", "b", "c", "pair"], "Opus", 6.0)
    assert mean is not None
    assert mean.snr_db == pytest.approx((9.25 + 8) / 2)
    assert mean.clips == 2
    assert known.mean_at(["pair"], "Opus", 6.0) is None
    table.write_text("clip,codec,kbps,snr\na,opus20,fast,1\n")
    with pytest.raises(CommandError, match="columns clip, codec, kbps and snr"):
        rivals.read_rivals(table)


def test_rival_table_has_a_row_for_each_rate(tmp_path: Path) -> None:
    table = tmp_path / "rivals.csv"
    table.write_text("clip,codec,kbps,snr\nspeech/a.wav,mp3abr,6,6\nspeech/a.wav,mp3abr,10,10\n")
    figures = [figure()]
    found = report.Report("normal", figures, summary.summarise(figures), [], None, None, None, [])
    shown = report.rival_table(found, rivals.read_rivals(table), (8.0,))
    assert [list(column.cells) for column in shown.columns] == [
        ["speech", "speech"],
        ["6", "8"],
        ["18.00 (1)", "-"],
        ["-", "-"],
        ["6.00 (1)", "8.00 (1)"],
    ]


def test_sections_as_size_prints_them() -> None:
    text = "a.o  :\nsection  size  addr\n.text  10  0\n.text  4  0\n.rodata.str1.1  7  0\nTotal  21\n"
    assert footprint.parse_sizes(text) == {".text": 14, ".rodata.str1.1": 7}


@pytest.mark.skipif(not sys.platform.startswith("linux") or not shutil.which("cc"), reason="needs cc and ELF files")
def test_footprint_adds_up(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Path(__file__).parents[1] / "decoder_c"
    monkeypatch.setattr(footprint, "find_compiler", lambda: ("cc", (str(shutil.which("cc")),)))
    found = footprint.measure_footprint(source)
    assert set(found.files) == {path.name for path in (source / "src").glob("*.c")}
    assert found.total == sum(found.files.values())
    assert min(found.code, found.tables, found.texts) > 0
    assert found.data == 0
    monkeypatch.setattr(footprint, "find_compiler", lambda: ("cc", (str(shutil.which("cc")), "--no-such-option")))
    with pytest.raises(footprint.FootprintError, match=r"cc cannot compile gs_\w+\.c"):
        footprint.measure_footprint(source)
