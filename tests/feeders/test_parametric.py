"""The 12.47 kV stand-in, and the rule that sets its head voltage."""

from __future__ import annotations

import numpy as np
import pytest

from feeders.engines import ENGINES, make_engine
from feeders.errors import InputError, PowerFlowError
from feeders.feeder import Feeder
from feeders.head_voltage import head_voltage
from feeders.library import load_feeder
from feeders.parametric import FACILITIES, parametric_net
from feeders.sensitivity import Quantity, derivatives

FEEDER = load_feeder("parametric-12kv")
PLACES = list(FACILITIES)


def powers(kw, kvar_per_kw=0.33):
    """Powers at the facilities, shape (1, n_buses); reactive power is consumed."""
    p_kw = np.zeros((1, FEEDER.n_buses))
    p_kw[0, FEEDER.bus_positions(PLACES)] = kw
    return p_kw, -kvar_per_kw * p_kw


def test_it_has_the_published_ratings():
    assert FEEDER.is_radial and FEEDER.net.bus.vn_kv.loc[FEEDER.connection_buses].eq(12.47).all()
    distance = FEEDER.electrical_distance
    at_the_end = distance.loc[FEEDER.bus_by_name("One Sun Plaza")]
    assert at_the_end.r_ohm / 0.20 == pytest.approx(12.0, rel=1e-4)  # km, by the resistance of a kilometre
    assert at_the_end.r_ohm > 0.95 * distance.r_ohm.max()
    assert (FEEDER.line_rating_ka == 0.530).all() and FEEDER.trafo_rating_kva.tolist() == [3550.0]
    background = FEEDER.background_p_kw > 0
    assert background.sum() == 18 and FEEDER.background_p_kw.sum() == pytest.approx(1600.0)
    np.testing.assert_allclose(FEEDER.background_q_kvar, 0.33 * FEEDER.background_p_kw)
    facilities = FEEDER.bus_positions(PLACES)
    assert not background[facilities].any()
    assert set(FEEDER.buses[facilities]) <= set(FEEDER.connection_buses)
    assert distance.r_ohm.iloc[facilities].is_monotonic_increasing


def test_the_office_complex_falls_by_what_was_measured_on_the_prototype():
    """p.u./MW at 0.33 kvar/kW: UNM, Studios, Mesa, OSP -0.0068, -0.0155, -0.021, -0.0276 there; here within 5 %."""
    engine = make_engine(FEEDER)
    p_kw, q_kvar = powers([100, 300, 100, 300])
    at = FEEDER.bus_positions(PLACES)
    found = derivatives(engine, p_kw, q_kvar, [Quantity("voltage", int(at[-1]))], at)
    per_mw = 1e3 * (found.per_kw - 0.33 * found.per_kvar)[0, 0]
    assert per_mw == pytest.approx([-0.0068, -0.0155, -0.021, -0.0276], rel=0.05)


def test_voltages_are_those_of_a_sweep_along_the_feeder():
    """Backward: powers plus losses ``Z |S/V|^2``; forward: ``V - Z conj(S/V)``; from the head, without any matrix.

    3e-5 p.u. is what the substation's transformer may take, which the sweep leaves out.
    """
    net = FEEDER.net
    p_kw, q_kvar = powers([150, 600, 120, 400])
    load_va = 1e3 * (p_kw[0] + FEEDER.background_p_kw + 1j * (FEEDER.background_q_kvar - q_kvar[0]))
    z_ohm = (0.20 + 0.40j) * net.line.length_km
    lines = list(zip(net.line.from_bus, net.line.to_bus, z_ohm, strict=True))  # from the head on, laterals last
    head = net.trafo.lv_bus[0]
    v = np.full(FEEDER.n_buses, 1.003 * 12470.0, dtype=complex)  # between the phases
    for _ in range(30):
        s = load_va.copy()
        sent = {}
        for start, end, z in reversed(lines):
            sent[end] = s[end] + z * np.abs(s[end] / v[end]) ** 2
            s[start] += sent[end]
        for start, end, z in lines:
            v[end] = v[start] - z * np.conj(sent[end] / v[start])
    vm_pu = make_engine(FEEDER).solve(p_kw, q_kvar)[0]
    assert vm_pu.min() < 0.965
    np.testing.assert_allclose(vm_pu[head:], np.abs(v[head:]) / 12470.0, rtol=0, atol=3e-5)


def test_a_substation_with_impedance_is_felt():
    """``E = V + (R + jX) (P - jQ) / V`` with V real: 7 % of 3.55 MVA, a tenth of it R."""
    feeder = Feeder(parametric_net(substation_vk_percent=7.0))
    p_kw, q_kvar = powers(100.0)
    head = make_engine(feeder).write_results(p_kw[0], q_kvar[0]).res_trafo.iloc[0]
    z = 0.07 / 3.55 * (0.1 + 1j * np.sqrt(1 - 0.1**2))  # p.u. on 1 MVA
    v, s = head.vm_lv_pu, -(head.p_lv_mw + 1j * head.q_lv_mvar)
    assert abs(v + z * s.conjugate() / v) == pytest.approx(1.003, abs=1e-7)
    assert v < 0.99


