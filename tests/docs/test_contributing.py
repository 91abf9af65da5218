"""CONTRIBUTING.md: the files to touch for another kind of Gaussian are few and are there."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST = 8
"""Two of them generated."""


def test_few_files_know_that_there_is_one_more_kind() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.split("<!-- kinds: begin -->")[1].split("<!-- kinds: end -->")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    paths = [row.split("|")[1].strip().replace("\\", "") for row in rows]
    assert 0 < len(paths) == len(set(paths)) <= MOST
    assert [path for path in paths if not (ROOT / path).is_file()] == []
