"""Electric load of homes but for heat pump and charger, from measured years of few homes.

Each home takes the shape of one measured home (`cosim.data.homes_year`, SimBench, ODbL 1.0). Homes of the same shape
would run in step, so each draws its days: every day of the year takes one of the 15 measured days of the same home and
of the same kind (Monday to Friday, Saturday, Sunday) that are nearest in the calendar, its clock moved by up to
45 minutes, the rest of the day filled from its other end. The same number of days for each kind, since with those of
a fixed window a hundred homes would share three Saturdays, and a single measured peak would be the region's. Public
holidays are ordinary days.

Compared with the standard load profile of households (BDEW H0, dynamised), the mean of very many homes: highest
quarter-hour over mean 2.34 (319 homes) against 2.35, winter (DJF) over summer (JJA) 1.42 against 1.40.

Energy: ``3190 kWh * area / 92 m2``, as the source scales by living area: the electricity of the average German
household (128 TWh of 41.5 million households in 2020 are 3 % less: BDEW) and the living area of the average dwelling
(91.8 m2 at the end of 2018: Federal Statistical Office).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from cosim.data.homes_year import HOMES_YEAR, load_homes_year
from cosim.distributions import LogNormal
from cosim.region.calendar import PER_DAY, STEP_H
from cosim.region.draws import generators, uniforms
from feeders.errors import InputError

__all__ = ["BASE_HOMES", "LIVING_AREA_M2", "annual_kwh", "base_load", "draw_areas", "draw_shapes"]

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

BASE_HOMES = ("H0-B", "H0-C", "H0-L")
"""Shapes that homes draw from by default: measured homes without electric heating (`cosim.data.make_homes_year`)."""

_SIGMA = 0.28
_MEAN = 130.0 * float(np.exp(_SIGMA**2 / 2))
LIVING_AREA_M2 = LogNormal(mean=_MEAN, std=_MEAN * float(np.expm1(_SIGMA**2)) ** 0.5, min=60.0, max=320.0)
"""Living areas of single-family houses, an assumption: median 130 m2, standard deviation of the logarithm 0.28."""

_HOUSEHOLD_KWH, _DWELLING_M2 = 3190.0, 92.0
_STAND_INS = 15
_MAX_SHIFT = 3  # quarter-hours
_SATURDAY = 5


def draw_areas(names: Sequence[str], seed: int) -> Array:
    """Living area of each home [m2], shape (n,), of `LIVING_AREA_M2`."""
    return LIVING_AREA_M2.quantile(uniforms(names, seed, "living area"))


def annual_kwh(area_m2: Array) -> Array:
    """Electricity of the year but for heat pump and charger [kWh], same shape."""
    return _HOUSEHOLD_KWH * area_m2 / _DWELLING_M2


def draw_shapes(names: Sequence[str], seed: int, shapes: Sequence[str] = BASE_HOMES) -> list[str]:
    """The measured home that each home takes its shape from, all equally likely.

    Raises
    ------
    InputError
        For an unknown one, or none.
    """
    unknown = [shape for shape in shapes if shape not in HOMES_YEAR]
    if unknown or not shapes:
        raise InputError("region case", "base_homes", unknown or None, f"some of {', '.join(HOMES_YEAR)}")
    return [shapes[int(u * len(shapes))] for u in uniforms(names, seed, "base load")]


def base_load(
    times: pd.DatetimeIndex, shapes: Sequence[str], annual_kwh: Array, names: Sequence[str], seed: int
) -> Array:
    """Load of each home [kW], shape (T, n); each home's year sums to its `annual_kwh`.

    Parameters
    ----------
    times : DatetimeIndex, shape (T,)
        Beginnings of the market steps, whole days of 96.
    shapes : sequence of str
        The measured home of each home.
    annual_kwh : array, shape (n,)
    names : sequence of str
        Homes: their draws.
    seed : int
    """
    days = _stand_ins(times[::PER_DAY])
    table = _moved_days()
    every_day = np.arange(len(days))
    load = np.empty((len(names), len(days), PER_DAY))
    for home, generator in enumerate(generators(names, seed, "days of base load")):
        pick = generator.integers(0, _STAND_INS, len(days))
        shift = generator.integers(0, 2 * _MAX_SHIFT, len(days), endpoint=True)
        load[home] = table[HOMES_YEAR.index(shapes[home]), shift, days[every_day, pick]]
    flat = load.reshape(len(names), -1)
    flat *= (annual_kwh / (flat.sum(axis=1) * STEP_H))[:, None]
    return np.ascontiguousarray(flat.T)


@lru_cache(maxsize=1)
def _moved_days() -> Array:
    """The measured days at each move of the clock, shape (homes, moves, days, 96)."""
    years = load_homes_year().to_numpy().T.reshape(len(HOMES_YEAR), -1, PER_DAY)
    return np.stack([np.roll(years, move, axis=-1) for move in range(-_MAX_SHIFT, _MAX_SHIFT + 1)], axis=1)


def _stand_ins(dates: pd.DatetimeIndex) -> Integers:
    """Measured days that may stand for each date, shape (days, 15): of its kind, the nearest in the calendar."""
    measured = pd.DatetimeIndex(load_homes_year().index[::PER_DAY])
    apart = np.abs(dates.dayofyear.to_numpy()[:, None] - measured.dayofyear.to_numpy())
    apart = np.minimum(apart, len(measured) - apart)
    apart[_kind(dates)[:, None] != _kind(measured)] = len(measured)
    return np.argsort(apart, axis=1, kind="stable")[:, :_STAND_INS]


def _kind(dates: pd.DatetimeIndex) -> Integers:
    """0 from Monday to Friday, 1 on Saturday, 2 on Sunday."""
    kind: Integers = np.maximum(dates.weekday.to_numpy() - _SATURDAY + 1, 0)
    return kind
