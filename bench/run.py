"""Many cells on several processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from pathlib import Path

from audio_gs.parallel import worker_pool

from .cache import Cache
from .measure import Task, is_complete, measure
from .results import Cell

Progress = Callable[[float, str], None]


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
