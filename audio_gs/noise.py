"""Step 7 of SPEC.md, noise: levels on the Bark axis, a spectrum of random signs, its inverse MDCT. Numba, integer."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from .container import NoiseHeader, StreamHeader
from .gaussians import GaussianTable, noises
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
def spectrum_amplitudes(levels: Array, bins: Array, size: int) -> Array:
    """Amplitude of every bin, int32, shape (size,): levels in straight lines from band to band, exponentiated."""
    amplitudes = np.zeros(size, np.int32)
    bands = len(bins)
    for band in range(-1, bands):
        left = min(max(levels[max(band, 0)], 0), HIGHEST_LEVEL)
        right = min(max(levels[min(band + 1, bands - 1)], 0), HIGHEST_LEVEL)
        first = bins[band] if band >= 0 else 0
        end = bins[band + 1] if band + 1 < bands else size
        if end <= first:
            continue
        slope = ((right - left) * (65536 // (end - first))) >> 8
        line = left << 8
        for k in range(first, end):
            level = line >> 8
            amplitudes[k] = _GAIN[(level >> 3) & (GAIN_STEPS - 1)] >> (14 - (level >> 8))
            line += slope
    return amplitudes


@njit(cache=True)
def _scramble(frame: int) -> int:
    state = ((frame + 1) * 0x9E3779B9) & 0xFFFFFFFF
    state ^= state >> 16
    state = (state * 0x85EBCA6B) & 0xFFFFFFFF
    return (state ^ (state >> 13)) | 1


@njit(cache=True)
def _next(state: int) -> int:
    state ^= (state << 13) & 0xFFFFFFFF
    state ^= state >> 17
    return state ^ ((state << 5) & 0xFFFFFFFF)


@njit(cache=True)
def _turn(work: Array, pair: int, phase: int) -> None:
    """Turns a complex number (work[2 pair], work[2 pair + 1]) back by a phase, 65536 a turn."""
    phase += 32
    c = np.int32(_COSINE[(phase & 0xFFFF) >> 6])
    s = np.int32(_COSINE[((phase - 16384) & 0xFFFF) >> 6])
    re, im = work[2 * pair], work[2 * pair + 1]
    work[2 * pair] = np.int32(re * c + im * s + np.int32(8192)) >> np.int32(14)
    work[2 * pair + 1] = np.int32(im * c - re * s + np.int32(8192)) >> np.int32(14)


@njit(cache=True)
def inverse_transform(work: Array, frame_log2: int) -> None:
    """DCT-IV of the spectrum in work, int32, in place and scaled; both in the order of SPEC 7."""
    stages = frame_log2 - 1
    pairs = 1 << stages
    for k in range(pairs):
        _turn(work, k, k << (15 - frame_log2))
    j = 0
    for i in range(pairs):
        if j > i:
            for part in range(2):
                work[2 * i + part], work[2 * j + part] = work[2 * j + part], work[2 * i + part]
        bit = pairs >> 1
        while j & bit:
            j ^= bit
            bit >>= 1
        j |= bit
    for stage in range(stages):
        half = 1 << stage
        shift = np.int32(stage & 1)
        for k in range(half):
            phase = (k << 15) >> stage
            for at in range(k, pairs, 2 * half):
                other = at + half
                _turn(work, other, phase)
                for part in range(2):
                    a, b = work[2 * at + part], work[2 * other + part]
                    work[2 * at + part] = np.int32(a + b) >> shift
                    work[2 * other + part] = np.int32(a - b) >> shift
    for k in range(pairs):
        _turn(work, k, ((4 * k + 1) << 13) >> frame_log2)


@njit(cache=True)
def _value(work: Array, frame_log2: int, index: int) -> int:
    """Value number `index` of the DCT-IV."""
    if index & 1:
        return -np.int64(work[(1 << frame_log2) - index])
    return np.int64(work[index])


@njit(cache=True)
def transform_frame(frame: int, frame_log2: int, levels: Array, bins: Array) -> Array:
    """The DCT-IV of a frame's random spectrum, int32, shape (N,), in the order of SPEC 7."""
    size = 1 << frame_log2
    amplitudes = spectrum_amplitudes(levels, bins, size)
    work = np.zeros(size, np.int32)
    state = _scramble(frame)
    for k in range(size):
        if k & 31 == 0:
            state = _next(state)
        value = amplitudes[k] if (state >> (k & 31)) & 1 else -amplitudes[k]
        work[size - k if k & 1 else k] = value
    inverse_transform(work, frame_log2)
    return work


@njit(cache=True)
def overlapped(before: Array, after: Array, frame_log2: int, shift: int, first: int, count: int) -> Array:
    """Samples first..first+count-1 of the block between two frames, int64, in output steps."""
    size = 1 << frame_log2
    half = size >> 1
    out = np.zeros(count, np.int64)
    for n in range(first, first + count):
        rising = _COSINE[(16384 - ((2 * n + 1) << (13 - frame_log2))) >> 6]
        falling = _COSINE[((2 * n + 1) << (13 - frame_log2)) >> 6]
        if n < half:
            old, new = -_value(before, frame_log2, half - 1 - n), _value(after, frame_log2, n + half)
        else:
            old, new = -_value(before, frame_log2, n - half), -_value(after, frame_log2, 3 * half - 1 - n)
        mixed = np.int32(old * falling + new * rising + 8192) >> np.int32(14)
        out[n - first] = (mixed * 16 + (1 << (shift - 1))) >> shift
    return out


class NoiseRenderer:
    """The noise of one stream, frame after frame from anywhere."""

    def __init__(self, header: NoiseHeader, sample_rate: int) -> None:
        self._header = header
        self._bins = band_bins(sample_rate, header.frame_log2)
        self.forget()

    def forget(self) -> None:
        """Forget the frames made so far, before a jump."""
        self._frames: dict[int, Array] = {}

    def samples(self, start: int, count: int, gaussians: Array) -> npt.NDArray[np.int64]:
        """Samples start.. of the noise, int64, in output steps. `gaussians` are those held (HELD_FIELDS)."""
        log2 = self._header.frame_log2
        pieces = [np.zeros(0, np.int64)]
        at, end = start, start + count
        while at < end:
            frame = at >> log2
            stop = min(end, (frame + 1) << log2)
            self._frames = {f: self._frame(f, gaussians) for f in (frame, frame + 1)}
            pair = self._frames[frame], self._frames[frame + 1]
            pieces.append(overlapped(*pair, log2, self._header.shift, at - (frame << log2), stop - at))
            at = stop
        return np.concatenate(pieces)

    def _frame(self, frame: int, gaussians: Array) -> Array:
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
