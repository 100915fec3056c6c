"""The embedded extract: shape, clock, normalisation, and that it can be built again."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cosim.data as embedded
from cosim.data import PROFILES, WEEKS, day_start, extract_days, home_table, load_extract, profile_table
from cosim.data.homes_year import HOMES_YEAR, load_homes_year
from cosim.data.make_extract import SEASONS, choose_weeks, extract, write

PARQUET = Path(embedded.__file__).with_name("profiles.parquet")


def test_shape_and_values() -> None:
    frame = load_extract()
    assert frame.shape == (4 * 7 * 96, len(PROFILES))
    assert list(frame.columns) == [p.name for p in PROFILES]
    assert (frame.dtypes == "float64").all()
    assert np.isfinite(frame.to_numpy()).all()
    assert (frame.to_numpy() >= 0).all()
    assert frame.index.is_monotonic_increasing
    assert PARQUET.stat().st_size < 400_000


def test_no_profile_is_above_its_peak_of_the_year() -> None:
    peaks = load_extract().max()
    for profile in PROFILES:
        assert 0.1 * profile.peak_kw < peaks[profile.name] <= profile.peak_kw + 5e-4  # typed with 3 decimals


def test_a_caller_cannot_change_the_extract() -> None:
    frame = load_extract()
    frame.iloc[:] = -1.0
    assert (load_extract().to_numpy() >= 0).all()


def test_days_are_complete_and_start_at_german_midnight() -> None:
    index = load_extract().index
    days = extract_days()
    assert len(days) == 28
    assert days[0] == date(2016, 5, 2)
    for day in days:
        quarters = pd.date_range(day_start(day), periods=96, freq="15min")
        assert quarters.isin(index).all()
    # Central European Time is UTC+1 in winter, UTC+2 from March to October.
    assert day_start(date(2016, 12, 5)) == pd.Timestamp("2016-12-04T23:00Z")
    assert day_start(date(2016, 6, 6)) == pd.Timestamp("2016-06-05T22:00Z")


def test_weeks_start_on_a_monday_of_their_season() -> None:
    for season, monday in WEEKS.items():
        assert monday.weekday() == 0
        assert monday.month in SEASONS[season]


def test_no_sun_at_german_midnight_and_most_of_it_by_day() -> None:
    frame = load_extract()[[p.name for p in PROFILES if p.kind == "pv"]]
    hour = pd.DatetimeIndex(frame.index).hour
    assert (frame[(hour >= 20) | (hour < 2)].to_numpy() == 0).all()  # UTC, dark in Germany in every season
    assert (frame[(hour >= 7) & (hour < 15)].sum() > 0.7 * frame.sum()).all()


def test_plausible_homes() -> None:
    table = home_table(3.5)
    # 3.5 MWh/a is 9.6 kWh a day; four typical weeks stay near it. A W/kW slip would be a factor of 1000.
    assert table["mean_day_kwh"].between(0.8 * 9.6, 1.2 * 9.6).all()
    assert table["peak_kw"].between(0.5, 10.0).all()
    assert (table["least_day_kwh"] <= table["mean_day_kwh"]).all()
    pd.testing.assert_frame_equal(home_table(7.0), 2 * table)


def test_profile_table() -> None:
    table = profile_table()
    assert list(table["name"]) == list(load_extract().columns)
    assert table.groupby("kind").size().to_dict() == {"ev": 4, "heat-pump": 4, "home": 6, "pv": 8}


def made_up_year(mondays: dict[str, date]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Random days, but for the given week of each season, which is the season's mean all along."""
    index = pd.date_range("2016-01-01", "2016-12-31T23:45", freq="15min", tz="Europe/Berlin")
    rng = np.random.default_rng(1)
    daily = pd.DataFrame({"home": rng.uniform(0.5, 1.5, 367), "pv": rng.uniform(0.1, 0.9, 367)})
    year = daily.iloc[index.dayofyear].set_axis(index)
    for season, monday in mondays.items():
        of_season = index.month.isin(SEASONS[season])
        first_day = pd.Timestamp(monday).dayofyear
        planted = (index.dayofyear >= first_day) & (index.dayofyear < first_day + 7)
        year.loc[planted] = year[of_season & ~planted].mean().to_numpy()
    return year[["home"]], year[["pv"]]


