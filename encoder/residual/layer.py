"""The residual layer of a clip: what is coded of that which its tones leave."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from audio_gs.codec import residual
from audio_gs.codec.container import StreamHeader
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.kinds.base import Table
from audio_gs.codec.kinds.noise import HIGHEST_LEVEL, band_bins, frame_levels, limited
from audio_gs.codec.kinds.noise import held as held_noises
from audio_gs.codec.residual import COEFFICIENT, LEVEL, LEVEL_FRAMES, Layout, ResidualHeader

from ..noise.layer import FAINTEST_POWER, frame_spectra, frames_of
from .choose import Edges, Prices, choose, levels_of_cells, mean_power

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_LOUDNESS = 0.25
"""Exponent of power, about Zwicker's."""

NO_RESIDUAL = ResidualHeader(
    step=0, tilt=0, intervals=0, fine_from=31, level_step=0, fill=0, lift_low=0, lift_high=0, quiet=0
)
"""Of a residual that says nothing."""


@dataclasses.dataclass(frozen=True)
class ResidualLayer:
    """Coefficients and fine levels with their part of the header."""

    header: ResidualHeader
    table: Table
    bits: float
    """About what they take in the stream."""


def spectra(signal: Floats, frame_log2: int) -> Iterator[tuple[int, Floats, Floats]]:
    """Coefficients of a signal as the format has them, and their power by MDCT and MDST together, of some frames at a
    time, both of shape (n, N), behind the first one's number."""
    size = 1 << frame_log2
    k = np.arange(size)
    # SPEC 5.4: of each four coefficients the middle two have the other sign.
    turn = np.exp(-1j * np.pi / size * (0.5 + size / 2) * (k + 0.5)) * np.where((k + 1) & 2, -1.0, 1.0) * math.sqrt(2)
    for start, part in frame_spectra(signal, frame_log2):
        yield start, (part * turn).real, np.abs(part) ** 2


def loudest_power(signal: Floats, frame_log2: int) -> float:
    """Power of the loudest coefficient of a signal."""
    return max(float(np.max(coefficients**2)) for _, coefficients, _ in spectra(signal, frame_log2))


@dataclasses.dataclass(frozen=True, eq=False)
class _Segment:
    """The frames of a segment, and what steers their coder."""

    first: int
    stop: int
    levels: Integers
    """Of bands, shape (frames, bands)."""
    tones: Integers
    """Of intervals, shape (frames, intervals)."""


