"""The residual layer of a clip: what is coded of that which its tones leave."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from audio_gs.codec import residual
from audio_gs.codec.container import StreamHeader
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.kinds.base import Table
from audio_gs.codec.kinds.noise import HIGHEST_LEVEL, frame_levels, limited
from audio_gs.codec.kinds.noise import held as held_noises
from audio_gs.codec.residual import CELLS, COEFFICIENT, LEVEL, Cells, Layout, ResidualHeader

from .choose import Prices, choose

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_FRAMES_AT_A_TIME = 2048


@dataclasses.dataclass(frozen=True)
class ResidualLayer:
    """Coefficients and fine levels with their part of the header."""

    header: ResidualHeader
    table: Table
    bits: float
    """About what they take in the stream."""


def spectra(signal: Floats, frame_log2: int) -> tuple[Floats, Floats]:
    """Coefficients of a signal as the format has them, and their power without that of chance, MDCT and MDST together;
    both of shape (frames, N), of all frames that a clip has."""
    size = 1 << frame_log2
    frames = -(-len(signal) // size) + 1
    padded = np.zeros((frames + 1) * size)
    padded[size : size + len(signal)] = signal
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * size)[::size]
    n, k = np.arange(2 * size), np.arange(size)
    window = np.sin(np.pi * (n + 0.5) / (2 * size)) * np.exp(-1j * np.pi * n / (2 * size)) * math.sqrt(2 / size)
    # SPEC 5.4: of each four coefficients the middle two have the other sign.
    turn = np.exp(-1j * np.pi / size * (0.5 + size / 2) * (k + 0.5)) * np.where((k + 1) & 2, -1.0, 1.0)
    values, power = np.zeros((frames, size)), np.zeros((frames, size))
    for start in range(0, frames, _FRAMES_AT_A_TIME):
        part = np.fft.fft(windows[start : start + _FRAMES_AT_A_TIME] * window, axis=1)[:, :size] * turn
        values[start : start + len(part)] = part.real
        power[start : start + len(part)] = (part.real**2 + part.imag**2) / 2
    return values, power


class Analysis:
    """A clip, its tones and noises, and what the decoder's integers make of them: all that the choice of a residual
    starts from, whatever its prices and steps are."""

    def __init__(self, header: StreamHeader, gaussians: Gaussians, signal: Floats, left: Floats) -> None:
        """header     of the stream, with noise; what it says of a residual is not used
        signal, left  the clip, and what its tones leave of it, in output steps"""
        assert header.noise is not None
        self._header = dataclasses.replace(header, residual=None)
        self._gaussians = gaussians
        self.frame_log2 = header.noise.frame_log2
        self._coefficients, self.left_power = spectra(left, self.frame_log2)
        _, self.whole_power = spectra(signal, self.frame_log2)
        self.offset = 2 * header.noise.shift - 6 - ((self.frame_log2 - 1) & 1)
        self.units = 2.0 ** ((np.arange(HIGHEST_LEVEL + 1) - 128 * self.offset) / 256)
        self._spans = list(self._segments())

    def _segments(self) -> Iterator[tuple[int, int, Integers, Integers]]:
        """First frame, end, levels of bands and of tones of each segment's frames."""
        header, n = self._header, self.frame_log2
        assert header.noise is not None
        layout = self.layout(_PLAIN)
        tones, noises = self._gaussians["tone"], self._gaussians["noise"]
        slots = {name: table["onset"] >> header.slot_log2 for name, table in (("tone", tones), ("noise", noises))}
        for segment in range(header.segments):
            here = header.segment_slots(segment)
            frames = [residual.frames_of_slot(header, slot) for slot in (here[0], here[-1])]
            first, end = frames[0].start, frames[1].stop
            own = {name: (slot >= here.start) & (slot < here.stop) for name, slot in slots.items()}
            held = residual.held_tones(tones[own["tone"]], header.amplitude_step)
            of_tones = residual.tone_levels(first, end - first, held, layout)
            rows = held_noises(noises[own["noise"]], n)
            bands = len(layout.bins) - 2
            levels = np.stack([limited(frame_levels(f, header.noise.base, rows, bands)) for f in range(first, end)])
            yield first, end, levels, of_tones

    def layout(self, part: ResidualHeader) -> Layout:
        """How the decoder sees a residual with this part of the header."""
        return residual.layout_of(dataclasses.replace(self._header, residual=part))

    @functools.cached_property
    def loudest_level(self) -> float:
        """Highest level of tones and noise in any frame."""
        return float(max(max(levels.max(initial=0), tones.max(initial=0)) for _, _, levels, tones in self._spans))

    def chosen(self, part: ResidualHeader, prices: Prices, fine_power: Floats | None) -> ResidualLayer:
        """The layer at a step and a price. `fine_power`: what noise should have in each frame and bin, for fine
        levels."""
        layout = self.layout(part)
        tables, total = [], 0.0
        for first, end, levels, tones in self._spans:
            if end <= first:
                continue
            every = [residual.cells_of(levels[f], tones[f], layout) for f in range(end - first)]
            edges = every[0]
            level, tone = np.stack([c.level for c in every]), np.stack([c.tone for c in every])
            wanted = np.zeros((end - first, CELLS))
            if fine_power is not None:
                wanted = self._wanted(first, level, edges, layout, fine_power[first:end])
            contexts = residual.initial_contexts().astype(np.int64)
            values, fines, bits = choose(
                self._coefficients[first:end], wanted, first, level, tone, edges, self.units, layout, prices, contexts
            )
            total += bits
            tables += [_rows(first, LEVEL, fines), _rows(first, COEFFICIENT, values)]
        table = residual.sorted_for_coding(np.concatenate(tables)) if tables else residual.empty()
        return ResidualLayer(part, table, total)

    def _wanted(self, first: int, level: Integers, edges: Cells, layout: Layout, power: Floats) -> Floats:
        """Fine levels, in their steps, for each frame that codes them, shape (frames, CELLS)."""
        out = np.zeros(level.shape)
        start = -first % residual.LEVEL_FRAMES
        for f in range(start, len(level), residual.LEVEL_FRAMES):
            span = slice(f, f + residual.LEVEL_FRAMES)
            for cell in range(2 * layout.fine_from, 2 * len(layout.spread)):
                begin, end = edges.first[cell], edges.end[cell]
                if end > begin:
                    mean = max(float(power[span, begin:end].mean()), _FAINTEST)
                    there = float(np.mean(2.0 ** (level[span, cell] / 128)))
                    out[f, cell] = (128 * (math.log2(mean) + self.offset) - 128 * math.log2(there)) / layout.level_step
        return out


_FAINTEST = 1 / 12
_PLAIN = ResidualHeader(
    step=0, tilt=0, intervals=0, fine_from=31, level_step=0, fill=0, lift_low=0, lift_high=0, quiet=0
)


def _rows(first: int, layer: int, values: Integers) -> Table:
    frame, place = np.nonzero(values)
    rows = residual.empty(len(frame))
    rows["frame"], rows["layer"], rows["place"], rows["value"] = frame + first, layer, place, values[frame, place]
    return rows
