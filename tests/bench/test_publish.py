"""Publishing results: figures from runs, the page from figures, and quotes that are compared with both."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from bench_clips import add, noise, tone
from sim_tools import needs_sim

from audio_gs.bench import results
from audio_gs.bench.publish import measure, points, record, render
from audio_gs.bench.publish.quote import QuoteError, quoted
from audio_gs.bench.publish.record import Comparison, Published

PLAYED = points.Played("speech", "speech at 8 kHz", "speech-8k", 8000, 6.0)


def origin(**tools: str) -> record.Origin:
    return record.Origin("python -m publish clips", "2026-01-02", "0.1.0", "abc", tools)


def published(**changes: object) -> Published:
    """A small set of results, made by hand."""
    comparisons = (
        Comparison("speech-wb", "opus", 8, "pesq_wb", 3.08, 5.13, None, None, 9),
        Comparison("speech-wb", "opus", 8, "zimtohrli", 2.63, None, 2.5, None, 9),
        Comparison("music", "opus", 24, "zimtohrli", 4.59, None, None, 24.1, 12),
        Comparison("music", "opus", 24, "visqol", 4.46, 20.0, None, None, 6),
    )
    speech = record.ClipSet("speech-wb", ("speech/a.wav", "speech/b.wav"), "123")
    plays = (record.Playing("speech at 16 kHz", 6.5, 241.2, 254.0, 900.4, 25.0, 4124, 352),)
    builds = tuple(
        record.FirmwareBuild("cortex-m4", "zig 1", optimisation, rom, plays)
        for optimisation, rom in (("O2", 18809), ("Os", 14074))
    )
    return dataclasses.replace(
        Published(
            quality=record.Quality(
                origin(pesq_wb="1 pesq 0.0.4"),
                {"speech-wb": (4.5, 5.5, 6.5), "music": (15.0, 24.0)},
                (speech,),
                comparisons,
                (record.StreamCost("speech-wb", 6.5, 2, 31.4, 171.2, 300, 4321.0, 5000),),
            ),
            firmware=record.Firmware(origin(compiler="zig 1"), (speech,), builds),
            speed=record.Speed(
                origin(),
                "2 cores",
                2,
                6.0,
                speech,
                (record.SpeedFigures("speech", 7.04, 2812), record.SpeedFigures("auto", 3.38, 2790)),
            ),
        ),
        **changes,  # type: ignore[arg-type]
    )


def test_a_quote_that_was_changed_is_found_and_mended() -> None:
    pieces = render.pieces(published())
    line = "costs <!-- results: speech.macs_mean -->32<!-- /results --> MACs\n"
    text = f"{line}<!-- results: speed -->\nold\n<!-- /results -->\n"
    mended = quoted(text, pieces)
    assert "costs <!-- results: speech.macs_mean -->31<!-- /results --> MACs\n" in mended
    assert f"<!-- results: speed -->\n{pieces['speed']}\n<!-- /results -->\n" in mended
    assert mended != text
    assert quoted(mended, pieces) == mended
    assert quoted("nothing is quoted", pieces) == "nothing is quoted"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<!-- results: beauty -->1<!-- /results -->", "there is no result 'beauty'; known are clips, equal-quality"),
        ("<!-- results: speed -->1", "is not closed"),
        ("<!-- results: speed\n-->1<!-- /results -->", "is not closed"),
    ],
)
def test_a_quote_of_nothing_is_refused(text: str, says: str) -> None:
    with pytest.raises(QuoteError, match=says):
        quoted(text, render.pieces(published()))


def test_pieces_say_what_was_measured() -> None:
    pieces = render.pieces(published())
    assert pieces["equal-quality"].splitlines()[2:] == [
        "| speech, 16 kHz and more: Opus at 8 kbit/s | 5.1 kbit/s | less than 2.5 kbit/s |"
        " PESQ-WB 3.08, Zimtohrli 2.63 |",
        "| music: Opus at 24 kbit/s | more than 24.1 kbit/s | 20.0 kbit/s | Zimtohrli 4.59, ViSQOL 4.46 |",
    ]
    assert pieces["speech.macs_worst"] == "171"
    assert (pieces["firmware.m4.O2.rom"], pieces["firmware.m4.Os.rom"]) == ("18809", "14074")
    assert pieces["firmware.m4.O2.speech"] == "241"
    assert (pieces["speed.encode"], pieces["speed.encode_auto"], pieces["speed.decode"]) == ("7.0", "3.4", "2800")


def test_interpolated_figures_are_marked_with_the_rates_around_them() -> None:
    page = render.page(published())
    assert "| Opus | 8 | PESQ-WB | 3.08 | 5.1 | 4.5 and 5.5 | 9 |" in page
    assert "| Opus | 8 | Zimtohrli | 2.63 | less than 2.5 | - | 9 |" in page


def test_rates_that_were_left_out_are_named() -> None:
    page = " ".join(render.page(published()).split())
    assert (
        "Not measured for this page: speech, 16 kHz and more at 2.5 and 3 and 3.5 and 8 and 10 and 12 and 16 " in page
    )
    assert "; speech, 8 kHz; music at 1.5 and 2.5 and 3.5 and 5 and 7 and 12 and 21 kbit/s; effects; other " in page


def test_a_section_that_was_not_measured_is_left_out_and_named() -> None:
    whole, part = render.page(published()), render.page(published(firmware=None))
    assert "## On small cores" in whole
    assert "## Not measured" not in whole
    assert "## On small cores" not in part
    assert part.endswith("## Not measured\n\nFirmware.\n")
    assert not any("firmware" in name for name in render.pieces(published(firmware=None)))


def test_results_come_back_from_their_file(tmp_path: Path) -> None:
    for one in (published(), published(quality=None), Published()):
        record.save(one, tmp_path)
        assert record.load(tmp_path) == one
    (tmp_path / record.FILE).write_text('{"format": 1, "quality": null}')
    with pytest.raises(results.ResultsError, match="make results writes them"):
        record.load(tmp_path)


def test_every_point_has_measured_rates_around_it() -> None:
    assert {point.group for point in points.POINTS} == set(points.RATES)
    for played in points.PLAYED:
        assert played.kbit_s in points.RATES[played.group]
    for group, rates in points.COSTS.items():
        assert set(rates) <= set(points.RATES[group])


def rivals_of(path: Path) -> Path:
    """A table of rivals' cells for the points of `little`."""
    head = "clip,class,sr,channels,seconds,codec,nominal,kbps,kbps_file,lag_ms,pesq_nb"
    rows = (f"speech/a.wav,speech,8000,1,1.0,amrnb,{rate},{rate},9,0,{1 + rate / 10}" for rate in (4, 9))
    path.write_text("\n".join((head, *rows)) + "\n")
    return path


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder of two clips, and points for them."""
    add(tmp_path / "clips", "speech/a.wav", noise(1.2, 8000))
    add(tmp_path / "clips", "speech/b.wav", tone(1.0))
    (tmp_path / "out").mkdir()
    point = points.Point("speech-8k", "amr-nb", 5, ("pesq_nb",))
    for module in (measure, render):
        monkeypatch.setattr(module, "POINTS", (point,))
        monkeypatch.setattr(module, "COSTS", {"speech-8k": (6.0,)}, raising=False)
    for module in (measure, points, render):
        monkeypatch.setattr(module, "RATES", {"speech-8k": (3.0, 6.0)})
    monkeypatch.setattr(measure, "EFFORT", "fast")
    monkeypatch.setattr(render, "PLAYED", (PLAYED,))
    return tmp_path


def run(*arguments: object) -> None:
    from audio_gs.bench.publish.command import command

    command.main([str(argument) for argument in arguments], standalone_mode=False)


@needs_sim
def test_one_command_measures_and_writes_all(little: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pesq")
    from audio_gs.bench.publish import firmware

    monkeypatch.setattr(firmware, "PLAYED", (PLAYED,))
    monkeypatch.setattr(firmware, "CORES", ("cortex-m4",))
    document = little / "guide.md"
    document.write_text("ROM <!-- results: firmware.m4.Os.rom --><!-- /results --> bytes\n")
    table = rivals_of(little / "table.csv")
    arguments = (little / "clips", "-o", little / "out", "--cache", little / "cache", "--jobs", 1, "-q")
    run(*arguments, "--rivals-from", table, "--only", "quality", "--only", "firmware", "--quote", document)
    found = record.load(little / "out")
    assert found.quality and found.firmware and found.speed is None
    assert [one.rival_value for one in found.quality.comparisons] == [pytest.approx(1.5, abs=0.1)]
    assert [(one.group, one.clips) for one in found.quality.costs] == [("speech-8k", 2)]
    assert found.quality.costs[0].macs_guaranteed >= found.quality.costs[0].macs_worst > 0
    assert found.quality.sets[0].clips == ("speech/a.wav", "speech/b.wav")
    assert set(found.quality.origin.tools) >= {"pesq_nb", "table.csv", "numpy"}
    roms = {build.optimisation: build.rom_bytes for build in found.firmware.builds}
    assert roms["Os"] < roms["O2"]
    assert str(little) not in (little / "out" / record.FILE).read_text()
    assert document.read_text() == f"ROM <!-- results: firmware.m4.Os.rom -->{roms['Os']}<!-- /results --> bytes\n"
    page = (little / "out" / "README.md").read_text()
    assert page == render.page(found)
    (little / "out" / "README.md").write_text("edited by hand")
    run("-o", little / "out")
    assert (little / "out" / "README.md").read_text() == page


def test_clips_that_cannot_be_read_are_not_published(little: Path) -> None:
    (little / "clips" / "speech" / "c.wav").write_bytes(b"RIFF and nothing more")
    with pytest.raises(measure.PublishError, match=r"cannot read speech/c\.wav"):
        measure.encode_corpus(little / "clips", measure.CLASSES, {}, little / "cache", [], 1, lambda part, text: None)
