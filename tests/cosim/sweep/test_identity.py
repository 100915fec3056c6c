"""Ids of runs: what changes them, and what must not."""

from __future__ import annotations

import shutil
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from cosim import Scenario, run
from cosim.outcome import INDEX_COLUMNS
from cosim.sweep import Plan, SweepSpec, plan_from_spec, plan_of
from cosim.sweep.identity import MISSING, Identities, code_version

TARIFF = {"kind": "real-time", "column": "price", "unit": "currency/kWh"}


def id_of(scenario: Scenario, code: str = "1", *, references: bool = True) -> str:
    return Identities(code, references=references).id_of(scenario)


def priced(file: Path) -> Scenario:
    return Scenario.from_dict({"tariff": {**TARIFF, "file": str(file)}})


def ids(plan: Plan) -> list[str]:
    return [each.id for each in plan.runs]


def test_scenario_code_and_references_make_the_id() -> None:
    scenario = Scenario()
    different = [
        id_of(scenario),
        id_of(scenario.changed({"seed": 2})),
        id_of(scenario.changed({"prosumers.home-3.pv_kwp": 2.6})),
        id_of(scenario, "2"),
        id_of(scenario, references=False),
    ]
    assert len(set(different)) == 5
    assert id_of(scenario.changed({})) == different[0]
    assert all(len(each) == 20 and set(each) <= set("0123456789abcdef") for each in different)


def test_a_population_counts_and_its_drawn_prosumers_do_not() -> None:
    drawn = Scenario.from_dict({"population": {"n": 2}})
    resolved = drawn.model_copy(update={"prosumers": Scenario().prosumers})
    assert id_of(drawn) == id_of(resolved) != id_of(drawn.changed({"population.n": 3}))


def test_contents_of_files_count_and_their_place_does_not(tmp_path: Path) -> None:
    here, there = tmp_path / "here.csv", tmp_path / "there" / "other.csv"
    there.parent.mkdir()
    here.write_text("a")
    shutil.copy(here, there)
    before = id_of(priced(here))
    assert before == id_of(priced(there))
    assert before != id_of(Scenario())
    here.write_text("b")
    assert before != id_of(priced(here))


def test_which_field_a_file_belongs_to_counts(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("a")
    assert len({id_of(Scenario.from_dict({field: str(file)})) for field in ("profiles_file", "prosumers_file")}) == 2


def test_a_project_moved_as_a_whole_keeps_its_ids(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "data").mkdir(parents=True)
    (project / "data" / "price.csv").write_text("a")
    (project / "base.toml").write_text(
        '[tariff]\nkind = "real-time"\nfile = "data/price.csv"\ncolumn = "p"\nunit = "currency/kWh"\n'
    )
    (project / "sweep.toml").write_text('scenario = "base.toml"\ngrid.rule = ["none", "prc"]\n')
    before = plan_of(project / "sweep.toml")
    moved = plan_of(project.rename(tmp_path / "moved") / "sweep.toml")
    assert ids(before) == ids(moved)
    assert [Path(name).name for name in moved.inputs] == ["price.csv"]
    assert before.inputs != moved.inputs  # those are names


def test_missing_files_do_not_refuse_a_sweep_and_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "there.csv").write_text("a")
    files = [str(tmp_path / name) for name in ("there.csv", "gone.csv", "away.csv", "")]
    plan = plan_from_spec(SweepSpec.from_dict({"grid": {"profiles_file": files}}))
    assert len(set(ids(plan))) == 4
    assert {Path(name).name for name, found in plan.inputs.items() if found == MISSING} == {
        *("gone.csv", "away.csv", tmp_path.name)  # a folder is no file
    }


def test_each_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "x.csv"
    file.write_text("a")
    read: list[Path] = []

    def counted(path: Path) -> str:
        read.append(path)
        return "0" * 64

    monkeypatch.setattr("cosim.sweep.identity.file_hash", counted)
    monkeypatch.setattr("cosim.sweep.make_plan.code_version", lambda _plugins: "1")
    data: dict[str, Any] = {"set": {"profiles_file": str(file)}, "grid": {"days": [1, 2, 3]}}
    assert plan_from_spec(SweepSpec.from_dict(data)).inputs == {str(file): "0" * 64}
    assert read == [file]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the installed sources."""
    folder = tmp_path / "feeders"
    (folder / "inner").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "inner" / "code.py").write_text("x = 1\n")
    (folder / "data.parquet").write_bytes(b"1")

    def found(name: str) -> ModuleSpec | None:
        return PathFinder.find_spec(name, [str(tmp_path)]) if name == "feeders" else find_spec(name)

    monkeypatch.setattr("cosim.sweep.identity.find_spec", found)
    return folder


def test_code_version_follows_sources_data_and_plugins(package: Path, tmp_path: Path) -> None:
    before = code_version()
    assert before == code_version() and before.startswith("0.")
    cache = package / "__pycache__" / "code.pyc"
    cache.parent.mkdir()
    cache.write_bytes(b"x")
    assert code_version() == before
    seen = {before}
    (package / "inner" / "code.py").write_text("x = 2\n")
    seen.add(code_version())
    (package / "inner" / "code.py").rename(package / "inner" / "other.py")
    seen.add(code_version())
    (package / "data.parquet").write_bytes(b"2")
    seen.add(code_version())
    plugin = tmp_path / "rule.py"
    plugin.write_text("y = 1\n")
    seen.add(code_version([plugin]))
    assert code_version([plugin]) == code_version([plugin.rename(tmp_path / "moved.py")])
    (tmp_path / "moved.py").write_text("y = 2\n")
    seen.add(code_version([tmp_path / "moved.py"]))
    assert len(seen) == 6


def test_index_columns_are_those_of_a_run(four_bus: Scenario) -> None:
    short = four_bus.changed({"control_step_min": 15, "record": []})
    assert tuple(run(short, references=False).indices.columns) == INDEX_COLUMNS
