"""A car's life in the order of time: tours that it makes, stays at home, and the energy in its battery."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agents.mobility.habits import Habits
from agents.mobility.wishes import Driver, Wishes
from feeders.compiled import compiled

__all__ = ["COLUMNS", "live"]

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

COLUMNS = (
    "departure_h",
    "return_h",
    "km",
    "driven_kwh",
    "away_kwh",
    "energy_departure_kwh",
    "energy_return_kwh",
    "arrival_step",
    "departure_step",
    "home_kwh",
)
LEAST_KWH = 0.05  # nobody plugs in for less


def live(
    habits: Habits, driver: Driver, wishes: Wishes, kwh_per_km: Array, charger_kw: float, step_h: float
) -> tuple[Array, Integers, int]:
    """Make the tours that the car allows, and charge between them.

    A tour that is wanted while the car is away begins after it is back, and a pause; it is left out when that is after
    ``habits.latest_h`` of its day. Work is never left out.

    Parameters
    ----------
    habits : Habits
        Ways, chargers at work, and when people plug in.
    driver : Driver
        Who drives which car.
    wishes : Wishes
        Where to.
    kwh_per_km : array, shape (T,)
        Consumption by the market step in which a tour begins.
    charger_kw : float
        Power of the charger at home.
    step_h : float
        Length of a step [h].

    Returns
    -------
    tours : array, shape (n_tours, len(COLUMNS))
        As `agents.mobility.Mobility.tours` says.
    purpose : array of int, shape (n_tours,)
        As in `Wishes`.
    n_left_out : int
    """
    way_h = habits.parking_h + np.minimum(wishes.km, habits.fast_km) / habits.speed_km_h
    way_h += np.maximum(wishes.km - habits.fast_km, 0.0) / habits.fast_km_h
    at_work_kw = habits.work_charger_kw if driver.charges_at_work else 0.0
    elsewhere_kw = np.where(wishes.purpose == 0, at_work_kw * habits.efficiency, 0.0)
    latest_h = np.where(wishes.purpose == 0, np.inf, 24.0 * (wishes.departure_h // 24.0) + habits.latest_h)
    out = np.zeros((len(wishes.km), len(COLUMNS)))
    made = np.zeros(len(wishes.km), dtype=np.bool_)
    need = np.array([driver.capacity_kwh, driver.plug_below_kwh, habits.reserve * driver.capacity_kwh])
    at_home = np.array([charger_kw, habits.efficiency, habits.shortest_stay_h])
    left_out = _live(
        wishes.departure_h, latest_h, wishes.pause_h, way_h, wishes.stay_h, 2.0 * wishes.km, elsewhere_kw,
        kwh_per_km, step_h, need, driver.always_plugs, driver.start_kwh, at_home, out, made,
    )  # fmt: skip
    return out[made], wishes.purpose[made], int(left_out)


@compiled
def _live(
    wish_h: Array,
    latest_h: Array,
    pause_h: Array,
    way_h: Array,
    stay_h: Array,
    km: Array,
    elsewhere_kw: Array,
    kwh_per_km: Array,
    step_h: float,
    need: Array,
    always: bool,
    start_kwh: float,
    at_home: Array,
    out: Array,
    made: npt.NDArray[np.bool_],
) -> int:
    """Fill `out` and `made` by tour; returns how many were left out."""
    capacity, reserve = need[0], need[2]
    energy, back_h, last, left_out = start_kwh, 0.0, -1, 0
    end_h = len(kwh_per_km) * step_h
    for k in range(len(wish_h)):
        leave_h = max(0.0, wish_h[k]) if last < 0 else max(wish_h[k], back_h)
        if last >= 0 and leave_h > wish_h[k]:
            leave_h += pause_h[k]
        if leave_h > latest_h[k]:
            left_out += 1
            continue
        if leave_h >= end_h:
            break
        driven = km[k] * kwh_per_km[int(leave_h / step_h)]
        if last >= 0:
            energy = _stay(energy, driven, leave_h, step_h, need, always, at_home, out[last])
        there = min(max(0.0, capacity - energy + driven / 2), elsewhere_kw[k] * stay_h[k])
        on_road = max(0.0, reserve - (energy + there - driven))
        back_h, last, made[k] = leave_h + 2 * way_h[k] + stay_h[k], k, True
        out[k, 0], out[k, 1], out[k, 2], out[k, 3], out[k, 4] = leave_h, back_h, km[k], driven, there + on_road
        out[k, 5], out[k, 6] = energy, energy - driven + there + on_road
        energy = out[k, 6]
    if last >= 0:
        _stay(energy, 0.0, end_h, step_h, need, always, at_home, out[last])
    return left_out


@compiled
def _stay(
    energy: float,
    next_kwh: float,
    leave_h: float,
    step_h: float,
    need: Array,
    always: bool,
    at_home: Array,
    tour: Array,
) -> float:
    """Stand at home after `tour` until `leave_h`, plugged in or not; writes the session, returns the energy then."""
    capacity, below, reserve = need
    charger_kw, efficiency, shortest_h = at_home
    arrival, departure = np.ceil(tour[1] / step_h), np.floor(leave_h / step_h)
    worth_it = leave_h - tour[1] >= shortest_h and departure > arrival
    if not (worth_it and (always or energy < below or energy < next_kwh + reserve)):
        return energy
    asked = min((capacity - energy) / efficiency, charger_kw * (departure - arrival) * step_h)
    if asked < LEAST_KWH:
        return energy
    tour[7], tour[8], tour[9] = arrival, departure, asked
    charged: float = min(capacity, energy + asked * efficiency)
    return charged
