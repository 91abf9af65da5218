"""Gaussians of all kinds that tests build from tables, and compare."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from audio_gs.codec.gaussians import RESIDUAL, Gaussians
from audio_gs.codec.kinds import KINDS
from audio_gs.codec.residual import sorted_for_coding


def gathered(*tables: npt.NDArray[Any]) -> Gaussians:
    """The Gaussians of all these tables, each of which has the columns of one kind."""
    return Gaussians(
        {
            kind.name: np.concatenate([kind.empty(), *(table for table in tables if table.dtype == kind.dtype)])
            for kind in KINDS
        }
    )


def in_order(gaussians: Gaussians, slot_log2: int) -> Gaussians:
    """The same in the order of the stream."""
    ordered = {kind.name: kind.sorted_for_coding(gaussians[kind.name], slot_log2) for kind in KINDS}
    return Gaussians({**ordered, RESIDUAL: sorted_for_coding(gaussians[RESIDUAL])})


def assert_same_gaussians(got: Gaussians, expected: Gaussians) -> None:
    """Fails where a table of any kind differs."""
    assert set(got) == set(expected)
    for name, table in expected.items():
        np.testing.assert_array_equal(got[name], table, name)
