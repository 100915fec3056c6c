"""One plan of one prosumer, against the published program through a general LP solver."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Protocol

from agents.prosumer import (
    ArbitragePlanner,
    Battery,
    DynamicProgramPlanner,
    Forecast,
    Horizon,
    Plan,
    Prosumer,
    Signals,
    Window,
)
from cosim.bench.day import four_bus_scenario
from cosim.bench.published import published_program, solved_by_linprog
from cosim.bench.row import Effort, Report, Row, Timing
from cosim.bench.stopwatch import timed
from cosim.model import CoSimulation

__all__ = ["PLANNERS", "Planner", "day_of_horizons", "plans"]

_STEPS, _STEP_H = 96, 0.25


class Planner(Protocol):
    """What makes plans for one prosumer."""

    def plan(self, horizon: Horizon) -> Plan:
        """The cheapest plan for `horizon`."""


PLANNERS: dict[str, Callable[[int, Battery, float], Planner]] = {
    "highs": ArbitragePlanner,
    "dynamic-program": DynamicProgramPlanner,
}
"""Every way to plan that there is: ``make(n_steps, battery, step_h)``. One plan at a time, as here, most of the dynamic
program's time is Python's; what it takes in a loop over a population is in the rows of the population day."""


class _Listed(Prosumer):
    """A prosumer that keeps what it was asked to plan."""

    horizons: list[Horizon]

    def horizon(self, forecast: Forecast, signals: Signals, window: Window) -> Horizon:
        found = super().horizon(forecast, signals, window)
        self.horizons.append(found.checked(window.n_steps))  # copies: the columns change
        return found


def day_of_horizons() -> tuple[Battery, list[Horizon]]:
    """What the house of the four-bus day plans: its battery, and 96 horizons of 96 to 1 steps."""
    horizons: list[Horizon] = []
    model = CoSimulation(four_bus_scenario(), classes={"home-4": type("Listed", (_Listed,), {"horizons": horizons})})
    model.run()
    return model.prosumers[-1].battery, horizons


def plans(effort: Effort, report: Report) -> Iterator[Row]:
    """Seconds per plan, all in (update, solve, reading back), over the 96 plans of a day.

    Ours keeps its solver from plan to plan as in the loop; linprog is given the finished dense arrays of the published
    form and takes no start, so only its solve counts.
    """
    battery, horizons = day_of_horizons()
    programs = [published_program(horizon, battery, _STEP_H) for horizon in horizons]
    costs: dict[str, list[float]] = {}
    seconds: dict[str, list[float]] = {name: [] for name in ("linprog", *PLANNERS)}
    for make in PLANNERS.values():
        make(_STEPS, battery, _STEP_H).plan(horizons[0])  # the first plan compiles
    for repeat in range(effort.repeats):
        for name, make in PLANNERS.items():
            planner = make(_STEPS, battery, _STEP_H)
            took, costs[name] = timed(partial(_costs, planner, horizons))
            seconds[name].append(took)
        took, costs["linprog"] = timed(lambda: [solved_by_linprog(program) for program in programs])
        seconds["linprog"].append(took)
        report((repeat + 1) / effort.repeats)
    theirs = Timing(tuple(seconds["linprog"])).scaled(1 / len(horizons))
    for name in PLANNERS:
        ours = Timing(tuple(seconds[name])).scaled(1 / len(horizons))
        difference = max(abs(a - b) for a, b in zip(costs[name], costs["linprog"], strict=True))
        note = "seconds per plan; 96 plans of a day, each for the rest of it"
        yield Row(f"plan-{name}", ours, "scipy linprog (HiGHS), published rows", theirs, difference, "currency", note)


def _costs(planner: Planner, horizons: Sequence[Horizon]) -> list[float]:
    return [planner.plan(horizon).cost for horizon in horizons]
