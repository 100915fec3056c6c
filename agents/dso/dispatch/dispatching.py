"""Coordinated dispatch: a linear program and the exact flows of its solution, in turns until they agree."""

from __future__ import annotations

import time
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt

from agents.dso.dispatch.dispatched import Dispatch, Operation
from agents.dso.dispatch.reading import nodal_prices
from agents.dso.dispatch.rounds import CONFIRMED, Round, Rounds
from agents.dso.dispatch.settings import DispatchSettings
from agents.dso.dispatch.wires import Point, Wires
from agents.prosumer.fleet import Fleet, FleetInputs
from feeders.engines import Engine

__all__ = ["dispatch", "dispatched", "infeasible", "least_outside"]

Array = npt.NDArray[np.float64]

_TRIES = 5  # most flows at which a dispatch without a solution is looked at anew
_NOTHING = 1e-6  # p.u. and shares of ratings, over all steps
_SPARE = 0.1  # p.u. per gap of the objective
_STUCK = 0.8  # of what was outside before: there is no use in going on


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
    rounds = Rounds(engine, Wires.of(engine.feeder), fleet, inputs, chosen, priced_losses=chosen.gap < 1)
    best, passes = _search(rounds)
    if best is None or best.lost:
        return infeasible(rounds, best, passes, time.perf_counter() - began)
    return dispatched(rounds, best, passes, time.perf_counter() - began)


def _search(rounds: Rounds) -> tuple[Round | None, int]:
    """The best round, and how many there were: the cheapest that is confirmed, else the one least outside."""
    point, best = rounds.first_point(), None
    for passes in range(1, rounds.settings.passes + 1):
        found = rounds.solved(point)
        if found is None and best is None:
            found = least_outside(rounds, point)
        if found is None or found.point is None or found.elastic:
            return best or found, passes
        best = _better(best, found)
        if _ended(rounds, found):
            return best, passes
        point = rounds.again(found)
    return best, passes


def least_outside(rounds: Rounds, point: Point) -> Round | None:
    """Where there is no solution at a point: one at the flows of what is least outside the limits, or that itself.

    What is infeasible at flows far from those of any solution need not be so at nearer ones.
    """
    found, before = None, np.inf
    for _ in range(_TRIES):
        found = rounds.solved(point, elastic=True)
        if found is None or found.point is None:
            return found
        point = rounds.again(found)
        inside = rounds.solved(point) if found.outside <= _NOTHING else None
        if inside is not None:
            return inside
        if found.margin >= -CONFIRMED or found.outside > _STUCK * before:
            return found
        before = found.outside
    return found


def _better(best: Round | None, found: Round) -> Round:
    if best is None:
        return found
    if min(best.margin, found.margin) >= -CONFIRMED:
        return found if found.objective <= best.objective else best
    return found if found.margin > best.margin else best


def _ended(rounds: Rounds, found: Round) -> bool:
    settings, inside = rounds.settings, found.margin >= -CONFIRMED
    if rounds.reserve > 0 and found.margin > _SPARE * settings.gap:
        return False  # more is kept free than it takes
    cheap = found.objective - found.bound <= settings.gap * abs(found.objective)
    return inside and (cheap or found.error_pu <= settings.agree_pu)


def dispatched(rounds: Rounds, best: Round, passes: int, seconds: float) -> Dispatch:
    """What the best round says."""
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
    return Dispatch(**found, status="optimal", passes=passes, n_exclusive=len(rounds.closed), seconds=seconds)


def infeasible(rounds: Rounds, nearest: Round | None, passes: int, seconds: float) -> Dispatch:
    """That there is no operation within the limits, with the flows of the one least outside where there is one."""
    found: dict[str, Any] = {f.name: np.zeros((0, len(rounds.fleet))) for f in fields(Operation)}
    found |= {"x": np.zeros(0), "price": np.zeros((0, len(rounds.engine.feeder.buses))), "objective": np.nan}
    found |= {"flows": nearest and nearest.flows, "tightest": nearest and nearest.tightest}
    found |= {"terms": {}, "error_pu": np.nan if nearest is None else nearest.error_pu}
    return Dispatch(**found, status="infeasible", passes=passes, n_exclusive=len(rounds.closed), seconds=seconds)
