"""A coordinated day of the IEEE 123 node feeder: the linear program in its rounds against the cone program."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from agents.dso.dispatch import DispatchSettings, dispatch
from agents.dso.dispatch.cone import cone_dispatch
from agents.prosumer.fleet import RATINGS, Fleet
from cosim.bench.row import Effort, Report, Row, Timing
from cosim.bench.stopwatch import timed
from cosim.hosting.capacity import Der
from cosim.hosting.case import HostingCase, hosting_case
from cosim.hosting.definition import Definition, Penetration
from cosim.hosting.siting import fleet_at
from feeders.errors import InputError
from feeders.ieee123 import ieee123_feeder

__all__ = ["dispatches", "some_fleet"]

_CASES: tuple[tuple[Der, float, Penetration], ...] = (
    ("hp", 0.3, Penetration(battery=0.1, pv=0.2, ev=0.05)),
    ("pv", 0.4, Penetration(battery=0.05, ev=0.05, hp=0.05)),
)
_SETTINGS = DispatchSettings(curtailable=False)


def dispatches(effort: Effort, report: Report) -> Iterator[Row]:
    """Seconds per dispatch of 24 h, with the AC power flows of both; how much dearer the linear program's is."""
    case = hosting_case(ieee123_feeder())
    for place, (der, level, fixed) in enumerate(_CASES):
        yield _row(case, f"dispatch-{der}", some_fleet(case, der, level, fixed), effort)
        report((place + 1) / len(_CASES))


def some_fleet(case: HostingCase, der: Der, level: float, fixed: Penetration) -> Fleet:
    """The devices at a level, without the rows that have none."""
    fleet = fleet_at(case, Definition(der=der, fixed=fixed), level)
    return fleet.rows(np.any([getattr(fleet, name) > 0 for name in RATINGS], axis=0))


def _row(case: HostingCase, name: str, fleet: Fleet, effort: Effort) -> Row:
    ours, theirs = [], []
    for _ in range(effort.repeats):
        took, found = timed(partial(dispatch, case.engine, fleet, case.inputs, _SETTINGS))
        ours.append(took)
        try:
            took, cone = timed(partial(cone_dispatch, case.engine, fleet, case.inputs, _SETTINGS))
        except InputError as error:
            return Row(name, Timing(tuple(ours)), note=str(error))
        theirs.append(took)
    dearer = found.objective / cone.dispatch.objective - 1.0
    note = f"difference: of the objective; {cone.phantom_kwh:.2g} kWh of losses in the cone program are not there"
    timings = Timing(tuple(ours)), Timing(tuple(theirs))
    details = {"rows": len(fleet), "passes": found.passes, "iterations": cone.iterations}
    return Row(name, timings[0], "Clarabel, second-order cones", timings[1], dearer, "share", note, details)
