"""What the dynamic program refuses, and that no wrong number ends as a plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agents.errors import PlanError, SolverError
from agents.prosumer import dynamic_program
from agents.prosumer.arbitrage import ArbitragePlanner, Horizon, UnreachableError
from agents.prosumer.dynamic_program import (
    NOT_CONVEX,
    NOT_SETTLED,
    NOT_USABLE,
    PLANNED,
    UNREACHABLE,
    DynamicProgramPlanner,
    NegativePriceError,
    make_work,
    solve_plan,
)
from agents.prosumer.reach import battery_row
from agents.prosumer.ties import tie_weights
from feeders.errors import InputError
from tests.agents.arbitrage_cases import BATTERY, STEP_H, a_horizon


def planner() -> DynamicProgramPlanner:
    return DynamicProgramPlanner(4, BATTERY, STEP_H)


def test_a_negative_price_is_refused_with_its_step_and_a_way_out() -> None:
    horizon = a_horizon(price_sell=np.array([0.05, 0.1, -0.15, -0.2]))
    message = r"price_sell\[2\] is -0.15, allowed: 0 or more; ArbitragePlanner"
    with pytest.raises(NegativePriceError, match=message) as caught:
        planner().plan(horizon)
    assert (caught.value.step, caught.value.price) == (2, -0.15)
    assert isinstance(caught.value, PlanError)
    assert ArbitragePlanner(4, BATTERY, STEP_H).plan(horizon).exact == "lp"


@pytest.mark.parametrize(
    "changes",
    [
        {"price_sell": np.array([0.05, 0.1, 0.35, 0.2])},
        {"p_net_kw": np.array([1.0, np.nan, 1.0, 1.0])},
        {"flexible_min_kw": np.full(4, 1.1)},
        {"price_buy": np.full(5, 1.0)},
        {"flexible_slack_kwh": -1.0},
    ],
)
def test_what_no_planner_takes_is_refused_alike(changes: dict[str, Any]) -> None:
    messages = []
    for one in (planner(), ArbitragePlanner(4, BATTERY, STEP_H)):
        with pytest.raises(InputError) as caught:
            one.plan(a_horizon(**changes))
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"flexible_energy_kwh": 1.0 + 2e-9},
        {"flexible_energy_kwh": -2e-9},
        {"energy_start_kwh": 2.1},
        {"energy_end_min_kwh": 2.0, "energy_start_kwh": 0.2, "price_buy": np.ones(2)},
        {"energy_end_min_kwh": 2.1},
    ],
)
def test_what_is_out_of_reach_is_refused_alike(changes: dict[str, Any]) -> None:
    horizon = a_horizon(**changes)
    n = len(horizon.price_buy)
    horizon = replace(horizon, **{
        name: getattr(horizon, name)[:n] for name in ("price_sell", "p_net_kw", "flexible_min_kw", "flexible_max_kw")
    })  # fmt: skip
    messages = []
    for one in (planner(), ArbitragePlanner(4, BATTERY, STEP_H)):
        with pytest.raises(UnreachableError) as caught:
            one.plan(horizon)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"flexible_energy_kwh": -9e-10},
        {"flexible_energy_kwh": 1 + 9e-10},
        {"flexible_min_kw": np.full(4, 9e-10), "flexible_energy_kwh": 0.0},
        {"energy_start_kwh": 2 + 9e-10},
        {"energy_start_kwh": 0.2 - 9e-10},
        {"energy_start_kwh": 2 + 9e-10, "energy_end_min_kwh": 2 + 9e-10},
    ],
)
def test_rounding_of_what_is_due_is_no_reason_to_refuse(changes: dict[str, Any]) -> None:
    """Up to 1e-9 kWh; the plan keeps to what is possible, and is the LP's."""
    horizon = a_horizon(**changes)
    plan = planner().plan(horizon)
    assert 0.2 - 1e-15 <= plan.energy_kwh.min() <= plan.energy_kwh.max() <= 2 + 1e-15
    assert np.all(plan.p_flexible_kw >= horizon.flexible_min_kw)
    assert np.all(plan.p_flexible_kw <= horizon.flexible_max_kw)
    expected = ArbitragePlanner(4, BATTERY, STEP_H).plan(horizon)
    assert plan.p_battery_kw == pytest.approx(expected.p_battery_kw, rel=0, abs=1e-8)


def test_an_end_out_of_reach_by_rounding_means_charging_throughout() -> None:
    """From 0.2 kWh at 1 kW for an hour: 1.2 kWh, and 1 kW / 0.9 drawn."""
    slow = DynamicProgramPlanner(4, replace(BATTERY, p_charge_max_kw=1.0), STEP_H)
    plan = slow.plan(a_horizon(energy_start_kwh=0.2, energy_end_min_kwh=1.2 + 9e-10))
    assert plan.p_battery_kw == pytest.approx(np.full(4, 1 / 0.9), rel=0, abs=1e-12)
    assert plan.energy_kwh[-1] == pytest.approx(1.2, rel=0, abs=1e-12)


