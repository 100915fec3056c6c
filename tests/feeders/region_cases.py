"""A small net with homes behind two stations."""

from __future__ import annotations

import pandapower as pp
from pandapower.auxiliary import pandapowerNet

__all__ = ["two_stations"]


def two_stations() -> pandapowerNet:
    """110/20/0.4 kV.

    grid -T- 1 - 2 =T= 3 - 4 (two homes)     with a factory at 2
                `- 5 =T= 6 - 7 (a home, and PV that is not in the study)
    """
    net = pp.create_empty_network()
    for bus, vn_kv in enumerate((110.0, 20.0, 20.0, 0.4, 0.4, 20.0, 0.4, 0.4)):
        pp.create_bus(net, vn_kv=vn_kv, index=bus)
    pp.create_ext_grid(net, 0)
    pp.create_transformer(net, 0, 1, std_type="25 MVA 110/20 kV", name="substation")
    for start, end in ((1, 2), (2, 5)):
        pp.create_line(net, start, end, 1.0, "NA2XS2Y 1x95 RM/25 12/20 kV")
    for name, upper, lower in (("north", 2, 3), ("south", 5, 6)):
        pp.create_transformer(net, upper, lower, std_type="0.4 MVA 20/0.4 kV", name=name)
        pp.create_line(net, lower, lower + 1, 0.1, "NAYY 4x150 SE")
    pp.create_load(net, 4, 0.003, 0.001, name="anna")
    pp.create_load(net, 4, 0.003, name="twin")
    pp.create_load(net, 7, 0.003, name="twin")
    pp.create_sgen(net, 7, 0.005)
    pp.create_load(net, 2, 0.5, name="factory")
    return net
