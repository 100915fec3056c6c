"""A source, a line and one bus: how much it takes can be written down, from the circuit's own quadratic.

With s = |V| of the bus, line z = r + jx [p.u.], source voltage V0, and P fed in at the bus at unity power factor:

    V0^2 = s^2 - 2 r P + |z|^2 P^2 / s^2        (branch flow model, from the bus towards the source)
"""

from __future__ import annotations

from math import sqrt

import numpy as np
import numpy.typing as npt
import pandapower as pp

from agents.prosumer.fleet import Fleet, FleetInputs
from feeders import Feeder

__all__ = [
    "BASE_KVA",
    "V0",
    "R",
    "X",
    "behind_transformer",
    "by_current_kw",
    "by_voltage_kw",
    "fleet",
    "inputs",
    "two_bus",
]

Array = npt.NDArray[np.float64]

BASE_KVA, V0, V_KV = 1000.0, 1.0, 0.4
R_OHM, X_OHM = 0.08, 0.04
R, X = (ohm / (V_KV**2 / (BASE_KVA / 1e3)) for ohm in (R_OHM, X_OHM))  # per unit


def two_bus(max_ka: float = 1.0, vm_min_pu: float = 0.95, vm_max_pu: float = 1.05) -> Feeder:
    net = pp.create_empty_network(sn_mva=BASE_KVA / 1e3)
    source, home = (pp.create_bus(net, V_KV, name=name) for name in ("source", "home"))
    pp.create_ext_grid(net, source, vm_pu=V0)
    pp.create_line_from_parameters(net, source, home, 1.0, R_OHM, X_OHM, 0.0, max_ka, name="the line")
    pp.create_load(net, home, 0.0)
    return Feeder(net, "two-bus", vm_min_pu=vm_min_pu, vm_max_pu=vm_max_pu)


def behind_transformer() -> Feeder:
    """The bus behind a transformer of 100 kVA instead, with wide limits of voltage."""
    net = pp.create_empty_network(sn_mva=BASE_KVA / 1e3)
    source, home = pp.create_bus(net, 10.0, name="source"), pp.create_bus(net, V_KV, name="home")
    pp.create_ext_grid(net, source, vm_pu=V0)
    rated = {"sn_mva": 0.1, "vn_hv_kv": 10.0, "vn_lv_kv": V_KV, "vk_percent": 4.0, "vkr_percent": 1.5}
    pp.create_transformer_from_parameters(net, source, home, **rated, pfe_kw=0.0, i0_percent=0.0)
    pp.create_load(net, home, 0.0)
    return Feeder(net, "behind-transformer", vm_min_pu=0.8, vm_max_pu=1.2)


def by_voltage_kw(vm_pu: float) -> float:
    """Power fed in at which the bus is at a voltage; < 0 consumed."""
    z2, v2 = R**2 + X**2, vm_pu**2
    return BASE_KVA * v2 / z2 * (R - sqrt(R**2 - z2 * (v2 - V0**2) / v2))


def by_current_kw(ka: float, feeds_in: bool) -> float:
    """Power fed in, or consumed, at which the line carries a current."""
    i = ka * sqrt(3) * V_KV / (BASE_KVA / 1e3)  # per unit
    sign = 1.0 if feeds_in else -1.0
    s = sign * R * i + sqrt(V0**2 - X**2 * i**2)  # |s - (r + jx) sign i| = V0
    return BASE_KVA * i * s


def fleet(**ratings: float) -> Fleet:
    """One row at the bus, of ratings in kW; inverters without reactive power, a room that must be held exactly."""
    kw = {name: np.array([ratings.get(name, 0.0)]) for name in ("pv_kw", "battery_kw", "ev_kw", "hp_kw")}
    return Fleet(["home"], np.array([1]), **kw, q_share=np.zeros(1), comfort_k=np.zeros(1))


def inputs(n_steps: int = 1, t_out_c: float = 22.5 + 2.0 * 2.5 * 2.8) -> FleetInputs:
    """Full sun, no load, and rooms that take half of their heat pump's 5.6 kW to hold: 2.8 kW = 14 K / (R COP)."""
    nothing = np.zeros((n_steps, 2))
    return FleetInputs(nothing, nothing, np.ones(n_steps), np.full(n_steps, t_out_c), np.full(n_steps, 0.2))
