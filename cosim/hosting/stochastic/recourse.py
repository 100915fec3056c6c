"""Operation of a plan in one scenario: whether the feeder takes it, judged by the AC power flow."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.dso.dispatch import DispatchSettings, Sizing, dispatch
from agents.dso.dispatch.dispatched import Operation
from agents.dso.dispatch.reading import at_nodes
from agents.dso.dispatch.rounds import CONFIRMED, Round, Rounds
from agents.dso.dispatch.wires import Point, Wires
from agents.prosumer.fleet import Fleet, FleetInputs
from cosim.hosting.capacity import Stop
from cosim.hosting.case import HostingCase
from cosim.hosting.level import stop_of

__all__ = ["MostPv", "Outcome", "most_pv", "operated", "point_of"]

Array = npt.NDArray[np.float64]

_ATTEMPTS = 3
_PV_WORTH = 1e3  # currency/kW: as much PV as there can be, cost only among equals


@dataclass(frozen=True)
class Outcome:
    """How a plan does in a scenario.

    Attributes
    ----------
    feasible : bool
        Whether the AC power flow of an operation is inside all limits.
    margin : float
        How far inside, NaN without a power flow.
    stop : Stop
        What is nearest to its limit or furthest beyond; "infeasible" where no operation keeps within the limits.
    point : Point or None
        Its flows.
    done : Operation or None
    """

    feasible: bool
    margin: float
    stop: Stop
    point: Point | None
    done: Operation | None


def operated(
    case: HostingCase, wires: Wires, fleet: Fleet, inputs: FleetInputs, settings: DispatchSettings, point: Point | None
) -> Outcome:
    """An operation of the fleet that the AC power flow confirms, if there is one.

    Parameters
    ----------
    point : Point or None
        Flows near those of it; None for those of the fleet on its own.
    """
    rounds = Rounds(case.engine, wires, fleet, inputs, settings, priced_losses=False)
    at, found = rounds.first_point() if point is None else point, None
    for _ in range(_ATTEMPTS):
        found = rounds.solved(at)
        if found is None or found.point is None or found.margin >= -CONFIRMED:
            break
        at = rounds.again(found)
    outcome = _outcome(case.with_inputs(inputs), found)
    if outcome.feasible:
        return outcome
    # What ends outside, or finds nothing near these flows, may do from flows of its own.
    anew = dispatch(case.engine, fleet, inputs, replace(settings, gap=1.0))
    if not anew.confirmed() or anew.tightest is None:
        return outcome
    stop = stop_of(case.with_inputs(inputs), anew.tightest)
    return Outcome(True, anew.tightest.margin, stop, point_of(wires, fleet, inputs, anew), anew)


def _outcome(case: HostingCase, found: Round | None) -> Outcome:
    if found is None:
        return Outcome(False, float("nan"), Stop("infeasible"), None, None)
    if found.tightest is None:
        return Outcome(False, float("nan"), Stop("collapse"), None, found.done)
    inside = found.margin >= -CONFIRMED
    return Outcome(inside, found.margin, stop_of(case, found.tightest), found.point, found.done)


@dataclass(frozen=True)
class MostPv:
    """How much of a plan's PV a scenario takes, everything else as planned.

    Attributes
    ----------
    kw : float
        NaN where it does not take the rest either.
    per_kw : array, shape (N,)
        How much more it would take of one kW more at each row.
    """

    kw: float
    per_kw: Array


def most_pv(
    case: HostingCase, wires: Wires, fleet: Fleet, inputs: FleetInputs, settings: DispatchSettings, point: Point | None
) -> MostPv:
    """The most PV, at each row at most the fleet's, that keeps within the limits; made linear at a point of flows."""
    bare = fleet.with_ratings(pv_kw=np.zeros(len(fleet)))
    sizing = Sizing({"pv_kw": sparse.csr_array(sparse.eye_array(len(fleet)))}, len(fleet))
    rounds = Rounds(
        case.engine,
        wires,
        bare,
        inputs,
        settings,
        sizing,
        x_cost=np.full(len(fleet), -_PV_WORTH),
        x_upper=fleet.pv_kw,
        priced_losses=False,
    )
    found = rounds.solved(rounds.first_point() if point is None else point)
    if found is not None and found.point is not None:  # made linear anew where it ends
        found = rounds.solved(found.point) or found
    if found is None:
        return MostPv(float("nan"), np.zeros(len(fleet)))
    reduced = rounds.x_cost - found.program.x_part.T @ found.solution.row_duals
    return MostPv(float(found.x.sum()), np.clip(-reduced / _PV_WORTH, 0.0, None))


def point_of(wires: Wires, fleet: Fleet, inputs: FleetInputs, done: Operation) -> Point | None:
    """Exact flows of an operation under these inputs' load and sun, None where it has none."""
    under = replace(done, p_pv_kw=inputs.pv_share[:, None] * fleet.pv_kw)
    return wires.point(*at_nodes(wires, fleet, inputs, under))
