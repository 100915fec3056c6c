"""A linear program in one HiGHS object: passed once, its numbers change, each solve starts from the last basis."""

from __future__ import annotations

import highspy
import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.errors import SolverError
from agents.highs import OPTIMAL, Program, accept, new_solver, pass_lp, run

__all__ = ["INFEASIBLE", "WarmLp"]

Array = npt.NDArray[np.float64]

INFEASIBLE = highspy.HighsModelStatus.kInfeasible

_DUAL, _PRIMAL = 1, 4  # simplex_strategy


class WarmLp:
    """A program whose costs and bounds change from solve to solve."""

    def __init__(self, matrix: sparse.csc_array, program: Program) -> None:
        self._solver = new_solver()
        pass_lp(self._solver, matrix, program)
        self._columns = np.arange(matrix.shape[1], dtype=np.int32)

    def change_cost(self, cost: Array) -> None:
        """Set the cost of every column."""
        accept(self._solver.changeColsCost(self._columns.size, self._columns, cost), "costs")

    def change_bounds(self, lower: Array, upper: Array) -> None:
        """Set the bounds of every column."""
        accept(self._solver.changeColsBounds(self._columns.size, self._columns, lower, upper), "bounds")

    def solve(self) -> Array | None:
        """Optimal values of the columns, or None where no values keep to the bounds.

        Raises
        ------
        SolverError
            When HiGHS proves neither, even from a fresh start.
        """
        ended = run(self._solver)
        if ended not in (OPTIMAL, INFEASIBLE):
            ended = self._from_afresh()
        if ended == INFEASIBLE:
            return None
        if ended != OPTIMAL:
            raise SolverError(f"HiGHS ended with {ended.name}")
        return np.array(self._solver.getSolution().col_value)

    def _from_afresh(self) -> highspy.HighsModelStatus:
        """Solve from no basis and by the other simplex, for when rounding stopped the first."""
        solver = self._solver
        accept(solver.clearSolver(), "a fresh start")
        accept(solver.setOptionValue("simplex_strategy", _PRIMAL), "the primal simplex")
        ended = run(solver)
        accept(solver.setOptionValue("simplex_strategy", _DUAL), "the dual simplex")
        return ended
