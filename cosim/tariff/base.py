"""What every tariff has and gives: buying and selling prices, demand charges, a fixed charge; terms and bills."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from agents.terms import Terms
from cosim.strict import Strict
from cosim.tariff.account import Account, Billing, PriceStep
from cosim.tariff.bill import Bill
from cosim.tariff.calendar import Calendar, Season, check_seasons
from cosim.tariff.demand import DemandCharge
from cosim.tariff.holiday import Holidays
from cosim.tariff.prices import Prices, spacing_h
from cosim.tariff.window import Window
from feeders.errors import InputError

__all__ = ["TariffBase"]

Array = NDArray[np.float64]


class TariffBase(Strict):
    """What tariffs share.

    Attributes
    ----------
    kappa : float
        ``price_sell = min(price_buy, kappa * price_buy)``, 0 <= kappa <= 1 (Hashmi et al., arXiv 2207.10248).
        The minimum matters when the price is negative: the meter then sells at the buying price, as
        selling at a higher one would be a money pump.
    fixed_per_day : float
        What each customer pays for being one [currency per 24 hours].
    demand_charges : tuple of DemandCharge
        Prices of highest imports; with any they make a two-part tariff of one of any kind.
    seasons : tuple of Season
        Parts of the year that demand charges, and periods of a time-of-use tariff, may name.
    holidays : Holidays, optional
        Days that are no working days.
    """

    kappa: float = Field(default=1.0, ge=0.0, le=1.0)
    fixed_per_day: float = Field(default=0.0, ge=0.0)
    demand_charges: tuple[DemandCharge, ...] = Field(default=(), strict=False)
    seasons: tuple[Season, ...] = Field(default=(), strict=False)
    holidays: Holidays | None = None

    @property
    @abstractmethod
    def local_zone(self) -> str:
        """The zone in whose local time windows, seasons, holidays and billing periods are read."""

    @property
    def calendar(self) -> Calendar:
        """Its local time, seasons and holidays."""
        return Calendar(self.local_zone, self.seasons, self.holidays)

    @abstractmethod
    def prices(self, times: pd.DatetimeIndex, *, folder: Path = Path()) -> Prices:
        """Prices of the market steps that start at `times` (UTC)."""

    def price_steps(self, times: pd.DatetimeIndex) -> tuple[Sequence[PriceStep], NDArray[np.int64]]:
        """What bills put the energy of each step under: the price steps, and the place of each step in them."""
        return [PriceStep("energy")], np.zeros(len(times), dtype=np.int64)

    def billing(self, times: pd.DatetimeIndex) -> Billing:
        """How the steps that start at `times` are billed, as if they were all there is.

        Raises
        ------
        InputError
            When times are unevenly spaced, a metering interval is no multiple of their steps, or the holidays of a
            country are not known for a year of theirs.
        """
        step_h = spacing_h(times)
        price_steps, price_step = self.price_steps(times)
        calendar = self.calendar
        local = calendar.local(times) if self.demand_charges else None
        demand = [charge.schedule(calendar, local, step_h) for charge in self.demand_charges if local is not None]
        return Billing(times, step_h, price_steps, price_step, tuple(demand), self.fixed_per_day)

    def terms(self, times: pd.DatetimeIndex, n_customers: int, *, folder: Path = Path()) -> Terms:
        """Prices and demand charges of n customers as columns, for planning and paying alike.

        Each billing period of a demand charge is a window of its own, over the steps of it that are in `times`; the
        fixed charge is not in it, as no plan changes that. Where steps are the market steps, ``terms.bills(p_kw)`` is
        the bill but for the fixed charge.

        Parameters
        ----------
        times : DatetimeIndex
            Starts of the steps, evenly spaced, with a zone.
        n_customers : int
        folder : Path
            Against which file names are resolved.

        Raises
        ------
        InputError
            As of `prices` and `billing`; and when a metering interval is longer than a step.
        """
        return self.billing(times).terms(self.prices(times, folder=folder), n_customers)

    def bill(
        self,
        times: pd.DatetimeIndex,
        p_meter_kw: Array,
        *,
        names: Sequence[str] | None = None,
        folder: Path = Path(),
    ) -> Bill:
        """What n customers owe for the power at their meters, item by item.

        Parameters
        ----------
        times : DatetimeIndex
            Starts of the steps, evenly spaced, with a zone.
        p_meter_kw : array, shape (T, n)
            Mean power of each step, > 0 import [kW].
        names : sequence of str, optional
            Of the customers; numbers from 0 on by default.
        folder : Path
            Against which file names are resolved.

        Raises
        ------
        InputError
            As of `prices` and `billing`; and when the powers are not of these times and names, or not finite.
        """
        n_customers = np.shape(p_meter_kw)[-1] if names is None else len(names)
        if np.shape(p_meter_kw) != (len(times), n_customers) or not np.isfinite(p_meter_kw).all():
            allowed = f"finite powers of shape {(len(times), n_customers)}: times, customers"
            raise InputError("bill", "p_meter_kw", f"shape {np.shape(p_meter_kw)}", allowed)
        prices, billing = self.prices(times, folder=folder), self.billing(times)
        account = Account(billing, n_customers)
        imported = billing.step_h * np.maximum(p_meter_kw, 0.0)
        exported = imported - billing.step_h * p_meter_kw
        for step, (buy, sell) in enumerate(zip(prices.price_buy, prices.price_sell, strict=True)):
            account.book(step, imported[step], exported[step], buy, sell)
        return Bill.of(account, [str(row) for row in range(n_customers)] if names is None else names)

    def check_run(self, times: pd.DatetimeIndex) -> None:
        """Raise `InputError` where it does not fit a whole run of these times; see `Calendar.check_span`."""
        self.calendar.check_span(times)
        self.billing(times)

    @model_validator(mode="after")
    def _check_charges(self) -> Self:
        calendar = self.calendar
        check_seasons(calendar.seasons)
        for name, count in Counter(charge.name for charge in self.demand_charges).items():
            if count > 1:
                raise InputError("tariff", "demand_charges", name, "a name of its own for each demand charge")
        for charge in self.demand_charges:
            self._check_window(charge, f"demand_charges.{charge.name}")
        return self

    def _check_window(self, window: Window, field: str) -> None:
        """Raise `InputError` where a window names a season, or holidays, that there are none of."""
        calendar = self.calendar
        known = [name for name in calendar.season_names if name]
        if window.season is not None and window.season not in known:
            near = ", ".join(get_close_matches(window.season, known, n=3, cutoff=0.0))
            allowed = f"a season of the tariff; nearest: {near}" if near else "none: the tariff has no seasons"
            raise InputError("tariff", f"{field}.season", window.season, allowed)
        if window.days == "holiday" and calendar.holidays is None:
            raise InputError("tariff", f"{field}.days", window.days, "weekday, weekend or all: it has no holidays")

    def _with_kappa(self, price_buy: Array) -> Prices:
        return Prices(price_buy, np.minimum(price_buy, self.kappa * price_buy))

    def _with_sell(self, price_buy: Array, price_sell: Array, times: pd.DatetimeIndex, where: str) -> Prices:
        above = price_sell > price_buy
        if above.any():
            first = int(np.argmax(above))
            raise InputError(
                where,
                f"price_sell at {times[first]:%Y-%m-%dT%H:%MZ}",
                float(price_sell[first]),
                f"at most the buying price, {price_buy[first]:g} (more would be arbitrage at the meter)",
            )
        return Prices(price_buy, price_sell)

    def _refuse_two_sells(self, explicit: float | str | None, field: str) -> None:
        if explicit is not None and self.kappa != 1.0:
            raise InputError("tariff", field, explicit, f"either kappa or {field}, not both")
