"""The evening before each day: an operator rehearses tomorrow with the prosumers, and publishes what they plan against.

**What is known then.** The rehearsal is of the day that begins: each prosumer knows its battery's energy as it is at
midnight, what its forecast says, and the tariff. The operator asks for plans and knows the feeder; it does not know the
inverter rules' corrections, which depend on the voltages of the minutes to come, nor what the day will differ from its
forecast by. Who does not take part plans against the tariff, or not at all: background to the operator, as the net's
own loads are. So is who plans in a way of its own (a class that overrides `plan` or `horizon`), as if it did not plan.

**What is published** holds for that day alone, and for planning alone: the bill stays the tariff's. Homes plan against
prices and charges as they would against a tariff, market step by market step; only where the signal is a mix of plans
do those who take part follow what they have committed to. A rolling horizon sees the tariff beyond the day.

**When a rehearsed plan breaks the feeder**, so that a power flow has no usable solution, that is what the operator is
to know: the step counts as a grave shortfall (`cosim.tolerant_monitor`), the signal answers to it, and the table has
the number of such steps. The iterate with the least shortfalls is published all the same, and the day decides, with
its rules: if it breaks the feeder too, the run ends there as any other. Where the feeder cannot carry those either
who do not take part, no signal can help; the tariff is published, and the table gives the reason.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from agents.dso import DSO, Coordination, FeederMonitor, Options, Watch, make_signal, worst_off
from agents.prosumer import Commitment, Homes, Window
from agents.terms import Terms
from cosim.dso_spec import WORST, DsoSpec, WatchSpec
from cosim.planners import plans_as_usual
from cosim.profiles import market_times
from cosim.rehearsed import PUBLISHED, REHEARSED, Tables
from cosim.scenario import Scenario
from cosim.tolerant_monitor import TolerantMonitor, carried
from feeders.errors import PowerFlowError

if TYPE_CHECKING:
    from cosim.model import CoSimulation

__all__ = ["Eve", "Evening", "evenings_of", "watch_of"]

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Eve:
    """All that a rehearsal of one day is made of, for `agents.dso.coordinate` and `agents.dso.central_bound`.

    Attributes
    ----------
    homes : Homes
        Who takes part, as they are when the day begins.
    tariff : Terms
        What they pay.
    monitor : TolerantMonitor
        What the operator watches.
    feeder : FeederMonitor
        The same with nothing made up where a plan breaks the feeder; also voltages of all buses.
    options : Options
        How long to rehearse; the active steps and the seed of the day.
    """

    homes: Homes
    tariff: Terms
    monitor: TolerantMonitor
    feeder: FeederMonitor
    options: Options


class Evening:
    """The evenings of one of a model's scenarios.

    Parameters
    ----------
    model : CoSimulation
        The model, whose prosumers, signals and engine there are already.
    copy : int
        Which of its scenarios; it names an operator.
    number : int
        Place of the prosumers that take part among the groups of the model's planners.

    Attributes
    ----------
    dso : DSO
        The operator; its `last` is the last rehearsal.
    rows : array of int
        Rows of the prosumers that take part.
    tables : list of Tables
        What was rehearsed and published, one for each evening, until somebody takes them.
    """

    def __init__(self, model: CoSimulation, copy: int, number: int) -> None:
        self._model, self._number, self._scenario = model, number, model.settings[copy]
        self._spec = self._scenario.dso or DsoSpec()
        own = np.flatnonzero(model.rows.copy == copy)
        optimise = model.rows.assets.optimise
        planning = [row for row in own.tolist() if optimise[row] and plans_as_usual(model.prosumers[row])]
        self.rows: Integers = np.array([row for row in planning if self._takes_part(row)], dtype=np.int64)
        self._others = np.setdiff1d(planning, self.rows)
        self._fixed = np.setdiff1d(own, planning)
        self._monitor = TolerantMonitor()
        signal = make_signal(self._spec.signal, **self._spec.parameters)
        self.dso = DSO(model, self._monitor, signal, self._spec.options())
        self.tables: list[Tables] = []

    def hold(self, window: Window) -> None:
        """Rehearse the day whose first step begins now, and let those who take part plan against what is published."""
        if not len(self.rows):
            return
        homes, tariff = self._homes(self.rows, window), self._tariff(self.rows, window)
        try:
            self._look(homes, tariff, window)
            found = self.dso.rehearse(homes, tariff)
        except PowerFlowError as error:  # also without those who take part: the tariff is all there is to publish
            self._keep(_unusable(str(error)), tariff, homes.respond(tariff).p_kw, window)
            return
        terms, signals = found.best.terms, self._model.rows.signals
        signals.publish(window.now, terms.price_buy, terms.price_sell, self.rows)
        if terms.has_demand_charge:
            signals.publish_demand(window.now, terms.demand_window, terms.demand_price, self.rows)
        if found.commits:
            committed = Commitment(self.rows, window.now, *homes.committed())
            self._model.planners.commit(self._number, committed)
        self._keep(self._rehearsals(found), terms, found.best.p_kw, window)

    def prepared(self, window: Window) -> Eve:
        """The rehearsal of the day whose first step begins now, not yet held; for studies.

        Raises
        ------
        PowerFlowError
            Where the feeder cannot carry those either who do not take part.
        """
        homes, tariff = self._homes(self.rows, window), self._tariff(self.rows, window)
        feeder = self._look(homes, tariff, window)
        return Eve(homes, tariff, self._monitor, feeder, self.dso.options)

    def _takes_part(self, row: int) -> bool:
        """Drawn for each prosumer from the scenario's seed and its name: a larger share adds to those of a smaller."""
        name = self._model.rows.assets.ids[row].encode()
        draw = np.random.default_rng([self._scenario.seed, crc32(name), crc32(b"dso")]).random()
        return bool(draw < self._spec.share)

    def _prepare(self, window: Window) -> None:
        """Active steps and seed of the day."""
        day = window.now // window.n_steps
        seed = np.random.SeedSequence([self._scenario.seed, day]).generate_state(1)[0]
        active = self._spec.active_steps(self._times(window))
        self.dso.options = replace(self.dso.options, active=active, seed=int(seed))

    def _times(self, window: Window) -> pd.DatetimeIndex:
        return market_times(self._scenario, window.now, window.until - window.now)

    def _tariff(self, rows: Integers, window: Window) -> Terms:
        """What some prosumers pay."""
        signals = self._model.rows.signals
        ahead = signals.rows(window.now, window.until)
        return Terms.of_prices(signals.price_buy[ahead][:, rows], signals.price_sell[ahead][:, rows], window.step_h)

    def _homes(self, rows: Integers, window: Window) -> Homes:
        model = self._model
        return Homes(
            model.population,
            model.forecast,
            model.rows.signals,
            window,
            rows=rows.tolist(),
            planner=self._scenario.planner,
            pool=model.planners.pool,
            threads=model.planners.threads,
        )

    def _look(self, homes: Homes, tariff: Terms, window: Window) -> FeederMonitor:
        """Let the operator watch the feeder with tomorrow's background; what is worst off, with all on the tariff."""
        self._prepare(window)
        spec = self._spec
        monitor = FeederMonitor(self._model.grid.engine, homes.buses, *self._background(window))
        worst = 0
        if any(watch.element == WORST for watch in spec.watch):
            plan = homes.respond(tariff)
            homes.forget()
            vm_pu, _ = carried(monitor.vm_pu, plan.p_kw, plan.q_kvar)
            (worst,) = worst_off(self._model.grid.feeder, vm_pu[self.dso.options.active_of(len(vm_pu))])
        watches = [watch_of(self._scenario, watch, worst) for watch in spec.watch]
        monitor = monitor.watching(watches)
        self._monitor.look(monitor, watches)
        return monitor

    def _background(self, window: Window) -> tuple[Array, Array]:
        """What all others consume, the net's own loads with them: p and q, each of shape (T, n_buses), > 0 consumed."""
        feeder, n_steps = self._model.grid.feeder, window.until - window.now
        p_kw, q_kvar = (np.tile(own, (n_steps, 1)) for own in (feeder.background_p_kw, feeder.background_q_kvar))
        asked = self._homes(self._others, window)
        fixed = np.flatnonzero(np.isin(asked.fixed_rows, self._fixed))
        fixed_p_kw, fixed_q_kvar = (power[:, fixed] for power in asked.fixed_power())
        self._consume(p_kw, q_kvar, self._fixed, fixed_p_kw, fixed_q_kvar)
        if len(self._others):
            plan = asked.respond(self._tariff(self._others, window))
            self._consume(p_kw, q_kvar, self._others, plan.p_kw, plan.q_kvar)
        return p_kw, q_kvar

    def _consume(self, p_kw: Array, q_kvar: Array, rows: Integers, more_p_kw: Array, injected_kvar: Array) -> None:
        """Add what prosumers consume at their buses, step by step."""
        buses = [self._model.rows.assets.bus[row] for row in rows]
        at = self._model.grid.feeder.bus_positions(buses)
        for k, bus in enumerate(at):  # several may share one
            p_kw[:, bus] += more_p_kw[:, k]
            q_kvar[:, bus] -= injected_kvar[:, k]

    def _keep(self, rehearsals: pd.DataFrame, terms: Terms, p_kw: Array, window: Window) -> None:
        """Put down what was rehearsed and published."""
        rehearsals.insert(0, "day", window.now // window.n_steps)
        self.tables.append(Tables(rehearsals[list(REHEARSED)], self._published(terms, p_kw, window)))

    def _rehearsals(self, found: Coordination) -> pd.DataFrame:
        table = found.table().rename(columns={"best": "published"})
        table["worst"] = [iterate.worst for iterate in found.iterates]
        table["broken_steps"] = [int(self._monitor.broken(iterate.observation).sum()) for iterate in found.iterates]
        table["ended"] = ["" for _ in found.iterates[1:]] + [found.ended]
        return table

    def _published(self, terms: Terms, p_kw: Array, window: Window) -> pa.Table:
        n_steps, n = p_kw.shape
        ids = pa.array([self._model.rows.assets.ids[row] for row in self.rows], type=pa.string())
        at = np.repeat(self._times(window).to_numpy(dtype="datetime64[us]"), n)
        prosumer = np.tile(np.arange(n, dtype=np.int32), n_steps)
        columns = {
            "time": pa.array(at).cast(pa.timestamp("us", tz="UTC")),
            "prosumer": pa.DictionaryArray.from_arrays(pa.array(prosumer), ids),
            "plan_price_buy": pa.array(terms.price_buy.ravel()),
            "plan_price_sell": pa.array(terms.price_sell.ravel()),
            "demand_price": pa.array((terms.demand_window.T.astype(float) @ terms.demand_price).ravel()),
            "p_meter_kw": pa.array(p_kw.ravel()),
        }
        return pa.table(columns, schema=PUBLISHED)


def evenings_of(model: CoSimulation) -> dict[int, Evening]:
    """The evenings of those of a model's scenarios that name an operator, by the scenarios' places."""
    copies = [copy for copy, scenario in enumerate(model.settings) if scenario.dso is not None]
    return {copy: Evening(model, copy, number) for number, copy in enumerate(copies)}


def watch_of(scenario: Scenario, spec: WatchSpec, worst: int | str = WORST) -> Watch:
    """A quantity that a scenario's operator watches, with its limit; `worst` in place of the bus that is worst off."""
    dso, voltage = scenario.dso or DsoSpec(), scenario.voltage
    limits = {"voltage": dso.vm_ref_pu or voltage.vm_min_pu, "voltage-high": voltage.vm_max_pu}
    element = worst if spec.element == WORST else spec.element
    return Watch(spec.kind, element, spec.limit or limits.get(spec.kind, 1.0))


def _unusable(reason: str) -> pd.DataFrame:
    """The one row of rehearsals that could not be."""
    row = dict.fromkeys(REHEARSED, np.nan) | {"iteration": 0, "worst": "", "published": True, "ended": reason}
    return pd.DataFrame([row]).drop(columns="day")
