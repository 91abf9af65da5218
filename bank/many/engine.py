"""Where many clips are encoded: processes of this machine, or a Dask cluster."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from distributed import Client, as_completed
from distributed.scheduler import KilledWorker

from audio_gs.errors import AudioGsError
from audio_gs.parallel import Workers

from .work import Row, Task, encode_one

_WAITING = 1000
"""Tasks that the scheduler knows at a time; more would only cost it memory."""
_ANSWER_SECONDS = 10


class EngineError(AudioGsError):
    """A cluster that is not there, or went away."""


def on_this_machine(tasks: Sequence[Task], jobs: int, retries: int) -> Iterator[Row]:
    """The rows in the tasks' order, from so many processes."""
    with Workers(max(1, min(jobs, len(tasks)))) as workers:
        yield from workers.in_order(functools.partial(_tried, retries), tasks)


def on_cluster(tasks: Sequence[Task], scheduler: str, retries: int) -> Iterator[Row]:
    """The rows as they come, from the workers of a Dask scheduler (tcp://host:port). A worker that dies loses what it
    was at to another.

    Raises EngineError where no scheduler answers.
    """
    try:
        client = Client(scheduler, timeout=_ANSWER_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise EngineError(f"no Dask scheduler answers at {scheduler}: {error}") from None
    with client:
        waiting = iter(tasks)
        work = functools.partial(_tried, retries)
        sources: dict[Any, str] = {}

        def submit(task: Task) -> Any:
            future = client.submit(work, task, pure=False)
            sources[future.key] = task.name
            return future

        done: Any = as_completed([submit(task) for task in itertools.islice(waiting, _WAITING)], loop=client.loop)
        for future in done:
            name = sources.pop(future.key)
            try:
                yield future.result()
            except KilledWorker:
                yield Row(name, error="the workers that had it died, perhaps for lack of memory")
            except Exception as error:
                raise EngineError(f"the cluster gave up at {name}: {type(error).__name__}: {error}") from None
            for task in itertools.islice(waiting, 1):
                done.add(submit(task))


def _tried(retries: int, task: Task) -> Row:
    """A row, after so many more tries where reading or writing fails."""
    failed = ""
    for _ in range(1 + retries):
        try:
            return encode_one(task)
        except OSError as error:
            failed = f"{error.strerror or error}" + (f" ({retries + 1} tries)" if retries else "")
    return Row(task.name, error=failed)
