"""docs/results and the documents that quote it: page, quotes and data say the same."""

from __future__ import annotations

from pathlib import Path

from audio_gs.bench.publish import record, render
from audio_gs.bench.publish.quote import OPENING, quoted

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "results"
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_page_is_rendered_from_the_data() -> None:
    """If this fails: make quotes."""
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == render.page(record.load(FOLDER))


def test_every_quote_is_the_published_figure() -> None:
    """If this fails: make quotes."""
    pieces = render.pieces(record.load(FOLDER))
    quotes = 0
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        quotes += text.count(OPENING)
        assert quoted(text, pieces) == text, f"{path.relative_to(ROOT)} quotes other figures than docs/results has"
    assert quotes, "nothing is quoted, so nothing was compared"


def test_everything_published_has_its_build_its_clips_and_its_command() -> None:
    found = record.load(FOLDER)
    sections = [part for part in (found.quality, found.firmware, found.speed) if part]
    assert sections
    for part in sections:
        assert part.origin.command.startswith("python -m audio_gs.bench.publish ")
        assert part.origin.version and part.origin.code and part.origin.date
        sets = [part.clips] if isinstance(part, record.Speed) else part.sets
        assert all(one.clips and one.hash for one in sets)
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(part.origin.command in page and part.origin.code in page for part in sections)
    assert max(map(len, page.splitlines())) < 400
