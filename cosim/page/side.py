"""One of the rules that a page shows: the feeder, its homes and their days under it."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from cosim.data import TIMEZONE
from cosim.model import CoSimulation
from cosim.page.loading import feeder_state
from cosim.page.traces import DayTraces
from cosim.plots.data import FeederState, HomeDay, Homes

__all__ = ["LOCAL", "Side", "in_feeder_order"]

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

LOCAL = ZoneInfo(TIMEZONE)
"""Where days begin and clocks are read."""

_OF_HOMES = ("vm_pu", "p_meter_kw", "p_battery_kw", "p_pv_kw", "p_curtailed_kw")
_OF_DAYS = (
    *("p_battery_kw", "p_flexible_kw", "p_meter_kw", "p_pv_kw", "p_curtailed_kw", "p_battery_planned_kw"),
    *("energy_kwh", "vm_pu", "vm_least_pu", "vm_largest_pu"),
)


def in_feeder_order(model: CoSimulation) -> tuple[pd.DataFrame, list[Rows]]:
    """The prosumers of copies with the same ones, by electrical distance, and their rows on each copy.

    Returns
    -------
    prosumers : DataFrame
        ``prosumer``, ``bus``, ``distance_ohm``, near to far; those at one distance in the order of the scenario.
    rows : list of array of int
        By copy.
    """
    assets, n_copies = model.rows.assets, len(model.settings)
    n = len(assets) // n_copies
    distance: Array = model.grid.feeder.electrical_distance["z_ohm"].loc[assets.bus[:n]].to_numpy()
    order = np.argsort(distance, kind="stable")
    columns = {"prosumer": np.array(assets.ids[:n])[order], "bus": np.array(assets.bus[:n])[order]}
    prosumers = pd.DataFrame({**columns, "distance_ohm": distance[order]})
    return prosumers, [copy * n + order for copy in range(n_copies)]


class Side:
    """What is shown of one copy.

    Parameters
    ----------
    model : CoSimulation
    copy : int
        Which copy.
    rows : array of int
        Its prosumers in feeder order.
    prosumers : DataFrame
        Of `in_feeder_order`.

    Attributes
    ----------
    traces : DayTraces
        To be told of each market step.
    """

    def __init__(self, model: CoSimulation, copy: int, rows: Rows, prosumers: pd.DataFrame) -> None:
        self._model, self._copy, self._rows = model, copy, rows
        self._names: list[str] = prosumers["prosumer"].tolist()
        self._distance_ohm: Array = prosumers["distance_ohm"].to_numpy()
        self._place = model.grid.feeder.bus_positions(prosumers["bus"].tolist())
        self.traces = DayTraces(model, rows)

    def state(self) -> FeederState:
        """See `cosim.page.live.Live.state`."""
        return feeder_state(self._model.grid, self._copy)

    def homes(self) -> Homes:
        """See `cosim.page.live.Live.homes`."""
        population = self._model.population
        return Homes(
            names=list(self._names),
            place=self._place,
            distance_ohm=self._distance_ohm,
            energy_kwh=population.energy_kwh[self._rows],
            capacity_kwh=population.assets.energy_max_kwh[self._rows],
            **{name: self.traces.last(name) for name in _OF_HOMES},
        )

    def home_day(self, row: int) -> HomeDay:
        """See `cosim.page.live.Live.home_day`."""
        clock, first = self._model.clock, self.traces.first_step
        start = self._model.settings[self._copy].start + timedelta(hours=first * clock.market_step_h)
        local, span = start.astimezone(LOCAL), slice(first, first + clock.steps_per_day)
        since_h = clock.market_step_h * np.arange(clock.steps_per_day, dtype=np.float64)
        prices = self._model.rows.prices[self._copy]
        battery_kw, flexible_kw = self._ahead(row, first)
        return HomeDay(
            name=self._names[row],
            hours=local.hour + local.minute / 60 + since_h,
            step_h=clock.market_step_h,
            p_battery_ahead_kw=battery_kw,
            p_flexible_ahead_kw=flexible_kw,
            price_buy=prices.price_buy[span],
            price_sell=prices.price_sell[span],
            **{name: self.traces.of(name, row) for name in _OF_DAYS},
        )

    def _ahead(self, row: int, first: int) -> tuple[Array, Array]:
        """Plan of the steps to come on the day that begins with step `first`; NaN in those that have been lived."""
        now, found = self._model.clock.step, np.full((2, self._model.clock.steps_per_day), np.nan)
        if now < first + found.shape[1]:
            for target, values in zip(found, self._model.plans_ahead([int(self._rows[row])]), strict=True):
                to_come = target[now - first :]
                to_come[: len(values)] = values[: len(to_come), 0]
        return found[0], found[1]
