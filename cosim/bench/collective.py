"""A week of four facilities under the operator's dummy price, and the bound: what an iteration costs, and all of it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from agents.customers import Response
from agents.dso import FeederMonitor, Observation, central_bound, coordinate, make_signal
from agents.facility import Facilities, FacilityPlanner
from agents.terms import Terms
from cosim.bench.row import Effort, Report, Row, Timing
from cosim.bench.stopwatch import timed
from cosim.collective import NIGHT_LOADS, Week, WeekSettings, collective_week
from feeders import make_engine

__all__ = ["collective_weeks"]


def collective_weeks(effort: Effort, report: Report) -> Iterator[Row]:
    """One iteration (four programs, a week of AC power flow), six of them from the tariff on, and the bound.

    The peer of an iteration plans the same with programs made afresh, from no basis, and computes the same flows by
    power-grid-model.
    """
    week = collective_week(WeekSettings(), NIGHT_LOADS["tight"])
    signal = make_signal("source")
    iterations: list[float] = []
    studies: list[float] = []
    for repeat in range(effort.repeats):
        took, found = timed(
            partial(coordinate, week.monitor, week.facilities, week.tariff, signal, options=week.options)
        )
        studies.append(took)
        iterations += [iterate.seconds for iterate in found.iterates[1:]]
        report((repeat + 1) / (effort.repeats + 2))
    terms = found.iterates[1].terms
    afresh, (theirs, seen) = timed(partial(_afresh, week, terms))
    ours = week.facilities.respond(terms)
    difference = np.abs(seen.value - week.monitor.observe(ours.p_kw, ours.q_kvar).value).max()
    yield Row(
        "collective-week-iteration",
        Timing(tuple(iterations)),
        "programs made afresh, power-grid-model",
        Timing((afresh,)),
        float(difference),
        "p.u.",
        "four facilities, 672 steps, signal included",
        {"programs_differ_kw": float(np.abs(theirs.p_kw - ours.p_kw).max())},
    )
    n = len(found.iterates) - 1
    yield Row("collective-week-study", Timing(tuple(studies)), note=f"the plans for the tariff and {n} iterations")
    took, bound = timed(partial(central_bound, week.monitor, week.facilities, week.tariff, options=week.options))
    report(1.0)
    details = {"rounds": bound.rounds, "linearisation_error_pu": bound.linearisation_error_pu}
    yield Row("collective-week-bound", Timing((took,)), note="checked by AC power flow", details=details)


def _afresh(week: Week, terms: Terms) -> tuple[Response, Observation]:
    """The plans and the flows of one iteration by programs and an engine that have solved nothing before."""
    planners = []
    for known in week.facilities.planners:
        planner = FacilityPlanner(known.name, known.plant, known.needs)
        planner.commitment = known.commitment
        planners.append(planner)
    facilities = Facilities(planners, week.facilities.buses)
    engine = make_engine(week.monitor.feeder, "power-grid-model")
    engine.set_slack_vm_pu(float(np.abs(week.monitor.engine.nodal.slack_vm_pu[0])))
    others_p, others_q = week.monitor.bus_powers(*np.zeros((2, *terms.price_buy.shape)))
    feeder = engine.feeder
    own = feeder.background_p_kw, feeder.background_q_kvar
    monitor = FeederMonitor(engine, facilities.buses, others_p + own[0], own[1] - others_q, week.monitor.watches)
    response = facilities.respond(terms)
    return response, monitor.observe(response.p_kw, response.q_kvar)
