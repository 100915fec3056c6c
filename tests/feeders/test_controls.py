"""Slack voltage and taps that change during a run: every engine as pandapower with a net that has them."""

from __future__ import annotations

import numpy as np
import pandapower as pp
import pytest

from feeders.engines import ENGINES, adjustable, make_engine
from feeders.errors import InputError, InputErrors
from feeders.feeder import Feeder
from feeders.library import load_feeder
from tests.feeders.feeder_cases import CASES, low_voltage_net, random_powers, runpp_voltages

FAST = [name for name in ENGINES if name != "pandapower"]
PROMISED_PU = 1e-8


def two_transformer_net():
    """Two substations that feed one ring, with names; the second has its position from the file, but no type."""
    net = CASES["several external grids"]()
    net.trafo["name"] = ["west", "east"]
    net.trafo["tap_changer_type"] = ["Ratio", None]
    net.trafo["tap_pos"] = [0, 1]
    return net


def with_positions(net, table, positions):
    for row, position in positions.items():
        net[table].loc[row, "tap_pos"] = position
        net[table].loc[row, "tap_changer_type"] = "Ratio"
    return net


def test_feeder_with_taps_is_that_of_a_net_with_them():
    net = two_transformer_net()
    net.trafo["tap_side"] = "lv"  # there a tap changes the impedance too
    feeder = Feeder(net)
    before = feeder.electrical_distance.copy()
    moved = feeder.with_taps({"west": -2})
    expected = Feeder(with_positions(net, "trafo", {0: -2, 1: 1}))
    np.testing.assert_array_equal(moved.nodal.admittance_pu.toarray(), expected.nodal.admittance_pu.toarray())
    np.testing.assert_allclose(moved.electrical_distance, expected.electrical_distance, rtol=1e-12)
    assert np.abs(moved.electrical_distance - before).to_numpy()[2:].max() > 1e-6  # behind the transformers
    assert moved.net.trafo.tap_pos.tolist() == [-2, 1]
    assert feeder.net.trafo.tap_pos.tolist() == [0, 1]
    np.testing.assert_array_equal(feeder.electrical_distance, before)


@pytest.mark.parametrize("engine_name", ENGINES)
def test_taps_are_those_of_pandapower(engine_name):
    feeder = Feeder(two_transformer_net())
    engine = make_engine(feeder, engine_name)
    p_kw, q_kvar = random_powers(feeder, 8.0, 2)
    first = engine.solve(p_kw[0], q_kvar[0])
    seen = [first]
    # by index, by name, by both; what is not named stays
    steps = [({0: 2}, (2, 1)), ({"east": -2}, (2, -2)), ({"west": 0, 1: 1.0}, (0, 1)), ({}, (0, 1))]
    for taps, positions in steps:
        engine.set_taps(taps)
        assert engine.taps == dict(enumerate(positions))
        expected_net = with_positions(two_transformer_net(), "trafo", dict(enumerate(positions)))
        vm_pu = engine.solve(p_kw, q_kvar)
        for row in range(2):
            expected = runpp_voltages(expected_net, p_kw[row], q_kvar[row])
            np.testing.assert_allclose(vm_pu[row], expected, rtol=0, atol=PROMISED_PU)
        np.testing.assert_array_equal(engine.solve(p_kw[0], q_kvar[0]), vm_pu[0])
        seen.append(vm_pu[0])
    assert np.abs(seen[1] - first).max() > 0.01 and np.abs(seen[2] - seen[1]).max() > 0.01
    np.testing.assert_array_equal(seen[-1], first)  # back where it began, to the bit
    assert engine.revision == len(steps)


