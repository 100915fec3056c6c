"""Which station serves a house, and along which streets the cables lie."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

import networkx as nx
import numpy as np
import numpy.typing as npt

from feeders.errors import InputError, InputErrors
from feeders.synthetic.street_graph import StreetGraph, street_graph
from feeders.synthetic.street_map import StreetMap

__all__ = ["Cable", "Layout", "Tree", "lay_out"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Tree = Literal["minimum", "shortest"]

_SHORTEST_M = 1.0  # of a house's connection; no cable is shorter


@dataclass(frozen=True, eq=False)
class Cable:
    """A piece of the grid along a street, between two places where it branches or a house is connected.

    Attributes
    ----------
    station : int
        Number of its station.
    start, end : int
        Nodes of the layout; the start is the one towards the station.
    course : array, shape (k, 2)
        Along the street [m].
    length_m : float
    n_homes : int
        Houses that it serves.
    """

    station: int
    start: int
    end: int
    course: FloatArray
    length_m: float
    n_homes: int


@dataclass(frozen=True, eq=False)
class Layout:
    """The cables of all stations; houses and stations are numbered as in the map.

    Attributes
    ----------
    xy : array, shape (n_nodes, 2)
        Where the nodes are [m]; node i is station i as long as there are stations.
    station_of_node : int array, shape (n_nodes,)
    cables : tuple of Cable
        From each station outwards.
    station_of_home, node_of_home : int array, shape (n_homes,)
        The station, and the node at which a house's own connection begins.
    service_m : array, shape (n_homes,)
        Length of that connection [m], at least 1 m.
    """

    xy: FloatArray
    station_of_node: IntArray
    cables: tuple[Cable, ...]
    station_of_home: IntArray
    node_of_home: IntArray
    service_m: FloatArray


def lay_out(street_map: StreetMap, *, tree: Tree = "minimum", max_off_m: float = 100.0, snap_m: float = 0.5) -> Layout:
    """Cables from the stations to all houses, after the synthetic way of the Schutterwald study (its section 2.2.1).

    1. The street graph (`feeders.synthetic.street_graph`).
    2. A house goes to the station that is nearest along the streets; so does every node, and the nodes of a station
       hang together, since those on the way to a node's nearest station are no nearer to another.
    3. A spanning tree of each station's nodes, pruned of branches that serve no house.
    4. Nodes on a tree where nothing branches and no house is connected become points of a cable's course.

    A station's cables all begin at its busbar: its distance from the street is added to each of them.

    Parameters
    ----------
    street_map : StreetMap
    tree : {"minimum", "shortest"}
        The tree of least length that joins all nodes of a station's streets, which is the study's; or the shortest way
        from each house. Where many streets serve no house, pruning the first leaves long detours: on the positions of
        the real grid of lv_schutterwald it has 39 % more cable along the streets than is there, the second 3 %.
    max_off_m : float
        How far a house or station may be from the nearest street [m].
    snap_m : float
        See `feeders.synthetic.street_graph.street_graph`.

    Raises
    ------
    InputErrors
        For houses and stations too far from a street, houses from which no street leads to a station, and stations
        that are the nearest to no house.
    """
    houses, stations = street_map.houses, street_map.stations
    n_stations = len(stations.names)
    places = street_map.metres(np.concatenate([stations.places, houses.places]))
    streets = street_graph([street_map.metres(line) for line in street_map.streets.lines], places, snap_m)
    problems = [*_too_far(street_map, streets, max_off_m), *_cut_off(street_map, streets)]
    if problems:
        raise InputErrors(problems)
    graph, first = streets.graph.copy(), len(streets.xy)
    heads = range(first, first + n_stations)  # stations stand beside the street, as nodes of their own
    for head, node, off in zip(heads, streets.node_of_point.tolist(), streets.off_street_m.tolist(), strict=False):
        graph.add_edge(head, node, length_m=off)
    cells = nx.voronoi_cells(graph, list(heads), weight="length_m")
    home_node = streets.node_of_point[n_stations:]
    owner = {node: head - first for head in heads for node in cells[head]}
    station_of_home = np.array([owner[node] for node in home_node.tolist()], dtype=np.int64)
    unused = np.setdiff1d(np.arange(n_stations), station_of_home)
    if len(unused):
        allowed = "a station that is the nearest to some house along the streets; leave it out, or move it"
        raise InputErrors([InputError(stations.where, stations.names[s], "no houses", allowed) for s in unused])
    build = _Builder(np.concatenate([streets.xy, places[:n_stations]]), home_node, n_stations, first)
    for head in heads:
        build.add(spanning_tree(graph.subgraph(cells[head]), head, tree, set(home_node.tolist())), head)
    return build.layout(station_of_home, streets.off_street_m[n_stations:])


def spanning_tree(graph: nx.Graph, root: int, tree: Tree, wanted: Collection[int]) -> nx.Graph:
    """A spanning tree of a connected graph, without the branches that lead to no wanted node."""
    if tree == "minimum":
        found = nx.minimum_spanning_tree(graph, weight="length_m")
    else:
        before, _ = nx.dijkstra_predecessor_and_distance(graph, root, weight="length_m")
        found = nx.Graph()
        found.add_edges_from((node, way[0], graph.edges[node, way[0]]) for node, way in before.items() if way)
    kept = {root, *wanted}
    leaves = [node for node, degree in found.degree if degree == 1 and node not in kept]
    while leaves:
        leaf = leaves.pop()
        (inner,) = found[leaf]
        found.remove_node(leaf)
        if found.degree[inner] == 1 and inner not in kept:
            leaves.append(inner)
    return found


class _Builder:
    """Gathers the trees of the stations as cables."""

    def __init__(self, xy: FloatArray, home_node: IntArray, n_stations: int, first: int) -> None:
        self._xy, self._home_node, self._first = xy, home_node, first
        self._homes_at = np.bincount(home_node, minlength=len(xy))
        self._number = {first + station: station for station in range(n_stations)}  # node of the graph -> of the layout
        self._places, self._owner = [xy[head] for head in self._number], list(range(n_stations))
        self._extra_m: dict[int, float] = {}
        self._cables: list[Cable] = []

    def add(self, tree: nx.Graph, head: int) -> None:
        """Walk outwards from a station, a cable from each kept node to the next."""
        (gate,) = tree[head]  # the foot of the station on its street: its cables part at the busbar
        self._number[gate] = self._number[head]
        self._extra_m[gate] = tree.edges[head, gate]["length_m"]
        parent = {below: above for above, below in nx.bfs_edges(tree, head)}
        children: dict[int, list[int]] = {node: [] for node in tree}
        for node, above in parent.items():
            children[above].append(node)
        homes = {node: int(self._homes_at[node]) for node in tree}
        for node in reversed(list(parent)):  # in order of their distance in nodes
            homes[parent[node]] += homes[node]
        open_ends = [(gate, child) for child in children[gate]]
        while open_ends:
            start, node = open_ends.pop()
            path = [start, node]
            while self._homes_at[node] == 0 and len(children[node]) == 1:
                node = children[node][0]
                path.append(node)
            self._lay(path, self._number[head], homes[node])
            open_ends += [(node, child) for child in children[node]]

    def _lay(self, path: list[int], station: int, n_homes: int) -> None:
        start, end = path[0], path[-1]
        self._number[end] = len(self._places)
        self._places.append(self._xy[end])
        self._owner.append(station)
        course = self._xy[path]
        length = float(np.linalg.norm(np.diff(course, axis=0), axis=1).sum()) + self._extra_m.get(start, 0.0)
        if start in self._extra_m:
            course = np.concatenate([self._xy[[self._first + station]], course])
        self._cables.append(Cable(station, self._number[start], self._number[end], course, length, n_homes))

    def layout(self, station_of_home: IntArray, off_street_m: FloatArray) -> Layout:
        nodes = self._home_node.tolist()
        extra = np.array([self._extra_m.get(node, 0.0) for node in nodes])
        return Layout(
            xy=np.array(self._places),
            station_of_node=np.array(self._owner, dtype=np.int64),
            cables=tuple(self._cables),
            station_of_home=station_of_home,
            node_of_home=np.array([self._number[node] for node in nodes], dtype=np.int64),
            service_m=np.maximum(off_street_m + extra, _SHORTEST_M),
        )


def _too_far(street_map: StreetMap, streets: StreetGraph, max_off_m: float) -> Iterator[InputError]:
    stations, houses = street_map.stations, street_map.houses
    where = [stations.where] * len(stations.names) + [houses.where] * len(houses.names)
    names = [*stations.names, *houses.names]
    for point in np.flatnonzero(~(streets.off_street_m <= max_off_m)):
        found = f"{streets.off_street_m[point]:,.0f} m from the nearest street"
        yield InputError(where[point], names[point], found, f"within {max_off_m:g} m of a street")


def _cut_off(street_map: StreetMap, streets: StreetGraph) -> Iterator[InputError]:
    """Parts of the street graph that hold houses, but no station."""
    n_stations = len(street_map.stations.names)
    stations = set(streets.node_of_point[:n_stations].tolist())
    homes_at: dict[int, list[str]] = {}
    for node, name in zip(streets.node_of_point[n_stations:].tolist(), street_map.houses.names, strict=True):
        homes_at.setdefault(node, []).append(name)
    for part in nx.connected_components(streets.graph):
        names = [name for node in sorted(part & homes_at.keys()) for name in homes_at[node]]
        if names and not part & stations:
            x, y = street_map.given(streets.xy[sorted(part)].mean(axis=0))
            shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
            field = f"part around ({x:.6g}, {y:.6g}) of {len(part)} points"
            allowed = "streets that share a point with those of a station"
            yield InputError(street_map.streets.where, field, f"no station for {shown}", allowed)
