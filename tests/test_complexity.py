"""The cost of rendering, against a count sample by sample."""

from __future__ import annotations

import numpy as np
import pytest

from audio_gs import complexity
from audio_gs.container import StreamHeader
from audio_gs.gaussians import GaussianTable, empty_table

RATE = 8000
FILTERS = 4 / 2 + 4 / 4 + 4 / 8
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
    table["bin"] = random.integers(0, 16 << table["scale"])
    return table


def level_of(scale: int, bin_: int) -> int:
    return max(d for d in range(4) if d == 0 or (d + 2 <= scale and bin_ << (11 - scale + d) <= 19200))


@pytest.mark.parametrize("count", [0, 1, 40])
def test_against_counting(count: int) -> None:
    table = random_table(count, seed=count)
    counted = np.zeros(SAMPLES)
    for scale, onset, bin_ in table[["scale", "onset", "bin"]].tolist():
        each = 0.5 ** level_of(scale, bin_)
        for age in range(32 << scale):
            if 0 <= onset + age < SAMPLES:
                counted[onset + age] += each + 2 * (age % (1 << scale) == 0)
    np.testing.assert_array_equal(complexity.macs_each_sample(table, SAMPLES), counted)
    mean, peak = complexity.macs_per_sample(table, header_of(SAMPLES))
    assert mean == pytest.approx(FILTERS + counted.mean())
    assert peak == pytest.approx(FILTERS + max(counted[n : n + 160].mean() for n in range(SAMPLES - 159)))


def test_clips_shorter_than_the_window() -> None:
    table = random_table(1, seed=0)
    table["onset"], table["scale"] = 0, 0
    assert complexity.macs_per_sample(table, header_of(10)) == (6.5, 6.5)


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
    assert mean == FILTERS + (8 + 2 * 8) / longest
    assert peak == FILTERS + (8 + 2 * 8) / 160
