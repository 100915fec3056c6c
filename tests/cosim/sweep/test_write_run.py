"""The folder of a sweep's run: what is in it, that it comes whole or not at all, and who wins of two."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cosim import Scenario, run
from cosim.failure import RunFailure
from cosim.locks import locked
from cosim.results import load_run
from cosim.stream import Stream
from cosim.sweep import run_to_store, write_run
from cosim.sweep.checksums import CHECKSUMS, is_valid
from cosim.sweep.write_run import remove_leftovers
from cosim.unfinished import working_folder
from tests.cosim.command_line import call
from tests.cosim.evening_cases import crowded
from tests.cosim.sweep.sweep_cases import BASE, CODE, made, new_folder, task_of, whole

pytestmark = pytest.mark.usefixtures("feeders_built_once")

WRITE_RUN = import_module("cosim.sweep.write_run")  # whose name in the package is that of the function
FILES = ["bills.parquet", CHECKSUMS, "manifest.json", "prosumers.parquet", "scenario.toml"]
TOO_MUCH = {"prosumers.home-4.load_annual_mwh": 900.0}  # more than the feeder can carry


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_in_the_folder(tmp_path: Path) -> None:
    folder = new_folder(tmp_path / "s")
    size = write_run(task_of(folder, id="abc", plugins=("/p/own.py",)), made())
    own = folder / "runs" / "abc"
    assert names(own) == FILES  # nothing was recorded: there is no series
    assert is_valid(own)
    assert names(folder / "working") == []
    blocks = [-(-path.stat().st_size // 4096) for path in own.iterdir()]
    assert size == 4096 * (sum(blocks) + 1)  # the folder itself takes one
    manifest = json.loads((own / "manifest.json").read_text())
    assert manifest["run_id"] == "abc" and manifest["code"] == CODE and manifest["plugins"] == ["/p/own.py"]
    assert manifest["control_steps"] == 24 and manifest["failure"] is None
    assert not {"seconds", "finished_at", "repeat"} & manifest.keys()
    pd.testing.assert_frame_equal(load_run(own).indices, made().indices, check_exact=True)
    assert load_run(own).frames.size == 0


def test_equal_runs_give_equal_bytes_wherever_they_are(tmp_path: Path) -> None:
    for name in ("here", "there"):
        write_run(task_of(new_folder(tmp_path / name)), run(BASE.changed({"record": ["vm_pu"]})))
    assert whole(tmp_path / "here") == whole(tmp_path / "there")
    assert not any(str(tmp_path).encode() in content for content in whole(tmp_path / "here").values())


def test_series_are_there_when_recorded(tmp_path: Path) -> None:
    folder, recorded = new_folder(tmp_path), made(record=("vm_pu", "status"))
    write_run(task_of(folder), recorded)
    own = folder / "runs" / task_of(folder).id
    assert names(own) == sorted([*FILES, "timeseries.parquet"])
    assert (load_run(own).frames == recorded.frames).all()


def test_what_an_operator_said_is_there(tmp_path: Path, four_bus: Scenario) -> None:
    folder, evening = new_folder(tmp_path / "s"), crowded(four_bus, tmp_path, record=[])
    assert run_to_store(task_of(folder, references=False), evening) > 0
    own = folder / "runs" / task_of(folder).id
    assert names(own) == sorted([*FILES, "rehearsals.csv", "published.parquet"])
    assert load_run(own).rehearsals is not None


@pytest.mark.parametrize("where", ["runs/{}", "failed/{}"])
def test_the_scenario_of_a_run_repeats_it(tmp_path: Path, where: str) -> None:
    """With file names and a population that is drawn anew."""
    homes = tmp_path / "homes.csv"
    homes.write_text("id,bus,pv_kwp\na,2,1.5\nb,4,3.5\n")
    scenario = BASE.changed({"prosumers_file": str(homes)})
    folder = new_folder(tmp_path / "s")
    task = task_of(folder, scenario=scenario.to_toml())
    run_to_store(task, scenario)
    place = folder / where.format(task.id)
    place.mkdir(parents=True, exist_ok=True)
    (place / "scenario.toml").write_text(scenario.to_toml())
    ended = call("run", place / "scenario.toml", "--out", tmp_path / "again")
    assert ended.code == 0, ended.err
    again = (tmp_path / "again" / "prosumers.parquet").read_bytes()
    assert again == (folder / "runs" / task.id / "prosumers.parquet").read_bytes()


def test_a_valid_folder_that_is_there_is_kept(tmp_path: Path) -> None:
    folder = new_folder(tmp_path)
    write_run(task_of(folder), made())
    before = whole(folder)
    inodes = {path.stat().st_ino for path in folder.rglob("*.parquet")}
    write_run(task_of(folder), made("prc"))  # another content, to see which one is kept
    assert whole(folder) == before
    assert {path.stat().st_ino for path in folder.rglob("*.parquet")} == inodes


def test_a_damaged_folder_that_is_there_is_set_aside(tmp_path: Path) -> None:
    folder, task = new_folder(tmp_path), task_of(tmp_path)
    write_run(task, made())
    own = folder / "runs" / task.id
    for _ in range(2):
        (own / "bills.parquet").write_bytes(b"gone")
        write_run(task, made())
        assert is_valid(own)
    assert names(folder / "quarantine") == [f"{task.id}.1", f"{task.id}.2"]


def test_a_file_in_the_way_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, task = new_folder(tmp_path), task_of(tmp_path)
    own = folder / "runs" / task.id
    own.write_text("mine")
    with pytest.raises(FileExistsError, match="a file is where the folder of a run should be"):
        write_run(task, made())
    monkeypatch.delattr(WRITE_RUN, "live_in_memory")  # not even begun
    with pytest.raises(FileExistsError):
        run_to_store(task, BASE)
    assert own.read_text() == "mine"
    assert names(folder / "working") == []


def test_a_run_that_is_there_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = new_folder(tmp_path)
    size = run_to_store(task_of(folder), BASE)
    monkeypatch.delattr(WRITE_RUN, "live_in_memory")
    assert run_to_store(task_of(folder), BASE) == size


@pytest.mark.parametrize("days", [1, 2])
def test_a_run_that_fails_leaves_nothing(tmp_path: Path, days: int) -> None:
    folder = new_folder(tmp_path)
    with pytest.raises(RunFailure):
        run_to_store(task_of(folder), BASE.changed({**TOO_MUCH, "days": days}))
    assert names(folder / "runs") == []
    assert names(folder / "working") == []


@pytest.mark.parametrize("days", [1, 2])
def test_a_full_disk_is_told_as_the_system_tells_it(tmp_path: Path, days: int, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = new_folder(tmp_path)

    def full(*args: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(WRITE_RUN, "write_checksums", full)
    with pytest.raises(OSError, match="No space") as raised:
        run_to_store(task_of(folder), BASE.changed({"days": days}))
    assert raised.value.errno == errno.ENOSPC
    assert names(folder / "runs") == []
    monkeypatch.setattr("cosim.unfinished.Path.mkdir", full)
    with pytest.raises(OSError, match="No space") as raised:
        run_to_store(task_of(folder), BASE.changed({"days": days}))
    assert raised.value.errno == errno.ENOSPC
    assert raised.value.__context__ is None  # who follows causes does not go round in circles


def test_several_days_are_streamed_and_are_the_same(tmp_path: Path) -> None:
    scenario = BASE.changed({"days": 3, "record": ["vm_pu"], "record_every": 2})
    run_to_store(task_of(new_folder(tmp_path / "streamed")), scenario)
    write_run(task_of(new_folder(tmp_path / "in-memory")), run(scenario))
    assert whole(tmp_path / "streamed") == whole(tmp_path / "in-memory")


def test_days_that_another_worker_keeps_are_left_to_it(tmp_path: Path) -> None:
    folder, scenario = new_folder(tmp_path), BASE.changed({"days": 2})
    task = task_of(folder)
    theirs = working_folder(folder / "working" / task.id, scenario)
    theirs.mkdir(parents=True)
    with locked(theirs / "lock"):
        run_to_store(task, scenario)
        assert names(folder / "working") == [theirs.name]
    assert is_valid(folder / "runs" / task.id)


def test_leftovers_are_removed_unless_they_are_in_use(tmp_path: Path) -> None:
    working = tmp_path / "working"
    for name in ("abc.1", "abc.2", "abcd.3", ".abc.0f.unfinished"):
        (working / name / "run").mkdir(parents=True)
    with locked(working / "abc.2" / "lock"):
        remove_leftovers(working, "abc", days=False)
        assert names(working) == [".abc.0f.unfinished", "abc.2", "abcd.3"]
    remove_leftovers(working, "abc", days=True)
    assert names(working) == ["abcd.3"]


def test_processes_that_write_the_same_run_at_once_and_die_as_they_do(tmp_path: Path) -> None:
    """See `dying_workers`."""
    command = [sys.executable, "-m", "tests.cosim.sweep.dying_workers", "workers", str(tmp_path)]
    subprocess.run(command, check=True, timeout=300)


def test_a_killed_run_of_several_days_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not from its start: of four days, killed after two, two are lived again, of each of its three parts."""
    command = [sys.executable, "-m", "tests.cosim.sweep.dying_workers", "days", str(tmp_path)]
    subprocess.run(command, check=True, timeout=300)
    lived = []
    save = Stream._save

    def counted(stream: Stream, days: int) -> None:
        lived.append(days)
        save(stream, days)

    monkeypatch.setattr(Stream, "_save", counted)
    scenario = BASE.changed({"days": 4, "record": ["vm_pu"]})
    run_to_store(task_of(tmp_path / "killed"), scenario)
    assert lived == [3, 4, 1, 2, 3, 4, 1, 2, 3, 4]
    run_to_store(task_of(new_folder(tmp_path / "straight")), scenario)
    assert whole(tmp_path / "killed") == whole(tmp_path / "straight")
    assert names(tmp_path / "killed" / "working") == []
    assert np.isfinite(load_run(tmp_path / "killed" / "runs" / task_of(tmp_path).id).frames).all()
