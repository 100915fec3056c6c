"""The arbitrage LP in HiGHS: one object whose matrix is passed once and whose numbers change."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.errors import SolverError
from agents.highs import OPTIMAL, Program, accept, new_solver, pass_lp, run
from agents.prosumer.battery import Battery
from agents.prosumer.peaks import peaks_matrix
from agents.prosumer.self_discharge import decay

__all__ = ["N_BLOCKS", "SplitLp", "split_matrix"]

Array = npt.NDArray[np.float64]

N_BLOCKS = 5  # variables per step: charge, discharge, flexible, import, energy

_SMALLEST = 1e-9  # entry of a matrix that HiGHS takes
_DUAL, _PRIMAL = 1, 4  # simplex_strategy


def split_matrix(n_steps: int, battery: Battery, step_h: float) -> sparse.csc_array:
    """The matrix of the LP, which prices and forecasts do not enter; rows::

    b_i - kept * b_{i-1} - gain * eta_ch * c_i + gain / eta_dis * d_i  =  lost * b_min   (N rows)
    g_i - f_i - c_i + d_i                                             >=  z_i            (N rows)
    h * sum_i f_i                                          in  [E - eps, E + eps]        (1 row)

    with lost and gain of `agents.prosumer.self_discharge`, kept = 1 - lost; without self-discharge kept is 1, gain h,
    and the right side 0. The first row has no b_{i-1}: its right side is that of a battery after a step at rest,
    b_start - lost * (b_start - b_min).
    """
    lost, gain = decay(battery.self_discharge_per_h, step_h)
    kept = 1.0 - lost if 1.0 - lost > _SMALLEST else 0.0
    i = np.arange(n_steps)
    c, d, f, g, b = (block * n_steps + i for block in range(N_BLOCKS))
    energy, meter, total = i, n_steps + i, np.full(n_steps, 2 * n_steps)
    entries = (
        (energy, b, 1.0),
        (energy[1:], b[:-1], -kept),
        (energy, c, -gain * battery.efficiency_charge),
        (energy, d, gain / battery.efficiency_discharge),
        (meter, g, 1.0),
        (meter, f, -1.0),
        (meter, c, -1.0),
        (meter, d, 1.0),
        (total, f, step_h),
    )
    row, column = (np.concatenate([entry[part] for entry in entries]) for part in (0, 1))
    value = np.repeat([entry[2] for entry in entries], [len(entry[0]) for entry in entries])
    matrix = sparse.coo_array((value, (row, column))).tocsc()
    matrix.eliminate_zeros()
    return matrix


class SplitLp:
    """The LP of one prosumer, solved again and again from its last basis.

    Parameters
    ----------
    n_steps, battery, step_h
        As of `split_matrix`.
    n_windows : int
        Demand windows D, at most N; with one or more there is a sixth block of variables, see `peaks_matrix`.
    """

    def __init__(self, n_steps: int, battery: Battery, step_h: float, n_windows: int = 0) -> None:
        self.matrix = split_matrix(n_steps, battery, step_h)
        if n_windows:
            self.matrix = peaks_matrix(self.matrix, n_steps, n_windows)
        self._n_steps = n_steps
        n_rows, n_columns = self.matrix.shape
        self._columns = np.arange(n_columns, dtype=np.int32)
        self._rows = np.arange(n_rows, dtype=np.int32)
        self._solver = new_solver()
        nothing = Program(*np.zeros((3, n_columns)), *np.zeros((2, n_rows)))
        pass_lp(self._solver, self.matrix, nothing)

    def solve(self, program: Program) -> Array:
        """Optimal values of the variables, shape (5, N), or (6, N) with demand windows.

        Raises
        ------
        SolverError
            When HiGHS refuses a number, or proves no optimum even from a fresh start.
        """
        solver, columns, rows = self._solver, self._columns, self._rows
        cost, lower, upper = program.cost.ravel(), program.lower.ravel(), program.upper.ravel()
        accept(solver.changeColsCost(columns.size, columns, cost), "costs")
        accept(solver.changeColsBounds(columns.size, columns, lower, upper), "bounds")
        accept(solver.changeRowsBounds(rows.size, rows, program.row_lower, program.row_upper), "forecasts")
        if run(solver) != OPTIMAL:
            self._start_afresh()
        return np.array(solver.getSolution().col_value).reshape(-1, self._n_steps)

    def _start_afresh(self) -> None:
        """Solve from no basis and by the other simplex, for when rounding stopped the first."""
        solver = self._solver
        accept(solver.clearSolver(), "a fresh start")
        accept(solver.setOptionValue("simplex_strategy", _PRIMAL), "the primal simplex")
        ended = run(solver)
        accept(solver.setOptionValue("simplex_strategy", _DUAL), "the dual simplex")
        if ended != OPTIMAL:
            raise SolverError(f"HiGHS ended with {ended.name}")
