"""The log of a living model: each kind of incident comes where it is provoked, once, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.prosumer import Status
from cosim import CoSimulation, Scenario
from cosim.failure import RunFailure
from cosim.incidents import FIRST_NAMES, HUNTS, KINDS, Incident, Incidents
from cosim.indices import voltage_reversals
from cosim.tariff import FlatTariff
from tests.cosim.loop_cases import with_profiles

pytestmark = pytest.mark.usefixtures("feeders_built_once")

QUIET = [0.2] * 96
NO_SUN = [0.0] * 96
CALM = {
    "control_step_min": 5,
    "rule": "none",
    "tariff": {"kind": "flat", "price_buy": 0.2},
    "prosumers.*.load_annual_mwh": 1.0,
    "prosumers.*.flexible_share": 0.0,
    "prosumers.*.battery_kwh": 1.0,
    "prosumers.*.pv_kwp": 1.0,
    "prosumers.*.inverter_kva": 8.0,
    "voltage.vm_min_pu": 0.95,
    "voltage.vm_max_pu": 1.05,
}


def case(base: Scenario, folder: Path, load_kw: Sequence[float], sun: Sequence[float], **changes: Any) -> Scenario:
    return with_profiles(base, folder, load_kw, sun).changed({**CALM, **changes})


def told(model: CoSimulation, n_steps: int) -> list[list[Incident]]:
    """What is told after each of some steps."""
    incidents = Incidents(model)
    found = []
    for _ in range(n_steps):
        model.step()
        found.append(incidents.since_last())
        assert incidents.since_last() == []  # nothing has happened since
    return found


def kinds(found: list[list[Incident]]) -> list[tuple[int, str, int]]:
    """Market step, kind and number of prosumers of each incident."""
    return [(step, each.kind, each.n_prosumers) for step, here in enumerate(found) for each in here]


def test_nothing_is_told_of_a_quiet_day(four_bus: Scenario, tmp_path: Path) -> None:
    assert kinds(told(CoSimulation(case(four_bus, tmp_path, QUIET, NO_SUN)), 96)) == []


def test_voltages_are_told_when_they_leave_and_when_they_return(four_bus: Scenario, tmp_path: Path) -> None:
    """Loads of 3 kW from the fifth to the eighth step, 8 kW of sun in the two from the tenth on."""
    load, sun = list(QUIET), list(NO_SUN)
    load[4:8], sun[9:11] = [3.0] * 4, [8.0] * 2
    model = CoSimulation(case(four_bus, tmp_path, load, sun, **{"prosumers.*.optimise": False}))
    found = told(model, 20)
    vm_pu = model.record.column("vm_pu").reshape(20, 3, 3)
    low, high = (vm_pu < 0.95).any(axis=1).sum(axis=1), (vm_pu > 1.05).any(axis=1).sum(axis=1)
    assert (low[3], low[4], high[8], high[9]) == (0, 1, 0, 2)
    crossed = [(4, "voltage-low", 1), (8, "voltage-back", 1), (9, "voltage-high", 2), (11, "voltage-back", 2)]
    assert kinds(found) == crossed
    (first,), (last,) = found[4], found[9]
    assert (first.minute, first.copy, first.names) == (12, 0, ("home-4",))
    assert first.text == f"1 prosumer (home-4): below 0.95 p.u.: {vm_pu[4].min():.4f} p.u. at its lowest"
    assert last.text.endswith(f"above 1.05 p.u.: {vm_pu[9].max():.4f} p.u. at its highest")


def test_a_rule_that_hunts_is_told_once(four_bus: Scenario, tmp_path: Path) -> None:
    load = list(QUIET)
    load[4:8] = [3.0] * 4
    changes = {"control_step_min": 1, "rule": "hybrid", "prosumers.*.inverter_kva": 2.0, "prosumers.*.optimise": False}
    model = CoSimulation(case(four_bus, tmp_path, load, NO_SUN, **changes))
    found = told(model, 12)
    hunting = [each for each in kinds(found) if each[1] == "hunting"]
    # Reversals of a market step, of its own minutes and the two before.
    vm_pu = model.record.column("vm_pu")
    turns = np.array([voltage_reversals(vm_pu[max(15 * k - 2, 0) : 15 * k + 15]) for k in range(12)])
    hunts = turns >= HUNTS
    began = hunts & ~np.vstack([np.zeros((1, 3), dtype=bool), hunts[:-1]])
    assert hunting == [(k, "hunting", int(n)) for k, n in enumerate(began.sum(axis=1)) if n]
    assert len(hunting) >= 1
    (first,) = [each for each in found[hunting[0][0]] if each.kind == "hunting"]
    assert first.text.endswith(f"the voltage turns back and forth, up to {turns[hunting[0][0]].max()} times")
    free = CoSimulation(model.settings[0].changed({"rule": "none"}))
    assert not [each for each in kinds(told(free, 12)) if each[1] == "hunting"]


def test_a_range_that_cannot_be_reached_is_told(four_bus: Scenario, tmp_path: Path) -> None:
    """In two steps the far end is to feed in, and has neither sun nor battery."""
    load = list(QUIET)
    load[4:6] = [3.0] * 2
    changes = {"rule": "prc", "prosumers.*.battery_kwh": 0.0, "mode": "open-loop", "prosumers.*.inverter_kva": 1.0}
    model = CoSimulation(case(four_bus, tmp_path, load, NO_SUN, **changes))
    found = told(model, 8)
    missed = model.record.column("status").reshape(8, 3, 3)[:, 0].astype(int) & Status.RANGE_MISSED != 0
    assert [each[:2] for each in kinds(found) if each[1] == "range-missed"] == [(4, "range-missed")]
    assert missed.any(axis=1).tolist() == [4 <= step < 6 for step in range(8)]


def test_plans_that_cannot_be_made_are_told(four_bus: Scenario, tmp_path: Path) -> None:
    model = CoSimulation(case(four_bus, tmp_path, QUIET, NO_SUN))
    incidents = Incidents(model)
    model.step()
    assert incidents.since_last() == []
    model.population.flexible_owed_kwh[1] = 100.0  # more than any flexible load takes
    for _ in range(2):
        model.step()
    (kept,) = incidents.since_last()
    assert (kept.kind, kept.names, kept.minute) == ("plan-kept", ("home-3",), 6)
    assert kept.text == "1 prosumer (home-3): no plan can be made; the last one is followed"


def test_prices_below_zero_are_told(four_bus: Scenario, tmp_path: Path) -> None:
    hourly = {"market_step_min": 60, "control_step_min": 20}  # a search at negative prices, quicker in 24 steps
    model = CoSimulation(case(four_bus, tmp_path, QUIET, NO_SUN, **hourly))
    incidents = Incidents(model)
    seen = []
    for step in range(6):
        if step in (2, 4):
            model.change_tariff(FlatTariff(price_buy=-0.1 if step == 2 else 0.2))
        model.step()
        seen.append([(each.kind, each.n_prosumers, each.minute) for each in incidents.since_last()])
    assert seen == [[], [], [("lp-fallback", 3, 6)], [], [], []]


def test_steps_that_do_not_settle_are_told(four_bus: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load = list(QUIET)
    load[4:] = [3.0] * 92
    changes = {"mode": "settled", "rule": "hybrid", "prosumers.*.inverter_kva": 2.0}
    model = CoSimulation(case(four_bus, tmp_path, load, NO_SUN, **changes))
    monkeypatch.setattr("cosim.measurement.MAX_ITERATIONS", 2)
    found = [each for each in kinds(told(model, 6)) if each[1] == "not-settled"]
    assert [step for step, _, _ in found] == [4]
    monkeypatch.undo()
    assert not [each for each in kinds(told(CoSimulation(model.settings[0]), 6)) if each[1] == "not-settled"]


def test_a_failure_is_told_once_with_its_scenario(four_bus: Scenario, tmp_path: Path) -> None:
    load = list(QUIET)
    load[3] = 500.0
    (tmp_path / "f").mkdir()
    usual = case(four_bus, tmp_path, QUIET, NO_SUN)
    model = CoSimulation([usual, case(four_bus, tmp_path / "f", load, NO_SUN), usual])
    incidents = Incidents(model)
    for _ in range(3):
        model.step()
    with pytest.raises(RunFailure):
        model.step()
    (failed,) = incidents.since_last()
    assert (failed.kind, failed.copy, failed.minute, failed.n_prosumers) == ("failure", 1, 9, 0)
    assert "in scenario 1 of the batch" in failed.text
    assert incidents.since_last() == []
    assert Incidents(model).since_last() == []  # no news to who comes later


def test_several_scenarios_tell_what_each_tells_alone(four_bus: Scenario) -> None:
    """A day with much to tell; the same, in the same order, each time."""
    scenarios = [
        four_bus.changed({"rule": rule, "prosumers.*.pv_kwp": 6.0, "seed": seed})
        for seed, rule in enumerate(("prc", "none", "anrc"))
    ]
    together = [each for here in told(CoSimulation(scenarios), 96) for each in here]
    assert together == [each for here in told(CoSimulation(scenarios), 96) for each in here]
    assert {each.kind for each in together} >= {"hunting", "range-missed", "voltage-high", "voltage-back"}
    for copy, scenario in enumerate(scenarios):
        alone = [each for here in told(CoSimulation(scenario), 96) for each in here]
        own = [each for each in together if each.copy == copy]
        assert [(e.minute, e.kind, e.names, e.text) for e in own] == [
            (e.minute, e.kind, e.names, e.text) for e in alone
        ]
    assert [each.minute for each in together] == sorted(each.minute for each in together)


def test_a_line_for_all_of_a_kind(four_bus: Scenario, tmp_path: Path) -> None:
    load = [0.02] * 96
    load[4] = 0.4
    scenario = case(four_bus, tmp_path, load, NO_SUN, **{"prosumers.*.optimise": False})
    far = scenario.prosumers[-1]
    many = tuple(far.model_copy(update={"id": f"home-{n}"}) for n in range(20))
    found = told(CoSimulation(scenario.model_copy(update={"prosumers": many})), 6)
    (low,) = found[4]
    assert low.kind in KINDS
    assert (low.n_prosumers, len(low.names)) == (20, FIRST_NAMES)
    assert low.text.startswith("20 prosumers (home-0, home-1, home-2, ...): below 0.95 p.u.")
