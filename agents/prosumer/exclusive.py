"""Where negative prices would make a battery charge and discharge at once: choose one of the two, exactly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.prosumer.highs import N_BLOCKS, Program, accept, new_solver, pass_lp, solution

__all__ = ["charging_steps"]

_MIP_OPTIONS = (
    ("solver", "choose"),
    ("presolve", "on"),
    ("mip_rel_gap", 0.0),
    ("mip_abs_gap", 1e-6),
    ("mip_feasibility_tolerance", 1e-9),
)


def charging_steps(matrix: sparse.csc_array, program: Program, steps: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """For each of `steps`, whether the battery may charge there (True) or discharge in an optimal plan.

    The program with one binary u per step, ``c <= c_max * u`` and ``d <= d_max * (1 - u)``: mixed-integer, solved
    by branch and bound until no better plan can exist. It starts cold, so that equal programs have equal answers.

    Raises
    ------
    SolverError
        When HiGHS does not prove an optimum.
    """
    n_steps = program.cost.shape[1]
    m, k = N_BLOCKS * n_steps, len(steps)
    charge_max, discharge_max = program.upper[0, steps], program.upper[1, steps]
    row, one = np.arange(k), np.ones(k)
    pick_c = sparse.csr_array((one, (row, steps)), shape=(k, m))
    pick_d = sparse.csr_array((one, (row, n_steps + steps)), shape=(k, m))
    blocks = [
        [matrix, None],
        [pick_c, -sparse.diags_array(charge_max)],
        [pick_d, sparse.diags_array(discharge_max)],
    ]
    extended = Program(
        cost=np.append(program.cost, np.zeros(k)),
        lower=np.append(program.lower, np.zeros(k)),
        upper=np.append(program.upper, np.ones(k)),
        row_lower=np.concatenate([program.row_lower, np.full(2 * k, -np.inf)]),
        row_upper=np.concatenate([program.row_upper, np.zeros(k), discharge_max]),
    )
    solver = new_solver()
    for option, value in _MIP_OPTIONS:
        accept(solver.setOptionValue(option, value), f"option {option}")
    accept(pass_lp(solver, sparse.csc_array(sparse.block_array(blocks)), extended, n_integers=k), "the MILP")
    charging: npt.NDArray[np.bool_] = solution(solver)[m:] > 0.5
    return charging
