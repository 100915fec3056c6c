"""A car's battery over a day: charged at home, used on the road, wanted at a target when it leaves.

A car is away between two hours of the day (`Fleet.away`). What a day's driving takes is spread evenly over the steps in
which it is away; a car that is never away drives nothing. At home it gains ``efficiency * charge`` and gives
``discharge / efficiency``, powers at the charger's grid side. Rows may be many cars: all is proportional to `ev_kw`.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from agents.prosumer.fleet import Fleet

__all__ = ["car_after", "charge_cheapest", "charge_on_arrival", "charge_when_home", "driven_kwh", "hours_home"]

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_DAY_H = 24.0


def _steps_per_day(step_h: float) -> int:
    return math.ceil(_DAY_H / step_h - 1e-9)


def hours_home(fleet: Fleet, step_h: float, start_h: float = 0.0) -> Array:
    """Hours of a day that cars are at home, as the steps have it, shape (N,)."""
    found: Array = (~fleet.away(step_h, _steps_per_day(step_h), start_h)).sum(axis=0) * step_h
    return found


def driven_kwh(fleet: Fleet, n_steps: int, step_h: float, start_h: float = 0.0) -> Array:
    """Energy that driving takes from the cars' batteries in each step, shape (n_steps, N) [kWh]."""
    away = fleet.away(step_h, n_steps, start_h)
    steps_away = fleet.away(step_h, _steps_per_day(step_h), start_h).sum(axis=0)
    trip_kwh = fleet.ev_trip_h * fleet.ev_kw
    found: Array = np.where(away, trip_kwh / np.maximum(steps_away, 1), 0.0)
    return found


def car_after(
    energy_kwh: Array,
    p_charge_kw: Array,
    p_discharge_kw: Array,
    driven_kwh: Array,
    efficiency: Array,
    step_h: float,
) -> Array:
    """Energy in the cars' batteries after a step, any shapes that go together [kWh]::

        b + h (charge eta - discharge / eta) - driven

    Not clipped to any bounds, so that a ledger of energy closes.
    """
    stored_kw = p_charge_kw * efficiency - p_discharge_kw / efficiency
    found: Array = energy_kwh + step_h * stored_kw - driven_kwh
    return found


def charge_on_arrival(fleet: Fleet, n_steps: int, step_h: float, start_h: float = 0.0) -> tuple[Array, Array]:
    """Cars that charge as soon as they are home, at full power up to their target, and never give back.

    The steps are of one day among many alike: cars charge at its beginning what they have come home without the evening
    before, as far as a day at home allows.

    Returns
    -------
    p_kw, energy_kwh : array, shape (n_steps, N)
        Power of the chargers, >= 0, and energy at the end of each step.
    """
    lead = _steps_per_day(step_h)
    first_h = start_h - lead * step_h
    away = fleet.away(step_h, lead + n_steps, first_h)
    driven = driven_kwh(fleet, lead + n_steps, step_h, first_h)
    p_kw, energy_kwh = charge_when_home(fleet, fleet.ev_soc_target * fleet.ev_kwh, away, driven, step_h)
    return p_kw[lead:], energy_kwh[lead:]


def charge_when_home(
    fleet: Fleet, energy_kwh: Array, away: Flags, driven_kwh: Array, step_h: float
) -> tuple[Array, Array]:
    """As `charge_on_arrival`, over any steps from any energy on.

    Parameters
    ----------
    fleet : Fleet
    energy_kwh : array, shape (N,)
        In the cars' batteries at the beginning.
    away : array of bool, shape (T, N)
    driven_kwh : array, shape (T, N)
    step_h : float
    """
    target_kwh, nothing = fleet.ev_soc_target * fleet.ev_kwh, np.zeros(len(fleet))
    p_kw, course = np.empty((2, *away.shape))
    for step in range(len(away)):
        missing_kw = np.maximum(target_kwh - energy_kwh, 0.0) / (step_h * fleet.ev_efficiency)
        p_kw[step] = np.where(away[step], 0.0, np.minimum(missing_kw, fleet.ev_kw))
        energy_kwh = car_after(energy_kwh, p_kw[step], nothing, driven_kwh[step], fleet.ev_efficiency, step_h)
        course[step] = energy_kwh
    return p_kw, course


def charge_cheapest(
    fleet: Fleet, energy_kwh: Array, away: Flags, driven_kwh: Array, price: Array, step_h: float
) -> tuple[Array, Array]:
    """Cars that charge up to their target in the cheapest steps before they leave, the earlier of equally cheap ones.

    Each time at home is planned when it begins, its prices known: the cheapest steps at full power and one with what is
    left is the optimum of that time, for cars that never give back.

    Parameters
    ----------
    fleet, energy_kwh, away, driven_kwh, step_h
        As `charge_when_home`.
    price : array, shape (T, N)
        What each pays [currency/kWh].
    """
    target_kwh, p_kw = fleet.ev_soc_target * fleet.ev_kwh, np.zeros(away.shape)
    for row in range(len(fleet)):
        energy, efficiency = float(energy_kwh[row]), float(fleet.ev_efficiency[row])
        used_kwh = np.append(0.0, np.cumsum(driven_kwh[:, row]))
        at_home = np.diff(np.concatenate([[0], ~away[:, row], [0]]).astype(int))
        known = 0
        for first, last in zip(np.flatnonzero(at_home > 0), np.flatnonzero(at_home < 0), strict=True):
            energy -= float(used_kwh[first] - used_kwh[known])
            missing_kwh = max(float(target_kwh[row]) - energy, 0.0) / efficiency
            order = np.argsort(price[first:last, row], kind="stable")
            before_kwh = np.arange(last - first) * fleet.ev_kw[row] * step_h
            p_kw[first + order, row] = np.clip(missing_kwh - before_kwh, 0.0, fleet.ev_kw[row] * step_h) / step_h
            energy += float(p_kw[first:last, row].sum()) * step_h * efficiency
            known = int(first)
    gained_kwh = step_h * fleet.ev_efficiency * p_kw - driven_kwh
    return p_kw, energy_kwh + np.cumsum(gained_kwh, axis=0)
