"""The typed table of Gaussians: the one structure that every step of the codec takes or gives.

A row holds the integers that the bitstream codes (SPEC 3 and 4). `physical` gives the same Gaussians in
seconds, hertz, radians and output steps.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from audio_gs.codec.container import StreamHeader
from audio_gs.codec.dequantise import amplitude, phase_turns
from audio_gs.codec.tables import (
    ENVELOPE_SIGMA,
    FULL_SCALE,
    NOISE_NARROWEST_SUPPORT,
    NOISE_SHORTEST_SUPPORT,
    SHORTEST_SUPPORT,
    hz_of_bark,
)

GaussianTable = npt.NDArray[Any]

TONE, NOISE = range(2)
"""Values of the table's field kind, the numbers of the header's bits."""

DECIBELS_PER_WEIGHT = 20 * np.log10(2) / 2
"""What a step of a noise Gaussian's weight adds to the level: half an octave of amplitude."""

GAUSSIAN = np.dtype(
    [
        ("scale", "<i4"),
        ("onset", "<i4"),
        ("bin", "<i4"),
        ("amplitude", "<i4"),
        ("phase", "<i4"),
        ("kind", "<i4"),
        ("width", "<i4"),
    ]
)
"""kind: TONE or NOISE. onset: first sample of the support, a multiple of a quarter of the support, may be negative.

A tone: scale is k, the support is 32 << k samples; bin is the frequency in units of sample_rate / support; amplitude is
the index q >= 1 on the uniform scale of SPEC 4; phase is the index f, 0 <= f < phases(q), of the phase at the centre;
width is 0.

A noise: scale is a, the support is 4 << a noise frames; width is c, it covers 3 << c Bark; bin is its place on the Bark
axis in quarters of that; amplitude is the weight w in steps of 3 dB, not 0; phase is 0 (SPEC 7)."""

PHYSICAL = np.dtype(
    [
        ("time", "<f8"),
        ("frequency", "<f8"),
        ("spread_time", "<f8"),
        ("spread_frequency", "<f8"),
        ("weight", "<f8"),
        ("phase", "<f8"),
        ("kind", "<i4"),
    ]
)
"""time: centre in seconds. frequency: hertz. spread_time, spread_frequency: standard deviations in seconds and hertz.
weight: of a tone the peak of the envelope, 1.0 is full scale; of a noise what it adds to the level at its centre, in
dB. phase: radians at the centre, 0 for a noise. kind: as in `GAUSSIAN`."""


def empty_table(rows: int = 0) -> GaussianTable:
    """A table of `rows` Gaussians with every field 0, dtype `GAUSSIAN`."""
    return np.zeros(rows, GAUSSIAN)


def support(scale: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Samples that tone Gaussians of the given scales sound for."""
    return SHORTEST_SUPPORT << np.asarray(scale, np.int64)


def noise_support(scale: npt.ArrayLike, frame_log2: int) -> npt.NDArray[np.int64]:
    """Samples that noise Gaussians of the given scales last, for frames of 2^frame_log2 samples."""
    return NOISE_SHORTEST_SUPPORT << (np.asarray(scale, np.int64) + frame_log2)


def ends(table: GaussianTable, header: StreamHeader) -> npt.NDArray[np.int64]:
    """The sample after each Gaussian's last, shape (n,)."""
    length = support(np.where(table["kind"] == TONE, table["scale"], 0))
    if header.noise:
        noises = table["kind"] == NOISE
        length[noises] = noise_support(table["scale"][noises], header.noise.frame_log2)
    return table["onset"] + length


def tones(table: GaussianTable) -> GaussianTable:
    """The tone Gaussians of a table."""
    return table[table["kind"] == TONE]


def noises(table: GaussianTable) -> GaussianTable:
    """The noise Gaussians of a table."""
    return table[table["kind"] == NOISE]


def physical(table: GaussianTable, header: StreamHeader) -> npt.NDArray[Any]:
    """The Gaussians of a stream with this header in physical units, dtype `PHYSICAL`, in the order of the table."""
    out = np.zeros(len(table), PHYSICAL)
    out["kind"] = table["kind"]
    is_tone = table["kind"] == TONE
    out[is_tone] = _physical_tones(table[is_tone], header)
    out[~is_tone] = _physical_noises(table[~is_tone], header)
    return out


def _physical_tones(table: GaussianTable, header: StreamHeader) -> npt.NDArray[Any]:
    length = support(table["scale"]).astype(np.float64)
    out = np.zeros(len(table), PHYSICAL)
    out["time"] = (table["onset"] + length / 2) / header.sample_rate
    out["frequency"] = table["bin"] * header.sample_rate / length
    out["spread_time"] = length * ENVELOPE_SIGMA / header.sample_rate
    out["spread_frequency"] = 1 / (2 * np.pi * out["spread_time"])
    out["weight"] = (
        amplitude(table["amplitude"], table["scale"], header.mantissa) / 2.0**header.output_shift / FULL_SCALE
    )
    out["phase"] = 2 * np.pi * phase_turns(table["amplitude"], table["phase"])
    return out


def _physical_noises(table: GaussianTable, header: StreamHeader) -> npt.NDArray[Any]:
    out = np.zeros(len(table), PHYSICAL)
    if header.noise is None:
        return out
    length = noise_support(table["scale"], header.noise.frame_log2).astype(np.float64)
    bark = (NOISE_NARROWEST_SUPPORT << table["width"].astype(np.int64)).astype(np.float64)
    centre = (table["bin"] + 0.5) * bark / 4
    spread = bark * ENVELOPE_SIGMA
    out["time"] = (table["onset"] + length / 2) / header.sample_rate
    out["frequency"] = hz_of_bark(centre)
    out["spread_time"] = length * ENVELOPE_SIGMA / header.sample_rate
    out["spread_frequency"] = (hz_of_bark(np.minimum(centre + spread, 26)) - hz_of_bark(centre - spread)) / 2
    out["weight"] = table["amplitude"] * DECIBELS_PER_WEIGHT
    out["kind"] = NOISE
    return out
