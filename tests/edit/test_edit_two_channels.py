"""Edits of clips with two channels: what follows the mid, where Gaussians are turned to, and what is joined."""

from __future__ import annotations

import dataclasses
import functools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner
from decoders import common_verdict
from gaussian_tables import assert_same_gaussians, in_order
from hypothesis import given, settings
from hypothesis import strategies as st
from make_vectors import FOLDER, STEREO_FOLDER
from random_streams import stereo_stream

import audio_gs
from audio_gs import edit
from audio_gs.cli import gs_edit
from audio_gs.codec.container import StreamHeader, parse_header
from audio_gs.codec.kinds import NOISE, TONE
from audio_gs.codec.kinds.noise import NoiseHeader
from audio_gs.codec.stereo import PanningHeader
from audio_gs.gaussians import Gaussians, pans, read_gaussians, write_gaussians

Samples = npt.NDArray[np.float64]
Table = npt.NDArray[Any]

RATE = 16000
HOP = 8 << 5
"""Of tones of scale 5."""
HEADER = StreamHeader(
    sample_rate=RATE,
    samples=RATE,
    slot_log2=9,
    smallest_scale=1,
    scales=6,
    amplitude_step=64,
    output_shift=0,
    max_tones=1,
    peak_macs=0,
)
NOISY = dataclasses.replace(HEADER, noise=NoiseHeader(frame_log2=6, shift=4, base=16, max_noises=1))
PANNED = dataclasses.replace(NOISY, channels=2, panning=PanningHeader(side_step=0, side_base=-4))
BOTH_KINDS = ["tone", "noise"]


def vector(name: str, seconds: float = 1.2) -> bytes:
    return edit.edited((FOLDER / name).read_bytes(), [{"cut": {"to": seconds}}])


@functools.cache
def mono(name: str = "speech-6.bin") -> bytes:
    return vector(name)


@functools.cache
def panned(name: str = "speech-6.bin") -> bytes:
    """A clip with a voice to the right and wide noise."""
    clip = edit.clip_of(edit.edited(mono(name), [{"pan": {"position": 0.5, "kind": "tone"}}]))
    assert clip.header.panning
    header = dataclasses.replace(clip.header, panning=dataclasses.replace(clip.header.panning, side_base=-2))
    noises = clip.noises.copy()
    noises["pan_weight"][::3], noises["side_weight"][::4] = -3, 2
    return edit.stream_of(dataclasses.replace(clip, header=header, noises=noises))


def tones_at(onsets: npt.ArrayLike, **columns: int) -> Table:
    onsets = np.asarray(onsets)
    table = TONE.empty(len(onsets))
    for name, value in {"scale": 5, "bin": 60, "amplitude": 80, "phase": 21, **columns}.items():
        table[name] = value
    table["onset"] = onsets
    return table


def steady(header: StreamHeader = HEADER, **columns: int) -> bytes:
    return write_gaussians(Gaussians(tone=tones_at(np.arange(0, 14000, HOP), **columns)), header)


def decoded(data: bytes, is_mono: bool = False) -> Samples:
    return audio_gs.decode(data, mono=is_mono)[0].astype(np.float64)


def between_db(data: bytes, start: float = 0, stop: float | None = None) -> float:
    """By how much right is louder than left."""
    rate = parse_header(data)[0].sample_rate
    part = decoded(data)[int(start * rate) : None if stop is None else int(stop * rate)]
    left, right = np.sqrt(np.mean(part**2, axis=0))
    return float(20 * np.log10(max(right, 1e-3) / max(left, 1e-3)))


def levels(samples: Samples) -> Samples:
    return 10 * np.log10(np.mean(samples**2, axis=0) + 1e-9)


def coherence(samples: Samples) -> float:
    left, right = samples.T
    return float(left @ right / np.sqrt((left @ left) * (right @ right)))


def check_agreement(data: bytes) -> None:
    assert common_verdict(data).judgement == "sound"


