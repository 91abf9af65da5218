"""How clips share flash: curves, shares and the search, on an encoder that is a formula."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from audio_gs.audio_io import Clip
from audio_gs.bank import search as search_module
from audio_gs.bank.cores import CORES, macs_within
from audio_gs.bank.curve import Curve, worthwhile
from audio_gs.bank.encodings import Cache, Encoding, Job
from audio_gs.bank.rules import Rule, Wish, given_rules, read_rules, unused, wish_for
from audio_gs.bank.search import BudgetError, Candidate, Search
from audio_gs.bank.share import share
from audio_gs.errors import OptionsError
from audio_gs.parallel import Workers

CLIP = Clip(np.zeros(8000), 8000)


def encoding(size: int, quality: float, asked_kbit_s: float | None = None) -> Encoding:
    return Encoding(
        key=f"{size} {quality}",
        asked_kbit_s=size / 125 if asked_kbit_s is None else asked_kbit_s,
        bytes=size,
        quality=quality,
        preset="speech",
        macs_peak=30,
        macs_mean=20,
        decoder_bytes=4000,
        max_tones=60,
        sample_rate=8000,
        duration=1.0,
    )


def test_only_what_is_better_is_worth_more_bytes() -> None:
    tried = [encoding(300, 5.0), encoding(100, 3.0), encoding(200, 2.0), encoding(300, 5.5)]
    assert [(one.bytes, one.quality) for one in worthwhile(tried)] == [(100, 3.0), (300, 5.5)]


def test_a_curve_goes_through_what_was_encoded() -> None:
    curve = Curve.through([encoding(100, 2.0), encoding(400, 6.0)])
    assert curve.bytes_for(2.0) == pytest.approx(100)
    assert curve.bytes_for(4.0) == pytest.approx(200)
    assert curve.bytes_for(6.0) == pytest.approx(400)
    assert curve.bytes_for(8.0) == pytest.approx(800)
    assert curve.bytes_for(1.0) == pytest.approx(100 / math.sqrt(2))


def test_a_curve_knows_what_was_wasted_and_where_it_ends() -> None:
    wasted = Curve.through([encoding(100, 4.0), encoding(200, 3.0), encoding(400, 6.0)])
    assert wasted.bytes_for(4.01) > 200
    full = Curve.through([encoding(100, 4.0), encoding(200, 5.0), encoding(210, 5.0, asked_kbit_s=4.0)])
    assert full.highest == 5.0
    assert full.bytes_for(9.0) == full.bytes_for(5.0)


def test_a_share_is_the_best_that_there_is() -> None:
    """No choice of all that fit has a better worst score."""
    chance = np.random.default_rng(3)
    for _ in range(30):
        tried = {
            name: [
                encoding(int(size), float(quality))
                for size, quality in zip(chance.integers(50, 400, 4), chance.uniform(0, 10, 4), strict=True)
            ]
            for name in "abc"
        }
        wishes = {"a": Wish(), "b": Wish(weight=1.3), "c": Wish()}
        budget = 700
        worsts = [
            min(a.quality, b.quality - wishes["b"].more, c.quality)
            for a in tried["a"]
            for b in tried["b"]
            for c in tried["c"]
            if a.bytes + b.bytes + c.bytes <= budget
        ]
        found = share(budget, tried, wishes)
        if worsts:
            assert found.bytes <= budget
            assert found.worst == pytest.approx(max(worsts))
        else:
            assert found.bytes > budget


def test_a_floor_goes_before_the_others() -> None:
    tried = {name: [encoding(100, 3.0), encoding(200, 5.0), encoding(300, 7.0)] for name in "ab"}
    found = share(400, tried, {"a": Wish(floor=7.0), "b": Wish()})
    assert (found.chosen["a"].quality, found.chosen["b"].quality) == (7.0, 3.0)


Formula = Callable[[float, float], float]


class Bank:
    """A search whose clips have the quality slope * log2(kbit/s / base)."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, bases: dict[str, float], wishes: dict[str, Wish]
    ) -> None:
        self.encoded: list[tuple[str, float]] = []
        self._bases, self._wishes = bases, wishes
        self._cache = Cache(tmp_path)
        monkeypatch.setattr(search_module, "encode_all", self._encode_all)

    def search(self, changed: str = "") -> Search:
        candidates = [
            Candidate(name, CLIP, name + ("'" if name == changed else ""), 1.0, self._wishes.get(name, Wish()), {})
            for name in self._bases
        ]
        return Search(candidates, self._cache, Workers(1), lambda fraction, text: None)

    def _encode_all(
        self, jobs: Sequence[Job], cache: Cache, workers: Workers, progress: Callable[[float, str], None]
    ) -> tuple[list[Encoding], set[str]]:
        found, anew = [], set()
        for job in jobs:
            known = cache.load(job.key())
            if known is None:
                rate = job.options["bitrate"]
                quality = min(10.0, max(0.0, 2.5 * math.log2(rate / self._bases[job.content.rstrip("'")])))
                known = Encoding(**{**encoding(int(125 * rate), quality).__dict__, "key": job.key()})
                cache.save(known, bytes(known.bytes))
                anew.add(job.content)
                self.encoded.append((job.content, rate))
            found.append(known)
        return found, anew


BASES = {"easy": 0.5, "middle": 1.0, "hard": 2.0}


