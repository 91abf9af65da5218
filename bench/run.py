"""Many cells on several processes."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from audio_gs.errors import AudioGsError

from .cache import Cache
from .measure import Task, is_complete, measure
from .results import Cell

Progress = Callable[[float, str], None]
_THREAD_VARIABLES = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class WorkerError(AudioGsError):
    """A process that measured has died; the text says what to try."""


def measure_all(tasks: Sequence[Task], folder: Path, jobs: int, progress: Progress) -> list[Cell]:
    """All cells in the order of the tasks. What is in the cache needs no process. Raises WorkerError if one dies."""
    cache = Cache(folder)
    done: dict[int, Cell] = {}

    def finish(index: int, cell: Cell) -> None:
        done[index] = cell
        progress(len(done) / len(tasks), f"{tasks[index].clip.name} {tasks[index].codec}")

    waiting = []
    for index, task in enumerate(tasks):
        if is_complete(task, cache):
            finish(index, measure(task, folder))
        else:
            waiting.append(index)
    if jobs == 1:
        for index in waiting:
            finish(index, measure(tasks[index], folder))
    elif waiting:
        with worker_pool(min(jobs, len(waiting)), threads=1) as pool:
            futures = {pool.submit(measure, tasks[index], folder): index for index in waiting}
            for future in as_completed(futures):
                finish(futures[future], future.result())
    return [done[index] for index in range(len(tasks))]


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
        raise WorkerError("a worker process died, perhaps for lack of memory; try fewer --jobs") from None
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