def test_its_numbers_are_parameters():
    net = parametric_net(
        vn_kv=20.0,
        n_trunk=3,
        trunk_km=2.0,
        laterals=(2,),
        lateral_km=1.0,
        rating_a=200.0,
        substation_kva=1000.0,
        head_vm_pu=1.02,
        facilities={"mill": 3},
        background_kw=300.0,
        background_nodes=(1, 3),
        background_kvar_per_kw=0.1,
    )
    feeder = Feeder(net)
    assert feeder.net.bus.name.tolist() == ["grid", "substation", "trunk 1", "trunk 2", "mill", "lateral 2"]
    assert feeder.background_p_kw.tolist() == pytest.approx([0, 0, 100, 0, 100, 100])
    assert feeder.background_q_kvar.tolist() == pytest.approx([0, 0, 10, 0, 10, 10])
    assert feeder.electrical_distance.x_ohm.iloc[4] == pytest.approx(2.4, rel=0.01)
    assert (feeder.line_rating_ka == 0.2).all() and feeder.trafo_rating_kva[0] == 1000.0
    assert feeder.nodal.slack_vm_pu.tolist() == [1.02]


@pytest.mark.parametrize(
    ("message", "wrong"),
    {
        "laterals: .17": {"laterals": (3, 17)},
        "background_nodes: .0": {"background_nodes": (0, 3)},
        "facilities: .4, 4.*each once": {"facilities": {"a": 4, "b": 4}},
        "facilities: .16.*1 to 12": {"n_trunk": 12, "laterals": (), "background_nodes": (2,)},
    }.items(),
)
def test_trunk_nodes_that_do_not_exist(message, wrong):
    with pytest.raises(InputError, match=message):
        parametric_net(**wrong)


@pytest.mark.parametrize("engine_name", [name for name in ENGINES if name != "pandapower"])
def test_head_voltage_puts_the_lowest_voltage_at_the_target(engine_name):
    engine = make_engine(FEEDER, engine_name)
    engine.set_taps({"substation": 2})
    p_kw, q_kvar = (np.vstack([some, more]) for some, more in zip(powers(150.0), powers(300.0), strict=True))
    before = engine.solve(p_kw, q_kvar)
    found = head_voltage(engine, p_kw, q_kvar, ["One Sun Plaza", "UNM ME"], 0.9605)
    np.testing.assert_array_equal(engine.solve(p_kw, q_kvar), before)  # it is left as it is
    engine.set_slack_vm_pu(found)
    vm_pu = engine.solve(p_kw, q_kvar)[:, FEEDER.bus_positions(["One Sun Plaza", "UNM ME"])]
    assert vm_pu.min() == vm_pu[1, 0] == pytest.approx(0.9605, abs=2e-8)
    assert head_voltage(engine, p_kw, q_kvar, ["One Sun Plaza"], 0.9605) == pytest.approx(found, abs=2e-8)


def test_head_voltage_that_cannot_be_reached_says_what_can():
    engine = make_engine(FEEDER)
    p_kw, q_kvar = powers(300.0)
    lowest = []
    for slack_vm_pu in (0.9, 1.1):
        engine.set_slack_vm_pu(slack_vm_pu)
        lowest.append(engine.solve(p_kw, q_kvar)[0, FEEDER.bus_by_name("One Sun Plaza")])
    for target in (1.09, 0.7, float("nan")):
        with pytest.raises(InputError, match=rf"target_pu: {target} .*{lowest[0]:.4f} to {lowest[1]:.4f} p\.u\."):
            head_voltage(engine, p_kw, q_kvar, ["One Sun Plaza"], target)
    with pytest.raises(PowerFlowError, match="scenario 0"):
        head_voltage(engine, 100 * p_kw, q_kvar, ["One Sun Plaza"], 0.96)


def test_head_voltage_where_the_lowest_sources_carry_no_load():
    """At 0.8 p.u. there is no flow; that is only too low."""
    engine = make_engine(FEEDER)
    p_kw, q_kvar = powers(2500.0)
    engine.set_slack_vm_pu(0.8)
    with pytest.raises(PowerFlowError):
        engine.solve(p_kw, q_kvar)
    engine.set_slack_vm_pu(head_voltage(engine, p_kw, q_kvar, ["One Sun Plaza"], 0.9, between=(0.8, 1.3)))
    assert engine.solve(p_kw, q_kvar)[0, FEEDER.bus_by_name("One Sun Plaza")] == pytest.approx(0.9, abs=1e-8)
