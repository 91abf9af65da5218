"""gs-scene render."""

from __future__ import annotations

from pathlib import Path

import click

from audio_gs.cli.common import PATH, plan_outputs, say, write_output

from ..extra import need
from . import FOLDER, PROGRAM, Numbers


@click.command
@click.argument("model", type=FOLDER, metavar="M")
@click.option(
    "--pose",
    "poses",
    required=True,
    multiple=True,
    type=Numbers(4, 5),
    metavar="X,Y,Z,YAW[,PITCH]",
    help="Metres, and degrees: yaw from x towards y, pitch upwards. Several make a walk, evenly in time.",
)
@click.option("-o", "--output", required=True, type=PATH, metavar="WAV", help="- is standard output.")
@click.option("--source", type=PATH, metavar="FILE", help="What the sources play [what they played in training].")
@click.option("-f", "--force", is_flag=True, help="Overwrite.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
def command(
    model: Path, poses: tuple[tuple[float, ...], ...], output: str, source: str | None, force: bool, quiet: bool
) -> None:
    """Render what a listener hears at a new pose in the scene of the model in folder M: WAV, 16 bits, two channels.

    The loudest ear in training has -20 dB of full scale RMS where the source is as loud as in training.
    """
    need("torch", "safetensors")
    from ..render import render_wav

    file = Path(source) if source else None
    [target] = plan_outputs([str(file or model)], output, ".wav", force)
    content, limited_db = render_wav(model, poses, file)
    write_output(target, content, force)
    if limited_db and not quiet:
        say(f"{PROGRAM}: {output}: {limited_db:.1f} dB softer, so that nothing is clipped")
