"""Cars: what they drive, charge and hold, counted by hand and to rounding."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies

from agents.prosumer.car import car_after, charge_on_arrival, driven_kwh, hours_home
from tests.agents.fleet_cases import drawn_fleet, fleet_of


def test_a_car_charges_at_full_power_from_its_return_to_its_target() -> None:
    # 35 kWh of driving over 9.6 kW at 95 %: 3.84 h, so 9.6 kW for three hours and the rest in the fourth.
    p_kw, energy_kwh = charge_on_arrival(fleet_of(1, ev_kw=9.6), 24, 1.0)
    wanted = np.zeros(24)
    wanted[17:20] = 9.6
    wanted[20] = 35 / 0.95 - 3 * 9.6
    np.testing.assert_allclose(p_kw[:, 0], wanted, atol=1e-12)
    assert energy_kwh[8, 0] == pytest.approx(63.0)  # 90 % of 70 kWh when it leaves at 9 h
    assert energy_kwh[16, 0] == pytest.approx(28.0)  # and 35 kWh less when it is back at 17 h


def test_what_is_left_at_midnight_is_charged_after_it() -> None:
    fleet = fleet_of(1, ev_kw=9.6, ev_returns_h=22.0)
    p_kw, energy_kwh = charge_on_arrival(fleet, 24, 1.0)
    assert p_kw[0, 0] == p_kw[1, 0] == 9.6 or p_kw[1, 0] == pytest.approx(35 / 0.95 - 3 * 9.6)
    assert p_kw.sum() == pytest.approx(35 / 0.95)
    assert energy_kwh[-1, 0] == pytest.approx(63.0 - 35.0 + 2 * 9.6 * 0.95)


def test_a_car_that_is_never_away_drives_nothing() -> None:
    fleet = fleet_of(2, ev_kw=9.6, ev_leaves_h=np.array([8.0, 22.0]), ev_returns_h=np.array([8.0, 6.0]))
    driven = driven_kwh(fleet, 24, 1.0)
    assert driven[:, 0].tolist() == [0.0] * 24
    assert np.flatnonzero(driven[:, 1]).tolist() == [0, 1, 2, 3, 4, 5, 22, 23]  # past midnight
    assert driven[:, 1].sum() == pytest.approx(35.0)
    assert hours_home(fleet, 1.0).tolist() == [24.0, 16.0]


@settings(max_examples=50)
@given(strategies.integers(0, 10**6), strategies.sampled_from([0.25, 0.5, 1.0]), strategies.floats(0, 23))
def test_a_days_energy_is_kept_and_the_day_repeats(seed: int, step_h: float, start_h: float) -> None:
    fleet, n_steps = drawn_fleet(seed), round(24 / step_h)
    p_kw, energy_kwh = charge_on_arrival(fleet, 2 * n_steps, step_h, start_h)
    away = fleet.away(step_h, 2 * n_steps, start_h)
    assert (p_kw[away] == 0).all() and (p_kw <= fleet.ev_kw + 1e-12).all()
    assert (energy_kwh <= fleet.ev_soc_target * fleet.ev_kwh + 1e-9).all()
    driven = driven_kwh(fleet, 2 * n_steps, step_h, start_h)
    np.testing.assert_allclose(driven[:n_steps].sum(axis=0), fleet.ev_trip_h * fleet.ev_kw, atol=1e-9)
    gained = (p_kw[n_steps:].sum(axis=0) * step_h) * fleet.ev_efficiency - driven[n_steps:].sum(axis=0)
    np.testing.assert_allclose(gained, energy_kwh[-1] - energy_kwh[n_steps - 1], rtol=0, atol=1e-9)
    reaches = hours_home(fleet, step_h, start_h) * fleet.ev_efficiency > fleet.ev_trip_h
    np.testing.assert_allclose(energy_kwh[-1, reaches], energy_kwh[n_steps - 1, reaches], rtol=0, atol=1e-9)


def test_giving_back_costs_the_efficiency() -> None:
    after = car_after(np.array([40.0]), np.array([0.0]), np.array([9.5]), np.array([1.0]), np.array([0.95]), 0.5)
    assert after == pytest.approx([40 - 0.5 * 10 - 1])
