"""The most PV where all profiles are given per kW: a small linear program, its rows added as they are crossed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.dso.dispatch.solving import solve
from agents.dso.dispatch.wires import Point, Wires
from agents.errors import SolverError
from agents.highs import Program

__all__ = ["StaticScenario", "most_static_pv"]

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_SHORT_COST = 1e4  # currency/kW: what is asked for comes before more PV
_CROSSED = 1e-7
_ROUNDS = 60


@dataclass(frozen=True)
class StaticScenario:
    """Profiles per kW, and the flows of a plan x at which voltages are made linear.

    Attributes
    ----------
    node : array of int, shape (m,)
        Row of the grid of each candidate.
    at : array, shape (3 m,)
        Plan of the flows: kW of PV, cars and heat pumps.
    shares : array, shape (3, T, m)
        Power consumed per kW of each.
    point : Point
    """

    node: IntArray
    at: Array
    shares: Array
    point: Point

    def rises(self, wires: Wires) -> tuple[Array, Array]:
        """Change of flows [kW] and of squared voltages per kW of each x, as (n, m) and (n, m) per unit of share."""
        grid = wires.grid
        below = wires.below.toarray()[:, self.node]
        falls = -2 * grid.r_pu[:, None] / grid.base_kva * below
        return below, wires.below.T @ falls


@dataclass(frozen=True)
class _Rows:
    """Limits of a scenario as functions of x: ``a (x - at) <= room`` by what, step and node."""

    scenario: StaticScenario
    flow: Array
    voltage: Array
    rooms: dict[str, Array]

    def changes(self, x: Array) -> tuple[Array, Array]:
        """Of flows and squared voltages, shape (T, n) each."""
        m = len(self.scenario.node)
        per_kind = (x - self.scenario.at).reshape(3, 1, m) * self.scenario.shares
        injected = per_kind.sum(axis=0)
        return injected @ self.flow.T, injected @ self.voltage.T

    def excess(self, x: Array) -> dict[str, Array]:
        """How far beyond each limit, over its size; shape (T, n) each."""
        flow, voltage = self.changes(x)
        signed = {"most": voltage, "least": -voltage, "into": flow, "out": -flow}
        return {kind: (signed[kind] - room) / _SIZE[kind] for kind, room in self.rooms.items()}

    def row(self, kind: str, step: int, node: int) -> tuple[Array, float]:
        """Coefficients of x, and the most their sum may be."""
        rise = (self.voltage if kind in ("most", "least") else self.flow)[node]
        sign = 1.0 if kind in ("most", "into") else -1.0
        a = sign * (rise * self.scenario.shares[:, step]).ravel() / _SIZE[kind]
        return a, float(self.rooms[kind][step, node] / _SIZE[kind] + a @ self.scenario.at)


_SIZE = {"most": 1e-3, "least": 1e-3, "into": 1.0, "out": 1.0}  # squared p.u. and kW, so that rows are of one size


def most_static_pv(wires: Wires, scenarios: list[StaticScenario], upper: Array, totals: Array) -> tuple[Array, Array]:
    """The plan with most PV within all limits, and what of the cars and heat pumps it leaves out.

    Parameters
    ----------
    upper : array, shape (3 m,)
        Bounds of x: kW of PV, cars and heat pumps at each candidate.
    totals : array, shape (2,)
        Of cars and heat pumps [kW].

    Raises
    ------
    SolverError
        When HiGHS fails, or rows are still crossed after many rounds.
    """
    m = len(upper) // 3
    limits = [_limits(wires, scenario) for scenario in scenarios]
    a, most = np.zeros((0, 3 * m)), np.zeros(0)
    for _ in range(_ROUNDS):
        x, short = _solved(a, most, upper, totals)
        new = [row for limit in limits for row in _crossed(limit, x)]
        if not new or not (x > 0).any():
            return x, short
        a = np.vstack([a, *(row[None] for row, _ in new)])
        most = np.concatenate([most, [room for _, room in new]])
    raise SolverError(f"limits still crossed after {_ROUNDS} rounds")


def _limits(wires: Wires, scenario: StaticScenario) -> _Rows:
    flow, voltage = scenario.rises(wires)
    grid, point = wires.grid, scenario.point
    held = ~np.isnan(grid.u_root_pu)
    high = np.where(held, np.inf, grid.u_max_pu**2)
    low = np.where(held, -np.inf, grid.u_min_pu**2)
    p_most = np.sqrt(np.maximum(point.rating_kva**2 - point.q_kvar**2, 0.0))  # reactive power does not move
    p_most = np.where(grid.parent < 0, np.inf, p_most)
    rooms = {
        "most": high - point.v_pu2,
        "least": point.v_pu2 - low,
        "into": p_most - point.p_kw,
        "out": p_most + point.p_kw,
    }
    return _Rows(scenario, flow, voltage, rooms)


def _crossed(limit: _Rows, x: Array) -> list[tuple[Array, float]]:
    """The row that is crossed most, of each kind at each node."""
    found: list[tuple[Array, float]] = []
    for kind, excess in limit.excess(x).items():
        worst = np.argmax(excess, axis=0)
        crossed = np.flatnonzero(excess[worst, np.arange(len(worst))] > _CROSSED)
        found += [limit.row(kind, int(worst[node]), int(node)) for node in crossed]
    return found


def _solved(a: Array, most: Array, upper: Array, totals: Array) -> tuple[Array, Array]:
    m = len(upper) // 3
    sums = np.zeros((2, 3 * m + 2))
    for kind in range(2):
        sums[kind, (kind + 1) * m : (kind + 2) * m] = sums[kind, 3 * m + kind] = 1.0
    matrix = sparse.csc_array(np.vstack([sums, np.hstack([a, np.zeros((len(a), 2))])]))
    program = Program(
        cost=np.concatenate([np.full(m, -1.0), np.zeros(2 * m), np.full(2, _SHORT_COST)]),
        lower=np.zeros(3 * m + 2),
        upper=np.concatenate([upper, totals]),
        row_lower=np.concatenate([totals, np.full(len(a), -np.inf)]),
        row_upper=np.concatenate([totals, most]),
    )
    solution = solve(matrix, program)
    if solution is None:  # not even an empty plan keeps within the limits
        return np.zeros(3 * m), totals
    return solution.values[: 3 * m], solution.values[3 * m :]
