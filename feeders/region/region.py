"""A region: homes behind MV/LV stations behind one HV/MV station, as one feeder and two tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from feeders.errors import InputError, InputErrors
from feeders.feeder import Feeder
from feeders.region.parts import connected_parts

__all__ = ["Region"]


@dataclass(frozen=True, eq=False)
class Region:
    """Homes, their stations, and the net between them.

    Attributes
    ----------
    feeder : Feeder
        The net; homes are no loads of it.
    homes : DataFrame
        A home a row, by its unique name: ``bus`` (index in the net), ``station`` (name of its station), ``lon`` and
        ``lat`` [degrees], NaN where not known.
    stations : DataFrame
        An MV/LV station a row, by its unique name: ``trafo`` (index in ``net.trafo``), ``rating_kva``, ``hv_bus``,
        ``lv_bus``.
    head_trafo : int
        Index in ``net.trafo`` of the HV/MV transformer, on whose MV side the load of the region is metered; the first
        where several are in parallel, see `head_trafos`.

    Raises
    ------
    InputErrors
        For a home without a station, a station without homes, and buses that the net has not.
    """

    feeder: Feeder
    homes: pd.DataFrame
    stations: pd.DataFrame
    head_trafo: int

    def __post_init__(self) -> None:
        where = f"region {self.feeder.name!r}"
        known, used = set(self.stations.index), set(self.homes["station"])
        allowed = f"one of the stations {', '.join(map(str, self.stations.index))}"
        problems = [
            InputError(where, f"homes.{home}.station", station, allowed)
            for home, station in self.homes["station"].items()
            if station not in known
        ]
        problems += [
            InputError(where, f"stations.{station}", "no homes", "at least one home behind each station")
            for station in self.stations.index
            if station not in used
        ]
        problems += [
            InputError(where, f"homes.{home}.bus", bus, "a bus of the net")
            for home, bus in self.homes["bus"].items()
            if bus not in self.feeder.net.bus.index
        ]
        if problems:
            raise InputErrors(problems)

    @property
    def station_of_home(self) -> npt.NDArray[np.int64]:
        """Row in `stations` of the station of each home, shape (n_homes,)."""
        return np.asarray(self.stations.index.get_indexer(pd.Index(self.homes["station"])), dtype=np.int64)

    @property
    def head_trafos(self) -> list[int]:
        """`head_trafo` and those in service in parallel with it, between the same two nets."""
        trafo = self.feeder.net.trafo[self.feeder.net.trafo.in_service.astype(bool)]
        part = connected_parts(self.feeder.net, across_transformers=False)
        ends = pd.DataFrame({"upper": trafo.hv_bus.map(part), "lower": trafo.lv_bus.map(part)})
        return ends.index[(ends == ends.loc[self.head_trafo]).all(axis=1)].tolist()
