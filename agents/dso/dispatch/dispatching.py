"""Coordinated dispatch: a linear program and the exact flows of its solution, in turns until they agree."""

from __future__ import annotations

import time
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt

from agents.dso.dispatch.dispatched import Dispatch
from agents.dso.dispatch.reading import Operation, nodal_prices
from agents.dso.dispatch.rounds import CONFIRMED, Round, Rounds
from agents.dso.dispatch.settings import DispatchSettings
from agents.dso.dispatch.wires import Point, Wires
from agents.prosumer.fleet import Fleet, FleetInputs
from feeders.engines import Engine

__all__ = ["dispatch", "dispatched", "infeasible", "outside_first"]

Array = npt.NDArray[np.float64]

_WIDER = 0.02  # p.u. and share of ratings by which limits give way to find flows to be made linear at


def dispatch(engine: Engine, fleet: Fleet, inputs: FleetInputs, settings: DispatchSettings | None = None) -> Dispatch:
    """The cheapest operation of a fleet over all steps that keeps the feeder within its limits.

    Parameters
    ----------
    engine : Engine
        Of a radial feeder; its AC power flow judges.
    fleet, inputs : Fleet and FleetInputs
    settings : DispatchSettings, optional

    Returns
    -------
    Dispatch
        ``status`` is "infeasible" where no operation keeps within the limits, also when made linear at the flows of an
        operation that is a little outside them. Whether the AC power flow agrees is for ``confirmed()`` to say.

    Raises
    ------
    InputError
        For a meshed feeder, and devices at buses that are not energised.
    SolverError
        When HiGHS fails.
    """
    began = time.perf_counter()
    chosen = DispatchSettings() if settings is None else settings
    rounds = Rounds(engine, Wires.of(engine.feeder), fleet, inputs, chosen)
    best, passes = _search(rounds)
    if best is None:
        return infeasible(rounds, passes, time.perf_counter() - began)
    return dispatched(rounds, best, passes, time.perf_counter() - began)


def _search(rounds: Rounds) -> tuple[Round | None, int]:
    """The best round, and how many there were: the cheapest that is confirmed, else the one least outside."""
    point, best = rounds.first_point(), None
    for passes in range(1, rounds.settings.passes + 1):
        found = rounds.solved(point)
        if found is None and passes == 1:
            found = outside_first(rounds, point)
        if found is None or found.point is None:
            return best or found, passes
        best = _better(best, found)
        if _ended(rounds.settings, found):
            return best, passes
        point = rounds.again(found)
    return best, rounds.settings.passes


def outside_first(rounds: Rounds, point: Point) -> Round | None:
    """A solution at the flows of one that is a little outside the limits."""
    outside = rounds.solved(point, wider=_WIDER)
    if outside is None or outside.point is None:
        return None
    return rounds.solved(outside.point)


def _better(best: Round | None, found: Round) -> Round:
    if best is None:
        return found
    if min(best.margin, found.margin) >= -CONFIRMED:
        return found if found.objective <= best.objective else best
    return found if found.margin > best.margin else best


def _ended(settings: DispatchSettings, found: Round) -> bool:
    inside = found.margin >= -CONFIRMED
    cheap = found.objective - found.bound <= settings.gap * abs(found.objective)
    return inside and (cheap or found.error_pu <= settings.agree_pu)


def dispatched(rounds: Rounds, best: Round, passes: int, seconds: float) -> Dispatch:
    duals = best.solution.row_duals / rounds.cost_share
    found: dict[str, Any] = {
        **vars(best.done),
        "x": best.x,
        "price": nodal_prices(best.program, duals, rounds.wires, rounds.inputs.step_h),
        "objective": best.objective,
        "terms": best.terms,
        "flows": best.flows,
        "tightest": best.tightest,
        "error_pu": best.error_pu,
    }
    return Dispatch("optimal", **found, passes=passes, n_exclusive=len(rounds.closed), seconds=seconds)


def infeasible(rounds: Rounds, passes: int, seconds: float) -> Dispatch:
    found: dict[str, Any] = {f.name: np.zeros((0, len(rounds.fleet))) for f in fields(Operation)}
    found |= {"x": np.zeros(0), "price": np.zeros((0, len(rounds.engine.feeder.buses))), "objective": np.nan}
    found |= {"terms": {}, "flows": None, "tightest": None, "error_pu": np.nan}
    return Dispatch("infeasible", **found, passes=passes, n_exclusive=len(rounds.closed), seconds=seconds)
