"""Models and checkpoints as safetensors files: arrays, and JSON beside them; nothing is pickled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from audio_gs.errors import SceneError, SceneFileError
from audio_gs.files import write_file

from .models import MODELS, model_class
from .models.base import SceneModel

MODEL, CHECKPOINT, SOURCE = "model.safetensors", "checkpoint.safetensors", "source.wav"
_FORMAT, _VERSION = "audio-gs scene", 1
_WEIGHTS, _FIRST, _SECOND, _STEPS = "weights.", "first.", "second.", "steps."


class Checkpoint(NamedTuple):
    """All that training needs to go on."""

    stated: dict[str, Any]
    """What it was training, as JSON."""
    progress: dict[str, Any]
    """How far it had come, as JSON."""
    tensors: dict[str, Tensor]


def write_model(folder: Path, model: SceneModel, facts: dict[str, Any]) -> None:
    """The weights, and what they are; whole or not at all. `facts` are JSON about the scene."""
    tensors = {_WEIGHTS + name: _plain(tensor) for name, tensor in model.state_dict().items()}
    _write(folder / MODEL, tensors, {"model": model.name, "config": model.config, "facts": facts})


def read_model(path: Path) -> tuple[SceneModel, dict[str, Any]]:
    """A model from its folder or its file, with its facts.

    Raises SceneError where there is none, SceneFileError where it is damaged.
    """
    file = path / MODEL if path.is_dir() else path
    tensors, stated = _read(file)
    try:
        if stated["model"] not in MODELS:
            raise SceneError(f"{file} holds a model {stated['model']!r} that this version does not know; update it")
        model = model_class(stated["model"]).from_config(dict(stated["config"]))
        model.load_state_dict({name.removeprefix(_WEIGHTS): tensor for name, tensor in tensors.items()})
        facts = dict(stated["facts"])
    except SceneError:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError):
        raise SceneFileError(f"{file} is damaged: its weights do not fit its model; train it anew") from None
    return model, facts


def write_checkpoint(
    folder: Path,
    model: SceneModel,
    best: dict[str, Tensor],
    optimiser: torch.optim.Adam,
    stated: dict[str, Any],
    progress: dict[str, Any],
) -> None:
    """Weights, the best of them so far, and the optimiser's moments."""
    tensors = {_WEIGHTS + name: _plain(tensor) for name, tensor in model.state_dict().items()}
    tensors |= {f"best.{name}": _plain(tensor) for name, tensor in best.items()}
    for number, parameter in enumerate(_parameters(optimiser)):
        state = optimiser.state[parameter]
        tensors[f"{_FIRST}{number}"] = _plain(state["exp_avg"])
        tensors[f"{_SECOND}{number}"] = _plain(state["exp_avg_sq"])
        tensors[f"{_STEPS}{number}"] = _plain(state["step"])
    _write(folder / CHECKPOINT, tensors, {"stated": stated, "progress": progress})


def read_checkpoint(folder: Path) -> Checkpoint:
    """Raises SceneError where there is none, SceneFileError where it is damaged."""
    tensors, whole = _read(folder / CHECKPOINT)
    try:
        return Checkpoint(dict(whole["stated"]), dict(whole["progress"]), tensors)
    except (KeyError, TypeError, ValueError):
        raise SceneFileError(f"{folder / CHECKPOINT} is damaged; train anew with -f") from None


def restore(checkpoint: Checkpoint, model: SceneModel, optimiser: torch.optim.Adam) -> dict[str, Tensor]:
    """Put weights and moments back; gives the best weights. Raises SceneFileError where they do not fit."""
    tensors = checkpoint.tensors
    try:
        model.load_state_dict(_with_prefix(tensors, _WEIGHTS))
        best = _with_prefix(tensors, "best.")
        if best.keys() != model.state_dict().keys():
            raise KeyError("best")
        for number, parameter in enumerate(_parameters(optimiser)):
            first, second = tensors[f"{_FIRST}{number}"], tensors[f"{_SECOND}{number}"]
            if first.shape != parameter.shape or second.shape != parameter.shape:
                raise ValueError(number)
            device = parameter.device
            optimiser.state[parameter] = {
                "step": tensors[f"{_STEPS}{number}"],
                "exp_avg": first.to(device),
                "exp_avg_sq": second.to(device),
            }
    except (KeyError, ValueError, RuntimeError):
        raise SceneFileError("the checkpoint is damaged: it does not fit the model; train anew with -f") from None
    return best


def _parameters(optimiser: torch.optim.Adam) -> list[torch.nn.Parameter]:
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]


def _with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _plain(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().contiguous().clone()


def _write(path: Path, tensors: dict[str, Tensor], stated: dict[str, Any]) -> None:
    # One entry, since several come in any order, and equal models make equal files.
    metadata = {_FORMAT: json.dumps({"version": _VERSION, **stated}, allow_nan=False)}
    write_file(path, save(tensors, metadata), force=True)


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    if not path.is_file():
        raise SceneError(f"{path} is missing; train a model there with gs-scene train")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if _FORMAT not in metadata:
            raise SceneFileError(f"{path} is damaged or no model of a scene; give what gs-scene train has written")
        stated = dict(json.loads(metadata[_FORMAT]))
        if stated["version"] != _VERSION:
            raise SceneError(f"{path} has version {stated['version']}; this version reads {_VERSION}")
    except SceneError:
        raise
    except OSError as error:
        raise SceneError(f"cannot read {path}: {error.strerror or error}") from None
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError):
        raise SceneFileError(f"{path} is damaged or no safetensors file; train it anew") from None
    if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
        raise SceneFileError(f"{path} is damaged: it holds NaN or infinite weights; train it anew")
    return tensors, stated
