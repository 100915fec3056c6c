"""The local calendar of a tariff: seasons that tile the year, working days, weekends, holidays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from cosim.strict import Strict
from cosim.tariff.holiday import Holidays
from feeders.errors import InputError

__all__ = ["DAY_TYPES", "Calendar", "Local", "Season", "check_seasons"]

DAY_TYPES = ("weekday", "weekend", "holiday")
_DAYS_OF_YEAR = [day.date() for day in pd.date_range("2000-01-01", "2000-12-31")]  # a leap year: 29 February counts
_MONTH_DAY = re.compile(r"\d{2}-\d{2}", re.ASCII)


class Season(Strict):
    """A range of days of the year; several ranges of one name are one season.

    Attributes
    ----------
    name : str
    start, end : str
        First and last day as "MM-DD", both included; a range whose end is before its start goes on in January.
    """

    name: Annotated[str, Field(min_length=1)]
    start: str
    end: str

    @model_validator(mode="after")
    def _check(self) -> Self:
        for field, text in (("start", self.start), ("end", self.end)):
            try:
                _day(text)
            except ValueError:
                raise InputError("tariff", field, text, 'a day of the year as "MM-DD", e.g. "05-01"') from None
        return self

    def days(self) -> NDArray[np.bool_]:
        """Which days of a leap year belong to it, shape ``(366,)``."""
        day = np.arange(len(_DAYS_OF_YEAR))
        start, end = _day(self.start), _day(self.end)
        if start <= end:
            return (day >= start) & (day <= end)
        return (day >= start) | (day <= end)


def _day(text: str) -> int:
    """Place of a day in a leap year, or a ValueError."""
    if not _MONTH_DAY.fullmatch(text):
        raise ValueError(text)
    return _DAYS_OF_YEAR.index(date(2000, int(text[:2]), int(text[3:])))


def check_seasons(seasons: Sequence[Season]) -> None:
    """Raise `InputError` unless each day of the year, 29 February included, is in exactly one season; none is fine."""
    if not seasons:
        return
    count = np.sum([season.days() for season in seasons], axis=0)
    if (count != 1).any():
        day = int(np.argmax(count != 1))
        of_day = [f"{season.name!r}" for season in seasons if season.days()[day]]
        fault = f"overlap of {' and '.join(of_day)}" if of_day else "gap"
        allowed = "each day of the year in exactly one season, 02-29 too"
        raise InputError("tariff", "seasons", f"{fault} on {_DAYS_OF_YEAR[day]:%m-%d}", allowed)


@dataclass(frozen=True)
class Local:
    """What the calendar says of T steps, each by its start; arrays of shape ``(T,)``.

    Attributes
    ----------
    times : DatetimeIndex
        Their local times.
    season : array of int
        Place in `Calendar.season_names`.
    day_type : array of int
        Place in `DAY_TYPES`; a holiday is one on any day of the week.
    minute : array of int
        Minute of the day on the wall clock.
    """

    times: pd.DatetimeIndex
    season: NDArray[np.int64]
    day_type: NDArray[np.int64]
    minute: NDArray[np.int64]


@dataclass(frozen=True)
class Calendar:
    """Local time, seasons and holidays.

    Attributes
    ----------
    zone : str
        IANA zone.
    seasons : tuple of Season
        None where the year has no parts.
    holidays : Holidays, optional
    """

    zone: str
    seasons: tuple[Season, ...] = ()
    holidays: Holidays | None = None

    @property
    def season_names(self) -> tuple[str, ...]:
        """Each name once; one without a name where there are no seasons."""
        return tuple(dict.fromkeys(season.name for season in self.seasons)) or ("",)

    def local(self, times: pd.DatetimeIndex) -> Local:
        """What it says of steps that start at `times`.

        Raises
        ------
        InputError
            When the holidays of a country are not known for a year of them.
        """
        local = times.tz_convert(self.zone)
        months_days = local.month.to_numpy() * 32 + local.day.to_numpy()
        day_type = (local.dayofweek.to_numpy() >= 5).astype(np.int64)
        if self.holidays is not None and len(local):
            days = self.holidays.of_years(years_of(local))
            free = np.array(sorted(day.toordinal() for day in days), dtype=np.int64)
            day_type[np.isin(_ordinals(local), free)] = 2
        minute = local.hour.to_numpy() * 60 + local.minute.to_numpy()
        return Local(local, self._season_table()[months_days], day_type, minute.astype(np.int64))

    def check_span(self, times: pd.DatetimeIndex) -> None:
        """Raise `InputError` for a holiday given by its date in a year that `times`, those of a whole run, lack."""
        if self.holidays is None or not len(times):
            return
        years = years_of(times.tz_convert(self.zone))
        for day in self.holidays.dates:
            if day.year not in years:
                of_run = ", ".join(map(str, years))
                raise InputError("tariff", "holidays.dates", f"{day}", f"dates in the years of the run: {of_run}")
        self.holidays.of_years(years)

    def _season_table(self) -> NDArray[np.int64]:
        """Season of each day by ``32 * month + day``."""
        table = np.zeros(13 * 32, dtype=np.int64)
        for season in self.seasons:
            code = self.season_names.index(season.name)
            for day in np.flatnonzero(season.days()):
                table[_DAYS_OF_YEAR[day].month * 32 + _DAYS_OF_YEAR[day].day] = code
        return table


def years_of(local: pd.DatetimeIndex) -> tuple[int, ...]:
    """The years that times are in, ascending."""
    return tuple(int(year) for year in np.unique(local.year))


def _ordinals(local: pd.DatetimeIndex) -> NDArray[np.int64]:
    """Days since the first day of the year 1, as `date.toordinal` counts them, shape ``(T,)``."""
    days: Iterable[np.datetime64] = local.tz_localize(None).to_numpy().astype("datetime64[D]")
    found: NDArray[np.int64] = np.asarray(days).astype(np.int64) + date(1970, 1, 1).toordinal()
    return found
