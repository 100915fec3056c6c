"""What devices do that nobody coordinates: each charges, heats and stores for itself.

PV feeds in all that the sun allows; cars charge as they come home; heat pumps follow a profile or their thermostat;
batteries serve the load of their own bus, step by step and without looking ahead. Nobody gives or takes reactive power.
Source: V. J. Nair et al., "Dynamic resource coordination can increase grid hosting capacity", static case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from agents.prosumer.car import charge_on_arrival
from agents.prosumer.fleet import Fleet, FleetInputs
from agents.prosumer.room import Rooms
from agents.prosumer.self_discharge import decays
from agents.prosumer.storage import step_energy, step_powers
from feeders.errors import InputError

__all__ = ["HeatPumps", "OwnProfiles", "own_profiles", "rated_share", "rooms_of"]

Array = npt.NDArray[np.float64]

HeatPumps = Literal["rated", "set-point"]

RATED_SHARE = ((0.0, 0.35), (10.0, 0.35), (18.0, 1.0), (19.0, 1.0), (24.0, 0.35))
"""Power over rating by hour of the day, straight lines between: an assumption, for the source counts heat pumps at
their full rating without a profile. Homes are warm and occupied in the evening, and none is idle
altogether at night."""

_DAYS = 4  # alike, until batteries end a day as they begin it
_ROUNDING_KWH = 1e-9


@dataclass(frozen=True)
class OwnProfiles:
    """What N rows of a fleet do in T steps, arrays of shape (T, N).

    Attributes
    ----------
    p_pv_kw : array
        PV fed in, >= 0.
    p_battery_kw : array
        > 0 charges.
    battery_kwh : array
        At the end of each step.
    p_ev_kw : array
        Power of chargers, >= 0.
    ev_kwh : array
        At the end of each step.
    p_hp_kw : array
        Electric power of heat pumps, >= 0.
    room_c : array
        At the end of each step; the set-point where there is no heat pump, NaN for the profile "rated", which is of the
        meter and says nothing of a room.
    """

    p_pv_kw: Array
    p_battery_kw: Array
    battery_kwh: Array
    p_ev_kw: Array
    ev_kwh: Array
    p_hp_kw: Array
    room_c: Array

    @property
    def p_kw(self) -> Array:
        """Net active power of each row's devices, > 0 consumed."""
        found: Array = self.p_battery_kw + self.p_ev_kw + self.p_hp_kw - self.p_pv_kw
        return found


def own_profiles(
    fleet: Fleet,
    inputs: FleetInputs,
    heat_pumps: HeatPumps = "set-point",
    *,
    buses: npt.ArrayLike,
) -> OwnProfiles:
    """The day of a fleet that nobody coordinates.

    Batteries charge from the surplus of their bus and discharge to cover its load (base load, cars and heat pumps less
    PV). Those at one bus share, in proportion to what each can. The day is one among many alike: batteries begin with
    what they end with, not with `Fleet.battery_soc_start`, which is where a coordinator has to return to.

    Parameters
    ----------
    fleet : Fleet
    inputs : FleetInputs
    heat_pumps : {"rated", "set-point"}
        The profile `RATED_SHARE` of the rating, or what holds the set-point of each room.
    buses : array of int, shape (n_buses,)
        Bus indices of the columns of `inputs.p_load_kw`, `feeder.buses`.

    Raises
    ------
    InputError
        For a row at a bus that has no column.
    """
    column = _columns(fleet, buses)
    n_steps = len(inputs)
    p_pv_kw = inputs.pv_share[:, None] * fleet.pv_kw
    p_ev_kw, ev_kwh = charge_on_arrival(fleet, n_steps, inputs.step_h, inputs.start_h)
    p_hp_kw, room_c = _heat_pumps(fleet, inputs, heat_pumps)
    net_kw = inputs.p_load_kw.copy()
    np.add.at(net_kw.T, column, (p_ev_kw + p_hp_kw - p_pv_kw).T)
    p_battery_kw, battery_kwh = _batteries(fleet, net_kw, column, inputs.step_h)
    return OwnProfiles(p_pv_kw, p_battery_kw, battery_kwh, p_ev_kw, ev_kwh, p_hp_kw, room_c)


