"""Demand charges: the price of the highest import within a window, in each billing period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from cosim.tariff.calendar import Calendar, Local
from cosim.tariff.window import Window
from feeders.errors import InputError

__all__ = ["DemandCharge", "DemandSchedule"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


class DemandCharge(Window):
    """A price of the highest import, on average over a metering interval, that begins within a window of the day.

    Each billing period in which the window opens has its own highest import, and pays for it in full, also where a run
    covers only a part of the period; with `pro_rata` it pays the covered share of the price. A metering interval at an
    edge of the run counts with the part of it that was lived.

    Attributes
    ----------
    name : str
        What bills call it.
    price : float
        Price of a billing period [currency/kW].
    per : {"day", "month", "run"}
        The billing period: a local calendar day or month, or the whole run.
    days, start, end, season
        The window: see `cosim.tariff.window.Window`; all hours by default. A holiday is no weekday, and is in a window
        of weekends as well as in one of holidays.
    metering_min : int, optional
        The metering interval, on the wall clock, a multiple of the market step [min]; the market step by default.
    pro_rata : bool
        Whether a day or month that the run covers in part pays a part: that of the hours.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")] = "demand"
    price: Annotated[float, Field(ge=0, description="currency per kW in each billing period")]
    per: Literal["day", "month", "run"] = "month"
    start: str = "00:00"
    end: str = "24:00"
    metering_min: Literal[5, 10, 15, 20, 30, 60] | None = None
    pro_rata: bool = False

    def schedule(self, calendar: Calendar, local: Local, step_h: float) -> DemandSchedule:
        """How it applies to T steps.

        Raises
        ------
        InputError
            When its metering interval is no multiple of the step.
        """
        first = self._intervals(local, step_h)
        period = _periods(local.times, self.per)
        open_ = self._open(calendar, local)
        # An interval belongs to the window and the billing period in which it begins.
        codes, place = np.unique(period[first][open_[first]], return_inverse=True)
        window = np.full(len(first), -1, dtype=np.int64)
        window[open_[first]] = place
        share = [_share(local.times, period == code, step_h, self.per) if self.pro_rata else 1.0 for code in codes]
        return DemandSchedule(
            charge=self,
            periods=tuple(
                str(np.datetime64(int(code), _UNITS[self.per])) if self.per != "run" else "" for code in codes
            ),
            price=self.price * np.array(share, dtype=float),
            window=window,
            first=first,
            closes=np.append(first[1:] != first[:-1], [True] * min(1, len(first))).astype(bool),
        )

    def _open(self, calendar: Calendar, local: Local) -> NDArray[np.bool_]:
        """Which steps begin within the window, shape ``(T,)``."""
        days = {"weekday": (0,), "weekend": (1, 2), "holiday": (2,), "all": (0, 1, 2)}[self.days]
        found = self.minutes()[local.minute] & np.isin(local.day_type, days)
        if self.season is not None:
            found &= local.season == calendar.season_names.index(self.season)
        return found

    def _intervals(self, local: Local, step_h: float) -> Ints:
        """First step of the metering interval of each step, shape ``(T,)``."""
        step = np.arange(len(local.times))
        if self.metering_min is None:
            return step
        steps = self.metering_min / (60 * step_h)
        if steps != round(steps):
            allowed = f"a multiple of the market step, {60 * step_h:g} min"
            raise InputError("tariff", f"demand_charges.{self.name}.metering_min", self.metering_min, allowed)
        begins = local.minute % self.metering_min == 0
        found: Ints = np.maximum.accumulate(np.where(begins, step, 0))
        return found


@dataclass(frozen=True)
class DemandSchedule:
    """A demand charge over T steps, with W billing periods in which its window opens.

    Attributes
    ----------
    charge : DemandCharge
    periods : tuple of str
        The billing periods: "2016-06-08", "2016-06", or "" for the whole run.
    price : array, shape (W,)
        Price of the highest import of each [currency/kW].
    window : array of int, shape (T,)
        The billing period to which the metering interval of each step belongs; -1 outside the charge's window.
    first : array of int, shape (T,)
        First step of that interval.
    closes : array of bool, shape (T,)
        Whether it ends with the step.
    """

    charge: DemandCharge
    periods: tuple[str, ...]
    price: Array
    window: Ints
    first: Ints
    closes: NDArray[np.bool_]


_UNITS: dict[str, Literal["D", "M"]] = {"day": "D", "month": "M"}


def _periods(local: pd.DatetimeIndex, per: str) -> Ints:
    """Number of the billing period of each step: days or months since 1970."""
    if per == "run":
        return np.zeros(len(local), dtype=np.int64)
    found: Ints = local.tz_localize(None).to_numpy().astype(f"datetime64[{_UNITS[per]}]").astype(np.int64)
    return found


def _share(local: pd.DatetimeIndex, covered: NDArray[np.bool_], step_h: float, per: str) -> float:
    """Share of the hours of a billing period that the steps cover."""
    if per == "run":
        return 1.0
    begin = local[int(np.argmax(covered))].tz_localize(None).to_period(_UNITS[per]).start_time
    end = begin + (pd.Timedelta(days=1) if per == "day" else pd.DateOffset(months=1))
    # Where clocks change at midnight, the day begins at the first time that there is.
    edges = [edge.tz_localize(local.tz, ambiguous=True, nonexistent="shift_forward") for edge in (begin, end)]
    return float(covered.sum() * step_h / ((edges[1] - edges[0]) / pd.Timedelta(hours=1)))
