"""From what was chosen for a clip to its stream."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from audio_gs.codec.container import StreamHeader
from audio_gs.codec.cost import macs_each_sample, macs_window, with_class
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.kinds import TONE
from audio_gs.codec.native import NativeDecoder
from audio_gs.codec.residual import macs_of_residual
from audio_gs.codec.slots import encode_stream

from . import ceilings
from .gradient.resolution import coarsen
from .noise.layer import NoiseLayer
from .panning.layer import SideLayer
from .problem import Problem, Samples, snr_db
from .residual.layer import ResidualLayer
from .tones.choose import settled
from .tones.pursuit import Pursuit
from .tones.quantiser import Step, finest_shift


@dataclasses.dataclass(frozen=True, eq=False)
class Solution:
    """What was chosen for a clip: a layer for each kind. Nothing changes one; steps of the encoder give another."""

    step: Step
    """Amplitude step of the tones."""
    tones: Pursuit
    noise: NoiseLayer | None = None
    residual: ResidualLayer | None = None
    side: SideLayer | None = None
    """Both chosen for just these tones and noises: with others there is none."""

    def with_tones(self, tones: Pursuit) -> Solution:
        return dataclasses.replace(self, tones=tones, residual=None, side=None)

    def with_noise(self, noise: NoiseLayer | None) -> Solution:
        return dataclasses.replace(self, noise=noise, residual=None, side=None)

    def with_side(self, side: SideLayer | None) -> Solution:
        return dataclasses.replace(self, side=side)

    def with_residual(self, residual: ResidualLayer | None) -> Solution:
        return dataclasses.replace(self, residual=residual)

    def snr_db(self, problem: Problem) -> float:
        """Of the float rendering of the tones."""
        return snr_db(problem.signal, self.tones.rendering())


@dataclasses.dataclass(frozen=True)
class Stream:
    """A stream and what it was made of."""

    data: bytes
    header: StreamHeader
    gaussians: Gaussians

    def decoded(self) -> Samples:
        """What a decoder makes of it, or of its mid, in output steps, shape (samples,). All give the same; the C
        library's is the fastest."""
        return NativeDecoder(self.data).read(self.header.samples).astype(np.float64)

    def decoded_channels(self) -> Samples:
        """What a decoder makes of its channels, in output steps, shape (samples, channels)."""
        decoder = NativeDecoder(self.data)
        if self.header.channels == 1:
            return self.decoded()[:, None]
        decoder.set_stereo(True)
        return decoder.read(self.header.samples).astype(np.float64)


def gaussians_of(problem: Problem, solution: Solution) -> Gaussians:
    """The Gaussians of all layers, tones at the resolutions fixed by hand."""
    tables = {"tone": coarsen(solution.tones.table(), problem.options, len(problem.signal))}
    if solution.noise:
        tables["noise"] = solution.noise.table
    if solution.side:
        tables["tone"] = solution.side.on_tones(tables["tone"])
        if solution.noise:
            tables["noise"] = solution.side.on_noises(tables["noise"])
    if solution.residual:
        tables["residual"] = solution.residual.table
    return Gaussians(tables)


def assemble(problem: Problem, solution: Solution) -> Stream:
    """The stream of a solution."""
    gaussians = gaussians_of(problem, solution)
    peak = float(np.max(np.abs(solution.tones.rendering()), initial=0.0))
    side_step = 0
    if solution.side:
        peak, side_step = max(peak, solution.side.peak), solution.side.header.side_step
    step = finest_shift(solution.step, gaussians, peak, side_step)
    header = with_class(_with_parts(problem.blank_header(*step), solution), gaussians)
    return Stream(encode_stream(header, gaussians), header, gaussians)


def stream_bytes(problem: Problem, solution: Solution) -> int:
    """Bytes of the stream."""
    return len(assemble(problem, solution).data)


def _with_parts(header: StreamHeader, solution: Solution) -> StreamHeader:
    noise, residual, side = solution.noise, solution.residual, solution.side
    return dataclasses.replace(
        header,
        noise=noise.header if noise else None,
        residual=residual.header if residual else None,
        panning=side.header if side else None,
    )


def _macs_beside_tones(problem: Problem, solution: Solution) -> npt.NDArray[np.int64]:
    """MACs at each sample of all that is not the tones' own."""
    samples = len(problem.signal)
    header = _with_parts(problem.blank_header(), solution)
    gaussians = gaussians_of(problem, solution)
    beside = macs_each_sample(gaussians.replaced(tone=TONE.empty()), header, 0, samples)
    if solution.residual:
        # Tones steer the residual, which costs something too.
        beside += macs_of_residual(gaussians, header, 0, samples)
        beside -= macs_of_residual(gaussians.replaced(tone=TONE.empty()), header, 0, samples)
    return beside


def peak_macs_beside_tones(problem: Problem, solution: Solution) -> float:
    """MACs a sample that the costliest 20 ms take for filters and noise."""
    return ceilings.peak_macs(_macs_beside_tones(problem, solution), macs_window(problem.sample_rate))


def within_ceilings(problem: Problem, solution: Solution) -> Solution:
    """Without the tones that exceed the ceilings on MACs and held Gaussians; the same object if there are none."""
    tones = solution.tones
    table, energies = gaussians_of(problem, solution)["tone"], tones.energies()
    header = _with_parts(problem.blank_header(), solution)
    # The ends of slots, which the header's figure counts too, take less than one.
    ceiling = problem.options.max_macs - 1
    keep = ceilings.within_macs(table, energies, header, ceiling, _macs_beside_tones(problem, solution))
    keep[keep] = ceilings.within_held(table[keep], energies[keep], header, problem.max_tones)
    if keep.all():
        return solution
    return solution.with_tones(settled(problem, tones.kept(keep)))
