"""The four measured weeks as a stand-in for a whole year: which row of the extract stands for which time.

A day takes the day of the same weekday in one of the four weeks: in the one whose Monday is nearest, by the day of the
year, to the Monday of the day's own week, around the turn of the year where that is shorter, and in the earlier one
where two are as near. So every calendar week is one measured week as a whole, and a date inside a measured week is
itself. Days are German calendar days, and quarter-hours of a day are found by the clock on the wall: the day on which
clocks go forward has 92 (those of the skipped hour are left out), the day on which they go back has 100 (the hour that
comes twice is the same both times).

It is no year of weather: each week stands for about a quarter of a year, its sun and its temperatures too, and holidays
are ordinary days. Energy of 2016 against the whole year's in `cosim.data.PROFILES`: homes -5 to +9 %, PV -10 to +5 %,
heat pumps -8 to +3 %, but chargers -13 to +69 %, as their weeks differ most.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from cosim.data import TIMEZONE, WEEKS

__all__ = ["repeated_rows"]

_PER_DAY = 96
_YEAR = 366


def repeated_rows(times: pd.DatetimeIndex) -> npt.NDArray[np.int64]:
    """Rows of `cosim.data.load_extract` that stand for times (UTC), same shape."""
    local = times.tz_convert(TIMEZONE)
    weekday = local.weekday.to_numpy()
    monday = (local.tz_localize(None).normalize() - pd.to_timedelta(weekday, unit="D")).dayofyear.to_numpy()
    measured = np.array([pd.Timestamp(day).dayofyear for day in sorted(WEEKS.values())])
    apart = np.abs(monday[:, None] - measured)
    week = np.argmin(np.minimum(apart, _YEAR - apart), axis=1)
    quarter = (local.hour.to_numpy() * 60 + local.minute.to_numpy()) // 15
    rows: npt.NDArray[np.int64] = ((week * 7 + weekday) * _PER_DAY + quarter).astype(np.int64)
    return rows
