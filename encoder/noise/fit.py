"""Noise Gaussians of a residual: matching pursuit in the log domain on the plane of frames and Bark bands.

The map to fit is the level of what the tones leave out; all its cells count alike. A Gaussian is separable in time and
Bark, so the inner products of two of them are products of two small numbers that are tabulated, and a pick costs an
update of the cells that it overlaps (`_subtract`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from audio_gs.codec.tables import (
    ENVELOPE_SEGMENTS,
    LARGEST_NOISE_WEIGHT,
    NOISE_NARROWEST_SUPPORT,
    NOISE_PLACES_LOG2,
    NOISE_SCALES,
    NOISE_SHORTEST_SUPPORT,
    NOISE_WIDTHS,
    envelope,
)

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

SCALE, ROW, PLACE, WEIGHT = range(4)
"""Fields of a pick: scale, number of its onset, number of its profile on the Bark axis, weight."""
PICK_FIELDS = 4
_LOWEST = -1.0


class Plane(NamedTuple):
    """What the compiled functions know of the plane; time in frames."""

    profiles: Floats
    """Over time, shape (scales, longest support)."""
    time_products: Floats
    """Inner products of two profiles over time, by scale, scale and distance of onsets plus the longest support."""
    bark_products: Floats
    """The same over the bands, shape (places, places)."""
    energies: Floats
    """Squared norm of every Gaussian that lies within the clip, shape (scales, places)."""
    first: Array
    """First onset of each scale."""
    rows: Array
    """Row of each scale's first onset, shape (scales + 1,)."""
    frames: int


def bark_places() -> npt.NDArray[np.int64]:
    """Width and place of every profile on the Bark axis, shape (places, 2)."""
    pairs = [(width, place) for width in range(NOISE_WIDTHS) for place in range((1 << NOISE_PLACES_LOG2) >> width)]
    return np.array(pairs, np.int64)


def bark_profiles(bands: int) -> Floats:
    """How much every place raises every band, shape (places, bands), as SPEC 5.3 has it."""
    width, place = bark_places().T
    support = NOISE_NARROWEST_SUPPORT << width
    at = np.arange(bands)[None, :] + 0.5 - (support * (2 * place - 3) / 8)[:, None]
    return _envelope_at(at / support[:, None])


def time_profiles() -> Floats:
    """How much a noise Gaussian of each scale counts in each frame from its onset on, shape (scales, frames)."""
    longest = NOISE_SHORTEST_SUPPORT << (NOISE_SCALES - 1)
    support = (NOISE_SHORTEST_SUPPORT << np.arange(NOISE_SCALES))[:, None]
    return _envelope_at(np.arange(longest)[None, :] / support)


def _envelope_at(place: Floats) -> Floats:
    """The envelope at positions of its support, 0 outside 0..1."""
    inside = (place > 0) & (place < 1)
    knots = np.arange(ENVELOPE_SEGMENTS + 1) / ENVELOPE_SEGMENTS
    return np.where(inside, np.interp(place, knots, envelope() / 32767.0), 0.0)


def make_plane(frames: int, importance: Floats) -> Plane:
    """The plane of a map of so many frames and bands of this importance."""
    profiles, over_bark = time_profiles(), bark_profiles(len(importance)) * np.sqrt(importance)
    longest = profiles.shape[1]
    products = np.zeros((NOISE_SCALES, NOISE_SCALES, 2 * longest))
    for one in range(NOISE_SCALES):
        for other in range(NOISE_SCALES):
            # Distance d is the other's onset minus the one's.
            full = np.correlate(profiles[one], profiles[other], mode="full")
            products[one, other, 1 : 2 * longest] = full
    hops = 1 << np.arange(NOISE_SCALES)
    supports = NOISE_SHORTEST_SUPPORT * hops
    first = hops - supports
    counts = (frames - 2 - first) // hops + 1
    norms = np.sum(profiles**2, axis=1)
    return Plane(
        profiles=profiles,
        time_products=products,
        bark_products=over_bark @ over_bark.T,
        energies=norms[:, None] * np.sum(over_bark**2, axis=1)[None, :],
        first=first.astype(np.int64),
        rows=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        frames=frames,
    )