def test_a_planner_plans_again_after_a_refusal() -> None:
    one = planner()
    for changes in ({"flexible_energy_kwh": 9.0}, {"price_sell": np.full(4, -0.1)}):
        with pytest.raises(PlanError):
            one.plan(a_horizon(**changes))
    np.testing.assert_array_equal(one.plan(a_horizon()).p_battery_kw, planner().plan(a_horizon()).p_battery_kw)


@pytest.mark.parametrize(("n_steps", "step_h"), [(0, 0.25), (4, 0.0), (4, np.nan)])
def test_a_planner_without_time_is_refused(n_steps: int, step_h: float) -> None:
    field = "step_h" if n_steps else "n_steps"
    for kind in (DynamicProgramPlanner, ArbitragePlanner):
        with pytest.raises(InputError, match=field):
            kind(n_steps, BATTERY, step_h)


def test_a_search_that_does_not_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamic_program, "solve_plan", lambda *_: (NOT_SETTLED, 0.0))
    with pytest.raises(SolverError, match=f"status {NOT_SETTLED}"):
        planner().plan(a_horizon())


def status_of(horizon: Horizon, n_steps: int = 4, n_work: int = 4, n_out: int = 4) -> int:
    """What `solve_plan` says to a horizon that nobody has checked."""
    out = np.empty((3, n_out))
    end = -np.inf if horizon.energy_end_min_kwh is None else horizon.energy_end_min_kwh
    energies = horizon.energy_start_kwh, horizon.flexible_energy_kwh, horizon.flexible_slack_kwh, end
    inputs = (*horizon.columns, *energies, battery_row(BATTERY), tie_weights(n_steps, STEP_H), make_work(n_work))
    status, mu = solve_plan(STEP_H, *inputs, *out, 0.123)
    assert status == PLANNED or mu == 0.123
    return status


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, PLANNED),
        ({"price_sell": np.array([0.0, 0.0, 0.0, -1e-9])}, NOT_CONVEX),
        ({"price_sell": np.array([0.0, 0.21, 0.0, 0.0])}, NOT_CONVEX),
        ({"price_buy": np.array([0.1, 0.2, np.nan, 0.4])}, NOT_CONVEX),
        ({"price_sell": np.array([np.nan, 0.1, 0.1, 0.1])}, NOT_CONVEX),
        ({"price_buy": np.array([0.1, 0.2, np.inf, 0.4])}, NOT_CONVEX),
        ({"p_net_kw": np.array([1.0, 1.0, np.nan, 1.0])}, NOT_USABLE),
        ({"p_net_kw": np.array([1.0, 1.0, -np.inf, 1.0])}, NOT_USABLE),
        ({"flexible_min_kw": np.array([0.0, 0.0, 0.0, 1.1])}, NOT_USABLE),
        ({"flexible_max_kw": np.array([1.0, 1.0, np.nan, 1.0])}, NOT_USABLE),
        ({"flexible_max_kw": np.array([1.0, 1.0, np.inf, 1.0])}, NOT_USABLE),
        ({"flexible_slack_kwh": -1e-9}, NOT_USABLE),
        ({"flexible_slack_kwh": np.nan}, NOT_USABLE),
        ({"p_net_kw": np.ones(3)}, NOT_USABLE),
        ({"price_buy": np.empty(0)}, NOT_USABLE),
        ({"price_buy": np.ones(5)}, NOT_USABLE),
        ({"energy_start_kwh": np.nan}, UNREACHABLE),
        ({"energy_start_kwh": 2.1}, UNREACHABLE),
        ({"flexible_energy_kwh": np.nan}, UNREACHABLE),
        ({"flexible_energy_kwh": 1.1}, UNREACHABLE),
        ({"energy_end_min_kwh": 2.1}, UNREACHABLE),
        ({"energy_end_min_kwh": np.nan}, UNREACHABLE),
        ({"energy_end_min_kwh": -np.inf}, PLANNED),
    ],
)
def test_a_compiled_loop_is_told_what_is_wrong(changes: dict[str, Any], status: int) -> None:
    assert status_of(a_horizon(**changes)) == status


@pytest.mark.parametrize("room", [{"n_steps": 3}, {"n_work": 3}, {"n_out": 3}])
def test_too_little_room_is_refused_instead_of_written_over(room: dict[str, int]) -> None:
    assert status_of(a_horizon(), **room) == NOT_USABLE
