"""The residual: by the letter of SPEC 8, and as the waves and levels that its values stand for."""

from __future__ import annotations

import dataclasses
import functools
import math
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from decoders import check_changes_of_a_header_are_refused, check_damage_shows_again, verdict
from gaussian_tables import assert_same_gaussians, in_order
from hypothesis import given, settings
from hypothesis import strategies as st
from make_vectors import FOLDER
from random_streams import (
    RandomStream,
    decoded_by_the_letter,
    frames_by_the_letter,
    limited_by_the_letter,
    most_held,
    payloads,
    random_stream,
    residual_stream,
)
from residual_by_the_letter import Cell, cells_of_segment, edges_of, frames_of_slot, has_fine, macs_by_the_letter

from audio_gs import backends
from audio_gs.codec import container, cost
from audio_gs.codec.backend import Decoder
from audio_gs.codec.container import (
    SAMPLE_RATES,
    StreamHeader,
    build_stream,
    check_stream,
    iterate_segments,
    pack_header,
    parse_header,
    write_varint,
)
from audio_gs.codec.decoder import decode_gaussians
from audio_gs.codec.kinds import KINDS, NOISE, TONE
from audio_gs.codec.kinds.noise import NoiseHeader
from audio_gs.codec.residual import RESIDUAL_DTYPE, ResidualHeader
from audio_gs.codec.slots import coded_bits, encode_stream
from audio_gs.errors import BitstreamError
from audio_gs.gaussians import Gaussians, read_gaussians, write_gaussians

Table = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

BACKENDS = ("numba", "c")
"""Those that know the residual."""
RATE = 16000
FINE, COEFFICIENT = 0, 1
SEEDS = range(40)
SEGMENTED = tuple(seed for seed in SEEDS if residual_stream(seed).header.segments > 2)
SHORT = tuple(
    seed
    for seed in SEEDS
    if 100 < len(residual_stream(seed).data) < 450
    and len(residual_stream(seed).gaussians["residual"]) > 50
    and residual_stream(seed).header.samples < 5000
)[:3]
PART = ResidualHeader(
    step=40, tilt=0, intervals=26, fine_from=31, level_step=0, fill=0, lift_low=0, lift_high=0, quiet=0
)
SILENT = -128
"""Base of a noise that is not there."""

on_each_backend = pytest.mark.parametrize("backend", BACKENDS)


def header_for(samples: int, part: ResidualHeader, frame_log2: int = 7, **changes: Any) -> StreamHeader:
    noise = NoiseHeader(frame_log2, changes.pop("shift", 1), changes.pop("base", 12), changes.pop("max_noises", 9))
    fields: dict[str, Any] = {"sample_rate": RATE, "slot_log2": 9, "smallest_scale": 0, "scales": 1, **changes}
    return StreamHeader(
        **{"samples": samples, "amplitude_step": 99, "output_shift": 0, "max_tones": 9, "peak_macs": 0, **fields},
        noise=noise,
        residual=part,
    )


def values(*rows: tuple[int, int, int, int]) -> Gaussians:
    """Values of a residual: frame, layer, place, value."""
    return Gaussians(residual=np.array(list(rows), RESIDUAL_DTYPE))


def one_tone(scale: int, onset: int, bin_: int, amplitude: int, phase: int) -> Table:
    table = TONE.empty(1)
    table[0] = scale, onset, bin_, amplitude, phase, 0, 0
    return table


def decoded(header: StreamHeader, gaussians: Gaussians, backend: str = "numba") -> Floats:
    decoder = backends.open_decoder(encode_stream(header, gaussians), backend)
    return decoder.read(header.samples).astype(np.float64)


def cells(header: StreamHeader, gaussians: Gaussians, frame: int) -> list[Cell]:
    return cells_of_segment(header, gaussians, 0, limited_by_the_letter)[frame]


# ---- whole streams ----


def check_rest(decoder: Decoder, expected: npt.NDArray[np.int16], random: np.random.Generator) -> None:
    """All that a decoder gives from here on, in reads of odd sizes."""
    most = 1 + int(2 ** random.uniform(0, np.log2(len(expected) + 1)))
    at = 0
    while at < len(expected):
        piece = decoder.read(int(random.integers(1, most + 1)))
        assert len(piece)
        np.testing.assert_array_equal(piece, expected[at : at + len(piece)])
        at += len(piece)
    assert len(decoder.read(1)) == 0


