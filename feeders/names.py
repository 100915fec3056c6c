"""Buses by index or by name."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from feeders.errors import InputError

__all__ = ["BusNames"]


class BusNames:
    """Finds buses, and the nearest names where there is none.

    Parameters
    ----------
    feeder : str
        Name of the feeder, for messages.
    buses : ndarray of int, shape (n_buses,)
        Bus indices.
    names : sequence, length n_buses
        Names; None and NaN are no names.
    """

    def __init__(self, feeder: str, buses: NDArray[np.int64], names: Sequence[object]) -> None:
        self._feeder = feeder
        self._position = {int(bus): position for position, bus in enumerate(buses)}
        self._named: dict[str, list[int]] = defaultdict(list)
        for bus, name in zip(buses, names, strict=True):
            if name is not None and name == name:  # NaN differs from itself
                self._named[str(name)].append(int(bus))

    def index_of(self, bus: int | str) -> int:
        """Bus index; see `feeders.feeder.Feeder.bus_by_name`."""
        if isinstance(bus, str):
            same = self._named.get(bus, [])
            if len(same) > 1:
                raise InputError(self._where, "bus", bus, f"one of the buses of that name by index: {same}")
            if same:
                return same[0]
            if not bus.isdecimal() or int(bus) not in self._position:
                raise self._unknown(bus)
            return int(bus)
        if isinstance(bus, bool) or bus not in self._position:
            raise self._unknown(bus)
        return int(bus)

    def positions(self, buses: Sequence[int | str]) -> NDArray[np.int64]:
        """Positions in ``buses``; see `feeders.feeder.Feeder.bus_positions`."""
        return np.array([self._position[self.index_of(bus)] for bus in buses], dtype=np.int64)

    @property
    def _where(self) -> str:
        return f"feeder {self._feeder!r}"

    def _unknown(self, bus: object) -> InputError:
        known = list(dict.fromkeys([*self._named, *map(str, self._position)]))
        near = difflib.get_close_matches(str(bus), known, n=3, cutoff=0.0)
        return InputError(self._where, "bus", bus, f"a bus index or name of this net; nearest: {', '.join(near)}")
