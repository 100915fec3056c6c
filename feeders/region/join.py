"""Low-voltage nets of MV/LV stations, joined to the medium-voltage net they hang on."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import pandas as pd
from pandapower.auxiliary import pandapowerNet
from pandapower.toolbox import (
    drop_buses,
    drop_elements_simple,
    merge_nets,
    reindex_buses,
    reindex_elements,
    select_subnet,
)

from feeders.errors import InputError
from feeders.names import Names
from feeders.region.from_net import region_from_net
from feeders.region.parts import connected_parts
from feeders.region.region import Region

__all__ = ["join_stations", "joined_net"]

_LV_OFFSET = 10_000  # added to every index of the low-voltage net, more where the medium-voltage net needs it
_INJECTING = ("load", "sgen", "storage", "gen")
_SHIFTED = ("line", "trafo", "load", "switch", "sgen", "storage", "gen", "shunt", "ext_grid")


def join_stations(
    mv: pandapowerNet,
    lv: pandapowerNet,
    stations: Mapping[str, tuple[int | str, int | str]],
    *,
    rest_of_mv_load: bool = False,
    name: str = "region",
) -> Region:
    """MV/LV stations with their homes, on a medium-voltage net.

    Parameters
    ----------
    mv : pandapowerNet
        Medium voltage, with the HV/MV transformer and the external grid. Of several separate nets in it the one that
        the stations are on is kept.
    lv : pandapowerNet
        Low voltage: transformers with the nets behind them, a load for each home. Its external grids are left out.
    stations : mapping
        Name of a station: its transformer in ``lv.trafo``, and its bus in ``mv.bus``; both by index or name. A load
        at that bus of `mv` stood for the station and is left out, and so are generators.
    rest_of_mv_load : bool
        Whether the other loads and generators of `mv` stay, as background. Default: only the stations' homes.
    name : str
        Name of the feeder.

    Returns
    -------
    Region
        Buses and elements of `mv` keep their indices, those of `lv` are shifted by 10000 (or the next multiple of it
        that is free). Lines that an open switch cuts off toward other stations are left out, their charging too.

    Raises
    ------
    InputError, InputErrors
        No station, or an unknown transformer or bus; two stations on one low-voltage net; stations on separate
        medium-voltage nets; see also `region_from_net`.
    """
    net = joined_net(mv, lv, stations)
    return region_from_net(net, stations=list(stations), rest_of_mv_load=rest_of_mv_load, name=name)


def joined_net(
    mv: pandapowerNet, lv: pandapowerNet, stations: Mapping[str, tuple[int | str, int | str]]
) -> pandapowerNet:
    """The net of `join_stations`, homes' loads and the rest of the load as they are in the two nets."""
    if not stations:
        raise InputError("region", "stations", None, "at least one station")
    trafo_of = _indices(lv, "trafo", {station: trafo for station, (trafo, _) in stations.items()})
    bus_of = _indices(mv, "bus", {station: bus for station, (_, bus) in stations.items()})
    net, low = _medium_voltage(mv, bus_of), _low_voltage(lv, trafo_of)
    highest = max(int(mv[table].index.max()) for table in ("bus", *_SHIFTED) if len(mv[table]))
    offset = _LV_OFFSET * (1 + highest // _LV_OFFSET)
    upper = {station: low.trafo.hv_bus.at[trafo] for station, trafo in trafo_of.items()}
    reindex_buses(low, {bus: bus + offset for bus in low.bus.index})
    for table in _SHIFTED:
        if len(low[table]):
            reindex_elements(low, table, (low[table].index + offset).tolist(), low[table].index.tolist())
    joined = merge_nets(net, low, validate=False, merge_results=False, std_prio_on_net1=True)
    for station, trafo in trafo_of.items():
        joined.trafo.loc[trafo + offset, ["hv_bus", "name"]] = bus_of[station], station
    drop_buses(joined, [bus + offset for bus in upper.values()])
    joined.name = f"{mv.name} with stations {', '.join(stations)}"
    return joined


def _indices(net: pandapowerNet, table: str, wanted: Mapping[str, int | str]) -> dict[str, int]:
    """Index of each wanted element, by station; each once."""
    names = Names(str(net.name), table, net[table].index.to_numpy(), net[table]["name"].tolist())
    found: dict[str, int] = {}
    for station, element in wanted.items():
        index = names.index_of(element)
        if index in found.values():
            raise InputError("region", f"stations.{station}.{table}", element, f"each {table} at one station only")
        found[station] = index
    return found


def _medium_voltage(mv: pandapowerNet, bus_of: Mapping[str, int]) -> pandapowerNet:
    """The part of `mv` with the stations' buses, without what stood there for the stations."""
    part = connected_parts(mv, across_transformers=True)
    first = next(iter(bus_of))
    for station, bus in bus_of.items():
        if part[bus] < 0 or part[bus] != part[bus_of[first]]:
            allowed = f"a bus in service on one net with that of station {first}"
            raise InputError("region", f"stations.{station}.bus", bus, allowed)
    net = _cut_out(mv, part.index[part == part[bus_of[first]]])
    for table in _INJECTING:
        drop_elements_simple(net, table, net[table].index[net[table].bus.isin(list(bus_of.values()))])
    return net


def _low_voltage(lv: pandapowerNet, trafo_of: Mapping[str, int]) -> pandapowerNet:
    """What is behind the stations' transformers, with their upper buses and without external grids."""
    part = connected_parts(lv, across_transformers=False)
    others = lv.trafo[lv.trafo.in_service.astype(bool)]
    kept = list(lv.trafo.hv_bus.loc[list(trafo_of.values())])
    for station, trafo in trafo_of.items():
        behind = part[lv.trafo.lv_bus.at[trafo]]
        shared = others.index[(others.lv_bus.map(part) == behind) & (others.index != trafo)]
        if behind < 0 or len(shared):
            allowed = "a transformer in service that alone feeds its low-voltage net"
            raise InputError("region", f"stations.{station}.trafo", trafo, allowed)
        kept += part.index[part == behind].tolist()
    net = _cut_out(lv, pd.Index(kept))
    net.trafo = net.trafo.loc[list(trafo_of.values())]
    drop_elements_simple(net, "ext_grid", net.ext_grid.index)
    return net


def _cut_out(net: pandapowerNet, buses: pd.Index) -> pandapowerNet:
    part = select_subnet(net, buses.unique())
    part.bus = part.bus.sort_index()
    return copy.deepcopy(part)
