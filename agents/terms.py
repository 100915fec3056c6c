"""Prices and demand charges as columns: what customers plan against, and what they pay."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

__all__ = ["Terms"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Terms:
    """Prices and demand charges of n customers over T steps.

    A signal, which customers plan against, and a tariff, which they pay, are two objects of this kind: where they
    differ, the signal shapes schedules and the tariff makes the bill.

    Attributes
    ----------
    price_buy, price_sell : array, shape (T, n)
        Prices [currency/kWh], selling never above buying.
    demand_price : array, shape (D, n)
        Price of the highest import within each of D windows [currency/kW].
    demand_window : array of bool, shape (D, T)
        The steps that belong to each window.
    step_h : float
        Length of a step [h].
    """

    price_buy: Array
    price_sell: Array
    demand_price: Array
    demand_window: npt.NDArray[np.bool_]
    step_h: float

    @classmethod
    def of_prices(cls, price_buy: Array, price_sell: Array, step_h: float) -> Self:
        """Terms without demand charges."""
        n_steps, n_customers = price_buy.shape
        return cls(price_buy, price_sell, np.zeros((0, n_customers)), np.zeros((0, n_steps), dtype=bool), step_h)

    @property
    def has_demand_charge(self) -> bool:
        """Whether a highest import has a price."""
        return bool(self.demand_price.any())

    def of(self, who: npt.NDArray[np.int64] | slice) -> Self:
        """The terms of some customers."""
        return replace(
            self,
            price_buy=self.price_buy[:, who],
            price_sell=self.price_sell[:, who],
            demand_price=self.demand_price[:, who],
        )

    def bills(self, p_kw: Array) -> Array:
        """What each customer owes for the power at its meter, shape (n,) [currency].

        Parameters
        ----------
        p_kw : array, shape (T, n)
            Power at the meters, > 0 import [kW].
        """
        imported = np.maximum(p_kw, 0.0)
        energy = self.step_h * (self.price_buy * imported - self.price_sell * (imported - p_kw)).sum(axis=0)
        for window, price in zip(self.demand_window, self.demand_price, strict=True):
            energy = energy + price * imported[window].max(axis=0, initial=0.0)
        bills: Array = energy
        return bills
