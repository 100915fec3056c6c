"""Derivatives by the adjoint equation, against a closed form, differences of the engine, and of pandapower."""

from __future__ import annotations

import copy
import functools
import math

import numpy as np
import pandapower as pp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeders.branch_flow import line_currents_ka, trafo_powers_kva
from feeders.engines import ENGINES, make_engine
from feeders.errors import EngineRefusalError, InputError
from feeders.feeder import Feeder
from feeders.library import load_feeder
from feeders.sensitivity import Quantity, derivatives
from tests.feeders.feeder_cases import CASES, low_voltage_net, random_powers, tight_runpp
from tests.feeders.test_controls import two_transformer_net
from tests.feeders.test_engine_behaviour import R_OHM, X_OHM, two_bus_feeder, two_bus_vm_pu
from tests.feeders.test_engine_cases import with_generator, with_unequal_leakage
from tests.feeders.test_node_voltages import feeder_of

SEEDS = st.integers(0, 2**32 - 1)


def all_quantities(engine):
    """Voltages at most four places, currents of as many lines, power of every transformer; what is in service."""
    model = engine.nodal
    tables = {"voltage": model.node_of_bus, "line": model.line_branch, "transformer": model.trafo_branch}
    found = []
    for kind, rows in tables.items():
        alive = np.flatnonzero(rows >= 0)
        found += [Quantity(kind, int(row)) for row in alive[:: max(1, len(alive) // 4)]]
    return found


def values(engine, p_kw, q_kvar, quantities):
    """The quantities themselves, shape (K, M)."""
    model, v = engine.nodal, engine.node_voltages(p_kw, q_kvar)
    of_kind = {
        "voltage": np.abs(v[:, model.node_of_bus]),
        "line": line_currents_ka(model, v).max(axis=-1),
        "transformer": trafo_powers_kva(model, v).max(axis=-1),
    }
    return np.stack([of_kind[quantity.kind][:, quantity.position] for quantity in quantities], axis=1)


def difference(engine, p_kw, q_kvar, quantities, bus, step, reactive):
    """Central difference of fourth order, shape (K, M): its error is the fifth derivative's, and rounding."""
    more = np.where(np.arange(p_kw.shape[1]) == bus, step, 0.0)
    dp, dq = (np.zeros_like(more), more) if reactive else (more, np.zeros_like(more))
    at = {n: values(engine, p_kw + n * dp, q_kvar + n * dq, quantities) for n in (-2, -1, 1, 2)}
    return (8 * (at[1] - at[-1]) - (at[2] - at[-2])) / (12 * step)


def check_against_differences(engine, p_kw, q_kvar, step_kw, rel=1e-6):
    """All but what only charges an open line: its few milliamperes are within the engine's precision."""
    found = values(engine, p_kw, q_kvar, quantities := all_quantities(engine)).min(axis=0)
    quantities = [quantity for quantity, value in zip(quantities, found, strict=True) if value > 1e-4]
    found = derivatives(engine, p_kw, q_kvar, quantities)
    alive = np.flatnonzero(engine.feeder.energised)
    for bus in alive[:: max(1, len(alive) // 6)]:
        for slope, reactive in ((found.per_kw, False), (found.per_kvar, True)):
            expected = difference(engine, p_kw, q_kvar, quantities, bus, step_kw, reactive)
            scale = np.nanmax(np.abs(slope), axis=(0, 2)) + 1e-12
            np.testing.assert_allclose(slope[:, :, bus] / scale, expected / scale, rtol=0, atol=rel)
    dead = ~engine.feeder.energised
    assert np.isnan(found.per_kw[..., dead]).all() and np.isfinite(found.per_kvar[..., ~dead]).all()
    assert np.nanmax(np.abs(found.per_kw)) > 0


@pytest.mark.parametrize("case", CASES)
def test_any_net_against_differences_of_the_engine(case):
    engine = make_engine(feeder_of(case))
    p_kw, q_kvar = random_powers(engine.feeder, 8.0, 2, seed=4)
    p_kw += 4.0 * engine.feeder.energised  # no current near zero, where it has a kink
    check_against_differences(engine, p_kw, q_kvar, 0.05)


@pytest.mark.parametrize("name", ["four-bus", "case33bw", "cigre-lv", "mv-oberrhein", "parametric-12kv"])
def test_named_feeders_against_differences_of_the_engine(name):
    engine = make_engine(load_feeder(name))
    scale_kw = {"four-bus": 1.0, "case33bw": 40.0, "cigre-lv": 2.0}.get(name, 50.0)
    p_kw, q_kvar = random_powers(engine.feeder, 0.3 * scale_kw, 2, seed=4)
    p_kw = np.abs(p_kw) + 0.5 * scale_kw * engine.feeder.energised
    check_against_differences(engine, p_kw, q_kvar, 0.02 * scale_kw, rel=2e-5)


@pytest.mark.parametrize("engine_name", ENGINES)
@pytest.mark.parametrize("name", ["case33bw", "cigre-lv"])
def test_engines_give_the_same(name, engine_name):
    feeder = load_feeder(name)
    p_kw, q_kvar = random_powers(feeder, 2.0, 3)
    p_kw[:], q_kvar[:] = np.abs(p_kw), 0.0
    first, other = make_engine(feeder), make_engine(feeder, engine_name)
    expected = derivatives(first, p_kw, q_kvar, all_quantities(first))
    found = derivatives(other, p_kw, q_kvar, all_quantities(other))
    scale = np.abs(expected.per_kw).max(axis=-1, keepdims=True) + 1e-9
    np.testing.assert_allclose(found.per_kw / scale, expected.per_kw / scale, rtol=0, atol=1e-6)
    np.testing.assert_allclose(found.per_kvar / scale, expected.per_kvar / scale, rtol=0, atol=1e-6)


@pytest.mark.parametrize("engine_name", ENGINES)
def test_slack_voltage_and_taps_count_as_the_engine_has_them(engine_name):
    engine = make_engine(Feeder(two_transformer_net()), engine_name)
    p_kw, q_kvar = random_powers(engine.feeder, 3.0, 1)
    p_kw += 8.0
    before = derivatives(engine, p_kw, q_kvar, [Quantity("voltage", 3)]).per_kw
    engine.set_slack_vm_pu(0.93)
    engine.set_taps({"west": 2, "east": -2})
    check_against_differences(engine, p_kw, q_kvar, 0.2, rel=1e-5)
    after = derivatives(engine, p_kw, q_kvar, [Quantity("voltage", 3)]).per_kw
    assert abs(after[0, 0, 3] / before[0, 0, 3] - 1) > 0.02


@pytest.mark.parametrize("name", ["case33bw", "cigre-lv", "parametric-12kv"])
def test_named_feeders_against_differences_of_runpp(name):
    feeder = load_feeder(name)
    nothing = np.zeros((1, feeder.n_buses))
    watched, powered = int(feeder.connection_buses[-1]), int(feeder.connection_buses[-2])
    at = feeder.bus_positions([watched, powered])
    found = derivatives(make_engine(feeder), nothing, nothing, [Quantity("voltage", int(at[0]))])
    step_kw = 0.02 * feeder.background_p_kw.sum()
    for column, slope in (("p_mw", found.per_kw), ("q_mvar", -found.per_kvar)):
        vm_pu = {}
        for n in (-2, -1, 1, 2):
            net = copy.deepcopy(feeder.net)
            net.load.loc[feeder.prosumer_loads[at[1]], column] = n * step_kw / 1e3
            tight_runpp(net)
            vm_pu[n] = net.res_bus.vm_pu.at[watched]
        expected = (8 * (vm_pu[1] - vm_pu[-1]) - (vm_pu[2] - vm_pu[-2])) / (12 * step_kw)
        assert slope[0, 0, at[1]] == pytest.approx(expected, rel=1e-5)
        assert expected < 0


def two_bus_slope(p_kw, q_kvar):
    """``dV/dP`` and ``dV/dQ`` of `two_bus_vm_pu` [p.u./kW, p.u./kvar injected], by its ``w = V^2`` in p.u. and kW."""
    r, x = R_OHM * 1e3 / 400.0**2, X_OHM * 1e3 / 400.0**2
    q = -q_kvar
    b = 1 - 2 * (r * p_kw + x * q)
    root = math.sqrt(b**2 - 4 * (r**2 + x**2) * (p_kw**2 + q**2))
    slopes = []
    for db, power in ((-2 * r, p_kw), (-2 * x, q)):
        dw = (db + (b * db - 4 * (r**2 + x**2) * power) / root) / 2
        slopes.append(dw / (2 * two_bus_vm_pu(p_kw, q_kvar)))
    return slopes[0], -slopes[1]


@pytest.mark.parametrize(("p_kw", "q_kvar"), [(0, 0), (30, 0), (-30, 0), (0, 20), (40, 10), (-40, -15)])
def test_two_bus_circuit_solved_by_hand(p_kw, q_kvar):
    found = derivatives(make_engine(two_bus_feeder()), [[0, p_kw]], [[0, q_kvar]], [Quantity("voltage", 1)])
    expected = two_bus_slope(p_kw, q_kvar)
    # 1e-8: of the engine's own 1e-9 p.u.
    assert (found.per_kw[0, 0, 1], found.per_kvar[0, 0, 1]) == pytest.approx(expected, rel=1e-8)
    assert found.per_kw[0, 0, 0] == found.per_kvar[0, 0, 0] == 0.0  # the source's own bus


@pytest.mark.parametrize("share", [0.9, 0.99, 0.999])
def test_up_to_the_largest_power_of_a_line(share):
    """There the slope grows without bound, and the iteration no longer settles."""
    p_kw = share * 400.0**2 / (2 * (np.hypot(R_OHM, X_OHM) + R_OHM)) * 1e-3
    found = derivatives(make_engine(two_bus_feeder()), [[0, p_kw]], [[0, 0]], [Quantity("voltage", 1)])
    assert found.per_kw[0, 0, 1] == pytest.approx(two_bus_slope(p_kw, 0.0)[0], rel=1e-5)


def test_the_factorised_equation_gives_the_same(monkeypatch):
    engine = make_engine(Feeder(CASES["external grids on both sides of a phase shift"]()))
    p_kw, q_kvar = random_powers(engine.feeder, 8.0, 40)
    quantities = all_quantities(engine)
    expected = derivatives(engine, p_kw, q_kvar, quantities)
    monkeypatch.setattr("feeders.sensitivity._MAX_ITERATIONS", 1)
    found = derivatives(engine, p_kw, q_kvar, quantities)
    assert (found.per_kw != expected.per_kw).any()  # another way
    for a, b in ((found.per_kw, expected.per_kw), (found.per_kvar, expected.per_kvar)):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-11 * np.abs(b).max())


def test_some_buses_and_no_quantities():
    engine = make_engine(Feeder(low_voltage_net()))
    p_kw, q_kvar = random_powers(engine.feeder, 8.0, 3)
    quantities = [Quantity("transformer", 0), Quantity("voltage", 5)]
    every, some = (derivatives(engine, p_kw, q_kvar, quantities, at) for at in (None, np.array([5, 2, 5])))
    np.testing.assert_array_equal(some.per_kw, every.per_kw[..., [5, 2, 5]])
    np.testing.assert_array_equal(some.per_kvar, every.per_kvar[..., [5, 2, 5]])
    assert derivatives(engine, p_kw, q_kvar, []).per_kw.shape == (3, 0, 6)


def test_no_current_no_slope():
    net = low_voltage_net()
    net.line["c_nf_per_km"] = 0.0
    bus = pp.create_bus(net, vn_kv=0.4)
    pp.create_line_from_parameters(net, 5, bus, 0.1, 0.2, 0.1, c_nf_per_km=0, max_i_ka=1)
    nothing = np.zeros((1, 7))
    line, voltage = Quantity("line", 4), Quantity("voltage", 6)
    found = derivatives(make_engine(Feeder(net)), nothing, nothing, [line, voltage])
    assert np.isfinite(found.per_kw).all() and found.per_kw[0, 1, 6] < 0


def test_branches_with_unequal_ends():
    """Only pandapower computes them, and their admittance matrix is as good as any."""
    net = low_voltage_net()
    with_unequal_leakage(net)
    net.trafo["i0_percent"], net.trafo["pfe_kw"] = 20.0, 5.0  # so that it shows
    engine = make_engine(Feeder(net))
    assert engine.name == "pandapower"
    p_kw, q_kvar = random_powers(engine.feeder, 3.0, 1)
    check_against_differences(engine, p_kw + 8.0, q_kvar, 0.3, rel=1e-5)


def test_what_has_no_derivative_is_refused():
    net = low_voltage_net()
    with_generator(net)
    nothing = np.zeros((1, 6))
    with pytest.raises(EngineRefusalError, match="no derivatives beside voltage-controlled generators"):
        derivatives(make_engine(Feeder(net)), nothing, nothing, [Quantity("voltage", 2)])
    dead = Feeder(CASES["isolated buses"]())
    for quantity in (Quantity("line", 4), Quantity("voltage", 7)):
        with pytest.raises(InputError, match=rf"{quantity.kind}: {quantity.position} .*energised"):
            derivatives(make_engine(dead), np.zeros((1, 8)), np.zeros((1, 8)), [quantity])


@functools.cache
def radial_engine(tree):
    """A tree of 1 to 12 lines with r, x > 0 and no charging, each from a bus that is there already."""
    rng = np.random.default_rng(tree)
    net = pp.create_empty_network()
    pp.create_bus(net, vn_kv=0.4)
    pp.create_ext_grid(net, 0, vm_pu=rng.uniform(0.98, 1.04))
    for _ in range((1, 2, 4, 7, 12)[tree]):
        start, end = int(rng.integers(0, len(net.bus))), pp.create_bus(net, vn_kv=0.4)
        r_ohm, x_ohm = rng.uniform([0.1, 0.05], [0.9, 0.3])
        pp.create_line_from_parameters(net, start, end, rng.uniform(0.01, 0.1), r_ohm, x_ohm, 0, max_i_ka=0.3)
    return make_engine(Feeder(net))


TREES = st.integers(0, 4)


@settings(max_examples=40, deadline=None)
@given(tree=TREES, seed=SEEDS, scale_kw=st.floats(0, 8))
def test_on_a_radial_feeder_more_consumption_lowers_every_voltage(tree, seed, scale_kw):
    """Where a path is shared; the branches of the root do not see each other. Injected reactive power raises."""
    engine, rng = radial_engine(tree), np.random.default_rng(seed)
    p_kw, q_kvar = scale_kw * rng.uniform(-1, 1, (2, 3, engine.feeder.n_buses))
    quantities = [Quantity("voltage", bus) for bus in range(1, engine.feeder.n_buses)]
    found = derivatives(engine, p_kw, q_kvar, quantities)
    free = engine.nodal.admittance_pu.toarray()[1:, 1:]
    shared = np.abs(np.linalg.inv(free)) > 1e-9  # of the paths to the source
    lower, higher = found.per_kw[..., 1:], found.per_kvar[..., 1:]
    assert (lower[:, shared] < 0).all() and (higher[:, shared] > 0).all()
    np.testing.assert_allclose(lower[:, ~shared], 0.0, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(tree=TREES, seed=SEEDS)
def test_the_error_of_a_linear_prediction_is_of_second_order(tree, seed):
    """Half the step, a quarter of the error: the slope is exact, neither nearly right nor scaled."""
    engine, rng = radial_engine(tree), np.random.default_rng(seed)
    p_kw, q_kvar = 3.0 * rng.uniform(0, 1, (2, 1, engine.feeder.n_buses))
    step_kw = 2.0 * rng.uniform(0.5, 1, engine.feeder.n_buses)
    quantities = [Quantity("voltage", engine.feeder.n_buses - 1)]
    slope = derivatives(engine, p_kw, q_kvar, quantities).per_kw[0, 0] @ step_kw
    start = values(engine, p_kw, q_kvar, quantities)[0, 0]
    errors = [values(engine, p_kw + h * step_kw, q_kvar, quantities)[0, 0] - start - h * slope for h in (1.0, 0.5)]
    assert errors[0] < 0  # a voltage falls faster and faster
    assert errors[0] / errors[1] == pytest.approx(4.0, abs=0.3)
