"""One stream measured, and whole folders of clips on several processes."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

import numpy as np

from .. import api, audio_io
from ..cli.common import CommandError
from ..encoder import EncoderOptions
from ..errors import AudioGsError
from ..tables import FULL_SCALE
from .clips import ClipFile

_THREAD_VARIABLES = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclasses.dataclass(frozen=True)
class StreamFigures:
    """What one clip became at one rate."""

    clip: str
    clip_class: str
    sample_rate: int
    """Hz."""
    seconds: float
    target_kbit_s: float
    kbit_s: float
    """Of the whole file."""
    bytes: int
    snr_db: float
    """Of the C decoder's 16-bit output against the clip mixed down to one channel; inf where they are equal."""
    gaussians: int
    macs_mean: float
    """MACs a sample over the clip."""
    macs_peak: float
    """MACs a sample in the costliest 20 ms."""
    decoder_bytes: int
    """Memory of the C decoder on this machine, its tables and stack not counted."""
    preset: str
    difference: str | None
    """The first thing on which C and Numba differ; None if they are bit-exact."""

    @property
    def deviation(self) -> float:
        """Of the rate from its target, as a share of the target."""
        return self.kbit_s / self.target_kbit_s - 1


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """A clip that gave no figures."""

    clip: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Task:
    """A clip and the options for each of its streams."""

    clip: ClipFile
    options: tuple[EncoderOptions, ...]


def snr_db(signal: audio_io.FloatArray, decoded: audio_io.PcmArray) -> float:
    """Signal-to-noise ratio in dB of 16-bit samples against a signal with full scale -1..1; inf for no error."""
    scaled = signal * FULL_SCALE
    error = float(np.sum((scaled - decoded) ** 2))
    energy = float(np.sum(scaled**2))
    if error == 0:
        return math.inf
    return 10 * math.log10(energy / error) if energy > 0 else -math.inf


def measure_stream(name: str, clip_class: str, clip: audio_io.Clip, options: EncoderOptions) -> StreamFigures:
    """Encode a clip, decode it in C and in Numba, and compare."""
    if options.bitrate is None:
        raise ValueError("a stream is measured at a bitrate")
    result = api.encode_clip(clip, options)
    decoded, _ = api.decode(result.data, backend="c")
    facts = api.info(result.data)
    return StreamFigures(
        clip=name,
        clip_class=clip_class,
        sample_rate=clip.sample_rate,
        seconds=len(clip.samples) / clip.sample_rate,
        target_kbit_s=options.bitrate,
        kbit_s=facts.kbit_s,
        bytes=len(result.data),
        snr_db=snr_db(clip.samples, decoded),
        gaussians=sum(facts.gaussians.values()),
        macs_mean=facts.macs_per_sample["mean"],
        macs_peak=facts.macs_per_sample["peak"],
        decoder_bytes=facts.decoder_bytes,
        preset=result.preset,
        difference=difference_of(result.data, decoded),
    )


def difference_of(data: bytes, native: audio_io.PcmArray) -> str | None:
    """What differs between the C decoder's output and the reference's, in one line; None if nothing does."""
    reference, _ = api.decode(data, backend="numba")
    if np.array_equal(native, reference):
        return None
    found = api.verify(data).difference
    return str(found) if found else "C and Numba differ when they read the whole stream at once"


def measure_clip(task: Task) -> list[StreamFigures] | LeftOut:
    """All streams of a clip, or why there are none. Never raises for what a single clip can cause."""
    try:
        clip = audio_io.load(task.clip.path)
        return [measure_stream(task.clip.name, task.clip.clip_class, clip, options) for options in task.options]
    except FileNotFoundError:
        return LeftOut(task.clip.name, "no such file")
    except (AudioGsError, OSError) as error:
        return LeftOut(task.clip.name, str(error))
    except Exception as error:
        return LeftOut(task.clip.name, f"internal error, {type(error).__name__}: {error}")


def measure_all(
    tasks: Sequence[Task], jobs: int, progress: Callable[[float, str], None]
) -> tuple[list[StreamFigures], list[LeftOut]]:
    """All clips on `jobs` processes, in the order of the tasks. Raises CommandError if a process dies."""
    outcomes: dict[str, list[StreamFigures] | LeftOut] = {}

    def done(name: str, outcome: list[StreamFigures] | LeftOut) -> None:
        outcomes[name] = outcome
        progress(len(outcomes) / len(tasks), name)

    if jobs == 1:
        for task in tasks:
            done(task.clip.name, measure_clip(task))
    else:
        longest_first = sorted(tasks, key=_size, reverse=True)
        with worker_pool(jobs, threads=1) as pool:
            futures = {pool.submit(measure_clip, task): task.clip.name for task in longest_first}
            for future in as_completed(futures):
                done(futures[future], future.result())
    figures: list[StreamFigures] = []
    left_out: list[LeftOut] = []
    for task in tasks:
        outcome = outcomes[task.clip.name]
        if isinstance(outcome, LeftOut):
            left_out.append(outcome)
        else:
            figures += outcome
    return figures, left_out


@contextlib.contextmanager
def worker_pool(jobs: int, threads: int) -> Iterator[ProcessPoolExecutor]:
    """Fresh processes whose numerical libraries use so many threads each; cancels what waits when it is left early."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    # The libraries read these when they are imported, which is before a worker runs any code of ours.
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)))
    pool = ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_die_on_interrupt)
    try:
        yield pool
    except BrokenProcessPool:
        raise CommandError("a worker process died, perhaps for lack of memory; try fewer --jobs") from None
    finally:
        pool.shutdown(cancel_futures=True)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _die_on_interrupt() -> None:
    """Ctrl-C reaches every process of the terminal; the command's own process alone has something to say about it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _size(task: Task) -> int:
    try:
        return task.clip.path.stat().st_size
    except OSError:
        return 0
