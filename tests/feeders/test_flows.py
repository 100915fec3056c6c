"""Many power flows at given powers, and the tightest limit in them, against pandapower's own tables."""

from __future__ import annotations

import numpy as np
import pandapower as pp
import pytest

from feeders.engines import ENGINE_NAMES, make_engine
from feeders.errors import PowerFlowError
from feeders.feeder import Feeder
from feeders.flows import power_flows, tightest
from tests.feeders.feeder_cases import low_voltage_net, tight_runpp


def loaded(feeder, factors):
    factors = np.asarray(factors)[:, None]
    return factors * feeder.background_p_kw, factors * feeder.background_q_kvar


def reference(net, factor):
    """pandapower with all powers of the net times a factor."""
    twin = pp.pandapowerNet(net)
    for table in ("load", "sgen", "storage"):
        twin[table]["scaling"] = factor
    tight_runpp(twin, trafo_loading="power")
    return twin


@pytest.mark.parametrize("engine_name", ENGINE_NAMES)
def test_flows_are_pandapowers(engine_name):
    net = low_voltage_net()
    net.line["c_nf_per_km"] = 3e4
    feeder = Feeder(net, vm_min_pu=0.95, vm_max_pu=1.05)
    factors = [1.0, -2.0, 4.0, 0.0]
    flows = power_flows(make_engine(feeder, engine_name), *loaded(feeder, factors))
    for step, factor in enumerate(factors):
        wanted = reference(net, factor)
        np.testing.assert_allclose(flows.vm_pu[step], wanted.res_bus.vm_pu, rtol=0, atol=1e-7)
        np.testing.assert_allclose(flows.line_loading[step], wanted.res_line.loading_percent / 100, rtol=0, atol=1e-6)
        np.testing.assert_allclose(flows.trafo_loading[step], wanted.res_trafo.loading_percent / 100, rtol=0, atol=1e-6)


def test_given_powers_stand_in_place_of_the_nets_own():
    net = low_voltage_net()
    feeder = Feeder(net)
    nothing = np.zeros((1, feeder.n_buses))
    flows = power_flows(make_engine(feeder), nothing, nothing)
    np.testing.assert_allclose(flows.vm_pu[0], reference(net, 0.0).res_bus.vm_pu, rtol=0, atol=1e-8)


def test_dead_buses_and_lines_without_rating_are_nan_and_no_limit():
    net = low_voltage_net()
    pp.create_bus(net, vn_kv=0.4, name="dead")
    net.line.loc[1, "max_i_ka"] = 99999.0
    feeder = Feeder(net)
    flows = power_flows(make_engine(feeder), *loaded(feeder, [1.0]))
    assert np.isnan(flows.vm_pu[0, 6]) and np.isnan(flows.line_loading[0, 1])
    assert np.isfinite(tightest(feeder, flows).margin)


CASES = {
    # limits of voltage, rating of lines [kA], rating of the transformer [MVA], factors of two steps
    "under-voltage": ((0.99, 1.10), 0.27, 0.40, [0.5, 3.0]),
    "over-voltage": ((0.90, 1.03), 0.27, 0.40, [-3.0, 0.5]),
    "line": ((0.50, 1.50), 0.05, 0.40, [0.5, 1.0]),
    "transformer": ((0.50, 1.50), 0.27, 0.05, [2.0, 0.5]),
}


@pytest.mark.parametrize("kind", CASES)
def test_tightest_is_the_least_margin_of_pandapowers_tables(kind):
    (low, high), line_ka, trafo_mva, factors = CASES[kind]
    net = low_voltage_net()
    net.line["max_i_ka"], net.line["name"] = line_ka, ["one", "two", None, ""]
    net.trafo["name"] = "station"
    feeder = Feeder(net, vm_min_pu=low, vm_max_pu=high)
    scale = trafo_mva / 0.4  # by the loading allowed, so that the impedance stays
    feeder.net.trafo["df"] = scale
    flows = power_flows(make_engine(feeder), *loaded(feeder, factors))
    found = tightest(feeder, flows)
    margins = []
    for step, factor in enumerate(factors):
        wanted = reference(net, factor)
        vm_pu = wanted.res_bus.vm_pu.drop(0)  # not the source's own
        current = wanted.res_line.i_ka / line_ka
        power = wanted.res_trafo.loading_percent / 100 / scale
        margins += [(high - v, "over-voltage", step, v, high, bus) for bus, v in vm_pu.items()]
        margins += [(v - low, "under-voltage", step, v, low, bus) for bus, v in vm_pu.items()]
        margins += [(1 - i, "line", step, i, 1.0, row) for row, i in current.items()]
        margins += [(1 - s, "transformer", step, s, 1.0, row) for row, s in power.items()]
    margin, name, step, value, allowed, index = min(margins)
    assert name == kind  # the case is what it says
    assert (found.kind, found.step) == (kind, step)
    assert (found.margin, found.value, found.allowed) == pytest.approx((margin, value, allowed), abs=1e-6)
    names = {"line": ["one", "two", "2", "3"], "transformer": ["station"]}.get(kind, net.bus["name"].tolist())
    assert found.element == names[index]


def test_step_without_a_power_flow_is_named():
    feeder = Feeder(low_voltage_net())
    with pytest.raises(PowerFlowError) as caught:
        power_flows(make_engine(feeder), *loaded(feeder, [1.0, 200.0]))
    assert caught.value.scenario == 1
