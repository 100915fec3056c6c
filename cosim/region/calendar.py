"""The year of a region: 365 days from local midnight of 1 January, in standard time."""

from __future__ import annotations

import pandas as pd

from feeders.errors import InputError

__all__ = ["DAYS", "PER_DAY", "STEP_H", "year_times"]

DAYS = 365
PER_DAY = 96
STEP_H = 0.25


def year_times(year: int) -> pd.DatetimeIndex:
    """Beginnings of the 35,040 market steps, without a time zone: Central European standard time, clocks never change.

    In a leap year they end with 30 December.

    Raises
    ------
    InputError
        For a year outside 1980 to 2100.
    """
    if not 1980 <= year <= 2100:
        raise InputError("region case", "year", year, "1980 to 2100")
    return pd.date_range(f"{year}-01-01", periods=DAYS * PER_DAY, freq="15min", name="time")
