"""Resolutions fixed by hand: the lattice of the format, thinned to at most 2^bits values of each parameter.

Onsets keep 2^bits places in a support, bins 2^bits values of a scale, phases 2^bits values of a turn. Amplitude
indices keep 2^bits values spread evenly in decibels over all that the format has.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from audio_gs.codec.kinds.base import Table
from audio_gs.codec.kinds.tone import support
from audio_gs.codec.tables import LARGEST_AMPLITUDE, phase_bits

from ..options import EncoderOptions

PLACES_BITS = 2
"""log2 of the onsets in a support that the format has."""
_FORMAT_PHASE_BITS = phase_bits()


def is_by_hand(options: EncoderOptions) -> bool:
    """Whether any resolution is fixed by hand."""
    chosen = (options.time_bits, options.frequency_bits, options.amplitude_bits, options.phase_bits)
    return any(bits is not None for bits in chosen)


def bin_bits(scale: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """log2 of the bins that the format has in scales."""
    return scale + 4


def amplitude_values(bits: int) -> npt.NDArray[np.int64]:
    """The amplitude indices that `bits` leave, ascending: round(LARGEST^x), x in 2^bits equal parts of 0..1."""
    count = 1 << min(bits, 12)
    if count > LARGEST_AMPLITUDE:
        return np.arange(1, LARGEST_AMPLITUDE + 1)
    places = np.linspace(0, 1, count) if count > 1 else np.array([0.5])
    return np.unique(np.rint(LARGEST_AMPLITUDE**places).astype(np.int64))


def coarsen(table: Table, options: EncoderOptions, samples: int) -> Table:
    """The Gaussians of a clip of `samples` samples, each moved to the nearest values that the options leave."""
    if not is_by_hand(options):
        return table
    out = table.copy()
    scale = table["scale"].astype(np.int64)
    length = support(scale)
    turns = table["phase"] / 2.0 ** _FORMAT_PHASE_BITS[table["amplitude"]]
    if options.time_bits is not None:
        hop = (length // 4) << max(0, PLACES_BITS - options.time_bits)
        place = np.floor(table["onset"] / hop + 0.5).astype(np.int64)
        out["onset"] = np.clip(place, -((length - 1) // hop), (samples - 1) // hop) * hop
        # The wave stays where it was while its envelope moves.
        turns = turns + table["bin"] * (out["onset"] - table["onset"]) / length
    if options.frequency_bits is not None:
        stride = np.int64(1) << np.maximum(0, bin_bits(scale) - options.frequency_bits)
        place = np.floor(table["bin"] / stride + 0.5).astype(np.int64)
        out["bin"] = np.minimum(place, length // 2 // stride - 1) * stride
    if options.amplitude_bits is not None:
        values = amplitude_values(options.amplitude_bits)
        out["amplitude"] = values[np.searchsorted((values[1:] + values[:-1]) / 2, table["amplitude"])]
    bits = _FORMAT_PHASE_BITS[out["amplitude"]]
    kept = bits if options.phase_bits is None else np.minimum(bits, options.phase_bits)
    index = np.floor(turns * 2.0**kept + 0.5).astype(np.int64) & ((1 << kept) - 1)
    out["phase"] = index << (bits - kept)
    return out
