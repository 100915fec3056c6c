"""Buses, lines and transformers by index or by name."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from feeders.errors import InputError

__all__ = ["Names"]


class Names:
    """Finds the elements of one kind, and the nearest names where there is none.

    Parameters
    ----------
    feeder : str
        Name of the feeder, for messages.
    kind : str
        What they are, in one word.
    indices : ndarray of int, shape (n,)
        Their indices in the net.
    names : sequence, length n
        Names; None and NaN are no names.
    """

    def __init__(self, feeder: str, kind: str, indices: NDArray[np.int64], names: Sequence[object]) -> None:
        self._feeder, self._kind = feeder, kind
        self._position = {int(index): position for position, index in enumerate(indices)}
        self._named: dict[str, list[int]] = defaultdict(list)
        for index, name in zip(indices, names, strict=True):
            if name is not None and name == name:  # NaN differs from itself
                self._named[str(name)].append(int(index))

    def index_of(self, element: int | str) -> int:
        """Index of the element with this name or index; a name comes before an index written as text.

        Raises
        ------
        InputError
            If none or several answer to it; the message names the nearest.
        """
        if isinstance(element, str):
            same = self._named.get(element, [])
            if len(same) > 1:
                raise InputError(self._where, self._kind, element, f"one of those of that name by index: {same}")
            if same:
                return same[0]
            if not element.isdecimal() or int(element) not in self._position:
                raise self._unknown(element)
            return int(element)
        if isinstance(element, bool) or element not in self._position:
            raise self._unknown(element)
        return int(element)

    def positions(self, elements: Sequence[int | str]) -> NDArray[np.int64]:
        """Positions in ``indices``; raises as `index_of` does for the first that is unknown."""
        return np.array([self._position[self.index_of(element)] for element in elements], dtype=np.int64)

    @property
    def _where(self) -> str:
        return f"feeder {self._feeder!r}"

    def _unknown(self, element: object) -> InputError:
        known = list(dict.fromkeys([*self._named, *map(str, self._position)]))
        if not known:
            return InputError(self._where, self._kind, element, f"none: this net has no {self._kind}")
        near = ", ".join(difflib.get_close_matches(str(element), known, n=3, cutoff=0.0))
        return InputError(
            self._where, self._kind, element, f"a {self._kind} index or name of this net; nearest: {near}"
        )
