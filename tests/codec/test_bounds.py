"""What a stream states costs a decoder nothing: work goes by the bytes that it has and the samples that are asked for.

None of these ends in a minute where it goes by the length that a stream states."""

from __future__ import annotations

import numpy as np
import pytest
from decoders import STREAMING, check_without_playing
from empty_streams import LONGEST, empty_stream

import audio_gs
from audio_gs.backends import open_decoder
from audio_gs.codec.container import SHORTEST_LOOP, StreamHeader


@pytest.mark.parametrize("slot_log2", [5, 12])
@pytest.mark.parametrize("backend", STREAMING)
def test_seeking_to_the_end_of_a_long_stream(backend: str, slot_log2: int) -> None:
    samples = LONGEST if backend == "c" else LONGEST >> 5
    decoder = open_decoder(empty_stream(slot_log2, samples), backend)
    for target in (samples - 100, samples // 2, samples - 1):
        decoder.seek(target)
        assert not decoder.read(100).any()
        assert decoder.position == min(target + 100, samples)


@pytest.mark.parametrize("slot_log2", [5, 12])
def test_checking_a_long_stream(slot_log2: int) -> None:
    data = empty_stream(slot_log2)
    assert check_without_playing(data) == "sound"
    assert check_without_playing(data[:-1] + bytes([data[-1] ^ 1])) == "corrupt"


def test_gaussians_of_a_long_stream() -> None:
    assert audio_gs.read_gaussians(empty_stream(5, LONGEST >> 5), None).total == 0


@pytest.mark.parametrize("backend", STREAMING)
def test_loops_are_not_shorter_than_a_block(backend: str) -> None:
    """Each jump is a seek, which is as much work as the stream has bytes."""
    for length in (1, SHORTEST_LOOP - 1):
        decoder = audio_gs.StreamDecoder(empty_stream(5, 5000, (5000 - length, 5000)), backend)
        with pytest.raises(ValueError, match="loop has fewer than 64 samples"):
            decoder.set_loop(True)
        assert len(decoder.read(100)) == 100
    decoder = audio_gs.StreamDecoder(empty_stream(5, 5000, (5000 - SHORTEST_LOOP, 5000)), backend)
    decoder.set_loop(True)
    decoder.seek(4997)
    assert len(decoder.read(2 * SHORTEST_LOOP)) == 2 * SHORTEST_LOOP


def state_after(decoder: audio_gs.codec.backend.Decoder, sample: int) -> tuple[int, ...]:
    decoder.seek(sample)
    decoder.read(1)
    return decoder.state()


@pytest.mark.parametrize("slot_log2", [5, 9, 12])
def test_slots_that_are_left_out_change_nothing(slot_log2: int) -> None:
    """The range coder's state and the Gaussians held are those of a decoder that goes from slot to slot."""
    data = empty_stream(slot_log2, samples=200_000)
    c, numba = (open_decoder(data, backend) for backend in STREAMING)
    header: StreamHeader = c.header
    for sample in np.random.default_rng(slot_log2).integers(0, header.samples, 20):
        assert state_after(c, int(sample)) == state_after(numba, int(sample))
    step = open_decoder(data, "c")
    while len(step.read(header.slot_samples)):
        pass
    c.rewind()
    assert len(c.read(header.samples)) == header.samples
    assert c.state() == step.state()


def test_whole_clips_have_a_limit() -> None:
    data = empty_stream(12)
    for work in (audio_gs.decode, audio_gs.decode_partial, audio_gs.info, audio_gs.verify, audio_gs.read_gaussians):
        with pytest.raises(audio_gs.TooLongError, match=r"says it lasts 268435\.5 s, and the limit is 3600 s"):
            work(data)
        with pytest.raises(audio_gs.TooLongError, match="the limit is 5 s"):
            work(empty_stream(12, 8000 * 5 + 1), max_duration=5)
        work(empty_stream(12, 8000 * 5), max_duration=5)
    first = next(iter(audio_gs.api.decode_blocks(data, max_duration=None)))
    assert 0 < len(first) <= audio_gs.api.BLOCK_SAMPLES