@pytest.mark.parametrize("engine_name", ENGINES)
def test_a_tap_whose_position_and_type_are_unknown_begins_neutral(engine_name):
    net = low_voltage_net()
    net.trafo["tap_pos"] = net.trafo["tap_pos"].astype(float)
    net.trafo["tap_pos"], net.trafo["tap_changer_type"] = np.nan, None
    feeder = Feeder(net)
    engine = make_engine(feeder, engine_name)
    p_kw, q_kvar = random_powers(feeder, 8.0, 1)
    assert engine.taps == {0: 0}
    before = engine.solve(p_kw[0], q_kvar[0])
    engine.set_taps({0: 2})
    expected = runpp_voltages(CASES["tap"](), p_kw[0], q_kvar[0])
    np.testing.assert_allclose(engine.solve(p_kw[0], q_kvar[0]), expected, rtol=0, atol=PROMISED_PU)
    engine.set_taps({0: 0})
    np.testing.assert_array_equal(engine.solve(p_kw[0], q_kvar[0]), before)


@pytest.mark.parametrize("engine_name", ENGINES)
def test_three_winding_transformers_have_taps_too(engine_name):
    net = CASES["three-winding transformer"]()
    feeder = Feeder(net)
    engine = make_engine(feeder, engine_name)
    p_kw, q_kvar = random_powers(feeder, 8.0, 1)
    assert engine.taps == {0: 0, "trafo3w 0": -3}
    engine.set_taps({"trafo3w 0": 4})
    expected = runpp_voltages(with_positions(net, "trafo3w", {0: 4}), p_kw[0], q_kvar[0])
    np.testing.assert_allclose(engine.solve(p_kw[0], q_kvar[0]), expected, rtol=0, atol=PROMISED_PU)


@pytest.mark.parametrize("engine_name", ENGINES)
def test_slack_and_taps_together_and_in_the_net(engine_name):
    feeder = Feeder(two_transformer_net())
    engine = make_engine(feeder, engine_name)
    p_kw, q_kvar = random_powers(feeder, 8.0, 1)
    net = with_positions(two_transformer_net(), "trafo", {0: -1, 1: 2})
    net.ext_grid["vm_pu"] = 0.99
    expected = runpp_voltages(net, p_kw[0], q_kvar[0])
    engine.set_slack_vm_pu(0.99)
    engine.set_taps({"west": -1, "east": 2})
    np.testing.assert_allclose(engine.solve(p_kw[0], q_kvar[0]), expected, rtol=0, atol=PROMISED_PU)
    other = make_engine(feeder, engine_name)
    other.set_taps({"west": -1, "east": 2})
    other.set_slack_vm_pu(0.99)
    np.testing.assert_array_equal(other.solve(p_kw[0], q_kvar[0]), engine.solve(p_kw[0], q_kvar[0]))
    written = engine.write_results()
    assert written.trafo.tap_pos.tolist() == [-1, 2]
    assert written.ext_grid.vm_pu.tolist() == [0.99, 0.99]
    np.testing.assert_allclose(written.res_bus.vm_pu, expected, rtol=0, atol=PROMISED_PU)


@pytest.mark.parametrize("engine_name", ENGINES)
def test_results_in_the_net_are_no_state_of_the_feeder(engine_name):
    feeder = Feeder(two_transformer_net())
    p_kw, q_kvar = random_powers(feeder, 8.0, 1)
    plain = make_engine(feeder, engine_name).solve(p_kw[0], q_kvar[0])
    engine = make_engine(feeder)
    engine.set_slack_vm_pu(0.97)
    engine.set_taps({0: 2, 1: 2})
    engine.write_results(p_kw[0], q_kvar[0])
    later = make_engine(feeder, engine_name)
    np.testing.assert_array_equal(later.solve(p_kw[0], q_kvar[0]), plain)
    later.set_taps({0: 1})
    expected = runpp_voltages(with_positions(two_transformer_net(), "trafo", {0: 1, 1: 1}), p_kw[0], q_kvar[0])
    np.testing.assert_allclose(later.solve(p_kw[0], q_kvar[0]), expected, rtol=0, atol=PROMISED_PU)
    np.testing.assert_allclose(later.write_results().res_bus.vm_pu, expected, rtol=0, atol=PROMISED_PU)
    assert feeder.net.trafo.tap_pos.tolist() == [1, 1]


