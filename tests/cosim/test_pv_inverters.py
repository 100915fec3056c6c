"""A scenario in which PV has an inverter of its own: in the loop, in the books, in files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from cosim import CoSimulation, Scenario, run, run_ensemble
from cosim.ledger import LedgerError
from cosim.prosumers_file import read_prosumers, write_prosumers
from tests.cosim.loop_cases import finished

pytestmark = [pytest.mark.usefixtures("feeders_built_once")]

TWO = {"prosumers.home-4.inverter_kva": 1.0, "prosumers.home-4.pv_inverter_kva": 1.5}


@pytest.mark.parametrize("mode", ["closed-loop", "open-loop", "settled"])
@pytest.mark.parametrize("rule", ["none", "prc", "hybrid"])
def test_books_close_and_both_keep_their_ratings(four_bus: Scenario, mode: str, rule: str) -> None:
    """The ledger looks at both in every step; here they are looked at from outside."""
    model = finished(four_bus.changed({**TWO, "mode": mode, "rule": rule}))
    column = model.record.column
    used = (column("p_pv_kw") - column("p_curtailed_kw"))[:, 2]
    assert (used <= 1.5 + 1e-9).all()
    assert used.max() > 1.0  # more than the battery's would pass
    assert (np.abs(column("p_battery_kw")[:, 2]) <= 1.0 + 1e-9).all()
    p_kw = column("p_battery_kw")[:, 2] - used
    assert (np.hypot(p_kw, column("q_inverter_kvar")[:, 2]) <= 2.5 + 1e-9).all()
    assert column("p_curtailed_kw")[:, 2].any()


@pytest.mark.parametrize(("q_pv_kvar", "q_kvar"), [(0.0, 1.1), (1.6, 1.6)])
def test_the_books_find_an_inverter_beyond_its_rating(four_bus: Scenario, q_pv_kvar: float, q_kvar: float) -> None:
    """Within the sum of both ratings, 2.5 kVA, but not within its own: the battery's of 1 kVA, then PV's of 1.5."""
    model = CoSimulation(four_bus.changed({**TWO, "rule": "none"}))
    population = model.population
    plain = population.regulate

    def beyond(vm_pu: npt.NDArray[np.float64], step_h: float) -> None:
        plain(vm_pu, step_h)
        assert population.pv_inverters is not None
        population.pv_inverters.q_kvar[:] = q_pv_kvar
        population.q_inverter_kvar[2] = q_kvar

    population.regulate = beyond  # type: ignore[method-assign]
    with pytest.raises(LedgerError, match="inverter within its rating of prosumer 'home-4'"):
        model.step()


def test_two_large_ones_are_as_good_as_a_large_shared_one(four_bus: Scenario) -> None:
    """Without a rule nothing binds: the same powers, but for the order in which they are added."""
    large = {"rule": "none", "prosumers.*.inverter_kva": 9.0}
    shared, two = run_ensemble(
        [four_bus.changed(large), four_bus.changed({**large, "prosumers.*.pv_inverter_kva": 9.0})]
    )
    np.testing.assert_allclose(two.column("p_meter_kw"), shared.column("p_meter_kw"), rtol=0, atol=1e-12)
    np.testing.assert_allclose(two.totals["cost"], shared.totals["cost"], rtol=1e-9)


def test_an_ensemble_gives_what_single_runs_give(four_bus: Scenario) -> None:
    scenarios = [four_bus, four_bus.changed(TWO), four_bus.changed({"rule": "prc", "prosumers.*.pv_inverter_kva": 2.0})]
    for scenario, together in zip(scenarios, run_ensemble(scenarios), strict=True):
        assert np.array_equal(run(scenario, references=False).frames, together.frames)


def test_open_loop_reads_what_passes_the_inverter_or_all_of_the_sun(four_bus: Scenario) -> None:
    """With neither battery nor rule the reference is the flow of load less PV: cut to PV's rating, or in full."""
    small = {"mode": "open-loop", "rule": "none", "prosumers.*.optimise": False, "prosumers.*.battery_kwh": 0.0}
    cut = {**small, "prosumers.*.pv_inverter_kva": 0.5, "prosumers.*.inverter_kva": 9.0}
    highest = {}
    for name, changes in (
        ("ample", {**small, "prosumers.*.inverter_kva": 9.0}),
        ("cut", cut),
        ("full-pv", {**cut, "open_loop_reference": "full-pv"}),
        ("other mode", {**cut, "mode": "closed-loop", "open_loop_reference": "full-pv"}),
    ):
        model = CoSimulation(four_bus.changed(changes))
        read = []
        while not model.clock.finished:
            model.step()
            read.append(model._reference_vm_pu.copy())
        highest[name] = np.max(read)
    assert highest["full-pv"] == highest["ample"] > highest["cut"] + 0.01
    assert highest["other mode"] <= highest["cut"]


def test_files_and_text_round_trip(four_bus: Scenario, tmp_path: Path) -> None:
    scenario = four_bus.changed(TWO)
    (tmp_path / "s.toml").write_text(scenario.to_toml(), encoding="utf-8")
    assert Scenario.from_toml(tmp_path / "s.toml") == scenario
    assert "pv_inverter_kva" not in four_bus.to_toml()  # a shared inverter is written as before
    write_prosumers(tmp_path / "p.csv", scenario.prosumers)
    assert read_prosumers(tmp_path / "p.csv") == scenario.prosumers
