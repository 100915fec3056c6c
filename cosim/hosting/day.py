"""The day on which a hosting capacity is asked for: load, sun, temperature and price, all assumptions in one place.

The source's profiles are not public (Pecan Street), so they are made here, before any result was looked at:

- Load "evening": a residential day that peaks when people are at home and cook, 1 from 18 to 19 h; half of that at
  midday, when most are out; 0.38 before dawn, what refrigerators and standby take (Nair et al., DER penetration: a base
  load of 0.5 to 0.8 kW in a mean of 1.2 kW).
- Sun: the day with most energy in the summer week of the embedded extract, mean of its plants, scaled to a maximum of
  1: what is asked for is the most that PV can do.
- Temperature: a cosine with its maximum at 16 h, 32 C by default, the ambient temperature of Nair et al., Table 2.
- Price: low at midday, when the sun is on the market, and high in the evening: the order of levels of a summer day in
  California, whose prices the source took, in three round figures.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from cosim.data import TIMEZONE, WEEKS, load_extract
from cosim.strict import Strict

__all__ = ["Day", "load_share", "outdoor_c", "price", "sun_share"]

Array = npt.NDArray[np.float64]
LoadShape = Literal["evening", "homes", "opendss", "flat"]

_EVENING = {0: 0.55, 2: 0.42, 4: 0.38, 5: 0.38, 7: 0.52, 8: 0.55, 10: 0.50, 13: 0.50, 15: 0.58, 17: 0.85, 18: 1.0}
_EVENING |= {19: 1.0, 20: 0.95, 22: 0.78, 24: 0.55}  # share of the peak by the hour, straight lines between
_OPENDSS_A_M = (0.677, 0.6256, 0.6087, 0.5833, 0.58028, 0.6025, 0.657, 0.7477, 0.832, 0.88, 0.94, 0.989)
_OPENDSS_P_M = (0.985, 0.98, 0.9898, 0.999, 1.0, 0.958, 0.936, 0.913, 0.876, 0.876, 0.828, 0.756)
_OPENDSS = (*_OPENDSS_A_M, *_OPENDSS_P_M)  # hour by hour, OpenDSS's load shape "default"
_MIDDAY_H, _EVENING_H = (9, 15), (16, 21)  # of the low and the high price

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


class Day(Strict):
    """A day of 24 h from midnight.

    Attributes
    ----------
    load : {"evening", "homes", "opendss", "flat"}
        Shape of the load, the same at all buses: see above; the mean day of the measured homes of the embedded
        extract's summer week; OpenDSS's default day; the peak all day.
    step_min : {15, 30, 60}
        Length of a step.
    t_out_mean_c, t_out_swing_k : float
        Mean outdoor temperature, and how far it goes above at 16 h and below at 4 h.
    price_midday, price_usual, price_evening : float
        Of import from 9 to 15 h, at other times, and from 16 to 21 h [currency/kWh].
    """

    load: LoadShape = "evening"
    step_min: Literal[15, 30, 60] = 60
    t_out_mean_c: Annotated[float, Field(ge=-50, le=60)] = 27.0
    t_out_swing_k: Annotated[float, Field(ge=0, le=40)] = 5.0
    price_midday: NotNegative = 0.06
    price_usual: NotNegative = 0.12
    price_evening: NotNegative = 0.30

    @property
    def step_h(self) -> float:
        """Length of a step [h]."""
        return self.step_min / 60

    @property
    def hours(self) -> Array:
        """Middle of each step [h], shape (T,)."""
        steps = np.arange(24 * 60 // self.step_min, dtype=np.float64)
        found: Array = (steps + 0.5) * self.step_h
        return found


def load_share(day: Day) -> Array:
    """Load of each step as a share of the peak, shape (T,), its maximum 1."""
    hours = day.hours
    share: Array
    if day.load == "evening":
        share = np.asarray(np.interp(hours, list(_EVENING), list(_EVENING.values())), dtype=np.float64)
    elif day.load == "homes":
        share = np.asarray(np.interp(hours, np.arange(24) + 0.5, _measured_homes(), period=24), dtype=np.float64)
    elif day.load == "opendss":
        share = np.array(_OPENDSS)[hours.astype(int)]
    else:
        share = np.ones(len(hours))
    return share / float(share.max())


def sun_share(day: Day) -> Array:
    """PV power over its rating, shape (T,), its maximum 1: the sunniest day of the extract's summer week."""
    plants = _summer("PV")
    by_day = plants.groupby(_local(plants).date).sum()
    sunniest = plants[_local(plants).date == by_day.idxmax()]
    means = sunniest.to_numpy().reshape(-1, day.step_min // 15).mean(axis=1)
    return np.asarray(means / means.max(), dtype=float)


def outdoor_c(day: Day) -> Array:
    """Outdoor temperature in the middle of each step [degrees C], shape (T,)."""
    return np.asarray(day.t_out_mean_c + day.t_out_swing_k * np.cos(2 * np.pi * (day.hours - 16) / 24), dtype=float)


def price(day: Day) -> Array:
    """Price of import in each step [currency/kWh], shape (T,)."""
    hours = day.hours
    midday, evening = ((hours >= start) & (hours < end) for start, end in (_MIDDAY_H, _EVENING_H))
    prices: Array = np.where(midday, day.price_midday, np.where(evening, day.price_evening, day.price_usual))
    return prices


def _measured_homes() -> Array:
    """Mean hour of the summer week's days over all homes [kW per MWh/a], shape (24,)."""
    homes = _summer("H0")
    return np.asarray(homes.groupby(_local(homes).hour).mean(), dtype=np.float64)


def _summer(prefix: str) -> pd.Series[float]:
    """Mean of the extract's columns of one kind in its summer week."""
    extract = load_extract()
    chosen = extract[[name for name in extract if str(name).startswith(prefix)]].mean(axis=1)
    first = pd.Timestamp(WEEKS["summer"]).tz_localize(TIMEZONE)
    return chosen[(chosen.index >= first) & (chosen.index < first + pd.Timedelta(days=7))]


def _local(series: pd.Series[float]) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(series.index).tz_convert(TIMEZONE)
