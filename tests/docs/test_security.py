"""docs/SECURITY.md: guarantees in the order of their numbers, each with the tests that show it."""

from __future__ import annotations

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "SECURITY.md"
LINK = re.compile(r"\]\(([^)]+)\)")


def test_each_guarantee_names_its_tests() -> None:
    section = DOCUMENT.read_text().split("## Guarantees")[1].split("\n## ")[0]
    guarantees = re.split(r"^- G", section, flags=re.MULTILINE)[1:]
    numbers = [int(text.split(".")[0]) for text in guarantees]
    assert numbers == list(range(1, len(numbers) + 1))
    for text in guarantees:
        paths = LINK.findall(text)
        assert paths, text
        for path in paths:
            assert "/tests/" in path
            assert (DOCUMENT.parent / path).is_file(), path
