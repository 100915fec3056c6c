"""Invented loads: in the ranges that they claim, repeatable, different from seed to seed, lower on days off."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from agents.facility import PLANTS, FacilityPlanner, Needs
from cosim.background_loads import background_kw
from cosim.dry_summer import weather
from cosim.facility_loads import FACILITIES, facility_needs, local_times
from feeders.errors import InputError
from tests.agents.facility_cases import check, time_of_use

MONDAY = date(2018, 7, 23)
COLUMNS = ("electric_kw", "cooling_kw", "heat_kw", "pv_per_kw", "solar_per_kw")
ON_PEAK = (np.arange(672) / 4 % 24 >= 8) & (np.arange(672) / 4 % 24 < 20) & (np.arange(672) < 480)

# Least and most of electric load and of cooling [kW], least and most on-peak cooling of a working day [kWh]: the
# ranges with which the source's pattern was found to appear, a fifth wider.
RANGES = {
    "UNM ME": ((60, 230), (20, 290), (1500, 2400)),
    "One Sun Plaza": ((130, 480), (52, 760), (4300, 6700)),
    "ABQ Studios": ((135, 870), (30, 610), (2600, 6100)),
    "Mesa del Sol": ((28, 150), (10, 215), (1170, 1990)),
}


def week(seed: int = 0) -> dict[str, Needs]:
    return facility_needs(MONDAY, 7, seed=seed)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", FACILITIES)
def test_loads_lie_in_their_ranges(name: str, seed: int) -> None:
    need = week(seed)[name]
    electric, cooling, on_peak = RANGES[name]
    assert electric[0] <= need.electric_kw.min() < 0.5 * need.electric_kw.max() <= 0.5 * electric[1]
    assert cooling[0] <= need.cooling_kw.min() < 0.3 * need.cooling_kw.max() <= 0.3 * cooling[1]
    by_day = (need.cooling_kw * ON_PEAK).reshape(7, 96)[:5].sum(axis=1) / 4
    assert on_peak[0] <= by_day.min() <= by_day.max() <= on_peak[1]
    # Chillers and boiler can meet them without stores; solar and PV stay below their ratings.
    plant = PLANTS[name]
    assert plant.chiller is not None
    assert need.cooling_kw.max() <= plant.chiller.rating_kw
    assert need.heat_kw.max() <= (plant.boiler.rating_kw if plant.boiler else 0.0)
    assert 0.6 < need.pv_per_kw.max() <= 1.0
    assert 0.6 < need.solar_per_kw.max() <= 1.02


def test_the_facilities_are_those_with_plants() -> None:
    assert list(week()) == list(FACILITIES) == list(PLANTS)


def test_the_same_seed_gives_the_same_week_and_another_another() -> None:
    first, again, other = week(), week(), week(1)
    for name in FACILITIES:
        for column in COLUMNS:
            assert np.array_equal(getattr(first[name], column), getattr(again[name], column))
        assert np.abs(first[name].electric_kw / other[name].electric_kw - 1).max() > 0.02
        assert np.abs(first[name].cooling_kw / other[name].cooling_kw - 1).max() > 0.02
    assert not np.array_equal(background_kw(MONDAY, seed=0), background_kw(MONDAY, seed=1))


def test_facilities_do_not_move_together_but_for_the_sky() -> None:
    need = week()
    one, other = (need[name] for name in ("UNM ME", "Mesa del Sol"))
    assert np.array_equal(one.pv_per_kw, other.pv_per_kw)
    night = ~ON_PEAK & (np.arange(672) / 4 % 24 < 5)
    assert abs(np.corrcoef(np.diff(one.electric_kw[night]), np.diff(other.electric_kw[night]))[0, 1]) < 0.3


def test_a_day_is_the_same_wherever_a_run_starts() -> None:
    wednesday = facility_needs(MONDAY + timedelta(days=2), 1)
    for name, need in week().items():
        for column in COLUMNS:
            assert np.array_equal(getattr(need, column)[192:288], getattr(wednesday[name], column))
    assert np.array_equal(background_kw(MONDAY)[192:288], background_kw(MONDAY + timedelta(days=2), 1))


def test_an_hourly_series_is_about_the_mean_of_the_quarter_hours() -> None:
    fine, coarse = week(), facility_needs(MONDAY, 7, step_minutes=60)
    for name in FACILITIES:
        means = fine[name].cooling_kw.reshape(-1, 4).mean(axis=1)
        assert coarse[name].cooling_kw == pytest.approx(means, rel=0.12)
        assert coarse[name].step_h == 1.0


def test_days_begin_at_local_midnight_and_days_off_are_quiet() -> None:
    assert local_times(MONDAY, 1)[0] == pd.Timestamp("2018-07-23T06:00Z")  # Denver in summer: UTC-6
    usual, holiday = week(), facility_needs(MONDAY, 7, days_off=[MONDAY + timedelta(days=1)])
    for name in FACILITIES:
        days = usual[name].electric_kw.reshape(7, 96).mean(axis=1)
        assert days[5:].max() < 0.85 * days[:5].min()
        tuesday, free = usual[name].electric_kw[96:192], holiday[name].electric_kw[96:192]
        assert free.mean() < 0.85 * tuesday.mean()
        assert np.array_equal(usual[name].electric_kw[192:], holiday[name].electric_kw[192:])


def test_the_sky_is_that_of_a_dry_summer() -> None:
    times = local_times(MONDAY, 7)
    sky = weather(times)
    days = sky.ghi_w_per_m2.reshape(7, 96)
    # Albuquerque, late July: sunrise about 06:10, sunset about 20:15 local time, solar noon about 13:13.
    lit = np.flatnonzero(days.max(axis=0) > 1.0) / 4
    assert (lit[0], lit[-1]) == pytest.approx((6.25, 20.0), abs=0.5)
    clear = weather(times, seed=0).ghi_w_per_m2.reshape(7, 96).max(axis=0)
    assert np.argmax(clear) / 4 == pytest.approx(13.0, abs=0.5)
    # Haurwitz at the zenith angle of that noon, 35.0 - 19.9 = 15.1 degrees.
    up = np.cos(np.radians(15.1))
    assert clear.max() == pytest.approx(1098 * up * np.exp(-0.057 / up), rel=0.01)
    warm = sky.temperature_c.reshape(7, 96)
    assert (warm.argmin(axis=1) / 4 == pytest.approx(4.75, abs=0.3)) and (
        warm.argmax(axis=1) / 4 == pytest.approx(15.75, abs=0.3)
    )
    assert 15 < warm.min() < warm.max() < 38


@pytest.mark.parametrize("seed", range(4))
def test_the_background_has_its_range_and_its_evening(seed: int) -> None:
    loads = background_kw(MONDAY, seed=seed)
    assert loads.shape == (672, 18)
    total = loads.sum(axis=1)
    assert (total.min(), total.max()) == pytest.approx((1070, 1600), rel=0.03)
    days = total.reshape(7, 96)
    assert all(abs(day.argmax() / 4 - 18.0) <= 0.75 for day in days)
    assert days[5:].mean() < 0.92 * days[:5].mean()
    assert loads.min() > 0
    assert loads.mean(axis=0).max() < 4.0 * loads.mean(axis=0).min()


@pytest.mark.parametrize(("night", "share"), [(1.0, 1.0), (0.5, 0.85), (0.0, 0.7)])
def test_the_night_is_as_high_as_it_is_told(night: float, share: float) -> None:
    """03:00 over 07:30, means of the working days."""
    days = background_kw(MONDAY, night=night).sum(axis=1).reshape(7, 96)[:5]
    assert days[:, 12].mean() / days[:, 30].mean() == pytest.approx(share, rel=0.02)


def test_the_evening_bump_can_be_taken_away() -> None:
    day = background_kw(MONDAY, 1, evening_bump=0.0).sum(axis=1)
    assert day.max() < 1.13 * 1230


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"night": 1.1}, "night"),
        ({"night": float("nan")}, "night"),
        ({"n_loads": 0}, "n_loads"),
        ({"morning_kw": 0.0}, "morning_kw"),
        ({"morning_kw": float("nan")}, "morning_kw"),
        ({"evening_bump": -1.0}, "evening_bump"),
        ({"days": 0}, "days"),
        ({"step_minutes": 7}, "step_minutes"),
    ],
)
def test_what_is_no_background_is_refused(changes: dict[str, float], field: str) -> None:
    with pytest.raises(InputError) as caught:
        background_kw(MONDAY, **changes)  # type: ignore[arg-type]
    assert caught.value.field == field


def test_stores_charge_just_before_the_dear_hours() -> None:
    """The pattern that the loads are made for: a time-of-use tariff raises the early morning and empties the day."""
    need = week()["One Sun Plaza"]
    schedule = FacilityPlanner("OSP", PLANTS["One Sun Plaza"], need).plan(time_of_use(672))
    check(schedule)
    days = schedule.p_kw.reshape(7, 96)[:5]
    before, evening, night = days[:, 26:32].mean(), days[:, 72:76].mean(), days[1:, 4:12].mean()
    # The source: at 18:00 OSP draws less than half of its peak at 07:00.
    assert evening < 0.5 * before
    assert before > 1.8 * night
