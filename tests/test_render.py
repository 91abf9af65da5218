"""Steps 5 and 6, render and PCM: by the letter of SPEC 5 and 6, and as the Gaussians that they stand for."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from random_streams import pcm_by_the_letter, random_stream, sums_by_the_letter

import audio_gs
from audio_gs.container import StreamHeader
from audio_gs.gaussians import TONE, GaussianTable, empty_table, physical, tones
from audio_gs.render import accumulate, held, to_pcm
from audio_gs.slots import as_rows, encode_stream

RATE = 16000


def header_for(samples: int, **changes: int) -> StreamHeader:
    fields: dict[str, Any] = {
        "slot_log2": 9,
        "kmin": 0,
        "scales": 8,
        "mantissa": 256,
        "output_shift": 0,
        "max_active": 4096,
        **changes,
    }
    return StreamHeader(sample_rate=RATE, samples=samples, peak_macs=0, **fields)


def gaussians(*rows: tuple[int, int, int, int, int]) -> GaussianTable:
    """Tones: scale, onset, bin, amplitude, phase."""
    table = empty_table(len(rows))
    for index, row in enumerate(rows):
        table[index] = *row, TONE, 0
    return table


def pcm_of(header: StreamHeader, table: GaussianTable) -> np.ndarray:
    """What both decoders give."""
    data = encode_stream(header, table)
    pcm, _ = audio_gs.decode(data)
    np.testing.assert_array_equal(audio_gs.decode(data, backend="numba")[0], pcm)
    return pcm


@pytest.mark.parametrize("seed", range(0, 200, 9))
def test_sums_of_the_letter(seed: int) -> None:
    """In any piece of the clip."""
    stream = random_stream(seed)
    expected = sums_by_the_letter(stream.header, stream.table)
    ready = held(as_rows(tones(stream.table)), stream.header.mantissa)
    cuts = sorted({0, stream.header.samples, *np.random.default_rng(seed).integers(0, len(expected), 3).tolist()})
    for start, end in itertools.pairwise(cuts):
        sums = np.zeros(end - start, np.int32)
        accumulate(sums, start, ready)
        np.testing.assert_array_equal(sums, expected[start:end])


@pytest.mark.parametrize("shift", range(17))
def test_pcm_is_rounded_and_limited(shift: int) -> None:
    step = 1 << (14 + shift)
    sums = [0, step // 2 - 1, step // 2, -step // 2, -step // 2 - 1, 3 * step, -3 * step, 2**31 - 1, -(2**31)]
    sums += [32767 * step, 32768 * step, -32768 * step, -32769 * step]
    sums = [value for value in sums if -(2**31) <= value < 2**31]
    got = to_pcm(np.array(sums, np.int32), shift)
    for value, sample in zip(sums, got.tolist(), strict=True):
        rounded = value + step // 2
        if rounded >= 2**31:
            rounded -= 2**32
        assert sample == max(-32768, min(32767, rounded // step))


def test_sums_wrap() -> None:
    """So many loud Gaussians that the int32 sum overflows; both decoders and the formula wrap alike."""
    table = gaussians(*[(3, 512, 5, 4095, 0)] * 60, *[(5, 0, 9, 4000, 300)] * 60)
    header = header_for(2048, mantissa=2047)
    sums = sums_by_the_letter(header, table)
    exact = 120 * 32767 * 16384
    assert exact > 2**31 > np.abs(sums.astype(np.int64)).max()
    np.testing.assert_array_equal(pcm_of(header, table), pcm_by_the_letter(header, sums))


def test_saturation() -> None:
    table = gaussians(*[(7, 0, 0, 1000, 0)] * 3)
    header = header_for(4096, mantissa=1000)
    pcm = pcm_of(header, table)
    assert pcm.max() == 32767
    flipped = table.copy()
    flipped["phase"] = 512
    assert pcm_of(header, flipped).min() == -32768


@pytest.mark.parametrize("scale", range(8))
@pytest.mark.parametrize("bin_", [0, 1, 2, 7])
def test_a_gaussian_sounds_as_its_physical_values_say(scale: int, bin_: int) -> None:
    header = header_for(8192, mantissa=2000)
    table = gaussians((scale, 4096, bin_ << scale, 25 << (scale // 2), 37))
    (row,) = physical(table, header)
    time = np.arange(header.samples) / RATE - row["time"]
    envelope = np.exp(-((time / row["spread_time"]) ** 2) / 2)
    expected = 32768 * row["weight"] * envelope * np.cos(2 * math.pi * row["frequency"] * time + row["phase"])
    error = pcm_of(header, table) - expected
    # The envelope is cut and lowered, which the nearest Gaussian is 30 dB away from, and the phase has 1024 steps.
    assert np.sum(error**2) < 10**-2.5 * np.sum(expected**2)


def test_the_phase_is_that_at_the_centre() -> None:
    """Odd and even bins, with phase 0, have their crest there."""
    for bin_ in range(1, 12):
        header = header_for(2048)
        pcm = pcm_of(header, gaussians((4, 512, bin_, 300, 0)))
        assert np.argmax(pcm.astype(int)) == 512 + 256


def test_nothing_sounds_outside_its_support() -> None:
    header = header_for(8192)
    for scale in range(8):
        pcm = pcm_of(header, gaussians((scale, 1024, 0, 300, 0)))
        (sounding,) = np.nonzero(pcm)
        assert 1024 <= sounding[0] < sounding[-1] < 1024 + (32 << scale)
        # Without a bin the waveform is its envelope: symmetric to within the rounding of its slopes.
        shape = pcm[1024 : 1025 + (32 << scale)].astype(int)
        assert np.abs(shape - shape[::-1]).max() <= 2


def test_no_gaussian_is_silence() -> None:
    assert not pcm_of(header_for(1000), gaussians()).any()
