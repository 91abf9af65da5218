"""What models have to be better than, and what they cannot be: each gives what is heard at the unseen poses.

Whatever is fitted is fitted to recordings that are not unseen.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .metrics import reverberation_time
from .scene import LEAD, Array, Floats, Scene, convolved, seen_from

_ANGLE_A_UNIT = np.pi / 6
_LOG_DISTANCE_A_UNIT = 0.3
"""Nearness: so far apart in the direction in which the source is heard, or in the logarithm of its distance, are poses
equally unlike."""
_REGULAR = 1e-3
"""Of a clip's mean power: what keeps a deconvolution from dividing by nothing."""


class Row(NamedTuple):
    """What is heard at the unseen recordings, shape (unseen, 2, samples), and RT60 there if known, in seconds."""

    rendered: Floats
    times: Array | None


def all_rows(scene: Scene) -> dict[str, Row]:
    """The rows by name; `oracle` is there where impulse responses are known."""
    rows = {"mono": mono(scene), "distance mono": distance_mono(scene), "nearest": nearest(scene)}
    if scene.responses:
        of_unseen = scene.responses.of_recording[scene.unseen]
        rows["oracle"] = _through(scene, scene.responses.oracle[of_unseen])
    return rows


def true_times(scene: Scene) -> Array | None:
    """RT60 at the unseen recordings, in seconds; None where impulse responses are unknown."""
    if scene.responses is None:
        return None
    return times_of(scene, scene.responses.truth[scene.responses.of_recording[scene.unseen]])


def times_of(scene: Scene, responses: Floats) -> Array:
    """RT60 of responses of shape (n, sources, 2, taps), a mean over the sources."""
    by_source = [reverberation_time(responses[:, source], scene.sample_rate) for source in range(responses.shape[1])]
    return np.mean(by_source, axis=0)


def mono(scene: Scene) -> Row:
    """The source as it is, at the level that is heard on the average, on both ears: what doing nothing gives."""
    gain = np.exp(_log_levels(scene).mean())
    return _at_gains(scene, np.full(int(scene.unseen.sum()), gain))


def distance_mono(scene: Scene) -> Row:
    """The source on both ears, softer with distance to a power that is fitted."""
    distances = _log_distances(scene)
    seen = ~scene.unseen
    design = np.column_stack([np.ones(int(seen.sum())), distances[seen]])
    offset, power = np.linalg.lstsq(design, _log_levels(scene), rcond=None)[0]
    return _at_gains(scene, np.exp(offset + power * distances[scene.unseen]))


def nearest(scene: Scene) -> Row:
    """What the seen pose does to the source at which it is heard most alike: from where, and how far away.

    The pose's true impulse response where it is known, else one that is deconvolved from its recordings; times the
    ratio of distances.
    """
    directions, _ = seen_from(scene.poses, scene.sources)
    distances = _log_distances(scene)
    seen, unseen = np.flatnonzero(~scene.unseen), np.flatnonzero(scene.unseen)
    cosines = np.einsum("usi,vsi->uvs", directions[unseen], directions[seen])
    angles = np.arccos(np.clip(cosines, -1, 1)).mean(axis=-1)
    apart = angles / _ANGLE_A_UNIT + np.abs(distances[unseen][:, None] - distances[seen]) / _LOG_DISTANCE_A_UNIT
    chosen = seen[apart.argmin(axis=1)]
    gains = np.exp(distances[chosen] - distances[unseen])[:, None, None, None].astype(np.float32)
    if scene.responses:
        return _through(scene, scene.responses.truth[scene.responses.of_recording[chosen]] * gains)
    poses = scene.distinct()
    responses = np.stack([_deconvolved(scene, np.flatnonzero((poses == poses[one]) & ~scene.unseen)) for one in chosen])
    return _through(scene, responses * gains)


def _log_levels(scene: Scene) -> Array:
    """Of the seen recordings over what was recorded near the sources."""
    seen = ~scene.unseen
    heard = (scene.heard[seen].astype(float) ** 2).mean(axis=(-1, -2))
    near = (scene.near[seen].sum(axis=1).astype(float) ** 2).mean(axis=-1)
    return 0.5 * np.log(np.maximum(heard, 1e-12) / np.maximum(near, 1e-12))


def _log_distances(scene: Scene) -> Array:
    """Of the nearest source."""
    _, distances = seen_from(scene.poses, scene.sources)
    return np.log(np.maximum(distances.min(axis=1), 1e-3))


def _at_gains(scene: Scene, gains: Array) -> Row:
    sound = scene.near[scene.unseen].sum(axis=1) * gains[:, None]
    # The answer to an impulse is over at once.
    times = np.zeros(len(gains)) if scene.responses else None
    return Row(np.repeat(sound[:, None], 2, axis=1).astype(np.float32), times)


def _through(scene: Scene, responses: Floats) -> Row:
    near = scene.near[scene.unseen]
    rendered = np.stack([convolved(one, response) for one, response in zip(near, responses, strict=True)])
    return Row(rendered, times_of(scene, responses))


def _deconvolved(scene: Scene, recordings: npt.NDArray[np.int64]) -> Floats:
    """The response of a pose by regularised division of spectra, all its recordings taken together; one source."""
    size = 2 * scene.samples
    near = np.fft.rfft(scene.near[recordings].sum(axis=1), size)
    heard = np.fft.rfft(scene.heard[recordings], size)
    power = (np.abs(near) ** 2).sum(axis=0)
    spectrum = (heard * np.conj(near)[:, None]).sum(axis=0) / (power + _REGULAR * power.mean())
    lead = np.exp(-2j * np.pi * np.fft.rfftfreq(size) * LEAD)
    response = np.fft.irfft(spectrum * lead, size)[:, : scene.samples]
    return np.repeat(response[None], len(scene.sources), axis=0).astype(np.float32)
