"""Simulated scenes: a room, sources in it, a listener on walks through it or at fixed viewpoints, and what he hears."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from audio_gs.errors import OptionsError

from .layouts import LAYOUTS, replay, rwavs
from .layouts.files import CLIP_SECONDS
from .paths import around, walks
from .rooms import PLANS, binaural_responses, room_of
from .scene import Responses, Room, Scene, convolved
from .sounds import cut_sounds, made_sounds

FEWEST_POSES = 10
_UNSEEN_SHARE = 5
"""One walk of so many is unseen."""


@dataclasses.dataclass(frozen=True)
class Simulation:
    """What to simulate."""

    room: str = "dry"
    poses: int = 80
    seed: int = 0
    layout: str = "rwavs"
    sources: int = 1
    seconds: int = 2
    """Clips of a second at each pose."""
    sounds: tuple[Path, ...] = ()
    """Audio files that the sources play stretches of; sounds made from the seed if there are none."""


def simulated_files(wanted: Simulation, report: Callable[[float, str], None]) -> dict[str, bytes]:
    """All files of a simulated scene by name. Raises OptionsError for what cannot be simulated."""
    scene, room = simulate(wanted, report)
    return dict(LAYOUTS[wanted.layout].files(scene, room))


def simulate(
    wanted: Simulation, report: Callable[[float, str], None] = lambda fraction, text: None
) -> tuple[Scene, Room]:
    """A scene with levels as they come, and its room. Raises OptionsError for what cannot be simulated."""
    plan = PLANS[wanted.room]
    is_replay = wanted.layout == "replay"
    if wanted.poses < FEWEST_POSES:
        raise OptionsError(
            f"{wanted.poses} poses are too few to learn from and to test on; give {FEWEST_POSES} or more"
        )
    if not 1 <= wanted.sources <= len(plan.sources):
        raise OptionsError(f"{wanted.sources} sources; a room has 1 to {len(plan.sources)}")
    if is_replay and wanted.sources > 1:
        raise OptionsError("Replay-NVAS records near one source; use the layout rwavs for several")
    rate = replay.RATE if is_replay else rwavs.RATE
    random = np.random.default_rng([wanted.seed, sorted(PLANS).index(wanted.room)])
    sources = np.array(plan.sources[: wanted.sources])
    if is_replay:
        poses = around(plan.size, sources, replay.VIEWPOINTS, random)
        of_recording = np.arange(-(-wanted.poses // replay.VIEWPOINTS) * replay.VIEWPOINTS) % replay.VIEWPOINTS
        unseen = np.isin(of_recording + 1, (4, 8))
    else:
        poses, walk = walks(plan.size, sources, wanted.poses, random)
        of_recording = np.repeat(np.arange(wanted.poses), wanted.seconds)
        unseen = (walk % _UNSEEN_SHARE == _UNSEEN_SHARE - 1)[of_recording]
    report(0.05, "impulse responses")
    truth, oracle = binaural_responses(plan, sources, poses, rate, random)
    report(0.8, "recordings")
    samples = round(CLIP_SECONDS * rate)
    clips = len(of_recording) // replay.VIEWPOINTS if is_replay else len(of_recording)
    near = _near(wanted.sounds, clips * wanted.sources, samples, rate, random).reshape(clips, wanted.sources, samples)
    if is_replay:
        near = np.repeat(near, replay.VIEWPOINTS, axis=0)
    near = near.astype(np.float32)
    heard = np.stack([convolved(near[row], truth[pose]) for row, pose in enumerate(of_recording)])
    name = f"SC-{wanted.room}" if is_replay else wanted.room
    scene = Scene(
        name=name,
        sample_rate=rate,
        sources=sources,
        poses=poses.at(of_recording),
        near=near,
        heard=heard,
        unseen=unseen,
        responses=Responses(truth, oracle, of_recording.astype(np.int64)),
    )
    return scene, room_of(plan)


def _near(files: Sequence[Path], clips: int, samples: int, rate: int, random: np.random.Generator) -> np.ndarray:
    if files:
        return cut_sounds(files, clips, samples, rate, random)
    return made_sounds(clips, samples, rate, random)
