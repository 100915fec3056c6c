"""GLPK, another solver, for programs in rows and columns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import swiglpk as glpk  # type: ignore[import-untyped]
from scipy import sparse

from agents.highs import Program

__all__ = ["glpk_objective"]

Array = npt.NDArray[np.float64]


def glpk_objective(matrix: sparse.csc_array, program: Program) -> float:
    """The least cost by GLPK's simplex."""
    glpk.glp_term_out(glpk.GLP_OFF)
    problem = glpk.glp_create_prob()
    try:
        _fill(problem, sparse.coo_array(matrix), program)
        assert glpk.glp_simplex(problem, None) == 0
        assert glpk.glp_get_status(problem) == glpk.GLP_OPT
        return float(glpk.glp_get_obj_val(problem))
    finally:
        glpk.glp_delete_prob(problem)


def _fill(problem: object, matrix: sparse.coo_array, program: Program) -> None:
    n_rows, n_columns = matrix.shape
    glpk.glp_add_rows(problem, n_rows)
    glpk.glp_add_cols(problem, n_columns)
    for row, (low, high) in enumerate(zip(program.row_lower, program.row_upper, strict=True)):
        glpk.glp_set_row_bnds(problem, row + 1, *_bounds(low, high))
    for column, (low, high) in enumerate(zip(program.lower, program.upper, strict=True)):
        glpk.glp_set_col_bnds(problem, column + 1, *_bounds(low, high))
        glpk.glp_set_obj_coef(problem, column + 1, float(program.cost[column]))
    rows, columns, values = (
        glpk.intArray(matrix.nnz + 1),
        glpk.intArray(matrix.nnz + 1),
        glpk.doubleArray(matrix.nnz + 1),
    )
    for k, (row, column, value) in enumerate(zip(*matrix.coords, matrix.data, strict=True)):
        rows[k + 1], columns[k + 1], values[k + 1] = int(row) + 1, int(column) + 1, float(value)
    glpk.glp_load_matrix(problem, matrix.nnz, rows, columns, values)


def _bounds(low: float, high: float) -> tuple[int, float, float]:
    kinds = {
        (True, True): glpk.GLP_DB,
        (True, False): glpk.GLP_LO,
        (False, True): glpk.GLP_UP,
        (False, False): glpk.GLP_FR,
    }
    kind = glpk.GLP_FX if low == high else kinds[bool(np.isfinite(low)), bool(np.isfinite(high))]
    return kind, float(low) if np.isfinite(low) else 0.0, float(high) if np.isfinite(high) else 0.0
