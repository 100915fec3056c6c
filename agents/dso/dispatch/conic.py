"""Programs with second-order cones, written row by row and solved by Clarabel."""

from __future__ import annotations

import importlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.errors import SolverError
from feeders.errors import InputError

__all__ = ["ConicProgram", "ConicSolution", "Term"]

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

Term: TypeAlias = tuple[Any, Any]
"""Columns and their coefficients, of shapes that broadcast to that of the rows."""

_SOLVED = ("Solved", "AlmostSolved")
_INFEASIBLE = ("PrimalInfeasible", "AlmostPrimalInfeasible")
_FEASIBLE = 1e-9
_ATTEMPTS = ((1e-9, 1e-8), (1e-7, 1e-7))
"""Tolerance of the gap, and what is added to pivots: more where it ends for want of precision, as highest levels do."""
_ALMOST = 1e-6


@dataclass(frozen=True)
class ConicSolution:
    """How a program ended.

    Attributes
    ----------
    feasible : bool
        False where the program has no point at all; the arrays are then empty.
    x : array
        Value of each column.
    marginal : array
        What one more on the right-hand side of each equality adds to the objective.
    objective : float
    iterations : int
    seconds : float
    """

    feasible: bool
    x: Array
    marginal: Array
    objective: float
    iterations: int
    seconds: float


@dataclass
class _Rows:
    """Rows of one kind as triplets."""

    n: int = 0
    row: list[IntArray] = field(default_factory=list)
    column: list[IntArray] = field(default_factory=list)
    value: list[Array] = field(default_factory=list)
    rhs: list[Array] = field(default_factory=list)

    def add(self, terms: Sequence[Term], rhs: Any) -> IntArray:
        shape = np.broadcast_shapes(*(np.shape(part) for term in terms for part in term), np.shape(rhs))
        rows = self.n + np.arange(int(np.prod(shape))).reshape(shape)
        for columns, coefficients in terms:
            self.entries(rows, np.broadcast_to(columns, shape), np.broadcast_to(coefficients, shape))
        self.rhs.append(np.broadcast_to(rhs, shape).ravel().astype(float))
        self.n += rows.size
        return rows

    def entries(self, rows: IntArray, columns: IntArray, coefficients: Array) -> None:
        there = (columns >= 0) & (coefficients != 0)
        self.row.append(rows[there])
        self.column.append(columns[there])
        self.value.append(coefficients[there].astype(float))

    def matrix(self, n_columns: int) -> sparse.csc_array:
        if not self.row:
            return sparse.csc_array((self.n, n_columns))
        entries = (np.concatenate(self.value), (np.concatenate(self.row), np.concatenate(self.column)))
        return sparse.coo_array(entries, shape=(self.n, n_columns)).tocsc()


