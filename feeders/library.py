"""Feeders by name, and nets from a user's file."""

from __future__ import annotations

import difflib
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandapower as pp
import pandapower.networks as pn
from pandapower.auxiliary import pandapowerNet

from feeders.errors import InputError
from feeders.feeder import Feeder
from feeders.ieee123.net import ieee123_net
from feeders.net_json import read_net
from feeders.oberrhein import mv_oberrhein
from feeders.parametric import parametric_net
from feeders.region.schutterwald import schutterwald_net
from feeders.simbench_grids import is_simbench_code, simbench_net

__all__ = ["FEEDERS", "FeederInfo", "describe", "feeder_from_json", "load_feeder", "require_feeder_name"]

_PANDAPOWER = "BSD-3-Clause, shipped with pandapower"
_KERBER = "G. Kerber, dissertation, TU München 2011"


@dataclass(frozen=True)
class FeederInfo:
    """What is known of a named feeder without building it."""

    description: str
    vn_kv: str
    n_buses: int
    n_connection_buses: int
    source: str
    licence: str
    build: Callable[[], pandapowerNet]


def load_feeder(name: str) -> Feeder:
    """The feeder called ``name``: a key of `FEEDERS`, or a SimBench code where the extra is installed.

    Raises
    ------
    InputError
        If there is no such feeder; the message names the nearest.
    """
    require_feeder_name(name)
    return _built(name).copy()


def require_feeder_name(name: str) -> None:
    """Refuse a name that no feeder has, without loading one.

    Raises
    ------
    InputError
        The message names the nearest.
    """
    if name not in FEEDERS and not is_simbench_code(name):
        near = difflib.get_close_matches(name, FEEDERS, n=3, cutoff=0.0)
        raise InputError("feeder", "name", name, f"a feeder that `cosim feeders` lists; nearest: {', '.join(near)}")


@cache
def _built(name: str) -> Feeder:
    """Built once: pandapower takes a good part of a second even for an empty net."""
    return Feeder(FEEDERS[name].build() if name in FEEDERS else simbench_net(name), name)


def feeder_from_json(path: str | Path, name: str | None = None) -> Feeder:
    """A feeder from a net that pandapower's ``to_json`` wrote; its name is that of the file unless given.

    Raises
    ------
    InputError
        If the file is not such a net, or names any code; see `feeders.net_json.read_net`.
    """
    return Feeder(read_net(Path(path)), Path(path).stem if name is None else name)


def describe() -> list[dict[str, str | int]]:
    """One row per named feeder: name, size, voltage level, description, source and licence."""
    return [
        {
            "name": name,
            "buses": info.n_buses,
            "connection buses": info.n_connection_buses,
            "voltage level": info.vn_kv,
            "description": info.description,
            "source": info.source,
            "licence": info.licence,
        }
        for name, info in FEEDERS.items()
    ]


def _four_bus() -> pandapowerNet:
    """Four buses in a row at 230 V, Table VI of Hashmi et al.; no loads of its own.

    The single-phase circuit is computed as pandapower's balanced one: per unit they are the same with
    ``vn_kv = 0.23`` and the total power. Only branch currents differ: pandapower divides by ``sqrt(3) V``, so
    ``res_line.i_ka`` times sqrt(3) is the conductor's current. The rating is given on pandapower's footing,
    which keeps ``loading_percent`` right: 100 A in the conductor (this project's choice; none is published).
    """
    net = pp.create_empty_network(name="four-bus")
    for bus in range(1, 5):
        pp.create_bus(net, vn_kv=0.23, index=bus, name=str(bus))
    pp.create_ext_grid(net, 1, vm_pu=1.0)
    for bus, r_ohm, x_ohm in ((1, 0.0922, 0.0470), (2, 0.1844, 0.0940), (3, 0.3660, 0.1864)):
        pp.create_line_from_parameters(
            net,
            bus,
            bus + 1,
            1.0,
            r_ohm,
            x_ohm,
            c_nf_per_km=0.0,
            max_i_ka=0.1 / 3**0.5,
            name=f"{bus}-{bus + 1}",
        )
    return net


