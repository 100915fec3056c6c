"""When generators run: against every possible choice, and what holds of every commitment."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from agents.errors import PlanError
from agents.facility import (
    PLANTS,
    Boiler,
    Cogenerator,
    Commitment,
    CommitmentOptions,
    ElectricChiller,
    Fuel,
    Needs,
    Plant,
    Store,
)
from agents.terms import Terms
from cosim.facility_loads import facility_needs
from tests.agents.facility_cases import ENGINE, MONDAY, check, needs, planner, powered, terms, time_of_use

FUEL = Fuel(0.04, 0.2)
EXACT = CommitmentOptions(window_h=1000.0, look_ahead_h=0.0, gap=0.0)

STORED = Plant(
    generator=ENGINE,
    fuel_cell=Cogenerator(6.0, 0.5, 0.3, om_per_kwh=0.02, min_load_share=0.6, start_cost=0.4),
    boiler=Boiler(30.0, 0.8),
    hot=Store(20.0, 0.9, 0.9, 0.02, 1.0, 1.0),
    battery=Store(6.0, 0.95, 0.95, 0.001, 0.8, 0.8, 0.1),
)


def cheapest_choice(plant: Plant, need: Needs, tariff: Terms) -> float:
    """The least cost over all ways to switch all generators in every step."""
    found, names = np.inf, list(plant.generators)
    n = need.n_steps
    for choice in product((False, True), repeat=n * len(names)):
        one = planner(plant, need, fuel=FUEL)
        on = np.array(choice).reshape(len(names), n)
        one.commitment = Commitment(dict(zip(names, on, strict=True)), 0.0)
        try:
            schedule = one.plan(tariff)
        except PlanError:
            continue
        found = min(found, one.costs(schedule, tariff).total)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_the_commitment_is_the_cheapest_of_all_choices(seed: int) -> None:
    rng = np.random.default_rng(seed)
    need = needs(4, 1.0, electric_kw=rng.uniform(2, 20, 4), heat_kw=rng.uniform(0, 15, 4))
    tariff = terms(rng.uniform(0.03, 0.3, 4))
    one = planner(STORED, need, fuel=FUEL, commitment=EXACT)
    schedule = one.plan(tariff)
    check(schedule)
    assert one.costs(schedule, tariff).total == pytest.approx(cheapest_choice(STORED, need, tariff), abs=1e-6)


def test_the_brute_force_has_both_running_and_resting_choices() -> None:
    """So that the comparison above is not won by never running."""
    seen = set()
    for seed in range(4):
        rng = np.random.default_rng(seed)
        need = needs(4, 1.0, electric_kw=rng.uniform(2, 20, 4), heat_kw=rng.uniform(0, 15, 4))
        on = planner(STORED, need, fuel=FUEL, commitment=EXACT).commit(terms(rng.uniform(0.03, 0.3, 4))).on
        seen |= {bool(step) for steps in on.values() for step in steps}
    assert seen == {False, True}


@pytest.mark.parametrize(("gap_h", "starts"), [(1, 1), (6, 2)])
def test_a_start_is_saved_by_running_through_a_short_pause(gap_h: int, starts: int) -> None:
    """Running at its least, 5 kW, loses (0.11 - 0.05) * 5 = 0.30 an hour; a start costs 1."""
    price = np.concatenate([np.full(6, 0.5), np.full(gap_h, 0.05), np.full(6, 0.5)])
    one = planner(powered(), needs(price.size, electric_kw=20.0), fuel=FUEL, commitment=EXACT)
    schedule = one.plan(terms(price))
    check(schedule)
    assert schedule.starts == {"generator": starts}
    assert one.costs(schedule, terms(price)).starts == starts
    made = schedule.flows.generator_kw
    assert all(np.isclose(kw, 0.0, atol=1e-9) or kw >= 5.0 - 1e-9 for kw in made)
    assert made[6] == pytest.approx(5.0 if starts == 1 else 0.0, abs=1e-9)


def test_without_commitment_a_generator_runs_below_its_least_load() -> None:
    need = needs(1, electric_kw=2.0)
    relaxed = planner(powered(), need, fuel=FUEL, commitment=None).plan(terms([5.0]))
    assert relaxed.flows.generator_kw == pytest.approx([2.0], abs=1e-9)
    assert relaxed.starts == {}
    # No export and a least load of 5 kW: nothing takes the other 3.
    committed = planner(powered(), need, fuel=FUEL).plan(terms([5.0]))
    assert committed.flows.generator_kw == pytest.approx([0.0], abs=1e-9)


def test_windows_carry_on_what_runs_and_what_is_stored() -> None:
    """Two windows of six hours; the second begins with the generator on, and pays for no start."""
    price = np.full(12, 0.5)
    options = CommitmentOptions(window_h=6.0, look_ahead_h=0.0, gap=0.0)
    one = planner(STORED, needs(12, electric_kw=15.0, heat_kw=10.0), fuel=FUEL, commitment=options)
    schedule = one.plan(terms(price))
    check(schedule)
    assert schedule.starts == {"fuel_cell": 1, "generator": 1}
    assert schedule.stores["hot"].energy_kwh[0] == pytest.approx(schedule.stores["hot"].energy_kwh[-1], abs=1e-9)


def test_a_generator_that_runs_needs_no_start_in_the_next_window() -> None:
    """10 kW at 0.15 instead of 0.11 earn 0.8 in two hours: less than a start, so worth it only for who runs already."""
    options = CommitmentOptions(window_h=2.0, look_ahead_h=0.0, gap=0.0)
    need = needs(4, electric_kw=20.0)
    running = planner(powered(), need, fuel=FUEL, commitment=options).commit(terms([0.5, 0.5, 0.15, 0.15]))
    assert running.on["generator"].all()
    resting = planner(powered(), need, fuel=FUEL, commitment=options).commit(terms([0.1, 0.1, 0.15, 0.15]))
    assert not resting.on["generator"].any()


def test_later_signals_do_not_change_when_generators_run() -> None:
    need = needs(4, electric_kw=20.0)
    one = planner(powered(), need, fuel=FUEL)
    first = one.plan(terms([0.5, 0.5, 0.01, 0.01]))
    again = one.plan(terms([0.01, 0.01, 0.5, 0.5]))
    assert np.array_equal(first.on["generator"], [True, True, False, False])
    assert np.array_equal(again.on["generator"], first.on["generator"])
    assert again.flows.generator_kw == pytest.approx([5.0, 5.0, 0.0, 0.0], abs=1e-9)
    one.release()
    assert np.array_equal(one.plan(terms([0.01, 0.01, 0.5, 0.5])).on["generator"], [False, False, True, True])


def test_quarter_hours_are_decided_where_hours_leave_no_plan() -> None:
    """Load for the generator's least power on the mean of the hour, but not in its last quarter."""
    electric = np.tile([20.0, 20.0, 20.0, 1.0], 2)
    one = planner(powered(start_cost=0.0), needs(8, 0.25, electric_kw=electric), fuel=FUEL)
    schedule = one.plan(terms(np.full(8, 5.0), step_h=0.25))
    check(schedule)
    assert np.array_equal(schedule.on["generator"], electric > 5.0)


