"""Ratings that a program is free to choose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.prosumer.fleet import RATINGS, Fleet

__all__ = ["Sizing"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sizing:
    """Ratings that depend on X variables of a first stage: those of the fleet plus ``per_x @ x``.

    One variable that scales all sites is a hosting capacity in one shot; one per node and device is siting and sizing.

    Attributes
    ----------
    per_x : mapping of str to sparse array, shape (N, X)
        kW of each row per variable, by the names of `agents.prosumer.fleet.RATINGS`; those without an entry are fixed.
    n_x : int
        Number of variables.
    """

    per_x: dict[str, sparse.csr_array]
    n_x: int

    @classmethod
    def along(cls, direction: dict[str, Array]) -> Sizing:
        """One variable: the ratings go along a direction, arrays of shape (N,) by name."""
        return cls({name: sparse.csr_array(kw[:, None]) for name, kw in direction.items()}, 1)

    def fleet(self, fleet: Fleet, x: Array) -> Fleet:
        """The fleet that a choice of the variables gives; what is below 0 by rounding is 0."""
        chosen = {
            name: np.maximum(getattr(fleet, name) + self.per_x[name] @ x, 0.0) for name in RATINGS if name in self.per_x
        }
        return fleet.with_ratings(**chosen)
