"""Ctrl-C during a sweep: once to end it after the runs under way, twice to give them up too."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

from cosim.sweep.halt import FolderHalt

__all__ = ["Interrupts", "SweepInterrupted"]

_EXIT = 130  # what shells give for a process that Ctrl-C ended


class SweepInterrupted(KeyboardInterrupt):
    """A sweep was asked to end before its end; its folder can be resumed."""


class Interrupts:
    """Takes SIGINT and SIGTERM for as long as a sweep runs, where it runs in the main thread.

    Attributes
    ----------
    n : int
        How many came.
    """

    def __init__(self, halt: FolderHalt) -> None:
        self.n = 0
        self._halt = halt
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._came)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _came(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002 - what a handler is given
        self.n += 1
        if self.n > 2:  # something does not come to its end; children end with this process
            os._exit(_EXIT)
        self._halt.tell(now=self.n > 1)
