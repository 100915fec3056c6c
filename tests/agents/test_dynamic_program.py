"""The dynamic program against the LP: the same bill and the same plan, wherever its search begins."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from agents.prosumer.arbitrage import ArbitragePlanner, Horizon, Plan
from agents.prosumer.battery import Battery
from agents.prosumer.dynamic_program import PLANNED, DynamicProgramPlanner, make_work, solve_plan
from agents.prosumer.reach import battery_row
from agents.prosumer.ties import tie_weights
from tests.agents.arbitrage_cases import STEP_H
from tests.agents.dynamic_program_cases import N_STEPS, cornered_horizon, wide_battery
from tests.agents.published_form import published_cost


def distance(one: Plan, other: Plan) -> float:
    """Largest difference in any power [kW] or energy [kWh]."""
    columns = (
        (one.p_battery_kw, other.p_battery_kw),
        (one.p_flexible_kw, other.p_flexible_kw),
        (one.energy_kwh, other.energy_kwh),
    )
    return max(float(np.abs(mine - theirs).max()) for mine, theirs in columns)


def energy_needed(horizon: Horizon) -> float:
    """What a plan takes of the flexible energy: as little as slack and bounds allow, since none of it is free."""
    least, most = (STEP_H * float(bound.sum()) for bound in (horizon.flexible_min_kw, horizon.flexible_max_kw))
    return min(max(horizon.flexible_energy_kwh - horizon.flexible_slack_kwh, least), most)


@pytest.mark.parametrize("seed", range(4))
def test_the_plan_is_that_of_the_lp(seed: int) -> None:
    """2,000 instances in all. Tie weights leave one plan, and HiGHS holds rows and reduced costs to 1e-9.

    Bills agree to 1e-9 of the bill, or of what a kWh costs on average where the bill is less than that. Powers and
    energies agree to 1e-9 kW and kWh; of 8,000 such instances none was further apart than 2e-12.
    """
    rng = np.random.default_rng(seed)
    for _ in range(25):
        battery = wide_battery(rng)
        lp, dynamic = (kind(N_STEPS, battery, STEP_H) for kind in (ArbitragePlanner, DynamicProgramPlanner))
        for _ in range(20):
            horizon = cornered_horizon(rng, battery)
            expected, plan = lp.plan(horizon), dynamic.plan(horizon)
            assert plan.exact == "dynamic-program"
            scale = max(abs(expected.cost), float(horizon.price_buy.mean()))
            assert plan.cost == pytest.approx(expected.cost, rel=0, abs=1e-9 * scale)
            assert distance(plan, expected) <= 1e-9
            assert STEP_H * plan.p_flexible_kw.sum() == pytest.approx(energy_needed(horizon), rel=0, abs=1e-12)


def test_the_bill_is_that_of_the_published_form_in_another_solver() -> None:
    """GLPK on the dense rows of the paper, to GLPK's tolerance of 1e-9 in some 100 rows."""
    rng = np.random.default_rng(10)
    for _ in range(60):
        battery = wide_battery(rng)
        horizon = cornered_horizon(rng, battery)
        if len(horizon.price_buy) > 24:
            continue
        plan = DynamicProgramPlanner(N_STEPS, battery, STEP_H).plan(horizon)
        expected = published_cost(horizon, battery, STEP_H)
        scale = max(abs(expected), float(horizon.price_buy.mean()))
        assert plan.cost == pytest.approx(expected, rel=0, abs=1e-7 * scale)


def solved(horizon: Horizon, battery: Battery, mu: float) -> tuple[npt.NDArray[np.float64], float]:
    """Battery power, flexible power and energy, shape (3, n), and mu, by a call as a compiled loop makes it."""
    out = np.full((3, len(horizon.price_buy)), np.nan)
    end = -np.inf if horizon.energy_end_min_kwh is None else horizon.energy_end_min_kwh
    energies = horizon.energy_start_kwh, horizon.flexible_energy_kwh, horizon.flexible_slack_kwh, end
    inputs = (*horizon.columns, *energies, battery_row(battery), tie_weights(N_STEPS, STEP_H), make_work(N_STEPS))
    status, mu = solve_plan(STEP_H, *inputs, *out, mu)
    assert status == PLANNED
    return out, mu


