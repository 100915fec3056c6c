"""The plan costs what another formulation in another solver says that the optimum costs."""

from __future__ import annotations

import numpy as np
import pytest

from agents.errors import SolverError
from agents.prosumer import exclusive
from agents.prosumer.arbitrage import ArbitragePlanner, Horizon
from agents.prosumer.battery import Battery
from tests.agents.arbitrage_cases import STEP_H, random_battery, random_horizon
from tests.agents.published_form import exact_cost, published_cost, published_rows

LOSSY = Battery(0.0, 2.0, 2.0, 2.0, 0.8, 0.8)


def tolerance(cost: float, horizon: Horizon) -> float:
    """1e-7 relative, with a floor of 1e-7 kWh at the mean price, since a bill may be near zero.

    Both solvers hold their constraints and reduced costs to 1e-9.
    """
    return 1e-7 * max(abs(cost), float(np.abs(horizon.columns[:2]).mean()))


def test_the_published_form_has_its_published_size() -> None:
    horizon = random_horizon(np.random.default_rng(0), 96, LOSSY)
    matrix, upper = published_rows(horizon, LOSSY, STEP_H)
    assert matrix.shape == (6 * 96 + 2, 3 * 96)
    assert upper.shape == (6 * 96 + 2,)


@pytest.mark.parametrize(("n", "count"), [(1, 40), (2, 30), (3, 30), (12, 50), (24, 30), (48, 12), (96, 8)])
def test_the_optimum_is_that_of_the_published_form(n: int, count: int) -> None:
    """200 instances in all; the planner is longer than the horizon, so that elapsed steps are present too."""
    rng = np.random.default_rng(n)
    for _ in range(count):
        battery = random_battery(rng)
        horizon = random_horizon(rng, n, battery)
        plan = ArbitragePlanner(n + 2, battery, STEP_H).plan(horizon)
        expected = published_cost(horizon, battery, STEP_H)
        assert plan.exact == "lp"
        assert plan.cost == pytest.approx(expected, rel=0, abs=tolerance(expected, horizon))


def test_the_optimum_is_exact_where_prices_are_negative() -> None:
    rng = np.random.default_rng(7)
    proofs = []
    for _ in range(200):
        battery = random_battery(rng)
        horizon = random_horizon(rng, int(rng.integers(1, 11)), battery, negative=True)
        plan = ArbitragePlanner(10, battery, STEP_H).plan(horizon)
        expected = exact_cost(horizon, battery, STEP_H)
        assert plan.cost == pytest.approx(expected, rel=0, abs=tolerance(expected, horizon))
        proofs.append(plan.exact)
    # Both ways of proving were taken, each often.
    assert min(proofs.count("lp"), proofs.count("milp")) >= 10
    assert proofs.count("limit") == 0


def test_the_exact_form_and_the_published_form_agree_where_both_hold() -> None:
    rng = np.random.default_rng(8)
    for _ in range(10):
        battery = random_battery(rng)
        horizon = random_horizon(rng, 6, battery)
        exact, published = exact_cost(horizon, battery, STEP_H), published_cost(horizon, battery, STEP_H)
        assert exact == pytest.approx(published, rel=0, abs=tolerance(exact, horizon))


