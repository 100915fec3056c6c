"""Loads of the four facilities of `agents.facility.PLANTS` in a dry summer: invented, seeded, documented.

The source's series are not published. These have the shape of what each facility is, in ranges that keep its pattern:

- One Sun Plaza: offices and server rooms; a high night, a broad day until 18:00.
- ABQ Studios: stages that are lit and cooled until 20:00; working days differ much in what is produced.
- UNM ME: lecture rooms and laboratories, until 18:30.
- Mesa del Sol: a small commercial building, until 19:00, with hot water and reheat, as UNM ME.

At 07:18 half of the day's occupancy is there. This hour is chosen: the load without plants then is high before the dear
hours begin at 08:00, so that a feeder which just carries it leaves the night some room to which charging can move, as
the published feeder did. With 08:00 there is none and bills rise by 0.1 %; with 07:00 there is enough for any rule.

Electric load (without cooling) goes from `night` to `day` with occupancy. Cooling follows occupancy and the outdoor
temperature, the latter delayed by two hours in the building's mass. Weekends have a share of a working day's
occupancy. Days differ by a few percent, quarter hours by less, each from (seed, facility, date) alone, so that a day is
the same wherever a run starts.

**Why the loads are not larger.** Cold stores take a share of the *room left* in an hour, so they fill as
``1 - exp(-rate * hours)``: from nearly empty to a share S takes at least ``ln(0.99 / (1 - S)) / rate`` hours, at OSP
2.5 h to 35 %, 4 h to 50 %, 9 h to 80 %, and the power falls towards the end. Cooling of more than about half a store on
peak would fill the night with charging that is strongest early, and the drop before 08:00 that a time-of-use tariff
makes would not appear. The source agrees: at 18:00 OSP draws less than half of its 07:00 peak, to which its chillers
add at most 2110 / 5.5 = 384 kW, so that its load without cooling stays below some 400 kW.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.facility import Needs
from cosim.dry_summer import TIMEZONE, Weather, by_day, local_hours, weather
from feeders.errors import InputError

__all__ = ["FACILITIES", "Shape", "days_off_steps", "facility_needs", "local_times", "varied"]

Array = npt.NDArray[np.float64]

_STREAM = 100  # of the first facility; keeps its draws apart from the weather's and the background's
_DELAY_H = 2.0  # of the outdoor temperature on its way into a building
_COOL_C, _HOT_C = 18.0, 34.0  # outdoors, between which cooling goes from none to all that is due to the weather
_DAY_SPREAD, _STEP_SPREAD = 0.03, 0.015
_PERSISTENCE = 0.8  # of what quarter hours differ by


@dataclass(frozen=True)
class Shape:
    """How the loads of a facility come about.

    Attributes
    ----------
    opens_h, closes_h : float
        Local hours at which occupancy is half of the day's.
    electric_night_kw, electric_day_kw : float
        Electric load without cooling, unoccupied and occupied.
    cooling_night_kw, cooling_day_kw : float
        Cooling, unoccupied on a cool night and occupied on a hot day [kW thermal].
    weekend : float
        Occupancy of a day off over that of a working day.
    quiet : float
        Occupancy of the quietest working days; each is drawn between it and 1.
    heat_night_kw, heat_day_kw : float
        Heat, likewise [kW thermal].
    """

    opens_h: float
    closes_h: float
    electric_night_kw: float
    electric_day_kw: float
    cooling_night_kw: float
    cooling_day_kw: float
    weekend: float
    quiet: float = 1.0
    heat_night_kw: float = 0.0
    heat_day_kw: float = 0.0


FACILITIES: dict[str, Shape] = {
    "UNM ME": Shape(7.3, 18.5, 78.0, 190.0, 25.0, 232.0, 0.1, heat_night_kw=6.0, heat_day_kw=18.0),
    "One Sun Plaza": Shape(7.3, 18.0, 168.0, 395.0, 66.0, 650.0, 0.1),
    "ABQ Studios": Shape(7.3, 20.0, 172.0, 715.0, 38.0, 500.0, 0.1, quiet=0.55),
    "Mesa del Sol": Shape(7.3, 19.0, 35.0, 119.0, 12.0, 170.0, 0.2, heat_night_kw=6.0, heat_day_kw=24.0),
}
"""The shapes by the names of `agents.facility.PLANTS`."""


def local_times(start: date, days: int, step_minutes: int = 15) -> pd.DatetimeIndex:
    """Beginnings of steps, UTC: of `days` times 24 hours from local midnight on.

    Raises
    ------
    InputError
        For no days, or a step that does not divide an hour.
    """
    if days < 1:
        raise InputError("facility loads", "days", days, "at least 1")
    if step_minutes < 1 or 60 % step_minutes:
        raise InputError("facility loads", "step_minutes", step_minutes, "a number of minutes that divides an hour")
    first = pd.Timestamp(start).tz_localize(TIMEZONE).tz_convert("UTC")
    return pd.date_range(first, periods=days * 24 * 60 // step_minutes, freq=f"{step_minutes}min", name="time")


def facility_needs(
    start: date, days: int = 7, *, seed: int = 0, step_minutes: int = 15, days_off: Collection[date] = ()
) -> dict[str, Needs]:
    """Loads of the four facilities, and the sun on their roofs.

    Parameters
    ----------
    start : date
        First local day; the published week is Monday 23 to Sunday 29 July.
    days : int
        Number of days.
    seed : int
        Same seed, same loads; they share a sky.
    step_minutes : int
        Length of a step [min]; divides an hour.
    days_off : collection of date
        Days that are as a weekend, beside Saturday and Sunday.

    Returns
    -------
    dict of str to Needs
        By the names of `agents.facility.PLANTS`.

    Raises
    ------
    InputError
        For no days, or a step that does not divide an hour.
    """
    times = local_times(start, days, step_minutes)
    sky = weather(times, seed)
    off = days_off_steps(times, days_off)
    return {
        name: _needs(times, sky, off, shape, seed, _STREAM + 10 * k)
        for k, (name, shape) in enumerate(FACILITIES.items())
    }


def _needs(
    times: pd.DatetimeIndex, sky: Weather, off: npt.NDArray[np.bool_], shape: Shape, seed: int, stream: int
) -> Needs:
    step_h = float((times[1] - times[0]) / pd.Timedelta(hours=1))
    drawn, *of_day = by_day(times, seed, stream, lambda rng: np.append(rng.random(), rng.standard_normal(3))).T
    level = np.where(off, shape.weekend, shape.quiet + (1.0 - shape.quiet) * drawn)
    hours = local_hours(times) + step_h / 2
    there = level * _occupancy(hours, shape)
    felt_c = weather(times - pd.Timedelta(hours=_DELAY_H), seed).temperature_c
    outside = np.clip((felt_c - _COOL_C) / (_HOT_C - _COOL_C), 0.0, 1.0)
    warm = outside * (0.25 + 0.3 * there) + 0.45 * there
    wave = [varied(times, day, seed, stream + 1 + k) for k, day in enumerate(of_day)]
    return Needs(
        start=times[0].to_pydatetime(),
        step_h=step_h,
        electric_kw=wave[0] * (shape.electric_night_kw + (shape.electric_day_kw - shape.electric_night_kw) * there),
        cooling_kw=wave[1] * (shape.cooling_night_kw + (shape.cooling_day_kw - shape.cooling_night_kw) * warm),
        heat_kw=wave[2] * (shape.heat_night_kw + (shape.heat_day_kw - shape.heat_night_kw) * there),
        pv_per_kw=sky.pv_per_kw,
        solar_per_kw=sky.solar_per_kw,
    )


def _occupancy(hours: Array, shape: Shape) -> Array:
    """From 0 to 1 about the hour of opening, and back about that of closing, over about two hours each."""
    comes, goes = (1.0 / (1.0 + np.exp(-2.5 * (hours - at))) for at in (shape.opens_h, shape.closes_h))
    there: Array = comes * (1.0 - goes)
    return there


def varied(times: pd.DatetimeIndex, of_day: Array, seed: int, stream: int) -> Array:
    """A factor about 1: one of the day (from a standard normal) times one that wanders over its quarter hours."""
    steps = by_day(times, seed, stream, _wander)
    quarter = (4 * local_hours(times)).astype(np.int64) % steps.shape[1]
    wander: Array = steps[np.arange(len(times)), quarter]
    return (1.0 + _DAY_SPREAD * np.clip(of_day, -2, 2)) * (1.0 + _STEP_SPREAD * wander)


def _wander(rng: np.random.Generator) -> Array:
    """An AR(1) of the 96 quarter hours of a day, standard deviation 1, at most 2.5."""
    normal, kept = rng.standard_normal(96), np.sqrt(1.0 - _PERSISTENCE**2)
    for k in range(1, 96):
        normal[k] = _PERSISTENCE * normal[k - 1] + kept * normal[k]
    return np.clip(normal, -2.5, 2.5)


def days_off_steps(times: pd.DatetimeIndex, days_off: Collection[date]) -> npt.NDArray[np.bool_]:
    """Whether each step is on a weekend or another day off."""
    local = times.tz_convert(TIMEZONE)
    other = np.isin(np.array([f"{day:%Y-%m-%d}" for day in local]), [f"{day:%Y-%m-%d}" for day in days_off])
    off: npt.NDArray[np.bool_] = (local.dayofweek.to_numpy() >= 5) | other
    return off
