"""The feeder exported to OpenDSS is ours, and so is what its inverters come to; without it the bench goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cosim.bench.opendss
import cosim.bench.volt_var
from agents.prosumer import RULES, Status, VoltageBand
from cosim import CoSimulation
from cosim.bench import Effort
from cosim.bench.curves import registered_curves, volt_var, volt_var_watt
from cosim.bench.opendss import Control, Day, OpenDss, PeerError, opendss_module
from cosim.bench.stopwatch import lived
from cosim.bench.volt_var import CONTROLS, peer_of, volt_var_day, volt_var_scenario
from feeders import load_feeder, make_engine
from feeders.errors import InputError

LEAST = Effort(1, 1, 2, (2,), 0.0, 2, 1)

needs_opendss = pytest.mark.skipif(opendss_module() is None, reason="the extra bench is not installed")


@needs_opendss
@pytest.mark.parametrize("name", ["four-bus", "case33bw", "kerber-dorfnetz", "mv-oberrhein"])
def test_without_control_both_compute_the_same_circuit(name: str) -> None:
    """Two substations with taps, shunts of cables and the feeders' own loads among them."""
    feeder = load_feeder(name)
    bus = feeder.connection_buses.tolist()
    generator = np.random.default_rng(5)
    load, sun = generator.uniform(0.0, 3.0, (2, 2, len(bus)))
    peer = OpenDss(feeder, bus, np.full(len(bus), 5.0), Day(load, load * 0.3, sun))
    peer.solve()
    position, engine = feeder.bus_positions(bus), make_engine(feeder)
    for minute, found in enumerate(peer.voltages()):
        p, q = np.zeros((2, feeder.n_buses))
        p[position], q[position] = (load - sun)[minute], -0.3 * load[minute]
        vm_pu = engine.write_results(p, q).res_bus.vm_pu.to_numpy()  # by pandapower itself
        # Monitors keep single precision, 6e-8 p.u.
        assert found == pytest.approx(vm_pu[position], rel=0, abs=2e-7)
        assert np.ptp(vm_pu[position]) > 1e-3


def afternoon(folder: Path, rule: str) -> CoSimulation:
    """An hour of much sun, lived."""
    with registered_curves():
        model = CoSimulation(volt_var_scenario(folder, first_minute=13 * 60), rule=rule)
    lived(model, 60)
    return model


@needs_opendss
def test_a_peer_that_does_not_settle_is_said_to(tmp_path: Path) -> None:
    peer = peer_of(afternoon(tmp_path, "bench-volt-var"), Control(watt=False, step=1.0, voltage_pu=1e-9, power_pu=1e-9))
    with pytest.raises(PeerError, match="Max Control Iterations Exceeded"):
        peer.solve()


@needs_opendss
@pytest.mark.parametrize("rule", CONTROLS)
def test_inverters_come_to_rest_where_opendss_has_them(rule: str, tmp_path: Path) -> None:
    model = afternoon(tmp_path, rule)
    assert not (model.record.column("status").astype(int) & Status.NOT_SETTLED).any()
    ours = model.record.column("vm_pu")
    assert np.abs(model.record.column("q_inverter_kvar")).max() > 5.0
    assert ours.max() > 1.06  # where volt-watt acts
    peer = peer_of(model, CONTROLS[rule])
    peer.solve()
    assert np.abs(peer.voltages() - ours).max() < 1e-4
    idle = peer_of(model, None)
    idle.solve()
    assert np.abs(idle.voltages() - ours).max() > 1e-2


def test_without_opendss_the_row_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cosim.bench.volt_var, "opendss_module", lambda: None)
    rows = list(volt_var_day(LEAST, lambda share: None))
    assert len(rows) == 4
    assert not [name for name in RULES if name.startswith("bench")]
    for row in rows:
        assert (row.peer, row.theirs, row.ratio, row.difference) == (None, None, None, None)
        assert row.note == "peer not installed: pip install cosim-prosumers[bench]"
        assert row.ours is not None
    monkeypatch.setattr(cosim.bench.opendss, "opendss_module", lambda: None)
    feeder, nothing = load_feeder("four-bus"), np.zeros((1, 1))
    with pytest.raises(InputError, match="pip install cosim-prosumers"):
        OpenDss(feeder, [2], np.ones(1), Day(nothing, nothing, nothing))


def test_curves_are_those_of_the_standard() -> None:
    """IEEE 1547-2018, tables 8 and 10, category B."""
    vm_pu = np.array([0.90, 0.92, 0.95, 0.98, 1.0, 1.02, 1.05, 1.08, 1.10, 1.15])
    rating = np.full(len(vm_pu), 10.0)
    var, watt = (rule(vm_pu, rating, VoltageBand()) for rule in (volt_var, volt_var_watt))
    assert var.q_lo_kvar == pytest.approx([4.4, 4.4, 2.2, 0.0, 0.0, 0.0, -2.2, -4.4, -4.4, -4.4], abs=1e-12)
    assert np.array_equal(var.q_lo_kvar, var.q_hi_kvar)
    assert np.array_equal(var.p_lo_kw, -rating)
    assert watt.p_lo_kw == pytest.approx([-10.0] * 7 + [-6.0, -2.0, -2.0])
    assert np.array_equal(watt.q_lo_kvar, var.q_lo_kvar)
