"""The present day of the prosumers that a page shows, market step by market step; yesterday is forgotten."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cosim.model import CoSimulation

__all__ = ["MEANS", "DayTraces"]

Array = npt.NDArray[np.float64]

MEANS = ("vm_pu", "p_meter_kw", "p_battery_kw", "p_flexible_kw", "p_pv_kw", "p_curtailed_kw")
"""Columns of state that are kept as means over market steps."""

_FIELDS = (*MEANS, "vm_least_pu", "vm_largest_pu", "energy_kwh", "p_battery_planned_kw")


class DayTraces:
    """What some prosumers did in each market step of the day, and of the last of them what their homes look like.

    Parameters
    ----------
    model : CoSimulation
    rows : array of int
        Whom to follow.
    """

    def __init__(self, model: CoSimulation, rows: npt.NDArray[np.int64]) -> None:
        self._model, self._rows = model, rows
        self._values: Array = np.full((len(_FIELDS), model.clock.steps_per_day, len(rows)), np.nan)
        self._lived = 0

    @property
    def first_step(self) -> int:
        """Market step with which the day begins: of the last step that was lived, or the first of all."""
        per_day = self._model.clock.steps_per_day
        return max(self._lived - 1, 0) // per_day * per_day

    def add(self) -> None:
        """Take the market step that has just been lived."""
        self._lived = self._model.clock.step
        place = self._lived - 1 - self.first_step
        if place == 0:
            self._values[:] = np.nan
        present = {name: self._model.record.present(name)[:, self._rows] for name in (*MEANS, "energy_kwh")}
        found = {name: present[name].mean(axis=0) for name in MEANS}
        found["vm_least_pu"], found["vm_largest_pu"] = present["vm_pu"].min(axis=0), present["vm_pu"].max(axis=0)
        found["energy_kwh"] = present["energy_kwh"][-1]
        found["p_battery_planned_kw"] = self._model.population.p_battery_plan_kw[self._rows]
        for name, values in found.items():
            self._values[_FIELDS.index(name), place] = values

    def of(self, name: str, place: int) -> Array:
        """One field of the prosumer at that place of `rows` over the day, shape (steps_per_day,); NaN where to come."""
        values: Array = self._values[_FIELDS.index(name), :, place]
        return values.copy()

    def last(self, name: str) -> Array:
        """One field of all in the last step lived, in the order of `rows`; NaN before any."""
        place = max(self._lived - 1 - self.first_step, 0)
        values: Array = self._values[_FIELDS.index(name), place]
        return values.copy()
