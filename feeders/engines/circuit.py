"""A feeder as the current-injection engine sees it: its admittance matrix in triangular factors."""

from __future__ import annotations

import numpy as np
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
        matrix = model.admittance_pu[free]
        self._model = model
        self._to_sources = matrix[:, model.slack_nodes]
        self._factors = factorised(matrix[:, free].tocsc()) if len(free) else None
        order = np.zeros(0, dtype=np.int64) if self._factors is None else self._factors.perm_c
        node_of_bus = np.full(model.n_nodes + 1, -1)  # the last for buses that are not energised
        node_of_bus[free] = order
        self._order = order
        self._network = self._without_sources(feeder, node_of_bus[model.node_of_bus])

    def network(self, slack_vm_pu: float | None) -> Network:
        """What the compiled solver takes, at a voltage [p.u.] of all external grids; None: the net's own."""
        model = self._model
        vm_pu = model.slack_vm_pu if slack_vm_pu is None else np.full(len(model.slack_nodes), slack_vm_pu)
        fixed_vm_pu = np.full(model.n_nodes + 1, np.nan)
        fixed_vm_pu[model.slack_nodes] = vm_pu
        no_load = np.zeros(len(self._order), dtype=complex)
        if self._factors is not None:
            no_load[self._order] = self._factors.solve(-(self._to_sources @ (vm_pu * np.exp(1j * model.slack_va_rad))))
        return self._network._replace(fixed_vm_pu=fixed_vm_pu[model.node_of_bus], no_load=no_load)

    def _without_sources(self, feeder: Feeder, node_of_bus: np.ndarray) -> Network:
        n = len(self._order)
        lower, upper = csc_array((n, n), dtype=complex), csc_array((n, n), dtype=complex)
        equation = np.zeros(n, dtype=np.uint32)
        if self._factors is not None:
            lower, upper = self._factors.L, self._factors.U
            equation[self._order] = self._factors.perm_r
        l_below, u_above = csc_array(tril(lower, -1)), csc_array(triu(upper, 1))
        per_kw = 1e-3 / self._model.base_mva
        background = np.zeros(n, dtype=complex)
        at = node_of_bus >= 0
        consumed = (feeder.background_p_kw - 1j * feeder.background_q_kvar) * per_kw  # conjugate
        np.subtract.at(background, node_of_bus[at], consumed[at])
        return Network(
            node_of_bus=node_of_bus,
            fixed_vm_pu=np.zeros(0),
            per_kw=per_kw,
            background=background,
            no_load=np.zeros(0, dtype=complex),
            equation=equation,
            l_start=l_below.indptr.astype(np.uint32),
            l_row=l_below.indices.astype(np.uint32),
            l_value=l_below.data,
            u_start=u_above.indptr.astype(np.uint32),
            u_row=u_above.indices.astype(np.uint32),
            u_value=u_above.data,
            u_inverse=1 / upper.diagonal(),
        )
