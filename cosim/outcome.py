"""One finished (or failed) run: its scenario, its totals, its series, its indices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from cosim import indices
from cosim.device_books import FELT
from cosim.layout import Layout
from cosim.model import CoSimulation
from cosim.recorded import Series, SeriesInMemory, table_of
from cosim.rehearsed import Evenings
from cosim.scenario import Scenario
from cosim.tally import TOTALS

__all__ = ["INDEX_COLUMNS", "Run", "layout_of", "runs_of"]

Array = npt.NDArray[np.float64]

_PROSUMER = ("prosumer", "bus", "distance_ohm")
_COMPARED = ("cost", "cost_without_rule", "cost_without_optimisation", "lcg_percent", "gain", "gain_kept_percent")

INDEX_COLUMNS = (*_PROSUMER, *_COMPARED, *(name for name in TOTALS if name not in _COMPARED))
"""Columns of `Run.indices`."""


@dataclass(frozen=True)
class Run:
    """What one scenario came to.

    Attributes
    ----------
    scenario : Scenario
        As it was run.
    prosumers : DataFrame
        One row per prosumer: ``prosumer``, ``bus``, ``distance_ohm`` (electrical distance of the bus).
    totals : DataFrame
        One row per prosumer: what was added up as the run went, the columns `cosim.tally.TOTALS`.
    step_status : mapping of str to int
        Control steps of all prosumers by what was out of the ordinary in them.
    control_steps : int
        Control steps lived; fewer than the scenario's where the run failed.
    items : DataFrame
        Items of the bills up to where it came; see `bills`.
    series : Series
        What was recorded, in memory or in the run's folder.
    engine : str
        What computed the power flow.
    cost_without_rule, cost_without_optimisation : array or None
        Cost of each prosumer in the two runs that indices compare with; None where they were not made.
    failure : str or None
        Why the run ended early.
    evenings : Evenings or None
        What the scenario's operator rehearsed and published; None without one.
    comfort : DataFrame or None
        One row per prosumer: how long car and home waited, as `cosim.device_books.DeviceBooks.comfort` has it; None
        where nobody has charger, heat pump or hot-water storage.
    """

    scenario: Scenario
    prosumers: pd.DataFrame
    totals: pd.DataFrame
    step_status: Mapping[str, int]
    control_steps: int
    items: pd.DataFrame
    series: Series
    engine: str
    cost_without_rule: Array | None = None
    cost_without_optimisation: Array | None = None
    failure: str | None = None
    evenings: Evenings | None = None
    comfort: pd.DataFrame | None = None

    @classmethod
    def load(cls, folder: Path) -> Run:
        """Read a run back from its folder: indices at once, series when they are asked for; see `cosim.results`."""
        from cosim.results import load_run

        return load_run(folder)

    def column(self, name: str, *, rows: Sequence[int] | None = None, day: int | None = None) -> Array:
        """One recorded column, shape (n_samples, n_prosumers).

        Parameters
        ----------
        name : str
            Of the scenario's `record`.
        rows : sequence of int, optional
            Those prosumers alone.
        day : int, optional
            That day alone, counted from 0.

        Raises
        ------
        NotRecorded
            When the run did not record it.
        """
        return self.series.read((name,), *self._span(day), rows)[:, 0]

    @cached_property
    def frames(self) -> Array:
        """All that was recorded, shape (n_samples, len(scenario.record), n_prosumers)."""
        return self.series.read(self.scenario.record, 0, self.series.n_samples)

    @property
    def step_h(self) -> float:
        """Length of a control step [h]."""
        return self.scenario.control_step_min / 60

    @property
    def times(self) -> pd.DatetimeIndex:
        """Beginnings of the control steps of which there is a sample, UTC."""
        return self.series.layout.times(self.series.n_samples)

    @cached_property
    def timeseries(self) -> pd.DataFrame:
        """One row per sample and prosumer, those of `cosim.layout.COLUMNS` that were recorded.

        ``vm_pu`` and ``zone`` are the voltage after the power flow of the control step, ``energy_kwh`` the battery's
        energy at its end; powers hold during the step. With `record_every` a sample is its own control step alone.
        """
        return self.table()

    def table(self, columns: Sequence[str] | None = None, *, day: int | None = None) -> pd.DataFrame:
        """Some columns of `timeseries`, of the whole run or of one day (counted from 0).

        Raises
        ------
        NotRecorded
        """
        return table_of(self.series, columns or self.series.layout.columns, *self._span(day))

    @cached_property
    def indices(self) -> pd.DataFrame:
        """One row per prosumer: cost, LCG, gain kept and the `totals`; NaN throughout where the run failed.

        ``cost`` is the whole bill: ``cost_energy``, ``cost_demand`` and ``cost_fixed``. LCG and gain kept are NaN where
        the runs they compare with were not made.
        """
        unknown = np.full(len(self.prosumers), np.nan)
        free = unknown if self.cost_without_rule is None else self.cost_without_rule
        idle = unknown if self.cost_without_optimisation is None else self.cost_without_optimisation
        cost = self.totals["cost"].to_numpy()
        lcg, kept = indices.loss_of_consumer_gain(cost, free), indices.gain_kept(cost, free, idle)
        compared = dict(zip(_COMPARED, (cost, free, idle, lcg, idle - cost, kept), strict=True))
        found = pd.DataFrame({**compared, **self.totals.drop(columns="cost")}, index=self.prosumers.index)
        if self.failure is not None:  # part of a day is no day
            found = pd.DataFrame(np.nan, index=found.index, columns=found.columns)
        return pd.concat([self.prosumers, found], axis=1)

    @property
    def bills(self) -> pd.DataFrame:
        """Bills item by item: column ``prosumer``, then those of `cosim.tariff.bill.ITEM_COLUMNS`.

        The amounts of a prosumer add up to its index ``cost``. None where the run failed.
        """
        return self.items if self.failure is None else self.items.iloc[:0]

    @property
    def rehearsals(self) -> pd.DataFrame | None:
        """One row per rehearsal of each evening, the columns `cosim.rehearsed.REHEARSED`; None without an operator."""
        return None if self.evenings is None else self.evenings.rehearsals

    @property
    def published(self) -> pd.DataFrame | None:
        """One row per market step and prosumer that took part, the columns `cosim.rehearsed.PUBLISHED`; or None."""
        return None if self.evenings is None else self.evenings.published

    def _span(self, day: int | None) -> tuple[int, int]:
        n, per_day = self.series.n_samples, self.series.layout.per_day
        return (0, n) if day is None else (min(day * per_day, n), min((day + 1) * per_day, n))


def runs_of(model: CoSimulation, series: Series | None = None) -> list[Run]:
    """What a model has lived, cut into the runs of its scenarios; with `series` in place of its record, if one."""
    rows = [np.flatnonzero(model.rows.copy == copy) for copy in range(len(model.settings))]
    totals = model.tally.table(model.accounts.costs(model.ledger.cost), model.clock.control_step_h)
    prosumers = _prosumers_of(model)
    return [
        Run(
            scenario,
            prosumers.iloc[own].reset_index(drop=True),
            totals.iloc[own].reset_index(drop=True),
            model.tally.step_status(own),
            model.record.n_lived,
            model.accounts.bills(copy, prosumers["prosumer"].iloc[own].tolist()),
            series or SeriesInMemory(layout_of(model, copy), _of_rows(model.record.frames, own)),
            str(getattr(model.grid.engine, "name", scenario.feeder.engine)),
            evenings=Evenings(tuple(model.evenings[copy].tables)) if copy in model.evenings else None,
            comfort=_comfort_of(model, own),
        )
        for copy, (scenario, own) in enumerate(zip(model.settings, rows, strict=True))
    ]


def _comfort_of(model: CoSimulation, rows: npt.NDArray[np.intp]) -> pd.DataFrame | None:
    """How long these prosumers waited for energy; None where none of them has anything to wait for."""
    assets = model.rows.assets
    owns = (assets.ev_kw > 0) | (assets.hp_kw > 0) | (assets.tes_kwh > 0)
    if model.device_books is None or not owns[rows].any():
        return None
    found = model.device_books.comfort().iloc[rows].reset_index()
    return found if assets.has_room[rows].any() else found.drop(columns=list(FELT), errors="ignore")


def _of_rows(frames: Array, rows: npt.NDArray[np.intp]) -> Array:
    """The samples of some rows: all of them as they are, fewer in an array of their own, to be dropped one by one."""
    return frames if len(rows) == frames.shape[2] else np.ascontiguousarray(frames[:, :, rows])


def _prosumers_of(model: CoSimulation) -> pd.DataFrame:
    """Name, bus and electrical distance of all rows."""
    assets, distance = model.rows.assets, model.grid.feeder.electrical_distance["z_ohm"]
    columns = (assets.ids, assets.bus, distance.loc[assets.bus].to_numpy())
    return pd.DataFrame(dict(zip(_PROSUMER, columns, strict=True)))


def layout_of(model: CoSimulation, copy: int = 0) -> Layout:
    """The layout of the series of one of a model's scenarios."""
    rows, assets = np.flatnonzero(model.rows.copy == copy), model.rows.assets
    return Layout(model.settings[copy], [assets.ids[row] for row in rows], [assets.bus[row] for row in rows])
