"""Charging at home under a cap: closed forms of one evening, and energy, power and time kept in any sessions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.mobility import Sessions
from agents.prosumer import charge, charge_step
from feeders.errors import InputErrors

Array = npt.NDArray[np.float64]

FREE = np.inf
STEP_H = 0.25


def sessions(*rows: tuple[int, int, int, float]) -> Sessions:
    """Rows of home, arrival, departure, energy."""
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    home, arrival, departure = (np.array(column, dtype=np.int64) for column in columns[:3])
    return Sessions(home, arrival, departure, np.array(columns[3], dtype=float))


def evening_cap(cap_kw: float, n_days: int = 2) -> Array:
    """From 18 h to midnight of the first day."""
    cap = np.full(96 * n_days, FREE)
    cap[72:96] = cap_kw
    return cap


def test_an_evening_under_the_cap_and_the_rest_after_midnight() -> None:
    """44 kWh from 18 h on at 2.75 kW: 16.5 kWh by midnight, the other 27.5 kWh in 2.5 h at 11 kW.

    Without a cap the e-th kWh comes e / 11 h after 18 h; with it e / 2.75 up to 16.5 kWh, then 6 + (e - 16.5) / 11.
    """
    found = charge(sessions((1, 72, 130, 44.0)), np.array([0.0, 11.0]), evening_cap(2.75))
    expected = np.zeros((192, 2))
    expected[72:96, 1], expected[96:106, 1] = 2.75, 11.0
    np.testing.assert_allclose(found.p_ev_kw, expected, atol=1e-12)
    delay_h = (16.5**2 / 2 * (1 / 2.75 - 1 / 11) + 27.5 * (6 - 16.5 / 11)) / 44
    assert found.delay_h == pytest.approx([0, delay_h], abs=1e-12)
    assert (found.owed_kwh_end.sum(), found.missed_kwh.sum(), found.n_missed.sum()) == (0, 0, 0)


def test_what_a_car_leaves_without_is_charged_when_it_is_back() -> None:
    """20 kWh in one hour: 11 come, 9 wait. Back for half an hour it gets 5.5, and 3.5 + 2 new in its third stay."""
    found = charge(sessions((0, 0, 4, 20.0), (0, 8, 10, 0.0), (0, 20, 30, 2.0)), np.array([11.0]), np.full(40, FREE))
    energy = found.p_ev_kw[:, 0] * STEP_H
    assert energy[:4].sum() == pytest.approx(11.0)
    assert (energy[8:10].sum(), energy[20:30].sum()) == pytest.approx((5.5, 5.5))
    assert found.missed_kwh == pytest.approx([9.0])  # once, though the car left twice without
    assert found.n_missed.tolist() == [2]
    assert found.delay_h[0] == 0  # nobody capped it


def test_what_is_owed_in_the_end_is_reported() -> None:
    found = charge(sessions((0, 90, 96, 16.5)), np.array([11.0]), np.full(96, 2.0))
    assert found.owed_kwh_end == pytest.approx([16.5 - 2 * 1.5])
    assert found.n_missed.tolist() == [0]  # it has not left


def test_no_sessions_no_charging() -> None:
    found = charge(sessions(), np.array([11.0, 0.0]), np.full(96, FREE))
    assert not found.p_ev_kw.any()
    assert found.delay_h.tolist() == [0, 0]


@st.composite
def problems(draw: st.DrawFn) -> tuple[Sessions, Array, Array]:
    """A few homes, a few stays each, some too short for what they ask; caps that come and go, 0 too."""
    n, n_steps = draw(st.integers(1, 3)), 60
    rows = []
    for home in range(n):
        times = sorted(draw(st.sets(st.integers(0, n_steps), min_size=0, max_size=8)))
        for arrival, departure in zip(times[::2], times[1::2], strict=False):
            rows.append((home, arrival, departure, draw(st.floats(0, 60))))
    rows = draw(st.permutations(rows))
    blocks = draw(st.lists(st.sampled_from([0.0, 1.4, 3.7, 7.0, 11.0, FREE]), min_size=6, max_size=6))
    return sessions(*rows), np.array(draw(st.lists(st.floats(1, 22), min_size=n, max_size=n))), np.repeat(blocks, 10)


@given(problems())
def test_energy_is_kept_and_no_charger_gives_more_than_it_may(problem: tuple[Sessions, Array, Array]) -> None:
    asks, charger_kw, cap_kw = problem
    found = charge(asks, charger_kw, cap_kw)
    asked = np.bincount(asks.home, asks.energy_kwh, len(charger_kw))
    np.testing.assert_allclose(found.p_ev_kw.sum(0) * STEP_H + found.owed_kwh_end, asked, rtol=0, atol=1e-9)
    there = np.zeros_like(found.p_ev_kw)
    for home, arrival, departure in zip(asks.home, asks.arrival_step, asks.departure_step, strict=True):
        there[arrival:departure, home] = 1
    assert (found.p_ev_kw >= 0).all()
    assert (found.p_ev_kw <= np.where(there, np.minimum(charger_kw, cap_kw[:, None]), 0) * (1 + 1e-12)).all()


@given(problems())
def test_a_year_at_once_is_its_steps_one_by_one(problem: tuple[Sessions, Array, Array]) -> None:
    asks, charger_kw, cap_kw = problem
    found = charge(asks, charger_kw, cap_kw)
    asked, there = np.zeros(found.p_ev_kw.shape), np.zeros(found.p_ev_kw.shape, dtype=bool)
    for row in range(len(asks)):
        asked[asks.arrival_step[row], asks.home[row]] = asks.energy_kwh[row]
        there[asks.arrival_step[row] : asks.departure_step[row], asks.home[row]] = True
    owed = np.zeros(len(charger_kw))
    for t in range(len(cap_kw)):
        p_kw = charge_step(owed, asked[t], there[t], charger_kw, float(cap_kw[t]), STEP_H)
        np.testing.assert_allclose(p_kw, found.p_ev_kw[t], rtol=0, atol=1e-9)
    np.testing.assert_allclose(owed, found.owed_kwh_end, rtol=0, atol=1e-9)


@given(problems())
def test_missed_and_late_follow_from_the_courses_of_energy(problem: tuple[Sessions, Array, Array]) -> None:
    """First asked, first charged: a stay's kWh are those between what was asked before it and with it.

    Missed is what of them is not charged by its departure; late the area between the courses with and without a cap.
    """
    asks, charger_kw, cap_kw = problem
    found, free = charge(asks, charger_kw, cap_kw), charge(asks, charger_kw, np.full(len(cap_kw), FREE))
    given_kwh, free_kwh = (
        np.vstack([np.zeros(len(charger_kw)), (run.p_ev_kw * STEP_H).cumsum(0)]) for run in (found, free)
    )
    assert (free_kwh - given_kwh > -1e-9).all()
    for home in range(len(charger_kw)):
        rows = np.flatnonzero(asks.home == home)
        rows = rows[np.argsort(asks.arrival_step[rows])]
        before, with_it = 0.0, 0.0
        missed = 0.0
        for row in rows:
            before, with_it = with_it, with_it + asks.energy_kwh[row]
            if asks.departure_step[row] < len(cap_kw):
                missed += max(0.0, with_it - max(before, given_kwh[asks.departure_step[row], home]))
        assert found.missed_kwh[home] == pytest.approx(missed, abs=1e-8)
        late_kwh = free_kwh[:, home] - given_kwh[:, home]
        area = (late_kwh[1:] + late_kwh[:-1]).sum() / 2 * STEP_H
        assert found.delay_h[home] == pytest.approx(area / with_it if with_it else 0, rel=1e-9, abs=1e-8)


def test_a_profile_is_served_step_by_step_at_any_pace() -> None:
    """11 kW for a quarter of an hour under 3.7 kW, by the minute: 2.75 kWh take 44.6 minutes instead."""
    owed, minute_h = np.zeros(1), 1 / 60
    asked = np.zeros(60)
    asked[:15] = 11 * minute_h
    p_kw = np.array(
        [
            charge_step(owed, kwh, np.ones(1, dtype=bool), np.array([11.0]), np.array([3.7]), minute_h)[0]
            for kwh in asked[:, None]
        ]
    )
    assert p_kw[:44] == pytest.approx(np.full(44, 3.7))
    assert p_kw[44] == pytest.approx((2.75 - 44 * 3.7 / 60) * 60)
    assert (p_kw[45:] == 0).all()
    assert owed[0] == 0


REFUSED: dict[str, tuple[tuple[tuple[int, int, int, float], ...], dict[str, Any], str]] = {
    "no such home": (((5, 0, 4, 1.0),), {}, "0.home: 5 is not allowed; allowed: 0 to 1"),
    "no charger": (((1, 0, 4, 1.0),), {}, "0.home: 1 is not allowed; allowed: a home with a charger"),
    "after the end": (((0, 90, 97, 1.0),), {}, "0.departure_step: 97 is not allowed; allowed: at most 96"),
    "before the beginning": (((0, -1, 4, 1.0),), {}, "0.arrival_step: -1 is not allowed; allowed: 0 or more"),
    "negative charger": ((), {"charger_kw": np.array([-1.0, 0.0])}, "charger_kw[0]: -1.0 is not allowed"),
    "cap is no number": ((), {"cap_kw": np.full(96, np.nan)}, "cap_kw[0]: nan is not allowed"),
    "no time": ((), {"step_h": 0.0}, "step_h: 0.0 is not allowed; allowed: more than 0"),
}


@pytest.mark.parametrize(("rows", "changes", "complaint"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_charged_is_refused(rows: Any, changes: dict[str, Any], complaint: str) -> None:
    arguments = {"charger_kw": np.array([11.0, 0.0]), "cap_kw": np.full(96, FREE), "step_h": STEP_H, **changes}
    with pytest.raises(InputErrors) as refused:
        charge(sessions(*rows), **arguments)
    assert complaint in str(refused.value)


def test_a_car_that_leaves_before_it_arrives_is_refused() -> None:
    with pytest.raises(InputErrors, match=r"0.departure_step: 3 is not allowed; allowed: a step after its arrival"):
        sessions((0, 4, 3, 1.0))
