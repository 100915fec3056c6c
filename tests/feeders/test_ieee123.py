"""The IEEE 123 node feeder: its tables against published sums, its balanced equivalent against OpenDSS."""

from __future__ import annotations

import numpy as np
import pandapower as pp
import pytest

from feeders.engines import make_engine
from feeders.errors import InputError, InputErrors
from feeders.flows import power_flows, tightest
from feeders.ieee123 import ieee123_feeder, ieee123_net, opendss_commands
from feeders.ieee123.tables import configuration_matrix, table

dss = pytest.importorskip("opendssdirect")


def _opendss(commands):
    """Mean voltage of the phases of each bus and voltages by phase, both p.u., and losses [kW]."""
    for command in [*commands, "Set ControlMode=off", "Set Tolerance=1e-9", "Set MaxIterations=100", "Solve"]:
        dss.Text.Command(command)
    assert dss.Solution.Converged()
    phases = dict(zip(dss.Circuit.AllNodeNames(), dss.Circuit.AllBusMagPu(), strict=True))
    by_bus: dict[str, list[float]] = {}
    for node, vm_pu in phases.items():
        by_bus.setdefault(node.split(".")[0], []).append(vm_pu)
    return (
        {bus: (np.mean(values), len(values)) for bus, values in by_bus.items()},
        phases,
        dss.Circuit.Losses()[0] / 1e3,
    )


def _balanced(feeder):
    """Voltages by the name of the bus, and losses [kW]: what the source gives less what the loads take."""
    engine = make_engine(feeder)
    flows = power_flows(engine, feeder.background_p_kw[None], feeder.background_q_kvar[None])
    model, voltages = engine.nodal, flows.voltages[0]
    source_mva = voltages * np.conj(model.admittance_pu @ voltages) * model.base_mva
    losses_kw = source_mva[model.slack_nodes].real.sum() * 1e3 - feeder.background_p_kw.sum()
    names = feeder.net.bus.loc[feeder.buses, "name"]
    return dict(zip(names, flows.vm_pu[0], strict=True)), losses_kw


def test_published_sums():
    loads = table("spot_loads")
    assert loads[["a_kw", "b_kw", "c_kw"]].sum().tolist() == [1420, 915, 1155]  # published totals by phase
    assert loads[["a_kvar", "b_kvar", "c_kvar"]].sum().tolist() == [775, 515, 630]
    assert len(table("lines")) == 118
    assert table("capacitors").drop(columns="bus").sum().tolist() == [250, 250, 250]


def test_matrix_of_phases():
    r_ohm = configuration_matrix(7, "r_ohm")  # phases a and c
    assert r_ohm.tolist() == [[0.4576, 0.1535], [0.1535, 0.4615]]
    for code in range(1, 13):
        x_ohm = configuration_matrix(code, "x_ohm")
        np.testing.assert_array_equal(x_ohm, x_ohm.T)
        assert np.isfinite(configuration_matrix(code, "b_us")).all()


MODEL_OF_OPENDSS = {
    "1.1": 1.03118,
    "25r.3": 1.00281,
    "67.2": 1.03108,
    "83.2": 1.03609,
    "114.1": 1.02166,
    "66.3": 0.99555,
    "46.1": 0.99094,
    "610.1": 0.98806,
}
"""Voltages of the model of this feeder that comes with OpenDSS, published taps locked, switches of 1 micro-ohm."""


def test_unbalanced_feeder_is_the_model_that_comes_with_opendss():
    _, phases, losses_kw = _opendss(opendss_commands())
    assert phases["149.1"] == pytest.approx(1.04375, abs=5e-5)  # 7 taps of 5/8 %
    assert {node: phases[node] for node in MODEL_OF_OPENDSS} == pytest.approx(MODEL_OF_OPENDSS, abs=2.1e-4)
    assert losses_kw == pytest.approx(95.29, abs=0.1)  # kW, of that model


