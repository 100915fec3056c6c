"""A plan that fails in some scenarios, made smaller where that helps them most.

How much of the planned PV u a scenario takes is concave in u, so that its value and slopes at one plan bound it for all
others (a cut of Benders' decomposition)::

    sum of u <= f_s(u) <= f_s(u*) + slope (u - u*)

The largest plan within u* that keeps all cuts is the next one to try.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.dso.dispatch import DispatchSettings
from agents.dso.dispatch.solving import solve
from agents.dso.dispatch.wires import Point, Wires
from agents.highs import Program
from agents.prosumer.fleet import Fleet, FleetInputs
from cosim.hosting.case import HostingCase
from cosim.hosting.stochastic.recourse import MostPv, most_pv

__all__ = ["largest_within", "repaired"]

Array = npt.NDArray[np.float64]

_SPARE = 2e-4  # of the PV, kept below each cut: the flows are made linear


def repaired(
    case: HostingCase,
    wires: Wires,
    fleet: Fleet,
    settings: DispatchSettings,
    failing: list[tuple[FleetInputs, Point | None]],
) -> Fleet:
    """The fleet with less PV, by a cut of each failing scenario; those that do not take the rest either stay out."""
    cuts = [most_pv(case, wires, fleet, inputs, settings, point) for inputs, point in failing]
    usable = [cut for cut in cuts if np.isfinite(cut.kw)]
    return fleet.with_ratings(pv_kw=largest_within(fleet.pv_kw, usable))


def largest_within(planned_kw: Array, cuts: list[MostPv]) -> Array:
    """The most PV, at each row at most what is planned, that keeps all cuts, shape (N,) [kW]."""
    if not cuts:
        return planned_kw
    rows = np.array([1.0 - cut.per_kw for cut in cuts])
    most = np.array([(1 - _SPARE) * cut.kw - cut.per_kw @ planned_kw for cut in cuts])
    # A cut that asks for what no smaller plan has would leave none at all.
    most = np.maximum(most, np.minimum(rows, 0.0) @ planned_kw)
    nothing = np.zeros(len(planned_kw))
    program = Program(nothing - 1.0, nothing, planned_kw, np.full(len(cuts), -np.inf), most)
    solution = solve(sparse.csc_array(rows), program)
    return planned_kw if solution is None else np.clip(solution.values, 0.0, planned_kw)
