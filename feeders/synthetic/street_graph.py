"""The street graph: streets joined where they meet, houses and stations at the nearest point of a street."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import networkx as nx
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from feeders.errors import InputError

__all__ = ["StreetGraph", "nearest_segments", "street_graph"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_CELLS = 2_000_000  # of a block of distances: some 100 MB


@dataclass(frozen=True, eq=False)
class StreetGraph:
    """Streets as a graph.

    Attributes
    ----------
    graph : Graph
        Nodes are numbers from 0; edges straight pieces of street with ``length_m``.
    xy : array, shape (n_nodes, 2)
        Where they are [m].
    node_of_point : int array, shape (n_points,)
        The node at the foot of each point's perpendicular on its nearest street.
    off_street_m : array, shape (n_points,)
        Length of that perpendicular [m].
    """

    graph: nx.Graph
    xy: FloatArray
    node_of_point: IntArray
    off_street_m: FloatArray


def street_graph(lines: Sequence[FloatArray], points: FloatArray, snap_m: float = 0.5) -> StreetGraph:
    """Join streets where they share points, and cut them at the feet of houses and stations.

    Parameters
    ----------
    lines : sequence of arrays, each of shape (k, 2)
        Streets [m].
    points : array, shape (n_points, 2)
        Houses and stations [m].
    snap_m : float
        Points of streets so near to each other are one. A street that ends so near to another joins it there; streets
        that cross without a common point do not meet, as on a bridge. Feet so near to each other are one.

    Raises
    ------
    InputError
        If no street is longer than that.
    """
    xy, segments, ends = _noded(lines, snap_m)
    if not len(segments):
        raise InputError("streets", "length", f"none above {snap_m:g} m", "a street longer than that")
    a, b = xy[segments[:, 0]], xy[segments[:, 1]]
    cuts: dict[int, list[tuple[float, int, int]]] = defaultdict(list)  # segment -> along [m], node or -1, point or -1
    for node, segment, along in _touching(xy, segments, ends, snap_m):
        cuts[segment].append((along, node, -1))
    segment_of, along_m, off_m = nearest_segments(points, a, b)
    for point, (segment, along) in enumerate(zip(segment_of.tolist(), along_m.tolist(), strict=True)):
        cuts[segment].append((along, -1, point))
    node_of_point = np.empty(len(points), dtype=np.int64)
    places, edges = [*xy], []
    for segment, (start, end) in enumerate(segments.tolist()):
        unit, length = _direction(xy[start], xy[end])
        last, at = start, 0.0
        for along, node, point in sorted(cuts.get(segment, ())):
            if node < 0 and min(along - at, length - along) <= snap_m:
                node_of_point[point] = last if along - at <= length - along else end
                continue
            if node < 0:
                node_of_point[point] = len(places)
                places.append(xy[start] + along * unit)
            edges.append((last, len(places) - 1 if node < 0 else node))
            last, at = edges[-1][1], along
        edges.append((last, end))
    return StreetGraph(_graph(np.array(places), edges), np.array(places), node_of_point, off_m)


def nearest_segments(points: FloatArray, a: FloatArray, b: FloatArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """The nearest of the segments from `a` to `b` to each point: its number, how far along it and how far off [m]."""
    direction = b - a
    squared = np.maximum((direction**2).sum(axis=1), 1e-300)
    found = np.empty(len(points), dtype=np.int64)
    along, off = np.empty(len(points)), np.empty(len(points))
    block = max(1, _CELLS // max(1, len(a)))
    for begin in range(0, len(points), block):
        part = slice(begin, begin + block)
        relative = points[part, None, :] - a
        share = np.clip((relative * direction).sum(axis=2) / squared, 0.0, 1.0)
        distance = np.linalg.norm(relative - share[..., None] * direction, axis=2)
        found[part] = nearest = distance.argmin(axis=1)
        row = np.arange(len(nearest))
        along[part] = share[row, nearest] * np.sqrt(squared[nearest])
        off[part] = distance[row, nearest]
    return found, along, off


def _noded(lines: Sequence[FloatArray], snap_m: float) -> tuple[FloatArray, IntArray, IntArray]:
    """Nodes where points of streets lie together, segments between them, and the nodes at which a line ends."""
    points = np.concatenate(lines)
    pairs = cKDTree(points).query_pairs(snap_m, output_type="ndarray")
    joined = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(points), len(points)))
    n_nodes, node = connected_components(joined, directed=False)
    xy = np.empty((n_nodes, 2))
    xy[node[::-1]] = points[::-1]  # a node lies where its first point does
    segments, ends, first = set(), set(), 0
    for line in lines:
        along = node[first : first + len(line)].tolist()
        first += len(line)
        ends |= {along[0], along[-1]}
        segments |= {(min(pair), max(pair)) for pair in pairwise(along) if pair[0] != pair[1]}
    return xy, np.array(sorted(segments), dtype=np.int64).reshape(-1, 2), np.array(sorted(ends), dtype=np.int64)


def _touching(xy: FloatArray, segments: IntArray, ends: IntArray, snap_m: float) -> list[tuple[int, int, float]]:
    """Ends of streets that lie on a segment of another: node, segment, how far along it [m]."""
    touching = []
    tree = cKDTree(xy[segments].mean(axis=1))
    reach = np.linalg.norm(xy[segments[:, 1]] - xy[segments[:, 0]], axis=1).max() / 2 + snap_m
    for node, near in zip(ends.tolist(), tree.query_ball_point(xy[ends], reach), strict=True):
        others = np.array([segment for segment in sorted(near) if node not in segments[segment]], dtype=np.int64)
        if len(others):
            at, along, off = nearest_segments(xy[[node]], xy[segments[others, 0]], xy[segments[others, 1]])
            if off[0] <= snap_m:
                touching.append((node, int(others[at[0]]), float(along[0])))
    return touching


def _direction(start: FloatArray, end: FloatArray) -> tuple[FloatArray, float]:
    length = float(np.linalg.norm(end - start))
    return (end - start) / length, length


def _graph(xy: FloatArray, edges: list[tuple[int, int]]) -> nx.Graph:
    graph = nx.Graph()
    graph.add_nodes_from(range(len(xy)))
    ends = np.array(edges, dtype=np.int64).reshape(-1, 2)
    length = np.linalg.norm(xy[ends[:, 1]] - xy[ends[:, 0]], axis=1)
    graph.add_edges_from((a, b, {"length_m": d}) for (a, b), d in zip(ends.tolist(), length.tolist(), strict=True))
    return graph
