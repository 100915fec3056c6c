"""Currents and powers of branches, against pandapower's tables and the balance of power."""

from __future__ import annotations

import copy

import numpy as np
import pandapower as pp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeders.branch_flow import line_currents_ka, line_loading, trafo_loading, trafo_powers_kva
from feeders.engines import make_engine
from feeders.engines.pandapower_run import tolerance_mva
from feeders.feeder import Feeder
from feeders.library import load_feeder
from tests.feeders.feeder_cases import CASES, low_voltage_net, random_powers
from tests.feeders.test_node_voltages import feeder_of


def rated_net():
    """Parallel circuits and rating factors on lines and transformer; the last line has no rating."""
    net = low_voltage_net()
    net.line["parallel"], net.line["df"], net.line["max_i_ka"] = [2, 1, 3, 1], [0.8, 1.0, 0.5, 1.0], 0.27
    net.line.loc[3, "max_i_ka"] = 99999.0
    net.trafo["parallel"], net.trafo["df"] = 2, 0.9
    return net


NETS = {case: (lambda case=case: feeder_of(case), 8.0) for case in CASES} | {
    "ratings": (lambda: Feeder(rated_net()), 8.0),
    "cigre-lv": (lambda: load_feeder("cigre-lv"), 6.0),
    "case33bw": (lambda: load_feeder("case33bw"), 80.0),
    "mv-oberrhein": (lambda: load_feeder("mv-oberrhein"), 100.0),
    "parametric-12kv": (lambda: load_feeder("parametric-12kv"), 50.0),
}


@pytest.mark.parametrize("name", NETS)
def test_branches_are_those_of_pandapower(name):
    build, scale_kw = NETS[name]
    feeder = build()
    engine = make_engine(feeder)
    p_kw, q_kvar = random_powers(feeder, scale_kw, 2)
    model, voltages = engine.nodal, engine.node_voltages(p_kw, q_kvar)
    currents, powers = line_currents_ka(model, voltages), trafo_powers_kva(model, voltages)
    net = copy.deepcopy(feeder.net)
    for row in range(2):
        net.load.loc[feeder.prosumer_loads, "p_mw"] = p_kw[row] / 1e3
        net.load.loc[feeder.prosumer_loads, "q_mvar"] = q_kvar[row] / -1e3
        pp.runpp(net, lightsim2grid=False, numba=False, tolerance_mva=tolerance_mva(feeder), trafo_loading="power")
        line, trafo = net.res_line, net.res_trafo
        alive = model.line_branch >= 0
        assert np.isnan(currents[row, ~alive]).all() and not line.i_ka[~alive].any()  # NaN or 0 there
        expected = line[["i_from_ka", "i_to_ka"]].to_numpy()[alive]
        np.testing.assert_allclose(currents[row, alive], expected, rtol=0, atol=1e-8)
        loading = line_loading(feeder, model, voltages)[row]
        rated = alive & feeder.line_rating_ka.notna().to_numpy()
        np.testing.assert_allclose(loading[rated], line.loading_percent[rated] / 100, rtol=0, atol=1e-7)
        assert np.isnan(loading[~rated]).all()
        expected = np.hypot(trafo[["p_hv_mw", "p_lv_mw"]], trafo[["q_hv_mvar", "q_lv_mvar"]].to_numpy()) * 1e3
        np.testing.assert_allclose(powers[row], expected, rtol=1e-8, atol=1e-5)
        loading = trafo_loading(feeder, model, voltages)[row]
        np.testing.assert_allclose(loading, trafo.loading_percent / 100, rtol=1e-8, atol=1e-7)
    assert np.nanmax(currents) > 1e-3, "too little current to test anything"


STAND_IN = load_feeder("parametric-12kv")
ENGINE = make_engine(STAND_IN)


@given(st.integers(0, 2**32 - 1), st.floats(0, 150))
def test_the_substation_feeds_the_loads_and_the_losses(seed, scale_kw):
    """The power of the head is the sum of the loads plus ``3 I^2 (R + jX)`` of the lines: none of them charges."""
    p_kw, q_kvar = random_powers(STAND_IN, scale_kw, 1, seed)
    voltages = ENGINE.node_voltages(p_kw, q_kvar)
    lost = 3e3 * line_currents_ka(ENGINE.nodal, voltages)[0, :, 0] ** 2 * STAND_IN.net.line.length_km.to_numpy()
    p = p_kw.sum() + STAND_IN.background_p_kw.sum() + (0.20 * lost).sum()
    q = STAND_IN.background_q_kvar.sum() - q_kvar.sum() + (0.40 * lost).sum()
    at_the_head = trafo_powers_kva(ENGINE.nodal, voltages)[0, 0, 1]
    assert at_the_head == pytest.approx(np.hypot(p, q), rel=1e-7, abs=1e-4)
