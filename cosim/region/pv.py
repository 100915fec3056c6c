"""PV power of roofs from the region's weather, with pvlib (BSD-3).

Irradiance on the module: direct, diffuse from an isotropic sky, and reflected from ground with an albedo of 0.2. Cell
temperature by Faiman's model, power by PVWatts' with -0.4 % per kelvin, 14 % losses of the whole system, inverter
included (both PVWatts' defaults, Dobos, NREL/TP-6A20-62641, 2014).

Roofs are an assumption: tilted by 35 degrees, two in five facing south, a fifth each south-east and south-west, a tenth
each east and west.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from cosim.region.draws import uniforms
from cosim.region.optional import optional_package
from cosim.region.weather import Weather
from feeders.errors import InputError

__all__ = ["ROOFS", "TILT_DEG", "draw_roofs", "kw_per_kwp", "pv_profiles"]

Array = npt.NDArray[np.float64]

TILT_DEG = 35.0
ROOFS: Mapping[float, float] = {90.0: 0.1, 135.0: 0.2, 180.0: 0.4, 225.0: 0.2, 270.0: 0.1}
"""Share of the roofs by the azimuth that they face [degrees from north over east]."""
_ALBEDO = 0.2
_GAMMA_PER_K = -0.004
_LOSSES = 0.14


def kw_per_kwp(weather: Weather, azimuth_deg: float, tilt_deg: float = TILT_DEG) -> Array:
    """Power of a plant of 1 kWp [kW], shape (T,); to the middle of each market step.

    Raises
    ------
    InputError
        Without pvlib.
    """
    pvlib = optional_package("pvlib", "PV power")
    plane = pvlib.irradiance.get_total_irradiance(
        tilt_deg,
        azimuth_deg,
        90.0 - weather.elevation_deg,
        weather.azimuth_deg,
        dni=weather.direct_w_m2,
        ghi=weather.horizontal_w_m2,
        dhi=weather.diffuse_w_m2,
        albedo=_ALBEDO,
    )
    irradiance = np.asarray(plane["poa_global"])
    cell_c = pvlib.temperature.faiman(irradiance, weather.outdoor_c, weather.wind_m_s)
    power = pvlib.pvsystem.pvwatts_dc(irradiance, cell_c, 1.0, _GAMMA_PER_K)
    power_kw: Array = np.maximum(np.asarray(power, dtype=float), 0.0) * (1 - _LOSSES)
    return power_kw


def draw_roofs(names: Sequence[str], seed: int, roofs: Mapping[float, float] = ROOFS) -> Array:
    """The azimuth of each home's roof, by their shares, shape (n,).

    Raises
    ------
    InputError
        For shares that are negative or do not sum to 1.
    """
    shares = np.array(list(roofs.values()))
    if not (shares >= 0).all() or not np.isclose(shares.sum(), 1.0):
        raise InputError("region case", "roofs", dict(roofs), "shares of 0 or more by azimuth, 1 in sum")
    places = np.searchsorted(np.cumsum(shares), uniforms(names, seed, "roof"), side="right")
    azimuths: Array = np.array(list(roofs))[np.minimum(places, len(shares) - 1)]
    return azimuths


def pv_profiles(weather: Weather, kwp: Array, azimuth_deg: Array) -> Array:
    """PV power of each home [kW], shape (T, n), from its plant [kWp] and its roof's azimuth."""
    azimuths, of_home = np.unique(azimuth_deg, return_inverse=True)
    shapes = np.stack([kw_per_kwp(weather, azimuth) for azimuth in azimuths])
    return np.ascontiguousarray((shapes[of_home] * kwp[:, None]).T)
