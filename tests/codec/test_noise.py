"""Noise: by the letter of SPEC 5, and as the levels in time and over Bark that its Gaussians stand for."""

from __future__ import annotations

import dataclasses
import json
import math
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.fft
from decoders import check_changes_of_a_header_are_refused
from gaussian_tables import assert_same_gaussians
from random_streams import RandomStream, decoded_by_the_letter, noise_by_the_letter, random_stream
from random_streams import transform_by_the_letter as by_the_letter

import audio_gs
from audio_gs.codec import cost
from audio_gs.codec.container import StreamHeader, pack_header, parse_header
from audio_gs.codec.decoder import ReferenceDecoder, decode_gaussians
from audio_gs.codec.kinds import NOISE, TONE, noise
from audio_gs.codec.kinds.noise import NoiseHeader
from audio_gs.codec.slots import encode_stream
from audio_gs.codec.tables import ENVELOPE_SIGMA
from audio_gs.errors import BitstreamError
from audio_gs.gaussians import Gaussians, physical

RATE = 16000
SIZES = range(5, 10)
PLAIN = NoiseHeader(frame_log2=7, shift=4, base=8, max_noises=1)
# Not those of test_streams.py.
SEEDS = tuple(seed for seed in range(1000, 1060) if random_stream(seed).header.noise)


def header_for(samples: int, noise_header: NoiseHeader, **changes: Any) -> StreamHeader:
    fields: dict[str, Any] = {"sample_rate": RATE, "slot_log2": 9, "smallest_scale": 0, "scales": 1, **changes}
    return StreamHeader(
        samples=samples, amplitude_step=99, output_shift=0, max_tones=9, peak_macs=0, noise=noise_header, **fields
    )


def noises(*rows: tuple[int, int, int, int, int]) -> Gaussians:
    """Noise Gaussians: scale, onset, width, place, weight."""
    return Gaussians(noise=np.array([(*row, 0, 0) for row in rows], NOISE.dtype))


def one_tone(scale: int, onset: int, bin_: int, amplitude: int, phase: int) -> npt.NDArray[Any]:
    table = TONE.empty(1)
    table[0] = scale, onset, bin_, amplitude, phase, 0, 0
    return table


def decoded(header: StreamHeader, gaussians: Gaussians) -> npt.NDArray[np.float64]:
    return ReferenceDecoder(encode_stream(header, gaussians)).read(header.samples).astype(np.float64)


def flat(noise_header: NoiseHeader, samples: int, start: int = 0, rate: int = RATE) -> npt.NDArray[np.int64]:
    """Noise without Gaussians, in output steps before they saturate."""
    header = header_for(start + samples, noise_header, sample_rate=rate)
    return noise.NoiseRenderer(header).samples(start, samples, NOISE.empty())


