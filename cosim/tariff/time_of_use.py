"""Time-of-use tariffs: prices by window of the local day, for seasons, weekdays, weekends and holidays."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from cosim.data import TIMEZONE
from cosim.series import zone
from cosim.tariff.account import PriceStep
from cosim.tariff.base import TariffBase
from cosim.tariff.calendar import DAY_TYPES, Calendar
from cosim.tariff.presets import PRESETS, Preset
from cosim.tariff.prices import Prices
from cosim.tariff.window import DAY_MINUTES, Period
from feeders.errors import InputError

__all__ = ["TimeOfUseTariff"]

_WEEKEND, _HOLIDAY = (DAY_TYPES.index(name) for name in ("weekend", "holiday"))


class TimeOfUseTariff(TariffBase):
    """Prices by window of the local day; a market step has the price of the minute in which it starts.

    On the days of a clock change the windows follow the wall clock: such a day has 23 or 25 hours. A holiday has the
    prices of a weekend, or those of ``holiday`` in a season whose periods name it.

    Attributes
    ----------
    preset : str, optional
        A name of `PRESETS`; either this or `periods`.
    periods : tuple of Period
        Windows that fill the days of each season, weekdays and weekends, without gap or overlap.
    timezone : str, optional
        IANA zone of windows, seasons and holidays; by default that of the preset, if it has one, or else that of the
        embedded profiles.
    price_sell : float, optional
        Selling price [currency/kWh], not above any buying price; instead of `kappa`.
    """

    kind: Literal["time-of-use"] = "time-of-use"
    preset: str | None = None
    periods: tuple[Period, ...] = Field(default=(), strict=False)
    timezone: str | None = None
    price_sell: float | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        zone(self.local_zone, "tariff")
        self._refuse_two_sells(self.price_sell, "price_sell")
        if self.preset is not None and self.preset not in PRESETS:
            near = get_close_matches(self.preset, PRESETS, n=3, cutoff=0.4)
            told = f" (nearest: {', '.join(near)})" if near else ""
            raise InputError("tariff", "preset", self.preset, f"one of: {', '.join(sorted(PRESETS))}{told}")
        if (self.preset is None) == (not self.periods):
            raise InputError("tariff", "preset", self.preset, "either a preset or a list of periods")
        if self._chosen is not None and self._chosen.seasons and self.seasons:
            raise InputError("tariff", "seasons", f"{len(self.seasons)} of them", f"none: {self.preset} has its own")
        for place, period in enumerate(self.periods):
            self._check_window(period, f"periods[{place}]")
        self._period_by_minute()
        return self

    @property
    def local_zone(self) -> str:
        """The zone in whose local time windows, seasons and holidays are read."""
        return self.timezone or (self._chosen.timezone if self._chosen else None) or TIMEZONE

    @property
    def calendar(self) -> Calendar:
        """Its local time, seasons and holidays, those of the preset where it has none of its own."""
        preset = self._chosen
        seasons = self.seasons or (preset.seasons if preset else ())
        return Calendar(self.local_zone, seasons, self.holidays or (preset.holidays if preset else None))

    def describe(self) -> str:
        """One line for people."""
        source = "own periods" if self.preset is None else f"{self.preset}, {PRESETS[self.preset].description}"
        return f"time of use ({source}), local time {self.local_zone}"

    def prices(self, times: pd.DatetimeIndex, *, folder: Path = Path()) -> Prices:  # noqa: ARG002 - reads no file
        """Prices of the market steps that start at `times` (UTC)."""
        price_buy = np.array([period.price for period in self._in_force])[self._period_of(times)]
        if self.price_sell is None:
            return self._with_kappa(price_buy)
        return self._with_sell(price_buy, np.full(len(times), self.price_sell), times, "tariff")

    def price_steps(self, times: pd.DatetimeIndex) -> tuple[Sequence[PriceStep], NDArray[np.int64]]:
        """Each name and price that there is, in the order of the periods."""
        each = [PriceStep(period.name or "energy", period.price) for period in self._in_force]
        found = list(dict.fromkeys(each))
        place = np.array([found.index(step) for step in each], dtype=np.int64)
        return found, place[self._period_of(times)]

    @property
    def _chosen(self) -> Preset | None:
        return None if self.preset is None else PRESETS.get(self.preset)

    @property
    def _in_force(self) -> tuple[Period, ...]:
        return self._chosen.periods if self._chosen else self.periods

    def _period_of(self, times: pd.DatetimeIndex) -> NDArray[np.int64]:
        """Place of the period of each step, shape ``(T,)``."""
        local = self.calendar.local(times)
        found: NDArray[np.int64] = self._period_by_minute()[local.season, local.day_type, local.minute]
        return found

    def _period_by_minute(self) -> NDArray[np.int64]:
        """Place of the period of each minute, ``(n_seasons, 3, 1440)``; `InputError` at a gap or overlap."""
        names = self.calendar.season_names
        table = np.zeros((len(names), len(DAY_TYPES), DAY_MINUTES), dtype=np.int64)
        for row, season in enumerate(names):
            own = [place for place, period in enumerate(self._in_force) if period.season in (season, None)]
            named = any(self._in_force[place].days == "holiday" for place in own)
            for day_type, name in enumerate(DAY_TYPES if named else DAY_TYPES[:_HOLIDAY]):
                table[row, day_type] = self._filled(own, name, season)
            if not named:
                table[row, _HOLIDAY] = table[row, _WEEKEND]
        return table

    def _filled(self, own: Sequence[int], day_type: str, season: str) -> NDArray[np.int64]:
        """Place of the period of each minute of a day."""
        of_day = [place for place in own if self._in_force[place].days in (day_type, "all")]
        holds = [self._in_force[place].minutes() for place in of_day]
        count = np.sum(holds, axis=0) if holds else np.zeros(DAY_MINUTES)
        if (count != 1).any():
            minute = int(np.argmax(count != 1))
            fault = "gap" if count[minute] == 0 else "overlap"
            where = f" of season {season!r}" if season else ""
            shown = f"{fault} on a {day_type}{where} at {minute // 60:02d}:{minute % 60:02d}"
            raise InputError("tariff", "periods", shown, "each minute in exactly one period")
        found: NDArray[np.int64] = np.array(of_day, dtype=np.int64)[np.argmax(holds, axis=0)]
        return found
