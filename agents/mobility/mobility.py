"""Cars that people drive and charge at home: an agent-based model of one driver a car, tour by tour.

Each driver wants to go to work and elsewhere (`agents.mobility.wishes`), takes the car when it is at home, uses energy
by distance and cold, charges on the road or at work where it must or may, and decides at home whether to plug in: by
habit, by the state of charge, by what the next tour needs. When cars stand at home and what they ask for, how far they
go and what they use in a year come out of that; `agents.mobility.habits` says what it is made from. With the defaults
a mean car (of 300, months of 1 to 19 degrees) drives 12,100 km a year, stands still on 31 % of days, and asks for
15 kWh in each of 143 sessions: 2,150 kWh at the charger at home, beside 330 kWh into its battery elsewhere. The mean
German car drove 12,320 km in 2023 (Kraftfahrt-Bundesamt), the mean electric one 14,600 km (MiD 2023).

What the model has not: holidays of several days, public holidays (they are among the days without work), two drivers
of one car, and drivers who wait for the sun or a price.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.mobility.diary import COLUMNS, live
from agents.mobility.habits import Habits
from agents.mobility.sessions import Sessions
from agents.mobility.wishes import Driver, draw_car
from feeders.errors import InputError, InputErrors

__all__ = ["Mobility", "drive", "simulate"]

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

HABITS = Habits()
OUTDOOR_C = 10.0  # a German year's mean


@dataclass(frozen=True)
class Mobility:
    """All cars' lives.

    Attributes
    ----------
    drivers : dict of int to Driver
        By column of the home.
    tours : DataFrame
        A tour a row, by home and time: ``home``, ``purpose``, ``departure_h`` and ``return_h`` (hours from the first
        step), ``km`` (both ways), ``driven_kwh`` (from the battery), ``away_kwh`` (charged elsewhere, into the
        battery), ``energy_departure_kwh`` and ``energy_return_kwh`` (in the battery), ``arrival_step``,
        ``departure_step`` and ``home_kwh`` (the session after it, at the charger; 0 where there is none).
    n_left_out : int
        Tours that were wanted, and left out since the car came home too late.
    """

    drivers: dict[int, Driver]
    tours: pd.DataFrame
    n_left_out: int

    @property
    def sessions(self) -> Sessions:
        """When cars are plugged in at home, and what they ask for."""
        rows = self.tours[self.tours["home_kwh"] > 0]
        home, arrival, departure = (
            rows[name].to_numpy(dtype=np.int64) for name in ("home", "arrival_step", "departure_step")
        )
        return Sessions(home, arrival, departure, rows["home_kwh"].to_numpy(dtype=float))


def drive(
    has_car: Flags,
    times: pd.DatetimeIndex,
    seed: int,
    habits: Habits = HABITS,
    charger_kw: float | Array = 11.0,
    names: Sequence[str] | None = None,
    outdoor_c: Array | None = None,
) -> Sessions:
    """When cars are plugged in at home and what they ask for: the sessions of `simulate`, whose arguments these are."""
    return simulate(has_car, times, seed, habits, charger_kw, names, outdoor_c).sessions


def simulate(
    has_car: Flags,
    times: pd.DatetimeIndex,
    seed: int,
    habits: Habits = HABITS,
    charger_kw: float | Array = 11.0,
    names: Sequence[str] | None = None,
    outdoor_c: Array | None = None,
) -> Mobility:
    """Let drivers live with their cars over all steps.

    Cars stand at home at the beginning, at least half full, and are first plugged in when they come back.

    Parameters
    ----------
    has_car : array of bool, shape (n,)
        Homes with an electric car.
    times : DatetimeIndex, shape (T,)
        Beginnings of the market steps in local time without clock changes, from a midnight on, evenly spaced.
    seed : int
        Of the whole population, >= 0.
    habits : Habits
        What people do.
    charger_kw : float or array, shape (n,)
        Power of the chargers. A session asks for no more than its charger can give while the car stays.
    names : sequence of str, optional
        Names of the homes. A car's life depends on the seed and its home's name (without names: its column) and on
        nothing else: who else has a car does not matter.
    outdoor_c : array, shape (T,), optional
        Outdoor temperature [degrees Celsius]; 10 throughout when omitted.

    Returns
    -------
    Mobility

    Raises
    ------
    InputErrors
        For arrays of the wrong length, uneven times, a negative seed, names that are not unique, chargers without
        power where there is a car, and temperatures that are not finite.
    """
    has_car = np.asarray(has_car, dtype=bool)
    n, n_steps = len(has_car), len(times)
    power_kw = np.asarray(charger_kw, dtype=float)
    power_kw = np.full(n, power_kw) if power_kw.ndim == 0 else power_kw
    outdoor_c = np.full(n_steps, OUTDOOR_C) if outdoor_c is None else np.asarray(outdoor_c, dtype=float)
    names = [str(column) for column in range(n)] if names is None else list(names)
    _check(has_car, times, seed, power_kw, names, outdoor_c)
    step_h = (times[1] - times[0]) / pd.Timedelta(hours=1)
    n_days = int(np.ceil(n_steps * step_h / 24))
    weekday = (times[0].weekday() + np.arange(n_days)) % 7
    rate = habits.kwh_per_km * (1 + habits.cold_per_k * np.maximum(0.0, habits.mild_c - outdoor_c))
    drivers, tours, left_out = {}, [], 0
    for home in np.flatnonzero(has_car).tolist():
        driver, wishes = draw_car(habits, weekday, seed, names[home])
        rows, purpose, missing = live(habits, driver, wishes, rate, float(power_kw[home]), step_h)
        drivers[home], left_out = driver, left_out + missing
        tours.append(pd.DataFrame(rows, columns=list(COLUMNS)).assign(home=home, purpose=purpose))
    columns = ["home", "purpose", *COLUMNS]
    table = pd.concat(tours, ignore_index=True)[columns] if tours else pd.DataFrame(columns=columns, dtype=float)
    labels = [habits.work.name, *(purpose.name for purpose in habits.errands)]
    table["purpose"] = pd.Categorical.from_codes(table["purpose"].astype(int).tolist(), pd.Index(labels))
    return Mobility(drivers, table, left_out)


def _check(
    has_car: Flags, times: pd.DatetimeIndex, seed: int, charger_kw: Array, names: Sequence[str], outdoor_c: Array
) -> None:
    """Raise `InputErrors` for what nobody can live by."""
    n, problems = len(has_car), []
    spacing = np.unique(np.diff(times.tz_localize(None).to_numpy()))
    if len(spacing) != 1 or spacing[0] <= np.timedelta64(0) or times[0] != times[0].normalize():
        allowed = "two or more steps, evenly spaced, from a midnight on"
        found = f"{len(times)} steps from {times[0]} on" if len(times) else "no step"
        problems.append(InputError("mobility", "times", found, allowed))
    if seed < 0:
        problems.append(InputError("mobility", "seed", seed, "0 or more"))
    if charger_kw.shape != (n,):
        problems.append(InputError("mobility", "charger_kw", charger_kw.shape, f"one value per home, {n}"))
    else:
        problems += [
            InputError("mobility", f"charger_kw[{row}]", float(charger_kw[row]), "more than 0, since there is a car")
            for row in np.flatnonzero(has_car & ~((charger_kw > 0) & np.isfinite(charger_kw)))
        ]
    if len(names) != n or len(set(names)) != n:
        problems.append(InputError("mobility", "names", f"{len(set(names))} different names", f"one per home, {n}"))
    if outdoor_c.shape != (len(times),) or not np.isfinite(outdoor_c).all():
        problems.append(InputError("mobility", "outdoor_c", outdoor_c.shape, f"{len(times)} finite values"))
    if problems:
        raise InputErrors(problems)
