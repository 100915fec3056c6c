"""A feeder as the current-injection engine sees it: its admittance matrix in triangular factors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, tril, triu

from feeders.engines.substitution import Network
from feeders.feeder import Feeder
from feeders.impedance import factorised, free_nodes

__all__ = ["Circuit"]


class Circuit:
    """The factors of ``Y_nn``, which hold for every slack voltage.

    Parameters
    ----------
    feeder : Feeder
        The feeder; its ``nodal`` model is what counts.
    """

    def __init__(self, feeder: Feeder) -> None:
        model = feeder.nodal
        free = free_nodes(model)
        balance = model.admittance_pu[free]
        self._model = model
        self._to_sources = balance[:, model.slack_nodes]
        self._factors = factorised(balance[:, free].tocsc())
        self._order = self._factors.perm_c
        self._free = free
        place = np.full(model.n_nodes + 1, -1, dtype=np.int64)  # the last is that of buses that are not energised
        place[free] = self._order
        self._network = self._without_sources(feeder, place[model.node_of_bus])

    def network(self, slack_vm_pu: float | None) -> Network:
        """What the compiled solver takes, at a voltage [p.u.] of all external grids; None: the net's own."""
        model = self._model
        fixed_vm_pu = np.full(model.n_nodes + 1, np.nan)
        fixed_vm_pu[model.slack_nodes] = model.slack_vm_pu if slack_vm_pu is None else slack_vm_pu
        no_load = np.empty(len(self._order), dtype=complex)
        no_load[self._order] = self._factors.solve(-(self._to_sources @ self._sources(slack_vm_pu)))
        return self._network._replace(fixed_vm_pu=fixed_vm_pu[model.node_of_bus], no_load=no_load)

    def per_node(self, voltages: NDArray[np.complex128], slack_vm_pu: float | None) -> NDArray[np.complex128]:
        """Voltages of all nodes in the model's order, shape (K, n_nodes), from those that the solver keeps, (K, n)."""
        nodes = np.empty((len(voltages), self._model.n_nodes), dtype=complex)
        nodes[:, self._free] = voltages[:, self._order]
        nodes[:, self._model.slack_nodes] = self._sources(slack_vm_pu)
        return nodes

    def kept(self, nodes: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """The reverse of `per_node` for one flow: what the solver would keep, shape (n,)."""
        voltages = np.empty(len(self._order), dtype=complex)
        voltages[self._order] = nodes[self._free]
        return voltages

    def _sources(self, slack_vm_pu: float | None) -> NDArray[np.complex128]:
        vm_pu = self._model.slack_vm_pu if slack_vm_pu is None else slack_vm_pu
        voltages: NDArray[np.complex128] = vm_pu * np.exp(1j * self._model.slack_va_rad)
        return voltages

    def _without_sources(self, feeder: Feeder, node_of_bus: NDArray[np.int64]) -> Network:
        factors = self._factors
        below, above = csc_array(tril(factors.L, -1)), csc_array(triu(factors.U, 1))
        equation = np.empty(len(self._order), dtype=np.uint32)
        equation[self._order] = factors.perm_r
        per_kw = 1e-3 / self._model.base_mva
        background = np.zeros(len(self._order), dtype=complex)
        at = node_of_bus >= 0
        consumed = (feeder.background_p_kw - 1j * feeder.background_q_kvar) * per_kw  # conjugate
        np.subtract.at(background, node_of_bus[at], consumed[at])
        return Network(
            node_of_bus=node_of_bus,
            fixed_vm_pu=np.zeros(0),  # `network` sets this and the next
            no_load=np.zeros(0, dtype=complex),
            per_kw=per_kw,
            background=background,
            equation=equation,
            l_start=below.indptr.astype(np.uint32),
            l_row=below.indices.astype(np.uint32),
            l_value=below.data,
            u_start=above.indptr.astype(np.uint32),
            u_row=above.indices.astype(np.uint32),
            u_value=above.data,
            u_inverse=1 / factors.U.diagonal(),
        )
