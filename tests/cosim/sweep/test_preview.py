"""Previews: which runs are tried, and what is reckoned from them, with a stand-in whose laws are known."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cosim import Scenario
from cosim.sweep import Failure, Outcome, Plan, Reason, SweepSpec, Task, plan_from_spec
from cosim.sweep.estimate import Measured, estimated
from cosim.sweep.preview import Preview, preview
from cosim.sweep.preview_text import duration, size
from cosim.sweep.work import Sizes
from feeders.errors import InputError


def plan(**data: Any) -> Plan:
    return plan_from_spec(SweepSpec.from_dict(data))


class StandIn:
    """Carries out nothing: 1 s and 3 s for each unit of work, 100 MB and 2 MB, 1000 bytes and 10 bytes."""

    def __init__(self, fails: Callable[[Scenario], Failure | None] = lambda _: None) -> None:
        self.fails = fails
        self.tasks: list[Task] = []
        self.now = 0.0
        self.starting_s = 700.0  # the very first process compiles

    def __call__(self, task: Task) -> Outcome:
        assert Path(task.folder, "runs").is_dir()
        scenario = Scenario.from_dict(tomllib.loads(task.scenario))
        work = Sizes(scenario).work
        self.tasks.append(task)
        self.now += 1 + 3 * work + self.starting_s
        self.starting_s = 0.0
        failure = self.fails(scenario)
        return Outcome(task.id, failure, 1 + 3 * work, 100 + 2 * work, 0 if failure else round(1000 + 10 * work))

    def preview(self, plan: Plan, folder: Path, workers: int = 2) -> Preview:
        return preview(
            plan,
            self,
            workers=workers,
            folder=folder / "out",
            end_process=self.end_process,
            clock=lambda: self.now,
        )

    def end_process(self) -> None:
        """The next one takes its time to start."""
        assert self.starting_s == 0
        self.starting_s = 50.0

    @property
    def tried(self) -> list[tuple[int, int]]:
        """Number and days of all runs that were tried but the first two, which warm up."""
        return [(task.number, tomllib.loads(task.scenario)["days"]) for task in self.tasks[2:]]


def test_runs_of_one_size_need_one_pilot(tmp_path: Path) -> None:
    stand_in = StandIn()
    found = stand_in.preview(plan(grid={"rule": ["none", "prc"], "voltage.dead_pu": [0.01, 0.02, 0.03]}), tmp_path)
    assert stand_in.tried == [(0, 1)]
    work = Sizes(Scenario()).work
    assert found.estimate is not None
    assert found.estimate.warm_up_s == pytest.approx(50)
    assert found.estimate.computing_s == pytest.approx(6 * (1 + 3 * work))
    assert found.seconds == pytest.approx(50 + 3 * (1 + 3 * work))
    assert found.estimate.peak_mb == pytest.approx(100 + 2 * work)
    assert found.estimate.disk_bytes == pytest.approx(6 * (1000 + 10 * work), abs=3)
    assert list(tmp_path.iterdir()) == []


def test_smallest_and_largest_of_a_kind_give_a_line_over_work(tmp_path: Path) -> None:
    stand_in = StandIn()
    given = plan(base={"population": {"n": 2}}, grid={"population.n": [5, 50, 20], "days": [7, 1, 30]})
    found = stand_in.preview(given, tmp_path, workers=6)
    assert stand_in.tried == [(1, 1), (5, 2)]  # 5 prosumers for a day, 50 for two of 30 days
    works = [Sizes(run.scenario).work for run in given.runs]
    assert found.estimate is not None
    assert found.estimate.computing_s == pytest.approx(sum(1 + 3 * work for work in works))
    assert found.estimate.longest_s == pytest.approx(1 + 3 * max(works))
    # 30 days of 50 prosumers are more than a sixth of all: one worker is at it till the end.
    assert max(works) > sum(works) / 6
    assert found.seconds == pytest.approx(50 + 1 + 3 * max(works))
    assert found.estimate.peak_mb == pytest.approx(100 + 2 * max(works))
    assert found.estimate.disk_bytes == pytest.approx(sum(1000 + 10 * work for work in works), rel=1e-4)
    assert found.estimate.n_by_work == 0


def test_each_kind_is_tried_and_of_many_those_with_most_work(tmp_path: Path) -> None:
    stand_in = StandIn()
    modes = ["closed-loop", "open-loop"]
    stand_in.preview(plan(grid={"mode": modes, "record": [[], ["vm_pu"]]}), tmp_path)
    assert stand_in.tried == [(0, 1), (1, 1), (2, 1), (3, 1)]
    stand_in = StandIn()
    given = plan(grid={"mode": [*modes, "settled"], "record_every": [1, 2]}, cases=[{"days": 1}, {"days": 2}])
    found = stand_in.preview(given, tmp_path)
    assert len(stand_in.tried) == 8  # four of the six kinds, for one day and for two
    assert found.estimate is not None and found.estimate.n_by_work == 4
    works = [Sizes(run.scenario).work for run in given.runs]
    assert found.estimate.computing_s == pytest.approx(sum(1 + 3 * work for work in works))  # all have the same law
    assert any("4 runs are of kinds that were not tried" in line for line in found.lines())


def test_a_pilot_that_fails_is_shown_and_not_reckoned_with(tmp_path: Path) -> None:
    failure = Failure(Reason.BAD_INPUT, "scenario: rule: 'prcc' is not allowed")
    stand_in = StandIn(lambda scenario: failure if scenario.mode == "open-loop" else None)
    found = stand_in.preview(plan(grid={"mode": ["open-loop", "closed-loop"]}), tmp_path)
    assert found.estimate is not None and found.estimate.n_by_work == 1
    lines = found.lines()
    assert "tried: run 0 (mode open-loop) FAILED: bad-input: scenario: rule: 'prcc' is not allowed" in lines
    assert any(line.startswith("tried: run 1 (mode closed-loop): ") for line in lines)


def test_nothing_is_reckoned_from_failures_alone(tmp_path: Path) -> None:
    stand_in = StandIn(lambda _: Failure(Reason.TIMEOUT, "too long"))
    found = stand_in.preview(plan(), tmp_path)
    assert found.estimate is None and found.seconds is None
    assert found.lines() == [
        "sweep: 1 run",
        "tried: run 0 FAILED: timeout: too long",
        "no run that was tried came to its end: nothing can be said of time, memory and disk",
    ]


def test_a_task_that_was_not_tried_says_so(tmp_path: Path) -> None:
    found = preview(plan(), lambda task: Outcome(task.id, skipped=True), workers=1, folder=tmp_path)
    assert found.estimate is None and "FAILED" in found.lines()[1] and "not tried" in found.lines()[1]


def test_limits_of_the_sweep_hold_for_pilots_and_are_told(tmp_path: Path) -> None:
    stand_in = StandIn()
    given = plan(limits={"timeout_s": 90, "memory_mb": 300, "attempts": 5}, references=False, grid={"days": [1, 300]})
    lines = stand_in.preview(given, tmp_path).lines()
    for task in stand_in.tasks:
        assert (task.timeout_s, task.memory_mb, task.attempts, task.references) == (90, 300, 1, False)
        assert task.code == given.code
    assert len({task.id for task in stand_in.tasks}) == len(stand_in.tasks)
    assert any("the limit, limits.memory_mb, is 300 MB: the largest runs will fail" in line for line in lines)
    assert any("the limit, limits.timeout_s, is 1 min 30 s: it will fail" in line for line in lines)
    assert "tried: run 1 (days 300) with days 2: " in "\n".join(lines)
    long = StandIn()
    long.preview(plan(), tmp_path)
    assert {task.timeout_s for task in long.tasks} == {300}  # a preview does not take an hour


def test_missing_files_and_too_little_room_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("cosim.sweep.preview.shutil.disk_usage", lambda _: usage)
    given = plan(set={"profiles_file": str(tmp_path / "gone.csv")}, grid={"rule": ["none", "prc"]})
    lines = StandIn().preview(given, tmp_path).lines()
    assert lines[0] == "sweep: 2 runs = rule 2"
    assert lines[1].startswith(f"missing: {tmp_path / 'gone.csv'}; ")
    assert lines[-1].startswith("disk: about ") and lines[-1].endswith(": TOO LITTLE")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    def full(task: Task) -> Outcome:
        raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match="No space left"):
        preview(plan(), full, workers=1, folder=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_line_never_falls() -> None:
    sizes = [Sizes(Scenario(days=days)) for days in (1, 10)]
    low, high = (Measured(_kind(), one.work, seconds, 100, 10) for one, seconds in zip(sizes, (2.0, 1.5), strict=True))
    found = estimated(sizes, [low, high], 0.0)
    assert found is not None and found.computing_s == 3.0


def _kind() -> Any:
    from cosim.sweep.work import kind_of_run

    return kind_of_run(Scenario())


def test_prosumers_are_counted_wherever_they_come_from(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("id,bus\na,2\nb,3\n\n")
    counts = [
        Sizes(Scenario()).n_prosumers,
        Sizes(Scenario.from_dict({"population": {"n": 7}})).n_prosumers,
        Sizes(Scenario(prosumers_file=str(file))).n_prosumers,
        Sizes(Scenario(prosumers_file=str(tmp_path / "gone.csv"))).n_prosumers,
    ]
    assert counts == [3, 7, 2, 0]


def test_words_for_time_and_size() -> None:
    seconds = {
        0.234: "0.23 s",
        9: "9 s",
        59.6: "1 min",
        61: "1 min 1 s",
        3600: "1 h",
        7290: "2 h 1 min",
        90000: "1 d 1 h",
    }
    assert {each: duration(each) for each in seconds} == seconds
    sizes = {12: "12 bytes", 1234: "1.23 kB", 5e6: "5 MB", 2.5e9: "2.5 GB", 3e12: "3 TB"}
    assert {each: size(each) for each in sizes} == sizes