# ---- what is not touched ----


@pytest.mark.parametrize("name", ["direction-20.bin", "noise-22.bin", "residual-34.bin", "tones-30.bin"])
def test_no_edit_gives_the_same_sound(name: str) -> None:
    data = (STEREO_FOLDER / name).read_bytes()
    same = edit.edited(data, [])
    np.testing.assert_array_equal(decoded(same), decoded(data))
    before, after = (in_order(read_gaussians(of), parse_header(data)[0].slot_log2) for of in (data, same))
    assert_same_gaussians(after, before)


def test_steps_that_change_nothing_change_nothing() -> None:
    script = [{"transpose": {"semitones": 0}}, {"scale": {"gain_db": 0}}, {"stretch": {"factor": 1}}, {"move": None}]
    assert edit.edited(panned(), script) == panned()


@pytest.mark.parametrize(
    "step",
    [
        {"drop": {"from": 0.6, "to": 0.7, "kind": "tone"}},
        {"scale": {"gain_db": -6, "from": 0.6, "to": 0.7, "kind": "tone"}},
        {"transpose": {"semitones": 3, "from": 0.6, "to": 0.7, "kind": "tone"}},
        {"pan": {"position": -0.7, "from": 0.6, "to": 0.7, "kind": "tone"}},
        {"pan": {"position": -0.7, "from": 0.6, "to": 0.7}},
    ],
)
def test_away_from_an_edit_all_is_as_it_was(step: dict[str, Any]) -> None:
    """The longest tone lasts 0.26 s, the longest noise 1 s, most noises a tenth of that."""
    before, after = decoded(panned()), decoded(edit.edited(panned(), [step]))
    changed = np.flatnonzero((before != after).any(axis=1)) / 8000
    assert changed.size
    reach = 0.15 if "kind" in next(iter(step.values())) else 0.5
    assert 0.6 - reach < changed[0]
    assert changed[-1] < 0.7 + reach


# ---- pan ----


@pytest.mark.parametrize("position", [-1.0, -0.5, 0.0, 0.3, 1.0])
def test_a_tone_is_heard_where_it_is_panned_to(position: float) -> None:
    data = edit.edited(steady(), [{"pan": {"position": position, "kind": "tone"}}])
    near, far = 1.0, 1 - abs(position)
    expected = 20 * np.log10(max(far, 1e-9) / near) * -np.sign(position)
    assert abs(np.clip(between_db(data), -60, 60) - np.clip(expected, -60, 60)) < 0.2
    np.testing.assert_array_equal(decoded(data, is_mono=True), decoded(steady()))
    header = parse_header(data)[0]
    np.testing.assert_allclose(pans(read_gaussians(data), header)["tone"], position, atol=0.02)
    check_agreement(data)


@pytest.mark.parametrize("db", [-20.0, 6.0])
def test_a_place_is_given_in_decibels_too(db: float) -> None:
    assert abs(between_db(edit.edited(steady(), [{"pan": {"db": db, "kind": "tone"}}])) - db) < 0.4
    assert abs(between_db(edit.edited(steady(), [{"pan": {"db": db}}])) - db) < 0.4


@pytest.mark.parametrize("name", ["speech-6.bin", "speech-8.bin", "music-12.bin"])
@pytest.mark.parametrize("position", [-1.0, 0.5])
def test_tones_and_noises_are_panned_and_panned_back(name: str, position: float) -> None:
    there = edit.edited(mono(name), [{"pan": {"position": position, "kind": BOTH_KINDS}}])
    expected = 20 * np.log10(1 / max(1 - abs(position), 0.01)) * np.sign(position)
    assert abs(np.clip(between_db(there), -40, 40) - expected) < 0.7
    check_agreement(there)
    back = edit.edited(there, [{"pan": {"position": 0, "kind": BOTH_KINDS}}])
    assert_same_gaussians(read_gaussians(back), read_gaussians(mono(name)))
    left, right = decoded(back).T
    np.testing.assert_array_equal(left, right)
    np.testing.assert_array_equal(left, decoded(mono(name)))


