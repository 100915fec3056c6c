"""The branch flow model of radial feeders with second-order cones, as rows and columns of a program.

Source: V. J. Nair et al., "Dynamic resource coordination can increase grid hosting capacity", power flow in the
optimisation; M. Farivar and S. H. Low, "Branch Flow Model: Relaxations and Convexification", eq. 2-6 and 11.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agents.dso.dispatch.conic import ConicProgram
from agents.dso.dispatch.settings import DispatchSettings
from agents.prosumer.fleet import FleetInputs
from feeders.radial import RadialGrid

__all__ = ["ConeGrid", "cone_grid"]

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ConeGrid:
    """Columns of T steps and n nodes, shape (T, n), per unit; at a source, what the grid above feeds in.

    Attributes
    ----------
    grid : RadialGrid
    p, q : array of int
        Power that leaves the parent, > 0 towards the node.
    v, l : array of int
        Squared voltage of the node and squared current of its branch, the latter -1 at sources.
    p_balance, q_balance : array of int
        Equalities of the nodes' powers; what consumes is on their left with minus.
    """

    grid: RadialGrid
    p: IntArray
    q: IntArray
    v: IntArray
    l: IntArray  # noqa: E741 - the models' own symbol
    p_balance: IntArray
    q_balance: IntArray

    def slack(self, x: Array) -> Array:
        """How loose each cone is, ``v l - P^2 - Q^2`` [p.u.], shape (T, n); NaN without a resistance to lose power in.

        Branches without resistance have losses at no current, so that theirs means nothing.
        """
        below = np.flatnonzero((self.grid.parent >= 0) & (self.grid.r_pu > 0))
        found = np.full(self.p.shape, np.nan)
        v_parent = x[self.v[:, self.grid.parent[below]]]
        found[:, below] = v_parent * x[self.l[:, below]] - x[self.p[:, below]] ** 2 - x[self.q[:, below]] ** 2
        return found

    def losses_kw(self, x: Array) -> Array:
        """What the program says is lost in each step, shape (T,)."""
        current = np.where(self.l >= 0, x[self.l], 0.0)
        found: Array = (self.grid.r_pu * current + self.grid.g_pu * x[self.v]).sum(axis=1) * self.grid.base_kva
        return found

    def vm_pu(self, x: Array) -> Array:
        """Voltages of the model per bus, shape (T, n_buses); NaN where not energised."""
        row = self.grid.row_of_bus
        of_node = np.sqrt(np.maximum(x[self.v], 0.0)) * self.grid.scale
        found: Array = np.where(row >= 0, of_node[:, row], np.nan)
        return found

    def price(self, marginal: Array, step_h: float) -> Array:
        """Nodal prices of active power [currency/kWh], shape (T, n_buses); NaN where not energised."""
        row = self.grid.row_of_bus
        of_node = marginal[self.p_balance] / (self.grid.base_kva * step_h)
        found: Array = np.where(row >= 0, of_node[:, row], np.nan)
        return found


def cone_grid(program: ConicProgram, grid: RadialGrid, inputs: FleetInputs, settings: DispatchSettings) -> ConeGrid:
    """Add a feeder with its loads, its limits and the cost of import and losses."""
    shape = (len(inputs), len(grid))
    root = grid.parent < 0
    low = np.where(root, grid.u_root_pu, grid.u_min_pu + settings.reserve_pu / grid.scale)
    high = np.where(root, grid.u_root_pu, grid.u_max_pu - settings.reserve_pu / grid.scale)
    p, q, v = program.columns(shape), program.columns(shape), program.columns(shape, np.maximum(low, 0) ** 2, high**2)
    current = np.full(shape, -1, dtype=np.int64)
    current[:, ~root] = program.columns((shape[0], int((~root).sum())), 0.0, grid.i_max_pu[~root] ** 2)
    loads = (grid.per_row(inputs.p_load_kw) / grid.base_kva, grid.per_row(inputs.q_load_kvar) / grid.base_kva)
    p_balance = program.equal([(p, 1.0), (current, -grid.r_pu), (v, -grid.g_pu)], loads[0])
    q_balance = program.equal([(q, 1.0), (current, -grid.x_pu), (v, grid.b_pu)], loads[1])
    below = np.flatnonzero(~root)
    program.add_to(p_balance[:, grid.parent[below]], p[:, below], -1.0)
    program.add_to(q_balance[:, grid.parent[below]], q[:, below], -1.0)
    found = ConeGrid(grid, p, q, v, current, p_balance, q_balance)
    _branches(program, found, below)
    _ratings(program, found)
    energy = grid.base_kva * inputs.step_h
    weights = settings.weights
    program.cost("import_price", p[:, root], weights.import_price * energy * inputs.price[:, None])
    program.cost("losses", current[:, below], weights.losses * energy * grid.r_pu[below])
    return found


def _branches(program: ConicProgram, of: ConeGrid, below: IntArray) -> None:
    """Voltage along each branch, and its current's cone."""
    r, x = of.grid.r_pu[below], of.grid.x_pu[below]
    v_parent, current = of.v[:, of.grid.parent[below]], of.l[:, below]
    p, q = of.p[:, below], of.q[:, below]
    along = [(of.v[:, below], 1.0), (v_parent, -1.0), (p, 2 * r), (q, 2 * x), (current, -(r**2) - x**2)]
    program.equal(along)
    # P^2 + Q^2 <= v l, as |2P, 2Q, v - l| <= v + l
    parts = [([(p, 2.0)], 0.0), ([(q, 2.0)], 0.0), ([(v_parent, 1.0), (current, -1.0)], 0.0)]
    program.cone(([(v_parent, 1.0), (current, 1.0)], 0.0), parts)


def _ratings(program: ConicProgram, of: ConeGrid) -> None:
    """Apparent power of transformers at both ends; that of lines' currents is a bound of their columns."""
    rated = np.flatnonzero(np.isfinite(of.grid.s_max_pu))
    if not len(rated):
        return
    p, q, current = of.p[:, rated], of.q[:, rated], of.l[:, rated]
    limit = of.grid.s_max_pu[rated]
    program.cone(([], limit), [([(p, 1.0)], 0.0), ([(q, 1.0)], 0.0)])
    lost = [(current, -of.grid.r_pu[rated]), (current, -of.grid.x_pu[rated])]
    program.cone(([], limit), [([(p, 1.0), lost[0]], 0.0), ([(q, 1.0), lost[1]], 0.0)])
