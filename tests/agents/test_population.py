"""The population: columns and agents show the same numbers, and no row knows of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import mesa
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.prosumer import RECORDED, STATE, Assets, Population, Prosumer, Ranges, Signals, Status, VoltageBand
from agents.prosumer.correction import RATINGS, energy_after, least_curtailment, reachable_power, reactive_power
from agents.prosumer.prosumer import Column

Array = npt.NDArray[np.float64]

RULES = ("none", "prc", "anrc", "hybrid")
STEP_H = 1 / 60


def assets(n: int, seed: int = 5) -> Assets:
    """Prosumers of all sizes, some without battery, some with a floor, each with one of the rules."""
    rng = np.random.default_rng(seed)
    capacity = np.where(rng.random(n) < 0.2, 0.0, rng.uniform(0.5, 10, n))
    lowest = capacity * np.where(rng.random(n) < 0.5, 0.0, 0.1)
    return Assets(
        ids=[f"home-{row}" for row in range(n)],
        bus=[2] * n,
        energy_min_kwh=lowest,
        energy_max_kwh=capacity,
        energy_start_kwh=lowest + rng.random(n) * (capacity - lowest),
        p_charge_max_kw=rng.uniform(0, 2, n) * capacity,
        p_discharge_max_kw=rng.uniform(0, 2, n) * capacity,
        efficiency_charge=rng.uniform(0.7, 1, n),
        efficiency_discharge=rng.uniform(0.7, 1, n),
        inverter_kva=rng.uniform(0, 5, n),
        pf_min=np.where(rng.random(n) < 0.5, 0.0, 0.9),
        rule=[RULES[row % 4] for row in range(n)],
        band=[VoltageBand(0.95, 0.02, 1.05) if row % 3 else VoltageBand(0.9, 0.0, 1.1) for row in range(n)],
        optimise=rng.random(n) < 0.5,
    )


def signals(n_steps: int, n: int, seed: int = 6) -> Signals:
    rng = np.random.default_rng(seed)
    return Signals(*rng.uniform(0, 3, (len(fields(Signals)), n_steps, n)))


def some(whole: Assets, rows: Sequence[int]) -> Assets:
    """A few rows of the assets."""
    lists = {"ids", "bus", "rule", "band"}
    columns: dict[str, Any] = {}
    for field in fields(Assets):
        column = getattr(whole, field.name)
        columns[field.name] = [column[row] for row in rows] if field.name in lists else column[list(rows)]
    return Assets(**columns)


def live(population: Population, world: Signals, seed: int) -> Array:
    """Some market steps of plans and voltages that are random, but for each home by its name; states of all minutes."""
    ids = population.assets.ids
    rngs = [np.random.default_rng([seed, int(name.split("-")[1])]) for name in ids]
    states = []
    for step in range(len(world.p_load_kw)):
        population.begin(world, step, 0.25)
        population.p_battery_plan_kw[:] = [rng.uniform(-6, 6) for rng in rngs]
        for _ in range(15):
            population.regulate(np.array([rng.uniform(0.88, 1.12) for rng in rngs]), STEP_H)
            population.deliver(STEP_H)
            states.append(population.state.copy())
    return np.array(states)


def of_rows(world: Signals, rows: Sequence[int]) -> Signals:
    return Signals(*(getattr(world, field.name)[:, list(rows)] for field in fields(Signals)))


def test_every_column_of_state_is_a_view_and_an_attribute_of_the_agent() -> None:
    population = Population(assets(7))
    assert STATE[: len(RECORDED)] == RECORDED
    for row, name in enumerate(STATE):
        assert np.shares_memory(getattr(population, name), population.state[row])
        assert isinstance(getattr(Prosumer, name), Column)


@pytest.mark.parametrize("name", STATE)
def test_agent_and_array_show_the_same_number(name: str) -> None:
    population = Population(assets(4))
    model = mesa.Model(rng=1)
    agents = [Prosumer(model, population, row) for row in range(4)]
    getattr(population, name)[:] = [10, 11, 12, 13]
    assert [getattr(agent, name) for agent in agents] == [10, 11, 12, 13]
    setattr(agents[2], name, -5.0)
    assert getattr(population, name).tolist() == [10, 11, -5, 13]
    assert np.count_nonzero(population.state == -5.0) == 1


def test_joined_assets_are_the_rows_of_the_parts() -> None:
    whole = assets(9)
    parts = [some(whole, range(2)), some(whole, range(2, 3)), some(whole, []), some(whole, range(3, 9))]
    joined = Assets.joined(parts)
    assert len(joined) == 9
    for field in fields(Assets):
        np.testing.assert_array_equal(getattr(joined, field.name), getattr(whole, field.name))  # NaN is NaN
        assert type(getattr(joined, field.name)) is type(getattr(whole, field.name))


def test_a_row_lives_the_same_alone_in_company_and_in_any_order() -> None:
    # Bit for bit: no operation of a population mixes rows.
    whole, world = assets(12), signals(8, 12)
    together = live(Population(whole), world, seed=3)
    for row in range(12):
        alone = live(Population(some(whole, [row])), of_rows(world, [row]), seed=3)
        assert np.array_equal(alone[:, :, 0], together[:, :, row])
    order = np.random.default_rng(4).permutation(12).tolist()
    shuffled = live(Population(some(whole, order)), of_rows(world, order), seed=3)
    assert np.array_equal(shuffled, together[:, :, order])


@pytest.mark.parametrize("rule", RULES)
def test_mixed_rules_are_those_of_populations_with_one_rule(rule: str) -> None:
    mixed = assets(12)
    rows = [row for row in range(12) if mixed.rule[row] == rule]
    vm_pu = np.linspace(0.88, 1.12, 12)
    every = Population(replace(mixed, rule=[rule] * 12, band=[mixed.band[0]] * 12)).ranges(vm_pu)
    found = Population(replace(mixed, band=[mixed.band[0]] * 12)).ranges(vm_pu)
    for bound, expected in zip(found, every, strict=True):
        assert np.array_equal(bound[rows], expected[rows])


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_energy_never_leaves_its_bounds(seed: int) -> None:
    owned = assets(20, seed)
    states = live(Population(owned), signals(6, 20, seed), seed)
    energy = states[:, STATE.index("energy_kwh")]
    # A power that exactly fills or empties a battery misses its bound by the rounding of one step, 1e-15 kWh
    # a kWh; the excursion does not add up.
    assert (energy >= owned.energy_min_kwh - 1e-14).all()
    assert (energy <= owned.energy_max_kwh + 1e-14).all()
    assert (np.abs(energy - owned.energy_start_kwh).max(axis=0) > 0.1).any()  # and something moves


def test_begin_takes_the_step_and_clears_what_is_over() -> None:
    population, world = Population(assets(3)), signals(2, 3)
    population.p_battery_plan_kw[:] = 1.0
    population.flag(Status.PLAN_KEPT, True)
    population.begin(world, 0, 0.25)
    population.begin(world, 1, 0.25)
    for name in ("p_load_kw", "q_load_kvar", "p_pv_kw", "p_flexible_kw", "price_buy", "price_sell"):
        assert np.array_equal(getattr(population, name), getattr(world, name)[1])
    assert (population.p_battery_plan_kw == 0).all()
    assert (population.status == 0).all()
    assert population.flexible_owed_kwh == pytest.approx(0.25 * world.p_flexible_kw.sum(axis=0), rel=1e-15)


def test_power_at_the_meter_and_energy_delivered_by_hand() -> None:
    # A home of 2 kW load and 0.4 kW flexible load, 3 kW of sun, told to charge 1.2 kW with 80 % efficiency, for a
    # quarter of an hour: meter 2 + 0.4 + 1.2 - 3 = 0.6 kW, stored 0.25 * 1.2 * 0.8 = 0.24 kWh, flexible energy
    # owed 0.25 * 0.4 less 0.25 * 0.4.
    one = replace(
        some(assets(1), [0]),
        energy_min_kwh=np.zeros(1),
        energy_max_kwh=np.full(1, 4.0),
        energy_start_kwh=np.ones(1),
        p_charge_max_kw=np.full(1, 2.0),
        efficiency_charge=np.full(1, 0.8),
        inverter_kva=np.full(1, 5.0),
        rule=["none"],
    )
    population = Population(one)
    world = Signals(*(np.full((1, 1), value) for value in (2.0, 0.0, 3.0, 0.4, 0.0, 0.8, 0.3, 0.1)))
    population.begin(world, 0, 0.25)
    population.p_battery_plan_kw[:] = 1.2
    population.regulate(np.ones(1), 0.25)
    assert population.energy_kwh == 1.0  # a step may be tried again: nothing has been stored yet
    population.deliver(0.25)
    assert population.p_meter_kw == pytest.approx(0.6, abs=1e-15)
    assert population.p_curtailed_kw == 0
    assert population.energy_kwh == pytest.approx(1.24, abs=1e-15)
    assert population.flexible_owed_kwh == pytest.approx(0.0, abs=1e-15)


def test_a_flag_changes_its_own_bit_alone() -> None:
    population = Population(assets(3))
    population.flag(Status.PLAN_KEPT, True)
    population.flag(Status.RANGE_MISSED, np.array([True, False, True]))
    population.flag(Status.NOT_SETTLED, np.array([False, False, True]))
    assert population.status.tolist() == [3, 2, 7]
    population.flag(Status.RANGE_MISSED, np.array([False, True, True]))
    assert population.status.tolist() == [2, 3, 7]


def test_a_range_out_of_reach_is_flagged_and_the_flag_goes_again() -> None:
    # Nothing but a load: PRC at its lower limit asks for export of the full rating.
    one = replace(
        some(assets(1), [0]),
        energy_max_kwh=np.zeros(1),
        energy_min_kwh=np.zeros(1),
        energy_start_kwh=np.zeros(1),
        rule=["prc"],
        inverter_kva=np.full(1, 3.0),
    )
    population = Population(one)
    population.regulate(np.array([0.5]), STEP_H)
    assert population.status == Status.RANGE_MISSED
    population.regulate(np.array([1.0]), STEP_H)
    assert population.status == 0


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(0, 9))
def test_compiled_rows_are_the_published_formulas_to_the_last_bit(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    population = Population(assets(n, seed))
    owned, state = population.assets, population
    for column in (state.p_battery_plan_kw, state.p_flexible_kw, state.p_load_kw, state.flexible_owed_kwh):
        column[:] = rng.uniform(-6, 6, n)
    state.p_pv_kw[:] = rng.uniform(0, 6, n) * (rng.random(n) < 0.7)
    vm_pu = rng.uniform(0.88, 1.12, n)
    population.regulate(vm_pu, STEP_H)

    ratings = [getattr(owned, name) for name in RATINGS[:6]]
    ranges = Ranges(*(column.copy() for column in population.ranges(vm_pu)))
    lo, hi = reachable_power(state.energy_kwh, STEP_H, *ratings)
    done = least_curtailment(state.p_battery_plan_kw, state.p_pv_kw, lo, hi, ranges, owned.inverter_kva)
    assert np.array_equal(state.p_battery_kw, done.p_battery_kw)
    assert np.array_equal(state.p_curtailed_kw, done.p_curtailed_kw)
    q_kvar = reactive_power(ranges, done.p_inverter_kw, owned.inverter_kva, owned.pf_min)
    assert np.array_equal(state.q_inverter_kvar, q_kvar)
    assert np.array_equal(state.status, np.where(done.in_range, 0, Status.RANGE_MISSED))
    meter = state.p_load_kw + state.p_flexible_kw + done.p_battery_kw - (state.p_pv_kw - done.p_curtailed_kw)
    assert np.array_equal(state.p_meter_kw, meter)

    energy = energy_after(state.energy_kwh, done.p_battery_kw, STEP_H, *ratings[4:])
    owed = state.flexible_owed_kwh - STEP_H * state.p_flexible_kw
    population.deliver(STEP_H)
    assert np.array_equal(state.energy_kwh, energy)
    assert np.array_equal(state.flexible_owed_kwh, owed)
