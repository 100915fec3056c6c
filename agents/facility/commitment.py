"""When fuel cell and generator run: decided once, by rolling mixed-integer programs, and then fixed.

Least loads and the cost of starts make the schedule a mixed-integer program, and its gap is larger than what a signal
changes in a bill. So commitment is decided once, against the tariff, and every later plan is a linear program.

It is decided in steps of an hour, on the means of loads and prices: at Mesa del Sol, an invented week, that cost 0.03 %
more than deciding quarter hours did, in a third of the time. Window after window, in their order: a window has binaries
for its own steps; the steps of the look-ahead after it are relaxed. Energy in the stores and which generators run are
carried over. Where the stores should be at the end of a look-ahead is taken from the relaxed program of the whole
horizon, which also decides where a cyclic one begins; so the last window ends as the first began. A peak that the
relaxed program pays for anyway is free in every window, and what exceeds it is paid in full.

Per generator and step: on u (binary), start v >= 0, ``min * u <= p <= max * u``, ``v >= u - u_before``; alone, the
convex hull of what a generator can do. Before the first step all are off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import highspy
import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.errors import PlanError, SolverError
from agents.facility.equipment import Cogenerator
from agents.facility.exclusive import forbid_overlap
from agents.facility.lp import WarmLp
from agents.facility.needs import Ends
from agents.facility.problem import Assembled, Problem
from agents.facility.program import Layout
from agents.highs import OPTIMAL, Program, accept, new_solver, pass_lp, run
from agents.terms import Terms

__all__ = ["Commitment", "CommitmentOptions", "commit", "fix"]

Array = npt.NDArray[np.float64]
_OPTIONS = (
    ("solver", "choose"),
    ("presolve", "on"),
    ("dual_simplex_cost_perturbation_multiplier", 1.0),  # many steps are alike: without it the simplex stalls
    ("primal_feasibility_tolerance", 1e-7),
    ("dual_feasibility_tolerance", 1e-7),
)

On = dict[str, npt.NDArray[np.bool_]]


@dataclass(frozen=True)
class CommitmentOptions:
    """How commitment is searched for.

    Attributes
    ----------
    step_h : float
        Steps in which it is decided, of at least one step of the plan [h].
    window_h, look_ahead_h : float
        Lengths of a window and of the relaxed steps after it [h].
    gap : float
        Relative gap at which the search in a window ends.
    max_nodes : int
        Nodes after which it ends anyway; nodes and not seconds, so that the answer is the same everywhere.
    """

    step_h: float = 1.0
    window_h: float = 24.0
    look_ahead_h: float = 12.0
    gap: float = 1e-3
    max_nodes: int = 2000

    def coarseness(self, n_steps: int, step_h: float) -> int:
        """How many of n steps are decided at once: the most that make no more than `step_h` and divide n."""
        most = max(1, math.floor(self.step_h / step_h + 1e-9))
        return next(k for k in range(min(most, n_steps), 0, -1) if n_steps % k == 0)


@dataclass(frozen=True, eq=False)
class Commitment:
    """When the generators run.

    Attributes
    ----------
    on : dict of str to array of bool, shape (T,)
        By generator, those that need commitment.
    gap : float
        The largest gap that a window's search ended with, relative to the window's objective.
    """

    on: On
    gap: float


def fix(layout: Layout, on: On, lower: Array, upper: Array) -> tuple[Array, Array]:
    """The bounds of the columns with generators that run as they are committed."""
    lower, upper = lower.copy(), upper.copy()
    for name, runs in on.items():
        generator = layout.plant.generators[name]
        lower[layout[name]] = np.where(runs, generator.min_kw, 0.0)
        upper[layout[name]] = np.where(runs, generator.rating_kw, 0.0)
    return lower, upper


def commit(problem: Problem, terms: Terms, options: CommitmentOptions) -> Commitment:
    """Decide when the generators run.

    Parameters
    ----------
    problem : Problem
        What is planned; its program has a solution.
    terms : Terms
        What it is decided against, of shape (T, 1), checked.
    options : CommitmentOptions

    Raises
    ------
    PlanError
        When a window has no solution: least loads leave none.
    """
    k = options.coarseness(problem.needs.n_steps, problem.needs.step_h)
    found = _rolling(problem.coarse(k), _coarse(terms, k), options)
    return Commitment({name: np.repeat(on, k) for name, on in found.on.items()}, found.gap)


def _rolling(problem: Problem, terms: Terms, options: CommitmentOptions) -> Commitment:
    n, step_h = problem.needs.n_steps, problem.needs.step_h
    names = [name for name, generator in problem.plant.generators.items() if generator.needs_commitment]
    on: On = {name: np.zeros(n, dtype=bool) for name in names}
    held, peaks = _relaxed(problem, terms)
    now = {name: float(energy[0]) for name, energy in held.items()}
    length, gap = max(1, round(options.window_h / step_h)), 0.0
    for first, last in pairwise([*range(0, n, length), n]):
        until = min(n, last + round(options.look_ahead_h / step_h))
        ends = {name: _between(problem, name, now[name], float(held[name][until]), at_end=until == n) for name in now}
        window = problem.part(first, until, ends)
        before = {name: bool(first and on[name][first - 1]) for name in names}
        search = _Search(window, _terms_of(terms, first, until), names, before, last - first, options)
        search.forgive(peaks)
        values = search.run()
        for name in names:
            on[name][first:last] = values[search.on[name][: last - first]] > 0.5
        now = {name: float(values[search.layout[f"{name}.energy"][last - first]]) for name in now}
        gap = max(gap, search.gap)
    return Commitment(on, gap)


def _relaxed(problem: Problem, terms: Terms) -> tuple[dict[str, Array], Array]:
    """Energies of the stores and peaks where any generator may have any power at no start."""
    whole = problem.assemble(terms)
    layout, p = whole.layout, whole.program
    values = WarmLp(whole.matrix, p._replace(cost=problem.scaled(layout, p.cost)[0])).solve()
    if values is None:
        raise PlanError("no plan in steps of the commitment")
    return {name: values[layout[f"{name}.energy"]] for name in problem.plant.stores}, values[layout["peak"]]


def _coarse(terms: Terms, k: int) -> Terms:
    """Means over every k steps; a window has those that it has at least half of."""
    return Terms(
        terms.price_buy.reshape(-1, k, 1).mean(axis=1),
        terms.price_sell.reshape(-1, k, 1).mean(axis=1),
        terms.demand_price,
        terms.demand_window.reshape(len(terms.demand_window), len(terms.price_buy) // k, k).mean(axis=2) >= 0.5,
        k * terms.step_h,
    )


def _between(problem: Problem, name: str, start: float, end: float, *, at_end: bool) -> Ends:
    """Ends of a window: what is carried over, and where the relaxed program goes, within what the store holds."""
    store = problem.plant.stores[name]
    low, high = store.energy_min_kwh, store.capacity_kwh
    free = at_end and problem.ends[name].end_kwh == "free"
    return Ends(min(max(start, low), high), "free" if free else min(max(end, low), high))


def _terms_of(terms: Terms, first: int, last: int) -> Terms:
    return Terms(
        terms.price_buy[first:last],
        terms.price_sell[first:last],
        terms.demand_price,
        terms.demand_window[:, first:last],
        terms.step_h,
    )


class _Search:
    """The mixed-integer program of one window; its columns are those of the linear one, starts, and what is on."""

    def __init__(
        self,
        problem: Problem,
        terms: Terms,
        names: list[str],
        before: dict[str, bool],
        n_own: int,
        options: CommitmentOptions,
    ) -> None:
        self.problem, self.options, self.gap = problem, options, 0.0
        linear = problem.assemble(terms)
        self.layout, n = linear.layout, problem.needs.n_steps
        first, count = self.layout.n_columns, len(names)
        steps = np.arange(n)
        # Whole numbers stand last: starts of all steps, on in the look-ahead, on in the window's own steps.
        self.start = {name: first + k * n + steps for k, name in enumerate(names)}
        self.on = {}
        for k, name in enumerate(names):
            ahead = first + count * n + k * (n - n_own) + np.arange(n - n_own)
            own = first + count * (2 * n - n_own) + k * n_own + np.arange(n_own)
            self.on[name] = np.concatenate([own, ahead])
        self.n_integers = count * n_own
        self.matrix, self.program = self._extended(linear, before)

    def forgive(self, peaks: Array) -> None:
        """Count only what exceeds peaks that are paid for anyway."""
        self.program.lower[self.layout["peak"]] = np.maximum(peaks, 0.0)

    def run(self) -> Array:
        """Values of the columns, no store charging and discharging at once."""
        values = self._solve()
        while forbid_overlap(self.layout, values, self.program.upper):
            values = self._solve()
        return values

    def _solve(self) -> Array:
        solver = new_solver()
        for option, value in (*_OPTIONS, ("mip_rel_gap", self.options.gap), ("mip_max_nodes", self.options.max_nodes)):
            accept(solver.setOptionValue(option, value), f"option {option}")
        pass_lp(solver, self.matrix, self.program, self.n_integers)
        ended, info = run(solver), solver.getInfo()
        if ended == highspy.HighsModelStatus.kInfeasible:
            raise PlanError(f"no commitment of generators from {self.problem.needs.time(0)} on keeps their least loads")
        cut_short = ended == highspy.HighsModelStatus.kSolutionLimit and np.isfinite(info.objective_function_value)
        if ended != OPTIMAL and not cut_short:
            raise SolverError(f"HiGHS ended the search for a commitment with {ended.name}")
        self.gap = float(info.mip_gap)
        return np.array(solver.getSolution().col_value)

    def _extended(self, linear: Assembled, before: dict[str, bool]) -> tuple[sparse.csc_array, Program]:
        layout, plant, (n_rows, n_columns) = linear.layout, self.problem.plant, linear.matrix.shape
        n, count = self.problem.needs.n_steps, len(self.on)
        scale = self.problem.scaled(layout, linear.program.cost)[1]
        n_extra = 2 * count * n
        starts = np.zeros(n_extra)
        parts, lower, upper = [], [], []
        for k, name in enumerate(self.on):
            generator = plant.generators[name]
            starts[self.start[name] - n_columns] = scale * self.problem.objective.per_currency * generator.start_cost
            parts += self._generator_rows(name, generator, n_rows + 3 * k * n)
            lower += [np.full(n, -np.inf), np.zeros(n), np.append(-float(before[name]), np.zeros(n - 1))]
            upper += [np.zeros(n), np.full(2 * n, np.inf)]
        known = linear.matrix.tocoo()
        row, column = (np.concatenate([[known.row, known.col][k], *(part[k] for part in parts)]) for k in (0, 1))
        value = np.concatenate([known.data, *(np.full(part[0].shape, part[2]) for part in parts)])
        matrix = sparse.coo_array((value, (row, column)), shape=(n_rows + 3 * count * n, n_columns + n_extra)).tocsc()
        p = linear.program
        return matrix, Program(
            np.append(scale * linear.program.cost, starts),
            np.append(p.lower, np.zeros(n_extra)),
            np.append(p.upper, np.ones(n_extra)),
            np.concatenate([p.row_lower, *lower]),
            np.concatenate([p.row_upper, *upper]),
        )

    def _generator_rows(
        self, name: str, generator: Cogenerator, first: int
    ) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], float]]:
        n = self.problem.needs.n_steps
        most, least, starts = (first + k * n + np.arange(n) for k in range(3))
        power, on, start = self.layout[name], self.on[name], self.start[name]
        return [
            (most, power, 1.0),
            (most, on, -generator.rating_kw),
            (least, power, 1.0),
            (least, on, -generator.min_kw),
            (starts, start, 1.0),
            (starts, on, -1.0),
            (starts[1:], on[:-1], 1.0),
        ]
