"""The IEEE 123 node test feeder as a balanced equivalent, in pandapower.

What the default is, and why, decided before any hosting capacity was computed with it:

- Source at 1.0 p.u., as in the published test case.
- Head regulator at nominal. Its published tap, +7, is for the full load of 3.5 MW and would leave 0.006 p.u. below
  a limit of 1.05 for all that feeds in.
- The other regulators at their published taps, the mean of the phases rounded to a whole one (a half to the even one):
  -1, 0 and +5 instead of (-1), (0, -1) and (8, 1, 5).
- Capacitors in: they are part of the published feeder.
- Rated currents by conductor, see `feeders.ieee123.tables`.
- Loads scaled to 2930 kVA together, the largest load that Nair et al. state ("Dynamic resource coordination can
  increase grid hosting capacity"); None for the published 3490 kW and 1920 kvar, 3983 kVA.

Balanced means: each line has the positive-sequence impedance of its phases, mean of self less mean of mutual, and is
taken as three-phase, also where it has one phase or two; loads and capacitors are sums over phases. Current of a load
on one phase is thus spread over three, its voltage drop along that lateral a third of the true one, and so is the
loading. All loads are of constant power at their published value, those of constant impedance and current too.

Error against the unbalanced feeder (`feeders.ieee123.deck`, solved in OpenDSS; voltage of a bus as the mean of its
phases). At the published loads and taps: 0.0044 p.u. in the mean of all buses and 0.018 at most, at bus 58 on a lateral
of phase b; at buses with three phases 0.0011 and 0.0026; losses 86.9 kW instead of 95.2. With the defaults above:
0.0033 and 0.014; 0.0011 and 0.0015; 49.9 kW instead of 52.3.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import pandapower as pp
import pandas as pd
from pandapower.auxiliary import pandapowerNet

from feeders.errors import InputError, InputErrors
from feeders.feeder import Feeder
from feeders.ieee123.tables import FEET_PER_MILE, KM_PER_MILE, NOMINAL_KV, configuration_matrix, rows, table

__all__ = ["Ratings", "ieee123_feeder", "ieee123_net"]

Ratings = Literal["conductor", "flat-400"]

_KM_PER_FOOT = KM_PER_MILE / FEET_PER_MILE
_FREQUENCY_HZ = 60.0
_FLAT_A = 400.0  # what OpenDSS assumes of a line without a rating
_TAP_PERCENT = 0.625  # 32 steps over +-10 %
_LIMITS = {"min_vm_pu": 0.95, "max_vm_pu": 1.05}  # Nair et al.


def ieee123_feeder(
    *,
    slack_vm_pu: float = 1.0,
    head_tap: int = 0,
    downstream_taps: bool = True,
    capacitors: bool = True,
    ratings: Ratings = "conductor",
    peak_kva: float | None = 2930.0,
) -> Feeder:
    """The feeder of `ieee123_net`, with its parameters; voltage limits are 0.95 and 1.05 p.u. at every bus."""
    net = ieee123_net(
        slack_vm_pu=slack_vm_pu,
        head_tap=head_tap,
        downstream_taps=downstream_taps,
        capacitors=capacitors,
        ratings=ratings,
        peak_kva=peak_kva,
    )
    return Feeder(net, "ieee123")


def ieee123_net(
    *,
    slack_vm_pu: float = 1.0,
    head_tap: int = 0,
    downstream_taps: bool = True,
    capacitors: bool = True,
    ratings: Ratings = "conductor",
    peak_kva: float | None = 2930.0,
) -> pandapowerNet:
    """The balanced equivalent, 130 buses; a bus has its published number as index, and as name.

    Behind regulators and switches the published names go on with a letter: "150r", "9r", "25r", "160r" and "61s" have
    the indices 1150, 1009, 1025, 1160 and 1061. The transformer at 610 is there, without load, as published.

    Parameters
    ----------
    slack_vm_pu : float
        Voltage of the source, bus 150 [p.u.].
    head_tap : int
        Of the regulator at the head, -16 to 16, 5/8 % each.
    downstream_taps : bool
        Whether the other regulators are at their published taps, or at nominal.
    capacitors : bool
        Whether the capacitors, 750 kvar together, are in.
    ratings : {"conductor", "flat-400"}
        Rated current of each line by its conductor, or 400 A for all.
    peak_kva : float or None
        Apparent power that the sum of all loads is scaled to; None for the published loads.

    Raises
    ------
    InputErrors
        For parameters that cannot be.
    """
    _check(slack_vm_pu, head_tap, ratings, peak_kva)
    net = pp.create_empty_network(name="ieee123", f_hz=_FREQUENCY_HZ)
    _add_buses(net)
    pp.create_ext_grid(net, 150, vm_pu=slack_vm_pu, name="source")
    _add_lines(net, ratings)
    _add_regulators(net, head_tap, downstream_taps)
    _add_service_transformer(net)
    for row in rows("switches"):
        ends = _index(row.from_bus), _index(row.to_bus)
        pp.create_switch(net, *ends, et="b", closed=bool(row.closed), name=f"{row.from_bus}-{row.to_bus}")
    _add_loads(net, peak_kva)
    if capacitors:
        for row in rows("capacitors"):
            kvar = row.a_kvar + row.b_kvar + row.c_kvar
            pp.create_shunt(net, _index(row.bus), q_mvar=-kvar / 1e3, name=f"capacitor {row.bus}")
    return net


def _check(slack_vm_pu: float, head_tap: int, ratings: str, peak_kva: float | None) -> None:
    problems = []
    if not 0.8 <= slack_vm_pu <= 1.2:
        problems.append(InputError("ieee123", "slack_vm_pu", slack_vm_pu, "from 0.8 to 1.2"))
    if isinstance(head_tap, bool) or head_tap not in range(-16, 17):
        problems.append(InputError("ieee123", "head_tap", head_tap, "a whole number from -16 to 16"))
    if ratings not in get_args(Ratings):
        problems.append(InputError("ieee123", "ratings", ratings, " or ".join(get_args(Ratings))))
    if peak_kva is not None and not 0 < peak_kva < np.inf:
        problems.append(InputError("ieee123", "peak_kva", peak_kva, "above 0, or None for the published loads"))
    if problems:
        raise InputErrors(problems)


def _index(bus: str) -> int:
    return int(bus) if bus.isdecimal() else 1000 + int(bus[:-1])


def _add_buses(net: pandapowerNet) -> None:
    nodes = table("coordinates")
    places = (nodes[["x_ft", "y_ft"]] * _KM_PER_FOOT * 1e3).round(1).itertuples(index=False, name=None)
    vn_kv = np.where(nodes["bus"] == "610", 0.48, NOMINAL_KV)
    index, names = [_index(bus) for bus in nodes["bus"]], nodes["bus"].tolist()
    pp.create_buses(net, len(nodes), vn_kv=vn_kv, index=index, name=names, geodata=list(places), **_LIMITS)


def _add_lines(net: pandapowerNet, ratings: str) -> None:
    lines = table("lines")
    conductors = table("configurations").set_index("configuration")["conductor"]
    rating_a = lines["configuration"].map(conductors).map(table("conductors").set_index("conductor")["rating_a"])
    codes = range(1, 13)
    per_km = {
        quantity: lines["configuration"].map({code: _positive_sequence(code, quantity) / KM_PER_MILE for code in codes})
        for quantity in ("r_ohm", "x_ohm", "b_us")
    }
    pp.create_lines_from_parameters(
        net,
        [_index(bus) for bus in lines["from_bus"]],
        [_index(bus) for bus in lines["to_bus"]],
        lines["length_ft"].to_numpy() * _KM_PER_FOOT,
        r_ohm_per_km=per_km["r_ohm"].to_numpy(),
        x_ohm_per_km=per_km["x_ohm"].to_numpy(),
        c_nf_per_km=per_km["b_us"].to_numpy() * 1e3 / (2 * np.pi * _FREQUENCY_HZ),
        max_i_ka=(rating_a.to_numpy(dtype=float) if ratings == "conductor" else np.full(len(lines), _FLAT_A)) / 1e3,
        name=(lines["from_bus"] + "-" + lines["to_bus"]).tolist(),
    )


def _positive_sequence(configuration: int, quantity: str) -> float:
    """Mean of the phase matrix's diagonal less mean of the rest, as for a transposed line, per mile."""
    matrix = configuration_matrix(configuration, quantity)
    k = len(matrix)
    mutual = (matrix.sum() - np.trace(matrix)) / (k * (k - 1)) if k > 1 else 0.0
    return float(np.trace(matrix) / k - mutual)


