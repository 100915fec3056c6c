"""What an operator asks of chargers, heat pumps and stores in each market step, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Directives"]

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Directives:
    """Columns over T market steps; what binds nobody is inf, 1 or False.

    Attributes
    ----------
    ev_cap_kw : array, shape (T,)
        The most that each charger may give.
    heat_cap : array, shape (T,)
        The most heat, as a share of what the heat pump can give.
    charge_from_grid : array of bool, shape (T,)
        Whether stores charge from the grid: its price is lowered.
    station_cap_kw : array, shape (T,)
        Load of the region up to which they do so.
    hold : array of bool, shape (T,)
        Whether stores may not be discharged: the price of discharging is raised.
    """

    ev_cap_kw: Array
    heat_cap: Array
    charge_from_grid: Flags
    station_cap_kw: Array
    hold: Flags

    @classmethod
    def none(cls, n_steps: int) -> Directives:
        """Nothing is asked of anybody."""
        no = np.zeros(n_steps, dtype=bool)
        free = np.full(n_steps, np.inf)
        return cls(free, np.ones(n_steps), no, free.copy(), no.copy())

    @classmethod
    def joined(cls, parts: Sequence[Directives]) -> Directives:
        """All of them at once: the lowest caps, and stores charge or hold where one part says so."""
        return cls(
            np.minimum.reduce([part.ev_cap_kw for part in parts]),
            np.minimum.reduce([part.heat_cap for part in parts]),
            np.logical_or.reduce([part.charge_from_grid for part in parts]),
            np.minimum.reduce([part.station_cap_kw for part in parts]),
            np.logical_or.reduce([part.hold for part in parts]),
        )