def test_a_whole_clip_is_panned_by_its_direction() -> None:
    for data in (mono(), panned()):
        turned = edit.edited(data, [{"pan": {"position": 1}}])
        header = parse_header(turned)[0]
        assert (header.channels, header.direction, header.panning) == (2, 128, None)
        assert len(turned) <= len(mono()) + 2
        np.testing.assert_array_equal(decoded(turned)[:, 1], decoded(data, is_mono=True))
        assert not decoded(turned)[:, 0].any()


def test_the_direction_of_the_clip_is_respected() -> None:
    """A place is one between left and right, wherever the mid is."""
    for clip_position in (-0.6, 0.4, 1.0):
        clip = edit.edited(steady(), [{"pan": {"position": clip_position}}])
        for position in (-1.0, -0.2, 0.5, 1.0):
            data = edit.edited(clip, [{"pan": {"position": position, "kind": "tone"}}])
            assert parse_header(data)[0].direction == parse_header(clip)[0].direction
            expected = np.clip(-np.sign(position) * 20 * np.log10(max(1 - abs(position), 1e-3)), -30, 30)
            assert abs(np.clip(between_db(data), -30, 30) - expected) < 1
            # The louder one of mid and side is as loud as the mid was, so nothing is more than 3 dB louder.
            power = 10 * np.log10(np.mean(decoded(data) ** 2) / np.mean(decoded(clip) ** 2))
            assert -0.2 < power < 3.2


def test_a_part_of_the_noise_is_panned() -> None:
    noise = edit.edited(panned(), [{"select": {"kind": "noise"}}])
    data = edit.edited(noise, [{"pan": {"position": -1, "from": 0.5, "to": 0.9, "kind": "noise"}}])
    assert between_db(data, 0.55, 0.85) < -12
    assert abs(between_db(data, 0, 0.4) - between_db(noise, 0, 0.4)) < 1
    np.testing.assert_allclose(levels(decoded(data, is_mono=True)), levels(decoded(noise, is_mono=True)), atol=0.1)
    check_agreement(data)


def test_what_has_a_side_alone_comes_back_from_it() -> None:
    data = steady(dataclasses.replace(HEADER, channels=2, panning=PanningHeader(0, -128)), amplitude=1, phase=0)
    gaussians = read_gaussians(data)
    tones = gaussians["tone"].copy()
    tones["side_amplitude"] = 80
    loud = write_gaussians(gaussians.replaced(tone=tones), parse_header(data)[0])
    middle = edit.edited(loud, [{"pan": {"position": 0, "kind": "tone"}}])
    assert not read_gaussians(middle)["tone"]["side_amplitude"].any()
    np.testing.assert_allclose(levels(decoded(middle)), levels(decoded(loud)), atol=0.3)


def test_the_residual_layer_stays_and_a_note_says_so() -> None:
    clip = edit.clip_of(mono("speech-8.bin"))
    turned = edit.pan(clip, 0.5, edit.Selection(start=0.2))
    assert turned.notes == ("the residual layer stays in the direction of the clip",)
    with pytest.raises(edit.EditError, match="the residual layer lies in the direction of the clip; pan tones and noi"):
        edit.pan(clip, 0.5, edit.Selection(kinds=("residual",)))
    assert edit.pan(clip, 0.5).notes == ()


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("- pan: {position: 1.5}", r"step 1, pan: position is 1.5, allowed are -1\.\.1"),
        ("- pan: {position: -1.01}", r"step 1, pan: position is -1.01, allowed are -1\.\.1"),
        ("- pan: {db: 61}", r"step 1, pan: db is 61, allowed are -60\.\.60"),
        ("- pan", r"step 1, pan: needs a position, -1\.\.1, or db, one of the two"),
        ("- pan: {kind: tone}", r"step 1, pan: needs a position, -1\.\.1, or db, one of the two"),
        ("- pan: {position: 0, db: 0}", r"step 1, pan: needs a position, -1\.\.1, or db, one of the two"),
        ("- pan: {position: left}", "step 1, pan: position must be a number, not 'left'"),
        ("- pan: {position: .nan}", "step 1, pan: position must be a number, not nan"),
    ],
)
def test_pans_that_are_none(script: str, says: str) -> None:
    with pytest.raises(edit.ScriptError, match=says) as caught:
        edit.parse_script(script)
    assert len(str(caught.value).splitlines()) == 1


