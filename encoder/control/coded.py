"""How much of a rate tones and noise get beside a residual layer, and a layer that fills the rest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from audio_gs.codec.residual import HEADER_BYTES, INTERVALS, ResidualHeader

from ..assemble import Solution, assemble, stream_bytes, within_ceilings
from ..noise.layer import power_map, wanted_gain_db
from ..problem import Problem
from ..residual.choose import Prices
from ..residual.layer import LARGEST_STEP, Analysis, ResidualLayer, fill
from .shares import level_of_noise_db, noise_count_beside, with_noise

Floats = npt.NDArray[np.float64]

_DB_PER_OCTAVE = 20 * float(np.log10(2))
_TRIES = 4


def _corners(problem: Problem) -> tuple[Floats, Floats]:
    """Bitrates, and the kbit/s of tones and noise at them."""
    whole, of_tones = np.array(problem.of_residual.tones).T
    return whole, whole * (of_tones / whole) ** problem.residual_weight


def has_residual_at(problem: Problem, kbit_s: float) -> bool:
    """Whether streams of a bitrate have a residual layer."""
    return tones_kbit_s(problem, kbit_s) is not None


def tones_kbit_s(problem: Problem, kbit_s: float) -> float | None:
    """Kbit/s of tones and noise of a stream of a bitrate with a residual layer; None where it has none."""
    return _along(problem, kbit_s, *_corners(problem))


def whole_kbit_s(problem: Problem, of_tones: float) -> float | None:
    """Bitrate of the stream whose tones and noise have so many kbit/s; None where it has no residual layer."""
    return _along(problem, of_tones, *reversed(_corners(problem)))


def _along(problem: Problem, rate: float, rates: Floats, others: Floats) -> float | None:
    """What goes with a rate: straight between the corners, None before the first, in proportion behind the last."""
    if not problem.may_have_residual or rate < rates[0]:
        return None
    if rate > rates[-1]:
        return float(rate * others[-1] / rates[-1])
    return float(np.interp(rate, rates, others))


def with_residual(problem: Problem, solution: Solution, kbit_s: float) -> Solution:
    """The solution with a residual layer that fills the bitrate, without the tones whose cost the ceilings do not allow
    beside it; without one where there is no noise, no room or no end of tones to leave out."""
    for _ in range(_TRIES):
        coded = _filled(problem, solution, kbit_s)
        if coded.residual is None:
            return coded
        solution = within_ceilings(problem, coded)
        if solution is coded:
            return coded
    return solution.with_residual(None)


def _filled(problem: Problem, solution: Solution, kbit_s: float) -> Solution:
    """The solution with a residual layer that fills the bitrate, whatever it costs to decode."""
    plain = solution.with_residual(None)
    if plain.noise is None:
        return plain
    target = problem.target_bytes(kbit_s)
    stream = assemble(problem, plain)
    room = 8 * (target - len(stream.data) - HEADER_BYTES)
    if room <= 0:
        return plain
    left = plain.tones.residual()
    analysis = Analysis(stream.header, stream.gaussians, left)
    level_db, alone_db = level_of_noise_db(problem)
    power, whole = (power_map(signal, problem.sample_rate, problem.frame_log2) for signal in (left, problem.signal))
    gain_db = wanted_gain_db(power, whole, level_db, alone_db)
    part = _header_part(problem, analysis, kbit_s)
    fine_price = _at_rate(problem.of_residual.fine_price, kbit_s)

    layer_of = analysis.layers(part, gain_db)

    def layer_at(step: int, price: float) -> ResidualLayer:
        return layer_of(step, Prices(problem.of_residual.price * price, fine_price * price))

    for _ in range(_TRIES):
        layer = fill(layer_at, room)
        coded = plain.with_residual(layer)
        excess = stream_bytes(problem, coded) - target
        if excess <= 0:
            return coded
        if layer.header.step == LARGEST_STEP:
            break
        room -= 8 * (excess + 1)
    return plain


def with_layers(problem: Problem, solution: Solution) -> tuple[Solution, bool]:
    """The solution with the noise that fits beside its tones, and the residual layer that fits beside both; and whether
    the ceilings took tones away."""
    count = noise_count_beside(problem, len(solution.tones.atoms))
    coded = problem.may_have_residual
    layered, limited = with_noise(problem, solution, count, coded)
    kbit_s = 8 * stream_bytes(problem, layered) / 1000 / problem.seconds
    whole = whole_kbit_s(problem, kbit_s)
    return (layered if whole is None else with_residual(problem, layered, whole)), limited


def _at_rate(corners: Sequence[tuple[float, float]], kbit_s: float) -> float:
    rates, values = zip(*corners, strict=True)
    return float(np.interp(kbit_s, rates, values))


def _header_part(problem: Problem, analysis: Analysis, kbit_s: float) -> ResidualHeader:
    preset = problem.of_residual
    highest = _at_rate(preset.highest, kbit_s)
    intervals = analysis.interval_at(highest) if highest < problem.sample_rate / 2 else INTERVALS
    quiet = 0
    if preset.quiet_db:
        quiet = max(0, min(255, int(analysis.loudest_level - 256 * preset.quiet_db / _DB_PER_OCTAVE) >> 4))
    return ResidualHeader(
        step=0,
        tilt=round(_at_rate(preset.tilt, kbit_s)),
        intervals=intervals,
        fine_from=min(31, analysis.interval_at(preset.fine_from) + 1),
        level_step=1 if preset.fine_db == 4 else 0,
        fill=preset.fill,
        lift_low=preset.lift_low,
        lift_high=preset.lift_high,
        quiet=quiet,
    )
