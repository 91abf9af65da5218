"""The backends that are installed, found by their entry points (group `audio_gs.backends`)."""

from __future__ import annotations

import functools
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

import numpy.typing as npt

from audio_gs.codec.backend import Backend, Decoder
from audio_gs.errors import AudioGsError
from audio_gs.waiting import wait_for

GROUP = "audio_gs.backends"
DEFAULT = "c"


class BackendMissing(AudioGsError):
    """A backend cannot be used here; the text says what to install."""


@functools.cache
def _points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


@functools.cache
def _backend(name: str) -> Backend:
    """Loaded for itself: who decodes with one backend shall not wait for the modules of another."""
    return cast(Backend, _points()[name].load())


def _registered() -> dict[str, Backend]:
    found = {name: _backend(name) for name in _points()}
    # The streaming ones first, the default at the head: the order in which they are offered.
    return dict(sorted(found.items(), key=lambda item: (item[0] != DEFAULT, item[1].open is None, item[0])))


def names() -> tuple[str, ...]:
    """All backends, whether they can be used here or not."""
    return tuple(_registered())


def streaming() -> tuple[str, ...]:
    """Those that give a stream piece by piece, and can seek."""
    return tuple(name for name, backend in _registered().items() if backend.open)


def give_both() -> tuple[str, ...]:
    """Those that give left and right of streams with two channels."""
    return tuple(name for name, backend in _registered().items() if backend.open or backend.render_both)


def left_out() -> dict[str, str]:
    """Those that cannot be used here, and why."""
    reasons = {name: backend.missing() for name, backend in _registered().items()}
    return {name: reason for name, reason in reasons.items() if reason}


def load(name: str) -> Backend:
    """The backend of a name. Raises ValueError for an unknown name, BackendMissing where it cannot be used."""
    if name not in _points():
        raise ValueError(f"there is no backend {name!r}; choose one of {', '.join(names())}")
    backend = _backend(name)
    reason = backend.missing()
    if reason:
        raise BackendMissing(reason)
    return backend


def render(backend: Backend, data: bytes, is_stereo: bool = False) -> npt.NDArray[Any]:
    """All samples of a stream on a backend that renders whole clips, as its `render` gives them, or `render_both`;
    signals end it."""
    work = backend.render_both if is_stereo else backend.render
    assert work is not None
    return wait_for(lambda: work(data))


def open_decoder(data: bytes, name: str = DEFAULT) -> Decoder:
    """A decoder of one stream. Raises ValueError for a backend that cannot stream."""
    backend = load(name)
    if backend.open is None:
        raise ValueError(f"backend {name!r} cannot stream; choose one of {', '.join(streaming())}")
    return backend.open(data)
