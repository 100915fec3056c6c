"""Who charges and who is discharged in one step: the order by hand, and what holds for any homes."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.prosumer.behind_meter import BehindMeter, Scope
from agents.prosumer.self_consumption import Asked, Step, Stores, serve_step
from feeders.errors import InputError, InputErrors
from tests.agents.storage_cases import KINDS, some_assets, some_step

BOTH = get_args(Scope)


def homes(n: int) -> BehindMeter:
    """Batteries of 16 kWh and 3 kW, stores of 11.6 kWh, heat pumps of 8 kW."""
    columns = (np.full(n, size) for size in (16.0, 3.0, 11.6, 8.0, 0.0))
    return BehindMeter([f"home-{row}" for row in range(n)], np.zeros(n, dtype=np.int64), *columns)


@pytest.mark.parametrize(
    ("p_net_kw", "heat_kw", "battery_kwh", "tes_kwh", "p_battery_kw", "q_tes_kw"),
    [
        # COP 4, so that 4 kW of heat are 1 kW of electricity.
        (-2.0, 0.0, 8.0, 0.0, 2.0, 0.0),  # all surplus into the battery
        (-4.0, 0.0, 8.0, 0.0, 3.0, 4.0),  # what is above its 3 kW into the store
        (-9.0, 4.0, 8.0, 0.0, 3.0, 4.0),  # where the heat pump has 4 of 8 kW left; the rest is fed in
        (-9.0, 0.0, 15.5, 11.1, 2.0, 2.0),  # nearly full: half a kWh in a quarter of an hour is 2 kW
        (2.0, 4.0, 8.0, 5.0, -2.0, -4.0),  # demand of 3 kW: all heat from the store, the rest from the battery
        (-0.5, 4.0, 8.0, 5.0, 0.0, -2.0),  # demand of .5 kW: half the heat
        (9.0, 4.0, 8.0, 0.25, -3.0, -1.0),
        (9.0, 4.0, 0.5, 0.0, -2.0, 0.0),
    ],
)
def test_the_order_of_one_home(
    p_net_kw: float, heat_kw: float, battery_kwh: float, tes_kwh: float, p_battery_kw: float, q_tes_kw: float
) -> None:
    step = Step(np.array([p_net_kw]), np.array([heat_kw]), 4.0)
    stores = Stores(np.array([battery_kwh]), np.array([tes_kwh]))
    for scope in BOTH:  # one home is its own region
        served = serve_step(step, stores, homes(1), scope)
        assert np.concatenate(served) == pytest.approx([p_battery_kw, q_tes_kw], abs=1e-12)


def test_the_region_shares_what_one_home_has_too_much() -> None:
    """A surplus of 4 kW at one home, demand of 1 kW at the other: 3 kW into batteries with room for 3 and 1 kW."""
    step = Step(np.array([-4.0, 1.0]), np.zeros(2), 4.0)
    stores = Stores(np.array([8.0, 15.75]), np.zeros(2))
    assert serve_step(step, stores, homes(2), "region")[0] == pytest.approx([2.25, 0.75])
    assert serve_step(step, stores, homes(2), "home")[0] == pytest.approx([3.0, -1.0])


@pytest.mark.parametrize(
    ("cap_kw", "p_battery_kw", "q_tes_kw"),
    [
        (np.inf, [3.0, 3.0], [8.0, 8.0]),
        (20.0, [3.0, 3.0], [8.0, 8.0]),
        # At rest the load is -3 kW. Tiers: 3 + 0 battery own, 0 + 3 battery grid, 1 + 0 store own, 1 + 2 store grid.
        (-1.5, [1.5, 0.0], [0.0, 0.0]),
        (1.5, [3.0, 1.5], [0.0, 0.0]),
        (3.5, [3.0, 3.0], [2.0, 0.0]),
        (5.5, [3.0, 3.0], [6.0, 4.0]),
        (-4.0, [0.0, 0.0], [0.0, 0.0]),  # load is above the cap already: nothing charges, nothing is discharged
    ],
)
def test_charging_from_the_grid_fills_four_tiers(
    cap_kw: float, p_battery_kw: list[float], q_tes_kw: list[float]
) -> None:
    """Homes with a surplus of 4 kW and a demand of 1 kW, COP 4, room of 3 kW and 2 kW electric in each."""
    step = Step(np.array([-4.0, 1.0]), np.zeros(2), 4.0)
    asked = Asked(charge_from_grid=True, station_cap_kw=cap_kw)
    found = serve_step(step, Stores.empty(2), homes(2), "home", asked)
    assert found[0] == pytest.approx(p_battery_kw)
    assert found[1] == pytest.approx(q_tes_kw)


def test_a_cap_on_heat_binds_what_goes_into_the_store() -> None:
    step = Step(np.array([-9.0]), np.array([1.0]), 4.0)
    q_tes_kw = serve_step(step, Stores.empty(1), homes(1), "home", Asked(heat_cap=0.3))[1]
    assert q_tes_kw == pytest.approx([0.3 * 8.0 - 1.0])
    over = Step(np.array([-9.0]), np.array([3.0]), 4.0)  # demand itself is not cut here
    assert serve_step(over, Stores.empty(1), homes(1), "home", Asked(heat_cap=0.3))[1] == pytest.approx([0.0])


@given(st.integers(0, 2**32), st.sampled_from(KINDS), st.sampled_from(BOTH), st.integers(1, 9))
def test_stores_serve_within_their_means(seed: int, kind: str, scope: Scope, n: int) -> None:
    generator = np.random.default_rng(seed)
    assets = some_assets(generator, n)
    step, stores, asked = some_step(generator, assets, kind)
    p_battery_kw, q_tes_kw = serve_step(step, stores, assets, scope, asked)
    after = Stores(stores.battery_kwh + p_battery_kw * step.step_h, stores.tes_kwh + q_tes_kw * step.step_h)
    after.check(assets)
    assert (np.abs(p_battery_kw) <= assets.battery_kw).all()
    heat_pump_kw = step.heat_kw + q_tes_kw
    assert (heat_pump_kw >= -1e-12).all()
    assert (heat_pump_kw <= np.maximum(asked.heat_cap * assets.hp_kw, step.heat_kw) + 1e-12).all()
    at_rest_kw = step.p_net_kw + step.heat_kw / step.cop
    change_kw = p_battery_kw + q_tes_kw / step.cop
    if scope == "region":
        at_rest_kw, change_kw = at_rest_kw.sum(keepdims=True), change_kw.sum(keepdims=True)
    if asked.charge_from_grid:
        assert min(p_battery_kw.min(), q_tes_kw.min()) >= 0.0
        if change_kw.sum() > 1e-9:
            assert at_rest_kw.sum() + change_kw.sum() <= asked.station_cap_kw + 1e-9
    else:
        # Net power comes closer to zero, and never beyond.
        assert (np.abs(at_rest_kw + change_kw) <= np.abs(at_rest_kw) + 1e-9).all()
        assert (at_rest_kw * (at_rest_kw + change_kw) >= -1e-9).all()
    if asked.hold:
        assert min(p_battery_kw.min(), q_tes_kw.min()) >= 0.0


def test_each_home_may_have_a_cop_of_its_own() -> None:
    assets, cop = homes(2), np.array([2.0, 4.0])
    step = Step(np.array([-9.0, -9.0]), np.zeros(2), cop)
    stores = Stores(np.full(2, 16.0), np.full(2, 9.6))  # batteries full, room for 2 kWh of heat: 8 kW
    assert serve_step(step, stores, assets)[1] == pytest.approx([8.0, 8.0])
    scarce = Step(np.array([-2.0, -1.5]), np.zeros(2), cop)
    assert serve_step(scarce, stores, assets)[1] == pytest.approx([4.0, 6.0])


def test_what_cannot_be_served_is_refused() -> None:
    step, stores = Step(np.zeros(2), np.zeros(2), 4.0), Stores.empty(2)
    with pytest.raises(InputError, match="scope: 'street' is not allowed; allowed: home or region"):
        serve_step(step, stores, homes(2), "street")  # type: ignore[arg-type]
    with pytest.raises(InputErrors, match=r"p_net_kw: \(2,\) .* 3 homes"):
        serve_step(step, stores, homes(3))
    with pytest.raises(InputErrors, match="p_net_kw"):
        serve_step(Step(np.array([0.0, np.nan]), np.zeros(2), 4.0), stores, homes(2))
    with pytest.raises(InputErrors, match=r"home-1.battery_kwh: 16.1 is not allowed; allowed: 0 to 16 kWh"):
        Stores(np.array([0.0, 16.1]), np.zeros(2)).check(homes(2))
    with pytest.raises(InputErrors, match=r"tes_kwh: \(3,\)"):
        Stores(np.zeros(2), np.zeros(3)).check(homes(2))
