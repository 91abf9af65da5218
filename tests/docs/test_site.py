"""The site: its pages are those of the repository, each with a place."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    module = runpy.run_path(str(ROOT / "docs" / "make_site.py"))
    folder = tmp_path_factory.mktemp("site") / "docs"
    module["main"].__globals__["SITE"] = folder
    module["main"]()
    return module, folder


def test_each_page_has_a_place(site: tuple[dict[str, Any], Path]) -> None:
    """As strings: the configuration has tags that only mkdocs knows."""
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    pages = {line.rsplit(": ", 1)[1] for line in text.splitlines() if line.endswith(".md")}
    assert pages == {path.relative_to(site[1]).as_posix() for path in site[1].rglob("*.md")}


def test_fences_and_brackets_are_as_mkdocs_reads_them(site: tuple[dict[str, Any], Path]) -> None:
    read = site[0]["_as_mkdocs_reads"]
    assert read("```sh run\na[1][2]\n```\n") == "```sh\na[1][2]\n```\n"
    assert read("FRAME[2][3] and [a](b)\n") == "FRAME[2]\\[3] and [a](b)\n"
    assert read("    code[2][3]\n") == "    code[2][3]\n"
