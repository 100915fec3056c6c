"""Measures of an operator: which steps they bind, on a day small enough to count by hand, and on drawn years."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies
from hypothesis.extra.numpy import arrays

from agents.dso.relief import (
    LEVELS,
    CurA,
    CurB,
    Outlook,
    ProA,
    ProB,
    in_passes,
    makeup_h,
    onset,
    relieve,
    threshold_kw,
    violations,
)
from feeders.errors import InputError, InputErrors

# Three days of eight steps (3 h each), threshold 10 kW: congested from step 5, never, and from step 0 on.
DAYS = [
    [4.0, 2.0, 3.0, 1.0, 9.0, 12.0, 8.0, 11.0],
    [4.0, 2.0, 3.0, 1.0, 9.0, 10.0, 8.0, -30.0],
    [11.0, 2.0, 3.0, 1.0, 9.0, 12.0, 8.0, 1.0],
]
OUTLOOK = Outlook(np.concatenate(DAYS), 10.0, steps_per_day=8)


def test_threshold_is_todays_highest_load_over_the_share_of_the_level() -> None:
    today = np.array([-900.0, 475.0, 380.0])
    assert {level: threshold_kw(today, level) for level in LEVELS} == {
        "safe": 475 / 0.9,
        "near-critical": 500.0,
        "critical": 475.0,
    }


def test_levels_and_loads_that_say_nothing_are_refused() -> None:
    with pytest.raises(InputError, match="'bad' is not allowed; allowed: one of safe, near-critical, critical"):
        threshold_kw(np.ones(3), "bad")
    with pytest.raises(InputError, match=r"p_today_kw: -1\.0 is not allowed"):
        threshold_kw(-np.ones(3), "safe")
    with pytest.raises(InputError, match="finite loads"):
        threshold_kw(np.array([1.0, np.nan]), "safe")


def test_a_load_that_fills_the_threshold_by_rounding_violates_nothing() -> None:
    p_kw = np.array([10 * (1 + 1e-9), 10 * (1 + 1e-5), -10 * (1 + 1e-9), -10 * (1 + 1e-5), 0.0])
    load, feed_in = violations(p_kw, 10.0)
    assert load.tolist() == [False, True, False, False, False]
    assert feed_in.tolist() == [False, False, False, True, False]


def test_onset_is_the_first_congested_step_of_each_day() -> None:
    assert OUTLOOK.onset.tolist() == [5, 8, 0]
    assert onset(np.array([1.0, 1.0, 5.0]), 2.0, 2).tolist() == [2, 0]  # the last day is half a day


def steps(flags: np.ndarray) -> list[int]:
    return np.flatnonzero(flags).tolist()


def test_cur_a_caps_chargers_from_the_onset_to_midnight() -> None:
    asked = CurA(cap_kw=3.7).directives(OUTLOOK)
    assert steps(asked.ev_cap_kw < np.inf) == [5, 6, 7, *range(16, 24)]
    assert set(asked.ev_cap_kw[5:8]) == {3.7}
    assert (asked.heat_cap == 1).all() and not asked.charge_from_grid.any() and not asked.hold.any()


def test_cur_b_caps_heat_for_its_hours_from_the_onset_on_and_ends_at_midnight() -> None:
    asked = CurB(heat_cap=0.3, hours=6.0).directives(OUTLOOK)
    assert steps(asked.heat_cap == 0.3) == [5, 6, 16, 17]
    assert steps(asked.heat_cap < 1) == [5, 6, 16, 17]
    assert steps(CurB(hours=30.0).directives(OUTLOOK).heat_cap < 1) == [5, 6, 7, *range(16, 24)]
    assert (asked.ev_cap_kw == np.inf).all()


def test_cur_b_may_start_where_the_others_leave_congestion() -> None:
    residual = np.zeros(24)
    residual[[6, 13]] = 12.0  # the second day was not expected to be congested
    left = replace(OUTLOOK, residual_kw=residual)
    assert steps(CurB(hours=3.0, start="residual").directives(left).heat_cap < 1) == [6, 13]
    with pytest.raises(InputError, match="residual_kw: nothing given; allowed: the load that the other measures leave"):
        CurB(start="residual").directives(OUTLOOK)


def test_pro_a_charges_where_the_mean_load_is_lowest_before_the_onset() -> None:
    # Means of two steps before step 5: 3, 2.5, 2, 5. On the third day nothing is before the onset.
    asked = ProA(hours=6.0, cap_share=0.9).directives(OUTLOOK)
    assert steps(asked.charge_from_grid) == [2, 3]
    assert steps(asked.station_cap_kw < np.inf) == [2, 3]
    assert asked.station_cap_kw[2] == 9.0
    assert not asked.hold.any()


def test_pro_a_takes_the_earliest_of_equal_intervals_and_what_time_there_is() -> None:
    flat = Outlook(np.array([1.0, 1.0, 1.0, 20.0]), 10.0, steps_per_day=4)
    assert steps(ProA(hours=6.0).directives(flat).charge_from_grid) == [0]
    assert steps(ProA(hours=24.0).directives(flat).charge_from_grid) == [0, 1, 2]
    assert (ProA(cap_share=None).directives(flat).station_cap_kw == np.inf).all()


def test_pro_b_holds_from_midnight_to_the_onset_but_while_stores_charge_from_the_grid() -> None:
    assert steps(ProB().directives(OUTLOOK).hold) == [0, 1, 2, 3, 4]
    both = relieve([ProA(hours=6.0), ProB()], OUTLOOK)
    assert steps(both.hold) == [0, 1, 4]
    assert steps(both.charge_from_grid) == [2, 3]


def test_pro_b_may_hold_between_congested_steps_too() -> None:
    assert steps(ProB(between=True).directives(OUTLOOK).hold) == [0, 1, 2, 3, 4, 6, 17, 18, 19, 20]
    assert OUTLOOK.relieved.tolist() == [8, 0, 6]
    half_a_day = Outlook(np.array([1.0, 5.0, 1.0, 1.0, 5.0, 1.0]), 2.0, steps_per_day=4)
    assert half_a_day.relieved.tolist() == [2, 1]
    assert steps(ProB(between=True).directives(half_a_day).hold) == [0]


def test_measures_together_ask_what_each_asks_and_none_asks_nothing() -> None:
    measures = [CurA(3.0), CurB(), ProA(), ProB()]
    together = relieve(measures, OUTLOOK)
    np.testing.assert_array_equal(together.ev_cap_kw, CurA(3.0).directives(OUTLOOK).ev_cap_kw)
    np.testing.assert_array_equal(together.heat_cap, CurB().directives(OUTLOOK).heat_cap)
    nothing = relieve([], OUTLOOK)
    assert len(nothing.hold) == 24
    assert (nothing.ev_cap_kw == np.inf).all() and (nothing.heat_cap == 1).all() and not nothing.hold.any()


def test_what_starts_at_the_rest_comes_in_a_second_pass() -> None:
    late, early = CurB(start="residual", makeup_h=4.0), CurB(makeup_h=3.0)
    assert in_passes([late, CurA(), early]) == ([CurA(), early], [late])
    assert makeup_h([late, CurA(), early]) == 4.0
    assert makeup_h([CurA()]) == 6.0


@given(
    arrays(float, 40, elements=strategies.floats(-20, 20)),
    strategies.floats(1, 19),
    strategies.floats(0.5, 30),
    strategies.booleans(),
)
def test_a_days_directives_follow_from_this_day_alone(
    p_kw: np.ndarray, threshold: float, hours: float, between: bool
) -> None:
    measures = [CurA(), CurB(hours=hours), ProA(hours=hours), ProB(between=between)]
    whole = relieve(measures, Outlook(p_kw, threshold, 8))
    days = [relieve(measures, Outlook(day, threshold, 8)) for day in p_kw.reshape(-1, 8)]
    for name in ("ev_cap_kw", "heat_cap", "charge_from_grid", "station_cap_kw", "hold"):
        np.testing.assert_array_equal(getattr(whole, name), np.concatenate([getattr(day, name) for day in days]))
    # Before the onset stores fill, from it on they may empty: nothing proactive is asked of steps that are congested.
    congested = violations(p_kw, threshold)[0]
    assert not (congested & (whole.charge_from_grid | whole.hold)).any()
    assert (congested <= (whole.ev_cap_kw < np.inf)).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: CurA(-1.0), "measure CurA: cap_kw: -1.0"),
        (lambda: CurA(np.inf), "measure CurA: cap_kw: inf"),
        (lambda: CurB(heat_cap=1.1), "measure CurB: heat_cap: 1.1"),
        (lambda: CurB(hours=0.0), "measure CurB: hours: 0.0"),
        (lambda: CurB(makeup_h=np.nan), "measure CurB: makeup_h: nan"),
        (lambda: CurB(start="noon"), "measure CurB: start: 'noon'"),
        (lambda: ProA(hours=-2.0), "measure ProA: hours: -2.0"),
        (lambda: ProA(cap_share=0.0), "measure ProA: cap_share: 0.0"),
        (lambda: Outlook(np.zeros(4), 0.0), "outlook: threshold_kw: 0.0"),
        (lambda: Outlook(np.array([np.nan]), 1.0), "outlook: p_kw"),
        (lambda: Outlook(np.zeros(4), 1.0, residual_kw=np.zeros(3)), "outlook: residual_kw"),
        (lambda: Outlook(np.zeros(4), 1.0, steps_per_day=0), "outlook: steps_per_day: 0"),
    ],
)
def test_parameters_that_mean_nothing_are_refused(wrong: object, message: str) -> None:
    with pytest.raises((InputError, InputErrors), match=message):
        wrong()  # type: ignore[operator]
