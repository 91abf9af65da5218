"""The player's page in a headless Chromium, opened as a file: it shows, plays and complains in one line."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
from page_browser import Tab, chromium_tab, find_chromium
from wasm_tools import DEMOS, VECTORS, wasm_folder

from audio_gs.api import StreamDecoder
from audio_gs.gaussians import read_gaussians

if not find_chromium():
    pytest.skip("needs Chromium", allow_module_level=True)
if not importlib.util.find_spec("websockets"):
    pytest.skip("needs the package websockets", allow_module_level=True)

ERROR = "document.getElementById('error').textContent"
POSITION = "audioGs.player.position"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with chromium_tab(tmp_path_factory.mktemp("chromium")) as tab:
        yield tab


@pytest.fixture
def tab(browser: Tab) -> Iterator[Tab]:
    """The page, freshly loaded; a test fails if the page complained about anything or asked for anything."""
    page = wasm_folder() / "index.html"
    browser.complaints.clear()
    browser.requests.clear()
    browser.emulate(1200, 900)
    browser.open(page)
    browser.wait_for("globalThis.audioGs")
    yield browser
    browser.run("audioGs.player?.close()")
    assert browser.complaints == []
    assert browser.requests == [page.as_uri()]


def open_demo(tab: Tab, number: int = 1) -> None:
    tab.click(f"#demos button:nth-child({number})")
    tab.wait_for("audioGs.player !== null")
    tab.run("audioGs.ready")


def open_file(tab: Tab, path: Path) -> None:
    tab.choose_file("#file", path)


def colours(tab: Tab) -> int:
    """How many colours the picture has."""
    return int(
        tab.run(
            "(() => { const canvas = document.getElementById('picture');"
            "const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);"
            "return new Set(new Uint32Array(data.buffer)).size; })()"
        )
    )


def test_a_clip_is_shown_and_plays_to_its_end(tab: Tab) -> None:
    open_demo(tab)
    header = StreamDecoder((VECTORS / DEMOS[0]).read_bytes()).header
    assert f"{header.samples / header.sample_rate:.2f} s" in tab.run("document.getElementById('facts').textContent")
    assert f"{header.peak_macs} peak" in tab.run("document.getElementById('costs').textContent")
    assert colours(tab) > 100
    tab.click("#play")
    tab.wait_for(f"{POSITION} > 1000")
    tab.click("#stage", across=0.95)
    tab.wait_for("!audioGs.player.playing")
    assert tab.run(POSITION) == header.samples
    assert tab.run("document.getElementById('play').textContent") == "Play"
    tab.click("#play")
    tab.wait_for(f"audioGs.player.playing && {POSITION} > 0 && {POSITION} < {header.samples // 2}")


def test_keys_do_what_the_mouse_does(tab: Tab) -> None:
    open_demo(tab)
    tab.run("globalThis.opened = audioGs.player")
    tab.press(" ")  # the demo's button has the focus, and opens it again
    tab.wait_for("audioGs.player !== opened")
    tab.run("document.activeElement.blur()")
    tab.press(" ")
    tab.wait_for("audioGs.player.playing")
    tab.press(" ")
    tab.wait_for("!audioGs.player.playing")
    tab.run("document.getElementById('stage').focus()")
    tab.press("End")
    assert tab.run(POSITION) == tab.run("audioGs.header.samples")
    tab.press("Home")
    assert tab.run(POSITION) == 0
    tab.press("ArrowRight")
    assert tab.run(POSITION) == tab.run("audioGs.header.sampleRate") / 2


def slide(tab: Tab, name: str, value: float) -> str:
    """Moves a slider. Returns what it says then."""
    return str(
        tab.run(
            f"(() => {{ const slider = document.getElementById('{name}'); slider.value = {value};"
            "slider.dispatchEvent(new Event('input'));"
            f"return document.getElementById('{name}-is').textContent; }})()"
        )
    )


def image(canvas: str) -> str:
    return f"document.getElementById('{canvas}').toDataURL()"


def ink(tab: Tab) -> int:
    """How much the layer of Gaussians covers."""
    return int(
        tab.run(
            "(() => { const { width, height } = document.getElementById('layer');"
            "const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });"
            "copy.drawImage(document.getElementById('layer'), 0, 0);"
            "const { data } = copy.getImageData(0, 0, width, height);"
            "return data.reduce((sum, value, index) => sum + (index % 4 === 3 ? value : 0), 0); })()"
        )
    )


def next_frame(tab: Tab) -> None:
    tab.run("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))")


def seen(tab: Tab) -> tuple[float, float]:
    """What part of the clip is seen, in seconds."""
    next_frame(tab)
    low, high, _ = tab.run("document.getElementById('seen').textContent").replace(" to ", " ").split()
    return float(low), float(high)


@pytest.mark.parametrize(("slider", "value", "words"), [("budget", 10, "MACs"), ("pitch", 5, "+5"), ("to", 70, "Hz")])
def test_what_changes_the_sound_changes_what_is_seen(tab: Tab, slider: str, value: float, words: str) -> None:
    open_demo(tab, 2)
    next_frame(tab)
    before = tab.run(image("picture"))
    assert words in slide(tab, slider, value)
    tab.wait_for(f"{image('picture')} !== {before!r}")
    tab.click("#encoded")
    tab.wait_for(f"{image('picture')} === {before!r}")


def test_a_tempo_is_heard_and_not_seen(tab: Tab) -> None:
    open_demo(tab)
    next_frame(tab)
    before = tab.run(image("picture"))
    assert slide(tab, "tempo", -1) == "0.50 times as fast"
    tab.run("audioGs.ready")
    assert tab.run(image("picture")) == before
    tab.run("document.getElementById('stage').focus()")
    tab.press("End")
    tab.press("ArrowLeft")
    tab.click("#play")
    tab.wait_for("audioGs.player.playing")
    tab.wait_for("!audioGs.player.playing")
    assert tab.run(POSITION) == tab.run("audioGs.header.samples")


def test_the_sound_builds_up_from_the_strongest_gaussian(tab: Tab) -> None:
    open_demo(tab)
    next_frame(tab)
    total = read_gaussians((VECTORS / DEMOS[0]).read_bytes()).total
    whole, before = ink(tab), tab.run(image("picture"))
    assert tab.run("document.getElementById('many-is').textContent") == f"all of {total}"
    assert slide(tab, "many", 0) == f"1 of {total}"
    next_frame(tab)
    assert 0 < ink(tab) < 0.05 * whole
    tab.wait_for(f"{image('picture')} !== {before!r}")
    counts = [int(slide(tab, "many", value).split()[0]) for value in (25, 50, 75, 99)]
    assert counts == sorted(set(counts)) and counts[-1] < total
    next_frame(tab)
    assert 0.3 * whole < ink(tab) < whole


def test_gaussians_are_hidden_and_kinds_muted(tab: Tab) -> None:
    open_demo(tab)
    next_frame(tab)
    whole = ink(tab)
    tab.click("#mute-noise")
    next_frame(tab)
    assert 0 < ink(tab) < whole
    slide(tab, "to", 100)
    next_frame(tab)
    assert ink(tab) == 0
    slide(tab, "to", 0)
    next_frame(tab)
    assert ink(tab) > 0
    tab.click("#overlay")
    next_frame(tab)
    assert ink(tab) == 0
    assert tab.run("document.getElementById('overlay').getAttribute('aria-pressed')") == "false"


def test_what_a_clip_has_not_cannot_be_muted(tab: Tab) -> None:
    for number, clip in enumerate(DEMOS, 1):
        open_demo(tab, number)
        tab.wait_for(f"document.getElementById('name').textContent === '{clip}'")
        has_residual = StreamDecoder((VECTORS / clip).read_bytes()).header.residual is not None
        assert tab.run("document.getElementById('mute-residual').hidden") == (not has_residual)


def test_what_is_under_the_pointer_is_told(tab: Tab) -> None:
    open_demo(tab)
    words = set()
    for across in (0.1, 0.3, 0.5, 0.7, 0.9):
        tab.hover("#stage", across)
        words.add(tab.run("document.getElementById('under').textContent").split(" ")[0])
    assert words <= {"Tone", "Noise", "Residual", ""} and words & {"Tone", "Noise", "Residual"}
    tab.hover("#play", 0.5)
    assert tab.run("document.getElementById('under').textContent") == ""


def test_keys_go_from_gaussian_to_gaussian(tab: Tab) -> None:
    open_demo(tab)
    tab.run("document.getElementById('stage').focus()")
    told = []
    for key in "nnnp":
        tab.press(key)
        told.append(tab.run("document.getElementById('under').textContent"))
    assert told[3] == told[1] != told[0]
    places = [float(text.split(" at ")[1].split(" s")[0]) for text in told[:3]]
    assert places == sorted(places)
    assert all(" Hz, " in text and " dB" in text for text in told)


def test_keys_wheel_and_buttons_zoom_and_scroll(tab: Tab) -> None:
    open_demo(tab)
    whole = seen(tab)
    tab.run("document.getElementById('stage').focus()")
    tab.press("+")
    low, high = seen(tab)
    assert low > whole[0] and high < whole[1]
    tab.press("ArrowRight", shift=True)
    moved = seen(tab)
    assert moved[0] > low and moved[1] - moved[0] == pytest.approx(high - low, abs=0.02)
    tab.press("ArrowLeft", shift=True)
    assert seen(tab) == (low, high)
    tab.press("-")
    assert seen(tab) == whole
    tab.wheel("#stage", down=-300)
    low, high = seen(tab)
    assert high - low < 0.8 * whole[1]
    tab.wheel("#stage", right=200)
    assert seen(tab)[0] > low
    tab.click("#whole")
    assert seen(tab) == whole
    tab.click("#closer")
    low, high = seen(tab)
    assert high - low == pytest.approx(whole[1] / 2, abs=0.02)
    tab.press("0")  # the button has the focus, not the picture
    assert seen(tab) == (low, high)
    tab.click("#stage", across=0.5)
    assert tab.run(POSITION) / tab.run("audioGs.header.sampleRate") == pytest.approx((low + high) / 2, abs=0.02)


def test_drags_and_fingers_move_what_is_seen(tab: Tab) -> None:
    open_demo(tab)
    low, high = seen(tab)
    tab.pinch("#stage", (0.4, 0.6), (0.2, 0.8))
    near_low, near_high = seen(tab)
    assert near_high - near_low == pytest.approx((high - low) / 3, rel=0.05)
    assert near_low + near_high == pytest.approx(low + high, rel=0.05)
    position = tab.run(POSITION)
    tab.drag("#stage", 0.7, 0.2, shift=True)
    assert seen(tab)[0] - near_low == pytest.approx((near_high - near_low) / 2, rel=0.05)
    assert tab.run(POSITION) == position
    tab.drag("#stage", 0.7, 0.2)
    moved_low, moved_high = seen(tab)
    wanted = moved_low + 0.2 * (moved_high - moved_low)
    assert tab.run(POSITION) / tab.run("audioGs.header.sampleRate") == pytest.approx(wanted, abs=0.02)


def test_damage_is_one_line_where_the_clip_was(tab: Tab, tmp_path: Path) -> None:
    open_demo(tab)
    bad = tmp_path / "bad <b>.gs"
    data = (VECTORS / DEMOS[0]).read_bytes()
    bad.write_bytes(data[:30] + bytes([data[30] ^ 1]) + data[31:])
    open_file(tab, bad)
    tab.wait_for(f"{ERROR} !== ''")
    assert tab.run(ERROR).startswith("bad <b>.gs: ")
    assert "\n" not in tab.run(ERROR)
    good = tmp_path / "good.gs"
    good.write_bytes(data)
    open_file(tab, good)
    tab.wait_for("document.getElementById('name').textContent === 'good.gs'")
    assert tab.run(ERROR) == ""


@pytest.mark.parametrize("dark", [False, True])
def test_a_narrow_window_holds_it(tab: Tab, dark: bool) -> None:
    tab.emulate(390, 800, dark=dark)
    open_demo(tab)
    assert tab.run("document.documentElement.scrollWidth") <= 390
    controls = "[...document.querySelectorAll('button, input')]"
    assert tab.run(f"{controls}.every((one) => one.labels?.length || one.textContent)")