def _add_regulators(net: pandapowerNet, head_tap: int, downstream_taps: bool) -> None:
    """Transformers with taps on the side of the load.

    Kersting assumes no impedance. A tenth of a percent (2e-4 p.u. of voltage at full load) is what Newton-Raphson needs
    to start from voltages that know nothing of the taps.
    """
    for row in rows("regulators"):
        published = round(float(np.nanmean([row.a_tap, row.b_tap, row.c_tap])))
        tap = head_tap if row.name == "head regulator" else published if downstream_taps else 0
        _transformer(net, row.from_bus, row.to_bus, row.kva, 0.01, 0.1, row.name, tap)


def _add_service_transformer(net: pandapowerNet) -> None:
    _transformer(net, "61s", "610", 150.0, 1.27, float(np.hypot(1.27, 2.72)), "transformer 610", None)


def _transformer(
    net: pandapowerNet, hv: str, lv: str, kva: float, r_percent: float, z_percent: float, name: str, tap: int | None
) -> None:
    taps = {} if tap is None else dict(tap_side="lv", tap_neutral=0, tap_min=-16, tap_max=16, tap_pos=tap)
    steps = {} if tap is None else dict(tap_step_percent=_TAP_PERCENT, tap_changer_type="Ratio")
    pp.create_transformer_from_parameters(
        net,
        _index(hv),
        _index(lv),
        sn_mva=kva / 1e3,
        vn_hv_kv=net.bus.at[_index(hv), "vn_kv"],
        vn_lv_kv=net.bus.at[_index(lv), "vn_kv"],
        vk_percent=z_percent,
        vkr_percent=r_percent,
        pfe_kw=0.0,
        i0_percent=0.0,
        name=name,
        **taps,
        **steps,
    )


def _add_loads(net: pandapowerNet, peak_kva: float | None) -> None:
    loads: pd.DataFrame = table("spot_loads")
    p_kw = loads[["a_kw", "b_kw", "c_kw"]].sum(axis=1)
    q_kvar = loads[["a_kvar", "b_kvar", "c_kvar"]].sum(axis=1)
    scale = 1.0 if peak_kva is None else peak_kva / float(np.hypot(p_kw.sum(), q_kvar.sum()))
    pp.create_loads(
        net,
        [_index(bus) for bus in loads["bus"]],
        p_mw=p_kw.to_numpy() * scale / 1e3,
        q_mvar=q_kvar.to_numpy() * scale / 1e3,
        name=[f"load {bus}" for bus in loads["bus"]],
    )