@on_each_backend
@pytest.mark.parametrize("seed", SEEDS)
def test_decoder_of_the_letter(seed: int, backend: str) -> None:
    stream = residual_stream(seed)
    assert check_stream(stream.data) == stream.header
    assert_same_gaussians(read_gaussians(stream.data), stream.gaussians)
    expected = decoded_by_the_letter(stream.header, stream.gaussians)
    check_rest(backends.open_decoder(stream.data, backend), expected, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_encoder_of_the_letter(seed: int) -> None:
    """Whatever order the rows come in; the class is the least that holds the Gaussians."""
    stream, random = residual_stream(seed), np.random.default_rng(seed)
    shuffled = Gaussians({name: random.permutation(table) for name, table in stream.gaussians.items()})
    ordered = in_order(shuffled, stream.header.slot_log2)
    expected = build_stream(stream.header, payloads(stream.header, ordered))
    assert encode_stream(stream.header, shuffled) == expected
    header, _ = parse_header(write_gaussians(shuffled, stream.header))
    for kind in header.kinds:
        assert kind.capacity(header) == most_held(ordered[kind.name], header, kind)
    assert header.peak_macs == stream.header.peak_macs


@on_each_backend
@pytest.mark.parametrize("seed", SEEDS[::2])
def test_seeking(seed: int, backend: str) -> None:
    """To the ends of frames and slots, and anywhere."""
    stream, random = residual_stream(seed), np.random.default_rng(seed)
    header = stream.header
    assert header.noise
    decoder = backends.open_decoder(stream.data, backend)
    expected = decoder.read(header.samples)
    frames = random.integers(0, (header.samples >> header.noise.frame_log2) + 1, 3) << header.noise.frame_log2
    starts = random.integers(0, header.segments, 2) * header.seek_slots << header.slot_log2
    near = (np.concatenate([frames, starts])[:, None] + np.array([-1, 0, 1])).ravel()
    targets = np.concatenate([near, random.integers(0, header.samples + 1, 4), [0, header.samples]])
    for target in targets[(targets >= 0) & (targets <= header.samples)].tolist():
        decoder.seek(target)
        assert decoder.position == target
        count = int(random.integers(1, 1500))
        np.testing.assert_array_equal(decoder.read(count), expected[target : target + count])
    decoder.rewind()
    check_rest(decoder, expected, random)


@on_each_backend
@pytest.mark.parametrize("seed", [seed for seed in SEEDS if residual_stream(seed).header.can_loop][::2])
def test_looping(seed: int, backend: str) -> None:
    stream = residual_stream(seed)
    assert stream.header.loop
    start, end = stream.header.loop
    decoder = backends.open_decoder(stream.data, backend)
    expected = decoder.read(stream.header.samples)
    decoder.rewind()
    decoder.set_loop(True)
    np.testing.assert_array_equal(decoder.read(end), expected[:end])
    times = min(3, 1 + 10000 // (end - start))
    np.testing.assert_array_equal(decoder.read(times * (end - start)), np.tile(expected[start:end], times))
    decoder.set_loop(False)
    check_rest(decoder, expected[decoder.position :], np.random.default_rng(seed))


def test_random_streams_reach_everything() -> None:
    """A generator that stops short of a corner would let the tests above pass for nothing."""
    streams = [residual_stream(seed) for seed in SEEDS]
    headers = [stream.header for stream in streams]
    parts = [header.residual for header in headers if header.residual]
    assert len(parts) == len(streams)
    assert {header.noise and header.noise.frame_log2 for header in headers} == {6, 7, 8, 9}
    assert {header.slot_log2 for header in headers} == set(range(6, 13))
    assert len({header.sample_rate for header in headers} & set(SAMPLE_RATES)) > 6
    assert {part.level_step for part in parts} == {0, 1}
    assert {part.fill for part in parts} == set(range(8))
    assert {part.lift_low for part in parts} == {part.lift_high for part in parts} == set(range(8))
    assert {part.tilt for part in parts} >= {0, 15}
    assert min(part.intervals for part in parts) < 8
    assert max(part.intervals for part in parts) == 26
    assert min(part.fine_from for part in parts) == 0
    assert max(part.fine_from for part in parts) > 26
    table = np.concatenate([stream.gaussians["residual"] for stream in streams])
    for layer in (FINE, COEFFICIENT):
        of_layer = table["value"][table["layer"] == layer]
        assert set(of_layer) == set(range(-15, 16)) - {0}
    frames = [frame for stream in streams for frame in frames_by_the_letter(stream.header, stream.gaussians)]
    classes = {quantiser.of_class for frame in frames for quantiser in frame.quantisers.values()}
    assert classes == {None, *range(16)}
    assert {bool(frame.values) for frame in frames} == {True, False}
    fine = [level for frame in frames for level in frame.fine.values()]
    assert min(fine) < -15
    assert max(fine) > 15
    uncoded_frame = [
        (header.samples - 1 >> header.noise.frame_log2) + 1 not in frames_of_slot(header, header.slots - 1)
        for header in headers
        if header.noise
    ]
    assert any(uncoded_frame)
    reaching = 0
    for stream in streams:
        header = stream.header
        starts = [header.segment_slots(g).start << header.slot_log2 for g in range(1, header.segments)]
        for kind in KINDS:
            table = stream.gaussians[kind.name]
            ends = kind.ends(table, header)
            reaching += any(((table["onset"] < start) & (ends > start)).any() for start in starts)
    assert reaching > 10, "few Gaussians reach over the start of a segment"


def test_streams_without_a_residual_are_what_they_were() -> None:
    for path in sorted(FOLDER.glob("*.bin")):
        data = path.read_bytes()
        header, offset = parse_header(data)
        if header.residual is None:
            assert not data[4] & 1 << 5
            assert pack_header(header) == data[:offset]
            assert len(decode_gaussians(data)["residual"]) == 0
    header = dataclasses.replace(header_for(5000, PART), residual=None)
    with pytest.raises(ValueError, match="whose header has none"):
        encode_stream(header, values((1, COEFFICIENT, 3, 1)))


# ---- fields ----


def with_check(head: bytes) -> bytes:
    return head + (zlib.crc32(head) & 0xFFFF).to_bytes(2, "little")


def test_header_bytes() -> None:
    """Five bytes before the check, after those of noise."""
    part = ResidualHeader(
        step=200, tilt=11, intervals=26, fine_from=30, level_step=1, fill=5, lift_low=6, lift_high=3, quiet=99
    )
    header = header_for(1000, part, loop=(2, 129))
    data = pack_header(header)
    assert data[-10:-2] == bytes([7 | 1 << 4, 12, 9, 200, 5 << 5 | 1 << 4 | 11, 6 << 5 | 26, 3 << 5 | 30, 99])
    assert data[4] == 0b100011
    assert parse_header(data) == (header, len(data))
    without = dataclasses.replace(header, residual=None)
    assert len(pack_header(without)) == len(data) - 5
    for field in dataclasses.fields(ResidualHeader):
        for value in (0, 1, getattr(part, field.name)):
            other = dataclasses.replace(header, residual=dataclasses.replace(part, **{field.name: value}))
            assert parse_header(pack_header(other))[0] == other


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"intervals": 27}, r"residual intervals is 27, allowed are 0\.\.26"),
        ({"intervals": 31}, r"residual intervals is 31"),
        ({"noise": None}, r"noise frame \(log2\) under a residual is 0, allowed are 6"),
        ({"frame_log2": 5}, r"noise frame \(log2\) under a residual is 5, allowed are 6"),
    ],
)
def test_illegal_headers_are_refused(change: dict[str, Any], says: str) -> None:
    header = header_for(1000, PART, slot_log2=7)
    head = bytearray(pack_header(header)[:-2])
    if "intervals" in change:
        head[-3] = change["intervals"]
        header = dataclasses.replace(header, residual=dataclasses.replace(PART, **change))
    elif "frame_log2" in change:
        assert header.noise
        head[-8] = change["frame_log2"] | 1 << 4
        header = dataclasses.replace(header, noise=dataclasses.replace(header.noise, **change))
    else:
        head[4] = 0b100001
        del head[-8:-5]
        header = dataclasses.replace(header, **change)
    with pytest.raises(ValueError, match=says):
        pack_header(header)
    data = with_check(bytes(head))
    with pytest.raises(BitstreamError, match=says) as caught:
        parse_header(data)
    assert type(caught.value) is BitstreamError
    assert len(str(caught.value).splitlines()) == 1
    for backend in BACKENDS:
        assert verdict(data, backend).judgement == "corrupt"


