"""The bound: what a central schedule of all customers could do for the feeder, and at what bills.

No signal can do better than one program over all customers' plans with the feeder's limits in it. The limits are
linear about an operating point, of which the AC power flow is run; its solution is the next operating point, whose
linear limits join those before, until the AC flow of a solution is what the program foretold. Headroom is concave in
power (a voltage falls faster the lower it is), so a linearisation never foretells too little of it: the program's
optimum is below what any plans can reach, and where the AC flow confirms it, it is the best there is (J. E. Kelley,
"The cutting-plane method for solving convex programs", 1960). What is reported are the AC power flow's values.

Bills are always in the objective: with a cap on the bills alone, nothing would keep a plan from charging and
discharging at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.customers import Customers
from agents.dso.central_program import Central, Limits, Private
from agents.dso.monitor import Monitor, Observation
from agents.dso.rehearsal import Iterate, Options, Rehearsal, deficit_pu_h
from agents.dso.signals.demand import runs
from agents.errors import PlanError, SolverError
from agents.highs import OPTIMAL, Program, accept, new_solver, pass_lp, run
from agents.terms import Terms
from feeders.errors import InputError, InputErrors

__all__ = ["Aim", "Bound", "BoundError", "central_bound"]

Array = npt.NDArray[np.float64]

_TIGHT_PU = 2e-3  # a linearisation that leaves more room than this where it is made, and to the solution, is dropped
_BILLS_WEIGHT_PU = 0.01  # where headroom is the aim: 1 % of the bills is worth 1e-4 p.u. of it


class BoundError(PlanError):
    """A bound that is none: the AC power flow is not what the program foretold."""


@dataclass(frozen=True)
class Aim:
    """What the central schedule is after.

    Attributes
    ----------
    kind : {"deficit", "mean-headroom", "worst-headroom"}
        Least bills and deficits; or, under a cap on the bills, the greatest mean over the nights of the least headroom
        of each (a night is a run of active steps), or the greatest least headroom of all.
    deficit_price : float
        What a p.u. h of deficit is worth [currency/(p.u. h)].
    margin_pu : float
        How far within the limits the deficit that is paid for begins [p.u.]; that which is reported counts against
        the limits themselves.
    bill_cap_percent : float
        How much more than against the tariff the bills may be together, where the headroom is the aim.
    max_rounds : int
        Linearisations at most.
    agreement_pu : float
        How well program and AC power flow must agree in all that the aim looks at: each shortfall, or the least
        headroom of each night [p.u.].

    Raises
    ------
    InputErrors
        For an unknown kind, or a number outside its range.
    """

    kind: Literal["deficit", "mean-headroom", "worst-headroom"] = "deficit"
    deficit_price: float = 300.0
    margin_pu: float = 0.0
    bill_cap_percent: float = 0.05
    max_rounds: int = 20
    agreement_pu: float = 1e-6

    def __post_init__(self) -> None:
        least = {"deficit_price": 0.0, "margin_pu": 0.0, "bill_cap_percent": 0.0, "max_rounds": 1, "agreement_pu": 1e-9}
        faults = [
            InputError("bound", name, getattr(self, name), f"a finite number, at least {low:g}")
            for name, low in least.items()
            if not low <= getattr(self, name) < np.inf
        ]
        kinds = ("deficit", "mean-headroom", "worst-headroom")
        if self.kind not in kinds:
            faults.append(InputError("bound", "kind", self.kind, f"one of {', '.join(kinds)}"))
        if faults:
            raise InputErrors(faults)


@dataclass(frozen=True)
class Bound:
    """A central schedule, and what the AC power flow makes of it.

    Attributes
    ----------
    p_kw, q_kvar : array, shape (T, n)
        The schedule: p > 0 import, q > 0 injected.
    observation : Observation
        Of the feeder under it, by AC power flow.
    bills : array, shape (n,)
        At the tariff, with what the plans cost beside electricity [currency].
    bill_change_percent : float
        Of all customers together, against their plans for the tariff; NaN where that bill is 0.
    deficit_pu_h : float
        See `agents.dso.rehearsal.deficit_pu_h`.
    linearisation_error_pu : float
        Largest difference between foretold and AC shortfalls, or least headrooms of nights [p.u.].
    rounds : int
        Linearisations done.
    seconds : float
        Time taken, without the plans against the tariff.
    """

    p_kw: Array
    q_kvar: Array
    observation: Observation
    bills: Array
    bill_change_percent: float
    deficit_pu_h: float
    linearisation_error_pu: float
    rounds: int
    seconds: float


def central_bound(
    monitor: Monitor,
    customers: Customers,
    tariff: Terms,
    *,
    options: Options | None = None,
    aim: Aim | None = None,
    start: Iterate | None = None,
) -> Bound:
    """The best central schedule of all customers for `aim`.

    Parameters
    ----------
    monitor, customers, tariff
        As of `agents.dso.coordination.coordinate`.
    options : Options, optional
        Of it, the active steps.
    aim : Aim, optional
        Least bills and deficits by default.
    start : Iterate, optional
        The plans against the tariff, iterate 0 of a rehearsal. Without it customers are asked for them once more,
        which they remember as one more plan.

    Raises
    ------
    BoundError
        When program and AC power flow do not agree after `Aim.max_rounds` linearisations.
    SolverError
        When HiGHS proves no optimum.
    PlanError, PowerFlowError, InputError
        As of `coordinate`.
    """
    aim = aim or Aim()
    past = Rehearsal(monitor, customers, tariff, options or Options())
    if start is None:
        past.responses.append(customers.respond(tariff))
        start = past.judged(tariff, past.newest_only())
    began = perf_counter()
    point, error, n_rounds = _agreed(past, aim, start)
    bills, before = tariff.bills(point.p_kw) + point.other_cost, float(start.bills.sum())
    return Bound(
        p_kw=point.p_kw,
        q_kvar=point.q_kvar,
        observation=point.observation,
        bills=bills,
        bill_change_percent=100.0 * (float(bills.sum()) - before) / abs(before) if before else float("nan"),
        deficit_pu_h=deficit_pu_h(point.observation, past.active, tariff.step_h),
        linearisation_error_pu=error,
        rounds=n_rounds,
        seconds=perf_counter() - began,
    )


class _Point(NamedTuple):
    """Where the feeder is linearised."""

    p_kw: Array
    q_kvar: Array
    other_cost: Array
    observation: Observation


def _agreed(past: Rehearsal, aim: Aim, start: Iterate) -> tuple[_Point, float, int]:
    """The solution that the AC flow confirms, by how much it does not quite [p.u.], and after how many rounds."""
    blocks, active = past.customers.blocks(), past.active
    central, q_per_kw = Central(blocks, past.tariff, active), np.array([block.q_per_kw for block in blocks])
    scale = 1000.0 / past.mean_price if past.mean_price > 0 else 1.0
    bills, error, kept = float(start.bills.sum()), np.inf, None
    point = _Point(start.p_kw, start.q_kvar, np.zeros(len(blocks)), start.observation)
    for n_rounds in range(1, aim.max_rounds + 1):
        sensitivity = past.monitor.sensitivity(point.p_kw, point.q_kvar, q_per_kw)[active]
        headroom_pu = point.observation.headroom_pu[active] - aim.margin_pu
        about = _about(headroom_pu, sensitivity, point.p_kw[active])
        limits = about if kept is None else kept.beside(about)
        private = _private(aim, past, limits, bills)
        values = _solved(*central.assembled(limits, private, scale))
        p_kw, q_kvar, other_cost = central.plans(values)
        point = _Point(p_kw, q_kvar, other_cost, past.monitor.observe(p_kw, q_kvar))
        foretold = limits.headroom_pu(p_kw[active])
        error = _error(aim, past, limits, foretold, point.observation)
        if error <= aim.agreement_pu:
            return point, error, n_rounds
        room = (foretold + private.per_limit @ values[len(values) - len(private.cost) :])[-len(about.step) :]
        # Once kept, always kept: among plans of equal bills the solution would else go to and fro between two of them.
        new = about.of((room < _TIGHT_PU) | (headroom_pu.ravel() < _TIGHT_PU))
        kept = new if kept is None else kept.beside(new)
    raise BoundError(
        f"after {aim.max_rounds} linearisations the central schedule's headroom is {error:.2g} p.u. off its AC power "
        f"flow; allowed: {aim.agreement_pu:g} (agreement_pu)"
    )


def _about(headroom_pu: Array, sensitivity: Array, p_kw: Array) -> Limits:
    """All quantities in all active steps, linear about their headroom at powers of shape (n_active, n)."""
    n_steps, n_quantities, n_customers = sensitivity.shape
    step, quantity = np.divmod(np.arange(n_steps * n_quantities), n_quantities)
    room = headroom_pu - np.einsum("tmn,tn->tm", sensitivity, p_kw)
    return Limits(step, quantity, sensitivity.reshape(-1, n_customers), room.ravel())


def _private(aim: Aim, past: Rehearsal, limits: Limits, bills: float) -> Private:
    """Deficits to be paid for; or the least headroom per night, or of all, to be raised under the cap."""
    n_limits, step_h = len(limits.step), past.tariff.step_h
    if aim.kind == "deficit":
        n_quantities = len(past.monitor.names)
        n_private, sign, which = (
            n_quantities * int(past.active.sum()),
            1.0,
            limits.step * n_quantities + limits.quantity,
        )
        cost, lower, cap = np.full(n_private, aim.deficit_price * step_h), np.zeros(n_private), np.inf
    else:
        which = _night(aim, past)[limits.step]
        n_private, sign = int(which.max(initial=-1)) + 1, -1.0
        cost, lower = np.full(n_private, -abs(bills) / _BILLS_WEIGHT_PU / n_private), np.full(n_private, -np.inf)
        cap = bills + abs(bills) * aim.bill_cap_percent / 100.0
    entries = (np.full(n_limits, sign), (np.arange(n_limits), which))
    return Private(sparse.coo_array(entries, shape=(n_limits, n_private)).tocsc(), cost, lower, cap)


def _night(aim: Aim, past: Rehearsal) -> npt.NDArray[np.int64]:
    """To which night each active step belongs; to one and the same where the worst of all is the aim."""
    if aim.kind == "worst-headroom":
        return np.zeros(int(past.active.sum()), dtype=np.int64)
    night: npt.NDArray[np.int64] = runs(past.active)[:, past.active].argmax(axis=0)
    return night


def _error(aim: Aim, past: Rehearsal, limits: Limits, foretold: Array, observation: Observation) -> float:
    """Largest difference between foretold and AC flow in what the aim looks at [p.u.]."""
    actual = observation.headroom_pu[past.active] - aim.margin_pu
    least = np.full(actual.shape, np.inf)
    np.minimum.at(least, (limits.step, limits.quantity), foretold)
    if actual.size == 0:
        return 0.0
    if aim.kind == "deficit":
        return float(np.abs(np.minimum(least, 0.0) - np.minimum(actual, 0.0)).max())
    first = np.flatnonzero(np.diff(_night(aim, past), prepend=-1))
    nightly = (np.minimum.reduceat(headroom.min(axis=1), first) for headroom in (least, actual))
    return float(np.abs(np.subtract(*nightly)).max())


def _solved(matrix: sparse.csc_array, program: Program) -> Array:
    """Values of the columns at the optimum.

    By the dual simplex on the presolved program, costs perturbed: two to four times as fast as the interior point on
    weeks of four facilities and days of a hundred homes, which steps in where rounding stops it.
    """
    solver = new_solver()
    for option, value in (("presolve", "on"), ("dual_simplex_cost_perturbation_multiplier", 1.0)):
        accept(solver.setOptionValue(option, value), f"option {option}")
    pass_lp(solver, matrix, program)
    ended = run(solver)
    if ended != OPTIMAL:
        accept(solver.clearSolver(), "a fresh start")
        accept(solver.setOptionValue("solver", "ipm"), "the interior point method")
        ended = run(solver)
    if ended != OPTIMAL:
        raise SolverError(f"the central program: HiGHS ended with {ended.name}")
    return np.array(solver.getSolution().col_value)
