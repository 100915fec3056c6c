"""Where negative prices would make a battery charge and discharge at once: choose one of the two, exactly."""

from __future__ import annotations

from typing import NamedTuple

import highspy
import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.errors import SolverError
from agents.highs import OPTIMAL, Program, accept, new_solver, pass_lp, run

__all__ = ["Choice", "charge_or_discharge"]

_OPTIONS = (
    ("solver", "choose"),
    ("presolve", "on"),
    ("mip_rel_gap", 0.0),
    ("mip_abs_gap", 1e-6),
    ("mip_feasibility_tolerance", 1e-9),
    # Prices that vary are solved at the first node. A day of one negative price has as many equally good
    # plans as there are ways to alternate, and would not end; counting nodes keeps the answer repeatable.
    ("mip_max_nodes", 300),
)


class Choice(NamedTuple):
    """What to do in each step that needs a decision.

    Attributes
    ----------
    charging : array of bool, shape (k,)
        Whether the battery may charge (True) or discharge.
    gap : float
        By how much a better choice may lower the objective at most; 0 when the choice is proved optimal.
    """

    charging: npt.NDArray[np.bool_]
    gap: float


def charge_or_discharge(matrix: sparse.csc_array, program: Program, steps: npt.NDArray[np.int64]) -> Choice:
    """Choose charging or discharging in each of `steps` (shape (k,)), so that the program's cost is least.

    Adds a binary u per step with ``c <= c_max * u`` and ``d <= d_max * (1 - u)``, and solves by branch and bound. It
    starts cold, so that equal programs have equal answers.

    Raises
    ------
    SolverError
        When HiGHS finds no choice.
    """
    solver = new_solver()
    for option, value in _OPTIONS:
        accept(solver.setOptionValue(option, value), f"option {option}")
    extended, extended_matrix = _with_binaries(matrix, program, steps)
    pass_lp(solver, extended_matrix, extended, n_integers=len(steps))
    status = run(solver)
    info = solver.getInfo()
    stopped_early = status == highspy.HighsModelStatus.kSolutionLimit
    if status != OPTIMAL and not (stopped_early and np.isfinite(info.objective_function_value)):
        raise SolverError(f"HiGHS ended the search for a choice with {status.name}")
    charging = np.array(solver.getSolution().col_value)[program.cost.size :] > 0.5
    return Choice(charging, info.objective_function_value - info.mip_dual_bound if stopped_early else 0.0)


def _with_binaries(
    matrix: sparse.csc_array, program: Program, steps: npt.NDArray[np.int64]
) -> tuple[Program, sparse.csc_array]:
    (n_rows, n_columns), n_steps, k = matrix.shape, program.cost.shape[1], len(steps)
    charge_max, discharge_max = program.upper[0, steps], program.upper[1, steps]
    known = matrix.tocoo()
    c, d, u = steps, n_steps + steps, n_columns + np.arange(k)
    by_charge, by_discharge = n_rows + np.arange(k), n_rows + k + np.arange(k)
    row = np.concatenate([known.row, by_charge, by_charge, by_discharge, by_discharge])
    column = np.concatenate([known.col, c, u, d, u])
    value = np.concatenate([known.data, np.ones(k), -charge_max, np.ones(k), discharge_max])
    extended = Program(
        cost=np.append(program.cost, np.zeros(k)),
        lower=np.append(program.lower, np.zeros(k)),
        upper=np.append(program.upper, np.ones(k)),
        row_lower=np.append(program.row_lower, np.full(2 * k, -np.inf)),
        row_upper=np.concatenate([program.row_upper, np.zeros(k), discharge_max]),
    )
    return extended, sparse.coo_array((value, (row, column)), shape=(n_rows + 2 * k, n_columns + k)).tocsc()
