"""What a solution of a dispatch's program says of every device."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agents.dso.dispatch.device_rows import start_share
from agents.dso.dispatch.dispatched import Operation
from agents.dso.dispatch.network import VOLTAGE
from agents.dso.dispatch.program import ScenarioProgram
from agents.dso.dispatch.settings import Weights
from agents.dso.dispatch.wires import Point, Wires
from agents.prosumer.car import car_after, driven_kwh
from agents.prosumer.fleet import Fleet, FleetInputs
from agents.prosumer.own_profiles import rooms_of
from agents.prosumer.self_discharge import decays

__all__ = ["at_nodes", "nodal_prices", "operation", "terms", "voltages_pu"]

Array = npt.NDArray[np.float64]


def operation(
    program: ScenarioProgram, y: Array, wires: Wires, fleet: Fleet, inputs: FleetInputs, net: bool = True
) -> Operation:
    """Powers and energies of a solution, for a fleet with the ratings that it chose.

    With `net` what is left of charging and discharging at once becomes one direction with the same energy stored.
    """
    n_steps, n = len(inputs), len(fleet)

    def of(name: str) -> Array:
        found = np.zeros((n_steps, n))
        group = program.groups.get(name)
        if group is not None:
            found[:, group.of] = y[group.index]
        return found

    sun = inputs.pv_share[:, None] * fleet.pv_kw
    curtailed = np.clip(of("curtailed"), 0.0, sun)
    charge, discharge, ev_charge, ev_discharge = (
        np.maximum(of(name), 0.0) for name in ("charge", "discharge", "ev_charge", "ev_discharge")
    )
    if net:
        charge, discharge = netted(charge, discharge, fleet.battery_efficiency)
        ev_charge, ev_discharge = netted(ev_charge, ev_discharge, fleet.ev_efficiency)
    ev_last = fleet.ev_soc_target * fleet.ev_kwh + (of("ev_over") - of("ev_short"))[-1]
    heat_kwh_per_k = np.where(fleet.hp_kw > 0, fleet.n_rooms * fleet.c_kwh_per_k, np.inf)
    room_last = fleet.set_point_c + (of("warmer") - of("colder"))[-1] / heat_kwh_per_k
    p_hp = np.clip(of("hp"), 0.0, fleet.hp_kw)
    return Operation(
        p_pv_kw=sun - curtailed,
        p_curtailed_kw=curtailed,
        p_charge_kw=charge,
        p_discharge_kw=discharge,
        battery_kwh=_battery_kwh(charge, discharge, fleet, inputs.step_h),
        p_ev_charge_kw=ev_charge,
        p_ev_discharge_kw=ev_discharge,
        ev_kwh=_ev_kwh(ev_last, ev_charge, ev_discharge, fleet, inputs),
        p_hp_kw=p_hp,
        room_c=_room_c(room_last, p_hp, fleet, inputs),
        q_kvar=_reactive(program, y, wires, fleet, n_steps),
    )


def netted(charge: Array, discharge: Array, efficiency: Array) -> tuple[Array, Array]:
    """One direction instead of both, with the same energy stored; shapes (T, N) and (N,)."""
    stored = charge * efficiency - discharge / efficiency
    return np.maximum(stored, 0.0) / efficiency, np.maximum(-stored, 0.0) * efficiency


def _battery_kwh(charge: Array, discharge: Array, fleet: Fleet, step_h: float) -> Array:
    """Energy from the powers, so that its ledger closes but for rounding."""
    lost, gain = decays(fleet.battery_self_discharge_per_h, step_h)
    eta, least = fleet.battery_efficiency, fleet.battery_soc_min * fleet.battery_kwh
    energy, found = start_share(fleet) * fleet.battery_kwh, np.empty_like(charge)
    for step, stored in enumerate(charge * eta - discharge / eta):
        energy = found[step] = energy + gain * stored - lost * (energy - least)
    return found


def _ev_kwh(last: Array, charge: Array, discharge: Array, fleet: Fleet, inputs: FleetInputs) -> Array:
    driven = driven_kwh(fleet, len(inputs), inputs.step_h, inputs.start_h)
    energy, found = last, np.empty_like(charge)
    for step in range(len(inputs)):
        powers = charge[step], discharge[step]
        energy = found[step] = car_after(energy, *powers, driven[step], fleet.ev_efficiency, inputs.step_h)
    return found


def _room_c(last: Array, p_hp: Array, fleet: Fleet, inputs: FleetInputs) -> Array:
    owned = fleet.hp_kw > 0
    one_kw = np.divide(p_hp, fleet.n_rooms, out=np.zeros_like(p_hp), where=owned)
    course = rooms_of(fleet).course(last, one_kw, inputs.t_out_c, inputs.step_h)
    found: Array = np.where(owned, course, fleet.set_point_c)
    return found


def _reactive(program: ScenarioProgram, y: Array, wires: Wires, fleet: Fleet, n_steps: int) -> Array:
    """Reactive power of each node's inverters, shared by what each can."""
    group = program.groups.get("q_inverter")
    if group is None:
        return np.zeros((n_steps, len(fleet)))
    node, can = wires.node_of(fleet), fleet.q_share * (fleet.pv_kw + fleet.battery_kw)
    together, whole = wires.summed(node, can[None])[0], np.zeros((n_steps, len(wires.grid)))
    whole[:, group.of] = y[group.index]
    share = np.divide(can, together[node], out=np.zeros(len(fleet)), where=together[node] > 0)
    found: Array = whole[:, node] * share
    return found


