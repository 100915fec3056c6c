"""A region out of any net with homes behind MV/LV stations: SimBench's, a synthetic one, a user's own."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import pandas as pd
from pandapower.auxiliary import pandapowerNet
from pandapower.toolbox import drop_elements_simple

from feeders.checks import check_net
from feeders.errors import InputError, InputErrors
from feeders.feeder import Feeder
from feeders.geodata import bus_places
from feeders.names import Names
from feeders.region.parts import LV_MAX_KV, connected_parts
from feeders.region.region import Region

__all__ = ["region_from_net"]

_INJECTING = ("load", "sgen", "storage", "gen")


def region_from_net(
    net: pandapowerNet | Feeder,
    *,
    stations: Sequence[int | str] | None = None,
    head_trafo: int | str | None = None,
    rest_of_mv_load: bool = False,
    name: str | None = None,
) -> Region:
    """The homes, stations and head transformer of a net.

    Parameters
    ----------
    net : pandapowerNet or Feeder
        Each load in service behind a station is a home; its power is left out, as are generators and storages there:
        what homes own and use is a case's, not the net's.
    stations : sequence of int or str, optional
        MV/LV transformers, by index or name. Default: all in service whose lower side is at 1 kV at most.
    head_trafo : int or str, optional
        HV/MV transformer, by index or name. Default: the one in service that feeds the stations' medium-voltage net,
        the first of several between the same two nets. Without any, a single station is its own head.
    rest_of_mv_load : bool
        Whether what else the net consumes and generates stays, as background. Default: only homes.
    name : str, optional
        Name of the feeder; default: that of the feeder or net.

    Returns
    -------
    Region
        Homes go by the name of their load, stations by that of their transformer; where several bear it, or none, its
        index is added. Homes stay in ``feeder.net.load``, at zero power; their buses are the feeder's connection
        buses.

    Raises
    ------
    InputError, InputErrors
        An unknown transformer; a station without homes; a load at 1 kV or below that is behind no station; two
        stations on one low-voltage net; a station not on the head's net; none or several heads to choose from; and
        what `Feeder` refuses.
    """
    label = name if name is not None else str(net.name or "region")
    own = _own_net(net)
    names = Names(label, "trafo", own.trafo.index.to_numpy(), own.trafo["name"].tolist())
    level = connected_parts(own, across_transformers=False)
    chosen = _stations(own, level, label, None if stations is None else [names.index_of(s) for s in stations])
    head = _head(own, level, label, chosen, None if head_trafo is None else names.index_of(head_trafo))
    homes = _homes(own, level, label, chosen, complain=stations is None)
    behind = level.isin(level[chosen.lv_bus])
    for table in _INJECTING:
        silent = own[table].bus.map(behind).astype(bool) | (not rest_of_mv_load)
        # nor is a home's zero a share of constant impedance, which fast engines would refuse
        powers = own[table].columns[own[table].columns.str.match("p_mw|q_mvar|const_")]
        own[table].loc[silent, powers] = 0.0
    feeder = Feeder(own, label, connection_buses=np.unique(homes.bus).tolist())
    return Region(feeder, homes, chosen, head)


def _own_net(net: pandapowerNet | Feeder) -> pandapowerNet:
    if isinstance(net, Feeder):
        own = copy.deepcopy(net.net)
        drop_elements_simple(own, "load", net.prosumer_loads)
        return own
    check_net(net)
    return copy.deepcopy(net)


def _stations(net: pandapowerNet, level: pd.Series[int], label: str, rows: list[int] | None) -> pd.DataFrame:
    """Table of stations, each the only transformer of its low-voltage net."""
    where = f"region {label!r}"
    used = net.trafo[net.trafo.in_service.astype(bool)]
    if rows is None:
        rows = used.index[used.lv_bus.map(net.bus.vn_kv) <= LV_MAX_KV].tolist()
    if not rows:
        raise InputError(where, "stations", None, f"at least one transformer in service to {LV_MAX_KV:g} kV or less")
    table = net.trafo.loc[rows]
    feeding = used.lv_bus.map(level).value_counts()
    below = table.lv_bus.map(level)
    wrong = (below.map(feeding).fillna(0) != 1) | (below < 0) | ~table.in_service.astype(bool)
    allowed = "a transformer in service that alone feeds its low-voltage net, each once"
    errors = [InputError(where, f"stations.{row}", table.name.get(row), allowed) for row in table.index[wrong]]
    if errors or table.index.has_duplicates:
        raise InputErrors(errors or [InputError(where, "stations", rows, allowed)])
    rating_kva = table.sn_mva * table.df * table.parallel * 1e3
    columns = {"trafo": table.index, "rating_kva": rating_kva, "hv_bus": table.hv_bus, "lv_bus": table.lv_bus}
    return pd.DataFrame(columns).set_axis(_unique(table, "station"), axis=0)


def _head(net: pandapowerNet, level: pd.Series[int], label: str, stations: pd.DataFrame, given: int | None) -> int:
    """The transformer above all stations."""
    where = f"region {label!r}"
    used = net.trafo[net.trafo.in_service.astype(bool)]
    upper = level[stations.hv_bus]
    heads = used.index[used.lv_bus.map(level).isin(upper)] if given is None else pd.Index([given])
    if given is None and heads.empty and len(stations) == 1:
        return int(stations.trafo.iloc[0])
    if heads.empty or net.trafo.hv_bus.loc[heads].map(level).nunique() > 1:
        allowed = "one HV/MV transformer in service above all stations; name it as head_trafo"
        raise InputError(where, "head_trafo", heads.tolist() or None, allowed)
    head = int(heads[0])
    below = level[net.trafo.lv_bus.at[head]]
    if head in stations.trafo.tolist() and len(stations) == 1:
        return head
    errors = [
        InputError(where, f"stations.{station}.hv_bus", bus, f"a bus on the net below the head transformer {head}")
        for station, bus in stations.hv_bus.items()
        if level[bus] != below or below < 0
    ]
    if errors:
        raise InputErrors(errors)
    return head


def _homes(
    net: pandapowerNet, level: pd.Series[int], label: str, stations: pd.DataFrame, *, complain: bool
) -> pd.DataFrame:
    """Table of homes; `complain`: whether a load on low voltage must be behind a station."""
    station_of_level = pd.Series(stations.index, index=level[stations.lv_bus].to_numpy())
    loads = net.load[net.load.in_service.astype(bool)]
    station = loads.bus.map(level).map(station_of_level)
    lost = station.isna() & (loads.bus.map(net.bus.vn_kv) <= LV_MAX_KV)
    if complain and lost.any():
        lost_bus = loads.set_index("name").bus[lost.to_numpy()]
        where, allowed = f"region {label!r}", "a bus behind a station"
        raise InputErrors([InputError(where, f"homes.{home}.bus", bus, allowed) for home, bus in lost_bus.items()])
    loads, station = loads[station.notna()], station.dropna()
    places = pd.DataFrame(bus_places(net.bus), index=net.bus.index).loc[loads.bus]
    on_earth = (places.abs() <= (180.0, 90.0)).all(axis=1).to_numpy()
    columns = {
        "bus": loads.bus.to_numpy(dtype=np.int64),
        "station": station.to_numpy(),
        "lon": np.where(on_earth, places[0], np.nan),
        "lat": np.where(on_earth, places[1], np.nan),
    }
    return pd.DataFrame(columns, index=pd.Index(_unique(loads, "home"), name="home"))


def _unique(rows: pd.DataFrame, kind: str) -> list[str]:
    """Name of each row, with its index where it has none of its own."""
    given = rows["name"].where(rows["name"].notna() & (rows["name"] != ""), kind).astype(str)
    shared = given.duplicated(keep=False) | (given == kind)
    return [f"{name} {row}" if several else name for row, name, several in zip(rows.index, given, shared, strict=True)]
