"""Which of equally cheap plans a prosumer follows: what each behaviour does, and that both planners do it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from typing import Any
from zlib import crc32

import mesa
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.prosumer import (
    ArbitragePlanner,
    Assets,
    Battery,
    DynamicProgramPlanner,
    Horizon,
    PerfectForecast,
    Plan,
    Population,
    Prosumer,
    Signals,
)
from agents.prosumer.ties import FLEXIBLE, HOLDING, THROUGHPUT, TIES, tie_key, tie_weights
from feeders.errors import InputError
from tests.agents.arbitrage_cases import STEP_H
from tests.agents.dynamic_program_cases import N_STEPS, cornered_horizon, decaying_case, same_choice, wide_battery
from tests.agents.test_dynamic_program import distance
from tests.agents.test_planning import DAY, N, assets, obey, planning, window, world

Array = npt.NDArray[np.float64]

BATTERY = Battery.from_c_rate(6.0, 0.5, 0.5, efficiency_charge=0.95, efficiency_discharge=0.95)
NIGHT = 32  # steps of 22:00 to 06:00, with which the day begins


def two_price_day() -> Horizon:
    """Eight cheap hours, then sixteen dear ones of 0.5 kW, and 1.2 kWh of flexible load at up to 0.1 kW."""
    buy = np.where(np.arange(N_STEPS) < NIGHT, 0.15, 0.3)
    return Horizon(
        price_buy=buy,
        price_sell=0.4 * buy,
        p_net_kw=np.full(N_STEPS, 0.5),
        flexible_min_kw=np.zeros(N_STEPS),
        flexible_max_kw=np.full(N_STEPS, 0.1),
        energy_start_kwh=0.0,
        flexible_energy_kwh=0.3,
    )


def plan(ties: str, name: str = "home-1", day: int = 0, horizon: Horizon | None = None) -> Plan:
    weights = tie_weights(N_STEPS, STEP_H, ties, tie_key(1, name), (day + 1) * N_STEPS)
    return DynamicProgramPlanner(N_STEPS, BATTERY, STEP_H).plan(horizon or two_price_day(), weights)


@settings(max_examples=200)
@given(seed=st.integers(0, 2**32 - 1), ties=st.sampled_from(TIES), decays=st.booleans())
def test_both_planners_choose_the_same_plan(seed: int, ties: str, decays: bool) -> None:
    rng = np.random.default_rng(seed)
    battery = wide_battery(rng)
    battery, horizon = decaying_case(rng) if decays else (battery, cornered_horizon(rng, battery))
    weights = tie_weights(N_STEPS, STEP_H, ties, int(rng.integers(2**32)), int(rng.integers(1000)))
    lp, dynamic = (
        kind(N_STEPS, battery, STEP_H).plan(horizon, weights) for kind in (ArbitragePlanner, DynamicProgramPlanner)
    )
    assert same_choice(dynamic, lp, weights)


@settings(max_examples=100)
@given(seed=st.integers(0, 2**32 - 1), ties=st.sampled_from(["early", "random"]))
def test_no_behaviour_costs_more_than_its_weights(seed: int, ties: str) -> None:
    """Scaled mean prices lie between 707 and 1415, so that a weight of 1.5e-3 per kWh is 2.1e-6 of the mean price.

    Throughput in and out, flexible load, and for "late" up to 2e-5 for each of 96 steps that a kWh is held.
    """
    rng = np.random.default_rng(seed)
    battery = wide_battery(rng)
    horizon = cornered_horizon(rng, battery)
    planner = DynamicProgramPlanner(N_STEPS, battery, STEP_H)
    usual, other = planner.plan(horizon), planner.plan(horizon, tie_weights(N_STEPS, STEP_H, ties, seed, 96))
    moved_kwh = STEP_H * sum(float(np.abs(p).sum()) for p in (usual.p_battery_kw, usual.p_flexible_kw))
    moved_kwh += STEP_H * sum(float(np.abs(p).sum()) for p in (other.p_battery_kw, other.p_flexible_kw))
    mean = max(float(horizon.price_buy.mean()), 1e-3)
    ties_cost = (2.2e-6 * moved_kwh + 2.9e-8 * 96 * battery.energy_max_kwh) * mean
    assert other.cost == pytest.approx(usual.cost, rel=0, abs=ties_cost + 1e-12)


@pytest.mark.parametrize("ties", TIES)
def test_weights_are_millionths_of_the_mean_price(ties: str) -> None:
    for key in range(20):
        weights = tie_weights(N_STEPS, STEP_H, ties, key, 96)
        assert weights[THROUGHPUT].min() > 0 and weights[FLEXIBLE].min() > 0
        assert weights[[THROUGHPUT, FLEXIBLE]].max() <= 1.5e-3 * STEP_H + 1e-18
        assert 0 <= weights[HOLDING].min() <= weights[HOLDING].max() <= 2e-5
        for row in (THROUGHPUT, FLEXIBLE):
            assert len(np.unique(weights[row])) == N_STEPS


def test_early_is_as_soon_as_it_costs_no_more() -> None:
    """6 kWh at 3 kW into the store are the first two hours of the night; out of it 5.7 kWh are 11.4 hours of 0.5 kW.

    The flexible load of 0.3 kWh runs in the first three hours.
    """
    found = plan("early")
    expected = np.zeros(N_STEPS)
    expected[:8] = 3 / 0.95
    expected[NIGHT : NIGHT + 45] = -0.5
    expected[NIGHT + 45] = -0.5 * 0.6
    assert found.p_battery_kw == pytest.approx(expected, abs=1e-9)
    assert found.p_flexible_kw == pytest.approx(np.where(np.arange(N_STEPS) < 12, 0.1, 0.0), abs=1e-9)


def test_late_leans_to_the_end_of_the_night_and_is_the_default() -> None:
    """Two hours of charging are done in the second half; an order common to all keeps them from being the last two."""
    found, usual = plan("late"), DynamicProgramPlanner(N_STEPS, BATTERY, STEP_H).plan(two_price_day())
    assert distance(found, usual) == 0
    assert distance(plan("late", "home-2", day=3), usual) == 0
    charging = np.flatnonzero(found.p_battery_kw > 1e-9)
    assert len(charging) == 8
    assert NIGHT / 2 <= charging.min() < charging.max() < NIGHT
    assert found.p_battery_kw[:NIGHT].sum() == pytest.approx(8 * 3 / 0.95, abs=1e-9)


@pytest.fixture(scope="module")
def hundred() -> dict[str, Array]:
    """Battery power of a hundred equal homes, shape (100, 96), by behaviour."""
    return {ties: np.array([plan(ties, f"home-{k}").p_battery_kw for k in range(100)]) for ties in TIES}


def test_a_herd_charges_together_unless_ties_are_drawn(hundred: dict[str, Array]) -> None:
    """All at once 100 * 3.16 kW; spread evenly a quarter of that, and with independent draws of a quarter of the steps
    by each no more than 4.5 standard deviations above it in any of 32 steps: sqrt(100 * 0.25 * 0.75) = 4.3 homes."""
    together = 100 * 3 / 0.95
    for ties in ("late", "early"):
        assert hundred[ties].sum(axis=0).max() == pytest.approx(together, rel=1e-9)
    charged = hundred["random"].sum(axis=0)[:NIGHT]
    assert charged.sum() == pytest.approx(NIGHT * together / 4, rel=1e-9)
    assert charged.max() <= (0.25 + 4.5 * 0.0433) * together
    assert charged.min() >= (0.25 - 4.5 * 0.0433) * together
    # Discharging is drawn as well: not all are on in the same hours of the day.
    assert hundred["random"].sum(axis=0)[NIGHT:].min() > hundred["late"].sum(axis=0)[NIGHT:].min() + 5


def test_a_drawn_night_costs_what_any_other_costs() -> None:
    for name in ("home-1", "home-2"):
        assert plan("random", name).cost == pytest.approx(plan("late").cost, rel=1e-12)


def test_draws_differ_from_home_to_home_from_day_to_day_and_from_seed_to_seed() -> None:
    usual = plan("random").p_battery_kw
    for other in (plan("random", "home-2"), plan("random", day=1)):
        assert np.abs(other.p_battery_kw - usual).max() > 1
    assert tie_key(1, "home-1") != tie_key(2, "home-1")


def test_a_draw_belongs_to_the_step_of_the_run() -> None:
    """A window that has moved on by four steps has the same weights for the steps that it shares; so a tail is one."""
    here, later = (tie_weights(N_STEPS, STEP_H, "random", 7, until) for until in (200, 204))
    np.testing.assert_array_equal(here[:, 4:], later[:, :-4])
    longer = tie_weights(N_STEPS + 10, STEP_H, "random", 7, 200)
    np.testing.assert_array_equal(longer[:, 10:], here)


def by_hand(key: int, count: int) -> float:
    """The documented hash in Python's whole numbers, which do not overflow."""

    def mixed(x: int) -> int:
        for _ in range(2):
            x = ((x ^ (x >> 16)) * 0x45D9F3B) % 2**32
        return x ^ (x >> 16)

    first = mixed(key ^ mixed(count % 2**32))
    return (first + mixed(first ^ 0x9E3779B9) / 2**32) / 2**32


