"""Shoebox rooms: mirror sources by pyroomacoustics, each through the measured head, and a diffuse field after them."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from .head import measured_head, responses_at
from .scene import LEAD, SPEED_OF_SOUND, Array, Floats, Poses, Room, seen_from

OCTAVES = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
_WALLS = {"west": 1.3, "east": 0.7, "south": 0.9, "north": 1.0, "floor": 1.4, "ceiling": 0.7}
"""What each absorbs, relative to the room's figure."""
_BY_OCTAVE = np.array([0.8, 0.85, 0.95, 1.0, 1.1, 1.2, 1.3])
_MOST_ABSORBED = 0.97
_FADE = (0.03, 0.06)
"""Seconds after the direct sound between which the diffuse field takes over from mirror sources."""
_ORDER = 5
_EARS_APART = 0.18
"""Metres, of the two points whose coherence in a diffuse field the ears have."""
_NEIGHBOURS = 3
"""Measured directions that a direction is interpolated from."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """A room to simulate."""

    size: tuple[float, float, float]
    absorption: float
    """Of energy, at 1 kHz, a mean over the walls but for their own factors."""
    sources: tuple[tuple[float, float, float], ...]
    """Where sources stand, the first first."""


PLANS = {
    "dry": Plan((5.0, 4.0, 2.8), 0.45, ((1.2, 2.6, 1.5), (3.9, 1.0, 1.3), (2.6, 3.4, 1.7))),
    "live": Plan((6.0, 5.0, 3.0), 0.26, ((1.5, 1.8, 1.5), (4.6, 3.9, 1.3), (3.2, 0.9, 1.7))),
}


def room_of(plan: Plan) -> Room:
    """The room's reverberation times by Eyring."""
    x, y, z = plan.size
    areas = np.array([y * z, y * z, x * z, x * z, x * y, x * y])
    absorbed = _absorption(plan)
    mean = (areas[:, None] * absorbed).sum(axis=0) / areas.sum()
    times = 0.161 * x * y * z / (-areas.sum() * np.log(1 - mean))
    return Room(plan.size, tuple(float(time) for time in times))


def binaural_responses(
    plan: Plan, sources: Array, poses: Poses, rate: int, random: np.random.Generator
) -> tuple[Floats, Floats]:
    """Impulse responses of shape (poses, sources, 2, taps), and the same with another late field.

    The direct sound's own delay is taken out, as synchronising the recordings does.
    """
    room = room_of(plan)
    early_size = 1 << int(np.ceil(np.log2(2 * (_FADE[1] * rate + LEAD))))
    taps = max(early_size, 1 << round(np.log2(1.6 * max(room.t60) * rate)))
    head = _Head(rate, early_size)
    truth = np.zeros((len(poses.positions), len(sources), 2, taps), np.float32)
    oracle = np.zeros_like(truth)
    for number, source in enumerate(sources):
        images, orders_gain = _mirror_sources(plan, source, head.frequencies, rate)
        directions, distances = seen_from(poses, images)
        direct = np.linalg.norm(poses.positions - source, axis=1)
        for pose in range(len(direct)):
            early = _early(head, directions[pose], distances[pose], direct[pose], orders_gain)
            for responses in (truth, oracle):
                responses[pose, number] = _late(room, head, taps, rate, random)
                responses[pose, number, :, :early_size] += early
    return truth, oracle


