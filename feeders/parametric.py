"""A radial 12.47 kV feeder made of numbers, in the place of one that is not public.

The feeder of Pensini et al. ("Assessment of grid-friendly collective optimization framework for distributed energy
resources") is over 12 km long, sparse and radial, rated 530 A behind a substation of 3.55 MVA, and carries four large
customers beside the background load of 18 places. Only that much is published; the rest here is this project's choice::

    grid - substation - trunk 1 - trunk 2 - trunk 3 - UNM ME - trunk 5 - ... - trunk 15 - One Sun Plaza
             (head)        |                   |                    |               |
                        lateral 1           lateral 3           lateral 5       lateral 15

All of it are parameters of `parametric_net`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandapower as pp
from pandapower.auxiliary import pandapowerNet

from feeders.errors import InputError

__all__ = ["FACILITIES", "parametric_net"]

FACILITIES: Mapping[str, int] = {"UNM ME": 4, "ABQ Studios": 9, "Mesa del Sol": 12, "One Sun Plaza": 16}
"""The four large customers, and the trunk node of each; the office complex is at the end."""

_LATERALS = (1, 3, 5, 7, 9, 11, 13, 15)
_BACKGROUND = (2, 3, 5, 6, 7, 8, 10, 11, 13, 14)
_SUBSTATION_KV = 115.0


def parametric_net(
    *,
    vn_kv: float = 12.47,
    n_trunk: int = 16,
    trunk_km: float = 0.75,
    laterals: Sequence[int] = _LATERALS,
    lateral_km: float = 0.6,
    r_ohm_per_km: float = 0.20,
    x_ohm_per_km: float = 0.40,
    rating_a: float = 530.0,
    substation_kva: float = 3550.0,
    substation_vk_percent: float = 0.001,
    head_vm_pu: float = 1.003,
    facilities: Mapping[str, int] = FACILITIES,
    background_kw: float = 1600.0,
    background_nodes: Sequence[int] = _BACKGROUND,
    background_kvar_per_kw: float = 0.33,
    vm_min_pu: float = 0.95,
    vm_max_pu: float = 1.05,
) -> pandapowerNet:
    """The net: a substation, a trunk in a row, laterals of one line each.

    Parameters
    ----------
    vn_kv : float
        Nominal voltage [kV].
    n_trunk, trunk_km : int, float
        Nodes of the trunk after the head of the feeder, and the length of each line between them [km]; 12 km in all.
    laterals, lateral_km : sequence of int, float
        Trunk nodes that have a lateral, and its length [km].
    r_ohm_per_km, x_ohm_per_km, rating_a : float
        Of all lines, without charging; rated current [A].
    substation_kva, substation_vk_percent : float
        Rated power [kVA] of the substation's transformer, whose power can be watched, and its short-circuit voltage.
        By default next to nothing: its automatic tap changer holds the voltage of the head, so that its impedance is
        not felt there. Some 7 % with a fixed tap adds 0.02 p.u. of voltage drop per Mvar.
    head_vm_pu : float
        Voltage of the head of the feeder [p.u.]; see `feeders.head_voltage` for a rule to set it by.
    facilities : mapping
        Trunk node of each large customer, which gives the bus its name. Its load is 0: whoever simulates it adds it.
    background_kw, background_nodes, background_kvar_per_kw : float, sequence of int, float
        Load of all others at its peak [kW], equally spread over these trunk nodes and the ends of all laterals, 18
        places by default; reactive power consumed with it (a power factor of 0.95).
    vm_min_pu, vm_max_pu : float
        Voltage limits [p.u.].

    Raises
    ------
    InputError
        For a trunk node that does not exist, or two facilities at one. The net's own numbers are checked by
        `feeders.feeder.Feeder`.
    """
    _check_nodes(n_trunk, {"laterals": laterals, "background_nodes": background_nodes, "facilities": facilities})
    net = pp.create_empty_network(name="parametric-12kv", f_hz=60.0)
    limits = {"min_vm_pu": vm_min_pu, "max_vm_pu": vm_max_pu}
    grid = pp.create_bus(net, vn_kv=_SUBSTATION_KV, name="grid", **limits)
    trunk = [pp.create_bus(net, vn_kv=vn_kv, name="substation", **limits)]
    named = {node: name for name, node in facilities.items()}
    line = {"r_ohm_per_km": r_ohm_per_km, "x_ohm_per_km": x_ohm_per_km, "c_nf_per_km": 0.0, "max_i_ka": rating_a / 1e3}
    for node in range(1, n_trunk + 1):
        trunk.append(pp.create_bus(net, vn_kv=vn_kv, name=named.get(node, f"trunk {node}"), **limits))
        pp.create_line_from_parameters(net, trunk[-2], trunk[-1], trunk_km, **line, name=f"trunk {node - 1}-{node}")
    ends = []
    for node in laterals:
        ends.append(pp.create_bus(net, vn_kv=vn_kv, name=f"lateral {node}", **limits))
        pp.create_line_from_parameters(net, trunk[node], ends[-1], lateral_km, **line, name=f"lateral {node}")
    _add_substation(net, grid, trunk[0], substation_kva, substation_vk_percent, head_vm_pu)
    places = [trunk[node] for node in background_nodes] + ends
    share_mw = background_kw / max(1, len(places)) / 1e3
    for bus in places:
        q_mvar = background_kvar_per_kw * share_mw
        pp.create_load(net, bus, p_mw=share_mw, q_mvar=q_mvar, name=f"background at {net.bus.at[bus, 'name']}")
    for name, node in facilities.items():
        pp.create_load(net, trunk[node], p_mw=0.0, name=name)
    return net


def _add_substation(net: pandapowerNet, grid: int, head: int, kva: float, vk_percent: float, vm_pu: float) -> None:
    """An external grid, and a transformer with taps of 5/8 %, neutral, and a tenth of its impedance resistive."""
    pp.create_ext_grid(net, grid, vm_pu=vm_pu)
    pp.create_transformer_from_parameters(
        net,
        grid,
        head,
        sn_mva=kva / 1e3,
        vn_hv_kv=_SUBSTATION_KV,
        vn_lv_kv=net.bus.at[head, "vn_kv"],
        vk_percent=vk_percent,
        vkr_percent=0.1 * vk_percent,
        pfe_kw=0.0,
        i0_percent=0.0,
        tap_side="hv",
        tap_neutral=0,
        tap_min=-16,
        tap_max=16,
        tap_pos=0,
        tap_step_percent=0.625,
        tap_changer_type="Ratio",
        name="substation",
    )


def _check_nodes(n_trunk: int, lists: Mapping[str, Sequence[int] | Mapping[str, int]]) -> None:
    for field, given in lists.items():
        nodes = list(given.values()) if isinstance(given, Mapping) else list(given)
        wrong = [node for node in nodes if node not in range(1, n_trunk + 1)]
        if wrong or len(set(nodes)) < len(nodes):
            allowed = f"trunk nodes from 1 to {n_trunk}, each once"
            raise InputError("parametric feeder", field, wrong or nodes, allowed)
