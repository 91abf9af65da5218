"""Waiting for work in native code, which hears of no signal, in a way that signals end."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")
_NAME = "audio-gs work"


def wait_for(work: Callable[[], Result]) -> Result:
    """What a function returns or raises, which runs in a thread of its own.

    Python handles signals in the main thread and between its own instructions alone: a function that is in a framework
    for minutes would hold them up. What a signal's handler raises comes out of here at once; the thread is left to
    itself then, and whoever ends the process must not wait for it (`is_left_behind`).
    """
    done: queue.SimpleQueue[tuple[Result | None, BaseException | None]] = queue.SimpleQueue()

    def in_thread() -> None:
        try:
            done.put((work(), None))
        except BaseException as error:
            done.put((None, error))

    threading.Thread(target=in_thread, name=_NAME, daemon=True).start()
    result, error = done.get()
    if error is not None:
        raise error
    return result  # type: ignore[return-value]


def is_left_behind() -> bool:
    """Whether work goes on that no one waits for any more."""
    return any(thread.name == _NAME for thread in threading.enumerate())
