"""When electric cars stand at home, and what they must be charged with, as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from feeders.errors import InputError, InputErrors

__all__ = ["Sessions"]

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sessions:
    """Times at which cars are plugged in at home, one a row, of each home in the order of time.

    Attributes
    ----------
    home : array of int, shape (n_sessions,)
        Column of the home.
    arrival_step, departure_step : array of int, shape (n_sessions,)
        The car may be charged in market steps ``arrival_step <= step < departure_step``.
    energy_kwh : array, shape (n_sessions,)
        What it asks for [kWh at the charger], >= 0.

    Raises
    ------
    InputErrors
        For a car that must leave before it arrives, or before the one before it has left, and for energies that are
        negative or not finite.
    """

    home: Integers
    arrival_step: Integers
    departure_step: Integers
    energy_kwh: Array

    def __post_init__(self) -> None:
        problems = []
        for row in np.flatnonzero(~(self.departure_step > self.arrival_step)):
            arrival, departure = int(self.arrival_step[row]), int(self.departure_step[row])
            allowed = f"a step after its arrival in step {arrival}"
            problems.append(InputError("EV sessions", f"{row}.departure_step", departure, allowed))
        order = np.lexsort((self.arrival_step, self.home))
        homes, arrivals, departures = self.home[order], self.arrival_step[order], self.departure_step[order]
        overlap = (homes[1:] == homes[:-1]) & (arrivals[1:] < departures[:-1])
        for row in order[1:][overlap]:
            allowed = "a step after the session before it at the same charger"
            problems.append(InputError("EV sessions", f"{row}.arrival_step", int(self.arrival_step[row]), allowed))
        problems += [
            InputError("EV sessions", f"{row}.energy_kwh", float(self.energy_kwh[row]), "0 or more")
            for row in np.flatnonzero(~((self.energy_kwh >= 0) & np.isfinite(self.energy_kwh)))
        ]
        if problems:
            raise InputErrors(problems)

    def __len__(self) -> int:
        return len(self.home)
