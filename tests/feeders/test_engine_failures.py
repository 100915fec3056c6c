"""Flows without a usable solution, powers that cannot be, and the second methods that take over."""

from __future__ import annotations

import numpy as np
import pytest

from feeders.engines import ENGINES, make_engine
from feeders.errors import InputError, PowerFlowError
from feeders.feeder import Feeder
from feeders.library import load_feeder
from tests.feeders.feeder_cases import CASES, low_voltage_net, random_powers
from tests.feeders.test_engine_behaviour import two_bus_feeder, two_bus_vm_pu


@pytest.mark.parametrize("engine_name", ENGINES)
@pytest.mark.parametrize("overload_kw", [3e3, 1e6, 1e9])
def test_divergence_names_the_overloaded_bus_and_the_engine_works_on(overload_kw, engine_name):
    feeder = Feeder(low_voltage_net())
    engine = make_engine(feeder, engine_name)
    p_kw, q_kvar = np.zeros((2, feeder.n_buses))
    before = engine.solve(p_kw, q_kvar)
    for bus in (3, 5, 4):
        p_kw[:] = 0.0
        p_kw[bus] = overload_kw
        with pytest.raises(PowerFlowError, match="did not converge") as caught:
            engine.solve(p_kw, q_kvar)
        assert caught.value.bus == bus
        np.testing.assert_array_equal(engine.solve(np.zeros(6), np.zeros(6)), before)


def test_failed_scenario_of_a_batch_is_named():
    feeder = load_feeder("four-bus")
    p_kw, q_kvar = random_powers(feeder, 3.0, 5)
    p_kw[3, 2] = 1e4
    for name in ENGINES:
        with pytest.raises(PowerFlowError, match="scenario 3 of the batch") as caught:
            make_engine(feeder, name).solve(p_kw, q_kvar)
        assert caught.value.bus == 3


def test_newton_raphson_takes_over_in_batch_and_single(monkeypatch):
    """With one iteration of iterative current allowed, only the second method can converge."""
    feeder = load_feeder("four-bus")
    p_kw, q_kvar = random_powers(feeder, 3.0, 4)
    engine = make_engine(feeder, "power-grid-model")
    expected = engine.solve(p_kw, q_kvar)
    calculate, methods = engine._model.calculate_power_flow, []

    def crippled(**options):
        methods.append(options["calculation_method"].name)
        if methods[-1] == "iterative_current":
            options["max_iterations"] = 1
        return calculate(**options)

    monkeypatch.setattr(engine._model, "calculate_power_flow", crippled)
    np.testing.assert_allclose(engine.solve(p_kw, q_kvar), expected, rtol=0, atol=1e-8)
    assert methods.count("newton_raphson") == 4
    np.testing.assert_allclose(engine.solve(p_kw[0], q_kvar[0]), expected[0], rtol=0, atol=1e-8)


def test_rows_that_do_not_settle_go_to_power_grid_model(monkeypatch):
    """With one iteration allowed only rows without power settle; the others are power-grid-model's to the bit."""
    feeder = load_feeder("four-bus")
    p_kw, q_kvar = random_powers(feeder, 3.0, 4)
    p_kw[2] = q_kvar[2] = 0.0
    expected = make_engine(feeder, "power-grid-model").solve(p_kw, q_kvar)
    expected[2] = make_engine(feeder).solve(p_kw[2], q_kvar[2])
    monkeypatch.setattr("feeders.engines.current_injection._MAX_ITERATIONS", 1)
    engine = make_engine(feeder)
    np.testing.assert_array_equal(engine.solve(p_kw, q_kvar), expected)
    np.testing.assert_array_equal(engine.solve(p_kw[0], q_kvar[0]), expected[0])
    # and it takes part in changes made before and after it was needed
    engine.set_slack_vm_pu(1.04)
    late = make_engine(feeder)
    late.set_slack_vm_pu(1.04)
    other = make_engine(feeder, "power-grid-model")
    other.set_slack_vm_pu(1.04)
    np.testing.assert_array_equal(engine.solve(p_kw[0], q_kvar[0]), other.solve(p_kw[0], q_kvar[0]))
    np.testing.assert_array_equal(late.solve(p_kw[0], q_kvar[0]), other.solve(p_kw[0], q_kvar[0]))


@pytest.mark.parametrize("engine_name", ENGINES)
def test_implausible_voltages_are_refused(engine_name):
    engine = make_engine(two_bus_feeder(), engine_name)
    p_kw = -550.0
    assert two_bus_vm_pu(p_kw, 0.0) > 1.5
    with pytest.raises(PowerFlowError, match=r"outside 0\.5 to 1\.5") as caught:
        engine.solve([0, p_kw], [0, 0])
    assert caught.value.bus == 1
    assert caught.value.vm_pu == pytest.approx(two_bus_vm_pu(p_kw, 0.0), abs=1e-6)
    with pytest.raises(PowerFlowError, match="in scenario 1 of the batch"):
        engine.solve([[0, 0], [0, p_kw]], np.zeros((2, 2)))


@pytest.mark.parametrize("engine_name", ENGINES)
def test_voltages_below_half_are_refused(engine_name):
    engine = make_engine(two_bus_feeder(), engine_name)
    engine.set_slack_vm_pu(0.51)
    engine.solve([0, 0], [0, 0])
    with pytest.raises(PowerFlowError, match=r"outside 0\.5 to 1\.5") as caught:
        engine.solve([0, 8], [0, 0])
    assert caught.value.vm_pu == pytest.approx(two_bus_vm_pu(8, 0, slack_vm_pu=0.51), abs=1e-8)


@pytest.mark.parametrize("engine_name", ENGINES)
def test_powers_that_cannot_be(engine_name):
    feeder = Feeder(CASES["isolated buses"]())
    engine = make_engine(feeder, engine_name)
    fine = np.zeros(feeder.n_buses)
    with pytest.raises(InputError, match="shape"):
        engine.solve(fine[:-1], fine[:-1])
    with pytest.raises(InputError, match="shape"):
        engine.solve(fine, fine[None, :])
    for bad in (np.nan, np.inf):
        at_source = np.where(feeder.buses == 0, bad, 0.0)  # whose power changes no voltage
        for p_kw, q_kvar in ((fine + bad, fine), (fine, fine + bad), (at_source, fine), (fine, at_source)):
            with pytest.raises(InputError, match="NaN or infinite"):
                engine.solve(p_kw, q_kvar)
    dead = np.where(feeder.buses == 7, 1.0, 0.0)
    for p_kw, q_kvar in ((dead, fine), (fine, dead)):
        with pytest.raises(InputError, match=r"power at bus \[7\]"):
            engine.solve(p_kw, q_kvar)
    with pytest.raises(InputError, match="one scenario"):
        engine.write_results(np.zeros((2, feeder.n_buses)), np.zeros((2, feeder.n_buses)))
