"""Maps to lay grids out on: one drawn by hand, and random ones."""

from __future__ import annotations

import numpy as np

from feeders.synthetic import Places, StreetMap, Streets

__all__ = ["by_hand", "random_map", "street_map"]


def street_map(lines, houses, stations, *, degrees=False, ratings=None) -> StreetMap:
    """A map of lines and of houses and stations by name."""
    ratings = ratings or {}
    return StreetMap(
        Streets("streets", tuple(f"street {k}" for k in range(len(lines))), tuple(np.array(x, float) for x in lines)),
        Places("houses", tuple(houses), points(houses), np.full(len(houses), np.nan)),
        Places("stations", tuple(stations), points(stations), np.array([ratings.get(s, np.nan) for s in stations])),
        degrees,
    )


def points(named):
    return np.array(list(named.values()), dtype=float).reshape(-1, 2)


def by_hand(**kwargs) -> StreetMap:
    """A station 10 m off a street of 100 m, 40 m from its beginning; a side street of 30 m at 70 m, itself a dead end::

                         d
                         |
        a ----- S ----- (70, 0) ----- (100, 0)
                              c

    House a is 5 m off the beginning, c 2 m off the street at 80 m, d 4 m off the end of the side street.
    """
    lines = [[(0, 0), (25, 0), (70, 0), (100, 0)], [(70, 0), (70, 10), (70, 30)]]
    houses = {"a": (0, 5), "c": (80, -2), "d": (74, 30)}
    return street_map(lines, houses, {"S": (40, 10)}, **kwargs)


def random_map(seed: int, n_houses: int = 40, n_stations: int = 3) -> StreetMap:
    """A town of crooked blocks, some 80 m wide, with some streets left out but all connected."""
    rng = np.random.default_rng(seed)
    n_x, n_y = rng.integers(3, 6, size=2)
    corner = {(i, j): np.array([80.0 * i, 80.0 * j]) + rng.uniform(-20, 20, 2) for i in range(n_x) for j in range(n_y)}
    lines = []
    for (i, j), place in corner.items():
        for other in ((i + 1, j), (i, j + 1)):
            is_spine = j == 0 or other[0] == i  # a comb holds all corners together
            if other in corner and (is_spine or rng.random() < 0.6):
                bend = (place + corner[other]) / 2 + rng.uniform(-6, 6, 2)
                lines.append([place, bend, corner[other]])
    at = rng.integers(len(lines), size=n_houses + n_stations)
    along, off = rng.random((len(at), 1)), rng.uniform(-25, 25, (len(at), 2))
    places = np.array([lines[k][0] for k in at]) * (1 - along) + np.array([lines[k][1] for k in at]) * along + off
    houses = {f"h{k}": place for k, place in enumerate(places[:n_houses])}
    return street_map(lines, houses, {f"S{k}": place for k, place in enumerate(places[n_houses:])})
