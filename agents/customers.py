"""What whoever shapes the terms of customers may ask of them: plans, and for a bound their linear programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.highs import Program
from agents.terms import Terms

__all__ = ["Block", "Customers", "Response"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Response:
    """What n customers intend over T steps.

    Attributes
    ----------
    p_kw : array, shape (T, n)
        Power at the meters, > 0 import [kW].
    q_kvar : array, shape (T, n)
        Reactive power, > 0 injected [kvar].
    other_cost : array, shape (n,)
        What their plans cost beside the bill for electricity: fuel, wear, starts [currency].
    kept : array of bool, shape (n,)
        Who could make no plan and keeps the last one.
    """

    p_kw: Array
    q_kvar: Array
    other_cost: Array
    kept: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Block:
    """The planning problem of one customer as a linear program, but for what its electricity costs.

    Minimise ``cost @ x`` plus the bill for the import ``imports @ x`` and the export ``exports @ x``, subject to
    ``lower <= x <= upper`` and ``row_lower <= matrix @ x <= row_upper``.

    Attributes
    ----------
    program : Program
        Costs [currency] beside the bill, bounds and row bounds; its arrays are flat.
    matrix : sparse array, shape (n_rows, n_columns)
    imports, exports : sparse array, shape (T, n_columns)
        Import and export at the meter [kW], both >= 0; the power is their difference.
    q_fixed_kvar : array, shape (T,)
        Reactive power, > 0 injected, that does not depend on the plan.
    q_per_kw : float
        Reactive power injected per kW of power at the meter, on top of it.
    fixed_cost : float
        What is already decided costs beside that, such as starts of generators that are committed [currency]; with it
        `cost @ x` is the `Response.other_cost` of the same plan.
    """

    program: Program
    matrix: sparse.csc_array
    imports: sparse.csc_array
    exports: sparse.csc_array
    q_fixed_kvar: Array
    q_per_kw: float
    fixed_cost: float = 0.0


class Customers(Protocol):
    """Customers who plan: facilities, households, or any others.

    Attributes
    ----------
    names : sequence of str
    buses : sequence of int
        Indices of their buses in the net.
    """

    @property
    def names(self) -> Sequence[str]:
        """See above."""
        ...

    @property
    def buses(self) -> Sequence[int]:
        """See above."""
        ...

    def respond(self, terms: Terms) -> Response:
        """The cheapest plan of each against `terms`; remembered, so that it can be adopted.

        A customer whose problem has no solution keeps its last plan, and the response says so.

        Raises
        ------
        PlanError
            When such a customer has no last plan.
        """
        ...

    def adopt(self, shares: Array) -> None:
        """Commit to a mix of the plans so far.

        Parameters
        ----------
        shares : array, shape (n_responses, n)
            Share of each plan since the last `forget`, in their order; >= 0, each column adds up to 1.
        """
        ...

    def forget(self) -> None:
        """Drop the plans so far, as before a new day or week."""
        ...

    def blocks(self) -> list[Block]:
        """The planning problem of each, with what is committed already fixed."""
        ...