class ConicProgram:
    """Columns, linear rows and cones, to be minimised; a column of -1 stands for none.

    Attributes
    ----------
    costs : dict of str to list of Term
        The objective's terms by name.
    """

    def __init__(self) -> None:
        self.n = 0
        self.costs: dict[str, list[Term]] = {}
        self._most, self._tie_break = -1, 1.0
        self._units: list[Array] = []
        self._equal, self._at_most, self._cone = _Rows(), _Rows(), _Rows()
        self._cone_sizes: list[tuple[int, int]] = []

    def columns(self, shape: tuple[int, ...], lower: Any = -np.inf, upper: Any = np.inf, unit: float = 1.0) -> IntArray:
        """New columns within bounds, which broadcast to their shape; `unit` is what a value is thought to be about."""
        found = self.n + np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)
        self.n += found.size
        self._units.append(np.full(found.size, unit))
        for sign, bound in ((-1.0, np.broadcast_to(lower, shape)), (1.0, np.broadcast_to(upper, shape))):
            there = np.isfinite(bound)
            if there.any():
                self.at_most([(found[there], sign)], sign * bound[there])
        return found

    def cost(self, term: str, columns: IntArray, per_unit: Any) -> None:
        """Add to a term of the objective."""
        self.costs.setdefault(term, []).append((columns, np.broadcast_to(per_unit, columns.shape)))

    def maximise(self, column: int, tie_break: float) -> None:
        """Maximise a column, and minimise the objective, times a small factor, where that leaves a choice."""
        self._most, self._tie_break = column, tie_break

    def equal(self, terms: Sequence[Term], rhs: Any = 0.0) -> IntArray:
        """Rows whose sum of terms is the right-hand side; their numbers, for `ConicSolution.marginal`."""
        return self._equal.add(terms, rhs)

    def add_to(self, rows: IntArray, columns: IntArray, coefficients: Any) -> None:
        """More terms on the left of equalities that are there already."""
        shape = np.broadcast_shapes(rows.shape, columns.shape, np.shape(coefficients))
        self._equal.entries(*(np.broadcast_to(part, shape) for part in (rows, columns, coefficients)))

    def at_most(self, terms: Sequence[Term], rhs: Any = 0.0) -> None:
        """Rows whose sum of terms is not above the right-hand side."""
        self._at_most.add(terms, rhs)

    def cone(self, length: tuple[Sequence[Term], Any], parts: Sequence[tuple[Sequence[Term], Any]]) -> None:
        """Second-order cones, as many as the terms' shapes say: the parts' Euclidean norm is not above the length.

        Each is a sum of terms and a constant.
        """
        members = [length, *parts]
        everything = [part for terms, constant in members for term in terms for part in (*term, constant)]
        shape = np.broadcast_shapes(*(np.shape(part) for part in everything))
        size, count = len(members), int(np.prod(shape))
        cones = _Rows(n=self._cone.n)
        rows = cones.n + size * np.arange(count).reshape(shape)
        rhs = np.zeros((count, size))
        for place, (terms, constant) in enumerate(members):
            rhs[:, place] = np.broadcast_to(constant, shape).ravel()
            for columns, coefficients in terms:
                minus = -np.broadcast_to(coefficients, shape).astype(float)
                self._cone.entries(rows + place, np.broadcast_to(columns, shape), minus)
        self._cone.rhs.append(rhs.ravel())
        self._cone.n += size * count
        self._cone_sizes.append((size, count))

    def value(self, term: str, x: Array) -> float:
        """A term of the objective at a point."""
        return sum(float((np.where(c >= 0, x[c], 0.0) * k).sum()) for c, k in self.costs.get(term, []))

    def solve(self) -> ConicSolution:
        """Solve it.

        Raises
        ------
        InputError
            Where Clarabel is not installed.
        SolverError
            Where it ends with neither a solution nor the proof that there is none.
        """
        clarabel, blocks, unit = _clarabel(), (self._equal, self._at_most, self._cone), np.concatenate(self._units)
        # What counts as feasible and as best is relative to the largest number anywhere: all are brought to about 1.
        linear = unit * self._linear()
        scale = 1.0 / max(float(np.abs(linear).max(initial=0.0)), 1e-12)
        matrix = sparse.csr_array(sparse.vstack([block.matrix(self.n) for block in blocks]) @ sparse.diags_array(unit))
        row_scale = 1.0 / np.maximum(abs(matrix).max(axis=1).toarray().ravel(), 1.0)
        row_scale[self._equal.n + self._at_most.n :] = 1.0
        rhs = row_scale * np.concatenate([part for block in blocks for part in block.rhs])
        matrix = sparse.csc_matrix(sparse.diags_array(row_scale) @ matrix)
        cones = [clarabel.ZeroConeT(self._equal.n), clarabel.NonnegativeConeT(self._at_most.n)]
        cones += [clarabel.SecondOrderConeT(size) for size, count in self._cone_sizes for _ in range(count)]
        quadratic = sparse.csc_matrix((self.n, self.n))
        started = time.perf_counter()
        for attempt in _ATTEMPTS[self._most >= 0 :]:
            settings = _settings(clarabel, *attempt)
            ended = clarabel.DefaultSolver(quadratic, scale * linear, matrix, rhs, cones, settings).solve()
            status = str(ended.status)
            if status in (*_SOLVED, *_INFEASIBLE):
                break
        seconds = time.perf_counter() - started
        if status in _INFEASIBLE:
            return ConicSolution(False, np.zeros(0), np.zeros(0), float("nan"), ended.iterations, seconds)
        if status not in _SOLVED:
            raise SolverError(f"Clarabel ends with {status} after {ended.iterations} iterations")
        x, marginal = unit * np.array(ended.x), -(row_scale * np.array(ended.z))[: self._equal.n] / scale
        return ConicSolution(
            True, x, marginal, sum(self.value(term, x) for term in self.costs), ended.iterations, seconds
        )

    def _linear(self) -> Array:
        """What each column costs."""
        found = np.zeros(self.n)
        for columns, per_unit in (part for parts in self.costs.values() for part in parts):
            there = columns >= 0
            np.add.at(found, columns[there], self._tie_break * per_unit[there])
        if self._most >= 0:
            found[self._most] -= 1.0
        return found


def _clarabel() -> ModuleType:
    try:
        return importlib.import_module("clarabel")
    except ImportError as error:
        allowed = "an installed clarabel: pip install 'cosim-prosumers[optim]'"
        raise InputError("cone program", "clarabel", None, allowed) from error


def _settings(clarabel: ModuleType, tolerance: float, regularisation: float) -> Any:
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    settings.static_regularization_constant = regularisation
    settings.tol_gap_abs = settings.tol_gap_rel = tolerance
    settings.tol_feas = _FEASIBLE
    settings.reduced_tol_gap_abs = settings.reduced_tol_gap_rel = settings.reduced_tol_feas = _ALMOST
    return settings
