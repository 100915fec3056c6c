"""A feeder as power-grid-model's input: one node per node of pandapower's model, one load per bus."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from power_grid_model import ComponentType, LoadGenType, initialize_array

from feeders.feeder import Feeder

__all__ = ["power_grid_input"]

_SOURCE_SK_VA = 1e20  # short-circuit power of an ideal source: with 1e15 VA voltages still differ by 5e-9 p.u.

Components = dict[ComponentType, NDArray[Any]]


def power_grid_input(feeder: Feeder) -> Components:
    """Input of ``PowerGridModel``.

    Ids count nodes first, then the other components. The net's own elements are generators (``sym_gen``) of
    negative power and prosumers are loads (``sym_load``), so that an update of all loads leaves the net's own
    powers alone.
    """
    model = feeder.nodal
    nodes = initialize_array("input", ComponentType.node, model.n_nodes)
    nodes["u_rated"] = model.base_kv * 1e3
    components = {
        ComponentType.node: nodes,
        ComponentType.generic_branch: _branches(feeder),
        ComponentType.shunt: _shunts(feeder),
        ComponentType.source: _sources(feeder),
        ComponentType.sym_gen: _powers(feeder, ComponentType.sym_gen),
        ComponentType.sym_load: _powers(feeder, ComponentType.sym_load),
    }
    first = 0
    for component in components.values():
        component["id"] = np.arange(first, first + len(component))
        first += len(component)
    return components


def _branches(feeder: Feeder) -> NDArray[Any]:
    model, branches = feeder.nodal, feeder.nodal.branches
    between = branches.from_node != branches.to_node
    rows: NDArray[Any] = initialize_array("input", ComponentType.generic_branch, int(between.sum()))
    z_base = (model.base_kv**2 / model.base_mva)[branches.to_node[between]]  # ohm, per unit is on the to side
    rows["from_node"], rows["to_node"] = branches.from_node[between], branches.to_node[between]
    rows["from_status"] = rows["to_status"] = 1
    rows["r1"], rows["x1"] = branches.r_pu[between] * z_base, branches.x_pu[between] * z_base
    rows["g1"], rows["b1"] = branches.g_pu[between] / z_base, branches.b_pu[between] / z_base
    rows["k"], rows["theta"] = branches.ratio[between], branches.shift_rad[between]
    return rows


def _shunts(feeder: Feeder) -> NDArray[Any]:
    model = feeder.nodal
    shunt_pu = model.shunt_pu + _bypassed_branches(feeder)
    at = np.flatnonzero(shunt_pu)
    y_siemens = shunt_pu[at] * model.base_mva / model.base_kv[at] ** 2
    rows: NDArray[Any] = initialize_array("input", ComponentType.shunt, len(at))
    rows["node"], rows["status"] = at, 1
    rows["g1"], rows["b1"] = y_siemens.real, y_siemens.imag
    return rows


def _bypassed_branches(feeder: Feeder) -> NDArray[np.complex128]:
    """Admittance to earth [p.u.], shape (n_nodes,), of branches whose two ends a closed switch joins."""
    branches = feeder.nodal.branches
    bypassed = branches.from_node == branches.to_node
    series = 1 / (branches.r_pu[bypassed] + 1j * branches.x_pu[bypassed])
    shunt = branches.g_pu[bypassed] + 1j * branches.b_pu[bypassed]
    ratio = branches.ratio[bypassed] * np.exp(1j * branches.shift_rad[bypassed])
    # the sum of the four entries of the branch's admittance matrix
    own = (series + shunt / 2) * (1 + 1 / np.abs(ratio) ** 2)
    admittance = np.zeros(feeder.nodal.n_nodes, dtype=complex)
    np.add.at(admittance, branches.from_node[bypassed], own - series / ratio.conj() - series / ratio)
    return admittance


def _sources(feeder: Feeder) -> NDArray[Any]:
    model = feeder.nodal
    rows: NDArray[Any] = initialize_array("input", ComponentType.source, len(model.slack_nodes))
    rows["node"], rows["status"], rows["sk"] = model.slack_nodes, 1, _SOURCE_SK_VA
    rows["u_ref"], rows["u_ref_angle"] = model.slack_vm_pu, model.slack_va_rad
    return rows


def _powers(feeder: Feeder, component: ComponentType) -> NDArray[Any]:
    """Generators: the net's own elements where there are any. Loads: zero at every energised bus."""
    at = feeder.energised
    if component == ComponentType.sym_gen:
        at = at & ((feeder.background_p_kw != 0) | (feeder.background_q_kvar != 0))
    rows: NDArray[Any] = initialize_array("input", component, int(at.sum()))
    rows["node"], rows["status"], rows["type"] = feeder.nodal.node_of_bus[at], 1, LoadGenType.const_power
    rows["p_specified"] = rows["q_specified"] = 0.0
    if component == ComponentType.sym_gen:
        rows["p_specified"] = feeder.background_p_kw[at] * -1e3
        rows["q_specified"] = feeder.background_q_kvar[at] * -1e3
    return rows
