"""The bench's page in a headless Chromium: it draws, it plays, and switching keeps the position."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from page_browser import Tab, chromium_tab, find_chromium
from page_results import HOSTILE, LEVEL, PITCH, PLAIN, RATE, RISE, SECONDS, STREAM, make_results, tone

from audio_gs import edit
from audio_gs.bench.report.page import overlay, players
from audio_gs.bench.results import OURS

if not find_chromium():
    pytest.skip("needs Chromium", allow_module_level=True)
for package in ("jinja2", "websockets"):
    if not importlib.util.find_spec(package):
        pytest.skip(f"needs the package {package}", allow_module_level=True)

KINDS = ["tone", "noise", "__proto__", "</script><b>new</b>"]
PLAYER = "audioGs.players[0]"
KEPT_SECONDS = 0.05


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A page whose Gaussians are of all sorts of kinds."""
    from audio_gs.bench.report.page import build_page

    folder = tmp_path_factory.mktemp("page")
    (folder / "cache").mkdir()

    def of_many_kinds(data: bytes) -> dict[str, Any]:
        drawn = overlay.stream_overlay(data)
        count = len(drawn["time"])
        return {**drawn, "kinds": KINDS, "kind": [number % len(KINDS) for number in range(count)]}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(players, "stream_overlay", of_many_kinds)
        build_page(make_results(folder / "cache"), folder / "cache", folder / "index.html")
    yield folder / "index.html"


PAIR = {"left": 600, "right": 2200}


@pytest.fixture(scope="module")
def stereo_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with one clip of two channels, a tone in each; ours is a stream whose tones are all at the right."""
    from audio_gs.bench.report.page import build_page

    folder = tmp_path_factory.mktemp("stereo")
    cache = folder / "cache"
    cache.mkdir()
    results = make_results(cache)
    pair = np.stack([tone(pitch) for pitch in PAIR.values()], axis=1)
    soundfile.write(cache / "pair.flac", pair, RATE, subtype="PCM_16")
    (cache / "pair.bin").write_bytes(edit.edited(STREAM.read_bytes(), [{"pan": {"position": 1, "kind": "tone"}}]))
    first = dataclasses.replace(results.clips[0], channels=2, path=str(cache / "pair.flac"))
    cells = [
        dataclasses.replace(cell, audio="pair.flac", stream="pair.bin") if cell.codec == OURS else cell
        for cell in results.cells
    ]
    results = dataclasses.replace(results, clips=(first, results.clips[1]), cells=tuple(cells))
    build_page(results, cache, folder / "index.html")
    return folder / "index.html"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with chromium_tab(tmp_path_factory.mktemp("chromium")) as tab:
        yield tab


@pytest.fixture
def tab(browser: Tab, page: Path) -> Iterator[Tab]:
    """The page, freshly loaded; a test fails if the page complained about anything or asked for anything."""
    browser.complaints.clear()
    browser.requests.clear()
    browser.emulate(1200, 900)
    browser.open(page)
    yield browser
    browser.run("audioGs.players.forEach((player) => player.pause())")
    assert browser.complaints == []
    assert browser.requests == [page.as_uri()]


def play(tab: Tab) -> None:
    """Press the first player's button and wait until it sounds."""
    tab.click("#players .play")
    tab.wait_for(f"{PLAYER}.position > 0.1")


def moment(tab: Tab) -> tuple[float, float]:
    """Position in the clip and the output's clock, both in seconds."""
    position, clock = tab.run(f"[{PLAYER}.position, audioGs.outputContext().currentTime]")
    return position, clock


