"""Whole streams of random legal decisions, on every decoder: `pytest tests/codec/test_streams.py -k '[17]'` runs
seed 17 alone, `--streams` and `--first-seed` others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from decoders import STREAMING, WHOLE_CLIP_BACKENDS, CallbackDecoder
from gaussian_tables import assert_same_gaussians
from random_streams import RandomStream, decoded_by_the_letter, noise_by_the_letter, random_stream

import audio_gs
from audio_gs.backends import open_decoder
from audio_gs.codec.backend import Decoder
from audio_gs.codec.container import SAMPLE_RATES, SHORTEST_LOOP, check_stream
from audio_gs.codec.kinds import NOISE, TONE
from audio_gs.codec.tables import LARGEST_AMPLITUDE, phase_bits

Pcm = np.ndarray


def sizes(random: np.random.Generator, samples: int) -> Iterator[int]:
    """Read sizes from single samples to more than there are."""
    most = 2 ** random.uniform(0, np.log2(samples + 100))
    while True:
        yield 1 + int(random.uniform(0, most) if random.integers(20) else random.uniform(0, 2 * samples))


def check_rest(decoder: Decoder | CallbackDecoder, expected: Pcm, random: np.random.Generator) -> None:
    """All that the decoder gives from here on, in reads of any size."""
    at = 0
    for wanted in sizes(random, len(expected)):
        got = decoder.read(wanted)
        assert len(got) == min(wanted, len(expected) - at)
        np.testing.assert_array_equal(got, expected[at : at + len(got)])
        at += len(got)
        if len(got) < wanted:
            break
    assert at == len(expected)
    assert len(decoder.read(7)) == 0


def check_same_states(stream: RandomStream, expected: Pcm) -> None:
    c, numba = open_decoder(stream.data, "c"), open_decoder(stream.data, "numba")
    assert c.header == numba.header == stream.header
    size = stream.header.slot_samples
    for slot in range(stream.header.slots):
        pcm = [decoder.read(size) for decoder in (c, numba)]
        # The range coder's state first: where it differs, all that follows has to.
        assert c.state() == numba.state(), f"after slot {slot}"
        for got in pcm:
            np.testing.assert_array_equal(got, expected[slot * size : (slot + 1) * size], f"slot {slot}")


def check_seeking(stream: RandomStream, expected: Pcm, random: np.random.Generator) -> None:
    c, numba = open_decoder(stream.data, "c"), open_decoder(stream.data, "numba")
    samples = stream.header.samples
    targets = [int(n) for n in random.integers(0, samples + 1, 4)] + [samples - 1, 0, samples]
    for target in targets:
        for decoder in (c, numba):
            decoder.seek(target)
            assert decoder.position == target
        count = int(random.integers(1, 2000))
        for decoder in (c, numba):
            np.testing.assert_array_equal(decoder.read(count), expected[target : target + count])
        if target < samples:
            assert c.state() == numba.state()
    for decoder in (c, numba):
        decoder.rewind()
        check_rest(decoder, expected, random)


def check_looping(stream: RandomStream, expected: Pcm, random: np.random.Generator) -> None:
    assert stream.header.loop is not None
    start, end = stream.header.loop
    for backend in STREAMING:
        decoder = open_decoder(stream.data, backend)
        if end - start < SHORTEST_LOOP:
            with pytest.raises(ValueError):
                decoder.set_loop(True)
            continue
        at = int(random.integers(0, end + 1))
        decoder.seek(at)
        decoder.set_loop(True)
        wanted = int(random.integers(1, 3000))
        wanted = min(wanted, end - at + 30 * (end - start))
        indices = at + np.arange(wanted)
        indices = np.where(indices < end, indices, start + (indices - end) % (end - start))
        got = np.concatenate([decoder.read(len(part)) for part in np.array_split(indices, random.integers(1, 6))])
        np.testing.assert_array_equal(got, expected[indices])
        decoder.set_loop(False)
        check_rest(decoder, expected[decoder.position :], random)


def check_reading_through_a_callback(stream: RandomStream, expected: Pcm, random: np.random.Generator) -> None:
    decoder = CallbackDecoder(stream.data, stream.header)
    check_rest(decoder, expected, random)
    target = int(random.integers(0, len(expected)))
    decoder.seek(target)
    check_rest(decoder, expected[target:], random)
    assert all(1 <= count <= 64 and offset + count <= len(stream.data) for offset, count in decoder.requests)


def test_stream(stream_seed: int) -> None:
    stream = random_stream(stream_seed)
    random = np.random.default_rng([stream_seed, 1])
    assert check_stream(stream.data) == stream.header
    assert_same_gaussians(audio_gs.read_gaussians(stream.data), stream.gaussians)
    expected = decoded_by_the_letter(stream.header, stream.gaussians)
    check_same_states(stream, expected)
    for backend in STREAMING:
        check_rest(open_decoder(stream.data, backend), expected, random)
    for backend in WHOLE_CLIP_BACKENDS:
        np.testing.assert_array_equal(audio_gs.decode(stream.data, backend=backend)[0], expected)
    check_seeking(stream, expected, random)
    if stream.header.loop:
        check_looping(stream, expected, random)
    check_reading_through_a_callback(stream, expected, random)


def test_random_streams_reach_everything() -> None:
    """A generator that stops short of a corner would let the tests above pass for nothing."""
    streams = [random_stream(seed) for seed in range(200)]
    headers = [stream.header for stream in streams]
    assert {header.slot_log2 for header in headers} == set(range(5, 13))
    assert {(header.smallest_scale, header.scales) for header in headers} == {
        (smallest, scales) for scales in range(1, 9) for smallest in range(13 - scales)
    }
    assert {header.table_set for header in headers} == {0, 1, 2}
    assert {header.sample_rate for header in headers} > set(SAMPLE_RATES)
    assert {header.output_shift for header in headers} > {0, 16}
    assert {header.loop is None for header in headers} == {True, False}
    assert min(header.samples for header in headers) == 1
    assert max(header.segments for header in headers) > 20
    table = np.concatenate([stream.gaussians["tone"] for stream in streams])
    assert set(np.unique(table["scale"])) == set(range(12))
    for scale in range(12):
        bins = table["bin"][table["scale"] == scale]
        assert bins.min() == 0
        assert bins.max() == (16 << scale) - 1
    assert table["amplitude"].min() == 1
    assert table["amplitude"].max() == LARGEST_AMPLITUDE
    assert set(phase_bits()[table["amplitude"]]) == set(range(3, 11))
    assert any(stream.gaussians.total == 0 for stream in streams)
    for kind in (TONE, NOISE):
        tables = [(stream.gaussians[kind.name], stream.header) for stream in streams if kind in stream.header.kinds]
        last = [kind.ends(table, header) for table, header in tables]
        assert any((end <= 0).any() for end in last), "none ends before the clip"
        first = [(table["onset"], header.samples) for table, header in tables]
        assert any((onset >= samples).any() for onset, samples in first), "none begins after it"


def test_random_streams_reach_all_noise() -> None:
    streams = [stream for stream in map(random_stream, range(200)) if stream.header.noise]
    assert 80 < len(streams) < 120
    headers = [(stream.header, stream.header.noise) for stream in streams if stream.header.noise]
    assert {noise.frame_log2 for _, noise in headers} == set(range(5, 10))
    assert {header.slot_log2 - noise.frame_log2 for header, noise in headers} == set(range(8))
    assert {noise.shift for _, noise in headers} == set(range(1, 16))
    assert {noise.max_noises for _, noise in headers} > {1, 255}
    assert min(noise.base for _, noise in headers) < -64
    assert max(noise.base for _, noise in headers) > 64
    table = np.concatenate([stream.gaussians["noise"] for stream in streams])
    assert set(table["scale"]) == set(range(6))
    for width in range(4):
        own = table[table["width"] == width]
        assert set(own["place"]) == set(range(32 >> width))
        # Gamma codes of every length.
        assert {int(weight).bit_length() for weight in np.abs(own["weight"])} == set(range(1, 7))
    assert (table["weight"].min(), table["weight"].max()) == (-63, 63)
    assert not (table["weight"] == 0).any()
    loudest = [np.abs(noise_by_the_letter(stream.header, stream.gaussians["noise"])).max() for stream in streams]
    assert sum(loud > 3 for loud in loudest) > 50
    assert max(loudest) >= 32767
    assert min(loudest) == 0
