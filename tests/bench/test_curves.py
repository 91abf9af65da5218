"""Curves, ratios and Bjontegaard rates on curves whose answers are known."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from audio_gs.bench import ratios, results
from audio_gs.bench.curves import ClipCurve, mean_at, mean_points, rate_for, rising
from audio_gs.bench.report import tables


def clip(name: str, clip_class: str = "speech", rate: int = 16000) -> results.ClipFacts:
    return results.ClipFacts(name, clip_class, rate, 1, 2.0, name)


def cell(
    name: str, codec: str, kbit_s: float, metrics: dict[str, float | None], variant: str = "", error: str | None = None
) -> results.Cell:
    return results.Cell(name, codec, variant, kbit_s, kbit_s, 1, 1, 0.0, metrics, {}, error, None, None, {})


def cells(codec: str, points: dict[float, float], name: str = "a", variant: str = "") -> list[results.Cell]:
    return [cell(name, codec, rate, {"snr": value}, variant) for rate, value in points.items()]


def test_a_curve_is_straight_over_the_logarithm_of_the_rate_and_ends_where_it_was_measured() -> None:
    curve = ClipCurve([[(8.0, 4.0), (2.0, 2.0)]])
    assert curve.at(4.0) == pytest.approx(3.0)
    assert (curve.at(2.0), curve.at(8.0)) == (2.0, 4.0)
    assert curve.at(1.99) is None
    assert curve.at(8.01) is None
    assert (curve.low, curve.high) == (2.0, 8.0)


def test_the_better_variant_counts_at_every_rate() -> None:
    curve = ClipCurve([[(1.0, 1.0), (4.0, 3.0)], [(2.0, 5.0), (8.0, 6.0)], []])
    assert curve.at(1.0) == 1.0
    assert curve.at(2.0) == 5.0
    assert curve.at(8.0) == 6.0
    lower_is_better = ClipCurve([[(1.0, 9.0), (4.0, 7.0)], [(1.0, 8.0), (4.0, 8.0)]], higher_is_better=False)
    assert (lower_is_better.at(1.0), lower_is_better.at(4.0)) == (8.0, 7.0)


def test_variants_that_do_not_meet_leave_a_gap() -> None:
    curve = ClipCurve([[(1.0, 1.0), (2.0, 2.0)], [(4.0, 4.0), (8.0, 8.0)]])
    assert curve.at(3.0) is None


def test_the_same_rate_twice_counts_once() -> None:
    assert ClipCurve([[(4.0, 1.0), (4.0, 3.0), (8.0, 5.0)]]).at(4.0) == 3.0


def test_a_curve_without_points_is_refused() -> None:
    with pytest.raises(ValueError, match="measured point"):
        ClipCurve([[]])


def test_a_class_has_a_mean_only_where_all_its_clips_have_a_value() -> None:
    curves = {"a": ClipCurve([[(2.0, 2.0), (8.0, 4.0)]]), "b": ClipCurve([[(4.0, 6.0), (16.0, 8.0)]])}
    assert mean_at(curves, 4.0) == pytest.approx(4.5)
    assert mean_at(curves, 2.0) is None
    assert [rate for rate, _ in mean_points(curves)] == [4.0, 8.0]
    assert mean_points({}) == []
    apart = {"a": ClipCurve([[(1.0, 1.0), (2.0, 2.0)]]), "b": ClipCurve([[(3.0, 1.0), (4.0, 2.0)]])}
    assert mean_points(apart) == []


def test_the_rate_for_a_value() -> None:
    points = [(2.0, 1.0), (4.0, 2.0), (8.0, 3.0)]
    assert rate_for(points, 1.5) == pytest.approx(math.sqrt(8))
    assert rate_for(points, 3.0) == pytest.approx(8.0)
    assert rate_for(points, 3.01) is None
    assert rate_for(points, 0.5) == 2.0
    assert rate_for([], 1.0) is None
    falling = [(2.0, 9.0), (4.0, 7.0)]
    assert rate_for(falling, 8.0, higher_is_better=False) == pytest.approx(math.sqrt(8))


def test_a_curve_that_falls_back_reaches_a_value_only_when_it_keeps_it() -> None:
    assert rate_for([(1.0, 1.0), (2.0, 3.0), (4.0, 1.0), (8.0, 3.0)], 2.0) == pytest.approx(math.sqrt(32))
    assert rate_for([(1.0, 1.0), (2.0, 3.0), (4.0, 1.0)], 2.0) is None


def test_only_points_that_are_better_than_all_before_rise() -> None:
    assert rising([(1.0, 1.0), (2.0, 3.0), (4.0, 2.0), (8.0, 4.0)]) == [(1.0, 1.0), (2.0, 3.0), (8.0, 4.0)]
    assert rising([(1.0, 5.0), (2.0, 6.0), (4.0, 2.0)], higher_is_better=False) == [(1.0, 5.0), (4.0, 2.0)]
    assert rising([]) == []


def test_half_the_rate_for_the_same_quality_is_a_ratio_of_one_half() -> None:
    ours = cells(results.OURS, {2.0: 10.0, 4.0: 20.0, 8.0: 30.0})
    theirs = cells("opus", {4.0: 10.0, 8.0: 20.0, 16.0: 30.0})
    curves = ratios.clip_curves([clip("a")], ours + theirs)
    found = {one.rival_kbit_s: one for one in ratios.all_ratios(curves)}
    assert set(found) == {4, 5, 6, 7, 8, 10, 12, 14, 16}
    assert all(one.ratio == pytest.approx(0.5) for rate, one in found.items() if rate != 4)
    assert found[8].ours_value == pytest.approx(30.0)
    assert found[8].rival_value == pytest.approx(20.0)
    assert (found[4].ratio, found[4].note) == (None, "reached at our lowest 2.0 kbit/s already")
    assert found[12].ours_value is None
    (bd,) = ratios.all_bd_rates(curves)
    assert bd.percent == pytest.approx(-50.0)
    assert bd.note == "over 10.00 to 30.00"


def test_a_quality_that_we_never_reach_has_no_ratio() -> None:
    curves = ratios.clip_curves(
        [clip("a")], cells(results.OURS, {2.0: 10.0, 8.0: 12.0}) + cells("opus", {4.0: 20.0, 8.0: 30.0})
    )
    for one in ratios.all_ratios(curves):
        assert one.ratio is None
        assert one.note == "not reached up to our 8.0 kbit/s"
    (bd,) = ratios.all_bd_rates(curves)
    assert (bd.percent, bd.note) == (None, "no quality in common")


def test_clips_outside_a_rivals_range_are_dropped_on_both_sides() -> None:
    clips = [clip("a"), clip("b"), clip("c")]
    ours = [one for name in "abc" for one in cells(results.OURS, {2.0: 10.0, 4.0: 20.0, 8.0: 30.0}, name)]
    ours[-3:] = cells(results.OURS, {2.0: 90.0, 4.0: 91.0, 8.0: 92.0}, "c")
    theirs = [one for name in "ab" for one in cells("opus", {4.0: 20.0, 8.0: 30.0}, name)]
    theirs += cells("opus", {6.0: 20.0, 8.0: 30.0}, "c")
    found = {one.rival_kbit_s: one for one in ratios.all_ratios(ratios.clip_curves(clips, ours + theirs))}
    assert found[4].clips == 2
    assert found[4].ratio == pytest.approx(1.0)
    assert found[8].clips == 3
    lonely = cells("opus", {4.0: 20.0, 8.0: 30.0}, "a") + cells("opus", {6.0: 20.0, 8.0: 30.0}, "b")
    lonely += cells("opus", {6.0: 20.0, 8.0: 30.0}, "c")
    found = {one.rival_kbit_s: one for one in ratios.all_ratios(ratios.clip_curves(clips, ours + lonely))}
    assert 4 not in found, "one clip of three is no class"


def test_speech_is_split_by_bandwidth_and_lost_cells_make_no_points() -> None:
    clips = [clip("a", rate=8000), clip("b"), clip("c", "music", 8000)]
    points = [one for name in "abc" for one in cells("opus", {4.0: 1.0, 8.0: 2.0}, name)]
    points += [
        cell("a", "opus", 16.0, {"snr": 9.0}, error="crashed"),
        cell("a", "opus", 16.0, {"snr": None}),
        cell("a", "opus", 16.0, {"snr": math.nan}),
        cell("gone", "opus", 16.0, {"snr": 9.0}),
    ]
    curves = ratios.clip_curves(clips, points)
    assert {group for group, _, _ in curves} == {"speech-8k", "speech-wb", "music"}
    assert curves["speech-8k", "snr", "opus"]["a"].high == 8.0


def test_group_curves_count_their_clips() -> None:
    clips = [clip("a"), clip("b")]
    points = cells("opus", {4.0: 1.0, 8.0: 2.0}, "a") + cells("opus", {4.0: 3.0, 16.0: 4.0}, "b")
    found = {point.kbit_s: point for point in ratios.group_curves(ratios.clip_curves(clips, points))}
    assert (found[4].value, found[4].clips) == (2.0, 2)
    assert (found[16].value, found[16].clips) == (4.0, 1)


def test_bd_rate_where_less_is_better_and_where_a_curve_does_not_rise() -> None:
    ours, theirs = [(1.0, 9.0), (2.0, 7.0), (4.0, 5.0)], [(2.0, 9.0), (4.0, 7.0), (8.0, 5.0)]
    assert ratios.bd_rate(ours, theirs, higher_is_better=False) == pytest.approx(-50.0)
    assert ratios.bd_rate(theirs, ours, higher_is_better=False) == pytest.approx(100.0)
    assert ratios.bd_rate([(1.0, 5.0), (2.0, 5.0)], theirs) is None
    assert ratios.bd_rate(ours[:1], theirs, higher_is_better=False) is None


def ratio(metric: str, value: float | None, note: str = "") -> results.Ratio:
    return results.Ratio("music", metric, "opus", 8.0, 3.0, None, None, None, None, value, 4, note)


def test_metrics_disagree_where_one_wins_and_another_loses() -> None:
    assert tables.disagree([ratio("snr", 0.5), ratio("zimtohrli", 1.5)])
    assert not tables.disagree([ratio("snr", 0.5), ratio("zimtohrli", 0.95)])
    never, at_once = "not reached up to our 8.0 kbit/s", "reached at our lowest 2.0 kbit/s already"
    assert tables.disagree([ratio("snr", None, at_once), ratio("zimtohrli", None, never)])
    assert not tables.disagree([ratio("snr", None, "our clips have no rate in common"), ratio("zimtohrli", 2.0)])
    shown = [tables.ratio_text(one) for one in (ratio("snr", 0.5), ratio("snr", None, never), None)]
    assert shown == ["0.50", ">", "-"]
    assert tables.ratio_text(ratio("snr", None, at_once)) == "<"


def test_results_come_back_from_their_file(tmp_path: Path) -> None:
    lost = cell("a", "opus", 8.0, {}, error="crashed")
    kept = results.Results(
        folder="clips",
        options={"rates": []},
        clips=(clip("a"),),
        cells=(cell("a", "opus", 4.0, {"snr": None, "lsd": 2.0}), lost),
        left_out=(results.LeftOut("b", "no such file"),),
        skipped_codecs={"lc3": "missing"},
        skipped_metrics={},
        curves=(results.CurvePoint("speech-wb", "snr", "opus", 4.0, 2.0, 1),),
        ratios=(ratio("snr", 0.5),),
        bd_rates=(results.BdRate("music", "snr", "opus", None, 1, "no quality in common"),),
        targets=(results.TargetRow("a", None, "b", "c", "d", "e", "f", "g"),),
        speed=(results.SpeedRow("opus", 1.0, 2.0, None, None, 3, 4, None),),
        versions={"opus": "1"},
    )
    results.save(kept, tmp_path / "results.json")
    assert results.load(tmp_path / "results.json") == kept
    for content in ("{", "[]", '{"format": 0}', '{"format": 1, "folder": "a"}', '{"format": 1, "cells": 3}'):
        (tmp_path / "other.json").write_text(content)
        with pytest.raises(results.ResultsError, match="run gs-bench again"):
            results.load(tmp_path / "other.json")
