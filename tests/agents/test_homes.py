"""Households asked for plans: the cheapest, each by itself, kept where none can be made, and mixed to what holds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.customers import Customers
from agents.prosumer import ArbitragePlanner, Homes, PerfectForecast, Population, Window
from agents.prosumer.assets import battery_of
from agents.prosumer.commitment import mixed_power
from agents.prosumer.demand import Demand
from agents.terms import Terms
from cosim import CoSimulation, Scenario
from cosim.build import build_feeder
from feeders.errors import InputError
from tests.agents.homes_cases import (
    STEP_H,
    T,
    columns,
    energies,
    homes,
    horizon_of,
    least_bill,
    some_homes,
    some_terms,
    some_world,
)

Array = npt.NDArray[np.float64]


def test_homes_are_customers_and_the_others_background() -> None:
    asked: Customers = homes(4)
    assert isinstance(asked, Homes)
    assert (asked.names, asked.buses) == (["home-0", "home-1", "home-2"], [10, 11, 12])
    assert (asked.rows.tolist(), asked.fixed_rows.tolist()) == ([0, 1, 2], [3])
    world = some_world(4, 1)
    p_kw, q_kvar = asked.fixed_power()
    # Load of which a fifth is flexible, and no more sun than an inverter of 1.5 kVA passes.
    load = (world.p_load_kw + world.p_flexible_kw)[:, 3:]
    assert np.array_equal(p_kw, load - np.minimum(world.p_pv_kw[:, 3:], 1.5))
    assert world.p_pv_kw[:, 3].max() > 1.5
    assert q_kvar == pytest.approx(-world.q_load_kvar[:, 3:], abs=1e-15)
    some = homes(4, rows=[3, 1])
    assert (some.names, some.fixed_rows.tolist()) == (["home-1", "home-3"], [0, 2])


@pytest.mark.parametrize("planner", ["auto", "highs"])
@pytest.mark.parametrize("refill", [False, True])
def test_a_response_is_each_homes_own_cheapest_plan(refill: bool, planner: str) -> None:
    asked, owned, world, terms = (
        homes(refill=refill, planner=planner),
        some_homes(6, 1),
        some_world(6, 1),
        some_terms(5, 3),
    )
    response = asked.respond(terms)
    asked.adopt(np.ones((1, 5)))
    battery, flexible = asked.committed()
    for k in range(5):
        plan = ArbitragePlanner(T, battery_of(owned, k), STEP_H).plan(horizon_of(k, owned, world, terms, refill))
        assert battery[:, k] == pytest.approx(plan.p_battery_kw, abs=1e-7)
        assert flexible[:, k] == pytest.approx(plan.p_flexible_kw, abs=1e-7)
        assert terms.bills(response.p_kw)[k] == pytest.approx(plan.cost, abs=1e-9)
    net = (world.p_load_kw - world.p_pv_kw)[:, :5]
    assert response.p_kw == pytest.approx(net + battery + flexible, abs=1e-12)
    assert response.q_kvar == pytest.approx(-world.q_load_kvar[:, :5], abs=1e-15)
    assert not response.kept.any() and not response.other_cost.any()


def test_threads_and_who_else_is_there_change_nothing() -> None:
    owned, world, terms = some_homes(80, 2), some_world(80, 2), some_terms(79, 4)
    window = Window(0, T, T, STEP_H, refill=True)
    everyone = Homes(Population(owned), PerfectForecast(world), world, window).respond(terms).p_kw
    with ThreadPoolExecutor(3) as pool:
        threaded = Homes(Population(owned), PerfectForecast(world), world, window, pool=pool, threads=3).respond(terms)
    assert np.array_equal(threaded.p_kw, everyone)
    who = [40, 3, 17]
    few = Homes(Population(columns(owned, who)), PerfectForecast(columns(world, who)), columns(world, who), window)
    assert np.array_equal(few.respond(terms.of(np.array(who))).p_kw, everyone[:, who])
    some = Homes(Population(owned), PerfectForecast(world), world, window, rows=[3, 17, 40])
    assert np.array_equal(some.respond(terms.of(np.array([3, 17, 40]))).p_kw, everyone[:, [3, 17, 40]])


def test_a_rehearsal_that_is_not_used_leaves_no_trace(three_homes: Scenario) -> None:
    noisy = {"forecast": {"kind": "noisy", "load_error": 0.1, "price_error": 0.1}, "rule": "prc"}
    feeder = build_feeder(three_homes.feeder)
    plain, rehearsed = (CoSimulation(three_homes.changed(noisy), feeder=feeder) for _ in range(2))
    rng = np.random.default_rng(5)
    while not plain.clock.finished:
        plain.step()
        if rehearsed.clock.step % 7 == 0:
            before = rehearsed.population.state.copy()
            window = rehearsed.clock.window()
            asked = Homes(rehearsed.population, rehearsed.forecast, rehearsed.rows.signals, window)
            price = rng.uniform(0.1, 0.4, (window.until - window.now, len(asked.names)))
            for factor in (1.0, -1.0):
                asked.respond(Terms.of_prices(factor * price, factor * price, window.step_h))
            asked.adopt(np.full((2, len(asked.names)), 0.5))
            assert asked.fixed_power()[0].shape == (len(price), 0)
            assert np.array_equal(rehearsed.population.state, before)
        rehearsed.step()
    assert np.array_equal(plain.record.frames, rehearsed.record.frames)
    assert np.array_equal(plain.population.state, rehearsed.population.state)


def test_prices_below_zero_are_left_to_highs_unless_the_planner_is_the_dynamic_program() -> None:
    owned, world, terms = some_homes(6, 1), some_world(6, 1), some_terms(5, 3)
    terms.price_sell[4:6, [1, 3]] = -0.05
    asked = homes()
    response = asked.respond(terms)
    assert not response.kept.any()
    for k in range(5):
        plan = ArbitragePlanner(T, battery_of(owned, k), STEP_H).plan(horizon_of(k, owned, world, terms, True))
        assert terms.bills(response.p_kw)[k] == pytest.approx(plan.cost, abs=1e-9)
    without = homes(planner="dynamic-program").respond(terms)
    assert without.kept.tolist() == [False, True, False, True, False]
    assert np.array_equal(without.p_kw[:, ~without.kept], response.p_kw[:, ~without.kept])


def test_who_can_make_no_plan_keeps_the_last_and_idles_before_the_first() -> None:
    world, terms, refused = some_world(6, 1), some_terms(5, 3), some_terms(5, 4)
    refused.price_sell[2, 1] = -0.1
    asked = homes(planner="dynamic-program")
    first, planned, last = (asked.respond(each) for each in (refused, terms, refused))
    assert (first.kept.nonzero()[0].tolist(), planned.kept.any(), last.kept.nonzero()[0].tolist()) == ([1], False, [1])
    as_usual = world.p_load_kw - world.p_pv_kw + world.p_flexible_kw
    assert np.array_equal(first.p_kw[:, 1], as_usual[:, 1])
    assert np.array_equal(last.p_kw[:, 1], planned.p_kw[:, 1])
    assert not np.array_equal(last.p_kw[:, 0], planned.p_kw[:, 0])
    asked.forget()
    assert np.array_equal(asked.respond(refused).p_kw[:, 1], as_usual[:, 1])


def test_a_home_whose_energy_is_out_of_reach_is_kept_and_stops_nobody() -> None:
    owned, world = some_homes(6, 1), some_world(6, 1)
    population = Population(owned)
    population.flexible_owed_kwh[2] = 100.0
    asked = Homes(population, PerfectForecast(world), world, Window(0, T, T, STEP_H, refill=True))
    response = asked.respond(some_terms(5, 3))
    assert response.kept.tolist() == [False, False, True, False, False]
    alone = homes().respond(some_terms(5, 3))
    assert np.array_equal(response.p_kw[:, ~response.kept], alone.p_kw[:, ~response.kept])


def test_whose_highest_import_has_a_price_is_planned_with_it_and_the_others_as_without() -> None:
    owned, world, terms = some_homes(6, 1), some_world(6, 1), some_terms(5, 3, demand_price=0.05)
    terms.demand_price[:, [1, 4]] = 0.0
    asked = homes()
    response, without = asked.respond(terms), homes().respond(some_terms(5, 3))
    assert np.array_equal(response.p_kw[:, [1, 4]], without.p_kw[:, [1, 4]])
    for k in (0, 2, 3):
        demand = Demand(terms.demand_window, terms.demand_price[:, k], np.zeros(2))
        horizon = replace(horizon_of(k, owned, world, terms, True), demand=demand)
        plan = ArbitragePlanner(T, battery_of(owned, k), STEP_H, 2).plan(horizon)
        assert terms.bills(response.p_kw)[k] == pytest.approx(plan.cost, abs=1e-9)
    # It pays to come down from the peaks of before.
    assert (terms.bills(response.p_kw) <= terms.bills(without.p_kw) + 1e-9).all()
    assert (terms.bills(response.p_kw) < terms.bills(without.p_kw) - 1e-3).any()
    # Prices alone, then a demand charge in one window more than before, then prices alone again.
    assert np.array_equal(asked.respond(some_terms(5, 3)).p_kw, without.p_kw)
    assert np.array_equal(homes(planner="dynamic-program").respond(terms).p_kw, response.p_kw)


def test_demand_windows_without_a_step_or_a_price_are_none() -> None:
    terms, charged = some_terms(5, 3), some_terms(5, 3, demand_price=0.05)
    windows = np.vstack([charged.demand_window, np.zeros((30, T), dtype=bool)])  # more than there are steps
    prices = np.vstack([charged.demand_price, np.full((30, 5), 0.1)])
    many = homes().respond(replace(charged, demand_window=windows, demand_price=prices)).p_kw
    assert np.array_equal(many, homes().respond(charged).p_kw)
    free = replace(charged, demand_price=0 * charged.demand_price)
    assert np.array_equal(homes().respond(free).p_kw, homes().respond(terms).p_kw)


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), refill=st.booleans())
def test_a_mix_can_be_executed_and_costs_no_more_than_its_parts(seed: int, refill: bool) -> None:
    asked, owned, world = homes(6, seed, refill), some_homes(6, seed), some_world(6, seed)
    rng = np.random.default_rng(seed)
    terms = [some_terms(5, seed + k, 0.05 * (k == 2)) for k in range(3)]
    powers = np.array([asked.respond(each).p_kw for each in terms])
    shares = rng.dirichlet(np.ones(3), 5).T
    asked.adopt(shares)
    battery, flexible = asked.committed()
    rows = asked.rows
    energy = energies(asked, owned, battery)
    assert (energy >= owned.energy_min_kwh[rows] - 1e-9).all() and (energy <= owned.energy_max_kwh[rows] + 1e-9).all()
    assert (battery <= owned.p_charge_max_kw[rows] / owned.efficiency_charge[rows] + 1e-9).all()
    assert (-battery <= owned.p_discharge_max_kw[rows] * owned.efficiency_discharge[rows] + 1e-9).all()
    if refill:
        assert (energy[-1] >= owned.energy_start_kwh[rows] - 1e-9).all()
    assert (flexible >= -1e-12).all() and (flexible <= world.p_flexible_max_kw[:, rows] + 1e-12).all()
    assert flexible.sum(axis=0) == pytest.approx(world.p_flexible_kw[:, rows].sum(axis=0), abs=1e-8)
    meter = (world.p_load_kw - world.p_pv_kw)[:, rows] + battery + flexible
    mix = np.einsum("rn,rtn->tn", shares, powers)
    assert (meter <= mix + 1e-9).all()
    for each in terms:
        assert (each.bills(meter) <= each.bills(mix) + 1e-9).all()


def test_a_single_plan_is_adopted_to_the_last_bit_and_a_mix_of_charging_and_discharging_burns_nothing() -> None:
    asked = homes(20, 3)
    for seed in range(3):
        asked.respond(some_terms(19, seed))
        asked.adopt(np.eye(seed + 1)[:, [seed]] * np.ones(19))
        one = asked.committed()
        assert np.array_equal(one[0], asked._plans[seed][0]) and np.array_equal(one[1], asked._plans[seed][1])
    # Half of 1 kW charging at 0.8, half of 1 kW delivered at 0.5: 0.4 - 1 = -0.6 kW are stored, 0.3 kW delivered.
    power = mixed_power(np.full((2, 1), 0.5), [np.array([[1.0]]), np.array([[-1.0]])], np.array([0.8]), np.array([0.5]))
    assert power == pytest.approx(np.array([[-0.3]]), abs=1e-15)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), refill=st.booleans(), demand_price=st.sampled_from([0.0, 0.02, 1.0]))
def test_the_blocks_optimum_is_the_responses_bill(seed: int, refill: bool, demand_price: float) -> None:
    asked, terms = homes(4, seed, refill), some_terms(3, seed, demand_price)
    response = asked.respond(terms)
    for k, block in enumerate(asked.blocks()):
        assert np.array_equal(block.q_fixed_kvar, response.q_kvar[:, k]) and block.q_per_kw == 0
        bill = terms.bills(response.p_kw)[k]
        # A tie weight of two millionths of the mean price per kWh may leave that much unearned.
        assert least_bill(block, terms.of(np.array([k]))) == pytest.approx(bill, abs=1e-9)


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), demand_price=st.sampled_from([0.0, 0.02, 1.0]))
def test_no_other_way_that_is_possible_costs_less(seed: int, demand_price: float) -> None:
    """Random ways: mixes of the answers to other terms."""
    asked, terms = homes(6, seed), some_terms(5, seed, demand_price)
    bill = terms.bills(asked.respond(terms).p_kw)
    rng = np.random.default_rng(seed)
    others = [asked.respond(some_terms(5, seed + k, 0.1 * (k == 3))).p_kw for k in range(1, 4)]
    for _ in range(5):
        way = np.einsum("rn,rtn->tn", rng.dirichlet(np.ones(3), 5).T, others)
        assert (bill <= terms.bills(way) + 1e-6).all()


def test_wrong_questions_are_refused() -> None:
    asked = homes()
    with pytest.raises(InputError, match="committed"):
        asked.committed()
    with pytest.raises(InputError, match="shares"):
        asked.adopt(np.ones((0, 5)))
    with pytest.raises(InputError, match=r"\(12, 5\)"):
        asked.respond(some_terms(4, 1))
    asked.respond(some_terms(5, 1))
    for shares in (np.full((1, 5), 0.9), np.ones((2, 5)), np.ones((1, 4))):
        with pytest.raises(InputError, match="shares"):
            asked.adopt(shares)
    with pytest.raises(InputError, match="shares"):
        asked.respond(some_terms(5, 1)) and asked.adopt(np.array([[2.0] * 5, [-1.0] * 5]))
    dearer = some_terms(5, 1)
    dearer.price_sell[3, 2] = 9.0
    with pytest.raises(InputError, match=r"price_sell, price_buy\)\[3\]"):
        asked.respond(dearer)
    with pytest.raises(InputError, match=r"price\[1\]"):
        asked.respond(replace(some_terms(5, 1, 0.1), demand_price=np.array([[0.1] * 5, [0.1] * 4 + [-0.1]])))
    with pytest.raises(InputError, match="demand_price, demand_window"):
        asked.respond(replace(some_terms(5, 1), demand_price=np.ones((1, 5))))
    with pytest.raises(InputError, match="planner"):
        homes(planner="glpk")


def test_charges_that_the_run_plans_against_are_not_the_rehearsals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Terms say all: the same plans, together by dynamic program, whatever the signals have published."""
    owned, world, terms = some_homes(5, 3), some_world(5, 3), some_terms(4, 3)
    window = Window(0, T, T, STEP_H, refill=False)
    expected = Homes(Population(owned), PerfectForecast(world), world, window).respond(terms)
    world.publish_demand(0, np.ones((1, T), dtype=bool), np.ones((1, 1)))

    def refuse(*_: object) -> None:
        raise AssertionError("planned one by one")

    monkeypatch.setattr(ArbitragePlanner, "plan", refuse)
    asked = Homes(Population(owned), PerfectForecast(world), world, window).respond(terms)
    assert np.array_equal(asked.p_kw, expected.p_kw)
    assert world.demand is not None  # it goes on holding for the run
