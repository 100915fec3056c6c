"""The sweeps that come with the package."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import experiments
from cosim.sweep import Plan, plan_of
from cosim.validation import problems
from experiments.locational_disparity import RULES, Case, base_scenario

SWEEPS = Path(experiments.__file__).parent / "sweeps"


@pytest.fixture(scope="module")
def quick() -> Plan:
    return plan_of(SWEEPS / "quick.toml")


def test_quick_is_the_experiment_s_control_at_one_bus_at_a_time(quick: Plan) -> None:
    base = base_scenario()
    assert len(quick.runs) == 12
    expected = {}
    for rule in RULES:
        for bus in (2, 3, 4):
            case = Case(pd.Timestamp(base.start), "open-loop", rule, (f"home-{bus}",))
            expected[rule, f"bus-{bus}"] = case.scenario(base).changed({"record": []})
    for run in quick.runs:
        # A home without a rule of its own obeys the scenario's.
        own = {f"prosumers.{p.id}.rule": p.rule or run.scenario.rule for p in run.scenario.prosumers}
        assert run.scenario.changed(own) == expected.pop((run.fields["rule"], run.fields["control_at"]))
    assert expected == {}


def test_population_pairs_the_same_villages_under_both_rules() -> None:
    plan = plan_of(SWEEPS / "population.toml")
    assert plan.axes == {"sample": 6, "rule": 2, "replication": 3} and len(plan.runs) == 36
    villages: dict[str, list[object]] = {"none": [], "hybrid": []}
    for run in plan.runs:
        villages[run.scenario.rule].append((run.scenario.population, run.scenario.seed))
    assert villages["none"] == villages["hybrid"]
    assert len({run.scenario.seed for run in plan.runs}) == 3


@pytest.mark.parametrize("name", sorted(path.name for path in SWEEPS.glob("*.toml")))
def test_each_can_be_planned_and_its_first_run_simulated(name: str) -> None:
    assert problems(plan_of(SWEEPS / name).runs[0].scenario) == []
