"""Which Gaussians an edit is about."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from audio_gs.codec.container import StreamHeader
from audio_gs.codec.gaussians import RESIDUAL
from audio_gs.codec.kinds import KINDS, NOISE, TONE
from audio_gs.codec.kinds.base import Table
from audio_gs.codec.tables import FULL_SCALE

Mask = npt.NDArray[np.bool_]

KIND_NAMES = (*(kind.name for kind in KINDS), RESIDUAL)
_FAINTEST = 1e-12


@dataclasses.dataclass(frozen=True)
class Selection:
    """Gaussians by where their middle is, by kind and by level; what is None does not limit.

    Coefficients of the residual layer are selected like Gaussians, as the kind "residual". A noise has no level of its
    own, so a limit of level selects none.
    """

    start: float | None = None
    """Seconds; those that lie earlier are not selected."""
    stop: float | None = None
    """Seconds; those that lie here or later are not."""
    low: float | None = None
    """Hertz."""
    high: float | None = None
    kinds: tuple[str, ...] | None = None
    """Of `KIND_NAMES`."""
    min_db: float | None = None
    """Peak of the envelope under full scale."""
    max_db: float | None = None

    def __post_init__(self) -> None:
        for name in self.kinds or ():
            if name not in KIND_NAMES:
                raise ValueError(f"{name!r} is no kind; there are {', '.join(KIND_NAMES)}")
        for below, above in ((self.start, self.stop), (self.low, self.high), (self.min_db, self.max_db)):
            if below is not None and above is not None and not below < above:
                raise ValueError(f"nothing lies from {below:g} to {above:g}")

    def has(self, kind: str) -> bool:
        """Whether any of a kind may be selected."""
        return (self.kinds is None or kind in self.kinds) and (kind != NOISE.name or not self.by_level)

    @property
    def by_time(self) -> bool:
        return self.start is not None or self.stop is not None

    @property
    def by_band(self) -> bool:
        return self.low is not None or self.high is not None

    @property
    def by_level(self) -> bool:
        return self.min_db is not None or self.max_db is not None

    @property
    def by_place(self) -> bool:
        """Whether it is limited by anything but the kind."""
        return self.by_time or self.by_band or self.by_level

    def times(self, seconds: npt.ArrayLike) -> Mask:
        """Marks the times that are selected."""
        return _between(np.asarray(seconds, np.float64), self.start, self.stop)

    def band(self, hertz: npt.ArrayLike) -> Mask:
        """Marks the frequencies that are selected."""
        return _between(np.asarray(hertz, np.float64), self.low, self.high)

    def of_tones(self, tones: Table, header: StreamHeader) -> Mask:
        units = TONE.physical(tones, header)
        level = 20 * np.log10(np.maximum(units["weight"], _FAINTEST))
        chosen = self.times(units["time"]) & self.band(units["frequency"]) & _between(level, self.min_db, self.max_db)
        return chosen & self.has(TONE.name)

    def of_noises(self, noises: Table, header: StreamHeader) -> Mask:
        if not self.has(NOISE.name):
            return np.zeros(len(noises), np.bool_)
        units = NOISE.physical(noises, header)
        return self.times(units["time"]) & self.band(units["frequency"])

    def of_coefficients(self, coefficients: Table, header: StreamHeader) -> Mask:
        """Of the residual layer, as `audio_gs.edit.carried` has them."""
        if not self.has(RESIDUAL) or header.noise is None:
            return np.zeros(len(coefficients), np.bool_)
        size = header.noise.frame_samples
        peak = np.abs(coefficients["amplitude"]) * np.sqrt(2 / size) / FULL_SCALE
        chosen = self.times(coefficients["frame"] * size / header.sample_rate)
        chosen &= self.band((coefficients["bin"] + 0.5) * header.sample_rate / (2 * size))
        return chosen & _between(20 * np.log10(np.maximum(peak, _FAINTEST)), self.min_db, self.max_db)


ALL = Selection()


def _between(values: npt.NDArray[np.float64], low: float | None, high: float | None) -> Mask:
    chosen = np.ones(values.shape, np.bool_)
    if low is not None:
        chosen &= values >= low
    if high is not None:
        chosen &= values < high
    return chosen
