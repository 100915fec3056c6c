"""Places of buses and courses of lines as a net gives them, in GeoJSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

__all__ = ["apart", "bus_places", "line_courses", "on_the_ground"]

FloatArray = NDArray[np.float64]

_KM_PER_DEGREE = 111.2  # of a great circle on a sphere of 6371 km
_DEGREES_MAX = 3.0  # no distribution feeder is longer: larger numbers are those of a schematic
_POINTS_MAX = 16
_APART = 0.018  # of the drawing's diagonal
_ROUNDS = 40


def bus_places(bus: pd.DataFrame) -> FloatArray:
    """Coordinates of each bus, shape (n_buses, 2); NaN where ``geo`` holds no point."""
    places = np.full((len(bus), 2), np.nan)
    if "geo" in bus:
        for row, text in enumerate(bus["geo"]):
            found = _coordinates(text)
            if found.shape == (1, 2):
                places[row] = found[0]
    return places


def line_courses(line: pd.DataFrame) -> list[FloatArray]:
    """Coordinates along each line, shape (k, 2); of shape (0, 2) where ``geo`` holds none. At most 16 points each."""
    texts = line["geo"] if "geo" in line else [None] * len(line)
    courses = [_coordinates(text) for text in texts]
    return [c[np.linspace(0, len(c) - 1, min(len(c), _POINTS_MAX)).astype(int)] for c in courses]


def on_the_ground(places: FloatArray) -> tuple[FloatArray, FloatArray, bool]:
    """What turns coordinates into kilometres to draw: factors and origin, each shape (2,), and whether it does.

    Numbers that can be degrees of one distribution area are taken as longitude and latitude, east and north of the
    area's middle; numbers of a thousand and more as metres of some projection. Others are a schematic's, in no unit.
    """
    given = places[np.isfinite(places).all(axis=1)]
    low, high = given.min(axis=0), given.max(axis=0)
    middle = (low + high) / 2
    in_range = np.abs(given).max(axis=0) <= (180.0, 90.0)
    if in_range.all() and (high - low).max() <= _DEGREES_MAX:
        return _KM_PER_DEGREE * np.array([np.cos(np.deg2rad(middle[1])), 1.0]), middle, True
    if np.abs(given).max() >= 1000.0:
        return np.full(2, 1e-3), middle, True
    return np.ones(2), middle, False


def apart(places: FloatArray, order: FloatArray) -> FloatArray:
    """The same places, those moved a little that lie on top of one another.

    Parameters
    ----------
    places : ndarray, shape (n, 2)
        All finite.
    order : ndarray, shape (n,)
        Of several buses on one spot, those of a lower `order` go up, the others down.
    """
    moved = places.copy()
    least = _APART * float(np.hypot(*np.ptp(places, axis=0)))
    least = min(least, 0.5 * least / _APART / np.sqrt(len(places)))
    _, spot, count = np.unique(np.round(places / least, 6), axis=0, return_inverse=True, return_counts=True)
    spot = spot.reshape(-1)
    for shared in np.flatnonzero(count > 1):
        at = np.flatnonzero(spot == shared)
        at = at[np.argsort(order[at], kind="stable")]
        moved[at, 1] += least * (0.5 * (len(at) - 1) - np.arange(len(at)))
    for _ in range(_ROUNDS):
        pairs = cKDTree(moved).query_pairs(0.999 * least, output_type="ndarray")
        if not len(pairs):
            break
        between = moved[pairs[:, 0]] - moved[pairs[:, 1]]
        distance = np.hypot(*between.T)
        angle = 2.4 * pairs.sum(axis=1)  # of those that meet again: anything but the same for all
        between = np.where(
            distance[:, None] > 1e-9 * least,
            between / np.maximum(distance, 1e-9 * least)[:, None],
            np.column_stack([np.cos(angle), np.sin(angle)]),
        )
        push = 0.5 * (least - distance)[:, None] * between
        np.add.at(moved, pairs[:, 0], push)
        np.add.at(moved, pairs[:, 1], -push)
    return moved


def _coordinates(text: Any) -> FloatArray:
    """Points of a GeoJSON geometry, shape (k, 2), without heights; none of what is no point or line of finite ones."""
    nothing = np.empty((0, 2))
    try:
        points = np.atleast_2d(np.array(json.loads(text)["coordinates"], dtype=float))
    except (TypeError, ValueError, KeyError):
        return nothing
    is_usable = points.ndim == 2 and points.shape[1] in (2, 3) and bool(np.isfinite(points).all())
    return points[:, :2] if is_usable else nothing
