"""What a plan must be, whatever the numbers: feasible, unique, repeatable, and refused when it cannot be made."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Thread

import highspy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.prosumer.arbitrage import (
    ArbitragePlanner,
    Horizon,
    Plan,
    arbitrage_cost,
)
from agents.prosumer.battery import Battery
from agents.prosumer.correction import energy_after, reachable_power
from tests.agents.arbitrage_cases import BATTERY, STEP_H, a_horizon, random_battery, random_horizon, tail

LOSSLESS = Battery(0.0, 10.0, 10.0, 10.0, 1.0, 1.0)


def distance(one: Plan, other: Plan, skip: int = 0) -> float:
    """Largest difference in any power, the first `skip` steps of `one` left out."""
    return max(
        float(np.abs(one.p_battery_kw[skip:] - other.p_battery_kw).max()),
        float(np.abs(one.p_flexible_kw[skip:] - other.p_flexible_kw).max()),
    )


def test_two_hours_by_hand() -> None:
    """Buy at 0.1, save 0.3: 1 kWh fits and takes 1 / 0.8 = 1.25 kWh, of which 0.9 kWh replace load an hour later.

    The bill is 1.25 * 0.1 + (1 - 0.9) * 0.3 = 0.155 instead of 0.3. Of the flexible load, 0.5 kWh run in the
    cheap hour: 0.05 more.
    """
    horizon = Horizon(
        price_buy=np.array([0.1, 0.3]),
        price_sell=np.array([0.05, 0.15]),
        p_net_kw=np.array([0.0, 1.0]),
        flexible_min_kw=np.zeros(2),
        flexible_max_kw=np.ones(2),
        energy_start_kwh=0.0,
        flexible_energy_kwh=0.5,
    )
    plan = ArbitragePlanner(2, Battery(0.0, 1.0, 1.0, 1.0, 0.8, 0.9), 1.0).plan(horizon)
    assert plan.p_battery_kw == pytest.approx([1.25, -0.9], abs=1e-12)
    assert plan.p_flexible_kw == pytest.approx([0.5, 0.0], abs=1e-12)
    assert plan.energy_kwh == pytest.approx([1.0, 0.0], abs=1e-12)
    assert plan.cost == pytest.approx(0.205, abs=1e-12)


def test_the_bill_by_hand_and_over_leading_axes() -> None:
    # Half-hours: 2 kW bought at 0.3 is 0.3; 4 kW sold at 0.1 earns 0.2.
    power = np.array([[2.0, -4.0], [0.0, -4.0]])
    bill = arbitrage_cost(power, np.array([0.3, 0.2]), np.array([0.1, 0.1]), 0.5)
    assert bill == pytest.approx([0.1, -0.2], abs=1e-15)


@pytest.mark.parametrize("due_kwh", [2.0, 6.0])
def test_unpaid_export_is_stored_for_own_use(due_kwh: float) -> None:
    """kappa = 0 and one price p: surplus is worth nothing sold, and p when used later.

    A lossless battery large enough, 4 kWh of surplus in the first hour, then a deficit of `due_kwh`: the bill is
    p * max(deficit - surplus, 0).
    """
    horizon = Horizon(
        price_buy=np.full(3, 0.25),
        price_sell=np.zeros(3),
        p_net_kw=np.array([-4.0, due_kwh / 2, due_kwh / 2]),
        flexible_min_kw=np.zeros(3),
        flexible_max_kw=np.zeros(3),
        energy_start_kwh=0.0,
        flexible_energy_kwh=0.0,
    )
    plan = ArbitragePlanner(3, LOSSLESS, 1.0).plan(horizon)
    assert plan.cost == pytest.approx(0.25 * max(due_kwh - 4.0, 0.0), abs=1e-12)


def test_one_price_for_all_leaves_a_lossy_battery_idle() -> None:
    horizon = a_horizon(price_buy=np.full(4, 0.2), price_sell=np.full(4, 0.2), energy_end_min_kwh=1.0)
    plan = ArbitragePlanner(4, BATTERY, STEP_H).plan(horizon)
    assert plan.p_battery_kw == pytest.approx(np.zeros(4), abs=1e-12)


def test_twice_the_price_is_twice_the_bill_of_the_same_plan() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        horizon = random_horizon(rng, 24, BATTERY)
        doubled = replace(horizon, price_buy=2 * horizon.price_buy, price_sell=2 * horizon.price_sell)
        once, twice = (ArbitragePlanner(24, BATTERY, STEP_H).plan(each) for each in (horizon, doubled))
        assert distance(once, twice) <= 1e-12
        assert twice.cost == pytest.approx(2 * once.cost, rel=1e-12, abs=1e-12)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 24), negative=st.booleans())
def test_a_plan_can_be_executed_minute_by_minute(seed: int, n: int, negative: bool) -> None:
    """Bounds, ramps, energies: the plan is held for fifteen control steps each, as the battery allows."""
    rng = np.random.default_rng(seed)
    battery = random_battery(rng)
    horizon = random_horizon(rng, min(n, 8) if negative else n, battery, negative=negative)
    plan = ArbitragePlanner(24, battery, STEP_H).plan(horizon)
    ratings = {name: np.array([value]) for name, value in vars(battery).items()}
    energy = np.array([horizon.energy_start_kwh])
    for step, planned in enumerate(plan.p_battery_kw):
        for _ in range(15):
            lo, hi = reachable_power(energy, STEP_H / 15, **ratings)
            # Rounding of the energy, some 1e-15 kWh, is a power of some 1e-13 kW over a minute.
            assert lo[0] - 1e-9 <= planned <= hi[0] + 1e-9
            power = np.array([planned])
            efficiencies = ratings["efficiency_charge"], ratings["efficiency_discharge"]
            energy = energy_after(energy, power, STEP_H / 15, *efficiencies)
        assert energy[0] == pytest.approx(plan.energy_kwh[step], abs=1e-12)
    assert battery.energy_min_kwh - 1e-9 <= plan.energy_kwh.min() <= plan.energy_kwh.max()
    assert plan.energy_kwh.max() <= battery.energy_max_kwh + 1e-9
    assert plan.energy_kwh[-1] >= (horizon.energy_end_min_kwh or 0.0) - 1e-9
    assert np.all(plan.p_flexible_kw >= horizon.flexible_min_kw - 1e-9)
    assert np.all(plan.p_flexible_kw <= horizon.flexible_max_kw + 1e-9)
    missed = STEP_H * plan.p_flexible_kw.sum() - horizon.flexible_energy_kwh
    assert abs(missed) <= horizon.flexible_slack_kwh + 1e-9
    meter = horizon.p_net_kw + plan.p_flexible_kw + plan.p_battery_kw
    assert plan.cost == arbitrage_cost(meter, horizon.price_buy, horizon.price_sell, STEP_H)


@pytest.mark.parametrize("price", [0.0, 0.2, 0.037])
def test_ties_leave_one_plan_wherever_the_solver_starts(price: float) -> None:
    """Equal prices: any order of charging and running costs the same. Cold, and from three unlike bases, one plan."""
    rng = np.random.default_rng(2)
    for kappa in (0.0, 0.5, 1.0):
        horizon = replace(
            random_horizon(rng, 96, BATTERY), price_buy=np.full(96, price), price_sell=np.full(96, kappa * price)
        )
        cold = ArbitragePlanner(96, BATTERY, STEP_H).plan(horizon)
        for _ in range(3):
            planner = ArbitragePlanner(96, BATTERY, STEP_H)
            planner.plan(random_horizon(rng, int(rng.integers(1, 97)), BATTERY))
            assert distance(planner.plan(horizon), cold) <= 1e-9


def test_without_tie_weights_the_plan_would_not_be_unique(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check above can fail."""
    monkeypatch.setattr("agents.prosumer.arbitrage.tie_weights", lambda n, step_h: np.zeros((3, n)))
    rng = np.random.default_rng(2)
    flat = replace(random_horizon(rng, 96, BATTERY), price_buy=np.full(96, 0.2), price_sell=np.full(96, 0.2))
    flat = replace(flat, flexible_max_kw=np.ones(96), flexible_energy_kwh=12.0)
    cold = ArbitragePlanner(96, BATTERY, STEP_H).plan(flat)
    planner = ArbitragePlanner(96, BATTERY, STEP_H)
    planner.plan(replace(flat, price_buy=flat.price_buy + rng.random(96)))
    warm = planner.plan(flat)
    assert warm.cost == pytest.approx(cold.cost, abs=1e-9)
    assert distance(warm, cold) > 0.1


