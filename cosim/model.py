"""The co-simulation: one Mesa step is one market step of plans, and its control steps of rules and power flows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import mesa
import numpy as np
import numpy.typing as npt

from agents.dso.dso import DSO
from agents.grid import Grid
from agents.prosumer import Population, Prosumer
from cosim import live_changes
from cosim.accounts import Accounts
from cosim.arguments import require_known, scenarios_of
from cosim.build import build_feeder, build_forecast, build_rows
from cosim.clock import Clock
from cosim.device_books import DeviceBooks
from cosim.evening import evenings_of
from cosim.failure import RunFailure
from cosim.ledger import Ledger, LedgerError
from cosim.measurement import MEASUREMENTS
from cosim.planners import Planners
from cosim.raising import RaisingStep
from cosim.record import Record
from cosim.rehearsed import Tables
from cosim.relief import reliefs_of
from cosim.reporters import reporters
from cosim.scenario import Scenario
from cosim.state import restore_state, state_of
from cosim.tally import Tally
from cosim.tariff import Tariff
from cosim.validation import require_lockstep, require_valid
from feeders import Feeder, make_engine
from feeders.errors import PowerFlowError

__all__ = ["CoSimulation"]

Array = npt.NDArray[np.float64]


class CoSimulation(mesa.Model):  # type: ignore[misc] # Mesa is untyped
    """Prosumers on a feeder: plan, rule, power flow, delivered energy, next plan.

    Parameters
    ----------
    settings : Scenario or sequence of Scenario, optional
        What to simulate; the published four-bus case by default. Several scenarios that share feeder, clock
        and mode are lived in lock-step, each on a copy of the feeder of its own.
    rng : int, optional
        Seed in place of the scenario's.
    feeder : Feeder, optional
        A feeder in place of the scenario's own, e.g. of a net made in Python.
    classes : mapping, optional
        Classes of single prosumers by their ids, for behaviour of one's own; `Prosumer` for all others.
    threads : int
        Threads that plan; the results are the same with any number.
    **changes
        Fields of the scenario by their dotted names, e.g. ``rule="prc"`` or ``**{"voltage.dead_pu": 0.03}``.

    Attributes
    ----------
    population : Population
        State of all prosumers as columns.
    prosumers : list of Prosumer
        The same as agents, in row order.
    grid : Grid
        The power flow.
    clock : Clock
        Market and control steps.
    record : Record
        What happened so far, as much of it as the scenario records.
    tally : Tally
        Sums and counts of all that happened so far.
    accounts : Accounts
        The bills so far.
    changes : list of Change
        What was changed while it lived; `settings` are as they are since then.
    failure : RunFailure or None
        What ended it before its end.
    reliefs : dict of int to Relief
        Where an operator asks for congestion relief, by the places of the scenarios in which it does.
    device_books : DeviceBooks or None
        Energy of chargers, heat pumps and hot-water stores, and how long it was waited for; None where nobody has any.
    evenings : dict of int to Evening
        Where an operator rehearses the days with its prosumers, by the places of the scenarios that name one.

    Raises
    ------
    InputErrors
        When a scenario cannot be simulated; all reasons at once.
    """

    def __init__(
        self,
        settings: Scenario | Sequence[Scenario] | None = None,
        *,
        rng: int | None = None,
        feeder: Feeder | None = None,
        classes: Mapping[str, type[Prosumer]] | None = None,
        threads: int = 1,
        **changes: Any,
    ) -> None:
        self.settings = scenarios_of(settings, rng, changes)
        first = self.settings[0]
        step = RaisingStep(self.step)
        self.step = step.kept  # type: ignore[method-assign]
        super().__init__(rng=first.seed)
        self.step = partial(step.told, self.step)  # type: ignore[method-assign]
        self.clock = Clock(first.days, first.market_step_min, first.control_step_min, first.horizon)
        require_lockstep(self.settings)
        feeder = feeder or build_feeder(first.feeder)
        self.settings = [require_valid(scenario, feeder) for scenario in self.settings]
        engine = make_engine(feeder, first.feeder.engine)
        self.rows = build_rows(self.settings, feeder)
        self.population = Population(self.rows.assets)
        self.grid = Grid(self, engine, self.rows.assets.bus, self.rows.copy, len(self.settings))
        names, own = self.rows.assets.ids, classes or {}
        require_known(own, names)
        self.prosumers = [own.get(name, Prosumer)(self, self.population, row) for row, name in enumerate(names)]
        self.forecast = build_forecast(first, self.rows, self.clock)
        self.evenings = evenings_of(self)
        self.reliefs = reliefs_of(self)
        self.ledger = Ledger(self.population)
        self.device_books = None if self.population.devices is None else DeviceBooks(self.population)
        self.tally = Tally(self.population)
        self.accounts = Accounts(self.settings, self.rows.copy)
        steps = (self.clock.n_control_steps, self.clock.controls_per_step)
        self.record = Record(self.population, *steps, first.record, first.record_every)
        self.datacollector = mesa.DataCollector(model_reporters=reporters(self))
        self._exchange = MEASUREMENTS[first.mode]
        taking_part = [evening.rows.tolist() for evening in self.evenings.values()]
        self.planners = Planners(self.population, self.prosumers, self.clock, first.planner, threads, taking_part)
        self.changes: list[live_changes.Change] = []
        self.failure: RunFailure | None = None
        self._deviants = [p for p in self.prosumers if type(p).regulate is not Prosumer.regulate]
        self._reference_vm_pu: Array = np.ones(len(self.population))
        self._shadow = _shadow(self.settings, feeder, threads)
        # Mesa 3.3 keeps every model alive in a class-level table of agent numbers.
        getattr(mesa.Agent, "_ids", {}).pop(self, None)

    def step(self) -> None:
        """One market step: everyone plans; then rule and power flow, control step by control step.

        After the end of the scenario a step does nothing.

        Raises
        ------
        RunFailure
            When a power flow has no usable solution, and again at each further try; all up to then stays readable.
        LedgerError
            When energy or money does not add up.
        """
        if self.failure is not None:
            raise self.failure
        if self.clock.finished:
            return
        try:
            self._live()
        except RunFailure as failure:
            self.failure, self.running = failure, False
            raise
        self.clock.advance()
        self.running = not self.clock.finished
        self.datacollector.collect(self)

    def _live(self) -> None:
        """The market step that begins now."""
        self._begin()
        self.planners.plan(self.forecast, self.rows.signals, self.clock.window())
        if self.population.devices is not None:
            self.population.devices.dispatch(self.clock.step, self.clock.market_step_h)
        for minute in self.clock.control_steps():
            self._regulate_and_flow(minute)
            self.population.deliver(self.clock.control_step_h)
            self.ledger.book(minute, self.clock.control_step_h)
            self.tally.add()
            self.rows.meter(self.population.p_meter_kw, self.clock)
            self.record.write()
        metered = self.ledger.import_kwh, self.ledger.export_kwh
        self.accounts.book(self.clock.step, *metered, self.population.price_buy, self.population.price_sell)
        self.ledger.close_market_step(minute)
        if self.device_books is not None:
            self.device_books.book(minute, self.rows.signals, self.clock.step, self.clock.market_step_h)

    @property
    def dso(self) -> DSO | None:
        """The operator of the first scenario that names one: ``dso.last`` is its last rehearsal."""
        return next((evening.dso for evening in self.evenings.values()), None)

    def change_rule(self, rule: str, copy: int = 0) -> None:
        """Let those who obey a scenario's rule obey another from the next market step on; see `cosim.live_changes`."""
        live_changes.change_rule(self, rule, copy)

    def change_tariff(self, tariff: Tariff) -> None:
        """Let all pay, and plan against, another tariff from the next market step on; see `cosim.live_changes`."""
        live_changes.change_tariff(self, tariff)
        if self._shadow is not None:
            self._shadow.change_tariff(tariff)

    def plans_ahead(self, rows: Sequence[int]) -> tuple[Array, Array]:
        """What plans hold for the steps to come; see `cosim.live_changes`."""
        return live_changes.plans_ahead(self, rows)

    def take_evenings(self) -> list[Tables]:
        """What was rehearsed and published since the last call."""
        taken = [tables for evening in self.evenings.values() for tables in evening.tables]
        for evening in self.evenings.values():
            evening.tables = []
        return taken

    def run(self) -> None:
        """Step to the end of the scenario."""
        while not self.clock.finished:
            self.step()

    def state(self) -> dict[str, Array]:
        """All that the rest of the run depends on at the end of a day, by name; views, but for the clock.

        Between days nobody holds a plan and no engine remembers a flow. Not in it: what the DataCollector has
        collected, and what a prosumer of a class of one's own remembers.
        """
        return state_of(self, self._shadow)

    def restore(self, state: Mapping[str, Array]) -> None:
        """Go on from a `state` of a model of the same scenario, as if this one had lived till then.

        Raises
        ------
        KeyError, ValueError
            When it is the state of something else.
        """
        restore_state(self, self._shadow, state)

    def close(self) -> None:
        """End the threads that plan; what has been lived can be read as before, but no step can follow.

        They end by themselves with a model that nobody holds any more, once Python has looked for garbage.
        """
        self.planners.close()
        if self._shadow is not None:
            self._shadow.close()

    def _begin(self) -> None:
        """Load, sun and prices of now, the evening before a day, and what an inverter reads that has not measured."""
        if self.clock.step % self.clock.steps_per_day == 0:
            self.planners.forget()
            self.rows.move_to(self.clock.step // self.clock.steps_per_day, self.clock)
            tomorrow = min(self.clock.step + 2 * self.clock.steps_per_day, self.clock.n_steps)
            self.accounts.publish_charges(self.rows.signals, self.clock.step, tomorrow)
            for evening in self.evenings.values():
                evening.hold(self.clock.window())
            for relief in self.reliefs.values():
                relief.hold(self.clock.window())
        self.population.begin(self.rows.signals, self.clock.step, self.clock.market_step_h)
        if self._shadow is not None:
            self._shadow.step()
        first_minute = self.clock.step * self.clock.controls_per_step
        nobody_acts = self.settings[0].mode == "open-loop" and self._shadow is None
        if self.clock.step == 0 or nobody_acts:
            self._reference_vm_pu = self._solved(first_minute, self._uncontrolled_flow)
        if self.clock.step == 0:
            self.population.vm_pu[:] = self._reference_vm_pu

    def _regulate_and_flow(self, minute: int) -> None:
        if self._shadow is not None:
            self._reference_vm_pu = self._shadow.record.present("vm_pu")[minute % self.clock.controls_per_step]
        self.population.vm_pu[:] = self._solved(
            minute, lambda: self._exchange(self.population, self.grid, self._regulate, self._reference_vm_pu)
        )

    def _regulate(self, vm_pu: Array) -> None:
        """Apply the rules to all, then let those go their own way whose class says so."""
        self.population.regulate(vm_pu, self.clock.control_step_h)
        for prosumer in self._deviants:
            prosumer.regulate(float(vm_pu[prosumer.row]), self.clock.control_step_h)
            if not math.isfinite(prosumer.p_battery_kw + prosumer.p_curtailed_kw + prosumer.q_inverter_kvar):
                raise LedgerError("power", prosumer.name, self.record.n_lived, math.nan)
        if self._deviants:
            self.population.meter()

    def _uncontrolled_flow(self) -> Array:
        """Voltages if batteries idled, flexible loads ran as by themselves, and inverters kept to their ratings.

        Or not even that, where an open loop is to read what no inverter's size has changed.
        """
        p, first = self.population, self.settings[0]
        full = first.mode == "open-loop" and first.open_loop_reference == "full-pv"
        p_pv_kw = p.p_pv_kw if full else np.minimum(p.p_pv_kw, p.assets.pv_rating_kva)
        return self.grid.solve(p.p_load_kw + p.p_flexible_kw - p_pv_kw, -p.q_load_kvar)

    def _solved(self, minute: int, flow: Callable[[], Array]) -> Array:
        try:
            return flow()
        except PowerFlowError as error:
            start = self.settings[error.scenario or 0].start
            at = start + timedelta(minutes=minute * self.clock.control_step_min)
            raise RunFailure(error, minute, at) from error


def _shadow(scenarios: list[Scenario], feeder: Feeder, threads: int) -> CoSimulation | None:
    """The run without rules whose voltages an open loop reads, where that run optimises."""
    first = scenarios[0]
    if first.mode != "open-loop" or first.open_loop_reference != "optimised":
        return None
    free = {"mode": "closed-loop", "rule": "none", "prosumers.*.rule": "none", "record": ()}
    return CoSimulation([scenario.changed(free) for scenario in scenarios], feeder=feeder, threads=threads)
