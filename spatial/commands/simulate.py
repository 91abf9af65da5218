"""gs-scene simulate."""

from __future__ import annotations

from pathlib import Path

import click

from audio_gs.cli.common import PATH, progress_bar, say
from audio_gs.files import check_files, write_files

from ..extra import need
from . import FOLDER, PROGRAM


@click.command
@click.option("-o", "--output", required=True, type=FOLDER, metavar="D", help="Folder to put the scene into.")
@click.option("--room", type=click.Choice(["dry", "live"]), default="dry", show_default=True)
@click.option("--poses", type=click.IntRange(min=1), default=80, show_default=True, help="One in five is unseen.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--layout", type=click.Choice(["rwavs", "replay"]), default="rwavs", show_default=True, help="Of files.")
@click.option("--sources", type=click.IntRange(min=1), default=1, show_default=True, help="How many there are.")
@click.option("--seconds", type=click.IntRange(min=1), default=2, show_default=True, help="At each pose (rwavs).")
@click.option("--sound", "sounds", type=PATH, multiple=True, metavar="FILE", help="What sources play [sounds made up].")
@click.option("-f", "--force", is_flag=True, help="Overwrite the scene that is there.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
def command(
    output: Path,
    room: str,
    poses: int,
    seed: int,
    layout: str,
    sources: int,
    seconds: int,
    sounds: tuple[str, ...],
    force: bool,
    quiet: bool,
) -> None:
    """Simulate a room with sources in it, and what a listener hears on walks through it.

    Folders are such as RWAVS or Replay-NVAS has them; `truth.npz`, which they have not, holds impulse responses.
    """
    need("pyroomacoustics", "slab")
    from ..layouts import replay, rwavs
    from ..simulate import Simulation, simulated_files

    check_files(output, [rwavs.POSITION if layout == "rwavs" else replay.CAMERAS], force)
    files = tuple(Path(sound) for sound in sounds)
    wanted = Simulation(room, poses, seed, layout, sources, seconds, files)
    with progress_bar(PROGRAM, not quiet) as report:
        made = simulated_files(wanted, report)
        report(0.95, "writing")
        write_files(output, made, force)
    if not quiet:
        say(f"{PROGRAM}: {output}: {room} room, {len(made)} files, {sum(map(len, made.values())) / 1e6:.0f} MB")