CASES = {
    # deck, net, max and mean error of all buses, max of three-phase buses, share of losses missing
    "published": ({}, {"head_tap": 7, "peak_kva": None}, 0.0183, 0.0045, 0.0027, 0.09),
    "default": ({"head_tap": 0, "peak_kva": 2930.0}, {}, 0.0138, 0.0035, 0.0016, 0.05),
    "nominal": (
        {"head_tap": 0, "peak_kva": 2000.0, "downstream_taps": False, "capacitors": False},
        {"peak_kva": 2000.0, "downstream_taps": False, "capacitors": False},
        0.0130,
        0.0032,
        0.0030,
        0.10,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_balanced_equivalent_is_within_its_stated_error(case):
    commands, parameters, most, mean, most_three_phase, losses = CASES[case]
    unbalanced, _, unbalanced_kw = _opendss(opendss_commands(**commands))
    vm_pu, losses_kw = _balanced(ieee123_feeder(**parameters))
    assert set(vm_pu) == set(unbalanced)
    error = {bus: abs(vm_pu[bus] - unbalanced[bus][0]) for bus in vm_pu}
    assert max(error.values()) < most
    assert np.mean(list(error.values())) < mean
    assert max(error[bus] for bus in error if unbalanced[bus][1] == 3) < most_three_phase
    assert 0 < 1 - losses_kw / unbalanced_kw < losses


def test_three_equal_phases_are_exact():
    """With transposed lines, loads and capacitors alike on all phases, the equivalent is the feeder."""
    feeder = ieee123_feeder(downstream_taps=False)
    net = feeder.net
    commands = [c for c in opendss_commands(head_tap=0, downstream_taps=False) if _keeps(c)]
    at = commands.index("CalcVoltageBases")
    balanced = []
    for row in net.line.itertuples():
        ends = [net.bus.at[bus, "name"] for bus in (row.from_bus, row.to_bus)]
        matrices = [row.r_ohm_per_km, row.x_ohm_per_km, row.c_nf_per_km]
        r, x, c = (f"({value:.12g} | 0 {value:.12g} | 0 0 {value:.12g})" for value in matrices)
        balanced.append(
            f"New Line.{row.name} Phases=3 Bus1={ends[0]} Bus2={ends[1]} Length={row.length_km:.12g}"
            f" Units=km RMatrix={r} XMatrix={x} CMatrix={c}"
        )
    for name, tables in (("9", "9r"), ("25", "25r")):
        balanced.append(f"New Line.whole-{name} Phases=3 Bus1={name} Bus2={tables} Switch=yes Length=1e-6")
    for row in net.load[net.load.name.str.startswith("load ")].itertuples():
        bus = net.bus.at[row.bus, "name"]
        kw, kvar = row.p_mw * 1e3, row.q_mvar * 1e3
        balanced.append(f"New Load.{bus} Bus1={bus} Model=1 kV=4.16 kW={kw:.12g} kvar={kvar:.12g} Vminpu=0.8")
    for row in net.shunt.itertuples():
        bus = net.bus.at[row.bus, "name"]
        balanced.append(f"New Capacitor.{bus} Phases=3 Bus1={bus} kvar={-row.q_mvar * 1e3:.9g} kV=4.16")
    unbalanced, _, _ = _opendss([*commands[: at - 1], *balanced, *commands[at - 1 :]])
    vm_pu, _ = _balanced(feeder)
    # 3e-4: what the regulators' tenth of a percent costs, and nothing else
    assert max(abs(vm_pu[bus] - unbalanced[bus][0]) for bus in vm_pu) < 3e-4


def _keeps(command):
    """Neither lines nor loads nor capacitors, nor the regulators that have not all phases."""
    gone = (
        "New Line.",
        "New LineCode",
        "New Load",
        "New Capacitor",
        "New Transformer.regulator-2",
        "New Transformer.regulator-3",
    )
    return command.startswith("New Line.switch") or not command.startswith(gone)


def test_parameters():
    at = {"head_tap": 3, "slack_vm_pu": 1.02, "ratings": "flat-400", "capacitors": False, "peak_kva": 1000.0}
    net = ieee123_net(**at)
    assert net.ext_grid.vm_pu.tolist() == [1.02]
    assert net.trafo.set_index("name").tap_pos[:4].tolist() == [3, -1, 0, 5]
    assert ieee123_net(downstream_taps=False).trafo.tap_pos[:4].tolist() == [0, 0, 0, 0]
    assert set(net.line.max_i_ka) == {0.4}
    assert not len(net.shunt)
    assert np.hypot(net.load.p_mw.sum(), net.load.q_mvar.sum()) == pytest.approx(1.0, rel=1e-12)
    assert ieee123_net().shunt.q_mvar.sum() == pytest.approx(-0.75)
    published = ieee123_net(peak_kva=None).load
    assert (published.p_mw.sum(), published.q_mvar.sum()) == pytest.approx((3.49, 1.92))
    rating = ieee123_net().line.set_index("name").max_i_ka
    assert (rating["13-18"], rating["1-2"], rating["62-63"]) == (0.53, 0.23, 0.202)


def test_wrong_parameters_are_named_together():
    with pytest.raises(InputErrors) as caught:
        ieee123_net(slack_vm_pu=0.0, head_tap=17, ratings="none", peak_kva=-1.0)  # type: ignore[arg-type]
    assert [error.field for error in caught.value.errors] == ["slack_vm_pu", "head_tap", "ratings", "peak_kva"]
    assert all(isinstance(error, InputError) for error in caught.value.errors)


def test_default_case_is_inside_its_limits_before_anything_is_added():
    feeder = ieee123_feeder()
    engine = make_engine(feeder)
    flows = power_flows(engine, feeder.background_p_kw[None], feeder.background_q_kvar[None])
    assert tightest(feeder, flows).margin > 0
    pp.runpp(feeder.net)
    np.testing.assert_allclose(flows.vm_pu[0], feeder.net.res_bus.vm_pu, rtol=0, atol=1e-8)
    assert feeder.is_radial
