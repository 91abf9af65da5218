"""docs/MAP.md: what it names exists, and no step, kind or C file of the decoder is missing from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COLUMNS = ("step", "SPEC", "Python", "C", "tests", "ONNX")


def rows() -> list[dict[str, str]]:
    lines = [line for line in (ROOT / "docs" / "MAP.md").read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    cells = [[cell.strip().replace("\\", "") for cell in line.strip("|").split("|")] for line in lines]
    assert tuple(cells[0]) == COLUMNS
    return [dict(zip(COLUMNS, row, strict=True)) for row in cells[2:]]


def paths(column: str) -> list[str]:
    return [path for row in rows() for path in row[column].split(", ") if path]


def test_each_path_exists() -> None:
    missing = [path for column in COLUMNS[2:] for path in paths(column) if not (ROOT / path).is_file()]
    assert not missing, f"docs/MAP.md names files that are not there: {missing}"


def test_each_chapter_exists() -> None:
    spec = (ROOT / "docs" / "SPEC.md").read_text(encoding="utf-8")
    headings = [heading.split()[0] for heading in re.findall(r"^#{2,3} (.+)$", spec, re.MULTILINE)]
    for row in rows():
        assert not row["SPEC"] or row["SPEC"] in headings, f"SPEC has no chapter {row['SPEC']}"


@pytest.mark.parametrize("chapter", range(1, 11))
def test_each_chapter_is_listed(chapter: int) -> None:
    assert str(chapter) in [row["SPEC"] for row in rows()]


def test_each_room_is_listed() -> None:
    """Every module of the codec that is not private, kinds among them."""
    codec = ROOT / "audio_gs" / "codec"
    modules = [path for path in codec.rglob("*.py") if not path.name.startswith("_")]
    missing = {path.relative_to(ROOT).as_posix() for path in modules} - set(paths("Python"))
    assert not missing, f"docs/MAP.md lacks {sorted(missing)}"


def test_each_c_file_is_listed() -> None:
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "decoder_c" / "src").glob("gs_*.c")}
    assert files, "decoder_c/src holds no gs_*.c"
    assert not files - set(paths("C")), f"docs/MAP.md lacks {sorted(files - set(paths('C')))}"
