"""Slack voltage and taps changed between two steps of a run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from agents.grid import Grid
from cosim import CoSimulation, Scenario
from feeders import ENGINES, Feeder
from tests.feeders.feeder_cases import low_voltage_net

STEPS, CHANGED_AT = 6, 3


def raise_slack(grid: Grid) -> None:
    grid.set_slack_vm_pu(1.05)


def move_tap(grid: Grid) -> None:
    grid.set_taps({0: -2})


def voltages(scenario: Scenario, change: Callable[[Grid], None] | None, at: int) -> np.ndarray:
    """Voltages, shape (control steps, prosumers), of some market steps; `change` comes before step `at`."""
    model = CoSimulation(scenario, feeder=Feeder(low_voltage_net()))
    for step in range(STEPS):
        if step == at and change is not None:
            change(model.grid)
        model.step()
    return model.record.column("vm_pu")[: STEPS * model.clock.controls_per_step].copy()


@pytest.mark.parametrize("engine_name", ENGINES)
@pytest.mark.parametrize("change", [raise_slack, move_tap])
def test_from_then_on_voltages_are_those_of_a_run_that_began_so(
    four_bus: Scenario, change: Callable[[Grid], None], engine_name: str
) -> None:
    # Nobody plans or obeys a rule: powers are the same whatever the voltage.
    scenario = four_bus.changed(
        {"rule": "none", "prosumers.*.optimise": False, "feeder.engine": engine_name, "control_step_min": 15}
    )
    before, after = voltages(scenario, None, 0), voltages(scenario, change, 0)
    both = voltages(scenario, change, CHANGED_AT)
    assert np.array_equal(both[:CHANGED_AT], before[:CHANGED_AT])  # a control step is a market step here
    assert np.array_equal(both[CHANGED_AT:], after[CHANGED_AT:])
    assert (after - before).min() > 0.02
