"""What is assumed of drivers and their cars, each number with its source or called an assumption.

Sources:

- MiD 2017: C. Nobis and T. Kuhnimhof, "Mobilität in Deutschland, Ergebnisbericht", infas, DLR, IVT, infas 360, 2018:
  trips a day of all people by purpose, in millions (work 43, business 28, shopping 41, errands 37, leisure 72,
  escorting 21); mean and median length of trips by purpose, all modes, without commercial traffic; 43 % of all trips at
  the wheel; 43 million cars in households; a car is driven 45 minutes a day.
- MiD 2023: the same survey of 2023/24: 14,600 km a year of electric cars, 13,700 km of all; nearly half of all cars
  are not moved on a day.
- Uscale: "Public Charging Studie 2023": 29 % of those with a private electric car can charge at work.

A purpose's tours of a car a day follow: trips at the wheel, two a tour, over the number of cars. With 43 % at the wheel
and 43 million cars that is (trips in millions) / 200. What is not from there is an assumption of ours: the week, the
clock, stays, speeds, and when people plug in. Neither the year's kilometres nor its energy are given: they come out.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from feeders.errors import InputError, InputErrors

__all__ = ["ERRANDS", "WORK", "Habits", "Purpose"]


@dataclass(frozen=True)
class Purpose:
    """Tours from home and back for one purpose.

    Attributes
    ----------
    name : str
        E.g. ``"shopping"``.
    tours_per_day : float
        Tours of a car, mean over the week; at most one a day.
    week : tuple of 7 floats
        How often on Monday to Sunday, as multiples of their mean.
    mean_km, median_km : float
        One way, of a lognormal distribution.
    departure_h, departure_sd_h : float
        Clock of departures: a normal distribution, cut to 5 to 21 h.
    stay_h, stay_spread : float
        Median stay there, and the standard deviation of its logarithm.
    farthest_km : float
        Nobody goes farther, one way.

    Raises
    ------
    InputErrors
        For lengths and times that are not above 0, and more than one tour a day.
    """

    name: str
    tours_per_day: float
    week: tuple[float, ...]
    mean_km: float
    median_km: float
    departure_h: float
    departure_sd_h: float
    stay_h: float
    stay_spread: float
    farthest_km: float = 300.0

    def __post_init__(self) -> None:
        where, problems = f"purpose {self.name!r}", []
        for name in ("mean_km", "median_km", "farthest_km", "departure_sd_h", "stay_h"):
            if not 0 < getattr(self, name) < np.inf:
                problems += [InputError(where, name, getattr(self, name), "more than 0")]
        if not self.mean_km >= self.median_km:
            problems.append(InputError(where, "mean_km", self.mean_km, f"the median, {self.median_km}, or more"))
        if not (np.isfinite(self.stay_spread) and self.stay_spread >= 0):
            problems.append(InputError(where, "stay_spread", self.stay_spread, "0 or more"))
        if len(self.week) != 7 or not all(0 <= share < np.inf for share in self.week) or not sum(self.week) > 0:
            problems.append(InputError(where, "week", self.week, "7 values of 0 or more, not all 0"))
        elif not 0 <= self.tours_per_day * max(self.week) * 7 / sum(self.week) <= 1:
            allowed = "0 or more, and at most one tour on each day of the week"
            problems.append(InputError(where, "tours_per_day", self.tours_per_day, allowed))
        if problems:
            raise InputErrors(problems)

    @property
    def chance(self) -> tuple[float, ...]:
        """Probability of a tour on Monday to Sunday."""
        return tuple(self.tours_per_day * share * 7 / sum(self.week) for share in self.week)


WORK = Purpose("work", 0.8 * 5 / 7, (1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0), 16.0, 8.1, 7.3, 1.0, 8.75, 0.06, 100.0)
"""Of cars that commute: on 80 % of weekdays (30 days of leave, 11 holidays, some of illness and at home: assumed)."""

ERRANDS = (
    Purpose("shopping", 0.205, (0.9, 0.9, 0.9, 1.0, 1.3, 1.7, 0.3), 5.3, 2.0, 12.5, 3.2, 0.7, 0.6),
    Purpose("errands", 0.185, (1.2, 1.2, 1.2, 1.2, 1.1, 0.7, 0.4), 10.2, 3.6, 12.0, 3.5, 1.0, 0.7),
    Purpose("leisure", 0.36, (0.8, 0.8, 0.9, 0.9, 1.0, 1.3, 1.3), 15.5, 3.9, 14.5, 3.2, 2.2, 0.7),
    Purpose("escorting", 0.105, (1.2, 1.2, 1.2, 1.2, 1.2, 0.6, 0.4), 8.6, 2.9, 12.5, 4.0, 0.4, 0.6),
    Purpose("business", 0.14, (1.3, 1.3, 1.3, 1.3, 1.2, 0.4, 0.2), 19.0, 5.7, 10.5, 2.5, 2.5, 0.6),
)
"""Tours for all but work: trips and lengths of MiD 2017; week, clock and stays are assumed."""


@dataclass(frozen=True)
class Habits:
    """How people live with their cars: one driver a car.

    Attributes
    ----------
    work, errands : Purpose, tuple of Purpose
        Tours to work, and all others. Of `work`, clock and stay are those of a driver: ``departure_sd_h`` is the
        spread from driver to driver, ``day_sd_h`` that of a driver from day to day.
    commuter_share : float
        Cars that are driven to work. 43 million trips to work a day (MiD 2017), some 60 % of them at the wheel
        (assumed), on 80 % of weekdays, are half of all cars.
    part_time_share, part_time_h, shift_share, shift_departures_h
        Commuters who stay for a median of 5 h; and those who leave early and late in turn, by the week. Assumed.
    day_sd_h : float
        From day to day, of departure to work [h]. Assumed.
    idle_share : float
        Days on which a driver goes nowhere but to work; there are as many more tours on all others. Assumed, so that
        cars stand still all day about as often as MiD says.
    nearest_km : float
        One way; people walk or cycle for less, so that lengths of MiD's trips of all modes are taken for those of
        trips above this. Assumed. The mean rises by that.
    parking_h, speed_km_h, fast_km, fast_km_h : float
        A way takes ``parking_h`` and its km at ``speed_km_h``, what is beyond ``fast_km`` at ``fast_km_h``: 35 km/h
        from door to door for 15 km. Assumed.
    latest_h : float
        A tour that had to wait for the car until after this hour is left out [h after midnight].
    capacity_kwh, capacity_share : tuple of float
        Usable sizes of car batteries, and how frequent they are. Assumed.
    kwh_per_km, mild_c, cold_per_k : float
        Consumption from the battery at `mild_c` degrees outdoors and above, and its relative rise per kelvin below:
        a quarter at the freezing point, a fifth of the range, as fleets of cars report. Assumed.
    efficiency : float
        Energy into the battery per energy at the charger. Assumed.
    work_charger_share, work_charger_kw : float
        Commuters who charge at work whenever they are there: 29 % (Uscale), with 11 kW.
    always_plug_share, plug_below : float, tuple of float
        Who plugs in whenever the car stays; all others do when it is below a state of charge of their own, between
        these two, or lacks energy for the next tour. Assumed.
    shortest_stay_h : float
        Nobody plugs in for less [h].
    reserve : float
        State of charge below which nobody drives on: the rest is charged on the road.
    """

    work: Purpose = WORK
    errands: tuple[Purpose, ...] = ERRANDS
    commuter_share: float = 0.5
    part_time_share: float = 0.3
    part_time_h: float = 5.0
    shift_share: float = 0.15
    shift_departures_h: tuple[float, float] = (5.3, 13.3)
    day_sd_h: float = 0.35
    idle_share: float = 0.35
    nearest_km: float = 1.0
    parking_h: float = 0.1
    speed_km_h: float = 45.0
    fast_km: float = 30.0
    fast_km_h: float = 90.0
    latest_h: float = 21.0
    capacity_kwh: tuple[float, ...] = (40.0, 58.0, 77.0)
    capacity_share: tuple[float, ...] = (0.25, 0.45, 0.3)
    kwh_per_km: float = 0.165
    mild_c: float = 20.0
    cold_per_k: float = 0.0125
    efficiency: float = 0.9
    work_charger_share: float = 0.29
    work_charger_kw: float = 11.0
    always_plug_share: float = 0.3
    plug_below: tuple[float, float] = (0.3, 0.8)
    shortest_stay_h: float = 1.0
    reserve: float = 0.15

    def __post_init__(self) -> None:
        problems = []
        for field in fields(self)[2:]:
            values = np.ravel(getattr(self, field.name))
            share = field.name.endswith("_share") or field.name in ("reserve", "plug_below", "efficiency")
            usable = np.isfinite(values) & ((values >= 0) & (values <= 1) if share else values >= 0)
            if field.name in _POSITIVE:
                usable &= values > 0
            if not usable.all():
                allowed = "0 to 1" if share else "0 or more"
                allowed = f"more than {allowed}" if field.name in _POSITIVE else allowed
                problems.append(InputError("habits", field.name, getattr(self, field.name), allowed))
        if len(self.capacity_share) != len(self.capacity_kwh) or not np.isclose(sum(self.capacity_share), 1):
            allowed = f"{len(self.capacity_kwh)} shares, 1 in all"
            problems.append(InputError("habits", "capacity_share", self.capacity_share, allowed))
        farthest_km = min(purpose.farthest_km for purpose in (self.work, *self.errands))
        if not self.nearest_km < farthest_km:
            problems.append(InputError("habits", "nearest_km", self.nearest_km, f"below {farthest_km}"))
        busiest = max((max(purpose.chance) for purpose in self.errands), default=0.0)
        if not self.idle_share <= 1 - busiest:
            allowed = f"at most {1 - busiest:.3g}, since errands are as likely as {busiest:.3g} on some day"
            problems.append(InputError("habits", "idle_share", self.idle_share, allowed))
        if problems:
            raise InputErrors(problems)


_POSITIVE = ("part_time_h", "nearest_km", "speed_km_h", "fast_km_h", "capacity_kwh", "kwh_per_km", "efficiency")
