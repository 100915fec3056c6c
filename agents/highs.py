"""HiGHS as all agents use it: one thread, silent, the same answer every time, and every status looked at.

HiGHS answers "Optimal" to a different problem when a row that it refused goes unnoticed, so every status is
looked at and a solution is only read when there is one.
"""

from __future__ import annotations

from typing import NamedTuple

import highspy
import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.errors import SolverError

__all__ = ["OPTIMAL", "Program", "accept", "new_solver", "pass_lp", "run"]

Array = npt.NDArray[np.float64]

OPTIMAL = highspy.HighsModelStatus.kOptimal

# Against prices scaled to a mean of 1000, so 1e-12 of the mean price.
_TOLERANCE = 1e-9
_LEAST = 1e-9  # what HiGHS takes for a coefficient at all


class Program(NamedTuple):
    """The numbers of a linear program that change from solve to solve, beside its matrix.

    Attributes
    ----------
    cost, lower, upper : array
        Of the variables, of one shape; flattened in row order they are the matrix's columns.
    row_lower, row_upper : array, shape (n_rows,)
        Of the rows.
    """

    cost: Array
    lower: Array
    upper: Array
    row_lower: Array
    row_upper: Array


def new_solver() -> highspy.Highs:
    """A silent HiGHS that gives the same answer every time."""
    solver = highspy.Highs()
    for option, value in (
        ("output_flag", False),
        ("threads", 1),
        ("solver", "simplex"),
        ("presolve", "off"),
        # Perturbed, about one program in 2000 ends "Unknown" (1.15), its costs not quite put back.
        ("dual_simplex_cost_perturbation_multiplier", 0.0),
        ("primal_feasibility_tolerance", _TOLERANCE),
        ("dual_feasibility_tolerance", _TOLERANCE),
    ):
        accept(solver.setOptionValue(option, value), f"option {option}")
    return solver


def run(solver: highspy.Highs) -> highspy.HighsModelStatus:
    """Solve, and say how it ended.

    Raises
    ------
    SolverError
        When HiGHS does not run at all.
    """
    if solver.run() == highspy.HighsStatus.kError:
        # HiGHS refuses one thread where other code has made it use several: take what is there.
        accept(solver.setOptionValue("threads", 0), "option threads")
        if solver.run() == highspy.HighsStatus.kError:
            raise SolverError("HiGHS does not run")
    ended: highspy.HighsModelStatus = solver.getModelStatus()
    return ended


def pass_lp(solver: highspy.Highs, matrix: sparse.csc_array, program: Program, n_integers: int = 0) -> None:
    """Load a program to be minimised, whose last `n_integers` variables are whole numbers.

    Coefficients below 1e-9, such as of a customer on another voltage level than what is watched, are left out here, as
    HiGHS would leave them out with a warning.
    """
    tiny = np.abs(matrix.data) <= _LEAST
    if tiny.any():
        matrix = matrix.copy()
        matrix.data[tiny] = 0.0
        matrix.eliminate_zeros()
    n_rows, n_columns = matrix.shape
    whole = np.zeros(n_columns, dtype=np.int32)
    whole[n_columns - n_integers :] = int(highspy.HighsVarType.kInteger)
    status = solver.passModel(
        n_columns,
        n_rows,
        matrix.nnz,
        int(highspy.MatrixFormat.kColwise),
        int(highspy.ObjSense.kMinimize),
        0.0,
        program.cost.ravel(),
        program.lower.ravel(),
        program.upper.ravel(),
        program.row_lower,
        program.row_upper,
        matrix.indptr.astype(np.int32),
        matrix.indices.astype(np.int32),
        matrix.data,
        whole,
    )
    accept(status, "the program")


def accept(status: highspy.HighsStatus, what: str) -> None:
    """Raise `SolverError` unless HiGHS took `what`."""
    if status != highspy.HighsStatus.kOk:
        raise SolverError(f"HiGHS answered {status.name} to {what}")
