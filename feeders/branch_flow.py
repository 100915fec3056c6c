"""What flows through lines and transformers, from the complex voltages of K power flows at once.

With pandapower's own branch admittances, so that taps, parallel circuits and open line ends are as it has them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from feeders.feeder import Feeder
from feeders.nodal import NodalModel

__all__ = ["line_currents_ka", "line_loading", "lost_kw", "trafo_active_kw", "trafo_loading", "trafo_powers_kva"]

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]


def line_currents_ka(model: NodalModel, voltages: ComplexArray) -> FloatArray:
    """Current at both ends of each line, parallel circuits together.

    Parameters
    ----------
    model : NodalModel
        The feeder as it is now: ``engine.nodal``.
    voltages : ndarray, complex, shape (K, n_nodes)
        Of ``engine.node_voltages`` [p.u.].

    Returns
    -------
    ndarray, shape (K, n_lines, 2)
        Magnitudes [kA] at the from and the to bus, in the order of ``net.line``; NaN for lines that are out of service
        or not energised.
    """
    sides = []
    for current, node in _ends(model, voltages):
        sides.append(np.abs(current) * model.base_mva / (np.sqrt(3.0) * model.base_kv[node]))
    return _per_element(np.stack(sides, axis=-1), model.line_branch)


def trafo_powers_kva(model: NodalModel, voltages: ComplexArray) -> FloatArray:
    """Apparent power at both sides of each two-winding transformer, parallel units together.

    Parameters and NaN as in `line_currents_ka`.

    Returns
    -------
    ndarray, shape (K, n_trafos, 2)
        Magnitudes [kVA] at the upper and the lower voltage, in the order of ``net.trafo``.
    """
    sides = []
    for current, node in _ends(model, voltages):
        sides.append(np.abs(current) * np.abs(voltages[:, node]) * model.base_mva * 1e3)
    return _per_element(np.stack(sides, axis=-1), model.trafo_branch)


def trafo_active_kw(model: NodalModel, voltages: ComplexArray, rows: NDArray[np.int64]) -> FloatArray:
    """Active power that flows down through two-winding transformers, at both their sides.

    Parameters
    ----------
    model, voltages
        As in `line_currents_ka`.
    rows : ndarray of int, shape (n,)
        Rows of the transformers in ``net.trafo``, by position.

    Returns
    -------
    ndarray, shape (K, n, 2)
        At the upper and at the lower voltage [kW], positive from the upper to the lower: they differ by the losses. NaN
        for transformers that are out of service or not energised.
    """
    branch, branches = model.trafo_branch[rows], model.branches
    upper, lower = voltages[:, branches.from_node[branch]], voltages[:, branches.to_node[branch]]
    into_upper = upper * np.conj((model.from_admittance_pu.tocsr()[branch] @ voltages.T).T)
    into_lower = lower * np.conj((model.to_admittance_pu.tocsr()[branch] @ voltages.T).T)
    active: FloatArray = np.stack([into_upper.real, -into_lower.real], axis=-1) * model.base_mva * 1e3
    active[:, branch < 0] = np.nan  # the last branch was read there
    return active


def line_loading(feeder: Feeder, model: NodalModel, voltages: ComplexArray) -> FloatArray:
    """Larger current of the two ends as a share of the rating, shape (K, n_lines); NaN without a rating."""
    loading: FloatArray = line_currents_ka(model, voltages).max(axis=-1) / feeder.line_rating_ka.to_numpy()
    return loading


def trafo_loading(feeder: Feeder, model: NodalModel, voltages: ComplexArray) -> FloatArray:
    """Larger apparent power of the two sides as a share of the rating, shape (K, n_trafos).

    This is pandapower's ``loading_percent`` with ``trafo_loading="power"``; its default compares currents.
    """
    loading: FloatArray = trafo_powers_kva(model, voltages).max(axis=-1) / feeder.trafo_rating_kva.to_numpy()
    return loading


def lost_kw(model: NodalModel, voltages: ComplexArray) -> FloatArray:
    """Active power lost in all branches and shunts [kW], shape (K,): what the nodes feed in, all together."""
    currents = (model.admittance_pu @ voltages.T).T
    lost: FloatArray = (voltages * currents.conj()).real.sum(axis=1) * model.base_mva * 1e3
    return lost


def _ends(model: NodalModel, voltages: ComplexArray) -> list[tuple[ComplexArray, NDArray[np.int64]]]:
    """Current [p.u.] into each branch, shape (K, n_branches), and its node: of the from side, then of the to side."""
    branches = model.branches
    return [
        ((model.from_admittance_pu @ voltages.T).T, branches.from_node),
        ((model.to_admittance_pu @ voltages.T).T, branches.to_node),
    ]


def _per_element(values: FloatArray, branch: NDArray[np.int64]) -> FloatArray:
    """Values per branch, shape (K, n_branches, 2), at the elements with these branches."""
    found = np.full((len(values), len(branch), 2), np.nan)
    found[:, branch >= 0] = values[:, branch[branch >= 0]]
    return found
