"""The published way to dispatch storage: pandapower's DC optimal power flow of the whole net, step by step.

`published_reference` solves one step with the virtual prices of `agents.prosumer.virtual_prices`, as a program for
grids does it: costs stand at each store and at the external grid. So storage serves the region, not its own home alone
(scope "region"); the closed form must come to the same cost and the same totals.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import numpy.typing as npt
import pandapower as pp
from pandapower.auxiliary import pandapowerNet

from agents.prosumer.self_consumption import Asked
from agents.prosumer.store_priority import BATTERY, BATTERY_IN, BATTERY_OUT, TES, TES_IN, TES_OUT
from agents.prosumer.virtual_prices import VirtualPrices
from feeders.region import Region

__all__ = ["PublishedStep", "published_net", "published_reference"]

Array = npt.NDArray[np.float64]

_SIDES = {BATTERY: (BATTERY_IN, BATTERY_OUT), TES: (TES_IN, TES_OUT)}
_KW = 1e-3  # MW
_SCALE = 10.0  # of prices, per MW; the interior point often stops short of its tolerance at 1000
_GRID_MW = 1e3  # more than any region draws


@dataclass(frozen=True)
class PublishedStep:
    """A step as `pandapower.rundcopp` has it.

    Attributes
    ----------
    p_stores_kw : array, shape (2, n)
        Batteries and thermal stores [kW electric], > 0 charges.
    p_grid_kw : float
        From the external grid.
    seconds : float
        How long `rundcopp` took.
    """

    p_stores_kw: Array
    p_grid_kw: float
    seconds: float


def published_reference(
    region: Region,
    p_net_kw: Array,
    room_kw: Array,
    asked: Asked | None = None,
    prices: VirtualPrices | None = None,
    loading_max: float | None = None,
) -> PublishedStep:
    """One step of a region's storage by DC optimal power flow.

    Parameters
    ----------
    region : Region
        Its net, and its homes in the order of the arrays.
    p_net_kw : array, shape (n,)
        Net power of the homes with stores at rest.
    room_kw : array, shape (4, n)
        What stores can do, both as of `agents.prosumer.self_consumption.net_and_room`.
    asked : Asked, optional
        ``charge_from_grid`` and ``hold`` change prices; a finite cap limits the external grid.
    prices : VirtualPrices, optional
    loading_max : float, optional
        Share of their ratings that lines and transformers keep to: a hard limit. Default: none.

    Raises
    ------
    pandapower.optimal_powerflow.OPFNotConverged
        Where there is no solution within the limits, or the solver does not find it.
    """
    asked = Asked() if asked is None else asked
    net = published_net(region, p_net_kw, room_kw, asked, VirtualPrices() if prices is None else prices, loading_max)
    began = perf_counter()
    pp.rundcopp(net, suppress_warnings=True)
    seconds = perf_counter() - began
    p_stores_kw = np.zeros((2, len(region.homes)))
    stores = net.sgen.loc[net.sgen["home"] >= 0]
    p_stores_kw[stores["store"].to_numpy(int), stores["home"].to_numpy(int)] = (
        -net.res_sgen.p_mw.loc[stores.index].to_numpy() / _KW
    )
    return PublishedStep(p_stores_kw, float(net.res_ext_grid.p_mw.sum()) / _KW, seconds)


def published_net(
    region: Region, p_net_kw: Array, room_kw: Array, asked: Asked, prices: VirtualPrices, loading_max: float | None
) -> pandapowerNet:
    """A copy of the region's net with net power and stores at the homes, and costs that are virtual prices to scale.

    Stores are controllable static generators (> 0 discharges) in rows whose ``home`` and ``store`` say which.
    """
    net = copy.deepcopy(region.feeder.net)
    homes = region.homes["bus"].to_numpy()
    background_mw = float(net.load.p_mw.sum() - net.sgen.p_mw.sum())
    pp.create_loads(net, homes, p_net_kw * _KW, controllable=False)
    net.load["controllable"] = net.sgen["controllable"] = False
    net.sgen[["home", "store"]] = -1
    _add_stores(net, homes, room_kw, prices.of_stores(asked))
    grid, feed_in = (price * _SCALE for price in prices.import_and_feed_in(asked))
    cap_mw = max(asked.station_cap_kw, float(p_net_kw.sum())) * _KW + background_mw
    net.ext_grid["min_p_mw"] = -_GRID_MW
    net.ext_grid["max_p_mw"] = min(cap_mw, _GRID_MW) if asked.charge_from_grid else _GRID_MW
    for row in net.ext_grid.index:
        pp.create_pwl_cost(net, row, "ext_grid", [[-_GRID_MW, 0.0, feed_in], [0.0, _GRID_MW, grid]])
    for table in ("line", "trafo"):
        net[table]["max_loading_percent"] = np.nan if loading_max is None else 100.0 * loading_max
    return net


def _add_stores(
    net: pandapowerNet, homes: npt.NDArray[np.int64], room_kw: Array, costs: tuple[float, float, float, float]
) -> None:
    """A controllable static generator for each store with room, and its cost in two pieces; `homes` are buses."""
    for store, (room_in, room_out) in _SIDES.items():
        rows = np.flatnonzero(room_kw[room_in] + room_kw[room_out] > 0)
        if not rows.size:
            continue
        low, high = -room_kw[room_in, rows] * _KW, room_kw[room_out, rows] * _KW
        index = pp.create_sgens(
            net, homes[rows], 0.0, controllable=True, min_p_mw=low, max_p_mw=high, min_q_mvar=0.0, max_q_mvar=0.0
        )
        net.sgen.loc[index, "home"], net.sgen.loc[index, "store"] = rows, store
        for row, least, most in zip(index, low, high, strict=True):
            points = [[least, 0.0, -costs[room_in] * _SCALE], [0.0, most, costs[room_out] * _SCALE]]
            pp.create_pwl_cost(net, row, "sgen", [point for point in points if point[1] > point[0]])
