"""One finished (or failed) run: its scenario, its record, its indices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.prosumer import RECORDED, Status, voltage_zone
from cosim import indices
from cosim.failure import RunFailure
from cosim.model import CoSimulation
from cosim.scenario import Scenario
from feeders import Feeder

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Run", "run", "run_ensemble"]

Array = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]
"""Called with market steps done and in all."""

COLUMNS = (
    "time",
    "prosumer",
    "bus",
    "vm_pu",
    "zone",
    "p_load_kw",
    "p_flexible_kw",
    "p_pv_kw",
    "p_curtailed_kw",
    "p_battery_kw",
    "energy_kwh",
    "p_meter_kw",
    "q_inverter_kvar",
    "price_buy",
    "price_sell",
    "status",
)


@dataclass(frozen=True)
class Run:
    """What one scenario came to.

    Attributes
    ----------
    scenario : Scenario
        As it was run.
    frames : array, shape (n_control_steps, len(RECORDED), n_prosumers)
        The record; shorter than the scenario where the run failed.
    prosumers : DataFrame
        One row per prosumer: ``prosumer``, ``bus``, ``distance_ohm`` (electrical distance of the bus).
    cost_without_rule, cost_without_optimisation : array or None
        Cost of each prosumer in the two runs that indices compare with; None where they were not made.
    failure : str or None
        Why the run ended early.
    """

    scenario: Scenario
    frames: Array
    prosumers: pd.DataFrame
    cost_without_rule: Array | None = None
    cost_without_optimisation: Array | None = None
    failure: str | None = None

    @classmethod
    def load(cls, folder: Path) -> Run:
        """Read a run back from its folder; see `cosim.results`."""
        from cosim.results import load_run

        return load_run(folder)

    def column(self, name: str) -> Array:
        """One recorded column, shape (n_control_steps, n_prosumers)."""
        return self.frames[:, RECORDED.index(name)]

    @property
    def step_h(self) -> float:
        """Length of a control step [h]."""
        return self.scenario.control_step_min / 60

    @property
    def times(self) -> pd.DatetimeIndex:
        """Beginnings of the control steps, UTC."""
        step = f"{self.scenario.control_step_min}min"
        return pd.date_range(self.scenario.start, periods=len(self.frames), freq=step, name="time", unit="us")

    @cached_property
    def timeseries(self) -> pd.DataFrame:
        """One row per control step and prosumer, the columns `COLUMNS`.

        ``vm_pu`` and ``zone`` are the voltage after the power flow of the step, ``energy_kwh`` the battery's
        energy at its end; powers hold during the step.
        """
        n_steps, n = len(self.frames), len(self.prosumers)
        values: dict[str, Any] = {name: self.column(name).ravel() for name in RECORDED}
        values["zone"] = voltage_zone(values["vm_pu"], self.scenario.voltage.band)
        values["status"] = _status_words(values["status"])
        values["time"] = self.times.repeat(n)
        values["prosumer"] = _words(np.tile(np.arange(n), n_steps), self.prosumers["prosumer"].tolist())
        values["bus"] = np.tile(self.prosumers["bus"].to_numpy(), n_steps)
        return pd.DataFrame({name: values[name] for name in COLUMNS})

    @cached_property
    def indices(self) -> pd.DataFrame:
        """One row per prosumer: cost, LCG, gain kept, TCE, CVC and the VCI counts; NaN throughout where the run failed.

        LCG and gain kept are NaN where the runs they compare with were not made.
        """
        unknown = np.full(len(self.prosumers), np.nan)
        free = unknown if self.cost_without_rule is None else self.cost_without_rule
        idle = unknown if self.cost_without_optimisation is None else self.cost_without_optimisation
        p_meter_kw, price_buy, price_sell = map(self.column, ("p_meter_kw", "price_buy", "price_sell"))
        cost = indices.energy_cost(p_meter_kw, price_buy, price_sell, self.step_h)
        vm_pu, band = self.column("vm_pu"), self.scenario.voltage.band
        table = self.prosumers.assign(
            cost=cost,
            cost_without_rule=free,
            cost_without_optimisation=idle,
            lcg_percent=indices.loss_of_consumer_gain(cost, free),
            gain=idle - cost,
            gain_kept_percent=indices.gain_kept(cost, free, idle),
            tce_kwh=indices.curtailed_energy(self.column("p_curtailed_kw"), self.step_h),
            cvc_pu=indices.cumulative_voltage_correction(vm_pu, band.dead_pu),
            **indices.voltage_counts(vm_pu, band),
        )
        if self.failure is not None:  # part of a day is no day
            found = table.columns.difference(self.prosumers.columns, sort=False)
            return table.assign(**dict.fromkeys(found, np.nan))
        return table


def run(
    scenario: Scenario | None = None,
    *,
    feeder: Feeder | None = None,
    references: bool = True,
    threads: int = 1,
    progress: Progress | None = None,
) -> Run:
    """Run one scenario to its end.

    Parameters
    ----------
    scenario : Scenario, optional
        The published four-bus case by default.
    feeder : Feeder, optional
        A feeder in place of the scenario's own, e.g. of a net made in Python.
    references : bool
        Whether to run it also without rules and without optimisation, which LCG and gain kept compare with.
    threads : int
        Threads that plan; the results are the same with any number.
    progress : callable, optional
        Called after each market step with the steps done and in all.

    Raises
    ------
    InputErrors
        When the scenario cannot be simulated.
    RunFailure
        When a power flow had no usable solution; its ``partial`` is the run up to then.
    """
    scenario = scenario or Scenario()
    parts = 3 if references else 1
    model = CoSimulation(scenario, feeder=feeder, threads=threads)
    try:
        _live(model, progress, 0, parts)
    except RunFailure as failure:
        failure.partial = replace(_runs(model)[0], failure=str(failure))
        raise
    result = _runs(model)[0]
    if not references:
        return result
    costs: list[Array | None] = []
    for part, changes in enumerate((WITHOUT_RULE, WITHOUT_OPTIMISATION), start=1):
        other = CoSimulation(model.settings[0].changed(changes), feeder=model.grid.feeder, threads=threads)
        try:
            _live(other, progress, part, parts)
        except RunFailure:  # the comparison is then missing, and its indices are NaN
            costs.append(None)
        else:
            costs.append(other.ledger.cost)
    return replace(result, cost_without_rule=costs[0], cost_without_optimisation=costs[1])


WITHOUT_RULE: dict[str, Any] = {"rule": "none", "prosumers.*.rule": "none"}
WITHOUT_OPTIMISATION: dict[str, Any] = {**WITHOUT_RULE, "prosumers.*.optimise": False}
"""What changes a scenario into the runs that its indices compare with."""


def run_ensemble(scenarios: Sequence[Scenario], *, threads: int = 1, progress: Progress | None = None) -> list[Run]:
    """Run many scenarios of one feeder, clock and mode in lock-step; each gives what it gives alone.

    Much faster than one after the other, since rules work on all prosumers at once and the power flows of a
    control step are one batch. The runs carry no reference costs.

    Raises
    ------
    InputErrors
        When a scenario cannot be simulated, or they do not share feeder, clock and mode.
    RunFailure
        When a power flow of any of them had no usable solution.
    """
    model = CoSimulation(scenarios, threads=threads)
    _live(model, progress, 0, 1)
    return _runs(model)


def _live(model: CoSimulation, progress: Progress | None, part: int, parts: int) -> None:
    """Step a model to its end and report on the way, as one of several parts of a job."""
    n_steps = model.clock.n_steps
    while not model.clock.finished:
        model.step()
        if progress is not None:
            progress(part * n_steps + model.clock.step, parts * n_steps)


def _runs(model: CoSimulation) -> list[Run]:
    """The record of a model, cut into the runs of its scenarios."""
    assets, feeder = model.rows.assets, model.grid.feeder
    distance = feeder.electrical_distance["z_ohm"]
    frames = model.record.frames[: model.record.n_written]
    found = []
    for copy, scenario in enumerate(model.settings):
        rows = np.flatnonzero(model.rows.copy == copy)
        bus = [assets.bus[row] for row in rows]
        table = pd.DataFrame(
            {
                "prosumer": [assets.ids[row] for row in rows],
                "bus": bus,
                "distance_ohm": distance.loc[bus].to_numpy(),
            }
        )
        # In the memory layout of a run that is read back, so that sums over it are the same to the last bit.
        found.append(Run(scenario, np.ascontiguousarray(frames[:, :, rows]), table))
    return found


def _status_words(status: Array) -> pd.Categorical:
    """Statuses as words: ``ok``, or the names of what happened joined by ``|``."""
    words = []
    for code in range(2 * max(Status)):
        names = [flag.name.lower().replace("_", "-") for flag in Status if code & flag and flag.name]
        words.append("|".join(names) or "ok")
    return _words(status.astype(np.int64), words)


def _words(codes: npt.NDArray[np.int64], words: list[str]) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, categories=pd.Index(words))  # type: ignore[arg-type] # stubs want lists
