"""Damaged and hostile streams: every decoder refuses them alike, after the same samples."""

from __future__ import annotations

import dataclasses
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from decoders import STREAMING, WHOLE_CLIP_BACKENDS, check_damage_shows_again, common_verdict, verdict
from hypothesis import example, given, settings
from hypothesis import strategies as st
from random_streams import RandomStream, most_held, payloads, random_stream

import audio_gs
from audio_gs.codec import container
from audio_gs.codec.container import Segment, StreamHeader, build_stream, pack_header, parse_header, read_segment
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.kinds import NOISE, TONE, Kind
from audio_gs.codec.kinds.tone import MAX_TONES
from audio_gs.codec.slots import encode_stream
from audio_gs.errors import AudioGsError, BitstreamError, UnsupportedError

SHORT_SEEDS = tuple(
    seed
    for seed in range(200)
    if 150 < len(random_stream(seed).data) < 400 and random_stream(seed).header.samples < 12000
)[:8]
SEGMENTED_SEEDS = tuple(
    seed for seed in range(300) if random_stream(seed).header.segments > 3 and random_stream(seed).gaussians.total > 40
)[:20]
PLAIN = next(random_stream(seed) for seed in SHORT_SEEDS if random_stream(seed).header.noise is None)
NOISY = next(random_stream(seed) for seed in SHORT_SEEDS if random_stream(seed).header.noise is not None)


def whole(stream: RandomStream) -> np.ndarray:
    return audio_gs.decode(stream.data)[0]


def segments_of(data: bytes) -> list[Segment]:
    header, offset = parse_header(data)
    segments = []
    for index in range(header.segments):
        segments.append(read_segment(data, offset, index))
        offset = segments[-1].end
    return segments


