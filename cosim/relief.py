"""The evening before each day: what an operator expects at its head transformer, and what it asks homes for.

**What is known then** of the day that begins, 24 hours from the start of the run or a multiple of it: the load of each
market step without storage and measures, and without losses, as the forecast has it; of a first day, persistence
expects nothing. Where a measure starts at what is left (`CurB`), the day is lived ahead with the other measures and the
stores that serve themselves, without rules; who plans against the price is taken to leave its battery idle.

**Who is asked.** Caps bind every charger and every heat pump behind the transformer; stores charge and hold where they
serve their own homes (strategy "self-consumption"). Measures act market step by market step, and next to any inverter
rule: what a rule takes from a battery is missing at the station, and asked for from nobody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from agents.dso.relief import (
    CurA,
    CurB,
    Directives,
    NoisyDayAhead,
    Outlook,
    PerfectDayAhead,
    PersistenceDayAhead,
    ProA,
    ProB,
    in_passes,
    makeup_h,
    relieve,
)
from agents.dso.relief.forecasts import DayAhead
from agents.dso.relief.outlook import Measure
from agents.prosumer import Asking, Population, Window
from cosim.relief_spec import ReliefSpec
from feeders import Feeder
from feeders.head import head_rating_kva

if TYPE_CHECKING:
    from cosim.model import CoSimulation

__all__ = ["Asked", "Relief", "expected_by", "measures_of", "reliefs_of", "threshold_of"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Asked:
    """What an operator expected of a day and asked for.

    Attributes
    ----------
    day : int
        From 0.
    outlook : Outlook
    directives : Directives
    """

    day: int
    outlook: Outlook
    directives: Directives


class Relief:
    """The evenings of the operator of one of a model's scenarios.

    Parameters
    ----------
    model : CoSimulation
        The model, whose prosumers, signals and grid there are already.
    copy : int
        Which of its scenarios; it has a table `relief`.

    Attributes
    ----------
    threshold_kw : float
        Load at the head transformer that is congestion.
    last : Asked or None
        Of the day that runs now.
    """

    def __init__(self, model: CoSimulation, copy: int) -> None:
        scenario = model.settings[copy]
        spec = scenario.relief or ReliefSpec()
        own = np.flatnonzero(model.rows.copy == copy)
        self._model, self._rows = model, slice(int(own[0]), int(own[-1]) + 1)
        self._first_pass, self._second_pass = in_passes(measures_of(spec))
        self._forecast = expected_by(spec, scenario.seed)
        self._background_kw = float(model.grid.feeder.background_p_kw.sum())
        self.threshold_kw = threshold_of(spec, model.grid.feeder)
        self._left_kw = np.zeros(model.clock.steps_per_day)  # of the day before, by the first pass
        self.last: Asked | None = None

    def hold(self, window: Window) -> None:
        """Look at the day whose first step begins now, and ask for relief."""
        devices = self._model.population.devices
        if devices is None:
            return
        measures = [*self._first_pass, *self._second_pass]
        makeup_steps = max(1, int(np.ceil(makeup_h(measures) / window.step_h - 1e-9)))
        outlook = self._outlook(window)
        directives = relieve(self._first_pass, outlook)
        asking = Asking(self._rows, window.now, directives, makeup_steps, self._background_kw)
        if self._second_pass:
            outlook = self._with_residual(outlook, asking, window)
            directives = relieve(measures, outlook)
            asking = Asking(self._rows, window.now, directives, makeup_steps, self._background_kw)
        devices.ask(asking)
        self.last = Asked(window.now // window.n_steps, outlook, directives)

    def state(self) -> dict[str, Array]:
        """What the evenings to come depend on, by name; views."""
        return {"left_kw": self._left_kw}

    def _outlook(self, window: Window) -> Outlook:
        """What is expected of the day without storage, from the signals of yesterday and today."""
        signals, n = self._model.rows.signals, window.n_steps
        first = max(window.now - n, 0)
        steps = signals.rows(first, window.now + n), self._rows
        p_kw = (signals.p_load_kw[steps] + signals.p_flexible_kw[steps] - signals.p_pv_kw[steps]).sum(axis=1)
        return Outlook(self._expected(p_kw + self._background_kw, first // n, n), self.threshold_kw, n)

    def _expected(self, p_kw: Array, first_day: int, n: int) -> Array:
        """What is expected of the last of some days."""
        return self._forecast.expect(p_kw, n, first_day)[-n:]

    def _with_residual(self, outlook: Outlook, asking: Asking, window: Window) -> Outlook:
        """The outlook with what is left of the load once all do as they are asked."""
        n, day = window.n_steps, window.now // window.n_steps
        left_kw = lived_ahead(self._model, asking, window)
        days_kw = np.concatenate([self._left_kw, left_kw]) if day else left_kw
        self._left_kw[:] = left_kw
        expected = self._expected(days_kw, max(day - 1, 0), n)
        return Outlook(outlook.p_kw, outlook.threshold_kw, n, expected)


def lived_ahead(model: CoSimulation, asking: Asking, window: Window) -> Array:
    """Load at the head transformer over the day that begins if it is asked for this, without rules, shape (T,)."""
    copy, own = Population(model.population.assets), model.population.devices
    copy.state[:] = model.population.state
    if copy.devices is None or own is None:
        raise RuntimeError("nobody has devices")  # the caller has looked
    for name, value in copy.devices.state().items():
        value[:] = own.state()[name]
    copy.devices.ask(asking)
    found = np.empty(window.n_steps)
    for place in range(window.n_steps):
        step = window.now + place
        copy.begin(model.rows.signals, step, window.step_h)
        copy.devices.dispatch(step, window.step_h)
        copy.p_battery_kw[:] = copy.p_battery_plan_kw
        copy.meter()
        copy.deliver(window.step_h)
        found[place] = copy.p_meter_kw[asking.rows].sum() + asking.background_kw
    return found


def reliefs_of(model: CoSimulation) -> dict[int, Relief]:
    """The operators of those of a model's scenarios that ask for relief, by the scenarios' places."""
    return {copy: Relief(model, copy) for copy, scenario in enumerate(model.settings) if scenario.relief is not None}


def measures_of(spec: ReliefSpec) -> list[Measure]:
    """The measures of a scenario as the operator has them."""
    a, b, pro = spec.cur_a, spec.cur_b, spec.pro_a
    known: dict[str, Measure] = {
        "cur-a": CurA(a.cap_kw),
        "cur-b": CurB(b.heat_cap, b.hours, b.makeup_h, b.start),
        "pro-a": ProA(pro.hours, pro.cap_share if pro.capped else None),
        "pro-b": ProB(spec.pro_b.between),
    }
    return [known[name] for name in spec.measures]


def expected_by(spec: ReliefSpec, seed: int) -> DayAhead:
    """What the operator of a scenario expects of a day."""
    if spec.forecast == "noisy":
        return NoisyDayAhead(spec.forecast_error, seed)
    return PerfectDayAhead() if spec.forecast == "perfect" else PersistenceDayAhead()


def threshold_of(spec: ReliefSpec, feeder: Feeder) -> float:
    """Load at the head transformer that is congestion [kW]; NaN where it has no rating to take a share of."""
    if spec.threshold_kw is not None:
        return spec.threshold_kw
    return head_rating_kva(feeder) * (1.0 if spec.threshold_share is None else spec.threshold_share)
