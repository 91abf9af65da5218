"""Walls found by their echoes: where a wall would have to be for its first reflections to come when they do.

Recordings are divided by what was recorded near the sources, which leaves an impulse response for each pose. The echo
of a wall comes at another time at each pose; only the wall's true place has all of them at once.
"""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import scipy.ndimage
import scipy.signal

from .scene import SPEED_OF_SOUND, Array, Scene

_BEYOND = ((0.05, 2.0), (0.3, 2.5))
"""Metres beyond the outermost poses and sources between which walls are looked for: sideways, and floor and ceiling."""
_STEP = 0.02
_REGULAR = 1e-2
"""Of the mean power: what keeps the division from dividing by nothing."""
_LONGEST = 0.1
"""Seconds of the responses that are looked at."""
_BLUR = 0.0002
"""Seconds: ears are on two sides of the head."""
_AROUND = 0.004
"""Seconds to each side, whose mean is taken off: the field of all the echoes that are not asked for."""
_DIRECT = 0.5
"""Of the highest peak: the direct sound is the first to be so high, and need not be the highest."""
_AFTER_DIRECT = 0.001
"""Seconds after the direct sound in which no echo is told from it."""


def walls_by_echoes(scene: Scene) -> tuple[Array, Array]:
    """The low and the high walls' coordinates, each of shape (3,), as echoes in the recordings to fit to say."""
    recordings = scene.training()
    numbers = scene.distinct()[recordings]
    poses = np.unique(numbers)
    positions = np.stack([scene.poses.positions[recordings[numbers == pose][0]] for pose in poses])
    responses = np.stack([_envelopes(scene, recordings[numbers == pose]) for pose in poses])
    places = np.concatenate([positions, scene.sources])
    outermost = np.stack([places.min(axis=0), places.max(axis=0)])
    found = np.empty((2, 3))
    for side, axis in itertools.product(range(2), range(3)):
        beyond = np.arange(*_BEYOND[axis // 2], _STEP)
        tries = outermost[side, axis] + (beyond if side else -beyond)
        scores = [_score(scene, positions, responses, axis, place) for place in tries]
        found[side, axis] = tries[int(np.argmax(scores))]
    return found[0], found[1]


def _score(scene: Scene, positions: Array, responses: Array, axis: int, place: float) -> float:
    """How much stands out when a wall at this place would send it, a mean over poses and sources."""
    total = 0.0
    for number, source in enumerate(scene.sources):
        mirrored = source.copy()
        mirrored[axis] = 2 * place - source[axis]
        direct = np.linalg.norm(positions - source, axis=1)
        reflected = np.linalg.norm(positions - mirrored, axis=1)
        late = (reflected - direct) / SPEED_OF_SOUND
        index = np.minimum(np.round(late * scene.sample_rate).astype(int), responses.shape[-1] - 1)
        heard = responses[np.arange(len(positions)), number, index]
        total += float(np.where(late > _AFTER_DIRECT, heard, 0).mean())
    return total


def _envelopes(scene: Scene, recordings: npt.NDArray[np.int64]) -> Array:
    """What stands out of the envelopes of a pose's responses from the direct sound on, over their highest peak: shape
    (sources, samples)."""
    size = 2 * scene.samples
    length, blur = round(_LONGEST * scene.sample_rate), max(1, round(_BLUR * scene.sample_rate))
    heard = np.fft.rfft(scene.heard[recordings], size)
    found = []
    for source in range(len(scene.sources)):
        near = np.fft.rfft(scene.near[recordings, source], size)
        power = (np.abs(near) ** 2).sum(axis=0)
        spectrum = (heard * np.conj(near)[:, None]).sum(axis=0) / (power + _REGULAR * power.mean())
        response = np.abs(scipy.signal.hilbert(np.fft.irfft(spectrum, size), axis=-1)).sum(axis=0)
        smooth = np.convolve(response, np.hanning(2 * blur + 1), "same")
        around = scipy.ndimage.uniform_filter1d(smooth, 2 * round(_AROUND * scene.sample_rate))
        highest = max(float(smooth[:length].max()), 1e-12)
        start = int((smooth[:length] >= _DIRECT * highest).argmax())
        found.append((smooth - around)[start : start + length] / highest)
    return np.stack(found)
