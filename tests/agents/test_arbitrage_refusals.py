"""What a planner refuses, and that no wrong number ends as an "Optimal" plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import highspy
import numpy as np
import pytest

from agents.errors import PlanError, SolverError
from agents.highs import Program
from agents.prosumer import highs
from agents.prosumer.arbitrage import ArbitragePlanner, UnreachableError
from agents.prosumer.highs import SplitLp
from feeders.errors import InputError
from tests.agents.arbitrage_cases import BATTERY, STEP_H, a_horizon

COLUMNS = ("price_buy", "price_sell", "p_net_kw", "flexible_min_kw", "flexible_max_kw")
SCALARS = ("energy_start_kwh", "flexible_energy_kwh", "flexible_slack_kwh", "energy_end_min_kwh")


def planner() -> ArbitragePlanner:
    return ArbitragePlanner(4, BATTERY, STEP_H)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e21])
@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_with_a_number_that_is_none_is_refused(name: str, value: float) -> None:
    column = getattr(a_horizon(), name).copy()
    column[2] = value
    with pytest.raises(InputError, match=rf"{name}\[2\]") as caught:
        planner().plan(a_horizon(**{name: column}))
    assert caught.value.value == pytest.approx(value, nan_ok=True)


@pytest.mark.parametrize("value", [np.nan, np.inf, -1e21])
@pytest.mark.parametrize("name", SCALARS)
def test_an_energy_that_is_no_number_is_refused(name: str, value: float) -> None:
    with pytest.raises(InputError, match=name):
        planner().plan(a_horizon(**{name: value}))


def test_a_negative_slack_is_refused() -> None:
    with pytest.raises(InputError, match="flexible_slack_kwh"):
        planner().plan(a_horizon(flexible_slack_kwh=-1e-3))


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("shape", [(3,), (5,), (4, 1), ()])
def test_columns_of_unlike_shape_are_refused(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="one shape"):
        planner().plan(a_horizon(**{name: np.zeros(shape)}))


@pytest.mark.parametrize("n", [0, 5])
def test_a_horizon_without_steps_or_with_too_many_is_refused(n: int) -> None:
    with pytest.raises(InputError, match="1 <= n <= 4"):
        planner().plan(a_horizon(**{name: np.zeros(n) for name in COLUMNS}))


def test_selling_above_buying_is_refused_with_step_and_prices() -> None:
    with pytest.raises(InputError, match="price_sell <= price_buy") as caught:
        planner().plan(a_horizon(price_sell=np.array([0.0, 0.0, 0.35, 0.0])))
    assert caught.value.field == "(price_sell, price_buy)[2]"
    assert caught.value.value == (0.35, 0.3)


def test_flexible_bounds_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(InputError, match="flexible_min_kw <= flexible_max_kw") as caught:
        planner().plan(a_horizon(flexible_min_kw=np.array([0.0, 2.0, 0.0, 0.0])))
    assert caught.value.value == (2.0, 1.0)


@pytest.mark.parametrize(
    ("n_steps", "step_h", "field"), [(0, 0.25, "n_steps"), (4, 0.0, "step_h"), (4, np.nan, "step_h")]
)
def test_a_planner_without_steps_or_length_is_refused(n_steps: int, step_h: float, field: str) -> None:
    with pytest.raises(InputError, match=field):
        ArbitragePlanner(n_steps, BATTERY, step_h)


@pytest.mark.parametrize(
    ("changes", "what", "due", "lowest", "highest"),
    [
        # At most 1 kW for one hour, plus the slack.
        ({"flexible_energy_kwh": 1.5, "flexible_slack_kwh": 0.1}, "flexible energy", 1.5, -0.1, 1.1),
        # At least 0.25 kW for one hour.
        ({"flexible_energy_kwh": 0.2, "flexible_min_kw": np.full(4, 0.25)}, "flexible energy", 0.2, 0.25, 1.0),
        ({"energy_start_kwh": 2.1}, "battery energy at the start", 2.1, 0.2, 2.0),
        ({"energy_start_kwh": 0.1}, "battery energy at the start", 0.1, 0.2, 2.0),
        # From 1 kWh, 2 kW for one hour would be 3 kWh, but only 2 kWh fit.
        ({"energy_end_min_kwh": 2.5}, "battery energy at the end", 2.5, 0.2, 2.0),
    ],
)
def test_what_cannot_be_reached_is_said_in_numbers(
    changes: dict[str, Any], what: str, due: float, lowest: float, highest: float
) -> None:
    with pytest.raises(UnreachableError, match=f"no plan: {what}") as caught:
        planner().plan(a_horizon(**changes))
    error = caught.value
    assert isinstance(error, PlanError)
    assert (error.due_kwh, error.lowest_kwh, error.highest_kwh) == pytest.approx((due, lowest, highest), abs=1e-12)


def test_a_ramp_too_slow_for_the_end_is_said_in_numbers() -> None:
    # 0.5 kW for one hour on top of 1 kWh.
    slow = ArbitragePlanner(4, replace(BATTERY, p_charge_max_kw=0.5), STEP_H)
    with pytest.raises(UnreachableError, match=r"1\.6 kWh is due; possible: 0\.2 to 1\.5 kWh"):
        slow.plan(a_horizon(energy_end_min_kwh=1.6))
    assert slow.plan(a_horizon(energy_end_min_kwh=1.5)).energy_kwh[-1] == pytest.approx(1.5, abs=1e-9)


@pytest.mark.parametrize(
    "changes",
    [
        {"flexible_energy_kwh": -9e-10},
        {"flexible_energy_kwh": 1 + 9e-10},
        {"flexible_energy_kwh": 0.0, "flexible_slack_kwh": 0.0, "flexible_min_kw": np.full(4, 9e-10)},
        {"energy_start_kwh": 2 + 9e-10},
        {"energy_start_kwh": 0.2 - 9e-10},
        {"energy_start_kwh": 2 + 9e-10, "energy_end_min_kwh": 2 + 9e-10},
    ],
)
def test_rounding_of_what_is_due_is_no_reason_to_refuse(changes: dict[str, Any]) -> None:
    """Up to 1e-9 kWh; the plan keeps to what is possible, but for the solver's own rounding."""
    horizon = a_horizon(**changes)
    plan = planner().plan(horizon)
    assert 0.2 - 1e-14 <= plan.energy_kwh.min() <= plan.energy_kwh.max() <= 2 + 1e-14
    assert np.all(plan.p_flexible_kw >= horizon.flexible_min_kw - 1e-14)
    assert np.all(plan.p_flexible_kw <= horizon.flexible_max_kw + 1e-14)


