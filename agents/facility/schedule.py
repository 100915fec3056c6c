"""A facility's schedule: what everything does in every step, whether it adds up, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from agents.facility.needs import Needs
from agents.facility.plant import GENERATORS, STORES, Fuel, Plant
from agents.terms import Terms
from feeders.errors import InputError

__all__ = ["Costs", "Flows", "Schedule", "StoreUse", "count_starts", "mix"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StoreUse:
    """What a store does.

    Attributes
    ----------
    charge_kw, discharge_kw : array, shape (T,)
        Powers outside the store, >= 0.
    energy_kwh : array, shape (T + 1,)
        Energy at the beginning of each step, and at the end of the last.
    """

    charge_kw: Array
    discharge_kw: Array
    energy_kwh: Array


@dataclass(frozen=True, eq=False)
class Flows:
    """What flows beside the stores, arrays of shape (T,), all >= 0 [kW]; zeros for what the plant does not have.

    Attributes
    ----------
    import_kw, export_kw : array
        At the meter.
    chiller_kw, absorption_kw : array
        Cooling by the electric and by the absorption chiller.
    boiler_kw, solar_kw : array
        Heat.
    dump_kw : array
        Heat that is made and not used.
    pv_kw, fuel_cell_kw, generator_kw : array
        Electricity; what PV could give beyond `pv_kw` is curtailed.
    """

    import_kw: Array
    export_kw: Array
    chiller_kw: Array
    absorption_kw: Array
    boiler_kw: Array
    solar_kw: Array
    dump_kw: Array
    pv_kw: Array
    fuel_cell_kw: Array
    generator_kw: Array


class Costs(NamedTuple):
    """What a schedule costs [currency], and the CO2 that it causes [kg]."""

    electricity: float
    gas: float
    om: float
    starts: float
    co2_kg: float

    @property
    def other(self) -> float:
        """All but the bill for electricity."""
        return self.gas + self.om + self.starts

    @property
    def total(self) -> float:
        """All together."""
        return self.electricity + self.other


@dataclass(frozen=True, eq=False)
class Schedule:
    """A plan of a facility over T steps.

    Attributes
    ----------
    plant : Plant
    needs : Needs
    flows : Flows
    stores : dict of str to StoreUse
        By name, those that the plant has.
    on : dict of str to array of bool, shape (T,)
        Whether each committed generator runs; empty where none is committed, and then no start is counted. Before the
        first step all are off.
    loss_bound : float
        By how much a schedule whose stores need not choose between charging and discharging would be better at most,
        in the units of the objective; 0 where they did not have to be told.
    """

    plant: Plant
    needs: Needs
    flows: Flows
    stores: dict[str, StoreUse]
    on: dict[str, npt.NDArray[np.bool_]] = field(default_factory=dict)
    loss_bound: float = 0.0

    @property
    def p_kw(self) -> Array:
        """Power at the meter, shape (T,), > 0 import."""
        return self.flows.import_kw - self.flows.export_kw

    @property
    def gas_kw(self) -> Array:
        """Gas burned, shape (T,)."""
        gas = np.zeros(self.needs.n_steps)
        if self.plant.boiler:
            gas += self.flows.boiler_kw / self.plant.boiler.efficiency
        for name, generator in self.plant.generators.items():
            gas += self._made(name) / generator.efficiency_electric
        return gas

    @property
    def starts(self) -> dict[str, int]:
        """How often each committed generator starts."""
        return count_starts(self.on)

    def costs(self, terms: Terms, fuel: Fuel, grid_co2_kg_per_kwh: float | Array = 0.5) -> Costs:
        """What it costs under the given terms, of shape (T, 1)."""
        step_h, gas_kwh = self.needs.step_h, self.needs.step_h * float(self.gas_kw.sum())
        generators = self.plant.generators
        return Costs(
            electricity=float(terms.bills(self.p_kw[:, None])[0]),
            gas=fuel.price * gas_kwh,
            om=sum(generators[name].om_per_kwh * step_h * float(self._made(name).sum()) for name in generators),
            starts=sum(generators[name].start_cost * count for name, count in self.starts.items()),
            co2_kg=fuel.co2_kg_per_kwh * gas_kwh
            + step_h * float((np.asarray(grid_co2_kg_per_kwh) * self.flows.import_kw).sum()),
        )

    def balances(self) -> dict[str, Array]:
        """What is left over of each carrier (T,) [kW] and store (T,) [kWh]: zeros, but for rounding.

        Written from the equations of the equipment, not from the program that made the schedule.
        """
        f, plant, need = self.flows, self.plant, self.needs
        zero = np.zeros(need.n_steps)
        net = {name: use.discharge_kw - use.charge_kw for name, use in self.stores.items()}
        drawn = f.chiller_kw / plant.chiller.cop if plant.chiller else f.chiller_kw
        driven = f.absorption_kw / plant.absorption.cop if plant.absorption else f.absorption_kw
        waste = sum((g.heat_per_kwh * self._made(name) for name, g in plant.generators.items()), start=zero)
        made = f.pv_kw + f.fuel_cell_kw + f.generator_kw
        left = {
            "electricity": self.p_kw + made + net.get("battery", zero) - drawn - need.electric_kw,
            "cooling": f.chiller_kw + f.absorption_kw + net.get("cold", zero) - need.cooling_kw,
            "heat": f.boiler_kw + f.solar_kw + waste + net.get("hot", zero) - driven - f.dump_kw - need.heat_kw,
        }
        for name, use in self.stores.items():
            store = plant.stores[name]
            added = store.efficiency_charge * use.charge_kw - use.discharge_kw / store.efficiency_discharge
            kept = (1.0 - store.decay_per_h) ** need.step_h * use.energy_kwh[:-1]
            left[name] = use.energy_kwh[1:] - kept - need.step_h * added
        return left

    def excess(self) -> dict[str, float]:
        """By how much each limit of the equipment is exceeded at most [kW or kWh]; nowhere > 0, but for rounding.

        Written from the ratings, not from the program that made the schedule.
        """
        f, plant, need = self.flows, self.plant, self.needs
        over = {one.name: -getattr(f, one.name) for one in fields(f)}
        for name in ("chiller", "absorption", "boiler", *GENERATORS):
            rating = getattr(plant, name).rating_kw if getattr(plant, name) else 0.0
            made = getattr(f, f"{name}_kw")
            over[name] = made - rating * self.on.get(name, True)
        over["pv"] = f.pv_kw - (plant.pv.rating_kw * need.pv_per_kw if plant.pv else 0.0)
        over["solar"] = f.solar_kw - (plant.solar.rating_kw * need.solar_per_kw if plant.solar else 0.0)
        for name, on in self.on.items():
            over[f"{name} least"] = plant.generators[name].min_kw * on - self._made(name)
        for name, use in self.stores.items():
            store = plant.stores[name]
            room = store.capacity_kwh - use.energy_kwh[:-1]
            removed = use.discharge_kw / store.efficiency_discharge
            over |= {
                f"{name} energy": np.maximum(
                    store.energy_min_kwh - use.energy_kwh, use.energy_kwh - store.capacity_kwh
                ),
                f"{name} charge": np.maximum(
                    -use.charge_kw, store.efficiency_charge * use.charge_kw - store.charge_rate_per_h * room
                ),
                f"{name} discharge": np.maximum(
                    -use.discharge_kw, removed - store.discharge_rate_per_h * store.capacity_kwh
                ),
            }
        return {name: float(np.max(by)) for name, by in over.items()}

    def overlap_kw(self) -> dict[str, Array]:
        """By how much each store charges and discharges at once, shape (T,)."""
        return {name: np.minimum(use.charge_kw, use.discharge_kw) for name, use in self.stores.items()}

    def _made(self, generator: str) -> Array:
        made: Array = getattr(self.flows, f"{generator}_kw")
        return made


def mix(schedules: Sequence[Schedule], shares: Sequence[float] | Array) -> Schedule:
    """The mean of schedules of one facility, weighted by shares that add up to 1.

    Balances and limits are linear, so the mean keeps them. Where one schedule charges a store and another discharges
    it, the mean does both, with the losses of both: the store takes turns within the step, and the powers are means
    over it. Generators must run in the same steps in all, and all be
    for the same needs.

    Raises
    ------
    InputError
        For shares that do not add up to 1 or are negative, or schedules that differ in when a generator runs.
    """
    weights = np.asarray(shares, dtype=np.float64)
    if weights.shape != (len(schedules),) or not (weights >= -1e-12).all() or not abs(weights.sum() - 1.0) <= 1e-9:
        raise InputError("mix", "shares", weights, f"{len(schedules)} numbers >= 0 that add up to 1")
    used = [(weight, one) for weight, one in zip(weights, schedules, strict=True) if weight > 0]
    first = used[0][1]
    if any(one.needs is not first.needs for _, one in used):
        raise InputError("mix", "schedules", None, "schedules for the same needs")
    if any(not np.array_equal(one.on[name], on) for _, one in used for name, on in first.on.items()):
        raise InputError("mix", "schedules", None, "schedules whose generators run in the same steps")

    def mean(parts: Sequence[Array]) -> Array:
        total: Array = sum((weight * part for (weight, _), part in zip(used, parts, strict=True)), start=0 * parts[0])
        return total

    def of_store(name: str) -> StoreUse:
        uses = [one.stores[name] for _, one in used]
        return StoreUse(*(mean([getattr(use, part.name) for use in uses]) for part in fields(StoreUse)))

    return Schedule(
        first.plant,
        first.needs,
        Flows(*(mean([getattr(one.flows, part.name) for _, one in used]) for part in fields(Flows))),
        {name: of_store(name) for name in STORES if name in first.stores},
        first.on,
        max(one.loss_bound for _, one in used),
    )


def count_starts(on: Mapping[str, npt.NDArray[np.bool_]]) -> dict[str, int]:
    """How often each of several generators starts, off before the first of the steps in which it is on or not."""
    return {name: int(steps[0]) + int((steps[1:] & ~steps[:-1]).sum()) for name, steps in on.items()}
