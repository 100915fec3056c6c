"""Electric load of homes, made of measured days."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from cosim.data.homes_year import load_homes_year
from cosim.region.base_load import LIVING_AREA_M2, annual_kwh, base_load, draw_areas, draw_shapes
from cosim.region.calendar import year_times
from feeders.errors import InputError

NAMES = [f"home-{n}" for n in range(319)]
TIMES = year_times(2030)


def kind(date: pd.Timestamp) -> str:
    return {5: "Saturday", 6: "Sunday"}.get(date.dayofweek, "working day")


def test_every_day_is_a_measured_one_of_its_kind_and_season() -> None:
    load = base_load(TIMES, ["H0-L", "H0-B"], np.array([4500.0, 3000.0]), NAMES[:2], 5)
    np.testing.assert_allclose(load.sum(axis=0) / 4, [4500.0, 3000.0], rtol=1e-12)
    measured = load_homes_year()["H0-L"].to_numpy().reshape(366, 96)
    dates = pd.date_range("2016-01-01", periods=366)
    days = load[:, 0].reshape(365, 96)
    total = 0.0
    for row in range(0, 365, 7):
        day, date = days[row], TIMES[row * 96]
        # In the order of size: whatever the clock was moved by, and up to the one factor of the year.
        like = np.corrcoef(np.sort(measured, axis=1), np.sort(day)[None])[-1, :-1]
        (source,) = np.flatnonzero(like > 1 - 1e-9)
        assert kind(dates[source]) == kind(date)
        apart = abs(int(dates[source].dayofyear) - int(date.dayofyear))
        assert min(apart, 366 - apart) <= (11 if kind(date) == "working day" else 53)  # 15 of 5 a week, of 1 a week
        scaled = measured[source] * (day.sum() / measured[source].sum())
        moves = [k for k in range(-3, 4) if np.allclose(np.roll(scaled, k), day)]
        assert len(moves) == 1
        total += moves[0]
    assert abs(total / 53) < 5 * 2 / np.sqrt(53)  # uniform on -3..3 has a standard deviation of 2


def test_a_region_is_as_peaked_as_the_standard_load_profile() -> None:
    area = draw_areas(NAMES, 0)
    p_kw = base_load(TIMES, draw_shapes(NAMES, 0), annual_kwh(area), NAMES, 0).sum(axis=1)
    # BDEW H0, dynamised, 2030, by demandlib's ElecSlp: highest quarter-hour 2.351 of the mean, winter 1.401 of summer.
    assert p_kw.max() / p_kw.mean() == pytest.approx(2.351, rel=0.10)
    winter, summer = (p_kw[TIMES.month.isin(months)].mean() for months in ([12, 1, 2], [6, 7, 8]))
    assert winter / summer == pytest.approx(1.401, rel=0.05)


def test_no_home_depends_on_the_others() -> None:
    areas, shapes = draw_areas(NAMES, 2), draw_shapes(NAMES, 2)
    some = slice(10, 13)
    assert (draw_areas(NAMES[some], 2) == areas[some]).all()
    assert draw_shapes(NAMES[some], 2) == shapes[some]
    both = base_load(TIMES, shapes[some], annual_kwh(areas[some]), NAMES[some], 2)
    alone = base_load(TIMES, shapes[12:13], annual_kwh(areas[12:13]), NAMES[12:13], 2)
    np.testing.assert_array_equal(both[:, 2], alone[:, 0])


def test_living_areas() -> None:
    areas = draw_areas([f"home-{n}" for n in range(4000)], 0)
    assert areas.min() >= 60
    assert areas.max() <= 320
    # Lognormal of median 130 and sigma 0.28, what is outside of the limits left out: 130 is no more exactly the median.
    low, high, z = (ndtr(np.log(value / 130) / 0.28) for value in (60, 320, 150))
    share = (z - low) / (high - low)
    assert abs((areas < 150).mean() - share) < 5 * np.sqrt(share * (1 - share) / 4000)
    assert LIVING_AREA_M2.limits == (60.0, 320.0)
    assert annual_kwh(np.array([92.0])) == pytest.approx(3190.0)


def test_unknown_shapes() -> None:
    with pytest.raises(InputError, match=r"base_homes: \['H0-Z'\] is not allowed; allowed: some of H0-A"):
        draw_shapes(NAMES, 0, ("H0-B", "H0-Z"))
    with pytest.raises(InputError, match="base_homes: nothing given"):
        draw_shapes(NAMES, 0, ())
