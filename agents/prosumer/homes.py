"""Households as customers who can be asked for plans: a rehearsal of a day, of which the day itself knows nothing.

Whoever shapes prices asks again and again what homes would do. The answers are the plans of `agents.prosumer.planning`
and `agents.prosumer.arbitrage`, made on copies: neither the population nor the plans of a run are touched, so that a
run with a rehearsal whose outcome is not used is the same to the last bit.

**Who is a customer.** The prosumers that optimise, in row order, unless `rows` says otherwise; `names`, `buses` and the
columns of all arrays are theirs. The others do what they do whatever the price: `fixed_power` is theirs, for the
background of a feeder. A prosumer of a class of its own that overrides `Prosumer.plan` is asked as if it did not.

**A mix of plans.** `adopt` mixes what the plans draw to charge, and what they deliver. Where one plan charges while
another discharges, a battery can do but one of the two, so the net effect is taken: the same stored energy, and no more
power at the meter than the mix of the powers. So a mix can be executed and, at prices from 0 up, costs no more than the
mix of the bills.

**Without a plan.** Who can make none keeps the last one; where there is none, the battery stays idle and the flexible
load runs as by itself, which is what the prosumer does in a run. `kept` names them, and nothing is raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from copy import copy

import numpy as np
import numpy.typing as npt

from agents.customers import Block, Response
from agents.errors import PlanError
from agents.prosumer.arbitrage import ArbitragePlanner
from agents.prosumer.assets import battery_of
from agents.prosumer.battery import Battery
from agents.prosumer.blocks import home_block
from agents.prosumer.commitment import mixed_power
from agents.prosumer.forecast import Forecast
from agents.prosumer.outlook import Outlook
from agents.prosumer.planning import Planning
from agents.prosumer.population import Population, Status
from agents.prosumer.prosumer import SOLVERS_KEPT, Window, preferred_ties
from agents.prosumer.signals import Signals
from agents.terms import Terms
from feeders.errors import InputError

__all__ = ["Homes"]

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_PLANNERS = ("auto", "highs", "dynamic-program")


class Homes:
    """Prosumers as `Customers` over the T market steps of a window.

    Parameters
    ----------
    population : Population
        Their state before the first step of the window begins; it is copied.
    forecast : Forecast
        What they expect of load and PV; its prices are not used.
    signals : Signals
        What reaches them; its prices and charges are not used.
    window : Window
        Which market steps.
    rows : sequence of int, optional
        Rows of the population that are customers, by default those that optimise.
    planner : str
        ``"auto"``: by dynamic program, and by HiGHS where a price is negative. ``"dynamic-program"``: who has a
        negative price makes no plan. ``"highs"``: all by HiGHS. Demand charges are HiGHS's with all three.
    pool : Executor, optional
        Threads that plan, `threads` in number; the answers do not depend on them.

    Attributes
    ----------
    names : list of str
    buses : list of int
        Indices of their buses in the net.
    rows : array of int
        Their rows in the population.
    fixed_rows : array of int
        The rows of all others.

    Raises
    ------
    InputError
        For a planner that does not exist.
    """

    def __init__(
        self,
        population: Population,
        forecast: Forecast,
        signals: Signals,
        window: Window,
        *,
        rows: Sequence[int] | None = None,
        planner: str = "auto",
        pool: Executor | None = None,
        threads: int = 1,
    ) -> None:
        if planner not in _PLANNERS:
            raise InputError("homes", "planner", planner, f"one of {', '.join(_PLANNERS)}")
        assets = population.assets
        self.rows: Integers = np.unique(
            np.flatnonzero(assets.optimise) if rows is None else np.array(rows, dtype=np.int64)
        )
        self.fixed_rows: Integers = np.setdiff1d(np.arange(len(population)), self.rows)
        self.names = [assets.ids[row] for row in self.rows]
        self.buses = [assets.bus[row] for row in self.rows]
        self._copy = Population(assets)
        self._copy.state[:] = population.state
        self._copy.begin(signals, window.now, window.step_h)
        self._signals, self._window = copy(signals), window
        self._signals.demand = None  # charges that the run plans against are not the terms'
        self._outlook, self._fixed = (
            Outlook.of(who, self._copy, forecast, signals, window) for who in (self.rows, self.fixed_rows)
        )
        self._planner, self._pool = planner, pool
        n_steps, step_h = window.n_steps, window.step_h
        together = [] if planner == "highs" else self.rows.tolist()
        self._together = Planning(
            self._copy, together, n_steps, step_h, fallback=planner == "auto", pool=pool, threads=threads
        )
        self._alone: dict[int, ArbitragePlanner] = {}
        self._plans: list[tuple[Array, Array]] = []
        self._committed: tuple[Array, Array] | None = None

    def respond(self, terms: Terms) -> Response:
        """The cheapest plan of each against `terms`; power at the meter as each expects it.

        Raises
        ------
        InputError
            When the terms are not for these customers and steps, or not usable.
        """
        outlook = self._outlook.at(terms)
        charged = outlook.charged
        battery, flexible = self._last()
        kept = np.zeros(len(self.rows), dtype=bool)
        left = [] if charged.all() else self._plan_together(outlook, battery, flexible, kept)
        alone = np.union1d(left, np.flatnonzero(charged)).astype(int)
        self._plan_alone(outlook, alone.tolist(), battery, flexible, kept)
        self._plans.append((battery, flexible))
        p_kw = outlook.p_net_kw + flexible + battery
        return Response(p_kw, -outlook.q_load_kvar, np.zeros(len(self.rows)), kept)

    def adopt(self, shares: Array) -> None:
        """Commit to a mix of the plans so far; see the module for what a mix is.

        Parameters
        ----------
        shares : array, shape (n_responses, n)
            Share of each plan since the last `forget`, in their order; >= 0, each column adds up to 1.

        Raises
        ------
        InputError
            For shares that are no such thing.
        """
        shape = (len(self._plans), len(self.rows))
        if not self._plans or np.shape(shares) != shape:
            raise InputError("homes", "shares", np.shape(shares), f"shape {shape}, at least one response")
        if not (np.all(shares >= 0) and np.allclose(shares.sum(axis=0), 1.0, rtol=0, atol=1e-9)):
            raise InputError("homes", "shares", shares.sum(axis=0).tolist(), "shares >= 0 that add up to 1")
        assets, rows = self._copy.assets, self.rows
        batteries, flexible = zip(*self._plans, strict=True)
        mixed = mixed_power(shares, batteries, assets.efficiency_charge[rows], assets.efficiency_discharge[rows])
        self._committed = mixed, np.einsum("rn,rtn->tn", shares, np.array(flexible))

    def committed(self) -> tuple[Array, Array]:
        """Battery power (AC, > 0 charging) and flexible load of what was adopted, each of shape (T, n) [kW].

        Raises
        ------
        InputError
            When nothing was.
        """
        if self._committed is None:
            raise InputError("homes", "committed", None, "adopt a mix of plans first")
        battery, flexible = self._committed
        return battery.copy(), flexible.copy()

    def forget(self) -> None:
        """Drop the plans so far and what was adopted."""
        self._plans.clear()
        self._committed = None
        self._together.forget()

    def blocks(self) -> list[Block]:
        """The planning problem of each as a linear program, without the weights that break ties.

        Raises
        ------
        UnreachableError
            When battery or flexible load of one cannot have the energy that is due.
        """
        return [
            home_block(
                self._outlook.horizon(k), self._battery(k), self._window.step_h, -self._outlook.q_load_kvar[:, k]
            )
            for k in range(len(self.rows))
        ]

    def fixed_power(self) -> tuple[Array, Array]:
        """Expected power of `fixed_rows`, who do not plan, each of shape (T, their number).

        Returns
        -------
        p_kw : array
            Load with its flexible part as by itself, less PV up to the inverter's rating, > 0 consumed.
        q_kvar : array
            Reactive power, > 0 injected.
        """
        fixed = self._fixed
        pv = np.minimum(fixed.p_pv_kw, self._copy.assets.pv_rating_kva[self.fixed_rows])
        return fixed.p_load_kw + fixed.p_flexible_kw - pv, -fixed.q_load_kvar

    def _plan_together(
        self, outlook: Outlook, battery: Array, flexible: Array, kept: npt.NDArray[np.bool_]
    ) -> list[int]:
        """Plan by dynamic program, into the arrays; who is left."""
        together, window = self._together, self._window
        if not len(together.rows):
            return list(range(len(self.rows)))
        self._copy.status[:] = 0.0
        left: Integers = np.searchsorted(self.rows, together.plan(outlook, self._signals, window))
        found = together.plans(window.now, window.until)
        kept[:] = self._copy.status[self.rows] == Status.PLAN_KEPT
        made = ~kept
        made[left] = False
        battery[:, made], flexible[:, made] = found[0][:, made], found[1][:, made]
        return [int(k) for k in left]

    def _plan_alone(
        self, outlook: Outlook, who: Sequence[int], battery: Array, flexible: Array, kept: npt.NDArray[np.bool_]
    ) -> None:
        """Plan one by one by HiGHS, in threads, into the arrays."""

        def of_one(k: int) -> None:
            try:
                ties = preferred_ties(self._copy.assets, int(self.rows[k]), self._window)
                plan = self._planner_of(k, len(outlook.demand_price)).plan(outlook.horizon(k), ties)
            except PlanError:
                kept[k] = True
            else:
                battery[:, k], flexible[:, k], kept[k] = plan.p_battery_kw, plan.p_flexible_kw, False

        each = map if self._pool is None else self._pool.map
        list(each(of_one, who))

    def _last(self) -> tuple[Array, Array]:
        """Copies of the last plans; idle and as usual when there are none."""
        usual = self._outlook.p_flexible_kw
        battery, flexible = self._plans[-1] if self._plans else (np.zeros(usual.shape), usual)
        return np.array(battery), np.array(flexible)

    def _planner_of(self, k: int, n_windows: int) -> ArbitragePlanner:
        """The planner of home k, for that many demand windows at least."""
        planner = self._alone.get(k)
        if planner is None or planner.n_windows < n_windows:
            planner = ArbitragePlanner(self._window.n_steps, self._battery(k), self._window.step_h, n_windows)
            if len(self._alone) < SOLVERS_KEPT:
                self._alone[k] = planner
        return planner

    def _battery(self, k: int) -> Battery:
        return battery_of(self._copy.assets, int(self.rows[k]))
