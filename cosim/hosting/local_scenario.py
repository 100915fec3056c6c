"""The scenario in which a fleet's rows are prosumers: their profiles, what they own, the feeder without its loads."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.prosumer.fleet import Fleet, FleetInputs
from agents.prosumer.own_profiles import HeatPumps, own_profiles
from cosim.hosting.case import HostingCase
from cosim.prosumer_spec import ProsumerSpec
from cosim.scenario import FeederSpec, Scenario, VoltageSpec
from cosim.tariff import RealTimeTariff
from feeders import Feeder
from feeders.errors import InputError

__all__ = [
    "MARKET_MIN",
    "RECORD",
    "Carriers",
    "LocalLoop",
    "carriers",
    "day_profiles",
    "local_scenario",
    "without_loads",
]

MARKET_MIN = 15
"""Length of a market step [min]."""

RECORD = ("p_load_kw", "p_curtailed_kw", "p_meter_kw", "q_inverter_kvar")

_START = datetime(2016, 6, 8, tzinfo=UTC)  # any day
_LEAST_KW = 1e-9


@dataclass(frozen=True)
class LocalLoop:
    """How the loop is closed.

    Attributes
    ----------
    mode : {"closed-loop", "settled"}
        Whether rules act on the voltage of the minute before, or are exchanged with the power flow until it rests.
    kappa : float
        What export is paid over the price of import, from 0 to 1.
    control_step_min : int
        Length of a control step.
    """

    mode: Literal["closed-loop", "settled"] = "closed-loop"
    kappa: float = 1.0
    control_step_min: int = 1


@dataclass(frozen=True)
class Carriers:
    """Who has the load of each bus: the first row there (of_row), or a prosumer without devices (others)."""

    of_row: npt.NDArray[np.bool_]
    others: Sequence[int]


def carriers(case: HostingCase, fleet: Fleet) -> Carriers:
    """Who has the load of which bus; that of sources is left out, as it changes nothing."""
    column = case.feeder.bus_positions(fleet.bus.tolist())
    first = np.zeros(len(fleet), dtype=bool)
    first[np.unique(column, return_index=True)[1]] = True
    sources = np.isin(case.feeder.nodal.node_of_bus, case.feeder.nodal.slack_nodes)
    loaded = (case.inputs.p_load_kw != 0).any(axis=0) | (case.inputs.q_load_kvar != 0).any(axis=0)
    rest = np.flatnonzero(loaded & case.feeder.energised & ~sources & ~np.isin(np.arange(len(loaded)), column))
    return Carriers(first, rest.tolist())


def day_profiles(case: HostingCase, fleet: Fleet, fine: FleetInputs, heat_pumps: HeatPumps) -> pd.DataFrame:
    """Load of each bus [kW], sun and price, chargers and heat pumps of each row [kW per kW rated]."""
    own = own_profiles(fleet, fine, heat_pumps, buses=case.feeder.buses)
    times = pd.date_range(_START, periods=len(fine), freq=f"{MARKET_MIN}min", name="time")
    columns = {"sun": fine.pv_share, "price": fine.price, "nothing": np.zeros(len(fine))}
    columns |= {f"load-{bus}": fine.p_load_kw[:, k] for k, bus in enumerate(case.feeder.buses)}
    for kind, p_kw, rating in (("ev", own.p_ev_kw, fleet.ev_kw), ("hp", own.p_hp_kw, fleet.hp_kw)):
        rows = np.flatnonzero(rating > _LEAST_KW)
        columns |= {f"{kind}-{row}": p_kw[:, row] / rating[row] for row in rows}
    return pd.DataFrame(columns, index=pd.Index(times.strftime("%Y-%m-%dT%H:%MZ"), name="time"))


def _voltages(case: HostingCase, fleet: Fleet) -> VoltageSpec:
    """Rules act in full at the tightest limits of the buses where devices are."""
    at = case.feeder.bus_positions(fleet.bus.tolist())
    low, high = case.feeder.vm_min_pu[at], case.feeder.vm_max_pu[at]
    return VoltageSpec(vm_min_pu=float(low.max()), vm_max_pu=float(high.min()))


def local_scenario(
    case: HostingCase, fleet: Fleet, rule: str, loop: LocalLoop, file: Path, carries: Carriers
) -> Scenario:
    """Rows of the fleet first, in their order, then loads that have no devices; profiles and prices are in `file`."""
    people = [_prosumer(case, fleet, row, bool(carries.of_row[row])) for row in range(len(fleet))]
    for column in carries.others:
        bus = int(case.feeder.buses[column])
        nothing: dict[str, Any] = {
            "pv_profile": "nothing",
            "pv_kwp": 0.0,
            "battery_kwh": 0.0,
            "inverter_kva": 0.0,
            "optimise": False,
        }
        people.append(ProsumerSpec(id=f"load-{bus}", bus=bus, **_load(case, column), **nothing))
    return Scenario(
        name="hosting",
        start=_START,
        days=1,
        market_step_min=MARKET_MIN,
        control_step_min=loop.control_step_min,
        mode=loop.mode,
        rule=rule,
        voltage=_voltages(case, fleet),
        record=RECORD,
        feeder=FeederSpec(name=case.feeder.name, engine=str(getattr(case.engine, "name", "auto"))),
        tariff=RealTimeTariff(file=str(file), column="price", unit="currency/kWh", kappa=loop.kappa),
        profiles_file=str(file),
        prosumers=tuple(people),
    )


def _prosumer(case: HostingCase, fleet: Fleet, row: int, has_load: bool) -> ProsumerSpec:
    column = int(case.feeder.bus_positions([int(fleet.bus[row])])[0])
    pv_kw, battery_kw = float(fleet.pv_kw[row]), float(fleet.battery_kw[row])
    kwh = float(fleet.battery_kwh[row])
    ev_kw, hp_kw = float(fleet.ev_kw[row]), float(fleet.hp_kw[row])
    more: dict[str, Any] = _load(case, column) if has_load else {"load_profile": "nothing", "flexible_share": 0.0}
    if ev_kw > _LEAST_KW:
        more |= {"ev_charger_kw": ev_kw, "ev_profile": f"ev-{row}"}
    if hp_kw > _LEAST_KW:
        more |= {"hp_kw": hp_kw, "heat_profile": f"hp-{row}"}
    return ProsumerSpec(
        id=f"row-{row}",
        bus=int(fleet.bus[row]),
        pv_profile="sun",
        pv_kwp=pv_kw,
        battery_kwh=kwh,
        battery_min_kwh=float(fleet.battery_soc_min[row]) * kwh,
        battery_c_charge=1 / float(fleet.battery_h[row]),
        battery_c_discharge=1 / float(fleet.battery_h[row]),
        efficiency_charge=float(fleet.battery_efficiency[row]),
        efficiency_discharge=float(fleet.battery_efficiency[row]),
        self_discharge_per_h=float(fleet.battery_self_discharge_per_h[row]),
        energy_start_kwh=float(fleet.battery_soc_start[row]) * kwh,
        inverter_kva=(pv_kw + battery_kw) * float(np.hypot(1.0, fleet.q_share[row])),
        optimise=battery_kw > _LEAST_KW,
        **more,
    )


def _load(case: HostingCase, column: int) -> dict[str, Any]:
    """The load of a bus, with the power factor of its day."""
    bus = int(case.feeder.buses[column])
    p_kw, q_kvar = (float(q[:, column].sum()) for q in (case.inputs.p_load_kw, case.inputs.q_load_kvar))
    if q_kvar < 0 or p_kw < 0:
        allowed = "loads that consume active and reactive power, for the minute loop"
        raise InputError(f"feeder {case.feeder.name!r}", f"load at bus {bus}", (p_kw, q_kvar), allowed)
    factor = p_kw / float(np.hypot(p_kw, q_kvar)) if p_kw > 0 else 1.0
    return {"load_profile": f"load-{bus}", "load_power_factor": factor, "flexible_share": 0.0}


def without_loads(feeder: Feeder, fleet: Fleet) -> Feeder:
    """The same feeder, whose loads are now those of prosumers."""
    net = copy.deepcopy(feeder.net)
    net.load = net.load.drop(index=feeder.prosumer_loads)  # the new feeder brings its own
    for table in ("load", "sgen", "storage"):
        net[table]["scaling"] = 0.0
    limits = {"min_vm_pu": feeder.vm_min_pu, "max_vm_pu": feeder.vm_max_pu}
    for name, values in limits.items():
        net.bus[name] = values
    return Feeder(net, feeder.name, connection_buses=np.unique(np.r_[feeder.connection_buses, fleet.bus]).tolist())
