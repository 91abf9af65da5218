"""SPEC 8, Residual: what tones leave of a sound and noise only resembles, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

from .container import Header
from .integers import log
from .noise import (
    TOP_LEVEL,
    Frame,
    Noise,
    band_bins,
    band_levels,
    bin_levels,
    drawn,
    frame_of,
    gain,
    join_bands_in_one_bin,
    levels_cost,
    raised_by,
    signs,
)
from .range_coder import Context, RangeDecoder
from .tables import CURVATURE, CUT, SHARE, SUM
from .tone import Tone

NO_TONE = -32768
TONE_COST = 6


# Cells


@dataclass
class Cell:
    """Bins start .. stop - 1, which share a step and a level."""

    number: int  # c
    start: int
    stop: int

    @property
    def interval(self) -> int:
        """j"""
        return self.number >> 1


class Layout:
    """Intervals and cells of all frames of a stream, or of those whose bands are centred in other bins (9.4)."""

    def __init__(self, header: Header, bins: list[int] | None = None) -> None:
        self.bins = band_bins(header) if bins is None else bins
        self.edges = [0, *self.bins, header.frame]  # e_0 .. e_(B+1)
        self.cells = []
        for j in range(len(self.bins) + 1):
            start, stop = self.edges[j], self.edges[j + 1]
            middle = (start + stop) >> 1 if j >= header.fine_from else stop
            cells = Cell(2 * j, start, middle), Cell(2 * j + 1, middle, stop)
            self.cells += [cell for cell in cells if cell.start < cell.stop]


# 8.2 Syntax


def frames_of_slot(header: Header, s: int) -> list[int]:
    """The frames that slot s codes (D1)."""
    frame, last = header.frame, (header.samples - 1) // header.frame + 1
    first, stop = s * header.slot // frame, (s + 1) * header.slot // frame
    return [f for f in range(first, stop) if 0 <= f <= last]


class ResidualReader:
    """The residual of one segment, from frame to frame."""

    def __init__(self, header: Header, layout: Layout, segment: int) -> None:
        self._header, self._layout, self._segment = header, layout, segment
        self._frame = [Context(2048) for _ in range(2)]
        self._zero = [[Context(128 * (a + 1)) for a in range(6)] for _ in range(16)]
        self._magnitude = [[Context(1024) for _ in range(8)] for _ in range(2)]
        self._fine = [Context(1024) for _ in range(6)]
        self._fine_sign = [Context(2048) for _ in range(3)]
        self._fine_magnitude = [Context(1024) for _ in range(2)]
        self.v = [0] * header.frame
        self.fine = {cell.number: 0 for cell in layout.cells}
        self._coded = 0

    def read(self, coder: RangeDecoder, f: int, tones: list[Tone], noises: list[Noise]) -> CodedFrame:
        """Frame f, where tones and noises are held."""
        steering = Steering(
            self._header,
            self._layout,
            f,
            [tone for tone in tones if tone.segment == self._segment],
            [noise for noise in noises if noise.segment == self._segment],
        )
        values = self._read_fine(coder, steering.cell_level) if f % 4 == 0 else 0
        cells = steering.steps(self.fine)
        old, self.v = self.v, [0] * self._header.frame
        self._coded = coder.decode(self._frame[self._coded])
        if self._coded:
            self._read_coefficients(coder, cells, old)
        has_coefficient = any(self.v)
        values += sum(x != 0 for x in self.v)
        return CodedFrame(f, list(self.v), dict(self.fine), cells, values, has_coefficient)

    def _read_fine(self, coder: RangeDecoder, cell_level: dict[int, int]) -> int:
        """The fine levels anew; gives how many values that took."""
        below = count = 0
        for cell in self._layout.cells:
            c = cell.number
            if cell.interval < self._header.fine_from or cell_level[c] < 128:
                self.fine[c] = 0
                continue
            near = 2 * min(1, abs(below)) + min(3, abs(self.fine[c]))
            change = 0
            if coder.decode(self._fine[near]):
                minus = coder.decode(self._fine_sign[0 if below < 0 else 1 if below == 0 else 2])
                change = coder.unary(self._fine_magnitude, 2)
                if minus:
                    change = -change
                count += 1
            self.fine[c] = (self.fine[c] >> 1) + change
            below = change
        return count

    def _read_coefficients(self, coder: RangeDecoder, cells: dict[int, Steps], old: list[int]) -> None:
        v = self.v

        def near(values: list[int], b: int) -> int:
            return min(2, abs(values[b])) if 0 <= b < len(values) else 0

        for cell in self._layout.cells:
            steps = cells[cell.number]
            if not steps.has_coefficients:
                continue
            for b in range(cell.start, cell.stop):
                t = 2 * near(old, b) + near(old, b - 1) + near(old, b + 1) + 2 * near(v, b - 1) + near(v, b - 2)
                a = t if t < 3 else min(5, (t + 3) >> 1)
                if coder.decode(self._zero[steps.ratio_class][a]):
                    v[b] = coder.unary(self._magnitude[1 if a > 2 else 0], 8)
                    if coder.direct(1):
                        v[b] = -v[b]


# 8.3 Dequantise


@dataclass
class Steps:
    """What the Gaussians say of a cell in a frame."""

    step: int
    ratio_class: int
    has_coefficients: bool


class Steering:
    """What a frame's residual is steered by: the Gaussians of its segment."""

    def __init__(self, header: Header, layout: Layout, f: int, tones: list[Tone], noises: list[Noise]) -> None:
        self._header, self._layout, self._f, self._tones = header, layout, f, tones
        level = band_levels(header, noises, f, len(layout.bins))
        level = join_bands_in_one_bin(level, layout.bins)
        self.cell_level: dict[int, int] = {}
        for cell in layout.cells:
            j = cell.interval
            left, right = level[max(j - 1, 0)], level[min(j, len(level) - 1)]
            if j < header.fine_from:
                self.cell_level[cell.number] = (left + right) >> 1
            elif cell.number % 2 == 0:
                self.cell_level[cell.number] = (3 * left + right) >> 2
            else:
                self.cell_level[cell.number] = (left + 3 * right) >> 2

    def _tone_levels(self) -> list[int]:
        """tone_level of each interval."""
        h, edges, f = self._header, self._layout.edges, self._f
        n, size = h.noise_frame_log2, h.frame
        offset = 2 * h.noise_shift - 6 - (1 if n % 2 == 0 else 0)  # O
        levels = [NO_TONE] * (len(edges) - 1)
        for tone in self._tones:
            k = tone.scale
            if tone.height == 0 or f not in frames_of_tone(tone, size) or tone.end <= -128:
                continue
            r = k + 9 - n
            away = abs(2 * (tone.onset - f * size) + tone.support) >> (max(n, k + 5) - 4)
            half = 1 + ((3 * size) >> (k + 5))
            place = (2 * size * tone.bin) >> (k + 5)
            peak = log(tone.height) + 128 * (offset + n - 1) - 256 * h.output_shift
            peak += SHARE[r] - ((CURVATURE[r] * away * away) >> 4)
            for j in range(len(levels)):
                if edges[j] <= place + half and edges[j + 1] > place - half:
                    width = max(1, edges[j + 1] - edges[j])
                    levels[j] = max(levels[j], peak - max(log(2 * half) >> 1, log(width) >> 1))
        return levels

    def steps(self, fine: dict[int, int]) -> dict[int, Steps]:
        """Steps of each cell, by its number."""
        h, edges = self._header, self._layout.edges
        tone_level = self._tone_levels()
        own, total = {}, {}
        for cell in self._layout.cells:
            c, j = cell.number, cell.interval
            lift = 64 * h.lift_low + ((64 * (h.lift_high - h.lift_low) * (min(max(j, 8), 16) - 8)) >> 3)
            own[c] = self.cell_level[c] + fine[c] * fine_step(h) + lift
            apart = abs(own[c] - tone_level[j]) >> 6
            total[c] = max(own[c], tone_level[j]) + (SUM[apart] if apart < 10 else 0)
        is_quiet = max(0, *total.values()) < 16 * h.quiet
        cells = {}
        for cell in self._layout.cells:
            c, j = cell.number, cell.interval
            step = ((179 * total[c]) >> 8) + 8 * h.residual_step - 512
            step += (h.tilt * log(edges[j] + edges[j + 1])) >> 4
            if is_quiet:
                step -= 132
            step = min(max(step, 256), TOP_LEVEL)
            ratio = own[c] - step
            cells[c] = Steps(step, min(15, (ratio + 512) >> 7), j < h.intervals and ratio > -512)
        return cells


