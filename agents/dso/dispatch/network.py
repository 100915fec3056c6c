"""Rows of a program for the wires: powers balance at nodes, voltage falls along branches, ratings hold.

The branch flow model (Baran and Wu 1989), its squared currents l first order in P at the flows of a point::

    P_i = sum of P_k + g_i v_i + p_i + r_i l_i       Q_i = sum of Q_k - b_i v_i + q_i + x_i l_i
    v_i = v_parent - 2 (r_i P_i + x_i Q_i) + (r_i^2 + x_i^2) l_i

so that it is exact at that point. Ratings hold within a polygon in the circle of apparent power at the sending end, one
corner of which lies where the flow of the point is. What losses cost is convex in P and Q: the columns `loss_p` and
`loss_q` lie above tangents of ``r P^2 / v`` and ``r Q^2 / v``; they only cost and move no power, so that no program can
gain from losses that are not there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agents.dso.dispatch.builder import Builder
from agents.dso.dispatch.settings import DispatchSettings
from agents.dso.dispatch.wires import Point, Wires

__all__ = ["VOLTAGE", "Balance", "Reach", "network_rows"]

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

VOLTAGE = 1e3
"""Squared voltages are columns in thousandths, so that coefficients of powers in kW are not tiny."""


_APART = 0.97  # share of the losses of which branches have tangents of their own
_NEAR = 0.95  # of a rating: losses and shunts within the reach of flows are those of the last flow


@dataclass(frozen=True)
class Balance:
    """Rows of active and reactive power at each node, shape (T, n): consumption of devices enters with -1."""

    p: IntArray
    q: IntArray


@dataclass(frozen=True)
class Reach:
    """Least and most that the nodes can consume, shape (T, n) each, with devices at their extremes."""

    p_low_kw: Array
    p_high_kw: Array
    q_low_kvar: Array
    q_high_kvar: Array


def network_rows(
    builder: Builder,
    wires: Wires,
    point: Point,
    load: tuple[Array, Array],
    settings: DispatchSettings,
    reach: Reach,
    costs: tuple[Array, Array],
    tangents: list[Point],
    outside_cost: float | None = None,
) -> Balance:
    """Columns and rows of the wires.

    Parameters
    ----------
    load : pair of array, shape (T, n)
        Active and reactive power of the load at each node [kW, kvar], > 0 consumed.
    costs : pair of array, shape (T,)
        Of import and of losses [currency/kW].
    tangents : list of Point
        Where tangents of the losses touch; empty where losses do not matter to the solution.
    outside_cost : float, optional
        Limits give way, all of a step by the same p.u. of voltage and share of ratings, at this cost each.
    """
    grid, base = wires.grid, wires.grid.base_kva
    nodes, branch = np.arange(len(grid)), np.flatnonzero(grid.parent >= 0)
    import_cost = np.where(grid.parent < 0, costs[0][:, None], 0.0)
    p = builder.columns("p_kw", nodes, -np.inf, np.inf, import_cost)
    q = builder.columns("q_kvar", nodes, -np.inf, np.inf)
    low, high = _voltage_bounds(wires, settings.reserve_pu)
    v = builder.columns("v", nodes, *((low, high) if outside_cost is None else _held_only(wires, low, high)))
    if outside_cost is not None:
        outside = builder.columns("outside", np.zeros(1, dtype=np.int64), 0.0, np.inf, outside_cost)
        for sign, limit in ((1.0, low), (-1.0, high)):
            some = np.flatnonzero(np.isfinite(limit) & (limit > 0) & (grid.parent >= 0))
            slope = 2 * VOLTAGE * sign * np.sqrt(limit[some] / VOLTAGE)
            bounds = (limit[some], np.inf) if sign > 0 else (-np.inf, limit[some])
            builder.rows([(v[:, some], 1.0), (np.repeat(outside, len(some), axis=1), slope)], *bounds)
    squared, slope = _squares(wires, point)
    found = []
    for sent, given, series, shunt in ((p, load[0], grid.r_pu, grid.g_pu), (q, load[1], grid.x_pu, -grid.b_pu)):
        lost = np.zeros_like(given)
        lost[:, branch] = series[branch] * base * squared
        rows = builder.rows([(sent, 1.0), (v, -shunt * base / VOLTAGE)], given + lost, given + lost)
        _to_parents(builder, wires, rows, sent)
        builder.add(rows[:, branch], p[:, branch], -series[branch] * base * slope)
        found.append(rows)
    per_kw = 2 * VOLTAGE / base
    falls: list[tuple[IntArray, Array | float]] = [(v[:, branch], 1.0), (v[:, grid.parent[branch]], -1.0)]
    falls += [(p[:, branch], per_kw * grid.r_pu[branch]), (q[:, branch], per_kw * grid.x_pu[branch])]
    z2 = VOLTAGE * (grid.r_pu**2 + grid.x_pu**2)[branch]
    rows = builder.rows(falls, z2 * squared, z2 * squared)
    builder.add(rows, p[:, branch], -z2 * slope)
    _rating_rows(builder, wires, point, settings.sides, reach)
    if tangents:
        _loss_rows(builder, wires, point, costs[1], tangents)
        lost = (costs[0] * (costs[1] > 0))[:, None] * grid.r_pu[branch] * base
        builder.cost(p[:, branch], -lost * slope, -float((lost * squared).sum()))  # these are in the tangents already
    return Balance(*found)


def _voltage_bounds(wires: Wires, reserve_pu: float) -> tuple[Array, Array]:
    grid = wires.grid
    reserve = reserve_pu / grid.scale
    low = np.where(grid.u_min_pu > 0, grid.u_min_pu + reserve, 0.0) ** 2
    high = np.where(np.isfinite(grid.u_max_pu), grid.u_max_pu - reserve, np.inf) ** 2
    held = ~np.isnan(grid.u_root_pu)
    source = np.where(held, grid.u_root_pu, 0.0) ** 2
    return VOLTAGE * np.where(held, source, low), VOLTAGE * np.where(held, source, high)


def _held_only(wires: Wires, low: Array, high: Array) -> tuple[Array, Array]:
    """Bounds of sources alone."""
    source = wires.grid.parent < 0
    return np.where(source, low, 0.0), np.where(source, high, np.inf)


def _squares(wires: Wires, point: Point) -> tuple[Array, Array]:
    """Squared current of each branch, first order in P alone: constants and slopes, shape (T, branches) each.

    Not in Q, which inverters give and take at no cost: a program would go far along a slope that does not reach so far.
    """
    branch = np.flatnonzero(wires.grid.parent >= 0)
    v, at = point.v_pu2[:, wires.grid.parent[branch]], point.p_kw[:, branch] / wires.grid.base_kva
    constant = point.l_pu2[:, branch] - 2 * at**2 / v
    return constant, 2 * at / wires.grid.base_kva / v


def _to_parents(builder: Builder, wires: Wires, rows: IntArray, sent: IntArray) -> None:
    branch = np.flatnonzero(wires.grid.parent >= 0)
    builder.add(rows[:, wires.grid.parent[branch]], sent[:, branch], -1.0)


def _rating_rows(builder: Builder, wires: Wires, point: Point, sides: int, reach: Reach) -> None:
    """Sides of the polygons that the reach of what is below can cross."""
    branch = np.flatnonzero(np.isfinite(point.rating_kva).any(axis=0))
    if not len(branch):
        return
    grid = wires.grid
    own_p = (grid.r_pu * point.l_pu2 + grid.g_pu * point.v_pu2) * grid.base_kva
    own_q = (grid.x_pu * point.l_pu2 - grid.b_pu * point.v_pu2) * grid.base_kva
    low, high = (
        [(wires.below[branch] @ (part + own).T).T for part, own in zip(parts, (own_p, own_q), strict=True)]
        for parts in ((reach.p_low_kw, reach.q_low_kvar), (reach.p_high_kw, reach.q_high_kvar))
    )
    start = np.arctan2(point.q_kvar, point.p_kw)[:, branch]
    inner = point.rating_kva[:, branch] * np.cos(np.pi / sides)
    p, q = builder.groups["p_kw"].index[:, branch], builder.groups["q_kvar"].index[:, branch]
    gives_way = builder.groups.get("outside")
    for side in range(sides):
        cos, sin = (each(start + (2 * side + 1) * np.pi / sides) for each in (np.cos, np.sin))
        furthest = np.maximum(cos * low[0], cos * high[0]) + np.maximum(sin * low[1], sin * high[1])
        matters = furthest > _NEAR * inner
        if matters.any():
            rows = builder.rows([(p[matters], cos[matters]), (q[matters], sin[matters])], -np.inf, inner[matters])
            if gives_way is not None:
                builder.add(rows, np.broadcast_to(gives_way.index, p.shape)[matters], -inner[matters])


def _loss_rows(builder: Builder, wires: Wires, point: Point, cost: Array, tangents: list[Point]) -> None:
    """Tangents of the branches where most is lost one by one, and of the sum of the others."""
    grid = wires.grid
    branch = np.flatnonzero((grid.parent >= 0) & (grid.r_pu > 0))
    per_kw2 = grid.r_pu[branch] / grid.base_kva / point.v_pu2[:, grid.parent[branch]]
    lost = np.stack([per_kw2 * (t.p_kw**2 + t.q_kvar**2)[:, branch] for t in tangents]).sum(axis=(0, 1))
    apart = _largest(lost, _APART)
    price = np.maximum(cost, 0.0)[:, None]
    for sent, singly, together in (("p_kw", "loss_p", "rest_p"), ("q_kvar", "loss_q", "rest_q")):
        loss = builder.columns(singly, branch[apart], 0.0, np.inf, price)
        rest = builder.columns(together, np.zeros(1, dtype=np.int64), 0.0, np.inf, price)
        flow = builder.groups[sent].index[:, branch]
        for tangent in tangents:
            at = getattr(tangent, sent)[:, branch]
            square, slope = per_kw2 * at**2, -2 * per_kw2 * at
            builder.rows([(loss, 1.0), (flow[:, apart], slope[:, apart])], -square[:, apart], np.inf)
            rows = builder.rows([(rest, 1.0)], -square[:, ~apart].sum(axis=1, keepdims=True), np.inf)
            builder.add(rows, flow[:, ~apart], slope[:, ~apart])


def _largest(values: Array, share: float) -> npt.NDArray[np.bool_]:
    """The fewest that make up a share of the sum."""
    order = np.argsort(-values)
    enough = int(np.searchsorted(np.cumsum(values[order]), share * values.sum())) + 1
    found = np.zeros(len(values), dtype=bool)
    found[order[:enough]] = True
    return found
