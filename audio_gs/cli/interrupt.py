"""What Ctrl-C does to a command: one line and an exit code, whatever it is in the middle of."""

from __future__ import annotations

import os
import signal
from types import FrameType

EXIT_CODE = 130
"""As shells have it for a program that SIGINT ended: 128 and the number of the signal."""
_IMPORT_SYSTEM = "<frozen importlib._bootstrap>"
_STDERR = 2
_TIDY_LINE = b"\r\x1b[K\x1b[?25h"
"""Begins the terminal's line anew and shows the cursor, which a progress bar may have hidden."""


class Interrupted(BaseException):
    """SIGINT has come. Unlike KeyboardInterrupt no library makes anything of it on its way up."""


def take_interrupts(program: str) -> None:
    """Let SIGINT raise `Interrupted`; but while anything is imported, let it end the process there and then.

    An import may run code of any kind, which swallows or prints an exception or dies of it, and has nothing that needs
    to be cleaned up. Leaves SIGINT alone where whoever started the process had it ignored.
    """

    def interrupt(_number: int, frame: FrameType | None) -> None:
        while frame is not None:
            if frame.f_code.co_filename == _IMPORT_SYSTEM:
                tidy = _TIDY_LINE if os.isatty(_STDERR) else b""
                os.write(_STDERR, tidy + f"{program}: interrupted\n".encode())
                os._exit(EXIT_CODE)
            frame = frame.f_back
        raise Interrupted

    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, interrupt)
