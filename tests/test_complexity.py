"""The cost of rendering, against a count sample by sample."""

from __future__ import annotations

import numpy as np
import pytest

from audio_gs import complexity
from audio_gs.container import StreamHeader
from audio_gs.gaussians import GaussianTable, empty_table

RATE = 8000
SAMPLES = 3000


def header_of(samples: int) -> StreamHeader:
    return StreamHeader(
        sample_rate=RATE,
        samples=samples,
        slot_log2=9,
        kmin=0,
        scales=7,
        mantissa=1,
        output_shift=0,
        max_active=40,
        peak_macs=0,
    )


def random_table(count: int, seed: int) -> GaussianTable:
    random = np.random.default_rng(seed)
    table = empty_table(count)
    table["scale"] = random.integers(0, 7, count)
    table["onset"] = random.integers(-2500, SAMPLES, count)
    return table


@pytest.mark.parametrize("count", [0, 1, 40])
def test_against_counting(count: int) -> None:
    table = random_table(count, seed=count)
    counted = np.zeros(SAMPLES, int)
    for scale, onset in zip(table["scale"], table["onset"], strict=True):
        for age in range(32 << scale):
            if 0 <= onset + age < SAMPLES:
                counted[onset + age] += 1 + 2 * (age % (1 << scale) == 0)
    np.testing.assert_array_equal(complexity.macs_each_sample(table, SAMPLES), counted)
    mean, peak = complexity.macs_per_sample(table, header_of(SAMPLES))
    assert mean == pytest.approx(counted.mean())
    assert peak == pytest.approx(max(counted[n : n + 160].mean() for n in range(SAMPLES - 159)))


def test_clips_shorter_than_the_window() -> None:
    table = random_table(1, seed=0)
    table["onset"], table["scale"] = 0, 0
    assert complexity.macs_per_sample(table, header_of(10)) == (3.0, 3.0)


@pytest.mark.parametrize("block", [1, 100, 161, 1000])
def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    table = random_table(40, seed=40)
    whole = complexity.macs_per_sample(table, header_of(SAMPLES))
    monkeypatch.setattr(complexity, "_BLOCK_SAMPLES", block)
    assert complexity.macs_per_sample(table, header_of(SAMPLES)) == whole


def test_length_costs_no_memory() -> None:
    """The longest stream that the format has, with a Gaussian at its end."""
    table = random_table(1, seed=0)
    longest = (1 << 31) - 1
    table["onset"], table["scale"] = longest - 8, 0
    mean, peak = complexity.macs_per_sample(table, header_of(longest))
    assert mean == (8 + 2 * 8) / longest
    assert peak == (8 + 2 * 8) / 160