@pytest.mark.parametrize(
    "change",
    [
        {"step": 256},
        {"step": -1},
        {"tilt": 16},
        {"intervals": 27},
        {"fine_from": 32},
        {"level_step": 2},
        {"fill": 8},
        {"lift_low": 8},
        {"lift_high": -1},
        {"quiet": 256},
    ],
)
def test_illegal_fields_cannot_be_written(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="illegal"):
        pack_header(header_for(1000, dataclasses.replace(PART, **change)))


@on_each_backend
@pytest.mark.parametrize("kinds", [0b1000011, 0b10000011, 0b1100011, 0b10100011])
def test_other_bits_are_not_known(kinds: int, backend: str) -> None:
    head = bytearray(pack_header(header_for(1000, PART))[:-2])
    head[4] = kinds
    if not kinds & 1 << 5:
        del head[-5:]
    assert verdict(with_check(bytes(head)), backend).judgement == "unsupported"


def test_a_cut_or_changed_header_is_refused() -> None:
    check_changes_of_a_header_are_refused(pack_header(header_for(1000, PART)))


# ---- syntax ----


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ((-1, COEFFICIENT, 3, 1), "outside the clip's frames"),
        ((40, COEFFICIENT, 3, 1), "outside the clip's frames"),
        ((3, 2, 3, 1), "a layer that does not exist"),
        ((3, -1, 3, 1), "a layer that does not exist"),
        ((3, COEFFICIENT, 128, 1), "outside the cells or bins"),
        ((3, COEFFICIENT, -1, 1), "outside the cells or bins"),
        ((4, FINE, 52, 1), "outside the cells or bins"),
        ((3, COEFFICIENT, 3, 0), r"outside 1\.\.15"),
        ((3, COEFFICIENT, 3, 16), r"outside 1\.\.15"),
        ((4, FINE, 51, -16), r"outside 1\.\.15"),
        ((2, COEFFICIENT, 5, 2), "lies in the place of another one"),
        ((3, FINE, 10, 1), "no place"),
        ((4, FINE, 2, 1), "no place"),
        ((4, FINE, 51, 1), "no place"),
        ((3, COEFFICIENT, 127, 1), "no place"),
    ],
)
def test_values_without_a_place_are_refused(row: tuple[int, int, int, int], says: str) -> None:
    """Among others that have one: frame 3 has no fine levels, cell 2 lies below them, cell 51 does not exist at this
    rate, and bin 127 lies above the intervals that have coefficients."""
    header = header_for(5000, dataclasses.replace(PART, intervals=15, fine_from=4))
    others = [(2, COEFFICIENT, 5, 1), (4, FINE, 10, -2), (4, COEFFICIENT, 4, 3), (39, COEFFICIENT, 9, 1)]
    assert len(read_gaussians(write_gaussians(values(*others), header))["residual"]) == len(others)
    with pytest.raises(ValueError, match=says) as caught:
        write_gaussians(values(*others, row), header)
    assert len(str(caught.value).splitlines()) == 1


