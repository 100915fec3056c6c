"""What a net's own elements consume, per bus."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pandapower.auxiliary import pandapowerNet

__all__ = ["background_power", "voltage_dependent_buses"]

_ZIP_COLUMNS = ("const_z_p_percent", "const_i_p_percent", "const_z_q_percent", "const_i_q_percent")


def background_power(net: pandapowerNet) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Loads less static generators plus storages in service, scaling applied.

    Returns
    -------
    p_kw, q_kvar : ndarray, shape (n_buses,)
        Power consumed [kW, kvar] in the order of ``net.bus.index``, constant-power at every voltage.
    """
    p_kw, q_kvar = np.zeros(len(net.bus)), np.zeros(len(net.bus))
    for table, sign in (("load", 1e3), ("sgen", -1e3), ("storage", 1e3)):
        rows = net[table][net[table].in_service.astype(bool)]
        position = net.bus.index.get_indexer(rows.bus)
        factor = sign * rows.scaling.to_numpy(dtype=float)
        np.add.at(p_kw, position, factor * rows.p_mw.to_numpy(dtype=float))
        np.add.at(q_kvar, position, factor * rows.q_mvar.to_numpy(dtype=float))
    return p_kw, q_kvar


def voltage_dependent_buses(net: pandapowerNet, node_of_bus: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each bus, shape (n_buses,), shares its node with a voltage-dependent (ZIP) load in service."""
    load = net.load
    columns = [column for column in _ZIP_COLUMNS if column in load]
    depends = (load[columns].fillna(0.0).to_numpy(dtype=float) != 0).any(axis=1)
    rows = load[depends & load.in_service.to_numpy(dtype=bool)]
    nodes = node_of_bus[net.bus.index.get_indexer(rows.bus)]
    return np.isin(node_of_bus, nodes[nodes >= 0])
