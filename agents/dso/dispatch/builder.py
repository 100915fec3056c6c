"""Columns and rows of a sparse linear program over [x | y], gathered group by group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.dso.dispatch.affine import Affine

__all__ = ["Builder", "Group"]

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Group:
    """Columns of one meaning: T steps by k elements.

    Attributes
    ----------
    index : array of int, shape (T, k)
        Columns of y.
    of : array of int, shape (k,)
        What they belong to: rows of the fleet, or nodes.
    """

    index: IntArray
    of: IntArray


@dataclass
class Builder:
    """Gathers ``cost @ y``, ``row_lower <= x_part @ x + y_part @ y <= row_upper`` and ``lower <= y <= upper``."""

    n_steps: int
    n_x: int
    groups: dict[str, Group] = field(default_factory=dict)
    n_columns: int = 0
    n_rows: int = 0
    constant: float = 0.0
    _columns: list[tuple[Array, Array, Array]] = field(default_factory=list)
    _rows: list[tuple[Array, Array]] = field(default_factory=list)
    _y: list[tuple[IntArray, IntArray, Array]] = field(default_factory=list)
    _x: list[tuple[IntArray, IntArray, Array]] = field(default_factory=list)

    def columns(
        self, name: str, of: IntArray, lower: Array | float, upper: Array | float, cost: Array | float = 0.0
    ) -> IntArray:
        """A group of columns; bounds and costs as they broadcast to (T, k). Returns their indices, shape (T, k)."""
        shape = (self.n_steps, len(of))
        index = self.n_columns + np.arange(shape[0] * shape[1]).reshape(shape)
        self.groups[name] = Group(index, of)
        self.n_columns += index.size
        given = (np.array(np.broadcast_to(each, shape), dtype=float).ravel() for each in (lower, upper, cost))
        self._columns.append(tuple(given))  # type: ignore[arg-type]
        return index

    def rows(
        self,
        terms: Sequence[tuple[IntArray, Array | float]],
        lower: Array | float,
        upper: Array | float,
        minus: Affine | None = None,
    ) -> IntArray:
        """Rows ``lower <= sum of coefficient * column - minus(x) <= upper``; `minus` for all of them in row order.

        A term is an array of columns, of the rows' shape, and coefficients that broadcast to it; columns below 0 are
        left out. The constant part of `minus` moves to the bounds. Returns the rows' indices in the same shape.
        """
        shape = terms[0][0].shape
        index = self.n_rows + np.arange(int(np.prod(shape))).reshape(shape)
        self.n_rows += index.size
        for columns, coefficient in terms:
            self.add(index, columns, coefficient)
        low, high = (np.broadcast_to(each, shape).ravel().astype(float) for each in (lower, upper))
        if minus is not None:
            low, high = low + minus.constant, high + minus.constant
            self.add_x(index.ravel(), minus, -1.0)
        self._rows.append((low, high))
        return index

    def add(self, rows: IntArray, columns: IntArray, coefficient: Array | float) -> None:
        """More coefficients in rows that are there; shapes as they broadcast, columns below 0 are left out."""
        r, c, v = np.broadcast_arrays(rows, columns, coefficient)
        keep = (c >= 0) & (v != 0)
        self._y.append((r[keep], c[keep], v[keep].astype(float)))

    def add_x(self, rows: IntArray, value: Affine, sign: float) -> None:
        """``sign * value.per_x @ x`` in rows that are there, shape (n,)."""
        part = sparse.coo_array(value.per_x)
        self._x.append((rows[part.coords[0]], part.coords[1].astype(np.int64), sign * part.data))

    def cost(self, columns: IntArray, more: Array, constant: float) -> None:
        """Add to the costs of columns, shapes alike, and to what costs do not depend on."""
        self.constant += constant
        _, _, cost = self._merged()
        np.add.at(cost, columns.ravel(), more.ravel())

    def shift(self, rows: IntArray, amount: Array) -> None:
        """Add to both bounds of rows that are there, shapes alike."""
        low, high = self.row_bounds()
        np.add.at(low, rows.ravel(), amount.ravel())
        np.add.at(high, rows.ravel(), amount.ravel())
        self._rows = [(low, high)]

    def at_most(self, columns: IntArray, most: Affine) -> None:
        """``column <= most(x)``, in row order; a bound where nothing depends on x, else a row."""
        flat, chosen = columns.ravel(), most.chosen()
        _, upper, _ = self._merged()
        upper[flat[~chosen]] = np.minimum(upper[flat[~chosen]], most.constant[~chosen])
        if chosen.any():
            part = Affine(most.constant[chosen], sparse.csr_array(most.per_x[np.flatnonzero(chosen)]))
            self.rows([(flat[chosen], 1.0)], -np.inf, 0.0, part)

    def at_least(self, columns: IntArray, least: Affine) -> None:
        """``column >= least(x)``, as `at_most`."""
        flat, chosen = columns.ravel(), least.chosen()
        lower, _, _ = self._merged()
        lower[flat[~chosen]] = np.maximum(lower[flat[~chosen]], least.constant[~chosen])
        if chosen.any():
            part = Affine(least.constant[chosen], sparse.csr_array(least.per_x[np.flatnonzero(chosen)]))
            self.rows([(flat[chosen], 1.0)], 0.0, np.inf, part)

    def column_bounds(self) -> tuple[Array, Array, Array]:
        """Lower and upper bounds and costs of all columns so far."""
        lower, upper, cost = self._merged()
        return lower.copy(), upper.copy(), cost.copy()

    def row_bounds(self) -> tuple[Array, Array]:
        """Bounds of all rows so far."""
        if not self._rows:
            return np.zeros(0), np.zeros(0)
        return np.concatenate([r[0] for r in self._rows]), np.concatenate([r[1] for r in self._rows])

    def matrices(self) -> tuple[sparse.csr_array, sparse.csr_array]:
        """Parts of the rows over x and over y."""
        return _matrix(self._x, (self.n_rows, self.n_x)), _matrix(self._y, (self.n_rows, self.n_columns))

    def _merged(self) -> tuple[Array, Array, Array]:
        if not self._columns:
            return np.zeros(0), np.zeros(0), np.zeros(0)
        if len(self._columns) > 1:
            self._columns = [tuple(np.concatenate(each) for each in zip(*self._columns, strict=True))]  # type: ignore[list-item]
        return self._columns[0]


def _matrix(parts: list[tuple[IntArray, IntArray, Array]], shape: tuple[int, int]) -> sparse.csr_array:
    if not parts:
        return sparse.csr_array(shape)
    row, column, value = (np.concatenate(each) for each in zip(*parts, strict=True))
    return sparse.csr_array((value, (row, column)), shape=shape)
