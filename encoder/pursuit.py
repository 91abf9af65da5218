"""Matching pursuit on the lattice with the quantiser in the loop.

The correlations of the residual with all atoms are kept up to date without touching the residual: subtracting an atom
changes only its neighbours' correlations, by inner products known beforehand (`overlap`; the idea is that of Prusa,
Holighaus, Balazs: Fast matching pursuit with multi-Gabor dictionaries, 2021). Rounding and the table's floor add up, so
`Pursuit.reanalyse` starts again from the true residual from time to time.

A cell's score is the energy that its best atom removes less the price of its bits, rate-distortion's
delta J = delta D + lambda * R with R split into a flat part (the threshold) and a part by scale and bin (the penalty).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from ..gaussians import GaussianTable, empty_table
from ..tables import LARGEST_AMPLITUDE, phase_bits
from .lattice import Geometry, correlate, envelope_norm, envelope_samples, make_geometry
from .overlap import BAND, Overlaps, make_overlaps

Array = npt.NDArray[Any]

RECONSTRUCTION = 0.375
"""An amplitude index q stands for (q + 3/8) steps (SPEC 4)."""
_SMALLEST = 0.7
"""A weight below this many steps is not worth an index."""
_LOWEST = np.float32(-1e30)

SCALE_INDEX, FRAME, BIN, AMPLITUDE, PHASE = range(5)
ATOM_FIELDS = 5

_PHASES = (1 << phase_bits()).astype(np.int64)


@njit(cache=True, fastmath=True, inline="always")
def _score(re: float, im: float, bin_: int, overlap: float) -> float:
    """Energy that the best real atom of a cell removes."""
    if bin_ == 0:
        return re * re
    if bin_ == 1:
        return 2 * (re * re / (1 + overlap) + im * im / (1 - overlap))
    return 2 * (re * re + im * im)


@njit(cache=True, fastmath=True, inline="always")
def _best_weight(value: complex, bin_: int, overlap: float) -> complex:
    """Weight of the best real atom of a cell."""
    if bin_ == 0:
        return complex(value.real, 0.0)
    if bin_ == 1:
        return complex(2 * value.real / (1 + overlap), 2 * value.imag / (1 - overlap))
    return 2 * value


@njit(cache=True, fastmath=True)
def _weight(atom: Array, step: float) -> complex:
    """The quantised weight of an atom; 0 for amplitude index 0."""
    q = atom[AMPLITUDE]
    if q == 0:
        return complex(0.0, 0.0)
    angle = 2 * math.pi * atom[PHASE] / _PHASES[q]
    size = (q + RECONSTRUCTION) * step
    return complex(size * math.cos(angle), size * math.sin(angle))


@njit(cache=True, fastmath=True)
def _quantise(weight: complex, step: float, atom: Array) -> None:
    """Sets the atom's amplitude and phase to the nearest quantised weight, amplitude 0 where none is worth it."""
    size = abs(weight)
    if size < _SMALLEST * step:
        atom[AMPLITUDE] = 0
        atom[PHASE] = 0
        return
    q = math.floor(size / step - RECONSTRUCTION + 0.5)
    q = min(max(q, 1), LARGEST_AMPLITUDE)
    phases = _PHASES[q]
    turn = math.atan2(weight.imag, weight.real) / (2 * math.pi)
    atom[AMPLITUDE] = q
    atom[PHASE] = math.floor(turn * phases + 0.5) & (phases - 1)


@njit(cache=True, fastmath=True)
def _block_best(cells: Array, at: int, bins: int, first_bin: int, penalty: Array, overlap: float) -> float:
    best = _LOWEST
    for i in range(bins):
        value = cells[at + i]
        best = max(best, _score(value.real, value.imag, first_bin + i, overlap) - penalty[first_bin + i])
    return best


