"""A thousand four-bus days in lock-step, against the same days one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

import numpy as np

from cosim.bench.row import Effort, Report, Row, Timing
from cosim.bench.stopwatch import timed
from cosim.data import day_start, extract_days
from cosim.planners import available_cores
from cosim.run import run, run_ensemble
from cosim.scenario import Scenario

__all__ = ["drawn_days", "monte_carlo"]


def drawn_days(n: int, seed: int = 1) -> list[Scenario]:
    """`n` days of the extract under hybrid control in closed loop, day and seed of each drawn from `seed`."""
    generator = np.random.default_rng(seed)
    starts: list[datetime] = [day_start(day).to_pydatetime() for day in extract_days()]
    days = generator.integers(len(starts), size=n).tolist()
    seeds = generator.integers(2**62, size=n).tolist()
    base = Scenario(rule="hybrid")
    return [
        base.changed({"name": f"day-{row}", "start": starts[day], "seed": own})
        for row, (day, own) in enumerate(zip(days, seeds, strict=True))
    ]


def monte_carlo(effort: Effort, report: Report) -> Iterator[Row]:
    """Seconds of the ensemble against single runs, scaled from some of them, and whether both give the same."""
    scenarios, cores = drawn_days(effort.ensemble), available_cores()

    def tell(done: int, of: int) -> None:
        report(0.7 * done / of)

    ours, together = timed(partial(run_ensemble, scenarios, threads=cores, progress=tell))
    chosen = np.linspace(0, len(scenarios) - 1, effort.singles).astype(int).tolist()
    theirs, differences = [], []
    for done, place in enumerate(chosen, start=1):
        took, alone = timed(partial(run, scenarios[place], references=False))
        theirs.append(took)
        differences.append(float(np.abs(alone.frames - together[place].frames).max()))
        report(0.7 + 0.3 * done / len(chosen))
    same = differences.count(0.0)
    note = f"peer scaled from {len(chosen)} of {len(scenarios)} days; {same} of these {len(chosen)} bit-identical"
    peer = Timing(tuple(theirs)).scaled(len(scenarios))
    details = {
        "days": len(scenarios),
        "ms per day": 1e3 * ours / len(scenarios),
        "compared": len(chosen),
        "same": same,
    }
    name = f"monte-carlo-{len(scenarios)}"
    yield Row(name, Timing((ours,)), "single runs", peer, max(differences), "in any column", note, details)
