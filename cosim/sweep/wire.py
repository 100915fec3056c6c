"""Tasks and outcomes as lines of JSON, between a supervisor and its child."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from cosim.sweep.task import Failure, Outcome, Reason, Task

__all__ = ["IDLE_S", "READY", "outcome_from", "outcome_line", "task_from", "task_line"]

READY = '{"ready": true}'
"""What a child says once it can take tasks."""

IDLE_S = 600.0
"""Seconds without a task after which a child ends: of a supervisor on another machine that nobody asks any more."""


def task_line(task: Task) -> str:
    """A task as one line, without its end."""
    return json.dumps(asdict(task))


def task_from(line: str) -> Task:
    """The task of a line of `task_line`."""
    data: dict[str, Any] = json.loads(line)
    return Task(**{**data, "plugins": tuple(data["plugins"])})


def outcome_line(outcome: Outcome) -> str:
    """An outcome as one line, without its end."""
    return json.dumps(asdict(outcome))


def outcome_from(line: str) -> Outcome | None:
    """The outcome of a line of `outcome_line`; None for a line that is none, e.g. what a library printed."""
    try:
        data = json.loads(line)
        failure = data["failure"]
        if failure is not None:
            failure = Failure(Reason(failure["reason"]), failure["message"], failure["detail"])
        return Outcome(**{**data, "failure": failure})
    except (ValueError, TypeError, KeyError):
        return None
