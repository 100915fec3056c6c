"""How a grid that was designed holds the load it was designed for."""

from __future__ import annotations

import copy

import numpy as np
import pandapower as pp
import pandas as pd

from feeders.errors import InputError
from feeders.synthetic.design import Design
from feeders.synthetic.grid import SyntheticGrid

__all__ = ["peak_state"]


def peak_state(grid: SyntheticGrid, design: Design) -> pd.DataFrame:
    """AC power flow with the design load of each station, spread evenly over its homes.

    Near the ends of the grid the design load is higher than that, as few homes peak together more often: voltages there
    can be lower.

    Returns
    -------
    DataFrame
        By station: ``vm_min_pu`` of its homes, ``cable_percent`` of the most loaded cable, ``trafo_percent``.

    Raises
    ------
    InputError
        If the power flow does not converge: a grid far too long for its load.
    """
    net = copy.deepcopy(grid.net)
    load_kva = (grid.stations["load_kva"] / grid.stations["n_homes"]).loc[grid.homes["station"]].to_numpy()
    net.load["p_mw"] = load_kva * design.power_factor / 1e3
    net.load["q_mvar"] = load_kva * np.sqrt(1 - design.power_factor**2) / 1e3
    try:
        pp.runpp(net, lightsim2grid=False, numba=False)  # compiling would take longer than solving once
    except pp.LoadflowNotConverged:
        allowed = "a load and streets at which a power flow converges"
        raise InputError("design", "peak_kw", design.peak_kw, allowed) from None
    vm_pu = net.res_bus.vm_pu.loc[grid.homes["bus"]].groupby(grid.homes["station"].to_numpy()).min()
    cable = net.res_line.loading_percent.groupby(_station_of_line(grid)).max()
    trafo = net.res_trafo.loading_percent.loc[grid.stations["trafo"]].to_numpy()
    columns = {"vm_min_pu": vm_pu, "cable_percent": cable, "trafo_percent": pd.Series(trafo, grid.stations.index)}
    return pd.DataFrame(columns).loc[grid.stations.index]


def _station_of_line(grid: SyntheticGrid) -> pd.Series:
    """The station behind which each line lies, in the order of ``net.line``: MV cables, streets, connections."""
    names = grid.stations.index.to_numpy()
    streets = names[[cable.station for cable in grid.layout.cables]]
    stations = np.concatenate([names, streets, grid.homes["station"].to_numpy()])
    return pd.Series(stations, index=grid.net.line.index)