def test_all_clips_come_to_one_quality(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bank = Bank(monkeypatch, tmp_path, BASES, {})
    found = bank.search().for_budget(2000)
    assert 1960 <= found.bytes <= 2000
    best = 2.5 * math.log2(2000 / 125 / sum(BASES.values()))
    assert found.worst == pytest.approx(best, abs=0.13)
    assert max(found.scores.values()) - min(found.scores.values()) < 0.3


def test_more_flash_than_the_scale_has_use_for_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bank = Bank(monkeypatch, tmp_path, BASES, {})
    found = bank.search().for_budget(10**6)
    assert found.worst == 10
    assert max(rate for _, rate in bank.encoded) <= 64
    assert found.bytes < 0.02 * 10**6


def test_a_weight_is_so_much_nearer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wish = Wish(weight=1 / 0.844**2)
    assert wish.more == pytest.approx(2)
    found = Bank(monkeypatch, tmp_path, BASES, {"easy": wish}).search().for_budget(2000)
    assert found.chosen["easy"].quality - found.chosen["hard"].quality == pytest.approx(2, abs=0.3)


def test_the_same_again_encodes_nothing_and_a_change_one_clip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bank = Bank(monkeypatch, tmp_path, BASES, {})
    first = bank.search().for_budget(2000)
    bank.encoded.clear()
    again = bank.search()
    assert again.for_budget(2000) == first
    assert not bank.encoded and not again.anew
    changed = bank.search("middle")
    changed.for_budget(2000)
    assert changed.anew == {"middle"}


def test_a_quality_takes_so_many_bytes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = Bank(monkeypatch, tmp_path, BASES, {}).search().for_score(6.0)
    assert found.worst >= 6.0
    assert found.bytes == pytest.approx(125 * sum(BASES.values()) * 2 ** (6 / 2.5), rel=0.03)


def test_too_little_flash_says_what_to_drop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bank = Bank(monkeypatch, tmp_path, BASES, {})
    with pytest.raises(BudgetError, match=r"take 375 bytes at the lowest rate, 1 kbit/s, 75 more .* drop easy,"):
        bank.search().for_budget(300)
    floors = Bank(monkeypatch, tmp_path, BASES, {"hard": Wish(floor=8.0)})
    with pytest.raises(BudgetError, match=r"the floors take about \d+ bytes more than the 500 .* of hard"):
        floors.search().for_budget(500)


def test_rules_are_for_names_and_for_paths(tmp_path: Path) -> None:
    rules = [Rule("*.wav", {"weight": 2.0}), Rule("alarms/*", {"floor": 6.0}), Rule("beep.wav", {"weight": 1.5})]
    assert wish_for("alarms/beep.wav", rules) == Wish(weight=1.5, floor=6.0)
    assert wish_for("music/song.flac", rules) == Wish()
    assert unused(rules, ["music/song.flac", "a.wav"]) == ["alarms/*", "beep.wav"]
    (tmp_path / "rules.yaml").write_text('"alarms/*": {floor: 6, mix: false}\n"*.wav": {preset: sfx}\n')
    assert wish_for("alarms/a.wav", read_rules(tmp_path / "rules.yaml")) == Wish(floor=6, mix=False, preset="sfx")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 3\n", "must hold lines"),
        ("a: {wait: 3}\n", "'wait' is none of floor, mix, preset, weight"),
        ("a: {weight: 0}\n", "weight 0 is not a number from 0.1 to 10"),
        ("a: {floor: true}\n", "floor True is not a number"),
        ("a: {mix: 1}\n", "mix 1 is not true or false"),
        ("a: {preset: loud}\n", "is not one of auto"),
        ("a: [\n", "is no YAML"),
    ],
)
def test_rules_that_are_none_are_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "rules.yaml").write_text(text)
    with pytest.raises(OptionsError, match=says):
        read_rules(tmp_path / "rules.yaml")


@pytest.mark.parametrize("text", ("alarm", "=3", "alarm=loud", "alarm=nan"))
def test_a_weight_is_a_pattern_and_a_number(text: str) -> None:
    with pytest.raises(OptionsError, match=r"PATTERN=NUMBER|not a number"):
        given_rules("weight", [text])


def test_a_core_has_time_for_so_many_macs() -> None:
    assert macs_within("cortex-m0plus", 48, 0.5, 1, 16000) == int((1500 - 200) / 22.5)
    assert macs_within("cortex-m4", 64, 0.5, 2, 16000) < macs_within("cortex-m4", 64, 0.5, 1, 16000)
    with pytest.raises(OptionsError, match=r"too slow .* \d+ MHz would do"):
        macs_within("cortex-m0plus", 8, 0.5, 1, 44100)


def test_the_lines_of_the_cores_lie_above_what_is_simulated() -> None:
    """On the stream that comes nearest to them."""
    pytest.importorskip("unicorn")
    pytest.importorskip("ziglang")
    from audio_gs.firmware_sim import Settings, simulate

    data = (Path(__file__).parents[1] / "vectors" / "speech-8.bin").read_bytes()
    for core in ("cortex-m0plus", "cortex-m7"):
        report = simulate(data, Settings(core))
        line = CORES[core]
        limit = line.fixed + line.each * report.promised_macs
        assert 0.9 * limit < report.worst_window_cycles <= limit
