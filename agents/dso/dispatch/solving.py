"""Linear programs of a dispatch in HiGHS's interior point method.

Its solution lies inside the face of best solutions instead of at a corner of it, so that it moves little from round to
round; corners are looked for only where it ends short of its tolerance. Simplex takes up to thirty times as long here.
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.errors import SolverError
from agents.highs import OPTIMAL, Program, accept, pass_lp, run

__all__ = ["Solution", "solve"]

Array = npt.NDArray[np.float64]

_INFEASIBLE = (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible)
_TOLERANCE = 1e-8


@dataclass(frozen=True)
class Solution:
    """Values of the columns, duals of the rows (what one more of a row's bounds costs), and the objective."""

    values: Array
    row_duals: Array
    objective: float


def solve(matrix: sparse.csc_array, program: Program) -> Solution | None:
    """The best solution, or None where the rows and bounds leave none.

    Raises
    ------
    SolverError
        When the numbers are not finite (HiGHS would drop the row), or HiGHS ends otherwise.
    """
    _require_numbers(matrix, program)
    for crossover, method in (("off", "ipx"), ("on", "ipx"), ("on", "simplex")):
        solver = _new_solver(crossover, method)
        pass_lp(solver, matrix, program)
        ended = run(solver)
        if ended == OPTIMAL:
            found = solver.getSolution()
            objective = float(solver.getObjectiveValue())
            return Solution(np.array(found.col_value), np.array(found.row_dual), objective)
        if ended in _INFEASIBLE:
            return None
    raise SolverError(f"HiGHS ended {ended.name} on the dispatch")


def _new_solver(crossover: str, method: str) -> highspy.Highs:
    solver = highspy.Highs()
    for option, value in (
        ("output_flag", False),
        ("threads", 1),
        ("solver", method),
        ("run_crossover", crossover),
        ("ipm_optimality_tolerance", _TOLERANCE),
    ):
        accept(solver.setOptionValue(option, value), f"option {option}")
    return solver


def _require_numbers(matrix: sparse.csc_array, program: Program) -> None:
    bounds = (program.lower, program.upper, program.row_lower, program.row_upper)
    if not (np.isfinite(matrix.data).all() and np.isfinite(program.cost).all()):
        raise SolverError("a coefficient of the dispatch is not finite")
    if any(np.isnan(bound).any() for bound in bounds):
        raise SolverError("a bound of the dispatch is not a number")
