"""Sweeps: many runs of a design over scenarios, each a folder of its own, that survive what happens to them."""

from cosim.sweep.engine import SweepStopped, run_sweep
from cosim.sweep.interrupts import SweepInterrupted
from cosim.sweep.make_plan import plan_from_spec, plan_of
from cosim.sweep.plan import Plan, PlannedRun
from cosim.sweep.plan_table import plan_table
from cosim.sweep.spec import SweepSpec
from cosim.sweep.store import Store, opened
from cosim.sweep.sweep import Status, Sweep
from cosim.sweep.task import Failure, Outcome, Reason, Task
from cosim.sweep.write_run import run_to_store, write_run

__all__ = [
    "Failure",
    "Outcome",
    "Plan",
    "PlannedRun",
    "Reason",
    "Status",
    "Store",
    "Sweep",
    "SweepInterrupted",
    "SweepSpec",
    "SweepStopped",
    "Task",
    "opened",
    "plan_from_spec",
    "plan_of",
    "plan_table",
    "run_sweep",
    "run_to_store",
    "write_run",
]
