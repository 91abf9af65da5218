"""Measures what a residual layer of the side would bring: python tests/support/measure_side_residual.py CLIP...

A prototype of what the format does not have: frames of the side that are coded as SPEC 8 says of the mid's, with
contexts of their own, from the levels of the side's own noise and, in place of its tones, from what is loudest in the
mid; without fine levels. What the pan has of the mid is taken off before. One step for both layers fills the rate. For
each clip, rate and weight of the residual layer a line without it and one with it, of the same tones and noises.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from audio_gs import audio_io
from audio_gs.bench.metrics import METRICS
from audio_gs.codec import residual
from audio_gs.codec.container import StreamHeader
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.kinds import noise
from audio_gs.encoder import encode as encoding
from audio_gs.encoder.assemble import Solution, assemble
from audio_gs.encoder.control import coded, shares, side
from audio_gs.encoder.log import FitLog
from audio_gs.encoder.noise.layer import power_map, wanted_gain_db
from audio_gs.encoder.options import EncoderOptions, load_preset
from audio_gs.encoder.panning.direction import in_a_row, principal_direction, turned, turned_back
from audio_gs.encoder.perception import Listener
from audio_gs.encoder.problem import Problem, snr_db
from audio_gs.encoder.progress import Span, rising
from audio_gs.encoder.residual.choose import Prices, choose, levels_of_cells
from audio_gs.encoder.residual.layer import LARGEST_STEP, Analysis, ResidualLayer, spectra

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

FULL_SCALE = 32768
OF_SIDE = 0.1
"""Share of the rate set aside for what tones and noises have for the side."""
HEADER_BYTES = 7
NO_FINE = 31
METRICS_OF_PAIRS = "ild", "ipd", "coherence"


class Side:
    """The side of a solution, frame by frame, whatever the residual layers are."""

    def __init__(self, problem: Problem, solution: Solution) -> None:
        self._price = problem.of_residual.price
        self.stream = assemble(problem, solution)
        header = self._header = self.stream.header
        assert header.noise and header.panning and problem.side is not None and solution.side
        self._log2, self._offset = header.noise.frame_log2, header.noise.octaves_of_power
        self._bins = noise.band_bins(header.sample_rate, self._log2)
        _, left = side._fitted_tones(problem, solution, problem.side, solution.side.header.side_step)
        self._of_tones = problem.side - left if solution.side.coefficients else np.zeros_like(left)
        self._left = np.concatenate([part for _, part, _ in spectra(left, self._log2)])
        of_mid = self._levels("weight", header.noise.base)
        self._mid_levels = noise.limited(of_mid)
        self._levels_of_side = noise.limited(of_mid + self._levels("side_weight", header.panning.side_base))
        pans = np.clip(self._levels("pan_weight", 0), -noise.PAN_ONE, noise.PAN_ONE)
        self._pans = np.array([noise.pans_of_bins(of_frame, self._bins, self._log2) for of_frame in pans])

    def _levels(self, weight: str, base: int) -> Integers:
        held = noise.held(self.stream.gaussians["noise"], self._log2, weight)
        frames = range(len(self._left))
        return np.array([noise.frame_levels(f, base, held, len(self._bins)) for f in frames])

    def _spectra(self, levels: Integers, layer: Mapping[int, noise.Coded], first: int = 0) -> Floats:
        """Coefficients of all frames in output steps, shape (frames, N); signs of frames from number `first` on."""
        out = np.zeros(self._left.shape)
        for f, of_bands in enumerate(levels):
            if f in layer:
                coded_frame = first + f, self._log2, of_bands, self._bins, layer[f]
                exponent, values = noise.spectrum_of_coded_frame(*coded_frame)
            else:
                exponent, values = noise.spectrum_of_frame(first + f, self._log2, of_bands, self._bins)
            if exponent:
                octaves = 2 - noise.raised_by(exponent, self._log2) / 256 - self._offset / 2
                out[f] = values * 2.0**octaves
        return out

    def beside(self, mid: ResidualLayer, is_coded: bool) -> tuple[Floats, float]:
        """The side's frames beside a layer of the mid, shape (frames, N), and the bits of its own layer."""
        header = dataclasses.replace(self._header, residual=mid.header)
        gaussians = self.stream.gaussians.replaced(residual=mid.table)
        panned = self._pans / noise.PAN_ONE * self._spectra(self._mid_levels, residual.coded_frames(header, gaussians))
        layer: dict[int, noise.Coded] = {}
        bits = 0.0
        if is_coded:
            layer, bits = self._layer(header, gaussians, self._left - panned)
        return panned + self._spectra(self._levels_of_side, layer, 1 << 20), bits

    def _layer(
        self, header: StreamHeader, gaussians: Gaussians, wanted: Floats
    ) -> tuple[dict[int, noise.Coded], float]:
        """What the side's frames have of what is wanted, shape (frames, N), by number, and the bits that it takes."""
        assert header.residual
        part = dataclasses.replace(header.residual, fine_from=NO_FINE)
        layout = residual.layout_of(dataclasses.replace(header, residual=part))
        loudest = []
        for _, cells, source in residual.steered_frames(header, gaussians):
            lift = np.repeat(source.layout.lift, 2)
            of_cells = np.maximum(cells.level[: len(lift)] + lift, cells.tone[: len(lift)])
            loudest.append(of_cells.reshape(-1, 2).max(axis=1))
        count = len(loudest)
        edges, level, tone = levels_of_cells(self._levels_of_side[:count], np.array(loudest), layout)
        units = 2.0 ** ((np.arange(noise.HIGHEST_LEVEL + 1) - 128 * self._offset) / 256)
        fine = np.zeros((count, residual.CELLS))
        contexts = residual.initial_contexts().astype(np.int64)
        prices = Prices(self._price, 1.0)
        coefficients = wanted[:count].astype(np.float32)
        values, _, bits = choose(coefficients, fine, 0, level, tone, edges, units, layout, prices, contexts)
        layer = {}
        for f in range(count):
            cells = residual.Cells(edges.first, edges.end, level[f], tone[f])
            no_fine = np.zeros(residual.CELLS, np.int64)
            layer[f] = residual.frame_of(cells, no_fine, *residual.steps_of(cells, no_fine, layout), values[f], layout)
        return layer, bits

    def samples(self, frames: Floats) -> Floats:
        """The side with these frames, shape (samples,): SPEC 8.4."""
        size = 1 << self._log2
        b, t = np.arange(size)[:, None], np.arange(2 * size) + 0.5
        waves = np.sqrt(2 / size) * np.sin(np.pi / 2 / size * t) * np.cos(np.pi / size * (t + size / 2) * (b + 0.5))
        waves *= np.where((b + 1) & 2, -1, 1)
        out = np.zeros((len(frames) + 1) * size)
        for f, frame in enumerate(frames @ waves):
            out[f * size : (f + 2) * size] += frame
        return self._of_tones + out[size : size + len(self._of_tones)]


