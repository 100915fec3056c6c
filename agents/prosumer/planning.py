"""The plans of a population as columns: skipped where they still hold, else made by dynamic program in one loop."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from functools import partial
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from agents.prosumer.dynamic_program import NOT_USABLE, PLANNED, UNREACHABLE, make_work, solve_plan
from agents.prosumer.forecast import Forecast
from agents.prosumer.plan import SAME_ENERGY_KWH
from agents.prosumer.population import Population, Status
from agents.prosumer.prosumer import Window
from agents.prosumer.reach import N_BATTERY
from agents.prosumer.signals import Signals
from agents.prosumer.ties import TIES, draw_weights, tie_key, tie_weights
from feeders.compiled import compiled

__all__ = ["Planning"]

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_BUY, _SELL, _NET, _LEAST, _MOST, _USUAL = range(6)  # columns of what lies ahead
_START, _DUE, _END = range(3)  # energies that a plan was made for
_BATTERY, _FLEXIBLE, _ENERGY = range(3)  # columns of a plan
_AT, _LENGTH = range(2)  # step at which a plan was made, and how many steps it has
_NEVER = (-1, 0)
_RANDOM = TIES.index("random")
_ROWS_PER_THREAD = 32  # below it a thread costs more than it saves


class Planning:
    """Does for many prosumers at once what `Prosumer.plan` does for one, with the same result.

    Row k of every array is the k-th of `rows`.

    Parameters
    ----------
    population : Population
        State of all prosumers; planned powers are written there.
    rows : sequence of int
        Those who plan here.
    n_steps : int
        Longest horizon N, in market steps.
    step_h : float
        Length of a market step [h].
    fallback : bool
        Whether those whose prices the dynamic program cannot take are left to others; else they keep their plans.
    pool : Executor, optional
        Threads that plan, `threads` in number; the result does not depend on them.
    """

    def __init__(
        self,
        population: Population,
        rows: Sequence[int],
        n_steps: int,
        step_h: float,
        *,
        fallback: bool = True,
        pool: Executor | None = None,
        threads: int = 1,
    ) -> None:
        self.rows: Integers = np.array(rows, dtype=np.int64)
        self._population, self._step_h, self._fallback = population, step_h, fallback
        k = len(self.rows)
        # What lies ahead now, and what the present plan was made for and says.
        self._ahead, self._made_for = np.zeros((2, k, 6, n_steps))
        self._plans = np.zeros((k, 3, n_steps))
        self._energies = np.zeros((k, 3))
        self._made = np.full((k, 2), _NEVER)
        self._flexible_worth = np.full(k, np.nan)
        self._status = np.zeros(k, dtype=np.int64)
        self._batteries = np.ascontiguousarray(population.assets.ratings[:N_BATTERY, self.rows].T)
        assets = population.assets
        self._ties: Integers = np.array([TIES.index(name) for name in assets.ties[self.rows].tolist()], dtype=np.int64)
        keys = [tie_key(int(assets.seed[row]), assets.ids[row]) for row in self.rows]
        self._keys: Integers = np.array(keys, dtype=np.int64)
        # Of each behaviour; those of who draws are written there prosumer by prosumer.
        weights = np.array([tie_weights(n_steps, step_h, name) for name in TIES])
        self._pool = pool
        n_parts = max(1, min(threads if pool else 1, k // _ROWS_PER_THREAD))
        edges = np.linspace(0, k, n_parts + 1).astype(int).tolist()
        self._parts = [(first, last, weights.copy(), make_work(n_steps)) for first, last in pairwise(edges)]

    def forget(self) -> None:
        """Drop all plans; see `Prosumer.forget`."""
        self._made[:] = _NEVER
        self._flexible_worth[:] = np.nan

    def plan(self, forecast: Forecast, signals: Signals, window: Window) -> Integers:
        """Plan to the end of the window and put the step that begins now into the population's columns.

        Returns
        -------
        ndarray of int
            Rows of the population whose plans the dynamic program cannot make, left to plan for themselves; those with
            a demand charge ahead among them.
        """
        if not len(self.rows):
            return self.rows
        self._look_ahead(forecast, signals, window)
        each = map if self._pool is None else self._pool.map
        list(each(partial(self._plan_part, window), self._parts))
        made = self._status == PLANNED
        unusable = self._status == NOT_USABLE  # whoever plans for itself says why
        left = ~made & (self._status != UNREACHABLE) if self._fallback else unusable
        population = self._population
        kept = self.rows[~made & ~left]
        population.status[kept] = population.status[kept].astype(np.int64) | Status.PLAN_KEPT
        fallen = self.rows[left & ~unusable]
        population.status[fallen] = population.status[fallen].astype(np.int64) | Status.LP_FALLBACK
        rest: Integers = self.rows[left]
        return rest

    def plans(self, now: int, until: int) -> tuple[Array, Array]:
        """Battery power and flexible load [kW] of steps ``now..until - 1``, (until - now, k) each; NaN if unplanned."""
        battery, flexible = np.full((2, max(until - now, 0), len(self.rows)), np.nan)
        for at, length in np.unique(self._made, axis=0).tolist():
            elapsed, last = now - at, min(until - at, length)
            if last > elapsed:
                rows = np.flatnonzero((self._made == (at, length)).all(axis=1))
                battery[: last - elapsed, rows] = self._plans[rows, _BATTERY, elapsed:last].T
                flexible[: last - elapsed, rows] = self._plans[rows, _FLEXIBLE, elapsed:last].T
        return battery, flexible

    def _look_ahead(self, forecast: Forecast, signals: Signals, window: Window) -> None:
        """Write prices, expected load and bounds of flexible load of the window into `_ahead`."""
        now, until = window.now, window.until
        everyone = len(self.rows) == len(self._population)
        who = slice(None) if everyone else self.rows
        expected = forecast.expect(who, now, until)
        steps, ahead = signals.rows(now, until), self._ahead[:, :, : until - now]
        ahead[:, _BUY], ahead[:, _SELL] = expected.price_buy.T, expected.price_sell.T
        np.subtract(expected.p_load_kw.T, expected.p_pv_kw.T, out=ahead[:, _NET])
        ahead[:, _LEAST] = signals.p_flexible_min_kw[steps, who].T
        ahead[:, _MOST] = signals.p_flexible_max_kw[steps, who].T
        ahead[:, _USUAL] = signals.p_flexible_kw[steps, who].T
        if signals.demand is not None:
            ahead[signals.demand.charged(now, until)[self.rows], _NET] = np.nan  # not usable here: others plan for them

    def _plan_part(self, window: Window, part: tuple[int, int, Array, Array]) -> None:
        first, last, weights, work = part
        population = self._population
        _plan_rows(
            self.rows[first:last],
            window.now,
            window.until - window.now,
            window.refill,
            self._step_h,
            self._ahead[first:last],
            self._batteries[first:last],
            self._ties[first:last],
            self._keys[first:last],
            weights,
            work,
            self._made_for[first:last],
            self._energies[first:last],
            self._made[first:last],
            self._plans[first:last],
            self._flexible_worth[first:last],
            self._status[first:last],
            population.energy_kwh,
            population.assets.energy_start_kwh,
            population.flexible_owed_kwh,
            population.p_battery_plan_kw,
            population.p_flexible_kw,
            population.n_plans_program,
        )


@compiled
def _plan_rows(
    rows: Integers,
    now: int,
    n: int,
    refill: bool,
    step_h: float,
    ahead: Array,
    batteries: Array,
    ties: Integers,
    keys: Integers,
    weights: Array,
    work: Array,
    made_for: Array,
    energies: Array,
    made: Integers,
    plans: Array,
    worth: Array,
    status: Integers,
    energy_kwh: Array,
    energy_start_kwh: Array,
    flexible_owed_kwh: Array,
    p_battery_plan_kw: Array,
    p_flexible_kw: Array,
    n_plans: Array,
) -> None:
    """Plan for `rows`; arrays from `ahead` to `status` have a row for each of them, the others one per prosumer.

    But for `weights`, which has one for each of `TIES`, and `work`, which has none.
    """
    for k in range(len(rows)):
        row = rows[k]
        due = flexible_owed_kwh[row]
        for step in range(1, n):
            due += step_h * ahead[k, _USUAL, step]
        end = energy_start_kwh[row] if refill else -np.inf
        status[k] = PLANNED
        known = ahead[k], energy_kwh[row], due, end
        if not _covers(now, n, step_h, *known, made_for[k], energies[k], made[k], plans[k]):
            own = weights[ties[k]]
            if ties[k] == _RANDOM:
                draw_weights(keys[k], now + n, n, step_h, own)
            status[k], worth[k] = _renewed(
                now, n, step_h, *known, batteries[k], own, work, made_for[k], energies[k], made[k], plans[k], worth[k]
            )
            n_plans[row] += status[k] == PLANNED
        elapsed = now - made[k, _AT]
        if elapsed < made[k, _LENGTH]:
            p_battery_plan_kw[row] = plans[k, _BATTERY, elapsed]
            p_flexible_kw[row] = plans[k, _FLEXIBLE, elapsed]


@compiled
def _renewed(
    now: int,
    n: int,
    step_h: float,
    ahead: Array,
    energy_kwh: float,
    due_kwh: float,
    end_kwh: float,
    battery: Array,
    ties: Array,
    work: Array,
    made_for: Array,
    energies: Array,
    made: Integers,
    plan: Array,
    worth: float,
) -> tuple[int, float]:
    """Make the plan of one row anew, and write what it was made for; where none can be made all stays as it was."""
    buy, sell, net, least, most = ahead[_BUY], ahead[_SELL], ahead[_NET], ahead[_LEAST], ahead[_MOST]
    status, worth = solve_plan(
        step_h, buy[:n], sell[:n], net[:n], least[:n], most[:n], energy_kwh, due_kwh, 0.0, end_kwh, battery, ties, work,
        plan[_BATTERY, :n], plan[_FLEXIBLE, :n], plan[_ENERGY, :n], worth,
    )  # fmt: skip
    if status == PLANNED:
        made[_AT], made[_LENGTH] = now, n
        made_for[:, :n] = ahead[:, :n]
        energies[_START], energies[_DUE], energies[_END] = energy_kwh, due_kwh, end_kwh
    return status, worth


@compiled
def _covers(
    now: int,
    n: int,
    step_h: float,
    ahead: Array,
    energy_kwh: float,
    due_kwh: float,
    end_kwh: float,
    made_for: Array,
    energies: Array,
    made: Integers,
    plan: Array,
) -> bool:
    """`Plan.covers` for one row: whether what is left of its plan is the cheapest for what lies ahead."""
    elapsed = now - made[_AT]
    if made[_LENGTH] - elapsed != n or energies[_END] != end_kwh:
        return False
    expected, due = energies[_START], energies[_DUE]
    if elapsed > 0:
        expected = plan[_ENERGY, elapsed - 1]
    for step in range(elapsed):
        due -= step_h * plan[_FLEXIBLE, step]
    if not (abs(energy_kwh - expected) <= SAME_ENERGY_KWH and abs(due_kwh - due) <= SAME_ENERGY_KWH):
        return False
    for column in range(_USUAL):
        for step in range(n):
            if ahead[column, step] != made_for[column, elapsed + step]:
                return False
    return True
