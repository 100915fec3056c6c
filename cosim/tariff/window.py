"""Windows of the local day: hours, kinds of days, season."""

from __future__ import annotations

import re
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from cosim.strict import Strict
from feeders.errors import InputError

__all__ = ["DAY_MINUTES", "Days", "Period", "Window"]

DAY_MINUTES = 1440
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)

Days = Literal["weekday", "weekend", "holiday", "all"]


def _minute(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


class Window(Strict):
    """Hours of certain days.

    Attributes
    ----------
    days : {"weekday", "weekend", "holiday", "all"}
        Monday to Friday, Saturday and Sunday, the tariff's holidays, or every day.
    start, end : str
        Local time "HH:MM", end excluded; "24:00" is the end of the day. A window with end before start
        goes on after midnight, in the morning of the same day type.
    season : str, optional
        A season of the tariff; the whole year by default.
    """

    days: Days = "all"
    start: str
    end: str
    season: str | None = None

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


class Period(Window):
    """A window of the day and its price.

    Attributes
    ----------
    price : float
        Buying price [currency/kWh].
    name : str, optional
        What bills call it, e.g. "on-peak".
    """

    price: float
    name: str | None = Field(None, min_length=1)
