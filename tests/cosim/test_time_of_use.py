"""Time-of-use tariffs: by hand, over clock changes, and their refusals."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter, ValidationError

from cosim.tariff import PRESETS, Period, Tariff, TimeOfUseTariff
from feeders.errors import InputError

HERE = Path(__file__).parent
TARIFF: TypeAdapter[Any] = TypeAdapter(Tariff)


def quarters(first: str, n: int = 96) -> pd.DatetimeIndex:
    return pd.date_range(first, periods=n, freq="15min", tz="UTC")


def refusal(data: dict[str, Any]) -> InputError:
    """The `InputError` inside pydantic's error."""
    with pytest.raises(ValidationError) as refused:
        TARIFF.validate_python(data)
    (found,) = refused.value.errors()
    error = found["ctx"]["error"]
    assert isinstance(error, InputError)
    return error


def test_time_of_use_by_hand() -> None:
    tariff = TimeOfUseTariff(preset="ontario-winter-2023", timezone="America/Toronto")
    local = pd.date_range("2024-01-19", "2024-01-20T23:45", freq="15min", tz="America/Toronto")  # Friday, Saturday
    price = pd.Series(tariff.prices(local.tz_convert("UTC"), folder=HERE).price_buy, index=local)
    off, mid, on = 0.087, 0.122, 0.182
    weekday = [off] * 7 + [on] * 4 + [mid] * 6 + [on] * 2 + [off] * 5
    assert price[:96].tolist() == np.repeat(weekday, 4).tolist()
    assert price[96:].tolist() == [off] * 96


PEAK_0200 = {
    "kind": "time-of-use",
    "timezone": "Europe/Berlin",
    "periods": [
        {"days": "all", "start": "02:00", "end": "03:00", "price": 1.0},
        {"days": "weekday", "start": "03:00", "end": "02:00", "price": 0.1},
        {"days": "weekend", "start": "03:00", "end": "02:00", "price": 0.2},
    ],
}


@pytest.mark.parametrize(
    ("day", "hours", "peak_hours"),
    [("2016-03-27", 23, 0), ("2016-10-30", 25, 2), ("2016-02-29", 24, 1), ("2016-06-06", 24, 1)],
    ids=["spring", "autumn", "leap-day", "summer"],
)
def test_windows_follow_the_wall_clock(day: str, hours: int, peak_hours: int) -> None:
    # 02:00 to 03:00 in Berlin is skipped on 27 March 2016 and there twice on 30 October 2016.
    tariff = TARIFF.validate_python(PEAK_0200)
    local = pd.date_range(day, pd.Timestamp(day) + pd.Timedelta(days=1), freq="15min", tz="Europe/Berlin")[:-1]
    price = tariff.prices(local.tz_convert("UTC"), folder=HERE).price_buy
    base = 0.2 if date.fromisoformat(day).weekday() >= 5 else 0.1
    assert len(price) == 4 * hours
    assert (price == 1.0).sum() == 4 * peak_hours
    assert (price == base).sum() == 4 * (hours - peak_hours)


def tou(*periods: tuple[str, str, str]) -> dict[str, Any]:
    rows = [{"days": days, "start": start, "end": end, "price": 0.1} for days, start, end in periods]
    return {"kind": "time-of-use", "periods": rows}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (tou(("all", "00:00", "12:00"), ("all", "12:30", "24:00")), "gap on a weekday at 12:00"),
        (tou(("all", "00:00", "12:00"), ("weekday", "12:00", "24:00")), "gap on a weekend at 12:00"),
        (tou(("weekday", "00:00", "24:00")), "gap on a weekend at 00:00"),
        (tou(("all", "00:00", "24:00"), ("weekend", "07:15", "08:00")), "overlap on a weekend at 07:15"),
        (tou(("all", "22:00", "06:00"), ("all", "05:00", "22:00")), "overlap on a weekday at 05:00"),
    ],
)
def test_gap_or_overlap_names_day_type_and_hour(data: dict[str, Any], said: str) -> None:
    error = refusal(data)
    assert error.field == "periods"
    assert error.value == said


@pytest.mark.parametrize("name", PRESETS)
def test_presets_fill_the_week_and_say_where_they_are_from(name: str) -> None:
    tariff = TimeOfUseTariff(preset=name)
    assert set(tariff.prices(quarters("2016-06-06", 7 * 96), folder=HERE).price_buy) == {
        period.price for period in PRESETS[name].periods
    }
    assert any(source in tariff.describe() for source in ("illustrative", "Ontario Energy Board", "Pensini et al."))


def test_clock_times_at_the_edges() -> None:
    assert Period(start="00:00", end="24:00", price=0.1).minutes().all()
    assert np.flatnonzero(Period(start="23:59", end="00:01", price=0.1).minutes()).tolist() == [0, 1439]
