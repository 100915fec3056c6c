"""Charging at home under a cap: what each charger gives when, what stays owed, and how late energy comes.

A car asks for an energy when it comes home. It is owed until the charger has given it, at the least of the charger's
power, the operator's cap and what is still owed, as soon as the car stands there. What a car leaves without is not
lost: it is asked again, before all else, when the car is back. So energy is kept: what was asked is what was charged
and what is owed in the end.

`charge` serves whole years of sessions, `charge_step` one step of all homes, for a loop that lives through time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agents.mobility.sessions import Sessions
from feeders.compiled import compiled
from feeders.errors import InputError, InputErrors

__all__ = ["Charging", "charge", "charge_step", "charging_power"]

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

NOTHING_KWH = 1e-9  # less than this is rounding: no car has left without it


@dataclass(frozen=True)
class Charging:
    """What chargers gave, and what cars went without, by home; zeros where no car is.

    Attributes
    ----------
    p_ev_kw : array, shape (T, n)
        Power of the chargers, >= 0.
    owed_kwh_end : array, shape (n,)
        Asked and not charged by the end of the last step [kWh].
    missed_kwh : array, shape (n,)
        What cars left without [kWh]; each kWh once, however often it is missed.
    n_missed : array of int, shape (n,)
        How often a car left without all that it was owed.
    delay_h : array, shape (n,)
        How much later a kWh was charged than it would have been without a cap [h], mean over all kWh asked: the area
        between the two courses of owed energy, by the energy asked. What is owed in the end counts up to there.
    """

    p_ev_kw: Array
    owed_kwh_end: Array
    missed_kwh: Array
    n_missed: Integers
    delay_h: Array


def charge(sessions: Sessions, charger_kw: Array, cap_kw: Array, step_h: float = 0.25) -> Charging:
    """Charge all cars as they come, none with more than the cap.

    Parameters
    ----------
    sessions : Sessions
        When cars stand at home and what they ask for.
    charger_kw : array, shape (n,)
        Power of each home's charger, >= 0.
    cap_kw : array, shape (T,)
        The most that each charger may give in each step, >= 0; inf where nothing is asked (`Directives.ev_cap_kw`).
    step_h : float
        Length of a step [h].

    Returns
    -------
    Charging

    Raises
    ------
    InputErrors
        For powers and caps that are negative or NaN, and for sessions at homes or in steps that there are not, or at
        homes without a charger.
    """
    charger_kw, cap_kw = np.ascontiguousarray(charger_kw, dtype=float), np.ascontiguousarray(cap_kw, dtype=float)
    _check(sessions, charger_kw, cap_kw, step_h)
    n_steps, n = len(cap_kw), len(charger_kw)
    order = np.lexsort((sessions.arrival_step, sessions.home))
    out = Charging(np.zeros((n_steps, n)), np.zeros(n), np.zeros(n), np.zeros(n, dtype=np.int64), np.zeros(n))
    home = np.ascontiguousarray(sessions.home[order], dtype=np.int64)
    arrival = np.ascontiguousarray(sessions.arrival_step[order], dtype=np.int64)
    departure = np.ascontiguousarray(sessions.departure_step[order], dtype=np.int64)
    energy_kwh = np.ascontiguousarray(sessions.energy_kwh[order], dtype=float)
    late_kwh_h = np.zeros(n)
    _serve(home, arrival, departure, energy_kwh, charger_kw, cap_kw, step_h, out.p_ev_kw, out.owed_kwh_end,
           out.missed_kwh, out.n_missed, late_kwh_h)  # fmt: skip
    asked_kwh = np.bincount(home, weights=energy_kwh, minlength=n)
    np.divide(late_kwh_h, asked_kwh, out=out.delay_h, where=asked_kwh > 0)
    return out


def charge_step(
    owed_kwh: Array, asked_kwh: Array, plugged: Flags, charger_kw: Array, cap_kw: float | Array, step_h: float
) -> Array:
    """Charge for one step, of any length: what the charger gives while the car stands there, at once.

    Over the steps of sessions that ask in their first step this is `charge`. A profile of charging is served by
    asking for its energy in each step, ``p_kw * step_h``, of a car that is always there.

    Parameters
    ----------
    owed_kwh : array, shape (n,)
        What each home's car is owed at the beginning; **changed** into what it is owed at the end.
    asked_kwh : array, shape (n,)
        What is newly asked at the beginning of the step, >= 0.
    plugged : array of bool, shape (n,)
        Whose car is there.
    charger_kw : array, shape (n,)
        Power of each charger.
    cap_kw : float or array, shape (n,)
        The most that a charger may give; inf for no cap.
    step_h : float
        Length of the step [h].

    Returns
    -------
    array, shape (n,)
        Power of each charger in the step [kW].
    """
    owed_kwh += asked_kwh
    limit_kw = np.where(plugged, np.minimum(charger_kw, cap_kw), 0.0)
    enough = owed_kwh <= limit_kw * step_h
    p_kw = np.where(enough, owed_kwh / step_h, limit_kw)
    owed_kwh -= limit_kw * step_h
    owed_kwh[enough] = 0.0
    return p_kw


@compiled
def charging_power(owed_kwh: float, limit_kw: float, step_h: float) -> tuple[float, float]:
    """Power in a step [kW], and what is owed after it [kWh]: the arithmetic of one car, for compiled loops."""
    if owed_kwh <= limit_kw * step_h:
        return owed_kwh / step_h, 0.0
    return limit_kw, owed_kwh - limit_kw * step_h


@compiled
def _serve(
    home: Integers,
    arrival: Integers,
    departure: Integers,
    energy_kwh: Array,
    charger_kw: Array,
    cap_kw: Array,
    step_h: float,
    p_ev_kw: Array,
    owed_end_kwh: Array,
    missed_kwh: Array,
    n_missed: Integers,
    late_kwh_h: Array,
) -> None:
    """All sessions, sorted by home and time; the last five are outputs, all zeros."""
    owed = old = free = 0.0  # owed under the cap; of that, what a car has left without before; owed without a cap
    since = 0  # the step up to which lateness is counted
    for row in range(len(home)):
        h = home[row]
        if row == 0 or home[row - 1] != h:
            owed = old = free = 0.0
            since = 0
        late_kwh_h[h] += (owed - free) * (arrival[row] - since) * step_h
        since = departure[row]
        owed += energy_kwh[row]
        free += energy_kwh[row]
        for t in range(arrival[row], departure[row]):
            before = owed - free
            p_ev_kw[t, h], owed = charging_power(owed, min(charger_kw[h], cap_kw[t]), step_h)
            _, free = charging_power(free, charger_kw[h], step_h)
            old = max(0.0, old - p_ev_kw[t, h] * step_h)  # what was missed before is charged first
            late_kwh_h[h] += (before + owed - free) / 2 * step_h
        if owed > NOTHING_KWH and departure[row] < len(cap_kw):
            n_missed[h] += 1
            missed_kwh[h] += max(0.0, owed - old)
            old = owed
        if row + 1 == len(home) or home[row + 1] != h:
            late_kwh_h[h] += (owed - free) * (len(cap_kw) - since) * step_h
            owed_end_kwh[h] = owed


def _check(sessions: Sessions, charger_kw: Array, cap_kw: Array, step_h: float) -> None:
    """Raise `InputErrors` for what cannot be charged."""
    n, n_steps, problems = len(charger_kw), len(cap_kw), []
    if not (np.isfinite(step_h) and step_h > 0):
        problems.append(InputError("charging", "step_h", step_h, "more than 0"))
    for name, values, usable in (
        ("charger_kw", charger_kw, (charger_kw >= 0) & np.isfinite(charger_kw)),
        ("cap_kw", cap_kw, cap_kw >= 0),
    ):
        problems += [
            InputError("charging", f"{name}[{row}]", float(values[row]), "0 or more") for row in np.flatnonzero(~usable)
        ]
    outside = (sessions.home < 0) | (sessions.home >= n)
    without = np.zeros(len(sessions), dtype=bool)
    without[~outside] = ~(charger_kw[sessions.home[~outside]] > 0)
    for column, wrong, allowed in (
        ("home", outside, f"0 to {n - 1}"),
        ("home", without, "a home with a charger"),
        ("arrival_step", sessions.arrival_step < 0, "0 or more"),
        ("departure_step", sessions.departure_step > n_steps, f"at most {n_steps}, the number of steps"),
    ):
        problems += [
            InputError("EV sessions", f"{row}.{column}", int(getattr(sessions, column)[row]), allowed)
            for row in np.flatnonzero(wrong)
        ]
    if problems:
        raise InputErrors(problems)
