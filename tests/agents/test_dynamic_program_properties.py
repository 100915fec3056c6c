"""What a plan by dynamic programming must be, whatever the numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.prosumer.arbitrage import Horizon, Plan, arbitrage_cost
from agents.prosumer.battery import Battery
from agents.prosumer.correction import energy_after
from agents.prosumer.dynamic_program import DynamicProgramPlanner
from agents.prosumer.ties import FLEXIBLE, HOLDING, THROUGHPUT, price_scale, tie_weights
from tests.agents.arbitrage_cases import STEP_H, tail
from tests.agents.dynamic_program_cases import N_STEPS, cornered_horizon, wide_battery

Array = npt.NDArray[np.float64]

SEEDS = st.integers(0, 2**32 - 1)


def planned(seed: int) -> tuple[np.random.Generator, Battery, Horizon, Plan]:
    rng = np.random.default_rng(seed)
    battery = wide_battery(rng)
    horizon = cornered_horizon(rng, battery)
    return rng, battery, horizon, DynamicProgramPlanner(N_STEPS, battery, STEP_H).plan(horizon)


def stored(p_battery_kw: Array, start_kwh: float, battery: Battery) -> Array:
    """Energy at the end of each step, by the battery's own arithmetic."""
    energy, after = np.array([start_kwh]), []
    for power in p_battery_kw:
        efficiencies = np.array([battery.efficiency_charge]), np.array([battery.efficiency_discharge])
        energy = energy_after(energy, np.array([power]), STEP_H, *efficiencies)
        after.append(float(energy[0]))
    return np.array(after)


def bill_and_ties(horizon: Horizon, battery_kw: Array, flexible_kw: Array, energy_kwh: Array) -> tuple[float, float]:
    """The bill and what the tie weights add to it [currency]."""
    meter = horizon.p_net_kw + flexible_kw + battery_kw
    ties = tie_weights(N_STEPS, STEP_H)[:, N_STEPS - len(meter) :]
    added = ties[THROUGHPUT] @ np.abs(battery_kw) + ties[FLEXIBLE] @ flexible_kw + ties[HOLDING] @ energy_kwh
    bill = float(arbitrage_cost(meter, horizon.price_buy, horizon.price_sell, STEP_H))
    return bill, float(added) / price_scale(horizon.price_buy, horizon.price_sell)


@settings(max_examples=300)
@given(seed=SEEDS)
def test_a_plan_keeps_every_bound_and_the_energies_close(seed: int) -> None:
    """To rounding, 1e-12 kW and kWh. There is one power per step, so that it never charges and discharges at once."""
    _, battery, horizon, plan = planned(seed)
    energy = stored(plan.p_battery_kw, horizon.energy_start_kwh, battery)
    assert plan.energy_kwh == pytest.approx(energy, rel=0, abs=1e-12)
    assert battery.energy_min_kwh - 1e-14 <= plan.energy_kwh.min() <= plan.energy_kwh.max()
    assert plan.energy_kwh.max() <= battery.energy_max_kwh + 1e-14
    assert plan.energy_kwh[-1] >= (horizon.energy_end_min_kwh or 0.0) - 1e-12
    assert plan.p_battery_kw.max() <= battery.p_charge_max_kw / battery.efficiency_charge + 1e-12
    assert plan.p_battery_kw.min() >= -battery.p_discharge_max_kw * battery.efficiency_discharge - 1e-12
    assert np.all(plan.p_flexible_kw >= horizon.flexible_min_kw)
    assert np.all(plan.p_flexible_kw <= horizon.flexible_max_kw)
    missed = STEP_H * plan.p_flexible_kw.sum() - horizon.flexible_energy_kwh
    assert abs(missed) <= horizon.flexible_slack_kwh + 1e-12
    assert plan.cost == bill_and_ties(horizon, plan.p_battery_kw, plan.p_flexible_kw, plan.energy_kwh)[0]


