"""Limits of branches that homes share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from feeders.errors import InputError, InputErrors

__all__ = ["Limits"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Limits:
    """Branches of a radial net, and the homes whose power flows through each of them, without losses.

    Attributes
    ----------
    members : array of bool, shape (L, n)
        Which homes are behind each branch.
    p_max_kw : array, shape (L,)
        The most active power of these homes' sum in either direction, > 0 or inf.
    names : sequence of str
        Of the branches.

    Raises
    ------
    InputErrors
        For shapes that differ, a branch without homes, and a limit that is not above 0.
    """

    members: npt.NDArray[np.bool_]
    p_max_kw: Array
    names: Sequence[str]

    def __post_init__(self) -> None:
        n_limits = len(self.names)
        if self.members.ndim != 2 or len(self.members) != n_limits or self.p_max_kw.shape != (n_limits,):
            found = (self.members.shape, self.p_max_kw.shape)
            raise InputErrors([InputError("limits", "members, p_max_kw", found, f"{n_limits} rows, one per name")])
        problems = [
            InputError("limits", f"{self.names[row]}.members", "no homes", "at least one home behind each branch")
            for row in np.flatnonzero(~self.members.any(axis=1)).tolist()
        ]
        problems += [
            InputError("limits", f"{self.names[row]}.p_max_kw", float(self.p_max_kw[row]), "above 0")
            for row in np.flatnonzero(~(self.p_max_kw > 0)).tolist()
        ]
        if problems:
            raise InputErrors(problems)

    def __len__(self) -> int:
        return len(self.names)

    def excess_kw(self, p_meter_kw: Array) -> Array:
        """How far the sums of homes' meters, shape (..., n), are beyond the limits, in either direction: (..., L)."""
        return np.maximum(np.abs(p_meter_kw @ self.members.T) - self.p_max_kw, 0.0)