def test_pans_out_of_range_are_refused_by_the_function_too() -> None:
    clip = edit.clip_of(steady())
    for arguments in ({"position": 2}, {"position": float("nan")}, {"db": 100}, {}, {"position": 0, "db": 0}):
        with pytest.raises(ValueError, match=r"allowed are|one of the two"):
            edit.pan(clip, **arguments)


def test_sides_that_are_too_loud_are_refused() -> None:
    """Another tone has a side already, so the step of sides is what it is."""
    header = dataclasses.replace(HEADER, amplitude_step=1, channels=2, panning=PanningHeader(0, -128))
    tones = np.concatenate([tones_at([0], side_amplitude=3), tones_at([8192], amplitude=4000)])
    data = write_gaussians(Gaussians(tone=tones), header)
    with pytest.raises(edit.EditError, match="the amplitude index of the side 4000, and the highest is 1023") as caught:
        edit.edited(data, [{"pan": {"position": 1, "from": 0.3}}])
    assert len(str(caught.value).splitlines()) == 1
    # Where no other one has, the step is one that they fit.
    clip = edit.pan(edit.clip_of(data), 1, edit.Selection(kinds=("tone",)))
    assert clip.header.panning
    assert clip.header.panning.side_step == 8


def test_noise_is_not_turned_by_more_than_the_format_can() -> None:
    noises = NOISE.empty(1)
    noises["weight"], noises["scale"], noises["width"] = 3, 2, 1
    data = write_gaussians(Gaussians(noise=noises), NOISY)
    left = edit.edited(data, [{"pan": {"position": -1}}])
    with pytest.raises(
        edit.EditError, match="noise is at most 45 degrees from the direction of its clip, here 0"
    ) as no:
        edit.edited(left, [{"pan": {"position": 0.5, "kind": "noise"}}])
    assert len(str(no.value).splitlines()) == 1


def test_a_pan_that_is_refused_leaves_nothing(tmp_path: Path) -> None:
    source, target = tmp_path / "clip.gs", tmp_path / "new.gs"
    noises = NOISE.empty(1)
    noises["weight"] = 3
    source.write_bytes(edit.edited(write_gaussians(Gaussians(noise=noises), NOISY), [{"pan": {"position": -1}}]))
    for step, code, says in (
        ("pan: {position: 2}", 2, r"gs-edit: --step 1: step 1, pan: position is 2, allowed are -1..1"),
        ("pan: {position: 1, kind: noise}", 1, r"step 1, pan: noise is at most 45 degrees from the direction"),
    ):
        command = [str(Path(sys.executable).parent / "gs-edit"), str(source), "-o", str(target), "--step", step]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr.count("\n"), target.exists()) == (code, 1, False)
        assert says in done.stderr


def test_more_than_a_decoder_holds_is_refused() -> None:
    noises = NOISE.empty(200)
    noises["weight"], noises["place"] = 1, np.arange(200) % 32
    clip = edit.clip_of(write_gaussians(Gaussians(noise=noises), NOISY))
    more = dataclasses.replace(clip, noises=np.concatenate([noises, noises]))
    with pytest.raises(edit.EditError, match="400 noises would be held at a time, and a decoder holds 255; edit or jo"):
        edit.stream_of(more)


