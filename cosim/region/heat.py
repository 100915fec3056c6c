"""Heat demand of homes from the outdoor temperature, and how much heat a heat pump gives per electric energy.

Demand: the standard load profile of the gas industry (BDEW) for single-family houses, as demandlib (MIT) has it:
a sigmoid of the temperature, weighted over four days, gives each day's heat, factors by hour and temperature spread it
over the day. Space heating and hot water are in it: the sigmoid and its constant. Building class 11 stands for all of
Germany; its curve is that of existing houses, and a house of 40 kWh/m2 has more hot water and less heating in mild
weather. Source of the method, and of the coefficient of performance: Ruhnau, Hirth, Praktiknjo, Time series of heat
demand and heat pump efficiency for energy system modeling, Scientific Data 6, 189 (2019), with its data set When2Heat,
whose sigmoid has the same b and c (and a linear term more).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from cosim.region.calendar import PER_DAY, STEP_H
from cosim.region.draws import generators
from cosim.region.optional import optional_package
from cosim.region.weather import Weather, quarter_hours

__all__ = ["BUILDING_CLASS", "HeatShape", "cop", "heat_profiles", "heat_shape", "source_to_sink_cop"]

Array = npt.NDArray[np.float64]

BUILDING_CLASS = 11
_PER_HOUR = 4
_HOURS_PER_DAY = 24
_MAX_SHIFT = 4  # quarter-hours
_DAILY_SD = 0.05

_COP = (6.0801, -0.0941, 0.0005)  # air to water: input/cop/cop_parameters.csv of github.com/oruhnau/when2heat
_MIN_RISE_K = 15.0  # scripts/cop.py there, as are the sinks
_REAL_OPERATION = 0.85  # the paper's factor from manufacturers' figures to field measurements
_WATER_SINK_C = 50.0


@dataclass(frozen=True, eq=False)
class HeatShape:
    """The demand of any home of the region, before it is drawn.

    Attributes
    ----------
    kw_per_kwh : array, shape (T,)
        Heat per annual heat: sums to 1 kWh in the year.
    water_share : array, shape (T,)
        Share of hot water in the heat of each step.
    """

    kw_per_kwh: Array
    water_share: Array


def heat_shape(weather: Weather) -> HeatShape:
    """The profile under this weather, on its market steps.

    Raises
    ------
    InputError
        Without demandlib.
    """
    bdew = optional_package("demandlib.bdew", "heat demand")
    hourly_c = pd.Series(weather.outdoor_c).groupby(np.arange(len(weather.times)) // _PER_HOUR).mean()
    index = pd.date_range(weather.times[0], periods=len(hourly_c), freq="h")
    building = bdew.HeatBuilding(
        index,
        temperature=hourly_c.set_axis(index),
        shlp_type="EFH",
        building_class=BUILDING_CLASS,
        wind_class=0,
        annual_heat_demand=1.0,
    )
    heat = np.array(building.get_bdew_profile(), dtype=float)
    a, b, c, d = building.get_sigmoid_parameters()
    weighted = building.df["temperature_geo"].to_numpy()
    water = np.repeat(d / (a / (1 + (b / (weighted - 40)) ** c) + d), _PER_HOUR)
    quarters = quarter_hours(heat)
    return HeatShape(quarters / (quarters.sum() * STEP_H), water)


def heat_profiles(shape: HeatShape, annual_kwh: Array, names: Sequence[str], seed: int) -> Array:
    """Heat demand of each home [kW thermal], shape (T, n).

    Small differences, so that homes do not run in step: each home's profile is shifted by up to an hour, uniformly in
    quarter-hours and around the turn of the year, and each of its days is scaled by a normal factor of mean 1 and
    standard deviation 5 %, at least 0. Both are assumptions. The year's heat is as given.

    Parameters
    ----------
    shape : HeatShape
    annual_kwh : array, shape (n,)
        Heat of the year; 0 for a home without a heat pump.
    names : sequence of str
        Homes: their draws.
    seed : int
    """
    heat = np.zeros((len(names), len(shape.kw_per_kwh)))
    days = len(shape.kw_per_kwh) // PER_DAY
    for home, generator in enumerate(generators(names, seed, "heat")):
        if annual_kwh[home] > 0:
            shift = int(generator.integers(-_MAX_SHIFT, _MAX_SHIFT, endpoint=True))
            daily = np.maximum(generator.normal(1.0, _DAILY_SD, days), 0.0)
            profile = np.roll(shape.kw_per_kwh, shift) * np.repeat(daily, PER_DAY)
            heat[home] = profile * (annual_kwh[home] / (profile.sum() * STEP_H))
    return np.ascontiguousarray(heat.T)


def source_to_sink_cop(rise_k: Array) -> Array:
    """COP of an air-to-water heat pump in the field, from the rise of temperature, same shape.

    COP = 0.85 (6.0801 - 0.0941 dT + 0.0005 dT^2), dT at least 15 K.
    """
    rise_k = np.maximum(rise_k, _MIN_RISE_K)
    return _REAL_OPERATION * (_COP[0] + _COP[1] * rise_k + _COP[2] * rise_k**2)


def cop(outdoor_c: Array, water_share: Array) -> Array:
    """COP over the market steps, shape (T,): floor heating at 30 C - T/2, hot water at 50 C, by shares of the heat.

    Electric energies of the two add up, so their COPs are averaged harmonically.
    """
    floor = source_to_sink_cop(30.0 - 0.5 * outdoor_c - outdoor_c)
    water = source_to_sink_cop(_WATER_SINK_C - outdoor_c)
    return 1.0 / ((1.0 - water_share) / floor + water_share / water)