def due_as_one_plan_takes(horizon: Horizon, battery_kw: npt.NDArray[np.float64]) -> Horizon:
    """The same with as much flexible energy due as brings meters to zero, so that one plan takes it, and no mixture."""
    load = np.clip(-horizon.p_net_kw - battery_kw, horizon.flexible_min_kw, horizon.flexible_max_kw)
    return replace(horizon, flexible_energy_kwh=STEP_H * float(load.sum()), flexible_slack_kwh=0.0)


def test_a_plan_from_any_price_of_flexible_energy_is_the_plan_from_none() -> None:
    """To the last bit: the search ends at the same two plans, whose mixture does not depend on how they were found.

    Half of the 1,200 problems make one plan the answer over a range of prices.
    """
    rng = np.random.default_rng(11)
    for repeat in range(1200):
        battery = wide_battery(rng)
        horizon = cornered_horizon(rng, battery)
        cold, found = solved(horizon, battery, np.nan)
        if repeat % 2:
            horizon = due_as_one_plan_takes(horizon, cold[0])
            cold, found = solved(horizon, battery, np.nan)
        for begin in (found, 0.7 * found + 0.01, 0.9 * found, 1.1 * found, 1.5 * found, -1.0, np.inf, -np.inf):
            warm, _ = solved(horizon, battery, begin)
            np.testing.assert_array_equal(warm, cold)


def test_two_hours_by_hand() -> None:
    """As the LP's: store 1 kWh in the cheap hour, run the flexible load there; another kWh of it would cost 0.1."""
    horizon = Horizon(
        price_buy=np.array([0.1, 0.3]),
        price_sell=np.array([0.05, 0.15]),
        p_net_kw=np.array([0.0, 1.0]),
        flexible_min_kw=np.zeros(2),
        flexible_max_kw=np.ones(2),
        energy_start_kwh=0.0,
        flexible_energy_kwh=0.5,
    )
    planner = DynamicProgramPlanner(2, Battery(0, 1, 1, 1, 0.8, 0.9), 1)
    plan = planner.plan(horizon)
    assert plan.p_battery_kw == pytest.approx([1.25, -0.9], abs=1e-12)
    assert plan.p_flexible_kw == pytest.approx([0.5, 0.0], abs=1e-12)
    assert plan.energy_kwh == pytest.approx([1.0, 0.0], abs=1e-12)
    assert plan.cost == pytest.approx(0.205, abs=1e-12)
    out = np.empty((3, 2))
    energies = 0.0, 0.5, 0.0, -np.inf
    battery = battery_row(planner.battery)
    _, mu = solve_plan(1.0, *horizon.columns, *energies, battery, tie_weights(2, 1.0), make_work(2), *out, np.nan)
    assert mu == pytest.approx(0.1, rel=1e-5)  # tie weights are some millionths of the mean price


def test_a_flexible_load_takes_up_the_surplus_before_any_is_bought() -> None:
    """Surplus of 1, 2 and 0.5 kW worth 0.1 sold and 0.3 bought; 3 kWh due of at most 2 kW: all surplus but 0.5 kWh.

    What is sold is worth the same in every hour, so that ties choose: the first hours run.
    """
    horizon = Horizon(
        price_buy=np.full(3, 0.3),
        price_sell=np.full(3, 0.1),
        p_net_kw=np.array([-1.0, -2.0, -0.5]),
        flexible_min_kw=np.zeros(3),
        flexible_max_kw=np.full(3, 2.0),
        energy_start_kwh=0.0,
        flexible_energy_kwh=3.0,
    )
    nothing = Battery(0.0, 0.0, 0.0, 0.0, 1.0, 1.0)
    plan = DynamicProgramPlanner(3, nothing, 1.0).plan(horizon)
    assert plan.cost == pytest.approx(-0.05, abs=1e-12)
    assert np.all(plan.p_flexible_kw <= -horizon.p_net_kw + 1e-12)
    assert plan.p_flexible_kw.sum() == pytest.approx(3.0, abs=1e-12)


def test_planners_in_threads_plan_as_they_do_alone() -> None:
    rng = np.random.default_rng(12)
    batteries = [wide_battery(rng) for _ in range(16)]
    horizons = [[cornered_horizon(rng, battery) for _ in range(8)] for battery in batteries]

    def plans(row: int) -> list[Plan]:
        planner = DynamicProgramPlanner(N_STEPS, batteries[row], STEP_H)
        return [planner.plan(horizon) for horizon in horizons[row]]

    alone = [plans(row) for row in range(16)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(plans, range(16)))
    for row in range(16):
        assert all(distance(one, other) == 0 for one, other in zip(alone[row], together[row], strict=True))
