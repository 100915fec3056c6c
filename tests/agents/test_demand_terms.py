"""Demand charges within a day: peaks as metered, re-plans that know them, by column and by agent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import mesa
import numpy as np
import numpy.typing as npt
import pytest

from agents.prosumer import Homes, PerfectForecast, Planning, Population, Prosumer, Signals, Status, Window
from agents.prosumer.demand_terms import DemandTerms
from agents.terms import Terms
from feeders.errors import InputError
from tests.agents.homes_cases import STEP_H, T, some_homes, some_terms, some_world

Array = npt.NDArray[np.float64]

N = 6


def test_the_peak_is_that_of_mean_powers_of_past_steps_of_the_window() -> None:
    terms = DemandTerms(4, 2)
    window = np.array([[True, True, False, True], [False, False, True, True]])
    terms.add(window, np.array([[0.5], [0.25]]))
    for step, powers in ((4, [[3.0, 0.0], [1.0, -4.0]]), (5, [[1.0, 5.0], [1.0, -1.0]]), (6, [[9.0, 1.0], [9.0, 1.0]])):
        for power in powers:
            terms.meter(step, np.array(power), 0.5)
    for now, peaks in ((4, [0, 0]), (5, [2, 0]), (6, [2, 0]), (7, [2, 9])):
        again = DemandTerms(4, 2)
        again.add(window, np.array([[0.5], [0.25]]))
        for step, power in ((4, 2.0), (5, 1.0), (6, 9.0)):
            if step < now:
                again.meter(step, np.full(2, power), 1.0)
        ahead = again.ahead(0, now, 9)  # a step beyond the windows belongs to none
        assert ahead is not None
        assert ahead.peak_so_far_kw.tolist() == peaks
        assert ahead.window.tolist() == [[*row[now - 4 :], *[False]] for row in window.tolist()]
    other = terms.ahead(1, 7, 8)
    assert other is not None and other.peak_so_far_kw.tolist() == [2.0, 1.0]  # means -2, 2 and 1 kW
    assert terms.ahead(0, 8, 9) is None


def test_windows_are_ones_own_and_can_be_added_to() -> None:
    terms = DemandTerms(0, 3)
    terms.add(np.array([[True, False]]), np.array([[0.5, 0.75]]), np.array([2, 0]))
    terms.meter(0, np.ones(3), 1.0)
    terms.add(np.array([[True, True, True]]), np.array([[0.1]]), np.array([1]))
    assert terms.charged(0, 2).tolist() == [True, True, True]
    assert terms.charged(1, 3).tolist() == [False, True, False]
    assert terms.charged(3, 9).tolist() == [False, False, False]
    one, two = terms.ahead(0, 0, 2), terms.ahead(1, 1, 3)
    assert one is not None and two is not None
    assert (one.price.tolist(), one.window.tolist()) == ([0.75], [[True, False]])
    assert (two.price.tolist(), two.peak_so_far_kw.tolist()) == ([0.1], [1.0])
    for window, price in ((np.ones((1, 2)), np.ones((2, 1))), (np.ones((1, 2)), -np.ones((1, 1)))):
        with pytest.raises(InputError, match="price"):
            terms.add(window.astype(bool), price)


def published(terms: Terms) -> Signals:
    """A world in which all homes but the last plan against the terms."""
    signals = some_world(N, 1)
    signals.publish(0, terms.price_buy, terms.price_sell, np.arange(N - 1))
    if terms.has_demand_charge:
        signals.publish_demand(0, terms.demand_window, terms.demand_price, np.arange(N - 1))
    return signals


def lived(signals: Signals, *, columns: bool, hinder: float = 1.0, threads: int = 1) -> tuple[Array, Array, Population]:
    """Plan and run each step, batteries to a share of what they planned; powers at the meter and planned, (T, N)."""
    population = Population(some_homes(N, 1))
    agents = [Prosumer(mesa.Model(rng=1), population, row) for row in range(N)]
    planning = Planning(population, range(N - 1), T, STEP_H)
    metered, planned = np.zeros((2, T, N))
    with ThreadPoolExecutor(threads) as pool:
        for now in range(T):
            window = Window(now, T, T, STEP_H, refill=False)
            population.begin(signals, now, STEP_H)
            rows = planning.plan(PerfectForecast(signals), signals, window) if columns else np.arange(N - 1)
            list(pool.map(lambda row, w=window: agents[row].plan(PerfectForecast(signals), signals, w), rows))
            assert not (population.status.astype(int) & int(Status.LP_FALLBACK)).any()
            planned[now] = population.p_battery_plan_kw
            population.p_battery_kw[:] = hinder * population.p_battery_plan_kw
            population.meter()
            metered[now] = population.p_meter_kw
            if signals.demand is not None:
                for _ in range(3):
                    signals.demand.meter(now, population.p_meter_kw, 1 / 3)
            population.deliver(STEP_H)
    return metered, planned, population


@pytest.mark.parametrize("demand_price", [0.05, 1.0])
def test_a_day_that_comes_true_is_the_rehearsed_one(demand_price: float) -> None:
    terms = some_terms(N - 1, 3, demand_price)
    owned, world = some_homes(N, 1), some_world(N, 1)
    window = Window(0, T, T, STEP_H, refill=False)
    rehearsed = Homes(Population(owned), PerfectForecast(world), world, window).respond(terms)
    for columns in (False, True):
        metered, _, population = lived(published(terms), columns=columns)
        assert metered[:, :-1] == pytest.approx(rehearsed.p_kw, abs=1e-7)
        # Re-planned at most once more, by the dynamic program, when no window is ahead: what was planned still holds.
        assert (population.n_plans_highs[:-1] >= 1).all()
        assert (population.n_plans_highs + population.n_plans_program)[:-1].max() <= 2
        assert population.n_plans_program.any() == columns


def test_re_plans_know_the_peak_so_far() -> None:
    """Where batteries are hindered, plans differ from those of homes that do not read their meters."""
    terms = some_terms(N - 1, 3, 1.0)
    knowing, _, _ = lived(published(terms), columns=True, hinder=0.3)
    ignorant = published(terms)
    assert ignorant.demand is not None
    ignorant.demand.meter = lambda *_: None  # type: ignore[method-assign]
    blind, _, _ = lived(ignorant, columns=True, hinder=0.3)
    assert not np.array_equal(knowing, blind)


def test_threads_change_nothing() -> None:
    terms = some_terms(N - 1, 3, 0.05)
    one, three = (lived(published(terms), columns=True, hinder=0.5, threads=threads) for threads in (1, 3))
    assert np.array_equal(one[0], three[0])


def test_who_has_no_charge_plans_in_columns_as_ever() -> None:
    terms = some_terms(N - 1, 3, 0.05)
    terms.demand_price[:, [0, 3]] = 0.0
    metered, _, population = lived(published(terms), columns=True)
    without, _, _ = lived(published(some_terms(N - 1, 3)), columns=True)
    assert np.array_equal(metered[:, [0, 3]], without[:, [0, 3]])
    assert population.n_plans_highs[[0, 3]].tolist() == [0, 0]
    assert (population.n_plans_highs[[1, 2, 4]] > 0).all()
    assert not population.n_plans_highs[5]


def test_what_is_published_lasts_until_the_next_or_the_window_moves() -> None:
    signals, window = some_world(N, 1), np.ones((1, T), dtype=bool)
    signals.publish_demand(0, window, np.full((1, 1), 0.5), np.array([1]))
    signals.publish_demand(0, window, np.full((1, 1), 0.5), np.array([2]))
    assert signals.demand is not None
    assert np.flatnonzero(signals.demand.charged(0, T)).tolist() == [1, 2]
    signals.publish_demand(3, window, np.full((1, 1), 0.5), np.array([4]))
    assert np.flatnonzero(signals.demand.charged(3, T)).tolist() == [4]
    signals.move_to(6, some_world(N, 2))
    assert signals.demand is None
