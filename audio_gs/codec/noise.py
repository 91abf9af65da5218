"""Step 7 of SPEC.md, noise: levels on the Bark axis, a spectrum of random signs, its inverse MDCT. Numba, integer."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from audio_gs.gaussians import GaussianTable, noises

from .container import NoiseHeader, StreamHeader
from .slots import AMPLITUDE_INDEX, BIN, ONSET, SCALE, WIDTH, as_rows
from .tables import GAIN_STEPS, NOISE_SHORTEST_SUPPORT, bark_hz, cosine, envelope, gain

Array = npt.NDArray[Any]

HELD_SCALE, HELD_FRAME, HELD_WIDTH, HELD_PLACE, HELD_WEIGHT = range(5)
HELD_FIELDS = 5

LEVEL_STEP = 128
"""Half an octave of amplitude. A level of 256 (i + 1) is an amplitude of 2^i noise steps; below 256 there is none."""
HIGHEST_LEVEL = 14 * 256 - 1

_FRAMES_AT_A_TIME = 256

_ENVELOPE = envelope()
_COSINE = cosine()
_GAIN = gain()


def held(rows: Array, frame_log2: int) -> npt.NDArray[np.int64]:
    """Noise Gaussians ready to render, shape (n, HELD_FIELDS), from decoded rows (slots.ROW_FIELDS)."""
    columns = (rows[:, SCALE], rows[:, ONSET] >> frame_log2, rows[:, WIDTH], rows[:, BIN], rows[:, AMPLITUDE_INDEX])
    return np.stack(columns, axis=1).astype(np.int64)


def band_bins(sample_rate: int, frame_log2: int) -> npt.NDArray[np.int64]:
    """The bin where each band's centre lies, for the bands whose centre is below half the sample rate."""
    bins = (bark_hz() << (frame_log2 + 1)) // sample_rate
    return bins[bins < 1 << frame_log2]


@njit(cache=True)
def frame_levels(frame: int, base: int, gaussians: Array, bands: int) -> Array:
    """Level of every band in a frame, int64, shape (bands,), before it is limited."""
    levels = np.full(bands, base * LEVEL_STEP, np.int64)
    for g in range(len(gaussians)):
        scale = gaussians[g, HELD_SCALE]
        age = frame - gaussians[g, HELD_FRAME]
        if age <= 0 or age >= NOISE_SHORTEST_SUPPORT << scale:
            continue
        piece = (age << 3) >> scale
        rest = (age << 3) & ((1 << scale) - 1)
        over_time = _ENVELOPE[piece] + (((_ENVELOPE[piece + 1] - _ENVELOPE[piece]) * rest) >> scale)
        peak = (gaussians[g, HELD_WEIGHT] * over_time) >> 7
        width = gaussians[g, HELD_WIDTH]
        # In eighths of a Bark from the lower end of the Gaussian.
        start = (2 * gaussians[g, HELD_PLACE] + 1) * (3 << width) - (12 << width)
        for band in range(bands):
            at = 8 * band + 4 - start
            if at <= 0 or at >= 24 << width:
                continue
            place = (at * 341) >> width
            piece = place >> 8
            over_bark = _ENVELOPE[piece] + (((_ENVELOPE[piece + 1] - _ENVELOPE[piece]) * (place & 255)) >> 8)
            levels[band] += (peak * over_bark) >> 16
    return levels


@njit(cache=True)
def limited(levels: Array) -> Array:
    """Levels that a frame can have, int64."""
    return np.minimum(np.maximum(levels, 0), HIGHEST_LEVEL)


