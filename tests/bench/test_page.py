"""What the bench's page is made of, without a browser."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_results import HOSTILE, NOTE, PITCH, PLAIN, STREAM, cell, make_results

import audio_gs
from audio_gs.bench.ratios import all_bd_rates, all_ratios, clip_curves, group_curves
from audio_gs.bench.results import OURS, ClipFacts, Results
from audio_gs.gaussians import PHYSICAL

pytest.importorskip("jinja2", reason="the page needs the extra 'bench'")

from audio_gs.bench.report.page import build_page
from audio_gs.bench.report.page.overlay import overlay


class Reader(HTMLParser):
    """Text, tags and the inert data of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.text += data

    @property
    def data(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.scripts[0])
        return content


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    folder.mkdir()
    return folder


def read_page(results: Results, cache: Path, **options: Any) -> Reader:
    target = cache.parent / "index.html"
    size = build_page(results, cache, target, **options)
    assert size == target.stat().st_size
    assert [path.name for path in cache.parent.iterdir() if path != cache] == ["index.html"]
    return Reader(target.read_text(encoding="utf-8"))


def clip_of(page: Reader, name: str) -> dict[str, Any]:
    return next(clip for clip in page.data["clips"] if clip["name"] == name)


def heard(clip: dict[str, Any], rate: int = 0) -> dict[str, float]:
    return {source["codec"]: source["kbitS"] for source in clip["rates"][rate]["sources"]}


def test_everything_that_was_found_out_is_on_the_page(cache: Path) -> None:
    page = read_page(make_results(cache), cache)
    for text in ("0.42\u00d7", "1.67\u00d7", "0.25\u00d7", "\u221258 %", NOTE, "19.1 dB", "reached", "missed"):
        assert text in page.text
    for text in ("44.3\u00d7", "310\u00d7", "4.3 kB", "400 MB", "opus-tools 0.2"):
        assert text in page.text
    for text in ("broken <i>.wav", "speexenc is not installed", "visqol-python is not installed", "elc3 ended"):
        assert text in page.text


def test_head_counts_comparisons_without_a_ratio_too(cache: Path) -> None:
    page = read_page(make_results(cache), cache)
    assert "0.42\u20131.67" in page.text
    # PESQ at 6 kbit/s is behind by its values, at 12 nothing of ours was measured.
    assert "ahead in 1, behind in 2, undecided in 1 of 4 comparisons; 2 of them without a ratio" in page.text
    # Music was not compared with Opus, so the rival that there is stands there.
    assert "\u00d7 MP3\u2019s rate" in page.text


def test_speech_of_either_bandwidth_has_its_curves(cache: Path) -> None:
    plain = make_results(cache)
    rates = {PLAIN: 44100, HOSTILE: 8000, "speech/wide.flac": 16000}
    clips = tuple(
        ClipFacts(name, name.split("/")[0], rate, 1, 2.0, plain.clips[0].path) for name, rate in rates.items()
    )
    cells = tuple(
        cell(name, codec, rate, metrics={"snr": rate + (codec == OURS)})
        for name in rates
        for codec in (OURS, "opus")
        for rate in (6, 12)
    )
    curves = clip_curves(clips, cells)
    measured = dataclasses.replace(
        plain,
        clips=clips,
        cells=cells,
        curves=tuple(group_curves(curves)),
        ratios=tuple(all_ratios(curves)),
        bd_rates=tuple(all_bd_rates(curves)),
    )
    page = read_page(measured, cache)
    assert list(page.data["curves"]) == ["music", "speech-8k", "speech-wb"]
    assert "No curves" not in page.text
    assert "No ratios" not in page.text
    charts = [attributes["data-group"] for _, attributes in page.tags if "data-metric" in attributes]
    assert charts == ["speech-wb", "speech-8k", "music"]
    for name in ("Speech, 16 kHz and more", "Speech below 16 kHz", "Music"):
        assert page.text.count(name) == 4, "a card, a button, and the headings of curves and ratios"


