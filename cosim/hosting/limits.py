"""Which limit keeps a coordinated feeder from taking more: the one that, a little wider, would let it."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np

from agents.dso.dispatch import DispatchSettings, dispatch
from agents.prosumer.fleet import RATINGS, Fleet
from cosim.hosting.capacity import Stop
from cosim.hosting.case import HostingCase
from cosim.hosting.check import dynamic_settings
from cosim.hosting.definition import Definition
from cosim.hosting.level import judged

__all__ = ["what_limits"]

_WIDER = (0.001, 0.005, 0.02)  # p.u. of voltage, and five times as much of a rating
_KINDS = ("over-voltage", "under-voltage", "loading")


def what_limits(
    case: HostingCase, definition: Definition, fleet: Fleet, settings: DispatchSettings | None = None
) -> Stop:
    """What is in the way of a fleet that no dispatch keeps within the limits.

    Where curtailing PV helps, it is what goes furthest beyond its limit when nothing is curtailed of the best such
    dispatch. Else each kind of limit is widened alone, little at first; with the first that lets a dispatch be, it is
    what goes furthest beyond the true limits in it. "infeasible" where none does so alone.
    """
    owned = np.any([getattr(fleet, name) > 0 for name in RATINGS], axis=0)
    present, chosen = fleet.rows(owned), dynamic_settings(definition, settings)
    if present.pv_kw.any():
        done = dispatch(case.engine, present, case.inputs, replace(chosen, curtailable=True))
        if done.status == "optimal":
            found = judged(case, present, done.p_kw - done.p_curtailed_kw, done.q_kvar)
            if found.stop is not None:
                return found.stop
    for amount in _WIDER:
        for kind in _KINDS:
            wider = _widened(case, kind, amount)
            done = dispatch(wider.engine, present, case.inputs, chosen)
            if done.status == "optimal":
                found = judged(case, present, done.p_kw, done.q_kvar)
                if found.stop is not None:
                    return found.stop
    return Stop("infeasible")


def _widened(case: HostingCase, kind: str, amount: float) -> HostingCase:
    """The case with one kind of limits wider, its flows the same."""
    feeder = case.feeder.copy()
    if kind == "over-voltage":
        feeder.vm_max_pu = feeder.vm_max_pu + amount
    elif kind == "under-voltage":
        feeder.vm_min_pu = feeder.vm_min_pu - amount
    else:
        feeder.net.line["df"] *= 1 + 5 * amount
        feeder.net.trafo["df"] *= 1 + 5 * amount
    engine = copy.copy(case.engine)
    engine.feeder = feeder
    return replace(case, feeder=feeder, engine=engine)
