"""A radial feeder as trees of nodes, per unit, ready for linear and conic programs of its flows.

Transformers away from their nominal ratio are taken out: node i has a base voltage of its own, `scale` times the
model's, so that without load all nodes of a tree are at one voltage. With V the model's voltage and ``u = V / scale``,
power stays as it is, ``I' = I scale``, ``z' = z / scale^2`` and ``y' = y scale^2``. Voltage limits and ratings are
given in u and I'.
"""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from feeders.errors import EngineRefusalError, InputError
from feeders.feeder import Feeder
from feeders.rooted_tree import node_name, rooted_tree

__all__ = ["RadialGrid", "radial_grid"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


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
    tree = rooted_tree(feeder)
    row = np.empty(model.n_nodes, dtype=np.int64)
    row[tree.order] = np.arange(len(tree.order))
    row_of_bus = np.where(model.node_of_bus >= 0, row[model.node_of_bus], -1)
    scale = tree.scale()
    impedance, shunt = tree.impedances_and_shunts(scale)
    line, trafo, i_max, s_max = tree.ratings(scale)
    u_root = np.full(len(tree.order), np.nan)
    u_root[row[model.slack_nodes]] = model.slack_vm_pu
    low, high = tree.limits(row_of_bus, scale)
    return RadialGrid(
        name=feeder.name,
        base_kva=model.base_mva * 1e3,
        parent=tree.parent,
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
    names = [node_name(feeder, node) for node, _ in way]
    raise InputError(feeder.name, "net", "meshed", f"a radial feeder; this one has the loop {' - '.join(names)}")
