"""One try of a task: a child at work, and the limits it must keep to."""

from __future__ import annotations

import time

from cosim.sweep.halt import Halt
from cosim.sweep.process import Child
from cosim.sweep.task import Failure, Outcome, Reason, Task
from cosim.sweep.wire import READY, outcome_from, task_line

__all__ = ["Watch"]

_POLL_S = 0.1  # from one look at a run's memory to the next
_HALT_S = 0.5  # from one look at whether it is to be given up to the next
_START_S = 300.0  # for a child to be ready: it may have to compile
_STEP_S = 1.0  # what a poll counts for at most, so that a run is not charged for the sleep of a whole machine


class Watch:
    """A child's try of a task.

    Attributes
    ----------
    seconds : float
        How long it has taken so far, without the child's own start.
    peak_mb : float
        Most resident memory of the child seen [MB].
    given_up : bool
        Whether the child is still at it, though there is an outcome.
    """

    def __init__(self, child: Child, task: Task, halt: Halt) -> None:
        self._child, self._task, self._halt = child, task, halt
        self._looked = self._asked = time.monotonic()
        self.seconds, self.peak_mb, self.given_up = 0.0, 0.0, False

    def outcome(self) -> Outcome:
        """What the child says of the task, or why it was given up.

        Raises
        ------
        EOFError
            When the child is no more, or never was.
        """
        if self._child.runs == 0:
            ended = self._until_ready()
            if ended is not None:
                return ended
        self._child.forget_tail()
        self._child.send(task_line(self._task))
        self.seconds, self.peak_mb, self._looked = 0.0, self._child.memory_mb(), time.monotonic()
        while True:
            line = self._child.line(_POLL_S)
            self._look()
            answer = None if line is None else outcome_from(line)
            if answer is not None and answer.id == self._task.id:
                return answer
            ended = self._beyond()
            if ended is not None:
                return ended

    def _until_ready(self) -> Outcome | None:
        """None once it is; what it is compiling meanwhile is not the run's, neither its time nor its memory."""
        while self._child.line(_POLL_S) != READY:
            self._look()
            if self.seconds > _START_S:
                raise EOFError
            if self._to_be_left():
                return self._gave_up(Outcome(self._task.id, skipped=True))
        return None

    def _look(self) -> None:
        now = time.monotonic()
        self.seconds += min(now - self._looked, _STEP_S)
        self._looked = now
        self.peak_mb = max(self.peak_mb, self._child.memory_mb())

    def _beyond(self) -> Outcome | None:
        """What there is to say of a run that must not go on."""
        task = self._task
        if self.peak_mb > task.memory_mb:
            message = f"{self.peak_mb:.0f} MB of memory; the limit is {task.memory_mb:g} MB"
            return self._gave_up(Outcome(task.id, Failure(Reason.MEMORY, message, self._child.tail())))
        if self.seconds > task.timeout_s:
            message = f"not finished after {task.timeout_s:g} s, the limit"
            return self._gave_up(Outcome(task.id, Failure(Reason.TIMEOUT, message, self._child.tail())))
        return self._gave_up(Outcome(task.id, skipped=True)) if self._to_be_left() else None

    def _gave_up(self, outcome: Outcome) -> Outcome:
        self.given_up = True
        return outcome

    def _to_be_left(self) -> bool:
        if self._looked - self._asked < _HALT_S:
            return False
        self._asked = self._looked
        return self._halt.now()