def filled(problem: Problem, solution: Solution, kbit_s: float, is_coded: bool) -> tuple[Floats, float]:
    """The channels of a stream of a rate, shape (n, 2), and the kbit/s that the side's layer has of it."""
    of_side = Side(problem, solution)
    room = 8 * (problem.target_bytes(kbit_s) - len(of_side.stream.data) - HEADER_BYTES)
    left = solution.tones.residual()
    analysis = Analysis(of_side.stream.header, of_side.stream.gaussians, left)
    power, whole = (power_map(signal, problem.sample_rate, problem.frame_log2) for signal in (left, problem.signal))
    gain_db = wanted_gain_db(power, whole, *shares.level_of_noise_db(problem))
    layer_of = analysis.layers(coded._header_part(problem, analysis, kbit_s), gain_db)
    prices = Prices(problem.of_residual.price, coded._at_rate(problem.of_residual.fine_price, kbit_s))
    finest, coarsest = 0, LARGEST_STEP
    while finest < coarsest:
        step = (finest + coarsest) // 2
        mid = layer_of(step, prices)
        if mid.bits + of_side.beside(mid, is_coded)[1] <= room:
            coarsest = step
        else:
            finest = step + 1
    mid = layer_of(coarsest, prices)
    frames, bits = of_side.beside(mid, is_coded)
    assert problem.direction is not None
    decoded = assemble(problem, solution.with_residual(mid)).decoded()
    return turned_back(decoded, of_side.samples(frames), problem.direction), bits / 1000 / problem.seconds


def measured(clip: Floats, decoded: Floats, sample_rate: int) -> str:
    """SNR, Zimtohrli, differences between the channels, and the ear's distance."""
    wanted, found = clip / FULL_SCALE, np.clip(np.round(decoded), -FULL_SCALE, FULL_SCALE - 1) / FULL_SCALE
    ear = np.mean([METRICS["zimtohrli"].measure(a, b, sample_rate) for a, b in zip(wanted.T, found.T, strict=True)])
    pair = [METRICS[name].measure(wanted, found, sample_rate) for name in METRICS_OF_PAIRS]
    distance = Listener(in_a_row(clip), sample_rate).distance(in_a_row(decoded))
    of_pair = ", ".join(f"{name} {value:.3f}" for name, value in zip(METRICS_OF_PAIRS, pair, strict=True))
    return f"SNR {snr_db(wanted, found):.2f}, Zimtohrli {ear:.3f}, {of_pair}, distance {distance:.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(description="What a residual layer of the side would bring")
    parser.add_argument("clips", nargs="+", help="files with two channels")
    parser.add_argument("--kbit-s", nargs="+", type=float, default=[13.0, 18.0, 24.0])
    parser.add_argument("--weights", nargs="+", type=float, default=[0.5, 1.0], help="of the residual layer")
    parser.add_argument("--preset", default="music")
    parser.add_argument("--seconds", type=float, default=2.5, help="of each clip, from its second one on")
    arguments = parser.parse_args()
    for path in arguments.clips:
        loaded = audio_io.load(path)
        rate = loaded.sample_rate
        clip = FULL_SCALE * loaded.samples[rate : rate + int(arguments.seconds * rate)]
        direction = principal_direction(clip)
        mid, rest = turned(clip, direction)
        for kbit_s in arguments.kbit_s:
            for weight in arguments.weights:
                options = EncoderOptions(bitrate=kbit_s)
                problem = Problem(mid, rate, load_preset(arguments.preset), options, weight, direction, rest)
                of_tones = coded.tones_kbit_s(problem, (1 - OF_SIDE) * kbit_s)
                assert of_tones is not None
                report = Span(rising(None))
                solution = encoding._meet_bitrate_uncoded(
                    problem, of_tones, OF_SIDE * kbit_s, FitLog(None), report, coded=True
                )
                for is_coded in (False, True):
                    decoded, of_layer = filled(problem, solution, kbit_s, is_coded)
                    says = f"{path} {kbit_s:g} kbit/s, weight {weight:g}, {of_layer:.2f} for the side's layer: "
                    print(says + measured(clip, decoded, rate), flush=True)


if __name__ == "__main__":
    main()