def decibels(power_ratio: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return 10 * np.log10(power_ratio)


def nominal_level(noise_header: NoiseHeader, level: float) -> float:
    """Root mean square in output steps for a level in half octaves. The transform of an even n doubles the energy."""
    of_transform = math.sqrt(2 - noise_header.frame_log2 % 2)
    return 2 ** (level / 2 - 1) * of_transform * 2.0 ** (4 - noise_header.shift)


@pytest.mark.parametrize("seed", SEEDS)
def test_decoder_of_the_letter(seed: int) -> None:
    """In pieces of any size."""
    stream = random_stream(seed)
    expected = decoded_by_the_letter(stream.header, stream.gaussians)
    decoder, random = ReferenceDecoder(stream.data), np.random.default_rng(seed)
    most = 1 + int(2 ** random.uniform(0, np.log2(len(expected))))
    at = 0
    while at < len(expected):
        piece = decoder.read(int(random.integers(1, most + 1)))
        np.testing.assert_array_equal(piece, expected[at : at + len(piece)])
        at += len(piece)
    assert len(decoder.read(1)) == 0


@pytest.mark.parametrize("log2", SIZES)
def test_transform_of_the_letter(log2: int) -> None:
    random = np.random.default_rng(log2)
    size = 1 << log2
    for largest in (1, 8016, highest_amplitude(log2)):
        spectra = random.integers(-largest, largest + 1, (20, size))
        expected = by_the_letter(spectra)
        for spectrum, numbers in zip(spectra, expected, strict=True):
            np.testing.assert_array_equal(noise.transform(spectrum), numbers)


def values_of(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The DCT-IV that the numbers before the last twiddle stand for, shape (frames, N)."""
    half = numbers.shape[1]
    k = np.arange(half)
    twiddled = (numbers[:, :, 0] + 1j * numbers[:, :, 1]) * np.exp(-1j * np.pi * (4 * k + 1) / (8 * half))
    values = np.zeros((len(numbers), 2 * half))
    values[:, 2 * k], values[:, 2 * half - 1 - 2 * k] = twiddled.real, -twiddled.imag
    return values


def highest_amplitude(log2: int) -> int:
    return 16033 if log2 % 2 else 32066


@pytest.mark.parametrize(("log2", "bound"), [(5, 66), (6, 62), (7, 60), (8, 55), (9, 54)])
def test_transform_is_a_dct_iv(log2: int, bound: float) -> None:
    """Within this many dB of white noise in the highest octave, which rounding limits."""
    size = 1 << log2
    amplitude = highest_amplitude(log2)
    spectra = np.random.default_rng(log2).choice([-amplitude, amplitude], (100, size))
    exact = scipy.fft.dct(spectra.astype(float), type=4, axis=1) / 2 * 4.0 ** -(log2 // 2)
    error = values_of(by_the_letter(spectra)) - exact
    assert decibels(np.sum(exact**2, 1) / np.sum(error**2, 1)).min() > bound


@pytest.mark.parametrize("log2", SIZES)
def test_transform_stays_in_16_bits(log2: int) -> None:
    """For spectra that add up where the largest value is, too."""
    size = 1 << log2
    k = np.arange(size)
    signs = np.where(np.cos(np.pi / size * np.outer(k + 0.5, k + 0.5)) < 0, -1, 1)
    numbers = by_the_letter(np.concatenate([signs, signs * (-1) ** (k // 2)]) * highest_amplitude(log2))
    largest = np.hypot(numbers[:, :, 0], numbers[:, :, 1]).max()
    # A sample is the scalar product with a vector of length 1 of two values of this size, in 16 bits as well.
    assert largest * math.sqrt(2) < 32767


@pytest.mark.parametrize("log2", SIZES)
@pytest.mark.parametrize("base", [8, 13, 20, 27])
def test_level_of_the_base(log2: int, base: int) -> None:
    """Amplitudes are whole steps: the level is that of the base within 0.35 dB from an amplitude of 8 on."""
    noise_header = NoiseHeader(log2, 1 if base < 27 else 4, base, 1)
    level = np.sqrt(np.mean(flat(noise_header, 1 << 16).astype(np.float64) ** 2))
    assert decibels((level / nominal_level(noise_header, base)) ** 2) == pytest.approx(0, abs=0.35)


@pytest.mark.parametrize("log2", SIZES)
def test_shift_halves(log2: int) -> None:
    loud = flat(NoiseHeader(log2, 1, 16, 1), 5000)
    for shift in range(2, 16):
        soft = flat(NoiseHeader(log2, shift, 16, 1), 5000)
        assert np.abs(loud / 2 ** (shift - 1) - soft).max() <= 0.5


@pytest.mark.parametrize("log2", SIZES)
@pytest.mark.parametrize("rate", [4000, 16000, 96000])
def test_flat_levels_make_white_noise(log2: int, rate: int) -> None:
    count = 1 << 16
    spectrum = np.fft.rfft(flat(NoiseHeader(log2, 1, 18, 1), count, rate=rate).astype(np.float64), 2 * count)
    power = np.abs(spectrum) ** 2
    bands = power[1:].reshape(32, -1).mean(axis=1)
    assert np.abs(decibels(bands / power.mean())).max() < 0.7
    likeness = np.fft.irfft(power)[1:count]
    # No lag stands out, so no frame returns, turned around or not.
    assert np.abs(likeness / np.fft.irfft(power)[0]).max() < 6 / math.sqrt(count)


@pytest.mark.parametrize(("log2", "bound"), [(5, -49), (6, -50), (7, -48), (8, -44), (9, -41)])
def test_a_narrow_band_does_not_leak(log2: int, bound: float) -> None:
    """Further away than 2 kHz the mean density is this many dB below that in the band, which rounding limits."""
    place = 24
    header = header_for(4 << (log2 + 5), NoiseHeader(log2, 2, -1, 1))
    pcm = decoded(header, noises((5, 0, 0, place, 30)))
    density = np.abs(np.fft.rfft(pcm * np.blackman(len(pcm)))) ** 2
    hertz = np.arange(len(density)) * RATE / len(pcm)
    centre = (place + 0.5) * 3 / 4
    band = np.abs(bark_of_hz(hertz) - centre) < 0.5
    far = np.abs(hertz - hertz[band].mean()) > 2000
    assert decibels(density[far].mean() / density[band].mean()) < bound


def test_noise_is_made_of_many_amplitudes() -> None:
    """As a normal distribution has them."""
    for log2 in SIZES:
        values = flat(NoiseHeader(log2, 1, 20, 1), 1 << 16).astype(np.float64)
        assert np.mean(values**4) / np.mean(values**2) ** 2 == pytest.approx(3, abs=0.25)


@pytest.mark.parametrize(("scale", "width", "place", "weight"), [(3, 1, 8, 10), (3, 1, 8, -8), (2, 0, 17, 12)])
def test_one_gaussian_raises_the_level(scale: int, width: int, place: int, weight: int) -> None:
    """Where and when its physical values say, by so many dB; over many that do not meet, for a steady mean."""
    repeats, apart = 100, 8192
    base = 8 if weight > 0 else 20
    header = header_for(repeats * apart, dataclasses.replace(PLAIN, base=base))
    assert header.noise
    size = header.noise.frame_samples
    gaussians = noises(*[(scale, number * apart + 1024, width, place, weight) for number in range(repeats)])
    units = physical(gaussians, header)["noise"]
    pieces = decoded(header, gaussians).reshape(repeats, apart // (size // 2), size // 2)
    windows = np.concatenate([pieces[:, :-1], pieces[:, 1:]], axis=2) * np.hanning(size)
    power = np.mean(np.abs(np.fft.rfft(windows, axis=2)) ** 2, axis=0)
    unraised = 1.5 * size / 4 * nominal_level(header.noise, base) ** 2
    raised = decibels(power / unraised)

    time = (np.arange(len(raised)) + 1) * size / 2 / RATE - units["time"][0]
    hertz = np.arange(size // 2 + 1) * RATE / size
    bark, centre = bark_of_hz(hertz), float(bark_of_hz(units["frequency"][0]))
    assert centre == pytest.approx((place + 0.5) * (3 << width) / 4, abs=0.01)
    bands = np.arange(25) + 0.5
    shape = np.exp(-(((bands - centre) / (3 << width) / ENVELOPE_SIGMA) ** 2) / 2)
    of_bark = np.interp(bark, bands, shape)
    of_time = np.exp(-((time / units["spread_time"][0]) ** 2) / 2)

    at_centre, at_peak = np.abs(bark - centre) < 0.6, np.abs(time) < 0.6 * size / RATE
    over_time = raised[:, at_centre].mean(axis=1) / of_bark[at_centre].mean()
    over_bark = raised[at_peak].mean(axis=0)[2:-2] / of_time[at_peak].mean()
    assert over_time[at_peak].mean() == pytest.approx(units["weight"][0] * of_time[at_peak].mean(), abs=1)
    for profile, expected, at, tolerance in (
        (over_time, of_time, time, 0.5 * size / RATE),
        (over_bark, of_bark[2:-2], bark[2:-2], 0.2),
    ):
        error = profile - units["weight"][0] * expected
        assert np.sqrt(np.mean(error**2)) < 0.06 * abs(units["weight"][0])
        near = np.gradient(at) * (expected > 0.02)
        found, right = (np.sum(near * what * at) / np.sum(near * what) for what in (profile, expected))
        assert found == pytest.approx(right, abs=tolerance)


def bark_of_hz(hertz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Traunmueller's scale."""
    hertz = np.asarray(hertz, np.float64)
    return 26.81 * hertz / (1960 + hertz) - 0.53


def test_physical_units() -> None:
    header = header_for(1 << 15, PLAIN, smallest_scale=2)
    both = noises((3, 1024, 1, 8, 10), (0, -128, 3, 0, -63)).replaced(tone=one_tone(2, 512, 9, 40, 3))
    units = physical(both, header)
    assert list(units) == ["tone", "noise"]
    (tone,), (first, second) = units["tone"], units["noise"]
    assert first["time"] == (1024 + 4 * 128 * 8 / 2) / RATE
    assert first["frequency"] == pytest.approx(1960 * (12.75 + 0.53) / (26.28 - 12.75))
    assert first["weight"] == pytest.approx(30.103, abs=0.001)
    assert first["phase"] == 0
    assert first["spread_time"] == pytest.approx(4096 * ENVELOPE_SIGMA / RATE)
    hertz_of_a_bark = (26.81 * 1960) / (26.28 - 12.75) ** 2
    assert first["spread_frequency"] == pytest.approx(6 * ENVELOPE_SIGMA * hertz_of_a_bark, rel=0.05)
    assert second["time"] == (-128 + 256) / RATE
    assert second["frequency"] == pytest.approx(1960 * (3 + 0.53) / (26.28 - 3))
    assert second["weight"] == pytest.approx(-63 * 10 * math.log10(2))
    assert tone == physical(Gaussians(tone=both["tone"]), header)["tone"][0]


def test_the_base_reaches_where_no_gaussian_is() -> None:
    """Frames and bands that no noise lasts in have the samples of a stream without any."""
    gaussians = noises((2, 4096, 0, 31, 20))
    header = header_for(20000, PLAIN)
    # It begins at 22.1 Bark, which is above 8 kHz.
    np.testing.assert_array_equal(decoded(header, noises()), decoded(header, gaussians))
    header = dataclasses.replace(header, sample_rate=48000)
    raised = decoded(header, gaussians) - decoded(header, noises())
    # It lasts from the second of its frames to the last but one, and each reaches a block to either side.
    differing = np.flatnonzero(raised)
    assert 4096 <= differing[0] < 4096 + 128
    assert 4096 + 2048 - 128 <= differing[-1] < 4096 + 2048
    power = np.abs(np.fft.rfft(raised[4096 : 4096 + 2048] * np.hanning(2048))) ** 2
    bark = bark_of_hz(np.arange(1025) * 48000 / 2048)
    assert power[bark < 21].max() < 1e-3 * power.max()
    assert abs(bark[np.argmax(power)] - 23.625) < 1


def test_frames_depend_on_their_number_alone() -> None:
    """Not on what was decoded before, on the tones, on the segments, or on noises that came and went."""
    short = dataclasses.replace(PLAIN, max_noises=3)
    tone = Gaussians(tone=one_tone(0, 0, 3, 500, 1))
    gone = noises((0, 0, 3, 1, 20), (1, 512, 0, 4, -9))
    quiet = decoded(header_for(9000, short), noises())
    for seek_slots in (0, 3):
        header = header_for(9000, short, seek_slots=seek_slots)
        np.testing.assert_array_equal(decoded(header, tone)[32:], quiet[32:])
        np.testing.assert_array_equal(decoded(header, gone)[2048:], quiet[2048:])
    for start in (0, 1, 127, 128, 129, 5000, 1 << 30):
        np.testing.assert_array_equal(flat(short, 300, start)[100:], flat(short, 200, start + 100))
    assert (flat(short, 128, 0) != flat(short, 128, 128)).any()


def seek_targets(stream: RandomStream, random: np.random.Generator) -> list[int]:
    header = stream.header
    assert header.noise
    frames = random.integers(0, header.samples >> header.noise.frame_log2, 4, endpoint=True) << header.noise.frame_log2
    near = (frames[:, None] + np.array([-1, 0, 1])).ravel()
    any_ = random.integers(0, header.samples, 4)
    return [int(n) for n in np.concatenate([near, any_]) if 0 <= n < header.samples]


@pytest.mark.parametrize("seed", SEEDS[::2])
def test_seeking(seed: int) -> None:
    stream, random = random_stream(seed), np.random.default_rng(seed)
    decoder = ReferenceDecoder(stream.data)
    expected = decoder.read(stream.header.samples)
    for target in seek_targets(stream, random):
        decoder.seek(target)
        count = int(random.integers(1, 1500))
        np.testing.assert_array_equal(decoder.read(count), expected[target : target + count])


@pytest.mark.parametrize("seed", [seed for seed in SEEDS if random_stream(seed).header.can_loop][::2])
def test_looping(seed: int) -> None:
    stream = random_stream(seed)
    assert stream.header.loop
    start, end = stream.header.loop
    decoder = ReferenceDecoder(stream.data)
    expected = decoder.read(stream.header.samples)
    decoder.rewind()
    decoder.set_loop(True)
    np.testing.assert_array_equal(decoder.read(end), expected[:end])
    times = min(3, 1 + 30000 // (end - start))
    np.testing.assert_array_equal(decoder.read(times * (end - start)), np.tile(expected[start:end], times))


@pytest.mark.parametrize("log2", SIZES)
def test_levels_are_limited(log2: int) -> None:
    """What the header and 255 Gaussians can ask for at most sounds as the highest level there is, and is far from
    where the sums wrap."""
    crowd = noises(*[(0, 0, 3, place, 63) for place in range(4) for _ in range(63)])
    header = header_for(6 << log2, NoiseHeader(log2, 3, 127, 255))
    highest = dataclasses.replace(header, noise=NoiseHeader(log2, 3, 28, 1))
    pcm = decoded(header, crowd)
    np.testing.assert_array_equal(pcm, decoded(highest, noises()))
    np.testing.assert_array_equal(pcm, decoded_by_the_letter(highest, noises()))
    assert np.abs(pcm).max() == 32768, "so loud that it saturates"

    bins = noise.band_bins(RATE, log2)
    levels = np.full(len(bins), noise.HIGHEST_LEVEL)
    assert (noise.spectrum_amplitudes(levels, bins, log2) == highest_amplitude(log2)).all()


def test_below_the_lowest_level_is_silence() -> None:
    whisper = np.full(25, 255)
    bins = noise.band_bins(48000, 7)
    exponent, numbers = noise.spectrum_of_frame(5, 7, noise.limited(whisper), bins)
    assert exponent == 0
    assert not numbers.any()
    exponent, numbers = noise.spectrum_of_frame(5, 7, noise.limited(whisper + 1), bins)
    assert exponent == 1
    assert numbers.any()
    for base in (-128, -1, 0, 1):
        for log2 in SIZES:
            assert not flat(NoiseHeader(log2, 1, base, 1), 2000).any()
    crowd = noises(*[(0, 0, 3, place, -63) for place in range(4) for _ in range(63)])
    header = header_for(1000, NoiseHeader(6, 3, -128, 255))
    assert not decoded(header, crowd).any()
    # A Gaussian can silence what the base would let sound.
    header = header_for(5000, NoiseHeader(6, 1, 8, 4))
    hushed = decoded(header, noises(*[(2, 1024, 3, place, -63) for place in range(4)]))
    assert not hushed[1024 + 384 : 1024 + 640].any()
    assert hushed[:1024].any()


def test_levels_between_bands_are_straight_lines() -> None:
    """In dB over the bins; flat outside the first and the last band's centre. Of bands in one bin the highest counts
    for what follows."""
    random = np.random.default_rng(7)
    for rate in (4000, 22050, 96000):
        for log2 in SIZES:
            bins = noise.band_bins(rate, log2)
            levels = random.integers(2560, noise.HIGHEST_LEVEL, len(bins))
            lines = np.zeros(1 << log2)
            before = levels[0]
            lines[: bins[0]] = before
            for i in range(1, len(bins)):
                if bins[i] == bins[i - 1]:
                    before = max(before, levels[i])
                    continue
                steps = np.arange(bins[i] - bins[i - 1]) / (bins[i] - bins[i - 1])
                lines[bins[i - 1] : bins[i]] = before + steps * (levels[i] - before)
                before = levels[i]
            lines[bins[-1] :] = before
            amplitudes = noise.spectrum_amplitudes(levels, bins, log2)
            raised = 256 * (13 - (levels.max() >> 8))
            found = 256 * (np.log2(amplitudes / highest_amplitude(log2) * 16033 / 2) + 1) - raised
            # Gains have 32 steps an octave and are cut to whole amplitudes.
            assert (found - lines).max() < 1.5
            assert (found - lines).min() > -14


def test_cost_counted_by_hand() -> None:
    header = header_for(320, NoiseHeader(5, 4, 8, 1), sample_rate=8000, slot_log2=5)
    both = noises((0, 64, 2, 3, 5)).replaced(tone=one_tone(0, 0, 3, 40, 1))
    frame = 32 * (5 + 5) + 2 * 25
    # It lasts in frames 3, 4 and 5, which count in samples 64, 96 and 128.
    gaussian = 3 + 2 * 12
    tone = 32 + 4 * 32
    block, decoded, ends_of_scales = 224, 32, header.scales + 6
    mean, peak = cost.macs_per_sample(both, header)
    everything = 11 * frame + 3 * gaussian + tone + 7 * block + 2 * decoded
    assert mean == pytest.approx((everything + ends_of_scales * (header.slots + header.lead_slots)) / 320)
    first_half = 6 * frame + 3 * gaussian + tone + 5 * block + 2 * decoded
    assert peak == pytest.approx((first_half + 7 * ends_of_scales) / 160)
    assert noise_macs(both["noise"], 10) == [frame + gaussian * (number in (3, 4, 5)) for number in range(1, 11)]
    # Before the clip and after it.
    for onset in (-64, 288):
        both["noise"]["onset"] = onset
        lasting = [number for number in range(1, 11) if 0 < number - onset // 32 < 4]
        assert noise_macs(both["noise"], 10) == [frame + gaussian * (number in lasting) for number in range(1, 11)]


def noise_macs(table: npt.NDArray[Any], frames: int) -> list[int]:
    return noise.macs_each_frame(table, 5, 1, frames).tolist()


def has_both_kinds(stream: RandomStream) -> bool:
    return all(len(stream.gaussians[name]) for name in ("tone", "noise"))


def test_info_tells_of_noise() -> None:
    stream = random_stream(next(seed for seed in SEEDS if has_both_kinds(random_stream(seed))))
    info = audio_gs.info(stream.data)
    assert info.gaussians == {"tone": len(stream.gaussians["tone"]), "noise": len(stream.gaussians["noise"])}
    assert math.ceil(info.macs_per_sample["peak"]) == stream.header.peak_macs
    shown = json.loads(json.dumps(info.as_dict()))
    assert shown["kinds"] == ["tone", "noise"]
    assert stream.header.noise
    assert shown["noise"] == dataclasses.asdict(stream.header.noise)


@pytest.mark.parametrize("block", [1, 100, 161, 1000])
def test_blocks_change_no_cost(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    stream = random_stream(next(seed for seed in SEEDS if 1000 < random_stream(seed).header.samples < 6000))
    whole = cost.macs_per_sample(stream.gaussians, stream.header)
    monkeypatch.setattr(cost, "_SPAN_SAMPLES", block)
    assert cost.macs_per_sample(stream.gaussians, stream.header) == pytest.approx(whole)


def test_header_bytes() -> None:
    """Three bytes before the check, after the loop points."""
    header = header_for(1000, NoiseHeader(7, 13, -3, 200), loop=(2, 129))
    data = pack_header(header)
    assert data[-8:-2] == bytes([2, 129, 1, 7 | 13 << 4, 0xFD, 200])
    assert parse_header(data) == (header, len(data))
    without = dataclasses.replace(header, noise=None)
    assert len(pack_header(without)) == len(data) - 3
    assert (data[4], pack_header(without)[4]) == (3, 1)


def test_support_of_noise_reaches_back() -> None:
    """SPEC C3, and seeking in SPEC 7.2."""
    header = header_for(1 << 20, NoiseHeader(9, 4, 8, 1), seek_slots=64)
    assert header.longest_support == 128 * 512
    assert header.lead_slots == 128
    assert header.segment_slots(0).start == -128
    assert dataclasses.replace(header, noise=None).lead_slots == 1
    for sample in (0, 65536, 98304, 98304 + 512, 131071, 131072 + 512, (1 << 20) - 1):
        slot = max(0, (sample // 64 * 64 - 128 - 65536 - 512) >> 9)
        assert header.segment_for_sample(sample) == slot // 64


def with_check(head: bytes) -> bytes:
    return head + (zlib.crc32(head) & 0xFFFF).to_bytes(2, "little")


@pytest.mark.parametrize(
    ("first", "max_noises", "says"),
    [
        (4 | 4 << 4, 1, r"noise frame \(log2\) is 4, allowed are 5\.\.7"),
        (8 | 4 << 4, 1, r"noise frame \(log2\) is 8, allowed are 5\.\.7"),
        (15 | 4 << 4, 1, r"noise frame \(log2\) is 15, allowed are 5\.\.7"),
        (0 | 4 << 4, 1, r"noise frame \(log2\) is 0, allowed are 5\.\.7"),
        (5 | 0 << 4, 1, r"noise shift is 0, allowed are 1\.\.15"),
        (5 | 4 << 4, 0, r"largest number of noises held is 0, allowed are 1\.\.255"),
    ],
)
def test_illegal_fields_are_refused(first: int, max_noises: int, says: str) -> None:
    head = pack_header(header_for(1000, NoiseHeader(5, 4, 8, 1), slot_log2=7))[:-2]
    data = with_check(head[:-3] + bytes([first, 0, max_noises]))
    for read in (parse_header, ReferenceDecoder):
        with pytest.raises(BitstreamError, match=says) as caught:
            read(data)
        assert len(str(caught.value).splitlines()) == 1


def test_the_largest_slots_have_no_larger_frames() -> None:
    head = pack_header(header_for(1000, NoiseHeader(9, 4, 8, 1), slot_log2=12))[:-2]
    with pytest.raises(BitstreamError, match=r"is 10, allowed are 5\.\.9"):
        parse_header(with_check(head[:-3] + bytes([10 | 4 << 4, 0, 1])))


@pytest.mark.parametrize(
    "change",
    [
        {"frame_log2": 4},
        {"frame_log2": 8},
        {"shift": 0},
        {"shift": 16},
        {"base": 128},
        {"base": -129},
        {"max_noises": 0},
        {"max_noises": 256},
    ],
)
def test_illegal_fields_cannot_be_written(change: dict[str, int]) -> None:
    header = header_for(1000, dataclasses.replace(PLAIN, **change), slot_log2=7)
    with pytest.raises(ValueError, match="illegal"):
        pack_header(header)


def test_a_cut_or_changed_header_is_refused() -> None:
    check_changes_of_a_header_are_refused(pack_header(header_for(1000, PLAIN)))


def test_more_noises_than_the_class_allows() -> None:
    """Held from their slot until one begins 64 samples after their last, and all that the slot codes."""
    gaussians = noises((1, 256, 0, 3, 5), (0, 1024, 0, 3, 5), (0, 1536, 0, 3, 5))
    enough = header_for(4000, dataclasses.replace(PLAIN, max_noises=2))
    assert_same_gaussians(decode_gaussians(encode_stream(enough, gaussians)), gaussians)
    expected = decoded_by_the_letter(enough, gaussians)
    np.testing.assert_array_equal(decoded(enough, gaussians), expected)
    data = encode_stream(header_for(4000, PLAIN), gaussians)
    says = "slot 2 begins more Gaussians than the header's class allows"
    with pytest.raises(BitstreamError, match=says):
        decode_gaussians(data)
    decoder = ReferenceDecoder(data)
    np.testing.assert_array_equal(decoder.read(4000), expected[: 1024 - 64])
    with pytest.raises(BitstreamError, match=says):
        decoder.read(1)


def test_tones_and_noises_are_counted_apart() -> None:
    header = dataclasses.replace(header_for(4000, PLAIN), max_tones=1)
    both = noises((0, 0, 0, 3, 5)).replaced(tone=one_tone(0, 0, 3, 500, 1))
    assert_same_gaussians(decode_gaussians(encode_stream(header, both)), both)
    for name in ("tone", "noise"):
        with pytest.raises(BitstreamError, match="class"):
            decode_gaussians(encode_stream(header, both.replaced(**{name: np.tile(both[name], 2)})))


def test_what_ends_with_the_start_of_the_clip_is_held_in_its_first_slot() -> None:
    header = header_for(2000, PLAIN, slot_log2=7)
    for onsets, fits in (((-512, 128), True), ((-512, 0), False), ((-512, -512), False)):
        gaussians = noises(*[(0, onset, 0, 3, 5) for onset in onsets])
        data = encode_stream(header, gaussians)
        if fits:
            assert_same_gaussians(decode_gaussians(data), gaussians)
            np.testing.assert_array_equal(decoded(header, gaussians), decoded_by_the_letter(header, gaussians))
        else:
            with pytest.raises(BitstreamError, match="class"):
                decode_gaussians(data)


def test_noise_is_added_to_tones() -> None:
    """Rounded apart, then saturated together (SPEC 6)."""
    streams = [random_stream(seed) for seed in SEEDS]
    stream = next(one for one in streams if one.header.samples > 9000 and has_both_kinds(one))
    header = stream.header
    without = dataclasses.replace(header, noise=None)
    tones = decoded(without, Gaussians(tone=stream.gaussians["tone"]))
    added = noise_by_the_letter(header, stream.gaussians["noise"])
    assert added.any()
    np.testing.assert_array_equal(
        ReferenceDecoder(stream.data).read(header.samples), np.clip(tones + added, -32768, 32767)
    )
