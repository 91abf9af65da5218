"""Step 6 of SPEC.md, PCM: the sum of all kinds in 16 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

PcmArray = npt.NDArray[np.int16]


def steps_of_quarters(quarters: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Quarters of output steps, int32, rounded to output steps."""
    return ((quarters + np.int32(2)) >> np.int32(2)).astype(np.int64)


def to_pcm(steps: npt.NDArray[np.int64]) -> PcmArray:
    """Output steps, summed over the kinds, saturated to 16 bits."""
    return np.clip(steps, -32768, 32767).astype(np.int16)