@njit(cache=True)
def spectrum_amplitudes(levels: Array, bins: Array, frame_log2: int) -> Array:
    """Amplitude of every bin, int64, shape (N,), from limited levels: they run in straight lines from band to band, are
    raised so that the highest octave fills 16 bits, and exponentiated."""
    size = 1 << frame_log2
    amplitudes = np.zeros(size, np.int64)
    bands = len(bins)
    raised = (14 - (np.max(levels) >> 8) + (frame_log2 + 1) % 2) << 8
    right = levels[0]
    for band in range(-1, bands):
        left, right = right, levels[min(band + 1, bands - 1)]
        first = bins[band] if band >= 0 else 0
        end = bins[band + 1] if band + 1 < bands else size
        if end <= first:
            right = max(left, right)
            continue
        slope = ((right - left) * (65536 // (end - first))) >> 8
        line = (left + raised) << 8
        for k in range(first, end):
            level = line >> 8
            amplitudes[k] = (_GAIN[(level >> 3) & (GAIN_STEPS - 1)] << ((level >> 8) + 1)) >> 15
            line += slope
    return amplitudes


@njit(cache=True)
def _scramble(frame: int) -> int:
    state = ((frame + 1) * 0x9E3779B9) & 0xFFFFFFFF
    state ^= state >> 16
    state = (state * 0x85EBCA6B) & 0xFFFFFFFF
    return state ^ (state >> 13)


@njit(cache=True)
def spectrum(frame: int, amplitudes: Array) -> Array:
    """Values of all bins, int64, shape (N,)."""
    values = amplitudes.copy()
    state = _scramble(frame)
    for k in range(0, len(values), 2):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        if state >> 31:
            values[k] = ~values[k]
        if (state >> 30) & 1:
            values[k + 1] = ~values[k + 1]
    return values


@njit(cache=True)
def _turned(re: int, im: int, phase: int) -> tuple[int, int]:
    """A complex number turned back by a phase, 65536 a turn, in Q14."""
    phase += 32
    c = np.int64(_COSINE[(phase & 0xFFFF) >> 6])
    s = np.int64(_COSINE[((phase - 16384) & 0xFFFF) >> 6])
    return re * c + im * s, im * c - re * s


@njit(cache=True)
def _cross_fours(z: Array, span: int) -> None:
    """Two stages of the transform, on transforms of `span` numbers. The first ones have nothing to turn or to scale."""
    for k in range(span):
        for at in range(k, len(z), 4 * span):
            t = np.zeros((4, 2), np.int64)
            for leg, place in enumerate((0, 2, 1, 3)):
                t[leg] = z[at + place * span]
                if span > 1:
                    re, im = _turned(t[leg, 0], t[leg, 1], leg * (k << 14) // span)
                    t[leg] = re >> 16, im >> 16
            for part in range(2):
                even, odd = t[0, part] + t[2, part], t[1, part] + t[3, part]
                z[at, part], z[at + 2 * span, part] = even + odd, even - odd
                even, odd = t[0, part] - t[2, part], t[1, 1 - part] - t[3, 1 - part]
                if part:
                    odd = -odd
                z[at + span, part], z[at + 3 * span, part] = even + odd, even - odd


@njit(cache=True)
def transform(values: Array) -> Array:
    """The numbers before the last turn of SPEC 7 from the values of all bins, int64, shape (N / 2, 2)."""
    pairs = len(values) // 2
    z = np.zeros((pairs, 2), np.int64)
    at = 0
    for k in range(pairs):
        re, im = _turned(values[2 * k], values[2 * pairs - 1 - 2 * k], (k << 14) // pairs)
        z[at] = re >> 16, im >> 16
        bit = pairs >> 1
        while at & bit:
            at ^= bit
            bit >>= 1
        at |= bit
    span = 1
    while 4 * span <= pairs:
        span *= 4
    if span == pairs:
        span = 1
    else:
        for at in range(0, pairs, 2):
            for part in range(2):
                a, b = z[at, part], z[at + 1, part]
                z[at, part], z[at + 1, part] = a + b, a - b
        span = 2
    while span < pairs:
        _cross_fours(z, span)
        span *= 4
    return z


@njit(cache=True)
def transform_frame(frame: int, frame_log2: int, levels: Array, bins: Array) -> tuple[int, Array]:
    """The octave of a frame, 0 for silence, and its numbers before the last turn, int64, shape (N / 2, 2)."""
    levels = limited(levels)
    octave = np.max(levels) >> 8
    if octave == 0:
        return 0, np.zeros((1 << (frame_log2 - 1), 2), np.int64)
    return octave, transform(spectrum(frame, spectrum_amplitudes(levels, bins, frame_log2)))


@njit(cache=True)
def overlapped(before: tuple[int, Array], after: tuple[int, Array], frame_log2: int, shift: int) -> Array:
    """Samples of the block between two frames, int64, shape (N,), in output steps."""
    size = 1 << frame_log2
    octave = max(before[0], after[0])
    down = 24 + shift - (frame_log2 >> 1) - octave
    by = min(max(down, 14), 31)
    out = np.zeros(size, np.int64)
    for j in range(size >> 1):
        k = (size >> 1) - ((j + 1) >> 1) if j & 1 else j >> 1
        now = ((2 * j + 1) << 7) >> frame_log2
        phase = (128 - now if j & 1 else 640 + now) << 6
        old = _turned(before[1][k, 0], before[1][k, 1], phase)
        new = _turned(after[1][k, 0], after[1][k, 1], phase)
        fall, rise = np.int64(_COSINE[now]), -np.int64(_COSINE[now + 256])
        faded, fresh = (old[1 - (j & 1)] >> 14) >> (octave - before[0]), new[j & 1] >> (14 + octave - after[0])
        first, last = -fresh * rise - faded * fall, fresh * fall - faded * rise
        out[j], out[size - 1 - j] = first, last
    out = (out + (1 << (by - 1))) >> by
    return np.minimum(np.maximum(out << max(14 - down, 0), -32768), 32767)


class NoiseRenderer:
    """The noise of one stream, frame after frame from anywhere."""

    def __init__(self, header: NoiseHeader, sample_rate: int) -> None:
        self._header = header
        self._bins = band_bins(sample_rate, header.frame_log2)
        self.forget()

    def forget(self) -> None:
        """Forget the frames made so far, before a jump."""
        self._frames: dict[int, tuple[int, Array]] = {}

    def samples(self, start: int, count: int, gaussians: Array) -> npt.NDArray[np.int64]:
        """Samples start.. of the noise, int64, in output steps. `gaussians` are those held (HELD_FIELDS)."""
        log2 = self._header.frame_log2
        pieces = [np.zeros(0, np.int64)]
        at, end = start, start + count
        while at < end:
            frame = at >> log2
            stop = min(end, (frame + 1) << log2)
            self._frames = {f: self._frame(f, gaussians) for f in (frame, frame + 1)}
            block = overlapped(self._frames[frame], self._frames[frame + 1], log2, self._header.shift)
            pieces.append(block[at - (frame << log2) : stop - (frame << log2)])
            at = stop
        return np.concatenate(pieces)

    def _frame(self, frame: int, gaussians: Array) -> tuple[int, Array]:
        if frame in self._frames:
            return self._frames[frame]
        levels = frame_levels(frame, self._header.base, gaussians, len(self._bins))
        return transform_frame(frame, self._header.frame_log2, levels, self._bins)


def render_noise(header: StreamHeader, table: GaussianTable) -> npt.NDArray[np.int64]:
    """The noise of a whole clip, int64, shape (samples,), in output steps; zeros without noise."""
    if header.noise is None:
        return np.zeros(header.samples, np.int64)
    log2 = header.noise.frame_log2
    rows = held(as_rows(noises(table)), log2)
    end = rows[:, HELD_FRAME] + (NOISE_SHORTEST_SUPPORT << rows[:, HELD_SCALE])
    renderer = NoiseRenderer(header.noise, header.sample_rate)
    pieces = [np.zeros(0, np.int64)]
    for start in range(0, header.samples, _FRAMES_AT_A_TIME << log2):
        count = min(_FRAMES_AT_A_TIME << log2, header.samples - start)
        near = (end > start >> log2) & (rows[:, HELD_FRAME] <= (start + count) >> log2)
        pieces.append(renderer.samples(start, count, rows[near]))
    return np.concatenate(pieces)
