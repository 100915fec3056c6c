"""Which energies battery and flexible load can have at all, before any price is looked at."""

from __future__ import annotations

from dataclasses import astuple, fields

import numpy as np
import numpy.typing as npt

from agents.prosumer.battery import Battery
from agents.prosumer.plan import SAME_ENERGY_KWH, Horizon, UnreachableError
from agents.prosumer.self_discharge import decay
from feeders.compiled import compiled
from feeders.errors import InputError

__all__ = ["N_BATTERY", "battery_row", "check_reachable", "check_steps", "end_limits", "within"]

Array = npt.NDArray[np.float64]

N_BATTERY = len(fields(Battery))
"""Numbers of a battery in a row of them, and rows of its in `agents.prosumer.correction.RATINGS`."""


def battery_row(battery: Battery) -> Array:
    """The ratings as an array, in the order of the fields of `Battery`, for compiled loops."""
    return np.array(astuple(battery), dtype=np.float64)


@compiled
def end_limits(hours: float, energy_start_kwh: float, battery: Array) -> tuple[float, float]:
    """Lowest and highest energy [kWh] that a battery (as `battery_row`) can have after `hours`.

    At a constant power the energy moves one way all the time, so that what one step of `hours` can reach is what many
    shorter ones can; where it would pass the highest energy, the ramp is more than that loses, and can hold it.
    """
    lost, gain = decay(battery[6], hours)
    rested = energy_start_kwh - lost * (energy_start_kwh - battery[0])
    lowest = max(battery[0], rested - gain * battery[3])
    highest = min(battery[1], rested + gain * battery[2])
    return lowest, highest


@compiled
def within(energy_kwh: float, lowest_kwh: float, highest_kwh: float) -> bool:
    """Whether an energy lies between two others, but for rounding; NaN does not."""
    return lowest_kwh - SAME_ENERGY_KWH <= energy_kwh <= highest_kwh + SAME_ENERGY_KWH


def check_steps(n_steps: int, step_h: float) -> None:
    """Whether a planner can be for `n_steps` of `step_h` hours.

    Raises
    ------
    InputError
        For no steps, or a step without length.
    """
    if not n_steps >= 1:
        raise InputError("arbitrage", "n_steps", n_steps, "at least 1")
    if not 0 < step_h < np.inf:
        raise InputError("arbitrage", "step_h", step_h, "a finite number above 0")


def check_reachable(horizon: Horizon, battery: Battery, step_h: float) -> None:
    """Whether battery and flexible load can have the energy that is due.

    Raises
    ------
    UnreachableError
        When not; says what is due and possible.
    """
    start, end = float(horizon.energy_start_kwh), horizon.energy_end_min_kwh
    lowest, highest = end_limits(float(step_h * len(horizon.price_buy)), start, battery_row(battery))
    flexible_lo = step_h * float(horizon.flexible_min_kw.sum()) - horizon.flexible_slack_kwh
    flexible_hi = step_h * float(horizon.flexible_max_kw.sum()) + horizon.flexible_slack_kwh
    for what, due, lo, hi in (
        ("battery energy at the start", start, battery.energy_min_kwh, battery.energy_max_kwh),
        # Only a least energy is asked for: one below all that is possible asks for nothing.
        ("battery energy at the end", lowest if end is None else max(end, lowest), lowest, highest),
        ("flexible energy", horizon.flexible_energy_kwh, flexible_lo, flexible_hi),
    ):
        if not within(float(due), float(lo), float(hi)):
            raise UnreachableError(what, due, lo, hi)
