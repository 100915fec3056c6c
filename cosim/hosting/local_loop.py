"""A fleet's day in the closed minute loop: its rows as prosumers, each planning for itself under an inverter rule.

Load, sun, cars and heat pumps are those of `cosim.hosting.check.static_check`. What differs from there, and from
coordination:

- Batteries plan on their own against the price of import, which is also what export is paid (times kappa), and end the
  day empty but for their least energy; they begin at `Fleet.battery_soc_start`.
- Cars charge as they come home, heat pumps follow their profile: neither gives back or waits.
- PV and battery share an inverter of ``sqrt(1 + q_share^2)`` times their power, so that ``q_share`` is left at full
  power; the rule decides by the voltage of the minute before.
- Steps of an hour are a quarter of an hour each, straight lines between their middles (prices are held): in the loop a
  leap of the sun on the full hour would be felt for a minute by rules that have not seen it yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from agents.prosumer.fleet import Fleet, FleetInputs
from agents.prosumer.own_profiles import HeatPumps
from cosim.hosting.case import HostingCase
from cosim.hosting.local_scenario import (
    MARKET_MIN,
    RECORD,
    LocalLoop,
    carriers,
    day_profiles,
    local_scenario,
    without_loads,
)
from cosim.record import chosen_columns
from cosim.run import Run, run
from feeders.errors import InputError

__all__ = ["LocalDay", "LocalLoop", "finer", "live_day"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LocalDay:
    """What a fleet did in the loop.

    Attributes
    ----------
    inputs : FleetInputs
        The case's, at each control step (S of them).
    p_kw, q_kvar : array, shape (S, N)
        Active power that each row's devices consume, and reactive power that they inject.
    p_curtailed_kw : array, shape (S, N)
    cost : array, shape (N,)
        Of the prosumer that each row is, with its load [currency].
    distance_ohm : array, shape (N,)
        Electrical distance of its bus.
    run : Run
    """

    inputs: FleetInputs
    p_kw: Array
    q_kvar: Array
    p_curtailed_kw: Array
    cost: Array
    distance_ohm: Array
    run: Run

    @property
    def curtailed_share(self) -> float:
        """Of the PV energy of the day; 0 without PV."""
        possible = float((self.inputs.pv_share[:, None] * self._pv_kw).sum())
        return float(self.p_curtailed_kw.sum()) / possible if possible > 0 else 0.0

    @property
    def _pv_kw(self) -> Array:
        return np.array([p.pv_kwp for p in self.run.scenario.prosumers[: self.p_kw.shape[1]]])


def live_day(
    case: HostingCase,
    fleet: Fleet,
    rule: str,
    heat_pumps: HeatPumps = "set-point",
    loop: LocalLoop | None = None,
    *,
    record: tuple[str, ...] = (),
) -> LocalDay:
    """Let a fleet live the case's day under a rule; the run also records the columns `record`.

    Raises
    ------
    InputError, InputErrors
        For a rule that there is none of, and loads that give reactive power.
    RunFailure
        Where a control step has no usable power flow.
    """
    loop = loop or LocalLoop()
    fine = finer(case.inputs)
    own = carriers(case, fleet)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "day.csv"
        day_profiles(case, fleet, fine, heat_pumps).to_csv(file, float_format="%.12g")
        scenario = local_scenario(case, fleet, rule, loop, file, own)
        scenario = scenario.model_copy(update={"record": chosen_columns((*RECORD, *record))})
        lived = run(scenario, feeder=without_loads(case.feeder, fleet), references=False)
    inputs = _held(fine, MARKET_MIN // loop.control_step_min)
    n = len(fleet)
    frames = {name: lived.column(name)[:, :n] for name in RECORD}
    column = case.feeder.bus_positions(fleet.bus.tolist())
    own_load_kw = np.where(own.of_row, inputs.p_load_kw[:, column], 0.0)
    return LocalDay(
        inputs=inputs,
        p_kw=frames["p_meter_kw"] - own_load_kw,
        q_kvar=frames["q_inverter_kvar"],
        p_curtailed_kw=frames["p_curtailed_kw"],
        cost=lived.totals["cost"].to_numpy()[:n],
        distance_ohm=lived.prosumers["distance_ohm"].to_numpy()[:n],
        run=lived,
    )


def finer(inputs: FleetInputs) -> FleetInputs:
    """The same day in steps of 15 min: straight lines between the middles of its steps, prices held.

    Raises
    ------
    InputError
        Unless it is a day of steps that are 15 min or multiples of it.
    """
    minutes = inputs.step_h * 60
    n = round(minutes / MARKET_MIN)
    if abs(n * MARKET_MIN - minutes) > 1e-9 or len(inputs) * minutes != 24 * 60:
        raise InputError("inputs", "step_h", inputs.step_h, "a day of steps of 15 min or multiples of it")
    middle = (np.arange(len(inputs)) + 0.5) * inputs.step_h
    at = (np.arange(len(inputs) * n) + 0.5) * MARKET_MIN / 60

    def line(values: Array) -> Array:
        columns = np.atleast_2d(values.T)
        found = np.array([np.interp(at, middle, column, period=24.0) for column in columns]).T
        return np.asarray(found if values.ndim == 2 else found[:, 0], dtype=float)

    return FleetInputs(
        p_load_kw=line(inputs.p_load_kw),
        q_load_kvar=line(inputs.q_load_kvar),
        pv_share=line(inputs.pv_share),
        t_out_c=line(inputs.t_out_c),
        price=np.repeat(inputs.price, n),
        step_h=MARKET_MIN / 60,
        start_h=inputs.start_h,
    )


def _held(inputs: FleetInputs, n: int) -> FleetInputs:
    """Each step as n control steps alike."""
    columns = ("p_load_kw", "q_load_kvar", "pv_share", "t_out_c", "price")
    held = {name: np.repeat(getattr(inputs, name), n, axis=0) for name in columns}
    return FleetInputs(**held, step_h=inputs.step_h / n, start_h=inputs.start_h)
