"""Shapes from GeoJSON (RFC 7946)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from feeders.errors import InputError
from feeders.synthetic.shapes import Shape, Shapes

__all__ = ["geojson_shapes"]

FloatArray = npt.NDArray[np.float64]

_STREETS = ("LineString", "MultiLineString")
_PLACES = ("Point", "Polygon", "MultiPolygon")
_DEPTH = {"Point": 0, "LineString": 1, "Polygon": 2, "MultiLineString": 2, "MultiPolygon": 3}


def geojson_shapes(text: str, where: str, kind: str) -> Shapes:
    """Points, or lines where the kind is street; see `feeders.synthetic.read.read_map`.

    Raises
    ------
    InputError
        With the line of the file where it is no JSON, else with the number of the feature, counted from 1.
    """
    try:
        content = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        line = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "JSON"
        raise InputError(where, line, str(error), "a GeoJSON FeatureCollection") from None
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list) or content.get("type") != "FeatureCollection":
        found = content.get("type") if isinstance(content, dict) else type(content).__name__
        raise InputError(where, "type", found, "a GeoJSON FeatureCollection")
    shapes = []
    for number, feature in enumerate(features, start=1):
        if not isinstance(feature, dict):
            raise InputError(where, f"feature {number}", type(feature).__name__, "a GeoJSON Feature")
        shapes += list(_shapes(feature, f"{kind} {number}", kind, where, f"feature {number}"))
    return Shapes(where, shapes, _is_degrees(content))


def _is_degrees(content: dict[str, Any]) -> bool:
    crs = content.get("crs")
    return crs is None or any(word in json.dumps(crs) for word in ("CRS84", "4326"))


def _shapes(feature: dict[str, Any], default: str, kind: str, where: str, field: str) -> Iterator[Shape]:
    properties = feature.get("properties") or {}
    candidates = (properties.get("name"), feature.get("id"), properties.get("@id"), default)
    name = next(str(found) for found in candidates if found not in (None, ""))
    geometry = feature.get("geometry") or {}
    allowed = _STREETS if kind == "street" else _PLACES
    form = geometry.get("type") if isinstance(geometry, dict) else None
    if not isinstance(form, str) or form not in allowed:
        raise InputError(where, f"{field}.geometry", form, f"one of {', '.join(allowed)}")
    found = _coordinates(geometry.get("coordinates"), _DEPTH[form])
    if found is None:
        raise InputError(where, f"{field}.coordinates", geometry.get("coordinates"), f"coordinates of a {form}")
    if kind == "street":
        yield from (Shape(name, line) for line in found)
    elif form == "Point":
        yield Shape(name, found[0], properties.get("rating_kva"))
    else:  # of several outlines the largest counts; holes are within it
        middle = max((_centroid(ring) for ring in found), key=lambda pair: pair[0])[1]
        yield Shape(name, middle[None], properties.get("rating_kva"))


def _coordinates(value: Any, depth: int) -> list[FloatArray] | None:
    """All lists of points of a geometry, without heights, each of shape (k, 2); None for what is none."""
    if depth > 1:
        if not isinstance(value, list) or not value:
            return None
        parts = [_coordinates(part, depth - 1) for part in value]
        return None if any(part is None for part in parts) else [line for part in parts for line in part or ()]
    try:
        points = np.array([value] if depth == 0 else value, dtype=float)
    except (TypeError, ValueError):
        return None
    least = 1 if depth == 0 else 2
    if points.ndim != 2 or points.shape[1] not in (2, 3) or len(points) < least:
        return None
    return [points[:, :2]]


def _centroid(ring: FloatArray) -> tuple[float, FloatArray]:
    """Area and centroid of an outline by the shoelace formula; the mean of its points where it has no area."""
    start = ring.mean(axis=0)
    a = ring - start  # small numbers: no digits are lost
    b = np.roll(a, -1, axis=0)
    cross = a[:, 0] * b[:, 1] - b[:, 0] * a[:, 1]
    area = cross.sum() / 2
    if abs(area) < 1e-18:
        return 0.0, start
    centroid: FloatArray = start + ((a + b) * cross[:, None]).sum(axis=0) / (6 * area)
    return abs(float(area)), centroid
