"""Demand charges in the arbitrage LP: a variable for the peak of each window, above the import of its steps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.highs import Program
from agents.prosumer.demand import Demand

__all__ = ["peaks_matrix", "with_peaks"]

Array = npt.NDArray[np.float64]

_IMPORT = 3  # block of the import among the variables, see `agents.prosumer.highs`


def peaks_matrix(split: sparse.csc_array, n_steps: int, n_windows: int) -> sparse.csc_array:
    """The LP's matrix with one block of N variables more, the first D of them peaks, and N rows for each window w::

        peak_w - g_i  >=  0 within the window, free elsewhere

    so that it changes no more with the windows than with prices and forecasts. The other N - D variables rest.
    """
    n_columns = split.shape[1]
    i = np.tile(np.arange(n_steps), n_windows)
    row = np.arange(n_steps * n_windows)
    column = np.concatenate([_IMPORT * n_steps + i, n_columns + np.repeat(np.arange(n_windows), n_steps)])
    value = np.repeat([-1.0, 1.0], len(row))
    peaks = sparse.coo_array((value, (np.tile(row, 2), column)), shape=(len(row), n_columns + n_steps))
    widened = sparse.hstack([split, sparse.csc_array((split.shape[0], n_steps))])
    return sparse.vstack([widened, peaks], format="csc")


def with_peaks(program: Program, demand: Demand | None, scale: float, n_windows: int) -> Program:
    """The LP's numbers with those of the peaks of at most `n_windows`; without a demand they are free of charge.

    Parameters
    ----------
    program : Program
        The LP without peaks, variables of shape (blocks, N).
    demand : Demand, optional
        Of the last n steps.
    scale : float
        What prices are multiplied by.
    n_windows : int
        D.
    """
    n_steps = program.cost.shape[1]
    cost, lower, upper = np.zeros((3, n_steps))
    least = np.full((n_windows, n_steps), -np.inf)
    if demand is not None:
        size, n = demand.window.shape
        cost[:size], lower[:size] = scale * demand.price, demand.peak_so_far_kw
        least[:size, n_steps - n :][demand.window] = 0.0
    upper[:n_windows] = np.inf
    return Program(
        cost=np.vstack([program.cost, cost]),
        lower=np.vstack([program.lower, lower]),
        upper=np.vstack([program.upper, upper]),
        row_lower=np.append(program.row_lower, least),
        row_upper=np.append(program.row_upper, np.full(least.size, np.inf)),
    )
