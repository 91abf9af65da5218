"""Trains the initial probabilities of the table sets: `python -m audio_gs.encoder.train_priors FOLDER --output FILE`.

FOLDER has a sub-folder of clips for each table set. Every clip is encoded at a few rates; each context then gets the
start, of all that a prior byte can say, that would have coded its bits most cheaply over all streams. FILE is JSON, a
list of bytes for each table set. It changes nothing by itself: `python -m audio_gs.codec.tables --priors FILE`, in a
source tree, makes the tables of a new format from it, with which streams of the present one are unreadable.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
from numba import njit

from audio_gs.audio_io import load
from audio_gs.codec.range_coder import adapted
from audio_gs.codec.slots import coded_bits
from audio_gs.codec.tables import START_COUNT, TABLE_SETS, priors
from audio_gs.errors import AudioGsError
from audio_gs.files import refuse_overwriting, write_file

from .encode import encode_audio
from .options import EncoderOptions

RATES: Mapping[str, tuple[float, ...]] = {
    "speech": (2.0, 4.0, 8.0, 14.0),
    "music": (2.0, 6.0, 14.0),
    "sfx": (3.0, 8.0, 16.0),
}
"""Kbit/s at which the clips of each table set are encoded."""
_NEUTRAL = 32 << 2


@njit(cache=True)
def _cost(bits: npt.NDArray[np.int8], start: int) -> float:
    """Bits that coding a context's bits takes from a start; -1 starts anew."""
    total = 0.0
    context = start
    for bit in bits:
        if bit < 0:
            context = start
            continue
        chance = (context >> 4) / 4096
        total -= np.log2(chance if bit else 1 - chance)
        context = adapted(context, bit)
    return total


def best_prior(bits: npt.NDArray[np.int8]) -> int:
    """The prior byte that codes these bits most cheaply; -1 stands between segments."""
    best, best_cost = _NEUTRAL, np.inf
    for byte in range(256):
        start = (((byte >> 2) * 64 + 32) << 4) | START_COUNT[byte & 3]
        cost = _cost(bits, start)
        if cost < best_cost:
            best, best_cost = byte, cost
    return best


def _encode(job: tuple[Path, str, float]) -> bytes:
    path, name, kbit_s = job
    clip = load(str(path), mono=True)
    return encode_audio(clip.samples, clip.sample_rate, EncoderOptions(bitrate=kbit_s, preset=name)).data


def _streams(clips: list[Path], name: str, pool: Executor) -> Iterator[bytes]:
    """Each clip at each rate of its table set, as they get done; says so on standard error."""
    jobs = [(path, name, kbit_s) for path in clips for kbit_s in RATES[name]]
    for done, (job, data) in enumerate(zip(jobs, pool.map(_encode, jobs), strict=True), 1):
        print(f"{name}: {done} of {len(jobs)} streams, {job[0].name} at {job[2]:g} kbit/s", file=sys.stderr)
        yield data


def train(clips: list[Path], name: str, pool: Executor) -> list[int]:
    """Prior bytes of one table set, a byte for each context."""
    sequences: dict[int, list[int]] = defaultdict(list)
    for notes in pool.map(coded_bits, _streams(clips, name, pool)):
        for index, bits in notes.items():
            sequences[index].extend(bits)
    return [
        best_prior(np.array(sequences[index], np.int8)) if index in sequences else _NEUTRAL
        for index in range(priors().shape[1])
    ]


def _clips_of(folder: Path, name: str) -> list[Path]:
    """The files of a table set's sub-folder. Raises AudioGsError where there are none."""
    inner = folder / name
    clips = sorted(path for path in inner.iterdir() if path.is_file()) if inner.is_dir() else []
    if not clips:
        raise AudioGsError(f"{inner} holds no clips; each of {', '.join(TABLE_SETS)} needs some")
    return clips


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), metavar="FILE", help="File to write.")
@click.option("--jobs", type=click.IntRange(min=1), default=2, show_default=True, help="Clips encoded at a time.")
@click.option("-f", "--force", is_flag=True, help="Overwrite.")
def main(folder: Path, output: Path, jobs: int, force: bool) -> None:
    """Train the initial probabilities on the clips in FOLDER/speech, FOLDER/music and FOLDER/sfx.

    What is written takes effect only where it is asked for: python -m audio_gs.codec.tables --priors FILE.
    """
    try:
        refuse_overwriting(output, force)
        clips = {name: _clips_of(folder, name) for name in TABLE_SETS}
        with ProcessPoolExecutor(jobs) as pool:
            trained = {name: train(clips[name], name, pool) for name in TABLE_SETS}
        write_file(output, (json.dumps(trained) + "\n").encode(), force)
    except (AudioGsError, OSError) as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    main()
