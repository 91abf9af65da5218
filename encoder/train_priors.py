"""Trains the initial probabilities of the table sets: `python -m audio_gs.encoder.train_priors FOLDER`.

FOLDER has a sub-folder of clips for each table set. Every clip is encoded at a few rates; each context then gets the
start, of all that a prior byte can say, that would have coded its bits most cheaply over all streams. Writes
audio_gs/codec/priors.json beside the module `audio_gs.codec.tables`; the C tables are made from it by
`python -m audio_gs.codec.tables`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
from numba import njit

from audio_gs.audio_io import load
from audio_gs.codec.range_coder import adapted
from audio_gs.codec.slots import coded_bits
from audio_gs.codec.tables import CONTEXTS_PER_SCALE, MAX_SCALES, NOISE_CONTEXTS, PRIORS_FILE, START_COUNT, TABLE_SETS

from .encode import encode_audio
from .options import EncoderOptions

RATES = {"speech": (2.0, 4.0, 8.0, 14.0), "music": (2.0, 6.0, 14.0), "sfx": (3.0, 8.0, 16.0)}
_NEUTRAL = 32 << 2
_TONE_CONTEXTS = MAX_SCALES * CONTEXTS_PER_SCALE


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
    """The prior byte that codes these bits most cheaply."""
    best, best_cost = _NEUTRAL, np.inf
    for byte in range(256):
        start = (((byte >> 2) * 64 + 32) << 4) | START_COUNT[byte & 3]
        cost = _cost(bits, start)
        if cost < best_cost:
            best, best_cost = byte, cost
    return best


def _encode(job: tuple[Path, str, float]) -> bytes:
    path, name, kbit_s = job
    clip = load(str(path))
    return encode_audio(clip.samples, clip.sample_rate, EncoderOptions(bitrate=kbit_s, preset=name)).data


def train(folder: Path, name: str, jobs: int) -> list[int]:
    """Prior bytes of one table set, a byte for each context."""
    work = [(path, name, kbit_s) for path in sorted((folder / name).iterdir()) for kbit_s in RATES[name]]
    sequences: dict[int, list[int]] = defaultdict(list)
    with ProcessPoolExecutor(jobs) as pool:
        for notes in pool.map(coded_bits, pool.map(_encode, work)):
            for index, bits in notes.items():
                sequences[index].extend(bits)
    return [
        best_prior(np.array(sequences[index], np.int8)) if index in sequences else _NEUTRAL
        for index in range(_TONE_CONTEXTS + NOISE_CONTEXTS)
    ]


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--jobs", default=2, show_default=True, help="Clips encoded at a time.")
@click.option("--output", type=click.Path(path_type=Path), default=PRIORS_FILE, help="File to write.")
def main(folder: Path, jobs: int, output: Path) -> None:
    """Train the initial probabilities on the clips in FOLDER/speech, FOLDER/music and FOLDER/sfx."""
    trained = {name: train(folder, name, jobs) for name in TABLE_SETS}
    output.write_text(json.dumps(trained) + "\n")


if __name__ == "__main__":
    main()
