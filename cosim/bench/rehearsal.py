"""The evening before: how long customers and operator rehearse a day, against the same plans by a general solver."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import linprog

from agents.customers import Block
from agents.dso import Coordination, coordinate, make_signal
from agents.prosumer import Homes
from agents.terms import Terms
from cosim.bench.row import Effort, Report, Row, Timing
from cosim.bench.stopwatch import timed
from cosim.evening import Eve
from cosim.model import CoSimulation
from cosim.population import resolve
from cosim.scenario import Scenario

__all__ = ["evening_of_homes", "rehearsals"]

Array = npt.NDArray[np.float64]

_SIGNALS = ("source", "demand-charge")
_MOST_PEERS = 20  # homes that are also planned by the peers; what they take is scaled


def rehearsals(effort: Effort, report: Report) -> Iterator[Row]:
    """Rehearsals of homes: plans, power flows and all, under a price and under a demand charge."""
    yield from _of_homes(effort, report)


def evening_of_homes(n: int) -> tuple[CoSimulation, Eve]:
    """Homes with batteries that leak a little, all alike, on a winter night under time of use.

    The operator watches the bus that their herd drops lowest; its limit is a thousandth above that voltage, so that
    signals have something to do whatever the number of homes. The model keeps the solvers of its threads alive.
    """
    model = CoSimulation(resolve(_scenario(n)))
    eve = model.evenings[0].prepared(model.clock.window())
    plan = eve.homes.respond(eve.tariff)
    off_peak = eve.options.active_of(len(plan.p_kw))
    lowest = eve.feeder.observe(plan.p_kw, plan.q_kvar).value[off_peak, 0].min()
    limited = model.settings[0].changed({"dso.vm_ref_pu": float(lowest) + 1e-3})
    model = CoSimulation(limited, feeder=model.grid.feeder)
    return model, model.evenings[0].prepared(model.clock.window())


def _scenario(n: int) -> Scenario:
    population = {"n": n, "pv_share": 0.2, "pv_kwp": 5.0, "battery_kwh": 6.0, "inverter_kva": 5.0}
    data = {
        "name": "rehearsal",
        "start": datetime(2016, 12, 5, 23, tzinfo=UTC),
        "rule": "none",
        "feeder": {"name": "parametric-12kv", "background_scale": 0.0},
        "tariff": {"kind": "time-of-use", "preset": "day-night", "kappa": 0.4},
        "population": {**population, "flexible_share": 0.0, "self_discharge_per_h": 0.002},
        "dso": {"signal": "none", "iterations": 8, "active": [{"start": "22:00", "end": "06:00"}]},
    }
    return Scenario.from_dict(data)


def _of_homes(effort: Effort, report: Report) -> Iterator[Row]:
    """Ours in one thread, all in; the peers make the same plans alone, without power flows, some of them scaled."""
    model, eve = evening_of_homes(effort.homes)
    for signal in _SIGNALS:  # the first plans compile
        _rehearsed(eve, signal)
    some = np.unique(np.linspace(0, effort.homes - 1, min(_MOST_PEERS, effort.homes)).astype(int))
    blocks = [eve.homes.blocks()[home] for home in some]
    for place, signal in enumerate(_SIGNALS):
        ours, theirs, difference = [], [], 0.0
        for repeat in range(effort.repeats):
            eve = model.evenings[0].prepared(model.clock.window())  # no solver knows last time's plans
            took, found = timed(partial(_rehearsed, eve, signal))
            ours.append(took)
            took, costs = timed(partial(_peer, found, model, eve, some, blocks))
            theirs.append(took * effort.homes / len(some))
            difference = max(difference, float(np.abs(costs - _costs(found, some)).max()))
            report((place + (repeat + 1) / effort.repeats) / len(_SIGNALS))
        peer = {"source": "HiGHS, home by home", "demand-charge": "scipy linprog (HiGHS), home by home"}[signal]
        note = f"peer: plans alone, scaled from {len(some)} of {effort.homes} homes"
        name, timings = f"rehearsal-{effort.homes}-homes-{signal}", (Timing(tuple(ours)), Timing(tuple(theirs)))
        iterations = {"homes": effort.homes, "iterations": found.iterates[-1].iteration}
        yield Row(name, timings[0], peer, timings[1], difference, "currency", note, iterations)


def _rehearsed(eve: Eve, signal: str) -> Coordination:
    return coordinate(eve.monitor, eve.homes, eve.tariff, make_signal(signal), options=eve.options)


def _costs(found: Coordination, some: npt.NDArray[np.int64]) -> Array:
    """What each of some homes owes by each iterate's own terms, all iterates; ties do not matter to it."""
    return np.array([iterate.terms.bills(iterate.p_kw)[some] for iterate in found.iterates])


def _peer(
    found: Coordination,
    model: CoSimulation,
    eve: Eve,
    some: npt.NDArray[np.int64],
    blocks: Sequence[Block],
) -> Array:
    """The plans of some homes against all terms of a rehearsal, made anew."""
    terms = [iterate.terms.of(some) for iterate in found.iterates]
    if any(one.has_demand_charge for one in terms):
        return np.array([[_solved(block, one, k) for k, block in enumerate(blocks)] for one in terms])
    rows = eve.homes.rows[some].tolist()
    homes = Homes(
        model.population, model.forecast, model.rows.signals, model.clock.window(), rows=rows, planner="highs"
    )
    return np.array([one.bills(homes.respond(one).p_kw) for one in terms])


def _solved(block: Block, terms: Terms, k: int) -> float:
    """What home k owes by its cheapest plan, as a linear program with a column for each demand charge."""
    program, n_charges = block.program, len(terms.demand_price)
    energy = terms.step_h * (terms.price_buy[:, k] @ block.imports - terms.price_sell[:, k] @ block.exports)
    cost = np.concatenate([program.cost.ravel() + energy, terms.demand_price[:, k]])
    rows = sparse.hstack([block.matrix, sparse.csc_array((block.matrix.shape[0], n_charges))])
    peaks = [sparse.hstack([block.imports[window], _minus(d, n_charges, window)]) for d, window in _windows(terms)]
    lower, upper = (np.concatenate([side.ravel(), np.full(n_charges, far)]) for side, far in _bounds(block))
    above = sparse.vstack([rows, -rows, *peaks]).tocsr()
    limit = np.concatenate([program.row_upper, -program.row_lower, np.zeros(above.shape[0] - 2 * rows.shape[0])])
    finite = np.isfinite(limit)
    solved = linprog(cost, A_ub=above[finite], b_ub=limit[finite], bounds=np.column_stack([lower, upper]))
    return float(solved.fun)


def _windows(terms: Terms) -> list[tuple[int, npt.NDArray[np.int64]]]:
    return [(d, np.flatnonzero(window)) for d, window in enumerate(terms.demand_window)]


def _minus(d: int, n: int, window: npt.NDArray[np.int64]) -> sparse.csc_array:
    """Minus the highest import of charge d, in each row of its window."""
    entries = (np.full(len(window), -1.0), (np.arange(len(window)), np.full(len(window), d)))
    return sparse.coo_array(entries, shape=(len(window), n)).tocsc()


def _bounds(block: Block) -> list[tuple[Array, float]]:
    return [(block.program.lower, 0.0), (block.program.upper, np.inf)]
