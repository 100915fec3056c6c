"""A thousand random flows on each of five feeders: within 1e-8 p.u. of pandapower's Newton-Raphson."""

from __future__ import annotations

import copy

import numpy as np
import pandapower as pp
import pytest
from feeder_cases import random_powers

from feeders.engines import make_engine
from feeders.engines.pandapower_run import tolerance_mva
from feeders.library import load_feeder

N = 1000
SCALE_KW = {"four-bus": 3.0, "case33bw": 80.0, "cigre-lv": 6.0, "kerber-dorfnetz": 3.0, "mv-oberrhein": 100.0}


def newton_voltages(feeder, p_kw, q_kvar):
    """pandapower's own voltages, shape (K, n_buses).

    Every fiftieth flow is a plain runpp from a flat start. For those between, ``recycle`` makes runpp read
    the loads and iterate to the same tolerance with the admittance matrix it has, and ``only_v_results``
    spares the branch results.
    """
    net = copy.deepcopy(feeder.net)
    options = {"lightsim2grid": False, "tolerance_mva": tolerance_mva(feeder)}
    at = net.load.index.get_indexer(feeder.prosumer_loads)
    p_mw, q_mvar = net.load.p_mw.to_numpy(copy=True), net.load.q_mvar.to_numpy(copy=True)
    vm_pu = np.empty_like(p_kw)
    for k in range(len(p_kw)):
        p_mw[at], q_mvar[at] = p_kw[k] / 1e3, q_kvar[k] / -1e3
        net.load["p_mw"], net.load["q_mvar"] = p_mw, q_mvar
        if k % 50 == 0:
            pp.runpp(net, **options)
            vm_pu[k] = net.res_bus.vm_pu
            net._options["only_v_results"] = True
        else:
            pp.runpp(net, recycle={"bus_pq": True, "gen": False, "trafo": False}, **options)
            node = net._pd2ppc_lookups["bus"][feeder.buses]
            vm_pu[k] = np.abs(net._ppc["internal"]["V"])[node]
    return vm_pu


@pytest.mark.parametrize("name", SCALE_KW)
def test_thousand_random_flows_agree(name):
    feeder = load_feeder(name)
    p_kw, q_kvar = random_powers(feeder, SCALE_KW[name], N)
    vm_pu = make_engine(feeder).solve(p_kw, q_kvar)
    assert (p_kw.sum(axis=1) + feeder.background_p_kw.sum() < 0).sum() > N / 4, "too few feed back"
    assert vm_pu.max() - vm_pu.min() > 0.05, "too little load to test anything"
    np.testing.assert_allclose(vm_pu, newton_voltages(feeder, p_kw, q_kvar), rtol=0, atol=1e-8)
