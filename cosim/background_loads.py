"""The load of a feeder that nobody schedules: invented, seeded, at any number of places.

A working day of the total, over its load at 07:30: rising from the night to 1 at 07:30, 1.1 at noon, 1.29 at the
evening bump about 18:00, falling to the night by 23:00. How high the night is decides what a collective tariff can do:
`night` = 1 is as high as 07:30, so that load that moves away from the morning finds no room ("tight"); 0 is a deep
valley at 0.7 ("slack"). Weekends and other days off have 0.88 of a working day. With the defaults the total runs from
about 1.07 to 1.60 MW, of which the feeder's 3.55 MVA leave room for the four facilities.

Places share the total in fixed proportions, the largest about three times the smallest; their days and quarter hours
differ by some percent, and average out in the total. Each day is drawn from (seed, date) alone.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import numpy as np
import numpy.typing as npt

from cosim.dry_summer import by_day, local_hours
from cosim.facility_loads import days_off_steps, local_times, varied
from feeders.errors import InputError

__all__ = ["background_kw"]

Array = npt.NDArray[np.float64]

_STREAM = 1000  # keeps its draws apart from those of the weather and the facilities
_VALLEY, _WEEKEND = 0.7, 0.88
_SPREAD = 0.5  # of the places' shares about their mean


def background_kw(
    start: date,
    days: int = 7,
    *,
    seed: int = 0,
    night: float = 1.0,
    n_loads: int = 18,
    morning_kw: float = 1230.0,
    evening_bump: float = 1.0,
    step_minutes: int = 15,
    days_off: Collection[date] = (),
) -> Array:
    """Active power of each load, shape (T, n_loads), > 0 consumed [kW].

    Parameters
    ----------
    start, days, seed, step_minutes, days_off
        As of `cosim.facility_loads.facility_needs`.
    night : float
        In [0, 1]: 1 has a night as high as 07:30, 0 a deep valley.
    n_loads : int
        Number of places.
    morning_kw : float
        The total at 07:30 of a working day [kW].
    evening_bump : float
        Height of the bump about 18:00, 1 as described above, 0 none.

    Raises
    ------
    InputError
        For a parameter out of its range.
    """
    _check(night, n_loads, morning_kw, evening_bump)
    times = local_times(start, days, step_minutes)
    hours = local_hours(times) + step_minutes / 120
    total = (
        morning_kw * _working_day(hours, night, evening_bump) * np.where(days_off_steps(times, days_off), _WEEKEND, 1)
    )
    shares = 1.0 + _SPREAD * np.random.default_rng([seed, _STREAM]).uniform(-1.0, 1.0, n_loads)
    of_day = by_day(times, seed, _STREAM + 1, lambda rng: rng.standard_normal(n_loads))
    factors = [varied(times, of_day[:, k], seed, _STREAM + 2 + k) for k in range(n_loads)]
    loads: Array = total[:, None] * shares / shares.sum() * np.column_stack(factors)
    return loads


def _working_day(hours: Array, night: float, evening_bump: float) -> Array:
    """The total over that of 07:30."""
    low = _VALLEY + (1.0 - _VALLEY) * night
    points = ((0.0, low), (4.5, low), (7.5, 1.0), (12.0, 1.1), (16.0, 1.1), (20.0, 1.1), (23.0, low), (24.0, low))
    base = np.interp(hours, [hour for hour, _ in points], [level for _, level in points])
    bump: Array = base + evening_bump * 0.19 * np.exp(-(((hours - 18.0) / 1.3) ** 2))
    return bump


def _check(night: float, n_loads: int, morning_kw: float, evening_bump: float) -> None:
    if not 0 <= night <= 1:
        raise InputError("background", "night", night, "a number from 0 (deep valley) to 1 (as high as 07:30)")
    if n_loads < 1:
        raise InputError("background", "n_loads", n_loads, "at least 1")
    if not 0 < morning_kw < np.inf:
        raise InputError("background", "morning_kw", morning_kw, "a finite number above 0")
    if not 0 <= evening_bump < np.inf:
        raise InputError("background", "evening_bump", evening_bump, "a finite number >= 0")
