"""Whether a feeder takes a fleet: by its devices' own profiles, or coordinated; the AC power flow judges both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from agents.dso.dispatch import Dispatch, DispatchSettings, dispatch
from agents.prosumer.fleet import RATINGS, Fleet
from agents.prosumer.own_profiles import own_profiles
from cosim.hosting.capacity import Stop
from cosim.hosting.case import HostingCase
from cosim.hosting.definition import Definition
from cosim.hosting.level import TOLERANCE, Check, LevelCheck, judged, stop_of

__all__ = ["Check", "LevelCheck", "dynamic_check", "dynamic_settings", "static_check"]

_RESERVES = 3  # attempts to leave the voltages that much more room by which the AC power flow was outside


def static_check(case: HostingCase, definition: Definition) -> Check:
    """Each device runs its own profile without coordination: plain AC power flows, no reactive power of inverters."""

    def check(fleet: Fleet) -> LevelCheck:
        own = own_profiles(fleet, case.inputs, definition.heat_pumps, buses=case.feeder.buses)
        return judged(case, fleet, own.p_kw, np.zeros_like(own.p_kw))

    return check


def dynamic_check(case: HostingCase, definition: Definition, settings: DispatchSettings | None = None) -> Check:
    """All devices are coordinated, and the AC power flow of the dispatch has to be inside all limits.

    A coordinator may also leave the devices alone: where no dispatch is confirmed and their own profiles are, the fleet
    is taken. So no fleet is refused that needs no coordination.
    """
    alone = static_check(case, definition)
    chosen = dynamic_settings(definition, settings)

    def check(fleet: Fleet) -> LevelCheck:
        found = _coordinated(case, definition, fleet, chosen)
        if found is not None and found.feasible:
            return found
        left = alone(fleet)
        return left if left.feasible or found is None else found

    return check


def dynamic_settings(definition: Definition, settings: DispatchSettings | None = None) -> DispatchSettings:
    """Settings of a dispatch that may curtail PV only where the definition lets it."""
    return replace(settings or DispatchSettings(), curtailable=definition.curtailment > 0)


def _coordinated(
    case: HostingCase, definition: Definition, fleet: Fleet, settings: DispatchSettings
) -> LevelCheck | None:
    """What a dispatch of the fleet comes to; None where there is no device to dispatch."""
    owned = np.any([getattr(fleet, name) > 0 for name in RATINGS], axis=0)
    if not owned.any():
        return None
    present = fleet.rows(owned)
    for _ in range(_RESERVES):
        done = dispatch(case.engine, present, case.inputs, settings)
        if done.status == "infeasible":
            return _refused(case, fleet, done)
        found = _confirmed(case, definition, present, done)
        if found.margin != found.margin or found.margin >= -TOLERANCE:
            break
        settings = replace(settings, reserve_pu=settings.reserve_pu - 1.5 * found.margin)
    return replace(found, fleet=fleet)


def _refused(case: HostingCase, fleet: Fleet, done: Dispatch) -> LevelCheck:
    """No dispatch: what is furthest beyond its limit in the one that is least outside of all."""
    nearest = done.tightest
    if nearest is None or nearest.margin >= -TOLERANCE:
        return LevelCheck(False, Stop("infeasible"), float("nan"), {}, float("nan"), fleet)
    return LevelCheck(False, stop_of(case, nearest), nearest.margin, {}, float("nan"), fleet, nearest)


def _confirmed(case: HostingCase, definition: Definition, present: Fleet, done: Dispatch) -> LevelCheck:
    """The AC power flow of a dispatch; where it curtails too much, what would be outside without, and when."""
    share = _curtailed_share(done)
    found = judged(case, present, done.p_kw, done.q_kvar, share, definition.curtailment)
    if found.stop is None or found.stop.kind != "curtailment":
        return found
    whole = judged(case, present, done.p_kw - done.p_curtailed_kw, done.q_kvar).stop
    if whole is None:
        return found
    return replace(found, stop=replace(found.stop, element=whole.element, hour=whole.hour))


def _curtailed_share(done: Dispatch) -> float:
    possible = float((done.p_pv_kw + done.p_curtailed_kw).sum())
    return float(done.p_curtailed_kw.sum()) / possible if possible > 0 else 0.0