def correlate(level: Floats, importance: Floats, plane: Plane) -> tuple[Floats, Floats]:
    """Inner products of a map, shape (frames, bands), with every Gaussian, shape (rows, places); and for each row what
    share of the Gaussian's energy over time lies within the clip."""
    frames, bands = level.shape
    banded = (level * importance) @ bark_profiles(bands).T
    longest = plane.profiles.shape[1]
    padded = np.zeros((frames + 2 * longest, banded.shape[1]))
    padded[longest : longest + frames] = banded
    within = np.zeros(frames + 2 * longest)
    within[longest : longest + frames] = 1
    out = np.zeros((plane.rows[-1], banded.shape[1]))
    share = np.zeros(plane.rows[-1])
    for scale in range(NOISE_SCALES):
        support = NOISE_SHORTEST_SUPPORT << scale
        profile = plane.profiles[scale, :support]
        onsets = plane.first[scale] + (np.arange(plane.rows[scale + 1] - plane.rows[scale]) << scale) + longest
        rows = slice(plane.rows[scale], plane.rows[scale + 1])
        for age in range(1, support):
            out[rows] += profile[age] * padded[onsets + age]
            share[rows] += profile[age] ** 2 * within[onsets + age]
        share[rows] /= np.sum(profile**2)
    return out, share


@njit(cache=True)
def _scale_of(rows: Array, row: int) -> int:
    scale = 0
    while rows[scale + 1] <= row:
        scale += 1
    return scale


@njit(cache=True, inline="always")
def _weight(product: float, energy: float) -> float:
    """The whole number of steps that fits best."""
    weight = np.floor(product / energy + 0.5)
    return min(max(weight, -LARGEST_NOISE_WEIGHT), LARGEST_NOISE_WEIGHT)


@njit(cache=True, fastmath=True)
def _best_of_row(products: Array, energies: Array, share: float) -> tuple[float, int]:
    """What the best Gaussian of a row takes off the squared error, and its place."""
    best, place = _LOWEST, 0
    for p in range(len(products)):
        energy = energies[p] * share
        if energy < 1e-3:
            continue
        weight = _weight(products[p], energy)
        gain = weight * (2 * products[p] - weight * energy)
        if gain > best:
            best, place = gain, p
    return best, place


@njit(cache=True, fastmath=True)
def _time_product(plane: Plane, scale: int, onset: int, other: int, other_onset: int) -> float:
    """Inner product over time of two Gaussians, of what of them lies within the clip."""
    end, other_end = onset + (NOISE_SHORTEST_SUPPORT << scale), other_onset + (NOISE_SHORTEST_SUPPORT << other)
    if min(onset, other_onset) >= -1 and max(end, other_end) <= plane.frames:
        return plane.time_products[scale, other, other_onset - onset + plane.profiles.shape[1]]
    total = 0.0
    for frame in range(max(0, onset + 1, other_onset + 1), min(plane.frames, end, other_end)):
        total += plane.profiles[scale, frame - onset] * plane.profiles[other, frame - other_onset]
    return total


@njit(cache=True, fastmath=True)
def _subtract(
    products: Array,
    bests: Array,
    places: Array,
    shares: Array,
    plane: Plane,
    scale: int,
    row: int,
    place: int,
    by: float,
) -> None:
    """Takes `by` times a Gaussian off the map: off all inner products that it has a part in."""
    onset = plane.first[scale] + ((row - plane.rows[scale]) << scale)
    support = NOISE_SHORTEST_SUPPORT << scale
    for other in range(len(plane.first)):
        reach = NOISE_SHORTEST_SUPPORT << other
        low = max(0, -((-(onset - reach + 1 - plane.first[other])) >> other))
        high = min(plane.rows[other + 1] - plane.rows[other] - 1, (onset + support - 1 - plane.first[other]) >> other)
        for number in range(low, high + 1):
            product = by * _time_product(plane, scale, onset, other, plane.first[other] + (number << other))
            if product == 0:
                continue
            at = plane.rows[other] + number
            for p in range(products.shape[1]):
                products[at, p] -= product * plane.bark_products[place, p]
            bests[at], places[at] = _best_of_row(products[at], plane.energies[other], shares[at])