def check_heard(tab: Tab, codec: str) -> None:
    """What leaves the first player right now is this codec's tone, at its own level and from the right place."""
    pitch, level, position = tab.run(
        f"""(async () => {{
            const context = audioGs.outputContext();
            const ear = new AnalyserNode(context, {{fftSize: 4096, smoothingTimeConstant: 0}});
            {PLAYER}.running.fader.connect(ear);
            const filled = context.currentTime + 0.15;
            while (context.currentTime < filled) await new Promise((resolve) => setTimeout(resolve, 5));
            const bins = new Float32Array(ear.frequencyBinCount), samples = new Float32Array(ear.fftSize);
            ear.getFloatFrequencyData(bins);
            ear.getFloatTimeDomainData(samples);
            const loudest = bins.indexOf(bins.reduce((most, bin) => Math.max(most, bin)));
            const [before, at, after] = bins.slice(loudest - 1, loudest + 2);
            const vertex = loudest + (before - after) / 2 / (before - 2 * at + after);
            const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
            const heard = {PLAYER}.position - ear.fftSize / 2 / context.sampleRate;
            return [vertex * context.sampleRate / ear.fftSize, peak, heard];
        }})()"""
    )
    assert (pitch - PITCH[codec]) / RISE == pytest.approx(position, abs=KEPT_SECONDS)
    assert level == pytest.approx(LEVEL, rel=0.02)


def shift(tab: Tab) -> float:
    """X of the first cursor, as a share of its panel's width."""
    return float(
        tab.run(
            "(() => { const cursor = document.querySelector('.cursor').getBoundingClientRect();"
            "const stage = document.querySelector('.stage').getBoundingClientRect();"
            "return (cursor.x - stage.x) / stage.width; })()"
        )
    )


def names(tab: Tab) -> list[str]:
    shown: list[str] = tab.run(f"{PLAYER}.shown.map((panel) => panel.button.querySelector('.name').textContent)")
    return shown


def show_pictures(tab: Tab) -> None:
    """Scroll to the first player and wait for its spectrograms and Gaussians."""
    tab.run(f"{PLAYER}.card.scrollIntoView()")
    tab.wait_for("document.querySelectorAll('#players .clip:first-child canvas:first-child').length === 4")
    tab.wait_for("document.querySelector('#players .clip:first-child .ellipses')")


def test_curves_show_the_values_of_the_results(tab: Tab, tmp_path: Path) -> None:
    drawn = tab.run(
        "[...document.querySelectorAll('.chart circle')].map((mark) => [mark.closest('.chart').dataset.group,"
        "mark.closest('.chart').dataset.metric, mark.closest('g').dataset.codec,"
        "Number(mark.dataset.rate), Number(mark.dataset.value)])"
    )
    results = make_results(tmp_path)
    expected = [
        [point.group, point.metric, point.codec, point.kbit_s, point.value]
        for point in results.curves
        if not math.isnan(point.value)
    ]
    assert sorted(drawn) == sorted(expected)
    missing = sum(math.isnan(point.value) for point in results.curves)
    assert tab.run("document.querySelectorAll('.chart .missing').length") == missing > 0


def test_better_values_are_drawn_higher_and_larger_rates_further_right(tab: Tab) -> None:
    for axis in ("#rate-linear", "#rate-log"):
        tab.click(axis)
        places = tab.run(
            f"[...document.querySelectorAll('.chart [data-codec=\"{OURS}\"]')].map((line) =>"
            "[...line.querySelectorAll('circle')].map((mark) => [+mark.getAttribute('cx'), -mark.getAttribute('cy')]))"
        )
        for line in places:
            assert line == sorted(line)
            assert [y for _, y in line] == sorted(y for _, y in line)


def test_values_under_the_pointer(tab: Tab) -> None:
    tab.hover(".chart[data-metric='snr'] svg", 0.99)
    shown = tab.run("document.querySelector(\".chart[data-metric='snr'] .tip\").innerText")
    assert "12 kbit/s" in shown
    assert "18.0" in shown
    assert "Audio-GS" in shown


def test_legend_hides_codecs(tab: Tab) -> None:
    tab.click("#legend [data-codec='opus']")
    assert tab.run("document.querySelectorAll('.chart g[data-codec=\"opus\"]').length") == 0
    assert tab.run(f"document.querySelectorAll('.chart g[data-codec=\"{OURS}\"]').length") == 4
    tab.click("#legend [data-codec='opus']")
    assert tab.run("document.querySelectorAll('.chart g[data-codec=\"opus\"]').length") == 4


def test_groups_take_turns(tab: Tab) -> None:
    visible = (
        "[...document.querySelectorAll('.chart')].filter((one) => one.offsetWidth).map((one) => one.dataset.group)"
    )
    assert set(tab.run(visible)) == {"speech-8k"}
    tab.click("[data-group-button='1']")
    assert set(tab.run(visible)) == {"music"}


