"""The page in a headless Firefox, opened as a file: it loads, decodes, plays and edits."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest
from page_firefox import FirefoxTab, find_firefox, firefox_tab
from wasm_tools import DEMOS, VECTORS, wasm_folder

import audio_gs

if not find_firefox():
    pytest.skip("needs Firefox", allow_module_level=True)
if not importlib.util.find_spec("websockets"):
    pytest.skip("needs the package websockets", allow_module_level=True)


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirefoxTab]:
    with firefox_tab(tmp_path_factory.mktemp("firefox")) as tab:
        yield tab


def test_a_clip_loads_plays_and_is_edited(tab: FirefoxTab) -> None:
    tab.open(wasm_folder() / "index.html")
    tab.wait_for("globalThis.audioGs")
    tab.click("#demos button:nth-child(1)")
    tab.wait_for("audioGs.player !== null")
    tab.run("audioGs.ready")
    data = (VECTORS / DEMOS[0]).read_bytes()
    assert tab.run("audioGs.header.samples") == audio_gs.parse_header(data)[0].samples
    assert tab.run("Array.from(audioGs.score.bytes)") == list(data)
    tab.click("#play")
    tab.wait_for("audioGs.player.position > 0")
    tab.run("globalThis.replaced = 0, audioGs.player.addEventListener('replaced', () => (replaced += 1)), 0")
    for button in ("#edit", "#select-tone", "#transpose"):
        tab.click(button)
    tab.wait_for("replaced === 1")
    edited = audio_gs.read_gaussians(bytes(tab.run("Array.from(audioGs.score.bytes)")))
    assert 0 < len(edited["tone"]) <= len(audio_gs.read_gaussians(data)["tone"])
    tab.wait_for("!audioGs.player.playing")
    assert tab.run("document.getElementById('error').textContent") == ""
    assert tab.complaints == []
