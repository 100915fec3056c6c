"""Which homes are behind each line and transformer of a region, and how much they may draw or feed in together."""

from __future__ import annotations

import networkx as nx
import numpy as np
import numpy.typing as npt
from pandapower.auxiliary import pandapowerNet
from pandapower.topology import create_nxgraph

from agents.prosumer.limits import Limits
from feeders.errors import InputError
from feeders.region import Region

__all__ = ["branch_limits"]

Array = npt.NDArray[np.float64]
Branch = tuple[str, int]  # table of the net, and index in it


def branch_limits(region: Region, loading_max: float = 1.0, power_factor: float = 1.0) -> Limits:
    """Limits of all lines and transformers through which homes are fed, without losses.

    Parameters
    ----------
    region : Region
        Its net must be radial.
    loading_max : float
        Share of its rating up to which a branch may be loaded. A line's is sqrt(3) times nominal voltage and
        ``max_i_ka``, with ``df`` and ``parallel``; a transformer's ``sn_mva`` with ``df`` and ``parallel``.
    power_factor : float
        Active over apparent power at the limit, 0 to 1.

    Returns
    -------
    Limits
        Columns as the rows of ``region.homes``. Of branches with the same homes behind them the one with the lowest
        limit; branches without a rating, without homes, or with other loads or generators behind them are left out.
        Names are ``line 7`` or ``trafo 114``, with the index in the net.

    Raises
    ------
    InputError
        For a net with a mesh, homes that no source feeds, and shares that are not above 0.
    """
    for name, share, highest in (("loading_max", loading_max, np.inf), ("power_factor", power_factor, 1.0)):
        if not 0 < share <= highest:
            raise InputError("branch limits", name, share, "above 0" + ("" if highest == np.inf else " up to 1"))
    net = region.feeder.net
    behind = _homes_behind(region)
    tightest: dict[bytes, tuple[float, Branch]] = {}
    for branch, members in behind.items():
        rating_kw = loading_max * power_factor * _rating_kva(net, branch)
        key = members.tobytes()
        if np.isfinite(rating_kw) and (key not in tightest or rating_kw < tightest[key][0]):
            tightest[key] = (rating_kw, branch)
    kept = sorted(tightest.values(), key=lambda limit: limit[1])
    members = np.array([behind[branch] for _, branch in kept], dtype=bool).reshape(len(kept), len(region.homes))
    return Limits(members, np.array([rating for rating, _ in kept]), [f"{table} {row}" for _, (table, row) in kept])


def _homes_behind(region: Region) -> dict[Branch, npt.NDArray[np.bool_]]:
    """The homes behind each branch that has homes and nothing else behind it."""
    net, n = region.feeder.net, len(region.homes)
    graph, root = _tree(net)
    homes_at: dict[int, list[int]] = {}
    for row, bus in enumerate(region.homes["bus"]):
        homes_at.setdefault(int(bus), []).append(row)
    if lost := [bus for bus in homes_at if bus not in graph]:
        name = region.homes.index[homes_at[lost[0]][0]]
        raise InputError("branch limits", f"homes.{name}.bus", lost[0], "a bus that the source feeds")
    others = _other_buses(net)
    behind: dict[int, npt.NDArray[np.bool_]] = {}
    mixed: set[int] = set()
    found: dict[Branch, npt.NDArray[np.bool_]] = {}
    for above, bus in reversed([*nx.bfs_edges(graph, root)]):
        mine = behind.setdefault(bus, np.zeros(n, dtype=bool))
        mine[homes_at.get(bus, [])] = True
        behind.setdefault(above, np.zeros(n, dtype=bool))[mine] = True
        if bus in others or bus in mixed:
            mixed.add(above)
            continue
        (key,) = graph[above][bus]
        if mine.any() and key[0] in ("line", "trafo"):
            found[str(key[0]), int(key[1])] = mine
    return found


def _tree(net: pandapowerNet) -> tuple[nx.MultiGraph, int]:
    """All that hangs on the external grid, and its bus."""
    roots = net.ext_grid.bus[net.ext_grid.in_service.astype(bool)].unique().tolist()
    if len(roots) != 1:
        raise InputError("branch limits", "ext_grid", len(roots), "one external grid in service")
    graph = create_nxgraph(net, multi=True)
    fed = graph.subgraph(nx.node_connected_component(graph, roots[0]))
    if fed.number_of_edges() != fed.number_of_nodes() - 1:
        ring = [bus for bus, *_ in nx.find_cycle(fed)]
        raise InputError("branch limits", "net", f"a mesh at buses {ring[:5]}", "a radial net")
    return fed, int(roots[0])


def _other_buses(net: pandapowerNet) -> set[int]:
    """Buses with power of which a dispatch of homes knows nothing."""
    found: set[int] = set()
    for table in ("load", "sgen", "gen", "storage"):
        rows = net[table]
        if len(rows):
            power = rows[["p_mw", "q_mvar"] if "q_mvar" in rows else ["p_mw"]].abs().sum(axis=1)
            found |= set(rows.bus[rows.in_service.astype(bool) & (power > 0)].tolist())
    return found


def _rating_kva(net: pandapowerNet, branch: Branch) -> float:
    table, row = branch
    data = net[table].loc[row]
    if table == "trafo":
        return 1e3 * float(data.sn_mva * data.get("df", 1.0) * data.get("parallel", 1))
    volts_kv = float(net.bus.vn_kv.at[data.from_bus])
    return 1e3 * 3**0.5 * volts_kv * float(data.max_i_ka * data.get("df", 1.0) * data.get("parallel", 1))
