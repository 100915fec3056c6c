"""Toy customers and feeders for the rehearsal: small enough to be solved by hand, or by another solver."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import linprog

from agents.customers import Block, Response
from agents.dso.monitor import Observation
from agents.errors import PlanError
from agents.highs import Program
from agents.terms import Terms

Array = npt.NDArray[np.float64]


def shiftable(base_kw: Array, energy_kwh: float, p_max_kw: float, step_h: float, q_per_kw: float = 0.0) -> Block:
    """A load that must have its energy at some time, above a base load; columns: power of the load, import."""
    n = len(base_kw)
    eye, nothing = sparse.eye_array(n), sparse.csc_array((n, n))
    rows = [
        sparse.hstack([sparse.csc_array(np.full((1, n), step_h)), sparse.csc_array((1, n))]),
        sparse.hstack([-eye, eye]),
    ]
    bounds = np.concatenate([[energy_kwh], base_kw])
    program = Program(
        np.zeros(2 * n), np.zeros(2 * n), np.concatenate([np.full(n, p_max_kw), np.full(n, np.inf)]), bounds, bounds
    )
    return Block(
        program=program,
        matrix=sparse.vstack(rows).tocsc(),
        imports=sparse.hstack([nothing, eye]).tocsc(),
        exports=sparse.csc_array((n, 2 * n)),
        q_fixed_kvar=np.zeros(n),
        q_per_kw=q_per_kw,
    )


def storage(net_kw: Array, capacity_kwh: float, p_max_kw: float, efficiency: float, step_h: float) -> Block:
    """A cyclic battery beside a net load; columns: charge, discharge, energy at the end of steps, import, export."""
    n = len(net_kw)
    eye, nothing = sparse.eye_array(n), sparse.csc_array((n, n))
    back = sparse.csc_array(np.roll(np.eye(n), -1, axis=1))
    matrix = sparse.vstack(
        [
            sparse.hstack([-step_h * efficiency * eye, step_h * eye, eye - back, nothing, nothing]),
            sparse.hstack([-eye, eye, nothing, eye, -eye]),
        ]
    )
    rows = np.concatenate([np.zeros(n), net_kw])
    upper = np.repeat([p_max_kw, p_max_kw, capacity_kwh, np.inf, np.inf], n)
    cost = np.concatenate([1e-4 * step_h * np.ones(2 * n), np.zeros(3 * n)])  # wear
    empty = [nothing] * 3
    return Block(
        program=Program(cost, np.zeros(5 * n), upper, rows, rows),
        matrix=matrix.tocsc(),
        imports=sparse.hstack([*empty, eye, nothing]).tocsc(),
        exports=sparse.hstack([*empty, nothing, eye]).tocsc(),
        q_fixed_kvar=np.full(n, -0.5),
        q_per_kw=0.0,
    )


def with_bill(
    block: Block, terms: Terms, customer: int
) -> tuple[Array, Array, Array, sparse.csr_array, sparse.csr_array]:
    """Cost, lower, upper, equality rows and demand rows ``<= 0`` of a block with its bill; a column more per window."""
    n_windows = len(terms.demand_window)
    buy, sell = terms.price_buy[:, customer], terms.price_sell[:, customer]
    cost = block.program.cost + terms.step_h * (block.imports.T @ buy - block.exports.T @ sell)
    peaks = [
        sparse.hstack([block.imports[window], -sparse.csc_array(np.eye(n_windows)[[k] * int(window.sum())])])
        for k, window in enumerate(terms.demand_window)
    ]
    matrix = sparse.hstack([block.matrix, sparse.csc_array((block.matrix.shape[0], n_windows))]).tocsr()
    demand = sparse.vstack(peaks).tocsr() if peaks else sparse.csr_array((0, matrix.shape[1]))
    lower = np.concatenate([block.program.lower, np.zeros(n_windows)])
    upper = np.concatenate([block.program.upper, np.full(n_windows, np.inf)])
    return np.concatenate([cost, terms.demand_price[:, customer]]), lower, upper, matrix, demand


class BlockCustomers:
    """Customers who are nothing but their blocks, each solved from the start by SciPy's HiGHS."""

    def __init__(self, blocks: Sequence[Block], fails: Sequence[tuple[int, int]] = ()) -> None:
        self._blocks, self._fails = list(blocks), set(fails)
        self.names = [f"customer-{i}" for i in range(len(blocks))]
        self.buses = list(range(1, len(blocks) + 1))
        self.plans: list[Response] = []
        self.adopted: Array | None = None

    def respond(self, terms: Terms) -> Response:
        """Cheapest plan of each; `fails` lists (response, customer) that find none."""
        shape = terms.price_buy.shape
        p_kw, q_kvar, other, kept = np.zeros(shape), np.zeros(shape), np.zeros(shape[1]), np.zeros(shape[1], dtype=bool)
        for i, block in enumerate(self._blocks):
            if (len(self.plans), i) in self._fails:
                if not self.plans:
                    raise PlanError("no plan")
                last = self.plans[-1]
                p_kw[:, i], q_kvar[:, i], other[i], kept[i] = (
                    last.p_kw[:, i],
                    last.q_kvar[:, i],
                    last.other_cost[i],
                    True,
                )
                continue
            cost, lower, upper, matrix, demand = with_bill(block, terms, i)
            found = linprog(
                1e3 * cost,
                A_ub=demand,
                b_ub=np.zeros(demand.shape[0]),
                A_eq=matrix,
                b_eq=block.program.row_lower,
                bounds=np.column_stack([lower, upper]),
            )
            assert found.status == 0, found.message
            x = found.x[: block.matrix.shape[1]]
            p_kw[:, i] = block.imports @ x - block.exports @ x
            q_kvar[:, i] = block.q_fixed_kvar + block.q_per_kw * p_kw[:, i]
            other[i] = block.program.cost @ x + block.fixed_cost
        self.plans.append(Response(p_kw, q_kvar, other, kept))
        return self.plans[-1]

    def adopt(self, shares: Array) -> None:
        """Remember the shares."""
        assert shares.shape == (len(self.plans), len(self._blocks))
        assert np.allclose(shares.sum(axis=0), 1.0) and (shares >= 0).all()
        self.adopted = shares

    def forget(self) -> None:
        """Drop the plans."""
        self.plans = []

    def blocks(self) -> list[Block]:
        """As given."""
        return self._blocks


