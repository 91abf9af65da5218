"""What a listener hears is near what the measured head would, and the codec's table is the one fitted to that head."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from audio_gs.codec.directions import directions
from audio_gs.spatial.direction_table import fitted
from audio_gs.spatial.heard import DIRECTIONS, measure

pytestmark = pytest.mark.skipif(find_spec("slab") is None, reason="slab is not installed")

VECTORS = Path(__file__).parents[1] / "vectors"


def test_the_table_is_that_of_the_head() -> None:
    """But for how libraries of linear algebra round."""
    for name, expected, stored in zip(directions()._fields, fitted(), directions(), strict=True):
        assert np.shape(expected) == np.shape(stored)
        assert np.abs(expected - stored).max() <= 1, name


@pytest.mark.parametrize("name", ["speech-6"])
def test_errors_in_eight_directions(name: str) -> None:
    rows = np.array(list(measure((VECTORS / f"{name}.bin").read_bytes())))
    assert len(rows) == len(DIRECTIONS) == 8
    heard, one_channel = rows.mean(axis=0)
    assert heard[:2].mean() < 2.2
    assert heard[2] < 1.2
    assert heard[3] < 40
    assert (heard < one_channel / 2).all()
