"""What cannot be had is refused by name, and only that."""

from dataclasses import replace

import numpy as np
import pytest

from agents.prosumer.fleet_checks import least_excess_k, require_possible
from agents.prosumer.own_profiles import rooms_of
from feeders.errors import InputErrors
from tests.agents.fleet_cases import day, fleet_of


def test_usual_devices_pass() -> None:
    require_possible(fleet_of(3, ev_kw=9.6, hp_kw=5.6, pv_kw=5.0, battery_kw=2.0), day())


def test_a_car_that_cannot_be_full_again_is_named_with_what_it_needs() -> None:
    # Home from 21 to 0 and 0 to 1 h: 3 h of 9.6 kW at 95 % are 27.36 kWh of the 35 kWh driven.
    fleet = fleet_of(2, ev_kw=9.6, ev_leaves_h=np.array([9.0, 0.0]), ev_returns_h=np.array([17.0, 21.0]))
    with pytest.raises(InputErrors, match=r"row-1.ev_soc_target.*35 kWh are needed a day, 27.36 possible") as error:
        require_possible(fleet, day())
    assert len(error.value.errors) == 1
    require_possible(fleet.with_ratings(ev_kw=np.zeros(2)), day())


def test_a_car_may_not_fall_below_its_least_energy_on_the_road() -> None:
    # 90 % less 60 % of 70 kWh leave 21 kWh for 35 kWh of driving.
    with pytest.raises(InputErrors, match=r"row-0.ev_trip_h.*21 kWh, 35 needed"):
        require_possible(fleet_of(1, ev_kw=9.6, ev_soc_min=0.6), day())


def test_a_pump_too_small_for_its_room_is_named() -> None:
    # 9.5 K over 2 K/kW and COP 2.5 want 1.9 kW; the band of 2 K spares 0.4 kW of them where it is always so hot.
    hot = replace(day(), t_out_c=np.full(24, 32.0))
    require_possible(fleet_of(1, hp_kw=1.51, hp_unit_kw=1.51), hot)
    with pytest.raises(InputErrors, match=r"row-0.hp_unit_kw: 1.48 is not allowed.*at any power"):
        require_possible(fleet_of(1, hp_kw=1.48, hp_unit_kw=1.48), hot)
    # On a day that cools down at night, the room is cooled before the afternoon where the thermostat alone would fail.
    require_possible(fleet_of(1, hp_kw=1.3, hp_unit_kw=1.3), day())


def test_a_pump_too_slow_for_its_room_is_named() -> None:
    cold_snap = replace(day(), t_out_c=np.where(np.arange(24) < 12, 20.0, -18.0))
    require_possible(fleet_of(1, hp_kw=11.0, hp_unit_kw=11.0, hp_ramp=1.0), cold_snap)
    with pytest.raises(InputErrors, match=r"row-0.hp_ramp: 0.01 is not allowed.*at any course"):
        require_possible(fleet_of(1, hp_kw=11.0, hp_unit_kw=11.0, hp_ramp=0.01), cold_snap)


def test_excess_is_what_full_power_leaves() -> None:
    # Full power all day is the best there is, and the day that repeats under it the warmest end of the room.
    rooms, hour = rooms_of(fleet_of(1, hp_kw=1.0, hp_unit_kw=1.0)), np.arange(24)
    outside, course = 35 + 2 * np.sin(hour / 24 * 2 * np.pi), rooms.set_point_c[None]
    for _ in range(9):
        course = rooms.course(course[-1], np.ones((24, 1)), outside, 1.0)
    assert least_excess_k(rooms, 1.0, outside, 1.0) == pytest.approx(course.max() - 22.5 - 1.0, abs=1e-7)