class LinearFeeder:
    """Voltages that fall along with power: ``v_tm = v0_tm - drop_mi p_ti + lift_mi q_ti``."""

    def __init__(self, v0_pu: Array, drop_pu_per_kw: Array, limit_pu: float, lift: float = 0.0) -> None:
        self.v0_pu, self.drop, self.limit_pu, self.lift = v0_pu, drop_pu_per_kw, limit_pu, lift
        self.names = [f"voltage-{m}" for m in range(v0_pu.shape[1])]

    def observe(self, p_kw: Array, q_kvar: Array) -> Observation:
        """By the formula."""
        value = self.v0_pu - p_kw @ self.drop.T + self.lift * q_kvar @ self.drop.T
        return Observation(value, value - self.limit_pu)

    def sensitivity(self, p_kw: Array, q_kvar: Array, q_per_kw: Array) -> Array:
        """Constant."""
        return np.broadcast_to(-self.drop + self.lift * self.drop * q_per_kw, (len(p_kw), *self.drop.shape)).copy()


class TwoBus:
    """A source, one line and all customers at its end, in closed form.

    With ``a = r p - x q`` (p consumed, q injected) and ``b = x p + r q`` in p.u. the voltage V is the larger root of
    ``V^4 - (1 - 2a) V^2 + a^2 + b^2 = 0``.
    """

    def __init__(self, r_pu_per_kw: float, x_pu_per_kw: float, p_background_kw: Array, limit_pu: float) -> None:
        self.r, self.x, self.background, self.limit_pu = r_pu_per_kw, x_pu_per_kw, p_background_kw, limit_pu
        self.names = ["voltage"]

    def voltage(self, p_kw: Array, q_kvar: Array) -> Array:
        """At the end of the line."""
        a, b = self.r * p_kw - self.x * q_kvar, self.x * p_kw + self.r * q_kvar
        half = 0.5 - a
        voltage: Array = np.sqrt(half + np.sqrt(half**2 - a**2 - b**2))
        return voltage

    def observe(self, p_kw: Array, q_kvar: Array) -> Observation:
        """By the formula."""
        value = self.voltage(self.background + p_kw.sum(axis=1), q_kvar.sum(axis=1))[:, None]
        return Observation(value, value - self.limit_pu)

    def sensitivity(self, p_kw: Array, q_kvar: Array, q_per_kw: Array) -> Array:
        """By central differences of the formula."""
        p, q, step = self.background + p_kw.sum(axis=1), q_kvar.sum(axis=1), 1e-2
        found = np.zeros((len(p_kw), 1, p_kw.shape[1]))
        for i, ratio in enumerate(q_per_kw):
            more, less = (self.voltage(p + h, q + ratio * h) for h in (step, -step))
            found[:, 0, i] = (more - less) / (2 * step)
        return found


def flat(price_buy: Sequence[float] | Array, n: int, step_h: float = 1.0, kappa: float = 1.0) -> Terms:
    """The same prices for n customers, without demand charge."""
    buy = np.repeat(np.asarray(price_buy, dtype=float)[:, None], n, axis=1)
    return Terms.of_prices(buy, kappa * buy, step_h)