def test_player_plays_the_original_at_its_own_level(tab: Tab) -> None:
    play(tab)
    position, clock = moment(tab)
    cursor = shift(tab)
    check_heard(tab, "original")
    later, later_clock = moment(tab)
    assert later_clock > clock
    assert later - position == pytest.approx(later_clock - clock, abs=KEPT_SECONDS)
    assert shift(tab) > cursor


@pytest.mark.parametrize(("key", "codec"), [("2", OURS), ("3", "opus"), ("4", "mp3")])
def test_switching_keeps_the_position(tab: Tab, key: str, codec: str) -> None:
    play(tab)
    position, clock = moment(tab)
    tab.press(key)
    later, later_clock = moment(tab)
    assert tab.run(f"{PLAYER}.playing")
    assert later - position == pytest.approx(later_clock - clock, abs=KEPT_SECONDS)
    check_heard(tab, codec)


def test_switching_by_the_name(tab: Tab) -> None:
    tab.click("#players [data-codec='opus'] > button")
    assert tab.run(f"{PLAYER}.source.codec") == "opus"
    assert tab.run("document.querySelector('#players [data-codec=\"opus\"] > button').ariaPressed") == "true"
    assert not tab.run(f"{PLAYER}.playing")


def test_another_rate_keeps_position_and_codec(tab: Tab) -> None:
    play(tab)
    tab.press("3")
    tab.run(f"{PLAYER}.seek(1)")
    tab.click("#rates button:last-child")
    tab.wait_for(f"{PLAYER}.playing")
    assert tab.run(f"{PLAYER}.source.kbitS") == pytest.approx(12.24)
    assert tab.run(f"{PLAYER}.source.codec") == "opus"
    assert 0.95 < moment(tab)[0] < SECONDS
    check_heard(tab, "opus")


def test_space_plays_and_pauses_and_arrows_move(tab: Tab) -> None:
    tab.press(" ")
    tab.wait_for(f"{PLAYER}.position > 0.1")
    tab.press(" ")
    assert not tab.run(f"{PLAYER}.playing")
    held = moment(tab)[0]
    tab.press("ArrowRight")
    assert moment(tab)[0] == pytest.approx(held + 1)
    tab.press("ArrowLeft")
    tab.press("ArrowLeft")
    assert moment(tab)[0] == 0


def test_space_on_a_source_button_plays_too(tab: Tab) -> None:
    tab.run("document.querySelector('#players [data-codec=\"opus\"] > button').focus()")
    tab.press(" ")
    tab.wait_for(f"{PLAYER}.position > 0.1")
    assert tab.run(f"{PLAYER}.entry") == 0


def test_click_on_a_spectrogram_seeks(tab: Tab) -> None:
    tab.click(f"#players [data-codec='{OURS}'] .stage", across=0.25)
    assert moment(tab)[0] == pytest.approx(SECONDS / 4, abs=0.02)
    assert tab.run(f"{PLAYER}.source.codec") == OURS
    assert shift(tab) == pytest.approx(0.25, abs=0.01)


def test_clip_ends_at_its_start(tab: Tab) -> None:
    tab.run(f"{PLAYER}.seek({SECONDS - 0.2})")
    tab.press(" ")
    tab.wait_for(f"{PLAYER}.playing")
    tab.wait_for(f"!{PLAYER}.playing")
    assert moment(tab)[0] == 0


def test_loop_goes_on_and_can_be_ended(tab: Tab) -> None:
    tab.press("l")
    tab.run(f"{PLAYER}.seek({SECONDS - 0.2})")
    tab.press(" ")
    tab.wait_for(f"{PLAYER}.playing && {PLAYER}.position < {SECONDS / 2} && {PLAYER}.position > 0.1")
    position, clock = moment(tab)
    tab.press("l")
    later, later_clock = moment(tab)
    assert later - position == pytest.approx(later_clock - clock, abs=KEPT_SECONDS)
    check_heard(tab, "original")
    tab.run(f"{PLAYER}.seek({SECONDS - 0.2})")
    tab.wait_for(f"!{PLAYER}.playing")


