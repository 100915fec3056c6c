"""The day of a hosting capacity: what its profiles promise."""

import numpy as np
import pytest

from cosim.data import TIMEZONE, load_extract
from cosim.hosting.day import Day, load_share, outdoor_c, price, sun_share


@pytest.mark.parametrize("load", ["evening", "homes", "opendss", "flat"])
@pytest.mark.parametrize("step_min", [15, 30, 60])
def test_every_shape_has_its_peak_at_one(load: str, step_min: int) -> None:
    share = load_share(Day(load=load, step_min=step_min))
    assert len(share) == 24 * 60 // step_min
    assert share.max() == 1.0
    assert share.min() > 0


def test_the_evening_day_is_as_it_says() -> None:
    share = load_share(Day())
    assert share[18] == 1.0
    assert share[4] == 0.38
    assert share[12] == pytest.approx(0.5)
    assert np.argmin(share) == 4


def test_the_sun_is_that_of_the_extracts_sunniest_summer_day() -> None:
    plants = load_extract()[[f"PV{k}" for k in range(1, 9)]].mean(axis=1).tz_convert(TIMEZONE)
    week = plants["2016-06-06":"2016-06-12"]
    energy = week.groupby(week.index.date).sum()
    hourly = week[week.index.date == energy.idxmax()].resample("1h").mean().to_numpy()
    np.testing.assert_allclose(sun_share(Day()), hourly / hourly.max())
    assert sun_share(Day()).max() == sun_share(Day(step_min=15)).max() == 1.0


def test_it_is_warmest_at_four() -> None:
    quarter = outdoor_c(Day(step_min=15))
    assert quarter.max() == pytest.approx(32, abs=0.01)
    assert quarter.min() == pytest.approx(22, abs=0.01)
    assert abs(np.argmax(quarter) / 4 - 16) <= 0.25


def test_prices_have_three_levels() -> None:
    prices = price(Day())
    assert prices[[0, 8, 9, 14, 15, 16, 20, 21]].tolist() == [0.12, 0.12, 0.06, 0.06, 0.12, 0.30, 0.30, 0.12]
