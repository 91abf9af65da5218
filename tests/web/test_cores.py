"""What the page says of cores is what docs/SIM.md says."""

from __future__ import annotations

import page_cores


def test_the_cores_of_the_page_are_those_of_the_simulator() -> None:
    document = page_cores.TESTS.parent / "docs" / "SIM.md"
    assert page_cores.SCRIPT.read_text() == page_cores.script(document.read_text()), "make it anew: make budgets"
