"""Work on several processes, each with one thread of its own for numbers: same results in the same order as on one."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import FrameType, TracebackType
from typing import TypeVar

from audio_gs.errors import AudioGsError

Item = TypeVar("Item")
Result = TypeVar("Result")

_THREAD_VARIABLES = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_ENDED = 143
_is_busy = False
"""Of a worker: whether it is at work, which then has something to tidy up."""


class WorkerError(AudioGsError):
    """A process that worked has died; the text says what to try."""


class _Stopped(BaseException):
    """The worker is to end."""


class Workers:
    """So many processes, a context, from the first time that there is more than one piece of work."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._pool: ProcessPoolExecutor | None = None
        self._ending = contextlib.ExitStack()

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        self._pool = None
        return self._ending.__exit__(kind, error, trace)

    def in_order(self, work: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """What `work` gives for each item, in their order; from this process where one is enough.

        `work` and what it takes, gives and raises must be such as can be pickled. What it raises comes out in the place
        of its result and ends all. Leaving the context raises WorkerError where a process has died.
        """
        if self._jobs == 1 or (self._pool is None and len(items) < 2):
            yield from map(work, items)
            return
        if self._pool is None:
            self._pool = self._ending.enter_context(worker_pool(self._jobs, threads=1))
        with _unheard_interrupts():
            futures = [self._pool.submit(_at_work, work, item) for item in items]
        futures.reverse()
        while futures:
            # Taken off the list, so that a result is kept no longer than until it is given.
            yield futures.pop().result()


def in_order(work: Callable[[Item], Result], items: Sequence[Item], jobs: int) -> Iterator[Result]:
    """As `Workers.in_order`, on processes that end with it."""
    with Workers(max(1, min(jobs, len(items)))) as workers:
        yield from workers.in_order(work, items)


@contextlib.contextmanager
def worker_pool(jobs: int, threads: int) -> Iterator[ProcessPoolExecutor]:
    """Fresh processes whose numerical libraries use so many threads each. Whoever leaves early, by an exception or a
    signal, ends them, and what they have begun is tidied up."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    # The libraries read these when they are imported, which is before a worker runs any code of ours.
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)))
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_prepare)
    try:
        yield pool
    except BrokenProcessPool:
        raise WorkerError("a worker process died, perhaps for lack of memory; try fewer --jobs") from None
    except BaseException:
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _unheard_interrupts() -> Iterator[None]:
    """Processes that are started here do not hear Ctrl-C, which reaches every process of a terminal: the command's own
    process alone has something to say about it, and ends the others."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _prepare() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)


def _stop(_number: int, _frame: FrameType | None) -> None:
    if not _is_busy:
        os._exit(_ENDED)
    raise _Stopped


def _at_work(work: Callable[[Item], Result], item: Item) -> Result:
    global _is_busy
    _is_busy = True
    try:
        return work(item)
    except _Stopped:
        os._exit(_ENDED)
    finally:
        _is_busy = False


def processors() -> int:
    """How many processes can work at once on this machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
