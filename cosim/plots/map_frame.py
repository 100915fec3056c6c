"""The frame of a feeder's map: limits of the axes, and the places of prosumers around their buses."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from feeders.sketch import Sketch

__all__ = ["fit", "home_places", "marker_px"]

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

_MARGIN_PX = 20.0
_STRETCH = 3.0  # y at most so many times as large as x, where they are no distances on the ground
_GAP_PX = 1.5


def fit(ax: Axes, sketch: Sketch) -> Array:
    """Set the limits so that the sketch fills the axes, whose place stays; returns pixels per unit of x and y.

    On the ground both are on one scale; else each fills its side, but that y is not stretched over 3 times as far as x.
    """
    low, high = _extent(sketch)
    size_px = np.array([ax.bbox.width, ax.bbox.height])
    extent = np.where(high > low, high - low, np.inf)
    scale = np.maximum(size_px - 2 * _MARGIN_PX, 1.0) / extent
    if sketch.geographic:
        scale[:] = scale[scale > 0].min() if scale.any() else 1.0
    scale = np.where(scale > 0, scale, scale.max() or 1.0)
    if not sketch.geographic:
        scale[1] = min(scale[1], _STRETCH * scale[0])
    half = size_px / scale / 2
    middle = (low + high) / 2
    ax.set_xlim(middle[0] - half[0], middle[0] + half[0])
    ax.set_ylim(middle[1] - half[1], middle[1] + half[1])
    return scale


def marker_px(ax: Axes, n_markers: int) -> float:
    """Width of a marker [px], so that the map does not drown in them."""
    return float(np.clip(0.33 * np.sqrt(ax.bbox.width * ax.bbox.height / max(n_markers, 1)), 5.0, 10.0))


def home_places(ax: Axes, sketch: Sketch, place: Places) -> Array:
    """Where prosumers are drawn, data coordinates, shape (n, 2); sets the limits of the axes.

    Around their bus, side by side where its lines leave most room, on rings where that is not enough.

    Parameters
    ----------
    place : array of int, shape (n,)
        Position of each one's bus.
    """
    scale = fit(ax, sketch)
    size_px = marker_px(ax, len(sketch.x) + len(place))
    found = np.column_stack([sketch.x, sketch.y])[place]
    leaving = _directions(sketch, scale)
    order = np.argsort(place, kind="stable")
    buses, first = np.unique(place[order], return_index=True)
    for bus, rows in zip(buses.tolist(), np.split(order, first[1:]), strict=True):
        found[rows] += _fan(len(rows), leaving.get(bus, []), size_px) / scale
    return found


def _extent(sketch: Sketch) -> tuple[Array, Array]:
    drawn = [path for path in sketch.paths if np.isfinite(path).all()]
    points = np.concatenate([np.column_stack([sketch.x, sketch.y]), *drawn])
    return np.nanmin(points, axis=0), np.nanmax(points, axis=0)


def _directions(sketch: Sketch, scale: Array) -> dict[int, list[float]]:
    """Angles on the screen [rad] in which edges leave each bus."""
    found: dict[int, list[float]] = {}
    for (start, end), path in zip(sketch.ends.tolist(), sketch.paths, strict=True):
        for bus, step in ((start, path[1] - path[0]), (end, path[-2] - path[-1])):
            dx, dy = step * scale
            found.setdefault(bus, []).append(float(np.arctan2(dy, dx)))
    return found


def _fan(n: int, leaving: list[float], size_px: float) -> Array:
    """Offsets from the bus [px], shape (n, 2)."""
    pitch = size_px + _GAP_PX
    radius = 1.15 * pitch
    middle, width = _widest_gap(leaving)
    between = pitch / radius
    if (n - 1) * between <= width - 2 * between * 0.8:
        angles = middle + between * (np.arange(n) - (n - 1) / 2)
        return radius * np.column_stack([np.cos(angles), np.sin(angles)])
    rings = []
    left = n
    while left > 0:
        on_ring = min(left, int(2 * np.pi * radius / pitch))
        angles = middle + 2 * np.pi * np.arange(on_ring) / on_ring
        rings.append(radius * np.column_stack([np.cos(angles), np.sin(angles)]))
        left -= on_ring
        radius += pitch
    return np.concatenate(rings)


def _widest_gap(leaving: list[float]) -> tuple[float, float]:
    """Middle and width [rad] of the largest angle without an edge."""
    if not leaving:
        return np.pi / 2, 2 * np.pi
    angles = np.sort(np.array(leaving))
    width = np.diff(np.append(angles, angles[0] + 2 * np.pi))
    at = int(np.argmax(width))
    return float(angles[at] + width[at] / 2), float(width[at])
