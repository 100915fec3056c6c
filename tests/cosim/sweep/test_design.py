"""Designs crossed into plans: counts, order, what each run's scenario is, and what a table says of it."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosim import ProsumerSpec, Scenario
from cosim.sweep import Plan, SweepSpec, plan_from_spec, plan_of, plan_table
from cosim.sweep.seeds import replication_seeds
from feeders.errors import InputErrors


def plan(**data: Any) -> Plan:
    return plan_from_spec(SweepSpec.from_dict(data))


def test_no_design_is_one_run_of_the_base() -> None:
    (run,) = plan().runs
    assert run.scenario == Scenario() and run.fields == {} and run.number == 0


def test_all_parts_are_crossed_with_the_last_axis_fastest() -> None:
    found = plan(
        seed=7,
        replications=2,
        grid={"rule": ["none", "prc"], "voltage": {"dead_pu": [0.01, 0.02]}},
        levels={"homes": {"all": {}, "one": {"prosumers.home-2.optimise": False}}},
        cases=[{"name": "short"}, {"horizon": "rolling"}],
        random={"samples": 3, "fields": {"voltage.vm_max_pu": {"low": 1.03, "high": 1.06}}},
    )
    assert found.axes == {"case": 2, "sample": 3, "homes": 2, "rule": 2, "voltage.dead_pu": 2, "replication": 2}
    assert list(found.axes) == ["case", "sample", "homes", "rule", "voltage.dead_pu", "replication"]
    assert len(found.runs) == prod(found.axes.values()) == 96
    assert [run.number for run in found.runs] == list(range(96))
    places = [
        (
            *(run.fields["case"] != "short", run.fields["sample"], run.fields["homes"] != "all"),
            *(run.fields["rule"] != "none", run.fields["voltage.dead_pu"], run.fields["replication"]),
        )
        for run in found.runs
    ]
    assert places == sorted(places)
    seeds = replication_seeds(7, 2)
    for run in found.runs:
        scenario, says = run.scenario, run.fields
        assert scenario.rule == says["rule"] and scenario.voltage.dead_pu == says["voltage.dead_pu"]
        assert scenario.voltage.vm_max_pu == says["voltage.vm_max_pu"]
        assert scenario.seed == seeds[says["replication"]]
        assert scenario.horizon == says["horizon"] == {"short": "shrinking", "case-2": "rolling"}[says["case"]]
        assert scenario.prosumers[0].optimise == (says["homes"] == "all")


def test_pairs_share_seed_and_sample() -> None:
    found = plan(replications=2, grid={"rule": ["none", "prc"]}, random=dead_band(samples=2))
    by_rule: dict[str, set[tuple[int, float]]] = {"none": set(), "prc": set()}
    for run in found.runs:
        by_rule[run.scenario.rule].add((run.scenario.seed, run.scenario.voltage.dead_pu))
    assert by_rule["none"] == by_rule["prc"] and len(by_rule["prc"]) == 4


def dead_band(samples: int) -> dict[str, Any]:
    return {"samples": samples, "fields": {"voltage": {"dead_pu": {"low": 0.01, "high": 0.03}}}}


def test_the_design_is_on_top_of_set_and_set_on_top_of_the_base() -> None:
    base = Scenario(rule="anrc", days=2, seed=3)
    levels = {"case_of": {"a": {"days": 3}, "b": {}}}
    several = plan_from_spec(
        SweepSpec.from_dict({"base": base, "set": {"rule": "prc", "days": 4}, "levels": levels}), {"seed": 9}
    )
    assert [(r.scenario.rule, r.scenario.days, r.scenario.seed) for r in several.runs] == [("prc", 3, 9), ("prc", 4, 9)]


def test_whole_tables_come_before_fields_and_all_prosumers_before_one() -> None:
    """In the order of the axes the grid comes last; it must not undo what is more specific."""
    (run,) = plan(
        random={"samples": 1, "fields": {"tariff.kappa": {"choices": [0.25]}}},
        levels={"home": {"big": {"prosumers.home-3.pv_kwp": 9.0}}},
        grid={"tariff": [{"kind": "flat", "price_buy": 0.3}], "prosumers.*.pv_kwp": [1.0]},
    ).runs
    assert [prosumer.pv_kwp for prosumer in run.scenario.prosumers] == [1.0, 9.0, 1.0]
    assert (run.scenario.tariff.kind, run.scenario.tariff.kappa) == ("flat", 0.25)


def test_lists_and_tables_are_levels_too() -> None:
    spread = {"kind": "uniform", "low": 1.0, "high": 2.0}
    found = plan(
        base={"population": {"n": 2}},
        grid={"record": [[], ["vm_pu"]], "population.pv_kwp": [2.5, spread]},
        set={"population": {"battery_kwh": spread}},
    )
    assert [run.scenario.record for run in found.runs] == [(), (), ("vm_pu",), ("vm_pu",)]
    assert [run.fields["record"] for run in found.runs] == ["[]", "[]", '["vm_pu"]', '["vm_pu"]']
    population = found.runs[1].scenario.population
    assert population is not None and population.pv_kwp == population.battery_kwh != 2.5


sizes = st.lists(st.integers(1, 3), min_size=4, max_size=4)


@settings(max_examples=20)
@given(sizes, st.integers(0, 2**63 - 1))
def test_count_is_the_product_and_ids_are_unique(counts: list[int], seed: int) -> None:
    rules, bands, cases, replications = counts
    found = plan(
        seed=seed,
        replications=replications,
        grid={"rule": ["none", "prc", "anrc"][:rules], "voltage.dead_pu": [0.01, 0.02, 0.03][:bands]},
        cases=[{"days": 1 + case} for case in range(cases)],
    )
    assert len(found.runs) == len({run.id for run in found.runs}) == prod(counts)


@settings(max_examples=20)
@given(sizes, sizes)
def test_a_design_that_grows_keeps_the_ids_of_its_runs(first: list[int], second: list[int]) -> None:
    def ids(counts: list[int]) -> set[str]:
        rules, bands, levels, replications = counts
        return {
            run.id
            for run in plan(
                replications=replications,
                grid={"rule": ["none", "prc", "anrc"][:rules], "voltage.dead_pu": [0.01, 0.02, 0.03][:bands]},
                levels={"length": {f"l{n}": {"days": n + 1} for n in range(levels)}},
            ).runs
        }

    both = [max(pair) for pair in zip(first, second, strict=True)]
    assert ids(first) | ids(second) <= ids(both)


def test_resolved_file_gives_the_same_plan(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    for name in ("a.csv", "inner/a.csv"):
        (tmp_path / name).write_text(name)
    (tmp_path / "sweep.toml").write_text("""
        seed = 5
        replications = 2
        references = false
        [base]
        name = "inline"
        profiles_file = "a.csv"
        [limits]
        memory_mb = 500
        [set]
        voltage.dead_pu = 0.03
        days = 3
        [grid]
        rule = ["none", "prc"]
        profiles_file = ["a.csv", "inner/a.csv"]
        [levels.tariffs.cheap]
        tariff.kind = "flat"
        tariff.price_buy = 0.1
        [levels.tariffs.from-file]
        tariff = {kind = "real-time", file = "a.csv", column = "p", unit = "currency/kWh"}
        [[cases]]
        name = "one"
        "prosumers.home-3.rule" = "none"
        [random]
        samples = 2
        [random.fields.voltage.vm_min_pu]
        low = 0.9
        high = 0.96
        log = true
    """)
    given = plan_of(tmp_path / "sweep.toml", {"days": 2})
    elsewhere = tmp_path / "inner" / "elsewhere.toml"
    elsewhere.write_text(given.toml)
    assert plan_of(elsewhere) == given
    assert len(given.runs) == 32 and given.memory_mb == 500 and not given.references
    assert {run.scenario.days for run in given.runs} == {2}
    assert {run.fields["profiles_file"] for run in given.runs} == {f"{tmp_path.name}/a.csv", "inner/a.csv"}


def test_table_has_a_column_for_each_field_and_those_that_are_always_there() -> None:
    """A case that leaves alone what another one changes has the base's value."""
    found = plan(
        grid={"rule": ["none", "prc"]},
        cases=[
            {"voltage.dead_pu": 0},
            {"voltage.dead_pu": 0.01, "prosumers.home-2.bus": 3},
            {"feeder.file": "/somewhere/net.json"},
        ],
    )
    table = plan_table(found).to_pandas()
    assert table.columns.tolist() == [
        *("run", "run_id", "case", "voltage.dead_pu", "prosumers.home-2.bus", "feeder.file", "rule"),
        *("mode", "feeder.name", "start", "days", "seed", "replication"),
    ]
    assert table["voltage.dead_pu"].tolist() == [0, 0, 0.01, 0.01, 0.02, 0.02]
    assert table["feeder.name"].tolist() == ["four-bus"] * 4 + ["net.json"] * 2
    assert table["replication"].tolist() == [0] * 6


def test_equal_runs_are_refused_by_their_numbers() -> None:
    with pytest.raises(InputErrors) as caught:
        plan(cases=[{"days": 1}, {"days": 2}, {"name": "again", "days": 1}], grid={"rule": ["none", "prc"]})
    (error,) = caught.value.errors
    assert error.value == "0 and 4; 1 and 5" and "case case-1, days 1, rule none" in error.allowed


def test_a_listed_prosumer_of_the_base_is_kept() -> None:
    base = Scenario(prosumers=(ProsumerSpec(id="x", bus=2),))
    assert plan(base=base, grid={"days": [1, 2]}).runs[1].scenario.prosumers == base.prosumers
