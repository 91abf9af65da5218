"""Fitting a model to a scene: epochs of gradient steps, a log, checkpoints; what validates best is kept."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from audio_gs.errors import OptionsError, OutputError, SceneError
from audio_gs.files import write_file
from audio_gs.picture import new_figure

from . import saved
from .layouts.files import wav_bytes
from .models import model_class
from .models.base import Clips, SceneModel, loss_of
from .scene import Scene

LINES, CURVES = "log.jsonl", "curves.png"
_LEAST_RATE = 0.03
"""Share of the learning rate that is left at the end of its cosine."""
_BETAS = (0.9, 0.95)
_SOURCE_SECONDS = 4
_INCHES = (9.0, 5.0)


@dataclasses.dataclass(frozen=True)
class Training:
    """How to train."""

    model: str
    epochs: int | None = None
    """None: as many as the model takes by itself."""
    full: bool = False
    """The model's published size, and as many epochs as it takes to its end."""
    seed: int = 0
    device: str = "cpu"
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Of the model's own."""


@dataclasses.dataclass(frozen=True)
class Trained:
    """What has come of it."""

    epochs: int
    loss: float
    validation: float
    """The least, that of the weights kept."""
    parameters: int

    def as_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def torch_device(name: str) -> torch.device:
    """Raises OptionsError for a device that is not there."""
    if name == "cuda" and not torch.cuda.is_available():
        raise OptionsError("no CUDA device is to be had here; leave out --device cuda")
    return torch.device(name)


def train(
    scene: Scene,
    wanted: Training,
    folder: Path,
    report: Callable[[float, str], None],
    resume: bool = False,
    until: int | None = None,
) -> Trained:
    """Train a model in a folder, which is made; with `resume` from its last checkpoint on, up to the epoch `until`.

    Equal seeds on equal machines give equal weights, resumed or not. Raises SceneError, SceneFileError, OptionsError.
    """
    device = torch_device(wanted.device)
    torch.manual_seed(wanted.seed)
    model = model_class(wanted.model).for_scene(scene, wanted.seed, full=wanted.full, **wanted.settings).to(device)
    epochs = wanted.epochs or (model.full_epochs if wanted.full else model.epochs)
    training = Clips.of(scene, scene.training(), device)
    validation = Clips.of(scene, scene.validation(), device)
    optimiser = torch.optim.Adam([{"params": group, "lr": rate} for group, rate in model.groups()], betas=_BETAS)
    stated = {
        "model": wanted.model,
        "config": model.config,
        "seed": wanted.seed,
        "epochs": epochs,
        "scene": [scene.name, *scene.heard.shape],
    }
    first, lines = 0, []
    best = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
    if resume:
        checkpoint = saved.read_checkpoint(folder)
        _check_same(checkpoint.stated, json.loads(json.dumps(stated)), folder)
        best = saved.restore(checkpoint, model, optimiser)
        first, lines = int(checkpoint.progress["epoch"]), list(checkpoint.progress["lines"])
    else:
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make {folder}: {error.strerror or error}") from None
        _write_source(scene, folder)
    for epoch in range(first, epochs if until is None else min(until, epochs)):
        report(epoch / epochs, f"epoch {epoch + 1} of {epochs}" + (f", loss {lines[-1]['loss']:.4f}" if lines else ""))
        loss = _epoch(model, training, optimiser, epoch, epochs, wanted.seed)
        held = _validate(model, validation)
        if not (math.isfinite(loss) and math.isfinite(held)):
            raise SceneError(f"the fit has diverged in epoch {epoch + 1}; train with another --seed or fewer --epochs")
        if not lines or held < min(line["validation"] for line in lines):
            best = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
        lines.append({"epoch": epoch + 1, "loss": loss, "validation": held, **model.watched()})
        saved.write_checkpoint(folder, model, best, optimiser, stated, {"epoch": epoch + 1, "lines": lines})
        write_file(folder / LINES, "".join(json.dumps(line) + "\n" for line in lines).encode(), force=True)
    model.load_state_dict(best)
    facts = {
        "scene": scene.name,
        "rate": scene.sample_rate,
        "sources": len(scene.sources),
        "poses": len(set(scene.distinct()[scene.training()].tolist())),
    }
    saved.write_model(folder, model, facts)
    _draw(folder / CURVES, lines, f"{wanted.model} on {scene.name}")
    parameters = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    return Trained(len(lines), lines[-1]["loss"], min(line["validation"] for line in lines), parameters)


def _check_same(there: dict[str, Any], wanted: dict[str, Any], folder: Path) -> None:
    for name, value in wanted.items():
        if there.get(name) != value:
            raise OptionsError(f"the checkpoint in {folder} was made with another {name}; train anew with -f")


def _epoch(model: SceneModel, clips: Clips, optimiser: torch.optim.Adam, epoch: int, epochs: int, seed: int) -> float:
    """One pass over all clips in random order; the mean loss."""
    order = np.random.default_rng([seed, epoch]).permutation(len(clips))
    batches = np.array_split(order, math.ceil(len(clips) / model.batch))
    rates = [rate for _, rate in model.groups()]
    total = 0.0
    for number, index in enumerate(batches):
        done = (epoch + number / len(batches)) / epochs
        share = _LEAST_RATE + (1 - _LEAST_RATE) * 0.5 * (1 + math.cos(math.pi * done))
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * share
        part = clips.part(index)
        optimiser.zero_grad()
        loss = loss_of(model(part.near, part.heads), part.heard)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), model.gradient_norm)
        optimiser.step()
        total += float(loss.detach()) * len(index)
    return total / len(clips)


def _validate(model: SceneModel, clips: Clips) -> float:
    total = 0.0
    with torch.no_grad():
        for index in np.array_split(np.arange(len(clips)), math.ceil(len(clips) / model.batch)):
            part = clips.part(index)
            total += float(loss_of(model(part.near, part.heads), part.heard)) * len(index)
    return total / len(clips)


def _write_source(scene: Scene, folder: Path) -> None:
    """Some seconds of what was recorded near the sources, to render when there is nothing else."""
    some = scene.near[scene.training()[:_SOURCE_SECONDS]]
    joined = np.concatenate(list(some), axis=-1)
    write_file(folder / saved.SOURCE, wav_bytes(joined * (0.99 / np.abs(joined).max()), scene.sample_rate), force=True)


def _draw(path: Path, lines: list[dict[str, Any]], title: str) -> None:
    """The log's figures over epochs: losses above, the model's own below."""
    figure = new_figure(_INCHES)
    own = [name for name in lines[0] if name not in ("epoch", "loss", "validation")]
    axes = np.atleast_1d(figure.subplots(2 if own else 1, 1, sharex=True))
    epochs = [line["epoch"] for line in lines]
    for name in ("loss", "validation"):
        axes[0].semilogy(epochs, [line[name] for line in lines], label=name)
    for name in own:
        axes[1].plot(epochs, [line[name] for line in lines], label=name)
    for one in axes:
        one.legend()
    axes[-1].set_xlabel("epoch")
    figure.suptitle(title)
    figure.savefig(path, format="png", dpi=110)