@pytest.mark.parametrize("negative", [False, True])
def test_a_plan_from_the_last_basis_is_the_plan_from_none(negative: bool) -> None:
    rng = np.random.default_rng(3)
    warm = ArbitragePlanner(96, BATTERY, STEP_H)
    for _ in range(25):
        horizon = random_horizon(rng, int(rng.integers(1, 13 if negative else 97)), BATTERY, negative=negative)
        cold = ArbitragePlanner(96, BATTERY, STEP_H)
        assert distance(warm.plan(horizon), cold.plan(horizon)) <= 1e-9


def test_a_plan_that_comes_true_is_made_again_at_every_step() -> None:
    """The shrinking horizon, battery advanced minute by minute: each fresh optimum is the tail of the first plan."""
    rng = np.random.default_rng(4)
    for _ in range(3):
        horizon = random_horizon(rng, 96, BATTERY)
        planner = ArbitragePlanner(96, BATTERY, STEP_H)
        first = planner.plan(horizon)
        energy, due = np.array([horizon.energy_start_kwh]), horizon.flexible_energy_kwh
        for elapsed in range(1, 96):
            for _ in range(15):
                power = first.p_battery_kw[elapsed - 1 : elapsed]
                energy = energy_after(energy, power, STEP_H / 15, np.array([0.9]), np.array([0.8]))
                due -= STEP_H / 15 * float(first.p_flexible_kw[elapsed - 1])
            left = tail(horizon, elapsed, float(energy[0]), due)
            assert first.covers(left, elapsed)
            assert distance(first, planner.plan(left), skip=elapsed) <= 1e-9


