"""The folder of a sweep while it runs: what is kept of each outcome, by one process or by shards."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cosim.failure import RunFailure
from cosim.sweep import Reason, Sweep, opened, run_to_store
from cosim.sweep.checksums import bytes_on_disk
from cosim.sweep.locks import OccupiedError
from feeders.errors import InputError
from tests.cosim.command_line import call
from tests.cosim.sweep.sweep_cases import do, failed, finished, numbers, plan_of, whole

pytestmark = pytest.mark.usefixtures("feeders_built_once")


def test_what_is_kept_of_a_failure(tmp_path: Path) -> None:
    plan = plan_of(2, plugins=("/my plugins/own.py",), references=False)
    run = plan.runs[1]
    with opened(tmp_path, plan) as store:
        store.record(run, failed(run, Reason.DIVERGED, "no solution at bus 4"))
        assert (store.finished, store.failed) == (0, 1)
        do(store, [plan.runs[0]])
        assert store.finish()
    own = tmp_path / "failed" / run.id
    assert json.loads(own.with_suffix(".json").read_text()) == {
        "run": 1,
        "run_id": run.id,
        "reason": "diverged",
        "message": "no solution at bus 4",
        "command": f"cosim run {own}/scenario.toml --plugin '/my plugins/own.py' --no-references --out NEW_DIR",
    }
    assert (own / "scenario.toml").read_text() == run.scenario.to_toml()
    assert (own / "detail.txt").read_text() == "no solution at bus 4\n\nTraceback: ...\n"


def test_the_command_repeats_the_failure(tmp_path: Path) -> None:
    plan = plan_of([{"prosumers.home-4.load_annual_mwh": 900.0}])
    with opened(tmp_path / "s", plan) as store:
        with pytest.raises(RunFailure, match="power flow") as raised:
            run_to_store(store.task(plan.runs[0]), plan.runs[0].scenario)
        store.record(plan.runs[0], failed(plan.runs[0], Reason.DIVERGED, str(raised.value)))
    command = Sweep.load(tmp_path / "s").failures["command"][0]
    words = [str(tmp_path / "again") if word == "NEW_DIR" else word for word in command.split()]
    ended = call(*words[1:])
    assert ended.code == 1
    assert f"failed: {raised.value}" in ended.err


@pytest.mark.parametrize("reason", list(Reason))
def test_which_failures_are_tried_again(tmp_path: Path, reason: Reason) -> None:
    """Those that lie in the run itself are not, unless it is said; a full disk is no failure of the run at all."""
    plan = plan_of(2)
    with opened(tmp_path, plan) as store:
        store.record(plan.runs[0], failed(plan.runs[0], reason))
        do(store, plan.runs[1:])
        assert store.finish() == (reason is not Reason.DISK_FULL)
    kept = 0 if reason is Reason.DISK_FULL else 1
    assert len(list((tmp_path / "failed").glob("*.json"))) == kept
    with opened(tmp_path, plan, resume=True) as store:
        assert numbers(store) == ([] if reason.own else [0])
        assert store.failed == (1 if reason.own else 0)
        assert (tmp_path / "results.parquet").exists() == reason.own
    with opened(tmp_path, plan, resume=True, retry_failed=True) as store:
        assert numbers(store) == [0]
        assert len(list((tmp_path / "failed").glob("*.json"))) == kept  # till it has succeeded
        do(store)
        assert store.finish()
    assert list((tmp_path / "failed").iterdir()) == []
    finished(tmp_path / "straight", plan)
    assert (tmp_path / "results.parquet").read_bytes() == (tmp_path / "straight" / "results.parquet").read_bytes()


def test_a_run_that_is_there_did_not_fail(tmp_path: Path) -> None:
    """Its process may die after the last step, or its driver before the failure of an earlier try is forgotten."""
    plan = plan_of(1)
    with opened(tmp_path, plan) as store:
        store.record(plan.runs[0], failed(plan.runs[0], Reason.KILLED))
        do(store)
        store.record(plan.runs[0], failed(plan.runs[0], Reason.KILLED))
        assert (store.finished, store.failed) == (1, 0)
    run_id = plan.runs[0].id
    (tmp_path / "failed" / f"{run_id}.json").write_text(
        json.dumps({"reason": "diverged", "message": "", "command": ""})
    )
    with opened(tmp_path, plan, resume=True) as store:
        assert (store.finished, store.failed, numbers(store)) == (1, 0, [])
    assert list((tmp_path / "failed").iterdir()) == []


def test_a_damaged_or_half_written_failure_is_none(tmp_path: Path) -> None:
    plan = plan_of(2)
    with opened(tmp_path, plan) as store:
        for run in plan.runs:
            store.record(run, failed(run, Reason.DIVERGED))
    (tmp_path / "failed" / f"{plan.runs[0].id}.json").write_text("{")
    (tmp_path / "failed" / f"{plan.runs[1].id}.json").unlink()
    with opened(tmp_path, plan, resume=True) as store:
        assert numbers(store) == [0, 1]
    assert list((tmp_path / "failed").iterdir()) == []


def test_skipped_runs_are_still_to_do(tmp_path: Path) -> None:
    plan = plan_of(1)
    with opened(tmp_path, plan) as store:
        store.record(plan.runs[0], replace(failed(plan.runs[0], Reason.BAD_INPUT), skipped=True))
        assert (store.finished, store.failed) == (0, 0)
    assert not (tmp_path / "journal.jsonl").exists() and not list((tmp_path / "failed").iterdir())


def test_a_disk_that_is_full_for_the_folder_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(3)
    with opened(tmp_path, plan) as store:
        do(store, plan.runs[:1])
        with monkeypatch.context() as patch:
            patch.setattr("cosim.folder.flush", full)
            patch.setattr("cosim.sweep.journal.json.dumps", full)
            store.record(plan.runs[1], failed(plan.runs[1], Reason.DISK_FULL))
            store.record(plan.runs[2], failed(plan.runs[2], Reason.DIVERGED))
            assert store.failed == 0
            (note,) = store.notes
            assert note.startswith("run 2 failed, which could not be written: [Errno 28] No space left")
        assert store.needed_bytes() == 2 * bytes_on_disk(tmp_path / "runs" / plan.runs[0].id)
        do(store, plan.runs[1:])
        with monkeypatch.context() as patch:
            patch.setattr("cosim.folder.flush", full)
            with pytest.raises(InputError, match=r"a folder that can be written \(No space left on device\)"):
                store.finish()
        assert not list(tmp_path.glob("*.new")) and not (tmp_path / "results.parquet").exists()
        assert store.finish()


def test_a_file_in_the_place_of_a_run_is_left_alone(tmp_path: Path) -> None:
    plan = plan_of(2)
    own = tmp_path / "runs" / plan.runs[0].id
    with opened(tmp_path, plan) as store:
        own.write_text("mine")
        with pytest.raises(FileExistsError):
            do(store, plan.runs[:1])
        store.record(plan.runs[0], failed(plan.runs[0], Reason.UNWRITABLE))
        do(store, plan.runs[1:])
        assert store.finish()
    with opened(tmp_path, plan, resume=True) as store:
        assert numbers(store) == [0]
    assert own.read_text() == "mine"


def test_days_of_a_long_run_are_kept_while_another_try_makes_sense(tmp_path: Path) -> None:
    plan = plan_of(4)
    with opened(tmp_path, plan) as store:
        days = [tmp_path / "working" / f".{run.id}.0f.unfinished" for run in plan.runs]
        for folder in days:
            folder.mkdir()
        store.record(plan.runs[0], failed(plan.runs[0], Reason.TIMEOUT))
        store.record(plan.runs[1], failed(plan.runs[1], Reason.DIVERGED))
        do(store, plan.runs[2:3])
        assert [folder.exists() for folder in days] == [True, False, False, True]
    with opened(tmp_path, plan, resume=True):
        assert [folder.exists() for folder in days] == [True, False, False, True]


def test_shards_together_make_the_sweep(tmp_path: Path) -> None:
    plan = plan_of(5)
    finished(tmp_path / "straight", plan)
    folder = tmp_path / "shards"
    with opened(folder, plan, shard=(1, 2)) as one, opened(folder, plan, shard=(2, 2)) as two:
        assert numbers(one) == [0, 2, 4] and numbers(two) == [1, 3]
        do(one)
        assert not one.finish()
        do(two)
        assert two.finish() and one.finish()
    assert whole(folder) == whole(tmp_path / "straight")
    assert (folder / "journal-1-of-2.jsonl").exists() and (folder / "journal-2-of-2.jsonl").exists()
    with opened(folder, plan, shard=(2, 3)) as store:
        assert numbers(store) == [] and store.finished == 2


def test_a_shard_does_not_touch_what_others_write(tmp_path: Path) -> None:
    plan = plan_of(2)
    with opened(tmp_path, plan, shard=(1, 2)):
        theirs = tmp_path / "working" / f"{plan.runs[0].id}.x"
        theirs.mkdir()
        with opened(tmp_path, plan, shard=(2, 2)):
            assert theirs.exists()
    with opened(tmp_path, plan, shard=(1, 2)):
        assert not theirs.exists()


def test_another_plan_waits_for_the_shards_of_the_first(tmp_path: Path) -> None:
    with opened(tmp_path, plan_of(4), shard=(1, 2)):
        before = whole(tmp_path)
        with pytest.raises(OccupiedError, match="other shards work here on another plan"):
            opened(tmp_path, plan_of(6), shard=(2, 2)).__enter__()
        assert whole(tmp_path) == before
    with opened(tmp_path, plan_of(6), shard=(2, 2)) as store:
        assert numbers(store) == [1, 3, 5]


def test_the_journal_bears_a_torn_line(tmp_path: Path) -> None:
    plan = plan_of(3)
    with opened(tmp_path, plan) as store:
        do(store, plan.runs[:2])
    journal = tmp_path / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])
    with opened(tmp_path, plan, resume=True) as store:
        run = plan.runs[2]
        store.record(run, replace(failed(run, Reason.TIMEOUT), seconds=3.5, peak_mb=100.0, attempts=2, worker="h:1"))
    found = Sweep.load(tmp_path).journal
    assert found["run"].tolist() == [0, 2]
    last = found.iloc[-1]
    assert (last["run_id"], last["reason"], last["seconds"], last["peak_mb"]) == (run.id, "timeout", 3.5, 100.0)
    assert (last["attempts"], last["worker"]) == (2, "h:1")


def test_a_table_is_not_made_of_damaged_runs(tmp_path: Path) -> None:
    """Of another shard's, say, which this one did not look at."""
    plan = plan_of(2)
    with opened(tmp_path, plan, shard=(1, 2)) as store:
        do(store, plan.runs)
        damaged = tmp_path / "runs" / plan.runs[1].id / "prosumers.parquet"
        damaged.write_bytes(damaged.read_bytes()[:-1])
        assert not store.finish()
        assert store.notes == [f"{damaged} is damaged: it is not as it was written; resuming the sweep runs it anew"]
    with opened(tmp_path, plan, resume=True) as store:
        assert numbers(store) == [1]


@pytest.mark.slow
def test_a_sweep_that_dies_at_any_step_goes_on_to_the_same_end(tmp_path: Path) -> None:
    """At each flush, rename, removal and new folder; see `dying_workers`."""
    command = [sys.executable, "-m", "tests.cosim.sweep.dying_workers", "sweeps", str(tmp_path)]
    subprocess.run(command, check=True, timeout=600)


def full(*args: object, **options: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")
