"""gs-scene train."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audio_gs.cli.common import output_options, print_json, progress_bar, say
from audio_gs.errors import OutputError

from ..extra import need
from ..models import MODELS
from . import FOLDER, PROGRAM, scene_options


@click.command
@click.argument("scene", type=FOLDER, metavar="D")
@click.option("-o", "--output", required=True, type=FOLDER, metavar="M", help="Folder for the model.")
@click.option("--model", type=click.Choice(list(MODELS)), default="ours", show_default=True)
@click.option("--epochs", type=click.IntRange(min=1), help="Passes over all recordings [the model's own number].")
@click.option("--full", is_flag=True, help="The published size, trained to its end (audio-3dgs; hours without CUDA).")
@click.option("--order", type=click.IntRange(0, 5), default=4, show_default=True, help="Reflections at most (ours).")
@click.option("--freq-num", type=click.IntRange(8, 257), help="Points over frequency (audio-3dgs) [257].")
@click.option("--time-num", type=click.IntRange(8, 1024), help="Points over time (audio-3dgs) [as many as frames].")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Of the CPU.")
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint in M.")
@click.option("-f", "--force", is_flag=True, help="Train anew over the model that is there.")
@scene_options
@output_options
def command(
    scene: Path,
    output: Path,
    model: str,
    epochs: int | None,
    full: bool,
    order: int,
    freq_num: int | None,
    time_num: int | None,
    seed: int,
    device: str,
    threads: int,
    resume: bool,
    force: bool,
    as_json: bool,
    verbose: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Train a model of the scene in folder D.

    M gets the model (the weights that are best at poses held back for validation), a checkpoint for each epoch, a log
    and its curves.
    """
    need("torch", "safetensors", "slab")
    import torch

    from ..layouts import Options, load_scene
    from ..saved import CHECKPOINT, MODEL
    from ..train import Training, train

    torch.set_num_threads(threads)
    if resume and force:
        raise click.UsageError("--resume goes on and -f begins anew; give one of them")
    if not (resume or force):
        for name in (MODEL, CHECKPOINT):
            if (output / name).exists():
                raise OutputError(f"{output / name} exists; --resume goes on from it, -f trains anew")
    recordings = load_scene(scene, Options(**options))
    own: dict[str, dict[str, Any]] = {
        "ours": {"order": order},
        "audio-3dgs": {"freq_num": freq_num, "time_num": time_num},
    }
    wanted = Training(model, epochs, full, seed, device, own.get(model, {}))
    if verbose:
        say(
            f"{PROGRAM}: {scene}: {len(recordings.training())} recordings to fit to, "
            f"{len(recordings.validation())} to choose by, {int(recordings.unseen.sum())} unseen"
        )
    with progress_bar(PROGRAM, not quiet) as report:
        trained = train(recordings, wanted, output, report, resume)
    if as_json:
        print_json({"input": str(scene), "model": model, "output": str(output), **trained.as_dict()})
    elif not quiet:
        say(
            f"{PROGRAM}: {output}: {model}, {trained.parameters} parameters, {trained.epochs} epochs, "
            f"loss {trained.loss:.4f}, at poses held back {trained.validation:.4f}"
        )
