"""The page that `make demo` ends with."""

from __future__ import annotations

import importlib.util
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from demo_clips import demo, demo_stream

import audio_gs
from audio_gs.gaussians import Gaussians
from audio_gs.picture import draw_clip

DEMO = Path(__file__).parents[2] / "demo"


@pytest.fixture(scope="module")
def demo_page() -> ModuleType:
    spec = importlib.util.spec_from_file_location("demo_page", DEMO / "page.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Links(HTMLParser):
    """Everything that a page points to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attributes if name in ("src", "href", "action")]


def test_the_page_points_to_files_beside_it_alone(demo_page: ModuleType) -> None:
    entry = demo_page.Entry("speech", 5.5, 8000, 88324, 4137, ("6.00 kbit/s", "1 < 2"))
    text = demo_page.page([entry])
    files = {"speech.original.wav", "speech.decoded.wav", "speech.png", "speech.gs"}
    assert set(Links(text).found) == files
    assert "http" not in text
    assert "<strong>4.1 KB</strong> instead of 88.3 KB, 21 times smaller" in text
    assert "1 &lt; 2" in text
    assert not re.search(r"[$][a-z{]", text), "a placeholder is left"


def test_a_clip_is_drawn(tmp_path: Path) -> None:
    samples, _ = demo("speech")
    data = demo_stream("speech")
    pcm, _ = audio_gs.decode(data)
    header, every_one = audio_gs.info(data).header, audio_gs.read_gaussians(data)
    for name, gaussians in (("all", every_one), ("none", Gaussians())):
        draw_clip(tmp_path / f"{name}.png", samples, np.asarray(pcm) / 32768, header, gaussians, name)
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
