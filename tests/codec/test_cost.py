"""The cost of rendering, against a count sample by sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from audio_gs.codec import cost
from audio_gs.codec.container import StreamHeader
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.kinds import TONE

Table = npt.NDArray[Any]

RATE = 8000
SAMPLES = 3000


def header_of(samples: int) -> StreamHeader:
    return StreamHeader(
        sample_rate=RATE,
        samples=samples,
        slot_log2=9,
        smallest_scale=0,
        scales=7,
        amplitude_step=1,
        output_shift=0,
        max_tones=40,
        peak_macs=0,
    )


def random_table(count: int, seed: int) -> Table:
    random = np.random.default_rng(seed)
    table = TONE.empty(count)
    table["scale"] = random.integers(0, 7, count)
    table["onset"] = random.integers(-2500, SAMPLES, count)
    table["bin"] = random.integers(0, 16 << table["scale"])
    return table


def octave_of(scale: int, bin_: int) -> int:
    return max(d for d in range(4) if d == 0 or (d + 2 <= scale and bin_ << (11 - scale + d) <= 19200))


def block_costs(table: Table, header: StreamHeader) -> dict[int, int]:
    """Of each block what its tones cost, sample by sample: one for each, four for each piece of an envelope."""
    costs: dict[int, int] = {}
    for scale, onset, bin_ in table[["scale", "onset", "bin"]].tolist():
        d = octave_of(scale, bin_)
        pieces = set()
        for age in range(32 << scale >> d):
            time = onset + (age << d)
            block = (time - (8 << d) + 8) // 64
            if block >= -2 and block * 64 < header.samples:
                costs[block] = costs.get(block, 0) + 1
                pieces.add((block, age >> (scale - d)))
        for block, _ in pieces:
            costs[block] += 4
    return costs


def counted(table: Table, header: StreamHeader) -> np.ndarray:
    macs = np.zeros(header.samples, int)
    for block, macs_of_block in block_costs(table, header).items():
        macs[max(0, block * 64)] += macs_of_block
    for block in range(-2, -(-header.samples // 64)):
        macs[max(0, block * 64)] += 4 * (32 + 16 + 8)
    for onset in table["onset"].tolist():
        macs[max(0, onset // 512 * 512 - 64)] += 32
    return macs


@pytest.mark.parametrize("count", [0, 1, 40])
def test_against_counting(count: int) -> None:
    table, header = random_table(count, seed=count), header_of(SAMPLES)
    macs = counted(table, header)
    np.testing.assert_array_equal(cost.macs_each_sample(Gaussians(tone=table), header, 0, SAMPLES), macs)
    np.testing.assert_array_equal(cost.macs_each_sample(Gaussians(tone=table), header, 700, 2000), macs[700:2000])
    mean, peak = cost.macs_per_sample(Gaussians(tone=table), header)
    ends_of_scales = 7
    assert mean == pytest.approx((macs.sum() + ends_of_scales * (header.slots + header.lead_slots)) / SAMPLES)
    worst = max(macs[n : n + 160].sum() for n in range(SAMPLES - 159))
    assert peak == pytest.approx((worst + 2 * ends_of_scales) / 160)


def test_clips_shorter_than_the_window() -> None:
    """Cost all at once, in 20 ms as any other."""
    table = random_table(1, seed=0)
    table["onset"], table["scale"], table["bin"] = 0, 0, 0
    header = header_of(10)
    macs = 32 + 4 * 32 + 3 * 224 + 32
    scales = 7
    assert cost.macs_per_sample(Gaussians(tone=table), header) == (
        (macs + scales * (1 + header.lead_slots)) / 10,
        (macs + 2 * scales) / 160,
    )


@pytest.mark.parametrize("span", [1, 100, 161, 1000])
def test_spans_change_nothing(monkeypatch: pytest.MonkeyPatch, span: int) -> None:
    table = random_table(40, seed=40)
    whole = cost.macs_per_sample(Gaussians(tone=table), header_of(SAMPLES))
    monkeypatch.setattr(cost, "_SPAN_SAMPLES", span)
    assert cost.macs_per_sample(Gaussians(tone=table), header_of(SAMPLES)) == whole


def test_length_costs_no_memory() -> None:
    """The longest stream that the format has, with a Gaussian at its end."""
    table = random_table(1, seed=0)
    longest = (1 << 31) - 1
    table["onset"], table["scale"], table["bin"] = longest - 7, 0, 0
    header = header_of(longest)
    mean, peak = cost.macs_per_sample(Gaussians(tone=table), header)
    macs = 8 + 4 * 8
    scales = 7 * (header.slots + header.lead_slots)
    assert mean == (32 + macs + 224 * (1 << 25) + 224 * 2 + scales) / longest
    # The costliest window is the first one, with two blocks before the clip.
    assert peak == (5 * 224 + 2 * 7) / 160
