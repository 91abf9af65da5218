"""gs-scene evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audio_gs.cli.common import output_options, print_json, progress_bar
from audio_gs.errors import OutputError

from .. import published
from ..extra import need
from . import FOLDER, PROGRAM, scene_options

if TYPE_CHECKING:
    from ..evaluate import Evaluation

_COLUMNS = ("mag", "env", "lre", "rte", "itd", "ild")
_HEADINGS = {"lre": "LRE dB", "rte": "RTE s", "itd": "ITD us", "ild": "ILD dB"}


@click.command
@click.argument("models", nargs=-1, type=FOLDER, metavar="M...")
@click.argument("scene", type=FOLDER, metavar="D")
@click.option("--pictures", type=FOLDER, metavar="DIR", help="Draw the scene from above with errors, and spectrograms.")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Of the CPU.")
@scene_options
@output_options
def command(
    models: tuple[Path, ...],
    scene: Path,
    pictures: Path | None,
    threads: int,
    as_json: bool,
    verbose: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Compare models in folders M at the unseen poses of the scene in folder D with what was heard there.

    Rows: `mono` (the source at one level, what doing nothing gives), `distance mono`, `nearest` (the response of the
    seen pose that is most alike), the models, and `oracle` (the true early part with another late field).
    """
    need("torch", "safetensors", "slab")
    import torch

    from ..evaluate import evaluate
    from ..layouts import Options, load_scene
    from ..saved import read_model

    torch.set_num_threads(threads)
    loaded = [read_model(path)[0] for path in models]
    recordings = load_scene(scene, Options(**options))
    with progress_bar(PROGRAM, not quiet) as report:
        evaluation = evaluate(recordings, loaded, report)
    if as_json:
        print_json({"input": str(scene), **evaluation.as_dict(recordings)})
    elif not quiet:
        print(_table(evaluation, f"{recordings.name}, unseen poses"))
        print(_published())
        if verbose:
            print(_by_recording(evaluation))
    if pictures:
        from ..pictures import draw_spectrograms, draw_top_view

        try:
            pictures.mkdir(exist_ok=True)
            names = [name for name in evaluation.rows if name not in ("distance mono", "nearest", "oracle")]
            for name in names:
                path = pictures / f"top_{name.replace(' ', '_')}.png"
                draw_top_view(path, recordings, evaluation.errors[name], name)
            draw_spectrograms(pictures / "spectrograms.png", recordings, evaluation, names, 0)
        except OSError as error:
            raise OutputError(f"cannot write {pictures}: {error.strerror or error}") from None


def _table(evaluation: Evaluation, title: str) -> str:
    """The figures of all rows, MAG also as its ratio to that of the row mono."""
    rows = {name: row.as_dict() for name, row in evaluation.rows.items()}
    columns = [column for column in _COLUMNS if any(row[column] is not None for row in rows.values())]
    headings = [_HEADINGS.get(column, column.upper()) for column in columns]
    lines = [f"{title:<28}" + "".join(f"{heading:>9}" for heading in headings) + f"{'of mono':>9}"]
    for name, row in rows.items():
        cells = ["" if row[column] is None else _number(column, row[column]) for column in columns]
        lines.append(
            f"  {name:<26}" + "".join(f"{cell:>9}" for cell in cells) + f"{row['mag'] / rows['mono']['mag']:>9.2f}"
        )
    return "\n".join(lines)


def _by_recording(evaluation: Evaluation) -> str:
    """MAG of each row at each unseen recording."""
    lines = [f"{'MAG by recording':<28}" + "".join(f"{name:>15}" for name in evaluation.errors)]
    for number, errors in enumerate(zip(*evaluation.errors.values(), strict=True)):
        lines.append(f"  {number:<26}" + "".join(f"{error:>15.3f}" for error in errors))
    return "\n".join(lines)


def _number(column: str, value: float) -> str:
    return f"{value:.0f}" if column == "itd" else f"{value:.3f}"


def _published() -> str:
    lines = [f"{'published, of other data:':<28}{'MAG':>9}{'ENV':>9}{'LRE dB':>9}{'RTE s':>9}"]
    for name, figures in published.REPLAY_NVAS.items():
        lines.append(f"  {'Replay-NVAS, ' + name:<26}" + "".join(f"{figure:>9.3f}" for figure in figures))
    return "\n".join(lines)
