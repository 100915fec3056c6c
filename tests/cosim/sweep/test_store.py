"""The folder of a sweep: when it may be opened, and what is then to do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cosim.sweep import Reason, Sweep, opened
from cosim.sweep.checksums import bytes_on_disk
from cosim.sweep.halt import FolderHalt
from cosim.sweep.locks import OccupiedError
from cosim.sweep.resume import BegunSweepError, ChangedSweepError
from feeders.errors import InputError
from tests.cosim.sweep.sweep_cases import do, failed, finished, numbers, plan_of, whole

pytestmark = pytest.mark.usefixtures("feeders_built_once")


def test_a_sweep_from_beginning_to_end(tmp_path: Path) -> None:
    plan, folder = plan_of(3), tmp_path / "new" / "sweep"
    with opened(folder, plan) as store:
        assert numbers(store) == [0, 1, 2] and (store.finished, store.failed, store.notes) == (0, 0, [])
        assert store.needed_bytes() == 0  # nobody knows
        assert json.loads((folder / "manifest.json").read_text())["runs"] == 3
        assert (folder / "sweep.toml").read_text() == plan.toml
        do(store, store.to_do[:1])
        assert store.finished == 1
        assert store.needed_bytes() == 2 * bytes_on_disk(folder / "runs" / plan.runs[0].id) > 0
        assert not store.finish()
        assert not (folder / "results.parquet").exists()
        do(store, store.to_do[1:])
        assert store.finish()
    assert sorted(path.name for path in folder.iterdir()) == [
        *("failed", "failures.parquet", "journal.jsonl", "lock", "lock-set-up", "manifest.json", "plan.parquet"),
        *("results.parquet", "runs", "sweep.toml"),
    ]
    assert Sweep.load(folder).status == (3, 0, 0)


def test_what_a_worker_is_asked_for(tmp_path: Path) -> None:
    plan = plan_of(2, plugins=("/p/own.py",), references=False, timeout_s=7.0, memory_mb=512.0, attempts=3)
    with opened(tmp_path, plan) as store:
        task = store.task(plan.runs[1])
    assert (task.number, task.id, task.folder, task.code) == (1, plan.runs[1].id, str(tmp_path), plan.code)
    assert task.scenario == plan.runs[1].scenario.to_toml()
    assert (task.plugins, task.references) == (("/p/own.py",), False)
    assert (task.timeout_s, task.memory_mb, task.attempts) == (7.0, 512.0, 3)
    assert store.task(plan.runs[0]).memory_mb == 512.0
    with opened(tmp_path / "other", plan_of(1)) as store:
        assert store.task(store.to_do[0]).memory_mb == 4096.0  # the task's own default


def test_a_sweep_that_is_there_goes_on_only_when_it_is_said(tmp_path: Path) -> None:
    plan = plan_of(3)
    with opened(tmp_path, plan) as store:
        do(store, store.to_do[:1])
    with pytest.raises(BegunSweepError) as refused, opened(tmp_path, plan):
        pass
    assert str(refused.value) == f"{tmp_path}: a sweep is here, 1 of 3 runs are done; --resume goes on (resume=True)"
    with opened(tmp_path, plan, resume=True) as store:
        assert numbers(store) == [1, 2] and store.finished == 1
        do(store)
        store.finish()
    before = whole(tmp_path)
    with opened(tmp_path, plan, resume=True) as store:
        assert numbers(store) == []
        assert store.finish()
    assert whole(tmp_path) == before


def test_resumed_or_not_it_comes_to_the_same_bytes(tmp_path: Path) -> None:
    plan = plan_of([{"rule": rule} for rule in ("none", "prc", "hybrid")])
    finished(tmp_path / "straight", plan)
    for some in (slice(2, None, -1), slice(1), slice(3)):  # in any order
        with opened(tmp_path / "bits", plan, resume=True) as store:
            do(store, store.to_do[some][:1])
            store.finish()
    assert whole(tmp_path / "bits") == whole(tmp_path / "straight")


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(InputError, match=r"new or empty folder, or that of a sweep: this one holds thesis\.tex"):
        opened(tmp_path, plan_of(1)).__enter__()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(InputError, match="a folder that can be written"):
        opened(tmp_path / "thesis.tex", plan_of(1)).__enter__()


def test_what_a_driver_leaves_in_the_folder_is_its_own(tmp_path: Path) -> None:
    """Its word to stop, and files that it was writing when it died."""
    with opened(tmp_path, plan_of(1)):
        FolderHalt(str(tmp_path), "token").tell()
        for name in ("manifest.json.new", "results.parquet.new", "plan.parquet.new"):
            (tmp_path / name).touch()
        (tmp_path / "working" / f"{plan_of(1).runs[0].id}.x").mkdir()
        (tmp_path / "working" / "other-design.x").mkdir()
    with opened(tmp_path, plan_of(1), resume=True) as store:
        assert numbers(store) == [0]
        assert not list(tmp_path.glob("*.new")) and not list((tmp_path / "working").iterdir())


def test_two_at_once(tmp_path: Path) -> None:
    plan = plan_of(2)
    with opened(tmp_path, plan):
        with pytest.raises(OccupiedError, match="another sweep works here: process"):
            opened(tmp_path, plan, resume=True).__enter__()
        with pytest.raises(OccupiedError, match="another sweep works here: process"):
            opened(tmp_path, plan, shard=(1, 2)).__enter__()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"code": "0.1.0+" + 40 * "b"}, "code 0.1.0+aaaaaaaa -> 0.1.0+bbbbbbbb"),
        ({"libraries": {"numpy": "2.0", "python": "3.12"}}, "library numpy 1.26 -> 2.0; library python none -> 3.12"),
        ({"inputs": {"/x/prices.csv": 64 * "2"}}, "input /x/prices.csv 11111111 -> 22222222"),
        ({"inputs": {"/x/prices.csv": "missing"}}, "input /x/prices.csv 11111111 -> missing"),
        ({"references": False}, "references true -> false"),
    ],
)
def test_what_runs_depend_on_has_changed(tmp_path: Path, change: dict[str, object], said: str) -> None:
    options = {"libraries": {"numpy": "1.26"}, "inputs": {"/x/prices.csv": 64 * "1"}}
    finished(tmp_path, plan_of(2, **options))
    before = whole(tmp_path)
    changed = plan_of(2, **{**options, **change})
    for how in ({"resume": True}, {"shard": (1, 1)}):
        with pytest.raises(ChangedSweepError) as refused:
            opened(tmp_path, changed, **how).__enter__()  # type: ignore[arg-type]
        assert f": {said}; --renew" in str(refused.value) and "\n" not in str(refused.value)
    assert whole(tmp_path) == before


def test_a_file_that_comes_or_is_read_no_more_is_no_change(tmp_path: Path) -> None:
    finished(tmp_path, plan_of(2, inputs={"/x/a": 64 * "1", "/x/b": "missing"}))
    with opened(tmp_path, plan_of(2, inputs={"/x/b": 64 * "2", "/x/c": 64 * "3"}), resume=True) as store:
        assert numbers(store) == []


def test_renewed_runs_are_set_aside_and_made_anew(tmp_path: Path) -> None:
    """Of four runs two read a file that changes: their ids do too."""
    old, new = plan_of(4), plan_of(4, inputs={"/x/a": 64 * "2"})
    runs = [*old.runs[:2], *plan_of(4, salt="changed file").runs[2:]]
    old, new = replace(old, inputs={"/x/a": 64 * "1"}), replace(new, runs=runs)
    finished(tmp_path, old)
    with opened(tmp_path, new, renew=True) as store:
        assert numbers(store) == [2, 3]
        assert store.notes == [f"2 runs of older code, libraries or inputs were set aside: {tmp_path / 'stale'}"]
        assert sorted(path.name for path in (tmp_path / "stale").iterdir()) == sorted(
            f"{run.id}.1" for run in old.runs[2:]
        )
        assert not (tmp_path / "results.parquet").exists()
    with opened(tmp_path, new, resume=True) as store:  # it is now of the new files
        assert numbers(store) == [2, 3] and store.notes == []


def test_other_libraries_renew_all_though_ids_are_the_same(tmp_path: Path) -> None:
    plan = plan_of(2)
    with opened(tmp_path, plan) as store:
        do(store)
    shared = tmp_path / "references"
    shared.mkdir()
    with opened(tmp_path, plan, resume=True):
        assert shared.exists()
    with opened(tmp_path, replace(plan, libraries={**plan.libraries, "numpy": "99"}), renew=True) as store:
        assert numbers(store) == [0, 1]
        assert not shared.exists()  # costs that runs compare theirs with, of the older libraries
        assert len(list((tmp_path / "stale").iterdir())) == 2


def test_nothing_to_renew(tmp_path: Path) -> None:
    plan = plan_of(2)
    finished(tmp_path, plan)
    with opened(tmp_path, plan, renew=True) as store:
        assert numbers(store) == [] and store.notes == []


def test_renewing_gives_failed_runs_another_try(tmp_path: Path) -> None:
    with opened(tmp_path, plan_of(1)) as store:
        store.record(store.to_do[0], failed(store.to_do[0], Reason.DIVERGED))
    plan = plan_of(1)
    with opened(tmp_path, replace(plan, libraries={**plan.libraries, "numpy": "99"}), renew=True) as store:
        assert numbers(store) == [0] and not list((tmp_path / "failed").iterdir())


def test_a_damaged_manifest(tmp_path: Path) -> None:
    """Then nobody knows what the runs depend on, but each run itself does."""
    plan = plan_of(3)
    finished(tmp_path, plan)
    manifest = (tmp_path / "manifest.json").read_bytes()
    (tmp_path / "manifest.json").write_bytes(manifest[:100])
    with pytest.raises(ChangedSweepError, match=r"manifest.json is damaged: .*; --renew"):
        opened(tmp_path, plan, resume=True).__enter__()
    theirs = tmp_path / "runs" / plan.runs[1].id / "manifest.json"
    theirs.write_text(theirs.read_text().replace(plan.code, "0.0.9"))
    with opened(tmp_path, plan, renew=True) as store:
        assert numbers(store) == [1]
        assert (tmp_path / "manifest.json").read_bytes() == manifest


def test_a_design_that_has_grown_goes_on(tmp_path: Path) -> None:
    finished(tmp_path, plan_of(2))
    with opened(tmp_path, plan_of(4), resume=True) as store:
        assert numbers(store) == [2, 3] and store.notes == []
        assert Sweep.load(tmp_path).status == (2, 0, 2)
        do(store)
        store.finish()
    finished(tmp_path / "straight", plan_of(4))
    assert whole(tmp_path / "straight") == {
        name.removeprefix("straight/"): content for name, content in whole(tmp_path).items() if "straight" in name
    }


def test_a_design_that_has_shrunk_leaves_runs_out(tmp_path: Path) -> None:
    finished(tmp_path, plan_of(4))
    with opened(tmp_path, plan_of(2), resume=True) as store:
        assert numbers(store) == []
        assert store.notes == ["2 finished runs are not of this design: kept, and not part of its table"]
        store.finish()
    assert Sweep.load(tmp_path).status == (2, 0, 0)
    assert Sweep.load(tmp_path).table["run"].unique().tolist() == [0, 1]
    assert len(list((tmp_path / "runs").iterdir())) == 4


@pytest.mark.parametrize("name", ["prosumers.parquet", "manifest.json", "checksums.json"])
def test_a_damaged_run_is_quarantined_and_made_anew(tmp_path: Path, name: str) -> None:
    plan = plan_of(3)
    finished(tmp_path, plan)
    before = whole(tmp_path)
    damaged = tmp_path / "runs" / plan.runs[1].id
    content = (damaged / name).read_bytes()
    for k in (1, 2):
        (damaged / name).write_bytes(content[:-2] + b"?" + content[-1:])
        with opened(tmp_path, plan, resume=True) as store:
            aside = tmp_path / "quarantine" / f"{damaged.name}.{k}"
            assert numbers(store) == [1] and aside.is_dir()
            assert store.notes == [f"run 1 was damaged and is run anew; what was there: {aside}"]
            assert not (tmp_path / "results.parquet").exists()
            do(store)
            store.finish()
    assert {name: content for name, content in whole(tmp_path).items() if "quarantine" not in name} == before