def fine_step(header: Header) -> int:
    """F"""
    return 171 if header.level_step else 128


def frames_of_tone(tone: Tone, size: int) -> range:
    """The frames in which a tone has a sample of its support."""
    return range(tone.onset // size, (tone.end - 1) // size + 2)


# 8.4 Render


@dataclass
class CodedFrame:
    """A frame that a slot codes: v and fine, and the steps that they are in."""

    f: int
    v: list[int]
    fine: dict[int, int]
    cells: dict[int, Steps]
    values: int
    has_coefficient: bool

    def render(self, header: Header, layout: Layout, noises: list[Noise]) -> Frame:
        """The frame, from the levels of all noises that are held."""
        return frame_of(*self.spectrum(header, layout, noises), header.noise_frame_log2)

    def spectrum(self, header: Header, layout: Layout, noises: list[Noise]) -> tuple[list[int], int]:
        """X and exponent."""
        n = header.noise_frame_log2
        level = band_levels(header, noises, self.f, len(layout.bins))
        lines = bin_levels(level, layout.bins, header.frame)
        exponent = 0
        for cell in layout.cells:
            steps = self.cells[cell.number]
            change = self.fine[cell.number] * fine_step(header)
            if steps.has_coefficients:
                change -= 8 * CUT[steps.ratio_class] + 32 * header.fill
            for b in range(cell.start, cell.stop):
                lines[b] = min(max(lines[b] + change, 0), TOP_LEVEL)
                exponent = max(exponent, lines[b] >> 8)
                if self.v[b]:
                    exponent = max(exponent, min(14, (steps.step >> 8) + abs(self.v[b]).bit_length()))
        raised = raised_by(exponent, n)
        minus = signs(self.f, header.frame)
        spectrum = [0] * header.frame
        for cell in layout.cells:
            unit = gain(self.cells[cell.number].step + raised) >> 13
            for b in range(cell.start, cell.stop):
                if self.v[b]:
                    size = min(32767 >> (n % 2), (abs(self.v[b]) * unit) >> 2)
                    spectrum[b] = -size if self.v[b] < 0 else size
                else:
                    spectrum[b] = drawn(gain(lines[b] + raised) >> 15, minus[b])
        return spectrum, exponent

    # 8.5 Cost

    def cost(self, header: Header, layout: Layout, noises: list[Noise]) -> int:
        """MACs beside those of 5.5 and of the tones that last in the frame."""
        macs = 2 * 52 + levels_cost(noises, self.f) + 4 * self.values
        if self.has_coefficient:
            macs += 3 * layout.edges[min(header.intervals, len(layout.edges) - 1)]
        return macs
