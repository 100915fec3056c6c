"""Holidays against published lists, and seasons by the day."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from cosim.tariff import PRESETS, Holidays, Season, TimeOfUseTariff
from cosim.tariff.calendar import Calendar
from feeders.errors import InputError

# Days off that are no Saturdays or Sundays. 2017: "holidays when off-peak prices are in effect", Bluewater Power; 2024:
# Festival Hydro; 2022 and 2026: Ontario Electricity Financial Corporation, holidays of on-peak and off-peak generation.
ONTARIO = {
    2017: "01-02 02-20 04-14 05-22 07-03 08-07 09-04 10-09 12-25 12-26",
    2022: "01-03 02-21 04-15 05-23 07-01 08-01 09-05 10-10 12-26 12-27",
    2024: "01-01 02-19 03-29 05-20 07-01 08-05 09-02 10-14 12-25 12-26",
    2026: "01-01 02-16 04-03 05-18 07-01 08-03 09-07 10-12 12-25 12-28",
}


@pytest.mark.parametrize("year", ONTARIO)
def test_ontarios_holidays_are_those_of_its_suppliers(year: int) -> None:
    holidays = PRESETS["ontario-2023"].holidays
    assert holidays is not None
    found = sorted(day for day in holidays.of_years([year]) if day.weekday() < 5)
    assert " ".join(f"{day:%m-%d}" for day in found) == ONTARIO[year]


def test_public_holidays_of_a_country_and_of_a_part_of_it() -> None:
    # The nine days of all Germany in 2016; Bavaria adds Epiphany, Corpus Christi, Assumption (in most of it) and
    # All Saints (laws of the Laender).
    nine = {"01-01", "03-25", "03-28", "05-01", "05-05", "05-16", "10-03", "12-25", "12-26"}
    germany = {f"{day:%m-%d}" for day in Holidays(country="DE").of_years([2016])}
    bavaria = {f"{day:%m-%d}" for day in Holidays(country="DE", subdivision="BY").of_years([2016])}
    assert germany == nine
    assert {"01-06", "05-26", "11-01"} <= bavaria - germany <= {"01-06", "05-26", "08-15", "11-01"}


def test_names_choose_and_dates_are_added() -> None:
    chosen = Holidays(country="US", names=("Independence Day", "labour day"), dates=(date(2021, 7, 6),))
    # 4 July 2021 was a Sunday: its Monday is off in its place.
    days = {date(2021, 7, 4), date(2021, 7, 5), date(2021, 9, 6), date(2021, 7, 6)}
    assert chosen.of_years([2021]) == days
    assert chosen.of_years([2022]) == {date(2022, 7, 4), date(2022, 9, 5)}


def test_a_holiday_is_one_by_local_date() -> None:
    calendar = Calendar("America/Denver", holidays=Holidays(dates=(date(2018, 7, 25),)))
    hours = pd.date_range("2018-07-24T00:00", periods=72, freq="h", tz="UTC")  # Denver is at UTC-6 in July
    free = np.flatnonzero(calendar.local(hours).day_type == 2)
    assert free.tolist() == list(range(30, 54))


def test_seasons_by_the_day() -> None:
    seasons = (
        Season(name="mild", start="03-01", end="05-31"),
        Season(name="summer", start="06-01", end="08-31"),
        Season(name="mild", start="09-01", end="11-30"),
        Season(name="winter", start="12-01", end="02-29"),
    )
    calendar = Calendar("UTC", seasons)
    assert calendar.season_names == ("mild", "summer", "winter")
    for first in ("2016-01-01", "2017-01-01"):  # a leap year and another
        days = pd.date_range(first, periods=365, freq="D", tz="UTC")
        names = np.array(calendar.season_names)[calendar.local(days).season]
        expected = {12: "winter", 1: "winter", 2: "winter", 6: "summer", 7: "summer", 8: "summer"}
        assert names.tolist() == [expected.get(day.month, "mild") for day in days]


def test_an_explicit_holiday_must_lie_in_a_year_of_the_run_by_local_time() -> None:
    tariff = TimeOfUseTariff(preset="day-night", timezone="Europe/Berlin", holidays=Holidays(dates=(date(2017, 1, 1),)))
    evening = pd.date_range("2016-12-31T22:00", periods=4, freq="15min", tz="UTC")
    with pytest.raises(InputError, match=r"'2017-01-01' is not allowed; allowed: dates in the years of the run: 2016"):
        tariff.check_run(evening)
    tariff.check_run(evening + pd.Timedelta(hours=1))  # 23:00 UTC is midnight in Berlin
    tariff.terms(evening, 1)  # a part of a run may lie elsewhere
