"""What the side has of the mid's noises: how its own noise differs in level, and how much of the mid's it shares."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import ndimage, sparse

from audio_gs.codec.kinds.base import Table
from audio_gs.codec.tables import LARGEST_NOISE_WEIGHT, NOISE_SHORTEST_SUPPORT

from ..noise.fit import bark_places, bark_profiles, time_profiles
from ..noise.layer import FAINTEST_POWER, NoiseLayer, band_shares, frame_spectra, frames_of

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

PANS = 16
"""Steps of the pan's weight in an amplitude ratio of 1."""
_SMOOTH_FRAMES, _SMOOTH_BANDS = 5, 3
"""Over which powers are averaged before what channels have in common is looked at."""
_SILENCE = 2.0
"""Level in steps of 3 dB below which there is no noise."""
_ROUNDS = 4
_LARGEST = LARGEST_NOISE_WEIGHT


class NoiseSides(NamedTuple):
    """Of noises, in their order; both of shape (n,), 0 for none."""

    weight: Integers
    """What a noise adds to the level of the side's own noise beside what it adds to the mid's, in steps of 3 dB."""
    pan: Integers
    """What it adds to the share of the mid's noise in the side, in steps of 1 / PANS."""


def fit_noise_sides(
    mid_left: Floats,
    side_left: Floats,
    gain_db: Floats,
    noise: NoiseLayer,
    sample_rate: int,
    importance: Floats,
    prices: tuple[float, float],
) -> tuple[NoiseSides, int]:
    """What noises have for the side, and its base.

    mid_left, side_left  what tones leave of mid and side, in output steps, shape (samples,)
    gain_db              by how much the side's noise is to be louder than that, shape (frames, bands)
    noise                of the mid
    importance           of an error in each band, shape (bands,)
    prices               what a weight and a pan has to save in squared steps to be worth its bits
    """
    frame_log2, noises = noise.header.frame_log2, noise.table
    shares = band_shares(sample_rate, frame_log2)
    powers = np.zeros((3, frames_of(mid_left, frame_log2), shares.shape[1]))
    spectra = zip(frame_spectra(mid_left, frame_log2), frame_spectra(side_left, frame_log2), strict=True)
    for (start, mid), (_, side) in spectra:
        here = slice(start, start + len(mid))
        powers[0, here] = np.abs(mid) ** 2 @ shares
        powers[1, here] = np.abs(side) ** 2 @ shares
        powers[2, here] = (mid * np.conj(side)).real @ shares
    of_mid, of_side, common = (ndimage.uniform_filter(power, (_SMOOTH_FRAMES, _SMOOTH_BANDS)) for power in powers)
    shape = profiles(noises, frame_log2, *of_mid.shape)
    level = (shape @ noises["weight"]).reshape(of_mid.shape) + noise.header.base
    there = level > _SILENCE
    pan = np.clip(common / np.maximum(of_mid, FAINTEST_POWER), -1, 1)
    pans = descended(shape, (PANS * pan).ravel(), (importance * there).ravel(), prices[1])
    panned = np.clip((shape @ pans).reshape(level.shape) / PANS, -1, 1)
    # What the mid's noise leaves of the side's, were it as loud as it is to be.
    own = np.maximum(of_side - 2 * panned * common + panned**2 * of_mid, 0.01 * of_side)
    share = own / np.maximum(of_side, 1e-9)
    wanted = powers[1] * share * 10 ** (gain_db / 10)
    target = np.log2(np.maximum(wanted, FAINTEST_POWER / 4)) + noise.header.octaves_of_power - level
    weights = importance * (there & (wanted > FAINTEST_POWER))
    if not weights.any():
        return NoiseSides(np.zeros(len(noises), np.int64), pans), -128
    base = int(np.clip(round(float(np.average(target, weights=weights))), -128, 127))
    found = descended(shape, (target - base).ravel(), weights.ravel(), prices[0])
    return NoiseSides(found, pans), base


def profiles(noises: Table, frame_log2: int, frames: int, bands: int) -> sparse.csr_matrix:
    """How much a step of each noise raises each cell of a map, shape (frames * bands, noises)."""
    over_time, over_bark = time_profiles(), bark_profiles(bands)
    numbers = {(int(width), int(place)): at for at, (width, place) in enumerate(bark_places())}
    rows, columns, values = [], [], []
    for column, noise in enumerate(noises):
        onset = int(noise["onset"]) >> frame_log2
        support = NOISE_SHORTEST_SUPPORT << int(noise["scale"])
        first, end = max(0, onset), min(frames, onset + support)
        bark = over_bark[numbers[int(noise["width"]), int(noise["place"])]]
        raised = np.flatnonzero(bark)
        if end <= first or len(raised) == 0:
            continue
        time = over_time[noise["scale"], first - onset : end - onset]
        rows.append((np.arange(first, end)[:, None] * bands + raised).ravel())
        columns.append(np.full((end - first) * len(raised), column))
        values.append(np.outer(time, bark[raised]).ravel())
    if not rows:
        return sparse.csr_matrix((frames * bands, len(noises)))
    entries = np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))
    return sparse.csr_matrix(entries, shape=(frames * bands, len(noises)))


def descended(shape: sparse.csr_matrix, target: Floats, importance: Floats, price: float) -> Integers:
    """Whole weights of columns whose sum comes near a target, shape (cells,), in squares that count by importance, each
    taking at least its price off: the more, the larger it is."""
    weighted = shape.multiply(importance[:, None]).tocsr()
    gram = (shape.T @ weighted).tocsr()
    products = np.asarray(weighted.T @ target).ravel()
    found = np.zeros(shape.shape[1], np.int64)
    _descend(gram.indptr, gram.indices, gram.data, gram.diagonal(), products, price, found)
    return found


@njit(cache=True)
def _descend(
    starts: Array, columns: Array, values: Array, energies: Array, products: Array, price: float, found: Array
) -> None:
    for _ in range(_ROUNDS):
        for n in range(len(found)):
            energy = energies[n]
            if energy <= 0:
                found[n] = 0
                continue
            product = products[n] + energy * found[n]
            for at in range(starts[n], starts[n + 1]):
                product -= values[at] * found[columns[at]]
            exact = product / energy
            best, best_gain = 0, 0.0
            nearest = int(np.floor(abs(exact) + 0.5))
            for size in range(max(1, nearest - 1), min(nearest, _LARGEST) + 1):
                weight = size if exact > 0 else -size
                gain = weight * (2 * product - weight * energy) - price * (1 + 0.5 * np.log2(size))
                if gain > best_gain:
                    best, best_gain = weight, gain
            found[n] = best
