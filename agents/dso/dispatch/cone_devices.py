"""Devices of a fleet as rows and columns of a program with cones, ratings as they are or along a direction.

Each family is written for itself, equation by equation, and shares nothing with the linear program: so that one checks
the other. Energies are in kWh and temperatures the sum of the rooms' excess over the set-point [K], so that all is
linear in ratings too.

Source of the devices: V. J. Nair et al., "Dynamic resource coordination can increase grid hosting capacity", DER
modeling.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from agents.dso.dispatch.conic import ConicProgram, Term
from agents.dso.dispatch.settings import Weights
from agents.prosumer.fleet import Fleet, FleetInputs

__all__ = ["ConeDevices"]

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Columns = dict[str, IntArray]


@dataclass
class ConeDevices:
    """Adds the devices of a fleet to a program, family by family; columns are given by the names of `Dispatch`.

    Attributes
    ----------
    program : ConicProgram
    fleet : Fleet
    inputs : FleetInputs
    weights : Weights
    curtailable : bool
    level : int
        Column of what scales `direction`, -1 without.
    direction : dict of str to array, shape (N,)
        kW of each rating per unit of the level.
    unit_kw : float
        What powers and energies are about.
    """

    program: ConicProgram
    fleet: Fleet
    inputs: FleetInputs
    weights: Weights
    curtailable: bool
    level: int
    direction: dict[str, Array]
    unit_kw: float

    def add(self) -> Columns:
        """All families; columns of shape (T, N), -1 where a row has no such device.

        `battery_kwh` is above the least energy, `room_c` the sum of the rooms' excess over the set-point.
        """
        pv, battery = self._has("pv_kw"), self._has("battery_kw")
        found: Columns = {}
        families = {
            "pv": pv,
            "batteries": battery,
            "cars": self._has("ev_kw"),
            "heat_pumps": self._has("hp_kw"),
            "inverters": pv | battery,
        }
        for family, there in families.items():
            for name, columns in getattr(self._rows(there), family)().items():
                found[name] = np.full((len(self.inputs), len(self.fleet)), -1, dtype=np.int64)
                found[name][:, there] = columns
        return found

    def pv(self) -> Columns:
        """What the sun allows is fed in or curtailed."""
        fed = self._columns()
        curtailed = self._columns() if self.curtailable else np.full_like(fed, -1)
        allowed, more = self._rating("pv_kw", self.inputs.pv_share[:, None])
        self.program.equal([(fed, 1.0), (curtailed, 1.0), more], allowed)
        self.program.cost("curtailment", curtailed, self.weights.curtailment * self.inputs.step_h)
        return {"p_pv_kw": fed, "p_curtailed_kw": curtailed}

    def batteries(self) -> Columns:
        """Energy of batteries, which end as they start; what is above the least energy leaks."""
        fleet, h, least = self.fleet, self.inputs.step_h, self.fleet.battery_soc_min
        charge, discharge, energy = self._columns(), self._columns(), self._columns()  # energy above the least
        self._within("battery_kw", energy, None, (1.0 - least) * fleet.battery_h)
        kept = (1.0 - fleet.battery_self_discharge_per_h) ** h
        leak = -np.log1p(-fleet.battery_self_discharge_per_h)  # per h, of the constant rate that leaves `kept`
        gain = np.where(leak > 0, (1.0 - kept) / np.where(leak > 0, leak, 1.0), h)
        self._ledger("battery_kw", energy, (charge, discharge), (kept, gain, fleet.battery_efficiency, 0.0))
        start = np.maximum(fleet.battery_soc_start - least, 0.0) * fleet.battery_h
        constant, more = self._rating("battery_kw", start)
        self.program.equal([(energy[-1], 1.0), more], constant)
        for power in (charge, discharge):
            self._within("battery_kw", power, None, 1.0)
            self.program.cost("battery_cycling", power, self.weights.battery_cycling * h)
        self._reward_sunny(charge)
        return {"p_charge_kw": charge, "p_discharge_kw": discharge, "battery_kwh": energy}

    def cars(self) -> Columns:
        """Energy of cars, charged at home, used away, at their target at each departure; the day repeats."""
        fleet, h, home = self.fleet, self.inputs.step_h, self._home()
        charge, discharge, energy, short = (self._columns() for _ in range(4))
        leaves = home & ~np.roll(home, -1, axis=0)
        least = np.where(leaves, np.maximum(fleet.ev_soc_target, fleet.ev_soc_min), fleet.ev_soc_min) * fleet.ev_h
        self._within("ev_kw", energy, least, fleet.ev_h)
        driven = np.where(home, 0.0, -self._driven_h())
        self._ledger("ev_kw", energy, (charge, discharge), (1.0, h, fleet.ev_efficiency, driven))
        for power, may in ((charge, home), (discharge, home & fleet.ev_v2g)):
            self._within("ev_kw", power, None, may.astype(float))
            self.program.cost("ev_cycling", power, self.weights.ev_cycling * h)
        self._reward_sunny(charge)
        wanted, (level, per_level) = self._rating("ev_kw", fleet.ev_soc_target * fleet.ev_h)
        self.program.at_most([(short, -1.0), (energy, -1.0), (level, -per_level)], -wanted)
        self.program.cost("ev_tracking", short, self.weights.ev_tracking * h * home)
        return {"p_ev_charge_kw": charge, "p_ev_discharge_kw": discharge, "ev_kwh": energy}

    def heat_pumps(self) -> Columns:
        """Rooms, which end a day as they begin it; ramps are not limited from the last step to the first."""
        fleet, h = self.fleet, self.inputs.step_h
        power, excess, off = (
            self._columns(),
            self.program.columns((len(self.inputs), len(self.fleet)), unit=self.unit_kw),
            self._columns(),
        )
        self._within("hp_kw", power, None, 1.0)
        self._within("hp_kw", excess, -fleet.comfort_k / fleet.hp_unit_kw, fleet.comfort_k / fleet.hp_unit_kw)
        theta = np.exp(-h / (fleet.r_k_per_kw * fleet.c_kwh_per_k))
        outside = self.inputs.t_out_c[:, None] - fleet.set_point_c
        sign = np.where(outside < 0, 1.0, -1.0)
        constant, more = self._rating("hp_kw", (1.0 - theta) * outside / fleet.hp_unit_kw)
        warms = (power, -(1.0 - theta) * sign * fleet.r_k_per_kw * fleet.cop)
        self.program.equal([(excess, 1.0), (np.roll(excess, 1, axis=0), -theta), warms, more], constant)
        self._magnitude(off, [(excess, 1.0)])
        self.program.cost("discomfort", off, self.weights.discomfort * h)
        change, step = self._columns()[1:], [(power[1:], 1.0), (power[:-1], -1.0)]
        self._magnitude(change, step)
        self._within("hp_kw", change, None, fleet.hp_ramp)
        self.program.cost("hp_cycling", change, self.weights.hp_cycling)
        return {"p_hp_kw": power, "room_c": excess}

    def inverters(self) -> Columns:
        """Reactive power of PV and batteries within their shares."""
        q = self.program.columns((len(self.inputs), len(self.fleet)), unit=self.unit_kw)
        (of_pv, more), (of_battery, still) = (
            self._rating(each, self.fleet.q_share) for each in ("pv_kw", "battery_kw")
        )
        for side in (1.0, -1.0):
            self.program.at_most([(q, side), more, still], of_pv + of_battery)
        return {"q_kvar": q}

    def _has(self, name: str) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = getattr(self.fleet, name) > 0
        return found | (self.direction[name] > 0) if name in self.direction else found

    def _rows(self, there: npt.NDArray[np.bool_]) -> ConeDevices:
        along = {name: kw[there] for name, kw in self.direction.items()}
        return replace(self, fleet=self.fleet.rows(there), direction=along)

    def _columns(self) -> IntArray:
        return self.program.columns((len(self.inputs), len(self.fleet)), 0.0, unit=self.unit_kw)

    def _rating(self, name: str, factor: npt.ArrayLike) -> tuple[Array, Term]:
        """A factor times a rating as right-hand side, and what the level adds to it as a term on the left side."""
        along = self.direction.get(name, np.zeros(len(self.fleet)))
        constant: Array = factor * getattr(self.fleet, name)
        return constant, (self.level, -np.asarray(factor) * along)

    def _within(self, name: str, columns: IntArray, least: npt.ArrayLike | None, most: npt.ArrayLike) -> None:
        """Bounds per kW of a rating."""
        for side, bound in ((-1.0, least), (1.0, most)):
            if bound is not None:
                constant, more = self._rating(name, side * np.asarray(bound))
                self.program.at_most([(columns, side), more], constant)

    def _ledger(self, name: str, energy: IntArray, powers: tuple[IntArray, IntArray], of: tuple[Any, ...]) -> None:
        """Energy after each step, the last before the first.

        From the share of it that is kept, the energy per power, the efficiency, and what comes in beside, per kW.
        """
        (kept, gain, efficiency, beside), (charge, discharge) = of, powers
        constant, more = self._rating(name, np.broadcast_to(beside, energy.shape))
        flows: list[Term] = [(charge, -gain * efficiency), (discharge, gain / efficiency)]
        self.program.equal([(energy, 1.0), (np.roll(energy, 1, axis=0), -np.asarray(kept)), *flows, more], constant)

    def _magnitude(self, columns: IntArray, of: list[Term]) -> None:
        """Columns are not below the magnitude of a sum of terms."""
        for side in (1.0, -1.0):
            self.program.at_most([(columns, -1.0), *((each, side * by) for each, by in of)])

    def _home(self) -> npt.NDArray[np.bool_]:
        return ~self.fleet.away(self.inputs.step_h, len(self.inputs), self.inputs.start_h)

    def _driven_h(self) -> Array:
        """Energy that a step away takes, per kW of the charger [h]: a day's driving spread over a day's steps away."""
        step_h = self.inputs.step_h
        a_day = self.fleet.away(step_h, int(np.ceil(24.0 / step_h - 1e-9)), self.inputs.start_h).sum(axis=0)
        found: Array = self.fleet.ev_trip_h / np.maximum(a_day, 1)
        return found

    def _reward_sunny(self, charge: IntArray) -> None:
        per_kw = -self.weights.sunny_charging * self.inputs.step_h * self.inputs.pv_share[:, None]
        self.program.cost("sunny_charging", charge, per_kw)
