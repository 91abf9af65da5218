"""The documents: lines that a reader can read, links that lead somewhere, files that are there."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST_LINE = 120
NOT_OURS = {".venv", "build", "dist", "LICENSES", "out"}
"""Folders whose text is made or written elsewhere."""
SOURCES = {
    ".c",
    ".cmake",
    ".css",
    ".h",
    ".ino",
    ".jinja",
    ".js",
    ".json",
    ".md",
    ".py",
    ".sh",
    ".toml",
    ".yaml",
    ".yml",
}
EXPORTED = {"audio_gs_clips", "gs_tables", "audio_gs"}
"""Stems of files that the project's commands write."""


def documents() -> list[Path]:
    found = [path.relative_to(ROOT) for path in ROOT.rglob("*.md")]
    return sorted(path for path in found if not any(part in NOT_OURS or part[0] == "." for part in path.parts[:-1]))


def text_of(document: Path) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


each_document = pytest.mark.parametrize("document", documents(), ids=str)


@each_document
def test_no_line_is_too_long(document: Path) -> None:
    """But rows of tables, code, and what a link or a quoted figure adds that nobody reads."""
    for number, line in enumerate(text_of(document).splitlines(), 1):
        read = re.sub(r"\]\([^)]*\)|<!--.*?-->", "", line)
        assert line.startswith(("|", "    ")) or len(read) <= LONGEST_LINE, (
            f"{document}:{number} has {len(line)} characters"
        )


def anchors(text: str) -> set[str]:
    """The names by which a document's headings are linked to."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_document
def test_links_resolve(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(document)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / document).parent / path if path else ROOT / document
        assert file.exists(), f"{document} links to {target}, which is not there"
        assert not anchor or anchor in anchors(file.read_text(encoding="utf-8")), f"{document}: no heading {target}"


@functools.cache
def repository_files() -> set[str]:
    """Paths of the repository's own files, without what is built."""
    top = [path for path in ROOT.iterdir() if path.name not in NOT_OURS and path.name not in (".git", ".venv")]
    files = [path for folder in top for path in (folder.rglob("*") if folder.is_dir() else [folder])]
    return {path.relative_to(ROOT).as_posix() for path in files if path.is_file() and "__pycache__" not in path.parts}


@each_document
def test_cited_files_exist(document: Path) -> None:
    """What stands between backticks and looks like a source file, or like a path that begins with one of the
    repository's folders. Paths may be relative to the document's folder."""
    files = repository_files()
    names = {path.rsplit("/", 1)[-1] for path in files}
    folders = {path.split("/", 1)[0] for path in files if "/" in path}
    for cited in re.findall(r"`([\w./*-]+)`", text_of(document)):
        cited = cited.removeprefix("../")
        in_repository = cited.split("/", 1)[0] in folders and "/" in cited
        if in_repository and not cited.startswith("demo/out"):
            found = [*ROOT.glob(cited), *(ROOT / document).parent.glob(cited)]
            assert found, f"{document} cites {cited}, which is not in the repository"
        elif "/" not in cited and Path(cited).suffix in SOURCES & {".c", ".h", ".py", ".js", ".sh", ".cmake"}:
            known = cited in names or Path(cited).stem in EXPORTED
            assert known or "*" in cited, f"{document} cites {cited}, which is not in the repository"
        assert not cited.startswith("shared/"), f"{document} cites {cited}, which is not in the repository"