def test_the_typical_week_is_chosen() -> None:
    mondays = {
        "winter": date(2016, 2, 1),
        "spring": date(2016, 4, 11),
        "summer": date(2016, 8, 22),
        "autumn": date(2016, 9, 5),
    }
    chosen = choose_weeks(*made_up_year(mondays))
    assert chosen == {season: pd.Timestamp(day, tz="Europe/Berlin") for season, day in mondays.items()}


def test_a_week_with_a_clock_change_is_never_chosen() -> None:
    mondays = {"spring": date(2016, 3, 21), "autumn": date(2016, 10, 24)}  # the clocks change on the Sundays
    chosen = choose_weeks(*made_up_year(mondays))
    for season, monday in mondays.items():
        assert chosen[season].date() != monday


@pytest.mark.filterwarnings("default")  # of SimBench's imports
def test_the_extract_can_be_built_again(tmp_path: Path) -> None:
    pytest.importorskip("simbench")
    from cosim.data import make_homes_year
    from cosim.data.make_extract import simbench_year

    loads, pv = simbench_year()
    homes = loads[[p.name for p in PROFILES if p.kind == "home"]]
    np.testing.assert_allclose(homes.sum() * 0.25, 1000.0, rtol=1e-12)  # 1 MWh in the year
    year = pd.concat([loads, pv], axis=1)[[p.name for p in PROFILES]]
    np.testing.assert_allclose(year.sum() * 0.25, [p.annual_kwh for p in PROFILES], atol=0.051)  # typed, 1 decimal
    np.testing.assert_allclose(year.max(), [p.peak_kw for p in PROFILES], atol=5.1e-4)  # typed, 3 decimals
    assert {season: monday.date() for season, monday in choose_weeks(homes, pv).items()} == dict(WEEKS)

    data = extract(loads, pv)
    pd.testing.assert_frame_equal(data, load_extract(), check_exact=True, check_freq=False)
    digests = set()
    for name in ("one", "two"):
        write(data, tmp_path / name)
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1

    year_of_homes = make_homes_year.homes_year(loads)
    pd.testing.assert_frame_equal(year_of_homes, load_homes_year(), check_exact=True, check_freq=False)
    make_homes_year.write(year_of_homes, tmp_path / "homes")
    assert (tmp_path / "homes").read_bytes() == PARQUET.with_name("homes_year.parquet").read_bytes()


def test_the_year_of_homes_is_whole_and_in_standard_time() -> None:
    homes = load_homes_year()
    assert list(homes.columns) == list(HOMES_YEAR)
    assert homes.index.equals(pd.date_range("2016-01-01", periods=366 * 96, freq="15min"))
    np.testing.assert_allclose(homes.sum() * 0.25, 1000.0, rtol=1e-5)  # 1 MWh, each value rounded to 1e-5 kW
    # The same measurements as in the four weeks, whose index is UTC: an hour behind standard time.
    weeks = load_extract()
    same = homes.loc[pd.DatetimeIndex(weeks.index).tz_convert("Etc/GMT-1").tz_localize(None)]
    np.testing.assert_array_equal(same.to_numpy(), weeks[list(HOMES_YEAR)].to_numpy())


def test_three_of_the_homes_are_not_heated_electrically() -> None:
    homes = load_homes_year()
    month = pd.DatetimeIndex(homes.index).month
    winter, summer = homes[month.isin([12, 1, 2])].mean(), homes[month.isin([6, 7, 8])].mean()
    assert (winter / summer).round(1).to_dict() == {"H0-A": 4.9, "H0-B": 1.3, "H0-C": 1.8, "H0-L": 1.2}
