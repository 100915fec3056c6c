"""What all programs go through on their way to HiGHS."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from agents.highs import OPTIMAL, Program, new_solver, pass_lp, run


@pytest.mark.parametrize("tiny", [0.0, 1e-12, 9e-10, -9e-10])
def test_a_coefficient_that_is_next_to_nothing_is_nothing(tiny: float) -> None:
    """Least x + y with x + tiny y >= 2 and 0 <= x, y <= 5: x = 2, y = 0; HiGHS warns of such a coefficient."""
    matrix = sparse.csc_array((np.array([1.0, tiny]), np.array([0, 0]), np.array([0, 1, 2])), shape=(1, 2))
    ones = np.ones(2)
    solver = new_solver()
    pass_lp(solver, matrix, Program(ones, 0 * ones, 5 * ones, np.array([2.0]), np.array([np.inf])))
    assert run(solver) == OPTIMAL
    assert list(solver.getSolution().col_value) == [2.0, 0.0]
    assert solver.getNumNz() == 1
    assert matrix.data.tolist() == [1.0, tiny]  # the caller's own stays as it is
