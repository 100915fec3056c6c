"""Every case of a net, through every engine, against a plain runpp of the user's net."""

from __future__ import annotations

import re

import numpy as np
import pandapower as pp
import pytest

from feeders.engines import ENGINES, make_engine
from feeders.errors import EngineRefusalError, InputError
from feeders.feeder import Feeder
from tests.feeders.feeder_cases import CASES, low_voltage_net, runpp_voltages

FAST = [name for name in ENGINES if name != "pandapower"]
PROMISED_PU = 1e-8


def powers_everywhere(feeder, seed=3):
    rng = np.random.default_rng(seed)
    p_kw = np.where(feeder.energised, rng.uniform(-15, 15, feeder.n_buses), 0.0)
    q_kvar = np.where(feeder.energised, rng.uniform(-5, 5, feeder.n_buses), 0.0)
    return p_kw, q_kvar


@pytest.mark.parametrize("engine_name", ENGINES)
@pytest.mark.parametrize("case", CASES)
def test_agrees_with_runpp(case, engine_name):
    net = CASES[case]()
    feeder = Feeder(net)
    p_kw, q_kvar = powers_everywhere(feeder)
    expected = runpp_voltages(net, p_kw, q_kvar)
    engine = make_engine(feeder, engine_name)
    vm_pu = engine.solve(p_kw, q_kvar)
    np.testing.assert_array_equal(np.isnan(vm_pu), np.isnan(expected))
    np.testing.assert_array_equal(feeder.energised, ~np.isnan(expected))
    np.testing.assert_allclose(vm_pu, expected, rtol=0, atol=PROMISED_PU)
    # Without prosumers it is the user's own flow, closer still: it is the solution of the same equations.
    nothing = np.zeros(feeder.n_buses)
    own = runpp_voltages(net, nothing, nothing)
    np.testing.assert_allclose(engine.solve(nothing, nothing), own, rtol=0, atol=1e-9)


@pytest.mark.parametrize("engine_name", FAST)
@pytest.mark.parametrize("case", CASES)
def test_results_are_in_the_net(case, engine_name):
    feeder = Feeder(CASES[case]())
    engine = make_engine(feeder, engine_name)
    p_kw, q_kvar = powers_everywhere(feeder)
    vm_pu = engine.solve(p_kw, q_kvar)
    net = engine.write_results()
    assert net is feeder.net
    np.testing.assert_allclose(net.res_bus.vm_pu, vm_pu, rtol=0, atol=PROMISED_PU)
    # pandapower leaves loads at dead buses at zero; the sum of ours is what went in.
    prosumers = net.res_load.loc[feeder.prosumer_loads]
    assert prosumers.p_mw.sum() * 1e3 == pytest.approx(p_kw.sum(), abs=1e-9)
    assert prosumers.q_mvar.sum() * -1e3 == pytest.approx(q_kvar.sum(), abs=1e-9)


def test_taps_without_type_are_taken_as_ratio():
    net = low_voltage_net()
    net.trafo["tap_pos"] = 2
    net.trafo["tap_changer_type"] = None
    feeder = Feeder(net)
    assert "tap_changer_type" in feeder.notes[0]
    nothing = np.zeros(feeder.n_buses)
    explicit = CASES["tap"]()
    vm_pu = make_engine(feeder).solve(nothing, nothing)
    np.testing.assert_allclose(vm_pu, runpp_voltages(explicit, nothing, nothing), rtol=0, atol=PROMISED_PU)
    # and pandapower alone would have ignored them
    assert np.abs(vm_pu - runpp_voltages(net, nothing, nothing)).max() > 0.01
    assert net.trafo.tap_changer_type.isna().all()  # the user's net is left as it was


@pytest.mark.parametrize("engine_name", ENGINES)
def test_slack_voltage_is_set(engine_name):
    net = low_voltage_net()
    feeder = Feeder(net)
    engine = make_engine(feeder, engine_name)
    p_kw, q_kvar = powers_everywhere(feeder)
    engine.set_slack_vm_pu(0.97)
    net.ext_grid["vm_pu"] = 0.97
    expected = runpp_voltages(net, p_kw, q_kvar)
    np.testing.assert_allclose(engine.solve(p_kw, q_kvar), expected, rtol=0, atol=PROMISED_PU)
    written = engine.write_results()
    np.testing.assert_allclose(written.res_bus.vm_pu, expected, rtol=0, atol=PROMISED_PU)
    assert written.res_ext_grid.p_mw.sum() > 0
    with pytest.raises(InputError, match="slack vm_pu"):
        engine.set_slack_vm_pu(float("nan"))


