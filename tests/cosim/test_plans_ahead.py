"""What plans hold for the steps to come is what is then lived, if all is as expected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from agents.prosumer import Commitment, Prosumer, Status
from agents.prosumer.forecast import Forecast
from agents.prosumer.prosumer import Window
from agents.prosumer.signals import Signals
from cosim import CoSimulation, Scenario
from cosim.tariff import FlatTariff
from feeders.errors import InputError
from tests.cosim.evening_cases import crowded
from tests.cosim.loop_cases import with_profiles

pytestmark = pytest.mark.usefixtures("feeders_built_once")

Array = npt.NDArray[np.float64]

STEPS = 24
ROWS = [2, 0, 1]


@pytest.fixture(scope="module")
def base(four_bus: Scenario) -> Scenario:
    """Two days of hourly steps that go as planned: perfect forecasts, no rule, inverters that pass everything."""
    return four_bus.changed(
        {
            "market_step_min": 60,
            "control_step_min": 60,
            "days": 2,
            "rule": "none",
            "prosumers.*.inverter_kva": 20.0,
            "prosumers.home-4.battery_kwh": 4.0,
            "prosumers.*.flexible_share": 0.2,
        }
    )


def lived(model: CoSimulation, n_steps: int) -> CoSimulation:
    for _ in range(n_steps):
        model.step()
    return model


@pytest.mark.parametrize("planner", ["auto", "highs"])
def test_what_is_ahead_is_what_is_lived(base: Scenario, planner: str) -> None:
    model = lived(CoSimulation(base.changed({"planner": planner})), STEPS + 5)
    battery, flexible = model.plans_ahead(ROWS)
    assert battery.shape == flexible.shape == (STEPS - 5, 3)
    assert (np.abs(battery).max(axis=0) > 0).all()
    model.run()
    for found, column in ((battery, "p_battery_kw"), (flexible, "p_flexible_kw")):
        assert found == pytest.approx(model.record.column(column)[STEPS + 5 :, ROWS], abs=1e-9)
        assert np.ptp(found, axis=0).all()


@pytest.mark.parametrize("horizon", ["shrinking", "rolling"])
def test_highs_and_the_dynamic_program_plan_the_same_ahead(base: Scenario, horizon: str) -> None:
    models = [CoSimulation(base.changed({"planner": planner, "horizon": horizon})) for planner in ("auto", "highs")]
    for step in range(30):
        found = [np.array(model.plans_ahead(ROWS)) for model in models]
        assert found[0] == pytest.approx(found[1], abs=1e-6, nan_ok=True)
        assert np.isnan(found[0]).all() == (step == 0 or (step == STEPS and horizon == "shrinking"))
        for model in models:
            model.step()


def test_how_far_plans_reach(base: Scenario) -> None:
    """To the end of the day; or 24 hours from the step that was planned last, to the end of the run at most."""
    shrinking, rolling = CoSimulation(base), CoSimulation(base.changed({"horizon": "rolling"}))
    lengths: list[list[int]] = [[], []]
    for _ in range(2 * STEPS + 1):
        for model, seen in zip((shrinking, rolling), lengths, strict=True):
            battery, flexible = model.plans_ahead([0])
            assert np.isfinite(battery).all() == (model.clock.step > 0 or not len(battery))
            seen.append(len(flexible))
            model.step()
    assert lengths[0] == [STEPS, *range(STEPS - 1, -1, -1), *range(STEPS - 1, -1, -1)]
    assert lengths[1] == [STEPS] + [STEPS - 1] * STEPS + [*range(STEPS - 1, -1, -1)]


def test_who_has_no_plan_has_none_ahead(base: Scenario) -> None:
    model = lived(CoSimulation(base.changed({"prosumers.home-3.optimise": False})), 3)
    battery, flexible = model.plans_ahead([1, 2])
    assert np.isnan(battery[:, 0]).all()
    assert np.isnan(flexible[:, 0]).all()
    assert np.isfinite(battery[:, 1]).all()
    model.change_tariff(FlatTariff(price_buy=0.2))
    assert np.isnan(model.plans_ahead([2])).all()
    model.step()
    assert np.isfinite(model.plans_ahead([2])).all()
    empty = model.plans_ahead([])
    assert empty[0].shape == empty[1].shape == (STEPS - 4, 0)
    wrong: Any
    for wrong in ([3], [-1], [[0]]):
        with pytest.raises(InputError, match="rows of the population, 0 to 2"):
            model.plans_ahead(wrong)


def test_a_plan_left_to_highs_is_told_until_it_is_no_longer_followed(base: Scenario, tmp_path: Path) -> None:
    """At a price below zero HiGHS plans; once that has passed, the dynamic program does, and its plan counts."""
    hours = [("00:00", "06:00", 0.2), ("06:00", "08:00", -0.1), ("08:00", "24:00", 0.3)]
    periods = [{"start": start, "end": end, "price": price} for start, end, price in hours]
    quarter = with_profiles(base, tmp_path, [0.5] * 192, [0.0] * 192)
    scenario = quarter.changed({"tariff": {"kind": "time-of-use", "periods": periods, "timezone": "UTC"}})
    whole = lived(CoSimulation(scenario), STEPS)
    left = whole.record.column("status")[:, 0].astype(int) & Status.LP_FALLBACK
    assert 0 < np.count_nonzero(left) < STEPS
    model = CoSimulation(scenario)
    for step in range(1, STEPS):
        model.step()
        for found, column in zip(model.plans_ahead(ROWS), ("p_battery_kw", "p_flexible_kw"), strict=True):
            assert found[0] == pytest.approx(whole.record.column(column)[step, ROWS], abs=1e-9)


def test_who_has_committed_does_that(four_bus: Scenario, tmp_path: Path) -> None:
    model = lived(CoSimulation(crowded(four_bus, tmp_path, **{"dso.iterations": 4, "dso.share": 1.0})), 10)
    battery, _ = model.plans_ahead(ROWS)
    model.run()
    assert battery == pytest.approx(model.record.column("p_battery_kw")[10:, ROWS], abs=1e-9)
    promise = Commitment(np.array([1]), 4, np.array([[1.0], [2.0]]), np.array([[3.0], [4.0]]))
    found = np.array(promise.ahead(5, 8))
    assert np.array_equal(found, [[[2.0], [np.nan], [np.nan]], [[4.0], [np.nan], [np.nan]]], equal_nan=True)
    assert np.isnan(promise.ahead(3, 5)).all()


class Idle(Prosumer):
    """Plans nothing."""

    def plan(self, forecast: Forecast, signals: Signals, window: Window) -> None:
        pass


class Cautious(Prosumer):
    """Knows what it knows in a way of its own, and plans as all do."""

    def horizon(self, forecast: Forecast, signals: Signals, window: Window) -> Any:
        return super().horizon(forecast, signals, window)


def test_classes_of_ones_own(base: Scenario) -> None:
    model = lived(CoSimulation(base, classes={"home-2": Idle, "home-3": Cautious}), 4)
    plain = lived(CoSimulation(base), 4)
    battery, usual = (np.array(one.plans_ahead([0, 1, 2])) for one in (model, plain))
    assert np.isnan(battery[:, :, 0]).all()
    assert battery[:, :, 1:] == pytest.approx(usual[:, :, 1:], abs=1e-6)