def test_a_planner_plans_again_after_a_refusal() -> None:
    one = planner()
    with pytest.raises(PlanError):
        one.plan(a_horizon(flexible_energy_kwh=9.0))
    assert one.plan(a_horizon()).cost == planner().plan(a_horizon()).cost


def a_program() -> Program:
    """Nothing but zeros: rest in every step of one battery of no size."""
    return Program(*np.zeros((3, 5, 4)), *np.zeros((2, 9)))


@pytest.mark.parametrize("part", ["lower", "upper", "row_lower", "row_upper"])
def test_no_nan_that_reaches_highs_ends_as_optimal(part: str) -> None:
    program = a_program()
    getattr(program, part).flat[0] = np.nan
    with pytest.raises(SolverError):
        SplitLp(4, BATTERY, STEP_H).solve(program)


def test_a_program_without_solution_is_an_error_not_zeros() -> None:
    program = a_program()
    program.row_lower[-1] = program.row_upper[-1] = 1.0
    with pytest.raises(SolverError, match="kInfeasible"):
        SplitLp(4, BATTERY, STEP_H).solve(program)


@pytest.mark.parametrize(("block", "step"), [(0, 1), (1, 2), (2, 0)])
def test_a_solution_that_breaks_a_constraint_is_found_out(
    monkeypatch: pytest.MonkeyPatch, block: int, step: int
) -> None:
    """As a solver that lies: charging, discharging or flexible load off by more than is possible."""
    solve = SplitLp.solve

    def lying(self: SplitLp, program: Program) -> Any:
        values = solve(self, program)
        values[block, step] += 5.0
        return values

    monkeypatch.setattr(SplitLp, "solve", lying)
    with pytest.raises(SolverError, match="misses a constraint"):
        planner().plan(a_horizon())


def test_a_solver_that_gives_up_is_asked_once_more_from_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = planner().plan(a_horizon())
    ended = [highspy.HighsModelStatus.kUnknown]
    run = highs.run
    monkeypatch.setattr(highs, "run", lambda solver: ended.pop() if ended else run(solver))
    plan = planner().plan(a_horizon())
    assert not ended
    assert plan.p_battery_kw == pytest.approx(expected.p_battery_kw, abs=1e-12)
    monkeypatch.setattr(highs, "run", lambda solver: highspy.HighsModelStatus.kUnknown)
    with pytest.raises(SolverError, match="kUnknown"):
        planner().plan(a_horizon())