class Analysis:
    """A clip, its tones and noises, and what the decoder's integers make of them: what the choice of a residual starts
    from, whatever its steps and prices are."""

    def __init__(self, header: StreamHeader, gaussians: Gaussians, left: Floats) -> None:
        """header  of the stream, with noise; what it says of a residual is not used
        left    what its tones leave of the clip, in output steps, shape (samples,)"""
        assert header.noise is not None
        self.header = dataclasses.replace(header, residual=None)
        self.frame_log2 = header.noise.frame_log2
        self._offset = header.noise.octaves_of_power
        self._units = 2.0 ** ((np.arange(HIGHEST_LEVEL + 1) - 128 * self._offset) / 256)
        shape = frames_of(left, self.frame_log2), 1 << self.frame_log2
        self._coefficients, self._power = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        for start, coefficients, power in spectra(left, self.frame_log2):
            span = slice(start, start + len(power))
            self._coefficients[span], self._power[span] = coefficients, power
        self._segments = list(self._steering(gaussians))

    def _steering(self, gaussians: Gaussians) -> Iterator[_Segment]:
        header, n = self.header, self.frame_log2
        assert header.noise is not None
        layout = self._layout(NO_RESIDUAL)
        bands = len(layout.spread) - 1
        slots = {name: gaussians[name]["onset"] >> header.slot_log2 for name in ("tone", "noise")}
        for segment in range(header.segments):
            here = header.segment_slots(segment)
            first, stop = (residual.frames_of_slot(header, slot) for slot in (max(0, here.start), here.stop - 1))
            own = {name: gaussians[name][(slot >= here.start) & (slot < here.stop)] for name, slot in slots.items()}
            tones = residual.held_tones(own["tone"], header.amplitude_step)
            noises = held_noises(own["noise"], n)
            levels = [limited(frame_levels(f, header.noise.base, noises, bands)) for f in range(first.start, stop.stop)]
            of_tones = residual.tone_levels(first.start, stop.stop - first.start, tones, layout)
            yield _Segment(first.start, stop.stop, np.stack(levels), of_tones)

    def _layout(self, part: ResidualHeader) -> Layout:
        return residual.layout_of(dataclasses.replace(self.header, residual=part))

    def interval_at(self, hertz: float) -> int:
        """The interval that holds a frequency."""
        centres = band_bins(self.header.sample_rate, self.frame_log2)
        return int(np.searchsorted(centres, hertz * (2 << self.frame_log2) / self.header.sample_rate))

    @functools.cached_property
    def loudest_level(self) -> int:
        """Highest level of tones or noise in any frame."""
        return max(max(int(part.levels.max()), int(part.tones.max())) for part in self._segments)

    def layers(self, part: ResidualHeader, gain_db: Floats) -> Callable[[int, Prices], ResidualLayer]:
        """What makes the layer of a step and of prices, the part of the header otherwise as it is. `gain_db`: how much
        louder noise should be than what the tones leave, shape (frames, bands)."""
        layout = self._layout(part)
        cells = [levels_of_cells(segment.levels, segment.tones, layout) for segment in self._segments]
        wanted = [
            self._wanted(segment, layout, edges, level, gain_db)
            for segment, (edges, level, _) in zip(self._segments, cells, strict=True)
        ]

        def layer_at(step: int, prices: Prices) -> ResidualLayer:
            stepped = dataclasses.replace(part, step=step)
            layout = self._layout(stepped)
            tables, total = [residual.empty()], 0.0
            for segment, (edges, level, tone), fine in zip(self._segments, cells, wanted, strict=True):
                values, changes, bits = choose(
                    self._coefficients[segment.first : segment.stop],
                    fine,
                    segment.first,
                    level,
                    tone,
                    edges,
                    self._units,
                    layout,
                    prices,
                    residual.initial_contexts().astype(np.int64),
                )
                total += bits
                tables += [_rows(segment.first, LEVEL, changes), _rows(segment.first, COEFFICIENT, values)]
            return ResidualLayer(stepped, residual.sorted_for_coding(np.concatenate(tables)), total)

        return layer_at

    def _wanted(self, segment: _Segment, layout: Layout, edges: Edges, level: Integers, gain_db: Floats) -> Floats:
        """Fine levels, in their steps, of the frames that code them, shape (frames, CELLS)."""
        wanted = np.zeros(level.shape)
        starts = np.arange(-segment.first % LEVEL_FRAMES, len(level), LEVEL_FRAMES)
        if layout.fine_from >= len(layout.spread) or len(starts) == 0:
            return wanted
        frames = slice(segment.first, segment.stop)
        gain = 10 ** (gain_db[frames] / 10)
        power = mean_power(self._power[frames], edges, layout, gain)
        there = 2.0 ** (level / 128)
        for start in starts:
            span = slice(start, start + LEVEL_FRAMES)
            missing = np.log2(np.maximum(_loudness_mean(power[span]), FAINTEST_POWER)) + self._offset
            wanted[start] = 128 * (missing - np.log2(_loudness_mean(there[span]))) / layout.level_step
        return wanted


def _loudness_mean(power: Floats) -> Floats:
    """The power that is about as loud as several frames' on the average, of each cell: an attack in one of them is not
    spread over all."""
    return np.asarray((power**_LOUDNESS).mean(axis=0) ** (1 / _LOUDNESS), np.float64)


def _rows(first: int, layer: int, values: Integers) -> Table:
    frame, place = np.nonzero(values)
    rows = residual.empty(len(frame))
    rows["frame"], rows["layer"], rows["place"], rows["value"] = frame + first, layer, place, values[frame, place]
    return rows


LARGEST_STEP = 255
_PRICE_TRIES = 5
_LEAST_PRICE = 0.6
"""Of the usual one, for bits that the next finer step would not fit."""


def fill(layer_at: Callable[[int, float], ResidualLayer], bits: float) -> ResidualLayer:
    """The layer with the finest step that takes at most so many bits, then with the lowest price; `layer_at` makes one
    of a step and a factor of the price. The coarsest where none is small enough."""
    finest, coarsest = 0, LARGEST_STEP
    best = layer_at(LARGEST_STEP, 1.0)
    while finest < coarsest:
        step = (finest + coarsest) // 2
        layer = layer_at(step, 1.0)
        if layer.bits <= bits:
            best, coarsest = layer, step
        else:
            finest = step + 1
    low, high = _LEAST_PRICE, 1.0
    for _ in range(_PRICE_TRIES if best.bits <= bits else 0):
        price = (low + high) / 2
        layer = layer_at(best.header.step, price)
        if layer.bits > bits:
            low = price
            continue
        high = price
        # Contexts that adapt otherwise may make fewer bits of a lower price.
        if layer.bits > best.bits:
            best = layer
    return best
