"""Nets and independent reference flows for the tests of feeders."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable

import numpy as np
import pandapower as pp
from numpy.typing import NDArray
from pandapower.auxiliary import pandapowerNet
from pandapower.toolbox import reindex_buses

from feeders.feeder import Feeder

__all__ = ["CASES", "low_voltage_net", "random_powers", "runpp_voltages", "tight_runpp"]

FloatArray = NDArray[np.float64]


def tight_runpp(net: pandapowerNet, **options: object) -> None:
    pp.runpp(net, lightsim2grid=False, numba=False, tolerance_mva=1e-9, **options)


def runpp_voltages(net: pandapowerNet, p_kw: FloatArray, q_kvar: FloatArray) -> FloatArray:
    """Voltages of a plain runpp of the user's net with loads of its own added here, not by Feeder."""
    net = copy.deepcopy(net)
    on = (p_kw != 0) | (q_kvar != 0)
    pp.create_loads(net, net.bus.index[on], p_mw=p_kw[on] / 1e3, q_mvar=-q_kvar[on] / 1e3)
    tight_runpp(net)
    return net.res_bus.vm_pu.to_numpy(dtype=float)


def random_powers(feeder: Feeder, scale_kw: float, n: int, seed: int = 1) -> tuple[FloatArray, FloatArray]:
    """Powers of shape (n, n_buses) at the connection buses.

    A common part that takes the background anywhere between all and its reverse, so that half of the scenarios
    feed back; a common part and one of each bus's own within the scale.
    """
    rng = np.random.default_rng(seed)
    at = feeder.bus_positions(feeder.connection_buses.tolist())
    p_kw, q_kvar = np.zeros((n, feeder.n_buses)), np.zeros((n, feeder.n_buses))
    p_kw[:, at] = -rng.uniform(0, 2, (n, 1)) * feeder.background_p_kw[at]
    p_kw[:, at] += scale_kw * (rng.uniform(-1, 1, (n, 1)) + rng.uniform(-1, 1, (n, len(at))))
    q_kvar[:, at] = 0.3 * scale_kw * rng.uniform(-1, 1, (n, len(at)))
    return p_kw, q_kvar


def low_voltage_net() -> pandapowerNet:
    """20/0.4 kV, two branches.

    grid - 0 =T= 1 - 2 - 3
                 `- 4 - 5
    """
    return copy.deepcopy(_low_voltage_net())


@functools.cache
def _low_voltage_net() -> pandapowerNet:
    net = pp.create_empty_network()
    pp.create_bus(net, vn_kv=20.0, name="grid")
    for name in ("busbar", "a1", "a2", "b1", "b2"):
        pp.create_bus(net, vn_kv=0.4, name=name)
    pp.create_ext_grid(net, 0, vm_pu=1.02)
    pp.create_transformer(net, 0, 1, std_type="0.4 MVA 20/0.4 kV")
    for start, end in ((1, 2), (2, 3), (1, 4), (4, 5)):
        pp.create_line(net, start, end, length_km=0.15, std_type="NAYY 4x150 SE")
    for bus in (2, 3, 4, 5):
        pp.create_load(net, bus, p_mw=0.02, q_mvar=0.005)
    pp.create_sgen(net, 5, p_mw=0.015, q_mvar=0.002)
    pp.create_storage(net, 3, p_mw=0.004, max_e_mwh=0.01)
    return net


def _meshed() -> pandapowerNet:
    net = low_voltage_net()
    pp.create_line(net, 3, 5, length_km=0.1, std_type="NAYY 4x150 SE")
    return net


def _ring_opened_by_switch() -> pandapowerNet:
    net = _meshed()
    pp.create_switch(net, 3, 4, et="l", closed=False)
    pp.create_switch(net, 5, 4, et="l", closed=True)
    return net


def _line_switch_closed() -> pandapowerNet:
    net = low_voltage_net()
    pp.create_switch(net, 1, 0, et="l", closed=True)
    return net


def _island_behind_open_switch() -> pandapowerNet:
    net = low_voltage_net()
    pp.create_switch(net, 4, 3, et="l", closed=False)
    return net


def _bus_bus_switches() -> pandapowerNet:
    net = low_voltage_net()
    for closed in (True, False):
        bus = pp.create_bus(net, vn_kv=0.4)
        pp.create_switch(net, 3, bus, et="b", closed=closed)
        pp.create_load(net, bus, p_mw=0.006, q_mvar=0.001)
    return net


