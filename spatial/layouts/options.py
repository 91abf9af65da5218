"""What a set's files leave open."""

from __future__ import annotations

import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Options:
    """Each has a value that fits the sets as they are published, where there is one."""

    metres_a_unit: float = 1.0
    """RWAVS: how long the unit of the scaled coordinates is."""
    source: tuple[float, float, float] | None = None
    """Metres; Replay-NVAS states none, so that it is where the viewpoints look unless it is given."""
    cameras: Path | None = None
    """Replay-NVAS: the file with the cameras' places, if it lies elsewhere."""
    unseen: tuple[int, ...] = (4, 8)
    """Replay-NVAS: viewpoints to test on."""
