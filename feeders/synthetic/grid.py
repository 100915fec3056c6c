"""A pandapower net of a layout, and the region it makes."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandapower as pp
import pandas as pd
from pandapower.auxiliary import pandapowerNet

from feeders.errors import InputError
from feeders.feeder import Feeder
from feeders.region import Region
from feeders.synthetic.design import LV_KV, Design, standard_types
from feeders.synthetic.layout import Layout, Tree, lay_out
from feeders.synthetic.street_map import StreetMap

__all__ = ["SyntheticGrid", "synthetic_grid"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SyntheticGrid:
    """A region's grid as it might be, from its streets, houses and stations.

    Attributes
    ----------
    net : pandapowerNet
        HV grid, HV/MV transformer, MV busbar, a MV cable to each station, its transformer, its LV cables; each house a
        bus of its name with a load of its name and 0 kW, so that a `Feeder` knows where people connect.
    homes, stations : DataFrame
        As in `feeders.region.Region`; stations also ``n_homes``, ``load_kva`` (design load), ``street_km`` and
        ``service_km`` (cables, parallel ones once) and ``farthest_m`` (longest way along cables to a house).
    head_trafo : int
        Index in ``net.trafo`` of the HV/MV transformer.
    layout : Layout
    """

    net: pandapowerNet
    homes: pd.DataFrame
    stations: pd.DataFrame
    head_trafo: int
    layout: Layout

    def region(self, name: str = "synthetic") -> Region:
        """The grid as a region of this name."""
        return Region(Feeder(self.net, name), self.homes, self.stations, self.head_trafo)


def synthetic_grid(
    street_map: StreetMap,
    design: Design | None = None,
    *,
    tree: Tree = "minimum",
    max_off_m: float = 100.0,
    snap_m: float = 0.5,
) -> SyntheticGrid:
    """Lay cables along the streets and choose their types.

    Parameters
    ----------
    street_map : StreetMap
        See `feeders.synthetic.read.read_map` for files.
    design : Design, optional
        Loads and standard types.
    tree, max_off_m, snap_m
        See `feeders.synthetic.layout.lay_out`.

    Raises
    ------
    InputErrors
        See `lay_out`.
    InputError
        For a rating of which there is no transformer in the design, and a name that two buses would share.
    """
    design = design or Design()
    layout = lay_out(street_map, tree=tree, max_off_m=max_off_m, snap_m=snap_m)
    return _Net(street_map, design, layout).grid()


class _Net:
    """The net in the making: stations, then streets, then houses."""

    def __init__(self, street_map: StreetMap, design: Design, layout: Layout) -> None:
        self.map, self.design, self.layout = street_map, design, layout
        self.net = pp.create_empty_network()
        self.n_homes = np.bincount(layout.station_of_home, minlength=len(street_map.stations.names))

    def grid(self) -> SyntheticGrid:
        head = self._head()
        stations = self._stations()
        bus_of_node = self._streets(stations["lv_bus"].to_numpy())
        homes = self._houses(bus_of_node)
        twice = [name for name, count in Counter(self.net.bus["name"]).items() if count > 1]
        if twice:
            raise InputError(self.map.houses.where, "names", twice[0], "other names than those of the grid's own buses")
        return SyntheticGrid(self.net, homes, stations.join(self._lengths()), head, self.layout)

    def _geo(self, metres: FloatArray) -> list[tuple[float, float]]:
        return [(float(x), float(y)) for x, y in self.map.given(np.atleast_2d(metres))]

    def _head(self) -> int:
        """The HV grid and the head transformer, drawn in the middle of the stations: where it is, is not known."""
        middle = self._geo(self.layout.xy[: len(self.n_homes)].mean(axis=0))[0]
        head_kv = float(standard_types("trafo")["vn_hv_kv"].astype(float)[self.design.head_trafo])
        hv = pp.create_bus(self.net, head_kv, name="HV grid", geodata=middle)
        mv = pp.create_bus(self.net, self.design.mv_kv, name="MV busbar", geodata=middle)
        pp.create_ext_grid(self.net, hv, vm_pu=self.design.vm_pu, name="HV grid")
        return int(pp.create_transformer(self.net, hv, mv, self.design.head_trafo, name="HV/MV"))

    def _stations(self) -> pd.DataFrame:
        names, geo = self.map.stations.names, self._geo(self.layout.xy[: len(self.n_homes)])
        n, busbar = len(names), int(self.net.bus.index[-1])
        mv = pp.create_buses(self.net, n, self.design.mv_kv, name=[f"{name} MV" for name in names], geodata=geo)
        lv = pp.create_buses(self.net, n, LV_KV, name=[f"{name} LV" for name in names], geodata=geo)
        cables = [f"MV busbar - {name}" for name in names]
        pp.create_lines(self.net, [busbar] * n, mv, self.design.mv_cable_km, self.design.mv_cable, name=cables)
        load_kva = self.design.load_kva(self.n_homes)
        trafos, ratings = [], []
        for station, name in enumerate(names):
            kind, parallel = self._trafo(station, load_kva[station])
            trafo = pp.create_transformer(self.net, mv[station], lv[station], kind, name=name, parallel=parallel)
            trafos.append(int(trafo))
            ratings.append(1e3 * float(self.net.trafo.at[trafo, "sn_mva"]) * parallel)
        columns = {"trafo": trafos, "rating_kva": ratings, "hv_bus": mv, "lv_bus": lv, "n_homes": self.n_homes}
        return pd.DataFrame({**columns, "load_kva": load_kva}, index=pd.Index(names, name="station"))

    def _trafo(self, station: int, load_kva: float) -> tuple[str, int]:
        """Type and number of parallel transformers: of the rating that is given, else by the load."""
        kva = 1e3 * standard_types("trafo").loc[list(self.design.station_trafos), "sn_mva"].astype(float)
        given = float(self.map.stations.rating_kva[station])
        if np.isfinite(given):
            for kind, rating in kva.items():
                if np.isclose(rating, given):
                    return str(kind), 1
            field = f"{self.map.stations.names[station]}.rating_kva"
            allowed = f"one of {', '.join(f'{rating:g}' for rating in kva)} (the types in station_trafos), or nothing"
            raise InputError(self.map.stations.where, field, given, allowed)
        number, parallel = _chosen(np.asarray(kva, dtype=np.float64), np.array([load_kva]))
        return str(kva.index[number[0]]), int(parallel[0])

    def _streets(self, lv_bus: IntArray) -> IntArray:
        """Buses and cables along the streets; the bus of each node."""
        layout, n_stations = self.layout, len(lv_bus)
        inner = layout.xy[n_stations:]
        names = [f"node {k} of {self._station(s)}" for k, s in enumerate(layout.station_of_node[n_stations:], 1)]
        bus_of_node = lv_bus
        if len(inner):
            buses = pp.create_buses(self.net, len(inner), LV_KV, name=names, geodata=self._geo(inner))
            bus_of_node = np.concatenate([lv_bus, buses])
            cables = layout.cables
            n_homes = np.array([cable.n_homes for cable in cables])
            types = standard_types("line").loc[list(self.design.street_cables)]
            load_ka = self.design.load_kva(n_homes) / (np.sqrt(3) * LV_KV) / 1e3
            kind, parallel = _chosen(np.asarray(types["max_i_ka"], dtype=np.float64), load_ka)
            pp.create_lines(
                self.net,
                bus_of_node[[cable.start for cable in cables]],
                bus_of_node[[cable.end for cable in cables]],
                [cable.length_m / 1e3 for cable in cables],
                [self.design.street_cables[k] for k in kind],
                name=[f"street cable {k} of {self._station(cable.station)}" for k, cable in enumerate(cables, 1)],
                geodata=[self._geo(cable.course) for cable in cables],
                parallel=parallel,
            )
        return bus_of_node

    def _station(self, number: int) -> str:
        return self.map.stations.names[number]

    def _houses(self, bus_of_node: IntArray) -> pd.DataFrame:
        houses, layout = self.map.houses, self.layout
        n, names = len(houses.names), list(houses.names)
        geo = [(float(x), float(y)) for x, y in houses.places]
        buses = pp.create_buses(self.net, n, LV_KV, name=names, geodata=geo)
        street = bus_of_node[layout.node_of_home]
        ends = [json.loads(text)["coordinates"] for text in self.net.bus.loc[street, "geo"]]
        pp.create_lines(
            self.net,
            street,
            buses,
            layout.service_m / 1e3,
            self.design.service_cable,
            name=[f"connection of {name}" for name in names],
            geodata=[[tuple(end), place] for end, place in zip(ends, geo, strict=True)],
        )
        pp.create_loads(self.net, buses, p_mw=0.0, name=names)
        lon, lat = houses.places.T if self.map.is_degrees else np.full((2, n), np.nan)
        stations = [self._station(station) for station in layout.station_of_home]
        columns = {"bus": buses, "station": stations, "lon": lon, "lat": lat}
        return pd.DataFrame(columns, index=pd.Index(names, name="home"))

    def _lengths(self) -> pd.DataFrame:
        layout = self.layout
        way_m, street_m = np.zeros(len(layout.xy)), np.zeros(len(self.n_homes))
        for cable in layout.cables:  # each begins at the station or where an earlier one ends
            way_m[cable.end] = way_m[cable.start] + cable.length_m
            street_m[cable.station] += cable.length_m
        home_m = way_m[layout.node_of_home] + layout.service_m
        farthest = [home_m[layout.station_of_home == station].max() for station in range(len(self.n_homes))]
        service_m = np.bincount(layout.station_of_home, layout.service_m, minlength=len(self.n_homes))
        columns = {"street_km": street_m / 1e3, "service_km": service_m / 1e3, "farthest_m": farthest}
        return pd.DataFrame(columns, index=pd.Index(self.map.stations.names, name="station"))


def _chosen(capacity: FloatArray, load: FloatArray) -> tuple[IntArray, IntArray]:
    """For each load the first of the types that carries it, once; else the one that carries most, so many times."""
    fits = capacity[None, :] >= load[:, None]
    kind = np.where(fits.any(axis=1), fits.argmax(axis=1), capacity.argmax())
    parallel = np.ceil(load / capacity[kind] * (1 - 1e-12)).astype(np.int64)
    return kind, np.maximum(parallel, 1)
