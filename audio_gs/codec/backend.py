"""What a backend is: something that turns streams into samples, and how the package finds it.

A backend registers itself as an entry point of the group `audio_gs.backends`, an object of `Backend`;
`audio_gs.backends` finds them. Nothing here knows which there are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol

import numpy.typing as npt

from .container import StreamHeader
from .pcm import PcmArray


class Decoder(Protocol):
    """A decoder of one stream that gives it piece by piece."""

    @property
    def header(self) -> StreamHeader: ...
    @property
    def position(self) -> int: ...
    @property
    def length(self) -> int: ...
    def read(self, count: int) -> PcmArray: ...
    def seek(self, sample: int) -> None: ...
    def rewind(self) -> None: ...
    @property
    def channels(self) -> int: ...
    def set_stereo(self, enabled: bool) -> None: ...
    def set_listener(self, yaw: int, pitch: int, roll: int) -> None: ...
    def set_direction(self, azimuth: int, elevation: int) -> None: ...
    def set_loop(self, enabled: bool) -> None: ...
    def set_budget(self, macs: int | None) -> None: ...
    def set_fade(self, gain: int, samples: int) -> None: ...
    def set_pitch(self, pitch: int) -> None: ...
    def set_tempo(self, tempo: int) -> None: ...
    def set_rate(self, rate: int) -> None: ...
    def set_mute(self, kinds: int, low: int, high: int) -> None: ...
    def state(self) -> tuple[int, int, int, int]: ...


def _nothing_missing() -> str | None:
    return None


@dataclasses.dataclass(frozen=True)
class Backend:
    """One way to decode. It streams (`open`) or renders whole clips (`render`)."""

    name: str
    exact: bool
    """Whether it gives the samples of SPEC.md to the bit."""
    open: Callable[[bytes], Decoder] | None = None
    render: Callable[[bytes], npt.NDArray[Any]] | None = None
    """The samples of a whole clip in output steps, shape (samples,): int16 of an exact backend, else float."""
    render_both: Callable[[bytes], npt.NDArray[Any]] | None = None
    """The same of left and right of a stream with two channels, shape (samples, 2); None where it renders the mid
    alone."""
    missing: Callable[[], str | None] = _nothing_missing
    """Why it cannot be used here, with the mend, in one line; None if it can."""
