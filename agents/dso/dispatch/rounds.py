"""Rounds of a linear program and the exact flows of its solution, until the AC power flow finds nothing outside."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.dso.dispatch.dispatched import Operation
from agents.dso.dispatch.exclusive import one_way
from agents.dso.dispatch.program import ScenarioProgram, scenario_program
from agents.dso.dispatch.reading import at_nodes, operation, terms, voltages_pu
from agents.dso.dispatch.round import CONFIRMED, Near, Round
from agents.dso.dispatch.settings import DispatchSettings
from agents.dso.dispatch.sizing import Sizing
from agents.dso.dispatch.solving import Solution, solve
from agents.dso.dispatch.wires import Point, Wires
from agents.highs import Program
from agents.prosumer.car import charge_on_arrival
from agents.prosumer.fleet import Fleet, FleetInputs
from feeders.engines import Engine
from feeders.errors import PowerFlowError
from feeders.flows import Flows, power_flows, tightest

__all__ = ["CONFIRMED", "Round", "Rounds"]

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_SEEDS = (0.5, 1.0)  # of the first flows, and
_BARE = (0.0, 0.5, 1.0, 1.5)  # of those without devices: where tangents of the losses touch at first
_MORE = 1.5  # of a violation is kept free in the next round
_FINE = 5e-5  # a violation beyond this is not a rest of rounding, and the next round's flows see to it
_SHRINKS = 0.3  # what flows may change after a round that was outside, of what they could before
_WIDENS = 4.0  # likewise, after one that was inside
_OUTSIDE = 1e3  # per p.u. outside limits, of what the load costs: dearer than all that operation can save
_SOLVES = 8  # most programs per round, until no device charges and discharges at once


@dataclass
class Rounds:
    """What is solved again and again: one scenario of a fleet whose ratings may depend on x.

    Attributes
    ----------
    x_cost, x_upper : array, shape (X,)
    cost_share : float
        Factor on the costs of operation, beside those of x.
    priced_losses : bool
        Whether losses cost.
    """

    engine: Engine
    wires: Wires
    fleet: Fleet
    inputs: FleetInputs
    settings: DispatchSettings
    sizing: Sizing = field(default_factory=lambda: Sizing({}, 0))
    x_cost: Array = field(default_factory=lambda: np.zeros(0))
    x_upper: Array = field(default_factory=lambda: np.zeros(0))
    cost_share: float = 1.0
    priced_losses: bool = True
    closed: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    tangents: list[Point] = field(default_factory=list)
    reserve: float = 0.0
    near: Near | None = None
    bound: float = -np.inf

    @property
    def load_cost(self) -> float:
        """What the load alone costs [currency], for weights beside the costs of operation; at least 1."""
        per_step = self.inputs.p_load_kw.sum(axis=1) * np.abs(self.inputs.price)
        return max(float(per_step.sum()) * self.inputs.step_h, 1.0)

    def first_point(self) -> Point:
        """Flows to begin with: PV feeding in, cars and rooms spread over the day; without devices where these fail.

        Where they are outside voltage limits, inverters give or take all the reactive power they can.
        """
        grid, fleet, node = self.wires.grid, self.fleet, self.wires.node_of(self.fleet)
        p, q = grid.per_row(self.inputs.p_load_kw), grid.per_row(self.inputs.q_load_kvar)
        bare = self.wires.point(p, q)
        own = p + self.wires.summed(node, self._guess())
        first = self.wires.point(own, q) or bare or self._without_losses(q.shape)
        u = np.sqrt(first.v_pu2)
        missing = (u < grid.u_min_pu).any(axis=1).astype(float) - (u > grid.u_max_pu).any(axis=1)
        can = self.wires.summed(node, (fleet.q_share * (fleet.pv_kw + fleet.battery_kw))[None])
        first = self.wires.point(own, q - missing[:, None] * can) or first
        if self.priced_losses:
            self.tangents = [_scaled(bare or first, share) for share in _BARE]
            self.tangents += [_scaled(first, share) for share in _SEEDS]
        return first

    def _guess(self) -> Array:
        """Active power of rows for flows to begin with, shape (T, N)."""
        fleet, inputs = self.fleet, self.inputs
        p_ev, _ = charge_on_arrival(fleet, len(inputs), inputs.step_h, inputs.start_h)
        off_k = np.abs(inputs.t_out_c[:, None] - fleet.set_point_c)
        p_hp = fleet.n_rooms * np.minimum(off_k / (fleet.r_k_per_kw * fleet.cop), fleet.hp_unit_kw)
        found: Array = p_ev.mean(axis=0) + p_hp - inputs.pv_share[:, None] * fleet.pv_kw
        return found

    def solved(self, point: Point, elastic: bool = False) -> Round | None:
        """The best solution at a point, with the exact flows of it; None where there is none.

        With `elastic` limits give way, and the solution is the one that is least outside them.
        """
        program = self._program(point, _OUTSIDE * self.load_cost if elastic else None)
        solution = self._one_way(program, elastic)
        if solution is None and self.near is not None:
            self.near = None
            solution = self._one_way(program, elastic)
        if solution is None:
            return None
        n_x = self.sizing.n_x
        x, y = solution.values[:n_x], solution.values[n_x:]
        fleet = self.sizing.fleet(self.fleet, x) if n_x else self.fleet
        done = operation(program, y, self.wires, fleet, self.inputs, net=self.settings.exclusive)
        exact = self.wires.point(*at_nodes(self.wires, fleet, self.inputs, done))
        flows = self._flows(fleet, done)
        if exact is None or flows is None:
            return Round(program, solution, x, fleet, done, None, None, None, np.inf, {}, np.nan)
        exact = self.wires.judged(exact, flows)
        error = float(np.nanmax(np.abs(voltages_pu(program, y, self.wires) - flows.vm_pu)))
        costs = terms(done, fleet, self.inputs, self.settings.weights, self.wires, exact)
        if self.near is None:
            self.bound = float(program.cost @ y) + program.constant
        found = tightest(self.engine.feeder, flows)
        return Round(program, solution, x, fleet, done, exact, flows, found, error, costs, self.bound)

    def again(self, last: Round) -> Point:
        """Where the next program is made linear: at the last flows.

        Where these were outside the limits, the next ones stay nearer to them, and a small violation is kept free.
        """
        assert last.point is not None
        if self.priced_losses:
            self.tangents.append(last.point)
        if last.margin < -CONFIRMED:
            self.near = Near(last.point, _SHRINKS * (1.0 if self.near is None else self.near.share))
        if -_FINE < last.margin < -CONFIRMED:
            self.reserve += -_MORE * last.margin
        if last.margin > 0:
            self.reserve = max(self.reserve - last.margin, 0.0)
        if last.margin >= -CONFIRMED and self.near is not None:
            share = _WIDENS * self.near.share
            self.near = Near(last.point, share) if share < 1.0 else None
        return last.point

    def _program(self, point: Point, outside_cost: float | None) -> ScenarioProgram:
        settings = replace(self.settings, reserve_pu=self.settings.reserve_pu + self.reserve)
        tightened = replace(point, rating_kva=point.rating_kva * (1.0 - self.reserve))
        return scenario_program(
            self.wires,
            self.fleet,
            self.inputs,
            settings,
            tightened,
            sizing=self.sizing,
            x_upper=self.x_upper,
            tangents=self.tangents,
            outside_cost=outside_cost,
        )

    def _one_way(self, program: ScenarioProgram, elastic: bool) -> Solution | None:
        n_x = self.sizing.n_x
        share = 1 / (_OUTSIDE * self.load_cost) if elastic else self.cost_share
        matrix = sparse.csc_array(sparse.hstack([program.x_part, program.y_part]) if n_x else program.y_part)
        cost = np.concatenate([self.x_cost * (not elastic), share * program.cost])
        lower = np.concatenate([np.zeros(n_x), program.lower])
        upper = np.concatenate([self.x_upper, program.upper])
        if self.near is not None:
            self.near.bounds(program, lower[n_x:], upper[n_x:])
        for _ in range(_SOLVES):
            upper[n_x + self.closed] = 0.0
            solution = solve(matrix, Program(cost, lower, upper, program.row_lower, program.row_upper))
            if solution is None or not self.settings.exclusive:
                return solution
            more = one_way(program, solution.values[n_x:], self.fleet)
            if not len(more):
                return solution
            self.closed = np.concatenate([self.closed, more])
        return solution

    def _flows(self, fleet: Fleet, done: Operation) -> Flows | None:
        buses = self.engine.feeder.buses
        at = sparse.csr_array((fleet.bus[:, None] == buses).astype(float))  # (N, n_buses)
        p, q = self.inputs.p_load_kw + done.p_kw @ at, self.inputs.q_load_kvar - done.q_kvar @ at
        try:
            return power_flows(self.engine, p, q)
        except PowerFlowError:
            return None

    def _without_losses(self, shape: tuple[int, ...]) -> Point:
        nothing = np.zeros(shape)
        v = np.broadcast_to(self.wires.v_source_pu2, shape).copy()
        return Point(nothing, nothing, v, nothing, self.wires.ratings(v))


def _scaled(point: Point, share: float) -> Point:
    return replace(point, p_kw=share * point.p_kw, q_kvar=share * point.q_kvar)
