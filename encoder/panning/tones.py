"""What the side has of the mid's tones: a coefficient for each, or none."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from audio_gs.codec.tables import phase_bits

from ..tones.pursuit import AMPLITUDE, PHASE, PICK, RECONSTRUCTION, SCALE_INDEX, Pursuit
from .weights import Atoms, fit_weights

Samples = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_ROUNDS = 2
"""Of coordinate descent."""


class ToneSides(NamedTuple):
    """Of tones, in their order; both of shape (n,)."""

    amplitude: Integers
    """Index, 0 where the side has nothing of a tone."""
    phase: Integers


def fit_tone_sides(
    side: Samples, mid: Pursuit, step: float, largest: Integers, threshold: float
) -> tuple[ToneSides, Samples]:
    """Coefficients of the mid's tones whose sum comes near the side, each taking at least the energy `threshold` off
    it; and what they leave of the side, shape (samples,).

    step     of their amplitudes, in the unit of alpha
    largest  amplitude index of each scale, shape (scales,)
    """
    atoms = mid.atoms.copy()
    table = mid.table()
    weights = fit_weights(side, Atoms(table["onset"], table["scale"], table["bin"], len(side)))
    amplitude = np.floor(np.abs(weights) / step - RECONSTRUCTION + 0.5).astype(np.int64)
    atoms[:, AMPLITUDE] = np.clip(amplitude, 0, largest[atoms[:, SCALE_INDEX]])
    phases = 1 << phase_bits()[atoms[:, AMPLITUDE]].astype(np.int64)
    atoms[:, PHASE] = np.floor(np.angle(weights) / (2 * np.pi) * phases + 0.5).astype(np.int64) % phases
    atoms[:, PICK] = np.arange(len(atoms))
    pursuit = Pursuit(side, mid.smallest_scale, mid.scales, step, largest)
    pursuit = pursuit.with_atoms(atoms[atoms[:, AMPLITUDE] > 0])
    for _ in range(_ROUNDS):
        pursuit = pursuit.requantised(threshold)
    found = ToneSides(np.zeros(len(atoms), np.int64), np.zeros(len(atoms), np.int64))
    index = pursuit.atoms[:, PICK]
    found.amplitude[index], found.phase[index] = pursuit.atoms[:, AMPLITUDE], pursuit.atoms[:, PHASE]
    return found, pursuit.residual()
