"""Driving-point impedances of a nodal model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array
from scipy.sparse.linalg import SuperLU, splu

from feeders.nodal import NodalModel

__all__ = ["driving_point_pu", "factorised", "free_nodes"]

_COLUMNS_AT_ONCE = 64  # the dense right-hand sides of 5,000 nodes stay in the processor's cache


def free_nodes(model: NodalModel) -> NDArray[np.int64]:
    """Nodes that are no sources, ascending."""
    return np.setdiff1d(np.arange(model.n_nodes), model.slack_nodes)


def factorised(matrix: csc_array) -> SuperLU:
    """Triangular factors of a structurally symmetric admittance matrix.

    The ordering keeps a tree a tree, and pivots are diagonal unless one is below a hundredth of its column: a radial
    feeder's factors have no entry beyond those of its lines.
    """
    options = {"SymmetricMode": True}
    return splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.01, relax=1, options=options)


def driving_point_pu(model: NodalModel) -> NDArray[np.complex128]:
    """Driving-point (Thevenin) impedance of each node with the sources shorted.

    Parameters
    ----------
    model : NodalModel
        The net in per unit.

    Returns
    -------
    ndarray, shape (n_nodes,)
        The diagonal of ``inv(Y_nn)``, with the admittance matrix of the nodes that are no sources; 0 at sources.
    """
    impedance = np.zeros(model.n_nodes, dtype=complex)
    free = free_nodes(model)
    if not len(free):
        return impedance
    factors = factorised(model.admittance_pu[free][:, free].tocsc())
    for start in range(0, len(free), _COLUMNS_AT_ONCE):
        rows = np.arange(start, min(start + _COLUMNS_AT_ONCE, len(free)))
        unit = np.zeros((len(free), len(rows)), dtype=complex, order="F")
        unit[rows, rows - start] = 1.0
        impedance[free[rows]] = factors.solve(unit)[rows, rows - start]
    return impedance
