"""What the tests of the loop share: profiles made by hand, a rule that is watched, the feeder by pandapower alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandapower as pp
import pandas as pd
import pytest
from pandapower.auxiliary import pandapowerNet

from agents.prosumer import RULES, Ranges, VoltageBand, rule_by_name
from cosim import CoSimulation, Scenario

__all__ = ["finished", "four_bus_voltages", "watch", "with_profiles"]

Array = npt.NDArray[np.float64]


def finished(scenario: Scenario, **options: Any) -> CoSimulation:
    """A model that has lived its scenario to the end."""
    model = CoSimulation(scenario, **options)
    model.run()
    return model


def with_profiles(
    scenario: Scenario, folder: Path, load_kw: Sequence[float], pv_kw_per_kwp: Sequence[float]
) -> Scenario:
    """The scenario with the same quarter-hourly profiles for all homes, from its start."""
    times = pd.date_range(scenario.start, periods=len(load_kw), freq="15min").strftime("%Y-%m-%dT%H:%MZ")
    file = folder / "profiles.csv"
    pd.DataFrame({"time": times, "load": load_kw, "sun": pv_kw_per_kwp}).to_csv(file, index=False)
    return scenario.changed(
        {
            "profiles_file": str(file),
            "prosumers.*.load_profile": "load",
            "prosumers.*.pv_profile": "sun",
        }
    )


def watch(monkeypatch: pytest.MonkeyPatch, rule: str) -> list[Array]:
    """Register the rule "watched", which does as `rule` does; the voltages that it is given from now on."""
    seen: list[Array] = []

    def watched(vm_pu: Array, rating_kva: Array, band: VoltageBand) -> Ranges:
        seen.append(vm_pu.copy())
        return rule_by_name(rule)(vm_pu, rating_kva, band)

    monkeypatch.setitem(RULES, "watched", watched)
    return seen


def four_bus_voltages(p_kw: Sequence[float], q_kvar: Sequence[float]) -> list[float]:
    """Voltages [p.u.] of buses 2, 3 and 4 when they consume `p_kw` and inject `q_kvar`.

    pandapower on a net of its own: impedances of Hashmi et al., arXiv 2207.10248, Table VI; 230 V single-phase
    is pandapower's balanced net of 0.23 kV per unit.
    """
    net = _four_bus_net()
    net.load["p_mw"], net.load["q_mvar"] = np.array(p_kw) * 1e-3, np.array(q_kvar) * -1e-3
    pp.runpp(net, lightsim2grid=False, numba=False, tolerance_mva=1e-10)
    found: list[float] = net.res_bus.vm_pu.tolist()[1:]
    return found


@cache
def _four_bus_net() -> pandapowerNet:
    net = pp.create_empty_network()
    pp.create_buses(net, 4, vn_kv=0.23)
    pp.create_ext_grid(net, 0)
    for bus, (r_ohm, x_ohm) in enumerate([(0.0922, 0.0470), (0.1844, 0.0940), (0.3660, 0.1864)]):
        pp.create_line_from_parameters(net, bus, bus + 1, 1.0, r_ohm, x_ohm, c_nf_per_km=0.0, max_i_ka=1.0)
        pp.create_load(net, bus + 1, p_mw=0.0)
    return net