def at_nodes(wires: Wires, fleet: Fleet, inputs: FleetInputs, done: Operation) -> tuple[Array, Array]:
    """Active and reactive power consumed at each node of the grid, load included, shape (T, n)."""
    node = wires.node_of(fleet)
    p = wires.grid.per_row(inputs.p_load_kw) + wires.summed(node, done.p_kw)
    q = wires.grid.per_row(inputs.q_load_kvar) - wires.summed(node, done.q_kvar)
    return p, q


def voltages_pu(program: ScenarioProgram, y: Array, wires: Wires) -> Array:
    """Voltages of the program at the buses [p.u. of the model], shape (T, n_buses); NaN where not energised."""
    u = np.sqrt(np.maximum(y[program.groups["v"].index] / VOLTAGE, 0.0))
    row = wires.grid.row_of_bus
    found: Array = np.where(row >= 0, (u * wires.grid.scale)[:, row], np.nan)
    return found


def nodal_prices(program: ScenarioProgram, row_duals: Array, wires: Wires, step_h: float) -> Array:
    """Nodal prices of active power [currency/kWh], shape (T, n_buses); NaN where a bus is not energised."""
    row = wires.grid.row_of_bus
    found: Array = np.where(row >= 0, row_duals[program.balance.p][:, row] / step_h, np.nan)
    return found


def terms(
    done: Operation, fleet: Fleet, inputs: FleetInputs, weights: Weights, wires: Wires, point: Point
) -> dict[str, float]:
    """The parts of the objective by the names of `Weights` [currency], with imports and losses of exact flows."""
    hours, share = inputs.step_h, inputs.pv_share[:, None]
    home = ~fleet.away(hours, len(inputs), inputs.start_h)
    losses_kw = (wires.grid.r_pu * point.l_pu2).sum(axis=1) * wires.grid.base_kva
    import_kw = point.p_kw[:, wires.roots].sum(axis=1)
    short_kwh = np.maximum(fleet.ev_soc_target * fleet.ev_kwh - done.ev_kwh, 0.0)
    charged, changed = done.p_charge_kw + done.p_ev_charge_kw, np.abs(np.diff(done.p_hp_kw, axis=0))
    off_k = np.abs(done.room_c - fleet.set_point_c) * fleet.n_rooms
    found = {
        "curtailment": weights.curtailment * done.p_curtailed_kw.sum() * hours,
        "losses": weights.losses * losses_kw.sum() * hours,
        "sunny_charging": -weights.sunny_charging * (share * charged).sum() * hours,
        "discomfort": weights.discomfort * off_k.sum() * hours,
        "hp_cycling": weights.hp_cycling * changed.sum(),
        "battery_cycling": weights.battery_cycling * (done.p_charge_kw + done.p_discharge_kw).sum() * hours,
        "ev_cycling": weights.ev_cycling * (done.p_ev_charge_kw + done.p_ev_discharge_kw).sum() * hours,
        "ev_tracking": weights.ev_tracking * (short_kwh * home).sum() * hours,
        "import_price": weights.import_price * (inputs.price * import_kw).sum() * hours,
    }
    return {name: float(value) for name, value in found.items()}