def any_plan(rng: np.random.Generator, horizon: Horizon, battery: Battery) -> tuple[Array, Array, Array]:
    """Battery power, flexible power and energy of a random plan that keeps every bound."""
    n, energy = len(horizon.price_buy), horizon.energy_start_kwh
    charge, discharge = STEP_H * battery.p_charge_max_kw, STEP_H * battery.p_discharge_max_kw
    end = battery.energy_min_kwh if horizon.energy_end_min_kwh is None else horizon.energy_end_min_kwh
    power = np.zeros(n)
    for step in range(n):
        lowest = max(battery.energy_min_kwh, energy - discharge, end - (n - 1 - step) * charge)
        highest = max(min(battery.energy_max_kwh, energy + charge), lowest)
        after = rng.choice([lowest, highest, rng.uniform(lowest, highest), min(max(energy, lowest), highest)])
        moved, energy = after - energy, after
        efficiency = 1 / battery.efficiency_charge if moved > 0 else battery.efficiency_discharge
        power[step] = moved / STEP_H * efficiency
    # Fill a random order of steps until the energy due is there.
    flexible, left = horizon.flexible_min_kw.copy(), horizon.flexible_energy_kwh / STEP_H
    left -= float(flexible.sum())
    for step in rng.permutation(n):
        taken = min(max(left, 0.0), float(horizon.flexible_max_kw[step] - flexible[step]))
        flexible[step] += taken
        left -= taken
    return power, flexible, stored(power, horizon.energy_start_kwh, battery)


@settings(max_examples=300)
@given(seed=SEEDS)
def test_no_plan_at_random_costs_less(seed: int) -> None:
    """Ties counted, to 1e-10 of a kWh's mean price for rounding of some 100 kWh."""
    rng, battery, horizon, plan = planned(seed)
    best = sum(bill_and_ties(horizon, plan.p_battery_kw, plan.p_flexible_kw, plan.energy_kwh))
    rounding = 1e-10 * max(float(horizon.price_buy.mean()), 1e-3)
    for _ in range(5):
        assert best <= sum(bill_and_ties(horizon, *any_plan(rng, horizon, battery))) + rounding


@settings(max_examples=200)
@given(seed=SEEDS, dearer=st.booleans())
def test_the_bill_grows_with_buying_prices_and_falls_with_selling_prices(seed: int, dearer: bool) -> None:
    """The plan for the worse prices costs no more at the better ones, but for what ties add to it."""
    rng, battery, better, plan = planned(seed)
    raise_by = rng.random(len(better.price_buy)) * rng.choice([0.0, 0.1, 1.0], len(better.price_buy))
    if dearer:
        worse = replace(better, price_buy=better.price_buy * (1 + raise_by))
    else:
        worse = replace(better, price_sell=better.price_sell * (1 - raise_by))
    other = DynamicProgramPlanner(N_STEPS, battery, STEP_H).plan(worse)
    _, ties = bill_and_ties(better, other.p_battery_kw, other.p_flexible_kw, other.energy_kwh)
    assert plan.cost <= other.cost + ties + 1e-12


@settings(max_examples=60)
@given(seed=SEEDS)
def test_the_tail_of_a_plan_is_the_plan_of_the_tail(seed: int) -> None:
    """Bellman's principle, with the energies as executed; the tie weights of the later steps stay what they were.

    To 1e-9 kW and kWh. Not where the tail's prices are scaled otherwise: ties then weigh more or less against them.
    """
    rng, battery, horizon, plan = planned(seed)
    planner = DynamicProgramPlanner(N_STEPS, battery, STEP_H)
    n = len(horizon.price_buy)
    for elapsed in sorted(set(rng.integers(1, n, size=5).tolist())) if n > 1 else []:
        energy = float(stored(plan.p_battery_kw[:elapsed], horizon.energy_start_kwh, battery)[-1])
        due = horizon.flexible_energy_kwh - STEP_H * float(plan.p_flexible_kw[:elapsed].sum())
        left = tail(horizon, elapsed, energy, due)
        assert plan.covers(left, elapsed)
        scales = {price_scale(each.price_buy, each.price_sell) for each in (horizon, left)}
        if len(scales) > 1:
            continue
        fresh = planner.plan(left)
        assert fresh.energy_kwh == pytest.approx(plan.energy_kwh[elapsed:], rel=0, abs=1e-9)
        assert fresh.p_battery_kw == pytest.approx(plan.p_battery_kw[elapsed:], rel=0, abs=1e-9)
        assert fresh.p_flexible_kw == pytest.approx(plan.p_flexible_kw[elapsed:], rel=0, abs=1e-9)
