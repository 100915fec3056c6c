"""Rooms: the closed form against fine Euler steps, heat counted to rounding, a thermostat within its limits."""

import numpy as np
import pytest
from hypothesis import given, strategies

from agents.prosumer.room import Rooms, heats


def rooms_of(n: int = 1, set_point_c: float = 22.5, ramp: float = 0.3, **other: float) -> Rooms:
    usual = {"unit_kw": 5.6, "cop": 2.5, "r_k_per_kw": 2.0, "c_kwh_per_k": 2.0} | other
    return Rooms(**{k: np.full(n, v) for k, v in (usual | {"set_point_c": set_point_c, "ramp": ramp}).items()})


@pytest.mark.parametrize(("outside", "sign"), [(32.0, -1.0), (0.0, 1.0)])
def test_closed_form_is_what_fine_euler_steps_tend_to(outside: float, sign: float) -> None:
    rooms, p_kw, room = rooms_of(), 1.7, 24.0
    exact = rooms.after(np.array([room]), np.array([p_kw]), outside, 1.0)[0]
    errors = []
    for n in (2000, 4000):
        fine = room
        for _ in range(n):
            fine += ((outside - fine) / 2.0 + sign * 2.5 * p_kw) / 2.0 / n
        errors.append(abs(fine - exact))
    assert errors[0] < 1e-3
    assert errors[0] / errors[1] == pytest.approx(2.0, rel=1e-2)  # first order in the step, so it tends there


def test_steps_of_any_length_agree() -> None:
    rooms, p_kw = rooms_of(), np.full((60, 1), 2.0)
    minutes = rooms.course(np.array([22.0]), p_kw, np.full(60, 31.0), 1 / 60)
    np.testing.assert_allclose(minutes[-1], rooms.after(np.array([22.0]), p_kw[0], 31.0, 1.0), rtol=0, atol=1e-12)


def test_power_at_rest_is_what_comes_in_from_outside() -> None:
    # 32 C outside, 22.5 C wanted: 9.5 K over 2 K/kW are 4.75 kW of heat, 1.9 kW of electricity.
    assert rooms_of().wanted_kw(np.array([22.5]), 32.0, 0.25) == pytest.approx([1.9])
    assert rooms_of().wanted_kw(np.array([22.5]), 13.0, 0.25) == pytest.approx([1.9])
    assert heats(13.0, np.array([22.5])) == 1.0
    assert heats(32.0, np.array([22.5])) == -1.0


@given(
    strategies.integers(0, 10**6),
    strategies.sampled_from([1 / 60, 0.25, 1.0]),
)
def test_heat_is_kept(seed: int, step_h: float) -> None:
    rng = np.random.default_rng(seed)
    n, n_steps = 4, 30
    rooms = Rooms(
        *(rng.uniform(low, high, n) for low, high in ((1, 9), (1, 5), (0.5, 9), (0.5, 9), (15, 25), (0.1, 1)))
    )
    outside, p_kw, start = rng.uniform(-15, 40, n_steps), rng.uniform(0, 9, (n_steps, n)), rng.uniform(10, 30, n)
    course = rooms.course(start, p_kw, outside, step_h)
    before, stored = start, np.zeros(n)
    for step in range(n_steps):
        given_kwh = heats(outside[step], rooms.set_point_c) * rooms.cop * p_kw[step] * step_h
        stored += given_kwh - rooms.loss_kwh(before, p_kw[step], outside[step], step_h)
        before = course[step]
    np.testing.assert_allclose(stored, rooms.c_kwh_per_k * (course[-1] - start), rtol=0, atol=1e-9)


@given(strategies.integers(0, 10**6), strategies.floats(0.05, 1.0))
def test_thermostat_keeps_rating_and_ramp_and_the_set_point_where_they_allow(seed: int, ramp: float) -> None:
    rng = np.random.default_rng(seed)
    rooms, outside = rooms_of(2, ramp=ramp), rng.uniform(-15, 45, 48)
    p_kw, room_c = rooms.thermostat(np.array([22.5, 26.0]), outside, 0.5)
    assert p_kw.min() >= 0 and p_kw.max() <= 5.6
    change = np.abs(np.diff(p_kw, axis=0))
    assert change.max() <= ramp * 5.6 + 1e-12
    np.testing.assert_array_equal(room_c, rooms.course(np.array([22.5, 26.0]), p_kw, outside, 0.5))
    # Off the set-point only where the power is at a bound.
    off = np.abs(room_c - 22.5) > 1e-9
    bound = (p_kw < 1e-12) | (p_kw > 5.6 - 1e-12)
    bound[1:] |= change > ramp * 5.6 - 1e-9
    assert bound[off].all()


def test_thermostat_starts_from_the_power_before() -> None:
    rooms = rooms_of()
    p_kw, _ = rooms.thermostat(np.array([22.5]), np.full(3, 32.0), 0.25, before_kw=np.array([0.0]))
    assert p_kw[0] == pytest.approx([0.3 * 5.6])  # 1.9 kW wanted, 30 % of 5.6 kW allowed in a step