def _kerber(description: str, n_buses: int, n_loads: int, random_net: Callable[[], pandapowerNet]) -> FeederInfo:
    """A net of pandapower's Kerber family, which draws service lines from the global random generator."""

    def build() -> pandapowerNet:
        state = random.getstate()
        random.seed(0)  # the same feeder in every run and process
        try:
            return random_net()
        finally:
            random.setstate(state)

    return FeederInfo(description, "0.4 kV", n_buses, n_loads, _KERBER, _PANDAPOWER, build)


FEEDERS: dict[str, FeederInfo] = {
    "four-bus": FeederInfo(
        "three lines in a row, single-phase equivalent, no loads of its own",
        "0.23 kV",
        4,
        3,
        "Hashmi et al., arXiv 2207.10248, Table VI",
        "published impedances",
        _four_bus,
    ),
    "case33bw": FeederInfo(
        "33-bus test feeder, five open tie lines",
        "12.66 kV",
        33,
        32,
        "Baran and Wu, IEEE Trans. Power Delivery 4(2), 1989",
        _PANDAPOWER,
        pn.case33bw,
    ),
    "cigre-lv": FeederInfo(
        "European low-voltage benchmark: residential, industrial and commercial feeder",
        "0.4 kV",
        44,
        15,
        "CIGRE Task Force C6.04.02, Brochure 575, 2014",
        _PANDAPOWER,
        pn.create_cigre_network_lv,
    ),
    "ieee123": FeederInfo(
        "IEEE 123 node test feeder, balanced equivalent, four regulators at fixed taps, loads of 2930 kVA",
        "4.16 kV",
        130,
        85,
        "IEEE PES Distribution Test Feeder Working Group; Kersting, 2001",
        "published test case",
        ieee123_net,
    ),
    "kerber-dorfnetz": _kerber("village, cables", 116, 57, pn.create_kerber_dorfnetz),
    "kerber-landnetz-freileitung-1": _kerber("rural, overhead", 15, 13, pn.create_kerber_landnetz_freileitung_1),
    "kerber-landnetz-freileitung-2": _kerber("rural, overhead", 10, 8, pn.create_kerber_landnetz_freileitung_2),
    "kerber-landnetz-kabel-1": _kerber("rural, cables", 18, 8, pn.create_kerber_landnetz_kabel_1),
    "kerber-landnetz-kabel-2": _kerber("rural, cables", 30, 14, pn.create_kerber_landnetz_kabel_2),
    "kerber-vorstadtnetz-kabel-1": _kerber("suburb, cables", 294, 146, pn.create_kerber_vorstadtnetz_kabel_1),
    "kerber-vorstadtnetz-kabel-2": _kerber("suburb, cables", 290, 144, pn.create_kerber_vorstadtnetz_kabel_2),
    "mv-oberrhein": FeederInfo(
        "two 110/20 kV substations with their medium-voltage feeders, high-load case",
        "20 kV",
        179,
        147,
        "pandapower, assembled from open data",
        _PANDAPOWER,
        mv_oberrhein,
    ),
    "parametric-12kv": FeederInfo(
        "radial, over 12 km, 18 background loads, buses for four facilities, 3.55 MVA substation",
        "12.47 kV",
        26,
        22,
        "ratings of Pensini et al.'s feeder, the rest chosen here",
        "this project's own",
        parametric_net,
    ),
    "schutterwald-region": FeederInfo(
        "a 110/20 kV substation and three stations with their 319 households, no loads of its own",
        "0.4 kV",
        699,
        319,
        "pandapower: mv_oberrhein and lv_schutterwald (Energies 13(16), 4052, 2020)",
        _PANDAPOWER,
        schutterwald_net,
    ),
}
