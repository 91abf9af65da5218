"""The decoder costs no more on any core than tests/budgets.yaml allows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from make_budgets import STREAMS, figures_of, measure_rom, over_budget, play_stream, read_budgets
from sim_tools import build_cache, needs_sim

from audio_gs.firmware_sim import CORES
from audio_gs.firmware_sim.build.image import compiler_version

BUDGETS = read_budgets()


@needs_sim
@pytest.mark.parametrize("core", CORES)
def test_the_decoder_keeps_its_budget(core: str) -> None:
    if compiler_version("zig") != BUDGETS["compiler"]:
        pytest.skip(
            f"counts are of {BUDGETS['compiler']}, which constraints.txt pins; here is {compiler_version('zig')}"
        )
    budget = BUDGETS["cores"][core]
    over = list(over_budget(f"{core}, ROM", measure_rom(core, build_cache()), budget["rom"]))
    for stream in STREAMS:
        report = play_stream(core, stream, build_cache())
        assert report.within_class, f"{stream} promises {report.promised_macs}, takes {report.worst_window_multiplies}"
        figures = figures_of(stream, report)
        over += over_budget(f"{core}, {stream}", figures, budget["streams"][stream])
    assert not over, "\n".join(over)


def worse(name: str, by: int) -> Callable[[dict[str, int]], dict[str, int]]:
    return lambda figures: {**figures, name: figures[name] + by}


@pytest.mark.parametrize("name", ["instructions", "ram_bytes", "stack_bytes"])
def test_one_more_than_the_budget_fails(name: str) -> None:
    budget = BUDGETS["cores"]["cortex-m4"]["streams"]["speech-6.bin"]
    assert not list(over_budget("here", budget, budget))
    assert not list(over_budget("here", worse(name, -1)(budget), budget))
    (line,) = over_budget("here", worse(name, 1)(budget), budget)
    assert line.startswith(f"here: {name} {budget[name] + 1}")
    assert f"exceed the budget of {budget[name]}" in line and "make budgets" in line


def test_instructions_count_by_the_sample() -> None:
    budget = {"samples": 100, "instructions": 1000}
    assert not list(over_budget("here", {"samples": 200, "instructions": 2000}, budget))
    assert list(over_budget("here", {"samples": 200, "instructions": 2001}, budget))


def test_another_stream_is_named_as_a_reason() -> None:
    budget = {"stream_crc32": 1, "stack_bytes": 100}
    assert not list(over_budget("here", {"stream_crc32": 2, "stack_bytes": 100}, budget))
    (line,) = over_budget("here", {"stream_crc32": 2, "stack_bytes": 101}, budget)
    assert "not the one that was budgeted" in line


def test_a_larger_rom_than_the_budget_fails() -> None:
    budget = BUDGETS["cores"]["cortex-m4"]["rom"]
    (line,) = over_budget("cortex-m4, ROM", worse("Os_bytes", 1)(budget), budget)
    assert line.startswith(f"cortex-m4, ROM: Os_bytes {budget['Os_bytes'] + 1} exceed the budget")
