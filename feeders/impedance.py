"""Impedances of a nodal model, seen with its sources shorted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import splu

from feeders.nodal import NodalModel

__all__ = ["ShortedSources"]

_COLUMNS_AT_ONCE = 256  # bounds the dense right-hand sides: 20 MB for 5,000 nodes


class ShortedSources:
    """The factorised admittance matrix of the nodes that are not sources, ``Y_nn``.

    Parameters
    ----------
    model : NodalModel
        The net in per unit.
    """

    def __init__(self, model: NodalModel) -> None:
        self._n_nodes = model.n_nodes
        self._free = np.setdiff1d(np.arange(model.n_nodes), model.slack_nodes)
        if len(self._free):
            self._factors = splu(model.admittance_pu[self._free][:, self._free].tocsc())

    def voltage_change_pu(self, current_pu: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """Complex voltage change, shape (n_nodes,), by currents injected at the nodes, shape (n_nodes,)."""
        change = np.zeros(self._n_nodes, dtype=complex)
        if len(self._free):
            change[self._free] = self._factors.solve(current_pu[self._free])
        return change

    def driving_point_pu(self) -> NDArray[np.complex128]:
        """Driving-point (Thevenin) impedance of each node, shape (n_nodes,): diagonal of ``inv(Y_nn)``."""
        impedance = np.zeros(self._n_nodes, dtype=complex)
        for start in range(0, len(self._free), _COLUMNS_AT_ONCE):
            rows = np.arange(start, min(start + _COLUMNS_AT_ONCE, len(self._free)))
            unit = np.zeros((len(self._free), len(rows)), dtype=complex)
            unit[rows, rows - start] = 1.0
            impedance[self._free[rows]] = self._factors.solve(unit)[rows, rows - start]
        return impedance
