"""Forecasts: what each kind expects, and how wrong the noisy one is."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from agents.prosumer import Forecast, NoisyForecast, PerfectForecast, PersistenceForecast, Signals

Array = npt.NDArray[np.float64]


def world(n_steps: int = 12, n: int = 3) -> Signals:
    """Random positive load, PV and prices, selling below buying."""
    rng = np.random.default_rng(7)
    columns = {field.name: rng.uniform(0.1, 2, (n_steps, n)) for field in fields(Signals)}
    columns["price_sell"] = columns["price_buy"] * rng.uniform(0, 1, (n_steps, n))
    del columns["plan_price_buy"], columns["plan_price_sell"]
    return Signals(**columns)


def noisy(signals: Signals, **changes: Any) -> NoisyForecast:
    n = signals.p_load_kw.shape[1]
    arguments = {
        "load_error": 0.1,
        "pv_error": 0.2,
        "price_error": 0.3,
        "seeds": [1] * n,
        "ids": [f"home-{row}" for row in range(n)],
    }
    return NoisyForecast(signals, 4, **{**arguments, **changes})


def kinds(signals: Signals) -> list[Forecast]:
    return [PerfectForecast(signals), PersistenceForecast(signals, 4), noisy(signals)]


def test_perfect_is_what_will_happen() -> None:
    truth = world()
    expected = PerfectForecast(truth).expect(1, 3, 9)
    happens = (truth.p_load_kw, truth.p_pv_kw, truth.price_buy, truth.price_sell)
    assert np.array_equal(expected, [column[3:9, 1] for column in happens])


def test_plans_are_made_against_what_is_published_and_else_against_what_is_paid() -> None:
    truth = world()
    paid = truth.price_buy.copy(), truth.price_sell.copy()
    published = np.linspace(1.0, 2.0, 5)[:, None]
    truth.publish(4, published, published - 0.5, np.array([2]))
    for forecast in kinds(truth)[:2]:
        assert np.array_equal(forecast.expect(1, 3, 10)[2:], [price[3:10, 1] for price in paid])
        buy, sell = forecast.expect(2, 3, 10)[2:]
        assert buy.tolist() == [paid[0][3, 2], 1.0, 1.25, 1.5, 1.75, 2.0, paid[0][9, 2]]
        assert sell.tolist() == [paid[1][3, 2], 0.5, 0.75, 1.0, 1.25, 1.5, paid[1][9, 2]]
    assert np.array_equal((truth.price_buy, truth.price_sell), paid)
    # The noise of both prices is one factor, of the prices that plans are made against.
    factor = noisy(world()).expect(2, 3, 10).price_buy / world().price_buy[3:10, 2]
    assert noisy(truth).expect(2, 3, 10).price_buy == pytest.approx(factor * truth.plan_price_buy[3:10, 2], rel=1e-12)
    truth.move_to(0, world())
    assert np.array_equal(PerfectForecast(truth).expect(2, 0, 12)[2:], [price[:, 2] for price in paid])


def test_joined_signals_plan_against_what_each_part_does() -> None:
    plain, signalled = world(), world()
    paid = Signals.joined([plain, world()])
    assert paid.plan_price_buy is paid.price_buy and paid.plan_price_sell is paid.price_sell
    signalled.publish(0, np.ones((12, 1)), np.zeros((12, 1)))
    both = Signals.joined([plain, signalled])
    assert np.array_equal(both.plan_price_buy, np.hstack([plain.price_buy, np.ones((12, 3))]))
    assert np.array_equal(both.plan_price_sell, np.hstack([plain.price_sell, np.zeros((12, 3))]))
    assert np.array_equal(both.price_buy, np.hstack([plain.price_buy, plain.price_buy]))


def test_persistence_by_hand() -> None:
    # Four steps a day, step t brings 10 + t kW of load and t kW of sun.
    truth = world(12, 1)
    truth.p_load_kw[:, 0] = 10 + np.arange(12)
    truth.p_pv_kw[:, 0] = np.arange(12)
    forecast = PersistenceForecast(truth, steps_per_day=4)
    first_day = forecast.expect(0, 1, 4)  # no yesterday: as measured now
    assert first_day.p_load_kw.tolist() == [11, 11, 11]
    assert first_day.p_pv_kw.tolist() == [1, 1, 1]
    into_the_second = forecast.expect(0, 2, 6)  # now, nothing known of step 3, steps 0 and 1 seen yesterday
    assert into_the_second.p_load_kw.tolist() == [12, 12, 10, 11]
    second_day = forecast.expect(0, 6, 10)  # now, then yesterday's 3, 4, 5
    assert second_day.p_load_kw.tolist() == [16, 13, 14, 15]
    assert second_day.p_pv_kw.tolist() == [6, 3, 4, 5]
    assert np.array_equal(second_day.price_buy, truth.price_buy[6:10, 0])  # prices are known
    assert np.array_equal(second_day.price_sell, truth.price_sell[6:10, 0])


def test_persistence_never_looks_ahead() -> None:
    truth, blind = world(), world()
    forecast, blind_forecast = (PersistenceForecast(signals, 4) for signals in (truth, blind))
    for now in range(12):
        blind.p_load_kw[:] = np.where(np.arange(12)[:, None] <= now, truth.p_load_kw, np.nan)
        blind.p_pv_kw[:] = np.where(np.arange(12)[:, None] <= now, truth.p_pv_kw, np.nan)
        until = min(now + 4, 12)
        for row in range(3):
            known = blind_forecast.expect(row, now, until)
            assert np.array_equal(known, forecast.expect(row, now, until))


def test_the_step_that_begins_now_is_measured_whatever_the_kind() -> None:
    truth = world()
    for forecast in kinds(truth):
        for now in range(12):
            load, pv, buy, sell = forecast.expect(2, now, 12)
            assert load[0] == truth.p_load_kw[now, 2]
            assert pv[0] == truth.p_pv_kw[now, 2]
            assert buy[0] == truth.price_buy[now, 2]
            assert sell[0] == truth.price_sell[now, 2]


def test_forecasts_leave_the_truth_alone() -> None:
    truth = world()
    for forecast in kinds(truth):
        forecast.expect(0, 2, 8)
        forecast.expect(0, 0, 12)
    for field in fields(Signals):
        assert np.array_equal(getattr(truth, field.name), getattr(world(), field.name))


def test_noise_is_a_prosumers_own_whoever_else_is_there() -> None:
    truth = world(12, 3)
    together = noisy(truth)
    order = [2, 0, 1]
    shuffled = noisy(columns(truth, order), ids=[f"home-{row}" for row in order])
    for place, row in enumerate(order):
        expected = together.expect(row, 0, 12)
        assert np.array_equal(shuffled.expect(place, 0, 12), expected)
        alone = noisy(columns(truth, [row]), seeds=[1], ids=[f"home-{row}"])
        assert np.array_equal(alone.expect(0, 0, 12), expected)


def test_seed_and_name_make_the_noise() -> None:
    truth = columns(world(), [0])
    once = noisy(truth).expect(0, 0, 12)
    assert np.array_equal(noisy(truth).expect(0, 0, 12), once)
    for change in ({"seeds": [2]}, {"ids": ["home-1"]}):
        assert (np.array(noisy(truth, **change).expect(0, 0, 12))[:, 1:] != np.array(once)[:, 1:]).all()


def columns(truth: Signals, rows: list[int]) -> Signals:
    return Signals(*(getattr(truth, field.name)[:, rows] for field in fields(Signals)))


def test_errors_have_the_stated_size_and_no_bias() -> None:
    # m = 20,000 normal draws: their standard deviation is known to e / sqrt(2 m) and their mean to e / sqrt(m);
    # five of these are allowed. The correlation of independent series is within 5 / sqrt(m).
    truth = world(5_001, 4)
    errors = relative_errors(noisy(truth), truth)
    m = errors[0].size
    for series, stated in zip(errors, (0.1, 0.2, 0.3), strict=True):
        assert abs(series.std() - stated) <= 5 * stated / np.sqrt(2 * m)
        assert abs(series.mean()) <= 5 * stated / np.sqrt(m)
    lagged = [np.corrcoef(series[:-1].ravel(), series[1:].ravel())[0, 1] for series in errors]
    between = np.corrcoef([series.ravel() for series in errors])[np.triu_indices(3, 1)]
    neighbours = [np.corrcoef(series[:, 0], series[:, 1])[0, 1] for series in errors]
    assert np.abs([*lagged, *between]).max() <= 5 / np.sqrt(m)
    assert np.abs(neighbours).max() <= 5 / np.sqrt(m / 4)


def relative_errors(forecast: NoisyForecast, truth: Signals) -> Array:
    """Errors of load, PV and price, shape (3, n_steps - 1, n)."""
    n_steps, n = truth.p_load_kw.shape
    expected = np.array([forecast.expect(row, 0, n_steps)[:3] for row in range(n)])
    happened = np.array([truth.p_load_kw, truth.p_pv_kw, truth.price_buy])
    found: Array = expected.transpose(1, 2, 0)[:, 1:] / happened[:, 1:] - 1
    return found


def test_no_error_is_perfect() -> None:
    truth = world()
    exact = noisy(truth, load_error=0.0, pv_error=0.0, price_error=0.0)
    for row in range(3):
        assert np.array_equal(exact.expect(row, 2, 12), PerfectForecast(truth).expect(row, 2, 12))


@pytest.mark.parametrize("price_error", [0.3, 3.0])
def test_noise_keeps_signs_and_the_order_of_prices(price_error: float) -> None:
    # At an error of 300 % a third of the factors would be negative; they are zero instead.
    truth = world(500, 2)
    truth.price_buy[::3] *= -1
    truth.price_sell[::3] = truth.price_buy[::3]
    forecast = noisy(truth, load_error=3.0, pv_error=3.0, price_error=price_error)
    for row in range(2):
        load, pv, buy, sell = forecast.expect(row, 0, 500)
        assert load.min() >= 0 and pv.min() >= 0
        assert (sell <= buy).all()
        assert (buy * truth.price_buy[:, row] >= 0).all()
