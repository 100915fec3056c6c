"""What every engine promises beside agreement: closed forms, independence, batches, results in the net."""

from __future__ import annotations

import copy
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandapower as pp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.linalg import splu

from feeders.engines import ENGINES, circuit, make_engine
from feeders.errors import PowerFlowError
from feeders.feeder import Feeder
from feeders.library import load_feeder
from tests.feeders.feeder_cases import CASES, low_voltage_net, random_powers

R_OHM, X_OHM = 0.3, 0.1


def two_bus_feeder():
    net = pp.create_empty_network()
    pp.create_buses(net, 2, vn_kv=0.4)
    pp.create_ext_grid(net, 0)
    pp.create_line_from_parameters(net, 0, 1, 1.0, R_OHM, X_OHM, c_nf_per_km=0, max_i_ka=1)
    return Feeder(net)


def two_bus_vm_pu(p_kw, q_kvar, slack_vm_pu=1.0):
    """Receiving end of a line R + jX from a source of 400 V, load P + jQ consumed.

    From ``E = V + (R + jX) (P - jQ) / V`` with V real:  ``E^2 = (V + (RP + XQ)/V)^2 + ((XP - RQ)/V)^2``, so with
    ``w = V^2``:  ``w^2 - (E^2 - 2 (RP + XQ)) w + (R^2 + X^2) (P^2 + Q^2) = 0``; the upper root is the operating point.
    """
    e, p, q = 400.0 * slack_vm_pu, 1e3 * p_kw, -1e3 * q_kvar
    b = e**2 - 2 * (R_OHM * p + X_OHM * q)
    return math.sqrt((b + math.sqrt(b**2 - 4 * (R_OHM**2 + X_OHM**2) * (p**2 + q**2))) / 2) / 400.0


@pytest.mark.parametrize("engine_name", ENGINES)
@pytest.mark.parametrize(("p_kw", "q_kvar"), [(30, 0), (-30, 0), (0, 20), (0, -20), (40, 10), (-40, -15)])
def test_two_bus_circuit_solved_by_hand(p_kw, q_kvar, engine_name):
    engine = make_engine(two_bus_feeder(), engine_name)
    expected = two_bus_vm_pu(p_kw, q_kvar)
    assert engine.solve([0, p_kw], [0, q_kvar])[1] == pytest.approx(expected, abs=1e-8)
    # injected reactive power raises the voltage, consumed active power lowers it
    assert (expected > 1) == (R_OHM * p_kw - X_OHM * q_kvar < 0)


@pytest.mark.parametrize("engine_name", ENGINES)
def test_rows_of_a_batch_are_single_solves(engine_name):
    feeder = Feeder(CASES["island behind an open line switch"]())
    p_kw, q_kvar = random_powers(feeder, 8.0, 12)
    engine = make_engine(feeder, engine_name)
    batch = engine.solve(p_kw, q_kvar)
    assert batch.shape == p_kw.shape
    single = np.array([engine.solve(p, q) for p, q in zip(p_kw, q_kvar, strict=True)])
    np.testing.assert_array_equal(batch, single)  # bitwise
    np.testing.assert_array_equal(engine.solve(p_kw[[7, 2]], q_kvar[[7, 2]]), batch[[7, 2]])
    np.testing.assert_array_equal(make_engine(feeder, engine_name).solve(p_kw[3], q_kvar[3]), batch[3])


def test_batches_longer_than_one_call(monkeypatch):
    feeder = load_feeder("four-bus")
    p_kw, q_kvar = random_powers(feeder, 3.0, 11)
    whole = make_engine(feeder, "power-grid-model").solve(p_kw, q_kvar)
    monkeypatch.setattr("feeders.engines.power_grid._BATCH_CELLS_MAX", 3 * feeder.n_buses)
    np.testing.assert_array_equal(make_engine(feeder, "power-grid-model").solve(p_kw, q_kvar), whole)
    p_kw[7, 3] = 1e4
    with pytest.raises(PowerFlowError, match="scenario 7 "):
        make_engine(feeder, "power-grid-model").solve(p_kw, q_kvar)


def test_power_grid_model_in_two_threads_gives_the_same(monkeypatch):
    feeder = load_feeder("kerber-dorfnetz")
    p_kw, q_kvar = random_powers(feeder, 3.0, 64)
    engine = make_engine(feeder, "power-grid-model")
    expected, calculate, threads = engine.solve(p_kw, q_kvar), engine._model.calculate_power_flow, []

    def threaded(**options):
        threads.append(options["threading"])
        return calculate(**(options | {"threading": 2}))

    monkeypatch.setattr(engine._model, "calculate_power_flow", threaded)
    np.testing.assert_array_equal(engine.solve(p_kw, q_kvar), expected)
    assert threads == [-1]  # as it is, one thread


def test_empty_batch():
    nothing = np.zeros((0, 4))
    for name in ENGINES:
        assert make_engine(load_feeder("four-bus"), name).solve(nothing, nothing).shape == (0, 4)