@njit(cache=True)
def _fill(products: Array, shares: Array, plane: Plane, bests: Array, places: Array) -> None:
    for row in range(len(products)):
        scale = _scale_of(plane.rows, row)
        bests[row], places[row] = _best_of_row(products[row], plane.energies[scale], shares[row])


@njit(cache=True)
def _take(products: Array, bests: Array, places: Array, shares: Array, plane: Plane, row: int, pick: Array) -> None:
    """Makes a pick of the best Gaussian of a row, and takes it off the map."""
    scale = _scale_of(plane.rows, row)
    place = places[row]
    weight = _weight(products[row, place], plane.energies[scale, place] * shares[row])
    pick[SCALE], pick[ROW], pick[PLACE], pick[WEIGHT] = scale, row, place, weight
    _subtract(products, bests, places, shares, plane, scale, row, place, weight)


@njit(cache=True)
def _pick(products: Array, bests: Array, places: Array, shares: Array, plane: Plane, picks: Array) -> int:
    """Picks the best Gaussians one after another while each takes something off the squared error."""
    for n in range(len(picks)):
        row = int(np.argmax(bests))
        if bests[row] <= 0:
            return n
        _take(products, bests, places, shares, plane, row, picks[n])
    return len(picks)


@njit(cache=True)
def _move(products: Array, bests: Array, places: Array, shares: Array, plane: Plane, picks: Array) -> None:
    """A round of coordinate descent: each Gaussian is taken out and put back where the map near it now asks for one
    most, or left out if that no longer pays."""
    for n in range(len(picks)):
        if picks[n, WEIGHT] == 0:
            continue
        scale, row, place = picks[n, SCALE], picks[n, ROW], picks[n, PLACE]
        _subtract(products, bests, places, shares, plane, scale, row, place, -picks[n, WEIGHT])
        onset = plane.first[scale] + ((row - plane.rows[scale]) << scale)
        support = NOISE_SHORTEST_SUPPORT << scale
        best, best_row = 0.0, -1
        for other in range(len(plane.first)):
            low = max(0, (onset - (2 << other) - plane.first[other]) >> other)
            high = min(
                plane.rows[other + 1] - plane.rows[other] - 1,
                (onset + support - (2 << other) - plane.first[other]) >> other,
            )
            for number in range(low, high + 1):
                at = plane.rows[other] + number
                if bests[at] > best:
                    best, best_row = bests[at], at
        if best_row < 0:
            picks[n, WEIGHT] = 0
            continue
        _take(products, bests, places, shares, plane, best_row, picks[n])


def fit_plane(level: Floats, importance: Floats, count: int, rounds: int) -> tuple[npt.NDArray[np.int64], Plane]:
    """Picks, shape (n, PICK_FIELDS), at most `count`, that together come near a map of levels, shape (frames, bands),
    each taking something off the squared error, in which each band counts by its importance, shape (bands,); improved
    in so many rounds."""
    plane = make_plane(len(level), importance)
    products, shares = correlate(level, importance, plane)
    bests, places = np.zeros(len(products)), np.zeros(len(products), np.int64)
    _fill(products, shares, plane, bests, places)
    picks = np.zeros((count, PICK_FIELDS), np.int64)
    taken = int(_pick(products, bests, places, shares, plane, picks))
    for _ in range(rounds):
        _move(products, bests, places, shares, plane, picks[:taken])
        kept = picks[:taken][picks[:taken, WEIGHT] != 0]
        picks[: len(kept)] = kept
        more = np.zeros((count - len(kept), PICK_FIELDS), np.int64)
        taken = len(kept) + _pick(products, bests, places, shares, plane, more)
        picks[len(kept) : taken] = more[: taken - len(kept)]
    return _merged(picks[:taken]), plane


def _merged(picks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """One pick for each place on the plane, with the weights of all that lie there."""
    keys, owner = np.unique(picks[:, :WEIGHT], axis=0, return_inverse=True)
    weights = np.zeros(len(keys), np.int64)
    np.add.at(weights, owner.ravel(), picks[:, WEIGHT])
    merged = np.column_stack([keys, np.clip(weights, -LARGEST_NOISE_WEIGHT, LARGEST_NOISE_WEIGHT)])
    return merged[weights != 0]
