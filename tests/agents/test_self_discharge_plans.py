"""Plans with self-discharge: the same from both planners, as cheap as elsewhere, and come true in control steps."""

from __future__ import annotations

from dataclasses import replace

import mesa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.prosumer import (
    ArbitragePlanner,
    Battery,
    DynamicProgramPlanner,
    Horizon,
    PerfectForecast,
    Plan,
    Population,
    Prosumer,
)
from agents.prosumer.plan import UnreachableError
from agents.prosumer.ties import tie_weights
from tests.agents.arbitrage_cases import STEP_H, random_battery, random_horizon, tail
from tests.agents.dynamic_program_cases import N_STEPS, cornered_horizon, decaying_case, same_choice, wide_battery
from tests.agents.published_form import exact_cost, published_cost
from tests.agents.test_arbitrage_exact import tolerance
from tests.agents.test_dynamic_program import distance, solved
from tests.agents.test_dynamic_program_properties import any_plan, bill_and_ties
from tests.agents.test_planning import DAY, N, assets, forecast, planning, window, world
from tests.agents.test_self_discharge import after

SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=250)
@given(seed=SEEDS)
def test_both_planners_make_the_same_plan(seed: int) -> None:
    """To 1e-9 of the bill, and for the rest as `same_choice` says."""
    battery, horizon = decaying_case(np.random.default_rng(seed))
    lp, dynamic = (kind(N_STEPS, battery, STEP_H).plan(horizon) for kind in (ArbitragePlanner, DynamicProgramPlanner))
    scale = max(abs(lp.cost), float(horizon.price_buy.mean()))
    assert dynamic.cost == pytest.approx(lp.cost, rel=0, abs=1e-9 * scale)
    assert same_choice(dynamic, lp, tie_weights(N_STEPS, STEP_H))


@settings(max_examples=60)
@given(seed=SEEDS)
def test_the_bill_is_that_of_the_published_form_in_another_solver(seed: int) -> None:
    """GLPK on dense rows, with the energy of all earlier steps decayed in closed form."""
    rng = np.random.default_rng(seed)
    battery, horizon = decaying_case(rng)
    n = min(len(horizon.price_buy), 20)
    start = horizon.energy_start_kwh
    horizon = random_horizon(rng, n, battery)
    horizon = replace(horizon, energy_start_kwh=start, energy_end_min_kwh=None)
    # Of plans without ties: what the weights leave unearned, up to 2e-6 of the mean price per kWh, is more than 1e-7.
    plan = DynamicProgramPlanner(N_STEPS, battery, STEP_H).plan(horizon, np.zeros((3, N_STEPS)))
    expected = published_cost(horizon, battery, STEP_H)
    assert plan.cost == pytest.approx(expected, rel=0, abs=tolerance(expected, horizon))


def test_the_optimum_is_exact_where_prices_are_negative() -> None:
    rng = np.random.default_rng(7)
    proofs = []
    for _ in range(100):
        battery = replace(random_battery(rng), self_discharge_per_h=float(rng.choice([0.002, 0.05, 0.3])))
        horizon = random_horizon(rng, int(rng.integers(1, 9)), battery, negative=True)
        horizon = replace(horizon, energy_end_min_kwh=None)
        plan = ArbitragePlanner(10, battery, STEP_H).plan(horizon)
        expected = exact_cost(horizon, battery, STEP_H)
        assert plan.cost == pytest.approx(expected, rel=0, abs=tolerance(expected, horizon))
        proofs.append(plan.exact)
    assert min(proofs.count("lp"), proofs.count("milp")) >= 5
    assert proofs.count("limit") == 0


@settings(max_examples=80)
@given(seed=SEEDS, exact=st.booleans())
def test_a_plan_comes_true_minute_by_minute_and_covers_its_tail(seed: int, exact: bool) -> None:
    """Fifteen control steps reach the energy of the market step, far nearer than what would make a plan anew."""
    battery, horizon = decaying_case(np.random.default_rng(seed))
    planner = (ArbitragePlanner if exact else DynamicProgramPlanner)(N_STEPS, battery, STEP_H)
    plan, energy, due = planner.plan(horizon), horizon.energy_start_kwh, horizon.flexible_energy_kwh
    for step, power in enumerate(plan.p_battery_kw.tolist()):
        assert plan.covers(tail(horizon, step, energy, due), step)
        for _ in range(15):
            energy = after(battery, energy, power, STEP_H / 15)
            assert battery.energy_min_kwh - 1e-9 <= energy <= battery.energy_max_kwh + 1e-9
        assert energy == pytest.approx(plan.energy_kwh[step], rel=0, abs=2e-12)
        due -= STEP_H * float(plan.p_flexible_kw[step])
    assert energy >= (horizon.energy_end_min_kwh or 0.0) - 1e-9


