"""Who drives a car, and where that driver wants to go on each day: drawn car by car."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from agents.mobility.habits import Habits, Purpose

__all__ = ["Driver", "Wishes", "draw_car", "lengths_km"]

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

EARLIEST_H, LATEST_H = 5.0, 21.0  # of departures for all but work
_Tours = tuple[Flags, Array, Array, Array, Array]  # by day: wanted or not, departure, stay, pause before, way
_PERSONAL = 12  # numbers drawn once a car; more than are used today


@dataclass(frozen=True)
class Driver:
    """A car and who drives it, for good.

    Attributes
    ----------
    commutes, always_plugs, charges_at_work : bool
        What the driver does.
    capacity_kwh : float
        Usable energy of the battery.
    start_kwh : float
        Energy in it at the beginning.
    plug_below_kwh : float
        The driver plugs in when there is less.
    """

    commutes: bool
    always_plugs: bool
    charges_at_work: bool
    capacity_kwh: float
    start_kwh: float
    plug_below_kwh: float


@dataclass(frozen=True)
class Wishes:
    """Tours that a driver would like to make, in the order of departure; hours from the first midnight.

    Attributes
    ----------
    purpose : array of int
        0 is work, 1 and more the place in `Habits.errands` from 1 on.
    departure_h, stay_h, pause_h, km : array
        When to leave home, how long to stay there, how long to be at home before, where the car comes home later
        than that, and the way there.
    """

    purpose: Integers
    departure_h: Array
    stay_h: Array
    pause_h: Array
    km: Array


def draw_car(habits: Habits, weekday: Integers, seed: int, key: str) -> tuple[Driver, Wishes]:
    """Draw a driver and all that driver's wishes.

    A car's numbers are its own, by `seed` and `key`, and come day by day: neither other cars nor the days after change
    them, and a purpose that is made more frequent keeps the tours that it had.

    Parameters
    ----------
    habits : Habits
        What is drawn from.
    weekday : array of int, shape (n_days,)
        0 is Monday.
    seed : int
        Of the whole population.
    key : str
        What tells this car from the others.
    """
    name = int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "little")
    rng = np.random.default_rng([seed, name])
    person = rng.random(_PERSONAL)
    daily = rng.random((len(weekday), 1 + len(habits.errands), 5))
    driver = _driver(habits, person)
    tours = [_commutes(habits, driver, person, weekday, daily[:, 0])]
    idle = daily[:, 0, 3] < habits.idle_share
    tours += [_errands(habits, p, weekday, idle, daily[:, 1 + k]) for k, p in enumerate(habits.errands)]
    wanted = np.stack([tour[0] for tour in tours], axis=1)
    columns = [np.array([tour[k] for tour in tours], dtype=np.float64).T[wanted] for k in range(1, 5)]
    purpose = np.broadcast_to(np.arange(len(tours)), wanted.shape)[wanted]
    order = np.argsort(columns[0], kind="stable")
    return driver, Wishes(purpose[order], *(column[order] for column in columns))


def lengths_km(habits: Habits, purpose: Purpose, u: Array) -> Array:
    """Ways of a purpose by quantile: a lognormal with its mean and median, between the nearest and the farthest."""
    sigma = np.sqrt(2 * np.log(purpose.mean_km / purpose.median_km)) or 1e-9
    low, high = ndtr(np.log(np.array([habits.nearest_km, purpose.farthest_km]) / purpose.median_km) / sigma)
    km = purpose.median_km * np.exp(sigma * ndtri(low + u * (high - low)))
    return np.asarray(np.clip(km, habits.nearest_km, purpose.farthest_km))


def _driver(habits: Habits, person: Array) -> Driver:
    """Numbers 0 to 5 of the person."""
    size = np.searchsorted(np.cumsum(habits.capacity_share), person[3], side="right")
    capacity_kwh = habits.capacity_kwh[min(int(size), len(habits.capacity_kwh) - 1)]
    low, high = habits.plug_below
    return Driver(
        bool(person[0] < habits.commuter_share),
        bool(person[1] < habits.always_plug_share),
        bool(person[2] < habits.work_charger_share),
        capacity_kwh,
        capacity_kwh * (0.5 + 0.5 * person[4]),
        capacity_kwh * (low + (high - low) * person[5]),
    )


def _commutes(habits: Habits, driver: Driver, person: Array, weekday: Integers, u: Array) -> _Tours:
    """Tours to work: always as far, at the driver's own hours, by numbers 6 to 10 of the person."""
    work, days = habits.work, np.arange(len(weekday))
    departure_h = np.full(len(days), work.departure_h + work.departure_sd_h * ndtri(person[6]))
    if person[7] < habits.shift_share:
        week = (days - weekday) // 7  # changes on Mondays
        departure_h = np.asarray(habits.shift_departures_h)[week % 2]
    stay_h = habits.part_time_h if person[8] < habits.part_time_share else work.stay_h
    stay_h *= np.exp(work.stay_spread * ndtri(person[9]))
    km = np.full(len(days), lengths_km(habits, work, person[10]))
    return (
        driver.commutes & (u[:, 0] < np.asarray(work.chance)[weekday]),
        24.0 * days + departure_h + habits.day_sd_h * ndtri(u[:, 1]),
        stay_h * np.exp(work.stay_spread * ndtri(u[:, 2])),
        np.zeros(len(days)),
        km,
    )


def _errands(habits: Habits, purpose: Purpose, weekday: Integers, idle: Flags, u: Array) -> _Tours:
    """Tours for all but work: wanted or not, departure, stay, pause before (45 minutes in the mean), way."""
    low, high = ndtr((np.array([EARLIEST_H, LATEST_H]) - purpose.departure_h) / purpose.departure_sd_h)
    clock_h = purpose.departure_h + purpose.departure_sd_h * ndtri(low + u[:, 1] * (high - low))
    return (
        ~idle & (u[:, 0] < np.asarray(purpose.chance)[weekday] / (1 - habits.idle_share)),
        24.0 * np.arange(len(weekday)) + clock_h,
        purpose.stay_h * np.exp(purpose.stay_spread * ndtri(u[:, 2])),
        -0.75 * np.log1p(-u[:, 3]),
        lengths_km(habits, purpose, u[:, 4]),
    )
