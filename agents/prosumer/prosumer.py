"""One prosumer: a Mesa agent that is a row of the population."""

from __future__ import annotations

from typing import NamedTuple, overload

import mesa
import numpy as np
import numpy.typing as npt

from agents.errors import PlanError
from agents.prosumer.arbitrage import ArbitragePlanner, Horizon, Plan
from agents.prosumer.assets import Assets, battery_of
from agents.prosumer.battery import Battery
from agents.prosumer.forecast import Forecast
from agents.prosumer.population import Population, Status
from agents.prosumer.signals import Signals
from agents.prosumer.ties import tie_key, tie_weights

__all__ = ["SOLVERS_KEPT", "Column", "Prosumer", "Window", "preferred_ties"]

Array = npt.NDArray[np.float64]

SOLVERS_KEPT = 2000
"""Prosumers whose solver stays in memory, some 0.7 MB each; more of them start afresh each time."""


class Window(NamedTuple):
    """What a plan looks at: market steps ``now .. until - 1``, at most `n_steps` of `step_h` hours each.

    `refill` asks that the battery ends the window with at least the energy it had when the run began: the
    terminal condition of a rolling horizon, without which each plan would sell the battery empty.
    """

    now: int
    until: int
    n_steps: int
    step_h: float
    refill: bool


