"""The player's page in a headless Chromium, opened as a file: it shows, plays and complains in one line."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
from page_browser import Tab, chromium_tab, find_chromium
from wasm_tools import DEMOS, VECTORS, wasm_folder

from audio_gs.api import StreamDecoder

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
    yield browser
    browser.run("audioGs.player?.close()")
    assert browser.complaints == []
    assert browser.requests == [page.as_uri()]


def open_demo(tab: Tab, number: int = 1) -> None:
    tab.click(f"#demos button:nth-child({number})")
    tab.wait_for("audioGs.player !== null")
    tab.run("audioGs.ready")


def open_file(tab: Tab, path: Path) -> None:
    root = tab.call("DOM.getDocument")["root"]["nodeId"]
    node = tab.call("DOM.querySelector", nodeId=root, selector="#file")["nodeId"]
    tab.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])


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
    assert f"{header.peak_macs} MACs" in tab.run("document.getElementById('costs').textContent")
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


def test_a_budget_changes_what_is_seen(tab: Tab) -> None:
    open_demo(tab, 2)
    picture = "document.getElementById('picture').toDataURL()"
    before = tab.run(picture)
    tab.run(
        "(() => { const slider = document.getElementById('budget'); slider.value = 10;"
        "slider.dispatchEvent(new Event('input')); })()"
    )
    assert "MACs" in tab.run("document.getElementById('budgeted').textContent")
    tab.wait_for(f"{picture} !== {before!r}")


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
    assert tab.run(f"{controls}.every((one) => one.closest('label') || one.textContent)")
