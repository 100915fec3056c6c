"""Sweeps whose runs are not of scenarios: what tells them apart, and what refuses them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cosim.report import write_report
from cosim.sweep import Plan, PlannedRun, Reason, Sweep, opened
from cosim.sweep.kinds import HOSTING, SCENARIO, kind_named
from cosim.sweep.one_run import carry_out
from cosim.sweep.resume import ChangedSweepError
from cosim.sweep.write_run import write_whole
from feeders.errors import InputError
from tests.cosim.command_line import call
from tests.cosim.sweep.sweep_cases import CODE, failed, plan_of


@dataclass(frozen=True)
class Words:
    """What is not a scenario."""

    text: str

    def to_toml(self) -> str:
        """As it is."""
        return self.text


def plan_of_words(n: int = 2) -> Plan:
    """A plan of another kind."""
    runs = [PlannedRun(k, f"{k:04x}", {"scenario": k}, Words(f"a = {k}\n")) for k in range(n)]
    return Plan("by-hand", "", runs, CODE, references=False, kind=HOSTING)


def test_a_task_and_a_manifest_say_of_which_kind_runs_are(tmp_path: Path) -> None:
    plan = plan_of_words()
    with opened(tmp_path, plan) as store:
        task = store.task(plan.runs[1])
        assert (task.kind, task.scenario, task.references) == ("hosting", "a = 1\n", False)
    assert Sweep.load(tmp_path).kind is HOSTING
    assert Sweep.load(tmp_path).plan.columns.tolist() == ["run", "run_id", "scenario"]  # none of a scenario's
    with opened(tmp_path / "other", plan_of(1)) as store:
        assert store.task(store.to_do[0]).kind == "scenario"
    assert Sweep.load(tmp_path / "other").kind is SCENARIO


def test_what_is_valid_differs_by_kind(tmp_path: Path) -> None:
    """A folder without its kind's files is set aside and made anew."""
    plan = plan_of_words()

    def fill(folder: Path, names: frozenset[str]) -> None:
        for name in names:
            (folder / name).write_text("x")

    with opened(tmp_path, plan) as store:
        whole, lacking = (store.task(run) for run in plan.runs)
        write_whole(whole, lambda folder: fill(folder, HOSTING.needed), HOSTING.needed)
        write_whole(lacking, lambda folder: fill(folder, HOSTING.needed - {HOSTING.table}), HOSTING.needed)
    with opened(tmp_path, plan, resume=True) as store:
        assert [run.number for run in store.to_do] == [1]
        assert "run 1 was damaged" in store.notes[0]


def test_a_folder_of_scenarios_does_not_go_on_as_another_kind(tmp_path: Path) -> None:
    with opened(tmp_path, replace(plan_of(1), references=False, libraries={})):
        pass
    with (
        pytest.raises(ChangedSweepError, match="of scenario -> hosting"),
        opened(tmp_path, plan_of_words(), resume=True),
    ):
        pass


def test_what_repeats_a_failed_run_is_of_its_kind(tmp_path: Path) -> None:
    plan = plan_of_words()
    with opened(tmp_path, plan) as store:
        store.record(plan.runs[0], failed(plan.runs[0], Reason.BAD_INPUT))
    command = Sweep.load(tmp_path).failures["command"].tolist()
    assert command == [f"cosim hosting {tmp_path}/failed/0000/hosting.toml --out NEW_DIR"]
    assert (tmp_path / "failed" / "0000" / "hosting.toml").read_text() == "a = 0\n"


def test_what_reads_scenarios_refuses_other_kinds(tmp_path: Path) -> None:
    with opened(tmp_path, plan_of_words()):
        pass
    with pytest.raises(InputError, match=r"a sweep of kind hosting.*allowed: a sweep of kind scenario"):
        Sweep.load(tmp_path).run(0)
    with pytest.raises(InputError, match="a sweep of kind scenario"):
        write_report(tmp_path)
    ended = call("compare", tmp_path, "--by", "rule")
    assert ended.code == 2 and "a sweep of kind scenario" in ended.err


def test_a_kind_that_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'tides' is not allowed; allowed: one of scenario, hosting"):
        kind_named("tides")
    with opened(tmp_path, plan_of_words()) as store:
        outcome = carry_out(replace(store.task(store.to_do[0]), kind="tides", code=_code()))
    assert outcome.failure is not None and outcome.failure.reason is Reason.BAD_INPUT


def _code() -> str:
    from cosim.sweep.identity import code_version

    return code_version()