class Column:
    """A number of an agent that lives in its population's column of the same name."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, agent: None, owner: type) -> Column: ...
    @overload
    def __get__(self, agent: Prosumer, owner: type) -> float: ...
    def __get__(self, agent: Prosumer | None, owner: type) -> Column | float:
        if agent is None:
            return self
        return float(getattr(agent.population, self.name)[agent.row])

    def __set__(self, agent: Prosumer, value: float) -> None:
        getattr(agent.population, self.name)[agent.row] = value


class Prosumer(mesa.Agent):  # type: ignore[misc] # Mesa is untyped
    """A home that plans its battery and flexible load against the price, and obeys the inverter rule.

    What `plan` does is done for most prosumers in columns, by `agents.prosumer.planning`, with the same result.
    A subclass may override `plan` (called each market step) or `regulate` (called each control step, after
    the rule has been applied to all); the method is then called for its own agents alone.

    Parameters
    ----------
    model : mesa.Model
        The model the agent lives in.
    population : Population
        The columns that hold its state.
    row : int
        Its row there.
    """

    vm_pu = Column()
    p_load_kw = Column()
    p_flexible_kw = Column()
    p_pv_kw = Column()
    p_curtailed_kw = Column()
    p_battery_kw = Column()
    p_battery_plan_kw = Column()
    energy_kwh = Column()
    p_meter_kw = Column()
    q_inverter_kvar = Column()
    q_load_kvar = Column()
    price_buy = Column()
    price_sell = Column()
    flexible_owed_kwh = Column()
    status = Column()
    n_plans_program = Column()
    n_plans_highs = Column()
    p_ev_kw = Column()
    p_hp_kw = Column()
    q_tes_kw = Column()
    tes_kwh = Column()
    ev_owed_kwh = Column()
    heat_owed_kwh = Column()
    ev_kwh = Column()
    room_c = Column()

    def __init__(self, model: mesa.Model, population: Population, row: int) -> None:
        super().__init__(model)
        self.population = population
        self.row = row
        self._planner: ArbitragePlanner | None = None
        self._plan: Plan | None = None
        self._planned_at = 0

    @property
    def name(self) -> str:
        """Its name in the scenario."""
        return self.population.assets.ids[self.row]

    @property
    def bus(self) -> int:
        """Index of its bus in the net."""
        return self.population.assets.bus[self.row]

    @property
    def battery(self) -> Battery:
        """Its battery."""
        return battery_of(self.population.assets, self.row)

    def plan(self, forecast: Forecast, signals: Signals, window: Window) -> None:
        """Plan to the end of the window and put the step that begins now into the own row.

        A plan whose assumptions came true is followed further: its tail is still optimal. Where none can be
        made the last one is followed, and the row says so.
        """
        horizon = self.horizon(forecast, signals, window)
        n_windows = 0 if horizon.demand is None else len(horizon.demand.price)
        if self._planner is None or self._planner.n_windows < n_windows:
            self._planner = ArbitragePlanner(window.n_steps, self.battery, window.step_h, n_windows)
        failed = False
        if self._plan is None or not self._plan.covers(horizon, window.now - self._planned_at):
            try:
                preferred = preferred_ties(self.population.assets, self.row, window)
                self._plan, self._planned_at = self._planner.plan(horizon, preferred), window.now
                self.n_plans_highs += 1
            except PlanError:
                failed = True
        if len(self.population) > SOLVERS_KEPT:
            self._planner = None
        self._follow(window.now)
        self._flag(Status.PLAN_KEPT, failed)

    def forget(self) -> None:
        """Drop plan and solver, so that what comes depends on the state of the columns alone.

        Done at the beginning of each day: a run that goes on from there is the same to the last bit.
        """
        self._planner = self._plan = None

    def ahead(self, now: int, until: int) -> tuple[Array, Array]:
        """What its plan says of market steps ``now .. until - 1``: battery power (> 0 charging) and flexible load [kW].

        NaN in steps that no plan of its own reaches; whoever makes plans in another way may override it.
        """
        battery, flexible = np.full((2, until - now), np.nan)
        if self._plan is not None:
            elapsed = now - self._planned_at
            n = max(min(until - now, len(self._plan.p_battery_kw) - elapsed), 0)
            battery[:n] = self._plan.p_battery_kw[elapsed : elapsed + n]
            flexible[:n] = self._plan.p_flexible_kw[elapsed : elapsed + n]
        return battery, flexible

    def horizon(self, forecast: Forecast, signals: Signals, window: Window) -> Horizon:
        """What this prosumer knows when it plans: prices and charges, its forecast, its battery, the energy it owes."""
        now, until, row = window.now, window.until, self.row
        expected = forecast.expect(row, now, until)
        ahead, later = signals.rows(now, until), signals.rows(now + 1, until)
        energy_ahead_kwh = window.step_h * float(signals.p_flexible_kw[later, row].sum())
        return Horizon(
            price_buy=expected.price_buy,
            price_sell=expected.price_sell,
            p_net_kw=expected.p_load_kw - expected.p_pv_kw,
            flexible_min_kw=signals.p_flexible_min_kw[ahead, row],
            flexible_max_kw=signals.p_flexible_max_kw[ahead, row],
            energy_start_kwh=self.energy_kwh,
            flexible_energy_kwh=self.flexible_owed_kwh + energy_ahead_kwh,
            energy_end_min_kwh=float(self.population.assets.energy_start_kwh[row]) if window.refill else None,
            demand=None if signals.demand is None else signals.demand.ahead(row, now, until),
        )

    def regulate(self, vm_pu: float, step_h: float) -> None:
        """Change what the rule made of this prosumer's powers; nothing unless overridden.

        Called with the measured voltage after the rule was applied. An override may set `p_battery_kw`,
        `p_curtailed_kw` and `q_inverter_kvar` of its own row; physics is checked afterwards.
        """

    def _follow(self, now: int) -> None:
        """The plan's powers for the step that begins now; idle and as usual where there is none."""
        ahead = now - self._planned_at
        if self._plan is None or ahead >= len(self._plan.p_battery_kw):
            self.p_battery_plan_kw = 0.0
            return
        self.p_battery_plan_kw = float(self._plan.p_battery_kw[ahead])
        self.p_flexible_kw = float(self._plan.p_flexible_kw[ahead])

    def _flag(self, status: Status, on: bool) -> None:
        bits = int(self.status) & ~int(status)
        self.status = float(bits | (int(status) if on else 0))


def preferred_ties(assets: Assets, row: int, window: Window) -> Array | None:
    """Which of equally cheap plans a prosumer prefers, as weights of shape (3, N); None for those of most, "late"."""
    ties = str(assets.ties[row])
    if ties == "late":
        return None
    return tie_weights(
        window.n_steps, window.step_h, ties, tie_key(int(assets.seed[row]), assets.ids[row]), window.until
    )
