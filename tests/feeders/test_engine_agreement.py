"""A thousand random flows on each of five feeders: within 1e-8 p.u. of pandapower."""

from __future__ import annotations

import copy

import numpy as np
import pandapower as pp
import pytest

from feeders.engines import ENGINES, make_engine
from feeders.engines.pandapower_run import tolerance_mva
from feeders.library import load_feeder
from tests.feeders.feeder_cases import random_powers

FAST = [name for name in ENGINES if name != "pandapower"]
N = 1000
N_PLAIN, N_PLAIN_SLOW = 20, 250
SCALE_KW = {"four-bus": 3.0, "case33bw": 80.0, "cigre-lv": 6.0, "kerber-dorfnetz": 3.0, "mv-oberrhein": 100.0}


def runpp_each(feeder, p_kw, q_kvar):
    """Voltages, shape (K, n_buses), by one plain runpp from a flat start for each scenario."""
    net = copy.deepcopy(feeder.net)
    vm_pu = np.empty_like(p_kw)
    for k in range(len(p_kw)):
        net.load.loc[feeder.prosumer_loads, "p_mw"] = p_kw[k] / 1e3
        net.load.loc[feeder.prosumer_loads, "q_mvar"] = q_kvar[k] / -1e3
        pp.runpp(net, lightsim2grid=False, numba=False, tolerance_mva=tolerance_mva(feeder))
        vm_pu[k] = net.res_bus.vm_pu
    return vm_pu


def pandapower_equations(feeder, p_kw, q_kvar):
    """Voltages, shape (K, n_buses), that fulfil pandapower's equations by its own criterion.

    Admittance matrix, lookup of buses and the net's own powers are those of a runpp; the solution is the fixed point
    ``V_n = inv(Y_nn) (conj(S_n / V_n) - Y_ns V_s)``, for all scenarios at once. It is accepted as runpp accepts
    its own: by the largest mismatch of nodal power.
    """
    net = copy.deepcopy(feeder.net)
    pp.runpp(net, lightsim2grid=False, numba=False, tolerance_mva=tolerance_mva(feeder))
    ppc, node = net._ppc["internal"], net._pd2ppc_lookups["bus"][feeder.buses]
    admittance, slack = ppc["Ybus"].toarray(), ppc["ref"]
    free = np.setdiff1d(np.arange(len(admittance)), slack)
    power = np.tile(ppc["Sbus"], (len(p_kw), 1))  # generated, p.u.
    np.add.at(power.T, node, -(p_kw - 1j * q_kvar).T / 1e3 / ppc["baseMVA"])
    impedance = np.linalg.inv(admittance[np.ix_(free, free)])
    no_load = -impedance @ admittance[np.ix_(free, slack)] @ ppc["V"][slack]
    voltage = np.tile(no_load, (len(p_kw), 1))
    for _ in range(60):
        voltage = no_load + np.conj(power[:, free] / voltage) @ impedance.T
    whole = np.tile(ppc["V"], (len(p_kw), 1))
    whole[:, free] = voltage
    mismatch = (whole * np.conj(whole @ admittance.T) - power)[:, free]
    assert np.abs([mismatch.real, mismatch.imag]).max() * ppc["baseMVA"] < tolerance_mva(feeder)
    return np.abs(whole[:, node])


@pytest.mark.parametrize("name", SCALE_KW)
def test_thousand_random_flows_agree(name):
    feeder = load_feeder(name)
    p_kw, q_kvar = random_powers(feeder, SCALE_KW[name], N)
    expected = pandapower_equations(feeder, p_kw, q_kvar)
    plain = runpp_each(feeder, p_kw[:N_PLAIN], q_kvar[:N_PLAIN])
    assert (p_kw.sum(axis=1) + feeder.background_p_kw.sum() < 0).sum() > N / 4, "too few feed back"
    assert expected.max() - expected.min() > 0.05, "too little load to test anything"
    for engine_name in FAST:
        vm_pu = make_engine(feeder, engine_name).solve(p_kw, q_kvar)
        np.testing.assert_allclose(vm_pu, expected, rtol=0, atol=1e-8)
        np.testing.assert_allclose(vm_pu[:N_PLAIN], plain, rtol=0, atol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCALE_KW)
def test_many_plain_runpp_agree(name):
    feeder = load_feeder(name)
    p_kw, q_kvar = random_powers(feeder, SCALE_KW[name], N_PLAIN_SLOW, seed=2)
    expected = runpp_each(feeder, p_kw, q_kvar)
    for engine_name in FAST:
        vm_pu = make_engine(feeder, engine_name).solve(p_kw, q_kvar)
        np.testing.assert_allclose(vm_pu, expected, rtol=0, atol=1e-8)
