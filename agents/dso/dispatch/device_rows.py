"""Rows of a program for devices: PV, batteries, cars and heat pumps of a fleet, whose ratings may be chosen.

Everything that a rating scales is a column in kW or kWh: energies above the least one, and temperatures off the
set-point times the rooms' heat capacity. With ratings as variables the program therefore stays linear. Each day ends as
it starts: batteries at their starting energy, cars and rooms wherever the program likes best.

Devices, source: V. J. Nair et al., "Dynamic resource coordination can increase grid hosting capacity", DER modeling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.dso.dispatch.affine import Affine
from agents.dso.dispatch.builder import Builder
from agents.dso.dispatch.settings import DispatchSettings
from agents.dso.dispatch.sizing import Sizing
from agents.prosumer.car import driven_kwh
from agents.prosumer.fleet import Fleet, FleetInputs
from agents.prosumer.room import heats
from agents.prosumer.self_discharge import decays

__all__ = ["Devices", "Use", "device_rows", "start_share"]

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Use:
    """Columns that consume active power (+1) or give it (-1), of rows of the fleet, shape (T, k)."""

    columns: IntArray
    of: IntArray
    sign: float


@dataclass(frozen=True)
class Devices:
    """A fleet with ratings that may depend on x, in its surroundings.

    Attributes
    ----------
    most : Fleet
        With ratings at their highest, for bounds of what can flow.
    """

    fleet: Fleet
    inputs: FleetInputs
    sizing: Sizing
    most: Fleet

    @classmethod
    def of(cls, fleet: Fleet, inputs: FleetInputs, sizing: Sizing, x_upper: Array) -> Devices:
        """The devices of a fleet with ratings of at most those at `x_upper` (all ratings rise with x)."""
        return cls(fleet, inputs, sizing, sizing.fleet(fleet, x_upper))

    def rating(self, name: str, of: IntArray) -> Affine:
        """Ratings of some rows, as the first stage has them."""
        per_x = self.sizing.per_x.get(name, sparse.csr_array((len(self.fleet), self.sizing.n_x)))
        return Affine(getattr(self.fleet, name)[of], sparse.csr_array(sparse.csr_array(per_x)[of]))

    def owners(self, *names: str) -> IntArray:
        """Rows that have, or may have, one of some devices."""
        return np.flatnonzero(sum(getattr(self.most, name) for name in names) > 0)

    def per_step(self, values: Array) -> Array:
        """Values of rows, shape (k,), in every step, shape (T, k)."""
        return np.broadcast_to(values, (len(self.inputs), len(values)))


def device_rows(builder: Builder, devices: Devices, settings: DispatchSettings) -> list[Use]:
    """Columns and rows of all devices, and which of the columns consume or give power.

    PV enters without its columns: what the sun allows is known (or linear in x); only `curtailed` is a column.
    """
    uses = _curtailment(builder, devices, settings)
    uses += _batteries(builder, devices, settings)
    uses += _cars(builder, devices, settings)
    uses += _heat_pumps(builder, devices, settings)
    return uses


def _curtailment(builder: Builder, devices: Devices, settings: DispatchSettings) -> list[Use]:
    of = devices.owners("pv_kw")
    if not settings.curtailable or not len(of):
        return []
    share = devices.inputs.pv_share[:, None]
    cost = settings.weights.curtailment * devices.inputs.step_h
    columns = builder.columns("curtailed", of, 0.0, np.inf, cost)
    builder.at_most(columns, devices.rating("pv_kw", of).times(share * np.ones(len(of))))
    return [Use(columns, of, 1.0)]


def _batteries(builder: Builder, devices: Devices, settings: DispatchSettings) -> list[Use]:
    of = devices.owners("battery_kw")
    if not len(of):
        return []
    fleet, inputs, weights = devices.fleet, devices.inputs, settings.weights
    cycling = weights.battery_cycling * inputs.step_h
    sunny = weights.sunny_charging * inputs.step_h * inputs.pv_share[:, None]
    charge = builder.columns("charge", of, 0.0, np.inf, cycling - sunny)
    discharge = builder.columns("discharge", of, 0.0, np.inf, cycling)
    energy = builder.columns("energy", of, 0.0, np.inf)  # above the least one
    rating = devices.rating("battery_kw", of)
    for columns in (charge, discharge):
        builder.at_most(columns, rating.times(devices.per_step(np.ones(len(of)))))
    hours = fleet.battery_h[of]
    span, start = (
        hours * (share[of] - fleet.battery_soc_min[of]) for share in (np.ones(len(fleet)), start_share(fleet))
    )
    builder.at_most(energy, rating.times(devices.per_step(span)))
    lost, gain = decays(fleet.battery_self_discharge_per_h[of], inputs.step_h)
    efficiency = fleet.battery_efficiency[of]
    before = np.roll(energy, 1, axis=0)
    ledger: list[tuple[IntArray, Array | float]] = [
        (energy, 1.0),
        (before, lost - 1.0),
        (charge, -gain * efficiency),
        (discharge, gain / efficiency),
    ]
    builder.rows(ledger, 0.0, 0.0)
    builder.rows([(energy[-1], 1.0)], 0.0, 0.0, rating.times(start))
    return [Use(charge, of, 1.0), Use(discharge, of, -1.0)]


def start_share(fleet: Fleet) -> Array:
    """Energy of batteries as each day begins and ends, as a share; never below the least."""
    return np.maximum(fleet.battery_soc_start, fleet.battery_soc_min)


def _cars(builder: Builder, devices: Devices, settings: DispatchSettings) -> list[Use]:
    of = devices.owners("ev_kw")
    if not len(of):
        return []
    fleet, inputs, weights = devices.fleet, devices.inputs, settings.weights
    step_h, rating = inputs.step_h, devices.rating("ev_kw", of)
    home = ~fleet.away(step_h, len(inputs), inputs.start_h)[:, of]
    cycling = weights.ev_cycling * step_h
    sunny = weights.sunny_charging * step_h * inputs.pv_share[:, None]
    charge = builder.columns("ev_charge", of, 0.0, np.inf, cycling - sunny)
    discharge = builder.columns("ev_discharge", of, 0.0, np.inf, cycling)
    builder.at_most(charge, rating.times(home.astype(float)))
    builder.at_most(discharge, rating.times((home & fleet.ev_v2g[of]).astype(float)))
    # Energy is the target less `ev_short` plus `ev_over`.
    least = np.minimum(fleet.ev_soc_min, fleet.ev_soc_target)[of]
    target, hours = fleet.ev_soc_target[of], fleet.ev_h[of]
    leaving = home & ~np.roll(home, -1, axis=0)
    short = builder.columns("ev_short", of, 0.0, np.inf, weights.ev_tracking * step_h * home.astype(float))
    over = builder.columns("ev_over", of, 0.0, np.inf)
    builder.at_most(short, rating.times(np.where(leaving, 0.0, hours * (target - least))))
    builder.at_most(over, rating.times(devices.per_step(hours * (1.0 - target))))
    efficiency = fleet.ev_efficiency[of]
    ledger: list[tuple[IntArray, Array | float]] = [(over, 1.0), (short, -1.0)]
    ledger += [(np.roll(over, 1, axis=0), -1.0), (np.roll(short, 1, axis=0), 1.0)]
    ledger += [(charge, -step_h * efficiency), (discharge, step_h / efficiency)]
    unit = driven_kwh(fleet.with_ratings(ev_kw=np.ones(len(fleet))), len(inputs), step_h, inputs.start_h)[:, of]
    builder.rows(ledger, 0.0, 0.0, rating.times(-unit))
    return [Use(charge, of, 1.0), Use(discharge, of, -1.0)]


def _heat_pumps(builder: Builder, devices: Devices, settings: DispatchSettings) -> list[Use]:
    of = devices.owners("hp_kw")
    if not len(of):
        return []
    fleet, inputs, weights = devices.fleet, devices.inputs, settings.weights
    n_steps, step_h, rating = len(inputs), inputs.step_h, devices.rating("hp_kw", of)
    heat_kwh_per_k = (fleet.c_kwh_per_k / fleet.hp_unit_kw)[of]  # per kW of rating
    per_kwh = weights.discomfort * step_h / fleet.c_kwh_per_k[of]
    power = builder.columns("hp", of, 0.0, np.inf)
    warmer = builder.columns("warmer", of, 0.0, np.inf, per_kwh)  # than the set-point, times the heat capacity [kWh]
    colder = builder.columns("colder", of, 0.0, np.inf, per_kwh)
    most = rating.times(devices.per_step(np.ones(len(of))))
    builder.at_most(power, most)
    band = rating.times(devices.per_step(heat_kwh_per_k * fleet.comfort_k[of]))
    builder.at_most(warmer, band)
    builder.at_most(colder, band)
    _changes(builder, power, of, rating, fleet.hp_ramp[of], weights.hp_cycling)
    t_out = inputs.t_out_c[:, None]
    theta = np.exp(-step_h / (fleet.r_k_per_kw * fleet.c_kwh_per_k))[of]
    sign = heats(t_out, fleet.set_point_c[of])
    per_kw = sign * (1 - theta) * (fleet.r_k_per_kw * fleet.cop * fleet.c_kwh_per_k)[of]
    course: list[tuple[IntArray, Array | float]] = [(warmer, 1.0), (colder, -1.0), (power, -per_kw)]
    course += [(np.roll(warmer, 1, axis=0), -theta), (np.roll(colder, 1, axis=0), theta)]
    outside = (1 - theta) * heat_kwh_per_k * (t_out - fleet.set_point_c[of])
    builder.rows(course, 0.0, 0.0, rating.times(np.broadcast_to(outside, (n_steps, len(of)))))
    return [Use(power, of, 1.0)]


def _changes(builder: Builder, power: IntArray, of: IntArray, rating: Affine, ramp: Array, cost: float) -> None:
    """Changes of power from step to step, `more` and `less`, within the ramp; none across the end of the day."""
    more = builder.columns("more", of, 0.0, np.inf, cost)
    less = builder.columns("less", of, 0.0, np.inf, cost)
    allowed = np.broadcast_to(np.minimum(ramp, 1.0), power.shape).copy()
    allowed[0] = 0.0
    for columns in (more, less):
        builder.at_most(columns, rating.times(allowed))
    if len(power) > 1:
        changes = [(power[1:], 1.0), (power[:-1], -1.0), (more[1:], -1.0), (less[1:], 1.0)]
        builder.rows(changes, 0.0, 0.0)