def with_generator(net):
    pp.create_gen(net, 3, p_mw=0.01, vm_pu=1.0)


def with_ward(net):
    pp.create_ward(net, 3, ps_mw=0.01, qs_mvar=0, pz_mw=0.01, qz_mvar=0)


def with_xward(net):
    pp.create_xward(net, 3, 0.01, 0, 0.01, 0, r_ohm=0.1, x_ohm=0.1, vm_pu=1.0)


def with_motor(net):
    pp.create_motor(net, 3, pn_mech_mw=0.01, cos_phi=0.9)


def with_asymmetric_load(net):
    pp.create_asymmetric_load(net, 3, p_a_mw=0.01)


def with_constant_impedance_load(net):
    pp.create_load(net, 3, p_mw=0.02, const_z_p_percent=100)


def with_constant_current_load(net):
    pp.create_load(net, 3, p_mw=0.02, q_mvar=0.01, const_i_q_percent=50)


def with_unequal_leakage(net):
    net.trafo["leakage_resistance_ratio_hv"] = 0.9
    net.trafo["leakage_reactance_ratio_hv"] = 0.9


REFUSED = {
    "generators": with_generator,
    "net.ward": with_ward,
    "net.xward": with_xward,
    "motors": with_motor,
    "asymmetric loads": with_asymmetric_load,
    "voltage-dependent loads": with_constant_impedance_load,
    r"voltage-dependent loads \(net.load at buses \[3\]\)": with_constant_current_load,
    "leakage ratio": with_unequal_leakage,
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_fast_engines_refuse_pandapower_solves(what):
    net = low_voltage_net()
    REFUSED[what](net)
    feeder = Feeder(net)
    for name in FAST:
        with pytest.raises(EngineRefusalError, match=f"{name} cannot compute .*{what}.*engine 'pandapower'"):
            make_engine(feeder, name)
    p_kw, q_kvar = np.zeros(feeder.n_buses), np.zeros(feeder.n_buses)
    p_kw[5], q_kvar[5] = 12.0, 4.0
    expected = runpp_voltages(net, p_kw, q_kvar)
    for name in ("pandapower", "auto"):
        engine = make_engine(feeder, name)
        assert engine.name == "pandapower"
        np.testing.assert_allclose(engine.solve(p_kw, q_kvar), expected, rtol=0, atol=PROMISED_PU)
    assert re.search(f"the engine is pandapower, .*{what}", engine.notes[0])


def test_auto_is_the_fastest_where_nothing_is_refused():
    for feeder in (Feeder(low_voltage_net()), Feeder(CASES["meshed"]())):
        assert make_engine(feeder).name == make_engine(feeder, "auto").name == "current-injection"
        assert make_engine(feeder).notes == []
    assert [make_engine(feeder, name).name for name in ENGINES] == list(ENGINES)


def test_elements_out_of_service_are_no_reason_to_refuse():
    net = low_voltage_net()
    pp.create_gen(net, 3, p_mw=0.01, in_service=False)
    pp.create_load(net, 3, p_mw=0.02, const_z_p_percent=100, in_service=False)
    feeder = Feeder(net)
    assert [make_engine(feeder, name).name for name in FAST] == FAST


def test_prosumers_beside_voltage_dependent_loads_are_refused():
    net = low_voltage_net()
    with_constant_impedance_load(net)
    feeder = Feeder(net)
    p_kw = np.where(feeder.buses == 3, 1.0, 0.0)
    with pytest.raises(EngineRefusalError, match=r"buses \[3\]"):
        make_engine(feeder, "pandapower").solve(p_kw, np.zeros(feeder.n_buses))


def test_unknown_engine_names_the_nearest():
    with pytest.raises(InputError, match="nearest: power-grid-model"):
        make_engine(Feeder(low_voltage_net()), "power-grid")