def _bus_bus_switch_with_impedance() -> pandapowerNet:
    net = low_voltage_net()
    bus = pp.create_bus(net, vn_kv=0.4)
    pp.create_switch(net, 5, bus, et="b", closed=True, z_ohm=0.05)
    pp.create_load(net, bus, p_mw=0.006)
    return net


def _line_bypassed_by_switch() -> pandapowerNet:
    net = low_voltage_net()
    net.line["c_nf_per_km"] = 1e6  # so that its charging shows
    pp.create_switch(net, 2, 3, et="b", closed=True)
    return net


def _three_winding() -> pandapowerNet:
    net = low_voltage_net()
    for vn_kv in (110.0, 10.0):
        pp.create_bus(net, vn_kv=vn_kv)
    pp.create_transformer3w(net, 6, 0, 7, std_type="63/25/38 MVA 110/20/10 kV", tap_pos=-3)
    net.trafo3w["tap_changer_type"] = "Ratio"
    net.ext_grid["bus"] = 6
    pp.create_load(net, 7, p_mw=5.0, q_mvar=1.0)
    return net


def _tap() -> pandapowerNet:
    net = low_voltage_net()
    net.trafo["tap_changer_type"] = "Ratio"
    net.trafo["tap_pos"] = 2
    return net


def _out_of_service(table: str, row: int) -> Callable[[], pandapowerNet]:
    def build() -> pandapowerNet:
        net = low_voltage_net()
        net[table].loc[row, "in_service"] = False
        return net

    return build


def _scaling() -> pandapowerNet:
    net = low_voltage_net()
    net.load["scaling"], net.sgen["scaling"] = 0.6, 1.7
    return net


def _isolated_buses() -> pandapowerNet:
    net = low_voltage_net()
    for _ in range(2):
        pp.create_bus(net, vn_kv=0.4)
    pp.create_line(net, 6, 7, length_km=0.1, std_type="NAYY 4x150 SE")
    pp.create_load(net, 7, p_mw=0.01)
    return net


def _reindexed() -> pandapowerNet:
    net = low_voltage_net()
    reindex_buses(net, {bus: 100 - 7 * bus for bus in net.bus.index})
    return net


def _shunt() -> pandapowerNet:
    net = low_voltage_net()
    pp.create_shunt(net, 3, q_mvar=-0.02, p_mw=0.003)
    return net


def _parallel() -> pandapowerNet:
    net = low_voltage_net()
    net.line.loc[0, "parallel"] = 2
    pp.create_line(net, 4, 5, length_km=0.3, std_type="NAYY 4x150 SE")
    return net


def _slack_angle() -> pandapowerNet:
    net = low_voltage_net()
    net.ext_grid["vm_pu"], net.ext_grid["va_degree"] = 1.05, 10.0
    return net


def _several_ext_grids() -> pandapowerNet:
    net = _meshed()
    pp.create_bus(net, vn_kv=20.0)
    pp.create_ext_grid(net, 6, vm_pu=1.03, va_degree=0.3)
    pp.create_transformer(net, 6, 5, std_type="0.4 MVA 20/0.4 kV")
    return net


def _grids_on_both_sides_of_a_phase_shift() -> pandapowerNet:
    net = low_voltage_net()
    net.trafo["shift_degree"] = 150.0
    pp.create_ext_grid(net, 5, vm_pu=1.0, va_degree=-151.0)
    return net


def _base_power() -> pandapowerNet:
    net = low_voltage_net()
    net.sn_mva = 100.0
    return net


CASES: dict[str, Callable[[], pandapowerNet]] = {
    "radial": low_voltage_net,
    "meshed": _meshed,
    "ring opened by a line switch": _ring_opened_by_switch,
    "closed line switch": _line_switch_closed,
    "island behind an open line switch": _island_behind_open_switch,
    "bus-bus switches": _bus_bus_switches,
    "bus-bus switch with impedance": _bus_bus_switch_with_impedance,
    "line bypassed by a switch": _line_bypassed_by_switch,
    "three-winding transformer": _three_winding,
    "tap": _tap,
    "line out of service": _out_of_service("line", 1),
    "bus out of service": _out_of_service("bus", 3),
    "load out of service": _out_of_service("load", 2),
    "scaling": _scaling,
    "isolated buses": _isolated_buses,
    "re-indexed buses": _reindexed,
    "shunt": _shunt,
    "parallel lines": _parallel,
    "slack at 1.05 p.u. and 10 degrees": _slack_angle,
    "several external grids": _several_ext_grids,
    "external grids on both sides of a phase shift": _grids_on_both_sides_of_a_phase_shift,
    "base power 100 MVA": _base_power,
}
