"""What the encoder is given and what it gives: nothing changes a problem, a solution, or what it was made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from demo_clips import demo

import audio_gs
from audio_gs.codec.gaussians import Gaussians
from audio_gs.encoder.assemble import Solution, assemble, gaussians_of, stream_bytes, within_ceilings
from audio_gs.encoder.control.rate import meet_bytes
from audio_gs.encoder.control.shares import with_noise
from audio_gs.encoder.options import EncoderOptions, load_preset
from audio_gs.encoder.problem import Problem
from audio_gs.encoder.progress import Span, rising
from audio_gs.encoder.tones.choose import choose_tones, settled, step_for
from audio_gs.encoder.tones.pursuit import Pursuit
from audio_gs.errors import OptionsError

SECONDS = 1.0
TONES, NOISES = 60, 20
MAX_MACS = 20


def problem_with(**options: Any) -> Problem:
    signal, rate = demo("speech")
    options = {"effort": "fast", "preset": "speech", **options}
    clip = 32768 * signal[: round(SECONDS * rate)]
    return Problem(clip, rate, load_preset("speech"), EncoderOptions(**options))


@pytest.fixture(scope="module")
def problem() -> Problem:
    return problem_with()


@pytest.fixture(scope="module")
def solution(problem: Problem) -> Solution:
    step = step_for(problem, TONES)
    return with_noise(problem, Solution(step, choose_tones(problem, step)), NOISES)[0]


def state_of(pursuit: Pursuit) -> dict[str, npt.NDArray[Any]]:
    return {
        "atoms": pursuit.atoms.copy(),
        "residual": pursuit.residual(),
        "rendering": pursuit.rendering(),
        "last score": np.array(pursuit.last_score),
    }


def assert_unchanged(pursuit: Pursuit, before: dict[str, npt.NDArray[Any]]) -> None:
    for name, value in state_of(pursuit).items():
        np.testing.assert_array_equal(value, before[name], name)


# ---- problems ----


def test_nothing_assigns_to_a_problem(problem: Problem) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        problem.sample_rate = 16000  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        problem.signal[0] = 1.0


def test_the_callers_samples_stay_his(problem: Problem) -> None:
    signal = np.ones(100)
    Problem(signal, 8000, problem.preset, problem.options)
    signal[0] = 2.0
    assert signal.flags.writeable


@pytest.mark.parametrize(
    "options",
    [
        {"bitrate": 4.0},
        {"quality": 3.0, "preset": "auto"},
        {"gaussians": 60.0, "initialisation": "peaks", "refine_steps": 2, "amplitude_bits": 5},
    ],
    ids=str,
)
def test_encoding_leaves_its_input_alone(options: dict[str, Any]) -> None:
    signal, rate = demo("speech")
    signal = signal[:rate].copy()
    before = signal.copy()
    signal.flags.writeable = False
    chosen = EncoderOptions(effort="fast", **options)
    first = audio_gs.encoder.encode_audio(signal, rate, chosen)
    np.testing.assert_array_equal(signal, before)
    assert chosen == EncoderOptions(effort="fast", **options)
    assert audio_gs.encoder.encode_audio(signal, rate, chosen).data == first.data


# ---- pursuits ----


@pytest.mark.parametrize(
    "operation",
    [
        lambda pursuit: pursuit.picked(20, 0.0),
        lambda pursuit: pursuit.requantised(0.0),
        lambda pursuit: pursuit.requantised(1e12),
        lambda pursuit: pursuit.moved(0.0),
        lambda pursuit: pursuit.kept(np.arange(len(pursuit.atoms)) % 2 == 0),
        lambda pursuit: pursuit.with_atoms(pursuit.atoms[:3]),
        lambda pursuit: pursuit.with_table(pursuit.table()[:3]),
        lambda pursuit: pursuit.with_atoms(pursuit.atoms).moved(0.0).requantised(1e12).picked(5, 0.0),
    ],
    ids=["picked", "requantised", "all dropped", "moved", "kept", "with atoms", "with table", "one after another"],
)
def test_operations_give_another_pursuit(solution: Solution, operation: Callable[[Pursuit], Pursuit]) -> None:
    pursuit = solution.tones
    before = state_of(pursuit)
    other = operation(pursuit)
    assert other is not pursuit
    assert_unchanged(pursuit, before)
    assert state_of(operation(pursuit)).keys() == before.keys()
    for name, value in state_of(operation(pursuit)).items():
        np.testing.assert_array_equal(value, state_of(other)[name], name)


def test_a_pursuit_gives_copies(solution: Solution) -> None:
    before = state_of(solution.tones)
    solution.tones.residual()[:] = 0
    solution.tones.rendering()[:] = 0
    solution.tones.table()["amplitude"] = 1
    solution.tones.energies()[:] = 0
    assert_unchanged(solution.tones, before)


# ---- solutions ----


def test_steps_give_another_solution(problem: Problem, solution: Solution) -> None:
    before, tables = state_of(solution.tones), gaussians_of(problem, solution)
    tables = Gaussians({name: table.copy() for name, table in tables.items()})
    data = assemble(problem, solution).data
    bytes_ = stream_bytes(problem, solution)
    assert bytes_ == len(data)
    tight = problem_with(max_macs=MAX_MACS)
    obeying = within_ceilings(tight, solution)
    assert len(obeying.tones.atoms) < len(solution.tones.atoms)
    fewer, more = (meet_bytes(problem, solution, share * bytes_) for share in (0.8, 1.2))
    assert len(fewer.tones.atoms) < len(solution.tones.atoms) < len(more.tones.atoms)
    assert with_noise(problem, solution, 2)[0].noise is not solution.noise
    assert solution.with_noise(None).noise is None
    settled(problem, solution.tones)
    with pytest.raises(dataclasses.FrozenInstanceError):
        solution.noise = None  # type: ignore[misc]
    assert_unchanged(solution.tones, before)
    for name, table in gaussians_of(problem, solution).items():
        np.testing.assert_array_equal(table, tables[name])
    assert assemble(problem, solution).data == data


def test_ceilings_that_are_kept_give_the_same_object(problem: Problem, solution: Solution) -> None:
    assert within_ceilings(problem, solution) is solution


def test_a_ceiling_on_memory_is_one_on_tones() -> None:
    usual = problem_with().max_tones
    assert problem_with(max_memory=load_preset("speech").memory).max_tones == usual
    assert 1 <= problem_with(max_memory=4500).max_tones < usual
    assert problem_with(max_memory=1 << 20, max_tones=7).max_tones == 7
    with pytest.raises(OptionsError, match=r"max_memory 1024 has no room for a tone; give \d+ or more"):
        problem_with(max_memory=1024).max_tones  # noqa: B018


def test_the_stream_is_that_of_the_layers(problem: Problem, solution: Solution) -> None:
    assert solution.noise
    stream = assemble(problem, solution)
    written = audio_gs.read_gaussians(stream.data)
    assert stream.gaussians.total == written.total == len(solution.tones.atoms) + len(solution.noise.table)
    np.testing.assert_array_equal(
        np.sort(written["tone"], order=written["tone"].dtype.names),
        np.sort(solution.tones.table(), order=written["tone"].dtype.names),
    )
    np.testing.assert_array_equal(
        np.sort(written["noise"], order=written["noise"].dtype.names),
        np.sort(solution.noise.table, order=written["noise"].dtype.names),
    )
    np.testing.assert_array_equal(stream.decoded(), audio_gs.decode(stream.data)[0])
    assert dataclasses.replace(stream.header, noise=None, max_tones=1, peak_macs=0) == problem.blank_header(
        stream.header.amplitude_step, stream.header.output_shift
    )


# ---- progress ----


def test_fractions_never_fall() -> None:
    told: list[tuple[float, str]] = []
    report = rising(lambda *call: told.append(call))
    for fraction, text in ((0.0, "a"), (0.5, "b"), (0.25, "c"), (0.75, "d"), (0.5, "e")):
        report(fraction, text)
    assert told == [(0.0, "a"), (0.5, "b"), (0.5, "c"), (0.75, "d"), (0.75, "e")]
    rising(None)(0.5, "nobody hears")


def test_spans_are_parts_of_the_whole() -> None:
    told: list[float] = []
    whole = Span(lambda fraction, _: told.append(fraction))
    part = whole.part(0.5, 1).part(0, 0.5)
    for fraction in (-1, 0, 0.5, 1, 2):
        part(fraction, "")
    assert told == [0.5, 0.5, 0.625, 0.75, 0.75]
    tries = [whole.try_number(number) for number in range(3)]
    told.clear()
    for each in tries:
        each(0, "")
        each(1, "")
    assert told == [0, 0.5, 0.5, 0.75, 0.75, 0.875]
