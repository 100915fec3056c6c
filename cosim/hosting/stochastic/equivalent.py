"""The deterministic equivalent: one linear program of the first stage and the operation in every scenario.

Scenarios stand side by side, tied by the ratings x alone. Energies and temperatures scale with the ratings (extensive
states), so no binary variables or big-M are needed where a device may or may not be. Of the sides of the polygons that
hold the ratings of branches only those near the flows are rows; others join when a solution crosses them, so that the
solution is that of the whole program.

Source: V. J. Nair et al., "Dynamic resource coordination can increase grid hosting capacity", two-stage program (6).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace

import highspy
import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.dso.dispatch import DispatchSettings
from agents.dso.dispatch.exclusive import one_way
from agents.dso.dispatch.program import ScenarioProgram, scenario_program
from agents.dso.dispatch.wires import Point, Wires
from agents.errors import SolverError
from agents.highs import OPTIMAL, Program, accept, pass_lp, run
from agents.prosumer.fleet import FleetInputs
from cosim.hosting.stochastic.first_stage import FirstStage

__all__ = ["Equivalent", "Joint", "sides_of_ratings"]

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_NEAR = 0.85  # of a rating at the last flow: sides that are rows from the start
_CLOSE = 0.97  # of one that a solution crosses: sides that join with it
_CROSSED = 1e-7
_ROUNDS = 8


@dataclass(frozen=True)
class Joint:
    """A solution of all scenarios together.

    Attributes
    ----------
    x : array, shape (4 m,)
        Ratings [kW].
    short_kw : array, shape (3,)
        What of batteries, cars and heat pumps the feeder does not take.
    y : list of array
        Operation in each scenario, columns of its program.
    costs : array, shape (S,)
        Cost of operation [currency].
    programs : list of ScenarioProgram
    gap : float
        Of the interior point method: primal less dual objective over their size.
    n_rows, n_columns : int
    """

    x: Array
    short_kw: Array
    y: list[Array]
    costs: Array
    programs: list[ScenarioProgram]
    gap: float
    n_rows: int
    n_columns: int


@dataclass
class Equivalent:
    """What is solved pass after pass.

    Attributes
    ----------
    weights : array, shape (S,)
        Probability of each scenario.
    closed : list of array of int
        Columns of each scenario held at 0: directions in which devices may not run in a step, since they ran both ways.
    """

    wires: Wires
    stage: FirstStage
    scenarios: list[FleetInputs]
    weights: Array
    settings: DispatchSettings
    closed: list[IntArray] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.closed:
            self.closed = [np.zeros(0, dtype=np.int64) for _ in self.scenarios]

    def close(self, joint: Joint) -> int:
        """Close the lesser direction of devices that charge and discharge at once; how many were found."""
        fleet = self.stage.sizing.fleet(self.stage.fleet, joint.x)
        more = [one_way(p, y, fleet) for p, y in zip(joint.programs, joint.y, strict=True)]
        self.closed = [np.union1d(old, new) for old, new in zip(self.closed, more, strict=True)]
        return sum(map(len, more))

    def solved(self, points: list[Point]) -> Joint:
        """The best plan with the flows of each scenario made linear at a point.

        Raises
        ------
        SolverError
            When HiGHS ends without a solution; what the feeder cannot take shows as `short_kw` instead.
        """
        programs = [self._program(s, p) for s, p in zip(self.scenarios, points, strict=True)]
        sides = [sides_of_ratings(p) for p in programs]
        kept = [_near(program, s, point) for program, s, point in zip(programs, sides, points, strict=True)]
        for _ in range(_ROUNDS):
            joint = self._with_rows(programs, kept)
            crossed = [_crossed(p, s, joint.x, y) for p, s, y in zip(programs, sides, joint.y, strict=True)]
            new = [c & ~k for (_, c), k in zip(crossed, kept, strict=True)]
            if not any(n.any() for n in new):
                return joint
            kept = [k | close for k, (close, _) in zip(kept, crossed, strict=True)]
        raise SolverError(f"sides of ratings still missing after {_ROUNDS} rounds")

    def _program(self, inputs: FleetInputs, point: Point) -> ScenarioProgram:
        reserve = self.settings.reserve_pu
        tightened = replace(point, rating_kva=point.rating_kva * (1.0 - reserve))
        stage = self.stage
        return scenario_program(
            self.wires, stage.fleet, inputs, self.settings, tightened, sizing=stage.sizing, x_upper=stage.upper
        )

    def _with_rows(self, programs: list[ScenarioProgram], kept: list[BoolArray]) -> Joint:
        """The program with some of the sides."""
        stage, risk = self.stage, _risk(programs, self.weights, self.stage)
        n_x, n_first = len(stage.upper), len(stage.upper) + 3
        rows = [np.flatnonzero(k) for k in kept]
        below = sparse.block_diag([p.y_part[r] for p, r in zip(programs, rows, strict=True)])
        beside = sparse.vstack([_padded(p.x_part[r], 3) for p, r in zip(programs, rows, strict=True)])
        main = sparse.vstack([_padded(stage.rows(), below.shape[1]), sparse.hstack([beside, below])])
        matrix = sparse.csc_array(sparse.vstack([_padded(main, risk.n_columns), risk.rows]))
        program = Program(
            cost=np.concatenate([stage.cost(), risk.cost]),
            lower=np.concatenate([np.zeros(n_first), *(p.lower for p in programs), risk.lower]),
            upper=np.concatenate([stage.upper, stage.totals, *self._uppers(programs), risk.upper]),
            row_lower=np.concatenate(
                [stage.totals, *(p.row_lower[r] for p, r in zip(programs, rows, strict=True)), risk.row_lower]
            ),
            row_upper=np.concatenate(
                [stage.totals, *(p.row_upper[r] for p, r in zip(programs, rows, strict=True)), risk.row_upper]
            ),
        )
        values, gap = _interior(matrix, program)
        ends = np.cumsum([n_first, *(p.y_part.shape[1] for p in programs)])
        y = [values[a:b] for a, b in itertools.pairwise(ends.tolist())]
        costs = np.array([p.cost @ each for p, each in zip(programs, y, strict=True)])
        return Joint(values[:n_x], values[n_x:n_first], y, costs, programs, gap, *matrix.shape)

    def _uppers(self, programs: list[ScenarioProgram]) -> list[Array]:
        found = []
        for program, closed in zip(programs, self.closed, strict=True):
            upper = program.upper.copy()
            upper[closed] = 0.0
            found.append(upper)
        return found


@dataclass(frozen=True)
class _Risk:
    """How costs of scenarios enter: costs of all columns after the first stage, and rows and columns beside them."""

    cost: Array
    lower: Array
    upper: Array
    rows: sparse.csr_array
    n_columns: int

    @property
    def row_lower(self) -> Array:
        return np.full(self.rows.shape[0], -np.inf)

    @property
    def row_upper(self) -> Array:
        return np.zeros(self.rows.shape[0])


def _risk(programs: list[ScenarioProgram], weights: Array, stage: FirstStage) -> _Risk:
    """Expectation, or the mean of the dearest (conditional value at risk; Rockafellar and Uryasev 2000, (9))::

    min over eta of  eta + sum of weight max(cost - eta, 0) / tail
    """
    costs = [p.cost for p in programs]
    n_first, n_y = len(stage.upper) + 3, sum(map(len, costs))
    if stage.plan.risk == "expectation":
        weighted = np.concatenate([w * c for w, c in zip(weights, costs, strict=True)])
        return _Risk(weighted, np.zeros(0), np.zeros(0), sparse.csr_array((0, n_first + n_y)), 0)
    n = len(programs)
    per_scenario = sparse.block_diag([sparse.csr_array(c[None]) for c in costs])
    excess = sparse.hstack([-np.ones((n, 1)), -sparse.eye_array(n)])
    rows = sparse.csr_array(sparse.hstack([sparse.csr_array((n, n_first)), per_scenario, excess]))
    cost = np.concatenate([np.zeros(n_y), [1.0], weights / stage.plan.tail])
    lower = np.concatenate([[-np.inf], np.zeros(n)])
    return _Risk(cost, lower, np.full(n + 1, np.inf), rows, n + 1)


def _padded(part: sparse.csr_array | Array, n: int) -> sparse.csr_array:
    """Columns of zeros after it."""
    return sparse.csr_array(sparse.hstack([sparse.csr_array(part), sparse.csr_array((part.shape[0], n))]))


def sides_of_ratings(program: ScenarioProgram) -> BoolArray:
    """Rows that bound a sum of active and reactive flow and nothing else: sides of the polygons of ratings."""
    flows = np.zeros(program.y_part.shape[1])
    for name in ("p_kw", "q_kvar"):
        flows[program.groups[name].index] = 1.0
    others = abs(program.y_part) @ (1.0 - flows) + np.asarray(abs(program.x_part).sum(axis=1)).ravel()
    found: BoolArray = (others == 0) & ~np.isfinite(program.row_lower) & (abs(program.y_part) @ flows > 0)
    return found


def _near(program: ScenarioProgram, sides: BoolArray, point: Point) -> BoolArray:
    """All rows but for the sides far from the point's flows."""
    y = np.zeros(program.y_part.shape[1])
    y[program.groups["p_kw"].index], y[program.groups["q_kvar"].index] = point.p_kw, point.q_kvar
    found: BoolArray = ~sides | (program.y_part @ y > _NEAR * program.row_upper)
    return found


