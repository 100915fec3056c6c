"""The mixed-integer program that decides when generators run within one window.

Per generator and step: on u (binary), start v >= 0, ``min * u <= p <= max * u``, ``v >= u - u_before``; alone, the
convex hull of what a generator can do.
"""

from __future__ import annotations

import highspy
import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.errors import PlanError, SolverError
from agents.facility.equipment import Cogenerator
from agents.facility.exclusive import forbid_overlap
from agents.facility.problem import Assembled, Problem
from agents.highs import OPTIMAL, Program, accept, new_solver, pass_lp, run
from agents.terms import Terms

__all__ = ["CommitmentSearch"]

Array = npt.NDArray[np.float64]

_OPTIONS = (
    ("solver", "choose"),
    ("presolve", "on"),
    ("dual_simplex_cost_perturbation_multiplier", 1.0),  # many steps are alike: without it the simplex stalls
    ("primal_feasibility_tolerance", 1e-7),
    ("dual_feasibility_tolerance", 1e-7),
    # The gap closes at the root; these took three quarters of the time of a week and found nothing better.
    ("mip_allow_restart", False),
    ("mip_heuristic_run_rens", False),
    ("mip_heuristic_run_rins", False),
)


class CommitmentSearch:
    """The mixed-integer program of one window; its columns are those of the linear one, starts, and what is on.

    Parameters
    ----------
    problem, terms
        What is planned over the window and its look-ahead, and what it is decided against.
    before : dict of str to bool
        The generators to be committed, and whether each runs before the first step.
    n_own : int
        Steps of the window; the others are relaxed.
    gap, max_nodes
        As of `agents.facility.commitment.CommitmentOptions`.
    """

    def __init__(
        self,
        problem: Problem,
        terms: Terms,
        before: dict[str, bool],
        n_own: int,
        gap: float,
        max_nodes: int,
    ) -> None:
        self.problem, self.gap = problem, 0.0
        self._ends_at = (("mip_rel_gap", gap), ("mip_max_nodes", max_nodes))
        names = list(before)
        linear = problem.assemble(terms)
        self.layout, n = linear.layout, problem.needs.n_steps
        first, count = self.layout.n_columns, len(names)
        steps = np.arange(n)
        # Whole numbers stand last: starts of all steps, on in the look-ahead, on in the window's own steps.
        self.start = {name: first + k * n + steps for k, name in enumerate(names)}
        self.on = {}
        for k, name in enumerate(names):
            ahead = first + count * n + k * (n - n_own) + np.arange(n - n_own)
            own = first + count * (2 * n - n_own) + k * n_own + np.arange(n_own)
            self.on[name] = np.concatenate([own, ahead])
        self.n_integers = count * n_own
        self.matrix, self.program = self._extended(linear, before)

    def forgive(self, peaks: Array) -> None:
        """Count only what exceeds peaks that are paid for anyway."""
        self.program.lower[self.layout["peak"]] = np.maximum(peaks, 0.0)

    def run(self) -> Array:
        """Values of the columns, no store charging and discharging at once."""
        values = self._solve()
        while forbid_overlap(self.layout, values, self.program.upper):
            values = self._solve()
        return values

    def _solve(self) -> Array:
        solver = new_solver()
        for option, value in (*_OPTIONS, *self._ends_at):
            accept(solver.setOptionValue(option, value), f"option {option}")
        pass_lp(solver, self.matrix, self.program, self.n_integers)
        ended, info = run(solver), solver.getInfo()
        if ended == highspy.HighsModelStatus.kInfeasible:
            raise PlanError(f"no commitment of generators from {self.problem.needs.time(0)} on keeps their least loads")
        cut_short = ended == highspy.HighsModelStatus.kSolutionLimit and np.isfinite(info.objective_function_value)
        if ended != OPTIMAL and not cut_short:
            raise SolverError(f"HiGHS ended the search for a commitment with {ended.name}")
        self.gap = float(info.mip_gap)
        return np.array(solver.getSolution().col_value)

    def _extended(self, linear: Assembled, before: dict[str, bool]) -> tuple[sparse.csc_array, Program]:
        layout, plant, (n_rows, n_columns) = linear.layout, self.problem.plant, linear.matrix.shape
        n, count = self.problem.needs.n_steps, len(self.on)
        scale = self.problem.scaled(layout, linear.program.cost)[1]
        n_extra = 2 * count * n
        starts = np.zeros(n_extra)
        parts, lower, upper = [], [], []
        for k, name in enumerate(self.on):
            generator = plant.generators[name]
            starts[self.start[name] - n_columns] = scale * self.problem.objective.per_currency * generator.start_cost
            parts += self._generator_rows(name, generator, n_rows + 3 * k * n)
            lower += [np.full(n, -np.inf), np.zeros(n), np.append(-float(before[name]), np.zeros(n - 1))]
            upper += [np.zeros(n), np.full(2 * n, np.inf)]
        known = linear.matrix.tocoo()
        row, column = (np.concatenate([[known.row, known.col][k], *(part[k] for part in parts)]) for k in (0, 1))
        value = np.concatenate([known.data, *(np.full(part[0].shape, part[2]) for part in parts)])
        matrix = sparse.coo_array((value, (row, column)), shape=(n_rows + 3 * count * n, n_columns + n_extra)).tocsc()
        p = linear.program
        return matrix, Program(
            np.append(scale * linear.program.cost, starts),
            np.append(p.lower, np.zeros(n_extra)),
            np.append(p.upper, np.ones(n_extra)),
            np.concatenate([p.row_lower, *lower]),
            np.concatenate([p.row_upper, *upper]),
        )

    def _generator_rows(
        self, name: str, generator: Cogenerator, first: int
    ) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], float]]:
        n = self.problem.needs.n_steps
        most, least, starts = (first + k * n + np.arange(n) for k in range(3))
        power, on, start = self.layout[name], self.on[name], self.start[name]
        return [
            (most, power, 1.0),
            (most, on, -generator.rating_kw),
            (least, power, 1.0),
            (least, on, -generator.min_kw),
            (starts, start, 1.0),
            (starts, on, -1.0),
            (starts[1:], on[:-1], 1.0),
        ]
