"""Whoever asks a child process for runs and sees to it that each has an outcome, whatever becomes of the process."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass, replace

from cosim.sweep.halt import NEVER, Halt
from cosim.sweep.process import Child, death
from cosim.sweep.task import Failure, Outcome, Reason, Task
from cosim.sweep.watch import Watch
from cosim.sweep.wire import IDLE_S

__all__ = ["Supervisor", "close_supervisors", "supervisor_here"]


@dataclass(frozen=True)
class _End:
    """How one try of a task ended."""

    outcome: Outcome
    death: str = ""  # of its process, in words; empty where it lived
    inherited: bool = False  # over the limit of memory, some of which may be of the runs before


class Supervisor:
    """Asks one child process for one run at a time; the process lives from the first run on, for many.

    Threads do not share one: each has its own (`supervisor_here`), though another may close it.
    """

    def __init__(self) -> None:
        self._child: Child | None = None
        self._used = 0.0  # when it was last asked
        self._busy = threading.Lock()

    def attempt(self, task: Task, halt: Halt = NEVER) -> Outcome:
        """Have a task carried out: an outcome in any case.

        A run that takes too long is given up; one that takes too much memory too, once it has done so in a fresh
        process. A run whose process dies is tried in a fresh one, until so many have died of it as it has `attempts`.

        Parameters
        ----------
        task : Task
            What is to be done.
        halt : Halt
            Looked at before each try, and every now and then during it.

        Returns
        -------
        Outcome
            With the time of the last try, the most memory seen in any, and the number of tries.
        """
        with self._busy:
            _all.add(self)
            return self._attempt(task, halt)

    def close(self, timeout_s: float = 10.0) -> bool:
        """End the child, if there is one; whether that could be done in this time, while others may ask for runs."""
        if not self._busy.acquire(timeout=timeout_s):
            return False
        try:
            self._leave()
            _all.discard(self)
        finally:
            self._busy.release()
        return True

    def _attempt(self, task: Task, halt: Halt) -> Outcome:
        tries = deaths = 0
        peak_mb = 0.0
        while not halt.asked():
            end = self._once(task, halt)
            tries, deaths = tries + 1, deaths + bool(end.death)
            peak_mb = max(peak_mb, end.outcome.peak_mb)
            if end.inherited or (end.death and deaths < task.attempts):
                continue
            outcome = replace(end.outcome, attempts=tries, peak_mb=peak_mb)
            if end.death and outcome.failure is not None:
                each = f" in each of {deaths} tries" if deaths > 1 else ""
                message = f"its process ended{each}: {end.death}; last seen with {end.outcome.peak_mb:.0f} MB"
                outcome = replace(outcome, failure=replace(outcome.failure, message=message))
            return outcome
        return Outcome(task.id, peak_mb=peak_mb, attempts=tries, skipped=True)

    def _once(self, task: Task, halt: Halt) -> _End:
        child = self._child_for(task)
        watch, ended, fresh = Watch(child, task, halt), "", child.runs == 0
        try:
            outcome = watch.outcome()
        except EOFError:
            ended = death(child.kill())
            outcome = Outcome(task.id, Failure(Reason.KILLED, ended, child.tail()))
        if watch.given_up:
            child.kill()
        child.runs += 1
        self._used = time.monotonic()
        name = f"{socket.gethostname()}:{child.pid}"
        outcome = replace(outcome, seconds=watch.seconds, peak_mb=watch.peak_mb, worker=name)
        over = watch.given_up and outcome.failure is not None and outcome.failure.reason is Reason.MEMORY
        return _End(outcome, ended, inherited=over and not fresh)

    def _child_for(self, task: Task) -> Child:
        """The child there is, unless it has ended, is about to, or has loaded other code."""
        serves = (task.code, task.plugins)
        fit = (
            self._child is not None
            and self._child.alive
            and self._child.serves == serves
            and time.monotonic() - self._used < IDLE_S / 2
        )
        if not fit:
            self._leave()
        if self._child is None:
            self._child = Child(serves)
        return self._child

    def _leave(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.close()


_all: set[Supervisor] = set()  # those with a child
_local = threading.local()


def supervisor_here() -> Supervisor:
    """The supervisor of this thread."""
    if not hasattr(_local, "supervisor"):
        _local.supervisor = Supervisor()
    found: Supervisor = _local.supervisor
    return found


def close_supervisors(timeout_s: float = 10.0) -> None:
    """End the children of all threads of this process that are at no run."""
    for supervisor in list(_all):
        supervisor.close(timeout_s)
