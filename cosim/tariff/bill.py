"""Bills item by item."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cosim.tariff.account import Account

__all__ = ["ITEM_COLUMNS", "Bill"]

Array = NDArray[np.float64]

ITEM_COLUMNS = ("item", "name", "billing_period", "quantity", "unit", "price", "amount", "peak_at")
"""Columns of the items of bills, after the customer's own."""


class _Item(NamedTuple):
    """One item of all customers; numbers are the same for all, or of shape (n,)."""

    item: str
    name: str
    billing_period: str
    quantity: Array
    unit: str
    price: float | Array
    amount: Array
    step: Array | float = -1.0  # of the highest import; -1 where there is none


@dataclass(frozen=True)
class Bill:
    """What n customers owe.

    Attributes
    ----------
    items : DataFrame
        One row per customer and item: the customer, `ITEM_COLUMNS`. Items are ``energy bought`` (one for each price
        step), ``energy sold``, ``demand`` (one for each charge and billing period in which its window opens, with the
        start of the metering interval of the highest import, UTC) and ``fixed``; quantities in kWh, kW and days; the
        amounts add up to `total`, what is sold with a minus.
    energy, demand, fixed : array, shape (n,)
        Parts of the total [currency].
    """

    items: pd.DataFrame
    energy: Array
    demand: Array
    fixed: Array

    @property
    def total(self) -> Array:
        """What each owes, shape ``(n,)`` [currency]."""
        found: Array = self.energy + self.demand + self.fixed
        return found

    @classmethod
    def of(cls, account: Account, names: Sequence[str], key: str = "customer") -> Self:
        """The bills of an account whose customers have these names, in a column called `key`."""
        found = list(_items(account))
        n = len(names)

        def words(of: Callable[[_Item], str]) -> list[str]:
            return [of(item) for item in found for _ in range(n)]

        def numbers(of: Callable[[_Item], Array | float]) -> Array:
            return np.concatenate([np.broadcast_to(of(item), n) for item in found])

        items = pd.DataFrame(
            {
                key: list(names) * len(found),
                "item": words(lambda item: item.item),
                "name": words(lambda item: item.name),
                "billing_period": words(lambda item: item.billing_period),
                "quantity": numbers(lambda item: item.quantity),
                "unit": words(lambda item: item.unit),
                "price": numbers(lambda item: item.price),
                "amount": numbers(lambda item: item.amount),
                "peak_at": _times(account.billing.times, numbers(lambda item: item.step)),
            }
        )
        order = np.argsort(np.tile(np.arange(n), len(found)), kind="stable")  # customer by customer
        items = items[[key, *ITEM_COLUMNS]].iloc[order].reset_index(drop=True)
        return cls(items, account.energy_cost, account.demand_cost, account.fixed_cost)


def _items(account: Account) -> Iterator[_Item]:
    """The items of all customers, each as one row of columns."""
    billing = account.billing
    for step, kwh, cost in zip(billing.price_steps, account.bought_kwh, account.bought_cost, strict=True):
        price = _mean_price(cost, kwh) if step.price is None else step.price
        yield _Item("energy bought", step.name, "", kwh, "kWh", price, cost)
    kwh, income = account.sold_kwh, account.sold_income
    yield _Item("energy sold", "", "", kwh, "kWh", _mean_price(income, kwh), 0.0 - income)
    row = 0
    for schedule in billing.demand:
        for period, price in zip(schedule.periods, schedule.price, strict=True):
            kw = account.peak_kw[row]
            yield _Item("demand", schedule.charge.name, period, kw, "kW", price, price * kw, account.peak_step[row])
            row += 1
    if billing.fixed_per_day:
        fixed = account.fixed_cost
        yield _Item("fixed", "", "", fixed / billing.fixed_per_day, "day", billing.fixed_per_day, fixed)


def _mean_price(amount: Array, kwh: Array) -> Array:
    """NaN where there was no energy."""
    price: Array = np.divide(amount, kwh, out=np.full(len(kwh), np.nan), where=kwh != 0)
    return price


def _times(times: pd.DatetimeIndex, step: Array) -> pd.DatetimeIndex:
    """Starts of steps, UTC; none for -1."""
    starts = times.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[us]")
    found = np.full(len(step), np.datetime64("NaT"), dtype="datetime64[us]")
    found[step >= 0] = starts[step[step >= 0].astype(int)]
    return pd.DatetimeIndex(found).tz_localize("UTC")
