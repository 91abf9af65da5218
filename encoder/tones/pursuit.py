"""Matching pursuit on the lattice with the quantiser in the loop.

The correlations of the residual with all atoms are kept up to date without touching the residual: subtracting an atom
changes only its neighbours' correlations, by inner products known beforehand (`overlap`; the idea is that of Prusa,
Holighaus, Balazs: Fast matching pursuit with multi-Gabor dictionaries, 2021). Rounding and the table's floor add up, so
every operation of `Pursuit` starts again from the true residual.

In the compiled functions an atom's PLACE is its frame; in `Pursuit.atoms` it is the onset in samples.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from audio_gs.codec.kinds import TONE
from audio_gs.codec.kinds.base import Table
from audio_gs.codec.tables import LARGEST_AMPLITUDE, phase_bits

from .lattice import Geometry, correlate, envelope_norm, envelope_samples, make_geometry
from .overlap import Overlaps, make_overlaps

Array = npt.NDArray[Any]
Told = Callable[[float], None]
Kernel = tuple[Array, Array, Geometry, Overlaps, float, Array]
"""Correlations, tree of best scores, lattice, inner products, step and largest amplitude index of each
scale: what the compiled functions work on."""
Change = Callable[[Kernel, Array], tuple[Array, Array, Array]]
"""Of the atoms of a stretch: what they become, and which of them went and came."""

RECONSTRUCTION = 0.375
"""An amplitude index q stands for (q + 3/8) steps (SPEC 4.3)."""
_SMALLEST = 0.7
"""A weight below this many steps is not worth an index."""
_LOWEST = np.float32(-1e30)
_BATCH = 1000
"""Picks between two looks at the true residual, to begin with."""
_TRUST = 0.5
"""Share of the promised energy that a batch has to remove to be believed; quantising alone leaves about nine tenths."""
_ROW = 32
_STRETCH_SAMPLES = 1 << 20
"""Length of clip whose correlations are held at a time."""

SCALE_INDEX, PLACE, BIN, AMPLITUDE, PHASE, PICK = range(6)
ATOM_FIELDS = 6

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
def _quantise(weight: complex, step: float, largest: int, atom: Array) -> None:
    """Sets the atom's amplitude and phase to the nearest quantised weight, amplitude 0 where none is worth it."""
    size = abs(weight)
    if size < _SMALLEST * step:
        atom[AMPLITUDE] = 0
        atom[PHASE] = 0
        return
    q = math.floor(size / step - RECONSTRUCTION + 0.5)
    q = min(max(q, 1), largest)
    phases = _PHASES[q]
    turn = math.atan2(weight.imag, weight.real) / (2 * math.pi)
    atom[AMPLITUDE] = q
    atom[PHASE] = math.floor(turn * phases + 0.5) & (phases - 1)


@njit(cache=True, fastmath=True)
def _block_best(cells: Array, at: int, bins: int, first_bin: int, overlap: float, step: float) -> float:
    """Best score in a block; atoms too weak to quantise do not count."""
    best = np.float32(0)
    special = 2 if first_bin == 0 else 0
    for i in range(special, bins):
        value = cells[at + i]
        best = max(best, value.real * value.real + value.imag * value.imag)
    best *= np.float32(2)
    for i in range(special):
        value = cells[at + i]
        best = max(best, np.float32(_score(value.real, value.imag, i, overlap)))
    return best if best > 0.5 * (_SMALLEST * step) ** 2 else _LOWEST


