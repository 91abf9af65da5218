"""Tables of Gaussians: what they hold, and streams that are read, changed and written."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from gaussian_tables import assert_same_gaussians, gathered, in_order
from make_vectors import FOLDER
from random_streams import decoded_by_the_letter, most_held, random_stream

import audio_gs
from audio_gs.codec.container import StreamHeader
from audio_gs.codec.cost import macs_per_sample
from audio_gs.codec.kinds import KINDS, NOISE, TONE
from audio_gs.codec.kinds.noise import NoiseHeader
from audio_gs.gaussians import NOISE_DTYPE, PHYSICAL, TONE_DTYPE, Gaussians, physical, read_gaussians, write_gaussians

Table = npt.NDArray[Any]

FITTED = ("speech-3.bin", "speech-6.bin", "music-12.bin", "sfx-12.bin")
HEADER = StreamHeader(
    sample_rate=16000,
    samples=5000,
    slot_log2=9,
    smallest_scale=1,
    scales=6,
    amplitude_step=40,
    output_shift=2,
    max_tones=1,
    peak_macs=0,
)
NOISY = dataclasses.replace(HEADER, noise=NoiseHeader(frame_log2=6, shift=4, base=10, max_noises=1))


def tones(*rows: tuple[int, int, int, int, int]) -> Table:
    return np.array([(*row, 0, 0) for row in rows], TONE_DTYPE)


def noises(*rows: tuple[int, int, int, int, int]) -> Table:
    return np.array([(*row, 0, 0) for row in rows], NOISE_DTYPE)


ONE_TONE = tones((2, 512, 3, 4, 1))
ONE_NOISE = noises((1, 512, 2, 5, -9))


def test_columns() -> None:
    assert TONE_DTYPE.names == ("scale", "onset", "bin", "amplitude", "phase", "side_amplitude", "side_phase")
    assert NOISE_DTYPE.names == ("scale", "onset", "width", "place", "weight", "side_weight", "pan_weight")


def test_a_mapping_from_kinds_to_tables() -> None:
    both = Gaussians({"noise": ONE_NOISE}, tone=np.tile(ONE_TONE, 3))
    assert list(both) == [*(kind.name for kind in KINDS), "residual"]
    assert len(both) == len(KINDS) + 1
    assert both.total == 4
    assert repr(both) == "Gaussians(tone: 3, noise: 1, residual: 0)"
    np.testing.assert_array_equal(both["noise"], ONE_NOISE)
    with pytest.raises(KeyError):
        both["chirp"]


def test_kinds_that_are_not_given_are_empty() -> None:
    for gaussians in (Gaussians(), Gaussians({}), Gaussians(tone=TONE.empty())):
        assert gaussians.total == 0
        for kind in KINDS:
            assert gaussians[kind.name].dtype == kind.dtype
            assert len(gaussians[kind.name]) == 0


def test_replaced_gives_others() -> None:
    before = Gaussians(tone=ONE_TONE)
    after = before.replaced(noise=ONE_NOISE)
    assert_same_gaussians(after, Gaussians(tone=ONE_TONE, noise=ONE_NOISE))
    assert_same_gaussians(after.replaced(tone=TONE.empty()), Gaussians(noise=ONE_NOISE))
    assert_same_gaussians(before, Gaussians(tone=ONE_TONE))


def test_equal_where_all_tables_are() -> None:
    both = gathered(ONE_TONE, ONE_NOISE)
    assert both == gathered(ONE_NOISE.copy(), ONE_TONE.copy())
    assert both != gathered(ONE_TONE)
    assert both != gathered(ONE_TONE, ONE_TONE, ONE_NOISE)
    changed = ONE_NOISE.copy()
    changed["weight"] += 1
    assert both != both.replaced(noise=changed)
    assert both != dict(both)


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        ({"chirp": ONE_TONE}, "'chirp' is no kind of Gaussian; there are tone, noise, residual"),
        ({"tones": ONE_TONE}, "'tones' is no kind of Gaussian"),
        ({"tone": ONE_NOISE}, "the table of tone Gaussians has not the columns"),
        ({"noise": ONE_TONE}, "the table of noise Gaussians has not the columns"),
        ({"tone": np.zeros(3)}, "has not the columns"),
        ({"tone": [(2, 512, 3, 4, 1)]}, "has not the columns"),
        ({"tone": ONE_TONE.astype([(name, "<i8") for name in TONE_DTYPE.names or ()])}, "has not the columns"),
        ({"tone": ONE_TONE.reshape(1, 1)}, "has not the columns"),
        ({"noise": ONE_NOISE[0]}, "has not the columns"),
    ],
)
def test_tables_of_no_kind_are_refused(tables: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        Gaussians(tables)
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(ValueError, match=says):
        Gaussians().replaced(**tables)


@pytest.mark.parametrize("name", FITTED)
def test_what_was_read_is_written_as_it_was(name: str) -> None:
    data = (FOLDER / name).read_bytes()
    header, _ = audio_gs.parse_header(data)
    gaussians = read_gaussians(data)
    assert gaussians.total > 50
    assert write_gaussians(gaussians, header) == data
    # The class follows from the Gaussians, whatever the header says.
    other = dataclasses.replace(header, max_tones=1, peak_macs=9)
    if header.noise:
        other = dataclasses.replace(other, noise=dataclasses.replace(header.noise, max_noises=255))
    assert write_gaussians(gaussians, other) == data


def test_vectors_that_are_written_have_noise_and_segments() -> None:
    streams = [(FOLDER / name).read_bytes() for name in FITTED]
    assert any(len(read_gaussians(data)["noise"]) for data in streams)
    assert any(audio_gs.parse_header(data)[0].segments > 1 for data in streams)


@pytest.mark.parametrize("seed", range(0, 60, 4))
def test_any_gaussians_are_written_and_read(seed: int) -> None:
    """Whatever order they come in; the class is the least that holds them."""
    stream, random = random_stream(seed), np.random.default_rng(seed)
    shuffled = Gaussians({name: random.permutation(table) for name, table in stream.gaussians.items()})
    data = write_gaussians(shuffled, stream.header)
    got = read_gaussians(data)
    assert_same_gaussians(got, in_order(shuffled, stream.header.slot_log2))
    for name, table in got.items():
        np.testing.assert_array_equal(np.sort(table), np.sort(stream.gaussians[name]))
    header = audio_gs.info(data).header
    for kind in header.kinds:
        assert kind.capacity(header) <= kind.capacity(stream.header)
        assert kind.capacity(header) == most_held(got[kind.name], header, kind)
    assert header.peak_macs == int(np.ceil(macs_per_sample(got, header)[1]))
    expected = decoded_by_the_letter(header, got)
    for backend in audio_gs.backends.streaming():
        np.testing.assert_array_equal(audio_gs.decode(data, backend=backend)[0], expected)


def test_tones_that_are_moved_up_are_written_where_they_are() -> None:
    data = (FOLDER / "speech-6.bin").read_bytes()
    header, _ = audio_gs.parse_header(data)
    gaussians = read_gaussians(data)
    tones_below = gaussians["tone"][gaussians["tone"]["bin"] + 2 < 16 << gaussians["tone"]["scale"]]
    higher = tones_below.copy()
    higher["bin"] += 2
    moved = gaussians.replaced(tone=higher)
    changed = write_gaussians(moved, header)
    assert_same_gaussians(read_gaussians(changed), moved)
    was, now = (physical(of_kind, header)["tone"]["frequency"] for of_kind in (Gaussians(tone=tones_below), moved))
    np.testing.assert_allclose(now - was, 2 * header.sample_rate / (32 << higher["scale"]))
    new_header, _ = audio_gs.parse_header(changed)
    np.testing.assert_array_equal(audio_gs.decode(changed)[0], decoded_by_the_letter(new_header, moved))
    assert (audio_gs.decode(changed)[0] != audio_gs.decode(data)[0]).any()


@pytest.mark.parametrize(
    ("table", "header", "says"),
    [
        (tones((7, 0, 0, 1, 0)), HEADER, "scale"),
        (tones((1, 1 << 20, 0, 1, 0)), HEADER, "outside the clip"),
        (tones((3, 32, 0, 1, 0)), HEADER, "between the hops"),
        (tones((2, 0, 64, 1, 0)), HEADER, "bin"),
        (tones((2, 0, 5, 4096, 0)), HEADER, "amplitude"),
        (tones((2, 0, 5, 2, 8)), HEADER, "phase"),
        (noises((6, 0, 0, 0, 1)), NOISY, "scale"),
        (noises((0, 0, 4, 0, 1)), NOISY, "width"),
        (noises((0, 32, 0, 0, 1)), NOISY, "between the hops"),
        (noises((0, 0, 0, 32, 1)), NOISY, "place"),
        (noises((0, 0, 0, 0, 0)), NOISY, "weight"),
        (ONE_NOISE, HEADER, "whose header has no noise"),
    ],
)
def test_what_has_no_words_is_not_written(table: Table, header: StreamHeader, says: str) -> None:
    """Among others that have."""
    others = [ONE_TONE, *([ONE_NOISE] if header.noise else [])]
    assert read_gaussians(write_gaussians(gathered(*others), header)).total == len(others)
    with pytest.raises(ValueError, match=says):
        write_gaussians(gathered(*others, table), header)


def test_the_first_that_has_no_words_is_named() -> None:
    table = tones((2, 512, 3, 4, 1), (3, 64, 5, 9, 0), (3, 32, 5, 9, 0), (3, 96, 5, 9, 0))
    says = r"tone 2 \(scale 3, onset 32, bin 5, amplitude 9, phase 0, .*0\) begins between the hops of its scale"
    with pytest.raises(ValueError, match=says) as caught:
        write_gaussians(gathered(table), HEADER)
    assert len(str(caught.value).splitlines()) == 1


def test_more_at_a_time_than_a_decoder_may_hold_are_not_written() -> None:
    for kind, table, header, most in ((TONE, ONE_TONE, HEADER, 4096), (NOISE, ONE_NOISE, NOISY, 255)):
        data = write_gaussians(gathered(np.tile(table, most)), header)
        assert kind.capacity(audio_gs.parse_header(data)[0]) == most
        with pytest.raises(ValueError, match="illegal header: largest number of"):
            write_gaussians(gathered(np.tile(table, most + 1)), header)


def test_physical_values_of_every_kind_that_may_occur() -> None:
    units = physical(gathered(ONE_TONE, ONE_NOISE), NOISY)
    assert list(units) == ["tone", "noise"]
    assert all(table.dtype == PHYSICAL and len(table) == 1 for table in units.values())
    assert list(physical(gathered(ONE_TONE), HEADER)) == ["tone"]
