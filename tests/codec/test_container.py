"""Step 1, the container: what is written is read back, and whatever is damaged is refused."""

from __future__ import annotations

import dataclasses
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_gs.codec import container
from audio_gs.codec.container import StreamHeader
from audio_gs.codec.kinds import RESERVED, noise, tone
from audio_gs.codec.kinds.noise import NoiseHeader
from audio_gs.codec.stereo import PanningHeader
from audio_gs.codec.tables import MAX_SCALES
from audio_gs.errors import BitstreamError, UnsupportedError

HEADER = StreamHeader(
    sample_rate=16000,
    samples=90000,
    slot_log2=9,
    smallest_scale=1,
    scales=7,
    amplitude_step=700,
    output_shift=4,
    max_tones=96,
    peak_macs=143,
    seek_slots=80,
)


@st.composite
def headers(draw: st.DrawFn) -> StreamHeader:
    scales = draw(st.integers(1, MAX_SCALES))
    samples = draw(st.integers(1, container.MAX_VARINT))
    loop = None
    if draw(st.booleans()):
        end = draw(st.integers(1, samples))
        loop = (draw(st.integers(0, end - 1)), end)
    slot_log2 = draw(st.integers(container.MIN_SLOT_LOG2, container.MAX_SLOT_LOG2))
    rates = st.sampled_from(container.SAMPLE_RATES) | st.integers(container.MIN_SAMPLE_RATE, container.MAX_SAMPLE_RATE)
    return StreamHeader(
        sample_rate=draw(rates),
        samples=samples,
        slot_log2=slot_log2,
        smallest_scale=draw(st.integers(0, tone.MAX_SCALE + 1 - scales)),
        scales=scales,
        amplitude_step=draw(st.integers(1, tone.MAX_AMPLITUDE_STEP)),
        output_shift=draw(st.integers(0, tone.MAX_OUTPUT_SHIFT)),
        max_tones=draw(st.integers(1, tone.MAX_TONES)),
        peak_macs=draw(st.integers(0, container.MAX_VARINT)),
        seek_slots=draw(st.integers(0, container.MAX_VARINT)),
        loop=loop,
        table_set=draw(st.integers(0, 2)),
        noise=draw(st.none() | noise_headers(slot_log2)),
    )


def noise_headers(slot_log2: int) -> st.SearchStrategy[NoiseHeader]:
    return st.builds(
        NoiseHeader,
        frame_log2=st.integers(noise.MIN_FRAME_LOG2, min(noise.MAX_FRAME_LOG2, slot_log2)),
        shift=st.integers(1, noise.MAX_NOISE_SHIFT),
        base=st.integers(-128, 127),
        max_noises=st.integers(1, noise.MAX_NOISES),
    )


def with_check(head: bytes) -> bytes:
    return head + (zlib.crc32(head) & 0xFFFF).to_bytes(2, "little")


@given(headers())
def test_header_round_trip(header: StreamHeader) -> None:
    data = container.pack_header(header)
    assert container.parse_header(data + b"tail") == (header, len(data))


def test_short_clip_overhead() -> None:
    """Header and container of a clip of one segment, as SPEC promises: 24 bytes at most."""
    payload = bytes(3000)
    one_segment = dataclasses.replace(HEADER, seek_slots=0)
    assert len(container.build_stream(one_segment, [payload])) - len(payload) <= 24


@given(st.integers(0, container.MAX_VARINT))
def test_varint_round_trip(value: int) -> None:
    data = container.write_varint(value)
    assert len(data) <= container.MAX_VARINT_BYTES
    assert container.read_varint(b"\xff" + data + b"\xff", 1) == (value, 1 + len(data))


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x80\x00", b"\xff\xff\xff\xff\x08", b"\x80\x80\x80\x80\x80\x01"])
def test_bad_varints(data: bytes) -> None:
    with pytest.raises(BitstreamError):
        container.read_varint(data, 0)