def test_where_noise_is_soft_there_is_no_place() -> None:
    """A fine level only from a level of 128 on, a coefficient only where the noise is less than two octaves below its
    step."""
    for base, has_place in ((0, False), (1, True)):
        header = header_for(5000, dataclasses.replace(PART, fine_from=0), base=base)
        gaussians = values((4, FINE, 10, 1))
        if has_place:
            assert_same_gaussians(read_gaussians(write_gaussians(gaussians, header)), gaussians)
        else:
            with pytest.raises(ValueError, match="no place"):
                write_gaussians(gaussians, header)
    # Of a level of 1536, 0.7 are 1074.
    for step, has_place in ((184, True), (185, True), (186, False)):
        assert (1074 - 512 + 8 * step < 1536 + 512) == has_place
        header = header_for(5000, dataclasses.replace(PART, step=step), base=12)
        gaussians = values((4, COEFFICIENT, 10, 1))
        if has_place:
            assert_same_gaussians(read_gaussians(write_gaussians(gaussians, header)), gaussians)
        else:
            with pytest.raises(ValueError, match="no place"):
                write_gaussians(gaussians, header)


def test_only_gaussians_of_the_segment_steer() -> None:
    """Noise that began before a segment does not give it places, however long it lasts; tones neither take any."""
    header = header_for(16384, dataclasses.replace(PART, step=200), base=4, seek_slots=8, smallest_scale=8, scales=1)
    loud = NOISE.empty(1)
    loud[0] = 5, -4096, 3, 1, 30, 0, 0
    at = edges_of(header)[8]
    in_first, in_second = (10, COEFFICIENT, at, 2), (34, COEFFICIENT, at, 2)
    assert frames_of_slot(header, header.segment_slots(1).start)[0] == 32
    first = values(in_first).replaced(noise=loud)
    assert_same_gaussians(decode_gaussians(encode_stream(header, first)), first)
    with pytest.raises(ValueError, match="frame 34 has a residual value where"):
        encode_stream(header, values(in_second).replaced(noise=loud))
    whole = dataclasses.replace(header, seek_slots=0)
    both = values(in_first, in_second).replaced(noise=loud)
    assert_same_gaussians(decode_gaussians(encode_stream(whole, both)), both)
    # A loud tone makes the step larger than the noise allows.
    header = dataclasses.replace(header_for(16384, dataclasses.replace(PART, step=100)), seek_slots=8)
    header = dataclasses.replace(header, smallest_scale=8)
    tone = one_tone(8, 0, at << 5, 4095, 0)
    assert len(encode_stream(header, values(in_first, in_second)))
    with pytest.raises(ValueError, match="frame 10 has a residual value where"):
        encode_stream(header, values(in_first).replaced(tone=tone))
    second = values(in_second).replaced(tone=tone)
    assert_same_gaussians(decode_gaussians(encode_stream(header, second)), second)


def test_contexts_of_the_residual_are_not_noted() -> None:
    """What priors are trained on are bits of Gaussians, however many a frame has beside them."""
    size = 512
    header = header_for(4 * size, dataclasses.replace(PART, step=0), frame_log2=9, max_tones=1, max_noises=1)
    rows = [(f, COEFFICIENT, k, 15) for f in range(4) for k in range(size)]
    with_values = encode_stream(header, values(*rows))
    without = encode_stream(dataclasses.replace(header, residual=None), Gaussians())
    assert coded_bits(with_values) == coded_bits(without)


