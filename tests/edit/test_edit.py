"""Edits on the tables: what they change, what they leave as it is, and what they refuse."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from decoders import common_verdict
from gaussian_tables import assert_same_gaussians
from hypothesis import given, settings
from hypothesis import strategies as st
from make_vectors import FOLDER
from random_streams import most_held, random_stream, residual_stream

import audio_gs
from audio_gs import edit
from audio_gs.codec.container import StreamHeader, parse_header
from audio_gs.codec.cost import macs_per_sample
from audio_gs.codec.tables import phase_bits
from audio_gs.gaussians import TONE_DTYPE, Gaussians, physical, read_gaussians, write_gaussians

Table = npt.NDArray[Any]
Samples = npt.NDArray[np.float64]

PLAIN, RESIDUAL = "speech-6.bin", "speech-8.bin"
SPEECH_RATE = 8000
"""Of these two."""
RATE = 16000
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
SCALE = 5
HOP = 8 << SCALE


def vector(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


@functools.cache
def speech(name: str) -> bytes:
    """The first 1.6 s of a vector."""
    return edit.edited(vector(name), [{"cut": {"to": 1.6}}])


@functools.cache
def clip(name: str) -> edit.GaussianClip:
    return edit.clip_of(speech(name))


def decoded(data: bytes) -> Samples:
    return audio_gs.decode(data)[0].astype(np.float64)


def steady(hertz: float, amplitude: int = 40, header: StreamHeader = HEADER) -> bytes:
    """The stream of one partial, a tone at every hop whose phases run on at its frequency."""
    length, phases = 4 * HOP, 1 << int(phase_bits()[amplitude])
    onsets = np.arange(0, header.samples - length, HOP)
    tones = np.zeros(len(onsets), TONE_DTYPE)
    tones["scale"], tones["onset"], tones["amplitude"] = SCALE, onsets, amplitude
    tones["bin"] = round(hertz * length / header.sample_rate)
    turns = hertz / header.sample_rate * (onsets + length / 2)
    tones["phase"] = np.rint(turns * phases).astype(int) % phases
    return write_gaussians(Gaussians(tone=tones), header)


def pitch(data: bytes) -> float:
    """Hertz of the strongest partial."""
    samples = decoded(data)
    part = samples[len(samples) // 5 : -len(samples) // 5]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 1 << 18))
    return float(np.argmax(spectrum)) * RATE / (1 << 18)


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples**2)))


def check_promises(data: bytes) -> None:
    """The header says what its Gaussians take, and all decoders agree on them."""
    header, gaussians = parse_header(data)[0], read_gaussians(data)
    for kind in header.kinds:
        assert kind.capacity(header) == most_held(gaussians[kind.name], header, kind)
    assert header.peak_macs == int(np.ceil(macs_per_sample(gaussians, header)[1]))
    assert common_verdict(data).judgement == "sound"


# ---- what is not touched ----


@pytest.mark.parametrize("name", ["speech-3.bin", RESIDUAL, "music-12.bin", "sfx-12.bin"])
def test_no_edit_gives_the_same_bytes(name: str) -> None:
    assert edit.edited(vector(name), []) == vector(name)


@pytest.mark.parametrize("seed", [8, 21])
def test_no_edit_gives_the_same_samples_whoever_made_the_stream(seed: int) -> None:
    for stream in (random_stream(seed), residual_stream(seed)):
        data = edit.edited(stream.data, [])
        np.testing.assert_array_equal(audio_gs.decode(data)[0], audio_gs.decode(stream.data)[0])
        check_promises(data)


def test_steps_that_change_nothing_change_nothing() -> None:
    script = [{"transpose": {"semitones": 0}}, {"scale": {"gain_db": 0}}, {"stretch": {"factor": 1}}, {"move": None}]
    assert edit.edited(speech(RESIDUAL), script) == speech(RESIDUAL)


def test_there_is_a_residual_to_keep() -> None:
    assert len(clip(RESIDUAL).carried.coefficients) > 100
    assert len(clip(RESIDUAL).carried.fine) > 50


def test_frames_away_from_an_edit_keep_their_residual() -> None:
    before = read_gaussians(speech(RESIDUAL))["residual"]
    changed = edit.stream_of(edit.drop(clip(RESIDUAL), edit.Selection(start=0.5, stop=0.7, kinds=("tone",))))
    after = read_gaussians(changed)["residual"]
    frame = parse_header(changed)[0].noise.frame_samples  # type: ignore[union-attr]
    early = int(0.3 * SPEECH_RATE / frame)
    np.testing.assert_array_equal(after[after["frame"] < early], before[before["frame"] < early])
    assert not np.array_equal(after, before)
    check_promises(changed)


# ---- select and drop ----


def test_tones_are_dropped_by_time_and_band() -> None:
    header, tones = clip(PLAIN).header, clip(PLAIN).tones
    units = physical(Gaussians(tone=tones), dataclasses.replace(header, noise=None))["tone"]
    for selection, gone in (
        (edit.Selection(start=0.4, stop=0.9, kinds=("tone",)), (units["time"] >= 0.4) & (units["time"] < 0.9)),
        (edit.Selection(low=1000, kinds=("tone",)), units["frequency"] >= 1000),
        (edit.Selection(max_db=-40, kinds=("tone",)), 20 * np.log10(units["weight"]) < -40),
    ):
        assert 0 < gone.sum() < len(tones)
        data = edit.stream_of(edit.drop(clip(PLAIN), selection))
        np.testing.assert_array_equal(read_gaussians(data)["tone"], tones[~gone])
        np.testing.assert_array_equal(read_gaussians(data)["noise"], clip(PLAIN).noises)
        kept = edit.select(clip(PLAIN), selection)
        np.testing.assert_array_equal(kept.tones, tones[gone])
        assert kept.header.noise is None
        check_promises(data)


@pytest.mark.parametrize("name", [PLAIN, RESIDUAL])
def test_where_all_is_dropped_nothing_is_heard(name: str) -> None:
    data = edit.edited(speech(name), [{"drop": {"from": 0.5, "to": 1.0}}])
    before, after = decoded(speech(name)), decoded(data)
    assert rms(before[int(0.6 * SPEECH_RATE) : int(0.9 * SPEECH_RATE)]) > 30
    assert np.abs(after[int(0.65 * SPEECH_RATE) : int(0.85 * SPEECH_RATE)]).max() <= 1
    outside = slice(int(1.2 * SPEECH_RATE), int(1.5 * SPEECH_RATE))
    assert rms(after[outside] - before[outside]) < 0.02 * rms(before[outside])
    check_promises(data)


def test_a_kind_can_be_dropped() -> None:
    without = edit.drop(clip(RESIDUAL), edit.Selection(kinds=("residual",)))
    assert without.header.residual is None
    assert without.notes == ()
    without = edit.drop(clip(RESIDUAL), edit.Selection(kinds=("noise",)))
    assert without.header.residual is None
    assert without.notes == ("the residual layer is left out with the noise, whose frames it has",)
    tones = edit.select(clip(RESIDUAL), edit.Selection(kinds=("tone",)))
    assert (tones.header.noise, tones.header.residual, len(tones.noises)) == (None, None, 0)
    assert_same_gaussians(read_gaussians(edit.stream_of(tones)), Gaussians(tone=clip(RESIDUAL).tones))


# ---- move, scale ----


def test_what_moves_by_hops_is_the_same_later() -> None:
    tones = edit.drop(clip(PLAIN), edit.Selection(stop=0.3))
    tones = edit.select(tones, edit.Selection(stop=1.0, kinds=("tone",)))
    by = 4 * (8 << (clip(PLAIN).header.smallest_scale + clip(PLAIN).header.scales - 1))
    moved = edit.move(tones, seconds=by / SPEECH_RATE)
    before, after = decoded(edit.stream_of(tones)), decoded(edit.stream_of(moved))
    np.testing.assert_array_equal(after[by:], before[:-by])
    expected = tones.tones.copy()
    expected["onset"] += by
    np.testing.assert_array_equal(np.sort(moved.tones), np.sort(expected))


def test_frequencies_move_together() -> None:
    moved = edit.move(edit.clip_of(steady(1003.0)), hertz=250)
    assert abs(pitch(edit.stream_of(moved)) - 1253) < 1


@pytest.mark.parametrize("gain_db", [-12.0, -3.0, 6.0])
def test_gain(gain_db: float) -> None:
    factor = 10 ** (gain_db / 20)
    for name in (PLAIN, RESIDUAL):
        softer = edit.stream_of(edit.scale(clip(name), gain_db))
        assert abs(20 * np.log10(rms(decoded(softer)) / rms(decoded(speech(name)))) - gain_db) < 0.3
        check_promises(softer)
    tone = steady(1000.0, 40)
    one = edit.edited(tone, [{"scale": {"gain_db": gain_db, "from": 0, "to": 10}}])
    assert abs(rms(decoded(one)) / rms(decoded(tone)) / factor - 1) < 0.04
    assert parse_header(one)[0].amplitude_step == parse_header(tone)[0].amplitude_step


def test_a_region_of_noise_is_scaled() -> None:
    noise = edit.select(clip(PLAIN), edit.Selection(kinds=("noise",)))
    before = decoded(edit.stream_of(noise))
    after = decoded(edit.stream_of(edit.scale(noise, -18, edit.Selection(start=0.8, stop=1.4))))
    inside, outside = slice(int(0.9 * SPEECH_RATE), int(1.3 * SPEECH_RATE)), slice(0, int(0.7 * SPEECH_RATE))
    assert abs(20 * np.log10(rms(after[inside]) / rms(before[inside])) + 18) < 2
    assert abs(20 * np.log10(rms(after[outside]) / rms(before[outside]))) < 0.5


# ---- transpose, stretch ----


@pytest.mark.parametrize("semitones", [-12, -5, 7, 12])
@pytest.mark.parametrize("hertz", [441.3, 1003.7])
def test_a_partial_comes_out_at_its_pitch(hertz: float, semitones: int) -> None:
    """Whatever the bins are, 31 Hz apart."""
    before = steady(hertz)
    assert abs(pitch(before) / hertz - 1) < 0.001
    after = edit.edited(before, [{"transpose": {"semitones": semitones}}])
    assert abs(pitch(after) / (hertz * 2 ** (semitones / 12)) - 1) < 0.002
    assert 0.7 < rms(decoded(after)) / rms(decoded(before)) < 1.3


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.25, 2.0, 3.7])
def test_a_partial_is_stretched_and_keeps_its_pitch(factor: float) -> None:
    before = steady(1003.7)
    after = edit.edited(before, [{"stretch": {"factor": factor}}])
    assert len(decoded(after)) == round(factor * RATE)
    assert abs(pitch(after) / 1003.7 - 1) < 0.002
    assert 0.7 < rms(decoded(after)) / rms(decoded(before)) < 1.3
    check_promises(after)


@pytest.mark.parametrize("name", [PLAIN, RESIDUAL])
def test_speech_is_transposed_and_stretched(name: str) -> None:
    for step in ({"transpose": {"semitones": 5}}, {"transpose": {"semitones": -7}}, {"stretch": {"factor": 1.3}}):
        data = edit.edited(speech(name), [step])
        assert abs(20 * np.log10(rms(decoded(data)) / rms(decoded(speech(name))))) < 2.5
        check_promises(data)


def test_a_part_is_transposed() -> None:
    data = edit.edited(speech(PLAIN), [{"transpose": {"semitones": 4, "from": 0.6, "to": 1.0}}])
    before, after = clip(PLAIN).tones, read_gaussians(data)["tone"]
    was, now = (physical(Gaussians(tone=tones), clip(PLAIN).header)["tone"] for tones in (before, after))
    for part in (slice(None, 0.6), slice(1.0, None)):
        outside = edit.Selection(start=part.start, stop=part.stop)
        was_there, is_there = (tones[outside.of_tones(tones, clip(PLAIN).header)] for tones in (before, after))
        np.testing.assert_array_equal(is_there, was_there)
    inside = [table[(table["time"] >= 0.6) & (table["time"] < 1.0)]["frequency"] for table in (was, now)]
    assert abs(12 * np.log2(np.median(inside[1]) / np.median(inside[0])) - 4) < 1


def test_loops_are_stretched_and_cut() -> None:
    looped = dataclasses.replace(HEADER, loop=(4000, 12000))
    data = steady(500.0, header=looped)
    assert parse_header(edit.edited(data, [{"stretch": {"factor": 2}}]))[0].loop == (8000, 24000)
    assert parse_header(edit.edited(data, [{"cut": {"from": 0.128}}]))[0].loop == (4000 - 2048, 12000 - 2048)
    assert parse_header(edit.edited(data, [{"cut": {"from": 0.4}}]))[0].loop is None


def test_loop_points_are_set_and_cleared() -> None:
    data = vector(RESIDUAL)
    looped = edit.edited(data, [{"set_loop": {"from": 0.25, "to": 1.00001}}])
    assert parse_header(looped)[0].loop == (SPEECH_RATE // 4, SPEECH_RATE)
    assert_same_gaussians(read_gaussians(looped), read_gaussians(data))
    decoder = audio_gs.StreamDecoder(looped)
    decoder.set_loop(True)
    once = audio_gs.decode(data)[0]
    np.testing.assert_array_equal(
        decoder.read(SPEECH_RATE + 3000), np.concatenate([once[:SPEECH_RATE], once[2000:5000]])
    )
    samples = parse_header(data)[0].samples
    for values, loop in (
        ({}, (0, samples)),
        ({"to": 0.5}, (0, SPEECH_RATE // 2)),
        ({"samples": [100, 164]}, (100, 164)),
        ({"samples": [samples - 64, samples]}, (samples - 64, samples)),
    ):
        assert parse_header(edit.edited(looped, [{"set_loop": values}]))[0].loop == loop
    assert edit.edited(looped, ["clear_loop"]) == data


def test_loops_that_an_edit_leaves_no_room_for_are_left_out() -> None:
    looped = edit.clip_of(edit.edited(steady(500.0), [{"set_loop": {"samples": [4000, 4100]}}]))
    for clip in (edit.stretch(looped, 0.5), edit.cut(looped, 0.0, 0.2), edit.cut(looped, 0.5)):
        assert clip.header.loop is None
        assert "the loop is left out: " in clip.notes[-1]


# ---- cut, concatenate, merge ----


def test_a_cut_is_the_same_from_there_on() -> None:
    tones = edit.select(clip(PLAIN), edit.Selection(kinds=("tone",)))
    before = decoded(edit.stream_of(tones))
    part = edit.cut(tones, 0.5, 1.3)
    after = decoded(edit.stream_of(part))
    stop = round(1.3 * SPEECH_RATE)
    assert round(0.8 * SPEECH_RATE) <= len(after) < round(0.8 * SPEECH_RATE) + 2048
    # What ends before the cut is not in it, and filters reach 49 samples back.
    np.testing.assert_array_equal(after[49:], before[stop - len(after) : stop][49:])
    assert np.abs(after - before[stop - len(after) : stop]).max() < 10
    assert part.notes


@pytest.mark.parametrize("name", [PLAIN, RESIDUAL])
def test_a_cut_keeps_noise_and_residual(name: str) -> None:
    data = edit.edited(speech(name), [{"cut": {"from": 0.5, "to": 1.3}}])
    before, after = decoded(speech(name)), decoded(data)
    stop = round(1.3 * SPEECH_RATE)
    assert abs(20 * np.log10(rms(after) / rms(before[stop - len(after) : stop]))) < 0.5
    check_promises(data)


def test_clips_one_after_the_other() -> None:
    first, second = steady(500.0, 30), steady(900.0, 50)
    joined = edit.concatenate(edit.clip_of(first), edit.clip_of(second), 0.1)
    data = edit.stream_of(joined)
    after, begin = decoded(data), len(decoded(data)) - RATE
    np.testing.assert_array_equal(after[:RATE], decoded(first))
    np.testing.assert_array_equal(after[begin:], decoded(second))
    assert np.abs(after[RATE:begin]).max() <= 1
    assert 0 <= begin - round(1.1 * RATE) < HOP
    check_promises(data)


def test_what_lies_outside_of_a_clip_is_not_heard_in_a_longer_one() -> None:
    """An encoder codes no such tone (SPEC S2), but a decoder takes it."""
    rows = [(1, onset, 5, 40, 0, 0, 0) for onset in (-64, 8000, 15904)]
    header = dataclasses.replace(HEADER, samples=15900)
    clip = edit.clip_of(write_gaussians(Gaussians(tone=np.array(rows, TONE_DTYPE)), header))
    assert len(clip.tones) == 3
    joined = edit.concatenate(clip, clip)
    assert joined.tones["onset"].tolist() == [8000, 15904 + 8000]


def test_speech_after_speech() -> None:
    joined = edit.concatenate(clip(PLAIN), clip("speech-3.bin"))
    after = decoded(edit.stream_of(joined))
    first, second = decoded(speech(PLAIN)), decoded(speech("speech-3.bin"))
    begin = len(after) - len(second)
    assert abs(20 * np.log10(rms(after[: len(first)]) / rms(first))) < 0.5
    assert abs(20 * np.log10(rms(after[begin:]) / rms(second))) < 0.5
    check_promises(edit.stream_of(joined))


def test_both_at_a_time() -> None:
    one, other = steady(500.0, 30), steady(900.0, 50)
    data = edit.stream_of(edit.merge(edit.clip_of(one), edit.clip_of(other)))
    np.testing.assert_allclose(decoded(data), decoded(one) + decoded(other), atol=1)
    later = edit.stream_of(edit.merge(edit.clip_of(one), edit.clip_of(other), 0.5))
    assert parse_header(later)[0].samples == RATE + round(0.5 * RATE / HOP) * HOP
    check_promises(data)


def test_noises_add_their_powers() -> None:
    noise = edit.select(clip(PLAIN), edit.Selection(kinds=("noise",)))
    both = decoded(edit.stream_of(edit.merge(noise, noise)))
    assert abs(20 * np.log10(rms(both) / rms(decoded(edit.stream_of(noise)))) - 3) < 0.7
    tones = edit.select(clip(PLAIN), edit.Selection(kinds=("tone",)))
    for pair in ((tones, noise), (noise, tones)):
        data = edit.stream_of(edit.merge(*pair))
        assert abs(20 * np.log10(rms(decoded(data)) / rms(decoded(speech(PLAIN))))) < 0.3
        check_promises(data)


def test_what_is_louder_than_32_bits_is_given_room() -> None:
    loud = edit.clip_of(steady(500.0, 120, dataclasses.replace(HEADER, output_shift=2, amplitude_step=256)))
    mixed = loud
    for _ in range(3):
        mixed = edit.merge(mixed, loud)
    expected = np.clip(4 * decoded(edit.stream_of(loud)), -32768, 32767)
    data = edit.stream_of(mixed)
    assert parse_header(data)[0].output_shift < 2
    assert np.abs(decoded(data) - expected).max() < 0.02 * 32768


def test_clips_that_do_not_fit_each_other() -> None:
    other_rate = edit.clip_of(steady(500.0, header=dataclasses.replace(HEADER, sample_rate=8000)))
    with pytest.raises(edit.EditError, match="the clips have 16000 and 8000 Hz"):
        edit.merge(edit.clip_of(steady(500.0)), other_rate)
    far = dataclasses.replace(HEADER, smallest_scale=4, scales=8)
    with pytest.raises(edit.EditError, match="more than 8 scales"):
        edit.concatenate(edit.clip_of(steady(500.0)), edit.clip_of(steady(500.0, header=far)))


# ---- what is refused ----


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ({"move": {"seconds": 2}}, r"step 1, move: tone 0 \(0.032 s, 1000.0 Hz\) would lie outside the clip"),
        ({"move": {"seconds": -1}}, r"step 1, move: tone 0 .* would lie outside the clip"),
        ({"move": {"hertz": 7500}}, r"step 1, move: tone 0 .* would lie outside 0 Hz to half the sample rate"),
        ({"move": {"hertz": -1500}}, r"step 1, move: tone 0 .* would lie outside 0 Hz"),
        ({"transpose": {"semitones": 40, "outside": "error"}}, r"step 1, transpose: tone 0 .* outside 0 Hz"),
        ({"scale": {"gain_db": 60, "from": 0}}, "step 1, scale: tone 0 would have the amplitude index"),
        ({"scale": {"gain_db": 100}}, "step 1, scale: no amplitude step of the format"),
        ({"set_loop": {"to": 1.5}}, r"step 1, set_loop: samples 0 to 24000 are no part of a clip of 16000, 1.0000 s"),
        ({"set_loop": {"from": -0.5}}, "step 1, set_loop: samples -8000 to 16000 are no part"),
        ({"set_loop": {"from": 0.5, "to": 0.5}}, "step 1, set_loop: samples 8000 to 8000 are no part"),
        ({"set_loop": {"samples": [1000, 1063]}}, "step 1, set_loop: a loop of 63 samples is too short; take 64"),
        ({"set_loop": {"samples": [1000, 16001]}}, "step 1, set_loop: samples 1000 to 16001 are no part"),
        ({"cut": {"from": 1.5}}, "step 1, cut: nothing of a clip of 1.000 s lies there"),
        ({"merge": {"file": "other.gs"}}, "step 1, merge: no files can be read here"),
    ],
)
def test_what_leaves_the_clip_is_refused(step: dict[str, Any], says: str) -> None:
    with pytest.raises(edit.EditError, match=says) as caught:
        edit.edited(steady(1000.0), [step])
    assert len(str(caught.value).splitlines()) == 1


def test_what_leaves_the_clip_can_be_left_out() -> None:
    moved = edit.move(edit.clip_of(steady(1000.0)), seconds=0.5, outside="drop")
    assert 0 < len(moved.tones) < len(edit.clip_of(steady(1000.0)).tones)
    assert "outside the clip" in moved.notes[0]
    assert len(edit.transpose(moved, 40).tones) == 0


def test_lengths_that_nobody_has_are_refused() -> None:
    header = dataclasses.replace(HEADER, samples=1 << 30)
    data = write_gaussians(Gaussians(), dataclasses.replace(header, slot_log2=12, samples=1 << 29))
    with pytest.raises(edit.EditError, match="too long to edit"):
        edit.clip_of(data)
    four = edit.clip_of(steady(500.0))
    with pytest.raises(edit.EditError, match="too long to edit"):
        edit.concatenate(four, four, 1e5)
    with pytest.raises(edit.EditError, match=r"step \d+, stretch: a clip of \d+ s is too long to edit"):
        edit.edited(steady(500.0), 1000 * [{"stretch": {"factor": 4}}])


NO_STEP = "step 1: 'balance' is no step; known are select, drop, scale, move, transpose, pan, stretch, cut, "
NO_STEP += "merge, concatenate, set_loop, clear_loop"


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("- balance: {to: 1}", NO_STEP),
        ("- set_loop: {first: 1}", "step 1, set_loop: 'first' is none of its values; known are from, to, samples"),
        ("- set_loop: {samples: [1]}", "samples must be two sample numbers such as .*, not a list"),
        ("- set_loop: {samples: [0, 64.5]}", "samples must be two sample numbers"),
        ("- set_loop: {samples: [-1, 4000]}", "samples must be two sample numbers"),
        ("- set_loop: {samples: [0, " + 5000 * "9" + "]}", "no YAML or JSON|samples must be two sample numbers"),
        ("- clear_loop: false", "step 1, clear_loop: takes no values"),
        ("- set_loop: {samples: [0, 100], to: 1}", "samples say where the loop is; leave out from and to"),
        ("- clear_loop: {from: 1}", "step 1, clear_loop: takes no values"),
        ("- clear_loop: yes", "step 1, clear_loop: takes no values"),
        (
            "- drop\n- transpose: {semitones: 12}\n- stretch: {by: 2}",
            "step 3, stretch: 'by' is none of its values; known",
        ),
        ("- transpose", "step 1, transpose: needs semitones"),
        ("- transpose: {semitones: high}", "step 1, transpose: semitones must be a number, not 'high'"),
        ("- transpose: {semitones: true}", "semitones must be a number, not True"),
        ("- transpose: {semitones: .nan}", "semitones must be a number, not nan"),
        ("- transpose: {semitones: .inf}", "semitones must be a number, not inf"),
        ("- transpose: {semitones: 49}", r"semitones is 49, allowed are -48\.\.48"),
        ("- stretch: {factor: 0}", r"factor is 0, allowed are 0\.25\.\.4"),
        ("- scale: {gain_db: 1000}", "gain_db is 1000"),
        ("- merge: {file: 3}", "file must be a name"),
        ("- merge: {file: a.gs, at: -1}", "at is -1, allowed are 0 or more"),
        ("- move: {outside: maybe}", "outside is 'maybe', allowed are error and drop"),
        ("- cut: {align: 1}", "align must be true or false"),
        ("- drop: {kind: panned}", "kind must be some of tone, noise, residual, not 'panned'"),
        ("- drop: {from: 2, to: 1}", "step 1, drop: nothing lies from 2 to 1"),
        ("- drop: [1]", "step 1, drop: must have its values by name"),
        ("- {drop: {}, select: {}}", "step 1: must be one name with its values"),
        ("- 3", "step 1: must be one name"),
        ("balance", "must be a list of steps"),
        ("[" * 20000, "no YAML or JSON|nested too deep"),
        ("- drop: {from: 1", "no YAML or JSON"),
        ("- &a drop\n- *a", "aliases"),
        ("- !!python/object/apply:os.system [ls]", "no YAML or JSON"),
        ("- drop\n" * 1001, "1001 steps are more than 1000"),
        ("#" * 70000, "more than 65536 bytes"),
        (b"\xff\xfe- drop", "UTF-8"),
        ("- transpose: {semitones: " + 5000 * "9" + "}", "no YAML or JSON|must be a number"),
        ("- drop: {from: 2001-99-99}", "no YAML or JSON|must be a number"),
    ],
)
def test_scripts_that_are_none(script: str | bytes, says: str) -> None:
    with pytest.raises(edit.ScriptError, match=says) as caught:
        edit.parse_script(script)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 400


def test_scripts_in_json_and_of_one_step() -> None:
    [step] = edit.parse_script('[{"transpose": {"semitones": 1e1}}]')
    assert (step.name, step.values) == ("transpose", {"semitones": 10.0})
    assert edit.parse_script("transpose: {semitones: 10}") == [step]
    assert edit.parse_script("") == []
    assert edit.parse_script("clear_loop") == edit.parse_script("- clear_loop:") == edit.steps_of(["clear_loop"])


# ---- any edits ----

_TIMES = st.floats(0, 1.6, allow_nan=False)
_SELECTIONS = st.builds(
    lambda start, length, low, kinds: {"from": start, "to": start + length, "low": low, "kind": kinds},
    _TIMES,
    st.floats(0.01, 1),
    st.floats(0, 4000),
    st.lists(st.sampled_from(edit.KIND_NAMES), min_size=1, max_size=3, unique=True),
)
_STEPS = st.one_of(
    st.builds(lambda chosen: {"drop": chosen}, _SELECTIONS),
    st.builds(lambda chosen, gain: {"scale": {"gain_db": gain, **chosen}}, _SELECTIONS, st.floats(-30, 6)),
    st.builds(
        lambda chosen, by, hertz: {"move": {"seconds": by, "hertz": hertz, "outside": "drop", **chosen}},
        _SELECTIONS,
        st.floats(-1, 1),
        st.floats(-500, 500),
    ),
    st.builds(lambda chosen, by: {"transpose": {"semitones": by, **chosen}}, _SELECTIONS, st.floats(-24, 24)),
    st.builds(lambda by: {"transpose": {"semitones": by}}, st.floats(-24, 24)),
    st.builds(lambda by: {"stretch": {"factor": by}}, st.floats(0.5, 1.5)),
    st.builds(lambda at: {"merge": {"file": "other", "at": at}}, _TIMES),
    st.builds(lambda gap: {"concatenate": {"file": "other", "gap": gap}}, st.floats(0, 0.1)),
    st.builds(lambda start: {"cut": {"from": start, "to": start + 0.8}}, st.floats(0, 0.3)),
    st.builds(lambda start: {"set_loop": {"from": start, "to": start + 0.3}}, _TIMES),
)


@settings(max_examples=15)
@given(st.lists(_STEPS, min_size=1, max_size=3), st.sampled_from([PLAIN, RESIDUAL]), st.booleans())
def test_any_edits_give_a_stream_that_all_decoders_agree_on(
    script: list[dict[str, Any]], name: str, other: bool
) -> None:
    others = {"other": speech(RESIDUAL if other else PLAIN)}
    try:
        data = edit.edited(speech(name), script, others.__getitem__)
    except edit.EditError as error:
        assert str(error).startswith("step ")
        return
    check_promises(data)