@njit(cache=True)
def _fill_tree(cells: Array, tree: Array, geometry: Geometry, penalty: Array) -> None:
    """Best score of every block in the tree's leaves, of every subtree in its nodes."""
    leaves = len(tree) // 2
    for j in range(len(geometry.support)):
        own = penalty[geometry.penalties[j] : geometry.penalties[j + 1]]
        bins = geometry.block_bins[j]
        for frame in range(geometry.frames[j]):
            at = geometry.cells[j] + frame * geometry.bins[j]
            leaf = leaves + geometry.blocks[j] + frame * geometry.blocks_per_frame[j]
            for block in range(geometry.blocks_per_frame[j]):
                first_bin = block * bins
                tree[leaf + block] = _block_best(cells, at + first_bin, bins, first_bin, own, geometry.self_overlap[j])
    for node in range(leaves - 1, 0, -1):
        tree[node] = max(tree[2 * node], tree[2 * node + 1])


@njit(cache=True)
def _set_leaf(tree: Array, node: int, value: float) -> None:
    if tree[node] == value:
        return
    tree[node] = value
    node >>= 1
    while node > 0:
        best = max(tree[2 * node], tree[2 * node + 1])
        if tree[node] == best:
            return
        tree[node] = best
        node >>= 1


@njit(cache=True, fastmath=True)
def _subtract(
    cells: Array,
    tree: Array,
    geometry: Geometry,
    overlaps: Overlaps,
    penalty: Array,
    atom: Array,
    weight: complex,
) -> None:
    """Takes Re(weight * atom) from the residual: every correlation that it overlaps, and the scores."""
    leaves = len(tree) // 2
    j1 = atom[SCALE_INDEX]
    bin1 = atom[BIN]
    centre1 = geometry.first[j1] + atom[FRAME] * geometry.hop[j1] + geometry.support[j1] // 2
    half = np.complex64(0.5 * weight)
    for j in range(len(geometry.support)):
        octave = abs(j - j1)
        shorter = j < j1
        support = geometry.support[j]
        hop = geometry.hop[j]
        bins = geometry.bins[j]
        short_hop = min(hop, geometry.hop[j1])
        furthest = overlaps.distances[octave] * short_hop
        width = 2 * (BAND << octave) + 1
        # Difference of frequency of bin b to the atom's, in long bins: source - b * stride.
        source = bin1 if shorter else bin1 << octave
        stride = 1 << octave if shorter else 1
        turns = 2 * math.pi * bin1 / geometry.support[j1]
        centre0 = geometry.first[j] + support // 2
        first_frame = max(0, -((centre0 - centre1 + furthest) // hop))
        last_frame = min(geometry.frames[j] - 1, (centre1 + furthest - centre0) // hop)
        own = penalty[geometry.penalties[j] : geometry.penalties[j + 1]]
        for frame in range(first_frame, last_frame + 1):
            distance = centre0 + frame * hop - centre1
            row = overlaps.distances[octave] + (distance if shorter or octave == 0 else -distance) // short_hop
            reach = overlaps.reaches[overlaps.reach_starts[octave] + row]
            if reach < 0:
                continue
            base = overlaps.starts[octave] + row * width + (BAND << octave)
            at = geometry.cells[j] + frame * bins
            touched_low = bins
            touched_high = -1
            # The conjugate half of the real atom reaches in from below 0 Hz and from above half the sample rate.
            for image in range(3):
                if image == 0:
                    centre_bin, value, angle = source, half, turns * distance
                else:
                    centre_bin = -source if image == 1 else (support << (octave if shorter else 0)) - source
                    value, angle = half.conjugate(), -turns * distance
                low = max(0, -((reach - centre_bin) // stride))
                high = min(bins - 1, (centre_bin + reach) // stride)
                if high < low:
                    continue
                touched_low = min(touched_low, low)
                touched_high = max(touched_high, high)
                if shorter or octave == 0:
                    value *= np.complex64(complex(math.cos(angle), math.sin(angle)))
                    for b in range(low, high + 1):
                        cells[at + b] -= value * overlaps.values[base + centre_bin - b * stride]
                else:
                    step = 2 * math.pi * distance / support
                    turn = np.complex64(complex(math.cos(step), math.sin(step)))
                    value *= np.complex64(complex(math.cos(step * low), math.sin(step * low)))
                    for b in range(low, high + 1):
                        cells[at + b] -= value * overlaps.values[base + centre_bin - b]
                        value *= turn
            if touched_high < 0:
                continue
            leaf = leaves + geometry.blocks[j] + frame * geometry.blocks_per_frame[j]
            block_bins = geometry.block_bins[j]
            for block in range(touched_low // block_bins, touched_high // block_bins + 1):
                first_bin = block * block_bins
                best = _block_best(cells, at + first_bin, block_bins, first_bin, own, geometry.self_overlap[j])
                _set_leaf(tree, leaf + block, best)


@njit(cache=True)
def _find_best(cells: Array, tree: Array, geometry: Geometry, penalty: Array, atom: Array) -> None:
    """Sets the atom's scale, frame and bin to the cell with the best score."""
    leaves = len(tree) // 2
    node = 1
    while node < leaves:
        node = 2 * node if tree[2 * node] >= tree[2 * node + 1] else 2 * node + 1
    block = node - leaves
    j = 0
    while geometry.blocks[j + 1] <= block:
        j += 1
    frame = (block - geometry.blocks[j]) // geometry.blocks_per_frame[j]
    first_bin = (block - geometry.blocks[j]) % geometry.blocks_per_frame[j] * geometry.block_bins[j]
    at = geometry.cells[j] + frame * geometry.bins[j]
    best = _LOWEST
    for b in range(first_bin, first_bin + geometry.block_bins[j]):
        value = cells[at + b]
        price = penalty[geometry.penalties[j] + b]
        score = _score(value.real, value.imag, b, geometry.self_overlap[j]) - price
        if score > best:
            best = score
            atom[BIN] = b
    atom[SCALE_INDEX] = j
    atom[FRAME] = frame


@njit(cache=True)
def _pick(
    cells: Array,
    tree: Array,
    geometry: Geometry,
    overlaps: Overlaps,
    penalty: Array,
    step: float,
    threshold: float,
    atoms: Array,
) -> int:
    """Picks the best atoms one after another while they score above the threshold; returns how many."""
    for n in range(len(atoms)):
        if tree[1] < threshold:
            return n
        atom = atoms[n]
        _find_best(cells, tree, geometry, penalty, atom)
        j, b = atom[SCALE_INDEX], atom[BIN]
        value = cells[geometry.cells[j] + atom[FRAME] * geometry.bins[j] + b]
        _quantise(_best_weight(value, b, geometry.self_overlap[j]), step, atom)
        if atom[AMPLITUDE] == 0:
            return n
        _subtract(cells, tree, geometry, overlaps, penalty, atom, _weight(atom, step))
    return len(atoms)


@njit(cache=True)
def _requantise(
    cells: Array,
    tree: Array,
    geometry: Geometry,
    overlaps: Overlaps,
    penalty: Array,
    step: float,
    threshold: float,
    atoms: Array,
) -> None:
    """One round of coordinate descent: each atom's weight is fitted anew to what the others leave, quantised, and
    dropped when it no longer pays."""
    for n in range(len(atoms)):
        atom = atoms[n]
        if atom[AMPLITUDE] == 0:
            continue
        j, b = atom[SCALE_INDEX], atom[BIN]
        old = _weight(atom, step)
        overlap = geometry.self_overlap[j]
        value = cells[geometry.cells[j] + atom[FRAME] * geometry.bins[j] + b]
        best = old + _best_weight(value, b, overlap)
        q, phase = atom[AMPLITUDE], atom[PHASE]
        _quantise(best, step, atom)
        new = _weight(atom, step)
        energy = 1.0 if b == 0 else 0.5
        gain = energy * (abs(best) ** 2 - abs(best - new) ** 2)
        if gain < threshold + penalty[geometry.penalties[j] + b]:
            atom[AMPLITUDE] = 0
            new = complex(0.0, 0.0)
        if atom[AMPLITUDE] != q or atom[PHASE] != phase:
            _subtract(cells, tree, geometry, overlaps, penalty, atom, new - old)


@njit(cache=True)
def _move(
    cells: Array,
    tree: Array,
    geometry: Geometry,
    overlaps: Overlaps,
    penalty: Array,
    step: float,
    threshold: float,
    atoms: Array,
) -> None:
    """One round of coordinate descent over places: each atom is taken out and put back at the best cell near it,
    its own scale and the next ones, or dropped when none pays."""
    scales = len(geometry.support)
    for n in range(len(atoms)):
        atom = atoms[n]
        if atom[AMPLITUDE] == 0:
            continue
        _subtract(cells, tree, geometry, overlaps, penalty, atom, -_weight(atom, step))
        j1, frame1, bin1 = atom[SCALE_INDEX], atom[FRAME], atom[BIN]
        centre = geometry.first[j1] + frame1 * geometry.hop[j1] + geometry.support[j1] // 2
        best = threshold
        found = False
        for j in range(max(0, j1 - 1), min(scales, j1 + 2)):
            near = (centre - geometry.support[j] // 2 - geometry.first[j]) / geometry.hop[j]
            near_frame = math.floor(near + 0.5)
            near_bin = bin1 * geometry.support[j] // geometry.support[j1]
            reach = 2 if j < j1 else 1
            for frame in range(max(0, near_frame - reach), min(geometry.frames[j], near_frame + reach + 1)):
                for b in range(max(0, near_bin - 2), min(geometry.bins[j], near_bin + 3)):
                    value = cells[geometry.cells[j] + frame * geometry.bins[j] + b]
                    score = _score(value.real, value.imag, b, geometry.self_overlap[j])
                    score -= penalty[geometry.penalties[j] + b]
                    if score > best:
                        best = score
                        found = True
                        atom[SCALE_INDEX] = j
                        atom[FRAME] = frame
                        atom[BIN] = b
        if not found:
            atom[AMPLITUDE] = 0
            continue
        j, b = atom[SCALE_INDEX], atom[BIN]
        value = cells[geometry.cells[j] + atom[FRAME] * geometry.bins[j] + b]
        _quantise(_best_weight(value, b, geometry.self_overlap[j]), step, atom)
        _subtract(cells, tree, geometry, overlaps, penalty, atom, _weight(atom, step))


@njit(cache=True, fastmath=True)
def _render(out: Array, geometry: Geometry, atoms: Array, step: float, window: Array, starts: Array) -> None:
    for n in range(len(atoms)):
        atom = atoms[n]
        j = atom[SCALE_INDEX]
        support = geometry.support[j]
        onset = geometry.first[j] + atom[FRAME] * geometry.hop[j]
        weight = _weight(atom, step)
        angle = 2 * math.pi * atom[BIN] / support
        first = max(0, -onset)
        turn = complex(math.cos(angle), math.sin(angle))
        start = angle * (first - support // 2)
        wave = weight * complex(math.cos(start), math.sin(start))
        for i in range(first, min(support, len(out) - onset)):
            out[onset + i] += window[starts[j] + i] * wave.real
            wave *= turn


class Pursuit:
    """A signal, the atoms chosen for it so far, and the correlations of what they leave.

    signal    float, shape (samples,), in output steps (full scale 32768)
    step      amplitude step in the unit of alpha, energy-normalised
    """

    def __init__(self, signal: npt.NDArray[np.float64], kmin: int, scales: int, step: float) -> None:
        self.signal = np.asarray(signal, np.float64)
        self.kmin = kmin
        self.step = step
        self.geometry = make_geometry(len(self.signal), kmin, scales)
        self.penalty = np.zeros(int(self.geometry.penalties[-1]), np.float32)
        self.atoms = np.zeros((0, ATOM_FIELDS), np.int64)
        windows = [envelope_samples(kmin + j) / envelope_norm(kmin + j) for j in range(scales)]
        self._window = np.concatenate(windows)
        self._window_starts = np.concatenate([[0], np.cumsum([len(w) for w in windows])])
        leaves = 1 << max(1, int(self.geometry.blocks[-1] - 1).bit_length())
        self._overlaps = make_overlaps(scales)
        self._tree = np.full(2 * leaves, _LOWEST, np.float32)
        self.reanalyse()

    def render(self) -> npt.NDArray[np.float64]:
        """The sum of the atoms, float, shape (samples,)."""
        out = np.zeros(len(self.signal))
        _render(out, self.geometry, self.atoms, self.step, self._window, self._window_starts)
        return out

    def residual(self) -> npt.NDArray[np.float64]:
        return self.signal - self.render()

    def reanalyse(self) -> None:
        """Correlates the true residual with all atoms."""
        self.cells = correlate(self.residual(), self.geometry, self.kmin)
        _fill_tree(self.cells, self._tree, self.geometry, self.penalty)

    def pick(self, most: int, threshold: float) -> int:
        """Adds up to `most` atoms, each the best at its time, while they score above the threshold (energy).
        Returns how many."""
        new = np.zeros((most, ATOM_FIELDS), np.int64)
        count = _pick(*self._kernel, self.step, threshold, new)
        self.atoms = np.concatenate([self.atoms, new[:count]])
        return count

    def requantise(self, threshold: float) -> None:
        """Fits and quantises each weight anew; drops atoms that no longer pay the threshold."""
        self._in_time_order()
        _requantise(*self._kernel, self.step, threshold, self.atoms)
        self._drop_unused()

    def move(self, threshold: float) -> None:
        """Lets each atom go to the best place near it; drops atoms that no longer pay the threshold."""
        self._in_time_order()
        _move(*self._kernel, self.step, threshold, self.atoms)
        self._drop_unused()

    def remove(self, keep: npt.NDArray[np.bool_]) -> None:
        """Keeps only the atoms marked, shape (atoms,); the correlations follow at the next `reanalyse`."""
        self.atoms = self.atoms[keep]

    def energies(self) -> npt.NDArray[np.float64]:
        """Energy of each atom's waveform, shape (atoms,)."""
        size = (self.atoms[:, AMPLITUDE] + RECONSTRUCTION) * self.step
        return np.where(self.atoms[:, BIN] == 0, 1.0, 0.5) * size**2

    @property
    def best_score(self) -> float:
        """Score of the atom that would be picked next."""
        return float(self._tree[1])

    def table(self) -> GaussianTable:
        """The atoms as Gaussians of the format."""
        j = self.atoms[:, SCALE_INDEX]
        table = empty_table(len(self.atoms))
        table["scale"] = self.kmin + j
        table["onset"] = self.geometry.first[j] + self.atoms[:, FRAME] * self.geometry.hop[j]
        table["bin"] = self.atoms[:, BIN]
        table["amplitude"] = self.atoms[:, AMPLITUDE]
        table["phase"] = self.atoms[:, PHASE]
        return table

    @property
    def _kernel(self) -> tuple[Array, Array, Geometry, Overlaps, Array]:
        return self.cells, self._tree, self.geometry, self._overlaps, self.penalty

    def _in_time_order(self) -> None:
        j = self.atoms[:, SCALE_INDEX]
        onset = self.geometry.first[j] + self.atoms[:, FRAME] * self.geometry.hop[j]
        self.atoms = self.atoms[np.argsort(onset, kind="stable")]

    def _drop_unused(self) -> None:
        self.atoms = self.atoms[self.atoms[:, AMPLITUDE] > 0]
