"""The four measured weeks as a stand-in for a year: which day stands for which, across clock changes too."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosim import Scenario, run
from cosim.build import build_signals
from cosim.data import WEEKS, day_start, extract_days, load_extract
from cosim.data.repeated import repeated_rows
from cosim.profiles import scenario_profiles
from cosim.validation import problems
from tests.cosim.test_profiles import write_csv


def quarters(day: str | date) -> pd.DatetimeIndex:
    """The quarter-hours of a German calendar day, in UTC."""
    first = day_start(pd.Timestamp(day).date())
    end = day_start((pd.Timestamp(day) + pd.Timedelta(days=1)).date())
    return pd.date_range(first, end, freq="15min", inclusive="left")


def test_every_measured_quarter_hour_is_itself() -> None:
    times = pd.DatetimeIndex(load_extract().index)
    assert repeated_rows(times).tolist() == list(range(len(times)))


@pytest.mark.parametrize(
    ("day", "stands"),
    [
        ("2023-06-07", "2016-06-08"),  # both Wednesdays; 2016's weeks begin on 2 May, 6 June, 17 October, 5 December
        ("2023-12-31", "2016-12-11"),  # a Sunday; the Monday of its week is day 359
        ("2024-01-01", "2016-12-05"),  # a Monday, day 1: 27 days from day 340 around the turn of the year, 122 from 123
        ("2024-02-12", "2016-12-05"),  # day 43: 69 from 340 around the turn (366 days), 80 from 123
        ("2024-02-26", "2016-05-02"),  # day 57: 83 and 66
        ("2023-08-11", "2016-06-10"),  # a Friday; its Monday is day 219: 61 from 158, 72 from 291
        ("2023-08-18", "2016-10-21"),  # day 226: 68 and 65
    ],
)
def test_the_day_that_stands_for_a_day(day: str, stands: str) -> None:
    assert repeated_rows(quarters(day)).tolist() == repeated_rows(quarters(stands)).tolist()
    assert pd.Timestamp(stands).date() in extract_days()


def test_the_day_without_the_hour_from_two_to_three() -> None:
    """26 March 2023, a Sunday of 92 quarter-hours: Monday 20 March is day 79, nearest to 2 May 2016, day 123."""
    found = repeated_rows(quarters("2023-03-26"))
    whole = repeated_rows(quarters("2016-05-08"))
    assert found.tolist() == [*whole[:8], *whole[12:]]


def test_the_day_with_the_hour_from_two_to_three_twice() -> None:
    """29 October 2023, a Sunday of 100 quarter-hours, nearest to the week of 17 October 2016."""
    found = repeated_rows(quarters("2023-10-29"))
    whole = repeated_rows(quarters("2016-10-23"))
    assert found.tolist() == [*whole[:12], *whole[8:12], *whole[12:]]


@given(st.dates(date(1990, 1, 1), date(2100, 12, 31)))
def test_each_day_takes_one_measured_day_of_its_weekday(day: date) -> None:
    times = quarters(day)
    index = pd.DatetimeIndex(load_extract().index)[repeated_rows(times)].tz_convert("Europe/Berlin")
    assert len(set(index.date)) == 1
    assert index[0].weekday() == day.weekday()
    local = times.tz_convert("Europe/Berlin")
    assert (index.hour == local.hour).all()
    assert (index.minute == local.minute).all()


def test_a_calendar_week_is_one_measured_week() -> None:
    week = np.concatenate(
        [repeated_rows(quarters(pd.Timestamp("2023-08-07") + pd.Timedelta(days=d))) for d in range(7)]
    )
    assert (np.diff(week) == 1).all()
    assert week[0] % (7 * 96) == 0
    assert len(WEEKS) * 7 * 96 == len(load_extract())


@pytest.mark.parametrize("market_step_min", [5, 15, 60])
def test_a_measured_date_repeated_is_as_measured(market_step_min: int) -> None:
    measured = Scenario(market_step_min=market_step_min, days=2)
    for found, wanted in zip(
        scenario_profiles(measured.changed({"profiles": "repeated"})), scenario_profiles(measured), strict=True
    ):
        assert (found == wanted).all()


def test_a_measured_day_is_the_same_run_repeated() -> None:
    measured = Scenario(control_step_min=15)
    found, wanted = (run(s, references=False) for s in (measured.changed({"profiles": "repeated"}), measured))
    assert np.array_equal(found.frames, wanted.frames)


def test_a_run_lives_any_date() -> None:
    """A Sunday of 1997 lived as the Sunday of the winter week, on which the same load and sun reach the same homes."""
    start = pd.Timestamp("1997-01-05", tz="Europe/Berlin").to_pydatetime()
    scenario = Scenario(control_step_min=15, profiles="repeated").changed({"start": start})
    measured = Scenario(control_step_min=15).changed({"start": day_start(date(2016, 12, 11)).to_pydatetime()})
    for name in ("p_load_kw", "p_pv_kw"):
        found, wanted = (run(s, references=False).column(name) for s in (scenario, measured))
        assert (found == wanted).all()


def test_days_of_a_year_are_the_year() -> None:
    """Signals of any span are those of the whole run, bit for bit; four hundred days, with both clock changes."""
    start = pd.Timestamp("2022-12-31T23:00Z").to_pydatetime()
    scenario = Scenario(profiles="repeated", days=400, market_step_min=60).changed(
        {"start": start, "prosumers.home-3.load_power_factor": 0.9}
    )
    whole = build_signals(scenario)
    assert whole.p_load_kw.shape == (9600, 3)
    for first, count in ((0, 24), (1, 1), (84 * 24, 48), (301 * 24 + 5, 30), (9000, None)):
        part = build_signals(scenario, first, count)
        for name in (field.name for field in fields(whole)):
            wanted = getattr(whole, name)[first:][:count]
            assert (getattr(part, name) == wanted).all(), name
            assert getattr(part, name).shape == wanted.shape


def test_without_it_the_extract_ends_where_it_ends(tmp_path: Path) -> None:
    start = pd.Timestamp("2023-06-06T22:00Z").to_pydatetime()
    (error,) = problems(Scenario().changed({"start": start}))
    assert error.allowed.endswith("; a profiles_file; or profiles = repeated")
    assert problems(Scenario(profiles="repeated").changed({"start": start})) == []


def test_a_file_is_not_repeated(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "p.csv", 15, np.zeros(96))
    (error,) = problems(Scenario(profiles="repeated", profiles_file=str(path), prosumers=()))
    assert (error.field, error.allowed) == ("profiles", "measured: only the embedded extract is repeated, no file")