def test_page_asks_for_nothing_outside(cache: Path) -> None:
    page = read_page(make_results(cache), cache)
    for tag, attributes in page.tags:
        for name in ("src", "href", "data", "action", "poster", "srcset"):
            address = attributes.get(name) or "#"
            assert address.startswith(("#", "data:")), (tag, address)
    policy = next(a["content"] or "" for t, a in page.tags if t == "meta" and a.get("http-equiv"))
    assert "default-src 'none'" in policy


def test_names_cannot_leave_their_place(cache: Path) -> None:
    page = read_page(make_results(cache), cache)
    assert len(page.scripts) == 2
    assert not [tag for tag, _ in page.tags if tag in ("img", "b", "i") and "onerror" in str(_)]
    assert clip_of(page, HOSTILE)["name"] == HOSTILE
    assert not re.search("[<>&]", page.scripts[0])


def test_rivals_play_at_the_rate_nearest_to_ours(cache: Path) -> None:
    clip = clip_of(read_page(make_results(cache), cache), PLAIN)
    assert [group["nominal"] for group in clip["rates"]] == [6, 12]
    assert heard(clip, 0) == pytest.approx({OURS: 6.12, "opus": 6.12, "mp3": 8.16})
    assert heard(clip, 1) == pytest.approx({OURS: 12.24, "opus": 12.24, "mp3": 8.16})
    assert clip["rates"][0]["absent"] == [["lc3", "elc3 ended with status 1"]]


def test_rival_that_is_far_off_is_not_played_but_named(cache: Path) -> None:
    clip = clip_of(read_page(make_results(cache), cache, rates=[3]), PLAIN)
    assert heard(clip) == pytest.approx({OURS: 3.06, "opus": 6.12})
    assert ["mp3", "its nearest rate is 8.2 kbit/s"] in clip["rates"][0]["absent"]


@pytest.mark.parametrize(("wanted", "expected"), [([2.5], [3]), ([3, 12], [3, 12]), ([90, 80], [12]), (None, [6, 12])])
def test_rates_are_the_nearest_of_ours(cache: Path, wanted: list[float] | None, expected: list[float]) -> None:
    page = read_page(make_results(cache), cache, rates=wanted)
    assert [group["nominal"] for group in clip_of(page, PLAIN)["rates"]] == expected


def test_clip_that_was_measured_at_other_rates_plays_at_the_nearest(cache: Path) -> None:
    results = make_results(cache)
    others = [one for one in results.cells if one.clip == PLAIN and one.nominal_kbit_s != 12]
    clips = [one for one in results.cells if one.clip == HOSTILE]
    fourteen = cell(PLAIN, OURS, 14)
    page = read_page(dataclasses.replace(results, cells=(*clips, *others, fourteen)), cache)
    assert heard(clip_of(page, PLAIN), 1)[OURS] == fourteen.kbit_s
    page = read_page(dataclasses.replace(results, cells=(*clips, *others)), cache)
    assert clip_of(page, PLAIN)["rates"][1]["absent"] == [[OURS, "not measured near 12 kbit/s"]]


def test_each_sound_is_kept_once(cache: Path) -> None:
    page = read_page(make_results(cache), cache)
    # The original is written anew, so its bytes may equal those of no other.
    assert len(page.data["sounds"]) == len(PITCH)


@pytest.mark.parametrize(
    ("limit", "expected"), [(0, []), (1, [30]), (2, [10, 50]), (3, [10, 30, 50]), (9, [10, 20, 30, 40, 50])]
)
def test_clips_reach_from_worst_to_best(cache: Path, limit: int, expected: list[int]) -> None:
    plain = make_results(cache)
    values = (30, 10, 50, 20, 40)
    clips = tuple(ClipFacts(f"{value}", "sfx", 8000, 1, 2.0, plain.clips[0].path) for value in values)
    cells = tuple(cell(f"{value}", OURS, 6, metrics={"snr": float(value)}) for value in values)
    page = read_page(dataclasses.replace(plain, clips=clips, cells=cells), cache, clips_per_class=limit)
    assert [int(clip["name"]) for clip in page.data["clips"]] == expected