def some_segments(data: bytes) -> list[Segment]:
    """At most a dozen or so of them, the first and the last among them."""
    segments = segments_of(data)
    return [*segments[: -1 : 1 + len(segments) // 12], segments[-1]]


def first_sample(header: StreamHeader, slot: int) -> int:
    """The first sample that needs a slot (SPEC P2)."""
    return max(0, (slot << header.slot_log2) // 64 * 64 - 64)


def needs_segment(header: StreamHeader, segment: int) -> int:
    return first_sample(header, header.segment_slots(segment).start)


def needs_last_slot(header: StreamHeader, segment: int) -> int:
    """What is checked when a segment ends is known where its last slot is needed."""
    return first_sample(header, header.segment_slots(segment).stop - 1)


def all_refuse(data: bytes) -> None:
    for read in (audio_gs.decode, audio_gs.info, audio_gs.verify, audio_gs.read_gaussians):
        with pytest.raises(BitstreamError) as caught:
            read(data, max_duration=None)
        assert len(str(caught.value).splitlines()) == 1


def with_check(head: bytes) -> bytes:
    return head + (zlib.crc32(head) & 0xFFFF).to_bytes(2, "little")


@pytest.mark.parametrize("seed", SHORT_SEEDS)
def test_truncation_at_every_byte(seed: int) -> None:
    stream = random_stream(seed)
    expected = whole(stream)
    body = parse_header(stream.data)[1]
    for length in range(len(stream.data)):
        judgement, pcm = common_verdict(stream.data[:length])
        assert judgement == "corrupt"
        np.testing.assert_array_equal(pcm, expected[: len(pcm)])
        assert len(pcm) == 0 or length > body
        with pytest.raises(BitstreamError):
            audio_gs.decode(stream.data[:length])


@pytest.mark.parametrize("seed", SEGMENTED_SEEDS)
def test_truncation_loses_no_whole_segment(seed: int) -> None:
    stream = random_stream(seed)
    expected = whole(stream)
    for segment in some_segments(stream.data):
        judgement, pcm = common_verdict(stream.data[: segment.end - 1], block=97)
        assert judgement == "corrupt"
        assert len(pcm) >= needs_segment(stream.header, segment.index)
        np.testing.assert_array_equal(pcm, expected[: len(pcm)])


@pytest.mark.parametrize("seed", SHORT_SEEDS)
def test_flipped_bits(seed: int) -> None:
    stream = random_stream(seed)
    random = np.random.default_rng(seed)
    bits = random.choice(8 * len(stream.data), 250, replace=False)
    for bit in bits:
        damaged = bytearray(stream.data)
        damaged[bit // 8] ^= 1 << (bit % 8)
        judgement, pcm = common_verdict(bytes(damaged))
        assert judgement != "sound"
        assert judgement == "corrupt" or bit // 8 == 2
        with pytest.raises(BitstreamError):
            audio_gs.decode(bytes(damaged))
        if bit // 8 < parse_header(stream.data)[1]:
            assert len(pcm) == 0


@pytest.mark.parametrize("seed", SEGMENTED_SEEDS)
def test_wrong_crc_is_found_before_the_last_slot_of_its_segment(seed: int) -> None:
    stream = random_stream(seed)
    expected = whole(stream)
    for segment in some_segments(stream.data):
        damaged = bytearray(stream.data)
        damaged[segment.end - segment.length - 1] ^= 0x10
        judgement, pcm = common_verdict(bytes(damaged), block=97)
        assert judgement == "corrupt"
        np.testing.assert_array_equal(pcm, expected[: needs_last_slot(stream.header, segment.index)])


@pytest.mark.parametrize("seed", SEGMENTED_SEEDS)
def test_segments_behind_the_damage_still_play(seed: int) -> None:
    stream = random_stream(seed)
    expected = whole(stream)
    damaged = bytearray(stream.data)
    first = segments_of(stream.data)[0]
    damaged[first.end - first.length - 1] ^= 0x10
    header = stream.header
    reach = header.longest_support + (header.noise.frame_samples if header.noise else 0)
    # The decoder begins up to three of its blocks of 64 samples before.
    start = (header.seek_slots << header.slot_log2) + reach + 192
    for backend in STREAMING:
        decoder = audio_gs.StreamDecoder(bytes(damaged), backend)
        with pytest.raises(BitstreamError):
            while len(decoder.read(500)):
                pass
        with pytest.raises(BitstreamError):
            decoder.read(1)
        if start < header.samples:
            decoder.seek(start)
            np.testing.assert_array_equal(decoder.read(header.samples), expected[start:])


@pytest.mark.parametrize("seed", SEGMENTED_SEEDS)
def test_partial_keeps_the_segments_before_the_damage(seed: int) -> None:
    stream = random_stream(seed)
    expected = whole(stream)
    random = np.random.default_rng(seed)
    segments = segments_of(stream.data)
    for _ in range(4):
        damaged = bytearray(stream.data)
        segment = segments[random.integers(len(segments))]
        at = random.integers(segment.start, segment.end)
        damaged[at] ^= 1 << random.integers(8)
        in_length = at < segment.end - segment.length - 4
        for backend in STREAMING:
            kept = audio_gs.api.decode_partial(bytes(damaged), backend=backend)
            assert kept.damage is not None
            assert kept.samples == stream.header.samples
            safe = needs_segment(stream.header, segment.index)
            # A wrong length can look like a cut; then what precedes the cut is kept too, on trust.
            assert safe <= len(kept.audio) < len(expected) if in_length else len(kept.audio) == safe
            np.testing.assert_array_equal(kept.audio[:safe], expected[:safe])


@pytest.mark.parametrize("seed", SHORT_SEEDS)
def test_extra_bytes(seed: int) -> None:
    stream = random_stream(seed)
    expected = whole(stream)
    last = segments_of(stream.data)[-1]
    longer = [bytes(segment.data) for segment in segments_of(stream.data)]
    longer[-1] += b"\x01\x02\x03\x04\x05"
    for data in (stream.data + b"\0", build_stream(stream.header, longer)):
        judgement, pcm = common_verdict(data)
        assert judgement == "corrupt"
        np.testing.assert_array_equal(pcm, expected[: needs_last_slot(stream.header, last.index)])


@pytest.mark.parametrize("version", [0, 2, 255])
def test_unknown_version(version: int) -> None:
    stream = random_stream(SHORT_SEEDS[0])
    data = stream.data[:2] + bytes([version]) + stream.data[3:]
    assert common_verdict(data).judgement == "unsupported"
    all_refuse(data)


LONGEST = container.MAX_VARINT


@pytest.mark.parametrize("stream", [PLAIN, NOISY], ids=["plain", "noise"])
@pytest.mark.parametrize(
    "change",
    [
        {"samples": LONGEST},
        {"samples": LONGEST, "seek_slots": 1},
        {"samples": LONGEST, "seek_slots": LONGEST},
        {"samples": LONGEST, "slot_log2": 5, "smallest_scale": 4, "scales": 8, "seek_slots": 1},
        {"max_tones": MAX_TONES, "samples": LONGEST},
        {"samples": 1},
        {"samples": 1, "seek_slots": 1},
    ],
)
def test_absurd_counts(change: dict[str, Any], stream: RandomStream) -> None:
    """A header that promises more, or less, than its segments hold costs neither time nor memory."""
    header = dataclasses.replace(stream.header, loop=None, **change)
    if header.noise:
        frame_log2 = min(header.noise.frame_log2, header.slot_log2)
        header = dataclasses.replace(header, noise=dataclasses.replace(header.noise, frame_log2=frame_log2))
    data = pack_header(header) + stream.data[parse_header(stream.data)[1] :]
    judgement, _ = common_verdict(data)
    assert judgement == "corrupt"
    all_refuse(data)


@pytest.mark.parametrize("seed", range(40))
def test_codes_that_no_encoder_makes(seed: int) -> None:
    """A segment that begins with a code of its whole range: what leaves 32 bits is lost, everywhere alike."""
    random = np.random.default_rng(seed)
    stream = random_stream(seed)
    header = dataclasses.replace(stream.header, seek_slots=0, max_tones=300)
    tail = random.integers(0, 256, random.integers(0, 40), np.uint8).tobytes()
    data = build_stream(header, [b"\xff\xff\xff\xff" + tail])
    judgement, pcm = common_verdict(data)
    for backend in WHOLE_CLIP_BACKENDS if judgement == "sound" else ():
        np.testing.assert_array_equal(audio_gs.decode(data, backend=backend)[0][: len(pcm)], pcm)


def test_absurd_segment_lengths() -> None:
    stream = random_stream(SHORT_SEEDS[0])
    head = pack_header(stream.header)
    for length in (LONGEST, LONGEST - 1, 1 << 20):
        data = head + container.write_varint(length) + bytes(4) + bytes(100)
        assert common_verdict(data).judgement == "corrupt"
        all_refuse(data)
    for varint in (b"\xff" * 5, b"\x80\x00", b"\xff\xff\xff\xff\x08"):
        assert common_verdict(head + varint + bytes(100)).judgement == "corrupt"
        all_refuse(head + varint + bytes(100))


@pytest.mark.parametrize("kind", [TONE, NOISE], ids=lambda kind: kind.name)
def test_more_gaussians_than_the_class_allows(kind: Kind) -> None:
    checked = 0
    for seed in range(200):
        stream = random_stream(seed)
        table = stream.gaussians[kind.name]
        held = most_held(table, stream.header, kind)
        # Before sample 0 a decoder does not hold what it will not play.
        if held < 3 or (table["onset"] < 0).any():
            continue
        header = kind.with_capacity(stream.header, held - 1)
        data = encode_stream(header, stream.gaussians)
        judgement, pcm = common_verdict(data)
        assert judgement == "corrupt"
        np.testing.assert_array_equal(pcm, whole(stream)[: len(pcm)])
        all_refuse(data)
        checked += 1
    assert checked > 5


def test_what_ends_before_the_clip_is_not_held() -> None:
    """Two Gaussians overlap in the slots before sample 0 and a class of one: nobody holds what nobody hears."""
    header = dataclasses.replace(
        PLAIN.header, smallest_scale=0, scales=4, samples=500, slot_log2=5, seek_slots=0, loop=None
    )
    header = dataclasses.replace(header, max_tones=1)
    table = TONE.empty(2)
    table["amplitude"] = 100
    for onsets, judgement in (((-232, -224), "sound"), ((8, 32), "corrupt"), ((-136, -128), "corrupt")):
        table["onset"] = onsets
        data = encode_stream(header, Gaussians(tone=table))
        assert common_verdict(data).judgement == judgement
        if judgement == "sound":
            np.testing.assert_array_equal(audio_gs.read_gaussians(data)["tone"], table)
        else:
            all_refuse(data)


def test_a_bin_above_half_the_sample_rate() -> None:
    """Two bins of half a support's bins each: legal steps to an illegal place."""
    header = dataclasses.replace(
        PLAIN.header, smallest_scale=2, scales=1, samples=5000, slot_log2=8, seek_slots=0, loop=None
    )
    header = dataclasses.replace(header, max_tones=9)
    table = TONE.empty(2)
    table["scale"], table["onset"], table["amplitude"] = 2, 1024, 100
    for last, judgement in ((63, "sound"), (64, "corrupt"), (90, "corrupt")):
        table["bin"] = [40, last]
        data = build_stream(header, payloads(header, Gaussians(tone=table)))
        assert common_verdict(data).judgement == judgement


@st.composite
def hostile_streams(draw: st.DrawFn) -> bytes:
    """Whole headers, segments with the right CRC, and anything in them."""
    seed = draw(st.integers(0, 199))
    random = random_stream(seed)
    samples = draw(st.integers(1, 3000) | st.just(random.header.samples) | st.just(LONGEST))
    header = dataclasses.replace(
        random.header,
        samples=samples,
        loop=None,
        seek_slots=draw(st.sampled_from([0, 1, 2, 7])),
        max_tones=draw(st.sampled_from([1, 2, 30, 4096])),
    )
    if header.noise:
        max_noises = draw(st.sampled_from([1, 2, 255]))
        header = dataclasses.replace(header, noise=dataclasses.replace(header.noise, max_noises=max_noises))
    out = bytearray(pack_header(header))
    for _ in range(min(header.segments, 4)):
        payload = draw(st.binary(max_size=60) | st.binary(max_size=12).map(lambda piece: 20 * piece))
        out += container.write_varint(len(payload)) + zlib.crc32(payload).to_bytes(4, "little") + payload
    return bytes(out)


@st.composite
def mutated_streams(draw: st.DrawFn) -> bytes:
    """Legal streams with bytes changed, left out or put in, and the checks made right again at times."""
    data = bytearray(random_stream(draw(st.integers(0, 199))).data[:600])
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data) - 1))
        piece = draw(st.binary(max_size=3))
        data[at : at + draw(st.integers(0, 3))] = piece
        data = data or bytearray(b"G")
    if draw(st.booleans()):
        length = draw(st.integers(10, 27))
        data[:length] = with_check(bytes(data[: length - 2]))
    return bytes(data)


def kept_of(data: bytes, backend: str) -> bytes | type[AudioGsError]:
    try:
        return audio_gs.decode(data, partial=True, backend=backend, max_duration=None)[0].tobytes()
    except AudioGsError as error:
        return type(error)


@settings(max_examples=400)
@given(hostile_streams() | mutated_streams() | st.binary(max_size=80).map(lambda tail: b"GS\x01" + tail))
@example(b"")
@example(b"G")
@example(b"GS")
@example(b"GS\x02")
@example(b"GT\x01")
def test_any_bytes_get_the_same_verdict(data: bytes) -> None:
    judgement = common_verdict(data, most=6000).judgement
    if judgement == "sound":
        return
    assert kept_of(data, "c") == kept_of(data, "numba")
    with pytest.raises(UnsupportedError if judgement == "unsupported" else BitstreamError):
        audio_gs.decode(data, max_duration=None)


def test_damage_shows_again_at_every_read() -> None:
    stream = random_stream(SEGMENTED_SEEDS[0])
    for backend in STREAMING:
        check_damage_shows_again(stream.data, backend, whole(stream))


def test_streams_from_files_of_any_kind(tmp_path: Path) -> None:
    for name, content in (("text", b"GS, a text"), ("wav", b"RIFF" + bytes(40)), ("zeros", bytes(1000))):
        (tmp_path / name).write_bytes(content)
        assert verdict((tmp_path / name).read_bytes(), "c").judgement != "sound"
        all_refuse(content)
