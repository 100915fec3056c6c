"""The transformers by which a feeder hangs on the grid above it."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandapower.topology as top

from feeders.feeder import Feeder

__all__ = ["head_rating_kva"]


def head_rating_kva(feeder: Feeder) -> float:
    """Rating of the transformers at a feeder's supply, of all of them together; NaN where there is none [kVA].

    They are those in service whose high-voltage side the external grids supply through lines and closed switches alone,
    two windings each.
    """
    net = feeder.net
    graph = top.create_nxgraph(net, include_trafos=False, include_trafo3ws=False)
    supplied = {
        bus
        for source in net.ext_grid.bus[net.ext_grid.in_service]
        if source in graph
        for bus in nx.node_connected_component(nx.Graph(graph), source)
    }
    head = net.trafo[net.trafo.in_service & net.trafo.hv_bus.isin(supplied)]
    return float((head.sn_mva * head.parallel).sum() * 1e3) if len(head) else float(np.nan)
