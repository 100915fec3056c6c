"""A supervisor has an outcome for every task, whatever its child does, and leaves no process behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from cosim.sweep import Outcome, Reason
from cosim.sweep.supervisor import Supervisor, close_supervisors, supervisor_here
from tests.cosim.sweep.cases import PLUGIN, task, write_plugin

LIMIT_MB = 900.0  # twice what a child has after its imports


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    """One for all, since a child takes seconds to start."""
    found = Supervisor()
    yield found
    found.close()
    assert not children()


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_plugin(tmp_path_factory.mktemp("plugin"))


def attempt(supervisor: Supervisor, plugin: Path, folder: Path, rule: str, **limits: float) -> Outcome:
    return supervisor.attempt(task(folder, rule, plugin, **limits))


def failed(outcome: Outcome) -> tuple[Reason, str]:
    assert outcome.failure is not None
    return outcome.failure.reason, outcome.failure.message


def test_a_run_has_its_folder_and_its_figures(supervisor: Supervisor, plugin: Path, tmp_path: Path) -> None:
    outcome = attempt(supervisor, plugin, tmp_path, "fine")
    assert outcome.failure is None
    assert outcome.size_bytes > 0
    assert (tmp_path / "runs" / outcome.id).is_dir()
    assert 100 < outcome.peak_mb < LIMIT_MB
    assert 0 < outcome.seconds < 60
    (child,) = children()
    assert outcome.worker.endswith(f":{child.pid}")


def test_a_child_is_kept_for_the_next_run_and_what_it_prints_is_no_answer(
    supervisor: Supervisor, plugin: Path, tmp_path: Path
) -> None:
    first = attempt(supervisor, plugin, tmp_path, "fine")
    second = attempt(supervisor, plugin, tmp_path, "prints")
    third = attempt(supervisor, plugin, tmp_path, "raises")
    assert first.worker == second.worker == third.worker
    assert second.failure is None
    line = 1 + next(n for n, text in enumerate(PLUGIN.splitlines()) if text.startswith("def raises"))
    assert failed(third) == (Reason.EXCEPTION, f"KeyError: 'no such thing' (plugin.py:{line})")
    assert third.failure is not None
    assert "Traceback" in third.failure.detail


@pytest.mark.parametrize(
    ("rule", "reason", "said"),
    [
        ("exits", Reason.EXCEPTION, "SystemExit: enough (plugin.py:"),
        ("opens", Reason.EXCEPTION, "FileNotFoundError"),
        ("cannot_plan", Reason.INFEASIBLE, "nobody can plan this"),
        ("asks_too_much", Reason.MEMORY, "Unable to allocate"),
    ],
)
def test_errors_in_a_rule_leave_the_child_alive(
    supervisor: Supervisor, plugin: Path, tmp_path: Path, rule: str, reason: Reason, said: str
) -> None:
    before = children()
    outcome = attempt(supervisor, plugin, tmp_path, rule)
    assert failed(outcome)[0] is reason
    assert said in failed(outcome)[1]
    assert children() == before


def test_a_run_that_kills_its_process_once_is_done_by_the_next(
    supervisor: Supervisor, plugin: Path, tmp_path: Path
) -> None:
    outcome = attempt(supervisor, plugin, tmp_path, "dies_once")
    assert outcome.failure is None
    assert outcome.attempts == 2
    assert (plugin.parent / "died").exists()


@pytest.mark.slow
def test_a_run_that_kills_its_process_each_time_names_the_signal_and_its_last_words(
    supervisor: Supervisor, plugin: Path, tmp_path: Path
) -> None:
    outcome = attempt(supervisor, plugin, tmp_path, "dies")
    assert outcome.attempts == 2
    assert failed(outcome)[0] is Reason.KILLED
    assert failed(outcome)[1].startswith("its process ended in each of 2 tries: SIGKILL; last seen with ")
    assert outcome.failure is not None
    assert outcome.failure.detail == "last words"


@pytest.mark.slow
def test_one_attempt_is_one(supervisor: Supervisor, plugin: Path, tmp_path: Path) -> None:
    outcome = attempt(supervisor, plugin, tmp_path, "leaves", attempts=1)
    assert outcome.attempts == 1
    assert failed(outcome)[0] is Reason.KILLED
    assert failed(outcome)[1].startswith("its process ended: exit code 7")


def test_a_run_that_takes_too_long_is_given_up_at_once_with_all_that_it_started(
    supervisor: Supervisor, plugin: Path, tmp_path: Path
) -> None:
    outcome = attempt(supervisor, plugin, tmp_path, "starts", timeout_s=1.5)
    assert failed(outcome) == (Reason.TIMEOUT, "not finished after 1.5 s, the limit")
    assert outcome.attempts == 1
    assert 1.5 <= outcome.seconds < 10
    assert not children()
    assert not [each for each in psutil.process_iter(["cmdline"]) if str(plugin.parent) in (each.info["cmdline"] or [])]


@pytest.mark.slow
def test_memory_is_limited_and_a_warm_child_s_own_share_not_held_against_a_run(
    supervisor: Supervisor, plugin: Path, tmp_path: Path
) -> None:
    assert attempt(supervisor, plugin, tmp_path, "fine").failure is None
    outcome = attempt(supervisor, plugin, tmp_path, "eats", memory_mb=LIMIT_MB)
    assert failed(outcome)[0] is Reason.MEMORY
    assert "the limit is 900 MB" in failed(outcome)[1]
    assert outcome.attempts == 2
    assert outcome.peak_mb > LIMIT_MB


def test_what_is_halted_is_skipped_before_and_during(supervisor: Supervisor, plugin: Path, tmp_path: Path) -> None:
    class Halted:
        def __init__(self, *, begun: bool) -> None:
            self.begun = begun

        def asked(self) -> bool:
            return not self.begun

        def now(self) -> bool:
            return True

    asked = task(tmp_path, "sleeps", plugin)
    assert supervisor.attempt(asked, Halted(begun=False)) == Outcome(asked.id, attempts=0, skipped=True)
    during = supervisor.attempt(asked, Halted(begun=True))
    assert (during.skipped, during.failure, during.attempts) == (True, None, 1)
    assert not children()


@pytest.mark.slow
def test_other_code_is_not_asked_of_the_same_process(supervisor: Supervisor, plugin: Path, tmp_path: Path) -> None:
    asked = task(tmp_path, "fine", plugin)
    first = supervisor.attempt(asked)
    plugin.write_text(plugin.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    second = supervisor.attempt(task(tmp_path, "fine", plugin, number=1))
    assert second.failure is None
    assert not second.skipped
    assert first.worker != second.worker
    assert supervisor.attempt(replace(asked, code="0.0.0+none")).skipped


@pytest.mark.slow
def test_a_thread_has_its_own_and_all_are_closed_together(tmp_path: Path) -> None:
    found: list[Supervisor] = []

    def work() -> None:
        found.append(supervisor_here())
        assert supervisor_here() is found[-1]
        supervisor_here().attempt(task(tmp_path, number=len(found)))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] is not found[1]
    assert len(children()) >= 2  # they outlive the thread that asked for them
    close_supervisors()
    assert not children()


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["sleeps", "spins"])
def test_a_child_dies_with_its_supervisor_whatever_it_is_doing(tmp_path: Path, rule: str) -> None:
    write_plugin(tmp_path)
    code = f"""
from pathlib import Path
from cosim.sweep.supervisor import Supervisor
from tests.cosim.sweep.cases import task
Supervisor().attempt(task(Path({str(tmp_path)!r}), {rule!r}, Path({str(tmp_path)!r}) / "plugin.py"))
"""
    driver = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    try:
        (child,) = wait_for(lambda: psutil.Process(driver.pid).children())
        wait_for((tmp_path / "began").exists)
        os.killpg(driver.pid, signal.SIGTERM)
        wait_for(lambda: ended(child))
    finally:
        driver.kill()
        driver.wait()


def ended(process: psutil.Process) -> bool:
    """Whether nothing is left of it but a number that init has not taken note of yet."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def wait_for(look: Callable[[], Any]) -> Any:
    for _ in range(600):
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("it never came")


def children() -> list[psutil.Process]:
    return [each for each in psutil.Process().children() if "cosim.sweep.child" in each.cmdline()]