def test_what_a_plan_does_not_cover() -> None:
    horizon = a_horizon()
    plan = ArbitragePlanner(4, BATTERY, STEP_H).plan(horizon)
    left = tail(horizon, 2, float(plan.energy_kwh[1]), 0.5 - STEP_H * float(plan.p_flexible_kw[:2].sum()))
    assert plan.covers(horizon, 0)
    assert plan.covers(left, 2)
    assert plan.covers(replace(left, energy_start_kwh=left.energy_start_kwh + 1e-12), 2)
    assert not plan.covers(left, 1)
    assert not plan.covers(horizon, 4)
    assert not plan.covers(horizon, -1)
    changes: list[dict[str, object]] = [
        {"energy_start_kwh": left.energy_start_kwh + 1e-6},
        {"energy_start_kwh": np.nan},
        {"flexible_energy_kwh": left.flexible_energy_kwh + 1e-6},
        {"flexible_slack_kwh": 1e-3},
        {"energy_end_min_kwh": 0.3},
        *({name: getattr(left, name) + np.array([0.0, 1e-9])} for name in ("price_buy", "price_sell", "p_net_kw")),
        *({name: getattr(left, name) + np.array([0.0, 1e-9])} for name in ("flexible_min_kw", "flexible_max_kw")),
    ]
    for change in changes:
        assert not plan.covers(replace(left, **change), 2), change  # type: ignore[arg-type]


def test_a_plan_keeps_what_it_was_made_for_when_the_caller_reuses_arrays() -> None:
    horizon = a_horizon()
    plan = ArbitragePlanner(4, BATTERY, STEP_H).plan(horizon)
    horizon.p_net_kw[3] += 1.0
    assert not plan.covers(horizon, 0)


def test_planners_in_threads_plan_as_they_do_alone() -> None:
    rng = np.random.default_rng(5)
    horizons = [random_horizon(rng, 48, BATTERY) for _ in range(16)]
    alone = [ArbitragePlanner(48, BATTERY, STEP_H).plan(horizon) for horizon in horizons]
    planners = [ArbitragePlanner(48, BATTERY, STEP_H) for _ in horizons]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda pair: pair[0].plan(pair[1]), zip(planners, horizons, strict=True)))
    assert all(distance(one, other) == 0 for one, other in zip(alone, together, strict=True))


def test_a_planner_works_where_other_code_has_made_highs_use_two_threads() -> None:
    """HiGHS then refuses to run with one; a new thread, since the setting is each thread's own."""
    plans: list[Plan] = []

    def plan_after_two_threads() -> None:
        other = highspy.Highs()
        other.setOptionValue("output_flag", False)
        other.setOptionValue("threads", 2)
        other.addVar(0.0, 1.0)
        other.run()
        plans.append(ArbitragePlanner(4, BATTERY, STEP_H).plan(a_horizon()))

    thread = Thread(target=plan_after_two_threads)
    thread.start()
    thread.join()
    assert distance(plans[0], ArbitragePlanner(4, BATTERY, STEP_H).plan(a_horizon())) == 0