def test_a_peak_that_is_paid_for_anyway_is_free_in_every_window() -> None:
    """The generator could hold the second day's peak down for nothing gained: the first day's is as high."""
    plant = replace(powered(start_cost=0.0), boiler=None, chiller=ElectricChiller(10.0, 2.0))
    electric = np.array([40.0, 20.0, 20.0, 30.0])
    tariff = terms([0.05] * 4, windows=[[1, 1, 1, 1]], demand=[0.6])
    options = CommitmentOptions(window_h=2.0, look_ahead_h=0.0, gap=0.0)
    one = planner(plant, needs(4, electric_kw=electric), fuel=FUEL, commitment=options)
    schedule = one.plan(tariff)
    # 10 kW for an hour cost 0.6 more than bought ones and save 6 of the first peak, 30 kW; then 30 is free.
    assert np.array_equal(schedule.on["generator"], [True, False, False, False])
    assert schedule.p_kw == pytest.approx([30.0, 20.0, 20.0, 30.0], abs=1e-9)


def test_coarse_steps_divide_the_horizon() -> None:
    options = CommitmentOptions(step_h=1.0)
    assert [options.coarseness(n, 0.25) for n in (96, 98, 99, 97)] == [4, 2, 3, 1]
    assert options.coarseness(24, 1.0) == 1
    assert options.coarseness(24, 2.0) == 1


def test_no_choice_without_a_plan_is_made_up() -> None:
    """Heat for 5 kW of a boiler of 4 needs the generator, whose least electricity nobody takes."""
    plant = replace(powered(), boiler=Boiler(4.0, 0.8))
    need = needs(1, electric_kw=1.0, heat_kw=5.0)
    with pytest.raises(PlanError, match="least loads"):
        planner(plant, need).plan(terms([0.1]))


def test_mesa_del_sol_commits_always_alike() -> None:
    need, tariff = facility_needs(MONDAY.date(), 1, seed=1)["Mesa del Sol"], time_of_use(96)
    first, again = (planner(PLANTS["Mesa del Sol"], need) for _ in range(2))
    schedule = first.plan(tariff)
    check(schedule)
    assert first.commitment is not None
    assert first.commitment.gap <= 1e-3
    assert sum(schedule.starts.values()) >= 1
    assert all(np.array_equal(on, first.commitment.on[name]) for name, on in again.commit(tariff).on.items())
    relaxed = planner(PLANTS["Mesa del Sol"], need, commitment=None)
    bound = relaxed.costs(relaxed.plan(tariff), tariff).total
    assert bound < first.costs(schedule, tariff).total < 1.1 * bound


def test_rolling_hours_cost_little_more_than_one_search_in_half_hours() -> None:
    """Two days at Mesa del Sol; the searches end within 0.1 % and 0.2 % of their best."""
    need, tariff = facility_needs(MONDAY.date(), 2, seed=1)["Mesa del Sol"], time_of_use(192)
    whole = CommitmentOptions(step_h=0.5, window_h=48.0, look_ahead_h=0.0, gap=2e-3)
    costs = []
    for options in (CommitmentOptions(), whole):
        one = planner(PLANTS["Mesa del Sol"], need, commitment=options)
        costs.append(one.costs(one.plan(tariff), tariff).total)
    assert costs[0] <= 1.002 * costs[1]
