"""How far ratings can go along a direction while some dispatch keeps the feeder within its limits."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from agents.dso.dispatch.dispatched import Dispatch
from agents.dso.dispatch.dispatching import dispatched, infeasible, least_outside
from agents.dso.dispatch.rounds import CONFIRMED, Round, Rounds
from agents.dso.dispatch.settings import DispatchSettings
from agents.dso.dispatch.sizing import Sizing
from agents.dso.dispatch.wires import Wires
from agents.prosumer.fleet import Fleet, FleetInputs
from feeders.engines import Engine
from feeders.errors import InputError

__all__ = ["most"]

Array = npt.NDArray[np.float64]

_TIE = 1e-4  # of a level of 1, for all that the base case costs: operation breaks ties only
_SETTLED = 1e-4  # share of the level within which rounds agree


def most(
    engine: Engine,
    fleet: Fleet,
    inputs: FleetInputs,
    direction: dict[str, Array],
    settings: DispatchSettings | None = None,
    *,
    upper: float,
) -> Dispatch:
    """The highest level at which ratings ``fleet + level * direction`` can be operated within all limits.

    The level is a variable of the program, so that one program takes the place of a search. Costs of operation only
    decide between operations at the same level.

    Parameters
    ----------
    direction : mapping of str to array, shape (N,)
        kW of each row per level, by the names of `agents.prosumer.fleet.RATINGS`; none below 0.
    settings : DispatchSettings, optional
        Usually with ``curtailable=False``: what may be curtailed without end has no highest level.
    upper : float
        Highest level of interest.

    Returns
    -------
    Dispatch
        With the level as ``x[0]``, the highest of the rounds that the AC power flow confirms (see ``confirmed()``);
        "infeasible" where there is no operation even at level 0.

    Raises
    ------
    InputErrors, InputError, SolverError
        As `dispatch`; also for a direction below 0 or of another shape.
    """
    began = time.perf_counter()
    _check(fleet, direction, upper)
    chosen = DispatchSettings() if settings is None else settings
    rounds = Rounds(
        engine,
        Wires.of(engine.feeder),
        fleet,
        inputs,
        chosen,
        sizing=Sizing.along(direction),
        x_cost=-np.ones(1),
        x_upper=np.array([upper]),
        priced_losses=False,
    )
    rounds.cost_share = _TIE / rounds.load_cost
    best, passes = _search(rounds)
    if best is None or best.lost:
        return infeasible(rounds, best, passes, time.perf_counter() - began)
    return dispatched(rounds, best, passes, time.perf_counter() - began)


def _search(rounds: Rounds) -> tuple[Round | None, int]:
    point, best, last = rounds.first_point(), None, np.nan
    for passes in range(1, rounds.settings.passes + 1):
        found = rounds.solved(point)
        if found is None and passes == 1:
            found = least_outside(rounds, point)
        if found is None or found.point is None:
            return best or found, passes
        best = _better(best, found)
        level = float(found.x[0])
        if found.margin >= -CONFIRMED and abs(level - last) <= _SETTLED * max(level, 1e-9):
            break
        point, last = rounds.again(found), level
    return best, passes


def _better(best: Round | None, found: Round) -> Round:
    """The higher of two that are confirmed, else the one less outside."""
    if best is None:
        return found
    if min(best.margin, found.margin) >= -CONFIRMED:
        return found if found.x[0] >= best.x[0] else best
    return found if found.margin > best.margin else best


def _check(fleet: Fleet, direction: dict[str, Array], upper: float) -> None:
    for name, per_level in direction.items():
        if per_level.shape != (len(fleet),) or not (np.isfinite(per_level) & (per_level >= 0)).all():
            raise InputError("direction", name, per_level.shape, f"{len(fleet)} numbers, none below 0")
    if not 0 <= upper < np.inf:
        raise InputError("most", "upper", upper, "0 or more, finite")
