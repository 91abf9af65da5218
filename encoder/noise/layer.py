"""The noise layer of a clip: what the tones leave out, as a map of levels, as noise Gaussians, and in the header."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from audio_gs.codec.container import StreamHeader
from audio_gs.codec.cost import held_each_slot
from audio_gs.codec.kinds import NOISE
from audio_gs.codec.kinds.base import Table
from audio_gs.codec.kinds.noise import (
    MAX_FRAME_LOG2,
    MAX_NOISE_SHIFT,
    MAX_NOISES,
    MIN_FRAME_LOG2,
    NoiseHeader,
    band_bins,
)

from .fit import PLACE, ROW, SCALE, WEIGHT, bark_places, fit_plane

Floats = npt.NDArray[np.float64]

_HIGHEST = 26
"""Highest level of a map in half octaves: amplitudes of 2^12, which leaves the transform room for its peaks."""
_HIGHEST_COEFFICIENT = 28
"""The same of a single coefficient that is coded."""
FAINTEST_POWER = 1 / 12
"""What 16 bits add by themselves, in squared output steps; noise below that is none."""
_LOW_HZ, _HIGH_HZ = 1000.0, 3000.0
"""Where the level of low frequencies ends and that of high ones begins."""
_ALONE_SHARES = (0.3, 0.9)
"""Shares of a cell's power that tones leave, up to which they count as there and from which as not."""
_QUIET_DB = (-35.0, -25.0)
"""Level of a frame under the loudest one, up to which it counts as quiet and from which as not."""
_IMPORTANCE = ((0, 4, 8, 16), (0.3, 0.4, 0.5, 1.6))
"""What an error of a level counts, by Bark: low down tones do most of the work."""
_SHORTER_FRAMES = 0.1
"""Octaves by which rounding favours the shorter frame."""
_FRAMES_AT_A_TIME = 4096


@dataclasses.dataclass(frozen=True)
class NoiseLayer:
    """Noise Gaussians with their part of the header."""

    header: NoiseHeader
    table: Table

    def held(self, blank_header: StreamHeader) -> int:
        """The most noises that a decoder holds, of a stream with this header but for its part on noise."""
        header = dataclasses.replace(blank_header, noise=self.header)
        return max(1, int(held_each_slot(self.table, NOISE, header).max(initial=0)))


def frame_log2_for(sample_rate: int, seconds: float, slot_log2: int) -> int:
    """Log2 of the noise frame nearest to a length, rather the shorter one, which takes less memory."""
    nearest = round(math.log2(seconds * sample_rate) - _SHORTER_FRAMES)
    return min(MAX_FRAME_LOG2, slot_log2, max(MIN_FRAME_LOG2, nearest))


def frames_of(signal: Floats, frame_log2: int) -> int:
    """How many noise frames a signal takes."""
    return -(-len(signal) >> frame_log2) + 1


def frame_spectra(signal: Floats, frame_log2: int) -> Iterator[tuple[int, npt.NDArray[np.complex128]]]:
    """The noise frames of a signal, some at a time: the first one's number, and MDCT and MDST of each bin as a complex
    number, shape (n, N), but for a turn of each bin by itself, and by the square root of 2 too small."""
    size = 1 << frame_log2
    frames = frames_of(signal, frame_log2)
    padded = np.zeros((frames + 1) * size)
    padded[size : size + len(signal)] = signal
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * size)[::size]
    n = np.arange(2 * size)
    # Bins half a step up: a DFT of the signal turned down by half a bin.
    window = np.sin(np.pi * (n + 0.5) / (2 * size)) * np.exp(-1j * np.pi * n / (2 * size)) / math.sqrt(size)
    for start in range(0, frames, _FRAMES_AT_A_TIME):
        yield start, np.fft.fft(windows[start : start + _FRAMES_AT_A_TIME] * window, axis=1)[:, :size]


def power_map(signal: Floats, sample_rate: int, frame_log2: int) -> Floats:
    """Power of a signal in each noise frame and Bark band, shape (frames, bands): that of an MDCT coefficient there,
    by MDCT and MDST together, so that it does not depend on the phase."""
    shares = band_shares(sample_rate, frame_log2)
    out = np.zeros((frames_of(signal, frame_log2), shares.shape[1]))
    for start, spectrum in frame_spectra(signal, frame_log2):
        out[start : start + len(spectrum)] = (np.abs(spectrum) ** 2) @ shares
    return out