@njit(cache=True)
def _fill_tree(cells: Array, tree: Array, geometry: Geometry, step: float) -> None:
    """Best score of every block in the tree's leaves, of every subtree in its nodes."""
    leaves = len(tree) // 2
    for j in range(len(geometry.support)):
        bins = geometry.block_bins[j]
        for frame in range(geometry.frames[j]):
            at = geometry.cells[j] + frame * geometry.bins[j]
            leaf = leaves + geometry.blocks[j] + frame * geometry.blocks_per_frame[j]
            for block in range(geometry.blocks_per_frame[j]):
                first_bin = block * bins
                tree[leaf + block] = _block_best(cells, at + first_bin, bins, first_bin, geometry.self_overlap[j], step)
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
    step: float,
    atom: Array,
    weight: complex,
) -> None:
    """Takes Re(weight * atom) from the residual: every correlation that it overlaps, and the scores."""
    leaves = len(tree) // 2
    j1 = atom[SCALE_INDEX]
    bin1 = atom[BIN]
    centre1 = geometry.first[j1] + atom[PLACE] * geometry.hop[j1] + geometry.support[j1] // 2
    half = np.complex64(0.5 * weight)
    circle = geometry.circle
    longest = len(circle)
    turn1 = bin1 * (longest // geometry.support[j1])
    for j in range(len(geometry.support)):
        octave = abs(j - j1)
        shorter = j < j1
        support = geometry.support[j]
        hop = geometry.hop[j]
        bins = geometry.bins[j]
        short_hop = min(hop, geometry.hop[j1])
        furthest = overlaps.distances[octave] * short_hop
        half_width = overlaps.half_widths[octave]
        # Difference of frequency of bin b to the atom's, in long bins: source - b * stride.
        source = bin1 if shorter else bin1 << octave
        stride = 1 << octave if shorter else 1
        around = longest // support
        centre0 = geometry.first[j] + support // 2
        first_frame = max(0, -((centre0 - centre1 + furthest) // hop))
        last_frame = min(geometry.frames[j] - 1, (centre1 + furthest - centre0) // hop)
        for frame in range(first_frame, last_frame + 1):
            distance = centre0 + frame * hop - centre1
            turn = distance * around
            row = overlaps.distances[octave] + (distance if shorter or octave == 0 else -distance) // short_hop
            reach = overlaps.reaches[overlaps.reach_starts[octave] + row]
            if reach < 0:
                continue
            base = overlaps.starts[octave] + row * (2 * half_width + 1) + half_width
            at = geometry.cells[j] + frame * bins
            touched_low = bins
            touched_high = -1
            # The conjugate half of the real atom reaches in from below 0 Hz and from above half the sample rate.
            for image in range(3):
                if image == 0:
                    centre_bin, value, angle = source, half, turn1 * distance
                else:
                    centre_bin = -source if image == 1 else (support << (octave if shorter else 0)) - source
                    value, angle = half.conjugate(), -turn1 * distance
                low = max(0, -((reach - centre_bin) // stride))
                high = min(bins - 1, (centre_bin + reach) // stride)
                if high < low:
                    continue
                touched_low = min(touched_low, low)
                touched_high = max(touched_high, high)
                if shorter or octave == 0:
                    value *= circle[angle & longest - 1]
                    for b in range(low, high + 1):
                        cells[at + b] -= value * overlaps.values[base + b * stride - centre_bin]
                else:
                    value *= circle[turn * low & longest - 1]
                    step_turn = circle[turn & longest - 1]
                    for b in range(low, high + 1):
                        cells[at + b] -= value * overlaps.values[base + b - centre_bin]
                        value *= step_turn
            if touched_high < 0:
                continue
            leaf = leaves + geometry.blocks[j] + frame * geometry.blocks_per_frame[j]
            block_bins = geometry.block_bins[j]
            for block in range(touched_low // block_bins, touched_high // block_bins + 1):
                first_bin = block * block_bins
                best = _block_best(cells, at + first_bin, block_bins, first_bin, geometry.self_overlap[j], step)
                _set_leaf(tree, leaf + block, best)


@njit(cache=True, fastmath=True)
def _share(geometry: Geometry, overlaps: Overlaps, atom: Array, weight: complex, j: int, frame: int, b: int) -> complex:
    """What `_subtract` takes for an atom from the correlation of one cell, bin b of a frame of scale j."""
    j1, bin1 = atom[SCALE_INDEX], atom[BIN]
    octave = abs(j - j1)
    shorter, longer = j < j1, j > j1
    support, support1 = geometry.support[j], geometry.support[j1]
    centre1 = geometry.first[j1] + atom[PLACE] * geometry.hop[j1] + support1 // 2
    distance = geometry.first[j] + frame * geometry.hop[j] + support // 2 - centre1
    hops = distance // min(geometry.hop[j], geometry.hop[j1])
    if abs(hops) > overlaps.distances[octave]:
        return np.complex64(0)
    row = overlaps.distances[octave] + (-hops if longer else hops)
    reach = overlaps.reaches[overlaps.reach_starts[octave] + row]
    half_width = overlaps.half_widths[octave]
    base = overlaps.starts[octave] + row * (2 * half_width + 1) + half_width
    long_bin = b << octave if shorter else b
    source = bin1 << octave if longer else bin1
    longest = len(geometry.circle)
    turn = distance * (b * (longest // support) if longer else bin1 * (longest // support1))
    half = np.complex64(0.5 * weight)
    taken = np.complex64(0)
    for image in range(3):
        if image == 0:
            from_source, value, angle = long_bin - source, half, turn
        else:
            mirrored = -source if image == 1 else (support << octave if shorter else support) - source
            from_source, value, angle = long_bin - mirrored, half.conjugate(), turn if longer else -turn
        if abs(from_source) <= reach:
            taken += value * geometry.circle[angle & longest - 1] * overlaps.values[base + from_source]
    return taken


@njit(cache=True)
def _find_best(cells: Array, tree: Array, geometry: Geometry, atom: Array) -> None:
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
        score = _score(value.real, value.imag, b, geometry.self_overlap[j])
        if score > best:
            best = score
            atom[BIN] = b
    atom[SCALE_INDEX] = j
    atom[PLACE] = frame


@njit(cache=True)
def _pick(
    cells: Array,
    tree: Array,
    geometry: Geometry,
    overlaps: Overlaps,
    step: float,
    largest: Array,
    threshold: float,
    atoms: Array,
    scores: Array,
) -> int:
    """Picks the best atoms one after another while they score above the threshold; returns how many."""
    for n in range(len(atoms)):
        scores[n] = tree[1]
        if tree[1] < threshold:
            return n
        atom = atoms[n]
        _find_best(cells, tree, geometry, atom)
        j, b = atom[SCALE_INDEX], atom[BIN]
        value = cells[geometry.cells[j] + atom[PLACE] * geometry.bins[j] + b]
        _quantise(_best_weight(value, b, geometry.self_overlap[j]), step, largest[j], atom)
        if atom[AMPLITUDE] == 0:
            return n
        _subtract(cells, tree, geometry, overlaps, step, atom, _weight(atom, step))
    return len(atoms)


@njit(cache=True)
def _requantise(
    cells: Array,
    tree: Array,
    geometry: Geometry,
    overlaps: Overlaps,
    step: float,
    largest: Array,
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
        value = cells[geometry.cells[j] + atom[PLACE] * geometry.bins[j] + b]
        best = old + _best_weight(value, b, overlap)
        q, phase = atom[AMPLITUDE], atom[PHASE]
        _quantise(best, step, largest[j], atom)
        new = _weight(atom, step)
        energy = 1.0 if b == 0 else 0.5
        gain = energy * (abs(best) ** 2 - abs(best - new) ** 2)
        if gain < threshold:
            atom[AMPLITUDE] = 0
            new = complex(0.0, 0.0)
        if atom[AMPLITUDE] != q or atom[PHASE] != phase:
            _subtract(cells, tree, geometry, overlaps, step, atom, new - old)


@njit(cache=True)
def _move(
    cells: Array,
    tree: Array,
    geometry: Geometry,
    overlaps: Overlaps,
    step: float,
    largest: Array,
    threshold: float,
    atoms: Array,
) -> None:
    """One round of coordinate descent over places: each atom is taken out and put back at the best cell near it,
    its own scale and the next ones, or dropped when none pays."""
    scales = len(geometry.support)
    here = np.empty(ATOM_FIELDS, np.int64)
    best_value = np.complex64(0)
    for n in range(len(atoms)):
        atom = atoms[n]
        if atom[AMPLITUDE] == 0:
            continue
        here[:] = atom
        old = _weight(atom, step)
        j1, frame1, bin1 = atom[SCALE_INDEX], atom[PLACE], atom[BIN]
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
                    value += _share(geometry, overlaps, here, old, j, frame, b)
                    score = _score(value.real, value.imag, b, geometry.self_overlap[j])
                    if score > best:
                        best = score
                        best_value = value
                        found = True
                        atom[SCALE_INDEX] = j
                        atom[PLACE] = frame
                        atom[BIN] = b
        if found:
            j, b = atom[SCALE_INDEX], atom[BIN]
            _quantise(_best_weight(best_value, b, geometry.self_overlap[j]), step, largest[j], atom)
        else:
            atom[AMPLITUDE] = 0
        if np.any(atom != here):
            _subtract(cells, tree, geometry, overlaps, step, here, -old)
            if atom[AMPLITUDE] > 0:
                _subtract(cells, tree, geometry, overlaps, step, atom, _weight(atom, step))


@njit(cache=True, fastmath=True)
def _render(
    out: Array, offset: int, geometry: Geometry, atoms: Array, step: float, window: Array, starts: Array
) -> None:
    """Adds the atoms (of the whole clip) to out[0..], which begins at sample `offset`."""
    # A row of samples is turned as a whole, so that none waits for the one before it.
    re, im = np.empty(_ROW), np.empty(_ROW)
    for n in range(len(atoms)):
        atom = atoms[n]
        j = atom[SCALE_INDEX]
        support = geometry.support[j]
        onset = atom[PLACE] - offset
        weight = _weight(atom, step)
        angle = 2 * math.pi * atom[BIN] / support
        first = max(0, -onset)
        start = angle * (first - support // 2)
        turn = complex(math.cos(angle), math.sin(angle))
        wave = complex(1.0, 0.0)
        for i in range(_ROW):
            re[i], im[i] = wave.real, wave.imag
            wave *= turn
        row_turn = complex(math.cos(_ROW * angle), math.sin(_ROW * angle))
        wave = weight * complex(math.cos(start), math.sin(start))
        end = min(support, len(out) - onset)
        for row in range(first, end, _ROW):
            samples = min(_ROW, end - row)
            into, shape = out[onset + row : onset + row + samples], window[starts[j] + row : starts[j] + row + samples]
            for i in range(samples):
                into[i] += shape[i] * (wave.real * re[i] - wave.imag * im[i])
            wave *= row_turn


def _in_clip(atoms: Array, geometry: Geometry) -> Array:
    """Atoms whose place is a frame of a stretch's lattice, with their onset in samples of the clip."""
    j = atoms[:, SCALE_INDEX]
    atoms = atoms.copy()
    atoms[:, PLACE] = geometry.first[j] + atoms[:, PLACE] * geometry.hop[j]
    return atoms


def _descent(loudest: float, last: float, threshold: float) -> float:
    """How far scores have come from the loudest one down to the threshold, 0..1, on a scale of decibels."""
    if not loudest > max(threshold, 0.0) or last <= 0:
        return 1.0
    floor = threshold if threshold > 0 else 1e-6 * loudest
    return min(1.0, math.log(loudest / min(last, loudest)) / math.log(loudest / floor))


class Pursuit:
    """A signal, the atoms chosen for it so far, and what they leave. Nothing changes one: operations give another.

    signal          float, shape (samples,), in output steps (full scale 32768)
    smallest_scale  of the scales to choose from
    scales          how many there are
    step            amplitude step in the unit of alpha, energy-normalised
    largest         largest amplitude index of each scale, shape (scales,); None for the format's own limit

    Works on one stretch of the clip after another, so that memory does not grow with the clip; each stretch starts
    from the true residual.
    """

    def __init__(
        self,
        signal: npt.NDArray[np.float64],
        smallest_scale: int,
        scales: int,
        step: float,
        largest: npt.NDArray[np.int64] | None = None,
    ) -> None:
        self.signal = np.asarray(signal, np.float64)
        self.smallest_scale = smallest_scale
        self.scales = scales
        self.step = step
        self._largest = np.full(scales, LARGEST_AMPLITUDE) if largest is None else largest
        self.atoms = np.zeros((0, ATOM_FIELDS), np.int64)
        """SCALE_INDEX, PLACE (onset in samples), BIN, AMPLITUDE and PHASE of each, shape (atoms, ATOM_FIELDS); PICK is
        used inside `picked` alone."""
        self.last_score = 0.0
        """Energy that the last atom picked took away."""
        self._batch = _BATCH
        self._clip = make_geometry(len(self.signal), smallest_scale, scales)
        self._overlaps = make_overlaps(scales)
        windows = [envelope_samples(smallest_scale + j) / envelope_norm(smallest_scale + j) for j in range(scales)]
        self._window = np.concatenate(windows)
        self._window_starts = np.concatenate([[0], np.cumsum([len(w) for w in windows])])
        self._residual = self.signal.copy()

    def rendering(self) -> npt.NDArray[np.float64]:
        """The sum of the atoms, float, shape (samples,)."""
        return self.signal - self._residual

    def residual(self) -> npt.NDArray[np.float64]:
        """What the atoms leave of the signal, float, shape (samples,)."""
        return self._residual.copy()

    def picked(self, most: int, threshold: float, progress: Told | None = None) -> Pursuit:
        """With up to `most` more atoms, each the best at its time, while they score above the threshold (energy).

        `progress` is told about how near the threshold the last one came, 0..1.
        """
        new = self._copy()
        count, loudest = 0, 0.0
        while count < most:
            asked = min(new._batch * new.stretches, most - count)
            atoms, residual = new.atoms, new._residual.copy()
            found, promised = new._pick_batch(asked, threshold)
            removed = float(np.sum(residual**2) - np.sum(new._residual**2))
            if removed < _TRUST * promised:
                # Far below the loudest atoms the tables' errors look like signal: look at the true residual sooner.
                new.atoms, new._residual = atoms, residual
                if new._batch == 1:
                    break
                new._batch = max(1, new._batch // 8)
                continue
            count += found
            if found <= asked // 20:
                break
            if progress is not None:
                loudest = max(loudest, promised / found)
                progress(max(count / most, _descent(loudest, new.last_score, threshold)))
        return new

    def _pick_batch(self, most: int, threshold: float) -> tuple[int, float]:
        """One batch of picks between two looks at the true residual: their number and the sum of their scores."""
        stretches = self._stretches()
        # A stretch may deserve more than its share; what turns out too much goes again.
        each = most if len(stretches) == 1 else 16 + 3 * most // (2 * len(stretches))
        scores: list[float] = []

        def pick_here(kernel: Kernel, atoms: Array) -> tuple[Array, Array, Array]:
            new = np.zeros((each, ATOM_FIELDS), np.int64)
            score = np.zeros(each, np.float32)
            count = _pick(*kernel, threshold, new, score)
            new[:count, PICK] = len(scores) + 1 + np.arange(count)
            scores.extend(score[:count].tolist())
            return np.concatenate([atoms, new[:count]]), atoms[:0], new[:count]

        for begin, end in stretches:
            self._work_on(begin, end, pick_here)
        ranking = np.argsort(-np.array(scores), kind="stable")
        excess = ranking[most:] + 1
        if len(excess):
            self._replace(self.atoms[~np.isin(self.atoms[:, PICK], excess)])
        self.atoms[:, PICK] = 0
        kept = ranking[:most]
        if len(kept):
            self.last_score = scores[kept[-1]]
        return len(kept), sum(scores[i] for i in kept)

    def requantised(self, threshold: float, progress: Told | None = None) -> Pursuit:
        """With each weight fitted and quantised anew, without the atoms that no longer pay the threshold."""
        return self._descended(_requantise, threshold, progress)

    def moved(self, threshold: float, progress: Told | None = None) -> Pursuit:
        """With each atom at the best place near it, without those that no longer pay the threshold."""
        return self._descended(_move, threshold, progress)

    def kept(self, marked: npt.NDArray[np.bool_]) -> Pursuit:
        """With only the atoms marked, shape (atoms,)."""
        return self.with_atoms(self.atoms[marked])

    def with_atoms(self, atoms: Array) -> Pursuit:
        """With these atoms in place of all, shape (n, ATOM_FIELDS)."""
        new = self._copy()
        new._replace(atoms)
        return new

    def with_table(self, table: Table) -> Pursuit:
        """With the tones of a table, dtype `TONE_DTYPE`, in place of all."""
        atoms = np.zeros((len(table), ATOM_FIELDS), np.int64)
        atoms[:, SCALE_INDEX] = table["scale"] - self.smallest_scale
        atoms[:, PLACE] = table["onset"]
        atoms[:, BIN] = table["bin"]
        atoms[:, AMPLITUDE] = table["amplitude"]
        atoms[:, PHASE] = table["phase"]
        return self.with_atoms(atoms)

    def energies(self) -> npt.NDArray[np.float64]:
        """Energy of each atom's waveform, shape (atoms,)."""
        size = (self.atoms[:, AMPLITUDE] + RECONSTRUCTION) * self.step
        return np.where(self.atoms[:, BIN] == 0, 1.0, 0.5) * size**2

    def table(self) -> Table:
        """The atoms as Gaussians of the format."""
        table = TONE.empty(len(self.atoms))
        table["scale"] = self.smallest_scale + self.atoms[:, SCALE_INDEX]
        table["onset"] = self.atoms[:, PLACE]
        table["bin"] = self.atoms[:, BIN]
        table["amplitude"] = self.atoms[:, AMPLITUDE]
        table["phase"] = self.atoms[:, PHASE]
        return table

    @property
    def stretches(self) -> int:
        """In how many pieces the clip is worked on."""
        return len(self._stretches())

    def _stretches(self) -> list[tuple[int | None, int | None]]:
        """Where the clip is divided: pairs of first and last sample of atom centres, None at the clip's ends."""
        count = max(1, round(len(self.signal) / _STRETCH_SAMPLES))
        cuts = [len(self.signal) * i // count for i in range(1, count)]
        return list(zip([None, *cuts], [*cuts, None], strict=True))

    def _copy(self) -> Pursuit:
        new = copy.copy(self)
        new.atoms, new._residual = self.atoms.copy(), self._residual.copy()
        return new

    def _replace(self, atoms: Array) -> None:
        self.atoms = atoms
        self._residual = self.signal - self._sum(atoms, 0, len(self.signal))

    def _descended(self, rounds: Callable[..., None], threshold: float, progress: Told | None) -> Pursuit:
        def descend_here(kernel: Kernel, atoms: Array) -> tuple[Array, Array, Array]:
            before = atoms[np.lexsort((atoms[:, BIN], atoms[:, SCALE_INDEX], atoms[:, PLACE]))]
            after = before.copy()
            rounds(*kernel, threshold, after)
            changed = np.any(before != after, axis=1)
            there = after[:, AMPLITUDE] > 0
            return after[there], before[changed], after[changed & there]

        new = self._copy()
        stretches = new._stretches()
        for done, (begin, end) in enumerate(stretches, 1):
            new._work_on(begin, end, descend_here)
            if progress is not None:
                progress(done / len(stretches))
        return new

    def _work_on(self, begin: int | None, end: int | None, change: Change) -> None:
        """Lets `change` turn the atoms with their centre in a stretch into others, by the residual's correlations
        with the stretch's part of the lattice."""
        centre = self.atoms[:, PLACE] + self._clip.support[self.atoms[:, SCALE_INDEX]] // 2
        here = np.ones(len(self.atoms), np.bool_)
        if begin is not None:
            here &= centre >= begin
        if end is not None:
            here &= centre < end
        old, others = self.atoms[here], self.atoms[~here]
        geometry = make_geometry(len(self.signal), self.smallest_scale, self.scales, begin, end)
        cells = correlate(self._residual, geometry, self.smallest_scale)
        leaves = 1 << max(1, int(geometry.blocks[-1] - 1).bit_length())
        tree = np.full(2 * leaves, _LOWEST, np.float32)
        _fill_tree(cells, tree, geometry, self.step)
        local = old.copy()
        local[:, PLACE] = (old[:, PLACE] - geometry.first[old[:, SCALE_INDEX]]) // geometry.hop[old[:, SCALE_INDEX]]
        kernel = (cells, tree, geometry, self._overlaps, self.step, self._largest)
        new, gone, come = (_in_clip(atoms, geometry) for atoms in change(kernel, local))
        self.atoms = np.concatenate([others, new])
        margin = int(self._clip.support[-1])
        low = 0 if begin is None else max(0, begin - margin)
        high = len(self.signal) if end is None else min(len(self.signal), end + margin)
        self._residual[low:high] += self._sum(gone, low, high) - self._sum(come, low, high)

    def _sum(self, atoms: Array, low: int, high: int) -> npt.NDArray[np.float64]:
        """The atoms' sum from sample `low` up to `high`."""
        out = np.zeros(high - low)
        _render(out, low, self._clip, atoms, self.step, self._window, self._window_starts)
        return out