def test_one_player_at_a_time(tab: Tab) -> None:
    play(tab)
    tab.run("audioGs.players[1].play()")
    assert tab.run("audioGs.players.map((player) => player.playing)") == [False, True]


def test_blind_listening_hides_everything_until_it_is_revealed(tab: Tab) -> None:
    show_pictures(tab)
    tab.press("b")
    assert names(tab) == ["Reference", "A", "B", "C", "D"]
    markup = tab.run("document.querySelector('#players .clip .panels').innerHTML")
    hidden = markup[markup.index("Reference") + 1 :].split('class="panel"', 1)[1]
    for leak in ("Opus", "MP3", "Audio-GS", "opus", "mp3", OURS, "kbit/s", "canvas", "dB"):
        assert leak not in hidden
    order = tab.run(f"{PLAYER}.entries.map((entry) => entry.source.codec)")
    assert order[0] == "original"
    assert sorted(order[1:]) == sorted(["original", OURS, "opus", "mp3"])
    tab.press("3")
    play(tab)
    check_heard(tab, order[2])
    tab.click("#players .blind")
    revealed = dict(zip("ABCD", names(tab)[1:], strict=True))
    titles = {"original": "Original", OURS: "Audio-GS", "opus": "Opus", "mp3": "MP3"}
    assert revealed == {letter: f"{letter} = {titles[codec]}" for letter, codec in zip("ABCD", order[1:], strict=True)}
    assert tab.run(f"{PLAYER}.playing")
    tab.click("#players .blind")
    assert names(tab) == ["Original", "Audio-GS", "Opus", "MP3"]


def test_every_picture_has_the_same_size_and_frequencies(tab: Tab) -> None:
    show_pictures(tab)
    sizes, ticks = tab.run(
        f"[{PLAYER}.shown.map(({{stage}}) => "
        "[stage.offsetWidth, stage.offsetHeight, stage.getBoundingClientRect().top]),"
        f"{PLAYER}.shown.map(({{stage}}) => [...stage.querySelectorAll('.tick')].map("
        "(tick) => [tick.textContent, tick.style.bottom]))]"
    )
    assert len(sizes) == 4
    assert all(size == sizes[0] for size in sizes)
    assert all(tick == ticks[0] for tick in ticks)


@pytest.mark.parametrize("width", [360, 768, 1600])
def test_no_word_of_a_table_is_broken(tab: Tab, width: int) -> None:
    """Each word is one box: a word that goes on in the next line has several."""
    tab.emulate(width, 800)
    tab.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    broken = tab.run(
        """(() => {
            const found = [];
            for (const cell of document.querySelectorAll('th, td')) {
                const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
                while (texts.nextNode()) {
                    for (const word of texts.currentNode.data.matchAll(/\\p{L}+/gu)) {
                        const range = document.createRange();
                        range.setStart(texts.currentNode, word.index);
                        range.setEnd(texts.currentNode, word.index + word[0].length);
                        const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.y)));
                        if (lines.size > 1) found.push(word[0]);
                    }
                }
            }
            return found;
        })()"""
    )
    assert broken == []


def test_spectrograms_show_the_pitch(tab: Tab) -> None:
    """The darkest row of each picture lies at its tone, on the linear axis."""
    tab.click("#axis-linear")
    show_pictures(tab)
    tab.click("#overlay")
    tab.wait_for("!document.querySelector('#players .clip:first-child .ellipses')")
    heights = tab.run(
        f"""{PLAYER}.shown.map((panel) => {{
            const canvas = panel.stage.querySelector('canvas');
            const column = canvas.getContext('2d').getImageData(canvas.width / 2, 0, 1, canvas.height).data;
            let darkest = 0;
            for (let row = 0; row < canvas.height; row += 1)
                if (column[4 * row] < column[4 * darkest]) darkest = row;
            return 1 - (darkest + 0.5) / canvas.height;
        }})"""
    )
    expected = [(PITCH[codec] + RISE * SECONDS / 2) / 4000 for codec in ("original", OURS, "opus", "mp3")]
    assert heights == pytest.approx(expected, abs=0.02)


