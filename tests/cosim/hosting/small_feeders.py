"""Feeders of two and a few buses, for capacities that can be had by hand."""

from __future__ import annotations

import pandapower as pp

from feeders import Feeder

R_OHM, X_OHM, VN_KV = 0.5, 0.4, 4.16


def line_feeder(loads_kw: tuple[float, ...], *, max_i_ka: float = 10.0, vm_pu: float = 1.0) -> Feeder:
    """Buses in a row behind a source, a line of 0.5 + 0.4j ohm to each, loads without reactive power, 0.95-1.05."""
    net = pp.create_empty_network(name="row")
    source = pp.create_bus(net, VN_KV, name="source")
    pp.create_ext_grid(net, source, vm_pu=vm_pu)
    for number, kw in enumerate(loads_kw, start=1):
        bus = pp.create_bus(net, VN_KV, name=f"node {number}")
        pp.create_line_from_parameters(
            net, bus - 1, bus, 1.0, R_OHM, X_OHM, c_nf_per_km=0.0, max_i_ka=max_i_ka, name=f"line {number}"
        )
        pp.create_load(net, bus, p_mw=kw / 1e3)
    return Feeder(net, "row", vm_min_pu=0.95, vm_max_pu=1.05)


def ring_feeder() -> Feeder:
    """The row of two with a line from its end back to the source."""
    net = line_feeder((100.0, 100.0)).net
    net.load = net.load.iloc[:2]
    pp.create_line_from_parameters(net, 0, 2, 1.0, R_OHM, X_OHM, c_nf_per_km=0.0, max_i_ka=1.0)
    return Feeder(net, "ring")