def test_what_is_gone_is_said(cache: Path) -> None:
    results = make_results(cache)
    (cache / "opus.flac").unlink()
    (cache / "mp3.flac").write_bytes(b"RIFF, not FLAC")
    (cache / "ours.bin").write_bytes(b"GS, but damaged")
    (cache / "original.flac").unlink()
    clip = clip_of(read_page(results, cache), PLAIN)
    assert clip["original"] is None
    assert "original cannot be read" in clip["problem"]
    assert list(heard(clip)) == [OURS]
    assert {codec for codec, _ in clip["rates"][0]["absent"]} == {"opus", "mp3", "lc3"}
    assert "cannot be drawn" in clip["rates"][0]["sources"][0]["overlayProblem"]


def test_run_without_ours_or_anything_else(cache: Path) -> None:
    results = make_results(cache)
    rivals = tuple(one for one in results.cells if one.codec != OURS)
    page = read_page(dataclasses.replace(results, cells=rivals, curves=(), ratios=(), bd_rates=(), targets=()), cache)
    assert clip_of(page, PLAIN)["rates"] == []
    empty = dataclasses.replace(results, clips=(), cells=(), curves=(), ratios=(), bd_rates=(), targets=(), speed=())
    assert read_page(empty, cache).data["clips"] == []


def test_values_that_are_no_numbers_are_marked(cache: Path) -> None:
    results = make_results(cache)
    odd = [dataclasses.replace(one, metrics={"snr": math.inf, "unheard_of": math.nan}) for one in results.cells]
    page = read_page(dataclasses.replace(results, cells=tuple(odd)), cache)
    assert clip_of(page, PLAIN)["rates"][0]["sources"][0]["metrics"] == {"snr": None, "unheard_of": None}
    assert page.data["metrics"]["unheard_of"]["name"] == "unheard_of"
    assert [12.0, None, 1] in page.data["curves"]["speech-8k"]["pesq_wb"][OURS]
    assert "NaN" in page.text


def test_names_that_are_no_unicode(cache: Path) -> None:
    results = make_results(cache)
    name = b"caf\xe9 \xff.wav".decode("utf-8", "surrogateescape")
    clips = tuple(dataclasses.replace(clip, name=name) for clip in results.clips[:1])
    left = dataclasses.replace(results.left_out[0], clip=name)
    page = read_page(dataclasses.replace(results, clips=clips, left_out=(left,)), cache)
    assert clip_of(page, name)["rates"][0]["sources"] == []


def test_page_that_cannot_be_written_leaves_nothing(cache: Path) -> None:
    target = cache.parent / "index.html"
    target.mkdir()
    with pytest.raises(OSError):
        build_page(make_results(cache), cache, target)
    assert sorted(path.name for path in cache.parent.iterdir()) == ["cache", "index.html"]


def test_overlay_holds_every_gaussian_of_the_stream(cache: Path) -> None:
    drawn = clip_of(read_page(make_results(cache), cache), PLAIN)["rates"][0]["sources"][0]["gaussians"]
    count = audio_gs.read_gaussians(STREAM.read_bytes()).total
    assert sorted(drawn["kinds"]) == ["noise", "tone"]
    assert {len(drawn[column]) for column in ("time", "frequency", "level", "spread", "kind")} == {count}


def test_overlay_in_physical_units() -> None:
    units = np.zeros(3, PHYSICAL)
    units["time"] = 0.25, 1.5, 2
    units["frequency"] = 440, 880.4, 0
    units["spread_time"] = 0.01, 0.02, 0.01
    units["spread_frequency"] = 16, 8, 16
    units["weight"] = 1, 0.1, 0
    drawn = overlay(units, ["tone", "chirped", "something new"])
    assert drawn["time"] == [250, 1500, 2000]
    assert drawn["frequency"] == [440, 880, 0]
    assert drawn["level"] == [0, -20, -120]
    assert [drawn["spreads"][number] for number in drawn["spread"]] == [[0.01, 16], [0.02, 8], [0.01, 16]]
    assert [drawn["kinds"][number] for number in drawn["kind"]] == ["tone", "chirped", "something new"]


def test_noise_does_not_outshine_tones() -> None:
    units = np.zeros(3, PHYSICAL)
    units["weight"] = 0.1, -90, 10
    assert overlay(units, ["tone", "noise", "noise"])["level"] == [-20, 0, -30]


def test_overlay_of_nothing() -> None:
    assert overlay(np.zeros(0, PHYSICAL), [])["time"] == []
