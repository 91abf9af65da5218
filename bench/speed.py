"""How fast the encoder and the C decoder are, on a machine that does nothing else meanwhile."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from .. import api, audio_io
from ..cli.common import CommandError
from ..encoder import EncoderOptions
from .clips import ClipFile
from .measure import worker_pool

THREADS = 2
_ROUNDS = 5
_ROUND_SECONDS = 0.1
_BLOCK_SAMPLES = 1024


@dataclasses.dataclass(frozen=True)
class SpeedFigures:
    """Speeds as multiples of real time, over all the clips together."""

    clips: tuple[str, ...]
    classes: tuple[str, ...]
    sample_rates: tuple[int, ...]
    kbit_s: float
    effort: str
    encode: float
    """In one process, once all is compiled."""
    decode: float
    """C, opening and checksums included, `_BLOCK_SAMPLES` a read, the fastest of `_ROUNDS` rounds of each clip."""
    command: float
    """`gs-encode` as a command, start and imports included, on the first clip."""
    command_seconds: float


def measure_speed(clips: Sequence[tuple[ClipFile, EncoderOptions]]) -> SpeedFigures:
    """Times in a fresh process with `THREADS` threads, one clip after the other; nothing else may run meanwhile."""
    with worker_pool(1, THREADS) as pool:
        return pool.submit(time_clips, list(clips)).result()


def time_clips(clips: list[tuple[ClipFile, EncoderOptions]]) -> SpeedFigures:
    loaded = [(audio_io.load(file.path), options) for file, options in clips]
    for rate in sorted({clip.sample_rate for clip, _ in loaded}):
        warm_up = next(pair for pair in loaded if pair[0].sample_rate == rate)
        api.encode_clip(*warm_up)
    audio_seconds = encode_seconds = decode_seconds = 0.0
    for clip, options in loaded:
        began = time.perf_counter()
        data = api.encode_clip(clip, options).data
        encode_seconds += time.perf_counter() - began
        decode_seconds += decode_time(data)
        audio_seconds += len(clip.samples) / clip.sample_rate
    command_seconds = time_command(*clips[0])
    first, options = loaded[0]
    return SpeedFigures(
        clips=tuple(file.name for file, _ in clips),
        classes=tuple(file.clip_class for file, _ in clips),
        sample_rates=tuple(clip.sample_rate for clip, _ in loaded),
        kbit_s=options.bitrate or 0.0,
        effort=options.effort,
        encode=audio_seconds / encode_seconds,
        decode=audio_seconds / decode_seconds,
        command=len(first.samples) / first.sample_rate / command_seconds,
        command_seconds=command_seconds,
    )


def decode_time(data: bytes) -> float:
    """Seconds that the C decoder needs for a stream, the fastest of several rounds of many repetitions."""
    fastest = float("inf")
    for _ in range(_ROUNDS):
        repetitions, began = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - began) < _ROUND_SECONDS or not repetitions:
            for _block in api.StreamDecoder(data).blocks(_BLOCK_SAMPLES):
                pass
            repetitions += 1
        fastest = min(fastest, elapsed / repetitions)
    return fastest


def time_command(file: ClipFile, options: EncoderOptions) -> float:
    """Seconds that `gs-encode` takes from start to end."""
    with tempfile.TemporaryDirectory() as folder:
        program = "from audio_gs.cli.gs_encode import main; main()"
        arguments = (str(file.path.resolve()), "-o", str(Path(folder) / "clip.gs"), "-q")
        settings = ("--bitrate", str(options.bitrate), "--preset", options.preset, "--effort", options.effort)
        began = time.perf_counter()
        ended = subprocess.run(
            (sys.executable, "-c", program, *arguments, *settings), cwd=folder, capture_output=True, text=True
        )
        seconds = time.perf_counter() - began
    if ended.returncode:
        raise CommandError(f"gs-encode failed on {file.name}: {ended.stderr.strip()}")
    return seconds