@settings(max_examples=60)
@given(seed=SEEDS)
def test_no_plan_at_random_costs_less(seed: int) -> None:
    """Random feasible plans of the same battery without decay, their power cut to what keeps them feasible with it."""
    rng = np.random.default_rng(seed)
    battery, horizon = decaying_case(rng)
    horizon = replace(horizon, energy_end_min_kwh=None)
    plan = DynamicProgramPlanner(N_STEPS, battery, STEP_H).plan(horizon)
    best = sum(bill_and_ties(horizon, plan.p_battery_kw, plan.p_flexible_kw, plan.energy_kwh))
    rounding = 1e-10 * max(float(horizon.price_buy.mean()), 1e-3)
    for _ in range(5):
        power, flexible, _ = any_plan(rng, horizon, replace(battery, self_discharge_per_h=0.0))
        energy, energies = horizon.energy_start_kwh, []
        for step, wish in enumerate(power.tolist()):
            rest, full = (after(battery, energy, p, STEP_H) for p in (0.0, wish))
            bound = min(max(full, battery.energy_min_kwh), battery.energy_max_kwh)
            power[step] = wish * ((bound - rest) / (full - rest) if full != rest else 0.0)
            energy = after(battery, energy, float(power[step]), STEP_H)
            energies.append(energy)
        assert best <= sum(bill_and_ties(horizon, power, flexible, np.array(energies))) + rounding


def test_a_plan_from_any_price_of_flexible_energy_is_the_plan_from_none() -> None:
    """To rounding, 1e-12 kW and kWh: with decay breakpoints are rounded to the grid on the way."""
    rng = np.random.default_rng(11)
    for _ in range(150):
        battery, horizon = decaying_case(rng)
        cold, found = solved(horizon, battery, np.nan)
        for begin in (found, 0.7 * found + 0.01, 1.1 * found, -1.0, np.inf, -np.inf):
            warm, _ = solved(horizon, battery, begin)
            assert warm == pytest.approx(cold, rel=0, abs=1e-12)


def night(battery: Battery, **changes: object) -> tuple[Plan, Plan]:
    """Eight hours at 0.1, then an hour at 0.3 with a load of 1 kW; planned both ways."""
    horizon = Horizon(
        price_buy=np.repeat([0.1, 0.3], [8, 1]),
        price_sell=np.zeros(9),
        p_net_kw=np.repeat([0.2, 1.0], [8, 1]),
        flexible_min_kw=np.zeros(9),
        flexible_max_kw=np.zeros(9),
        energy_start_kwh=0.0,
        flexible_energy_kwh=0.0,
    )
    horizon = replace(horizon, **changes)  # type: ignore[arg-type]
    return ArbitragePlanner(9, battery, 1.0).plan(horizon), DynamicProgramPlanner(9, battery, 1.0).plan(horizon)


def test_a_battery_that_loses_energy_charges_as_late_as_it_can() -> None:
    """1 kWh is wanted by the end of the night, at 0.6 kW: the last hour at full power, the rest in the one before.

    A rate of 0.1 keeps 0.9 of an hour's energy; a kW held for an hour leaves g = 0.1 / ln(1 / 0.9) kWh. The last hour
    takes 1 kW out: g kWh must be there once 0.9 of what was stored is left.
    """
    g = 0.1 / np.log(1 / 0.9)
    wanted = g / 0.9  # at the end of the night
    before = (wanted - 0.6 * g) / (0.9 * g)
    for plan in night(Battery(0.0, 2.0, 0.6, 1.0, 1.0, 1.0, 0.1)):
        assert plan.p_battery_kw == pytest.approx([0, 0, 0, 0, 0, 0, before, 0.6, -1.0], abs=1e-9)
        assert plan.energy_kwh[-1] == pytest.approx(0.0, abs=1e-9)
        assert plan.cost == pytest.approx(0.1 * (8 * 0.2 + before + 0.6), abs=1e-9)


@pytest.mark.parametrize(("rate", "worth_it"), [(0.66, True), (0.68, False)])
def test_a_battery_that_loses_more_than_prices_differ_stays_empty(rate: float, worth_it: bool) -> None:
    """Prices of 1 to 3: what is stored in an hour and given in the next loses its rate; worth it below 2/3."""
    for plan in night(Battery(0.0, 2.0, 2.0, 1.0, 1.0, 1.0, rate)):
        assert (plan.p_battery_kw[7] > 0.1) == worth_it
        assert plan.p_battery_kw[:7] == pytest.approx(np.zeros(7), abs=1e-9)