def band_shares(sample_rate: int, frame_log2: int) -> Floats:
    """Weight of each bin in the mean power of each band, shape (bins, bands): a triangle from centre to centre."""
    centres = band_bins(sample_rate, frame_log2)
    bins = np.arange(1 << frame_log2)
    shares = np.stack([np.interp(bins, centres, np.eye(len(centres))[i]) for i in range(len(centres))], axis=1)
    return shares / np.maximum(shares.sum(axis=0), 1e-9)


def levels_db(sample_rate: int, frame_log2: int, low_db: float, high_db: float) -> Floats:
    """A level for each band: one up to `_LOW_HZ`, the other from `_HIGH_HZ` on."""
    hertz = band_bins(sample_rate, frame_log2) * sample_rate / (2 << frame_log2)
    return np.interp(np.log(np.maximum(hertz, 1.0)), np.log([_LOW_HZ, _HIGH_HZ]), [low_db, high_db])


def wanted_power(
    signal: Floats, residual: Floats, sample_rate: int, frame_log2: int, level_db: Floats, alone_db: float
) -> Floats:
    """Power that noise should have in each frame and band: that of the residual, raised by `level_db` of the band where
    tones have done their work, by `alone_db` where there are none, and in between where they have done some of it; in
    quiet frames as it is."""
    power = power_map(residual, sample_rate, frame_log2)
    whole = power_map(signal, sample_rate, frame_log2)
    return power * 10 ** (wanted_gain_db(power, whole, level_db, alone_db) / 10)


def wanted_gain_db(power: Floats, whole: Floats, level_db: Floats, alone_db: float) -> Floats:
    """How much louder noise should be than the residual, from the powers of residual and signal; all of shape (frames,
    bands)."""
    share = power / np.maximum(whole, 1e-9)
    alone = np.interp(np.log2(np.maximum(share, 1e-9)), np.log2(_ALONE_SHARES), (0.0, 1.0))
    loudness = whole.sum(axis=1, keepdims=True)
    under_loudest = 10 * np.log10(np.maximum(loudness, 1e-9) / max(float(loudness.max(initial=0.0)), 1e-9))
    quiet = np.interp(under_loudest, _QUIET_DB, (1.0, 0.0))
    return (level_db * (1 - alone) + alone_db * alone) * (1 - quiet)


def importance_of(bands: int) -> Floats:
    """What an error of a level counts in each band, shape (bands,)."""
    return np.interp(np.arange(bands), *_IMPORTANCE)


def fit_noise(power: Floats, frame_log2: int, count: int, rounds: int, peak: float = 0.0) -> NoiseLayer | None:
    """The noise layer that comes nearest to a power in squared output steps in each frame and band, shape (frames,
    bands), in the log domain: at most `count` Gaussians; None where all is silent. `peak` is the power of the loudest
    coefficient that a residual beside it has to hold."""
    loudest = float(power.max(initial=0.0))
    if loudest <= 4 * FAINTEST_POWER or count < 1:
        return None
    odd_stages = (frame_log2 - 1) & 1
    room = min(_HIGHEST - math.log2(loudest), _HIGHEST_COEFFICIENT - math.log2(max(peak, 1.0)))
    shift = math.floor((room + 6 + odd_stages) / 2)
    shift = min(MAX_NOISE_SHIFT, max(1, shift))
    header = NoiseHeader(frame_log2, shift, 0, MAX_NOISES)
    offset = header.octaves_of_power
    faintest = max(0.0, math.log2(FAINTEST_POWER) + offset)
    level = np.clip(np.log2(np.maximum(power, 1e-9)) + offset, faintest, None)
    base = int(np.clip(round(float(level.mean())), -128, 127))
    picks, plane = fit_plane(level - base, importance_of(level.shape[1]), count, rounds)
    table = NOISE.empty(len(picks))
    table["scale"] = picks[:, SCALE]
    onset = plane.first[picks[:, SCALE]] + ((picks[:, ROW] - plane.rows[picks[:, SCALE]]) << picks[:, SCALE])
    table["onset"] = onset << frame_log2
    table["width"], table["place"] = bark_places()[picks[:, PLACE]].T
    table["weight"] = picks[:, WEIGHT]
    return NoiseLayer(dataclasses.replace(header, base=base), table)