def rated_share(n_steps: int, step_h: float, start_h: float = 0.0) -> Array:
    """`RATED_SHARE` at the middle of each step, shape (n_steps,)."""
    hour = np.mod(start_h + (np.arange(n_steps) + 0.5) * step_h, 24.0)
    hours, shares = zip(*RATED_SHARE, strict=True)
    found: Array = np.interp(hour, hours, shares)
    return found


def rooms_of(fleet: Fleet) -> Rooms:
    """One room of each row, with its heat pump."""
    return Rooms(fleet.hp_unit_kw, fleet.cop, fleet.r_k_per_kw, fleet.c_kwh_per_k, fleet.set_point_c, fleet.hp_ramp)


def _columns(fleet: Fleet, buses: npt.ArrayLike) -> npt.NDArray[np.int64]:
    known = np.asarray(buses, dtype=np.int64)
    if not len(fleet):
        return np.zeros(0, dtype=np.int64)
    order = np.argsort(known)
    found: npt.NDArray[np.int64] = order[np.minimum(np.searchsorted(known, fleet.bus, sorter=order), len(known) - 1)]
    lost = known[found] != fleet.bus
    if lost.any():
        row = int(np.argmax(lost))
        allowed = f"a bus of the feeder, such as {', '.join(map(str, known[:5].tolist()))}"
        raise InputError("fleet", f"{fleet.names[row]}.bus", int(fleet.bus[row]), allowed)
    return found


def _heat_pumps(fleet: Fleet, inputs: FleetInputs, heat_pumps: HeatPumps) -> tuple[Array, Array]:
    owned = fleet.hp_kw > 0
    if heat_pumps == "rated":
        share = rated_share(len(inputs), inputs.step_h, inputs.start_h)
        return share[:, None] * fleet.hp_kw, np.where(owned, np.nan, fleet.set_point_c) + np.zeros((len(inputs), 1))
    unit_kw, room_c = rooms_of(fleet).thermostat(fleet.set_point_c, inputs.t_out_c, inputs.step_h)
    return unit_kw * fleet.n_rooms, np.where(owned, room_c, fleet.set_point_c)


def _batteries(fleet: Fleet, net_kw: Array, column: npt.NDArray[np.int64], step_h: float) -> tuple[Array, Array]:
    """Power and energy of all batteries on the last of some days alike, shape (T, N) each."""
    start = fleet.battery_soc_start * fleet.battery_kwh
    for _ in range(_DAYS):
        p_kw, energy_kwh = _battery_day(fleet, net_kw, column, step_h, start)
        if not len(energy_kwh) or np.allclose(energy_kwh[-1], start, rtol=0, atol=_ROUNDING_KWH):
            break
        start = energy_kwh[-1]
    return p_kw, energy_kwh


def _battery_day(
    fleet: Fleet, net_kw: Array, column: npt.NDArray[np.int64], step_h: float, energy: Array
) -> tuple[Array, Array]:
    n_buses, capacity, efficiency = net_kw.shape[1], fleet.battery_kwh, fleet.battery_efficiency
    least = fleet.battery_soc_min * capacity
    lost, gain = decays(fleet.battery_self_discharge_per_h, step_h)
    # The rated power is at the grid's side, the ramps of `step_powers` at the battery's.
    ramps = fleet.battery_kw * efficiency, fleet.battery_kw / efficiency, efficiency, efficiency
    p_kw, energy_kwh = np.empty((2, len(net_kw), len(fleet)))
    for step, net in enumerate(net_kw):
        lowest, highest = step_powers(energy, lost, gain, least, capacity, *ramps)
        room = np.where(net[column] < 0, highest, lowest)
        whole = np.bincount(column, room, n_buses)
        share = np.divide(-net, whole, out=np.zeros(n_buses), where=whole != 0)
        p_kw[step] = room * np.minimum(share, 1.0)[column]
        energy = energy_kwh[step] = step_energy(energy, p_kw[step], lost, gain, efficiency, efficiency, least)
    return p_kw, energy_kwh
