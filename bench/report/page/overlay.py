"""The Gaussians of a stream in the compact form that the page draws over our spectrogram."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from audio_gs.codec.container import parse_header
from audio_gs.codec.kinds import NOISE
from audio_gs.gaussians import pans, physical, read_gaussians

SILENT = 1e-6
NOISE_OPAQUE_DB = 40.0


def stream_overlay(data: bytes) -> dict[str, Any]:
    """`overlay` of all Gaussians of a stream. Raises BitstreamError for a damaged one."""
    header, _ = parse_header(data)
    gaussians = read_gaussians(data, None)
    by_kind = physical(gaussians, header)
    kinds = [name for name, units in by_kind.items() for _ in range(len(units))]
    drawn = overlay(np.concatenate(list(by_kind.values())), kinds)
    if header.channels == 2:
        of_kinds = pans(gaussians, header)
        drawn["pan"] = np.rint(100 * np.concatenate([of_kinds[name] for name in by_kind])).astype(int).tolist()
    return drawn


def overlay(units: npt.NDArray[Any], kinds: Sequence[str]) -> dict[str, Any]:
    """Columns of what can be drawn; `units` has the dtype `gaussians.PHYSICAL`, `kinds` a name for each row. Those of a
    stream with two channels have a pan beside them, in hundredths from left, -100, to right, 100.

    time: ms. frequency: Hz. level: dB under full scale, of a noise how far its weight is under 40 dB. spread and kind:
    numbers of an entry in `spreads` (seconds and hertz) and in `kinds`.
    """
    names = list(dict.fromkeys(kinds))
    pairs = np.column_stack([units["spread_time"], units["spread_frequency"]]).reshape(len(units), 2)
    spreads, spread = np.unique(pairs, axis=0, return_inverse=True)
    level = 20 * np.log10(np.maximum(np.abs(units["weight"]), SILENT))
    is_noise = np.array([kind == NOISE.name for kind in kinds], np.bool_)
    level[is_noise] = np.minimum(np.abs(units["weight"][is_noise]) - NOISE_OPAQUE_DB, 0)
    return {
        "kinds": names,
        "spreads": [[float(f"{seconds:.4g}"), float(f"{hertz:.4g}")] for seconds, hertz in spreads.tolist()],
        "time": np.rint(1000 * units["time"]).astype(int).tolist(),
        "frequency": np.rint(units["frequency"]).astype(int).tolist(),
        "level": np.rint(level).astype(int).tolist(),
        "spread": spread.reshape(-1).tolist(),
        "kind": [names.index(kind) for kind in kinds],
    }