def test_without_binaries_the_plan_would_be_worse(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison above can fail: take every netted plan for proved, and some cost visibly more."""
    monkeypatch.setattr(ArbitragePlanner, "_is_proved", lambda *_: True)
    rng = np.random.default_rng(7)
    worse = 0
    for _ in range(200):
        battery = random_battery(rng)
        horizon = random_horizon(rng, int(rng.integers(1, 11)), battery, negative=True)
        plan = ArbitragePlanner(10, battery, STEP_H).plan(horizon)
        worse += plan.cost > exact_cost(horizon, battery, STEP_H) + 1e-4
    assert worse >= 5


def one_step(price_buy: float, price_sell: float, p_net_kw: float) -> Horizon:
    """Half-full battery, no flexible load, one hour."""
    return Horizon(
        price_buy=np.array([price_buy]),
        price_sell=np.array([price_sell]),
        p_net_kw=np.array([p_net_kw]),
        flexible_min_kw=np.zeros(1),
        flexible_max_kw=np.zeros(1),
        energy_start_kwh=1.0,
        flexible_energy_kwh=0.0,
    )


@pytest.mark.parametrize(
    ("price_buy", "price_sell", "p_net_kw", "p_battery_kw", "cost"),
    [
        # Selling pays: give the 1 kWh stored, 0.8 kW at the meter.
        (0.3, 0.3, 0.0, -0.8, -0.24),
        # Export is fined: take the surplus of 1 kW, and no more, since more would be bought.
        (0.3, -0.1, -1.0, 1.0, 0.0),
        # Both negative: being paid to consume, take the 1 kWh that fits, 1.25 kW.
        (-0.1, -0.2, 0.0, 1.25, -0.125),
        # Both zero: nothing pays, so least throughput: rest.
        (0.0, 0.0, -1.0, 0.0, 0.0),
    ],
)
def test_each_order_of_the_prices_and_zero_by_hand(
    price_buy: float, price_sell: float, p_net_kw: float, p_battery_kw: float, cost: float
) -> None:
    plan = ArbitragePlanner(1, LOSSY, 1.0).plan(one_step(price_buy, price_sell, p_net_kw))
    assert plan.p_battery_kw == pytest.approx([p_battery_kw], abs=1e-9)
    assert plan.cost == pytest.approx(cost, abs=1e-9)


def test_a_full_battery_does_not_burn_what_it_is_paid_to_take() -> None:
    """At a negative price a full lossy battery can only rest: discharging would cost, charging has no room.

    The LP would charge 1 kW / 0.8 and discharge 0.8 kW at once, a net 0.45 kW bought at -0.1.
    """
    full = Horizon(
        price_buy=np.array([-0.1]),
        price_sell=np.array([-0.1]),
        p_net_kw=np.zeros(1),
        flexible_min_kw=np.zeros(1),
        flexible_max_kw=np.zeros(1),
        energy_start_kwh=2.0,
        flexible_energy_kwh=0.0,
    )
    plan = ArbitragePlanner(1, LOSSY, 1.0).plan(full)
    assert plan.exact == "milp"
    assert plan.p_battery_kw == pytest.approx([0.0], abs=1e-12)
    assert plan.cost == pytest.approx(0.0, abs=1e-12)


def one_negative_price(n: int, seed: int) -> Horizon:
    """Fined for export and paid for import alike in all steps: many equally good orders of charging and discharging."""
    return Horizon(
        price_buy=np.full(n, -0.03),
        price_sell=np.full(n, -0.06),
        p_net_kw=3 * np.random.default_rng(seed).random(n) - 2,
        flexible_min_kw=np.zeros(n),
        flexible_max_kw=np.full(n, 0.1),
        energy_start_kwh=1.0,
        flexible_energy_kwh=0.0075 * n,
    )


def test_a_search_cut_short_says_how_far_it_may_be_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exclusive, "_OPTIONS", (*exclusive._OPTIONS, ("mip_max_nodes", 1)))
    battery, gaps = Battery(0.2, 2.0, 2.0, 2.0, 0.95, 0.95), []
    for n in (12, 16):
        for seed in range(6):
            horizon = one_negative_price(n, seed)
            plan = ArbitragePlanner(n, battery, STEP_H).plan(horizon)
            expected = exact_cost(horizon, battery, STEP_H)
            allowed = tolerance(expected, horizon)
            assert plan.cost - plan.cost_gap - allowed <= expected <= plan.cost + allowed
            assert (plan.cost_gap > 0) == (plan.exact == "limit")
            gaps.append(plan.cost_gap)
    # Bills are some 0.05; the gaps of those that were cut short are below a hundredth of that.
    assert 1e-5 < max(gaps) < 1e-3
    assert min(gaps) == 0


def test_a_search_that_finds_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exclusive, "_OPTIONS", (*exclusive._OPTIONS, ("mip_max_nodes", 0)))
    with pytest.raises(SolverError, match="kSolutionLimit"):
        ArbitragePlanner(12, LOSSY, STEP_H).plan(one_negative_price(12, 0))