class _Head:
    """The measured head on the frequencies of a response's early part."""

    def __init__(self, rate: int, size: int) -> None:
        head = measured_head()
        self.rate, self.size = rate, size
        self.directions, self.delays = head.directions, head.delays
        responses = responses_at(rate)
        self.frequencies = np.asarray(np.fft.rfftfreq(size, 1 / rate), np.float64)
        # Time 0 is in the middle of what wraps around.
        taps = responses.shape[-1]
        wrapped = np.zeros((*responses.shape[:2], size))
        wrapped[..., : taps // 2], wrapped[..., -taps // 2 :] = responses[..., : taps // 2], responses[..., taps // 2 :]
        self.spectra = np.fft.rfft(wrapped)
        self.diffuse = np.sqrt((np.abs(self.spectra) ** 2).mean(axis=0))

    def at(self, directions: Array) -> tuple[npt.NDArray[np.complex128], Array]:
        """Spectra without delay, shape (directions, 2, frequencies), and delays in seconds, shape (directions, 2)."""
        cosines = directions @ self.directions.T
        nearest = np.argpartition(-cosines, _NEIGHBOURS, axis=1)[:, :_NEIGHBOURS]
        weights = 1 / (np.arccos(np.clip(np.take_along_axis(cosines, nearest, axis=1), -1, 1)) + 1e-3)
        weights /= weights.sum(axis=1, keepdims=True)
        spectra = sum(weights[:, k, None, None] * self.spectra[nearest[:, k]] for k in range(_NEIGHBOURS))
        delays = sum(weights[:, k, None] * self.delays[nearest[:, k]] for k in range(_NEIGHBOURS))
        return np.asarray(spectra), np.asarray(delays)


def _absorption(plan: Plan) -> Array:
    """Shape (walls, octaves)."""
    factors = plan.absorption * np.array(list(_WALLS.values()))
    return np.minimum(factors[:, None] * _BY_OCTAVE, _MOST_ABSORBED)


def _mirror_sources(plan: Plan, source: Array, frequencies: Array, rate: int) -> tuple[Array, Array]:
    """Places, shape (images, 3), and what walls left of each at each frequency, shape (images, frequencies)."""
    import pyroomacoustics

    materials = {
        name: pyroomacoustics.Material(energy_absorption={"coeffs": list(absorbed), "center_freqs": list(OCTAVES)})
        for name, absorbed in zip(_WALLS, _absorption(plan), strict=True)
    }
    room = pyroomacoustics.ShoeBox(plan.size, fs=rate, materials=materials, max_order=_ORDER, air_absorption=False)
    room.add_source(list(source))
    room.add_microphone([side / 2 for side in plan.size])
    room.image_source_model()
    [simulated] = room.sources
    centres = np.log(np.asarray(room.octave_bands.centers, float))
    places = np.log(np.maximum(frequencies, 20.0))
    damping = np.log(np.maximum(np.asarray(simulated.damping, float), 1e-6))
    gains = np.exp(np.stack([np.interp(places, centres, damping[:, image]) for image in range(damping.shape[1])]))
    return np.asarray(simulated.images, float).T, gains


def _early(head: _Head, directions: Array, distances: Array, direct: float, gains: Array) -> Array:
    """Direct sound and reflections of a pose until the diffuse field has taken over, shape (2, size)."""
    delays = (distances - direct) / SPEED_OF_SOUND
    heard = np.flatnonzero(delays < _FADE[1])
    fade = np.cos(np.pi / 2 * np.clip((delays[heard] - _FADE[0]) / (_FADE[1] - _FADE[0]), 0, 1))
    spectra, ear_delays = head.at(directions[heard])
    time = delays[heard, None] + ear_delays + LEAD / head.rate
    turn = np.exp(-2j * np.pi * head.frequencies * time[..., None])
    levels = gains[heard] * (fade / distances[heard])[:, None]
    return np.fft.irfft((spectra * turn * levels[:, None]).sum(axis=0), head.size)


def _late(room: Room, head: _Head, taps: int, rate: int, random: np.random.Generator) -> Array:
    """A diffuse field at two ears, shape (2, taps): noise that decays by octave, coherent as two points in it are.

    Its energy is that of mirror sources of full strength: 4 pi c / V a second.
    """
    frequencies = np.fft.rfftfreq(taps, 1 / rate)
    noise = np.fft.rfft(random.standard_normal((2, taps)))
    coherence = np.sinc(2 * frequencies * _EARS_APART / SPEED_OF_SOUND)
    noise[1] = coherence * noise[0] + np.sqrt(1 - coherence**2) * noise[1]
    noise *= np.stack([np.interp(frequencies, head.frequencies, ear) for ear in head.diffuse])
    time = np.maximum(np.arange(taps) - LEAD, 0) / rate
    places = np.log(np.maximum(frequencies, 20.0))
    field = np.zeros((2, taps))
    for octave, t60 in enumerate(room.t60):
        share = np.interp(places, np.log(OCTAVES), np.eye(len(OCTAVES))[octave])
        field += np.fft.irfft(noise * share, taps) * np.exp(-3 * np.log(10) * time / t60)
    level = np.sqrt(4 * np.pi * SPEED_OF_SOUND / (np.prod(room.size) * rate))
    return level * field * np.sin(np.pi / 2 * np.clip((time - _FADE[0]) / (_FADE[1] - _FADE[0]), 0, 1))
