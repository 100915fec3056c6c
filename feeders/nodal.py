"""The net as pandapower solves it: nodes, branches, shunts and sources in per unit.

pandapower itself turns switches, fused buses, open line ends, three-winding transformers, taps, parallel
circuits and islands into this model; nothing of that is repeated here.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import pandapower as pp
from numpy.typing import NDArray
from pandapower.auxiliary import LoadflowNotConverged, pandapowerNet
from pandapower.pypower import idx_brch, idx_bus
from scipy.sparse import csc_array

from feeders.errors import InputError

__all__ = ["Branches", "NodalModel", "nodal_model"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Branches:
    """Branches in service, each array of shape (n_branches,), per unit on the to-side base.

    The pi equivalent behind an ideal transformer ``ratio * exp(j * shift)`` at the from side, as in
    MATPOWER's manual, section 3.2; half of ``g + jb`` sits at each end. ``asymmetric`` marks those that it
    does not fit.
    """

    from_node: IntArray
    to_node: IntArray
    r_pu: FloatArray
    x_pu: FloatArray
    g_pu: FloatArray
    b_pu: FloatArray
    ratio: FloatArray
    shift_rad: FloatArray
    asymmetric: NDArray[np.bool_]


@dataclass(frozen=True)
class NodalModel:
    """Nodes that are energised, and what connects them.

    Parameters
    ----------
    node_of_bus : ndarray of int, shape (n_buses,)
        Node of each bus in the order of ``net.bus.index``, -1 where a bus is not energised. Buses joined by a
        closed bus-bus switch share a node; some nodes (open line ends, star points) have no bus.
    base_mva : float
        Base power.
    base_kv, shunt_pu : ndarray, shape (n_nodes,)
        Base voltage; complex shunt admittance in p.u.
    branches : Branches
        Branches in service.
    slack_nodes, slack_vm_pu, slack_va_rad : ndarray, shape (n_slacks,)
        Nodes of the external grids, and their voltages.
    admittance_pu : sparse array, complex, shape (n_nodes, n_nodes)
        pandapower's own bus admittance matrix.
    from_admittance_pu, to_admittance_pu : sparse array, complex, shape (n_branches, n_nodes)
        pandapower's own too: times the nodes' voltages the current into each branch at its from and its to side.
    line_branch, trafo_branch : ndarray of int
        Branch of each row of ``net.line`` and ``net.trafo``, -1 where it is out of service or not energised.
    """

    node_of_bus: IntArray
    base_mva: float
    base_kv: FloatArray
    shunt_pu: NDArray[np.complex128]
    branches: Branches
    slack_nodes: IntArray
    slack_vm_pu: FloatArray
    slack_va_rad: FloatArray
    admittance_pu: csc_array
    from_admittance_pu: csc_array
    to_admittance_pu: csc_array
    line_branch: IntArray
    trafo_branch: IntArray

    @property
    def n_nodes(self) -> int:
        return len(self.base_kv)


def nodal_model(net: pandapowerNet, numba: bool = False) -> NodalModel:
    """Read the model from a power flow of a copy of the net without load.

    The admittances do not depend on the load, and the flow without load converges even where the loaded one
    would not.

    Parameters
    ----------
    net : pandapowerNet
        The net; it is left as it is.
    numba : bool
        Whether pandapower uses numba: only the order of nodes that switches join depends on it. Compiling costs seconds
        and pays off over many flows only: this is one.

    Raises
    ------
    InputError
        If even the flow without load does not converge, or there is nothing to compute.
    """
    unloaded = copy.deepcopy(net)
    for table in ("load", "sgen", "storage", "gen"):
        unloaded[table]["p_mw"] = 0.0
        if table != "gen":
            unloaded[table]["q_mvar"] = 0.0
    try:
        pp.runpp(unloaded, lightsim2grid=False, numba=numba)
    except LoadflowNotConverged:
        raise InputError("net", "power flow without load", "diverges", "a net that can be energised") from None
    ppc = unloaded._ppc["internal"]
    if "bus" not in ppc:  # pandapower left its solver out
        allowed = "at least one energised bus that is not at an external grid"
        raise InputError("net", "bus", "only external grids", allowed)
    n_nodes = len(ppc["bus"])
    node = unloaded._pd2ppc_lookups["bus"][net.bus.index.to_numpy()]
    base_mva = float(ppc["baseMVA"])
    bus, slack = ppc["bus"], np.asarray(ppc["ref"], dtype=np.int64)
    return NodalModel(
        node_of_bus=np.where(node < n_nodes, node, -1).astype(np.int64),
        base_mva=base_mva,
        base_kv=bus[:, idx_bus.BASE_KV].astype(float),
        shunt_pu=(bus[:, idx_bus.GS] + 1j * bus[:, idx_bus.BS]) / base_mva,
        branches=_branches(ppc["branch"]),
        slack_nodes=slack,
        slack_vm_pu=bus[slack, idx_bus.VM].astype(float),
        slack_va_rad=np.deg2rad(bus[slack, idx_bus.VA].astype(float)),
        admittance_pu=csc_array(ppc["Ybus"]),
        from_admittance_pu=csc_array(ppc["Yf"]),
        to_admittance_pu=csc_array(ppc["Yt"]),
        line_branch=_rows_of(unloaded, "line"),
        trafo_branch=_rows_of(unloaded, "trafo"),
    )


def _rows_of(net: pandapowerNet, table: str) -> IntArray:
    """Row of each element of a table among the branches in service, -1 if it is not there."""
    in_service = np.asarray(net._ppc["internal"]["branch_is"], dtype=bool)
    row = np.where(in_service, np.cumsum(in_service) - 1, -1)
    first, end = net._pd2ppc_lookups["branch"].get(table, (0, 0))
    return row[first:end].astype(np.int64)


def _branches(branch: NDArray[np.complex128]) -> Branches:
    def column(name: int) -> FloatArray:
        return np.asarray(branch[:, name].real, dtype=float)

    asymmetries = (idx_brch.BR_R_ASYM, idx_brch.BR_X_ASYM, idx_brch.BR_G_ASYM, idx_brch.BR_B_ASYM)
    # A T model turned into pi leaves rounding in the asymmetry columns of a symmetric transformer.
    size = np.abs(branch[:, [idx_brch.BR_R, idx_brch.BR_X, idx_brch.BR_G, idx_brch.BR_B]])
    asymmetric = (np.abs(branch[:, list(asymmetries)]) > 1e-9 * size.max(axis=1, keepdims=True)).any(axis=1)
    ratio = column(idx_brch.TAP)
    return Branches(
        from_node=column(idx_brch.F_BUS).astype(np.int64),
        to_node=column(idx_brch.T_BUS).astype(np.int64),
        r_pu=column(idx_brch.BR_R),
        x_pu=column(idx_brch.BR_X),
        g_pu=column(idx_brch.BR_G),
        b_pu=column(idx_brch.BR_B),
        ratio=np.where(ratio == 0, 1.0, ratio),
        shift_rad=np.deg2rad(column(idx_brch.SHIFT)),
        asymmetric=asymmetric,
    )
