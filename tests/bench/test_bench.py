"""gs-bench as a command: clips, rates, cells, cache, tables, targets, agreement, and everything that can go wrong."""

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
from bench_clips import RATE, FakeRival, add, noise, tone
from make_budgets import read_budgets
from sim_tools import needs_sim

from audio_gs import api, audio_io
from audio_gs.bench import clips, codecs, footprint, gs_bench, plan, results, rivals, run, speed, targets
from audio_gs.bench.cache import Cache
from audio_gs.bench.codecs import OurOptions
from audio_gs.bench.metrics import METRICS, MetricUnusable
from audio_gs.bench.report import summary, tables
from audio_gs.errors import AudioInputError
from audio_gs.firmware_sim import SimError
from audio_gs.firmware_sim.build.elf import Rom

OURS = results.OURS
QUICK = ("--no-page", "--jobs", "1", "--metrics", "snr,lsd", "--effort", "fast")
ALONE = (*QUICK, "--codecs", OURS, "--rates", "6")


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Result]]:
    before = signal.getsignal(signal.SIGTERM)

    def run_command(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["gs-bench", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            gs_bench.main()
        captured = capfd.readouterr()
        assert isinstance(ended.value.code, int)
        return Result(int(ended.value.code), captured.out, captured.err)

    yield run_command
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    add(folder, "speech/word.wav", tone())
    add(folder, "stereo/pair.flac", np.stack((tone(0.5), 0.5 * tone(0.5)), axis=1))
    add(folder, "silence.wav", np.zeros(RATE // 4))
    return folder


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def install(*variants: FakeRival) -> None:
        monkeypatch.setitem(codecs.RIVALS, "fake", variants)
        FakeRival.runs = 0

    return install


def facts(name: str = "speech/a.wav", **changes: Any) -> results.ClipFacts:
    return dataclasses.replace(results.ClipFacts(name, "speech", 16000, 1, 2.0, name), **changes)


def our_cell(name: str = "speech/a.wav", **changes: Any) -> results.Cell:
    """A cell of ours; changes to its details and metrics go by their own names."""
    details: dict[str, Any] = {
        "preset": "speech",
        "gaussians": 800,
        "macs_mean": 20.0,
        "macs_peak": 100.0,
        "decoder_bytes": 3000,
        "bit_exact": True,
    }
    details.update({key: changes.pop(key) for key in list(changes) if key in details})
    metrics = {"snr": changes.pop("snr", 18.0)}
    whole = results.Cell(name, OURS, "", 6.0, 6.0, 1500, 1500, 0.0, metrics, {}, None, "a", "b", details)
    return dataclasses.replace(whole, **changes)


def test_classes_come_from_folders_and_names_and_the_manifest_goes_first(corpus: Path) -> None:
    add(corpus, "music/deep/tune.wav", tone(0.1))
    add(corpus, "sfx.wav", tone(0.1))
    (corpus / "music" / "notes.txt").write_text("no clip")
    (corpus / clips.MANIFEST).write_text("file,class\nspeech/word.wav,sfx\ngone.wav,Music\nsilence.wav,weather\n")
    found = {clip.name: clip.clip_class for clip in clips.find_clips(corpus)}
    assert found == {
        "speech/word.wav": "sfx",
        "stereo/pair.flac": "stereo",
        "silence.wav": "other",
        "music/deep/tune.wav": "music",
        "sfx.wav": "sfx",
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


def test_command_measures_and_writes_everything(
    call: Callable[..., Result], corpus: Path, tmp_path: Path, fake: Callable[..., None]
) -> None:
    fake(FakeRival("near"), FakeRival("far"))
    out = tmp_path / "out"
    result = call(corpus, "-o", out, *QUICK, "--codecs", f"{OURS},fake", "--rates", "6", "-v")
    assert result.code == 0, result.err
    assert result.err == ""
    assert "bit-exact: 3 of 3 streams" in result.out
    assert "identical" not in result.out
    found = results.load(out / "results.json")
    cells = {(cell.clip, cell.codec, cell.variant): cell for cell in found.cells}
    assert len(cells) == 3 * 3
    pair = audio_io.load(out / "cache" / str(cells["stereo/pair.flac", OURS, ""].audio))
    assert pair.samples.shape == (RATE // 2, 2), "two channels stay two"
    ours = cells["speech/word.wav", OURS, ""]
    level = ours.metrics["snr"]
    assert level is not None
    assert level > 10
    assert ours.details["preset"] == "speech"
    assert ours.stream is not None
    assert ours.audio is not None
    data = (out / "cache" / ours.stream).read_bytes()
    pcm, rate = api.decode(data)
    kept = audio_io.load(out / "cache" / ours.audio)
    assert kept.sample_rate == rate
    assert np.array_equal(kept.samples * 32768, pcm), "ours has no delay and is kept as it is"
    rival = cells["speech/word.wav", "fake", "near"]
    assert rival.kbit_s == pytest.approx(6.0, abs=0.01)
    assert rival.lag_ms == pytest.approx(40 / RATE * 1000, abs=0.01)
    assert rival.payload_bytes < rival.file_bytes
    assert cells["silence.wav", OURS, ""].marks == {"snr": "silence", "lsd": "silence"}
    rows = list(csv.DictReader(io.StringIO((out / "results.csv").read_text())))
    assert {(row["clip"], row["codec"], row["variant"]) for row in rows} == set(cells)
    assert found.versions["fake near"] == "fake 1 near"


def test_two_channels_are_coded_by_codecs_that_have_two(
    call: Callable[..., Result], corpus: Path, tmp_path: Path, fake: Callable[..., None]
) -> None:
    fake(FakeRival("two"), FakeRival("one", stereo=False))
    out = tmp_path / "out"
    quick = ("--no-page", "--jobs", "1", "--codecs", "fake", "--rates", "6", "--metrics", "snr,ild,coherence")
    assert call(corpus, "-o", out, *quick).code == 0
    cells = {(cell.clip, cell.variant): cell for cell in results.load(out / "results.json").cells}
    assert ("stereo/pair.flac", "one") not in cells
    assert ("speech/word.wav", "one") in cells
    assert set(cells["speech/word.wav", "two"].metrics) == {"snr"}, "one channel has no image"
    pair = cells["stereo/pair.flac", "two"]
    assert set(pair.metrics) == {"snr", "ild", "coherence"}
    assert pair.lag_ms == pytest.approx(40 / RATE * 1000, abs=0.01)
    assert pair.kbit_s == pytest.approx(6.0, abs=0.01)


def test_figures_are_those_of_the_stream(call: Callable[..., Result], corpus: Path, tmp_path: Path) -> None:
    assert call(corpus, "-o", tmp_path / "out", *ALONE, "--classes", "speech", "-q") == (0, "", "")
    (cell,) = results.load(tmp_path / "out" / "results.json").cells
    clip = audio_io.load(corpus / "speech" / "word.wav")
    data = api.encode_clip(clip, api.encoder_options(bitrate=6, preset="speech", effort="fast")).data
    decoded, _ = api.decode(data)
    error = np.sum((clip.samples * 32768 - decoded) ** 2)
    assert cell.file_bytes == cell.payload_bytes == len(data)
    assert cell.metrics["snr"] == pytest.approx(10 * math.log10(np.sum((clip.samples * 32768) ** 2) / error))
    assert cell.kbit_s == pytest.approx(8e-3 * len(data) / 1.0)


def test_a_stopped_run_goes_on_and_a_new_metric_needs_no_new_stream(
    call: Callable[..., Result], corpus: Path, tmp_path: Path, fake: Callable[..., None]
) -> None:
    fake(FakeRival())
    arguments = (corpus, "-o", tmp_path / "out", "--codecs", "fake", "--no-page", "--jobs", "1", "-q")
    assert call(*arguments, "--metrics", "snr", "--classes", "speech").code == 0
    assert FakeRival.runs == 2
    assert call(*arguments, "--metrics", "snr,lsd", "-f").code == 0
    assert FakeRival.runs == 6
    first = (tmp_path / "out" / "results.json").read_text()
    assert call(*arguments, "--metrics", "snr,lsd", "-f").code == 0
    assert FakeRival.runs == 6
    assert (tmp_path / "out" / "results.json").read_text() == first
    shutil.rmtree(tmp_path / "out" / "cache" / "audio")
    for record in (tmp_path / "out" / "cache" / "cells").rglob("*.json"):
        record.write_text("{damaged")
    assert call(*arguments, "--metrics", "snr,lsd", "-f").code == 0
    assert FakeRival.runs == 12
    assert (tmp_path / "out" / "results.json").read_text() == first


def test_another_clip_tool_or_option_is_another_entry(corpus: Path) -> None:
    loaded = plan.load_clips(clips.find_clips(corpus))
    metrics = {"snr": "1"}

    def keys(version: str, ours: OurOptions) -> set[str]:
        options = dict.fromkeys(clips.CLASSES, ours)
        tasks = plan.plan(loaded, {("mp3", "abr"): version}, options, plan.parse_rates(["8"]), metrics, [])
        return {task.key for task in tasks}

    assert len(keys("1", OurOptions())) == 6
    assert len(keys("1", OurOptions()) & keys("2", OurOptions())) == 3
    assert len(keys("1", OurOptions()) & keys("1", OurOptions(effort="fast"))) == 3


def test_a_rival_that_crashes_loses_that_cell_alone(
    call: Callable[..., Result], corpus: Path, tmp_path: Path, fake: Callable[..., None]
) -> None:
    fake(FakeRival(fails_at=[8.0]))
    result = call(corpus, "-o", tmp_path / "out", *QUICK, "--codecs", "fake", "--classes", "speech")
    assert result.code == 0
    assert result.err == "gs-bench: speech/word.wav: fake at 8 kbit/s: fakeenc ended with signal 11\n"
    good, lost = results.load(tmp_path / "out" / "results.json").cells
    assert (good.error, lost.error) == (None, "fakeenc ended with signal 11")
    assert good.metrics["snr"] is not None
    fake(FakeRival())
    assert call(corpus, "-o", tmp_path / "out", *QUICK, "--codecs", "fake", "--classes", "speech", "-f").err == ""
    assert FakeRival.runs == 1, "a failure is not kept"


def test_our_own_failure_is_an_error(
    call: Callable[..., Result], corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(api, "encode_clip", fails)
    result = call(corpus, "-o", tmp_path / "out", *ALONE, "--classes", "speech")
    assert result.code == 1
    assert "speech/word.wav: audio-gs at 6 kbit/s: division by zero" in result.err


def test_missing_rivals_are_skipped_with_a_notice(
    call: Callable[..., Result], corpus: Path, tmp_path: Path, fake: Callable[..., None]
) -> None:
    fake(FakeRival(missing=True))
    result = call(corpus, "-o", tmp_path / "out", *QUICK, "--codecs", f"{OURS},fake", "--rates", "6")
    assert result.code == 0
    assert result.err == "gs-bench: fake left out: fakeenc not found; install fake-tools\n"
    assert results.load(tmp_path / "out" / "results.json").skipped_codecs == {
        "fake": "fakeenc not found; install fake-tools"
    }
    alone = call(corpus, "-o", tmp_path / "out2", *QUICK, "--codecs", "fake")
    assert alone.code == 1
    assert "nothing to measure" in alone.err


def test_a_missing_variant_is_named_and_the_others_are_measured(
    call: Callable[..., Result], corpus: Path, tmp_path: Path, fake: Callable[..., None]
) -> None:
    fake(FakeRival("slow"), FakeRival("fast", missing=True))
    result = call(corpus, "-o", tmp_path / "out", *QUICK, "--codecs", "fake", "--classes", "speech")
    assert result.code == 0
    assert "gs-bench: fake fast left out: fakeenc not found; install fake-tools\n" in result.err
    assert {cell.variant for cell in results.load(tmp_path / "out" / "results.json").cells} == {"slow"}


def test_unreadable_clips_are_left_out(call: Callable[..., Result], corpus: Path, tmp_path: Path) -> None:
    (corpus / "speech" / "broken.wav").write_bytes(b"RIFF and nothing more")
    (corpus / clips.MANIFEST).write_text("file,class\nspeech/gone.wav,speech\n")
    result = call(corpus, "-o", tmp_path / "out", *ALONE, "--classes", "speech")
    assert result.code == 1
    assert "speech/broken.wav: left out: cannot read it as audio" in result.err
    assert "speech/gone.wav: left out: no such file" in result.err
    assert len(result.err.splitlines()) == 2
    assert "bit-exact: 1 of 1 streams" in result.out


def test_clips_too_short_for_a_metric_are_marked(call: Callable[..., Result], corpus: Path, tmp_path: Path) -> None:
    add(corpus, "short.wav", noise(0.05, RATE))
    assert call(corpus, "-o", tmp_path / "out", *ALONE, "-v").code == 0
    cells = {cell.clip: cell for cell in results.load(tmp_path / "out" / "results.json").cells}
    assert cells["short.wav"].marks == {"lsd": "too short: needs 0.1 s"}
    assert cells["short.wav"].metrics["lsd"] is None
    assert cells["short.wav"].metrics["snr"] is not None


def test_a_decoder_that_differs_is_found(
    call: Callable[..., Result], corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_decode = api.decode

    def wrong(data: bytes, *, backend: str = "c", max_duration: float | None) -> tuple[np.ndarray, int]:
        audio, rate = true_decode(data, backend=backend, max_duration=max_duration)
        audio[len(audio) // 2] += backend == "numba"
        return audio, rate

    monkeypatch.setattr(api, "decode", wrong)
    result = call(corpus, "-o", tmp_path / "out", *ALONE, "--classes", "speech")
    assert result.code == 1
    assert "speech/word.wav at 6 kbit/s: C and Numba differ" in result.err
    assert "bit-exact: 0 of 1 streams" in result.out


def targets_of(path: Path, **figures: dict[str, float]) -> Path:
    """A file of targets for one curve and these figures."""
    quality = [{"group": "speech-8k", "rival": "Opus 8 kbit/s", "values": {"snr": 90.0}, "must": 5}]
    path.write_text(json.dumps({"quality": quality, "figures": figures}))
    return path


def test_targets_are_shown_and_judged_only_when_they_are_asked_for(
    call: Callable[..., Result], corpus: Path, tmp_path: Path
) -> None:
    arguments = (corpus, "-o", tmp_path / "out", *ALONE, "--classes", "speech", "-f")
    plain = call(*arguments)
    assert plain.code == 0
    assert "Targets" not in plain.out
    assert results.load(tmp_path / "out" / "results.json").targets == ()
    shown = call(*arguments, "--targets", targets_of(tmp_path / "mine.yaml", bit_exact_percent={"must": 100}))
    assert shown.code == 0, "shown is not judged"
    assert "Targets" in shown.out
    rows = results.load(tmp_path / "out" / "results.json").targets
    assert [(row.name, row.verdict) for row in rows] == [
        ("speech-8k: Opus 8 kbit/s (SNR 90.00)", "missed"),
        ("streams bit-exact in C and Numba", "reached"),
    ]


def test_check_fails_on_what_is_missed_and_on_what_was_not_measured(
    call: Callable[..., Result], corpus: Path, tmp_path: Path
) -> None:
    arguments = (corpus, "-o", tmp_path / "out", *ALONE, "--classes", "speech", "-q", "-f", "--check")
    limits = {"macs_peak": {"must": 1e-3}, "rom_bytes": {"must": 1e9}, "rate_deviation_percent": {"must": 1e9}}
    result = call(*arguments, "--targets", targets_of(tmp_path / "mine.yaml", **limits))
    assert result.code == 1
    assert "gs-bench: missed: peak MACs/sample, all streams" in result.err
    assert "gs-bench: not measured: decoder code and tables, Cortex-M0+ -Os" in result.err
    result = call(*arguments)
    assert result.code == 1
    assert "gs-bench: not measured: speech-wb: Opus 8 kbit/s" in result.err
    assert "music" not in result.err, "only classes that were asked for count"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- no mapping", "is no file of targets"),
        ("figures: {beauty: {must: 1}}", "'beauty' is no figure; known are rate_deviation_percent"),
        ("figures: {macs_peak: {should: 1}}", "is no file of targets"),
        ("quality: [{group: voices, rival: Opus, values: {snr: 1}, must: 5}]", "'voices' is no group"),
        ("quality: [{group: music, rival: Opus, values: {beauty: 1}, must: 5}]", "'beauty' is no metric"),
        ("quality: [{group: music, values: {snr: 1}, must: 5}]", "is no file of targets ('rival')"),
        ("a: [", "is no file of targets"),
    ],
)
def test_a_file_without_targets_is_refused_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(targets.TargetsError) as error:
        targets.read_targets(tmp_path / "bad.yaml")
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_the_own_targets_can_be_read() -> None:
    own = targets.read_targets()
    assert {one.group for one in own.quality} == {"speech-wb", "speech-8k", "music", "sfx"}
    assert set(own.figures) == set(targets.FIGURES)


def test_visqol_without_its_runtime_ends_the_run(
    call: Callable[..., Result], corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unusable() -> str:
        raise MetricUnusable("ViSQOL's speech mode overrates without its runtime")

    monkeypatch.setattr(METRICS["visqol_speech"], "version", unusable)
    arguments = ("--no-page", "--jobs", "1", "--codecs", OURS, "--metrics", "snr,visqol_speech")
    result = call(corpus, "-o", tmp_path / "out", *arguments)
    assert result.code == 1
    assert result.err == "gs-bench: ViSQOL's speech mode overrates without its runtime\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("nowhere", "-o", "out"), 2, "does not exist"),
        (("corpus",), 2, "--output"),
        (("corpus", "-o", "out", "--rates", "voices=6"), 2, "'voices' is no class and no codec"),
        (("corpus", "-o", "out", "--rates", "speech=six"), 2, "no list of rates"),
        (("corpus", "-o", "out", "--rates", "0.001"), 2, "outside"),
        (("corpus", "-o", "out", "--rates", "nan"), 2, "no list of rates"),
        (("corpus", "-o", "out", "--classes", "voices"), 2, "'voices' is no class"),
        (("corpus", "-o", "out", "--codecs", "flac"), 2, "'flac' is no codec"),
        (("corpus", "-o", "out", "--metrics", "mushra"), 2, "'mushra' is no metric"),
        (("corpus", "-o", "out", "--metrics", ","), 2, "names no metric"),
        (("corpus", "-o", "out", "--classes", "sfx"), 1, "holds no such clips"),
        (("corpus", "-o", "out", "--clip", "other.wav"), 1, "holds no such clips"),
        (("empty", "-o", "out"), 1, "holds no such clips"),
        (("corpus", "-o", "taken"), 1, "-f overwrites it"),
        (("corpus", "-o", "no/out"), 1, "does not exist"),
        (("corpus", "-o", "out", "--targets", "table.csv"), 1, "is no file of targets"),
        (("corpus", "-o", "out", "--rivals-from", "table.csv"), 1, "is not CSV with columns"),
        (("corpus", "-o", "out", "--compare-with", "table.csv"), 1, "is not CSV with columns"),
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
    Path("taken").mkdir()
    Path("taken/results.csv").write_text("mine")
    Path("table.csv").write_text("a,b\n1,2\n")
    result = call(*arguments)
    assert result.code == code
    assert says in result.err
    assert len(result.err.splitlines()) == 1
    assert Path("taken/results.csv").read_text() == "mine"


def test_processes_give_the_same_cells_in_the_same_order(corpus: Path, tmp_path: Path) -> None:
    loaded = plan.load_clips(clips.find_clips(corpus))
    options = dict.fromkeys(clips.CLASSES, OurOptions("speech", "fast"))
    tasks = plan.plan(loaded, {}, options, plan.parse_rates(["6"]), {"snr": METRICS["snr"].version()}, [])
    seen: list[float] = []
    alone = run.measure_all(tasks, tmp_path / "one", 1, lambda fraction, text: None)
    several = run.measure_all(tasks, tmp_path / "two", 2, lambda fraction, text: seen.append(fraction))
    assert several == alone
    assert seen[-1] == 1.0
    assert Cache(tmp_path / "two").load(tasks[0].key) is not None


def test_json_is_the_only_output(call: Callable[..., Result], corpus: Path, tmp_path: Path) -> None:
    result = call(corpus, "-o", tmp_path / "out", *ALONE, "--json", "--classes", "speech")
    assert result.code == 0
    assert json.loads(result.out) == json.loads((tmp_path / "out" / "results.json").read_text())


def test_rates_by_codec_class_and_for_all() -> None:
    rates = plan.parse_rates(["8", "speech=12,4,4", "speech-8k=5", "opus=6"])
    assert rates.of_ours("speech", "speech-wb") == (4.0, 12.0)
    assert rates.of_ours("speech", "speech-8k") == (5.0,)
    assert rates.of_ours("music", "music") == (8.0,)
    assert rates.of_rival("opus") == (6.0,)
    assert rates.of_rival("mp3") == (8.0,)
    default = plan.parse_rates([])
    assert {3.0, 6.0, 12.0} <= set(default.of_ours("speech", "speech-wb"))
    assert {6.0, 12.0} <= set(default.of_ours("sfx", "sfx"))
    assert default.of_rival("opus") is None
    assert plan.parse_rates([f"{OURS}=5"]).of_ours("music", "music") == (5.0,)
    with pytest.raises(plan.RequestError, match="no list of rates"):
        plan.parse_rates(["opus="])


def table_of(path: Path, *rows: str) -> Path:
    header = "clip,class,sr,channels,seconds,codec,nominal,kbps,kbps_file,lag_ms,snr,zmos,visqol"
    path.write_text("\n".join((header, *rows)) + "\n")
    return path


def test_rivals_come_from_a_table_and_only_ours_is_run(
    call: Callable[..., Result], corpus: Path, tmp_path: Path
) -> None:
    add(corpus, "speech/more.wav", tone(0.5))
    table = table_of(
        tmp_path / "table.csv",
        "speech/word.wav,speech,8000,1,1.0,opus20,6,6.2,7,0,4.0,,",
        "speech/word.wav,speech,8000,1,1.0,opus60,6,5.8,7,0,5.0,,",
        "speech/word.wav,speech,8000,1,1.0,vorbis,6,6.2,7,0,40.0,,",
        "speech/word.wav,speech,8000,2,1.0,opus20,8,6.2,7,0,40.0,,",
        "speech/other.wav,speech,8000,1,1.0,opus20,6,6.2,7,0,40.0,,",
    )
    more = table_of(tmp_path / "more.csv", "speech/word.wav,speech,8000,1,1.0,opus20,6,6.2,7,0,,3.5,")
    arguments = ("--classes", "speech", "--effort", "fast", "--no-page", "--jobs", "1", "--rates", "3,6")
    result = call(corpus, "-o", tmp_path / "out", *arguments, "--rivals-from", table, "--rivals-from", more)
    assert result.code == 0, result.err
    found = results.load(tmp_path / "out" / "results.json")
    rival = {cell.variant: cell for cell in found.cells if cell.codec == "opus"}
    assert set(rival) == {"20 ms", "60 ms"}
    assert rival["20 ms"].metrics == {"snr": 4.0, "zimtohrli": 3.5}
    assert rival["20 ms"].payload_bytes == 775
    ours = {(cell.clip, cell.nominal_kbit_s): cell for cell in found.cells if cell.codec == OURS}
    assert len(ours) == 4
    assert "snr" in ours["speech/word.wav", 6.0].metrics
    assert ours["speech/more.wav", 6.0].metrics == {}, "there is nothing to compare it with"


def test_agreement_is_shown_with_what_lies_outside(
    call: Callable[..., Result], corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(codecs.RIVALS, "opus", (FakeRival("20 ms"),))
    monkeypatch.setattr(FakeRival, "key", "opus")
    arguments = (corpus, "-o", tmp_path / "out", *QUICK, "--codecs", "opus", "--classes", "speech", "-f")
    assert call(*arguments, "-q").code == 0
    low, high = results.load(tmp_path / "out" / "results.json").cells
    levels = [cell.metrics["snr"] or 0.0 for cell in (low, high)]
    row = "speech/word.wav,speech,8000,1,1.0,opus20,{},{},9,0,{},,"
    table = table_of(tmp_path / "table.csv", row.format(4, 4.0, levels[0] - 0.5), row.format(8, 9.0, 1.0))
    result = call(*arguments, "--compare-with", table)
    assert result.code == 0
    assert "outside: snr of speech/word.wav opus 20 ms 4: +0.500" in result.err
    assert "another rate: speech/word.wav opus 20 ms 8: 8.00 instead of 9.00 kbit/s" in result.err
    deviations, others = rivals.compare([low, high], rivals.read_rivals([table]))
    assert [(one.codec, one.metric, one.cells, len(one.outside)) for one in deviations] == [("opus", "snr", 1, 1)]
    assert deviations[0].largest == pytest.approx(0.5)
    assert len(others) == 1
    with pytest.raises(rivals.RivalsError, match="is not CSV with columns"):
        rivals.read_rivals([table_of(tmp_path / "bad.csv", row.format(4, "fast", 1))])


def test_summary_gathers_a_group() -> None:
    group = [
        our_cell("a", kbit_s=6.06, preset="music"),
        our_cell("b", kbit_s=5.7, snr=20.0, gaussians=400, macs_mean=40.0, macs_peak=300.0, decoder_bytes=4000),
        our_cell("c", snr=None, gaussians=0),
        our_cell("d", error="failed"),
    ]
    (found,) = summary.summarise(group, {name: facts(name) for name in "abcd"})
    assert found.group == "speech-wb"
    assert (found.clips, found.snr_db) == (3, 19.0)
    assert found.deviation_mean == pytest.approx((0.01 - 0.05) / 3)
    assert found.deviation_max == pytest.approx(-0.05)
    assert found.bits_per_gaussian == 8 * 4500 / 1200
    assert found.gaussians_per_second == 1200 / 6
    assert found.macs_mean == pytest.approx(80 / 3)
    assert (found.macs_peak, found.decoder_bytes_max) == (300.0, 4000)
    assert found.presets == {"speech": 2, "music": 1}
    assert summary.summarise([], {}) == []


def verdicts(measured: float | None, must: float, goal: float | None, name: str = "macs_peak") -> tuple[str, str, str]:
    (row,) = targets.judge_figures({name: measured}, {name: targets.Target(must, goal)})
    return row.verdict, row.goal_verdict, row.goal


def test_figures_are_judged_by_their_targets() -> None:
    assert verdicts(10.0, 20.0, 5.0) == ("reached", "missed", "<= 5")
    assert verdicts(10.0, 10.0, None) == ("reached", "reached", "-")
    assert verdicts(10.1, 10.0, None) == ("missed", "missed", "-")
    assert verdicts(None, 10.0, None) == verdicts(math.nan, 10.0, None) == ("not measured", "not measured", "-")
    assert verdicts(10.0, 10.0, 20.0, "decode_x_real_time") == ("reached", "missed", ">= 20 x real time")
    assert verdicts(9.9, 10.0, 20.0, "decode_x_real_time")[0] == "missed"


def test_a_run_gives_the_figures_of_the_targets() -> None:
    cells = [our_cell("a"), our_cell("b", kbit_s=9.0, macs_mean=50.0), our_cell("c", kbit_s=6.6, bit_exact=False)]
    clip_facts = {"a": facts("a"), "b": facts("b", seconds=1.9), "c": facts("c", clip_class="music")}
    fast = results.SpeedRow(OURS, 2.0, 400.0, 1.0, 1.0, None, None, 3000)
    rom = Rom(3000, 4000, 200, 50, 6900)
    measured = targets.measured_figures(
        cells, clip_facts, [fast], footprint.Footprint("cc", "cortex-m0plus", "Os", rom)
    )
    assert measured == pytest.approx(
        {
            "rate_deviation_percent": 10.0,
            "bit_exact_percent": 200 / 3,
            "speech_macs_mean": 35.0,
            "macs_peak": 100.0,
            "speech_decoder_bytes": 3000,
            "decode_x_real_time": 400.0,
            "encode_x_real_time": 2.0,
            "rom_bytes": 7250,
        }
    )
    assert set(measured) == set(targets.FIGURES)
    nothing = targets.measured_figures([], {}, [], None)
    assert set(nothing.values()) == {None}
    own = targets.judge(targets.read_targets(), {}, nothing, ["music"])
    assert any(row.name.startswith("music") for row in own)
    assert not any("speech" in row.name for row in own)


def quality(points: dict[float, tuple[float, float]]) -> list[results.TargetRow]:
    """Verdicts on a target of two metrics for a curve of ours."""
    from audio_gs.bench.ratios import clip_curves

    cells = [
        our_cell("a", kbit_s=rate, metrics={"zimtohrli": one, "visqol": other}) for rate, (one, other) in points.items()
    ]
    limits = targets.Target(6.0, 3.0)
    target = targets.QualityTarget("music", "Opus 8 kbit/s", {"zimtohrli": 3.0, "visqol": 2.0}, limits)
    return targets.judge_quality(clip_curves([facts("a", clip_class="music")], cells), [target])


def test_a_target_is_reached_where_its_slowest_metric_reaches_it() -> None:
    (row,) = quality({2.0: (2.0, 2.0), 8.0: (4.0, 4.0)})
    assert row.measured == "4.00 kbit/s (Zimtohrli 4.00, ViSQOL <= 2.00)"
    assert (row.verdict, row.goal_verdict) == ("reached", "missed")
    (row,) = quality({2.0: (1.0, 1.0), 8.0: (3.0, 4.0)})
    assert (row.measured[:9], row.verdict) == ("8.00 kbit", "missed")
    (row,) = quality({2.0: (5.0, 1.0), 8.0: (5.0, 1.9)})
    assert row.measured == "- (Zimtohrli <= 2.00, ViSQOL > 8.0)"
    assert (row.verdict, row.goal_verdict) == ("missed", "missed")


def test_a_target_outside_the_measured_rates_is_not_measured() -> None:
    (row,) = quality({2.0: (1.0, 1.0), 5.0: (2.0, 2.0)})
    assert (row.verdict, row.goal_verdict) == ("not measured", "missed")
    (row,) = quality({4.0: (4.0, 4.0), 8.0: (5.0, 5.0)})
    assert (row.verdict, row.goal_verdict) == ("reached", "not measured")
    (row,) = quality({})
    assert (row.verdict, row.measured) == ("not measured", "-")


def test_speed_is_positive_and_relative_to_ours(corpus: Path, fake: Callable[..., None]) -> None:
    fake(FakeRival())
    files = [clip for clip in clips.find_clips(corpus) if clip.clip_class == "speech"]
    ours = {"speech": OurOptions("speech", "fast")}
    rows = {row.codec: row for row in speed.measure_speed(files, {("fake", ""): "1"}, ours, lambda part, text: None)}
    assert set(rows) == {OURS, speed.COMMANDS, "fake"}
    assert rows[OURS].encode_to_ours == 1.0
    commands = rows[speed.COMMANDS]
    assert commands.encode_x_real_time is not None
    assert commands.encode_to_ours == pytest.approx(commands.encode_x_real_time / (rows[OURS].encode_x_real_time or 0))
    assert commands.decoder_state_bytes == rows[OURS].decoder_state_bytes
    if Path("/proc/self/status").exists():
        assert (commands.decode_peak_bytes or 0) > 10_000_000
    assert rows["fake"].encode_x_real_time is None, "it ran no tool"


def test_speed_is_not_measured_of_a_codec_that_is_not_made_for_the_clips(
    corpus: Path, fake: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(FakeRival())
    monkeypatch.setattr(FakeRival, "ladder", ())
    files = [clip for clip in clips.find_clips(corpus) if clip.clip_class == "speech"]
    assert speed.measure_speed(files, {("fake", ""): "1"}, None, lambda part, text: None) == []


def test_speed_is_measured_where_the_targets_are_set(tmp_path: Path) -> None:
    add(tmp_path, "speech/a.wav", tone(0.1))
    add(tmp_path, "speech/b.wav", tone(0.1, 16000), 16000)
    add(tmp_path, "music/c.wav", tone(0.1, 16000), 16000)
    files = clips.find_clips(tmp_path)
    names = {clip.name: clip for clip in files}
    assert [clip.name for clip in speed.choose_clips(files)] == ["speech/b.wav"]
    without = [names["speech/a.wav"], names["music/c.wav"]]
    assert [clip.name for clip in speed.choose_clips(without)] == ["speech/a.wav"]
    assert [clip.name for clip in speed.choose_clips([names["music/c.wav"]])] == ["music/c.wav"]


@needs_sim
def test_footprint_is_that_of_the_simulator() -> None:
    found = footprint.measure_footprint(Path(__file__).parents[2] / "decoder_c")
    assert found.rom.total == read_budgets()["cores"]["cortex-m0plus"]["rom"]["Os_bytes"]
    assert tables.footprint_text(found).startswith("decoder on a cortex-m0plus, -Os, ziglang")


def test_a_footprint_needs_a_compiler(tmp_path: Path) -> None:
    with pytest.raises(SimError, match="--decoder-source"):
        footprint.measure_footprint(tmp_path)


def test_a_footprint_that_cannot_be_measured_is_an_error(
    call: Callable[..., Result], corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_compiler(_source: Path | None) -> footprint.Footprint:
        raise SimError("no compiler")

    monkeypatch.setattr(gs_bench, "measure_footprint", no_compiler)
    result = call(corpus, "-o", tmp_path / "out", *ALONE, "--classes", "speech", "--footprint")
    assert result.code == 1
    assert result.err == "gs-bench: decoder code not measured: no compiler\n"
