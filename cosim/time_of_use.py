"""Time-of-use tariffs: prices by window of the local day, for weekdays and weekends."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from cosim.data import TIMEZONE
from cosim.prices import Prices, TariffBase
from cosim.series import zone
from cosim.strict import Strict
from feeders.errors import InputError

__all__ = ["PRESETS", "Period", "TimeOfUseTariff"]

DAY_MINUTES = 1440
DAY_TYPES = ("weekday", "weekend")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)


def _minute(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


class Period(Strict):
    """A window of the day and its price.

    Attributes
    ----------
    days : {"weekday", "weekend", "all"}
        Monday to Friday, Saturday and Sunday, or both. Public holidays are not known.
    start, end : str
        Local time "HH:MM", end excluded; "24:00" is the end of the day. A window with end before start
        goes on after midnight, in the morning of the same day type.
    price : float
        Buying price [currency/kWh].
    """

    days: Literal["weekday", "weekend", "all"] = "all"
    start: str
    end: str
    price: float

    @model_validator(mode="after")
    def _check(self) -> Self:
        for field, clock in (("start", self.start), ("end", self.end)):
            if not _CLOCK.fullmatch(clock):
                raise InputError("tariff", field, clock, 'local time as "HH:MM", from "00:00" to "24:00"')
        if _minute(self.start) == _minute(self.end) or self.start == "24:00":
            raise InputError("tariff", "start", self.start, f"a start that differs from the end, {self.end}")
        return self

    def minutes(self) -> NDArray[np.bool_]:
        """Which minutes of the day belong to the window, shape ``(1440,)``."""
        minute = np.arange(DAY_MINUTES)
        start, end = _minute(self.start), _minute(self.end)
        if start < end:
            return (minute >= start) & (minute < end)
        return (minute >= start) | (minute < end)


class Preset(Strict):
    """A tariff that can be chosen by name: its periods and where they are from."""

    description: str
    periods: Annotated[tuple[Period, ...], Field(strict=False)]


def _periods(*rows: tuple[Literal["weekday", "weekend", "all"], str, str, float]) -> tuple[Period, ...]:
    return tuple(Period(days=days, start=start, end=end, price=price) for days, start, end, price in rows)


_OEB = "Ontario Energy Board, Regulated Price Plan, prices of 1 November 2023, CAD/kWh, holidays left out"

PRESETS: dict[str, Preset] = {
    "day-night": Preset(
        description="illustrative, no supplier's: day 0.32, night 22:00-06:00 0.22 currency/kWh",
        periods=_periods(("all", "06:00", "22:00", 0.32), ("all", "22:00", "06:00", 0.22)),
    ),
    "evening-peak": Preset(
        description="illustrative, no supplier's: 0.25, 11:00-15:00 0.18, 17:00-21:00 0.40 currency/kWh",
        periods=_periods(
            ("all", "21:00", "11:00", 0.25),
            ("all", "11:00", "15:00", 0.18),
            ("all", "15:00", "17:00", 0.25),
            ("all", "17:00", "21:00", 0.40),
        ),
    ),
    "ontario-winter-2023": Preset(
        description=f"time of use, winter hours (November to April): {_OEB}",
        periods=_periods(
            ("weekday", "19:00", "07:00", 0.087),
            ("weekday", "07:00", "11:00", 0.182),
            ("weekday", "11:00", "17:00", 0.122),
            ("weekday", "17:00", "19:00", 0.182),
            ("weekend", "00:00", "24:00", 0.087),
        ),
    ),
    "ontario-summer-2024": Preset(
        description=f"time of use, summer hours (May to October): {_OEB}",
        periods=_periods(
            ("weekday", "19:00", "07:00", 0.087),
            ("weekday", "07:00", "11:00", 0.122),
            ("weekday", "11:00", "17:00", 0.182),
            ("weekday", "17:00", "19:00", 0.122),
            ("weekend", "00:00", "24:00", 0.087),
        ),
    ),
    "ontario-ultra-low-overnight-2023": Preset(
        description=f"ultra-low overnight, all year: {_OEB}",
        periods=_periods(
            ("all", "23:00", "07:00", 0.028),
            ("weekday", "07:00", "16:00", 0.122),
            ("weekday", "16:00", "21:00", 0.286),
            ("weekday", "21:00", "23:00", 0.122),
            ("weekend", "07:00", "23:00", 0.087),
        ),
    ),
}
"""Time-of-use tariffs by name, energy price alone: no network charge, rebate or tax."""


class TimeOfUseTariff(TariffBase):
    """Prices by window of the local day; a market step has the price of the minute in which it starts.

    On the days of a clock change the windows follow the wall clock: such a day has 23 or 25 hours.

    Attributes
    ----------
    preset : str, optional
        A name of `PRESETS`; either this or `periods`.
    periods : tuple of Period
        Windows that fill weekdays and weekends without gap or overlap.
    timezone : str
        IANA zone of the windows.
    price_sell : float, optional
        Selling price [currency/kWh], not above any buying price; instead of `kappa`.
    """

    kind: Literal["time-of-use"] = "time-of-use"
    preset: str | None = None
    periods: tuple[Period, ...] = Field(default=(), strict=False)
    timezone: str = TIMEZONE
    price_sell: float | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        zone(self.timezone, "tariff")
        self._refuse_two_sells(self.price_sell, "price_sell")
        if self.preset is not None and self.preset not in PRESETS:
            raise InputError("tariff", "preset", self.preset, f"one of: {', '.join(sorted(PRESETS))}")
        if (self.preset is None) == (not self.periods):
            raise InputError("tariff", "preset", self.preset, "either a preset or a list of periods")
        self._price_by_minute()
        return self

    def describe(self) -> str:
        """One line for people."""
        source = "own periods" if self.preset is None else f"{self.preset}, {PRESETS[self.preset].description}"
        return f"time of use ({source}), local time {self.timezone}"

    def prices(self, times: pd.DatetimeIndex, *, folder: Path) -> Prices:  # noqa: ARG002 - reads no file
        """Prices of the market steps that start at `times` (UTC)."""
        local = times.tz_convert(self.timezone)
        day_type = (local.dayofweek >= 5).astype(int)
        price_buy = self._price_by_minute()[day_type, local.hour * 60 + local.minute]
        if self.price_sell is None:
            return self._with_kappa(price_buy)
        return self._with_sell(price_buy, np.full(len(times), self.price_sell), times, "tariff")

    def _price_by_minute(self) -> NDArray[np.float64]:
        """Price of each minute, ``(2, 1440)``: weekday, weekend; `InputError` at a gap or overlap."""
        periods = self.periods if self.preset is None else PRESETS[self.preset].periods
        price = np.zeros((len(DAY_TYPES), DAY_MINUTES))
        for row, day_type in enumerate(DAY_TYPES):
            of_day = [period for period in periods if period.days in (day_type, "all")]
            count = np.sum([period.minutes() for period in of_day], axis=0) if of_day else np.zeros(DAY_MINUTES)
            if (count != 1).any():
                minute = int(np.argmax(count != 1))
                fault = "gap" if count[minute] == 0 else "overlap"
                clock = f"{minute // 60:02d}:{minute % 60:02d}"
                raise InputError(
                    "tariff",
                    "periods",
                    f"{fault} on a {day_type} at {clock}",
                    "each minute in exactly one period",
                )
            for period in of_day:
                price[row, period.minutes()] = period.price
        return price
