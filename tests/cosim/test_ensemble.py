"""Many scenarios in lock-step: each gives what it gives alone, and what cannot share a step is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cosim import CoSimulation, Scenario, run, run_ensemble
from cosim.data import day_start, extract_days
from cosim.failure import RunFailure
from feeders.errors import InputErrors

pytestmark = pytest.mark.usefixtures("feeders_built_once")

DAYS = [day_start(extract_days()[place]).to_pydatetime() for place in (0, 9, 16, 25)]
"""One of each week, none its last."""


def mixed(base: Scenario, **shared: Any) -> list[Scenario]:
    """Days, rules, seeds, bands, prices and numbers of homes that all differ; hourly plans, to be quick."""
    steps = {"market_step_min": 60, "control_step_min": 15}
    narrow = {"voltage.vm_min_pu": 0.97, "voltage.dead_pu": 0.005, "voltage.vm_max_pu": 1.03}
    first = base.changed({**steps, **narrow, "forecast": {"kind": "noisy", "price_error": 0.2}, **shared})
    scenarios = [
        first.changed({"start": start, "rule": rule, "seed": seed, "name": f"{rule}-{seed}"})
        for seed, (start, rule) in enumerate(zip(DAYS, ("none", "prc", "anrc", "hybrid"), strict=True))
    ]
    scenarios[2] = scenarios[2].changed({"voltage.dead_pu": 0.001, "tariff.kappa": 0.3})
    scenarios[3] = scenarios[3].model_copy(update={"prosumers": scenarios[3].prosumers[2:]})
    scenarios.append(scenarios[1].changed({"seed": 99, "name": "another-seed"}))
    return scenarios


@pytest.mark.parametrize(
    "shared",
    [
        {"mode": "closed-loop"},
        {"mode": "open-loop"},
        {"mode": "open-loop", "open_loop_reference": "optimised"},
        {"mode": "settled"},
        {"mode": "closed-loop", "horizon": "rolling", "days": 2},
    ],
    ids=lambda shared: "-".join(str(value) for value in shared.values()),
)
def test_lock_step_is_each_run_alone_bit_for_bit(four_bus: Scenario, shared: dict[str, Any]) -> None:
    scenarios = mixed(four_bus, **shared)
    together = run_ensemble(scenarios)
    for scenario, found in zip(scenarios, together, strict=True):
        alone = run(scenario, references=False)
        assert found.scenario == scenario
        assert np.array_equal(found.frames, alone.frames), scenario.name
        assert found.prosumers.equals(alone.prosumers)
    assert not np.array_equal(together[1].frames, together[-1].frames)  # seeds matter
    acting = [found.column("q_inverter_kvar").any() or found.column("p_curtailed_kw").any() for found in together]
    assert sum(acting) >= 3


def test_an_ensemble_of_one_is_a_run(four_bus: Scenario) -> None:
    (found,) = run_ensemble([four_bus])
    assert np.array_equal(found.frames, run(four_bus, references=False).frames)
    assert found.cost_without_rule is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("feeder.name", "case33bw"),
        ("feeder.background_scale", 0.5),
        ("feeder.engine", "pandapower"),
        ("days", 2),
        ("market_step_min", 30),
        ("control_step_min", 1),
        ("horizon", "rolling"),
        ("mode", "open-loop"),
        ("open_loop_reference", "optimised"),
        ("forecast.kind", "persistence"),
    ],
)
def test_what_cannot_share_a_step_is_refused(four_bus: Scenario, field: str, value: object) -> None:
    other = four_bus.changed({field: value, "name": "the-other-one"})
    with pytest.raises(InputErrors, match="the same in all scenarios") as refused:
        run_ensemble([four_bus, four_bus, other])
    (error,) = refused.value.errors
    assert error.field == field.split(".")[0]
    assert "the-other-one" in error.where


def test_a_failure_in_one_is_a_failure_of_all(four_bus: Scenario) -> None:
    impossible = four_bus.changed({"prosumers.*.load_annual_mwh": 500.0})
    with pytest.raises(RunFailure, match="in scenario 1 of the batch"):
        run_ensemble([four_bus, impossible])


def test_a_failure_is_at_the_time_of_its_own_scenario(four_bus: Scenario) -> None:
    start = day_start(extract_days()[0]).to_pydatetime()
    impossible = four_bus.changed({"prosumers.*.load_annual_mwh": 500.0, "start": start})
    assert start != four_bus.start
    with pytest.raises(RunFailure) as failed:
        run_ensemble([four_bus, impossible])
    assert failed.value.at == start


def test_progress_is_told_once_a_market_step(four_bus: Scenario) -> None:
    told: list[tuple[int, int]] = []
    run_ensemble([four_bus] * 2, progress=lambda done, total: told.append((done, total)))
    assert told == [(step, 96) for step in range(1, 97)]


def test_changes_apply_to_every_scenario(four_bus: Scenario) -> None:
    model = CoSimulation([four_bus, four_bus], rule="anrc", rng=7)
    assert [(scenario.rule, scenario.seed) for scenario in model.settings] == [("anrc", 7)] * 2


@pytest.mark.parametrize("mode", ["closed-loop", "settled"])
def test_a_flow_that_is_not_repeated_changes_no_bit(four_bus: Scenario, mode: str) -> None:
    scenarios = [four_bus.changed({"mode": mode, "rule": rule}) for rule in ("none", "prc")]
    thrifty, diligent = CoSimulation(scenarios), CoSimulation(scenarios)
    diligent.grid.reuse = False
    thrifty.run()
    diligent.run()
    assert np.array_equal(thrifty.record.frames, diligent.record.frames)
    assert diligent.grid.n_solved >= 2 * 288
    assert thrifty.grid.n_solved < diligent.grid.n_solved / 2
