"""Flows of a tree of lines in the branch flow model: exact ones of given powers, which programs are made linear at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.prosumer.fleet import Fleet
from feeders.errors import InputError
from feeders.feeder import Feeder
from feeders.flows import Flows
from feeders.radial import RadialGrid, radial_grid

__all__ = ["Point", "Wires"]

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_AGREE_PU2 = 1e-12
_ROUNDS = 200
_MOST_DROP_PU2 = 10.0  # along one branch: iterates beyond it go to infinity


@dataclass(frozen=True)
class Point:
    """Flows of T steps on the n branches of a grid, each from parent to node, as arrays of shape (T, n).

    Attributes
    ----------
    p_kw, q_kvar : array
        Sent into the branch at the parent; into the whole tree at a source.
    v_pu2 : array
        Squared voltage u of the node.
    l_pu2 : array
        Squared current of the branch.
    rating_kva : array
        Apparent power at the sending end at which the branch is at its rating; infinite without one.
    """

    p_kw: Array
    q_kvar: Array
    v_pu2: Array
    l_pu2: Array
    rating_kva: Array


@dataclass(frozen=True)
class Wires:
    """A feeder's grid, and what programs of its flows ask of it."""

    feeder: Feeder
    grid: RadialGrid

    @classmethod
    def of(cls, feeder: Feeder) -> Wires:
        """The wires of a radial feeder; `InputError` names the loop of another."""
        return cls(feeder, radial_grid(feeder))

    @cached_property
    def below(self) -> sparse.csr_array:
        """1 where node j is node i or below it, shape (n, n)."""
        rows, columns = [], []
        for node in range(len(self.grid)):
            above = node
            while above >= 0:
                rows.append(above)
                columns.append(node)
                above = int(self.grid.parent[above])
        return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(self.grid), len(self.grid)))

    @cached_property
    def roots(self) -> IntArray:
        """Rows of the sources."""
        return np.flatnonzero(self.grid.parent < 0)

    @cached_property
    def v_source_pu2(self) -> Array:
        """Squared voltage of the source above each node, shape (n,)."""
        found: Array = self.grid.u_root_pu[self.roots] ** 2 @ self.below[self.roots].toarray()
        return found

    def node_of(self, fleet: Fleet) -> IntArray:
        """Row of the grid of each row of a fleet.

        Raises
        ------
        InputError
            For a bus that is not there or not energised.
        """
        row_of = dict(zip(self.feeder.buses.tolist(), self.grid.row_of_bus.tolist(), strict=True))
        found = np.array([row_of.get(int(bus), -1) for bus in fleet.bus], dtype=np.int64)
        if (found < 0).any():
            row = int(np.argmin(found))
            allowed = f"an energised bus of feeder {self.feeder.name!r}"
            raise InputError("fleet", f"{fleet.names[row]}.bus", int(fleet.bus[row]), allowed)
        return found

    def summed(self, node: IntArray, values: Array) -> Array:
        """Sums at each node of something per row of a fleet, shape (T, N) -> (T, n)."""
        at = sparse.csr_array((np.ones(len(node)), (node, np.arange(len(node)))), shape=(len(self.grid), len(node)))
        found: Array = (at @ values.T).T
        return found

    def point(self, p_kw: Array, q_kvar: Array) -> Point | None:
        """Exact flows of powers consumed at each node, shape (T, n); None where they have none.

        The branch flow model (Baran and Wu 1989, equations 1-3) with shunts, by fixed-point iteration.
        """
        grid, base = self.grid, self.grid.base_kva
        parent = np.maximum(grid.parent, 0)
        z2 = grid.r_pu**2 + grid.x_pu**2
        v = np.broadcast_to(self.v_source_pu2, p_kw.shape).copy()
        squares = np.zeros(p_kw.shape)
        for _ in range(_ROUNDS):
            sent_p = (self.below @ (p_kw + (grid.g_pu * v + grid.r_pu * squares) * base).T).T
            sent_q = (self.below @ (q_kvar + (-grid.b_pu * v + grid.x_pu * squares) * base).T).T
            squares = np.where(grid.parent >= 0, (sent_p**2 + sent_q**2) / base**2 / v[:, parent], 0.0)
            drop = -2 * (grid.r_pu * sent_p + grid.x_pu * sent_q) / base + z2 * squares
            if not (np.abs(drop) < _MOST_DROP_PU2).all():
                return None
            after = self.v_source_pu2 + (self.below.T @ drop.T).T
            if (after <= 0).any():
                return None
            moved, v = float(np.abs(after - v).max()), after
            if moved < _AGREE_PU2:
                return Point(sent_p, sent_q, v, squares, self.ratings(v))
        return None

    def judged(self, point: Point, flows: Flows) -> Point:
        """The same flows, with ratings corrected for what lines and transformers carry at the end where it is most."""
        grid = self.grid
        own = np.where(np.isfinite(point.rating_kva), np.hypot(point.p_kw, point.q_kvar) / point.rating_kva, 0.0)
        loading = np.zeros_like(own)
        for of, found in ((grid.line, flows.line_loading), (grid.trafo, flows.trafo_loading)):
            known = np.flatnonzero(of >= 0)
            loading[:, known] = np.maximum(loading[:, known], np.nan_to_num(found[:, of[known]]))
        excess = np.where(own > 0, np.clip(loading - own, 0.0, 0.5), 0.0)
        return Point(point.p_kw, point.q_kvar, point.v_pu2, point.l_pu2, point.rating_kva * (1.0 - excess))

    def ratings(self, v_pu2: Array) -> Array:
        """Apparent power at the sending end of each branch at its rating, shape (T, n) [kVA]."""
        grid = self.grid
        by_current = grid.i_max_pu * np.sqrt(v_pu2[:, np.maximum(grid.parent, 0)])
        found: Array = np.minimum(by_current, grid.s_max_pu) * grid.base_kva
        return found
