"""Plans as columns are the plans that each prosumer makes for itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import mesa
import numpy as np
import numpy.typing as npt
import pytest

from agents.prosumer import (
    Assets,
    Forecast,
    NoisyForecast,
    PerfectForecast,
    PersistenceForecast,
    Planning,
    Population,
    Prosumer,
    Signals,
    Status,
    VoltageBand,
    Window,
)
from feeders.errors import InputError

Array = npt.NDArray[np.float64]

N = 12  # prosumers
DAY = 16  # market steps
STEP_H = 0.25


def assets(n: int = N, seed: int = 1) -> Assets:
    rng = np.random.default_rng(seed)
    capacity = rng.uniform(0, 4, n)
    lowest = capacity * rng.uniform(0, 0.2, n)
    return Assets(
        ids=[f"home-{row}" for row in range(n)],
        bus=[2] * n,
        energy_min_kwh=lowest,
        energy_max_kwh=capacity,
        energy_start_kwh=lowest + rng.random(n) * (capacity - lowest),
        p_charge_max_kw=rng.uniform(0.1, 2, n) * capacity,
        p_discharge_max_kw=rng.uniform(0.1, 2, n) * capacity,
        efficiency_charge=rng.uniform(0.8, 1, n),
        efficiency_discharge=rng.uniform(0.8, 1, n),
        inverter_kva=np.full(n, 5.0),
        pf_min=np.zeros(n),
        rule=["none"] * n,
        band=[VoltageBand()] * n,
        optimise=np.ones(n, dtype=bool),
    )


def world(n: int = N, n_steps: int = 2 * DAY, seed: int = 2) -> Signals:
    rng = np.random.default_rng(seed)
    load = rng.uniform(0, 2, (n_steps, n))
    price_buy = rng.uniform(0.05, 0.4, (n_steps, n))
    return Signals(
        p_load_kw=0.8 * load,
        q_load_kvar=0 * load,
        p_pv_kw=np.maximum(rng.uniform(-2, 3, (n_steps, n)), 0),
        p_flexible_kw=0.2 * load,
        p_flexible_min_kw=0 * load,
        p_flexible_max_kw=0.5 * load,
        price_buy=price_buy,
        price_sell=price_buy * rng.uniform(0, 1, n),
    )


def forecast(kind: str, signals: Signals) -> Forecast:
    if kind == "perfect":
        return PerfectForecast(signals)
    if kind == "persistence":
        return PersistenceForecast(signals, DAY)
    ids = [f"home-{row}" for row in range(signals.p_load_kw.shape[1])]
    errors = {"load_error": 0.1, "pv_error": 0.2, "price_error": 0.1}
    return NoisyForecast(signals, DAY, **errors, seeds=[1] * len(ids), ids=ids)


def window(now: int, rolling: bool = False) -> Window:
    until = min(now + DAY, 2 * DAY) if rolling else (now // DAY + 1) * DAY
    return Window(now, until, DAY, STEP_H, refill=rolling)


def planning(population: Population, rows: list[int] | None = None, **options: Any) -> Planning:
    return Planning(population, range(len(population)) if rows is None else rows, DAY, STEP_H, **options)


def obey(population: Population, now: int, hinder: bool) -> None:
    """Run as planned for a market step; `hinder` lets every third battery stand still for every fifth."""
    population.p_battery_kw[:] = population.p_battery_plan_kw
    if hinder and now % 5 == 0:
        population.p_battery_kw[::3] = 0.0
    population.deliver(STEP_H)


@pytest.mark.parametrize("rolling", [False, True])
@pytest.mark.parametrize("kind", ["perfect", "persistence", "noisy"])
def test_columns_plan_as_each_agent_does_and_skip_as_often(kind: str, rolling: bool) -> None:
    signals = world()
    columns, agents = Population(assets()), Population(assets())
    prosumers = [Prosumer(mesa.Model(rng=1), agents, row) for row in range(N)]
    together = planning(columns)
    for now in range(2 * DAY):
        for population in (columns, agents):
            population.begin(signals, now, STEP_H)
        assert len(together.plan(forecast(kind, signals), signals, window(now, rolling))) == 0
        for prosumer in prosumers:
            prosumer.plan(forecast(kind, signals), signals, window(now, rolling))
        # HiGHS keeps constraints to 1e-9 kWh, a power of 4e-9 kW over a quarter of an hour.
        assert columns.p_battery_plan_kw == pytest.approx(agents.p_battery_plan_kw, abs=1e-7)
        assert columns.p_flexible_kw == pytest.approx(agents.p_flexible_kw, abs=1e-7)
        assert np.array_equal(columns.status, agents.status)  # a hindered battery may be unable to refill in time
        agents.p_battery_plan_kw[:] = columns.p_battery_plan_kw  # so that no difference builds up
        agents.p_flexible_kw[:] = columns.p_flexible_kw
        for population in (columns, agents):
            obey(population, now, hinder=True)
    if not rolling:
        assert not columns.status.any()
    if kind == "perfect" and not rolling:
        hindered = np.arange(N) % 3 == 0
        # One plan a day where all came true; else one more after each time the battery stood still but was to move.
        assert (columns.n_plans_program[~hindered] == 2).all()
        assert (columns.n_plans_program[hindered] > 2).any()
        assert (columns.n_plans_program <= 2 + 7 * hindered).all()
    assert not columns.n_plans_highs.any()
    assert (agents.n_plans_highs >= 2).all()


def lived(n: int, rows: list[int] | None = None, **options: Any) -> Array:
    """States of all market steps of a noisy world, of all prosumers or of a population of some of them."""
    signals, population = world(n), Population(assets(n))
    together = planning(population, rows, **options)
    states = []
    for now in range(2 * DAY):
        population.begin(signals, now, STEP_H)
        together.plan(forecast("noisy", signals), signals, window(now))
        obey(population, now, hinder=True)
        states.append(population.state.copy())
    return np.array(states)


def test_threads_change_nothing() -> None:
    alone = lived(100)
    with ThreadPoolExecutor(3) as pool:
        assert np.array_equal(alone, lived(100, pool=pool, threads=3))


def test_who_does_not_plan_here_is_left_alone_and_changes_nothing() -> None:
    some = [1, 4, 5, 9]
    others = np.setdiff1d(np.arange(N), some)
    everyone, few = lived(N), lived(N, some)
    assert np.array_equal(everyone[:, :, some], few[:, :, some])
    idle = Population(assets())
    assert not few[:, idle_row("p_battery_plan_kw"), others].any()
    assert (few[:, idle_row("energy_kwh"), others] == idle.energy_kwh[others]).all()


def idle_row(name: str) -> int:
    population = Population(assets(1))
    getattr(population, name)[:] = 77.0
    return int(np.flatnonzero(population.state[:, 0] == 77.0)[0])


def negative(signals: Signals, rows: list[int]) -> Signals:
    signals.price_sell[3, rows] = -0.01
    return signals


def test_prices_below_zero_are_left_to_others_and_the_status_says_so() -> None:
    signals, population = negative(world(), [2, 7]), Population(assets())
    together = planning(population)
    population.begin(signals, 0, STEP_H)
    left = together.plan(PerfectForecast(signals), signals, window(0))
    assert left.tolist() == [2, 7]
    expected = np.zeros(N)
    expected[[2, 7]] = Status.LP_FALLBACK
    assert np.array_equal(population.status, expected)
    assert np.array_equal(population.n_plans_program, expected == 0)
    # Once the step of the negative price has passed, the rest of the day is planned here again.
    population.begin(signals, 4, STEP_H)
    assert len(together.plan(PerfectForecast(signals), signals, window(4))) == 0
    assert not population.status.any()


def test_without_a_fallback_the_plan_is_kept_and_the_status_says_so() -> None:
    signals, population = negative(world(), [2, 7]), Population(assets())
    together = planning(population, fallback=False)
    population.begin(signals, 0, STEP_H)
    assert len(together.plan(PerfectForecast(signals), signals, window(0))) == 0
    assert np.flatnonzero(population.status == Status.PLAN_KEPT).tolist() == [2, 7]
    assert (population.p_battery_plan_kw[[2, 7]] == 0).all()


def test_a_plan_is_kept_where_none_can_be_made() -> None:
    signals, population = world(), Population(assets())
    together = planning(population)
    population.begin(signals, 0, STEP_H)
    together.plan(PerfectForecast(signals), signals, window(0))
    population.begin(signals, 1, STEP_H)
    together.plan(PerfectForecast(signals), signals, window(1))
    planned = population.p_battery_plan_kw[5]
    assert planned != 0

    population.begin(signals, 1, STEP_H)
    population.flexible_owed_kwh[5] = 100.0  # more than the band can take
    assert len(together.plan(PerfectForecast(signals), signals, window(1))) == 0
    assert population.status[5] == Status.PLAN_KEPT
    assert np.count_nonzero(population.status) == 1
    assert population.p_battery_plan_kw[5] == planned


def test_a_forecast_that_is_no_number_is_left_to_who_says_why() -> None:
    signals, population = world(), Population(assets())
    signals.p_load_kw[2, 6] = np.nan
    population.begin(signals, 0, STEP_H)
    left = planning(population, fallback=False).plan(PerfectForecast(signals), signals, window(0))
    assert left.tolist() == [6]
    with pytest.raises(InputError, match=r"p_net_kw\[2\]"):
        Prosumer(mesa.Model(rng=1), population, 6).plan(PerfectForecast(signals), signals, window(0))


def test_forgetting_makes_the_plan_anew() -> None:
    signals, population = world(), Population(assets())
    together = planning(population)
    population.begin(signals, 0, STEP_H)
    for n_plans, forgotten in ((1, False), (1, True), (2, False)):
        together.plan(PerfectForecast(signals), signals, window(0))
        assert (population.n_plans_program == n_plans).all()
        if forgotten:
            together.forget()
