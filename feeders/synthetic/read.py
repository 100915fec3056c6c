"""Streets, houses and stations from files: GeoJSON or CSV."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from feeders.errors import InputError
from feeders.synthetic.read_csv import csv_shapes
from feeders.synthetic.read_geojson import geojson_shapes
from feeders.synthetic.shapes import Shape, Shapes
from feeders.synthetic.street_map import Places, StreetMap, Streets

__all__ = ["read_map"]

_READERS = {".csv": csv_shapes, ".geojson": geojson_shapes, ".json": geojson_shapes}


def read_map(streets: str | Path, houses: str | Path, stations: str | Path) -> StreetMap:
    """A map from three files.

    Parameters
    ----------
    streets, houses, stations : path
        GeoJSON (``.geojson``, ``.json``): a FeatureCollection with LineString or MultiLineString streets, and with
        houses and stations as Point, or as Polygon or MultiPolygon, of which the centroid counts. The name is the
        property ``name``, else the feature's ``id``, else the property ``@id``, else "house 3". Coordinates are
        longitude and latitude (RFC 7946), or metres where a member ``crs`` of older files names another system than
        CRS84 or 4326.

        CSV (``.csv``, separated by commas): columns ``name, lon, lat`` [degrees] or ``name, x_m, y_m`` [m]; streets one
        point a row, points of the same name in consecutive rows make a line.

        Stations may have ``rating_kva``, as a property or column. Other properties and columns are left unread.

    Raises
    ------
    InputError
        For a file that cannot be read or has no such form, with the line or feature; and where one file is in degrees,
        another in metres.
    InputErrors
        See `StreetMap`.
    """
    lines = _shapes(Path(streets), "street")
    points, heads = _shapes(Path(houses), "house"), _shapes(Path(stations), "station")
    for other in (points, heads):
        if other.is_degrees != lines.is_degrees:
            unit, wanted = ("degrees", "metres") if other.is_degrees else ("metres", "degrees")
            raise InputError(other.where, "coordinates", unit, f"{wanted}, as in {lines.where}")
    roads = Streets(lines.where, lines.names, tuple(shape.points for shape in lines.shapes))
    return StreetMap(roads, _places(points), _places(heads), lines.is_degrees)


def _shapes(path: Path, kind: str) -> Shapes:
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(str(path), "file", path.suffix, f"a file that ends in {', '.join(_READERS)}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(path), "file", str(error), "a readable file in UTF-8") from None
    if not text.strip():
        raise InputError(str(path), "file", "empty", f"at least one {kind}")
    return reader(text, str(path), kind)


def _places(found: Shapes) -> Places:
    ratings = np.array([_rating(found.where, shape) for shape in found.shapes], dtype=float)
    points = np.array([shape.points[0] for shape in found.shapes], dtype=float).reshape(-1, 2)
    return Places(found.where, found.names, points, ratings)


def _rating(where: str, shape: Shape) -> float:
    if shape.rating_kva in (None, ""):
        return np.nan
    try:
        return float(shape.rating_kva)  # type: ignore[arg-type] # what it cannot take is an error below
    except (TypeError, ValueError):
        raise InputError(where, f"{shape.name}.rating_kva", shape.rating_kva, "a number, or nothing") from None
