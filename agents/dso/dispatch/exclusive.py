"""Solutions in which no battery and no car charges and discharges at once.

With cycling priced, a program has no reason to waste energy. Where PV must not be curtailed, or prices are below zero,
it has: batteries then burn what is too much. Each device that does both in a step is told to do the one that its energy
shows, and the program is solved again, until none does. What that gives is an operation that devices can follow; the
first solution is a bound of how much better another choice might be.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agents.dso.dispatch.program import ScenarioProgram
from agents.prosumer.fleet import Fleet

__all__ = ["OVERLAP_KW", "one_way"]

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

OVERLAP_KW = 1e-3
"""Less than this in the lesser direction is what an interior point leaves, and is netted out of the operation."""

_PAIRS = (("charge", "discharge", "battery_efficiency"), ("ev_charge", "ev_discharge", "ev_efficiency"))


def one_way(program: ScenarioProgram, y: Array, fleet: Fleet) -> IntArray:
    """Columns to be closed: the direction that each overlapping device gives up in a step, shape (pairs,)."""
    found = []
    for charging, discharging, efficiency in _PAIRS:
        if charging in program.groups:
            charge, discharge = program.groups[charging].index, program.groups[discharging].index
            both = np.minimum(y[charge], y[discharge]) > OVERLAP_KW
            eta = getattr(fleet, efficiency)[program.groups[charging].of]
            fills = eta * y[charge] > y[discharge] / eta
            found.append(np.where(fills, discharge, charge)[both])
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)