DARKEST = f"""{PLAYER}.shown.slice(0, 2).map((panel) => {{
    const canvas = panel.stage.querySelector('canvas');
    const column = canvas.getContext('2d').getImageData(canvas.width / 2, 0, 1, canvas.height).data;
    const rows = Array.from({{length: canvas.height}}, (_, row) => [column[4 * row], row]);
    return rows.filter(([level]) => level < 90).map(([, row]) => 1 - (row + 0.5) / canvas.height);
}})"""
INK = """(() => { const canvas = document.querySelector('.ellipses');
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let ink = 0;
    for (let at = 3; at < data.length; at += 4) ink += data[at];
    return ink; })()"""


def test_pictures_show_both_channels_or_one(browser: Tab, page: Path, stereo_page: Path) -> None:
    browser.complaints.clear()
    browser.emulate(1200, 900)
    browser.open(page)
    assert browser.run("document.getElementById('channels').checkVisibility()") is False
    browser.open(stereo_page)
    assert browser.run("document.getElementById('channels').checkVisibility()") is True
    assert "2 channels" in browser.run("document.querySelector('#players .clip small').textContent")
    show_pictures(browser)
    browser.click("#axis-linear")
    heights = {side: (pitch + RISE * SECONDS / 2) / (RATE / 2) for side, pitch in PAIR.items()}
    ink = {}
    for shown, sides in (("both", ("left", "right")), ("left", ("left",)), ("right", ("right",))):
        browser.click(f"[data-channel={shown}]")
        browser.wait_for(f"document.querySelector('[data-channel={shown}]').ariaPressed === 'true'")
        browser.run("new Promise((resolve) => setTimeout(resolve, 300))")
        for dark in browser.run(DARKEST):
            for side, height in heights.items():
                assert any(abs(height - row) < 0.02 for row in dark) == (side in sides), (shown, side)
        ink[shown] = browser.run(INK)
    assert ink["left"] < 0.8 * ink["right"]
    assert ink["right"] == ink["both"]
    assert browser.complaints == []


def test_gaussians_of_any_kind_are_drawn_over_ours_alone(tab: Tab) -> None:
    show_pictures(tab)
    assert (
        tab.run("document.querySelector('#players .clip:first-child .ellipses').closest('.panel').dataset.codec")
        == OURS
    )
    assert tab.run("document.querySelectorAll('#players .clip:first-child .ellipses').length") == 1
    inked = tab.run(
        "(() => { const canvas = document.querySelector('.ellipses');"
        "return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((one) => one); })()"
    )
    assert inked
    listed = tab.run("[...document.querySelectorAll('#players .clip:first-child .kind')].map((one) => one.textContent)")
    assert [text.split(" ", 1)[1] for text in listed] == [f"{kind} Gaussians" for kind in KINDS]
    tab.press("g")
    tab.wait_for("!document.querySelector('#players .clip:first-child .ellipses')")


def test_hostile_names_do_no_harm(tab: Tab) -> None:
    assert tab.run("[...document.querySelectorAll('#players h3 bdi')].map((one) => one.textContent)") == [
        HOSTILE,
        PLAIN,
    ]
    assert tab.run("globalThis.harmed === undefined")
    assert tab.run("document.querySelectorAll('img').length") == 0


@pytest.mark.parametrize("width", [360, 768, 1600])
@pytest.mark.parametrize("dark", [False, True])
def test_fits_any_width(tab: Tab, width: int, dark: bool) -> None:
    tab.emulate(width, 800, dark=dark)
    tab.run("scrollTo(0, document.body.scrollHeight)")
    assert tab.run("document.documentElement.scrollWidth") <= width


def test_everything_to_press_has_a_name(tab: Tab) -> None:
    nameless = tab.run(
        "[...document.querySelectorAll('button, input, a, summary')].filter((one) =>"
        "!(one.getAttribute('aria-label') ?? one.textContent).trim()).map((one) => one.outerHTML)"
    )
    assert nameless == []
    tree = tab.call("Accessibility.getFullAXTree")["nodes"]
    unnamed = [
        node["role"]["value"]
        for node in tree
        if node.get("role", {}).get("value") in ("button", "slider", "link", "img")
        and not node.get("name", {}).get("value")
        and not node["ignored"]
    ]
    assert unnamed == [], json.dumps(unnamed)
