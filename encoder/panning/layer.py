"""The side layer of a clip: what the side has of the mid's tones and noises, with its part of the header."""

from __future__ import annotations

import dataclasses

import numpy as np

from audio_gs.codec.kinds.base import Table
from audio_gs.codec.stereo import PanningHeader

from .noises import NoiseSides
from .tones import ToneSides


@dataclasses.dataclass(frozen=True, eq=False)
class SideLayer:
    """Columns of tones and noises, in the order of the layers that it was chosen for."""

    header: PanningHeader
    tones: ToneSides
    noises: NoiseSides | None
    """None without noise."""
    peak: float
    """Of the float rendering of its tones, in output steps."""

    def on_tones(self, table: Table) -> Table:
        """The tones with their coefficients of the side."""
        table = table.copy()
        table["side_amplitude"], table["side_phase"] = self.tones
        return table

    def on_noises(self, table: Table) -> Table:
        """The noises with their weights in the side."""
        if self.noises is None:
            return table
        table = table.copy()
        table["side_weight"], table["pan_weight"] = self.noises
        return table

    @property
    def coefficients(self) -> int:
        """How many tones have one."""
        return int(np.count_nonzero(self.tones.amplitude))

    def without_weakest(self, count: int) -> SideLayer:
        """Without the weakest so many coefficients of tones."""
        amplitude, phase = self.tones.amplitude.copy(), self.tones.phase.copy()
        there = np.flatnonzero(amplitude)
        gone = there[np.argsort(amplitude[there], kind="stable")[:count]]
        amplitude[gone] = phase[gone] = 0
        return dataclasses.replace(self, tones=ToneSides(amplitude, phase))
