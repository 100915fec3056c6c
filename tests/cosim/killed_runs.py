"""Runs to a folder that are killed, each in a process of its own: ``python -m tests.cosim.killed_runs CASE FOLDER``.

A process is forked for each try, before anything has been run, so that modules are loaded but once.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from pkgutil import resolve_name
from random import Random
from typing import Any

import cosim.model
from cosim import Scenario, run
from cosim.build import build_feeder

__all__ = ["CASES", "NOISY_OPEN_LOOP", "PLAIN", "STEPS_PER_DAY", "plain_and_killed"]

# Limits narrow enough that the rule curtails; steps long enough to be quick. Three days, 24 market steps each.
PLAIN = Scenario(name="killed", rule="prc", market_step_min=60, control_step_min=15).changed(
    {
        "days": 3,
        "voltage.vm_max_pu": 1.02,
        "voltage.dead_pu": 0.01,
        "voltage.vm_min_pu": 0.98,
        "tariff.demand_charges": [{"price": 0.01, "start": "16:00", "end": "20:00"}],
    }
)
NOISY_OPEN_LOOP = PLAIN.changed(
    {
        "start": datetime(2016, 6, 5, 22, tzinfo=UTC),
        "days": 5,  # more than the signals that are in memory at once
        "mode": "open-loop",
        "open_loop_reference": "optimised",
        "forecast": {"kind": "noisy", "load_error": 0.3, "pv_error": 0.3, "price_error": 0.2},
        "horizon": "rolling",
        "record": ["vm_pu", "energy_kwh", "p_curtailed_kw", "status"],
        "record_every": 3,
    }
)
STEPS_PER_DAY = 24


def at_steps(scenario: Scenario, folder: Path, steps: list[int]) -> None:
    """Killed in the middle of these market steps of the job, one try after the other, then to the end."""
    for step in steps:
        killed(lambda step=step: run(scenario, folder=folder, resume=True, tell=quiet, progress=kill_at(step)))
    forked(lambda: run(scenario, folder=folder, resume=True, tell=quiet))


def at_awkward_moments(scenario: Scenario, folder: Path, _: list[int]) -> None:
    """Killed between a day's file and its checkpoint, while a checkpoint is put in place, and in the final folder."""

    def again() -> object:
        return run(scenario, folder=folder, resume=True, tell=quiet)

    killed(again, "cosim.stream.Checkpoint.save", after=1)
    killed(again, "pathlib.Path.replace", after=1)
    killed(again, "cosim.stream.file_digest")
    killed(again, "cosim.results.write_series")
    killed(again, "shutil.rmtree", after=3)  # all is there, but for the end of the working folder
    forked(again)


_drawn = Random(20160606)
# In the first part of each job twice, and once in any of its three parts.
_STEPS = [[_drawn.randrange(1, days * STEPS_PER_DAY) for days in until] for until in ((3, 3, 9), (5, 5, 15))]
CASES: dict[str, tuple[Scenario, Callable[[Scenario, Path, list[int]], None], list[int]]] = {
    "plain": (PLAIN, at_steps, sorted(_STEPS[0])),
    "noisy-open-loop": (NOISY_OPEN_LOOP, at_steps, sorted(_STEPS[1])),
    "awkward": (PLAIN, at_awkward_moments, []),
}


def plain_and_killed(case: str, folder: Path) -> None:
    """Both ways of a case: straight through to ``straight``, with kills to ``killed``."""
    scenario, live, steps = CASES[case]
    feeder = build_feeder(scenario.feeder)
    cosim.model.build_feeder = lambda spec: feeder  # built once for all tries, which takes most of their time
    forked(lambda: run(scenario, folder=folder / "straight"))
    live(scenario, folder / "killed", steps)


def kill_at(step: int) -> Callable[[int, int], None]:
    return lambda done, total: os.kill(os.getpid(), signal.SIGKILL) if done == step else None


def killed(work: Callable[[], object], where: str = "", after: int = 0) -> None:
    """Let `work` be killed: by itself, or at the call of `where` that comes after so many others."""

    def doomed() -> None:
        if where:
            die_at(where, after)
        work()

    assert forked(doomed) == -signal.SIGKILL


def die_at(where: str, after: int) -> None:
    """Have this process killed instead of a call of `where`, once it has been called `after` times."""
    owner, _, name = where.rpartition(".")
    place = resolve_name(owner)
    original, left = getattr(place, name), [after]

    def called(*args: Any, **options: Any) -> Any:
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return original(*args, **options)

    setattr(place, name, called)


def forked(work: Callable[[], object]) -> int:
    """How a process ended that did `work`: 0, or the signal that killed it, below zero."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code > 0:
        sys.exit("a try failed")
    return code


def quiet(line: str) -> None:
    """The first try has nothing to go on with, and says so."""


if __name__ == "__main__":
    plain_and_killed(sys.argv[1], Path(sys.argv[2]))
