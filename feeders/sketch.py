"""Where the buses of a feeder are drawn, and what joins them: on the ground where the net says so, else as a tree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from feeders.feeder import Feeder
from feeders.geodata import apart, bus_places, line_courses, on_the_ground
from feeders.sketch_edges import Edges, edges_of
from feeders.tree_layout import place_forest

__all__ = ["Sketch", "sketch_of"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_TALL = 2.5  # pages are wide: what is taller than so many times its width is laid on its side
_BOW = 0.45  # rows by which what closes a loop bows out, so that it does not hide behind the tree


@dataclass(frozen=True)
class Sketch:
    """A drawing of a feeder; buses by their positions in ``feeder.buses``.

    Attributes
    ----------
    x, y : ndarray, shape (n_buses,)
        Where each bus is drawn, no two on one spot; NaN for one without supply that the net places nowhere.
    ends : ndarray of int, shape (n_edges, 2)
        The two buses that each edge joins.
    element : list of str
        What each edge is: "line", "trafo", "switch" (between two buses) or "other".
    number : ndarray of int, shape (n_edges,)
        Its position in ``net.line`` or ``net.trafo``, the order of loadings; -1 for others.
    closed : ndarray of bool, shape (n_edges,)
        False where it does not connect: a switch is open, or it is out of service, or a bus is.
    paths : list of ndarray, shape (k, 2)
        Its course, from the first to the second of its `ends`.
    geographic : bool
        Whether x and y are kilometres on the ground; else in no unit, and each may be stretched to fit.
    source : ndarray of int
        Buses of the external grids in service.
    """

    x: FloatArray
    y: FloatArray
    ends: IntArray
    element: list[str]
    number: IntArray
    closed: NDArray[np.bool_]
    paths: list[FloatArray]
    geographic: bool
    source: IntArray


def sketch_of(feeder: Feeder) -> Sketch:
    """Draw a feeder: the same for the same net.

    By the net's own coordinates (GeoJSON in ``net.bus.geo``, courses of lines in ``net.line.geo``) where every
    energised bus has them and no more than half of them share a spot; a drawing over 2.5 times as tall as wide is
    turned clockwise by a right angle. Else as a tree, the sources on the left: x is the length of the path from the
    source, lines much shorter or longer than the median drawn as if half or 2.5 times as long; branches lie on rows
    of their own and cross nowhere. In a meshed net the tree is that of the shortest paths; the other edges bow out.
    """
    edges = edges_of(feeder.net)
    grids = feeder.net.ext_grid
    source = np.unique(feeder.bus_positions(grids.bus[grids.in_service.astype(bool)].tolist()))
    source = source[feeder.energised[source]]
    distance, parent = _shortest_paths(edges, feeder.n_buses, source)
    places = bus_places(feeder.net.bus)
    if _is_usable(places[feeder.energised]):
        return _on_a_map(feeder, edges, places, distance, source)
    y = place_forest(distance, parent)
    xy = np.column_stack([distance, y])
    return _sketch(edges, xy, _tree_paths(edges, xy, parent), False, source)


def _sketch(edges: Edges, xy: FloatArray, paths: list[FloatArray], geographic: bool, source: IntArray) -> Sketch:
    x, y = xy.T.copy()
    return Sketch(x, y, edges.ends, edges.element, edges.number, edges.closed, paths, geographic, source)


def _shortest_paths(edges: Edges, n_buses: int, source: IntArray) -> tuple[FloatArray, IntArray]:
    """Length to draw from the nearest source, and the bus before, -1 at sources; islands from their first bus."""
    shortest: dict[tuple[int, int], float] = {}  # a sparse array would add up what is parallel
    for (start, end), step in zip(edges.ends[edges.closed].tolist(), edges.step[edges.closed].tolist(), strict=True):
        if start != end:
            pair = min(start, end), max(start, end)
            shortest[pair] = min(step, shortest.get(pair, np.inf))
    at = np.array(list(shortest), dtype=np.int64).reshape(-1, 2).T
    graph = csr_array((list(shortest.values()), (at[0], at[1])), shape=(n_buses, n_buses))
    _, island = connected_components(graph, directed=False)
    dead = np.setdiff1d(np.arange(island.max() + 1), island[source])
    roots = np.concatenate([source, [np.argmax(island == number) for number in dead]]).astype(np.int64)
    distance, parent, _ = dijkstra(graph, directed=False, indices=roots, return_predecessors=True, min_only=True)
    return distance, np.where(parent < 0, -1, parent).astype(np.int64)


def _tree_paths(edges: Edges, xy: FloatArray, parent: IntArray) -> list[FloatArray]:
    """Elbows along the tree; what is not of it, or parallel to it, bows out."""
    paths, drawn = [], set()
    for (start, end), closed in zip(edges.ends.tolist(), edges.closed.tolist(), strict=True):
        child = next((a for a, b in ((start, end), (end, start)) if parent[a] == b), -1)
        if closed and child >= 0 and child not in drawn:
            drawn.add(child)
            above = parent[child]
            elbow = np.array([xy[above], (xy[above, 0], xy[child, 1]), xy[child]])
            path = elbow if xy[above, 1] != xy[child, 1] else elbow[1:]
            paths.append(path if start == above else path[::-1])
        else:
            paths.append(np.array([xy[start], (xy[start] + xy[end]) / 2 + (0.0, _BOW), xy[end]]))
    return paths


def _is_usable(places: FloatArray) -> bool:
    """Whether all are given, and at least half of them differ by more than a thousandth of the whole."""
    if not np.isfinite(places).all():
        return False
    extent = float(np.ptp(places, axis=0).max())
    return extent > 0 and 2 * len(np.unique(np.round(places / extent, 3), axis=0)) >= len(places)


def _on_a_map(feeder: Feeder, edges: Edges, places: FloatArray, distance: FloatArray, source: IntArray) -> Sketch:
    factor, origin, geographic = on_the_ground(places)
    xy = (places - origin) * factor
    courses = [(course - origin) * factor for course in line_courses(feeder.net.line)]
    given = np.isfinite(xy).all(axis=1)
    width, height = np.ptp(xy[given], axis=0)
    if height > _TALL * width:
        xy, courses = _turned(xy), [_turned(course) for course in courses]
    xy[given] = apart(xy[given], distance[given])
    near = 0.05 * float(np.hypot(width, height))
    paths = []
    for ends, element, number in zip(edges.ends, edges.element, edges.number.tolist(), strict=True):
        course = courses[number] if element == "line" else np.empty((0, 2))
        paths.append(_between(xy[ends], course, near))
    return _sketch(edges, xy, paths, geographic, source)


def _turned(xy: FloatArray) -> FloatArray:
    return xy[:, ::-1] * (1.0, -1.0)


def _between(ends: FloatArray, course: FloatArray, near: float) -> FloatArray:
    """The course from end to end, whichever way it was given, or a straight line if it belongs elsewhere."""
    for way in (course, course[::-1]):
        if len(way) >= 2 and np.abs(way[[0, -1]] - ends).max() <= near:
            return np.concatenate([ends[:1], way[1:-1], ends[1:]])
    return ends
