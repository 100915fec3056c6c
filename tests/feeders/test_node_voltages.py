"""Complex voltages of every engine, and the net as the engine has it, against pandapower."""

from __future__ import annotations

import copy
import functools

import numpy as np
import pytest

from feeders.engines import ENGINES, make_engine
from feeders.errors import InputError, PowerFlowError
from feeders.feeder import Feeder
from feeders.library import load_feeder
from tests.feeders.feeder_cases import CASES, random_powers, tight_runpp
from tests.feeders.test_controls import two_transformer_net, with_positions


@functools.cache
def feeder_of(case):
    """No test changes it."""
    return Feeder(CASES[case]())


@functools.cache
def case_phasors(case):
    """Powers of two flows and the buses' voltages, all of shape (2, n_buses)."""
    feeder = feeder_of(case)
    p_kw, q_kvar = random_powers(feeder, 8.0, 2)
    return p_kw, q_kvar, np.array([runpp_phasors(feeder, p, q) for p, q in zip(p_kw, q_kvar, strict=True)])


def runpp_phasors(feeder, p_kw, q_kvar):
    """Complex voltage of each bus by runpp with loads of its own; NaN where it is not energised."""
    net = copy.deepcopy(feeder.net)
    net.load.loc[feeder.prosumer_loads, "p_mw"] = p_kw / 1e3
    net.load.loc[feeder.prosumer_loads, "q_mvar"] = q_kvar / -1e3
    tight_runpp(net)
    return net.res_bus.vm_pu.to_numpy() * np.exp(1j * np.deg2rad(net.res_bus.va_degree.to_numpy()))


@pytest.mark.parametrize("engine_name", ENGINES)
@pytest.mark.parametrize("case", CASES)
def test_angles_are_those_of_pandapower(case, engine_name):
    feeder, (p_kw, q_kvar, expected) = feeder_of(case), case_phasors(case)
    engine = make_engine(feeder, engine_name)
    nodes = engine.node_voltages(p_kw, q_kvar)
    node, alive = engine.nodal.node_of_bus, feeder.energised
    assert nodes.shape == (2, engine.nodal.n_nodes)
    np.testing.assert_allclose(np.abs(nodes[:, node[alive]]), engine.solve(p_kw, q_kvar)[:, alive], rtol=0, atol=1e-14)
    np.testing.assert_allclose(nodes[:, node[alive]], expected[:, alive], rtol=0, atol=2e-8)
    single = engine.node_voltages(p_kw[1], q_kvar[1])
    np.testing.assert_allclose(single, nodes[1], rtol=0, atol=1e-13)
    # the balance of every node that is no source and has no bus, too: its current is zero
    inner = np.setdiff1d(np.arange(engine.nodal.n_nodes), [*node, *engine.nodal.slack_nodes])
    currents = (engine.nodal.admittance_pu @ nodes.T)[inner]
    assert np.abs(currents).max(initial=0.0) < 1e-6 * np.abs(engine.nodal.admittance_pu).max()


@pytest.mark.parametrize("engine_name", ENGINES)
def test_slack_and_taps_are_in_the_model_and_the_voltages(engine_name):
    feeder = Feeder(two_transformer_net())
    engine = make_engine(feeder, engine_name)
    p_kw, q_kvar = random_powers(feeder, 8.0, 2)
    engine.set_slack_vm_pu(0.98)
    engine.set_taps({"west": -2, "east": 1})
    net = with_positions(two_transformer_net(), "trafo", {0: -2, 1: 1})
    net.ext_grid["vm_pu"] = 0.98
    other = Feeder(net)
    expected = np.array([runpp_phasors(other, p, q) for p, q in zip(p_kw, q_kvar, strict=True)])
    model = engine.nodal
    np.testing.assert_allclose(engine.node_voltages(p_kw, q_kvar)[:, model.node_of_bus], expected, rtol=0, atol=1e-8)
    np.testing.assert_array_equal(model.admittance_pu.toarray(), other.nodal.admittance_pu.toarray())
    np.testing.assert_allclose(model.slack_vm_pu, [0.98, 0.98], rtol=1e-15)
    assert feeder.nodal.slack_vm_pu.tolist() == [1.02, 1.03]  # as it was given


def test_rows_that_do_not_settle_are_those_of_power_grid_model(monkeypatch):
    feeder = load_feeder("case33bw")
    p_kw, q_kvar = random_powers(feeder, 80.0, 3)
    expected = make_engine(feeder, "power-grid-model").node_voltages(p_kw, q_kvar)
    monkeypatch.setattr("feeders.engines.current_injection._MAX_ITERATIONS", 1)
    engine = make_engine(feeder)
    np.testing.assert_allclose(engine.node_voltages(p_kw, q_kvar), expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(engine.node_voltages(p_kw[1], q_kvar[1]), expected[1], rtol=0, atol=1e-12)


def test_power_grid_model_takes_the_second_method_for_failed_rows(monkeypatch):
    feeder = load_feeder("four-bus")
    p_kw, q_kvar = random_powers(feeder, 3.0, 4)
    engine = make_engine(feeder, "power-grid-model")
    expected, calculate = engine.node_voltages(p_kw, q_kvar), engine._model.calculate_power_flow

    def crippled(**options):
        if options["calculation_method"].name == "iterative_current":
            options["max_iterations"] = 1
        return calculate(**options)

    monkeypatch.setattr(engine._model, "calculate_power_flow", crippled)
    np.testing.assert_allclose(engine.node_voltages(p_kw, q_kvar), expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("engine_name", ENGINES)
def test_it_fails_as_a_solve_does(engine_name):
    feeder = load_feeder("four-bus")
    engine = make_engine(feeder, engine_name)
    p_kw, q_kvar = random_powers(feeder, 3.0, 5)
    assert engine.node_voltages(p_kw[:0], q_kvar[:0]).shape == (0, 4)
    p_kw[3, 2] = 1e4
    with pytest.raises(PowerFlowError, match="scenario 3 of the batch") as caught:
        engine.node_voltages(p_kw, q_kvar)
    assert caught.value.bus == 3
    with pytest.raises(PowerFlowError, match="did not converge;"):
        engine.node_voltages(p_kw[3], q_kvar[3])
    with pytest.raises(InputError, match="NaN or infinite"):
        engine.node_voltages(p_kw * np.nan, q_kvar)
