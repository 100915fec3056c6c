"""The frame of a feeder's map: limits of the axes, and the places of prosumers around their buses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from scipy.spatial import cKDTree

from feeders.sketch import Sketch

__all__ = ["fit", "home_places", "marker_px", "size_of"]

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

_MARGIN_PX = 8.0  # around the outermost prosumers, and the ring of the chosen one
_STRETCH = 3.0  # y at most so many times as large as x, where they are no distances on the ground
_PITCH = 1.3  # from one marker to the next, in widths of a marker
_ANGLES = 24
_ON_HOME, _ON_BUS, _ON_EDGE, _FAR, _ASIDE, _OUTSIDE = 30.0, 20.0, 10.0, 1.0, 0.3, 100.0  # costs of a place


def size_of(ax: Axes) -> Array:
    """Width and height of axes [px of 1/100 inch]: a picture of more dots per inch looks the same, but finer."""
    figure = ax.get_figure(root=True)
    return np.array([ax.bbox.width, ax.bbox.height]) * (100.0 / (figure.dpi if figure is not None else 100.0))


def fit(ax: Axes, sketch: Sketch, place: Places | None = None) -> Array:
    """Set the limits so that the map fills the axes, whose place stays; returns pixels per unit of x and y.

    On the ground both are on one scale; else each fills its side, but y is not stretched over 3 times as far as x.
    Around the buses there is room for prosumers at these places.
    """
    low, high = _extent(sketch)
    size_px = size_of(ax)
    extent = np.where(high > low, high - low, np.inf)
    room_px = np.maximum(size_px - 2 * (_MARGIN_PX + _reach_px(ax, sketch, place)), 0.2 * size_px)
    scale = room_px / extent
    if sketch.geographic:
        scale[:] = scale[scale > 0].min() if scale.any() else 1.0
    scale = np.where(scale > 0, scale, scale.max() or 1.0)
    if not sketch.geographic:
        scale[1] = min(scale[1], _STRETCH * scale[0])
    half, middle = size_px / scale / 2, (low + high) / 2
    ax.set_xlim(middle[0] - half[0], middle[0] + half[0])
    ax.set_ylim(middle[1] - half[1], middle[1] + half[1])
    return scale


def marker_px(ax: Axes, n_markers: int) -> float:
    """Width of a marker [px], so that the map does not drown in them."""
    return float(np.clip(0.32 * np.sqrt(size_of(ax).prod() / max(n_markers, 1)), 5.0, 12.0))


def home_places(ax: Axes, sketch: Sketch, place: Places) -> Array:
    """Where prosumers are drawn, data coordinates, shape (n, 2); sets the limits of the axes.

    One after the other, each near its bus on the side that its lines leave free, clear of other buses, lines and
    prosumers if there is room.

    Parameters
    ----------
    place : array of int, shape (n,)
        Position of each one's bus.
    """
    scale = fit(ax, sketch, place)
    pitch = _PITCH * _size_px(ax, sketch, place)
    buses = np.column_stack([sketch.x, sketch.y]) * scale
    shown = cKDTree(buses[np.isfinite(buses).all(axis=1)])
    lines = cKDTree(np.concatenate([buses[:1], *_along(sketch, scale, pitch / 3)]))
    leaving = _directions(sketch, scale)
    inside = np.array([ax.get_xlim(), ax.get_ylim()]).T * scale + 0.5 * pitch * np.array([[1.0], [-1.0]])
    n_at = np.bincount(place, minlength=len(buses))
    found = np.empty((len(place), 2))
    for row, bus in enumerate(place.tolist()):
        offsets, cost = _around(int(n_at[bus]), _widest_gap(leaving.get(bus, [])), pitch)
        tried = buses[bus] + offsets
        cost += _OUTSIDE * ((tried < inside[0]) | (tried > inside[1])).any(axis=1)
        cost += _ON_BUS * np.maximum(1 - shown.query(tried)[0] / pitch, 0)
        cost += _ON_EDGE * np.maximum(1 - lines.query(tried)[0] / (0.6 * pitch), 0)
        if row:
            nearest = np.hypot(*(tried[:, None] - found[None, :row]).transpose(2, 0, 1)).min(axis=1)
            cost += _ON_HOME * np.maximum(1 - nearest / pitch, 0)
        found[row] = tried[np.argmin(cost)]
    return found / scale


def _size_px(ax: Axes, sketch: Sketch, place: Places | None) -> float:
    return marker_px(ax, len(sketch.x) + (0 if place is None else len(place)))


def _n_rings(n: int) -> int:
    """Rings around a bus that hold n, six more from one to the next."""
    rings = 1
    while 3 * rings * (rings + 1) < n:
        rings += 1
    return rings


def _reach_px(ax: Axes, sketch: Sketch, place: Places | None) -> float:
    """How far from their buses the farthest prosumers may be."""
    size = _size_px(ax, sketch, place)
    if place is None or not len(place):
        return size
    rings = _n_rings(int(np.bincount(place).max()))
    return (0.1 + rings) * _PITCH * size + 0.7 * size


def _around(n: int, gap: float, pitch: float) -> tuple[Array, Array]:
    """Places around a bus with n prosumers, shape (k, 2), and what is against them: far away, aside of the gap."""
    aside = 2 * np.pi / _ANGLES * (np.arange(_ANGLES) - _ANGLES // 2)
    ring, away = np.meshgrid(np.arange(_n_rings(n) + 1), aside, indexing="ij")
    radius, angle = (1.1 * pitch + pitch * ring).ravel(), (gap + away).ravel()
    offsets = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    return offsets, _FAR * ring.ravel() + _ASIDE * np.abs(away).ravel()


def _extent(sketch: Sketch) -> tuple[Array, Array]:
    drawn = [path for path in sketch.paths if np.isfinite(path).all()]
    points = np.concatenate([np.column_stack([sketch.x, sketch.y]), *drawn])
    return np.nanmin(points, axis=0), np.nanmax(points, axis=0)


def _along(sketch: Sketch, scale: Array, every_px: float) -> list[Array]:
    """Points along the edges [px]."""
    found = []
    for path in sketch.paths:
        if np.isfinite(path).all():
            for start, end in zip(path[:-1] * scale, path[1:] * scale, strict=True):
                n = 2 + int(np.hypot(*(end - start)) / every_px)
                found.append(start + np.linspace(0, 1, n)[:, None] * (end - start))
    return found


def _directions(sketch: Sketch, scale: Array) -> dict[int, list[float]]:
    """Angles on the screen [rad] in which edges leave each bus."""
    found: dict[int, list[float]] = {}
    for (start, end), path in zip(sketch.ends.tolist(), sketch.paths, strict=True):
        for bus, step in ((start, path[1] - path[0]), (end, path[-2] - path[-1])):
            dx, dy = step * scale
            found.setdefault(bus, []).append(float(np.arctan2(dy, dx)))
    return found


def _widest_gap(leaving: Sequence[float]) -> float:
    """Middle [rad] of the largest angle without an edge; upwards without any."""
    if not leaving:
        return np.pi / 2
    angles = np.sort(np.array(leaving))
    width = np.diff(np.append(angles, angles[0] + 2 * np.pi))
    at = int(np.argmax(width.round(6)))
    return float(angles[at] + width[at] / 2)
