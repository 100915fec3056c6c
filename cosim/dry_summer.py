"""Sun and temperature of a dry summer, invented but plausible: what drives cooling, PV and solar collectors.

The sun's height follows from place and time, the clear sky from it alone (Haurwitz, J. Meteorology 2, 1945, 154-166):
``GHI = 1098 * cos(z) * exp(-0.057 / cos(z))`` in W/m2, z the sun's distance from the zenith. Clouds come in the
afternoon of some days, as in a summer with monsoon thunderstorms. The temperature swings about a daily mean of 26
degrees by 7 either way, lowest at 05:00 and highest at 16:00 local time; days differ by some degrees.

Each day is drawn from (seed, date) alone, so that a day is the same wherever a run starts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["LATITUDE_DEG", "LONGITUDE_DEG", "TIMEZONE", "Weather", "by_day", "local_hours", "weather"]

Array = npt.NDArray[np.float64]

TIMEZONE = "America/Denver"
LATITUDE_DEG, LONGITUDE_DEG = 35.0, -106.6  # of Albuquerque

_MEAN_C, _SWING_C, _DAYS_C = 26.0, 7.0, 1.0
_COLDEST_H, _HOTTEST_H = 5.0, 16.0
_CLOUDY_DAYS = 0.5  # share of days with clouds in the afternoon
_STREAM = 1  # keeps its draws apart from those of the loads


@dataclass(frozen=True, eq=False)
class Weather:
    """Weather of T steps, arrays of shape (T,).

    Attributes
    ----------
    temperature_c : array
        Outdoors [degrees Celsius].
    ghi_w_per_m2 : array
        Global horizontal irradiance [W/m2].
    """

    temperature_c: Array
    ghi_w_per_m2: Array

    @property
    def pv_per_kw(self) -> Array:
        """What PV gives per kW of rating: irradiance over 1000 W/m2, less 15 % for heat, dust and inverter."""
        return 0.85 * self.ghi_w_per_m2 / 1000.0

    @property
    def solar_per_kw(self) -> Array:
        """What a collector gives per kW of rating: its losses take the first 150 W/m2, its rating is at 1000 W/m2."""
        return np.maximum(self.ghi_w_per_m2 - 150.0, 0.0) / 850.0


def weather(times: pd.DatetimeIndex, seed: int = 0) -> Weather:
    """The weather of the steps that begin at `times` (UTC), shape (T,)."""
    step_h = float((times[1] - times[0]) / pd.Timedelta(hours=1)) if len(times) > 1 else 0.0
    middle = times + pd.Timedelta(hours=step_h / 2)
    hours = local_hours(times) + step_h / 2
    offset, cloud, onset = by_day(times, seed, _STREAM, _draw_day).T
    clear = _clear_sky(middle)
    shaded = 1.0 - cloud / (1.0 + np.exp(-2.0 * (hours - onset)))
    return Weather(_MEAN_C + offset + _SWING_C * _swing(hours), clear * shaded)


def local_hours(times: pd.DatetimeIndex) -> Array:
    """Hour of the local day, with its fraction."""
    local = times.tz_convert(TIMEZONE)
    hours: Array = (local.hour + local.minute / 60).to_numpy(dtype=np.float64)
    return hours


def by_day(times: pd.DatetimeIndex, seed: int, stream: int, draw: Callable[[np.random.Generator], Array]) -> Array:
    """What is drawn for the local day of each step, shape (T, k); `draw` gives k numbers of a day."""
    days, which = np.unique(times.tz_convert(TIMEZONE).tz_localize(None).normalize(), return_inverse=True)
    drawn = [draw(np.random.default_rng([seed, stream, pd.Timestamp(day).toordinal()])) for day in days]
    values: Array = np.array(drawn, dtype=np.float64)[which]
    return values


def _draw_day(rng: np.random.Generator) -> Array:
    """Offset of the temperature [degrees], depth of the afternoon's clouds in [0, 1), hour of their onset."""
    offset = _DAYS_C * np.clip(rng.standard_normal(), -2, 2)
    cloud = rng.uniform(0.2, 0.7) if rng.random() < _CLOUDY_DAYS else 0.0
    return np.array([offset, cloud, rng.uniform(13.0, 16.0)])


def _swing(hours: Array) -> Array:
    """From -1 at the coldest hour to 1 at the hottest: half a cosine up, a longer half down."""
    rise = _HOTTEST_H - _COLDEST_H
    since = (hours - _COLDEST_H) % 24.0
    phase = np.where(since < rise, since / rise, 1.0 + (since - rise) / (24.0 - rise))
    swing: Array = -np.cos(np.pi * phase)
    return swing


def _clear_sky(times: pd.DatetimeIndex) -> Array:
    """Global horizontal irradiance under a clear sky; the sun's place to about a degree (Cooper's declination)."""
    day = times.dayofyear.to_numpy()
    utc_h = (times.hour + times.minute / 60).to_numpy()
    declination = np.radians(23.45) * np.sin(2 * np.pi * (284 + day) / 365)
    hour_angle = np.radians(15.0 * (utc_h - 12.0) + LONGITUDE_DEG)
    latitude = np.radians(LATITUDE_DEG)
    height = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(hour_angle)
    up = np.maximum(height, 1e-3)
    sky: Array = np.where(height > 1e-3, 1098.0 * up * np.exp(-0.057 / up), 0.0)
    return sky
