"""What customers owe, step by step: energy by price step, the highest imports, the fixed charge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agents.terms import Terms
from cosim.tariff.demand import DemandSchedule
from cosim.tariff.prices import Prices
from feeders.errors import InputError

__all__ = ["Account", "Billing", "PriceStep"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PriceStep:
    """What a bill puts energy under: a name, and its price [currency/kWh] where there is one."""

    name: str
    price: float | None = None


@dataclass(frozen=True)
class Billing:
    """How T steps are billed.

    Attributes
    ----------
    times : DatetimeIndex
        Their starts, UTC.
    step_h : float
        Their length [h].
    price_steps : sequence of PriceStep
    price_step : array of int, shape (T,)
        Place of each step's energy in `price_steps`.
    demand : tuple of DemandSchedule
    fixed_per_day : float
        Fixed charge of each customer [currency per 24 h].
    """

    times: pd.DatetimeIndex
    step_h: float
    price_steps: Sequence[PriceStep]
    price_step: NDArray[np.int64]
    demand: tuple[DemandSchedule, ...]
    fixed_per_day: float

    def repriced(self, now: int, other: Billing) -> Billing:
        """The same, but the energy of the steps from `now` on is put under the price steps of another billing.

        They come after its own ones; those that it has already stay in their places.
        """
        found = [*self.price_steps, *(step for step in other.price_steps if step not in self.price_steps)]
        place = np.array([found.index(step) for step in other.price_steps], dtype=np.int64)
        price_step = np.concatenate([self.price_step[:now], place[other.price_step[now:]]])
        return replace(self, price_steps=found, price_step=price_step)

    @property
    def demand_price(self) -> Array:
        """Price of each window of the demand charges, in their order, shape ``(D,)`` [currency/kW]."""
        return np.concatenate([np.zeros(0), *(schedule.price for schedule in self.demand)])

    def terms(self, prices: Prices, n_customers: int) -> Terms:
        """Prices and demand charges of n customers as columns; views, not to be written to.

        Raises
        ------
        InputError
            When a metering interval is longer than a step: columns know the highest import of steps alone.
        """
        n_steps = len(self.times)
        windows = [np.zeros((0, n_steps), dtype=bool)]
        for schedule in self.demand:
            if not schedule.closes.all():
                field = f"demand_charges.{schedule.charge.name}.metering_min"
                allowed = f"the step, {60 * self.step_h:g} min, where customers plan against a demand charge"
                raise InputError("tariff", field, schedule.charge.metering_min, allowed)
            windows.append(schedule.window == np.arange(len(schedule.periods))[:, None])
        demand_price = self.demand_price
        return Terms(
            price_buy=np.broadcast_to(prices.price_buy[:, None], (n_steps, n_customers)),
            price_sell=np.broadcast_to(prices.price_sell[:, None], (n_steps, n_customers)),
            demand_price=np.broadcast_to(demand_price[:, None], (len(demand_price), n_customers)),
            demand_window=np.concatenate(windows),
            step_h=self.step_h,
        )


class Account:
    """Running bills of n customers, booked step by step in the order of time.

    Attributes
    ----------
    billing : Billing
    bought_kwh, bought_cost : array, shape (n_price_steps, n)
        Energy bought and its cost [currency].
    sold_kwh, sold_income : array, shape (n,)
    peak_kw, peak_step : array, shape (D, n)
        Highest import of each window so far, and the step in which its metering interval began; -1 while there is none.
    """

    def __init__(self, billing: Billing, n_customers: int) -> None:
        self.billing = billing
        n_windows = len(billing.demand_price)
        self.bought_kwh: Array = np.zeros((len(billing.price_steps), n_customers))
        self.bought_cost: Array = np.zeros_like(self.bought_kwh)
        self.sold_kwh: Array = np.zeros(n_customers)
        self.sold_income: Array = np.zeros(n_customers)
        self.peak_kw: Array = np.zeros((n_windows, n_customers))
        self.peak_step: Array = np.full((n_windows, n_customers), -1.0)
        self._open_kwh: Array = np.zeros((len(billing.demand), n_customers))  # of metering intervals that are open
        self._n_booked: Array = np.zeros(1)
        self._first_window = np.cumsum([0, *(len(schedule.periods) for schedule in billing.demand)])

    def book(self, step: int, import_kwh: Array, export_kwh: Array, price_buy: Array, price_sell: Array) -> None:
        """Book the energy of a step of all customers, arrays of shape (n,), both energies >= 0."""
        place = self.billing.price_step[step]
        self.bought_kwh[place] += import_kwh
        self.bought_cost[place] += price_buy * import_kwh
        self.sold_kwh += export_kwh
        self.sold_income += price_sell * export_kwh
        self._n_booked += 1
        for number, schedule in enumerate(self.billing.demand):
            if schedule.window[step] >= 0:
                self._meter(number, schedule, step, import_kwh)

    def reprice(self, now: int, other: Billing) -> None:
        """Bill the energy of the steps from `now` on as another billing says; see `Billing.repriced`."""
        self.billing = self.billing.repriced(now, other)
        more = ((0, len(self.billing.price_steps) - len(self.bought_kwh)), (0, 0))
        self.bought_kwh, self.bought_cost = np.pad(self.bought_kwh, more), np.pad(self.bought_cost, more)

    def ahead(self, now: int, until: int) -> tuple[NDArray[np.bool_], Array, Array]:
        """Demand windows that are open in some of the steps ``now .. until - 1``.

        Returns
        -------
        window : array of bool, shape (D, until - now)
            Their steps; those of a metering interval longer than a step are in it one by one.
        price : array, shape (D,)
            Price of the highest import in each [currency/kW].
        peak_kw : array, shape (D, n)
            Highest import in each so far.
        """
        demand, n_steps = self.billing.demand, until - now
        found = [schedule.window[now:until] == np.arange(len(schedule.periods))[:, None] for schedule in demand]
        window = np.concatenate([np.zeros((0, n_steps), dtype=bool), *found])
        here = window.any(axis=1) & (self.billing.demand_price > 0)
        return window[here], self.billing.demand_price[here], self.peak_kw[here]

    def of(self, customers: NDArray[np.intp]) -> Account:
        """The account of some customers up to now: a copy."""
        found = Account(self.billing, len(customers))
        for name, value in self.state().items():
            found.state()[name][...] = value if name == "n_booked" else value[..., customers]
        return found

    def state(self) -> Mapping[str, Array]:
        """All that the bill depends on, by name; views, all but `n_booked` with a last axis of customers."""
        return {name.strip("_"): value for name, value in vars(self).items() if name in _STATE}

    @property
    def energy_cost(self) -> Array:
        """Energy bought less energy sold, shape ``(n,)`` [currency]."""
        found: Array = self.bought_cost.sum(axis=0) - self.sold_income
        return found

    @property
    def demand_cost(self) -> Array:
        """The highest imports so far at their prices, shape ``(n,)`` [currency]."""
        found: Array = (self.billing.demand_price[:, None] * self.peak_kw).sum(axis=0)
        return found

    @property
    def fixed_cost(self) -> Array:
        """The fixed charge of the time so far, shape ``(n,)`` [currency]."""
        days = float(self._n_booked[0]) * self.billing.step_h / 24
        return np.full(len(self.sold_kwh), self.billing.fixed_per_day * days)

    def _meter(self, number: int, schedule: DemandSchedule, step: int, import_kwh: Array) -> None:
        """Add to a charge's open interval; where that ends, see whether it was the highest of its window."""
        self._open_kwh[number] += import_kwh
        if not schedule.closes[step]:
            return
        first, window = schedule.first[step], self._first_window[number] + schedule.window[step]
        mean_kw = self._open_kwh[number] / ((step + 1 - first) * self.billing.step_h)
        higher = mean_kw > self.peak_kw[window]
        self.peak_kw[window] = np.where(higher, mean_kw, self.peak_kw[window])
        self.peak_step[window] = np.where(higher, float(first), self.peak_step[window])
        self._open_kwh[number] = 0.0


_STATE = ("bought_kwh", "bought_cost", "sold_kwh", "sold_income", "peak_kw", "peak_step", "_open_kwh", "_n_booked")
