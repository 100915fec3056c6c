"""One price all the time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import model_validator

from cosim.data import TIMEZONE
from cosim.series import zone
from cosim.tariff.account import PriceStep
from cosim.tariff.base import TariffBase
from cosim.tariff.prices import Prices

__all__ = ["FlatTariff"]


class FlatTariff(TariffBase):
    """One price.

    Attributes
    ----------
    price_buy : float
        Buying price [currency/kWh].
    price_sell : float, optional
        Selling price [currency/kWh], not above `price_buy`; instead of `kappa`.
    timezone : str
        IANA zone in which demand charges are read.
    """

    kind: Literal["flat"] = "flat"
    price_buy: float
    price_sell: float | None = None
    timezone: str = TIMEZONE

    @model_validator(mode="after")
    def _check(self) -> Self:
        zone(self.timezone, "tariff")
        self._refuse_two_sells(self.price_sell, "price_sell")
        return self

    @property
    def local_zone(self) -> str:
        """The zone in which demand charges are read."""
        return self.timezone

    def describe(self) -> str:
        """One line for people."""
        return f"flat price {self.price_buy:g} currency/kWh"

    def prices(self, times: pd.DatetimeIndex, *, folder: Path = Path()) -> Prices:  # noqa: ARG002 - reads no file
        """Prices of the market steps that start at `times` (UTC)."""
        price_buy = np.full(len(times), self.price_buy)
        if self.price_sell is None:
            return self._with_kappa(price_buy)
        return self._with_sell(price_buy, np.full(len(times), self.price_sell), times, "tariff")

    def price_steps(self, times: pd.DatetimeIndex) -> tuple[Sequence[PriceStep], NDArray[np.int64]]:
        """The one there is."""
        return [PriceStep("energy", self.price_buy)], np.zeros(len(times), dtype=np.int64)
