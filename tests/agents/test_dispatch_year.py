"""Many steps of stores: the same as step by step, books that balance, and branch limits where they bind."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from agents.dso.relief import Directives
from agents.prosumer.behind_meter import BehindMeter, MeterInputs, Scope
from agents.prosumer.dispatch_year import Dispatch, dispatch_year
from agents.prosumer.limits import Limits
from agents.prosumer.self_consumption import Asked, Step, Stores, serve_step
from agents.prosumer.virtual_prices import solve_step
from feeders.errors import InputErrors
from tests.agents.storage_cases import some_assets, some_inputs

BOTH = get_args(Scope)
T, N = 288, 20


def some_directives(generator: np.random.Generator, n_steps: int = T) -> Directives:
    """An hour or more of each on most days, some of them at once."""

    def blocks() -> np.ndarray:
        return np.repeat(generator.random(n_steps // 8 + 1) < 0.2, 8)[:n_steps]

    heat_cap = np.where(blocks(), 0.3, 1.0)
    cap_kw = np.where(generator.random(n_steps) < 0.7, generator.uniform(-10.0, 80.0, n_steps), np.inf)
    return Directives(np.full(n_steps, np.inf), heat_cap, blocks(), cap_kw, blocks())


def case(seed: int) -> tuple[BehindMeter, MeterInputs, Directives]:
    generator = np.random.default_rng(seed)
    assets = some_assets(generator, N)
    return assets, some_inputs(generator, assets, T), some_directives(generator)


def rows(inputs: MeterInputs, directives: Directives, of: slice) -> tuple[MeterInputs, Directives]:
    """Some steps of them."""
    columns = ("p_load_kw", "p_pv_kw", "heat_kw", "cop", "p_ev_kw")
    asked = {name: values[of] for name, values in vars(directives).items()}
    return replace(inputs, **{name: getattr(inputs, name)[of] for name in columns}), Directives(**asked)


def asked_in(directives: Directives, t: int) -> Asked:
    return Asked(
        float(directives.heat_cap[t]),
        bool(directives.charge_from_grid[t]),
        float(directives.station_cap_kw[t]),
        bool(directives.hold[t]),
    )


@pytest.mark.parametrize("scope", BOTH)
def test_a_year_is_its_steps(scope: Scope) -> None:
    assets, inputs, directives = case(1)
    year = dispatch_year(assets, inputs, directives, scope, columns=True)
    assert year.p_battery_kw is not None and year.q_tes_kw is not None
    stores = Stores.empty(N)
    for t in range(T):
        step = Step(
            inputs.p_load_kw[t] + inputs.p_ev_kw[t] - inputs.p_pv_kw[t], inputs.heat_kw[t], float(inputs.cop[t])
        )
        p_battery_kw, q_tes_kw = serve_step(step, stores, assets, scope, asked_in(directives, t))
        stores = Stores(stores.battery_kwh + 0.25 * p_battery_kw, stores.tes_kwh + 0.25 * q_tes_kw)
        assert year.p_battery_kw[t] == pytest.approx(p_battery_kw, abs=1e-9)
        assert year.q_tes_kw[t] == pytest.approx(q_tes_kw, abs=1e-9)
    assert np.abs(year.p_battery_kw).max() > 1.0
    assert np.abs(year.q_tes_kw).max() > 1.0


def balanced(year: Dispatch, assets: BehindMeter, inputs: MeterInputs, start: Stores) -> None:
    """What holds for any dispatch with columns."""
    p_battery_kw, q_tes_kw, p_meter_kw = year.p_battery_kw, year.q_tes_kw, year.p_meter_kw
    assert p_battery_kw is not None and q_tes_kw is not None and p_meter_kw is not None
    heat_pump_kw = (inputs.heat_kw + q_tes_kw) / inputs.cop[:, None]
    expected = inputs.p_load_kw + inputs.p_ev_kw + heat_pump_kw - inputs.p_pv_kw + p_battery_kw
    assert p_meter_kw == pytest.approx(expected, abs=1e-9)
    assert year.p_region_kw == pytest.approx(p_meter_kw.sum(axis=1), abs=1e-9)
    for station in range(3):
        mine = p_meter_kw[:, assets.station == station]
        assert year.p_station_kw[:, station] == pytest.approx(mine.sum(axis=1), abs=1e-9)
    assert year.import_kwh == pytest.approx(0.25 * np.maximum(p_meter_kw, 0.0).sum(axis=0), abs=1e-9)
    assert year.export_kwh == pytest.approx(0.25 * np.maximum(-p_meter_kw, 0.0).sum(axis=0), abs=1e-9)
    assert year.battery_kwh == pytest.approx(start.battery_kwh + 0.25 * p_battery_kw.sum(axis=0), abs=1e-9)
    assert year.tes_kwh == pytest.approx(start.tes_kwh + 0.25 * q_tes_kw.sum(axis=0), abs=1e-9)
    assert -1e-12 <= year.soc_low < year.soc_high <= 1 + 1e-12


@pytest.mark.parametrize("scope", BOTH)
def test_the_books_balance(scope: Scope) -> None:
    assets, inputs, directives = case(2)
    start = Stores(0.5 * assets.battery_kwh, 0.25 * assets.tes_kwh)
    balanced(dispatch_year(assets, inputs, directives, scope, start=start, columns=True), assets, inputs, start)


def test_half_a_year_and_another_half_are_one() -> None:
    assets, inputs, directives = case(3)
    whole = dispatch_year(assets, inputs, directives)
    first = dispatch_year(assets, *rows(inputs, directives, slice(0, 100)))
    second = dispatch_year(assets, *rows(inputs, directives, slice(100, T)), start=first.end)
    assert np.array_equal(np.concatenate([first.p_region_kw, second.p_region_kw]), whole.p_region_kw)
    assert np.array_equal(second.battery_kwh, whole.battery_kwh)
    assert whole.p_meter_kw is None


def test_what_homes_pay() -> None:
    assets, inputs, directives = case(4)
    generator = np.random.default_rng(4)
    buy, sell = generator.uniform(0.2, 0.4, T), generator.uniform(0.0, 0.1, T)
    year = dispatch_year(assets, inputs, directives, columns=True, price_buy=buy, price_sell=sell)
    assert year.p_meter_kw is not None
    price = np.where(year.p_meter_kw > 0, buy[:, None], sell[:, None])
    assert year.cost == pytest.approx(0.25 * (price * year.p_meter_kw).sum(axis=0), abs=1e-9)
    assert not dispatch_year(assets, inputs, directives).cost.any()


def test_homes_without_stores_have_no_state_of_charge() -> None:
    assets, inputs, directives = case(5)
    bare = replace(assets, battery_kwh=np.zeros(N), tes_kwh=np.zeros(N))
    year = dispatch_year(bare, inputs, directives)
    assert np.isnan(year.soc_low) and np.isnan(year.soc_high)
    expected = inputs.p_load_kw + inputs.p_ev_kw - inputs.p_pv_kw + inputs.heat_kw / inputs.cop[:, None]
    assert year.p_region_kw == pytest.approx(expected.sum(axis=1), abs=1e-9)


def a_line_and_all(p_line_kw: float, p_all_kw: float) -> Limits:
    members = np.stack([np.arange(N) < N // 3, np.ones(N, dtype=bool)])
    return Limits(members, np.array([p_line_kw, p_all_kw]), ["line", "trafo"])


@pytest.mark.parametrize("scope", BOTH)
def test_steps_in_which_a_branch_limit_binds_are_programs(scope: Scope) -> None:
    assets, inputs, directives = case(6)
    limits = a_line_and_all(12.0, 40.0)
    free = dispatch_year(assets, inputs, directives, scope, columns=True)
    year = dispatch_year(assets, inputs, directives, scope, limits, columns=True)
    balanced(year, assets, inputs, Stores.empty(N))
    assert free.p_meter_kw is not None and year.p_meter_kw is not None and year.over_kw is not None
    assert year.over_kw == pytest.approx(limits.excess_kw(year.p_meter_kw), abs=1e-8)
    binds = (limits.excess_kw(free.p_meter_kw) > 1e-6).any(axis=1)
    first = int(np.argmax(binds))
    assert np.array_equal(year.p_meter_kw[:first], free.p_meter_kw[:first])
    assert 10 < year.n_programs < T
    assert 0 < year.over_kw.sum() < 0.95 * limits.excess_kw(free.p_meter_kw).sum()  # storage relieves, and not all

    p_net_kw = inputs.p_load_kw + inputs.p_ev_kw - inputs.p_pv_kw
    before = dispatch_year(assets, *rows(inputs, directives, slice(0, first)), scope).end
    step = Step(p_net_kw[first], inputs.heat_kw[first], float(inputs.cop[first]))
    solved = solve_step(step, before, assets, scope, asked_in(directives, first), limits)
    assert year.over_kw[first] == pytest.approx(solved.over_kw, abs=1e-9)
    assert year.p_region_kw[first] == pytest.approx(
        (step.p_net_kw + solved.p_battery_kw + (step.heat_kw + solved.q_tes_kw) / step.cop).sum(), abs=1e-9
    )


def test_limits_that_never_bind_change_nothing() -> None:
    assets, inputs, directives = case(7)
    free = dispatch_year(assets, inputs, directives)
    year = dispatch_year(assets, inputs, directives, limits=a_line_and_all(np.inf, 1000.0))
    assert year.over_kw is not None
    assert np.array_equal(year.p_region_kw, free.p_region_kw)
    assert (year.n_programs, year.over_kw.any(), free.over_kw) == (0, False, None)


def test_what_does_not_fit_together_is_refused_all_at_once() -> None:
    assets, inputs, directives = case(8)
    fewer = replace(assets, **{name: values[1:] for name, values in vars(assets).items()})
    with pytest.raises(InputErrors) as refused:
        dispatch_year(
            fewer,
            inputs,
            replace(directives, hold=directives.hold[1:], heat_cap=np.full(T, np.nan)),
            "street",  # type: ignore[arg-type]
            a_line_and_all(7.0, 20.0),
            price_buy=np.full(T, np.inf),
        )
    found = [error.field for error in refused.value.errors]
    assert found == [
        "scope",
        "inputs",
        "limits.members",
        "directives.heat_cap",
        "directives.hold",
        "price_buy",
    ]
    with pytest.raises(InputErrors, match=r"battery_kwh: .* is not allowed; allowed: 0 to"):
        dispatch_year(assets, inputs, directives, start=Stores(assets.battery_kwh + 1.0, assets.tes_kwh))
