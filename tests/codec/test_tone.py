"""Tones, by the letter of SPEC 4 and as the Gaussians that they stand for; and PCM, SPEC 6."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from random_streams import pcm_by_the_letter, quarters_by_the_letter, random_stream

import audio_gs
from audio_gs.codec.container import StreamHeader
from audio_gs.codec.kinds import TONE, tone
from audio_gs.codec.kinds.tone import MAX_AMPLITUDE_STEP, held, rendered, support, upsampled
from audio_gs.codec.pcm import steps_of_quarters, to_pcm
from audio_gs.codec.slots import encode_stream
from audio_gs.codec.tables import ENVELOPE_SIGMA, LARGEST_AMPLITUDE, phase_bits
from audio_gs.gaussians import Gaussians, physical

RATE = 16000
INDICES = np.arange(1, LARGEST_AMPLITUDE + 1)


def header_for(samples: int, **changes: int) -> StreamHeader:
    fields: dict[str, Any] = {
        "slot_log2": 9,
        "smallest_scale": 0,
        "scales": 8,
        "amplitude_step": 256,
        "output_shift": 0,
        "max_tones": 4096,
        **changes,
    }
    return StreamHeader(sample_rate=RATE, samples=samples, peak_macs=0, **fields)


def tones(*rows: tuple[int, int, int, int, int]) -> Gaussians:
    """Tones: scale, onset, bin, amplitude, phase."""
    return Gaussians(tone=np.array([(*row, 0, 0) for row in rows], TONE.dtype))


def pcm_of(header: StreamHeader, gaussians: Gaussians) -> np.ndarray:
    """What both decoders give."""
    data = encode_stream(header, gaussians)
    pcm, _ = audio_gs.decode(data)
    np.testing.assert_array_equal(audio_gs.decode(data, backend="numba")[0], pcm)
    return pcm


# ---- dequantise ----


@pytest.mark.parametrize("scale", range(12))
@pytest.mark.parametrize("amplitude_step", [1, 2, 63, 700, MAX_AMPLITUDE_STEP])
def test_amplitude(scale: int, amplitude_step: int) -> None:
    step = (amplitude_step * 46341 + 2048) >> 12 if scale % 2 else 16 * amplitude_step
    expected = [min(32767, (step * (8 * q + 3)) >> (5 + (scale >> 1))) for q in INDICES.tolist()]
    np.testing.assert_array_equal(tone.amplitude(INDICES, scale, amplitude_step), expected)


def test_amplitude_steps_are_steps_of_energy() -> None:
    """The same index has about the same energy at every scale."""
    peak = tone.amplitude(100, np.arange(12), 64).astype(float)
    energy = peak**2 * support(np.arange(12))
    np.testing.assert_allclose(energy, energy[0], rtol=0.01)


def test_phase() -> None:
    for q in (1, 3, 5, 10, 20, 40, 80, 160, LARGEST_AMPLITUDE):
        count = 1 << phase_bits()[q]
        got = tone.phase(np.full(count, q), np.arange(count))
        np.testing.assert_array_equal(got, np.arange(count) * (65536 // count))
        np.testing.assert_array_equal(tone.phase_turns(np.full(count, q), np.arange(count)), got / 65536)


def test_increment() -> None:
    for scale in range(12):
        bins = np.array([0, 1, (16 << scale) - 1])
        np.testing.assert_array_equal(tone.increment(bins, scale), bins << (11 - scale))
        assert tone.increment(16 << scale, scale) == 32768, "half the sample rate is half a turn a sample"


def test_physical_units() -> None:
    header = StreamHeader(
        sample_rate=16000,
        samples=16000,
        slot_log2=9,
        smallest_scale=4,
        scales=1,
        amplitude_step=64,
        output_shift=1,
        max_tones=1,
        peak_macs=1,
    )
    table = TONE.empty(1)
    table[0] = 4, 1024, 32, 79, 64, 0, 0
    (got,) = physical(Gaussians(tone=table), header)["tone"]
    assert got["time"] == (1024 + 256) / 16000
    assert got["frequency"] == 32 * 16000 / 512
    assert got["weight"] == pytest.approx(4 * 64 * (79 + 3 / 8) / 2 ** (4 / 2) / 2 / 32768, rel=1e-3)
    assert got["phase"] == pytest.approx(2 * math.pi * 64 / 256)
    assert got["spread_time"] * got["spread_frequency"] == pytest.approx(1 / (2 * math.pi))
    assert got["spread_time"] == pytest.approx(512 * ENVELOPE_SIGMA / 16000)


# ---- render ----


@pytest.mark.parametrize("seed", range(0, 200, 9))
def test_samples_of_the_letter(seed: int) -> None:
    """In any piece of the clip."""
    stream = random_stream(seed)
    header = stream.header
    expected = quarters_by_the_letter(header, stream.gaussians["tone"])
    ready = held(stream.gaussians["tone"], header.amplitude_step)
    cuts = sorted({0, header.samples, *np.random.default_rng(seed).integers(0, len(expected), 3).tolist()})
    for start, end in itertools.pairwise(cuts):
        quarters = rendered(ready, start, end - start, header.output_shift)
        np.testing.assert_array_equal(quarters, expected[start:end])


def test_quarters_are_rounded_and_limited() -> None:
    quarters = [-(2**20), 4 * -32768 - 3, 4 * -32768, -7, -6, -3, -2, 0, 1, 2, 5, 6, 4 * 32767, 4 * 32767 + 2, 2**20]
    expected = [-32768, -32768, -32768, -2, -1, -1, 0, 0, 0, 1, 1, 2, 32767, 32767, 32767]
    assert to_pcm(steps_of_quarters(np.array(quarters, np.int32))).tolist() == expected


def test_sums_wrap() -> None:
    """So many loud Gaussians that the int32 sums overflow; both decoders and the formula wrap alike."""
    at_full_rate = [(3, 512, 120, 4095, 0)] * 60
    below = [(5, 0, 9, 4000, 300)] * 60
    gaussians = tones(*at_full_rate, *below)
    header = header_for(2048, amplitude_step=2047)
    assert 120 * 32767 * 16384 > 2**31
    expected = pcm_by_the_letter(quarters_by_the_letter(header, gaussians["tone"]))
    np.testing.assert_array_equal(pcm_of(header, gaussians), expected)


def test_half_band_filter() -> None:
    """Every tone that an octave may have comes out an octave higher as it is, and its image far below it."""
    n = np.arange(600)
    for step in (100, 4000, 12000, 16000, 19200):
        tone = np.rint(100000 * np.cos(2 * np.pi * step / 65536 * n)).astype(np.int32)
        out = upsampled(tone).astype(float)
        expected = 100000 * np.cos(np.pi * step / 65536 * (np.arange(len(out)) + 8))
        error = np.sum((out - expected) ** 2) / np.sum(expected**2)
        assert 10 * np.log10(error) < -49


@pytest.mark.parametrize(("scale", "bin_", "octave"), [(2, 0, 0), (3, 0, 1), (5, 0, 3), (8, 1, 3)])
def test_octave_of_low_tones(scale: int, bin_: int, octave: int) -> None:
    assert held(tones((scale, 0, bin_, 9, 0))["tone"], 100)["octave"] == octave


def test_a_tone_loses_nothing_between_octaves() -> None:
    """Bins around the limits of the octaves, all as loud."""
    header = header_for(8192, amplitude_step=2000)
    for bin_ in (149, 150, 151, 299, 300, 301, 599, 600, 601):
        sounding = pcm_of(header, tones((6, 2048, bin_, 100, 0)))
        loudness = 10 * np.log10(np.sum(sounding.astype(float) ** 2))
        reference = pcm_of(header, tones((6, 2048, 900, 100, 0)))
        assert abs(loudness - 10 * np.log10(np.sum(reference.astype(float) ** 2))) < 0.1


def test_saturation() -> None:
    gaussians = tones(*[(7, 0, 0, 1000, 0)] * 3)
    header = header_for(4096, amplitude_step=1000)
    pcm = pcm_of(header, gaussians)
    assert pcm.max() == 32767
    flipped = gaussians["tone"].copy()
    flipped["phase"] = 512
    assert pcm_of(header, gaussians.replaced(tone=flipped)).min() == -32768


@pytest.mark.parametrize("scale", range(8))
@pytest.mark.parametrize("bin_", [0, 1, 2, 7])
def test_a_gaussian_sounds_as_its_physical_values_say(scale: int, bin_: int) -> None:
    header = header_for(8192, amplitude_step=2000)
    gaussians = tones((scale, 4096, bin_ << scale, 25 << (scale // 2), 37))
    (row,) = physical(gaussians, header)["tone"]
    time = np.arange(header.samples) / RATE - row["time"]
    envelope = np.exp(-((time / row["spread_time"]) ** 2) / 2)
    expected = 32768 * row["weight"] * envelope * np.cos(2 * math.pi * row["frequency"] * time + row["phase"])
    error = pcm_of(header, gaussians) - expected
    # The envelope is cut and lowered, which the nearest Gaussian is 30 dB away from, and the phase has 1024 steps.
    assert np.sum(error**2) < 10**-2.5 * np.sum(expected**2)


def test_the_phase_is_that_at_the_centre() -> None:
    """Odd and even bins, with phase 0, have their crest there."""
    for bin_ in range(1, 12):
        header = header_for(2048)
        pcm = pcm_of(header, tones((4, 512, bin_, 300, 0)))
        assert np.argmax(pcm.astype(int)) == 512 + 256


def test_nothing_sounds_outside_its_support() -> None:
    """But for a hundredth as far as the filters reach."""
    header = header_for(8192)
    for scale in range(8):
        pcm = pcm_of(header, tones((scale, 1024, 0, 300, 0))).astype(int)
        end = 1024 + (32 << scale)
        assert np.abs(np.concatenate([pcm[:1024], pcm[end:]])).max() <= pcm.max() / 100
        assert not np.concatenate([pcm[: 1024 - 49], pcm[end + 49 :]]).any()
        # Without a bin the waveform is its envelope: symmetric to within the rounding of its slopes.
        shape = pcm[1024 : end + 1]
        assert np.abs(shape - shape[::-1]).max() <= 2


def test_no_gaussian_is_silence() -> None:
    assert not pcm_of(header_for(1000), tones()).any()


def decoders(data: bytes) -> tuple[audio_gs.StreamDecoder, audio_gs.StreamDecoder]:
    return audio_gs.StreamDecoder(data, "c"), audio_gs.StreamDecoder(data, "numba")


@pytest.mark.parametrize("seed", range(3, 120, 9))
def test_decoders_agree_on_budgets(seed: int) -> None:
    """Set anywhere, between jumps."""
    data = random_stream(seed).data
    random = np.random.default_rng(seed)
    native, reference = decoders(data)
    for _ in range(5):
        place = int(random.integers(0, len(native)))
        budget = None if random.random() < 0.2 else int(2 ** random.uniform(0, 9))
        for decoder in (native, reference):
            if budget is None or budget % 2:
                decoder.seek(place)
            decoder.set_budget(budget)
        count = int(random.integers(1, 700))
        np.testing.assert_array_equal(native.read(count), reference.read(count))


def test_budget_depends_on_the_place_alone() -> None:
    stream = next(
        one for one in map(random_stream, range(200)) if one.header.samples > 4000 and one.gaussians.total > 300
    )
    whole = audio_gs.StreamDecoder(stream.data)
    whole.set_budget(10)
    pcm = whole.read(stream.header.samples)
    assert (pcm != audio_gs.decode(stream.data)[0]).any()
    for place in (0, 1, 1000, 2049, 3999):
        whole.seek(place)
        np.testing.assert_array_equal(whole.read(500), pcm[place : place + 500])


def test_budget_leaves_out_the_weakest() -> None:
    """By how much they sound in each block, not by their peaks."""
    header = header_for(8192, amplitude_step=2000)
    loud, soft = (6, 2048, 900, 200, 0), (6, 2048, 700, 20, 0)
    data = encode_stream(header, tones(loud, soft))
    without = pcm_of(header, tones(loud))
    for decoder in decoders(data):
        # One at full rate costs a MAC a sample and four for a piece of the envelope in 64 samples.
        decoder.set_budget(2)
        np.testing.assert_array_equal(decoder.read(8192), without)
        decoder.rewind()
        decoder.set_budget(3)
        np.testing.assert_array_equal(decoder.read(8192), pcm_of(header, tones(loud, soft)))
        decoder.rewind()
        decoder.set_budget(0)
        assert not decoder.read(8192).any()
        decoder.rewind()
        decoder.set_budget(None)
        np.testing.assert_array_equal(decoder.read(8192), pcm_of(header, tones(loud, soft)))


@pytest.mark.parametrize("budget", [-1, 65535])
def test_illegal_budgets(budget: int) -> None:
    for decoder in decoders(random_stream(3).data):
        with pytest.raises(ValueError, match=r"0\.\.65534"):
            decoder.set_budget(budget)
