"""Which buses hang together, with and without the transformers between them."""

from __future__ import annotations

import networkx as nx
import pandas as pd
from pandapower.auxiliary import pandapowerNet
from pandapower.topology import create_nxgraph

__all__ = ["LV_MAX_KV", "connected_parts"]

LV_MAX_KV = 1.0
"""Up to this nominal voltage a bus is on low voltage (IEC 60038) [kV]."""


def connected_parts(net: pandapowerNet, *, across_transformers: bool) -> pd.Series[int]:
    """Number of the connected part of each bus, by bus index; switches, lines and buses as they are in service.

    Parameters
    ----------
    net : pandapowerNet
        The net; it is only read. It needs no source.
    across_transformers : bool
        Whether a transformer connects its two sides. Without, a part is on one voltage level.

    Returns
    -------
    Series of int
        Part of each bus, counted from 0; -1 where a bus is out of service.
    """
    graph = create_nxgraph(net, include_trafos=across_transformers, include_trafo3ws=across_transformers)
    part: pd.Series[int] = pd.Series(-1, index=net.bus.index)
    for number, buses in enumerate(nx.connected_components(graph)):
        part.loc[list(buses)] = number
    return part.where(net.bus.in_service.astype(bool), -1)
