"""A radial feeder as trees of nodes, per unit, ready for linear and conic programs of its flows.

Transformers away from their nominal ratio are taken out: node i has a base voltage of its own, `scale` times the
model's, so that without load all nodes of a tree are at one voltage. With V the model's voltage and ``u = V / scale``,
power stays as it is, ``I' = I scale``, ``z' = z / scale^2`` and ``y' = y scale^2``. Voltage limits and ratings are
given in u and I'.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from feeders.errors import EngineRefusalError, InputError
from feeders.feeder import Feeder

__all__ = ["RadialGrid", "radial_grid"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_SAME_RATIO = 1e-9


@dataclass(frozen=True)
class RadialGrid:
    """Trees of n nodes, parents before children; row i of every array is node i and the branch to its parent.

    Attributes
    ----------
    name : str
        Of the feeder.
    base_kva : float
        Base of power.
    parent : array of int, shape (n,)
        Row of the parent; -1 at a source.
    r_pu, x_pu : array, shape (n,)
        Series impedance of the branch, 0 at a source.
    g_pu, b_pu : array, shape (n,)
        Shunt admittance at the node, half of each branch's included: it consumes ``g u^2`` and injects ``b u^2`` of
        reactive power.
    scale : array, shape (n,)
        Voltage of the model over u.
    u_root_pu : array, shape (n,)
        Voltage that a source holds; NaN elsewhere.
    u_min_pu, u_max_pu : array, shape (n,)
        Limits of u; 0 and infinite where the node has no bus, and at sources.
    i_max_pu, s_max_pu : array, shape (n,)
        Rated current of the branch (lines), and rated apparent power (transformers); infinite without a rating.
    line, trafo : array of int, shape (n,)
        Row of the branch in ``net.line`` or ``net.trafo``, -1 where it is none; the first of parallel ones.
    row_of_bus : array of int, shape (n_buses,)
        Row of each bus, in the order of ``feeder.buses``; -1 where it is not energised.
    """

    name: str
    base_kva: float
    parent: IntArray
    r_pu: FloatArray
    x_pu: FloatArray
    g_pu: FloatArray
    b_pu: FloatArray
    scale: FloatArray
    u_root_pu: FloatArray
    u_min_pu: FloatArray
    u_max_pu: FloatArray
    i_max_pu: FloatArray
    s_max_pu: FloatArray
    line: IntArray
    trafo: IntArray
    row_of_bus: IntArray

    def __len__(self) -> int:
        return len(self.parent)

    def per_row(self, per_bus: FloatArray) -> FloatArray:
        """Sums over the buses of each row of something per bus, shape (..., n_buses) -> (..., n)."""
        found = np.zeros((len(self), *per_bus.shape[:-1]))
        alive = self.row_of_bus >= 0
        np.add.at(found, self.row_of_bus[alive], np.moveaxis(per_bus, -1, 0)[alive])
        return np.moveaxis(found, 0, -1)


def radial_grid(feeder: Feeder) -> RadialGrid:
    """A feeder as trees.

    Parallel branches become one: impedances in parallel, and the rating at which the first of them is at its own.

    Raises
    ------
    InputError
        If it is meshed; the message names the loop.
    EngineRefusalError
        For branches that no pi equivalent fits, parallel ones of different ratios, and voltage-dependent loads.
    """
    model = feeder.nodal
    if model.branches.asymmetric.any() or feeder.voltage_dependent.any():
        raise EngineRefusalError(f"feeder {feeder.name!r} has branches or loads that no program of its flows covers")
    _require_radial(feeder)
    order, parent, branches = _walk(feeder)
    row = np.empty(model.n_nodes, dtype=np.int64)
    row[order] = np.arange(len(order))
    tree = _Tree(feeder, order, np.array([-1 if p < 0 else row[p] for p in parent]), branches)
    return tree.grid(np.where(model.node_of_bus >= 0, row[model.node_of_bus], -1))


def _require_radial(feeder: Feeder) -> None:
    if feeder.is_radial:
        return
    model = feeder.nodal
    sources = set(model.slack_nodes.tolist())
    graph = nx.Graph()
    merged = [-1 if node in sources else node for node in range(model.n_nodes)]
    ends = zip(model.branches.from_node.tolist(), model.branches.to_node.tolist(), strict=True)
    graph.add_edges_from((merged[i], merged[j]) for i, j in ends if merged[i] != merged[j])
    loop = min(nx.minimum_cycle_basis(graph), key=len, default=[-1])
    way = nx.find_cycle(graph.subgraph(loop)) if len(loop) > 2 else [(node, node) for node in loop]
    names = [_bus_name(feeder, node) for node, _ in way]
    raise InputError(feeder.name, "net", "meshed", f"a radial feeder; this one has the loop {' - '.join(names)}")


def _bus_name(feeder: Feeder, node: int) -> str:
    if node < 0:
        return "source"
    at = np.flatnonzero(feeder.nodal.node_of_bus == node)
    if not len(at):
        return "open line end"
    index = int(feeder.buses[at[0]])
    name = feeder.net.bus.at[index, "name"]
    return str(index if name is None else name)


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


@dataclass
class _Tree:
    """Nodes in order, and what becomes of their branches."""

    feeder: Feeder
    order: IntArray
    parent: IntArray
    branches: list[list[int]]

    def grid(self, row_of_bus: IntArray) -> RadialGrid:
        model = self.feeder.nodal
        scale = self._scale()
        impedance, shunt = self._impedances_and_shunts(scale)
        line, trafo, i_max, s_max = self._ratings(scale)
        u_root = np.full(len(self.order), np.nan)
        position = {int(node): k for k, node in enumerate(self.order)}
        u_root[[position[int(node)] for node in model.slack_nodes]] = model.slack_vm_pu
        low, high = self._limits(row_of_bus, scale)
        return RadialGrid(
            name=self.feeder.name,
            base_kva=model.base_mva * 1e3,
            parent=self.parent,
            r_pu=impedance.real,
            x_pu=impedance.imag,
            g_pu=shunt.real,
            b_pu=shunt.imag,
            scale=scale,
            u_root_pu=u_root,
            u_min_pu=np.where(np.isnan(u_root), low, 0.0),
            u_max_pu=np.where(np.isnan(u_root), high, np.inf),
            i_max_pu=i_max,
            s_max_pu=s_max,
            line=line,
            trafo=trafo,
            row_of_bus=row_of_bus,
        )

    def _below_sources(self) -> Iterator[tuple[int, int]]:
        return ((i, int(parent)) for i, parent in enumerate(self.parent) if parent >= 0)

    def _is_from_parent(self, branch: int, parent: int) -> bool:
        return bool(self.feeder.nodal.branches.from_node[branch] == self.order[parent])

    def _scale(self) -> FloatArray:
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
                at = _bus_name(self.feeder, int(self.order[i]))
                raise EngineRefusalError(
                    f"feeder {self.feeder.name!r}: parallel branches to {at} differ in their ratio"
                )
            scale[i] = scale[parent] * abs(down[0])
        return scale

    def _impedances_and_shunts(self, scale: FloatArray) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
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

    def _ratings(self, scale: FloatArray) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
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

    def _limits(self, row_of_bus: IntArray, scale: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The tightest limits of the buses of each node, in u."""
        low, high = np.zeros(len(scale)), np.full(len(scale), np.inf)
        alive = row_of_bus >= 0
        np.maximum.at(low, row_of_bus[alive], self.feeder.vm_min_pu[alive])
        np.minimum.at(high, row_of_bus[alive], self.feeder.vm_max_pu[alive])
        return low / scale, high / scale
