"""The monkey: starts a sweep in a session of its own, kills parts of it, and knows what it hit."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import psutil

from tests.cosim.sweep.plugins.trace import TRACE, calls

__all__ = ["KINDS", "MARK", "PATIENCE_S", "ROOT", "Session", "wait_until"]

KINDS = ("worker", "driver", "group")
"""What is killed: one of the processes that do the runs, the one that was started, or all of them at once."""

MARK = "COSIM_CHAOS_MARK"
"""Environment variable by which the processes of a session are found, whoever their parent is by then."""

PATIENCE_S = 600.0  # a machine may be slow; whatever takes longer has stopped
_POLL_S = 0.005
_FRESH_S = 0.5
ROOT = Path(__file__).parents[3]


def wait_until(true: Callable[[], bool], patience_s: float = PATIENCE_S, poll_s: float = _POLL_S) -> bool:
    """Wait for something; whether it came."""
    end = time.monotonic() + patience_s
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(poll_s)
    return True


class Session:
    """A command that runs in a session and process group of its own.

    Parameters
    ----------
    command : sequence of str
        What to start.
    worker : str
        Part of the command line of those of its processes that do the runs.
    log : Path
        Takes what it says; the end of it explains an exit that was not wished for.
    """

    def __init__(self, command: Sequence[str], worker: str, log: Path) -> None:
        self._worker, self._mark, self._log = worker, uuid4().hex, log
        self._workers: list[int] = []
        self._looked = -math.inf
        self.trace = log.with_name(f"{log.name}.{self._mark}")
        self.trace.mkdir()
        environment = {**os.environ, MARK: self._mark, TRACE: str(self.trace), "PYTHONPATH": str(ROOT)}
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                command,
                env=environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    @property
    def ended(self) -> bool:
        """Whether the driver is no more."""
        return self._process.poll() is not None

    def working(self) -> bool:
        """Whether a worker is, or has been, at a run."""
        return any(self.trace.iterdir())

    def code(self, patience_s: float = PATIENCE_S) -> int | None:
        """How the driver ended, once it has, or None where it does not come to an end."""
        return self._process.poll() if wait_until(lambda: self.ended, patience_s) else None

    def said(self) -> str:
        """The last of what it said."""
        return self._log.read_text(errors="replace")[-2000:]

    def workers(self) -> list[int]:
        """The processes that do the runs, as of at most half a second ago: to look at all takes a while."""
        if time.monotonic() - self._looked > _FRESH_S:
            self._workers = []
            for process in self.alive():
                with suppress(psutil.Error):
                    if process.pid != self._process.pid and self._worker in " ".join(process.cmdline()):
                        self._workers.append(process.pid)
            self._looked = time.monotonic()
        return self._workers

    def alive(self) -> list[psutil.Process]:
        """All processes of the session, by the mark in their environment."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == self._mark:
                    found.append(process)
            except (psutil.Error, OSError):
                continue  # gone by now, or nobody's business
        return found

    def kill_worker(self, pid: int) -> int:
        """Kill one worker; once it is dead, how often it had called the rule, which is then forgotten."""
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            process.kill()
            wait_until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, 10.0)
        called = self.calls().get(pid, 0)
        (self.trace / str(pid)).unlink(missing_ok=True)
        self._looked = -math.inf
        return called

    def kill_driver(self) -> None:
        """Kill the driver alone; what it started is to end by itself."""
        self._process.kill()
        self._process.wait()

    def kill_group(self) -> None:
        """Kill the whole process group."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def end(self) -> None:
        """Leave nothing of it behind, whatever has happened."""
        for process in self.alive():
            with suppress(psutil.Error):
                process.kill()
        self._process.wait()

    def orphans(self, grace_s: float) -> tuple[list[psutil.Process], float]:
        """Who is still there this long after the driver's end, and how long the last one took [s]."""
        began = time.monotonic()
        wait_until(lambda: not self.alive(), grace_s, 0.02)
        return self.alive(), time.monotonic() - began

    def calls(self) -> dict[int, int]:
        """How often each worker of this session has called the rule so far, by its process."""
        return calls(self.trace)
