"""What every tariff gives: a buying and a selling price per market step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from cosim.strict import Strict
from feeders.errors import InputError

__all__ = ["Prices", "TariffBase", "step_minutes"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Prices:
    """Prices of the market steps [currency/kWh], shape ``(n_steps,)``; nowhere is selling above buying."""

    price_buy: Array
    price_sell: Array


class TariffBase(Strict):
    """What tariffs share: the ratio of selling to buying price.

    Attributes
    ----------
    kappa : float
        ``price_sell = min(price_buy, kappa * price_buy)``, 0 <= kappa <= 1 (Hashmi et al., arXiv 2207.10248).
        The minimum matters when the price is negative: the meter then sells at the buying price, as
        selling at a higher one would be a money pump.
    """

    kappa: float = Field(default=1.0, ge=0.0, le=1.0)

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


def step_minutes(times: pd.DatetimeIndex) -> float | None:
    """Distance of the first two market steps [min], or None for a single step."""
    return float((times[1] - times[0]) / pd.Timedelta(minutes=1)) if len(times) > 1 else None