def test_factors_may_be_permuted_in_any_way(monkeypatch):
    """With partial pivoting the rows of the factors are in another order than their columns."""
    feeder = load_feeder("case33bw")
    p_kw, q_kvar = random_powers(feeder, 80.0, 3)
    expected = make_engine(feeder).solve(p_kw, q_kvar)
    monkeypatch.setattr(circuit, "factorised", splu)
    engine = make_engine(feeder)
    assert (engine._network.equation != np.arange(32)).any()
    np.testing.assert_allclose(engine.solve(p_kw, q_kvar), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("engine_name", ENGINES)
def test_neither_inputs_nor_results_are_shared_with_the_caller(engine_name):
    engine = make_engine(load_feeder("four-bus"), engine_name)
    p_kw, q_kvar = np.array([0.0, 1.0, 0.0, 2.0]), np.zeros(4)
    first = engine.solve(p_kw, q_kvar)
    kept = first.copy()
    p_kw[3] = 5.0
    assert engine.solve(p_kw, q_kvar)[3] < kept[3]
    np.testing.assert_array_equal(first, kept)
    assert p_kw.tolist() == [0.0, 1.0, 0.0, 5.0]
    p_kw[3] = 9.0  # the last solve was of 5 kW
    assert engine.write_results().res_load.p_mw.max() == pytest.approx(0.005)


def test_any_array_of_numbers_will_do():
    """Strided, read-only, integer or in Fortran's order: the compiled solver sees one kind."""
    feeder = load_feeder("four-bus")
    engine = make_engine(feeder)
    p_kw = np.array([[0, 1, 2, 1], [0, 2, 0, 1]])
    expected = engine.solve(p_kw.astype(float), np.zeros((2, 4)))
    fixed = np.repeat(p_kw, 2, axis=1).astype(np.float32)[:, ::2]
    fixed.flags.writeable = False
    for powers in (p_kw, p_kw.tolist(), np.asfortranarray(p_kw, dtype=float), fixed):
        np.testing.assert_array_equal(engine.solve(powers, np.zeros((2, 4))), expected)


def test_solves_in_threads_do_not_disturb_each_other():
    feeder = load_feeder("kerber-dorfnetz")
    engine = make_engine(feeder)
    p_kw, q_kvar = random_powers(feeder, 3.0, 200)
    expected = engine.solve(p_kw, q_kvar)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(engine.solve, p_kw, q_kvar))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("engine_name", ENGINES)
def test_results_of_given_powers_and_of_the_last_solve(engine_name):
    feeder = Feeder(low_voltage_net())
    engine = make_engine(feeder, engine_name)
    p_kw, q_kvar = random_powers(feeder, 8.0, 2)
    given_powers = engine.write_results(p_kw[0], q_kvar[0]).res_line.copy()
    engine.solve(p_kw[1], q_kvar[1])
    other = engine.write_results().res_line.copy()
    assert np.abs(other - given_powers).to_numpy().max() > 1e-4
    engine.solve(p_kw[0], q_kvar[0])
    np.testing.assert_allclose(engine.write_results().res_line, given_powers, rtol=0, atol=1e-8)


def test_an_engine_built_after_results_were_written_does_not_count_them_twice():
    feeder = Feeder(low_voltage_net())
    p_kw, q_kvar = random_powers(feeder, 8.0, 2)
    expected = make_engine(feeder).solve(p_kw[0], q_kvar[0])
    make_engine(feeder).write_results(p_kw[1], q_kvar[1])
    for name in ENGINES:
        np.testing.assert_allclose(make_engine(feeder, name).solve(p_kw[0], q_kvar[0]), expected, atol=1e-8)


def test_engines_write_nothing_to_the_screen(capfd, caplog):
    for case in ("several external grids", "isolated buses", "three-winding transformer"):
        feeder = Feeder(CASES[case]())
        nothing = np.zeros(feeder.n_buses)
        for name in ENGINES:
            make_engine(feeder, name).solve(nothing, nothing)
            make_engine(feeder, name).write_results()
    captured = capfd.readouterr()
    assert (captured.out, captured.err, caplog.text) == ("", "", "")


FEEDER = Feeder(low_voltage_net())
ENGINE = make_engine(FEEDER)
POWERS = st.lists(st.floats(-20, 20), min_size=6, max_size=6).map(np.array)


@settings(max_examples=20, deadline=None)
@given(background=POWERS, p_kw=POWERS, q_kvar=POWERS)
def test_power_is_power_whether_the_nets_or_the_prosumers(background, p_kw, q_kvar):
    net = low_voltage_net()
    pp.create_loads(net, net.bus.index, p_mw=background * 1e-3, q_mvar=0.0)
    own = make_engine(Feeder(net)).solve(p_kw, q_kvar)
    np.testing.assert_allclose(ENGINE.solve(p_kw + background, q_kvar), own, rtol=0, atol=1e-8)


@settings(max_examples=20, deadline=None)
@given(p_kw=POWERS, q_kvar=POWERS, order=st.permutations(range(6)))
def test_the_order_of_buses_does_not_matter(p_kw, q_kvar, order):
    net = copy.deepcopy(low_voltage_net())
    net.bus = net.bus.iloc[list(order)]
    permuted = make_engine(Feeder(net)).solve(p_kw[list(order)], q_kvar[list(order)])
    np.testing.assert_allclose(permuted, ENGINE.solve(p_kw, q_kvar)[list(order)], rtol=0, atol=1e-8)


@settings(max_examples=100, deadline=None)
@given(p_kw=POWERS, q_kvar=POWERS, bus=st.integers(1, 5), more_kw=st.floats(0.1, 5))
def test_consuming_lowers_and_injecting_raises_the_voltage(p_kw, q_kvar, bus, more_kw):
    more = np.where(FEEDER.buses == bus, more_kw, 0.0)
    before = ENGINE.solve(p_kw, q_kvar)
    assert ENGINE.solve(p_kw + more, q_kvar)[bus] < before[bus]
    assert ENGINE.solve(p_kw, q_kvar + more)[bus] > before[bus]