def test_a_battery_that_must_end_as_it_began_makes_up_for_what_it_lost() -> None:
    """Nine hours at one price with 1 kWh to begin and end with: the least energy is drawn when it is drawn last.

    0.9^9 kWh are left, so 1 - 0.9^9 kWh are stored in the last hour, at g kWh per kW.
    """
    g = 0.1 / np.log(1 / 0.9)
    changes = {
        "price_buy": np.full(9, 0.1),
        "energy_start_kwh": 1.0,
        "energy_end_min_kwh": 1.0,
        "p_net_kw": np.zeros(9),
    }
    for plan in night(Battery(0.0, 2.0, 2.0, 1.0, 1.0, 1.0, 0.1), **changes):
        assert plan.p_battery_kw == pytest.approx([0] * 8 + [(1 - 0.9**9) / g], abs=1e-9)


def test_an_end_that_the_ramp_cannot_hold_is_said_in_numbers() -> None:
    """0.05 kW against a loss of ln(1 / 0.9) * 1 kWh = 0.105 kW: 0.9^9 + (1 - 0.9^9) * 0.05 / 0.105 kWh at most."""
    highest = 0.9**9 + (1 - 0.9**9) * 0.05 / np.log(1 / 0.9)
    with pytest.raises(UnreachableError, match="battery energy at the end") as caught:
        night(Battery(0.0, 2.0, 0.05, 1.0, 1.0, 1.0, 0.1), energy_start_kwh=1.0, energy_end_min_kwh=1.0)
    assert caught.value.highest_kwh == pytest.approx(highest, rel=1e-12)


@pytest.mark.parametrize("rolling", [False, True])
def test_columns_plan_as_each_agent_does_and_once_a_day(rolling: bool) -> None:
    """Run in control steps of a minute: what comes true is not planned again."""
    rate = np.random.default_rng(4).choice([0.0, 0.001, 0.01, 0.1], N)
    owned = replace(assets(), self_discharge_per_h=rate)
    signals = world()
    columns, agents = Population(owned), Population(owned)
    prosumers = [Prosumer(mesa.Model(rng=1), agents, row) for row in range(N)]
    together = planning(columns)
    for now in range(2 * DAY):
        for population in (columns, agents):
            population.begin(signals, now, STEP_H)
        assert len(together.plan(PerfectForecast(signals), signals, window(now, rolling))) == 0
        for prosumer in prosumers:
            prosumer.plan(forecast("perfect", signals), signals, window(now, rolling))
        assert columns.p_battery_plan_kw == pytest.approx(agents.p_battery_plan_kw, abs=1e-7)
        assert np.array_equal(columns.status, agents.status)
        agents.p_battery_plan_kw[:] = columns.p_battery_plan_kw
        agents.p_flexible_kw[:] = columns.p_flexible_kw
        for population in (columns, agents):
            population.p_battery_kw[:] = population.p_battery_plan_kw
            for _ in range(15):
                population.deliver(STEP_H / 15)
    if not rolling:
        assert (columns.n_plans_program == 2).all()


def test_without_self_discharge_nothing_changes() -> None:
    """A rate of 0 against formulas written out without it, to the last bit."""
    rng = np.random.default_rng(3)
    for _ in range(100):
        battery = wide_battery(rng)
        horizon = cornered_horizon(rng, battery)
        plan = DynamicProgramPlanner(N_STEPS, battery, STEP_H).plan(horizon)
        energy = horizon.energy_start_kwh
        for power in plan.p_battery_kw.tolist():
            stored = power * battery.efficiency_charge if power > 0 else power / battery.efficiency_discharge
            expected = energy + STEP_H * stored
            energy = after(battery, energy, power, STEP_H)
            assert energy == expected


def test_where_all_is_free_ties_alone_choose_and_decay_with_the_energy() -> None:
    """Prices of zero, and a battery that must end with more than it has: when it charges is a matter of ties."""
    rng = np.random.default_rng(12)
    for _ in range(500):
        battery = Battery(0.2, 4.0, 1.0, 1.0, 0.9, 0.9, float(rng.uniform(0.01, 0.5)))
        n = int(rng.integers(4, N_STEPS + 1))
        horizon = replace(random_horizon(rng, n, battery), price_buy=np.zeros(n), price_sell=np.zeros(n))
        horizon = replace(horizon, energy_start_kwh=0.3, energy_end_min_kwh=float(rng.uniform(0.3, 0.8)))
        both = ArbitragePlanner(N_STEPS, battery, STEP_H), DynamicProgramPlanner(N_STEPS, battery, STEP_H)
        lp, dynamic = (planner.plan(horizon) for planner in both)
        assert distance(dynamic, lp) <= 1e-8
