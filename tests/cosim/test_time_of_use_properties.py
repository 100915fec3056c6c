"""Any time-of-use tariff at any instant against a lookup of one instant that knows nothing of columns."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cosim.tariff import TimeOfUseTariff

# Whole and half hours off UTC, a clock change of half an hour, one at midnight, and none.
ZONES = (
    "Europe/Berlin",
    "America/Toronto",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "America/Havana",
    "Asia/Kolkata",
)
DAYS = [date(2000, 1, 1) + timedelta(days=day) for day in range(366)]
HOLIDAYS = (date(2020, 1, 1), date(2020, 2, 29), date(2020, 3, 29), date(2020, 12, 26), date(2020, 12, 31))
CLOCKS = tuple(f"{hour:02d}:{minute:02d}" for hour in range(24) for minute in (0, 30))


def clock_ring(draw: Any, rows: list[dict[str, Any]], **what: Any) -> None:
    """Periods that fill a day, cut at random times."""
    cuts = sorted(draw(st.lists(st.sampled_from(CLOCKS), min_size=2, max_size=4, unique=True)))
    for start, end in pairwise([*cuts, cuts[0]]):
        rows.append({"start": start, "end": end, "price": float(len(rows)), **what})


@st.composite
def tariffs(draw: Any) -> TimeOfUseTariff:
    """Seasons cut at random days; in each the days of the week alike or not, holidays named or not."""
    cuts = sorted(draw(st.lists(st.integers(0, 365), max_size=4, unique=True)))
    seasons = [
        {"name": f"s{number % 3}", "start": f"{DAYS[begin]:%m-%d}", "end": f"{DAYS[end - 1]:%m-%d}"}
        for number, (begin, end) in enumerate(pairwise([*cuts, *cuts[:1]]))
    ]
    periods: list[dict[str, Any]] = []
    for name in dict.fromkeys(season["name"] for season in seasons) or [None]:
        season = {"season": name}
        for days in draw(st.sampled_from([("all",), ("weekday", "weekend"), ("weekday", "weekend", "holiday")])):
            clock_ring(draw, periods, days=days, **season)
    data = {"seasons": seasons, "periods": periods, "timezone": draw(st.sampled_from(ZONES))}
    return TimeOfUseTariff.model_validate({**data, "holidays": {"dates": HOLIDAYS}})


def price_at(tariff: TimeOfUseTariff, instant: datetime) -> float:
    """The one price that holds."""
    local = instant.astimezone(ZoneInfo(tariff.timezone or ""))
    day, clock = f"{local:%m-%d}", f"{local:%H:%M}"

    def within(start: str, end: str, value: str, *, closed: bool) -> bool:
        last = value <= end if closed else value < end
        return start <= value and last if start <= end else start <= value or last

    season = next((s.name for s in tariff.seasons if within(s.start, s.end, day, closed=True)), None)
    kind = "weekend" if local.weekday() >= 5 else "weekday"
    if local.date() in HOLIDAYS:
        named = any(p.days == "holiday" and p.season == season for p in tariff.periods)
        kind = "holiday" if named else "weekend"
    (price,) = (
        p.price
        for p in tariff.periods
        if p.season == season and p.days in (kind, "all") and within(p.start, p.end, clock, closed=False)
    )
    return price


# Clock changes of the zones in 2020 (Berlin, Toronto, Havana, Lord Howe), the ends of years, a leap day.
EDGES = [
    *("2020-03-29T00:45", "2020-10-25T00:45", "2020-03-08T06:30", "2020-11-01T05:30", "2020-03-08T04:30"),
    *("2020-11-01T04:30", "2020-04-04T14:45", "2020-10-03T15:15", "2019-12-31T22:00", "2020-12-31T16:00"),
    *("2020-12-31T22:00", "2021-01-01T04:00", "2020-02-28T18:00", "2020-02-29T12:00", "2021-02-28T12:00"),
]
instants = st.integers(0, 3 * 366 * 1440).map(
    lambda minute: datetime(2019, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
)


@given(tariffs(), st.lists(instants, min_size=1, max_size=30))
@example(
    TimeOfUseTariff.model_validate({"periods": [{"start": "00:00", "end": "24:00", "price": 1.0}], "timezone": "UTC"}),
    [],
)
def test_prices_at_any_instant_are_those_of_a_naive_lookup(tariff: TimeOfUseTariff, at: list[datetime]) -> None:
    edges = [datetime.fromisoformat(f"{edge}+00:00") + timedelta(minutes=15 * k) for edge in EDGES for k in range(8)]
    at = [*at, *edges]
    found = tariff.prices(pd.DatetimeIndex(at), folder=Path()).price_buy
    assert found.tolist() == [price_at(tariff, instant) for instant in at]


def test_a_preset_with_seasons_is_its_halves_but_for_holidays() -> None:
    year = pd.date_range("2024-01-01T05:00", "2024-12-31T23:00", freq="15min", tz="UTC")
    winter, summer, joined = (
        TimeOfUseTariff(preset=name, timezone="America/Toronto").prices(year).price_buy
        for name in ("ontario-winter-2023", "ontario-summer-2024", "ontario-2023")
    )
    local = year.tz_convert("America/Toronto")
    holidays = ["01-01", "02-19", "03-29", "05-20", "07-01", "08-05", "09-02", "10-14", "12-25", "12-26"]
    expected = np.where((local.month >= 5) & (local.month <= 10), summer, winter)
    expected[np.isin(local.strftime("%m-%d"), holidays)] = 0.087
    assert joined.tolist() == expected.tolist()
    assert (joined != np.where((local.month >= 5) & (local.month <= 10), summer, winter)).sum() == 10 * 4 * 12


@pytest.mark.parametrize(("day", "peak_hours"), [("2018-07-25", 12), ("2018-07-28", 0), ("2018-07-04", 0)])
def test_working_days_have_a_peak(day: str, peak_hours: int) -> None:
    """Wednesday, Saturday, Independence Day, in New Mexico's time."""
    tariff = TimeOfUseTariff(preset="working-day-peak")
    hours = pd.date_range(day, periods=24, freq="h", tz="America/Denver")
    price = tariff.prices(hours.tz_convert("UTC")).price_buy
    assert price.tolist() == [0.060] * 8 + [0.115 if peak_hours else 0.060] * 12 + [0.060] * 4
