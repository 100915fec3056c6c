"""Column generation: customers propose plans, the operator mixes them and asks for better ones.

The least bills within the limits, over all mixes of the plans proposed so far, is a small linear program with a
share for each plan and a row for each limit that a mix could reach (G. B. Dantzig, P. Wolfe, "Decomposition principle
for linear programs", 1960). Its multipliers times the sensitivities are prices, and the plans against them are
exactly those that would lower its objective, or prove that none does: the bound of `agents.dso.bound` is reached in
the limit. The limits are linear about the last mixes, of which the AC power flow was seen: about the last alone,
shares could sway for ever where a shortfall is worth its price.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.dso.rehearsal import Rehearsal
from agents.dso.signals.parameters import Parameters, within
from agents.errors import SolverError
from agents.highs import OPTIMAL, Program, new_solver, pass_lp, run
from agents.terms import Terms

__all__ = ["ColumnGeneration", "Master", "solve_master"]

Array = npt.NDArray[np.float64]


_LINEARISATIONS = 3


class Master(NamedTuple):
    """Solution of the master program.

    Attributes
    ----------
    shares : array, shape (n_plans, n)
        Of each plan.
    rise : array, shape (T, n)
        What a kWh costs by what it does to the limits: their multipliers times the sensitivities [currency/kWh].
    """

    shares: Array
    rise: Array


class _Limits(NamedTuple):
    """R linear limits: step, quantity, change per kW of each customer (R, n), headroom without them (R,) [p.u.]."""

    step: npt.NDArray[np.int64]
    quantity: npt.NDArray[np.int64]
    effect: Array
    room_pu: Array


@dataclass(frozen=True)
class ColumnGeneration(Parameters):
    """The best mix of all plans proposed so far, and its multipliers as prices.

    Attributes
    ----------
    deficit_price : float
        What a p.u. h of deficit costs in the master program, so that it has a solution [currency/(p.u. h)].
    """

    name: ClassVar[str] = "column-generation"
    deficit_price: float = within(0.0, 1e9, 300.0)

    @property
    def commits(self) -> bool:
        """To the mix."""
        return True

    def terms(self, past: Rehearsal) -> Terms | None:
        """The tariff plus multipliers times sensitivities; None when the tariff's own plans are within the limits."""
        if len(past.iterates) == 1 and not past.shortfall_pu(past.last.observation).any():
            return None
        return past.raised(solve_master(past, self.deficit_price).rise)

    def shares(self, past: Rehearsal) -> Array:
        """Those of the master program."""
        return past.newest_only() if len(past.responses) == 1 else solve_master(past, self.deficit_price).shares


def solve_master(past: Rehearsal, deficit_price: float) -> Master:
    """The master program over all responses, its limits linear about the last iterates::

        minimise    sum_ki bill_ki w_ki + deficit_price * h * sum_q d_q
        subject to  sum_k w_ki = 1                                                for each customer
                    headroom_r + sum_i S_ri (sum_k p_rki w_ki - p_ri) + d_q >= 0  for each limit r, of quantity q

    The bill of a mix is never above the mix of the bills, demand charges included.

    Raises
    ------
    SolverError
        When HiGHS proves no optimum.
    """
    n_plans, n_customers = len(past.responses), past.tariff.price_buy.shape[1]
    limits = _limits(past)
    n_limits, step_h = len(limits.step), past.tariff.step_h
    of_which, which = np.unique(limits.step * len(past.monitor.names) + limits.quantity, return_inverse=True)
    n_deficits = len(of_which)
    bills = np.array([past.tariff.bills(plan.p_kw) + plan.other_cost for plan in past.responses])
    scale = 1000.0 / past.mean_price if past.mean_price > 0 else 1.0
    convexity = sparse.hstack([sparse.eye_array(n_customers)] * n_plans + [sparse.csc_array((n_customers, n_deficits))])
    of_plans = np.hstack([limits.effect * plan.p_kw[limits.step] for plan in past.responses])
    deficits = sparse.coo_array((np.ones(n_limits), (np.arange(n_limits), which)), shape=(n_limits, n_deficits))
    headrooms = sparse.hstack([sparse.csc_array(of_plans), deficits])
    cost = scale * np.concatenate([(bills - bills[0]).ravel(), np.full(n_deficits, deficit_price * step_h)])
    lower = np.concatenate([np.ones(n_customers), -limits.room_pu])
    upper = np.concatenate([np.ones(n_customers), np.full(n_limits, np.inf)])
    program = Program(cost, np.zeros(cost.size), np.full(cost.size, np.inf), lower, upper)
    values, duals = _solved(sparse.vstack([convexity, headrooms]).tocsc(), program)

    shares = np.maximum(0.0, values[: n_plans * n_customers]).reshape(n_plans, n_customers)
    worth = np.maximum(0.0, duals[n_customers:]) / (scale * step_h)
    rise = np.zeros(past.tariff.price_buy.shape)
    np.add.at(rise, limits.step, -worth[:, None] * limits.effect)
    return Master(shares / shares.sum(axis=0), rise)


def _solved(matrix: sparse.csc_array, program: Program) -> tuple[Array, Array]:
    """Values of the columns and duals of the rows."""
    solver = new_solver()
    pass_lp(solver, matrix, program)
    ended = run(solver)
    if ended != OPTIMAL:
        raise SolverError(f"the master program: HiGHS ended with {ended.name}")
    solution = solver.getSolution()
    return np.array(solution.col_value), np.array(solution.row_dual)


def _limits(past: Rehearsal) -> _Limits:
    """Limits that some mix could reach; of the others, even the worst plan of every customer leaves headroom."""
    found = []
    for iterate in past.iterates[-_LINEARISATIONS:]:
        sensitivity = past.sensitivity(iterate.iteration)
        room = past.headroom_pu(iterate.observation) - np.einsum("tmn,tn->tm", sensitivity, iterate.p_kw)
        worst = np.full(sensitivity.shape, np.inf)
        for plan in past.responses:
            np.minimum(worst, sensitivity * plan.p_kw[:, None, :], out=worst)
        step, quantity = np.nonzero(room + worst.sum(axis=2) < 0.0)
        found.append(_Limits(step, quantity, sensitivity[step, quantity], room[step, quantity]))
    return _Limits(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
