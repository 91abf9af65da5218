"""Two channels: whole streams of random legal decisions, and corners of SPEC 10."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from gaussian_tables import assert_same_gaussians, in_order
from random_streams import decoded_by_the_letter, stereo_stream
from stereo_by_the_letter import stereo_by_the_letter

from audio_gs.backends import open_decoder
from audio_gs.codec.container import StreamHeader, pack_header, parse_header
from audio_gs.codec.cost import macs_per_sample
from audio_gs.codec.decoder import decode_gaussians
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.kinds import NOISE, TONE
from audio_gs.codec.kinds.noise import NoiseHeader
from audio_gs.codec.slots import coded_bits, encode_stream
from audio_gs.codec.stereo import PanningHeader, direction_gains, direction_of
from audio_gs.codec.tables import noise_side_prior, phase_bits, tone_side_prior
from audio_gs.gaussians import read_gaussians, write_gaussians

Pcm = npt.NDArray[np.int16]

BACKENDS = ("numba", "c")
SEEDS = range(16)
HEADER = StreamHeader(
    sample_rate=16000,
    samples=3000,
    slot_log2=9,
    smallest_scale=1,
    scales=6,
    amplitude_step=40,
    output_shift=2,
    max_tones=64,
    peak_macs=0,
    noise=NoiseHeader(frame_log2=6, shift=4, base=-20, max_noises=8),
    channels=2,
    panning=PanningHeader(side_step=8, side_base=-60),
)


def tone(**columns: int) -> npt.NDArray[Any]:
    return _one(TONE.empty(1), {"scale": 5, "onset": 512, "bin": 50, "amplitude": 200, **columns})


def noise(**columns: int) -> npt.NDArray[Any]:
    return _one(NOISE.empty(1), {"scale": 3, "onset": 512, "width": 2, "place": 3, "weight": 40, **columns})


def _one(table: npt.NDArray[Any], columns: dict[str, int]) -> npt.NDArray[Any]:
    for name, value in columns.items():
        table[name] = value
    return table


def decoded(header: StreamHeader, gaussians: Gaussians, is_stereo: bool = True) -> Pcm:
    data = write_gaussians(gaussians, header)
    first, *others = (_read(data, backend, is_stereo) for backend in BACKENDS)
    for other in others:
        np.testing.assert_array_equal(other, first)
    return first


def _read(data: bytes, backend: str, is_stereo: bool) -> Pcm:
    decoder = open_decoder(data, backend)
    decoder.set_stereo(is_stereo)
    return decoder.read(decoder.header.samples)


@pytest.mark.parametrize("seed", SEEDS)
def test_left_and_right_are_those_of_the_letter(seed: int) -> None:
    stream = stereo_stream(seed)
    assert_same_gaussians(decode_gaussians(stream.data), stream.gaussians)
    middle = decoded_by_the_letter(stream.header, stream.gaussians)
    expected = stereo_by_the_letter(stream.header, stream.gaussians)
    for backend in BACKENDS:
        decoder = open_decoder(stream.data, backend)
        assert decoder.header == stream.header
        assert decoder.channels == 1
        np.testing.assert_array_equal(decoder.read(stream.header.samples), middle)
        decoder.set_stereo(True)
        assert decoder.channels == 2
        assert decoder.position == stream.header.samples
        for start in (0, stream.header.samples // 2, stream.header.samples):
            decoder.seek(start)
            np.testing.assert_array_equal(decoder.read(stream.header.samples + 1), expected[start:])
            assert decoder.read(1).shape == (0, 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_encoder_writes_what_was_read(seed: int) -> None:
    stream = stereo_stream(seed)
    gaussians = read_gaussians(stream.data)
    ordered = in_order(gaussians, stream.header.slot_log2)
    assert_same_gaussians(read_gaussians(write_gaussians(gaussians, stream.header)), ordered)


def test_header() -> None:
    plain = len(pack_header(dataclasses.replace(HEADER, channels=1, panning=None)))
    of_direction = dataclasses.replace(HEADER, direction=17, panning=None)
    assert len(pack_header(of_direction)) == plain + 1
    assert parse_header(pack_header(of_direction))[0] == of_direction
    both = dataclasses.replace(HEADER, direction=128, panning=PanningHeader(15, -128))
    assert len(pack_header(both)) == plain + 3
    assert parse_header(pack_header(both))[0] == both


@pytest.mark.parametrize(
    ("direction", "left", "right"),
    [(0, 16384, 0), (32, 16384, 6786), (64, 16384, 16384), (128, 0, 16384), (192, -16384, 16384), (224, -16384, 6786)],
)
def test_directions(direction: int, left: int, right: int) -> None:
    assert direction_gains(direction) == (left, right)
    assert direction_of(left, right) == direction


def test_one_direction_moves_the_middle_as_it_is() -> None:
    header = dataclasses.replace(HEADER, panning=None)
    gaussians = Gaussians(tone=tone(), noise=noise())
    middle = decoded(header, gaussians, is_stereo=False)
    assert np.abs(middle).max() > 1000
    for direction, left, right in ((0, 1, 0), (64, 1, 1), (128, 0, 1), (192, -1, 1)):
        got = decoded(dataclasses.replace(header, direction=direction), gaussians)
        np.testing.assert_array_equal(got, np.stack([left * middle, right * middle], axis=1))


def test_a_side_of_a_tone_is_a_tone() -> None:
    """In direction 0 left is the mid and right is the side."""
    header = dataclasses.replace(HEADER, direction=0)
    got = decoded(header, Gaussians(tone=tone(scale=4, phase=5, side_amplitude=50, side_phase=9)))
    alone = decoded(header, Gaussians(tone=tone(scale=4, phase=5)))
    np.testing.assert_array_equal(got[:, 0], alone[:, 0])
    assert not alone[:, 1].any()
    # A side_step of 8 quarters is one of 4 times the amplitude.
    coarse = dataclasses.replace(header, amplitude_step=4 * header.amplitude_step, panning=PanningHeader(0, -20))
    as_mid = decoded(coarse, Gaussians(tone=tone(scale=4, amplitude=50, phase=9)))
    np.testing.assert_array_equal(got[:, 1], as_mid[:, 0])


def test_noise_of_the_mid_and_of_the_side() -> None:
    header = dataclasses.replace(HEADER, direction=0)

    def sides(side_base: int = -60, **columns: int) -> tuple[Pcm, Pcm]:
        based = dataclasses.replace(header, panning=PanningHeader(8, side_base))
        left, right = decoded(based, Gaussians(noise=noise(**columns))).astype(np.int32).T
        return left, right

    left, right = sides()
    assert np.abs(left).max() > 100
    assert not right.any()
    same, panned = sides(pan_weight=16)
    np.testing.assert_array_equal(same, left)
    _, opposite = sides(pan_weight=-16)
    for found, sign in ((panned, 1), (opposite, -1)):
        assert sign * np.corrcoef(left, found)[0, 1] > 0.9
    same, own = sides(side_base=0)
    np.testing.assert_array_equal(same, left)
    assert abs(np.corrcoef(left, own)[0, 1]) < 0.4
    assert 0.7 < own.std() / left.std() < 1.4
    _, raised = sides(side_weight=56)
    assert 0.1 < raised.std() / left.std() < 0.7
    _, both = sides(side_base=0, pan_weight=8)
    assert 0.1 < np.corrcoef(left, both)[0, 1] < 0.9


def test_largest_amplitudes_do_not_wrap() -> None:
    """Both channels beyond what 17 bits hold."""
    loud = tone(amplitude=4095, side_amplitude=1023)
    header = dataclasses.replace(HEADER, amplitude_step=2047, output_shift=0, panning=PanningHeader(15, -20))
    for direction in (0, 33, 64, 128, 200):
        got = decoded(dataclasses.replace(header, direction=direction), Gaussians(tone=np.repeat(loud, 20)))
        assert got.min() == -32768
        assert got.max() == 32767


def test_what_a_stream_has_no_words_for() -> None:
    mono = dataclasses.replace(HEADER, channels=1, panning=None)
    for header, table, says in (
        (mono, {"tone": tone(side_amplitude=1)}, "in a stream without panned Gaussians"),
        (mono, {"noise": noise(pan_weight=1)}, "pan weight in a stream without panned Gaussians"),
        (HEADER, {"tone": tone(side_amplitude=1024)}, r"outside 0\.\.1023"),
        (HEADER, {"tone": tone(side_phase=1)}, "side's phase index outside"),
        (HEADER, {"tone": tone(side_amplitude=2, side_phase=8)}, "side's phase index outside"),
        (HEADER, {"noise": noise(side_weight=-64)}, r"side weight outside 0\.\.63"),
    ):
        with pytest.raises(ValueError, match=says):
            write_gaussians(Gaussians(table), header)


def test_cost_counted_by_hand() -> None:
    header = dataclasses.replace(HEADER, samples=640)
    mono = dataclasses.replace(header, channels=1, panning=None)
    plain = Gaussians(tone=tone(onset=0), noise=noise(onset=0))
    sided = Gaussians(tone=tone(onset=0, side_amplitude=3), noise=noise(onset=0, side_weight=1, pan_weight=2))

    def total(header: StreamHeader, gaussians: Gaussians) -> int:
        return round(header.samples * macs_per_sample(gaussians, header)[0])

    alone = total(dataclasses.replace(mono, noise=None), Gaussians(tone=tone(onset=0)))
    empty = total(dataclasses.replace(mono, noise=None), Gaussians())
    blocks, frames = 10 + 2, 11
    more = alone - empty - 32
    more += 224 * blocks + 2 * 16 + 4 * header.samples
    more += frames * (64 * (6 + 6) + 4 * 25) + 3 * (3 + 2 * 12) * 10
    assert total(header, sided) - total(mono, plain) == more
    of_direction = dataclasses.replace(header, panning=None)
    assert total(of_direction, plain) - total(mono, plain) == 2 * header.samples


def test_a_budget_leaves_sides_out_with_their_tones() -> None:
    tones = np.concatenate([tone(amplitude=400, side_amplitude=3), tone(bin=70, amplitude=40, side_amplitude=900)])
    data = write_gaussians(Gaussians(tone=tones), HEADER)
    for backend in BACKENDS:
        decoder = open_decoder(data, backend)
        decoder.set_stereo(True)
        decoder.set_budget(1)
        got = decoder.read(HEADER.samples)
        expected = decoded(HEADER, Gaussians(tone=tones[:1]))
        np.testing.assert_array_equal(got[800:1200], expected[800:1200])


def test_initial_contexts() -> None:
    assert phase_bits().max() - 3 == 7
    assert tone_side_prior().shape == (2 * 8 + 4 * 18,)
    assert tone_side_prior()[[0, 7, 8, 15, 16, 87]].tolist() == [256, 2048, 1280, 3072, 2048, 2048]
    assert noise_side_prior().tolist() == 2 * [1024, 3072, *[2048] * 11]


def test_no_table_set_is_trained_on_sides() -> None:
    sided = Gaussians(tone=tone(side_amplitude=3), noise=noise(pan_weight=2))
    data = encode_stream(HEADER, sided)
    mono = encode_stream(dataclasses.replace(HEADER, panning=None), Gaussians(tone=tone(), noise=noise()))
    assert coded_bits(data) == coded_bits(mono)
