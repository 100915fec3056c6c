"""Schedules in which no store charges and discharges at once, whatever the prices.

With prices above zero the linear program has no reason to waste energy. Where electricity costs nothing or less, or a
generator must run while nobody needs its power, it has. Then each store that does both in a step is told to do the one
that its energy shows, and the program is solved again, until none does. The answer is a schedule that the plant can
follow; by how much it might be better is known, since the first answer is a bound.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agents.errors import SolverError
from agents.facility.lp import WarmLp
from agents.facility.program import Layout

__all__ = ["OVERLAP_KW", "forbid_overlap", "solve_one_way"]

Array = npt.NDArray[np.float64]

OVERLAP_KW = 1e-6  # less is rounding


def forbid_overlap(layout: Layout, values: Array, upper: Array) -> bool:
    """Close in `upper` one direction of each store wherever `values` has both; whether there was any."""
    found = False
    for name, store in layout.plant.stores.items():
        charge, discharge = layout[f"{name}.charge"], layout[f"{name}.discharge"]
        both = np.minimum(values[charge], values[discharge]) > OVERLAP_KW
        fills = store.efficiency_charge * values[charge] > values[discharge] / store.efficiency_discharge
        upper[discharge[both & fills]] = 0.0
        upper[charge[both & ~fills]] = 0.0
        found = found or bool(both.any())
    return found


def solve_one_way(lp: WarmLp, layout: Layout, lower: Array, upper: Array) -> tuple[Array | None, Array | None]:
    """The solution without overlap, and the one that bounds it; the same one where it needed no help.

    Raises
    ------
    SolverError
        When the plant can only meet its needs by wasting energy in a store.
    """
    bound = values = lp.solve()
    closed = upper.copy()
    told = False
    while values is not None and forbid_overlap(layout, values, closed):
        told = True
        lp.change_bounds(lower, closed)
        values = lp.solve()
        if values is None:
            raise SolverError("no plan in which every store either charges or discharges")
    if told:
        lp.change_bounds(lower, upper)
    return values, bound
