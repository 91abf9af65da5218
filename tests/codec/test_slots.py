"""Step 3, slots: what is coded is decoded, at every corner of the syntax, by both decoders, tones and noises alike."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from gaussian_tables import assert_same_gaussians, gathered, in_order
from hypothesis import given
from hypothesis import strategies as st

import audio_gs
from audio_gs.backends import open_decoder
from audio_gs.codec.container import StreamHeader
from audio_gs.codec.decoder import decode_gaussians
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.kinds import NOISE, TONE
from audio_gs.codec.kinds.noise import NoiseHeader
from audio_gs.codec.range_coder import DECODER_FIELDS, start_decoder
from audio_gs.codec.slots import SlotReader, encode_slots, encode_stream, initial_contexts
from audio_gs.codec.tables import LARGEST_AMPLITUDE, phase_bits

Table = npt.NDArray[Any]

SAMPLES = 5000


def header_with(**changes: int) -> StreamHeader:
    fields: dict[str, Any] = {
        "samples": SAMPLES,
        "slot_log2": 9,
        "smallest_scale": 1,
        "scales": 6,
        "max_tones": 4096,
        **changes,
    }
    return StreamHeader(sample_rate=16000, amplitude_step=40, output_shift=2, peak_macs=0, **fields)


def one(scale: int, onset: int = 0, bin_: int = 0, amplitude: int = 1, phase: int = 0) -> Table:
    table = TONE.empty(1)
    table[0] = scale, onset, bin_, amplitude, phase, 0, 0
    return table


def noisy(frame_log2: int = 6, **changes: int) -> StreamHeader:
    return dataclasses.replace(header_with(**changes), noise=NoiseHeader(frame_log2, 4, 10, 255))


def one_noise(scale: int, onset: int = 0, width: int = 0, place: int = 0, weight: int = 1) -> Table:
    table = NOISE.empty(1)
    table[0] = scale, onset, width, place, weight, 0, 0
    return table


def check_round_trip(header: StreamHeader, *tables: Table) -> None:
    gaussians = gathered(*tables)
    data = encode_stream(header, gaussians)
    assert_same_gaussians(decode_gaussians(data), in_order(gaussians, header.slot_log2))
    c, numba = open_decoder(data, "c"), open_decoder(data, "numba")
    for _ in range(header.slots):
        np.testing.assert_array_equal(c.read(header.slot_samples), numba.read(header.slot_samples))
        assert c.state() == numba.state()


@pytest.mark.parametrize("scale", range(12))
@pytest.mark.parametrize("slot_log2", [5, 9, 12])
def test_corners_of_every_scale(scale: int, slot_log2: int) -> None:
    """Lowest and highest bin, first and last position in a slot, smallest and largest amplitude and phase."""
    hop, highest = 8 << scale, (16 << scale) - 1
    first = max(hop, 1 << slot_log2)
    last = first + max(0, (1 << slot_log2) - hop)
    header = header_with(slot_log2=slot_log2, smallest_scale=scale, scales=1, samples=last + 100)
    longest_phase = (1 << phase_bits()[LARGEST_AMPLITUDE]) - 1
    check_round_trip(
        header,
        one(scale, first, 0),
        one(scale, first, highest, LARGEST_AMPLITUDE, longest_phase),
        one(scale, last, highest, 1, 7),
        one(scale, last, highest),
    )
    check_round_trip(header, one(scale, last, highest, LARGEST_AMPLITUDE, longest_phase))


def test_every_amplitude() -> None:
    """All indices, hence all lengths of the code and of the phase, 5 Gaussians to a slot."""
    header = header_with(slot_log2=5, smallest_scale=0, scales=1)
    slots = header.slots + header.lead_slots
    for first in range(1, LARGEST_AMPLITUDE + 1, 5 * slots):
        amplitude = np.arange(first, min(first + 5 * slots, LARGEST_AMPLITUDE + 1))
        table = TONE.empty(len(amplitude))
        index = np.arange(len(amplitude))
        table["onset"] = 32 * (index // 5 - header.lead_slots)
        table["bin"] = index % 5
        table["amplitude"] = amplitude
        table["phase"] = (1 << phase_bits()[amplitude]) - 1
        check_round_trip(header, table)


@pytest.mark.parametrize("scale", range(6))
@pytest.mark.parametrize(("slot_log2", "frame_log2"), [(5, 5), (9, 5), (9, 9), (12, 7)])
def test_corners_of_every_scale_of_noise(scale: int, slot_log2: int, frame_log2: int) -> None:
    """Every width, first and last place, first and last position in a slot, smallest and largest weight."""
    hop = 1 << (scale + frame_log2)
    first = max(hop, 1 << slot_log2)
    last = first + max(0, (1 << slot_log2) - hop)
    header = noisy(frame_log2, slot_log2=slot_log2, smallest_scale=0, scales=1, samples=last + 100)
    corners = [
        one_noise(scale, onset, width, place, weight)
        for onset in (first, last)
        for width in range(4)
        for place in (0, (32 >> width) - 1)
        for weight in (-63, -1, 1, 63)
    ]
    check_round_trip(header, *corners)
    check_round_trip(header, corners[-1])
    earliest = -hop * max(4, (1 << slot_log2) // hop)
    check_round_trip(header, one_noise(scale, earliest))


def test_every_place_and_weight() -> None:
    header = noisy(5, slot_log2=5, smallest_scale=0, scales=1, samples=9000)
    weights = [weight for weight in range(-63, 64) if weight]
    places = [(width, place) for width in range(4) for place in range(32 >> width)]
    tables = [one_noise(0, 32 * n, *places[n % len(places)], weight) for n, weight in enumerate(weights)]
    tables += [one_noise(0, 32 * (140 + n), *where, 1 + n % 63) for n, where in enumerate(places)]
    check_round_trip(header, *tables)


def test_noises_come_after_the_tones_of_their_slot() -> None:
    header = noisy(slot_log2=9)
    tables = [one_noise(0, 512), one_noise(2, 512, 1, 3), one(1, 512, 4), one(6, 512), one(2, 1024)]
    check_round_trip(header, *tables)
    (payload,) = encode_slots(gathered(*tables), header)
    data, state = np.frombuffer(payload, np.uint8), np.zeros(DECODER_FIELDS, np.int64)
    start_decoder(state, data)
    contexts = {kind: initial_contexts(header, kind) for kind in (TONE, NOISE)}
    before = {kind: np.zeros(kind.scales(header), np.int64) for kind in (TONE, NOISE)}
    found = []
    for slot in range(-header.lead_slots, header.slots):
        for kind in (TONE, NOISE):
            table = kind.empty(9)
            layout = kind.layout(header)
            count = kind.decode_slot(state, data, contexts[kind], before[kind], layout, slot, table, len(table))
            found += [(slot, kind.name, row["scale"]) for row in table[:count]]
    assert found == [(1, "tone", 1), (1, "tone", 6), (1, "noise", 0), (1, "noise", 2), (2, "tone", 2)]


def test_a_stream_without_noise_pays_nothing_for_it() -> None:
    """The Gaussians of a slot are coded alike, whether noise can follow or not."""
    header = header_with(samples=500)
    tones = gathered(one(3, 256, 20, 9, 3), one(4, 0, 30, 20, 5))
    (without,), (with_flags,) = encode_slots(tones, header), encode_slots(tones, noisy(samples=500))
    assert len(without) <= len(with_flags)


def test_equal_gaussians_may_repeat() -> None:
    check_round_trip(header_with(), *[one(3, 512, 20, 9, 3)] * 40)
    check_round_trip(noisy(), *[one_noise(1, 512, 2, 5, -9)] * 40)


def test_long_scales_occur_at_their_hop() -> None:
    header = header_with(slot_log2=5, smallest_scale=5, scales=2)
    for scale, hop in ((5, 256), (6, 512)):
        check_round_trip(header, *[one(scale, n * hop, bin_) for n in range(-3, 6) for bin_ in (0, n + 9)])


@given(st.data())
def test_crowded_slots(data: st.DataObject) -> None:
    """Counts around the limits of the contexts that depend on them."""
    header = header_with(slot_log2=8, smallest_scale=2, scales=3)
    tables: list[Table] = []
    for slot in range(-2, 6):
        for scale in (2, 3, 4):
            count = data.draw(st.sampled_from([0, 0, 1, 2, 3, 4, 8, 15, 16, 17, 40]))
            bins = data.draw(st.integers(0, 15))
            tables += [one(scale, slot * 256, bins + n, 1 + n) for n in range(count)]
    check_round_trip(header, *tables)


@pytest.mark.parametrize(
    ("gaussian", "says"),
    [
        (one(1, -2064), "outside the clip"),
        (one(1, SAMPLES + 120), "outside the clip"),
        (one(1, 1 << 20), "outside the clip"),
        (one(0), "scale"),
        (one(7), "scale"),
        (one(3, 32), "between the hops"),
        (one(6, 256), "between the hops"),
        (one(2, 0, 64), "bin"),
        (one(2, 0, -1), "bin"),
        (one(2, 0, 5, 0), "amplitude"),
        (one(2, 0, 5, LARGEST_AMPLITUDE + 1), "amplitude"),
        (one(2, 0, 5, 2, 8), "phase"),
        (one(2, 0, 5, 2, -1), "phase"),
    ],
)
def test_what_has_no_code_is_refused(gaussian: Table, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        encode_slots(gathered(one(2, 512, 3, 4, 1), gaussian), header_with())


@pytest.mark.parametrize(
    ("gaussian", "says"),
    [
        (one_noise(6), "scale"),
        (one_noise(-1), "scale"),
        (one_noise(0, 0, 4), "width"),
        (one_noise(0, 0, -1), "width"),
        (one_noise(0, 32), "between the hops"),
        (one_noise(3, 256), "between the hops"),
        (one_noise(0, 0, 0, 32), "place"),
        (one_noise(0, 0, 3, 4), "place"),
        (one_noise(0, 0, 1, -1), "place"),
        (one_noise(0, 0, 1, 2, 0), "weight"),
        (one_noise(0, 0, 1, 2, 64), "weight"),
        (one_noise(0, 0, 1, 2, -64), "weight"),
        (one_noise(0, -576), "outside the slots of its scale"),
        (one_noise(5, -10240), "outside the clip"),
        (one_noise(0, SAMPLES + 120), "outside the clip"),
        (one(1, -2048), "outside the slots of tones"),
    ],
)
def test_noise_that_has_no_code_is_refused(gaussian: Table, says: str) -> None:
    header = noisy(smallest_scale=1, scales=2)
    with pytest.raises(ValueError, match=says):
        encode_slots(gathered(one_noise(2, 512, 3, 3, 1), gaussian), header)


def test_other_kinds_have_no_code() -> None:
    with pytest.raises(ValueError, match="whose header has no noise"):
        encode_slots(gathered(one_noise(0)), header_with())
    with pytest.raises(ValueError, match="'chirp' is no kind of Gaussian; there are tone, noise"):
        encode_slots(Gaussians(chirp=one(3)), noisy())


def test_segments_do_not_depend_on_each_other() -> None:
    """The same Gaussians in two segments cost the same bytes: contexts and counts start anew (SPEC C6)."""
    header = header_with(slot_log2=9, smallest_scale=2, scales=2, seek_slots=2)
    tones = [one(2, slot * 512 + 32 * n, 5 + n, 30) for slot in (2, 3, 4, 5) for n in range(4)]
    noises = [one_noise(1, slot * 512, 1, 5 + n, 30) for slot in (2, 3, 4, 5) for n in range(4)]
    with_noise = dataclasses.replace(header, noise=NoiseHeader(5, 4, 10, 255))
    payloads = encode_slots(gathered(*tones, *noises), with_noise)
    assert payloads[1] == payloads[2] != payloads[0]
    payloads = encode_slots(gathered(*tones), header)
    assert payloads[1] == payloads[2] != payloads[0]
    data = encode_stream(header, gathered(*tones))
    reader = SlotReader(data)
    for segment in (2, 1):
        reader.go_to_segment(segment)
        assert len(reader.read_slot({"tone": 100})["tone"]) == 4


def test_more_bits_for_the_phase_of_larger_amplitudes() -> None:
    """The phase's step stays near 1.4 amplitude steps along the circle, so that the plane is quantised evenly."""
    q = np.arange(1, 320)
    step = 2 * np.pi * (q + 3 / 8) / (1 << phase_bits()[q])
    assert step[q > 2].min() > 0.9
    assert step.max() < 2.0


def test_the_c_decoder_gives_the_same_table() -> None:
    """Through its samples: a table with one Gaussian more or less, or one field changed, sounds different."""
    header = header_with(max_tones=8)
    table = np.concatenate([one(3, 512, 20, 300, 3), one(4, 1024, 30, 200, 5)])
    plain = audio_gs.decode(encode_stream(header, gathered(table)))[0]
    for row, (field, change) in enumerate((("bin", 1), ("amplitude", 1), ("phase", 1), ("onset", 512), ("scale", 1))):
        changed = table.copy()
        changed[field][row % 2] += change
        assert (audio_gs.decode(encode_stream(header, gathered(changed)))[0] != plain).any()