# ---- sides follow ----


def test_the_side_of_a_tone_goes_with_it() -> None:
    """Left and right are moved, cut and made softer as one."""
    data = edit.edited(steady(), [{"pan": {"position": 0.4, "kind": "tone"}}])
    before, by = decoded(data), 8 * HOP
    part = edit.edited(data, [{"select": {"from": 0.1, "to": 0.5}}])
    moved = decoded(edit.edited(part, [{"move": {"seconds": by / RATE}}]))
    np.testing.assert_array_equal(moved[by:], decoded(part)[:-by])
    shorter = decoded(edit.edited(data, [{"cut": {"from": 0.256}}]))
    np.testing.assert_array_equal(shorter[49:], before[-len(shorter) :][49:])
    softer = edit.edited(data, [{"scale": {"gain_db": -6}}])
    np.testing.assert_allclose(levels(decoded(softer)), levels(before) - 6, atol=0.1)
    some = edit.edited(data, [{"scale": {"gain_db": -6, "from": 0}}])
    np.testing.assert_allclose(levels(decoded(some)), levels(before) - 6, atol=0.3)


@pytest.mark.parametrize(
    "step",
    [
        {"transpose": {"semitones": 5}},
        {"transpose": {"semitones": -7, "from": 0.3, "to": 0.9}},
        {"stretch": {"factor": 1.3}},
        {"stretch": {"factor": 0.7}},
        {"move": {"seconds": 0.02, "hertz": 40, "outside": "drop"}},
        {"scale": {"gain_db": -6}},
        {"scale": {"gain_db": -6, "kind": "noise"}},
    ],
)
def test_what_is_between_the_channels_stays(step: dict[str, Any]) -> None:
    for kinds in ("tone", "noise", BOTH_KINDS):
        before = edit.edited(panned(), [{"select": {"kind": kinds}}])
        after = edit.edited(before, [step])
        assert abs(between_db(after) - between_db(before)) < 1.2, kinds
        assert abs(coherence(decoded(after)) - coherence(decoded(before))) < 0.12, kinds
        check_agreement(after)


def test_where_all_is_dropped_both_channels_are_silent() -> None:
    """The side's own noise is not, where it alone is louder than the mid's."""
    header = dataclasses.replace(PANNED, panning=PanningHeader(0, 10))
    data = write_gaussians(Gaussians(tone=tones_at([0])), header)
    assert np.abs(decoded(data)[8000:]).max() > 100
    dropped = decoded(edit.edited(data, [{"drop": {"from": 0.4, "to": 0.8}}]))
    assert np.abs(dropped[int(0.5 * RATE) : int(0.7 * RATE)]).max() <= 1
    assert np.abs(dropped[int(0.9 * RATE) :]).max() > 100


def test_sums_of_sides_are_given_room() -> None:
    header = dataclasses.replace(HEADER, channels=2, direction=0, panning=PanningHeader(15, -128))
    header = dataclasses.replace(header, output_shift=2, amplitude_step=256)
    data = steady(header, amplitude=5, side_amplitude=12)
    loud = mixed = edit.clip_of(data)
    for _ in range(3):
        mixed = edit.merge(mixed, loud)
    out = edit.stream_of(mixed)
    assert parse_header(out)[0].output_shift < 2
    expected = np.clip(4 * decoded(edit.stream_of(loud)), -32768, 32767)
    assert np.abs(decoded(out) - expected).max() < 0.04 * 32768


# ---- two clips ----


