"""A region whose homes are all at the low-voltage bus of their station."""

from __future__ import annotations

from collections.abc import Mapping

import pandapower as pp
import pandas as pd

from feeders import Feeder
from feeders.region import Region

PAPER = {"118": 56, "80": 140, "77": 123}
"""Homes of the stations of Schutterwald."""


def small_region(homes: Mapping[str, int]) -> Region:
    """As many homes at each station as said; they are called after it."""
    net = pp.create_empty_network()
    medium = pp.create_bus(net, 20.0)
    pp.create_ext_grid(net, medium)
    low = [pp.create_bus(net, 0.4) for _ in homes]
    trafos = [pp.create_transformer(net, medium, bus, "0.4 MVA 20/0.4 kV") for bus in low]
    rows = {
        f"{station}-{number}": {"bus": bus, "station": station}
        for bus, (station, count) in zip(low, homes.items(), strict=True)
        for number in range(count)
    }
    table = pd.DataFrame.from_dict(rows, orient="index")
    stations = {"trafo": trafos, "rating_kva": 400.0, "hv_bus": medium, "lv_bus": low}
    return Region(Feeder(net, "small"), table, pd.DataFrame(stations, index=list(homes)), trafos[0])
