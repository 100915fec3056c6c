"""One linear program over all customers: their planning problems side by side, joined by the feeder's limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.customers import Block
from agents.highs import Program
from agents.terms import Terms

__all__ = ["Central", "Limits", "Private"]

Array = npt.NDArray[np.float64]


class Limits(NamedTuple):
    """R linearised headrooms, each of one quantity in one step; several may be of the same, about other points.

    Attributes
    ----------
    step, quantity : array of int, shape (R,)
        Position of the step among the active ones, and of the quantity.
    effect : array, shape (R, n)
        Change of headroom per kW [p.u./kW].
    room_pu : array, shape (R,)
        Headroom without the customers' power [p.u.].
    """

    step: npt.NDArray[np.int64]
    quantity: npt.NDArray[np.int64]
    effect: Array
    room_pu: Array

    def headroom_pu(self, p_kw: Array) -> Array:
        """What they foretell for powers in the active steps, shape (n_active, n): (R,) [p.u.]."""
        found: Array = self.room_pu + (self.effect * p_kw[self.step]).sum(axis=1)
        return found

    def of(self, which: npt.NDArray[np.bool_]) -> Limits:
        """Some of them."""
        return Limits(self.step[which], self.quantity[which], self.effect[which], self.room_pu[which])

    def beside(self, others: Limits) -> Limits:
        """They and others."""
        return Limits(
            np.concatenate([self.step, others.step]),
            np.concatenate([self.quantity, others.quantity]),
            np.concatenate([self.effect, others.effect]),
            np.concatenate([self.room_pu, others.room_pu]),
        )


class Private(NamedTuple):
    """The columns that stand for what the operator wants, after those of the customers.

    Attributes
    ----------
    per_limit : sparse array, shape (R, n_columns)
        What they add to each linearised headroom, which must not be negative then.
    cost : array, shape (n_columns,)
        Beside the bills [currency].
    lower : array, shape (n_columns,)
        Their lower bounds.
    bills_most : float
        Cap on the customers' bills, other costs included [currency]; infinite for none.
    """

    per_limit: sparse.csc_array
    cost: Array
    lower: Array
    bills_most: float = float("inf")


@dataclass
class Central:
    """The part of the program that no linearisation changes; columns and rows::

        columns  x of each block | highest import per demand charge | power per active step and customer | private
        rows     of each block | import <= highest import | power = import - export | limits | bills <= cap

    The power has columns of its own so that each limit has one number per customer, whatever its import is made of.

    Parameters
    ----------
    blocks : sequence of Block
        Of the customers.
    tariff : Terms
        What they pay.
    active : array of bool, shape (T,)
        Steps with limits.
    """

    blocks: Sequence[Block]
    tariff: Terms
    active: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        programs, tariff = [block.program for block in self.blocks], self.tariff
        self._first = np.concatenate([[0], np.cumsum([program.cost.size for program in programs])])
        charges, demand = self._demand()
        n_powers = int(self.active.sum()) * len(self.blocks)
        meters = sparse.block_diag([(block.imports - block.exports)[self.active] for block in self.blocks])
        self._matrix = sparse.block_array(
            [
                [sparse.block_diag([block.matrix for block in self.blocks]), None, None],
                [demand[:, : self._first[-1]], demand[:, self._first[-1] :], None],
                [meters, None, -sparse.eye_array(n_powers)],
            ]
        )
        bills = [
            block.program.cost.ravel()
            + tariff.step_h * (block.imports.T @ tariff.price_buy[:, i] - block.exports.T @ tariff.price_sell[:, i])
            for i, block in enumerate(self.blocks)
        ]
        self.bill = np.concatenate([*bills, charges, np.zeros(n_powers)])
        nothing, unbounded = np.zeros(len(charges)), np.full(n_powers, np.inf)
        self._lower = np.concatenate([*(program.lower.ravel() for program in programs), nothing, -unbounded])
        self._upper = np.concatenate([*(program.upper.ravel() for program in programs), nothing + np.inf, unbounded])
        n_demand, zeros = demand.shape[0], np.zeros(n_powers)
        self._row_lower = np.concatenate([*(program.row_lower for program in programs), [-np.inf] * n_demand, zeros])
        self._row_upper = np.concatenate([*(program.row_upper for program in programs), np.zeros(n_demand), zeros])

    def assembled(self, limits: Limits, private: Private, scale: float) -> tuple[sparse.csc_array, Program]:
        """Matrix and numbers, costs times `scale`."""
        n_active, n_private = int(self.active.sum()), len(private.cost)
        n_before = len(self.bill) - n_active * len(self.blocks)
        row = np.repeat(np.arange(len(limits.step)), len(self.blocks))
        column = limits.step[:, None] + n_active * np.arange(len(self.blocks)) + n_before
        shape = (len(limits.step), len(self.bill))
        on_powers = sparse.coo_array((limits.effect.ravel(), (row, column.ravel())), shape=shape)
        matrix = sparse.block_array(
            [
                [self._matrix, sparse.csc_array((self._matrix.shape[0], n_private))],
                [on_powers, private.per_limit],
                [sparse.csc_array(self.bill[None]), sparse.csc_array((1, n_private))],
            ]
        ).tocsc()
        unbounded = np.full(len(limits.step), np.inf)
        free, fixed = np.full(n_private, np.inf), sum(block.fixed_cost for block in self.blocks)
        program = Program(
            cost=scale * np.concatenate([self.bill, private.cost]),
            lower=np.concatenate([self._lower, private.lower]),
            upper=np.concatenate([self._upper, free]),
            row_lower=np.concatenate([self._row_lower, -limits.room_pu, [-np.inf]]),
            row_upper=np.concatenate([self._row_upper, unbounded, [private.bills_most - fixed]]),
        )
        return matrix, program

    def plans(self, values: Array) -> tuple[Array, Array, Array]:
        """Power [kW] and reactive power [kvar, > 0 injected], both (T, n), and other costs, of a solution."""
        p_kw, q_kvar = np.empty((2, *self.tariff.price_buy.shape))
        other = np.empty(len(self.blocks))
        for i, block in enumerate(self.blocks):
            x = values[self._first[i] : self._first[i + 1]]
            p_kw[:, i] = block.imports @ x - block.exports @ x
            q_kvar[:, i] = block.q_fixed_kvar + block.q_per_kw * p_kw[:, i]
            other[i] = block.program.cost.ravel() @ x + block.fixed_cost
        return p_kw, q_kvar, other

    def _demand(self) -> tuple[Array, sparse.csc_array]:
        """Prices of the charges that cost something, and the rows ``import - highest import <= 0`` of each."""
        tariff, n_x = self.tariff, self._first[-1]
        window, customer = np.nonzero(tariff.demand_price > 0)
        rows = [sparse.csc_array((0, n_x + len(window)))]
        for k, (w, i) in enumerate(zip(window, customer, strict=True)):
            imports = self.blocks[int(i)].imports[tariff.demand_window[w]]
            highest = sparse.coo_array(
                (np.full(imports.shape[0], -1.0), (np.arange(imports.shape[0]), np.full(imports.shape[0], k))),
                shape=(imports.shape[0], len(window)),
            )
            before = sparse.csc_array((imports.shape[0], self._first[i]))
            after = sparse.csc_array((imports.shape[0], n_x - self._first[i + 1]))
            rows.append(sparse.hstack([before, imports, after, highest]))
        return tariff.demand_price[window, customer], sparse.vstack(rows).tocsc()
