"""The static case of siting and sizing: PV, cars and heat pumps where they fit best, each left to its own profile.

Batteries serve their own bus without looking ahead, which is not linear in their size or in the PV beside them: they
are sited by load, and their profiles of the last pass stand in the next. Everything else is linear in the ratings:
profiles per kW, and flows and voltages made linear at the exact flows of the last pass.

Source: V. J. Nair et al., "Dynamic resource coordination can increase grid hosting capacity", two-stage program (3).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.dso.dispatch.wires import Wires
from agents.prosumer.fleet import Fleet, FleetInputs
from agents.prosumer.own_profiles import own_profiles
from cosim.hosting.case import HostingCase
from cosim.hosting.check import static_check
from cosim.hosting.definition import Definition
from cosim.hosting.level import LevelCheck
from cosim.hosting.stochastic.first_stage import FirstStage, TwoStagePlan, first_stage
from cosim.hosting.stochastic.static_rows import StaticScenario, most_static_pv
from feeders.errors import InputError

__all__ = ["StaticPlan", "static_plan"]

Array = npt.NDArray[np.float64]

_PASSES = 4
_SHORT_KW = 1e-2
_SMALLER, _LEAST, _FINE = 0.99, 0.5, 1e-4  # shares of the PV at which a plan is tried by the AC power flow


@dataclass(frozen=True)
class StaticPlan:
    """A plan without coordination, and how it does.

    Attributes
    ----------
    fleet : Fleet
        A row per candidate.
    level : float
        PV as a share of the peak load; NaN where the feeder does not take what else is asked for.
    kw : float
    short_kw : array, shape (2,)
        Cars and heat pumps that are not taken.
    outcomes : DataFrame
        A row per scenario that was checked: ``scenario, kept, feasible, margin, stop``.
    feasible_share : float
    seconds : float
    """

    fleet: Fleet
    level: float
    kw: float
    short_kw: Array
    outcomes: pd.DataFrame
    feasible_share: float
    seconds: float


def static_plan(
    case: HostingCase,
    plan: TwoStagePlan,
    scenarios: Sequence[FleetInputs],
    *,
    kept: Sequence[int] | None = None,
    check_all: bool = True,
) -> StaticPlan:
    """The most PV that the feeder takes in some scenarios where nothing is coordinated; checked in all.

    Parameters
    ----------
    kept : sequence of int, optional
        Positions of the scenarios that are planned for; all by default.

    Raises
    ------
    InputError
        Where the load alone has no power flow.
    """
    began = time.perf_counter()
    chosen = list(range(len(scenarios))) if kept is None else [int(i) for i in kept]
    wires, stage = Wires.of(case.feeder), first_stage(case, plan)
    fleet, short_kw = _sited(case, wires, stage, [scenarios[i] for i in chosen])
    level, outcomes = float("nan"), dict[int, LevelCheck]()
    if not short_kw.any():
        fleet, outcomes, level = _confirmed(case, plan, fleet, scenarios, chosen)
    if check_all and np.isfinite(level):
        outcomes |= _checked(case, plan, fleet, scenarios, [i for i in range(len(scenarios)) if i not in outcomes])
    rows = [
        {"scenario": i, "kept": i in chosen, "feasible": o.feasible, "margin": o.margin, "stop": _stop(o)}
        for i, o in sorted(outcomes.items())
    ]
    table = pd.DataFrame(rows, columns=["scenario", "kept", "feasible", "margin", "stop"])
    share = float(table["feasible"].mean()) if rows else float("nan")
    return StaticPlan(fleet, level, level * case.peak_kva, short_kw, table, share, time.perf_counter() - began)


def _sited(case: HostingCase, wires: Wires, stage: FirstStage, scenarios: list[FleetInputs]) -> tuple[Fleet, Array]:
    """Pass by pass: profiles and flows of the last plan, then the best plan by them."""
    m, load = stage.m, case.feeder.background_p_kw[case.candidates]
    fleet = stage.fleet.with_ratings(battery_kw=stage.totals[0] * load / load.sum())
    upper = np.concatenate([stage.upper[:m], stage.upper[2 * m :]])
    short_kw = np.zeros(2)
    for _ in range(_PASSES):
        parts = [_scenario(case, wires, stage, fleet, inputs) for inputs in scenarios]
        x, short_kw = most_static_pv(wires, parts, upper, stage.totals[1:])
        fleet = fleet.with_ratings(pv_kw=x[:m], ev_kw=x[m : 2 * m], hp_kw=x[2 * m :])
    return fleet, np.where(short_kw > _SHORT_KW, short_kw, 0.0)


def _scenario(case: HostingCase, wires: Wires, stage: FirstStage, fleet: Fleet, inputs: FleetInputs) -> StaticScenario:
    """A scenario made linear at a plan."""
    heat_pumps, buses = stage.plan.heat_pumps, case.feeder.buses
    ones = np.ones(len(fleet))
    per_kw = own_profiles(stage.fleet.with_ratings(ev_kw=ones, hp_kw=ones), inputs, heat_pumps, buses=buses)
    own = own_profiles(fleet, inputs, heat_pumps, buses=buses)
    node, grid = wires.node_of(fleet), wires.grid
    q = grid.per_row(inputs.q_load_kvar)
    point = wires.point(grid.per_row(inputs.p_load_kw) + wires.summed(node, own.p_kw), q)
    if point is None:  # far too much of something: made linear at the load alone
        bare = fleet.with_ratings(pv_kw=0 * ones, ev_kw=0 * ones, hp_kw=0 * ones, battery_kw=0 * ones)
        own = own_profiles(bare, inputs, heat_pumps, buses=buses)
        fleet, point = bare, wires.point(grid.per_row(inputs.p_load_kw), q)
    if point is None:
        raise InputError(case.feeder.name, "loads", "no power flow", "loads that have one")
    at = np.concatenate([fleet.pv_kw, fleet.ev_kw, fleet.hp_kw])
    shares = np.stack([-inputs.pv_share[:, None] * ones, per_kw.p_ev_kw, per_kw.p_hp_kw])
    return StaticScenario(node, at, shares, point)


def _confirmed(
    case: HostingCase, plan: TwoStagePlan, fleet: Fleet, scenarios: Sequence[FleetInputs], chosen: list[int]
) -> tuple[Fleet, dict[int, LevelCheck], float]:
    """The plan in its scenarios, with the largest share of its PV that the AC power flow confirms."""

    def lowered(share: float) -> tuple[Fleet, dict[int, LevelCheck], bool]:
        less = fleet.with_ratings(pv_kw=share * fleet.pv_kw)
        found = _checked(case, plan, less, scenarios, chosen)
        return less, found, all(o.feasible for o in found.values())

    share, found = 1.0, lowered(1.0)
    while not found[2] and share > _LEAST:
        share *= _SMALLER
        found = lowered(share)
    if not found[2]:
        return found[0], found[1], float("nan")
    low, high = share, min(share / _SMALLER, 1.0)
    while high - low > _FINE:
        middle = (low + high) / 2
        tried = lowered(middle)
        low, high, found = (middle, high, tried) if tried[2] else (low, middle, found)
    return found[0], found[1], float(found[0].pv_kw.sum()) / case.peak_kva


def _checked(
    case: HostingCase, plan: TwoStagePlan, fleet: Fleet, scenarios: Sequence[FleetInputs], which: Sequence[int]
) -> dict[int, LevelCheck]:
    definition = Definition(heat_pumps=plan.heat_pumps)
    return {i: static_check(replace(case, inputs=scenarios[i]), definition)(fleet) for i in which}


def _stop(check: LevelCheck) -> str:
    if check.stop is not None:
        return str(check.stop)
    return "" if check.tightest is None else f"{check.tightest.kind} at {check.tightest.element}"
