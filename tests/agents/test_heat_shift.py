"""Deferred heat: counted by hand on one home, kept to rounding on drawn ones."""

import numpy as np
import pytest
from hypothesis import given, strategies
from hypothesis.extra.numpy import arrays

from agents.prosumer.heat_shift import HeatOwed, serve_heat, shift_heat
from feeders.errors import InputErrors


def column(*values: float) -> np.ndarray:
    return np.array(values)[:, None]


def test_deferred_heat_is_spread_evenly_over_the_time_to_make_up() -> None:
    # A pump of 10 kW under 30 % for two hours: 3 of 5 kW, so 4 kWh are owed, 1 kWh for each of four hours.
    cap = np.array([1, 0.3, 0.3, 1, 1, 1, 1, 1])
    shift = shift_heat(column(5, 5, 5, 5, 5, 5, 5, 5), np.array([10.0]), cap, makeup_h=4.0, step_h=1.0)
    np.testing.assert_allclose(shift.heat_kw[:, 0], [5, 3, 3, 6, 6, 6, 6, 5], rtol=1e-15)
    assert shift.deferred_kwh == pytest.approx([4.0])
    assert shift.owed_max_kwh == pytest.approx([4.0])
    assert shift.owed_kwh_end.tolist() == [0.0]
    # Owed at the ends of the hours: 2, 4, 3, 2, 1, 0 kWh, so 12 kWh h over 4 kWh.
    assert shift.delay_h == pytest.approx([3.0])


def test_what_a_pump_cannot_give_goes_to_the_next_step() -> None:
    # Of 1 kWh a step the pump of 10 kW can give 0.5 beside 9.5 kW, then what has run up as long as there is room.
    cap = np.array([0.3, 1, 1, 1, 1, 1])
    shift = shift_heat(column(6, 9.5, 9, 5, 5, 5), np.array([10.0]), cap, makeup_h=3.0, step_h=1.0)
    np.testing.assert_allclose(shift.heat_kw[:, 0], [3, 10, 10, 6.5, 5, 5], rtol=1e-15)


def test_a_home_that_asks_for_less_than_the_cap_waits_for_nothing() -> None:
    shift = shift_heat(column(2, 3, 2), np.array([10.0]), np.array([0.3, 0.3, 0.3]))
    np.testing.assert_array_equal(shift.heat_kw[:, 0], [2, 3, 2])
    assert shift.delay_h.tolist() == [0.0] and shift.deferred_kwh.tolist() == [0.0]


def test_demand_beyond_the_pump_is_passed_on_and_makes_nobody_wait() -> None:
    shift = shift_heat(column(10, 12, 0), np.array([10.0]), np.array([0.5, 1.0, 1.0]), makeup_h=1.0, step_h=1.0)
    np.testing.assert_array_equal(shift.heat_kw[:, 0], [5, 12, 5])


def test_what_a_pump_cannot_make_up_for_is_owed_at_the_end() -> None:
    shift = shift_heat(column(10, 10, 9), np.array([10.0]), np.array([0.0, 1.0, 1.0]), makeup_h=1.0, step_h=1.0)
    np.testing.assert_array_equal(shift.heat_kw[:, 0], [0, 10, 10])
    assert shift.owed_kwh_end.tolist() == [9.0]


@given(
    arrays(float, (24, 3), elements=strategies.floats(0, 10)),
    arrays(float, 24, elements=strategies.sampled_from([0.0, 0.3, 0.9, 1.0, 1.0, 1.0])),
    strategies.floats(0.25, 3),
)
def test_heat_is_kept_and_pumps_give_what_they_can(heat_kw: np.ndarray, cap: np.ndarray, makeup_h: float) -> None:
    hp_kw = np.array([10.0, 12.0, 20.0])
    shift = shift_heat(heat_kw, hp_kw, cap, makeup_h)
    owed = np.cumsum(heat_kw - shift.heat_kw, axis=0) * 0.25
    np.testing.assert_allclose(owed[-1], shift.owed_kwh_end, atol=1e-9, rtol=0)
    assert owed.min() > -1e-9  # never ahead of the demand
    np.testing.assert_allclose(shift.owed_max_kwh, owed.max(axis=0), atol=1e-9, rtol=0)
    capped = cap < 1
    assert (shift.heat_kw[capped] <= cap[capped, None] * hp_kw + 1e-12).all()
    assert (shift.heat_kw <= hp_kw + 1e-12).all()
    steps = int(np.ceil(makeup_h / 0.25 - 1e-9))
    for step in range(24 - steps):  # after the time to make up, only pumps that gave all they could still owe
        if capped[step] and not capped[step + 1 : step + 1 + steps].any():
            late = shift.heat_kw[step + steps]
            assert ((owed[step + steps] < 1e-9) | (late > hp_kw - 1e-9)).all()


def test_step_by_step_is_the_whole() -> None:
    rng = np.random.default_rng(4)
    heat_kw, hp_kw, cap = rng.uniform(0, 8, (200, 5)), np.full(5, 8.0), np.ones(200)
    cap[[20, 21, 22, 30, 90, 91]] = 0.3
    whole, owed = shift_heat(heat_kw, hp_kw, cap, makeup_h=2.0), HeatOwed.none(5)
    for step in range(200):
        served, owed = serve_heat(heat_kw[step], hp_kw, cap[step], owed, 8)
        np.testing.assert_array_equal(served, whole.heat_kw[step])
    assert not owed.kwh.any()


def test_a_year_without_caps_is_left_as_it_is() -> None:
    heat_kw = np.arange(6.0).reshape(3, 2)
    shift = shift_heat(heat_kw, np.ones(2), np.ones(3))
    np.testing.assert_array_equal(shift.heat_kw, heat_kw)
    assert shift.heat_kw is not heat_kw


def test_shapes_and_caps_that_mean_nothing_are_refused() -> None:
    with pytest.raises(InputErrors) as error:
        shift_heat(np.ones((3, 2)), np.ones(3), np.array([1.0, -1.0, 1.0]), makeup_h=0.0)
    assert [problem.field for problem in error.value.errors] == ["heat_kw", "heat_cap", "makeup_h"]
