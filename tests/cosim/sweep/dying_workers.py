"""Processes that die in the folder of a sweep: ``python -m tests.cosim.sweep.dying_workers CASE DIR``.

Each is forked before any file is written, so that modules are loaded but once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cosim.model
from cosim.build import build_feeder
from cosim.sweep import Reason, Task, opened, run_to_store, write_run
from cosim.sweep.checksums import is_valid
from tests.cosim.killed_runs import die_at, forked, killed
from tests.cosim.sweep.sweep_cases import BASE, do, failed, made, new_folder, plan_of, task_of, whole

__all__ = ["CASES"]


def days(folder: Path) -> None:
    """A run of four days is killed when its third day is about to be kept."""
    new_folder(folder / "killed")
    task, scenario = task_of(folder / "killed"), BASE.changed({"days": 4, "record": ["vm_pu"]})
    killed(lambda: run_to_store(task, scenario), "cosim.stream.Checkpoint.save", after=2)
    assert [path.name for path in (folder / "killed" / "runs").iterdir()] == []


def workers(folder: Path) -> None:
    """Die at each flush of a run's folder; then several at once, of which some die."""
    straight = new_folder(folder / "straight")
    forked(lambda: write_run(task_of(straight), made()))
    task = task_of(new_folder(folder / "killed"))
    own = folder / "killed" / "runs" / task.id
    flushes = 0
    write = partial(write_run, task, made())
    while dies(write, "os.fsync", flushes):
        assert not own.exists() or is_valid(own)
        flushes += 1
    assert flushes == 7, "each of five files, the folder they are in, and the one that it is in"
    assert (own / "manifest.json").read_bytes() == (straight / "runs" / task.id / "manifest.json").read_bytes()
    for round_ in range(3):
        task = task_of(folder / "killed", id=f"at-once-{round_}")
        at_once([partial(write_run, task, made())] * 4 + [partial(dying_write, task)] * 2)
        assert is_valid(folder / "killed" / "runs" / task.id)
    assert not (folder / "killed" / "quarantine").exists()


def dying_write(task: Task) -> None:
    die_at("os.fsync", 5)
    write_run(task, made())


def sweeps(folder: Path) -> None:
    """A sweep dies at each flush, rename and removal, in a folder of its own each time, and is resumed to its end."""
    plan = plan_of(3)

    def live(place: Path) -> None:
        with opened(place, plan, resume=True) as store:
            for each in store.to_do:
                if each.number == 1:
                    store.record(each, failed(each, Reason.KILLED))
                else:
                    do(store, [each])
            store.finish()

    assert forked(lambda: live(folder / "straight")) == 0
    expected = contents(folder / "straight")
    for where in ("os.fsync", "os.rename", "os.replace", "os.mkdir", "os.unlink", "os.rmdir"):
        calls = 0
        while dies_and_goes_on(live, folder / f"{where}-{calls}", where, calls, expected):
            calls += 1
        assert calls > 1, where
        print(f"{where}: died at each of {calls} calls")


def dies_and_goes_on(
    live: Callable[[Path], None], place: Path, where: str, after: int, expected: dict[str, bytes]
) -> bool:
    """Whether it died at all; it must not leave anything torn, and come to the same end when it goes on."""
    died = dies(lambda: live(place), where, after)
    broken = [path.name for path in place.glob("runs/*") if not is_valid(path)]
    assert not broken, f"{place}: {broken}"
    if died:
        assert forked(lambda: live(place)) == 0
        found = contents(place)
        differing = [name for name in {*found, *expected} if found.get(name) != expected.get(name)]
        assert not differing, f"{place}: {differing}"
    return died


def contents(place: Path) -> dict[str, bytes]:
    """All files but for the name of the place itself, which the command that repeats a run has."""
    return {name: content.replace(str(place).encode(), b"DIR") for name, content in whole(place).items()}


def dies(work: Callable[[], object], where: str, after: int) -> bool:
    """Whether there are so many calls of `where` in `work` that it dies of the next one."""

    def doomed() -> None:
        die_at(where, after)
        work()

    return forked(doomed) < 0


def at_once(works: Sequence[Callable[[], object]]) -> None:
    """Let processes do something at the same time."""
    children = []
    for work in works:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                work()
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert all(code <= 0 for code in codes), codes


CASES = {"days": days, "workers": workers, "sweeps": sweeps}

if __name__ == "__main__":
    feeder = build_feeder(BASE.feeder)
    cosim.model.build_feeder = lambda spec: feeder
    made()
    CASES[sys.argv[1]](Path(sys.argv[2]))