def test_one_channel_and_two_give_two() -> None:
    right = edit.edited(steady(), [{"pan": {"position": 1, "kind": "tone"}}])
    for first, second in ((steady(), right), (right, steady())):
        joined = edit.edited(first, [{"concatenate": {"file": "other"}}], {"other": second}.__getitem__)
        header, after = parse_header(joined)[0], decoded(joined)
        assert (header.channels, header.direction) == (2, 64)
        halves = after[: len(after) // 2], after[-RATE:]
        for half, data in zip(halves, (first, second), strict=True):
            expected = decoded(data)
            expected = expected if expected.ndim == 2 else np.stack([expected, expected], axis=1)
            np.testing.assert_array_equal(half[:RATE], expected)
        check_agreement(joined)


def test_a_mixture_of_one_channel_and_two() -> None:
    data = edit.edited(mono(), [{"merge": {"file": "other"}}], {"other": panned()}.__getitem__)
    expected = decoded(mono())[:, None] + decoded(panned())
    np.testing.assert_allclose(levels(decoded(data)), levels(expected), atol=0.5)
    check_agreement(data)


@pytest.mark.parametrize("first", ["mono", "panned"])
def test_noises_of_both_keep_their_place(first: str) -> None:
    clips = {"mono": mono(), "panned": panned()}
    clips = {name: edit.edited(data, [{"select": {"kind": "noise"}}]) for name, data in clips.items()}
    second = "panned" if first == "mono" else "mono"
    joined = decoded(edit.edited(clips[first], [{"concatenate": {"file": second}}], clips.__getitem__))
    parts = {first: joined[: int(0.9 * 8000)], second: joined[-int(0.9 * 8000) :]}
    assert coherence(parts["mono"]) > 0.9
    assert abs(coherence(parts["panned"]) - coherence(decoded(clips["panned"]))) < 0.15
    for name in parts:
        whole = decoded(clips[name])
        part = whole[: int(0.9 * 8000)] if name == first else whole[-int(0.9 * 8000) :]
        np.testing.assert_allclose(levels(parts[name]), levels(part), atol=1)


def test_clips_of_two_directions() -> None:
    """That of the first one counts, and the other one sounds where it did."""
    left, right = (edit.edited(steady(), [{"pan": {"position": position}}]) for position in (-0.3, 0.7))
    joined = edit.edited(left, [{"concatenate": {"file": "other"}}], {"other": right}.__getitem__)
    after = decoded(joined)
    assert parse_header(joined)[0].direction == parse_header(left)[0].direction
    np.testing.assert_array_equal(after[:RATE], decoded(left))
    np.testing.assert_allclose(levels(after[-RATE:]), levels(decoded(right)), atol=0.4)
    alike = edit.edited(left, [{"concatenate": {"file": "other"}}], {"other": left}.__getitem__)
    assert parse_header(alike)[0].panning is None
    np.testing.assert_array_equal(decoded(alike)[-RATE:], decoded(left))


def test_different_steps_of_the_side_become_one() -> None:
    both = [
        steady(dataclasses.replace(HEADER, channels=2, panning=PanningHeader(side_step, -128)), side_amplitude=side)
        for side_step, side in ((2, 40), (9, 12))
    ]
    joined = edit.edited(both[0], [{"concatenate": {"file": "other"}}], {"other": both[1]}.__getitem__)
    panning = parse_header(joined)[0].panning
    assert panning
    assert panning.side_step == 2
    np.testing.assert_array_equal(decoded(joined)[:RATE], decoded(both[0]))
    np.testing.assert_allclose(levels(decoded(joined)[-RATE:]), levels(decoded(both[1])), atol=0.2)


# ---- listing ----


def test_the_list_shows_where_gaussians_lie(tmp_path: Path) -> None:
    (tmp_path / "mono.gs").write_bytes(steady())
    (tmp_path / "right.gs").write_bytes(edit.edited(steady(), [{"pan": {"position": 0.5, "to": 0.5}}]))

    def listed(name: str, *more: str) -> str:
        return (
            CliRunner().invoke(gs_edit.command, [str(tmp_path / name), "--list", *more], standalone_mode=False).stdout
        )

    assert "pan" not in listed("mono.gs")
    lines = listed("right.gs").splitlines()
    assert lines[1].split()[-1] == "pan"
    assert {line.split()[-1] for line in lines[2:]} == {"+0.49", "+0.00"}
    rows = json.loads(listed("right.gs", "--json"))["gaussians"]
    assert all(abs(row["pan"] - (0.5 if row["time"] < 0.5 else 0)) < 0.02 for row in rows)
    assert "side_amplitude" in rows[0]["coded"]
    assert "pan" not in json.loads(listed("mono.gs", "--json"))["gaussians"][0]


def test_pans_of_noises() -> None:
    noises = NOISE.empty(2)
    noises["weight"], noises["scale"], noises["width"], noises["place"] = 3, 2, 1, 5
    noises["onset"] = 0, 8192
    noises["pan_weight"] = 8, 0
    quiet = dataclasses.replace(PANNED, panning=PanningHeader(0, -128))
    for header, expected in ((quiet, (1 - 0.5 / 1.5, 0)), (dataclasses.replace(quiet, direction=128), (0.5, 1))):
        np.testing.assert_allclose(pans(Gaussians(noise=noises), header)["noise"], expected, atol=0.03)
    assert not pans(Gaussians(noise=noises[1:]), NOISY)["noise"].any()
    data = write_gaussians(Gaussians(noise=noises), quiet)
    assert_same_gaussians(read_gaussians(data), Gaussians(noise=noises))


# ---- any edits ----

_TIMES = st.floats(0, 1.2, allow_nan=False)
_SELECTIONS = st.builds(
    lambda start, length, kinds: {"from": start, "to": start + length, "kind": kinds},
    _TIMES,
    st.floats(0.01, 1),
    st.lists(st.sampled_from(BOTH_KINDS), min_size=1, max_size=2, unique=True),
)
_STEPS = st.one_of(
    st.builds(lambda chosen, to: {"pan": {"position": to, **chosen}}, _SELECTIONS, st.floats(-1, 1)),
    st.builds(lambda to: {"pan": {"position": to}}, st.floats(-1, 1)),
    st.builds(lambda chosen: {"drop": chosen}, _SELECTIONS),
    st.builds(lambda chosen, gain: {"scale": {"gain_db": gain, **chosen}}, _SELECTIONS, st.floats(-30, 6)),
    st.builds(lambda by: {"transpose": {"semitones": by}}, st.floats(-24, 24)),
    st.builds(lambda by: {"stretch": {"factor": by}}, st.floats(0.5, 1.5)),
    st.builds(lambda at: {"merge": {"file": "other", "at": at}}, _TIMES),
    st.builds(lambda gap: {"concatenate": {"file": "other", "gap": gap}}, st.floats(0, 0.1)),
)


@settings(max_examples=12)
@given(st.lists(_STEPS, min_size=1, max_size=3), st.booleans(), st.booleans())
def test_any_edits_give_a_stream_that_all_decoders_agree_on(
    script: list[dict[str, Any]], first: bool, second: bool
) -> None:
    others = {"other": panned() if second else mono()}
    try:
        data = edit.edited(panned() if first else mono(), script, others.__getitem__)
    except edit.EditError as error:
        assert str(error).startswith("step ") or "would be held at a time" in str(error)
        return
    check_agreement(data)


@pytest.mark.parametrize("seed", range(8))
def test_random_streams_are_edited_or_refused(seed: int) -> None:
    stream = stereo_stream(seed)
    script = [{"pan": {"position": 0.4, "kind": "tone"}}, {"scale": {"gain_db": -9}}]
    script += [{"transpose": {"semitones": -3}}, {"concatenate": {"file": "same"}}]
    for count in range(1, len(script) + 1):
        try:
            data = edit.edited(stream.data, script[:count], {"same": stream.data}.__getitem__)
        except edit.EditError as error:
            assert len(str(error).splitlines()) == 1
            break
        assert parse_header(data)[0].channels == 2
        check_agreement(data)
