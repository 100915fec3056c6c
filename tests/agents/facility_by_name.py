"""A facility's problem written a second time, by name, from the equations of its equipment: in linopy."""

from __future__ import annotations

from typing import Any

import linopy
import numpy as np
import pandas as pd
import xarray as xr

from agents.facility import Fuel, Needs, Plant
from agents.terms import Terms

__all__ = ["optimum"]


def optimum(plant: Plant, need: Needs, terms: Terms, fuel: Fuel, *, may_export: bool = False) -> float:
    """Least cost [currency] where stores end as they began, generators run at any power and start for nothing."""
    facility = _ByName(plant, need)
    bought, sold = facility.flow("bought"), facility.flow("sold", np.inf if may_export else 0.0)
    facility.give("electricity", bought - sold)
    buy, sell = (facility.series(price[:, 0]) for price in (terms.price_buy, terms.price_sell))
    facility.cost = need.step_h * (buy * bought - sell * sold).sum()
    facility.chillers()
    facility.sun()
    facility.burners(fuel)
    for name, carrier in (("battery", "electricity"), ("cold", "cooling"), ("hot", "heat")):
        facility.store(name, carrier)
    facility.peaks(bought, terms)
    return facility.solved()


class _ByName:
    def __init__(self, plant: Plant, need: Needs) -> None:
        self.plant, self.need, self.model = plant, need, linopy.Model()
        self.time = pd.RangeIndex(need.n_steps, name="time")
        self.cost: Any = 0
        self.given: dict[str, Any] = {}

    def series(self, values: Any) -> xr.DataArray:
        spread = np.broadcast_to(np.asarray(values, dtype=float), self.need.n_steps)
        return xr.DataArray(spread, coords=[self.time], dims=["time"])

    def flow(self, name: str, most: Any = np.inf) -> Any:
        return self.model.add_variables(lower=0, upper=self.series(most), name=name)

    def give(self, carrier: str, power: Any) -> None:
        self.given[carrier] = self.given[carrier] + power if carrier in self.given else power

    def chillers(self) -> None:
        for name, driver, chiller in (
            ("chiller", "electricity", self.plant.chiller),
            ("absorption", "heat", self.plant.absorption),
        ):
            if chiller:
                made = self.flow(name, chiller.rating_kw)
                self.give("cooling", made)
                self.give(driver, -1 / chiller.cop * made)

    def sun(self) -> None:
        if self.plant.pv:
            self.give("electricity", 1 * self.flow("pv", self.plant.pv.rating_kw * self.need.pv_per_kw))
        if self.plant.solar:
            self.give("heat", 1 * self.flow("solar", self.plant.solar.rating_kw * self.need.solar_per_kw))

    def burners(self, fuel: Fuel) -> None:
        h, boiler = self.need.step_h, self.plant.boiler
        if boiler:
            made = self.flow("boiler", boiler.rating_kw)
            self.give("heat", 1 * made)
            self.cost = self.cost + (h * fuel.price / boiler.efficiency * made).sum()
        for name, engine in (("fuel cell", self.plant.fuel_cell), ("generator", self.plant.generator)):
            if engine:
                made = self.flow(name, engine.rating_kw)
                self.give("electricity", 1 * made)
                self.give("heat", engine.efficiency_heat / engine.efficiency_electric * made)
                per_kwh = fuel.price / engine.efficiency_electric + engine.om_per_kwh
                self.cost = self.cost + (h * per_kwh * made).sum()

    def store(self, name: str, carrier: str) -> None:
        store, h, m = getattr(self.plant, name), self.need.step_h, self.model
        if store is None:
            return
        charge, discharge = self.flow(f"{name} charge"), self.flow(f"{name} discharge")
        low, high = store.min_share * store.capacity_kwh, store.capacity_kwh
        held = m.add_variables(lower=low, upper=high, coords=[self.time], name=f"{name} held")
        taken = discharge / store.efficiency_discharge
        after = held.roll(time=-1)  # cyclic
        kept = held * (1 - store.decay_per_h) ** h
        m.add_constraints(after == kept + h * (store.efficiency_charge * charge - taken))
        m.add_constraints(store.efficiency_charge * charge <= store.charge_rate_per_h * (high - held))
        m.add_constraints(taken <= store.discharge_rate_per_h * high)
        self.give(carrier, discharge - charge)

    def peaks(self, bought: Any, terms: Terms) -> None:
        for window, price in zip(terms.demand_window, terms.demand_price[:, 0], strict=True):
            if window.any():
                peak = self.model.add_variables(lower=0)
                self.model.add_constraints(bought.isel(time=np.flatnonzero(window)) <= peak)
                self.cost = self.cost + float(price) * peak

    def solved(self) -> float:
        m, need = self.model, self.need
        m.add_constraints(self.given["electricity"] == self.series(need.electric_kw))
        if "cooling" in self.given:
            m.add_constraints(self.given["cooling"] == self.series(need.cooling_kw))
        if "heat" in self.given:  # what is dumped makes an inequality of the balance
            m.add_constraints(self.given["heat"] >= self.series(need.heat_kw))
        m.add_objective(1000 * self.cost)
        m.solve("highs", io_api="direct", output_flag=False, primal_feasibility_tolerance=1e-9, progress=False)
        if m.termination_condition != "optimal":
            raise AssertionError(m.termination_condition)
        return float(m.objective.value) / 1000
