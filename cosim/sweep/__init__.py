"""Sweeps: many runs of a design over scenarios, each a folder of its own, that survive what happens to them."""

from cosim.sweep.make_plan import plan_from_spec, plan_of, plan_table
from cosim.sweep.plan import Plan, PlannedRun
from cosim.sweep.spec import SweepSpec
from cosim.sweep.task import Failure, Outcome, Reason, Task

__all__ = [
    "Failure",
    "Outcome",
    "Plan",
    "PlannedRun",
    "Reason",
    "SweepSpec",
    "Task",
    "plan_from_spec",
    "plan_of",
    "plan_table",
]