def test_weights_are_drawn_as_documented() -> None:
    key = tie_key(5, "home-9")
    assert key == crc32(b"5 home-9")
    weights = tie_weights(6, 0.5, "random", key, 4)  # steps -2 .. 3
    for column, step in enumerate(range(-2, 4)):
        assert weights[THROUGHPUT, column] == pytest.approx(0.5e-3 * (1 + 0.5 * by_hand(key, 2 * step)), rel=1e-15)
        assert weights[FLEXIBLE, column] == pytest.approx(0.5e-3 * (0.5 + by_hand(key, 2 * step + 1)), rel=1e-15)


def test_draws_are_uniform_and_independent_of_each_other() -> None:
    """400 homes, 400 steps: means and variances of 1/2 and 1/12, no correlation over homes, steps or rows.

    A correlation of n independent pairs has a standard deviation of 1 / sqrt(n); six of them are allowed.
    """
    keys = [tie_key(3, f"home-{k:05d}") for k in range(400)]
    drawn = np.array([tie_weights(400, 1.0, "random", key, 400) for key in keys])
    u = (drawn[:, THROUGHPUT] / 1e-3 - 1) * 2
    other = drawn[:, FLEXIBLE] / 1e-3 - 0.5
    n = u.size
    for each in (u, other):
        assert (each.min() >= 0) and (each.max() < 1)
        assert each.mean() == pytest.approx(0.5, abs=6 * (1 / 12 / n) ** 0.5)
        assert each.var() == pytest.approx(1 / 12, abs=6 * (1 / 180 / n) ** 0.5)
        assert each.mean(axis=0).std() == pytest.approx((1 / 12 / 400) ** 0.5, rel=6 / 800**0.5)
        assert each.mean(axis=1).std() == pytest.approx((1 / 12 / 400) ** 0.5, rel=6 / 800**0.5)
    for one, two in (
        (u, other),
        (u[1:], u[:-1]),
        (u[:, 1:], u[:, :-1]),
        (u[:, 96:], u[:, :-96]),
        (u[1:, 1:], u[:-1, :-1]),
    ):
        assert abs(np.corrcoef(one.ravel(), two.ravel())[0, 1]) <= 6 / one.size**0.5


