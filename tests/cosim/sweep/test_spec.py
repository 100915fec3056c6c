"""A sweep's file: what it may hold, and one clear line for each thing that it may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cosim import Scenario
from cosim.sweep import SweepSpec, plan_from_spec, plan_of
from feeders.errors import InputErrors

RULES = ["none", "prc"]


def lines(data: dict[str, Any], changes: dict[str, Any] | None = None) -> list[str]:
    """What is said of a sweep that cannot be planned."""
    with pytest.raises(InputErrors) as caught:
        plan_from_spec(SweepSpec.from_dict(data), changes)
    found = [str(error) for error in caught.value.errors]
    assert all("\n" not in line for line in found)
    return found


def test_everything_at_its_place(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text('name = "b"\nrule = "prc"\n')
    path = tmp_path / "my-sweep.toml"
    path.write_text("""
        scenario = "base.toml"
        replications = 5
        seed = 3
        references = false
        limits = {timeout_s = 60, memory_mb = 500, attempts = 3}
        set."voltage.dead_pu" = 0.03
        set.forecast.kind = "noisy"
        grid.rule = ["none", "prc"]
        grid.voltage.vm_max_pu = [1.04, 1.05]
        levels.control_at.bus-2."prosumers.home-3.rule" = "none"
        levels.control_at.bus-3.prosumers.home-2.rule = "none"
        cases = [{name = "a", days = 1}, {days = 2}]
        random.samples = 4
        random.fields."tariff.kappa" = {low = 0, high = 1}
        random.fields.tariff.mean = {choices = [0.2, 0.3]}
    """)
    spec = SweepSpec.from_toml(path)
    assert spec.name == "my-sweep" and spec.base == Scenario(name="b", rule="prc")
    assert (spec.replications, spec.seed, spec.references) == (5, 3, False)
    assert (spec.limits.timeout_s, spec.limits.memory_mb, spec.limits.attempts) == (60.0, 500.0, 3)
    assert spec.set == {"voltage.dead_pu": 0.03, "forecast.kind": "noisy"}
    assert spec.grid == {"rule": ["none", "prc"], "voltage.vm_max_pu": [1.04, 1.05]}
    levels = {"bus-2": {"prosumers.home-3.rule": "none"}, "bus-3": {"prosumers.home-2.rule": "none"}}
    assert spec.levels == {"control_at": levels}
    assert spec.cases == ({"name": "a", "days": 1}, {"days": 2})
    assert spec.random is not None and list(spec.random.fields) == ["tariff.kappa", "tariff.mean"]


def test_files_are_relative_to_the_sweep(tmp_path: Path) -> None:
    path = tmp_path / "sweep.toml"
    path.write_text("""
        base.feeder.file = "net.json"
        set.profiles_file = "p.csv"
        grid."feeder.file" = ["a.json", "/b.json"]
        cases = [{prosumers_file = "c.csv"}]
        levels.tariff.x.tariff = {kind = "real-time", file = "t.csv", column = "p", unit = "currency/kWh"}
        random = {samples = 1, fields = {"population.file" = {choices = ["d.csv"]}}}
    """)
    spec = SweepSpec.from_toml(path)
    assert spec.base.feeder.file == str(tmp_path / "net.json")
    assert spec.set == {"profiles_file": str(tmp_path / "p.csv")}
    assert spec.grid["feeder.file"] == [str(tmp_path / "a.json"), "/b.json"]
    assert spec.cases[0]["prosumers_file"] == str(tmp_path / "c.csv")
    assert spec.levels["tariff"]["x"]["tariff.file"] == str(tmp_path / "t.csv")
    assert spec.random is not None and spec.random.fields["population.file"].choices == ["d.csv"]  # no such field
    assert SweepSpec.from_dict({"grid": {"tariff": [{"file": "t.csv"}]}}, folder=tmp_path).grid == {
        "tariff": [{"file": str(tmp_path / "t.csv")}]
    }


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "typo": ({"replication": 2}, "sweep: replication: 2 is not allowed; allowed: a known key; nearest: replications"),
    "typo of set": ({"sets": {}}, "sweep: sets: {} is not allowed; allowed: a known key; nearest: set, "),
    "typo of scenario": (
        {"scenaro": "x.toml"},
        "scenaro: 'x.toml' is not allowed; allowed: a known key; nearest: scen",
    ),
    "field at the top": ({"rule": "prc"}, "rule: 'prc' is not allowed; allowed: set.rule for all runs, or grid.rule"),
    "typo in limits": ({"limits": {"timeout": 3}}, "limits.timeout: 3 is not allowed; allowed: a known key; nearest"),
    "limits": ({"limits": {"memory_mb": 0}}, "limits.memory_mb: 0 is not allowed; allowed: a number > 0 (resident"),
    "replications": ({"replications": 0}, "replications: 0 is not allowed; allowed: a number >= 1"),
    "part": ({"replications": 2.5}, "replications: 2.5 is not allowed; allowed: a whole number"),
    "name": ({"name": "a b"}, "name: 'a b' is not allowed; allowed: letters, digits"),
    "no list": ({"grid": {"rule": "prc"}}, "grid.rule: 'prc' is not allowed; allowed: an array of values"),
    "no values": ({"grid": {"rule": []}}, "grid.rule: [] is not allowed; allowed: at least one value"),
    "no levels": ({"levels": {"a": {}}}, "levels.a: {} is not allowed; allowed: at least one level"),
    "no cases": ({"cases": []}, "cases: [] is not allowed; allowed: at least one case"),
    "no fields": ({"random": {"samples": 2, "fields": {}}}, "random.fields: {} is not allowed; allowed: at least one"),
    "twice": ({"grid": {"rule": ["prc", "none", "prc"]}}, "grid.rule: 'prc' is not allowed; allowed: each value once"),
    "equal numbers": ({"grid": {"voltage.dead_pu": [1, 1.0]}}, "allowed: each value once"),
    "equal lists": ({"grid": {"record": [["vm_pu"], ["vm_pu"]]}}, "grid.record: ['vm_pu'] is not allowed"),
    "equal names": (
        {"cases": [{"name": "a", "days": 1}, {"name": "a", "days": 2}]},
        "cases.name: 'a' is not allowed; allowed: a name of its own",
    ),
    "case without text": ({"cases": [{"name": 3}]}, "cases.name: 3 is not allowed; allowed: text"),
    "two places": (
        {"grid": {"rule": RULES}, "levels": {"a": {"x": {"rule": "prc"}}}},
        "sweep: rule: '[grid] and [levels.a]' is not allowed; allowed: one part of the design",
    ),
    "three places": (
        {"grid": {"days": [1]}, "cases": [{"days": 2}], "random": {"samples": 1, "fields": {"days": {"choices": [3]}}}},
        "days: '[grid] and [[cases]] and [random]' is not allowed",
    ),
    "axis and field": (
        {"grid": {"tariff": [{"kind": "flat"}]}, "levels": {"tariff": {"x": {}}}},
        "tariff: '[grid] and [levels.tariff]' is not allowed",
    ),
    "index column": ({"levels": {"cost": {"x": {}}}}, "levels.cost: 'cost' is not allowed; allowed: a name that is no"),
    "fixed column": ({"levels": {"rule": {"x": {}}}}, "levels.rule: 'rule' is not allowed; allowed: a name that is no"),
    "column for a field": ({"grid": {"bus": [1, 2]}}, "bus: '[grid]' is not allowed; allowed: the field of a scenario"),
    "seed and replications": (
        {"replications": 2, "grid": {"seed": [1, 2]}},
        "seed: '[grid]' is not allowed; allowed: either replications, which have seeds of their own",
    ),
    "set seed and replications": ({"replications": 2, "set": {"seed": 1}}, "seed: '[set]' is not allowed"),
    "seed of nothing": ({"seed": 2}, "seed: 2 is not allowed; allowed: none without replications or [random]"),
    "high <= low": (
        {"random": {"samples": 1, "fields": {"voltage": {"dead_pu": {"low": 1, "high": 1.0}}}}},
        "random.fields.voltage.dead_pu.high: 1.0 is not allowed; allowed: a number > low, 1",
    ),
    "log of nothing": (
        {"random": {"samples": 1, "fields": {"x": {"low": 0, "high": 1, "log": True}}}},
        "random.fields.x.low: 0.0 is not allowed; allowed: a number > 0 where log is true",
    ),
    "half a number": (
        {"random": {"samples": 1, "fields": {"x": {"low": 0, "high": 1.5, "integer": True}}}},
        "random.fields.x.high: 1.5 is not allowed; allowed: a whole number where integer is true",
    ),
    "no high": (
        {"random": {"samples": 1, "fields": {"x": {"low": 0}}}},
        "random.fields.x.high: nothing given; allowed: a table with low and high, or with choices",
    ),
    "choices and limits": (
        {"random": {"samples": 1, "fields": {"x": {"choices": [1], "low": 0}}}},
        "random.fields.x.choices: [1] is not allowed; allowed: either choices or low, not both",
    ),
    "no choices": ({"random": {"samples": 1, "fields": {"x": {"choices": []}}}}, "random.fields.x.choices: [] is not"),
    "choice twice": (
        {"random": {"samples": 1, "fields": {"x": {"choices": [1, 1]}}}},
        "random.fields.x.choices: 1 is not allowed; allowed: each value once",
    ),
    "no samples": ({"random": {"samples": 0, "fields": {"x": {"choices": [1]}}}}, "random.samples: 0 is not allowed"),
    "number of samples": ({"random": {"fields": {"x": {"choices": [1]}}}}, "random.samples: nothing given; allowed"),
    "random as a number": ({"random": {"samples": 1, "fields": {"x": 3}}}, "random.fields.x: 3 is not allowed"),
    "random typo": (
        {"random": {"samples": 1, "fields": {"x": {"low": 1, "hi": 2, "high": 3}}}},
        "random.fields.x.hi: 2 is not allowed; allowed: a known key; nearest: high",
    ),
    "grid as a list": ({"grid": [1]}, "grid: [1] is not allowed; allowed: a table"),
    "cases as a table": ({"cases": {"name": "a"}}, "cases: {'name': 'a'} is not allowed; allowed: an array"),
    "case as a number": ({"cases": [3]}, "cases[0]: 3 is not allowed; allowed: a table"),
    "level as a number": ({"levels": {"a": {"b": 3}}}, "levels.a.b: 3 is not allowed; allowed: a table"),
    "two bases": ({"scenario": "x.toml", "base": {}}, "scenario: 'x.toml' is not allowed; allowed: either scenario"),
    "scenario as a table": ({"scenario": {}}, "scenario: {} is not allowed; allowed: the name of a scenario's file"),
    "no such scenario": ({"scenario": "none.toml"}, "none.toml: file: 'No such file or directory' is not allowed"),
    "inline base": ({"base": {"rul": "prc"}}, "sweep: [base]: rul: 'prc' is not allowed; allowed: a known key"),
    "base as a number": ({"base": 3}, "sweep: base: 3 is not allowed"),
    "field of a scenario": (
        {"grid": {"voltage": {"ded_pu": [0.01, 0.02]}}},
        "sweep: voltage.ded_pu: 0.01 is not allowed; allowed: a known key; nearest: dead_pu",
    ),
    "field in set": ({"set": {"rul": "prc"}}, "sweep: rul: 'prc' is not allowed; allowed: a known key; nearest: rule"),
    "prosumer": ({"cases": [{"prosumers.home-9.rule": "prc"}]}, "prosumers.home-9.rule: 'home-9' is not allowed"),
}


@pytest.mark.parametrize(("data", "says"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_in_one_line(data: dict[str, Any], says: str) -> None:
    (line,) = lines(data)
    assert says in line


def test_all_of_it_is_said_at_once() -> None:
    data = {
        "replications": 0,
        "limits": {"attempts": 0},
        "grid": {"rule": [], "days": [1, 1]},
        "levels": {"cost": {"x": {}}},
        "base": {"days": 0},
        "random": {"samples": 1, "fields": {"x": {"low": 2, "high": 1}, "y": {}}},
    }
    found = " ".join(lines(data))
    fields = (
        *("replications", "limits.attempts", "grid.rule", "grid.days", "levels.cost", "[base]: days"),
        *("random.fields.x.high", "random.fields.y.low"),
    )
    assert len(lines(data)) == len(fields)
    for field in fields:
        assert f"{field}: " in found


def test_each_problem_is_said_once_however_many_runs_have_it() -> None:
    data = {
        "replications": 100,
        "grid": {"rule": ["none", 3], "voltage.dead_pu": [0.01, -1, -2], "voltage.vm_max": [1.0, 1.1]},
        "random": {"samples": 20, "fields": {"voltage.pf_min": {"low": 1.5, "high": 2.0}}},
    }
    found = lines(data)
    assert len(found) == 5
    for says in (
        "rule: 3 ",
        "dead_pu: -1 ",
        "dead_pu: -2 ",
        "vm_max: 1.0 is not allowed; allowed: a known key",
        "pf_min: ",
    ):
        assert sum(says in line for line in found) == 1


def test_levels_that_are_wrong_only_together_are_found() -> None:
    """Each level is fine with the first of the other axis."""
    flat = {"kind": "flat", "price_buy": 0.3}
    (line,) = lines({"grid": {"tariff.kappa": [1.0, 0.5], "tariff": [flat, {**flat, "price_sell": 0.1}]}})
    assert "tariff.price_sell: 0.1 is not allowed; allowed: either kappa or price_sell, not both" in line


def test_the_command_line_does_not_change_what_the_design_changes() -> None:
    assert (
        "--set: rule: 'prc' is not allowed; allowed: a field that the design"
        in lines({"grid": {"rule": RULES}}, {"rule": "prc"})[0]
    )
    assert "replications changes it in every run" in lines({"replications": 2}, {"seed": 3})[0]
    assert lines({}, {"rul": "prc"})[0].startswith("--set: rul: 'prc' is not allowed")


def test_a_plugin_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(InputErrors, match=r"--plugin: file: '.*gone.py' is not allowed"):
        plan_from_spec(SweepSpec(), plugins=[tmp_path / "gone.py"])


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "sweep.toml"
    path.write_text("grid = [")
    with pytest.raises(InputErrors, match=r"sweep\.toml: syntax"):
        plan_of(path)


def test_checks_hold_for_specs_made_in_python_too() -> None:
    with pytest.raises(InputErrors, match="each value once"):
        plan_from_spec(SweepSpec(grid={"days": [1, 1]}))
