"""Pictures of a scene and of what models make of it."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from audio_gs.picture import new_figure, spectrogram_db

from .evaluate import Evaluation
from .scene import Array, Scene

_ARROW = 0.3
"""Metres."""
_RANGE_DB = 70.0
_DPI = 110
_TOP_INCHES, _SPECTRUM_INCHES = (9.0, 7.0), (13.0, 2.6)


def draw_top_view(path: str | os.PathLike[str], scene: Scene, errors: Array, name: str) -> None:
    """The scene from above: sources, poses learnt from, and unseen poses with the error of a model at each.

    `errors` has MAG for each unseen recording.
    """
    figure = new_figure(_TOP_INCHES)
    axes = figure.subplots()
    if scene.room:
        from matplotlib.patches import Rectangle

        axes.add_patch(Rectangle((0, 0), *scene.room.size[:2], fill=False, linewidth=2))
    poses = scene.distinct()
    seen = _first_of(poses, ~scene.unseen)
    _draw_heads(axes, scene, seen, colours="0.7", size=12)
    unseen = _first_of(poses, scene.unseen)
    of_unseen = poses[scene.unseen]
    by_pose = np.array([errors[of_unseen == poses[one]].mean() for one in unseen])
    marks = _draw_heads(axes, scene, unseen, colours=by_pose, size=90)
    figure.colorbar(marks, ax=axes, label="MAG")
    axes.plot(*scene.sources[:, :2].T, "k*", markersize=16, label="source")
    axes.set_aspect("equal")
    axes.set_xlabel("x, m")
    axes.set_ylabel("y, m")
    axes.legend(loc="upper right")
    axes.set_title(f"{scene.name}: error of {name} at unseen poses; poses learnt from in grey", loc="left")
    figure.savefig(path, format="png", dpi=_DPI)


def draw_spectrograms(
    path: str | os.PathLike[str], scene: Scene, evaluation: Evaluation, names: list[str], recording: int
) -> None:
    """What was heard at an unseen recording, counted from 0, and what each row makes of it: left and right ear."""
    heard = scene.heard[scene.unseen][recording]
    rows = {"heard": heard} | {name: evaluation.rendered[name][recording] for name in names}
    figure = new_figure((_SPECTRUM_INCHES[0], _SPECTRUM_INCHES[1] * len(rows)))
    every = figure.subplots(len(rows), 2, sharex=True, sharey=True)
    scale = 1 / max(float(np.abs(heard).max()), 1e-9)
    for line, (name, ears) in zip(every, rows.items(), strict=True):
        for axes, ear, side in zip(line, ears, ("left", "right"), strict=True):
            power, step = spectrogram_db(ear * scale, scene.sample_rate)
            extent = (0, len(power) * step, 0, scene.sample_rate / 2000)
            image = axes.imshow(
                power.T, origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=-_RANGE_DB, vmax=-5
            )
            axes.set_title(f"{name}, {side}", loc="left", fontsize=9)
        line[0].set_ylabel("kHz")
    figure.colorbar(image, ax=every, label="dB", pad=0.01)
    for axes in every[-1]:
        axes.set_xlabel("s")
    figure.savefig(path, format="png", dpi=_DPI)


def _first_of(poses: Any, chosen: Any) -> Any:
    """The first recording of each pose among the chosen ones."""
    index = np.flatnonzero(chosen)
    return index[np.unique(poses[index], return_index=True)[1]]


def _draw_heads(axes: Any, scene: Scene, recordings: Any, colours: Any, size: float) -> Any:
    places, fronts = scene.poses.positions[recordings], scene.poses.axes[recordings, 0] * _ARROW
    axes.quiver(*places[:, :2].T, *fronts[:, :2].T, color="0.4", angles="xy", scale_units="xy", scale=1, width=0.003)
    return axes.scatter(
        *places[:, :2].T, c=colours, s=size, zorder=3, cmap=None if isinstance(colours, str) else "viridis"
    )
