"""Streets, houses and stations as points and lines on the ground."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from feeders.errors import InputError, InputErrors

__all__ = ["Places", "StreetMap", "Streets"]

FloatArray = npt.NDArray[np.float64]

_EARTH_M = 6_371_008.8  # mean radius, IUGG 1980
_WIDEST_DEGREES = 1.0  # the plane below is off by less than 1 % then, up to 60 degrees of latitude
_FAR_DEGREES = 0.2


@dataclass(frozen=True, eq=False)
class Places:
    """Named points: houses, or stations.

    Attributes
    ----------
    where : str
        Their file or origin, for messages.
    names : tuple of str, length n
    places : array, shape (n, 2)
        Longitude and latitude [degrees, WGS84], or east and north [m] of one projection.
    rating_kva : array, shape (n,)
        Rated power of a station's transformer; NaN where it is to be chosen by the load.
    """

    where: str
    names: tuple[str, ...]
    places: FloatArray
    rating_kva: FloatArray


@dataclass(frozen=True, eq=False)
class Streets:
    """Lines, each of at least two points; those that share a point meet there, those that merely cross do not.

    Attributes
    ----------
    where : str
        Their file or origin, for messages.
    names : tuple of str, length n
        A name may come again: streets are often given in pieces.
    lines : tuple of arrays, each of shape (k, 2)
        Coordinates as those of `Places`.
    """

    where: str
    names: tuple[str, ...]
    lines: tuple[FloatArray, ...]


@dataclass(frozen=True, eq=False)
class StreetMap:
    """Where streets, houses and stations are.

    Degrees become metres on a plane through the middle of the streets (local equirectangular projection: east
    ``R cos(lat0) (lon - lon0)``, north ``R (lat - lat0)``, R = 6371.0 km). On the earth's ellipsoid lengths differ from
    these by up to 0.6 %, and by as much again at the rims of a region 1 degree high.

    Attributes
    ----------
    streets : Streets
    houses, stations : Places
    is_degrees : bool
        Whether coordinates are longitude and latitude; else metres.

    Raises
    ------
    InputErrors
        For a file without any place, names given twice, coordinates that are not finite or not on the earth, streets
        over more than 1 degree, houses or stations whose longitude and latitude look swapped. Where all three are
        swapped alike nothing shows it: look at where `middle` is.
    """

    streets: Streets
    houses: Places
    stations: Places
    is_degrees: bool = True

    def __post_init__(self) -> None:
        problems = list(self._empty())
        if not problems:
            problems = [*self._named_twice(), *self._ratings(), *self._off_the_earth()]
        if not problems and self.is_degrees:
            problems = list(self._swapped())
        if problems:
            raise InputErrors(problems)

    @property
    def middle(self) -> FloatArray:
        """Middle of the box around the streets, in the coordinates given, shape (2,)."""
        low, high = self._box()
        return (low + high) / 2

    def metres(self, places: FloatArray) -> FloatArray:
        """Coordinates as metres east and north, shape (n, 2)."""
        if not self.is_degrees:
            return places
        middle = self.middle
        scale = _EARTH_M * np.deg2rad(1.0) * np.array([np.cos(np.deg2rad(middle[1])), 1.0])
        metres: FloatArray = (places - middle) * scale
        return metres

    def given(self, metres: FloatArray) -> FloatArray:
        """Metres, shape (n, 2), as coordinates in which the map was given; the inverse of `metres`."""
        if not self.is_degrees:
            return metres
        middle = self.middle
        scale = _EARTH_M * np.deg2rad(1.0) * np.array([np.cos(np.deg2rad(middle[1])), 1.0])
        given: FloatArray = metres / scale + middle
        return given

    def _box(self) -> tuple[FloatArray, FloatArray]:
        points = np.concatenate(self.streets.lines)
        return points.min(axis=0), points.max(axis=0)

    def _empty(self) -> Iterator[InputError]:
        if not self.streets.lines:
            yield InputError(self.streets.where, "streets", "none", "at least one line")
        for kind, places in (("houses", self.houses), ("stations", self.stations)):
            if not places.names:
                yield InputError(places.where, kind, "none", "at least one point")

    def _named_twice(self) -> Iterator[InputError]:
        for kind, places in (("houses", self.houses), ("stations", self.stations)):
            for name, count in Counter(places.names).items():
                if count > 1:
                    yield InputError(places.where, kind, name, f"every name once, not {count} times")

    def _ratings(self) -> Iterator[InputError]:
        for name, kva in zip(self.stations.names, self.stations.rating_kva.tolist(), strict=True):
            if kva <= 0 or np.isinf(kva):
                yield InputError(self.stations.where, f"{name}.rating_kva", kva, "a number above 0, or nothing")

    def _off_the_earth(self) -> Iterator[InputError]:
        limit = np.array([180.0, 90.0]) if self.is_degrees else np.array([np.inf, np.inf])
        words = "longitude from -180 to 180, then latitude from -90 to 90" if self.is_degrees else "two finite numbers"
        named = [*zip(self.streets.names, self.streets.lines, strict=True)]
        yield from _outside(self.streets.where, named, limit, words)
        for places in (self.houses, self.stations):
            points = [*zip(places.names, places.places[:, None, :], strict=True)]
            yield from _outside(places.where, points, limit, words)

    def _swapped(self) -> Iterator[InputError]:
        low, high = self._box()
        if (high - low).max() > _WIDEST_DEGREES:
            box = f"from {_shown(low)} to {_shown(high)}"
            yield InputError(self.streets.where, "streets", box, f"streets within {_WIDEST_DEGREES:g} degree")
            return
        for kind, places in (("houses", self.houses), ("stations", self.stations)):
            middle = np.median(places.places, axis=0)
            if _beyond(middle, low, high) > _FAR_DEGREES >= _beyond(middle[::-1], low, high):
                allowed = f"longitude, then latitude: they look swapped beside streets around {_shown(self.middle)}"
                yield InputError(places.where, kind, _shown(middle), allowed)


def _outside(where: str, named: list[tuple[str, FloatArray]], limit: FloatArray, words: str) -> Iterator[InputError]:
    for name, points in named:
        wrong = ~(np.isfinite(points) & (np.abs(points) <= limit)).all(axis=1)
        if wrong.any():
            yield InputError(where, name, _shown(points[np.argmax(wrong)]), words)


def _beyond(point: FloatArray, low: FloatArray, high: FloatArray) -> float:
    """How far a point lies outside a box, along the axis where it is farthest."""
    return float(np.maximum(low - point, point - high).max())


def _shown(point: FloatArray) -> str:
    return f"({point[0]:.5g}, {point[1]:.5g})"