@pytest.mark.parametrize("value", [-1, container.MAX_VARINT + 1])
def test_varint_refuses_to_write(value: int) -> None:
    with pytest.raises(ValueError, match="varint"):
        container.write_varint(value)


def test_every_truncation_is_refused() -> None:
    data = container.build_stream(HEADER, [b"payload"] * HEADER.segments)
    for length in range(len(data)):
        with pytest.raises(BitstreamError):
            container.check_stream(data[:length])
    assert container.check_stream(data) == HEADER


def test_every_flipped_bit_is_refused() -> None:
    data = container.build_stream(HEADER, [b"payload"] * HEADER.segments)
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BitstreamError):
            container.check_stream(bytes(damaged))


def test_bytes_after_the_end_are_refused() -> None:
    data = container.build_stream(HEADER, [b"payload"] * HEADER.segments)
    with pytest.raises(BitstreamError, match="1 bytes follow"):
        container.check_stream(data + b"x")


@pytest.mark.parametrize(
    ("position", "value", "error", "says"),
    [
        (2, 2, UnsupportedError, "version 2"),
        (4, 1 | 1 << min(RESERVED), UnsupportedError, RESERVED[min(RESERVED)]),
        (4, 0b10000001, UnsupportedError, "bit 7"),
        (4, 0, BitstreamError, "tone Gaussians is not set"),
        (5, 3 << 2, UnsupportedError, "table set 3"),
        (3, 10 | 9 << 4, BitstreamError, "sample rate code is 10"),
        (3, 4 | 4 << 4, BitstreamError, "slot size"),
        (6, 5 | 7 << 4, BitstreamError, "largest scale"),
        (6, 0 | 10 << 4, BitstreamError, "number of scales"),
        (8, 17 << 3, BitstreamError, "output shift"),
    ],
)
def test_header_fields_are_judged(position: int, value: int, error: type[BitstreamError], says: str) -> None:
    head = bytearray(container.pack_header(HEADER)[:-2])
    head[position] = value
    with pytest.raises(error, match=says) as caught:
        container.parse_header(with_check(bytes(head)))
    assert type(caught.value) is error


@pytest.mark.parametrize(
    "change",
    [
        {"samples": 0},
        {"samples": 1 << 31},
        {"sample_rate": 3999},
        {"scales": 11},
        {"smallest_scale": 6, "scales": 7},
        {"amplitude_step": 0},
        {"amplitude_step": 2048},
        {"output_shift": 17},
        {"max_tones": 0},
        {"max_tones": 4097},
        {"loop": (5, 5)},
        {"loop": (0, 90001)},
        {"channels": 3},
        {"channels": 2, "direction": 256},
        {"panning": PanningHeader(8, 0)},
        {"channels": 2, "panning": PanningHeader(16, 0)},
        {"table_set": 3},
    ],
)
def test_illegal_headers_cannot_be_written(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"illegal|unsupported"):
        container.pack_header(dataclasses.replace(HEADER, **change))


@given(headers())
def test_segments_cover_all_slots_once(header: StreamHeader) -> None:
    last = header.segments - 1
    assert header.segment_slots(0).start == -header.lead_slots
    assert header.segment_slots(last).stop == header.slots
    assert len(header.segment_slots(last)) > 0
    if last:
        assert header.segment_slots(0).stop == header.segment_slots(1).start == header.seek_slots
    for sample in (0, header.samples // 2, header.samples - 1):
        segment = header.segment_for_sample(sample)
        first_that_lasts = (sample - header.longest_support) >> header.slot_log2
        assert segment == 0 or header.segment_slots(segment).start <= first_that_lasts


def test_segments_carry_their_payloads() -> None:
    payloads = [bytes([index]) * (100 * index) for index in range(HEADER.segments)]
    data = container.build_stream(HEADER, payloads)
    header, offset = container.parse_header(data)
    assert [bytes(segment.data) for segment in container.iterate_segments(data, header, offset)] == payloads


def test_number_of_segments_must_fit() -> None:
    with pytest.raises(ValueError, match="segments"):
        container.build_stream(HEADER, [b""])