WRONG = {
    r"tap position of transformer 'west': 3 .*a whole number from -2 to 2": {"west": 3},
    r"tap position of transformer 0: -3 .*from -2 to 2": {0: -3},
    r"tap position of transformer 0: 0\.5 ": {0: 0.5},
    r"tap position of transformer 0: nan ": {0: float("nan")},
    r"tap position of transformer 0: True ": {0: True},
    r"tap position of transformer 0: '1' ": {0: "1"},
    r"transformer to tap: 7 .*nearest: ": {7: 1},
    r"transformer to tap: True ": {True: 1},
    r"transformer to tap: 'wets' .*nearest: west": {"wets": 1},
}


@pytest.mark.parametrize("engine_name", ENGINES)
@pytest.mark.parametrize("message", WRONG)
def test_wrong_taps_are_refused_and_change_nothing(message, engine_name):
    feeder = Feeder(two_transformer_net())
    engine = make_engine(feeder, engine_name)
    before = engine.solve(np.zeros(7), np.zeros(7))
    with pytest.raises(InputError, match=message):
        engine.set_taps({"east": -2} | WRONG[message])
    with pytest.raises(InputErrors, match=r"(?s)'east': 5 .*'north' .*nearest: "):
        engine.set_taps({"east": 5, "north": 1})
    assert engine.taps == {0: 0, 1: 1}
    assert engine.revision == 0
    np.testing.assert_array_equal(engine.solve(np.zeros(7), np.zeros(7)), before)


def test_nets_without_taps_say_so():
    with pytest.raises(InputError, match="'sub' is not allowed; allowed: none: this net has no transformers"):
        load_feeder("four-bus").with_taps({"sub": 1})
    net = low_voltage_net()
    net.trafo["tap_side"] = None
    with pytest.raises(InputError, match="no transformer of this net has a tap changer"):
        Feeder(net).with_taps({0: 1})
    net = low_voltage_net()
    net.trafo["tap_max"] = np.nan
    with pytest.raises(InputError, match="tap_min and tap_max are given"):
        Feeder(net).with_taps({0: 1})
    net = two_transformer_net()
    net.trafo["name"] = "sub"
    with pytest.raises(InputError, match=r"by index: \[0, 1\]"):
        Feeder(net).with_taps({"sub": 1})


@pytest.mark.parametrize("engine_name", FAST)
def test_a_state_of_the_taps_is_built_once_and_old_ones_are_dropped(engine_name, monkeypatch):
    built = []
    plain = Feeder.with_taps
    monkeypatch.setattr(Feeder, "with_taps", lambda feeder, taps: built.append(dict(taps)) or plain(feeder, taps))
    monkeypatch.setattr(adjustable, "_TAP_STATES_MAX", 3)
    engine = make_engine(Feeder(two_transformer_net()), engine_name)
    for position in (1, 2, 1, 2, 0, 1):  # 0 is the feeder itself
        engine.set_taps({0: position})
    assert built == [{0: 1}, {0: 2}]
    for position in (-1, -2, 1):  # 2, 0, and then 1 go
        engine.set_taps({0: position})
    assert built == [{0: 1}, {0: 2}, {0: -1}, {0: -2}]
    engine.set_taps({0: 2})
    assert built[4:] == [{0: 2}]


def test_a_slack_angle_stays_when_the_voltage_changes():
    """Two sources of different angle: only the magnitudes become one."""
    net = CASES["several external grids"]()
    feeder = Feeder(net)
    net.ext_grid["vm_pu"] = 1.01
    nothing = np.zeros(feeder.n_buses)
    expected = runpp_voltages(net, nothing, nothing)
    pp.runpp(net)
    assert np.ptp(net.res_bus.va_degree[net.ext_grid.bus]) == pytest.approx(0.3)
    for name in ENGINES:
        engine = make_engine(feeder, name)
        engine.set_slack_vm_pu(1.01)
        np.testing.assert_allclose(engine.solve(nothing, nothing), expected, rtol=0, atol=PROMISED_PU)
