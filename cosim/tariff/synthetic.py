"""A seeded generator of real-time prices: synthetic, for studies without a market's own series.

The model, hour by hour (UTC hours, constant within the hour)::

    price = mean_price * shape[local hour] * exp(x - sigma^2 / 2)      the usual price
          + an exponential spike, with probability spike_rate
    or    - an exponential price, with probability negative_rate, instead of the above
    x     = phi * x_before + sqrt(1 - phi^2) * sigma * normal          AR(1), stationary

The defaults were estimated from "NYISO real-time zonal LBMP, NYC, 2019", hourly means (8736 hours from
2 January on; mean 0.0282, standard deviation 0.0193 USD/kWh):

- A spike is an hour more than three robust standard deviations (1.4826 times the median absolute
  deviation) above the median of its hour of the day, in logarithms: 2.76 % of the hours, on average 0.0783
  USD/kWh above the usual price, at most 0.456. Hours as far below, 1.3 %, are left out.
- Negative: 15 hours, 0.17 %, mean -0.0304 USD/kWh, least -0.088.
- The other hours: mean 0.0264 USD/kWh, `DIURNAL_SHAPE` (mean of the hour over the mean of all), and x with
  standard deviation 0.351 and correlation 0.817 from hour to hour (innovation 0.20).

What it does not have: seasons, weekdays, spikes that last (the real ones last two hours on average), and
memory over midnight UTC, because each day is drawn from (seed, date) alone. So a day has the same prices
wherever the run starts.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from cosim.data import TIMEZONE
from cosim.series import zone
from cosim.tariff.base import TariffBase
from cosim.tariff.prices import Prices

__all__ = ["DIURNAL_SHAPE", "SyntheticTariff"]

Array = NDArray[np.float64]

DIURNAL_SHAPE = (
    *(0.89, 0.82, 0.77, 0.74, 0.74, 0.80, 0.90, 0.97, 0.99, 1.05, 1.04, 1.07),
    *(1.06, 1.07, 1.08, 1.11, 1.17, 1.27, 1.23, 1.20, 1.16, 1.00, 0.93, 0.91),
)
"""Usual price of each local hour over the mean of the day, NYISO real-time, NYC, 2019; mean 1.0."""


class SyntheticTariff(TariffBase):
    """Synthetic real-time prices; the module's docstring has the model and the source of the defaults.

    Attributes
    ----------
    seed : int
        Same seed, same prices.
    mean_price : float
        Mean of the usual price [currency/kWh].
    persistence : float
        Correlation phi of the logarithm from hour to hour.
    volatility : float
        Standard deviation sigma of the logarithm.
    spike_rate, spike_size : float
        Share of hours with a spike; its mean size [currency/kWh].
    negative_rate, negative_size : float
        Share of hours with a negative price; its mean magnitude [currency/kWh].
    timezone : str
        IANA zone in whose hours the diurnal shape and demand charges are read.
    """

    kind: Literal["synthetic"] = "synthetic"
    seed: int = Field(default=0, ge=0, lt=2**63)
    mean_price: float = Field(default=0.0264, gt=0.0)
    persistence: float = Field(default=0.817, ge=0.0, lt=1.0)
    volatility: float = Field(default=0.351, ge=0.0, le=3.0)
    spike_rate: float = Field(default=0.0276, ge=0.0, le=1.0)
    spike_size: float = Field(default=0.0783, ge=0.0)
    negative_rate: float = Field(default=0.0017, ge=0.0, le=1.0)
    negative_size: float = Field(default=0.0304, ge=0.0)
    timezone: str = TIMEZONE

    @model_validator(mode="after")
    def _check(self) -> Self:
        zone(self.timezone, "tariff")
        return self

    @property
    def local_zone(self) -> str:
        """The zone in which demand charges are read."""
        return self.timezone

    def describe(self) -> str:
        """One line for people."""
        return (
            f"synthetic real-time price (not measured), seed {self.seed}: mean {self.mean_price:g} "
            f"currency/kWh, daily shape after NYISO real-time NYC 2019, hours of {self.timezone}"
        )

    def prices(self, times: pd.DatetimeIndex, *, folder: Path = Path()) -> Prices:  # noqa: ARG002 - reads no file
        """Prices of the market steps that start at `times` (UTC)."""
        days, day_of = np.unique(times.normalize(), return_inverse=True)
        level, added = (np.array(part) for part in zip(*(self._day(day) for day in days), strict=True))
        shape = np.array(DIURNAL_SHAPE)[times.tz_convert(self.timezone).hour]
        hour = times.hour.to_numpy()
        usual = self.mean_price * shape * level[day_of, hour]
        return self._with_kappa(usual + added[day_of, hour])

    def _day(self, day: pd.Timestamp) -> tuple[Array, Array]:
        """Of the 24 UTC hours of a day: the factor on the usual price, and what is added to it."""
        rng = np.random.default_rng([self.seed, day.toordinal()])
        normal, spike_size, negative_size = (
            rng.standard_normal(24),
            rng.exponential(size=24),
            rng.exponential(size=24),
        )
        spikes, negative = rng.random(24) < self.spike_rate, rng.random(24) < self.negative_rate
        x = self.volatility * normal
        step = math.sqrt(1.0 - self.persistence**2)
        for hour in range(1, 24):
            x[hour] = self.persistence * x[hour - 1] + step * x[hour]
        level = np.where(negative, 0.0, np.exp(x - self.volatility**2 / 2))
        added = np.where(negative, -self.negative_size * negative_size, spikes * self.spike_size * spike_size)
        return level, added
