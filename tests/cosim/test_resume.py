"""Runs that are killed and go on: the same bytes as straight through, and never from files that are not as written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from agents.prosumer import RECORDED
from cosim import CoSimulation, Run, run
from cosim.checkpoint import Checkpoint, DamagedError
from cosim.stream import CHECKPOINT
from cosim.unfinished import UnfinishedRun, working_folder
from feeders.errors import InputError
from tests.cosim.killed_runs import CASES, NOISY_OPEN_LOOP, PLAIN, STEPS_PER_DAY

pytestmark = pytest.mark.usefixtures("feeders_built_once")

ROOT = Path(__file__).parents[2]


class Interrupted(BaseException):
    """As Ctrl-C: nothing that a run catches as an error."""


def interrupted(folder: Path, *, at: int, **options: object) -> Path:
    """The working folder of a run that was interrupted after so many market steps of its job."""

    def stop(done: int, total: int) -> None:
        if done == at:
            raise Interrupted

    with pytest.raises(Interrupted):
        run(PLAIN, folder=folder, progress=stop, **options)  # type: ignore[arg-type]
    return working_folder(folder, PLAIN)


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that the interrupted ones must come to."""
    folder = tmp_path_factory.mktemp("straight") / "r"
    run(PLAIN, folder=folder)
    return folder


