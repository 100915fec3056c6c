"""The clock: steps, windows, and what the two horizons keep over days."""

from __future__ import annotations

import numpy as np
import pytest

from agents.prosumer import Status, Window
from cosim import CoSimulation, Scenario
from cosim.clock import Clock

pytestmark = pytest.mark.usefixtures("feeders_built_once")


def test_steps_by_hand() -> None:
    clock = Clock(days=2, market_step_min=15, control_step_min=5, horizon="shrinking")
    assert (clock.steps_per_day, clock.n_steps, clock.controls_per_step, clock.n_control_steps) == (96, 192, 3, 576)
    assert (clock.market_step_h, clock.control_step_h) == (0.25, 5 / 60)
    steps: list[int] = []
    while not clock.finished:
        steps += clock.control_steps()
        clock.advance()
    assert steps == list(range(576))
    assert clock.step == 192


def windows(horizon: str) -> list[Window]:
    """Windows of two days of four-hour steps."""
    clock = Clock(days=2, market_step_min=240, control_step_min=240, horizon=horizon)
    found = []
    while not clock.finished:
        found.append(clock.window())
        clock.advance()
    return found


def test_a_shrinking_window_ends_with_the_day() -> None:
    assert windows("shrinking") == [Window(now, 6 if now < 6 else 12, 6, 4.0, False) for now in range(12)]


def test_a_rolling_window_is_a_day_until_the_run_ends() -> None:
    assert windows("rolling") == [Window(now, min(now + 6, 12), 6, 4.0, True) for now in range(12)]


@pytest.mark.parametrize("forecast", ["perfect", "persistence", "noisy"])
@pytest.mark.parametrize("horizon", ["shrinking", "rolling"])
def test_energy_over_two_days(four_bus: Scenario, horizon: str, forecast: str) -> None:
    errors = {"load_error": 0.3, "pv_error": 0.3, "price_error": 0.1} if forecast == "noisy" else {}
    model = CoSimulation(
        four_bus,
        days=2,
        control_step_min=15,
        horizon=horizon,
        rule="none",
        forecast={"kind": forecast, **errors},
    )
    owed = []
    while not model.clock.finished:
        model.step()
        owed.append(model.population.flexible_owed_kwh.copy())
    # The solver keeps energies to 1e-9 kWh, and a plan asks for what is still owed, so gaps do not add up.
    assert np.abs(owed[-1]).max() <= 1e-8
    assert np.abs(owed).max() > 0.01  # flexible load was indeed moved
    if horizon == "shrinking":
        assert np.abs(owed[95]).max() <= 1e-8
    else:
        assert np.abs(owed[95]).max() > 0.01  # midnight is no border to a rolling horizon
        assert (model.population.energy_kwh >= model.rows.assets.energy_start_kwh - 1e-8).all()
    assert not (model.record.column("status").astype(int) & Status.PLAN_KEPT).any()


def test_a_shrinking_horizon_sells_the_battery_empty(four_bus: Scenario) -> None:
    # The other side of the terminal condition: with a price above zero nothing is worth keeping after the last step.
    flat = {"kind": "flat", "price_buy": 0.2}
    shrinking = CoSimulation(four_bus, control_step_min=15, rule="none", tariff=flat)
    rolling = CoSimulation(four_bus, control_step_min=15, rule="none", tariff=flat, horizon="rolling")
    shrinking.run()
    rolling.run()
    assert shrinking.population.energy_kwh == pytest.approx(0.0, abs=1e-9)
    assert rolling.population.energy_kwh == pytest.approx(0.5, abs=1e-9)