def _crossed(program: ScenarioProgram, sides: BoolArray, x: Array, y: Array) -> tuple[BoolArray, BoolArray]:
    """Sides that a solution is close to, and those that it crosses."""
    at = program.y_part @ y + program.x_part @ x
    close: BoolArray = sides & (at > _CLOSE * program.row_upper)
    return close, close & (at > (1 + _CROSSED) * program.row_upper + _CROSSED)


def _interior(matrix: sparse.csc_array, program: Program) -> tuple[Array, float]:
    """Values by HiGHS's interior point method without a search for a corner, and the gap it ends with.

    Presolve doubles the time here; where the method stalls without, it is tried with.
    """
    for presolve in ("off", "on"):
        solver = highspy.Highs()
        for option, value in (
            ("output_flag", False),
            ("threads", 1),
            ("solver", "ipx"),
            ("run_crossover", "off"),
            ("presolve", presolve),
        ):
            accept(solver.setOptionValue(option, value), f"option {option}")
        pass_lp(solver, matrix, program)
        ended = run(solver)
        if ended == OPTIMAL:
            gap = float(solver.getInfo().primal_dual_objective_error)
            return np.array(solver.getSolution().col_value), gap
    raise SolverError(f"HiGHS ended {ended.name} on the program of all scenarios")