def test_another_name_is_refused() -> None:
    with pytest.raises(InputError, match="ties: 'latest' is not allowed; allowed: one of late, early, random"):
        tie_weights(4, 0.25, "latest")


def mixed_assets(n: int = N, **changes: Any) -> Assets:
    ties = np.resize(np.array(TIES), n)
    return replace(assets(n), **{"ties": ties, "seed": np.full(n, 9), **changes})


def flat(signals: Any, n: int) -> Any:
    """Four cheap hours, four dear ones: many plans of equal cost. Nothing is worth selling."""
    hours = (np.arange(len(signals.price_buy)) // 4) % 2
    signals.price_buy = np.broadcast_to(np.where(hours, 0.3, 0.1)[:, None], (len(hours), n)).copy()
    signals.price_sell = 0 * signals.price_buy
    return signals


@pytest.mark.parametrize("rolling", [False, True])
def test_columns_follow_each_behaviour_as_agents_do(rolling: bool) -> None:
    signals = flat(world(), N)
    columns, agents = Population(mixed_assets()), Population(mixed_assets())
    prosumers = [Prosumer(mesa.Model(rng=1), agents, row) for row in range(N)]
    together = planning(columns)
    for now in range(2 * DAY):
        for population in (columns, agents):
            population.begin(signals, now, STEP_H)
        assert len(together.plan(PerfectForecast(signals), signals, window(now, rolling))) == 0
        for prosumer in prosumers:
            prosumer.plan(PerfectForecast(signals), signals, window(now, rolling))
        assert columns.p_battery_plan_kw == pytest.approx(agents.p_battery_plan_kw, abs=1e-7)
        assert columns.p_flexible_kw == pytest.approx(agents.p_flexible_kw, abs=1e-7)
        agents.p_battery_plan_kw[:] = columns.p_battery_plan_kw
        agents.p_flexible_kw[:] = columns.p_flexible_kw
        for population in (columns, agents):
            obey(population, now, hinder=False)
    if not rolling:
        assert (columns.n_plans_program == 2).all()


def lived(owned: Assets, **options: Any) -> Array:
    """Planned powers of two days at two prices."""
    n = len(owned)
    signals, population = flat(world(n), n), Population(owned)
    together = planning(population, **options)
    powers = []
    for now in range(2 * DAY):
        population.begin(signals, now, STEP_H)
        together.plan(PerfectForecast(signals), signals, window(now))
        obey(population, now, hinder=False)
        powers.append([population.p_battery_plan_kw.copy(), population.p_flexible_kw.copy()])
    return np.array(powers)


def test_threads_change_no_draw_and_other_behaviours_change_one() -> None:
    alone = lived(mixed_assets(100))
    with ThreadPoolExecutor(3) as pool:
        assert np.array_equal(alone, lived(mixed_assets(100), pool=pool, threads=3))
    for changes in ({"ties": np.full(100, "late")}, {"seed": np.full(100, 10)}):
        assert np.abs(lived(mixed_assets(100, **changes)) - alone).max() > 0.1


def test_a_home_draws_the_same_in_any_company() -> None:
    """In another order, its neighbours gone; loads and batteries stay with the home."""
    whole = mixed_assets(N, ties=np.full(N, "random"))
    some = [7, 2, 11]
    few = Assets(
        **{
            name: [column[row] for row in some] if isinstance(column, list) else column[some]
            for name, column in vars(whole).items()
        }
    )
    signals = flat(world(), N)
    everyone, company = Population(whole), Population(few)
    theirs = Signals(*(getattr(signals, field.name)[:, some] for field in fields(Signals)))
    for population, seen in ((everyone, signals), (company, theirs)):
        population.begin(seen, 0, STEP_H)
        planning(population).plan(PerfectForecast(seen), seen, window(0))
    assert np.array_equal(everyone.p_battery_plan_kw[some], company.p_battery_plan_kw)
    assert np.array_equal(everyone.p_flexible_kw[some], company.p_flexible_kw)
