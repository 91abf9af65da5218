"""The typed table of Gaussians: the one structure that every step of the codec takes or gives.

A row holds the integers that the bitstream codes (SPEC 3 and 4). `physical` gives the same Gaussians in
seconds, hertz, radians and output steps.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .container import StreamHeader
from .dequantise import amplitude, phase_turns
from .tables import ENVELOPE_SIGMA, FULL_SCALE, SHORTEST_SUPPORT

GaussianTable = npt.NDArray[Any]

GAUSSIAN = np.dtype(
    [
        ("scale", "<i4"),
        ("onset", "<i4"),
        ("bin", "<i4"),
        ("amplitude", "<i4"),
        ("phase", "<i4"),
    ]
)
"""scale: k, the support is 32 << k samples. onset: first sample of the support, a multiple of a quarter of the
support, may be negative. bin: frequency in units of sample_rate / support. amplitude: index q >= 1 on the uniform
scale of SPEC 4. phase: index f, 0 <= f < phases(q), of the phase at the centre."""

PHYSICAL = np.dtype(
    [
        ("time", "<f8"),
        ("frequency", "<f8"),
        ("spread_time", "<f8"),
        ("spread_frequency", "<f8"),
        ("weight", "<f8"),
        ("phase", "<f8"),
    ]
)
"""time: centre in seconds. frequency: hertz. spread_time, spread_frequency: standard
deviations in seconds and hertz. weight: peak of the
envelope, 1.0 is full scale. phase: radians at the centre."""


def empty_table(rows: int = 0) -> GaussianTable:
    """A table of `rows` Gaussians with every field 0, dtype `GAUSSIAN`."""
    return np.zeros(rows, GAUSSIAN)


def support(scale: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Samples that Gaussians of the given scales sound for."""
    return SHORTEST_SUPPORT << np.asarray(scale, np.int64)


def physical(table: GaussianTable, header: StreamHeader) -> npt.NDArray[Any]:
    """The Gaussians of a stream with this header in physical units, dtype `PHYSICAL`."""
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
