"""Sweeps: many runs of a design over scenarios, each a folder of its own, that survive what happens to them."""

from cosim.sweep.plan import Plan, PlannedRun
from cosim.sweep.task import Failure, Outcome, Reason, Task

__all__ = ["Failure", "Outcome", "Plan", "PlannedRun", "Reason", "Task"]
