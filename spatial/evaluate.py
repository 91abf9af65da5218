"""Models and baselines against what was heard at unseen poses."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from audio_gs.errors import SceneError

from .baselines import Row, all_rows, times_of, true_times
from .metrics import Figures, figures, magnitude_distance
from .models.base import Heads, SceneModel, heads_of
from .scene import Array, Floats, Scene

MODEL_ROW = "model"


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Figures of each row, and what was rendered."""

    rows: dict[str, Figures]
    """Baselines by name, models by theirs."""
    rendered: dict[str, Floats]
    """At the unseen recordings, shape (unseen, 2, samples)."""
    errors: dict[str, Array]
    """MAG of each unseen recording."""

    def as_dict(self, scene: Scene) -> dict[str, Any]:
        """JSON: the rows by name, the first model's also as `model`."""
        rows = {name: row.as_dict() for name, row in self.rows.items()}
        baselines = ("mono", "distance mono", "nearest", "oracle")
        models = [name for name in rows if name not in baselines]
        first: dict[str, Any] = {MODEL_ROW: {"name": models[0], **rows[models[0]]}} if models else {}
        return {
            "scene": scene.name,
            "sample_rate": scene.sample_rate,
            "poses": len(set(scene.distinct()[~scene.unseen].tolist())),
            "unseen_poses": len(set(scene.distinct()[scene.unseen].tolist())),
            **rows,
            **first,
        }


def evaluate(
    scene: Scene,
    models: Sequence[SceneModel],
    report: Callable[[float, str], None] = lambda fraction, text: None,
) -> Evaluation:
    """All rows of a scene's table: baselines, models, oracle. SceneError where a model does not fit the scene."""
    baselines = all_rows(scene)
    oracle = {name: baselines.pop(name) for name in list(baselines) if name == "oracle"}
    rows = dict(baselines)
    for number, model in enumerate(models):
        report(number / len(models), model.name)
        rows[_free_name(model.name, rows)] = rendered_by(model, scene)
    rows |= oracle
    truth, heard = true_times(scene), scene.heard[scene.unseen]
    found = {}
    for name, row in rows.items():
        times = None if truth is None or row.times is None else (row.times, truth)
        found[name] = figures(row.rendered, heard, scene.sample_rate, times)
    errors = {name: magnitude_distance(row.rendered, heard) for name, row in rows.items()}
    return Evaluation(found, {name: row.rendered for name, row in rows.items()}, errors)


def rendered_by(model: SceneModel, scene: Scene) -> Row:
    """What a model makes of the unseen recordings."""
    config = model.config
    if int(config["rate"]) != scene.sample_rate:
        raise SceneError(
            f"the model was trained at {config['rate']} Hz and {scene.name} has {scene.sample_rate}; train one for it"
        )
    if len(config["sources"]) != len(scene.sources):
        raise SceneError(f"the model has {len(config['sources'])} sources and {scene.name} {len(scene.sources)}")
    unseen = np.flatnonzero(scene.unseen)
    device = next(model.parameters()).device
    heads = heads_of(scene.poses.at(unseen), device)
    near = torch.from_numpy(scene.near[unseen]).to(device)
    with torch.no_grad():
        rendered = [
            model(near[part], Heads(heads.positions[part], heads.axes[part])).cpu().numpy()
            for part in np.array_split(np.arange(len(unseen)), -(-len(unseen) // model.batch))
        ]
    return Row(np.concatenate(rendered), _times(model, scene, unseen))


def _times(model: SceneModel, scene: Scene, unseen: npt.NDArray[np.int64]) -> Array | None:
    """RT60 of the model's responses at the unseen recordings, each pose once."""
    if scene.responses is None:
        return None
    poses, first, inverse = np.unique(scene.distinct()[unseen], return_index=True, return_inverse=True)
    heads = heads_of(scene.poses.at(unseen[first]), next(model.parameters()).device)
    taps = scene.responses.truth.shape[-1]
    with torch.no_grad():
        responses = model.responses(heads, taps, len(scene.sources)).cpu().numpy()
    assert len(responses) == len(poses)
    times: Array = times_of(scene, responses)[inverse]
    return times


def _free_name(name: str, taken: dict[str, Row]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} {number}"
    return free
