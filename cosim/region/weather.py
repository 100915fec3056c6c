"""One weather for heat and sun: the test reference year of the German weather service.

Data basis: Deutscher Wetterdienst (DWD), test reference years (TRY) 2010 of the middle climate of 1988 to 2007, hourly,
values processed here; read from the Python package demandlib (MIT), which carries those of all 15 regions. Region 12 is
the Upper Rhine plain and the lower Neckar valley, station Mannheim. The DWD's open data may be used freely if their
source is named so; nothing of them is in this package.

The file says that its hours are those of Central European Time. That holds for the temperature, but not for the
irradiance: in every month of region 12 its centre of energy lies within 0.1 h of 12.0, where the sun stands highest at
12.2 (November) to 12.7 (February) in that time. So its hours are read as those of true solar time; read as the file
says, roofs facing east would get 14 % more than those facing west, and the sun would rise before it rises.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt
import pandas as pd

from cosim.region.calendar import year_times
from cosim.region.optional import optional_package
from feeders.errors import InputError, InputErrors

__all__ = ["REGIONS", "Weather", "reference_year"]

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

REGIONS = range(1, 16)
_PER_HOUR = 4
_MAX_DNI = 1000.0  # direct sun at ground level in Central Europe [W/m2]; a sun near the horizon may seem to exceed it
_HOURS = 8760
_SAMPLES = 12  # of the sun in an hour


@dataclass(frozen=True, eq=False)
class Weather:
    """Weather in the market steps of a year; `times` are their beginnings, in standard time.

    Attributes
    ----------
    times : DatetimeIndex, shape (T,)
    outdoor_c : array, shape (T,)
        Temperature of the air [degrees Celsius].
    direct_w_m2 : array, shape (T,)
        Direct irradiance on a surface facing the sun.
    diffuse_w_m2 : array, shape (T,)
        Diffuse irradiance on a horizontal surface.
    elevation_deg, azimuth_deg : array, shape (T,)
        Where the sun stands in the middle of the step; azimuth from north over east.
    wind_m_s : array, shape (T,)
        Wind speed, 10 m above ground.
    source : str

    Raises
    ------
    InputErrors
        For columns of another length and values that are not finite.
    """

    times: pd.DatetimeIndex
    outdoor_c: Array
    direct_w_m2: Array
    diffuse_w_m2: Array
    elevation_deg: Array
    azimuth_deg: Array
    wind_m_s: Array
    source: str

    def __post_init__(self) -> None:
        names = ("outdoor_c", "direct_w_m2", "diffuse_w_m2", "elevation_deg", "azimuth_deg", "wind_m_s")
        allowed = f"{len(self.times)} finite values"
        problems = []
        for name in names:
            values = getattr(self, name)
            if values.shape != (len(self.times),) or not np.isfinite(values).all():
                problems.append(InputError("weather", name, values.shape, allowed))
        if problems:
            raise InputErrors(problems)

    @property
    def horizontal_w_m2(self) -> Array:
        """Global irradiance on a horizontal surface, shape (T,)."""
        return self.diffuse_w_m2 + self.direct_w_m2 * np.maximum(np.sin(np.radians(self.elevation_deg)), 0.0)


@lru_cache(maxsize=4)
def reference_year(year: int, region: int = 12) -> Weather:
    """The test reference year, its days of the calendar laid over those of `year`.

    Hours end at their stamps. Temperature and wind are interpolated between the middles of the hours. Irradiance: the
    direct one is that on the horizontal plane over the mean sine of the sun's elevation in its hour of true solar time
    (module's docstring), at most 1 kW/m2, in all quarters whose middle is in that hour; the diffuse one goes with the
    sine of the elevation in its hour. The year's sums stay within 0.5 % of the file's.

    Parameters
    ----------
    year : int
        Positions of the sun are those of this year.
    region : int
        Of the 15 climate regions of Germany.

    Raises
    ------
    InputError
        For an unknown region, or without demandlib or pvlib.
    """
    if region not in REGIONS:
        raise InputError("weather", "region", region, f"a climate region of Germany, 1 to {REGIONS[-1]}")
    header, hours = _read(region)
    times = year_times(year)
    latitude, longitude = _place(header)
    elevation, azimuth, solar_hour = _sun(times, latitude, longitude)
    mean_sine = _mean_sines(latitude)
    per_sine = np.where(mean_sine > 0, 1.0 / np.where(mean_sine > 0, mean_sine, 1.0), 0.0)
    direct = np.minimum(hours["B"].to_numpy() * per_sine, _MAX_DNI)
    sine = np.maximum(np.sin(np.radians(elevation)), 0.0)
    return Weather(
        times=times,
        outdoor_c=quarter_hours(hours["t"].to_numpy()),
        direct_w_m2=np.where(sine > 0, direct[solar_hour], 0.0),
        diffuse_w_m2=(hours["D"].to_numpy() * per_sine)[solar_hour] * sine,
        elevation_deg=elevation,
        azimuth_deg=azimuth,
        wind_m_s=quarter_hours(hours["WG"].to_numpy()),
        source=f"Data basis: Deutscher Wetterdienst, test reference year 2010 of region {region}, values processed",
    )


def quarter_hours(hourly: Array) -> Array:
    """Means of hours as values of their quarters, linear between the middles of the hours, shape (4 * n,)."""
    hours = np.arange(len(hourly)) + 0.5
    quarters = (np.arange(len(hourly) * _PER_HOUR) + 0.5) / _PER_HOUR
    return np.interp(quarters, hours, hourly, period=len(hourly))


def _read(region: int) -> tuple[str, pd.DataFrame]:
    optional_package("demandlib", "weather")
    path = files("demandlib").joinpath(f"vdi/resources_weather/TRY2010_{region:02d}_Jahr.dat")
    lines = path.read_text(encoding="utf-8").splitlines()
    start = next(row for row, line in enumerate(lines) if line.startswith("***"))
    names = lines[start - 1].split()
    rows = [line.split() for line in lines[start + 1 :] if line.strip()]
    frame = pd.DataFrame(rows, columns=names)[["MM", "DD", "HH", "t", "WG", "B", "D"]].astype(float)
    return "\n".join(lines[:start]), frame


def _place(header: str) -> tuple[float, float]:
    """Latitude and longitude of the station [degrees], from the header of the file."""
    found = re.search(r"(\d+)°(\d+)'N.*?(\d+)°(\d+)'O", header)
    assert found is not None
    north, north_min, east, east_min = map(int, found.groups())
    return north + north_min / 60, east + east_min / 60


def _sun(times: pd.DatetimeIndex, latitude: float, longitude: float) -> tuple[Array, Array, Integers]:
    """Elevation without refraction and azimuth of the sun in the middle of each step [degrees], and its solar hour."""
    solarposition = optional_package("pvlib.solarposition", "sun")
    middles = times.tz_localize("Etc/GMT-1") + pd.Timedelta(minutes=7.5)
    sun = solarposition.get_solarposition(middles, latitude, longitude)
    ahead_h = longitude / 15 - 1 + sun["equation_of_time"].to_numpy() / 60  # of solar time
    hour = np.floor((np.arange(len(times)) + 0.5) / _PER_HOUR + ahead_h).astype(np.int64) % _HOURS
    return sun["elevation"].to_numpy(), sun["azimuth"].to_numpy(), hour


def _mean_sines(latitude: float) -> Array:
    """Mean of the sine of the sun's elevation, where positive, in each hour of solar time, shape (8760,)."""
    solarposition = optional_package("pvlib.solarposition", "sun")
    day = np.repeat(np.arange(_HOURS // 24) + 1, 24)[:, None]
    declination = solarposition.declination_spencer71(day)
    hour = (np.arange(_HOURS) % 24)[:, None] + (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    phi, angle = np.radians(latitude), np.radians(15 * (hour - 12))
    sine = np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.cos(angle)
    means: Array = np.maximum(sine, 0.0).mean(axis=1)
    return means