def same(folder: Path, other: Path) -> None:
    for name in ("timeseries.parquet", "prosumers.parquet", "bills.parquet"):
        assert (folder / name).read_bytes() == (other / name).read_bytes(), name


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks the processes that are killed")
@pytest.mark.slow
@pytest.mark.parametrize("case", list(CASES))
def test_killed_and_resumed_is_the_same_to_the_last_byte(case: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.cosim.killed_runs", case, str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    same(tmp_path / "killed", tmp_path / "straight")
    left = {path.name for path in tmp_path.iterdir() if path.suffix != ".tmp"}  # killed while it was written
    assert left == {"killed", "straight"}
    result = Run.load(tmp_path / "killed")
    assert result.indices["tce_kwh"].max() > 0.1  # the rule acted, else much could go unseen
    assert np.isfinite(result.indices["gain_kept_percent"]).any()


def test_a_finished_part_is_not_run_again(tmp_path: Path) -> None:
    interrupted(tmp_path / "r", at=4 * STEPS_PER_DAY + 5)  # in the second day of the run without rule
    steps: list[int] = []
    run(PLAIN, folder=tmp_path / "r", resume=True, progress=lambda done, total: steps.append(done))
    assert steps[0] == 4 * STEPS_PER_DAY + 1
    assert steps == list(range(steps[0], 9 * STEPS_PER_DAY + 1))


def test_where_days_are_kept_someone_must_say_what_to_do(tmp_path: Path, straight: Path) -> None:
    interrupted(tmp_path / "r", at=30)
    with pytest.raises(UnfinishedRun, match=r"kept beside it, day 1 of 3; --resume goes on .*, --restart begins anew"):
        run(PLAIN, folder=tmp_path / "r")
    steps: list[int] = []
    run(PLAIN, folder=tmp_path / "r", resume=False, progress=lambda done, total: steps.append(done))
    assert steps[0] == 1
    same(tmp_path / "r", straight)
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


def test_an_interruption_before_the_first_midnight_leaves_nothing(tmp_path: Path) -> None:
    interrupted(tmp_path / "r", at=STEPS_PER_DAY - 1)
    assert list(tmp_path.iterdir()) == []


def test_an_unfinished_run_of_another_scenario_is_not_used(tmp_path: Path, straight: Path) -> None:
    other = PLAIN.changed({"seed": 2})
    working = interrupted(tmp_path / "r", at=30)
    assert working_folder(tmp_path / "r", other) != working
    with pytest.warns(RuntimeWarning, match=rf"no unfinished run .* \({working.name}: of another scenario"):
        run(other, folder=tmp_path / "r", resume=True, references=False)
    assert working.is_dir()  # it may still be wanted


def test_other_versions_are_another_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = working_folder(tmp_path / "r", PLAIN)
    monkeypatch.setattr("cosim.results.version", lambda name: "9.9")
    assert working_folder(tmp_path / "r", PLAIN) != before


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        *((CHECKPOINT, damage) for damage in ("bit", "cut", "gone")),
        ("day-00001.parquet", "bit"),
        *(("day-00002.parquet", damage) for damage in ("cut", "gone")),
    ],
)
def test_damage_is_seen_said_and_made_good(name: str, damage: str, tmp_path: Path, straight: Path) -> None:
    path = interrupted(tmp_path / "r", at=2 * STEPS_PER_DAY + 5) / "run" / name
    content = bytearray(path.read_bytes())
    content[_within(path) if name == CHECKPOINT else len(content) // 2] ^= 1
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(content if damage == "bit" else content[: len(content) // 2])
    said = f"{name} is damaged: .*; this run begins anew"
    steps: list[int] = []
    if (name, damage) == (CHECKPOINT, "gone"):
        said = "no unfinished run of this scenario to go on with"
    with pytest.warns(RuntimeWarning, match=said):
        run(PLAIN, folder=tmp_path / "r", resume=True, progress=lambda done, total: steps.append(done))
    assert steps[0] == 1
    same(tmp_path / "r", straight)


def _within(archive: Path) -> int:
    """A byte in the middle of the largest member: between members lie some that nobody reads."""
    with ZipFile(archive) as file:
        largest = max(file.infolist(), key=lambda member: member.file_size)
    return largest.header_offset + largest.compress_size // 2


def test_a_flipped_byte_of_a_checkpoint_is_seen(tmp_path: Path) -> None:
    path = tmp_path / CHECKPOINT
    state = {"a": np.arange(3.0), "b": np.zeros((2, 2))}
    Checkpoint(3, 1.5, {"day-00001.parquet": "x"}, state).save(path)
    good = path.read_bytes()
    for place in range(0, len(good), 3):
        path.write_bytes(good[:place] + bytes([good[place] ^ 0xFF]) + good[place + 1 :])
        try:
            found = Checkpoint.load(path)
        except DamagedError:
            continue
        # What zip files say of times and systems does not matter; all else must be as it was.
        assert found is not None and (found.days, found.seconds, found.parts) == (3, 1.5, {"day-00001.parquet": "x"})
        assert list(found.state) == ["a", "b"]
        assert all(np.array_equal(found.state[name], state[name]) for name in state)


def test_a_checkpoint_that_was_edited_is_seen(tmp_path: Path) -> None:
    path = tmp_path / CHECKPOINT
    Checkpoint(1, 0.0, {}, {"a": np.arange(3.0)}).save(path)
    with np.load(path) as file:
        members = {name: file[name] for name in file.files}
    np.savez(path, **{**members, "a": np.array([0.0, 1.0, 2.5])})
    with pytest.raises(DamagedError, match="its checksum does not match"):
        Checkpoint.load(path)


def test_a_checkpoint_of_something_else_changes_nothing(tmp_path: Path) -> None:
    model, before = CoSimulation(PLAIN), CoSimulation(PLAIN).state()
    two_homes = PLAIN.model_copy(update={"prosumers": PLAIN.prosumers[1:]})
    for wrong in (CoSimulation(two_homes).state(), {**before, "ledger.cost": np.ones(7)}, {}):
        with pytest.raises((KeyError, ValueError)):
            model.restore(wrong)
        assert all(np.array_equal(value, before[name], equal_nan=True) for name, value in model.state().items())


@pytest.mark.parametrize("scenario", [PLAIN, NOISY_OPEN_LOOP], ids=["plain", "noisy-open-loop"])
def test_a_state_at_midnight_is_all_there_is(scenario: object, tmp_path: Path) -> None:
    """In memory: a new model that takes up the state lives the same second day."""
    first = CoSimulation(scenario.changed({"record": RECORDED, "record_every": 1}))  # type: ignore[attr-defined]
    for _ in range(STEPS_PER_DAY):
        first.step()
    second = CoSimulation(first.settings)
    second.restore({name: value.copy() for name, value in first.state().items()})
    assert (second.clock.step, second.record.n_lived, second.running) == (STEPS_PER_DAY, 4 * STEPS_PER_DAY, True)
    first.run()
    second.run()
    assert np.array_equal(second.record.frames, first.record.frames[4 * STEPS_PER_DAY :])
    assert all(np.array_equal(value, first.state()[name], equal_nan=True) for name, value in second.state().items())


def test_two_at_once_are_one_too_many(tmp_path: Path) -> None:
    def second(done: int, total: int) -> None:
        if done == 1:
            with pytest.raises(InputError, match="a folder that no other process is working on"):
                run(PLAIN, folder=tmp_path / "r", resume=True)

    run(PLAIN, folder=tmp_path / "r", references=False, progress=second)


def test_a_full_disk_is_one_line_and_keeps_the_days_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, straight: Path
) -> None:
    save, saved = Checkpoint.save, []

    def full(self: Checkpoint, path: Path) -> None:
        if self.days == 2:
            raise OSError(28, "No space left on device")
        saved.append(self.days)
        save(self, path)

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "save", full)
        with pytest.raises(InputError, match=r"a folder that can be written \(No space left on device\)"):
            run(PLAIN, folder=tmp_path / "r")
    assert saved == [1]
    run(PLAIN, folder=tmp_path / "r", resume=True)
    same(tmp_path / "r", straight)


def test_seconds_of_all_tries_count(tmp_path: Path) -> None:
    working = interrupted(tmp_path / "r", at=30)
    path = working / "run" / CHECKPOINT
    kept = Checkpoint.load(path)
    assert kept is not None and 0 < kept.seconds < 60
    Checkpoint(kept.days, 1000.0, kept.parts, kept.state).save(path)
    result = run(PLAIN, folder=tmp_path / "r", resume=True, references=False)
    assert 1000 < float((tmp_path / "r" / "manifest.json").read_text().split('"seconds": ')[1].split("\n")[0]) < 1060
    assert result.control_steps == 3 * 96


def test_a_feeder_made_in_python_cannot_be_resumed(tmp_path: Path) -> None:
    feeder = CoSimulation(PLAIN).grid.feeder
    with pytest.raises(InputError, match="a feeder made in Python"):
        run(PLAIN, feeder=feeder, folder=tmp_path / "r", resume=True)

    def stop(done: int, total: int) -> None:
        if done == 60:
            raise Interrupted

    with pytest.raises(Interrupted):
        run(PLAIN, feeder=feeder, folder=tmp_path / "r", progress=stop)
    assert list(tmp_path.iterdir()) == []