# ---- dequantise and render ----


@functools.cache
def basis(log2: int) -> Floats:
    """Waves of the coefficients of a frame, shape (2N, N), with the signs of SPEC 8.4."""
    size = 1 << log2
    t, k = np.arange(2 * size)[:, None], np.arange(size)
    window = np.sin(np.pi * (t + 0.5) / (2 * size))
    signs = np.where((k + 1) & 2, -1, 1)
    return signs * window * np.cos(np.pi / size * (t + 0.5 + size / 2) * (k + 0.5)) * math.sqrt(2 / size)


def coefficients(pcm: Floats, log2: int, frame: int) -> Floats:
    """Those of a frame of a clip, in output steps."""
    return basis(log2).T @ pcm[(frame - 1) << log2 : (frame + 1) << log2]


def unit_of(step: int, header: StreamHeader) -> float:
    """Output steps that a coefficient of 1 is of a step's level."""
    assert header.noise
    even = header.noise.frame_log2 % 2 == 0
    return 2 ** ((step - 128 * (2 * header.noise.shift - 6 - even)) / 256)


@on_each_backend
@pytest.mark.parametrize("log2", [6, 7, 8, 9])
def test_a_value_is_so_many_waves(log2: int, backend: str) -> None:
    """Alone in a frame, in a clip without noise but what is drawn at its lowest level: half a noise step."""
    header = header_for(
        16 << log2, dataclasses.replace(PART, step=140, lift_low=7, lift_high=7), frame_log2=log2, base=SILENT
    )
    # The lift alone steers: 448, of which 0.7 are 313.
    unit = unit_of(313 + 8 * 140 - 512, header)
    frame, size = 5, 1 << log2
    for k in (0, 1, 2, 3, 5, size // 2, size - 2, size - 1):
        for value in (1, -2, 7, -15, 15):
            pcm = decoded(header, values((frame, COEFFICIENT, k, value)), backend)
            found = coefficients(pcm, log2, frame)
            assert found[k] == pytest.approx(value * unit, rel=0.03, abs=2.5)
            drawn = np.delete(found, k)
            assert np.sqrt(np.mean(drawn**2)) < unit_of(256, header)
            outside = np.ones(len(pcm), np.bool_)
            outside[(frame - 1) << log2 : (frame + 1) << log2] = False
            assert not pcm[outside].any()


@on_each_backend
@pytest.mark.parametrize("log2", [6, 7, 8, 9])
def test_a_fine_level_raises_half_an_interval(log2: int, backend: str) -> None:
    """By 3 or 4 dB a step, from its frame on for four frames, and by half as much, rounded down, for the next four."""
    for level_step, decibels in ((0, 3.01), (1, 4.02)):
        part = dataclasses.replace(PART, intervals=0, fine_from=0, level_step=level_step)
        header = header_for(24 << log2, part, frame_log2=log2, base=14, sample_rate=8000)
        plain = decoded(header, Gaussians(), backend)
        for number in (0, 17, 18, 31):
            cell = next(cell for cell in cells(header, Gaussians(), 8) if cell.number >= number)
            for value in (1, 3, -3):
                pcm = decoded(header, values((8, FINE, cell.number, value)), backend)
                for frame in range(6, 18):
                    steps = 0 if frame < 8 else value >> (frame - 8) // 4
                    power = coefficients(pcm, log2, frame) ** 2 / coefficients(plain, log2, frame) ** 2
                    inside = np.zeros(1 << log2, np.bool_)
                    inside[cell.first : cell.end] = True
                    ratio, rest = (10 * np.log10(np.mean(power[bins])) for bins in (inside, ~inside))
                    assert ratio == pytest.approx(steps * decibels, abs=0.6)
                    assert rest == pytest.approx(0, abs=0.1)


@on_each_backend
@pytest.mark.parametrize("log2", [6, 7, 8, 9])
def test_loud_values_saturate(log2: int, backend: str) -> None:
    """In the highest octave a frame has no room for all values: the larger ones are as loud as it goes, with their
    sign."""
    header = header_for(12 << log2, dataclasses.replace(PART, step=255), frame_log2=log2, base=40, shift=9)
    unit = unit_of(14 * 256 - 1, header)
    # The transform keeps so much of a spectrum as loud as this.
    rounding = unit * (0.03 + math.sqrt(1 << log2) * 10 ** (-50 / 20))
    for k in (3, (1 << log2) - 1):
        found = []
        for value in range(1, 16):
            heights = [
                coefficients(decoded(header, values((5, COEFFICIENT, k, sign * value)), backend), log2, 5)[k]
                for sign in (1, -1)
            ]
            assert heights[0] == pytest.approx(-heights[1], abs=2 * rounding)
            found.append(heights[0])
        assert found[0] == pytest.approx(unit, abs=rounding)
        assert found[1] == pytest.approx(2 * unit, abs=rounding)
        np.testing.assert_array_equal(found[2:], found[2])
        assert found[2] == pytest.approx(2 * unit * 32767 / 32066, abs=rounding)
    # All of them at once are beyond what a sample holds.
    every = values(*[(f, COEFFICIENT, k, 15) for f in range(12) for k in range(1 << log2)])
    loud = header_for(12 << log2, dataclasses.replace(PART, step=255), frame_log2=log2, base=40, shift=1)
    pcm = decoded(loud, every, backend)
    np.testing.assert_array_equal(pcm, decoded_by_the_letter(loud, every))
    assert pcm.max() == 32767
    assert pcm.min() == -32768


def test_levels_are_limited() -> None:
    """The sharpest fine levels that there are, up and down, on the loudest and softest noise."""
    part = dataclasses.replace(PART, fine_from=0, level_step=1, fill=7, lift_low=7, lift_high=7)
    for base in (1, 2, 28, 127):
        for log2 in (6, 9):
            header = header_for(20 << log2, part, frame_log2=log2, base=base)
            for value in (-15, 15):
                rows = [
                    (f, FINE, cell.number, value) for f in range(0, 20, 4) for cell in cells(header, Gaussians(), f)
                ]
                expected = decoded_by_the_letter(header, values(*rows))
                np.testing.assert_array_equal(decoded(header, values(*rows)), expected)


def test_a_quiet_frame_has_smaller_steps() -> None:
    """By half an octave: 132 / 256."""
    steps = []
    for quiet in (0, 96, 97):
        header = header_for(2000, dataclasses.replace(PART, step=100, quiet=quiet), base=12)
        pcm = decoded(header, values((5, COEFFICIENT, 50, 15)))
        steps.append(coefficients(pcm, 7, 5)[50])
    # The total is 1536, 96 sixteenths of an octave.
    assert steps[0] == steps[1]
    assert steps[2] == pytest.approx(steps[0] * 2 ** (-132 / 256), rel=0.03)


def test_noise_between_coefficients_is_lowered() -> None:
    """By what the quantiser left out there, and by the fill, 0.75 dB a step; more where the step is small."""

    def drawn(step: int, fill: int) -> float:
        header = header_for(2600, dataclasses.replace(PART, step=step, fill=fill), base=16)
        pcm = decoded(header, Gaussians())
        found = [coefficients(pcm, 7, frame)[10:110] for frame in range(4, 18)]
        return 20 * math.log10(float(np.sqrt(np.mean(np.square(found)))))

    unlowered = 20 * math.log10(unit_of(2048, header_for(6000, PART)))
    coarse = drawn(200, 0)
    assert coarse == pytest.approx(unlowered, abs=0.6)
    for fill in (1, 4, 7):
        assert drawn(200, fill) - coarse == pytest.approx(-0.75 * fill, abs=0.5)
    assert drawn(100, 0) < coarse - 2
    assert drawn(40, 0) < drawn(100, 0) - 2


# ---- damage ----


def needed_from(header: StreamHeader, frame: int) -> int:
    assert header.noise
    return max(0, (frame - 1) * header.noise.frame_samples)


def last_frame(header: StreamHeader, segment: int) -> int:
    return frames_of_slot(header, header.segment_slots(segment).stop - 1)[-1]


def expected_of(stream: RandomStream) -> npt.NDArray[np.int16]:
    return decoded_by_the_letter(stream.header, stream.gaussians)


@on_each_backend
@pytest.mark.parametrize("seed", SHORT)
def test_truncation_at_every_byte(seed: int, backend: str) -> None:
    stream = residual_stream(seed)
    expected = expected_of(stream)
    longest = 0
    for length in range(len(stream.data)):
        judgement, pcm = verdict(stream.data[:length], backend, block=97)
        assert judgement == "corrupt"
        np.testing.assert_array_equal(pcm, expected[: len(pcm)])
        assert len(pcm) >= longest
        longest = len(pcm)
        with pytest.raises(BitstreamError):
            read_gaussians(stream.data[:length])
    assert longest > 0


@on_each_backend
@pytest.mark.parametrize("seed", SHORT)
def test_flipped_bits(seed: int, backend: str) -> None:
    stream = residual_stream(seed)
    random = np.random.default_rng(seed)
    body = parse_header(stream.data)[1]
    for bit in random.choice(8 * len(stream.data), 80, replace=False).tolist():
        damaged = bytearray(stream.data)
        damaged[bit // 8] ^= 1 << (bit % 8)
        judgement, pcm = verdict(bytes(damaged), backend)
        assert judgement == "corrupt" or (judgement == "unsupported" and bit // 8 == 2)
        assert len(pcm) == 0 or bit // 8 >= body
        assert len(pcm) < stream.header.samples


@on_each_backend
@pytest.mark.parametrize("seed", SEGMENTED[:12])
def test_a_wrong_crc_is_found_before_the_last_frame_of_its_segment(seed: int, backend: str) -> None:
    stream = residual_stream(seed)
    header, expected = stream.header, expected_of(stream)
    body = parse_header(stream.data)[1]
    for segment in list(iterate_segments(stream.data, header, body))[:: 1 + header.segments // 6]:
        damaged = bytearray(stream.data)
        damaged[segment.end - segment.length - 1] ^= 0x10
        judgement, pcm = verdict(bytes(damaged), backend, block=97)
        assert judgement == "corrupt"
        safe = min(needed_from(header, last_frame(header, segment.index)), header.samples)
        np.testing.assert_array_equal(pcm, expected[:safe])
        # What lies behind it still plays.
        reach = header.longest_support + (header.noise.frame_samples if header.noise else 0) + 192
        start = (header.segment_slots(segment.index).stop << header.slot_log2) + reach
        if start < header.samples:
            decoder = backends.open_decoder(bytes(damaged), backend)
            decoder.seek(start)
            np.testing.assert_array_equal(decoder.read(header.samples), expected[start:])


@on_each_backend
@pytest.mark.parametrize("seed", SHORT)
def test_extra_bytes(seed: int, backend: str) -> None:
    stream = residual_stream(seed)
    header, expected = stream.header, expected_of(stream)
    body = parse_header(stream.data)[1]
    longer = [bytes(segment.data) for segment in iterate_segments(stream.data, header, body)]
    longer[-1] += b"\x01\x02\x03\x04\x05"
    for data in (stream.data + b"\0", build_stream(header, longer)):
        judgement, pcm = verdict(data, backend)
        assert judgement == "corrupt"
        np.testing.assert_array_equal(pcm, expected[: needed_from(header, last_frame(header, header.segments - 1))])


@on_each_backend
def test_more_gaussians_than_the_class_allows(backend: str) -> None:
    """They are held until a slot begins a frame behind them."""
    header = header_for(6000, PART, frame_log2=9, max_tones=1)
    onsets = ((-8, 504, False), (0, 1016, False), (0, 1024, True), (480, 1024, True), (488, 1024, False))
    for first, second, fits in (*onsets, (488, 1536, True)):
        tones = np.concatenate([one_tone(0, onset, 3, 100, 0) for onset in (first, second)])
        gaussians = Gaussians(tone=tones)
        assert (most_held(tones, header, TONE) == 1) == fits
        data = encode_stream(header, gaussians)
        expected = decoded_by_the_letter(header, gaussians)
        judgement, pcm = verdict(data, backend)
        assert judgement == ("sound" if fits else "corrupt")
        slot_before = second // 512 * 512 - 512
        np.testing.assert_array_equal(pcm, expected if fits else expected[: max(0, slot_before)])


@st.composite
def hostile_streams(draw: st.DrawFn) -> bytes:
    """Whole headers, segments with the right CRC, and anything in them."""
    stream = residual_stream(draw(st.sampled_from(SEEDS)))
    samples = draw(st.integers(1, 3000) | st.just(stream.header.samples) | st.just(container.MAX_VARINT))
    header = dataclasses.replace(
        stream.header,
        samples=samples,
        loop=None,
        seek_slots=draw(st.sampled_from([0, 1, 2, 7])),
        max_tones=draw(st.sampled_from([1, 30, 4096])),
    )
    out = bytearray(pack_header(header))
    for _ in range(min(header.segments, 4)):
        payload = draw(st.binary(max_size=60) | st.binary(max_size=12).map(lambda piece: 20 * piece))
        out += write_varint(len(payload)) + zlib.crc32(payload).to_bytes(4, "little") + payload
    return bytes(out)


@st.composite
def mutated_streams(draw: st.DrawFn) -> bytes:
    """Legal streams with bytes changed, left out or put in."""
    data = bytearray(residual_stream(draw(st.sampled_from(SEEDS))).data[:600])
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data) - 1))
        data[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
        data = data or bytearray(b"G")
    if draw(st.booleans()):
        length = draw(st.integers(10, 32))
        data[:length] = with_check(bytes(data[: length - 2]))
    return bytes(data)


@on_each_backend
@settings(max_examples=200)
@given(data=hostile_streams() | mutated_streams())
def test_any_bytes_get_a_verdict(data: bytes, backend: str) -> None:
    """And nothing else: a verdict is what is left of the errors that a decoder may raise."""
    assert verdict(data, backend, most=6000).judgement in ("sound", "corrupt", "unsupported")


@on_each_backend
def test_damage_shows_again_at_every_read(backend: str) -> None:
    stream = residual_stream(SEGMENTED[0])
    check_damage_shows_again(stream.data, backend, expected_of(stream))


# ---- cost ----


def test_cost_counted_by_hand() -> None:
    """A tone of 32 samples, a noise of four frames and three values, in frames of 64."""
    header = header_for(640, dataclasses.replace(PART, intervals=2, fine_from=3), 6, sample_rate=8000, slot_log2=6)
    table = NOISE.empty(1)
    table[0] = 0, 64, 0, 4, 5, 0, 0
    both = values((4, FINE, 8, 1), (4, COEFFICIENT, 0, -1), (4, COEFFICIENT, 1, 3))
    both = both.replaced(noise=table, tone=one_tone(0, 312, 3, 40, 1))
    assert_same_gaussians(decode_gaussians(encode_stream(header, both)), both)
    frame = 64 * (6 + 5) + 2 * 25 + 2 * 52
    # The noise lasts in frames 2, 3 and 4, once for its levels and once for the residual.
    noise = 2 * (3 + 2 * 3)
    # The tone, of samples 312 to 343, lies in frames 4, 5 and 6; of those only frame 4's window ends within it.
    tone_steers = 6
    # Interval 0 has the bin of 78 Hz and those below, interval 1 up to that of 179 Hz; a bin is 62.5 Hz.
    assert edges_of(header)[:3] == [0, 1, 2]
    coded = 3 * 4 + 3 * 2
    costs = dict.fromkeys(range(11), frame)
    for f in (2, 3, 4):
        costs[f] += noise
    for f in (4, 5, 6):
        costs[f] += tone_steers
    costs[4] += coded
    # The last frame, centred on the clip's end, is in no slot.
    costs[10] -= 2 * 52
    macs = np.zeros(640, int)
    for f, of_frame in costs.items():
        macs[max(0, 64 * (f - 1))] += of_frame
    # Tones by 4.5, in blocks 4 and 5, and the filters; the slots of both Gaussians 64 samples before they begin.
    macs[256] += 8 + 4 * 8
    macs[320] += 24 + 4 * 24
    for block in range(-2, 10):
        macs[max(0, 64 * block)] += 224
    macs[0] += 32
    macs[192] += 32
    np.testing.assert_array_equal(cost.macs_each_sample(both, header, 0, 640), macs)
    np.testing.assert_array_equal(cost.macs_each_sample(both, header, 100, 500), macs[100:500])
    ends_of_scales = 1 + 6
    worst = max(macs[n : n + 160].sum() for n in range(481))
    mean, peak = cost.macs_per_sample(both, header)
    assert peak == pytest.approx((worst + 4 * ends_of_scales) / 160)
    assert mean == pytest.approx((macs.sum() + ends_of_scales * (header.slots + header.lead_slots)) / 640)


@pytest.mark.parametrize("seed", SEEDS)
def test_cost_of_the_letter(seed: int) -> None:
    """What a residual adds, and that the header's peak covers every 20 ms of it."""
    stream = residual_stream(seed)
    header = stream.header
    macs = cost.macs_each_sample(stream.gaussians, header, 0, header.samples)
    expected = np.zeros(header.samples, np.int64)
    for f, of_frame in macs_by_the_letter(header, stream.gaussians).items():
        expected[needed_from(header, f)] += of_frame
    # Slots are needed at other samples without a residual.
    kinds = np.zeros(header.samples, np.int64)
    for kind in header.kinds:
        table = stream.gaussians[kind.name]
        kinds += kind.macs(table, header, 0, header.samples) + cost.slot_macs(table, header, 0, header.samples)
    np.testing.assert_array_equal(macs - kinds, expected)
    window = cost.macs_window(header.sample_rate)
    sums = np.concatenate([[0], np.cumsum(macs)])
    worst = (sums[window:] - sums[:-window]).max(initial=0) if header.samples >= window else sums[-1]
    assert worst <= header.peak_macs * window


@pytest.mark.parametrize("block", [1, 100, 161, 1000])
def test_blocks_change_no_cost(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    stream = next(one for one in map(residual_stream, SEEDS) if 1000 < one.header.samples < 3000)
    whole = cost.macs_per_sample(stream.gaussians, stream.header)
    monkeypatch.setattr(cost, "_SPAN_SAMPLES", block)
    assert cost.macs_per_sample(stream.gaussians, stream.header) == pytest.approx(whole)


def test_a_residual_costs_nothing_where_there_is_none() -> None:
    stream = next(one for one in map(random_stream, range(200)) if one.header.noise and one.gaussians.total > 50)
    assert stream.header.peak_macs == math.ceil(cost.macs_per_sample(stream.gaussians, stream.header)[1])
    assert has_fine(header_for(100, dataclasses.replace(PART, fine_from=0)), Cell(0, 0, 1, 128, 0))
