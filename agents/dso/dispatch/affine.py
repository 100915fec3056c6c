"""Numbers that depend on the variables of a first stage: a constant and a share of each variable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

__all__ = ["Affine"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Affine:
    """``constant + per_x @ x``, n of them; products and repetitions keep them linear in x.

    Attributes
    ----------
    constant : array, shape (n,)
    per_x : sparse array, shape (n, X)
    """

    constant: Array
    per_x: sparse.csr_array

    def times(self, factor: Array) -> Affine:
        """Times a number each, shape (n,), or T of them, shape (T, n): then T n of them, step after step."""
        repeats = 1 if factor.ndim == 1 else len(factor)
        flat = factor.ravel()
        per_x = sparse.csr_array(sparse.vstack([self.per_x] * repeats)) if repeats > 1 else self.per_x
        scaled = sparse.csr_array(sparse.diags_array(flat) @ per_x)
        return Affine(np.tile(self.constant, repeats) * flat, scaled)

    def plus(self, other: Affine) -> Affine:
        """Sum, one by one."""
        return Affine(self.constant + other.constant, sparse.csr_array(self.per_x + other.per_x))

    def at(self, x: Array) -> Array:
        """Their values, shape (n,)."""
        found: Array = self.constant + self.per_x @ x
        return found

    def chosen(self) -> npt.NDArray[np.bool_]:
        """Which depend on any variable, shape (n,)."""
        found: npt.NDArray[np.bool_] = np.asarray(abs(self.per_x).sum(axis=1)).ravel() > 0
        return found
