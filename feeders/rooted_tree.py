"""A radial feeder from its sources on: nodes in order, and what becomes of their branches per unit."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from feeders.errors import EngineRefusalError
from feeders.feeder import Feeder

__all__ = ["RootedTree", "node_name", "rooted_tree"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_SAME_RATIO = 1e-9


@dataclass
class RootedTree:
    """Nodes breadth first from the sources on, and what becomes of their branches; see `feeders.radial.RadialGrid`.

    Attributes
    ----------
    feeder : Feeder
    order : array of int, shape (n,)
        Nodes of ``feeder.nodal``.
    parent : array of int, shape (n,)
        Row of each one's parent, -1 at a source.
    branches : list of list of int
        Branches between each node and its parent, in ``feeder.nodal.branches``.
    """

    feeder: Feeder
    order: IntArray
    parent: IntArray
    branches: list[list[int]]

    def _below_sources(self) -> Iterator[tuple[int, int]]:
        return ((i, int(parent)) for i, parent in enumerate(self.parent) if parent >= 0)

    def _is_from_parent(self, branch: int, parent: int) -> bool:
        return bool(self.feeder.nodal.branches.from_node[branch] == self.order[parent])

    def scale(self) -> FloatArray:
        """Voltage of each node without load, over its source's.

        Raises
        ------
        EngineRefusalError
            For parallel branches of different ratios: between them a current goes round even without load.
        """
        b = self.feeder.nodal.branches
        scale = np.ones(len(self.order))
        for i, parent in self._below_sources():
            ratios = [complex(b.ratio[k] * np.exp(1j * b.shift_rad[k])) for k in self.branches[i]]
            pairs = zip(self.branches[i], ratios, strict=True)
            down = [1 / ratio if self._is_from_parent(k, parent) else ratio for k, ratio in pairs]
            if np.abs(np.diff(down)).max(initial=0.0) > _SAME_RATIO:
                at = node_name(self.feeder, int(self.order[i]))
                raise EngineRefusalError(
                    f"feeder {self.feeder.name!r}: parallel branches to {at} differ in their ratio"
                )
            scale[i] = scale[parent] * abs(down[0])
        return scale

    def impedances_and_shunts(self, scale: FloatArray) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
        """Series impedance of the branch and shunt admittance of the node of each row, in u."""
        model = self.feeder.nodal
        impedance, shunt = np.zeros(len(scale), dtype=complex), model.shunt_pu[self.order] * scale**2
        for i, parent in self._below_sources():
            of_branch = self._scale_of_branch(scale, i, parent)
            impedance[i] = 1 / (self._admittances(self.branches[i]).sum() * of_branch**2)
            halves = sum(complex(model.branches.g_pu[k], model.branches.b_pu[k]) for k in self.branches[i]) / 2
            shunt[[i, parent]] += halves * of_branch**2
        return impedance, shunt

    def _scale_of_branch(self, scale: FloatArray, i: int, parent: int) -> float:
        """A pi equivalent is behind the ideal transformer, on the to side: scaled as the node there."""
        return float(scale[i] if self._is_from_parent(self.branches[i][0], parent) else scale[parent])

    def ratings(self, scale: FloatArray) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
        """Row of the branch in ``net.line`` and ``net.trafo``, rated current in I' and rated power."""
        n, (lines, trafos) = len(scale), self._elements()
        line, trafo = np.full(n, -1), np.full(n, -1)
        i_max, s_max = np.full(n, np.inf), np.full(n, np.inf)
        for i, _ in self._below_sources():
            branches = self.branches[i]
            line[i], trafo[i] = lines.get(branches[0], -1), trafos.get(branches[0], -1)
            admittances = self._admittances(branches)
            share = np.abs(admittances.sum() / admittances)  # of the whole current over a branch's own
            i_max[i] = min(self._i_max(lines, k) * s for k, s in zip(branches, share, strict=True)) * scale[i]
            s_max[i] = min(self._s_max(trafos, k) * s for k, s in zip(branches, share, strict=True))
        return line, trafo, i_max, s_max

    def _elements(self) -> tuple[dict[int, int], dict[int, int]]:
        """Rows of lines and transformers by branch."""
        model = self.feeder.nodal
        return tuple(
            {int(b): row for row, b in enumerate(of) if b >= 0} for of in (model.line_branch, model.trafo_branch)
        )  # type: ignore[return-value]

    def _admittances(self, branches: list[int]) -> NDArray[np.complex128]:
        b = self.feeder.nodal.branches
        return np.array([1 / complex(b.r_pu[k], b.x_pu[k]) for k in branches])

    def _i_max(self, lines: dict[int, int], branch: int) -> float:
        """Rated current of a branch in the model's per unit, infinite where it has none."""
        if branch not in lines:
            return float("inf")
        model = self.feeder.nodal
        rating_ka = float(self.feeder.line_rating_ka.iloc[lines[branch]])
        base_ka = model.base_mva / (np.sqrt(3.0) * model.base_kv[model.branches.from_node[branch]])
        return float("inf") if np.isnan(rating_ka) else rating_ka / float(base_ka)

    def _s_max(self, trafos: dict[int, int], branch: int) -> float:
        if branch not in trafos:
            return float("inf")
        return float(self.feeder.trafo_rating_kva.iloc[trafos[branch]]) / (self.feeder.nodal.base_mva * 1e3)

    def limits(self, row_of_bus: IntArray, scale: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The tightest limits of the buses of each node, in u."""
        low, high = np.zeros(len(scale)), np.full(len(scale), np.inf)
        alive = row_of_bus >= 0
        np.maximum.at(low, row_of_bus[alive], self.feeder.vm_min_pu[alive])
        np.minimum.at(high, row_of_bus[alive], self.feeder.vm_max_pu[alive])
        return low / scale, high / scale


def rooted_tree(feeder: Feeder) -> RootedTree:
    """The tree of a feeder that is radial."""
    order, parents, branches = _walk(feeder)
    row = {int(node): k for k, node in enumerate(order)}
    return RootedTree(feeder, order, np.array([row.get(node, -1) for node in parents], dtype=np.int64), branches)


def _walk(feeder: Feeder) -> tuple[IntArray, list[int], list[list[int]]]:
    """Nodes from the sources on, breadth first; the parent of each, and the branches that lead to it."""
    model = feeder.nodal
    beside: list[list[tuple[int, int]]] = [[] for _ in range(model.n_nodes)]
    for k, (i, j) in enumerate(zip(model.branches.from_node.tolist(), model.branches.to_node.tolist(), strict=True)):
        beside[i].append((j, k))
        beside[j].append((i, k))
    order: list[int] = []
    parents: dict[int, int] = {int(node): -1 for node in model.slack_nodes}
    led: dict[int, list[int]] = {node: [] for node in parents}
    waiting = deque(parents)
    while waiting:
        node = waiting.popleft()
        order.append(node)
        for other, k in beside[node]:
            if other not in parents:
                parents[other], led[other] = node, [k]
                waiting.append(other)
            elif parents[other] == node and k not in led[other]:
                led[other].append(k)
    return np.array(order, dtype=np.int64), [parents[node] for node in order], [led[node] for node in order]


def node_name(feeder: Feeder, node: int) -> str:
    """Name of a bus at a node for messages; -1 is a source."""
    if node < 0:
        return "source"
    at = np.flatnonzero(feeder.nodal.node_of_bus == node)
    if not len(at):
        return "open line end"
    index = int(feeder.buses[at[0]])
    name = feeder.net.bus.at[index, "name"]
    return str(index if name is None else name)
