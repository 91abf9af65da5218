"""Loop points of a clip: two samples in its header, which no Gaussian knows of."""

from __future__ import annotations

import dataclasses

from audio_gs.codec.container import SHORTEST_LOOP
from audio_gs.errors import EditError

from .clip import GaussianClip

Loop = tuple[int, int]
"""First sample and the one after the last."""


def set_loop(
    clip: GaussianClip, start: float = 0.0, stop: float | None = None, *, samples: Loop | None = None
) -> GaussianClip:
    """The clip with loop points at two times, in seconds, to the nearest sample; without `stop`, at its end. `samples`
    gives them in samples instead. EditError for a loop that leaves the clip or that no decoder plays, as it has fewer
    than 64 samples."""
    header, rate = clip.header, clip.header.sample_rate
    end = header.samples if stop is None else round(stop * rate)
    first, end = samples or (round(start * rate), end)
    if not 0 <= first < end <= header.samples:
        raise EditError(f"samples {first} to {end} are no part of a clip of {header.samples}, {header.duration:.4f} s")
    if end - first < SHORTEST_LOOP:
        raise EditError(f"a loop of {end - first} samples is too short; take {SHORTEST_LOOP} or more")
    return dataclasses.replace(clip, header=dataclasses.replace(header, loop=(first, end)))


def clear_loop(clip: GaussianClip) -> GaussianClip:
    """The clip without loop points."""
    return dataclasses.replace(clip, header=dataclasses.replace(clip.header, loop=None))


def keep_loop(clip: GaussianClip, wanted: Loop | None) -> GaussianClip:
    """The clip, which an edit made shorter, with the loop points that it had at their new places; without them, and
    with a note, where those are no loop there."""
    if wanted is None:
        return clip
    try:
        return set_loop(clip, samples=wanted)
    except EditError as error:
        return clear_loop(clip).with_note(f"the loop is left out: {error}")
