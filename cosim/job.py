"""A run and the two it is compared with, as one job: where they live, in memory or in files, is up to the caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from cosim.failure import RunFailure
from cosim.model import CoSimulation
from cosim.outcome import Run, runs_of
from cosim.scenario import Scenario
from feeders import Feeder

__all__ = ["COMPARED", "PARTS", "Costs", "Job", "Live", "Progress", "live_in_memory"]

Array = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]
"""Called with market steps done and in all."""

Live = Callable[[CoSimulation, str, Callable[[], None]], Run]
"""Lets a model live to its end under the name of its part of the job; calls back after each market step."""

Costs = Callable[[str, Callable[[], Array | None]], Array | None]
"""Takes the name of a run to compare with and what lives it; gives the costs of its prosumers, or None if it failed."""

WITHOUT_RULE: dict[str, Any] = {"rule": "none", "prosumers.*.rule": "none", "record": ()}
WITHOUT_OPTIMISATION: dict[str, Any] = {**WITHOUT_RULE, "prosumers.*.optimise": False}
"""What changes a scenario into the runs that its indices compare with, of which nothing else is kept."""

COMPARED = {"without-rule": WITHOUT_RULE, "without-optimisation": WITHOUT_OPTIMISATION}
"""The runs to compare with, by name: what changes a scenario into each."""

PARTS = ("run", *COMPARED)
"""Names of the parts of a job, in the order in which they live."""


@dataclass(frozen=True)
class Job:
    """What `cosim.run.run` is asked for; see there.

    `costs` may know those of a run to compare with from another job.
    """

    scenario: Scenario
    feeder: Feeder | None = None
    references: bool = True
    threads: int = 1
    progress: Progress | None = None
    costs: Costs = lambda _, live: live()

    def run(self, live: Live) -> Run:
        """Let the scenario live, then those it is compared with; a comparison that fails is missing.

        Raises
        ------
        RunFailure
            When the scenario itself had no usable power flow.
        """
        model = CoSimulation(self.scenario, feeder=self.feeder, threads=self.threads)
        result = live(model, PARTS[0], self._stepped(model, 0))
        feeder, drawn = model.grid.feeder, model.settings[0]
        del model  # its signals and samples make room for the next
        if not self.references:
            return result
        costs = [
            self.costs(name, partial(self._cost, live, name, part, drawn, feeder))
            for part, name in enumerate(COMPARED, start=1)
        ]
        return replace(result, cost_without_rule=costs[0], cost_without_optimisation=costs[1])

    def _cost(self, live: Live, name: str, part: int, drawn: Scenario, feeder: Feeder) -> Array | None:
        changed = drawn.changed(COMPARED[name])
        model = CoSimulation(changed, feeder=feeder, threads=self.threads)
        try:
            cost: Array = live(model, name, self._stepped(model, part)).totals["cost"].to_numpy()
        except RunFailure:  # the comparison is then missing, and its indices are NaN
            return None
        return cost

    def _stepped(self, model: CoSimulation, part: int) -> Callable[[], None]:
        """Reports a model's steps as those of one part of the job."""
        progress, clock, parts = self.progress, model.clock, len(PARTS) if self.references else 1
        if progress is None:
            return lambda: None
        return lambda: progress(part * clock.n_steps + clock.step, parts * clock.n_steps)


def live_in_memory(model: CoSimulation, name: str, stepped: Callable[[], None]) -> Run:  # noqa: ARG001 - a `Live`
    """Let a model live with all that it records in memory.

    Raises
    ------
    RunFailure
        With the run up to then.
    """
    try:
        while not model.clock.finished:
            model.step()
            stepped()
    except RunFailure as failure:
        failure.partial = replace(runs_of(model)[0], failure=str(failure))
        raise
    return runs_of(model)[0]
