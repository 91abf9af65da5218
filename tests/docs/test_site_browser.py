"""The built site in a headless Chromium, opened as files: the player in its pages plays, and nothing complains."""

from __future__ import annotations

import importlib.util
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from page_browser import Tab, chromium_tab, find_chromium

ROOT = Path(__file__).parents[2]
PAGES = {"docs/start/index.html": "play", "docs/guide/mixing.html": "play", "docs/guide/edit.html": "edit"}

for module in ("websockets", "ziglang", "material", "mkdocstrings"):
    if not importlib.util.find_spec(module):
        pytest.skip(f"needs the package {module}", allow_module_level=True)
if not find_chromium():
    pytest.skip("needs Chromium", allow_module_level=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    module = runpy.run_path(str(ROOT / "docs" / "make_site.py"))
    module["main"].__globals__["SITE"] = folder / "docs"
    module["main"]()
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    (folder / "mkdocs.yml").write_text(text.replace("build/docs", "docs").replace("build/site", "site"))
    command = (sys.executable, "-I", "-m", "mkdocs", "build", "--strict", "--quiet")
    subprocess.run(command, cwd=folder, check=True, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"})
    return folder / "site"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with chromium_tab(tmp_path_factory.mktemp("chromium")) as tab:
        yield tab


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_the_player_and_asks_for_nothing_else(site: Path, browser: Tab, name: str) -> None:
    browser.complaints.clear()
    browser.requests.clear()
    browser.emulate(1200, 900)
    browser.open(site / name)
    browser.run("document.querySelector('iframe').scrollIntoView()")
    player = (site / "player" / "index.html").as_uri() + f"#framed-{PAGES[name]}"
    browser.wait_until(lambda: any(one.split("#")[0] == player.split("#")[0] for one in browser.requests))
    assert browser.run("document.querySelector('iframe').src") == player
    assert browser.run("document.documentElement.scrollWidth <= innerWidth")
    assert browser.complaints == []
    assert all(one.startswith(("file:", "data:", "blob:")) for one in browser.requests)


@pytest.mark.parametrize("shown", ["play", "edit"])
def test_the_player_of_the_site_plays(site: Path, browser: Tab, shown: str) -> None:
    browser.complaints.clear()
    browser.run("location.href = 'about:blank'")
    page = site / "player" / "index.html"
    browser.call("Page.navigate", url=f"{page.as_uri()}#framed-{shown}")
    browser.wait_for("globalThis.audioGs?.player")
    browser.run("audioGs.ready")
    visible = browser.run("['editing', 'drop'].map((id) => document.getElementById(id).offsetHeight > 0)")
    assert visible == [shown == "edit", True]
    browser.click("#play")
    browser.wait_for("audioGs.player.position > 1000")
    browser.run("audioGs.player.close()")
    assert browser.complaints == []
