"""What uncoordinated devices do: batteries share their bus's surplus, ledgers close, rooms are kept."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies

from agents.prosumer.own_profiles import own_profiles, rated_share
from agents.prosumer.self_discharge import decays
from feeders.errors import InputError
from tests.agents.fleet_cases import day, drawn_fleet, fleet_of


def test_batteries_at_one_bus_share_its_surplus() -> None:
    # 10 kW of PV at noon over 2 kW of load leave 8 kW, for batteries of 3 and 1 kW: all they can, 3 and 1 kW; with
    # 30 and 10 kW: in the ratio of what they can, 6 and 2 kW. The battery at another bus has no surplus.
    inputs = replace(day(2), p_load_kw=np.full((24, 2), 2.0), pv_share=np.eye(24)[12])
    for kw, wanted in (((3.0, 1.0), [3.0, 1.0, 0.0]), ((30.0, 10.0), [6.0, 2.0, 0.0])):
        fleet = fleet_of(3, bus=np.array([7, 7, 9]), pv_kw=np.array([10.0, 0, 0]), battery_kw=np.array([*kw, 5.0]))
        own = own_profiles(fleet, inputs, buses=[7, 9])
        np.testing.assert_allclose(own.p_battery_kw[12], wanted, atol=1e-12)


def test_a_battery_covers_load_no_further_than_it_has_stored() -> None:
    # 3 kW of surplus for an hour at 95 %: 2.85 kWh stored, 2.7075 kWh given back, 2 kW at once.
    inputs = replace(day(1), p_load_kw=np.full((24, 1), 2.0), pv_share=np.eye(24)[12])
    own = own_profiles(fleet_of(1, pv_kw=5.0, battery_kw=4.0), inputs, buses=[0])
    wanted = np.zeros(24)
    wanted[[12, 13, 14]] = 3.0, -2.0, -(2.7075 - 2.0)
    np.testing.assert_allclose(own.p_battery_kw[:, 0], wanted, atol=1e-12)
    assert own.battery_kwh[12, 0] == pytest.approx(2.85)


@settings(max_examples=40)
@given(strategies.integers(0, 10**6), strategies.sampled_from([0.25, 1.0]))
def test_batteries_keep_energy_bounds_and_the_direction_of_their_bus(seed: int, step_h: float) -> None:
    fleet, inputs = drawn_fleet(seed, n=8), day(3, step_h)
    own = own_profiles(fleet, inputs, buses=range(3))
    capacity, least = fleet.battery_kwh, fleet.battery_soc_min * fleet.battery_kwh
    assert (np.abs(own.p_battery_kw) <= fleet.battery_kw + 1e-12).all()
    assert (own.battery_kwh <= capacity + 1e-9).all() and (own.battery_kwh >= least - 1e-9).all()
    lost, gain = decays(fleet.battery_self_discharge_per_h, step_h)
    before = np.vstack([own.battery_kwh[-1], own.battery_kwh[:-1]])  # the day repeats
    stored = np.maximum(own.p_battery_kw, 0) * fleet.battery_efficiency
    stored += np.minimum(own.p_battery_kw, 0) / fleet.battery_efficiency
    after = before + gain * stored - lost * (before - least)
    np.testing.assert_allclose(after, own.battery_kwh, rtol=0, atol=3e-9)
    for bus in range(3):
        rows = fleet.bus == bus
        net = inputs.p_load_kw[:, bus] + (own.p_kw - own.p_battery_kw)[:, rows].sum(axis=1)
        battery = own.p_battery_kw[:, rows].sum(axis=1)
        assert (battery * net <= 1e-9).all()  # against the surplus or the load
        assert (np.abs(battery) <= np.abs(net) + 1e-9).all()  # and no further


def test_thermostats_hold_the_set_point_and_rated_pumps_reach_their_rating_in_the_evening() -> None:
    fleet = fleet_of(2, hp_kw=np.array([11.2, 0.0]))
    held = own_profiles(fleet, day(1), "set-point", buses=[0])
    np.testing.assert_allclose(held.room_c, 22.5, atol=1e-9)
    assert held.p_hp_kw[:, 1].tolist() == [0.0] * 24
    assert 2 * 1.8 < held.p_hp_kw[:, 0].max() < 2 * 1.91  # 1.9 kW each would hold 22.5 C against 32 C for ever
    rated = own_profiles(fleet, day(1), "rated", buses=[0])
    assert rated.p_hp_kw[18, 0] == 11.2 == rated.p_hp_kw.max()
    assert rated.p_hp_kw[:, 0].min() == pytest.approx(0.35 * 11.2)
    assert np.isnan(rated.room_c[:, 0]).all() and (rated.room_c[:, 1] == 22.5).all()
    assert rated_share(1, 1.0, 42.0) == [1.0]  # 18 h of the day after


def test_a_row_at_no_bus_of_the_feeder_is_named() -> None:
    with pytest.raises(InputError, match=r"row-0.bus: 3 is not allowed.*1, 5"):
        own_profiles(fleet_of(1, bus=np.array([3])), day(2), buses=[1, 5])
