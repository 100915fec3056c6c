"""Which voltage a rule reads in each mode, and when an exchange within the step has settled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from agents.prosumer import RULES, Ranges, Status, VoltageBand
from agents.prosumer.rules import no_rule
from cosim import CoSimulation, Scenario
from cosim.measurement import flow
from tests.cosim.loop_cases import finished, watch, with_profiles

pytestmark = pytest.mark.usefixtures("feeders_built_once")

Array = npt.NDArray[np.float64]


def voltages(scenario: Scenario) -> Array:
    return finished(scenario).record.column("vm_pu")


def test_open_loop_reads_the_run_in_which_nobody_optimises(four_bus: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = watch(monkeypatch, "prc")
    model = finished(four_bus.changed({"mode": "open-loop", "rule": "watched"}))
    passive = voltages(four_bus.changed({"rule": "none", "prosumers.*.optimise": False}))
    assert np.array_equal(seen, passive)
    assert np.abs(model.record.column("vm_pu") - passive).max() > 1e-3  # the record has what the corrections did


def test_the_open_loops_reference_knows_the_size_of_inverters(
    four_bus: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without a battery that takes the rest, what is beyond the rating never reaches the feeder.
    small = no_battery(four_bus, mode="open-loop", **{"prosumers.*.inverter_kva": 1.0})
    seen = watch(monkeypatch, "prc")
    finished(small.changed({"rule": "watched"}))
    passive = finished(small.changed({"rule": "none", "prosumers.*.optimise": False}))
    assert passive.record.column("p_curtailed_kw").max() > 0.5
    assert np.array(seen) == pytest.approx(passive.record.column("vm_pu"), rel=0, abs=1e-12)


def test_open_loop_can_read_the_run_that_optimises_without_a_rule(
    four_bus: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = watch(monkeypatch, "prc")
    finished(four_bus.changed({"mode": "open-loop", "rule": "watched", "open_loop_reference": "optimised"}))
    free = voltages(four_bus.changed({"rule": "none"}))
    assert np.array_equal(seen, free)
    assert np.abs(free - voltages(four_bus.changed({"rule": "none", "prosumers.*.optimise": False}))).max() > 1e-3


def test_closed_loop_reads_the_control_step_before(four_bus: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = watch(monkeypatch, "prc")
    record = finished(four_bus.changed({"rule": "watched"})).record.column("vm_pu")
    passive = voltages(four_bus.changed({"rule": "none", "prosumers.*.optimise": False}))
    assert np.array_equal(seen[0], passive[0])  # before the first step nobody has done anything yet
    assert np.array_equal(seen[1:], record[:-1])


# Inverters so small and a band so wide that the exchange converges undamped: power moves by 2 S / width = 33 kW/p.u.,
# and the largest eigenvalue of the feeder's resistances and reactances, over 0.23 kV squared, is 0.016 and 0.008 p.u.
# a MW/1000: a loop gain of 0.8 at most.
GENTLE = {
    "prosumers.*.inverter_kva": 1.0,
    "voltage.vm_min_pu": 0.94,
    "voltage.dead_pu": 0.0,
    "voltage.vm_max_pu": 1.06,
}


def no_battery(scenario: Scenario, **changes: object) -> Scenario:
    """So that a step can be regulated once more after its energy was delivered."""
    return scenario.changed({"prosumers.*.battery_kwh": 0.0, "control_step_min": 15, **changes})


def acts(model: CoSimulation) -> bool:
    """Whether the rule changed anything at the end of the feeder that the rating alone would not."""
    unclipped_kw = np.minimum(model.record.column("p_pv_kw"), 1.0)
    used_kw = model.record.column("p_pv_kw") - model.record.column("p_curtailed_kw")
    return bool((np.abs(model.record.column("q_inverter_kvar")) + unclipped_kw - used_kw)[-1, -1] > 0.05)


@pytest.mark.parametrize("rule", ["prc", "anrc", "hybrid"])
def test_settled_is_a_fixed_point(four_bus: Scenario, rule: str) -> None:
    model = CoSimulation(no_battery(four_bus, mode="settled", rule=rule, **GENTLE))
    acted = 0
    while not model.clock.finished:
        model.step()
        before = model.population.vm_pu.copy()
        model.population.regulate(before, 0.25)
        assert np.abs(flow(model.population, model.grid) - before).max() <= 1e-6
        acted += acts(model)
    assert not (model.record.column("status").astype(int) & Status.NOT_SETTLED).any()
    assert acted > 10


@pytest.mark.parametrize(
    ("rule", "load_kw", "pv_kw_per_kwp"),
    [
        ("prc", 2.5, 0.0),  # no ANRC here: it asks nothing of a home without sun and battery
        ("hybrid", 2.5, 0.0),
        ("prc", 0.2, 1.0),
        ("anrc", 0.2, 1.0),
        ("hybrid", 0.2, 1.0),
    ],
)
def test_settled_is_where_a_closed_loop_comes_to_rest(
    four_bus: Scenario, tmp_path: Path, rule: str, load_kw: float, pv_kw_per_kwp: float
) -> None:
    constant = with_profiles(four_bus, tmp_path, [load_kw] * 96, [pv_kw_per_kwp] * 96)
    calm = no_battery(constant, rule=rule, **GENTLE, **{"prosumers.*.optimise": False})
    closed, at_once = finished(calm), CoSimulation(calm, mode="settled")
    at_once.step()
    # A deviation of 1e-6 ends the exchange, and the next flow brings it nearer still. The loop gain of 0.8 leaves
    # nothing of the closed loop's start after 96 steps: 0.8**96 = 5e-10.
    assert at_once.population.vm_pu == pytest.approx(closed.population.vm_pu, rel=0, abs=1e-6)
    assert acts(at_once)
    assert np.abs(closed.record.column("vm_pu")[0] - closed.population.vm_pu).max() > 1e-4


STEEP = {
    "prosumers.*.optimise": False,
    "prosumers.*.pv_kwp": 8.0,
    "prosumers.*.inverter_kva": 9.0,
    "voltage.vm_min_pu": 0.97,
    "voltage.dead_pu": 0.005,
    "voltage.vm_max_pu": 1.03,
}


@pytest.mark.parametrize("rule", ["prc", "hybrid"])
def test_a_loop_gain_of_ten_settles_too_and_in_a_few_exchanges(
    four_bus: Scenario, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A rating is crossed within 0.025 p.u., twice under PRC: 9 kW * (2 or 1) / 0.025 p.u. times the largest eigenvalue
    # of the resistances, 0.016 p.u. a MW/1000 as above, is a loop gain of 11 or 6.
    seen = watch(monkeypatch, rule)
    model = finished(no_battery(four_bus, mode="settled", rule="watched", **STEEP))
    assert not (model.record.column("status").astype(int) & Status.NOT_SETTLED).any()
    assert (np.abs(model.record.column("q_inverter_kvar")) + model.record.column("p_curtailed_kw")).max() > 1.0
    assert len(seen) < 8 * 96


def bang_bang(vm_pu: Array, rating_kva: Array, band: VoltageBand) -> Ranges:
    """All reactive power one way or the other: has no fixed point where its own effect carries u over 1."""
    q_kvar = np.where(vm_pu > 1.0, -rating_kva, rating_kva)
    return Ranges(*no_rule(vm_pu, rating_kva, band)[:2], q_kvar, q_kvar)


def test_what_cannot_settle_says_so(four_bus: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, "bang-bang", bang_bang)
    model = CoSimulation(no_battery(four_bus, mode="settled", rule="bang-bang"))
    found = []
    for _ in range(24):
        model.step()
        flagged = (model.population.status.astype(int) & Status.NOT_SETTLED) > 0
        q_kvar = model.population.q_inverter_kvar.copy()
        model.population.regulate(model.population.vm_pu.copy(), 0.25)
        consistent = np.array_equal(q_kvar, model.population.q_inverter_kvar)
        assert flagged.any() or consistent
        found.append(flagged.any())
    assert any(found)


def test_nothing_is_flagged_without_a_rule(four_bus: Scenario) -> None:
    model = finished(four_bus.changed({"rule": "none", "mode": "settled"}))
    assert (model.record.column("status") == 0).all()


def test_an_open_loop_that_reads_the_optimised_run_solves_no_other_reference(four_bus: Scenario) -> None:
    changes = {"mode": "open-loop", "open_loop_reference": "optimised", "rule": "none"}
    model = CoSimulation(four_bus.changed(changes))
    model.grid.reuse = False
    model.run()
    assert model.grid.n_solved == 288 + 1  # each control step, and what is read before anything is measured
