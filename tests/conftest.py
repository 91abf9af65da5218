"""Options of the suite."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# A shared machine may stall at any time, so no test fails for being slow.
settings.register_profile("suite", deadline=None, derandomize=True, database=None)
settings.register_profile("search", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--streams", type=int, default=200, help="Random legal streams to decode [200].")
    parser.addoption("--first-seed", type=int, default=0, help="Seed of the first of them [0].")
    parser.addoption("--long", action="store_true", help="Run the tests that take minutes, too.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--long"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="takes minutes; --long runs it"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "stream_seed" in metafunc.fixturenames:
        first = metafunc.config.getoption("--first-seed")
        metafunc.parametrize("stream_seed", range(first, first + metafunc.config.getoption("--streams")))
