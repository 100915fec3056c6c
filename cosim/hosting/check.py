"""Whether a feeder takes a fleet: by its devices' own profiles, or coordinated; the AC power flow judges both."""

from __future__ import annotations

import numpy as np
from agents.prosumer.own_profiles import own_profiles

from agents.prosumer.fleet import Fleet
from cosim.hosting.case import HostingCase
from cosim.hosting.definition import Definition
from cosim.hosting.level import Check, LevelCheck, judged

__all__ = ["Check", "LevelCheck", "static_check"]


def static_check(case: HostingCase, definition: Definition) -> Check:
    """Each device runs its own profile without coordination: plain AC power flows, no reactive power of inverters."""

    def check(fleet: Fleet) -> LevelCheck:
        own = own_profiles(fleet, case.inputs, definition.heat_pumps, buses=case.feeder.buses)
        return judged(case, fleet, own.p_kw, np.zeros_like(own.p_kw))

    return check
